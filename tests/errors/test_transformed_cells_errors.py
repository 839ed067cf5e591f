"""Errors of cells that use the whole transformation system: the exact first line, at the cell's own line."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "magics"))

from notebook import notebook, shell

__all__ = ["notebook", "shell"]

SETUP = """
from jaxlab import lax
from jaxlab.experimental import checkify
x = jnp.arange(3.)
p = {"w": x, "b": jnp.ones(2)}
gone = jnp.ones(4); gone.delete()
q = {"w": x, "b": [jnp.ones(2)]}; q["b"][0].delete()
count = jaxlab.new_ref(jnp.zeros(())); same = count
@jaxlab.custom_vjp
def flat(v):
    return v
flat.defvjp(lambda v: (v, None), lambda _, g: g)
"""
RULE = "custom_vjp: <lambda>, the backward rule of flat, returned structure PyTreeDef(*), but a tuple with a cotangent for each argument is needed, of structure PyTreeDef((*,)); return None for an argument whose cotangent is zero"
DELETED = "but its buffer was deleted or donated to a computation; use the result of that computation, or a copy made before it"
TABLE = [
    # (cell, line of the cell that is shown first, class, first line of the message)
    ("%%grad x\ny = flat(x)\ny.sum()", 2, "TypeError", RULE),
    ("%%jit\n%%grad x\ny, _ = lax.scan(lambda c, _: (flat(c), None), x, None, length=2)\ny.sum()", 3, "TypeError", RULE),
    ("%%jit\ny = x\ncheckify.check(x[0] > 0, 'small')\ny", 3, "ValueError", "check: the check at Cell In[{n}], line 3 was given to be compiled, but a compiled program cannot raise; compile jit(checkify(f)), which returns the error, or write debug_check, which is left out"),
    ("%%jit\ny = x * 2\ny.sum() + gone.sum()", 3, "RuntimeError", "cell: the argument gone of type f32[4] was given, " + DELETED),
    ("%%jit\nq['w'].sum() + q['b'][0].sum()", 2, "RuntimeError", "cell: the argument q['b'][0] of type f32[2] was given, " + DELETED),
    ("%%jit\ncount[...] += 1\nsame[...] += 1", 3, "ValueError", "cell: the same reference of type Ref{{f32[]}} was given as count and as same, but only one argument can be a certain reference; pass it once"),
    ("%%jit --donate y\nx * 2", 1, "CellError", "%%jit --donate y: the cell does not read y; the cell reads x"),
    ("%%jit\nsorted(x)", 2, "TracerBoolConversionError", "sorted(x): x is f32[3], traced, so Python cannot compare its elements; write jnp.sort"),
    ("%%jit\nmax(x)", 2, "TracerBoolConversionError", "max(x): x is f32[3], traced, so Python cannot compare its elements; write jnp.max"),
    ("%%jit\ny = f'{{x[0]:.2f}}'", 2, "ConcretizationTypeError", "f'{{x[0]:.2f}}': x is f32[3], traced, so there is no number to print while the cell is traced; write jaxlab.debug.print(\"{{}}\", value), which prints when the program runs"),
    ("%%jit\n{{x: 1}}", 2, "TypeError", "{{x: 1}}: x is f32[3], and arrays are no keys of a dict, a set or a cache; use an int or a string for a key"),
    ("%%jit\nlax.cond(x[0] > 0, lambda: x, lambda: x[:2])", 2, "TypeError", "cond: the branches must return the same types, but the result is f32[2] in false_fun and f32[3] in true_fun; convert or reshape in one of them"),
    ("%%jit\nc = 1\nlax.scan(lambda c, a: (jnp.append(c, a), a), x, x)", 3, "TypeError", "scan: the body must return a carry of the types of the initial one, but carry is f32[3] and became f32[4], of another shape; convert or reshape in the body, or start from values of those types"),
    ("jaxlab.jit(lambda a, s: a, static_argnums=1)(x, [1])", 1, "ValueError", "<lambda>: the static argument 1 is of type list, which is not hashable, but static arguments are part of the cache key; pass a tuple or another hashable value"),
    ("%%hessian x\nx.sum()\n'text'", 3, "CellError", "%%hessian: the cell's value is 'text', which does not depend on a traced value"),
]  # fmt: skip


@pytest.mark.parametrize(("cell", "line", "kind", "message"), TABLE)
def test_first_line(notebook, cell, line, kind, message):
    notebook.good(SETUP)
    before = dict(notebook.ns)
    ran = notebook(cell.replace("{{", "{").replace("}}", "}"))
    assert type(ran.error).__name__ == kind
    assert ran.message == message.format(n=ran.number)
    assert ran.output.strip().startswith(f"Cell In[{ran.number}], line {line}"), ran.output
    assert "jaxlab/" not in ran.output
    assert {name for name in notebook.ns if notebook.ns[name] is not before.get(name)} <= {
        n for n in notebook.ns if n.startswith("_") or n in ("In", "Out")
    }
    assert notebook.ns["count"][...] == 0
    notebook.good("%%jit\nx * 2")


def test_an_error_in_a_backward_rule_shows_the_call_and_the_rules_line(notebook):
    notebook.good(SETUP)
    rule = notebook.good("def back(_, g):\n    if g[0] > 0:\n        g = -g\n    return (g,)").number
    notebook.good("flat.defvjp(lambda v: (v, None), back)")
    ran = notebook("%%jit\n%%grad x\ny = flat(x) * 2\ny.sum()")
    assert f"Cell In[{ran.number}], line 3\n" in ran.output
    assert f"Cell In[{rule}], line 2, in back\n" in ran.output
    assert ran.message == (
        "if g[0] > 0: g is f32[3], traced, so its truth is not known while the cell is traced; "
        "write jnp.where(condition, a, b) or lax.cond"
    )


def test_leaving_a_breakpoint_ends_the_cell(notebook, monkeypatch):
    notebook.good("x = jnp.arange(3.)")
    monkeypatch.setattr("builtins.input", lambda prompt: "q")
    ran = notebook("%%jit\ny = x + 1\njaxlab.debug.breakpoint()\ny")
    assert type(ran.error) is KeyboardInterrupt
    assert ran.message == "the program was left at jaxlab.debug.breakpoint()"
    assert f"Cell In[{ran.number}], line 3\n" in ran.output
    assert "y" not in notebook.ns
