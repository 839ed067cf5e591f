"""Own batch rules: when they are asked, what they are told, and that derivatives go through them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import jaxlab as jax
import jaxlab.numpy as jnp
from jaxlab import lax
from jaxlab.custom_batching import custom_vmap, sequential_vmap

V = np.linspace(0.5, 1.5, 3).astype(np.float32)
T = np.array([1.0, -2.0, 0.5], np.float32)
Told = list[tuple[int, Any]]


def product(told: Told) -> custom_vmap:
    """``sin(x) * y``, whose rule notes what it is told."""
    f = custom_vmap(lambda x, y: jnp.sin(x) * y)

    @f.def_vmap
    def f_vmap(size: int, batched: list[bool], x: Any, y: Any) -> tuple[Any, bool]:
        told.append((size, batched))
        return jnp.sin(x) * y, any(batched)

    return f


def pushed(x: Any, y: Any, tx: Any, ty: Any) -> Any:
    """The derivative of ``sin(x) * y``, by hand."""
    return np.cos(x) * y * tx + np.sin(x) * ty


CALLS: list[tuple[str, Callable[[Any], Any], Any, Told]] = [
    ("not mapped", lambda f: f(V, 2.0), np.sin(V) * 2, []),
    ("mapped", lambda f: jax.vmap(f)(V, T), np.sin(V) * T, [(3, [True, True])]),
    ("one of two", lambda f: jax.vmap(f, (None, 0))(0.5, T), np.sin(0.5) * T, [(3, [False, True])]),
    ("compiled", lambda f: jax.jit(jax.vmap(f))(V, T), np.sin(V) * T, [(3, [True, True])]),
    ("mapped, compiled before", lambda f: jax.vmap(jax.jit(f))(V, T), np.sin(V) * T, [(3, [True, True])]),
    (
        "in a loop",
        lambda f: jax.vmap(lambda x: lax.map(lambda y: f(x, y), T))(V),
        np.outer(np.sin(V), T),
        [(3, [True, False])],
    ),
    (
        # Only the innermost map asks: what the rule does is then mapped as any other function.
        "twice",
        lambda f: jax.vmap(jax.vmap(f, (None, 0)), (0, None))(V, T),
        np.outer(np.sin(V), T),
        [(3, [False, True])],
    ),
    (
        "an outer map",
        lambda f: jax.vmap(lambda x: jax.vmap(f, None, axis_size=2)(x, 2.0))(V),
        np.stack([np.sin(V) * 2] * 2, 1),
        [(3, [True, False])],
    ),
    (
        "an outer map past a named one",
        lambda f: jax.vmap(lambda x: jax.vmap(lambda i: f(x, 2.0) + i, axis_name="i")(np.arange(2.0)))(V),
        np.sin(V)[:, None] * 2 + np.arange(2.0),
        [(3, [True, False])],
    ),
    (
        "tangents",
        lambda f: jax.jvp(f, (V, T), (T, V))[1],
        pushed(V, T, T, V),
        [],
    ),
    (
        "tangents of a map",
        lambda f: jax.jvp(jax.vmap(f), (V, T), (T, V))[1],
        pushed(V, T, T, V),
        [(3, [True, True])],
    ),
    (
        "a map of tangents",
        lambda f: jax.vmap(lambda *a: jax.jvp(f, a[:2], a[2:])[1])(V, T, T, V),
        pushed(V, T, T, V),
        [(3, [True, True])],
    ),
    (
        # A value that is mapped beside a tangent that is not, and the other way round.
        "a map of some tangents",
        lambda f: jax.vmap(lambda x, ty: jax.jvp(f, (x, 2.0), (1.0, ty))[1])(V, T),
        pushed(V, 2.0, 1.0, T),
        [(3, [True, True])],
    ),
    (
        "a map of one tangent",
        lambda f: jax.vmap(lambda x, y: jax.jvp(lambda x: f(x, y), (x,), (1.0,))[1], (0, None))(V, 2.0),
        pushed(V, 2.0, 1.0, 0.0),
        [(3, [True, False])],
    ),
    (
        # Many directions at one point: what the rule sees is not mapped.
        "a Jacobian",
        lambda f: jax.jacfwd(f)(V, T),
        np.diag(np.cos(V) * T),
        [(3, [False, False])],
    ),
    (
        # The innermost map is that over the one direction of a scalar.
        "second derivatives",
        lambda f: jax.vmap(jax.jacfwd(jax.jacfwd(f)))(V, T),
        -np.sin(V) * T,
        [(1, [False, False])],
    ),
]


@pytest.mark.parametrize(("call", "wanted", "asked"), [c[1:] for c in CALLS], ids=[c[0] for c in CALLS])
def test_rule_is_asked(call: Callable[[Any], Any], wanted: Any, asked: Told) -> None:
    told: Told = []
    found = call(product(told))
    np.testing.assert_allclose(np.asarray(found), wanted, rtol=2e-6)
    assert told[: len(asked)] == asked
    assert bool(told) == bool(asked)


def test_reverse_mode_goes_through_a_map_and_through_custom_vjp() -> None:
    f = product([])
    found = jax.grad(lambda x: jax.vmap(f)(x, T).sum())(V)
    np.testing.assert_allclose(np.asarray(found), np.cos(V) * T, rtol=2e-6)
    g = jax.custom_vjp(f)
    g.defvjp(lambda x, y: (f(x, y), (x, y)), lambda r, ct: (jnp.cos(r[0]) * r[1] * ct, jnp.sin(r[0]) * ct))
    np.testing.assert_allclose(np.asarray(jax.grad(g)(0.5, 2.0)), np.cos(0.5) * 2, rtol=2e-6)
    np.testing.assert_allclose(np.asarray(jax.vmap(jax.grad(g))(V, T)), np.cos(V) * T, rtol=2e-6)
    np.testing.assert_allclose(np.asarray(jax.vmap(g)(V, T)), np.sin(V) * T, rtol=2e-6)


def test_a_rule_may_keep_results_as_they_are() -> None:
    f = custom_vmap(lambda x: {"mean": x, "count": 1})
    f.def_vmap(lambda size, batched, x: ({"mean": x.mean(), "count": size}, {"mean": False, "count": False}))
    found = jax.vmap(f, out_axes=None)(V)
    assert found["count"] == 3
    np.testing.assert_allclose(np.asarray(found["mean"]), V.mean(), rtol=1e-6)
    np.testing.assert_allclose(np.asarray(jax.vmap(f)(V)["mean"]), [V.mean()] * 3, rtol=1e-6)


def test_integers_have_no_tangents() -> None:
    f = custom_vmap(lambda i, x: {"n": i + 1, "y": x * i})
    f.def_vmap(lambda size, batched, i, x: ({"n": i + 1, "y": x * i}, {"n": batched[0], "y": any(batched)}))
    numbers = np.arange(3)

    def tangent(i: Any, x: Any) -> Any:
        return jax.jvp(lambda x: f(i, x), (x,), (1.0,))[1]["y"]

    np.testing.assert_allclose(np.asarray(jax.vmap(tangent)(numbers, V)), numbers)
    np.testing.assert_allclose(np.asarray(jax.vmap(tangent, (None, 0))(2, V)), [2.0] * 3)


def test_closures() -> None:
    def scaled(c: Any) -> custom_vmap:
        f = custom_vmap(lambda x: x * c)
        f.def_vmap(lambda size, batched, x: (x * c, True))
        return f

    np.testing.assert_allclose(np.asarray(jax.jit(lambda c: jax.vmap(scaled(c))(V))(2.0)), V * 2)
    np.testing.assert_allclose(np.asarray(jax.jvp(lambda c: scaled(c)(3.0), (2.0,), (1.0,))[1]), 3.0)
    with pytest.raises(TypeError, match="closes over a value that is being mapped"):
        jax.vmap(lambda c: scaled(c)(c))(V)
    with pytest.raises(TypeError, match="closes over a value that is being differentiated"):
        jax.vmap(lambda x: jax.jvp(lambda c: scaled(c)(x), (2.0,), (1.0,))[1])(V)


def test_methods_and_arguments_by_name() -> None:
    class Model:
        @custom_vmap
        def apply(self, x: Any) -> Any:
            return x + 1

    assert isinstance(Model.apply, custom_vmap)
    f = custom_vmap(lambda x, scale=2.0: x * scale)
    f.def_vmap(lambda size, batched, x, scale: (x * scale, True))
    np.testing.assert_allclose(np.asarray(jax.vmap(lambda x: f(scale=3.0, x=x))(V)), V * 3)
    np.testing.assert_allclose(np.asarray(jax.vmap(f)(V)), V * 2)


def test_slices_in_turn() -> None:
    order: list[float] = []

    def noted(x: Any, y: Any) -> Any:
        like = jax.ShapeDtypeStruct((), np.float32)
        return jax.pure_callback(lambda x, y: order.append(float(x)) or np.float32(x * y), like, x, y)

    f = sequential_vmap(noted)
    np.testing.assert_allclose(np.asarray(jax.vmap(f, (0, None))(V, 2.0)), V * 2)
    assert order == [float(v) for v in V]
    tree = jax.vmap(sequential_vmap(lambda p: {"s": p["x"] * p["y"]}), ({"x": 0, "y": None},))(
        {"x": V, "y": T}
    )
    np.testing.assert_allclose(np.asarray(tree["s"]), np.outer(V, T), rtol=1e-6)
    slopes = jax.jacfwd(sequential_vmap(jnp.sin))(V)
    np.testing.assert_allclose(np.asarray(slopes), np.diag(np.cos(V)), rtol=1e-6)
