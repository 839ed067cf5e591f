"""The first line of each error of transformations and control flow: what was given, and what is needed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import jaxlab as jax
import jaxlab.numpy as jnp
from jaxlab import lax

V = np.arange(3.0, dtype=np.float32)


def square(x: Any) -> Any:
    return x * x


def add(x: Any, y: Any) -> Any:
    return x + y


def loss(params: Any, data: Any) -> Any:
    return params["w"] * data


ERRORS: list[tuple[str, type[Exception], Callable[[], Any], tuple[str, ...]]] = [
    ("grad of a vector", TypeError, lambda: jax.grad(square)(V), ("grad", "square", "(3,)", "jacrev")),
    ("grad by an int", TypeError, lambda: jax.grad(square)(3), ("grad", "argument 0", "square", "int32")),
    ("grad by a text", TypeError, lambda: jax.grad(square)("a"), ("argument 0", "square", "str")),
    ("grad of an int", TypeError, lambda: jax.grad(lambda x: 1)(1.0), ("int32", "float")),
    ("grad of complex", TypeError, lambda: jax.grad(lambda x: x * 1j)(1.0), ("complex64", "holomorphic")),
    ("grad of a tuple", TypeError, lambda: jax.grad(lambda x: (x, x))(1.0), ("tuple", "has_aux=True")),
    ("grad, no pair", TypeError, lambda: jax.grad(square, has_aux=True)(1.0), ("square", "pair")),
    ("grad, argnums", TypeError, lambda: jax.grad(square, 2)(1.0), ("argument 2", "1 positional")),
    ("grad of a value", TypeError, lambda: jax.grad(1.0), ("float", "function")),
    ("jvp, shapes", ValueError, lambda: jax.jvp(square, (1.0,), (V,)), ("f32[3]", "f32[]")),
    ("jvp, dtypes", TypeError, lambda: jax.jvp(square, (1.0,), (1,)), ("i32[]", "f32[]")),
    ("jvp, no tuple", TypeError, lambda: jax.jvp(square, 1.0, 1.0), ("tuples or lists",)),
    ("vjp, shape", ValueError, lambda: jax.vjp(square, 1.0)[1](V), ("f32[3]", "f32[]")),
    ("vjp, structure", ValueError, lambda: jax.vjp(square, 1.0)[1]((1.0,)), ("square", "structure")),
    ("vmap, sizes", ValueError, lambda: jax.vmap(add)(V, V[:2]), ("3 for x", "2 for y")),
    ("vmap, a scalar", ValueError, lambda: jax.vmap(square)(1.0), ("axis 0 of x", "f32[]")),
    ("vmap, in_axes", ValueError, lambda: jax.vmap(add, (0,))(V, V), ("in_axes", "1 entries", "add")),
    (
        "vmap, out_axes",
        ValueError,
        lambda: jax.vmap(square, out_axes=None)(V),
        ("out_axes is None", "square"),
    ),
    ("vmap, nothing", ValueError, lambda: jax.vmap(square, None)(V), ("nothing is mapped", "axis_size")),
    ("jit of a value", TypeError, lambda: jax.jit(1), ("jit", "int")),
    (
        "jit by a text",
        TypeError,
        lambda: jax.jit(loss)({"w": "a"}, V),
        ("loss", "params['w']", "str", "static"),
    ),
    ("jit to a text", TypeError, lambda: jax.jit(lambda x: {"y": "a"})(V), ("['y']", "str")),
    ("jit, unhashable", ValueError, lambda: jax.jit(add, static_argnums=1)(V, [1]), ("list", "hashable")),
    (
        "trace, unhashable",
        ValueError,
        lambda: jax.jit(add, static_argnums=1).trace(V, [1]),
        ("add", "argument 1", "list", "hashable", "tuple"),
    ),
    ("jit, argnames", ValueError, lambda: jax.jit(add, static_argnames="z"), ("'z'", "add", "x, y")),
    ("jit, argnums", ValueError, lambda: jax.jit(add, static_argnums=2), ("argument 2", "add")),
    (
        "jit, both",
        ValueError,
        lambda: jax.jit(add, static_argnums=0, donate_argnums=0),
        ("both static and donated",),
    ),
    ("cond, a vector", TypeError, lambda: lax.cond(V, square, square, 1.0), ("f32[3]", "any or all")),
    (
        "cond, types",
        TypeError,
        lambda: lax.cond(True, lambda: {"a": 1}, lambda: {"a": 1.0}),
        ("['a']", "f32[] in", "i32[] in"),
    ),
    ("cond, structures", TypeError, lambda: lax.cond(True, lambda: 1, lambda: (1,)), ("structure",)),
    ("switch, a float", TypeError, lambda: lax.switch(1.0, [square]), ("f32[]", "integer")),
    ("switch, nothing", ValueError, lambda: lax.switch(0, []), ("at least one",)),
    ("while, no test", TypeError, lambda: lax.while_loop(square, square, 1.0), ("cond_fun", "f32[]")),
    (
        "while, the carry",
        TypeError,
        lambda: lax.while_loop(lambda c: True, lambda c: {"n": c["n"] + 1, "x": V}, {"n": 0, "x": 1.0}),
        ("carry['x']", "f32[]", "f32[3]"),
    ),
    (
        "scan, the carry",
        TypeError,
        lambda: lax.scan(lambda c, x: ((c[0], c[1] * V), x), (1, 1.0), V),
        ("carry[1]", "f32[3]"),
    ),
    ("scan, no pair", TypeError, lambda: lax.scan(lambda c, x: c, 1.0, V), ("pair (carry, output)",)),
    ("scan, no length", ValueError, lambda: lax.scan(lambda c, x: (c, x), 1.0), ("give length",)),
    ("scan, lengths", ValueError, lambda: lax.scan(add, 1.0, {"a": V, "b": V[:2]}), ("xs['a']", "xs['b']")),
    ("scan, unroll", ValueError, lambda: lax.scan(lambda c, x: (c, x), 1.0, V, unroll=-1), ("unroll",)),
    (
        "while, reverse",
        ValueError,
        lambda: jax.grad(lambda x: lax.while_loop(lambda c: c < 9, lambda c: c * x, x))(2.0),
        ("reverse-mode", "while_loop", "scan"),
    ),
    ("no rule", AttributeError, lambda: jax.custom_jvp(square)(1.0), ("square", "defjvp")),
    ("if", jax.errors.TracerBoolConversionError, lambda: jax.jit(lambda x: 1 if x else 2)(1.0), ("bool",)),
    ("range", jax.errors.TracerIntegerConversionError, lambda: jax.jit(lambda n: range(n))(1), ("i32[]",)),
    ("numpy", jax.errors.TracerArrayConversionError, lambda: jax.jit(lambda x: np.sin(x))(1.0), ("f32[]",)),
    ("float", jax.errors.ConcretizationTypeError, lambda: jax.jit(lambda x: float(x))(1.0), ("f32[]",)),
]


@pytest.mark.parametrize(("error", "call", "told"), [e[1:] for e in ERRORS], ids=[e[0] for e in ERRORS])
def test_first_line(error: type[Exception], call: Callable[[], Any], told: tuple[str, ...]) -> None:
    with pytest.raises(error) as caught:
        call()
    message = str(caught.value)
    for part in told:
        assert part in message.splitlines()[0] or part in message, message
    assert type(caught.value) is error
    assert float(jax.jit(jnp.sin)(0.0)) == 0.0  # everything works as before


def test_own_rules_are_checked() -> None:
    @jax.custom_jvp
    def f(x: Any) -> Any:
        return x * 2

    for rule, told in [
        (lambda primals, tangents: primals[0], "pair"),
        (lambda primals, tangents: ((primals[0],), tangents[0]), "structure"),
        (lambda primals, tangents: (primals[0], V), "f32[3]"),
    ]:
        f.defjvp(rule)
        with pytest.raises(TypeError, match="custom jvp rule") as caught:
            jax.grad(f)(1.0)
        assert told in str(caught.value)
