"""Functions with rules for reverse mode, and what else takes the place of a derivative."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest

import jaxlab as jax
import jaxlab.numpy as jnp
from jaxlab import lax
from jaxlab.core.trace import Tracer
from jaxlab.custom_derivatives import SymbolicZero, linear_call

V = np.arange(1.0, 4.0, dtype=np.float32)


@jax.custom_vjp
def clipped(x: Any, limit: Any) -> Any:
    """The identity; its cotangents are clipped."""
    return x


clipped.defvjp(lambda x, limit: (x, limit), lambda limit, ct: (jnp.clip(ct, -limit, limit), None))


def test_it_looks_like_the_function() -> None:
    assert clipped.__name__ == "clipped"
    assert clipped.__doc__ == "The identity; its cotangents are clipped."


@pytest.mark.parametrize(
    "gradient",
    [
        lambda x: jax.grad(lambda x: (clipped(x, 0.5) ** 2).sum())(x),
        lambda x: jax.jit(jax.grad(lambda x: (clipped(x, 0.5) ** 2).sum()))(x),
        lambda x: jax.grad(jax.jit(lambda x: (clipped(x, limit=0.5) ** 2).sum()))(x),
        lambda x: jax.vmap(jax.grad(lambda x: clipped(x, 0.5) ** 2))(x),
        lambda x: jax.grad(lambda x: (jax.vmap(clipped, (0, None))(x, 0.5) ** 2).sum())(x),
        lambda x: jax.grad(lambda x: (lax.map(lambda x: clipped(x, 0.5), x) ** 2).sum())(x),
        lambda x: jax.grad(lambda x: lax.cond(True, lambda x: (clipped(x, 0.5) ** 2).sum(), jnp.sum, x))(x),
        lambda x: jax.grad(jax.checkpoint(lambda x: (clipped(x, 0.5) ** 2).sum()))(x),
        lambda x: jax.grad(lambda x: (jax.vmap(jax.checkpoint(lambda x: clipped(x, 0.5)))(x) ** 2).sum())(x),
    ],
)
def test_the_rule_counts(gradient: Any) -> None:
    np.testing.assert_allclose(gradient(V * 0.2), np.clip(V * 0.4, -0.5, 0.5), rtol=1e-6)


def test_rules_take_the_place_of_the_function() -> None:
    """Eagerly nothing is traced: the function and its rules see the numbers, and each runs only where it counts."""
    seen: list[str] = []

    def note(name: str, x: Any) -> Any:
        assert not isinstance(x, Tracer)
        seen.append(name)
        return x

    f = jax.custom_vjp(lambda x: note("function", x) * 2)
    f.defvjp(lambda x: (note("fwd", x) * 2, x), lambda r, ct: (note("bwd", r) * ct,))
    f(V)
    assert seen == ["function"]
    jax.grad(lambda x: f(x).sum())(V)
    assert seen == ["function", "fwd", "bwd"]

    h = jax.custom_jvp(lambda x: note("function", x) * 2)
    h.defjvp(lambda p, t: (note("rule", p[0]) * 2, t[0]))
    seen.clear()
    jax.jvp(h, (V,), (V,))
    jax.grad(lambda x: h(x).sum())(V)
    assert seen == ["rule", "rule"]


def test_a_compiled_function_asks_its_rules_once() -> None:
    asked: list[str] = []
    f = jax.custom_vjp(lambda x: x * 2)
    f.defvjp(
        lambda x: (asked.append("fwd"), (x * 2, x))[1], lambda r, ct: (asked.append("bwd"), (r * ct,))[1]
    )
    gradient = jax.jit(jax.grad(lambda x: f(x).sum()))
    for _ in range(3):
        gradient(V)
    assert asked == ["fwd", "bwd"]


def test_rules_know_the_names_of_mapped_axes() -> None:
    f = jax.custom_vjp(lambda x: lax.psum(x, "i"))
    f.defvjp(lambda x: (lax.psum(x, "i"), None), lambda r, ct: (lax.pmean(ct, "i") * 10,))
    total = jax.vmap(f, axis_name="i")
    for way in (total, jax.jit(total)):
        np.testing.assert_allclose(way(V), [6, 6, 6])
        np.testing.assert_allclose(jax.grad(lambda x: (way(x) * V).sum())(V), [20, 20, 20])

    g = jax.custom_jvp(lambda x: x)
    g.defjvp(lambda p, t: (p[0], lax.psum(t[0], "i")))
    mapped = jax.jit(jax.vmap(g, axis_name="i"))
    np.testing.assert_allclose(jax.jvp(mapped, (V,), (V,))[1], [6, 6, 6])


def test_what_is_shared_by_all_slices_stays_so_under_a_named_axis() -> None:
    f = jax.custom_jvp(lambda x: x * 2)
    f.defjvps(lambda t, out, x: t * 2)
    out, _ = jax.vmap(lambda x: (f(3.0), x), out_axes=(None, 0), axis_name="i")(V)
    assert float(out) == 6.0


def test_a_tangent_may_be_mapped_where_the_value_is_not() -> None:
    f = jax.custom_jvp(lambda x, y: y)
    f.defjvp(lambda p, t: (p[1], t[0] * p[0] + t[1]))
    for way in (f, jax.jit(f)):
        gradient = jax.grad(lambda x, y: jax.vmap(way, (0, None))(x, y).sum(), (0, 1))(V, np.float32(2))
        np.testing.assert_allclose(gradient[0], V)
        assert float(gradient[1]) == 3.0


def test_traced_values_as_arguments_that_are_not_differentiated() -> None:
    """A jvp rule gets them as they are, also where it is asked when its function has long been traced."""

    @functools.partial(jax.custom_jvp, nondiff_argnums=(0,))
    def scaled(options: Any, x: Any) -> Any:
        return options["scale"] * x

    @scaled.defjvp
    def rule(options: Any, primals: Any, tangents: Any) -> Any:
        assert options["name"] == "twice"
        return scaled(options, *primals), options["scale"] * tangents[0] * 2

    def f(x: Any, s: Any) -> Any:
        return scaled({"scale": s, "name": "twice"}, x)

    for way in (f, jax.jit(f), jax.checkpoint(f)):
        assert float(jax.grad(way)(3.0, 5.0)) == 10.0
        assert float(jax.jit(jax.grad(way))(3.0, 5.0)) == 10.0
        np.testing.assert_allclose(jax.vmap(jax.grad(way))(V, V), V * 2)
        assert float(jax.grad(way, 1)(3.0, 5.0)) == 0.0


def test_methods() -> None:
    class Layer:
        def __init__(self, scale: float) -> None:
            self.scale = scale

        @functools.partial(jax.custom_vjp, nondiff_argnums=(0,))
        def __call__(self, x: Any) -> Any:
            return x * self.scale

        @functools.partial(jax.custom_jvp, nondiff_argnums=(0,))
        def forward(self, x: Any) -> Any:
            return x * self.scale

        @forward.defjvp
        def _forward_jvp(self, primals: Any, tangents: Any) -> Any:
            return self.forward(*primals), tangents[0] * 7

        __call__.defvjp(lambda self, x: (x * self.scale, None), lambda self, r, ct: (ct * self.scale * 10,))

    assert float(Layer(3.0).forward(2.0)) == 6.0
    assert float(jax.grad(Layer(3.0).forward)(2.0)) == 7.0
    assert float(jax.grad(Layer.__call__, 1)(Layer(3.0), 2.0)) == 30.0


def test_symbolic_zeros_tell_what_is_needed() -> None:
    told: list[tuple[Any, ...]] = []

    def fwd(x: Any, y: Any) -> Any:
        told.append((x.perturbed, y["a"].perturbed))
        return (x.value, y["a"].value * 1), None

    def bwd(_: Any, cts: Any) -> Any:
        told.append(tuple(type(ct) is SymbolicZero for ct in cts))
        return cts[0], None

    f = jax.custom_vjp(lambda x, y: (x, y["a"]))
    f.defvjp(fwd, bwd, symbolic_zeros=True)
    for way in (f, jax.jit(f), jax.vmap(f)):
        told.clear()
        arguments = (V, {"a": V}) if way is not f else (V[0], {"a": V[0]})
        gradient = jax.grad(lambda x, y, way=way: jnp.sum(way(x, y)[1]))(*arguments)
        assert told == [(True, False), (True, False)]
        np.testing.assert_array_equal(gradient, np.zeros_like(arguments[0]))


def test_a_backward_rule_is_differentiated_again() -> None:
    f = jax.custom_vjp(jnp.sin)
    f.defvjp(lambda x: (jnp.sin(x), x), lambda x, ct: (ct * x**3,))
    assert float(jax.grad(jax.grad(f))(2.0)) == 12.0
    assert float(jax.grad(jax.grad(jax.grad(f)))(2.0)) == 12.0
    assert float(jax.hessian(f)(2.0)) == 12.0


def test_the_function_itself_is_transposed() -> None:
    """A linear function has its transpose with and without rules; those tell another derivative here."""
    f = jax.custom_vjp(lambda x: x * 2)
    f.defvjp(lambda x: (x * 2, None), lambda r, ct: (ct * 9,))
    assert float(jax.linear_transpose(f, 1.0)(1.0)[0]) == 2.0
    assert float(jax.linear_transpose(jax.jit(f), 1.0)(1.0)[0]) == 2.0


def test_linear_call_by_its_residuals_and_mapped() -> None:
    def f(r: Any, x: Any) -> Any:
        return linear_call(lambda r, x: {"y": x["a"] * r}, lambda r, ct: {"a": ct["y"] * r}, r, {"a": x})["y"]

    assert [float(g) for g in jax.grad(f, (0, 1))(2.0, 3.0)] == [3.0, 2.0]
    for dims in ((0, 0), (0, None), (None, 0)):
        args = [V if d == 0 else np.float32(2) for d in dims]
        np.testing.assert_allclose(jax.vmap(f, dims)(*args), args[0] * args[1])
        pulled = jax.vmap(jax.grad(f, (0, 1)), dims)(*args)
        for got, wanted in zip(pulled, reversed(args), strict=True):
            np.testing.assert_allclose(got, np.broadcast_to(wanted, 3))
        total = jax.grad(lambda r, x, dims=dims: jax.vmap(f, dims)(r, x).sum(), (0, 1))(*args)
        for got, own, other in zip(total, args, reversed(args), strict=True):
            wanted = np.broadcast_to(other, 3)
            np.testing.assert_allclose(got, wanted if own.ndim else wanted.sum())


def test_the_two_passes_are_compiled_once() -> None:
    traced: list[int] = []

    def f(x: Any, y: Any) -> Any:
        traced.append(1)
        return jnp.sin(x) * y

    fwd, bwd = jax.fwd_and_bwd(f, (0, 1))
    for _ in range(3):
        value, residuals = fwd(V, V)
        pulled = bwd(residuals, V)
    assert len(traced) == 1
    np.testing.assert_allclose(value, np.sin(V) * V, rtol=1e-6)
    np.testing.assert_allclose(pulled[0], np.cos(V) * V * V, rtol=1e-6)
    np.testing.assert_allclose(pulled[1], np.sin(V) * V, rtol=1e-6)


def test_a_pullback_keeps_what_it_needs() -> None:
    big = np.ones((100, 100), np.float32)
    _, pull = jax.vjp(lambda x, y: x.sum() + y * 2, big, V)
    assert jax.tree.leaves(pull) == []
    _, pull = jax.vjp(lambda x, y: x * y, V, V * 2)
    kept = jax.tree.leaves(pull)
    assert len(kept) == 2 and all(any(k is x for x in jax.tree.leaves(pull.args_res)) for k in kept)


def test_a_root_is_differentiated_in_a_loop() -> None:
    def newton(f: Any, x: Any) -> Any:
        return lax.fori_loop(0, 20, lambda _, x: x - f(x) / jax.grad(f)(x), x)

    def cube_root(a: Any) -> Any:
        return lax.custom_root(lambda x: x**3 - a, 1.0, newton, lambda g, y: y / g(1.0))

    np.testing.assert_allclose(jax.vmap(cube_root)(V), np.cbrt(V), rtol=1e-6)
    np.testing.assert_allclose(jax.vmap(jax.grad(cube_root))(V), 1 / (3 * np.cbrt(V) ** 2), rtol=1e-5)
    second = jax.vmap(jax.grad(jax.grad(cube_root)))(V)
    np.testing.assert_allclose(second, -2 / (9 * np.cbrt(V) ** 5), rtol=1e-5)


def test_a_linear_equation_is_solved_by_iteration() -> None:
    """What a while loop solves is differentiated in reverse mode, through the equation."""
    a = np.array([[4.0, 1.0], [1.0, 3.0]], np.float32)

    def iterate(matvec: Any, b: Any) -> Any:
        return lax.while_loop(
            lambda s: s[1] < 60, lambda s: (s[0] + 0.2 * (b - matvec(s[0])), s[1] + 1), (b, 0)
        )[0]

    def f(a: Any, b: Any) -> Any:
        return lax.custom_linear_solve(lambda x: a @ x, b, iterate, symmetric=True)

    b = V[:2]
    exact = np.linalg.solve(a, b)
    np.testing.assert_allclose(f(a, b), exact, rtol=1e-5)
    pulled = jax.grad(lambda a, b: f(a, b)[0], (0, 1))(a, b)
    adjoint = np.linalg.solve(a, np.array([1, 0], np.float32))
    np.testing.assert_allclose(pulled[1], adjoint, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(pulled[0], -np.outer(adjoint, exact), rtol=1e-4, atol=1e-6)
