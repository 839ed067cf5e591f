"""Cells under the derivative magics and `%%checkpoint`: each by itself, as definitions, and in every ordered pair."""

from __future__ import annotations

import numpy as np
import pytest

SETUP = "x = jnp.arange(1., 4.); W = jnp.full((2, 3), 0.1); b = jnp.zeros(2); X = jnp.ones((4, 3)); p = {'w': W, 'n': 3}"
CELL = "y = jnp.tanh(W @ x + b)\ny"
SLOPE = 1 - np.tanh(0.6) ** 2

ALONE = [
    # (magic lines and cell, expression, its value)
    (f"%%vjp b\n{CELL}", "vjp_b(jnp.ones(2))", [SLOPE, SLOPE]),
    (f"%%vjp W b\n{CELL}", "vjp_W_b(jnp.ones(2))[1]", [SLOPE, SLOPE]),
    (f"%%vjp b\n{CELL}", "y", np.tanh([0.6, 0.6])),
    (f"%%vjp b --of y\n{CELL}\n3", "vjp_b(jnp.ones(2))", [SLOPE, SLOPE]),
    (f"%%jit\n%%vjp b\n{CELL}", "vjp_b(jnp.ones(2))", [SLOPE, SLOPE]),
    ("%%jit\n%%vjp p\n(p['w'] @ x).sum() * p['n']", "vjp_p(2.0)['w'][0]", [6, 12, 18]),
    ("%%jit\n%%vjp p\n(p['w'] @ x).sum() * p['n']", "vjp_p(2.0)['n']", 3),
    (f"%%linearize x\n{CELL}", "linearize_x(jnp.ones(3))", [0.3 * SLOPE] * 2),
    (f"%%jit\n%%linearize W b\n{CELL}", "linearize_W_b(jnp.zeros((2, 3)), jnp.ones(2))", [SLOPE] * 2),
    (f"%%jacfwd b\n{CELL}", "jacfwd_b", np.diag([SLOPE] * 2)),
    (f"%%jacrev b\n{CELL}", "jacrev_b", np.diag([SLOPE] * 2)),
    ("%%jit\n%%hessian x\n(x ** 3).sum()", "hessian_x", np.diag([6, 12, 18])),
    ("%%jit\n%%checkpoint\nz = (x ** 3).sum()\nz", "z", 36),
    ("%%grad x\n%%checkpoint --policy dots_saveable\n(x ** 2).sum()", "grad_x", [2, 4, 6]),
    ("%%vmap X\n%%vjp W\n(W @ X + b).sum()", "vjp_W(jnp.ones(4)).shape", (4, 2, 3)),
    ("%%jit\n%%vmap X:1 --out 1\n%%vmap W\n%%linearize W\nW + X.sum()", "linearize_W(jnp.ones((2, 3, 3))).shape", (2, 3, 3)),
]  # fmt: skip


@pytest.mark.parametrize(("cell", "expression", "expected"), ALONE)
def test_alone(notebook, cell, expression, expected):
    notebook.good(SETUP)
    notebook.good(cell)
    assert np.allclose(notebook.good(expression).value, expected, rtol=1e-4)
    if cell.startswith("%%jit"):
        assert notebook.good(cell).run.outcome == "reused"
        assert np.allclose(notebook.good(expression).value, expected, rtol=1e-4)


MAGICS = {
    "jit": "%%jit",
    "grad": "%%grad x",
    "value_and_grad": "%%value_and_grad x",
    "vmap": "%%vmap k",
    "jvp": "%%jvp x=t",
    "vjp": "%%vjp x",
    "linearize": "%%linearize x",
    "jacfwd": "%%jacfwd x",
    "jacrev": "%%jacrev x",
    "hessian": "%%hessian x",
    "checkpoint": "%%checkpoint",
}
SHAPES = {"grad": (3,), "jacfwd": (3,), "jacrev": (3,), "hessian": (3, 3)}
PAIRS = [(outer, inner) for outer in MAGICS for inner in MAGICS]


@pytest.mark.parametrize(("outer", "inner"), PAIRS)
def test_every_ordered_pair(notebook, outer, inner):
    notebook.good("x = jnp.arange(1., 4.); t = jnp.ones(3); k = jnp.ones((2, 3))")
    cell = f"{MAGICS[outer]}\n{MAGICS[inner]}\n(x ** 3 * k).sum()"
    ran = notebook(cell)
    vector = inner in ("vmap", *SHAPES) or (inner in ("value_and_grad", "jvp"))
    if outer in ("grad", "value_and_grad") and vector:
        # A scalar is needed, and the error says so on the cell's own line.
        assert type(ran.error).__name__ == "CellError"
        assert f"%%{outer}: " in ran.message
        assert "Cell In[" in ran.output
        return
    assert ran.error is None, ran.output
    assert [layer.name for layer in ran.run.record.transformations] == [outer, inner]
    factor = 1 if "vmap" in (outer, inner) else 2  # k is two rows, summed or mapped over
    matrix = {"jacfwd": "jacfwd_x", "jacrev": "jacrev_x", "hessian": "hessian_x", "grad": "grad_x"}
    name = matrix.get(inner)
    if outer in ("jit", "checkpoint") and name:
        assert np.shape(notebook.ns[name]) == SHAPES[inner]
        slope = np.diag([6.0, 12, 18]) if inner == "hessian" else np.array([3.0, 12, 27])
        assert np.allclose(notebook.ns[name], factor * slope, rtol=1e-5)
    for kind, sign in (("vjp", "1.0"), ("linearize", "t")):
        if kind in (outer, inner) and {outer, inner} <= {kind, "jit", "checkpoint"}:
            value = notebook.good(f"{kind}_x({sign})").value
            assert np.allclose(np.sum(value), factor * 42, rtol=1e-5)


DEFINED = [
    # (magic lines, the name that is bound, an expression, its value)
    ("%%vjp x", "vjp_loss", "vjp_loss(2.0, x)[1](1.0)", [4, 8, 12]),
    ("%%jit\n%%vjp", "vjp_loss", "vjp_loss(2.0, x)[1](1.0)[0]", 14),
    ("%%linearize x", "linearize_loss", "linearize_loss(2.0, x)[1](x)", 56),
    ("%%jit\n%%linearize x w", "linearize_loss", "linearize_loss(2.0, x)[1](x, 0.0)", 56),
    ("%%jacfwd x", "jacfwd_loss", "jacfwd_loss(2.0, x)", [4, 8, 12]),
    ("%%jit\n%%jacrev x", "jacrev_loss", "jacrev_loss(2.0, x)", [4, 8, 12]),
    ("%%jit\n%%hessian x", "hessian_loss", "hessian_loss(2.0, x)", np.diag([4, 4, 4])),
    ("%%checkpoint", "loss", "jaxlab.grad(loss)(2.0, x)", 14),
    ("%%jit\n%%grad\n%%checkpoint --policy nothing_saveable", "grad_loss", "grad_loss(2.0, x)", 14),
    ("%%jit\n%%vjp x\n%%jacrev w", "vjp_jacrev_loss", "vjp_jacrev_loss(2.0, x)[1](1.0)", [2, 4, 6]),
]


@pytest.mark.parametrize(("magics", "name", "expression", "expected"), DEFINED)
def test_definitions(notebook, magics, name, expression, expected):
    notebook.good("x = jnp.arange(1., 4.)")
    notebook.good(f"{magics}\ndef loss(w, x):\n    return (w * x ** 2).sum()")
    assert callable(notebook.ns[name])
    assert np.allclose(notebook.good(expression).value, expected)


def test_what_a_linear_map_says(notebook):
    notebook.good(SETUP)
    notebook.good(f"%%vjp W b\n{CELL}")
    assert repr(notebook.ns["vjp_W_b"]) == "<pullback vjp_W_b: cotangent f32[2] → f32[2,3], f32[2]>"
    wrong = notebook("vjp_W_b(jnp.ones(3))")
    assert (type(wrong.error).__name__, wrong.message) == (
        "TypeError", "vjp_W_b: f32[3] was given, but a cotangent f32[2] is needed"
    )  # fmt: skip
    wrong = notebook("vjp_W_b(1.0, 2.0)")
    assert wrong.message == "vjp_W_b: 2 arrays were given, but a cotangent f32[2] is needed"
    notebook.good("%%vmap X\n%%linearize X\n(W @ X).sum()")
    assert (
        repr(notebook.ns["linearize_X"])
        == "<pushforward linearize_X: tangent f32[3] → f32[], 1 mapped axis more>"
    )


WITHIN = [
    # (cell, the value of y)
    ("%%jit\ny = %jit scale * x\ny", [2, 4, 6]),
    ("%%jit\ny = %grad f(x, 2.0)\ny", [2, 2, 2]),
    ("%%jit\n%%vmap X\ny = %grad --argnum 1 f(X, 2.0)\ny", [3, 3, 3, 3]),
    ("%%grad x\ny = %jit compiled(x)\ny.sum()", None),
    ("%%jit\ny = compiled(x) + compiled(scale)\ny", [6, 8, 10]),
]


@pytest.mark.parametrize(("cell", "expected"), WITHIN)
def test_compiled_functions_and_line_magics_within_a_traced_cell(notebook, cell, expected):
    notebook.good(SETUP + "; scale = 2.0\ndef f(a, b): return (a * b).sum()")
    notebook.good("%%jit\ndef compiled(v): return v * scale")
    notebook.good(cell)
    if expected is None:
        assert np.allclose(notebook.ns["grad_x"], 2)
    else:
        assert np.allclose(notebook.ns["y"], expected)
    notebook.good("scale = 3.0")
    notebook.good(cell)
    if "scale" in cell:
        assert not np.allclose(notebook.ns["y"], expected)  # it reads what the notebook has now


def test_a_line_magic_within_a_cell_that_is_wrong(notebook):
    notebook.good(SETUP)
    ran = notebook("%%jit\ny = %grad x + 1")
    assert (type(ran.error).__name__, ran.message) == (
        "UsageError",
        "%grad: a call is needed, such as %grad f(x, y)",
    )
