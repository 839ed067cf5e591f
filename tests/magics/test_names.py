"""Which names a cell reads, assigns and deletes, by its text alone."""

from __future__ import annotations

import ast

import pytest

from jaxlab.magics.fingerprint import fingerprint
from jaxlab.magics.namespace import lent, write_back
from jaxlab.magics.reads import names_of

TABLE = [
    # (cell, reads, writes, deletes)
    ("y = x", "x", "y", ""),
    ("x += 1", "x", "x", ""),
    ("x = 1\ny = x", "", "x y", ""),
    ("x[0] = v", "v x", "", ""),
    ("a.b = v", "v a", "", ""),
    ("if c:\n    y = 1\nz = y", "c y", "y z", ""),
    ("if c:\n    y = 1\nelse:\n    y = 2\nz = y", "c", "y z", ""),
    ("for i in r:\n    t = i\nu = t", "r t", "i t u", ""),
    ("while c:\n    c = f(c)", "c f", "c", ""),
    ("with o() as h:\n    y = h", "o", "h y", ""),
    ("try:\n    y = f()\nexcept E as e:\n    y = e\nz = y", "f E", "y z", ""),
    ("try:\n    y = 1\nfinally:\n    z = 2\nw = y + z", "", "y z w", ""),
    ("[i * k for i in xs if i > j]", "xs j k", "", ""),
    ("{k: (n := v) for k, v in d}\nn", "d n", "n", ""),
    ("def f(a, b=c): return a + d\n", "c", "f", ""),
    ("def f(a): return a + d\nd = 1\nf(d)", "", "f d", ""),
    ("def f(a): return a + d\nf(1)\nd = 1", "d", "f d", ""),
    ("@deco\ndef f(): return f2()\ndef f2(): return W\nf()", "deco W", "f f2", ""),
    ("g = lambda v: v + W", "W", "g", ""),
    ("class A(B):\n    k = c\n    def m(self): return W", "B c W", "A", ""),
    ("import a.b, c as d\nfrom e import f as g\na.b(d, g)", "", "a d g", ""),
    ("from math import *\nfloor(x)", "floor x", "", ""),
    ("del x", "x", "", "x"),
    ("y = 1\ndel y", "", "", "y"),
    ("a, (b, *c) = x", "x", "a b c", ""),
    ("match x:\n    case [p, *q]: y = p\n    case {'k': v, **r}: y = v\n    case C(z=w): y = w", "x C", "p q y r v w", ""),
    ("y: int = x", "x", "y", ""),
    ("(y := x) + y", "x", "y", ""),
    ("f'{x:{w}}'", "x w", "", ""),
    ("global g\ng = x", "x", "g", ""),
]  # fmt: skip


@pytest.mark.parametrize(("cell", "reads", "writes", "deletes"), TABLE)
def test_names(cell, reads, writes, deletes):
    found = names_of(ast.parse(cell))
    assert set(found.reads) == set(reads.split())
    assert found.writes == writes.split()
    assert found.deletes == deletes.split()


def test_the_namespace_comes_back_after_any_end():
    space = {"x": 1, "y": 2}
    for error in (ValueError, KeyboardInterrupt, SystemExit, GeneratorExit):
        with pytest.raises(error), lent(space, {"x": 3}):
            del space["y"]
            space["z"] = 0
            raise error
        assert space == {"x": 1, "y": 2}


def test_containers_are_changed_in_place():
    inner = {"b": 1}
    outer = {"a": inner, "c": [1, 2, 3]}
    kept = outer["c"]
    assert write_back(outer, {"a": {"b": 2}, "c": [4]}) is outer
    assert (inner, kept, outer["a"] is inner, outer["c"] is kept) == ({"b": 2}, [4], True, True)


def make(code):
    space = {"__name__": "__main__"}
    exec(code, space)
    return space["v"]


SAME = [
    ("def v(a): return a + 1", "def v(a): return a + 1", True),
    ("def v(a): return a + 1", "def v(a): return a + 2", False),
    ("def v(a, b=1): return a", "def v(a, b=2): return a", False),
    ("def m(k): return lambda: k\nv = m(1)", "def m(k): return lambda: k\nv = m(2)", False),
    ("v = 1", "v = True", False),
    ("v = float('nan')", "v = float('nan')", True),
    ("v = {1: [2, (3,)]}", "v = {1: [2, (3,)]}", True),
    ("v = {1, 2}", "v = {2, 1}", True),
    ("class C: k = 1\nv = C()", "class C: k = 1\nv = C()", True),
    ("class C: k = 1\nv = C()", "class C: k = 2\nv = C()", False),
    ("class C: pass\nv = C(); v.k = 1", "class C: pass\nv = C(); v.k = 2", False),
    ("import numpy as np; v = np.arange(3)", "import numpy as np; v = np.arange(3)", True),
    ("import numpy as np; v = np.arange(3)", "import numpy as np; v = np.arange(4)", False),
    ("class C:\n    __hash__ = None\n    def __eq__(self, o): raise ValueError\nv = C()", "v = 1", False),
    ("v = []; v.append(v)", "v = 1", False),
]  # fmt: skip


@pytest.mark.parametrize(("first", "second", "same"), SAME)
def test_fingerprints(first, second, same):
    assert (fingerprint(make(first)) == fingerprint(make(second))) is same
