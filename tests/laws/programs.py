"""Small programs that between them use every part of the language.

Each is a function of one pytree of floating-point arrays. Points are chosen away from kinks and jumps, also
when they are scaled by 0.5 and 1.25 as the transformations do, unless a program is not ``smooth``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import jaxlab as jax
import jaxlab.numpy as jnp
from jaxlab import lax, nn


@dataclass(frozen=True)
class Program:
    """A function, where to look at it, and what it does not have: reverse mode, a derivative everywhere."""

    name: str
    fun: Callable[[Any], Any]
    point: Any
    reverse: bool = True
    smooth: bool = True


X = np.array([0.7, -1.1])
MATRIX = np.array([[0.5, -1.0], [2.0, 0.3]])


def elementwise(p: Any) -> Any:
    return {"y": jnp.sin(p["a"]) * p["b"][0] + jnp.exp(-p["a"]), "z": (p["b"][0] ** 2,)}


def closed_over_array(x: Any) -> Any:
    return jnp.tanh(MATRIX @ x)


def closed_over_tracer(x: Any) -> Any:
    return jax.jit(lambda y: y * x)(x + 1) + jax.vmap(lambda s: s * x[0])(x)


@jax.jit
def _square_sine(x: Any) -> Any:
    return x * jnp.sin(x)


def nested_jit(x: Any) -> Any:
    return jax.jit(lambda x: _square_sine(_square_sine(x)))(x) + _square_sine(x)


def cond(x: Any) -> Any:
    return lax.cond(x[0] > 0, lambda x: x * jnp.sin(x), lambda x: jnp.cos(x), x), lax.cond(
        x[1] > 0, lambda: x[0], lambda: x[1] * x[0]
    )


def switch(x: Any) -> Any:
    index = jnp.floor(2 * jnp.abs(x[0])).astype(jnp.int32)
    return lax.switch(index, [jnp.sin, lambda x: x * x[0], jnp.tanh], x)


def while_loop(x: Any) -> Any:
    return lax.while_loop(lambda c: c[0] < 3, lambda c: (c[0] + 1, jnp.sin(c[1]) * x), (0, x))[1]


def scan(x: Any) -> Any:
    return lax.scan(lambda c, y: (jnp.tanh(c * x[0] + y), c * y), x[1], x, reverse=True)


def fori_loop(x: Any) -> Any:
    return lax.fori_loop(1, 3, lambda i, c: jnp.sin(c) * i + x, x)


def gather_and_scatter(x: Any) -> Any:
    index = jnp.array([1, 0, 1])
    x = jnp.asarray(x)
    return x.at[index].add(x[index] * x[0]), x.at[0].multiply(x[1])


def products(p: Any) -> Any:
    return jnp.einsum("ij,kj->ik", p, p)[0], jnp.dot(p[0], p[1])


def reductions(x: Any) -> Any:
    y = jnp.stack([x, x * x])
    return y.max(axis=0), y.min(), jnp.prod(x), jnp.cumsum(x), jnp.sort(x), y.mean(axis=1)


def ties(x: Any) -> Any:
    return x.max(), jnp.maximum(x, x[::-1]), jnp.abs(x - x), jnp.sort(x)


def complex_inside(x: Any) -> Any:
    z = lax.complex(x, x * x)
    w = z * jnp.exp(1j * z)
    return jnp.real(w * jnp.conj(z)), jnp.imag(w)


def integers_inside(x: Any) -> Any:
    k = jnp.floor(3 * x).astype(jnp.int32)
    return x * k + jnp.array([1.0, 2.0])[k % 2], jnp.where(k > 0, x, x * x)


@jax.custom_jvp
def _own_rule(x: Any, y: Any) -> Any:
    return x * jnp.sin(y)


_own_rule.defjvps(lambda t, out, x, y: t * jnp.sin(y), lambda t, out, x, y: t * x * jnp.cos(y))


def custom_rules(x: Any) -> Any:
    return nn.relu(x) * x + _own_rule(x, x[0])


def recomputed(x: Any) -> Any:
    f = jax.checkpoint(lambda x: jnp.sin(jnp.tanh(x) * x), policy=jax.checkpoint_policies.nothing_saveable)
    g = jax.checkpoint(lambda x, y: jnp.exp(f(x) * y), policy=jax.checkpoint_policies.dots_saveable)
    return g(x, x[::-1]) + f(x)


def named_axes(x: Any) -> Any:
    def centred(y: Any) -> Any:
        return y * y - lax.pmean(jnp.sin(y), "i") * lax.axis_index("i"), lax.psum(y, "i")

    return jax.vmap(centred, axis_name="i", out_axes=(0, None))(x)


def prefix_sums(x: Any) -> Any:
    return lax.associative_scan(
        lambda a, b: (a[0] * b[0], b[0] * a[1] + b[1]), (jnp.tanh(x), x), reverse=True
    )


def mapped_in_blocks(x: Any) -> Any:
    return lax.map(lambda y: jnp.sin(y) * x[0], jnp.concatenate([x, x * x, x[:1]]), batch_size=2)


def loops_in_loops(x: Any) -> Any:
    def outer(c: Any, y: Any) -> Any:
        inner = lax.fori_loop(0, 2, lambda i, d: jnp.sin(d) + c * i, y * x[0])
        return lax.cond(y > 0, lambda c: c * inner, lambda c: c + inner, c), (inner, c)

    return lax.scan(outer, x[1], x)


def solved(x: Any) -> Any:
    scale = 2.0 + jnp.cos(x)

    def solve(matvec: Any, b: Any) -> Any:
        return b / scale

    return lax.custom_linear_solve(lambda y: scale * y, x * x, solve, symmetric=True)


def for_a_platform(x: Any) -> Any:
    return lax.platform_dependent(x, cpu=lambda x: jnp.sin(x) * x, default=lambda x: jnp.sin(x) * x)


def scopes(x: Any) -> Any:
    with jax.named_scope("outer"):
        y = jnp.sin(x)
        with jax.named_scope("inner"):
            return y * jnp.cos(x)


def empty(p: Any) -> Any:
    return p["x"] * 2 + p["e"].sum(), p["e"] * 3


PROGRAMS = [
    Program("elementwise", elementwise, {"a": X, "b": [np.array(1.3)]}),
    Program("closed_over_array", closed_over_array, X),
    Program("closed_over_tracer", closed_over_tracer, X),
    Program("nested_jit", nested_jit, X),
    Program("cond", cond, X),
    Program("switch", switch, X),
    Program("while_loop", while_loop, X, reverse=False),
    Program("scan", scan, X),
    Program("fori_loop", fori_loop, X),
    Program("gather_and_scatter", gather_and_scatter, X),
    Program("products", products, MATRIX),
    Program("reductions", reductions, X),
    Program("ties", ties, np.array([0.5, 0.5]), smooth=False),
    Program("complex_inside", complex_inside, X),
    Program("integers_inside", integers_inside, X),
    Program("custom_rules", custom_rules, X),
    Program("recomputed", recomputed, X),
    Program("named_axes", named_axes, X),
    Program("prefix_sums", prefix_sums, X),
    Program("mapped_in_blocks", mapped_in_blocks, X),
    Program("loops_in_loops", loops_in_loops, X),
    Program("solved", solved, X),
    Program("for_a_platform", for_a_platform, X),
    Program("scopes", scopes, X),
    Program("empty", empty, {"x": X, "e": np.zeros((0, 2))}),
]
