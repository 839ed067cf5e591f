"""What nobody reads is not computed, in loops and branches either, and reverse mode keeps only what it needs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import jaxlab as jax
import jaxlab.numpy as jnp
from jaxlab import lax
from jaxlab.core.jaxpr import Jaxpr, dce, subjaxprs

XS = np.linspace(-1, 1, 12, dtype=np.float32).reshape(4, 3)
C = np.array([0.1, -0.2, 0.3], np.float32)


def equations(jaxpr: Jaxpr, name: str) -> list[Any]:
    found = [eqn for eqn in jaxpr.eqns if eqn.primitive.name == name]
    for eqn in jaxpr.eqns:
        for inner in subjaxprs(eqn.params):
            found += equations(inner, name)
    return found


def pruned(fun: Callable[..., Any], *args: Any, used: list[bool] | None = None) -> Jaxpr:
    jaxpr = jax.make_jaxpr(fun)(*args).jaxpr
    return dce(jaxpr, used or [True] * len(jaxpr.outvars))[0]


def residuals(fun: Callable[..., Any], *args: Any) -> int:
    """How many bytes the stacks have that the gradient's last loop, the one backwards, goes over or gets whole."""
    backward = equations(jax.make_jaxpr(jax.grad(fun))(*args).jaxpr, "scan")[-1]
    return sum(v.aval.nbytes for v in backward.invars)


def test_scan_loses_carries_outputs_and_inputs_that_nobody_reads() -> None:
    def f(c: Any, xs: Any, ys: Any) -> Any:
        def step(carry: Any, slices: Any) -> Any:
            a, b, n = carry
            x, y = slices
            return (jnp.sin(a) * x, jnp.cos(b) * y, n + 1), (a, b)

        (a, _, _), (ys_a, _) = lax.scan(step, (c, c, 0), (xs, ys))
        return a, ys_a

    (scan,) = equations(pruned(f, C, XS, XS), "scan")
    assert scan.params["num_carry"] == 1
    assert len(scan.invars) == 2 and len(scan.outvars) == 2
    assert not equations(scan.params["jaxpr"].jaxpr, "cos")
    (scan,) = equations(pruned(f, C, XS, XS, used=[True, False]), "scan")
    assert len(scan.outvars) == 1


def test_a_carry_that_another_one_needs_stays() -> None:
    def f(c: Any) -> Any:
        return lax.scan(lambda s, _: ((s[0] + s[1], s[1] * 2, s[2] + s[0]), None), (c, c, c), None, length=3)[
            0
        ][0]

    (scan,) = equations(pruned(f, C), "scan")
    assert scan.params["num_carry"] == 2


def test_while_loses_carries_that_neither_the_condition_nor_the_result_needs() -> None:
    def f(c: Any) -> Any:
        return lax.while_loop(
            lambda s: s[0] < 9, lambda s: (s[0] + 1, jnp.sin(s[1]), s[2] * s[0]), (0, c, c)
        )[2]

    (loop,) = equations(pruned(f, C), "while")
    assert len(loop.outvars) == 2
    assert not equations(loop.params["body_jaxpr"].jaxpr, "sin")


def test_branches_lose_results_and_operands() -> None:
    def f(p: Any, x: Any, y: Any) -> Any:
        return lax.cond(p, lambda x, y: (jnp.sin(x), jnp.exp(y)), lambda x, y: (jnp.cos(x), y * 2), x, y)[0]

    (cond,) = equations(pruned(f, True, C, C), "cond")
    assert len(cond.outvars) == 1 and len(cond.invars) == 2
    assert all(len(branch.jaxpr.eqns) == 1 for branch in cond.params["branches"])


def test_dead_code_is_found_through_calls_and_nested_loops() -> None:
    @jax.jit
    def step(carry: Any, x: Any) -> Any:
        a, b = carry
        return (a * x, lax.fori_loop(0, 3, lambda i, b: jnp.sin(b), b)), None

    def f(c: Any, xs: Any) -> Any:
        return lax.scan(step, (c, c), xs)[0][0]

    assert len(equations(jax.make_jaxpr(f)(C, XS).jaxpr, "sin")) == 1
    assert not equations(pruned(f, C, XS), "sin")
    # The program is compiled without it.
    assert "sine" not in jax.jit(f).lower(C, XS).as_text()
    np.testing.assert_allclose(jax.jit(f)(C, XS), C * np.prod(XS, axis=0), rtol=1e-5)


def test_effects_stay() -> None:
    seen: list[int] = []

    @jax.jit
    def f(x: Any) -> Any:
        def step(c: Any, i: Any) -> Any:
            jax.debug.callback(lambda i: seen.append(int(i)), i, ordered=True)
            return c + 1, None

        lax.scan(step, 0, np.arange(3))
        return x

    assert float(f(1.0)) == 1.0
    jax.effects_barrier()
    assert seen == [0, 1, 2]


def test_a_residual_that_is_an_input_is_not_copied() -> None:
    """The way back needs the inputs of a product: it reads them where they are."""

    def f(c: Any, xs: Any) -> Any:
        return lax.scan(lambda c, x: (c * x, None), c, xs)[0].sum()

    forward, backward = equations(jax.make_jaxpr(jax.grad(f))(C, XS).jaxpr, "scan")
    assert len(forward.outvars) == 1
    assert residuals(f, C, XS) == XS.nbytes + C.nbytes  # the inputs, and the cotangent of the carry
    assert backward.params["reverse"]


def test_a_residual_that_no_step_changes_is_computed_once() -> None:
    def f(w: Any, xs: Any) -> Any:
        return lax.scan(lambda c, x: (jnp.exp(w).sum() * c + x, None), xs[0], xs)[0].sum()

    forward, backward = equations(jax.make_jaxpr(jax.grad(f))(np.ones((3, 3), np.float32), XS).jaxpr, "scan")
    stacks = forward.outvars[forward.params["num_carry"] :]
    assert all(v.aval.shape != (4, 3, 3) for v in stacks)
    assert not equations(forward.params["jaxpr"].jaxpr, "exp")
    assert not any(v.aval.shape == (4, 3, 3) for v in backward.invars)


def test_no_zeros_are_stacked_for_outputs_that_nobody_differentiates() -> None:
    def f(c: Any, xs: Any) -> Any:
        return lax.scan(lambda c, x: (jnp.sin(c) * x, c * x), c, xs)[0].sum()

    jaxpr = jax.make_jaxpr(jax.grad(f))(C, XS).jaxpr
    backward = equations(jaxpr, "scan")[-1]
    zeros = [v for eqn in equations(jaxpr, "broadcast_in_dim") for v in eqn.outvars if v.aval.shape == (4, 3)]
    assert not set(zeros) & set(backward.invars)


def test_an_output_that_is_saved_too_is_stacked_once() -> None:
    def f(w: Any, xs: Any) -> Any:
        return lax.scan(lambda h, x: ((y := jnp.tanh(w @ h + x)), y), xs[0], xs)[1].sum()

    w = np.eye(3, dtype=np.float32)
    forward = equations(jax.make_jaxpr(jax.grad(f))(w, XS).jaxpr, "scan")[0]
    body = forward.params["jaxpr"].jaxpr
    rows = body.outvars[forward.params["num_carry"] :]
    assert len(set(rows)) < len(rows)
    loop = jax.jit(jax.grad(f)).lower(w, XS).as_text().split("stablehlo.while")[1]
    assert loop.count("dynamic_update_slice") == len(set(rows))


@pytest.mark.parametrize("reverse", [False, True])
def test_gradients_are_those_of_the_loop_of_python(reverse: bool) -> None:
    def step(carry: Any, x: Any) -> Any:
        a, b = carry
        return (jnp.sin(a) * x + b, b), (a * b, x)

    def scanned(c: Any, xs: Any) -> Any:
        (a, _), (ys, same) = lax.scan(step, (c, c), xs, reverse=reverse)
        return (a * ys.sum(0)).sum() + (same * xs).sum()

    def looped(c: Any, xs: Any) -> Any:
        carry, ys = (c, c), 0.0
        for i in reversed(range(4)) if reverse else range(4):
            carry, (y, _) = step(carry, xs[i])
            ys = ys + y
        return (carry[0] * ys).sum() + (xs * xs).sum()

    for ours, plain in zip(jax.grad(scanned, (0, 1))(C, XS), jax.grad(looped, (0, 1))(C, XS), strict=True):
        np.testing.assert_allclose(ours, plain, rtol=1e-5, atol=1e-6)
