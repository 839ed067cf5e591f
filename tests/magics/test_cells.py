"""Cells, with the namespace before and after: table first."""

from __future__ import annotations

import numpy as np
import pytest

TABLE = [
    # (setup, cell, expected names and value under "")
    ("x = jnp.arange(3.)", "%%jit\ny = x * 2\ny.sum()", {"y": [0, 2, 4], "": 6}),
    ("x = np.arange(3.)", "%%jit\ny = x + 1", {"y": [1, 2, 3]}),
    ("x = 2.0", "%%jit\nx += 1\nx", {"x": 3, "": 3}),
    ("x = jnp.ones(3); n = 2", "%%jit\ny = x.reshape(1, 3); s = y.shape; m = n + 1; t = 'a' * m", {"s": (1, 3), "m": 3, "t": "aaa"}),
    ("x = jnp.ones(3)", "%%jit\ny = [i * v for i, v in enumerate(x)]\nlen(y)", {"y": [0, 1, 2], "i": None, "": 3}),
    ("x = jnp.ones(3)", "%%jit\nimport math\nfrom math import pi as p\ny = x * math.floor(p)", {"y": [3, 3, 3]}),
    ("x = jnp.ones(3)", "%%jit\nfor k in range(3):\n    x = x * 2\nelse:\n    done = True\nx", {"x": [8, 8, 8], "k": 2, "done": True, "": [8, 8, 8]}),
    ("x = jnp.ones(3)", "%%jit\nif (m := len(x)) > 2:\n    y = x + m\nwith np.errstate():\n    z = y\ntry:\n    q = 1 / 0\nexcept ZeroDivisionError as e:\n    q = -1", {"y": [4, 4, 4], "q": -1, "m": 3, "e": None}),
    ("x = jnp.ones(3)", "%%jit\ndef double(v, k=2):\n    return v * k\nclass P:\n    k = 3\ny = double(x) * P.k", {"y": [6, 6, 6]}),
    ("x = jnp.ones(3); junk = 1", "%%jit\ny = x\ndel junk, y", {"junk": None, "y": None}),
    ("p = {'w': jnp.ones(2), 'n': 3, 'name': 'net'}", "%%jit\nq = {**p, 'w': p['w'] * p['n']}\nq['name']", {"q": {"w": [3, 3], "n": 3, "name": "net"}, "": "net"}),
    ("p = {'w': jnp.ones(2)}; alias = p", "%%jit\np['w'] = p['w'] + 1\np['b'] = 2.5", {"p": {"w": [2, 2], "b": 2.5}, "alias": {"w": [2, 2], "b": 2.5}}),
    ("log = []; x = jnp.float32(2)", "%%jit\nlog.append(x * x)", {"log": [4]}),
    ("x = jnp.ones(3)", "%%jit\nfrom math import *\ny = x * floor(pi)", {"y": [3, 3, 3]}),
    ("x = jnp.arange(4.)", "%%grad x\n(x ** 2).sum()", {"grad_x": [0, 2, 4, 6], "": [0, 2, 4, 6]}),
    ("x = jnp.arange(3.)", "%%jit\n%%grad x --value\nloss = (x ** 2).sum()\nloss", {"grad_x": [0, 2, 4], "loss": 5, "": 5}),
    ("x = jnp.arange(3.)", "%%value_and_grad x --of a\na = (x ** 2).sum()\nb = 3", {"grad_x": [0, 2, 4], "a": 5, "b": 3, "": (5, [0, 2, 4])}),
    ("W = jnp.ones(2); b = jnp.float32(1)", "%%grad W b\n(W * 3 + b).sum()", {"grad_W": [3, 3], "grad_b": 2, "": ([3, 3], 2)}),
    ("p = {'w': jnp.ones(2), 'n': 3}", "%%grad p\n(p['w'] * p['n']).sum()", {"grad_p": {"w": [3, 3], "n": 3}}),
    ("x = jnp.arange(3.); w = 2.0", "%%vmap x\ny = x * w\ny + 1", {"y": [0, 2, 4], "": [1, 3, 5]}),
    ("x = jnp.ones((2, 3)); w = jnp.arange(3.)", "%%vmap x:1 w:0 --out 0\nx * w", {"": [[0, 0], [1, 1], [2, 2]]}),
    ("x = jnp.ones((2, 3)); w = jnp.arange(3.)", "%%vmap x:1 w:0 --out 1\nx * w", {"": [[0, 1, 2], [0, 1, 2]]}),
    ("w = 2.0", "%%vmap --size 3\nw * 2", {"": [4, 4, 4]}),
    ("x = jnp.arange(3.)", "%%jit\n%%vmap x --axis-name i\ny = jaxlab.lax.psum(x, 'i')\njaxlab.lax.axis_index('i')", {"y": [3, 3, 3], "": [0, 1, 2]}),
    ("x = jnp.ones((2, 3))", "%%vmap x --axis-name rows\n%%vmap x --axis-name columns\njaxlab.lax.psum(x, 'rows') + 10 * jaxlab.lax.psum(x, 'columns')", {"": [[32] * 3] * 2}),
    ("x = jnp.arange(3.)", "%%jit\n%%vmap x\n%%grad x\nx ** 3", {"grad_x": [0, 3, 12]}),
    ("x = jnp.arange(3.); dx = jnp.ones(3)", "%%jvp x=dx\n(x ** 2).sum()", {"": (5, 6)}),
    ("x = jnp.arange(2.)", "%%jacfwd x\nx ** 2", {"jacfwd_x": [[0, 0], [0, 2]]}),
    ("x = jnp.arange(2.)", "%%jacrev x\nx ** 2", {"jacrev_x": [[0, 0], [0, 2]]}),
    ("x = jnp.arange(2.)", "%%hessian x\n(x ** 3).sum()", {"hessian_x": [[0, 0], [0, 6]]}),
    ("x = jnp.arange(2.)", "%%hessian x\nx ** 3", {"hessian_x": [[[0, 0], [0, 0]], [[0, 0], [0, 6]]]}),
    ("x = jnp.arange(2.); k = jnp.ones(2)", "%%jit\n%%hessian x\n%%vmap k\n(x ** 3).sum() * k", {"hessian_x": [[[0, 0], [0, 6]]] * 2}),
    ("x = jnp.arange(2.)", "%%jit --donate x\nx = x + 1", {"x": [1, 2]}),
    ("x = jnp.ones(2); n = 3", "%%jit --traced n\ny = x * n", {"y": [3, 3]}),
    ("from functools import partial\nx = jnp.ones(2)", "%%jit\nh = x * 2\ng = partial(jnp.add, h)\nf = (lambda v: lambda u: u + v)(h)", {"h": [2, 2]}),
]  # fmt: skip


def same(value, expected):
    if isinstance(expected, dict):
        return (
            isinstance(value, dict)
            and value.keys() == expected.keys()
            and all(same(value[k], expected[k]) for k in expected)
        )
    if isinstance(expected, tuple) and isinstance(value, tuple):
        return len(value) == len(expected) and all(map(same, value, expected))
    if isinstance(expected, str | bool):
        return value == expected
    return np.allclose(np.asarray(value), np.asarray(expected))


@pytest.mark.parametrize(("setup", "cell", "expected"), TABLE)
def test_cell(notebook, setup, cell, expected):
    for again in (False, True):
        notebook.good(setup)
        before = set(notebook.ns)
        ran = notebook.good(cell)
        for name, value in expected.items():
            if name == "":
                assert same(ran.value, value), ran.value
            elif value is None:
                assert name not in notebook.ns, name
            else:
                assert same(notebook.ns[name], value), (name, notebook.ns[name])
        assert "Traced<" not in repr(notebook.ns)
        assert ran.run.kind == "cell"
        if cell.startswith("%%jit"):
            assert ran.run.outcome == ("reused" if again else "compiled"), ran.run.reason
        assert {n for n in notebook.ns if n.startswith("_jaxlab")} == set()
        assert before - set(notebook.ns) == {n for n, v in expected.items() if v is None and n in before}
