"""What control flow promises beyond its values, which the oracle tests compare with jax's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import jaxlab as jax
import jaxlab.numpy as jnp
from jaxlab import lax
from jaxlab.caching import stats
from jaxlab.core.jaxpr import Jaxpr, subjaxprs

W = np.array([[0.5, -0.2, 0.1], [0.3, 0.4, -0.6], [0.1, 0.2, 0.3]], np.float32)
XS = np.linspace(-1, 1, 12, dtype=np.float32).reshape(4, 3)


def recurrent(w: Any, xs: Any) -> Any:
    return lax.scan(lambda h, x: (jnp.tanh(w @ h + x), h.sum()), jnp.zeros(3), xs)


def unrolled(w: Any, xs: Any) -> Any:
    h, ys = jnp.zeros(3), []
    for i in range(xs.shape[0]):
        ys.append(h.sum())
        h = jnp.tanh(w @ h + xs[i])
    return h, jnp.stack(ys)


def loss(run: Any) -> Any:
    return lambda w, xs: sum(jnp.sum(y * y) for y in run(w, xs))


def equations(jaxpr: Jaxpr, name: str) -> list[Any]:
    found = [eqn for eqn in jaxpr.eqns if eqn.primitive.name == name]
    for eqn in jaxpr.eqns:
        for inner in subjaxprs(eqn.params):
            found += equations(inner, name)
    return found


def close(a: Any, b: Any, tolerance: float = 1e-5) -> None:
    for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        np.testing.assert_allclose(x, y, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("wrap", [lambda f: f, jax.jit], ids=["eager", "jit"])
def test_scan_is_its_loop(wrap: Any) -> None:
    close(wrap(recurrent)(W, XS), unrolled(W, XS))
    close(wrap(jax.grad(loss(recurrent), (0, 1)))(W, XS), jax.grad(loss(unrolled), (0, 1))(W, XS))


def test_scan_does_not_stack_what_no_step_changes() -> None:
    """The weights reach the backward loop once, not once a step."""
    jaxpr = jax.make_jaxpr(jax.grad(loss(recurrent)))(W, XS).jaxpr
    forward, backward = equations(jaxpr, "scan")
    stacked = [v.aval.shape for v in forward.outvars[forward.params["num_carry"] :]]
    assert (4, 3, 3) not in stacked
    assert (4, 3, 3) not in [v.aval.shape for v in backward.invars]
    assert (3, 3) in [v.aval.shape for v in backward.invars[: backward.params["num_consts"]]]


@pytest.mark.parametrize("length", [0, 1, 2])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("unroll", [1, 2, True])
def test_scan_lengths(length: int, reverse: bool, unroll: int) -> None:
    def f(c: Any, xs: Any) -> Any:
        return lax.scan(lambda c, x: (c * x, c + x), c, xs, reverse=reverse, unroll=unroll)

    xs = np.arange(2.0, 2.0 + length, dtype=np.float32)
    c, ys = np.float32(3), np.zeros(length, np.float32)
    for i in reversed(range(length)) if reverse else range(length):
        ys[i] = c + xs[i]
        c = c * xs[i]
    close(f(np.float32(3), xs), (c, ys))
    expected = np.prod(xs), np.zeros(length) if not length else 3 * np.prod(xs) / xs
    close(jax.grad(lambda c, xs: f(c, xs)[0], (0, 1))(np.float32(3), xs), expected)


def test_pytrees_go_through() -> None:
    def step(carry: Any, x: Any) -> Any:
        return {"n": carry["n"] + 1, "s": (carry["s"][0] + x["v"],)}, {"out": x["v"] * carry["n"]}

    carry, out = lax.scan(step, {"n": 0, "s": (0.0,)}, {"v": np.arange(3.0, dtype=np.float32), "none": None})
    assert int(carry["n"]) == 3 and float(carry["s"][0]) == 3.0
    close(out, {"out": np.array([0.0, 1.0, 4.0])})


def test_closures_over_tracers_are_operands() -> None:
    def f(x: Any) -> Any:
        a = lax.cond(x > 0, lambda: x * 2, lambda: x)
        b = lax.while_loop(lambda c: c < x * 4, lambda c: c * x, a)
        c, _ = lax.scan(lambda c, _: (c + x, None), b, None, length=2)
        return lax.fori_loop(0, 2, lambda i, c: c * x, c)

    def plain(x: Any) -> Any:
        b = x * 2
        while b < x * 4:
            b = b * x
        return (b + 2 * x) * x * x

    assert float(jax.jit(f)(3.0)) == plain(3.0)
    _, tangent = jax.jit(lambda x: jax.jvp(f, (x,), (1.0,)))(3.0)
    assert float(tangent) == pytest.approx((plain(3.001) - plain(2.999)) / 0.002, rel=1e-3)
    close(jax.vmap(f)(np.array([2.0, 3.0], np.float32)), np.array([plain(2.0), plain(3.0)]))


def test_nested_loops_and_branches() -> None:
    def f(x: Any) -> Any:
        def row(c: Any, i: Any) -> Any:
            inner = lax.fori_loop(0, 2, lambda j, c: lax.cond(c[0] > 0, jnp.sin, jnp.cos, c) * i, c)
            return inner, lax.map(lambda v: v * i, inner)

        return lax.scan(row, x, np.array([1.0, 2.0], np.float32))[1].sum()

    x = np.array([0.3, -0.4], np.float32)
    gradient = jax.jit(jax.grad(f))(x)
    for i in range(2):
        d = np.eye(2, dtype=np.float32)[i] * 1e-2
        assert float(gradient[i]) == pytest.approx((float(f(x + d)) - float(f(x - d))) / 2e-2, abs=2e-2)
    close(jax.vmap(jax.grad(f))(np.stack([x, x])), np.stack([gradient, gradient]))


def test_mapped_choice_is_safe_to_differentiate() -> None:
    """The branch that a slice does not take has an infinite derivative there."""

    def f(x: Any) -> Any:
        return lax.cond(x > 0, jnp.sqrt, lambda x: 2 * x, x)

    xs = np.array([0.0, 4.0], np.float32)
    close(jax.grad(lambda xs: jax.vmap(f)(xs).sum())(xs), np.array([2.0, 0.25]))
    close(jax.vmap(jax.grad(f))(xs), np.array([2.0, 0.25]))


def test_mapped_loops_stop_each_on_their_own() -> None:
    def collatz(n: Any) -> Any:
        def step(c: Any) -> Any:
            n, steps = c
            return jnp.where(n % 2 == 0, n // 2, 3 * n + 1), steps + 1

        return lax.while_loop(lambda c: c[0] != 1, step, (n, 0))[1]

    assert np.asarray(jax.vmap(collatz)(np.arange(1, 8))).tolist() == [0, 1, 7, 2, 5, 8, 16]
    nested = jax.vmap(jax.vmap(collatz))(np.arange(1, 7).reshape(2, 3))
    assert np.asarray(nested).tolist() == [[0, 1, 7], [2, 5, 8]]


def test_only_the_chosen_branch_runs() -> None:
    def endless() -> Any:
        return lax.while_loop(lambda c: True, lambda c: c, 0)

    assert int(jax.jit(lambda p: lax.cond(p, lambda: 1, endless))(True)) == 1


@pytest.mark.parametrize(
    "loop",
    [
        lambda x: lax.fori_loop(0, 3, body, x),
        lambda x: lax.scan(step, x, None, length=3)[0],
        lambda x: lax.while_loop(test, twice, x),
        lambda x: lax.cond(True, twice, test_free, x),
        lambda x: lax.map(twice, np.ones(3, np.float32)),
    ],
    ids=["fori_loop", "scan", "while_loop", "cond", "map"],
)
def test_a_loop_in_a_loop_of_python_is_compiled_once(loop: Any) -> None:
    loop(np.float32(1))
    before = {s.name: s.misses for s in stats() if s.name in ("control flow bodies", "programs")}
    for value in (2, 3):
        loop(np.float32(value))
    after = {s.name: s.misses for s in stats() if s.name in ("control flow bodies", "programs")}
    assert before == after and before


def body(i: Any, x: Any) -> Any:
    return x + i


def step(c: Any, _: Any) -> Any:
    return c + 1, None


def test(x: Any) -> Any:
    return x < 9


test.__test__ = False


def twice(x: Any) -> Any:
    return x * 2


def test_free(x: Any) -> Any:
    return x


test_free.__test__ = False


def test_disabled_jit_still_loops() -> None:
    with jax.disable_jit():
        assert float(lax.fori_loop(0, 3, lambda i, x: x + i, 1.0)) == 4.0
        assert float(lax.cond(True, jnp.sin, jnp.cos, 0.0) + lax.map(jnp.cos, np.zeros(2))[0]) == 1.0
