"""Every ordered pair of transformations, on every program, is one plain form after the other."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from jaxlab import tree

from .numpy_trace import run
from .programs import PROGRAMS, Program
from .transformations import TRANSFORMATIONS, Transformation, composed

BY_NAME = {program.name: program for program in PROGRAMS}
PAIRS = [(outer, inner) for outer in TRANSFORMATIONS for inner in TRANSFORMATIONS]


@functools.cache
def _plainly(name: str, forms: tuple[Callable[..., Any], ...]) -> Any:
    program = BY_NAME[name]
    fun = program.fun
    for form in forms:
        fun = form(fun, program.smooth)
    return run(fun, program.point)


def _name(x: object) -> str:
    return str(getattr(x, "name", x))


@pytest.mark.parametrize("program", PROGRAMS, ids=_name)
@pytest.mark.parametrize(("outer", "inner"), PAIRS, ids=_name)
def test_pair(outer: Transformation, inner: Transformation, program: Program) -> None:
    if not program.reverse and (outer.reverse or inner.reverse):
        pytest.skip("the program has no reverse mode")
    if outer.forward and inner.reverse_only:
        with pytest.raises(TypeError, match="forward mode"):
            run(outer.apply(inner.apply(program.fun)), program.point)
        return
    found = run(outer.apply(inner.apply(program.fun)), program.point)
    expected = _plainly(program.name, composed(outer, inner))
    assert tree.structure(found) == tree.structure(expected)
    for a, b in zip(tree.leaves(found), tree.leaves(expected), strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=2e-6)
