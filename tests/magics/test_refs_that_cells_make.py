"""Mutable arrays that cells make, return, pass on and read through functions."""

from __future__ import annotations

import numpy as np
import pytest

SETUP = "count = jaxlab.new_ref(jnp.zeros(())); row = jaxlab.new_ref(jnp.zeros(3)); x = jnp.arange(3.)"
CELLS = [
    # (a cell, an expression, its value after the first run, and after the second)
    ("%%jit\ncount[...] += 1", "count[...]", 1, 2),
    ("count[...] += 1", "count[...]", 1, 2),
    ("%%checkpoint\ncount[...] += 1", "count[...]", 1, 2),
    ("%%jit\nrow[1] = count[...] + 5.0\ncount[...] += 1", "row[...]", [0, 5, 0], [0, 6, 0]),
    ("%%jit\n%%vmap x row\nrow[...] += x", "row[...]", [0, 1, 2], [0, 2, 4]),
    ("%%jit\n%%grad x\ncount[...] += 1\n(x * x).sum()", "count[...] + grad_x", [1, 3, 5], [2, 4, 6]),
    ("%%jit\nlax.fori_loop(0, 3, lambda i, _: row.__setitem__(i, x[i] + row[i]), None)", "row[...]", [0, 1, 2], [0, 2, 4]),
    ("%%jit\nstate = {'n': count, 'k': 2}\nstate['n'][...] += state['k']", "count[...] if state['n'] is count else None", 2, 4),
    ("%%jit\nmade = jaxlab.new_ref(x)\nmade[0] = 5.0", "made[...]", [5, 1, 2], [5, 1, 2]),
    ("%%grad x --value\nmade = jaxlab.new_ref(x)\nmade[0] = 5.0\n(made[...] * x).sum()", "made[...]", [5, 1, 2], [5, 1, 2]),
]  # fmt: skip


@pytest.mark.parametrize(("cell", "expression", "first", "second"), CELLS)
def test_what_a_cell_writes_stays(notebook, cell, expression, first, second):
    notebook.good(SETUP + "; from jaxlab import lax")
    for expected in (first, second):
        ran = notebook.good(cell)
        assert np.allclose(notebook.good(expression).value, expected)
    if cell.startswith("%%jit"):
        assert ran.run.outcome == "reused"


def test_the_value_of_a_cell_may_be_a_reference(notebook):
    notebook.good(SETUP)
    for expected in (1, 2):
        assert notebook.good("%%jit\ncount[...] += 1\ncount").value is notebook.ns["count"]
        assert notebook.ns["count"][...] == expected
    made = notebook.good("%%jit\nmade = jaxlab.new_ref(x)\nmade").value
    assert repr(made) == "Ref([0., 1., 2.], dtype=float32)"


@pytest.mark.parametrize("magic", ["%%jit", "%%checkpoint"])
def test_a_failed_cell_leaves_references_as_they_were(notebook, magic):
    notebook.good(SETUP)
    ran = notebook(f"{magic}\ncount[...] += 1\nrow[...] = x\nx[7:9] + jnp.ones(4)")
    assert ran.error is not None
    assert notebook.ns["count"][...] == 0
    assert np.array_equal(notebook.ns["row"][...], np.zeros(3))


def test_a_compiled_function_writes_to_the_notebooks_reference(notebook):
    notebook.good(SETUP)
    notebook.good("%%jit\ndef more(v):\n    count[...] += v\n    return count[...]")
    assert notebook.good("more(1.0), more(2.0)").value == (1, 3)
    assert notebook.good("%%jit\nmore(x[2])").value == 5
    notebook.good("count = jaxlab.new_ref(jnp.ones(()))")
    assert notebook.good("more(1.0)").value == 2


def test_inputs_name_the_type_of_a_reference(notebook):
    notebook.good(SETUP)
    ran = notebook.good("%%jit\ncount[...] += x.sum()")
    assert [(i.name, i.type, i.why) for i in ran.run.inputs if i.name == "count"] == [
        ("count", "Ref{f32[]}", "a reference is traced")
    ]
