"""References in cells: an input that the cell reads and writes, and that a failed cell leaves as it was."""

from __future__ import annotations

import numpy as np
import pytest

SETUP = "import jaxlab\nfrom jaxlab import lax\nr = jaxlab.new_ref(jnp.arange(4.)); same = r; x = jnp.ones(4)"

TABLE = [
    # (cell, value of the reference, value of the cell)
    ("%%jit\nr[0] = 9.0\nr[1] + r[0]", [9, 1, 2, 3], 10),
    ("%%jit\nr[...] = x * 2\ny = r[...].sum()\ny", [2, 2, 2, 2], 8),
    ("%%jit\nfor i in range(3):\n    r[i] += 1.0\nNone", [1, 2, 3, 3], None),
    ("%%jit\nlax.fori_loop(0, 4, lambda i, c: (jaxlab.ref.set(r, i, 5.0), c)[1], 0)", [5, 5, 5, 5], 0),
    ("%%grad x\n(r[...] * x).sum()", [0, 1, 2, 3], [0, 1, 2, 3]),
    ("%%grad x\nr[...] = jaxlab.lax.stop_gradient(x)\n(x ** 2).sum()", [1, 1, 1, 1], [2, 2, 2, 2]),
    ("%%jit\n%%grad x\nr[0] = 7.0\n(r[...] * x).sum()", [7, 1, 2, 3], [7, 1, 2, 3]),
    ("%%vmap x\nr[...].sum() + x", [0, 1, 2, 3], [7, 7, 7, 7]),
]


@pytest.mark.parametrize(("cell", "reference", "value"), TABLE)
def test_cell(notebook, cell, reference, value):
    for _ in range(2):  # the second run takes the compiled program
        notebook.good(SETUP)
        ran = notebook.good(cell)
        assert notebook.ns["r"] is notebook.ns["same"]
        np.testing.assert_allclose(notebook.ns["r"][...], reference)
        if value is None:
            assert ran.value is None
        else:
            np.testing.assert_allclose(ran.value, value)


def test_runs_add_up(notebook):
    notebook.good(SETUP)
    cell = "%%jit\nr[0] += 1.0"
    runs = [notebook.good(cell).run for _ in range(3)]
    assert [run.outcome for run in runs] == ["compiled", "reused", "reused"]
    np.testing.assert_allclose(notebook.ns["r"][...], [3, 1, 2, 3])


@pytest.mark.parametrize(
    "cell",
    [
        "%%jit\nr[0] = 9.0\n1 / 0",
        "%%jit\nr[0] = 9.0\nr[9]",
        "%%grad x\nr[0] = 9.0\nr[...] = x\nx.sum()",
        "%%jit\nr[0] = 9.0\njaxlab.pure_callback(lambda v: 1 / 0, x[0], x[0])",
    ],
)
def test_a_failed_cell_leaves_it(notebook, cell):
    notebook.good(SETUP)
    assert notebook(cell).error is not None
    np.testing.assert_allclose(notebook.ns["r"][...], [0, 1, 2, 3])


def test_jaxpr_shows_it(notebook):
    notebook.good(SETUP)
    text = str(notebook.good("%%jaxpr\nr[0] = 9.0\nr[1:]").value)
    assert "Ref{f32[4]}" in text
    assert "[0] <- 9.0" in text
    np.testing.assert_allclose(notebook.ns["r"][...], [0, 1, 2, 3])


def test_stages_of_a_cell_with_a_reference(notebook):
    notebook.good(SETUP)
    run = notebook.good("%%stages\nr[0] = x[0] * 3").run
    assert run.program is not None
    np.testing.assert_allclose(notebook.ns["r"][...], [0, 1, 2, 3])


def test_bench_leaves_it(notebook):
    notebook.good(SETUP)
    notebook.good("%%bench\nr[0] = r[0] + x[0]")
    np.testing.assert_allclose(notebook.ns["r"][...], [0, 1, 2, 3])
