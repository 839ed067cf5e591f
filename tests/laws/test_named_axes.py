"""What collectives give across a mapped axis is what a loop in NumPy over the slices gives, in whatever form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import jaxlab as jax
import jaxlab.numpy as jnp
from jaxlab import lax

Function = Callable[[Any], Any]
N = 3
STEP = 1e-6


def stack_of(*shape: int) -> np.ndarray:
    """Numbers no two of which are equal."""
    return np.sin(1.0 + np.arange(np.prod(shape))).reshape(shape)


def scattered(stack: np.ndarray) -> np.ndarray:
    return np.stack([sum(row[i] for row in stack) for i in range(N)])


# A function of one slice that speaks of the axis "i", and the same of the whole stack by plain loops.
PROGRAMS: list[tuple[str, Function, Callable[[np.ndarray], np.ndarray]]] = [
    ("psum", lambda x: lax.psum(jnp.sin(x), "i"), lambda s: np.stack([sum(np.sin(r) for r in s)] * N)),
    ("pmean", lambda x: lax.pmean(x, "i") * x, lambda s: np.stack([sum(s) / N * r for r in s])),
    ("pmax", lambda x: lax.pmax(x, "i") * x, lambda s: np.stack([np.maximum.reduce(list(s)) * r for r in s])),
    ("pmin", lambda x: lax.pmin(x, "i") * x, lambda s: np.stack([np.minimum.reduce(list(s)) * r for r in s])),
    (
        "softmax",
        lambda x: jnp.exp(x - lax.pmax(x, "i")) / lax.psum(jnp.exp(x - lax.pmax(x, "i")), "i"),
        lambda s: np.stack([np.exp(r) / sum(np.exp(q) for q in s) for r in s]),
    ),
    (
        "ppermute",
        lambda x: lax.ppermute(x * x, "i", [(0, 1), (1, 2), (2, 0)]),
        lambda s: np.stack([s[2] ** 2, s[0] ** 2, s[1] ** 2]),
    ),
    (
        "ppermute in part",
        lambda x: lax.ppermute(x * x, "i", [(2, 0), (0, 2)]) + x,
        lambda s: np.stack([s[2] ** 2 + s[0], s[1], s[0] ** 2 + s[2]]),
    ),
    (
        "pshuffle",
        lambda x: lax.pshuffle(x, "i", [2, 0, 1]) * x,
        lambda s: np.stack([s[2], s[0], s[1]]) * s,
    ),
    ("pbroadcast", lambda x: lax.pbroadcast(x, "i", 1) * x, lambda s: np.stack([s[1] * r for r in s])),
    (
        "all_gather",
        lambda x: lax.all_gather(jnp.sin(x), "i") * x,
        lambda s: np.stack([np.stack([np.sin(q) * r for q in s]) for r in s]),
    ),
    (
        "all_gather tiled",
        lambda x: lax.all_gather(jnp.sin(x), "i", tiled=True) * x[0],
        lambda s: np.stack([np.concatenate([np.sin(q) for q in s]) * r[0] for r in s]),
    ),
    ("psum_scatter", lambda x: lax.psum_scatter(x * x, "i"), lambda s: scattered(s * s)),
    (
        "all_to_all",
        lambda x: lax.all_to_all(x * x, "i", 0, 0),
        lambda s: np.stack([np.stack([s[k][i] ** 2 for k in range(N)]) for i in range(N)]),
    ),
    (
        "axis_index",
        lambda x: jnp.sin(x) * lax.axis_index("i") + lax.axis_size("i"),
        lambda s: np.stack([np.sin(r) * i + N for i, r in enumerate(s)]),
    ),
    ("a constant", lambda x: x * lax.psum(jnp.ones(3), "i"), lambda s: s * N),
]


def over(f: Function) -> Function:
    return jax.vmap(f, axis_name="i")


def with_jvp_rule(f: Function) -> Function:
    g = jax.custom_jvp(f)
    g.defjvp(lambda primals, tangents: jax.jvp(f, primals, tangents))
    return g


def with_vjp_rule(f: Function) -> Function:
    g = jax.custom_vjp(f)
    g.defvjp(lambda x: (f(x), x), lambda x, ct: jax.vjp(f, x)[1](ct))
    return g


def once(f: Function) -> Function:
    """In a loop that takes one step, as far as the compiler knows."""
    like = jax.eval_shape(over(f), jax.ShapeDtypeStruct((N, 3), "float64"))
    start = np.zeros(like.shape[1:])

    def run(x: Any) -> Any:
        def step(c: Any) -> Any:
            return c[0] + 1, f(c[2]), c[2]

        return lax.while_loop(lambda c: c[0] < 1, step, (0, start, x))[1]

    return run


FORMS: list[tuple[str, Callable[[Function], Function]]] = [
    ("vmap", over),
    ("jit of vmap", lambda f: jax.jit(over(f))),
    ("vmap of jit", lambda f: over(jax.jit(f))),
    ("branch", lambda f: over(lambda x: lax.cond(lax.axis_size("i") > 2, f, lambda x: f(x) * 0, x))),
    ("branch by slice", lambda f: over(lambda x: lax.cond(x[0] > -9, f, lambda x: f(x) * 0, x))),
    ("scan", lambda f: over(lambda x: lax.scan(lambda c, _: (c, f(c)), x, None, length=2)[1][1])),
    ("while", lambda f: over(once(f))),
    ("custom_jvp", lambda f: over(with_jvp_rule(f))),
    ("custom_vjp", lambda f: over(with_vjp_rule(f))),
    ("checkpoint", lambda f: over(jax.checkpoint(f))),
    ("custom_vmap", lambda f: over(lambda x: unmapped_rule(f)(x))),
    (
        "last axes",
        lambda f: lambda s: jnp.moveaxis(jax.vmap(f, -1, -1, axis_name="i")(jnp.moveaxis(s, 0, -1)), -1, 0),
    ),
    ("hidden name", lambda f: over(lambda x: jax.vmap(f, None, axis_name="j", axis_size=2)(x)[1])),
    ("inner map", lambda f: over(lambda x: jax.vmap(f)(jnp.stack([x + 1, x]))[1])),
    ("outer map", lambda f: lambda s: jax.vmap(over(f))(jnp.stack([s + 1, s]))[1]),
    ("outer name", lambda f: lambda s: jax.vmap(over(f), axis_name="i")(jnp.stack([s + 1, s]))[1]),
]


def unmapped_rule(f: Function) -> Function:
    """With a batch rule that an outer map would use; over "i" itself there is nothing that it maps."""
    g = jax.custom_batching.custom_vmap(lambda y: y + 1.0)
    g.def_vmap(lambda size, batched, y: (y + 1.0, batched[0]))
    return lambda x: f(x) * (g(1.0) - 1.0)


@pytest.mark.parametrize("form", FORMS, ids=[name for name, _ in FORMS])
@pytest.mark.parametrize("program", PROGRAMS, ids=[name for name, *_ in PROGRAMS])
def test_same_as_a_loop(program: Any, form: Any) -> None:
    _, f, plain = program
    stack = stack_of(N, 3)
    np.testing.assert_allclose(np.asarray(form[1](f)(stack)), plain(stack), rtol=1e-12)


# Pushing tangents and pulling cotangents, each through all slices at once; the order of the maps does not matter.
PUSHED: list[tuple[str, Callable[[Function, Any, Any], Any]]] = [
    ("jvp of vmap", lambda f, s, t: jax.jvp(over(f), (s,), (t,))[1]),
    ("vmap of jvp", lambda f, s, t: jax.vmap(lambda x, t: jax.jvp(f, (x,), (t,))[1], axis_name="i")(s, t)),
    ("linearize of vmap", lambda f, s, t: jax.linearize(over(f), s)[1](t)),
    (
        "vmap of linearize",
        lambda f, s, t: jax.vmap(lambda x, t: jax.linearize(f, x)[1](t), axis_name="i")(s, t),
    ),
    ("jvp of jit", lambda f, s, t: jax.jvp(over(jax.jit(f)), (s,), (t,))[1]),
    ("jvp of scan", lambda f, s, t: jax.jvp(FORMS[5][1](f), (s,), (t,))[1]),
]
PULLED: list[tuple[str, Callable[[Function, Any, Any], Any]]] = [
    ("vjp of vmap", lambda f, s, ct: jax.vjp(over(f), s)[1](ct)[0]),
    ("vmap of vjp", lambda f, s, ct: jax.vmap(lambda x, ct: jax.vjp(f, x)[1](ct)[0], axis_name="i")(s, ct)),
    ("vjp of jit", lambda f, s, ct: jax.vjp(jax.jit(over(jax.jit(f))), s)[1](ct)[0]),
    ("vjp of scan", lambda f, s, ct: jax.vjp(FORMS[5][1](f), s)[1](ct)[0]),
    ("vjp of checkpoint", lambda f, s, ct: jax.vjp(over(jax.checkpoint(f)), s)[1](ct)[0]),
    ("vjp of custom_vjp", lambda f, s, ct: jax.vjp(over(with_vjp_rule(f)), s)[1](ct)[0]),
    ("vjp of branch", lambda f, s, ct: jax.vjp(FORMS[4][1](f), s)[1](ct)[0]),
]


def slope(plain: Callable[[np.ndarray], np.ndarray], stack: np.ndarray, t: np.ndarray) -> np.ndarray:
    """The derivative along ``t`` by a central difference of the loop."""
    return (plain(stack + STEP * t) - plain(stack - STEP * t)) / (2 * STEP)


@pytest.mark.parametrize("form", PUSHED, ids=[name for name, _ in PUSHED])
@pytest.mark.parametrize("program", PROGRAMS, ids=[name for name, *_ in PROGRAMS])
def test_tangents_are_slopes_of_the_loop(program: Any, form: Any) -> None:
    _, f, plain = program
    stack, t = stack_of(N, 3), np.cos(stack_of(N, 3) * 7)
    pushed = np.asarray(form[1](f, stack, t))
    np.testing.assert_allclose(pushed, slope(plain, stack, t), rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("form", PULLED, ids=[name for name, _ in PULLED])
@pytest.mark.parametrize("program", PROGRAMS, ids=[name for name, *_ in PROGRAMS])
def test_cotangents_are_adjoint_to_slopes_of_the_loop(program: Any, form: Any) -> None:
    _, f, plain = program
    stack = stack_of(N, 3)
    ct = np.cos(3 * stack_of(*plain(stack).shape))
    pulled = np.asarray(form[1](f, stack, ct))
    wanted = np.zeros_like(stack)
    for place in np.ndindex(*stack.shape):
        unit = np.zeros_like(stack)
        unit[place] = 1.0
        wanted[place] = np.sum(ct * slope(plain, stack, unit))
    np.testing.assert_allclose(pulled, wanted, rtol=1e-6, atol=1e-7)


NESTED: list[tuple[str, Function, Callable[[np.ndarray], np.ndarray]]] = [
    ("psum", lambda x: lax.psum(x, ("i", "j")), lambda s: np.broadcast_to(s.sum((0, 1)), s.shape)),
    ("psum of one", lambda x: lax.psum(x, "i"), lambda s: np.broadcast_to(s.sum(0), s.shape)),
    ("gather", lambda x: lax.all_gather(x, ("i", "j")), lambda s: np.stack([[s.reshape(6, 6)] * 2] * 3)),
    (
        "gather the other way",
        lambda x: lax.all_gather(x, ("j", "i"), axis=1),
        lambda s: np.stack([[s.swapaxes(0, 1).reshape(6, 6).T] * 2] * 3),
    ),
    ("scatter", lambda x: lax.psum_scatter(x, ("i", "j")), lambda s: s.sum((0, 1)).reshape(3, 2)),
    (
        "send around",
        lambda x: lax.ppermute(x, ("i", "j"), [(k, (k + 1) % 6) for k in range(6)]),
        lambda s: np.roll(s.reshape(6, 6), 1, 0).reshape(3, 2, 6),
    ),
    ("one for all", lambda x: lax.pbroadcast(x, ("j", "i"), 4), lambda s: np.broadcast_to(s[1, 1], s.shape)),
    (
        "exchange",
        lambda x: lax.all_to_all(x, ("i", "j"), 0, 0),
        lambda s: s.reshape(6, 6).T.reshape(3, 2, 6),
    ),
    (
        "places",
        lambda x: x * 0 + lax.axis_index(("i", "j")),
        lambda s: np.broadcast_to(np.arange(6.0).reshape(3, 2, 1), s.shape),
    ),
    (
        "the inner of two",
        lambda x: jax.vmap(lambda y: lax.psum(y, "i"), axis_name="i")(x) + lax.psum(x, "i"),
        lambda s: s.sum(-1, keepdims=True) + s.sum(0),
    ),
]


@pytest.mark.parametrize("order", ["together", "compiled"])
@pytest.mark.parametrize("program", NESTED, ids=[name for name, *_ in NESTED])
def test_two_axes(program: Any, order: str) -> None:
    _, f, plain = program
    mapped = jax.vmap(jax.vmap(jax.jit(f) if order == "compiled" else f, axis_name="j"), axis_name="i")
    stack = stack_of(3, 2, 6)
    np.testing.assert_allclose(np.asarray(mapped(stack)), plain(stack), rtol=1e-12)


def test_loop_goes_on_until_the_last_slice_is_done() -> None:
    """A slice that is done keeps its value, and the others still see it."""
    start = np.array([1.0, 2.0, 9.5])

    def step(c: Any) -> Any:
        return c + lax.psum(c, "i")

    found = over(lambda x: lax.while_loop(lambda c: c < 40.0, step, x))(start)
    values = start.copy()
    while (values < 40.0).any():
        values = np.where(values < 40.0, values + values.sum(), values)
    np.testing.assert_allclose(np.asarray(found), values)


def test_rules_called_after_the_map_know_its_axis() -> None:
    """The backward rule of a function runs when the map has long returned."""
    f = jax.custom_vjp(lambda x: lax.psum(x, "i"))
    f.defvjp(lambda x: (f(x), x), lambda x, ct: (lax.psum(ct, "i") * lax.axis_index("i") * x,))
    _, pull = jax.vjp(over(f), stack_of(N))
    ct = np.arange(1.0, N + 1)
    np.testing.assert_allclose(np.asarray(pull(ct)[0]), ct.sum() * np.arange(N) * stack_of(N))
