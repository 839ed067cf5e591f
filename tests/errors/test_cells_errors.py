"""What a wrong cell says: the exact first line, the line of the cell, the namespace as it was, the next cell right."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "magics"))

from notebook import notebook, shell

__all__ = ["notebook", "shell"]

SETUP = """
x = jnp.arange(3.)
n = 3
k = jnp.arange(3)
W = jnp.ones((2, 3))
p = {"w": x}
def predict(v):
    if v.sum() > 0:
        return W @ v
    return v
"""

TRACED = "traced, so its truth is not known while the cell is traced"
TABLE = [
    # (cell, line of the cell that is shown, class, first line of the message)
    ("%%jit\ny = x +* 2", 2, "SyntaxError", "invalid syntax"),
    ("%%jit\ny = x\nz = await y", 3, "SyntaxError",
     "top-level await: a transformed cell runs as one program and cannot wait; await in a cell of its own"),
    ("%%jit\n\n# nothing yet\ny = x\nz = missing + 1", 5, "NameError", "name 'missing' is not defined"),
    ("%%jit\n%%grad x\nx * 2", 3, "CellError",
     "%%grad: the cell's value is f32[3], but a real scalar is needed; end the cell with jnp.sum(…) or "
     "jnp.mean(…), or use %%jacrev"),
    ("%%grad x\ny = x.sum()", 2, "CellError",
     ("%%grad: the cell does not end in an expression, so there is nothing to differentiate; "
     "end it with the name of a scalar or give --of NAME")),
    ("%%grad x\nx.sum()\n3", 3, "CellError", "%%grad: the cell's value is 3, which does not depend on a traced value"),
    ("%%grad x\nk.sum() + x.astype(int).sum()", 2, "CellError",
     "%%grad: the cell's value is i32[], but a real floating-point scalar is needed"),
    ("%%grad x --of z\ny = x.sum()", 1, "CellError", "%%grad: --of z, but the cell assigns no z; it assigns y"),
    ("%%grad n\n(x * n).sum()", 1, "CellError",
     "%%grad n: n is 3, which is static (an int is static), but a traced input is needed; write n = 3.0"),
    ("%%grad k\n(x * k).sum()", 1, "CellError",
     "%%grad k: k is i32[3], but only real or complex values can be differentiated; write k = k.astype(float)"),
    ("%%grad W\nx.sum()", 1, "CellError", "%%grad W: the cell does not read W; the cell reads x"),
    ("%%grad\nx.sum()", 1, "CellError", "%%grad: with respect to what? Write %%grad NAME; the cell reads x"),
    ("%%vmap n\nx * n", 1, "CellError",
     "%%vmap n: n is 3, which is static (an int is static), but a traced input is needed; write n = 3.0"),
    ("%%vmap x:1\nx * 2", 1, "CellError", "%%vmap: x is f32[3], which has no axis 1 to map over"),
    ("%%vmap x W\nx * W", 1, "CellError", "%%vmap: the mapped axes differ in length: x has 3, W has 2; they "
        "must be equal"),
    ("%%vmap\nx * 2", 1, "CellError", "%%vmap: nothing to map over; name an input (%%vmap x) or give --size"),
    ("%%jvp x=W\nx * 2 * W.sum()", 1, "CellError",
     "%%jvp: x is f32[3], but its tangent W is f32[2,3]; a tangent has its primal's shape"),
    ("%%jit\ny = x * 2\nif y.sum() > 0:\n    y = -y", 3, "TracerBoolConversionError",
     f"if y.sum() > 0: y is f32[3], {TRACED}; write jnp.where(condition, a, b) or lax.cond"),
    ("%%jit\ny = x[0]\nwhile y < 3: y = y + 1", 3, "TracerBoolConversionError",
     f"while y < 3: y is f32[], {TRACED}; write lax.while_loop, or make the value static with --static y"),
    ("%%jit\nassert x[0] == 0", 2, "TracerBoolConversionError",
     f"assert x[0] == 0: x is f32[3], {TRACED}; write an assert in a cell of its own"),
    ("%%jit\npredict(x)", 2, "TracerBoolConversionError",
     f"if v.sum() > 0: v is f32[3], {TRACED}; write jnp.where(condition, a, b) or lax.cond"),
    ("%%jit\ny = x[x < 0]", 2, "NonConcreteBooleanIndexError",
     ("x[x < 0]: x is f32[3], traced, so how many elements the mask selects is not known while the cell is traced, "
     "but a shape must be; write jnp.where(mask, x, 0)")),
    ("%%jit\nx[0] = 1", 2, "TypeError",
     "x[0] = 1: arrays in a traced cell are immutable; write x = x.at[0].set(1)"),
    ("%%jit\ny = x\ny[1:] += 2", 3, "TypeError",
     "y[1:] += 2: arrays in a traced cell are immutable; write y = y.at[1:].add(2)"),
    ("%%jit\ny = float(x.sum())", 2, "ConcretizationTypeError",
     ("float(x.sum()): x is f32[3], traced, and has no number yet, but float() needs one; "
     "leave it an array here and convert it in the next cell")),
    ("%%jit\nfor i in range(k[0]): pass", 2, "TracerIntegerConversionError",
     ("range(k[0]): k is i32[3], traced, but a Python integer is needed here (a shape, an index or a loop bound); "
     "compute it from static values")),
    ("%%jit\ny = np.sin(x)", 2, "TracerArrayConversionError",
     "np.sin(x): x is f32[3], traced, and NumPy needs its numbers; write jnp.sin"),
]  # fmt: skip


@pytest.mark.parametrize(("cell", "line", "name", "message"), TABLE)
def test_error(notebook, cell, line, name, message):
    notebook.good(SETUP)
    before = dict(notebook.ns)
    ran = notebook(cell)
    assert (type(ran.error).__name__, ran.message) == (name, message)
    assert f"Cell In[{ran.number}], line {line}\n" in ran.output
    assert "^" in ran.output
    assert f"{name}: {message}" in ran.output
    assert "jaxlab/" not in ran.output
    assert "site-packages" not in ran.output
    hidden = notebook.shell.user_ns_hidden
    assert {k: v for k, v in notebook.ns.items() if k not in hidden and not k.startswith("_")} == {
        k: v for k, v in before.items() if k not in hidden and not k.startswith("_")
    }
    assert np.allclose(notebook.good("%%jit\nx * 2").value, [0, 2, 4])


USAGE = [
    ("%%jit --devic cpu\nx", "%%jit: unknown option or argument --devic cpu; its options are: --device, "
        "--donate, --static, --traced"),
    ("%%grad x --foo\nx.sum()", "%%grad: unknown option or argument --foo; its options are: --of, --value"),
    ("%%jit --device tpu:7\nx", "device tpu:7: there is no such device; there are cpu:0"),
    ("%device gpu:3", "device gpu:3: there is no such device; there are cpu:0"),
    ("%%jit --static q\nx", "%%jit --static q: the cell does not read q"),
    ("%%vmap x:one\nx", "%%vmap: argument NAME[:AXIS]: an axis is an integer or None, not 'one'"),
    ("%%jit\n%%bench\nx", "%%bench: it says what to do with the whole cell; put it on the first line"),
    ("%%jit\n%%time\nx", ("%%time: not a transformation that stacks; these do: "
     "%%jit %%grad %%value_and_grad %%vmap %%jvp %%vjp %%linearize %%jacfwd %%jacrev %%hessian %%checkpoint "
     "%%jaxpr %%stages %%bench")),
    ("%%jit\n\n", "%%jit: the cell has no code under its magic lines"),
    ("%%grad q\ndef f(a): return a", "%%grad q: f(a) has no argument q"),
    ("%jit", "%jit: an expression is needed, such as %jit f(x)"),
    ("%lab qwertz on", ("%lab: config: 'qwertz' was given, but there is no such option; "
     "jaxlab.config.Options lists all of them")),
]  # fmt: skip


@pytest.mark.parametrize(("cell", "message"), USAGE)
def test_usage_error_is_one_line(notebook, cell, message):
    notebook.good(SETUP)
    ran = notebook(cell)
    assert (type(ran.error).__name__, str(ran.error)) == ("UsageError", message)
    assert ran.output.strip() == f"UsageError: {message}"


def test_an_exception_of_the_user_keeps_its_class_and_line(notebook):
    notebook.good("def deep(v):\n    return 1 / 0")
    ran = notebook("%%jit\ny = 1\nz = deep(y)")
    assert type(ran.error) is ZeroDivisionError
    number = ran.number
    assert f"Cell In[{number}], line 3" in ran.output
    assert f"Cell In[{number - 1}], line 2, in deep" in ran.output
    assert "interactiveshell" not in ran.output
    assert "runner.py" in notebook("%tb").output
    assert "y" not in notebook.ns


def test_a_leaked_tracer_used_later(notebook):
    notebook.good("class Box: pass\nbox = Box(); x = jnp.ones(3)")
    notebook.good("%%jit\nbox.kept = jnp.sin(x)\nx.sum()")
    ran = notebook("%%jit\ny = x + box.kept")
    assert type(ran.error).__name__ == "UnexpectedTracerError"
    assert ran.message == (
        "x + box.kept: box.kept holds a traced value of a trace that has ended; return the value from the traced "
        "function or assign it at the cell's top level, instead of storing it on the side"
    )


def test_a_leaked_tracer_as_an_input(notebook):
    notebook.good(
        "kept = []; x = jnp.ones(3)\n@jaxlab.jit\ndef f(v):\n    kept.append(v)\n    return v\nf(x)"
    )
    ran = notebook("%%jit\ny = x + 1\nz = y + kept[0]")
    assert type(ran.error).__name__ == "UnexpectedTracerError"
    assert ran.message == (
        "kept[0] holds a traced value of a trace that has ended; "
        "return the value from the traced function instead of storing it on the side"
    )
    assert f"Cell In[{ran.number}], line 3" in ran.output
    assert "y" not in notebook.ns


PLAIN = [("x + jnp.ones(4)", "TypeError: add got"), ("kept[0] + 1", "UnexpectedTracerError: tracing")]


@pytest.mark.parametrize(("cell", "message"), PLAIN)
def test_a_cell_without_magics_shows_no_frame_of_jaxlab(notebook, cell, message):
    notebook.good(
        "kept = []; x = jnp.ones(3)\n@jaxlab.jit\ndef f(v):\n    kept.append(v)\n    return v\nf(x)"
    )
    ran = notebook(f"1 + 1\n{cell}")
    assert ran.error is not None
    assert f"Cell In[{ran.number}], line 2" in ran.output
    assert message in ran.output
    assert "jaxlab/" not in ran.output
    assert "jaxlab/numpy" in notebook("%tb").output


def test_shapes_that_do_not_fit(notebook):
    notebook.good(SETUP)
    ran = notebook("%%jit\ny = W + jnp.ones(4)\nz = W @ W")
    assert isinstance(ran.error, TypeError | ValueError)
    assert ran.message.startswith("W + jnp.ones(4): W is f32[2,3]; ")
    assert f"Cell In[{ran.number}], line 2" in ran.output


@pytest.mark.parametrize("error", ["KeyboardInterrupt", "SystemError", "ValueError"])
@pytest.mark.parametrize("when", ["trace", "compile", "run"])
def test_interrupted(notebook, monkeypatch, when, error):
    notebook.good("x = jnp.ones(3); y = 1")
    cell = "%%jit\ny = x * 2\n"
    if when == "trace":
        cell += f"raise {error}('stop')"
    elif when == "compile":
        monkeypatch.setattr("jaxlab.magics.cell.CellExecution.compile", lambda *_: raised(error))
    else:
        monkeypatch.setattr("jaxlab.magics.cell.wait", lambda *_: raised(error))
    ran = notebook(cell)
    assert type(ran.error).__name__ == error
    assert notebook.ns["y"] == 1
    monkeypatch.undo()
    monkeypatch.setattr("jaxlab.magics.runner.show", lambda run: None)
    notebook.good("%%jit\ny = x * 2")
    assert np.allclose(notebook.ns["y"], 2)


def raised(name):
    raise getattr(__import__("builtins"), name)("stop")


NANS = [
    # (cell, the line that is shown, how the message begins)
    ("%%jit\ny = x - 1\nz = jnp.log(y)\nz.sum()", 3, "log: invalid value (nan) encountered at Cell In["),
    ("y = x - 1\nz = jnp.log(y)", 2, "log: invalid value (nan) encountered at Cell In["),
    ("%%jit\n%%grad x\ny = jnp.sqrt(x * 0)\ny.sum()", 3, "mul: invalid value (nan) encountered at Cell In["),
    ("%%grad x\ny = jnp.sqrt(x * 0)\ny.sum()", 2, "mul: invalid value (nan) encountered at Cell In["),
    ("%%jit\ndef f(v):\n    return jnp.log(v)", None, ""),
]


@pytest.mark.parametrize(("cell", "line", "message"), NANS)
def test_a_nan_points_at_the_line_that_gave_it(notebook, cell, line, message):
    notebook.good(SETUP)
    notebook.good("%lab debug_nans on")
    try:
        ran = notebook(cell)
        if line is None:
            defined, ran, line, message = (
                ran.number,
                notebook("f(-x)"),
                3,
                "log: invalid value (nan) encountered",
            )
            assert f"Cell In[{ran.number}], line 1\n" in ran.output
        else:
            defined = ran.number
    finally:
        notebook.good("%lab debug_nans off")
    assert type(ran.error) is FloatingPointError
    assert ran.message.startswith(message), ran.message
    assert f"Cell In[{defined}], line {line}" in ran.output
    assert "jaxlab/" not in ran.output
