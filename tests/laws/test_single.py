"""Every transformation on every program, compiled: what each has to keep or to agree with."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import jaxlab as jax
import jaxlab.numpy as jnp
from jaxlab import tree
from jaxlab.core.typecheck import check_jaxpr

from .numpy_trace import run
from .programs import PROGRAMS, Program
from .transformations import along, direction, inner

REVERSE = [program for program in PROGRAMS if program.reverse]


def _name(program: Program) -> str:
    return program.name


def agree(found: Any, expected: Any, tolerance: float = 1e-12) -> None:
    """Fail unless two pytrees have one structure and close leaves of the same shapes and dtypes."""
    assert tree.structure(found) == tree.structure(expected)
    for a, b in zip(tree.leaves(found), tree.leaves(expected), strict=True):
        assert (np.shape(a), np.asarray(a).dtype) == (np.shape(b), np.asarray(b).dtype)
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("program", PROGRAMS, ids=_name)
def test_jit_is_the_function(program: Program) -> None:
    """Evaluated operation by operation, compiled as one, and by NumPy."""
    eager = program.fun(program.point)
    agree(jax.jit(program.fun)(program.point), eager)
    agree(run(program.fun, program.point), eager)


@pytest.mark.parametrize("axes", [(0, 0), (-1, -1), (0, 1)], ids=str)
@pytest.mark.parametrize("program", PROGRAMS, ids=_name)
def test_vmap_is_a_stack(program: Program, axes: tuple[int, int]) -> None:
    into, out_of = axes
    points = [tree.map(lambda x, s=s: x * s, program.point) for s in (1.0, 1.25)]
    rows = [run(program.fun, point) for point in points]
    if out_of == 1 and any(np.ndim(x) == 0 for x in tree.leaves(rows[0])):
        out_of = 0
    stacked = tree.map(lambda *xs: np.stack(xs, into), *points)
    found = run(jax.vmap(program.fun, into, out_of), stacked)
    agree(found, tree.map(lambda *xs: np.stack(xs, out_of), *rows))


@pytest.mark.parametrize("program", PROGRAMS, ids=_name)
def test_linearize_is_jvp(program: Program) -> None:
    """At the point where it was linearized, for several tangents, without running the function again."""
    value, push = jax.linearize(program.fun, program.point)
    for scale in (1.0, -2.0):
        tangent = tree.map(lambda d: d * scale, direction(program.point))
        out, expected = run(lambda p: jax.jvp(program.fun, (p,), (tangent,)), program.point)
        agree(push(tangent), expected)
        agree(value, out)


@pytest.mark.parametrize("program", [p for p in PROGRAMS if p.smooth], ids=_name)
def test_jvp_is_a_difference_quotient(program: Program) -> None:
    tangent = direction(program.point)
    found = run(lambda p: jax.jvp(program.fun, (p,), (tangent,))[1], program.point)
    agree(found, run(lambda p: along(program.fun, p, tangent, True), program.point), 1e-6)


@pytest.mark.parametrize("program", REVERSE, ids=_name)
def test_vjp_is_the_adjoint_of_jvp(program: Program) -> None:
    def products(p: Any) -> Any:
        tangent = direction(p)
        out, pushed = jax.jvp(program.fun, (p,), (tangent,))
        ct = tree.map(lambda y, d: jnp.asarray(d, y.dtype), out, direction(out))
        (pulled,) = jax.vjp(program.fun, p)[1](ct)
        return inner(ct, pushed), inner(pulled, tangent)

    agree(*run(products, program.point))


@pytest.mark.parametrize("program", REVERSE, ids=_name)
def test_gradient_runs_compiled(program: Program) -> None:
    """The forward and the backward pass as XLA runs them are what NumPy makes of them."""

    def gradient(p: Any) -> Any:
        return jax.grad(lambda p: inner(program.fun(p), direction(program.fun(p))))(p)

    agree(jax.jit(gradient)(program.point), run(gradient, program.point))


@pytest.mark.parametrize("program", PROGRAMS, ids=_name)
def test_jaxpr_is_well_typed(program: Program) -> None:
    check_jaxpr(jax.make_jaxpr(program.fun)(program.point))
    jax.jit(program.fun).trace(program.point).check()
