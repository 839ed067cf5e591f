"""Functions with derivative rules of their own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import jaxlab as jax
import jaxlab.numpy as jnp
from jaxlab import lax

V = np.arange(1.0, 4.0, dtype=np.float32)


@jax.custom_jvp
def tripled(x: Any) -> Any:
    """Its rule says that its derivative is 10."""
    return 3 * x


@tripled.defjvp
def tripled_rule(primals: Any, tangents: Any) -> Any:
    return tripled(primals[0]), 10 * tangents[0]


@pytest.mark.parametrize(
    ("name", "derivative"),
    [
        ("grad", lambda: jax.grad(tripled)(1.0)),
        ("jvp", lambda: jax.jvp(tripled, (1.0,), (1.0,))[1]),
        ("linearize", lambda: jax.linearize(tripled, 1.0)[1](1.0)),
        ("jacfwd", lambda: jax.jacfwd(tripled)(1.0)),
        ("jacrev", lambda: jax.jacrev(tripled)(1.0)),
        ("grad of jit", lambda: jax.grad(jax.jit(tripled))(1.0)),
        ("jit of grad", lambda: jax.jit(jax.grad(tripled))(1.0)),
        ("vmap of grad", lambda: jax.vmap(jax.grad(tripled))(V)[0]),
        ("grad of vmap", lambda: jax.grad(lambda x: jax.vmap(tripled)(x).sum())(V)[0]),
        ("in a scan", lambda: jax.grad(lambda x: lax.scan(lambda c, _: (tripled(c), 0), x, None, 1)[0])(1.0)),
        ("in a branch", lambda: jax.grad(lambda x: lax.cond(True, tripled, jnp.sin, x))(1.0)),
        ("keyword", lambda: jax.grad(lambda x: tripled(x=x))(1.0)),
    ],
)
def test_the_rule_counts(name: str, derivative: Any) -> None:
    assert float(derivative()) == 10.0
    assert float(tripled(2.0)) == 6.0


def test_it_looks_like_the_function() -> None:
    assert tripled.__name__ == "tripled"
    assert tripled.__doc__ == "Its rule says that its derivative is 10."


def test_one_rule_an_argument() -> None:
    @jax.custom_jvp
    def f(x: Any, y: Any) -> Any:
        return x * y

    f.defjvps(lambda t, out, x, y: 2 * t, None)
    assert [float(g) for g in jax.grad(f, (0, 1))(3.0, 4.0)] == [2.0, 0.0]


def test_arguments_that_are_not_differentiated() -> None:
    def f(fun: Any, x: Any, n: int) -> Any:
        return fun(x) * n

    g = jax.custom_jvp(f, nondiff_argnums=(0, 2))

    @g.defjvp
    def rule(fun: Any, n: int, primals: Any, tangents: Any) -> Any:
        assert callable(fun) and type(n) is int
        return g(fun, primals[0], n), tangents[0] * 7 * n

    assert float(g(jnp.sin, 0.0, 2)) == 0.0
    assert float(jax.grad(lambda x: g(jnp.sin, x, 2))(0.0)) == 14.0
    assert float(jax.jit(jax.grad(lambda x: g(jnp.sin, x, 3)))(0.0)) == 21.0


def test_pytrees() -> None:
    @jax.custom_jvp
    def f(p: Any) -> Any:
        return {"y": p["a"] * p["b"][0]}

    @f.defjvp
    def rule(primals: Any, tangents: Any) -> Any:
        (p,), (t,) = primals, tangents
        return f(p), {"y": t["a"] + 100 * t["b"][0]}

    gradient = jax.grad(lambda p: f(p)["y"])({"a": 2.0, "b": [3.0]})
    assert (float(gradient["a"]), float(gradient["b"][0])) == (1.0, 100.0)


def test_second_derivatives_go_through_the_rule() -> None:
    @jax.custom_jvp
    def f(x: Any) -> Any:
        return x

    f.defjvps(lambda t, out, x: t * x * x)
    assert float(jax.grad(jax.grad(f))(3.0)) == 6.0


def test_closed_over_constants() -> None:
    scale = jnp.asarray(V)
    f = jax.custom_jvp(lambda x: x * scale)
    f.defjvps(lambda t, out, x: t * scale * 2)
    np.testing.assert_allclose(jax.jit(jax.grad(lambda x: f(x).sum()))(V), V * 2)


def test_a_value_being_differentiated_must_be_an_argument() -> None:
    def outer(x: Any) -> Any:
        f = jax.custom_jvp(lambda y: x * y)
        f.defjvps(lambda t, out, y: t)
        return f(2.0)

    with pytest.raises((TypeError, jax.errors.UnexpectedTracerError)):
        jax.jit(jax.grad(outer))(3.0)
