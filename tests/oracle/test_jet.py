"""Taylor mode: series as jax's jet gives them, and as nested jvp gives them, for what jax's jet does not know."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from jax_process import assert_agrees

import jaxlab as jax
import jaxlab.numpy as jnp
from jaxlab import lax, nn
from jaxlab.core.jaxpr import subjaxprs
from jaxlab.experimental.jet import jet

_ONE = "((f32(3, seed=1), f32(3, seed=2), f32(3, seed=3), f32(3, seed=4)),)"

TABLE = [
    *[
        f"jet.jet({f}, (f32(3, low=0.3, high=0.8),), {_ONE})"
        for f in (
            "jnp.sin",
            "jnp.cos",
            "jnp.sinh",
            "jnp.cosh",
            "jnp.tanh",
            "jnp.exp",
            "jnp.expm1",
            "jnp.log",
            "jnp.log1p",
            "jnp.sqrt",
            "lax.rsqrt",
            "lax.square",
            "jnp.arcsinh",
            "jnp.arctanh",
            "lambda x: jnp.arccosh(x + 1)",
            "lax.erf",
            "lax.erfc",
            "nn.sigmoid",
            "nn.silu",
            "lax.logistic",
            "jnp.abs",
            "jnp.sign",
            "jnp.floor",
            "lambda x: jnp.round(x)",
            "lambda x: -x",
            "lambda x: x ** 2",
            "lambda x: x ** 3",
            "lambda x: x ** 7",
            "lambda x: x ** -2",
            "lambda x: x ** 0",
            "lambda x: x ** np.float32(2.5)",
            "lambda x: 2.0 ** x",
            "lambda x: x ** x",
            "lambda x: 1 / x",
            "lambda x: x / (1 + x * x)",
            "lambda x: jnp.arctan2(x, 1 + x)",
            "lambda x: jnp.maximum(x, 0.5)",
            "lambda x: jnp.minimum(x, 0.5 * x)",
            "lambda x: jnp.where(x > 0.5, jnp.sin(x), x * x)",
            "lambda x: x.sum()",
            "lambda x: x.mean()",
            "lambda x: x.max()",
            "lambda x: x.min()",
            "lambda x: jnp.var(x)",
            "lambda x: jnp.cumsum(x)",
            "lambda x: jnp.dot(x, x)",
            "lambda x: x[:, None] @ x[None]",
            "lambda x: jnp.ones((2, 3)) @ x",
            "lambda x: x[::-1]",
            "lambda x: x[1:]",
            "lambda x: x.reshape(3, 1).T",
            "lambda x: jnp.concatenate([x, x * x])",
            "lambda x: jnp.concatenate([x, jnp.ones(2)])",
            "lambda x: jnp.stack([x, x * x])",
            "lambda x: jnp.pad(x, 1)",
            "lambda x: x[jnp.array([2, 0])]",
            "lambda x: lax.dynamic_slice(x, (1,), (2,)) * 2",
            "lambda x: x.astype(jnp.float16).astype(jnp.float32) * 0 + x",
            "lambda x: nn.softmax(x)",
            "lambda x: jnp.float32(3)",
            "lambda x: x",
            "lambda x: (x, {'y': jnp.sin(x), 'z': 2.0 * jnp.ones(3)})",
            "lambda x: lax.stop_gradient(x) * x",
            "jax.jit(lambda x: jnp.sin(x) * x)",
            "jax.jit(jax.jit(lambda x: (jnp.exp(x), x)))",
            "lambda x: jax.jit(lambda y: y * x)(jnp.sin(x))",
            "lambda x: jnp.tanh(jnp.tanh(jnp.ones((3, 3)) @ x))",
            "lambda x: sum(x ** k for k in range(1, 5))",
        )
    ],
    "jet.jet(lambda x, y: x * jnp.exp(y), (f32(2), f32(2, seed=1)), ((f32(2), f32(2)), (f32(2), f32(2))))",
    "jet.jet(lambda x, y: x @ y, (f32(2, 2), f32(2, 2)), ((f32(2, 2),), (f32(2, 2, seed=1),)))",
    "jet.jet(jnp.sin, (f32(2),), ((f32(2), f32(2)),), factorial_scaled=False)",
    "jet.jet(jnp.sin, [f32(2)], [[f32(2)]])",
    "jet.jet(jnp.sin, (1.0,), ((2.0, 3.0),))",
    "jet.jet(jnp.sin, (f32(2),), ((),))",
    "jet.jet(lambda x, y: x, (1.0, 2.0), ((1.0,), (1.0, 2.0)))",
    "jet.jet(lambda: 1.0, (), ())",
    "jet.jet(lambda x: x[0], ((1.0, 2.0),), (((1.0, 2.0),),))",
    "jet.jet(lambda x: x, (1.0,), (((1.0, 2.0),),))",
    "jax.jit(lambda x: jet.jet(jnp.sin, (x,), ((x, x),)))(f32(2))",
    "jax.vmap(lambda x: jet.jet(jnp.sin, (x,), ((x, x),))[1][1])(f32(2))",
    "jax.grad(lambda x: jet.jet(jnp.sin, (x,), ((x, x),))[1][1])(np.float32(2))",
    "jet.jet(lambda x: jet.jet(jnp.sin, (x,), ((x, x),))[1][1], (f32(2),), ((f32(2), f32(2)),))",
]


@pytest.mark.parametrize("expression", TABLE)
def test_same_as_jax(expression: str) -> None:
    assert_agrees(expression, TABLE, rtol=2e-4, atol=2e-3)


@pytest.fixture
def wide() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


X = np.array([0.31, 0.57, 0.74])

# Programs beyond the primitives of jax's jet, and higher orders of others.
PROGRAMS: dict[str, Callable[[Any], Any]] = {
    "tan": jnp.tan,
    "arctan": jnp.arctan,
    "arcsin": jnp.arcsin,
    "arccos": jnp.arccos,
    "cbrt": jnp.cbrt,
    "exp2": jnp.exp2,
    "lgamma": lambda x: lax.lgamma(x + 1),
    "digamma": lambda x: lax.digamma(x + 1),
    "erf_inv": lax.erf_inv,
    "prod": lambda x: x.prod(),
    "cumprod": jnp.cumprod,
    "cummax": lambda x: lax.cummax(jnp.sin(x)),
    "cumlogsumexp": lax.cumlogsumexp,
    "sort": lambda x: jnp.sort(-jnp.sin(x)),
    "gelu": nn.gelu,
    "softplus": nn.softplus,
    "relu": lambda x: nn.relu(x - 0.5),
    "clip": lambda x: jnp.clip(x, 0.4, 0.6),
    "logsumexp": lambda x: nn.logsumexp(x * x),
    "norm": jnp.linalg.norm,
    "checkpoint": jax.checkpoint(lambda x: jnp.sin(jnp.sin(x))),
    "scan": lambda x: lax.scan(lambda c, a: (jnp.sin(c) * a, c * a), x[0], x),
    "scan reversed": lambda x: lax.scan(lambda c, a: (c + a * a, jnp.exp(c)), 1.0, x, reverse=True),
    "scan of constants": lambda x: lax.scan(lambda c, _: (c * jnp.cos(x), None), jnp.ones(3), None, length=4)[
        0
    ],
    "cond": lambda x: lax.cond(x[0] > 0, lambda y: jnp.sin(y) * y, jnp.cos, x),
    "cond with a constant branch": lambda x: lax.cond(x[0] > 9, jnp.ones_like, jnp.cos, x),
    "fori_loop": lambda x: lax.fori_loop(0, 3, lambda i, c: jnp.sin(c) * x, x),
    "while_loop": lambda x: lax.while_loop(
        lambda c: c[0] < 2, lambda c: (c[0] + 1, c[1] * jnp.sin(x)), (0, x)
    )[1],
    "map": lambda x: lax.map(lambda a: jnp.sin(a) * a, x),
    "vmap": jax.vmap(lambda a: jnp.sin(a) * a),
    "grad": jax.grad(lambda x: jnp.sin(x).prod()),
    "convolution": lambda x: jnp.convolve(x, jnp.sin(x)),
    "scatter": lambda x: jnp.ones(4).at[1].set(x[0] * x[1]).at[2].add(x[2]),
    "fast growth": lambda x: jnp.exp(jnp.exp(x)),
    "long": lambda x: [x := jnp.sin(x) + 0.1 * x for _ in range(60)][-1],
}


def by_nested_jvp(f: Callable[[Any], Any], x: Any, terms: list[Any]) -> list[Any]:
    """The derivatives along the curve, one forward mode inside another."""
    powers = [np.prod(np.arange(1, k + 2), dtype=float) for k in range(len(terms))]

    def curve(t: Any) -> Any:
        return f(x + sum(c * t ** (k + 1) / p for k, (c, p) in enumerate(zip(terms, powers, strict=True))))

    found = []
    for _ in terms:
        inner = curve

        def curve(t: Any, inner: Any = inner) -> Any:
            return jax.jvp(inner, (t,), (1.0,))[1]

        found.append(curve(0.0))
    return found


@pytest.mark.parametrize("name", PROGRAMS)
def test_same_as_nested_jvp(name: str, wide: None) -> None:
    f = PROGRAMS[name]
    terms = [np.cos(X * k) for k in range(1, 5)]
    value, series = jet(f, (X,), (terms,))
    expected = by_nested_jvp(f, X, terms)
    for a, b in zip(jax.tree.leaves(value), jax.tree.leaves(f(X)), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)
    columns = jax.tree.structure(value).flatten_up_to(series)
    for i, column in enumerate(columns):
        for k, found in enumerate(column):
            np.testing.assert_allclose(
                found, jax.tree.leaves(expected[k])[i], rtol=1e-8, atol=1e-9, err_msg=f"order {k + 1}"
            )


@pytest.mark.parametrize(
    "f",
    [
        lambda x: jnp.sin(jnp.exp(jnp.tanh(x)) ** 2.5),
        jax.jit(lambda x: jnp.sin(x) / x),
        lambda x: lax.scan(lambda c, _: (jnp.sin(c) * x, c), x, None, length=3),
        lambda x: lax.while_loop(lambda c: c < 9, lambda c: c * jnp.exp(x), x),
        lambda x: lax.cond(x > 0, jnp.sin, jnp.cos, x),
    ],
    ids=["elementwise", "jit", "scan", "while", "cond"],
)
def test_high_order_is_cheap(f: Callable[[Any], Any]) -> None:
    """The recurrences share what they need: operations grow as the square of the order, not exponentially."""

    def size(order: int) -> int:
        closed = jax.make_jaxpr(lambda x: jet(f, (x,), ([x] * order,)))(1.0)
        return sum(len(program.eqns) for program in [closed, *programs(closed)])

    def programs(closed: Any) -> Iterator[Any]:
        for eqn in closed.eqns:
            for inner in subjaxprs(eqn.params):
                yield inner
                yield from programs(inner)

    assert size(16) < 24 * size(4)
