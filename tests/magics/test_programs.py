"""When a cell is traced again and when not, and what it says about it."""

from __future__ import annotations

import numpy as np
import pytest

REASONS = [
    # (setup, cell, change, second cell or None for the same, reason)
    ("x = jnp.ones(3)", "%%jit\nx * 2", "x = jnp.ones(4)", None, "x: f32[3] → f32[4]"),
    ("x = jnp.ones(3)", "%%jit\nx * 2", "x = jnp.ones(3, 'int32')", None, "x: f32[3] → i32[3]"),
    ("x = jnp.ones(3); n = 2", "%%jit\nx * n", "n = 3", None, "static n: 2 → 3"),
    ("x = 1.5", "%%jit\nx * 2", "x = jnp.float32(1)", None, "x: f32[] (a Python number's weak type) → f32[]"),
    ("x = jnp.ones(3)\ndef f(v): return v", "%%jit\nf(x)", "def f(v): return v + 1", None, "function f was redefined"),
    ("x = jnp.ones(3)", "%%jit\nx * 2", "", "%%jit\n%%grad x\nx * 2", None),
    ("x = jnp.ones(3)", "%%jit\n(x * 2).sum()", "", "%%jit\n%%grad x\n(x * 2).sum()", "stack changed: %%jit → %%jit %%grad x"),
    ("p = {'a': 1.5}", "%%jit\np['a'] * 2", "p = {'a': 1.5, 'b': 2}", None, "p: {a: f32[]} → {a: f32[], b: 2}"),
]  # fmt: skip


@pytest.mark.parametrize(("setup", "cell", "change", "second", "reason"), REASONS)
def test_reason(notebook, setup, cell, change, second, reason):
    notebook.good(setup)
    first = notebook.good(cell).run
    assert (first.outcome, first.reason) == ("compiled", "first run")
    if change:
        notebook.good(change)
    ran = notebook(second or cell)
    if reason is None:
        assert ran.error is not None
    else:
        assert (ran.run.outcome, ran.run.reason) == ("compiled", reason)


def test_reuse_does_not_trace(notebook):
    notebook.good("x = 2.0")
    assert "Traced" in notebook.good("%%jit\nprint(x)\ny = x + 1").output or True
    again = notebook.good("%%jit\nprint(x)\ny = x + 1")
    assert again.output.strip() == ""
    assert again.run.outcome == "reused"
    assert again.run.traced_at.startswith("In[")
    assert (again.run.trace_seconds, again.run.hits) == (None, 1)


def test_values_are_not_part_of_the_key(notebook):
    for value in (1.0, 2.0, 3.0):
        notebook.good(f"x = {value}; W = np.full(2, {value})")
        notebook.good("%%jit\ny = x * W")
        assert np.allclose(notebook.ns["y"], value * value)


REACHED = [
    ("def predict(x): return W @ x", "predict(x)", {"predict", "W", "x"}),
    ("def inner(x): return W @ x\ndef predict(x): return inner(x)", "predict(x)", {"predict", "inner", "W", "x"}),
    ("def f(x): return W @ x\ndef g(x): return V @ x\ntable = {'f': f, 'g': g}", "table['f'](x)", {"table", "W", "x"}),
    ("from functools import partial\ndef f(k, x): return W @ x\np = partial(f, 1)", "p(x)", {"p", "W", "x"}),
    ("class Net:\n    def __call__(self, x): return W @ x\n    def other(self): return V\nnet = Net()", "net(x)", {"net", "W", "x"}),
    ("@jaxlab.jit\ndef predict(x): return W @ x\npredict(x)", "predict(x)", {"predict", "W", "x"}),
    ("def f(): return V\ndef g(): return W", "g()", {"g", "W"}),
    ("f = lambda x: [W @ v for v in x]", "f(x[None])", {"f", "W", "x"}),
    ("def f(x):\n    def g(): return W\n    return g() @ x", "f(x)", {"f", "W", "x"}),
]  # fmt: skip


@pytest.mark.parametrize(("setup", "call", "inputs"), REACHED)
def test_inputs_behind_functions(notebook, setup, call, inputs):
    notebook.good("W = jnp.ones((2, 3)); V = jnp.ones((2, 3)); x = jnp.ones(3)")
    notebook.good(setup)
    cell = f"%%jit\ny = {call}"
    ran = notebook.good(cell)
    assert {entry.name for entry in ran.run.inputs} == inputs
    notebook.good("W = 2 * W")
    assert notebook.good(cell).run.outcome == "reused"
    before = notebook.ns["y"]
    notebook.good("W = 2 * W; V = 3 * V")
    assert notebook.good(cell).run.outcome == "reused"
    assert np.allclose(notebook.ns["y"], 2 * np.asarray(before))


def test_gradient_through_a_compiled_function(notebook):
    notebook.good("W = jnp.ones(3); x = jnp.arange(3.)")
    notebook.good("@jaxlab.jit\ndef predict(x): return W * x\npredict(x)")
    notebook.good("%%grad W\npredict(x).sum()")
    assert np.allclose(notebook.ns["grad_W"], [0, 1, 2])
    assert np.allclose(notebook.good("predict(x)").value, [0, 1, 2])


def test_an_attribute_that_changes_is_noticed(notebook):
    notebook.good("class Config: pass\ncfg = Config(); cfg.rate = 0.5; x = jnp.ones(2)")
    notebook.good("%%jit\ny = x * cfg.rate")
    notebook.good("cfg.rate = 2.0")
    assert notebook.good("%%jit\ny = x * cfg.rate").run.outcome == "compiled"
    assert np.allclose(notebook.ns["y"], 2)


def test_functions_of_the_cell_keep_no_tracer(notebook):
    notebook.good("x = jnp.ones(2)")
    cell = (
        "%%jit\nh = x * 2\ndef scaled(v, by=h):\n    return v * by\ndef later(v):\n    return v * h\n"
        "@jaxlab.jit\ndef quick(v): return v * h\nz = quick(x) + scaled(x) + later(x)"
    )
    for factor in (1.0, 3.0):
        notebook.good(f"x = jnp.full(2, {factor})")
        notebook.good(cell)
        assert np.allclose(notebook.ns["z"], 6 * factor * factor)
        for name in ("scaled", "later", "quick"):
            assert np.allclose(notebook.good(f"{name}(x)").value, 2 * factor * factor), name


def test_objects_of_the_cell_keep_no_tracer(notebook):
    notebook.good(
        "from functools import partial\nclass Box:\n    def __init__(self, v): self.v = v\nx = jnp.ones(2)"
    )
    cell = (
        "%%jit\nbox = Box(x * 2)\nadd = partial(jnp.add, box.v)\nclose = (lambda v: lambda u: u + v)(box.v)"
    )
    for factor in (1.0, 3.0):
        notebook.good(f"x = jnp.full(2, {factor})")
        notebook.good(cell)
        for call in ("box.v + 1", "add(1.0)", "close(1.0)"):
            assert np.allclose(notebook.good(call).value, 2 * factor + 1), call


def test_definitions(notebook):
    notebook.good("rate = 0.5; x = jnp.arange(3.)")
    assert notebook.good("%%jit\ndef loss(w, x, n=2):\n    return (w * x * rate * n).sum()").runs == []
    first = notebook.good("loss(2.0, x)")
    assert np.allclose(first.value, 6)
    assert (first.run.kind, first.run.outcome, first.run.reason) == ("function", "compiled", "first call")
    assert notebook.good("for _ in range(3): loss(2.0, x)").runs == []
    notebook.good("rate = 1.0")
    changed = notebook.good("loss(2.0, x)")
    assert np.allclose(changed.value, 12)
    assert changed.run.reason == "global rate: 0.5 → 1.0"


DERIVED = [
    ("%%grad w", "grad_loss", "grad_loss(2.0, x)", 3),
    ("%%jit\n%%grad w x", "grad_loss", "grad_loss(2.0, x)[1]", [2, 2, 2]),
    ("%%value_and_grad", "value_and_grad_loss", "value_and_grad_loss(2.0, x)[0]", 6),
    ("%%hessian x", "hessian_loss", "hessian_loss(2.0, x).shape", (3, 3)),
    ("%%vmap x", "loss", "loss(2.0, x)", [0, 2, 4]),
]


@pytest.mark.parametrize(("magics", "name", "call", "expected"), DERIVED)
def test_derived_definitions(notebook, magics, name, call, expected):
    notebook.good("x = jnp.arange(3.)")
    notebook.good(f"{magics}\ndef loss(w, x):\n    return (w * x).sum()")
    assert name in notebook.ns
    assert np.allclose(notebook.good(call).value, expected)


def test_modes(notebook):
    notebook.good("x = jnp.arange(3.)")
    shown = notebook.good("%%jaxpr\ny = jnp.sin(x)\ny.sum()")
    assert "sin" in str(shown.value)
    assert "y" not in notebook.ns
    assert shown.run.run_seconds is None
    staged = notebook.good("%%stages\n%%grad x\n(x ** 2).sum()")
    assert staged.run.program is not None
    assert "grad_x" not in notebook.ns
    timed = notebook.good("%%bench --repeat 2\n(x ** 2).sum()")
    assert [line.split("  ")[0].strip() for line in timed.output.splitlines()[:3]] == [
        "compiled",
        "op by op",
        "NumPy",
    ]


LINES = [
    ("%jit (x ** 2).sum()", "5.0"),
    ("y = %jit x * 2\ny", "[0. 2. 4.]"),
    ("%grad f(x, 3.0)", "[3. 3. 3.]"),
    ("%grad --argnum 1 f(x, 3.0)", "3.0"),
    ("%value_and_grad f(x, 3.0)", "(Array(9., dtype=float32), Array([3., 3., 3.], dtype=float32))"),
    ("%jacfwd g(x)", "[[0. 0. 0.]\n [0. 2. 0.]\n [0. 0. 4.]]"),
    ("%jacrev g(x)", "[[0. 0. 0.]\n [0. 2. 0.]\n [0. 0. 4.]]"),
    ("%hessian f(x * 0, 3.0)", "[[0. 0. 0.]\n [0. 0. 0.]\n [0. 0. 0.]]"),
    ("v, pull = %vjp --argnum 1 f(x, 3.0)\npull(2.0)", "6.0"),
    ("v, push = %linearize f(x, 3.0)\npush(x)", "9.0"),
]


@pytest.mark.parametrize(("line", "text"), LINES)
def test_line_values(notebook, line, text):
    notebook.good("x = jnp.arange(3.)\ndef f(a, b): return (a * b).sum()\ndef g(a): return a * a")
    assert str(notebook.good(line).value) == text


TEXTS = [
    ("%jaxpr f(x, 2.0)", "mul"),
    ("%hlo f(x, 2.0)", "HloModule"),
    ("%hlo --stable f(x, 2.0)", "stablehlo.multiply"),
    ("%cost f(x, 2.0)", "flops"),
    ("%device", "cpu:0"),
    ("%device cpu", "cpu:0"),
    ("%caches", "jit(cell)"),
    ("%caches --all", "magics.cells"),
    ("%lab enable_x64", "64-bit"),
    ("%lab", "enable_x64"),
]


@pytest.mark.parametrize(("line", "text"), TEXTS)
def test_line_texts(notebook, line, text):
    notebook.good("x = jnp.arange(3.)\ndef f(a, b): return (a * b).sum()")
    notebook.good("%%jit\nx + 1")
    assert text in str(notebook.good(line).value)
