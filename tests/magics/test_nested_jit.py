"""Compiled functions and compiled cells in one another."""

from __future__ import annotations

import numpy as np
import pytest

SETUP = "x = jnp.arange(3.); scale = 2.0"
INNER = "%%jit\ndef inner(v): return v * scale"
OUTER = "%%jit\ndef outer(v): return inner(v) + inner(2 * v)"

CELLS = [
    ([INNER, OUTER], "y = outer(x)", [0, 6, 12]),
    ([INNER, OUTER], "%%jit\ny = outer(x)", [0, 6, 12]),
    ([INNER, OUTER], "%%jit\n%%grad x\nouter(x).sum()\n", None),
    ([INNER], "%%jit\n@jaxlab.jit\ndef local(v): return inner(v) + 1\ny = local(x)", [1, 3, 5]),
    ([], "%%jit\ny = jaxlab.jit(lambda v, n: v * n, static_argnums=1)(x, 3)", [0, 3, 6]),
    ([INNER], "%%jit\n%%vmap x\ny = jaxlab.jit(inner)(x)", [0, 2, 4]),
    ([], "%%jit\nf = jaxlab.jit(lambda v: v + x)\ny = f(1.0)", [1, 2, 3]),
]


@pytest.mark.parametrize(("defined", "cell", "wanted"), CELLS)
def test_values(notebook, defined, cell, wanted):
    for text in (SETUP, *defined, cell):
        notebook.good(text)
    if wanted is None:
        assert np.allclose(notebook.ns["grad_x"], 6)
    else:
        assert np.allclose(notebook.ns["y"], wanted)


def test_a_compiled_function_in_a_cell_is_one_equation(notebook):
    for text in (SETUP, INNER, "jaxpr = str(jaxlab.make_jaxpr(lambda v: inner(v) + 1)(x))"):
        notebook.good(text)
    assert notebook.ns["jaxpr"].count("jit[") == 1 and "name=inner" in notebook.ns["jaxpr"]


def test_in_a_long_session_too_all_that_is_read_is_found(notebook, monkeypatch):
    """The way from a compiled function to its shell leads past more objects than are looked at."""
    monkeypatch.setattr(notebook.shell, "session", [[i] for i in range(50_000)], raising=False)
    for text in (SETUP, INNER, OUTER, "y = outer(x)", "scale = 10.0", "y = outer(x)"):
        notebook.good(text)
    assert np.allclose(notebook.ns["y"], [0, 30, 60])


def test_what_an_inner_function_reads_reaches_the_outer_ones(notebook):
    for text in (SETUP, INNER, OUTER, "y = outer(x)", "scale = 10.0", "y = outer(x)"):
        notebook.good(text)
    assert np.allclose(notebook.ns["y"], [0, 30, 60])
    notebook.good("%%jit\ndef inner(v): return v + 1")
    notebook.good("y = outer(x)")
    assert np.allclose(notebook.ns["y"], [2, 5, 8])
