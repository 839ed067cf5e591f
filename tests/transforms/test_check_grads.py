"""``check_grads`` and its parts: they pass right derivatives, of all orders and modes, and no wrong one."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import jaxlab as jax
import jaxlab.numpy as jnp
from jaxlab import lax
from jaxlab.test_util import check_grads, check_jvp, check_vjp

X = np.linspace(0.2, 1.4, 6).reshape(2, 3)
Z = X + 1j * X[::-1]

RIGHT: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "sin": (jnp.sin, (X,)),
    "a number": (lambda x: x**3, (1.5,)),
    "matrix product": (lambda a, b: jnp.tanh(a @ b), (X, X.T)),
    "softmax": (lambda x: jax.nn.softmax(x), (X,)),
    "pytree": (lambda p: {"y": p["a"] * p["b"][0]}, ({"a": X, "b": (2.0,)},)),
    "complex": (lambda z: jnp.exp(z) * jnp.conj(z), (Z,)),
    "complex to real": (lambda z: jnp.abs(z), (Z,)),
    "real to complex": (lambda x: jnp.exp(1j * x), (X,)),
    "integer argument": (lambda x, i: jnp.sin(x)[i], (X, np.array([1, 0]))),
    "integer result": (lambda x: (jnp.sin(x), jnp.argmax(x)), (X,)),
    "scan": (lambda x: lax.scan(lambda c, a: (jnp.sin(c * a), c * a), x[0], x), (X,)),
    "cond": (lambda x: lax.cond(x[0, 0] > 0, jnp.sin, jnp.cos, x), (X,)),
    "jit": (jax.jit(lambda x: jnp.sin(x) * x), (X,)),
    "checkpoint": (jax.checkpoint(lambda x: jnp.sin(jnp.sin(x))), (X,)),
    "vmap": (jax.vmap(lambda x: jnp.sin(x) @ x), (X,)),
}


@pytest.fixture(autouse=True)
def sixty_four_bits() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


@pytest.mark.parametrize("modes", [("fwd",), ("rev",), ("lin",), ("fwd", "rev", "lin")], ids="+".join)
@pytest.mark.parametrize("name", RIGHT)
def test_right_derivatives_pass(name: str, modes: tuple[str, ...]) -> None:
    f, args = RIGHT[name]
    check_grads(f, args, order=2, modes=modes)


def test_third_order() -> None:
    check_grads(lambda x: jnp.sin(x) * jnp.exp(x), (X,), order=3, atol=1e-4, rtol=1e-4)


def test_single_precision_takes_its_own_tolerances() -> None:
    check_grads(jnp.sin, (X.astype(np.float32),), order=1, eps=1e-2)


@jax.custom_jvp
def wrong(x: Any) -> Any:
    """The sine, with a derivative that is wrong."""
    return jnp.sin(x)


wrong.defjvp(lambda primals, tangents: (jnp.sin(primals[0]), tangents[0] * jnp.cos(primals[0]) * 1.001))


@jax.custom_jvp
def wrong_twice(x: Any) -> Any:
    """The sine, with a derivative that is right, of which the derivative is wrong."""
    return jnp.sin(x)


def _right_once(primals: Any, tangents: Any) -> Any:
    (x,), (t,) = primals, tangents
    return jnp.sin(x), t * (jnp.cos(lax.stop_gradient(x)) - 2 * (x - lax.stop_gradient(x)))


wrong_twice.defjvp(_right_once)


@pytest.mark.parametrize("mode", ["fwd", "rev", "lin"])
def test_a_wrong_rule_is_caught(mode: str) -> None:
    with pytest.raises(AssertionError):
        check_grads(wrong, (X,), order=1, modes=(mode,))


@pytest.mark.parametrize("mode", ["fwd", "rev", "lin"])
def test_a_rule_wrong_in_second_order_is_caught_there(mode: str) -> None:
    check_grads(wrong_twice, (X,), order=1, modes=(mode,))
    with pytest.raises(AssertionError):
        check_grads(wrong_twice, (X,), order=2, modes=(mode,))


def test_rules_by_themselves() -> None:
    check_jvp(jnp.sin, functools.partial(jax.jvp, jnp.sin), (X,))
    check_vjp(jnp.sin, functools.partial(jax.vjp, jnp.sin), (X,))
    with pytest.raises(AssertionError, match="tangent"):
        check_jvp(jnp.sin, functools.partial(jax.jvp, wrong), (X,))
    with pytest.raises(AssertionError, match="cotangent projection"):
        check_vjp(jnp.sin, functools.partial(jax.vjp, wrong), (X,))
    with pytest.raises(AssertionError, match="primal"):
        check_jvp(jnp.sin, functools.partial(jax.jvp, jnp.cos), (X,))
    with pytest.raises(AssertionError, match="primal"):
        check_vjp(jnp.sin, functools.partial(jax.vjp, jnp.cos), (X,))


def test_tolerances_count() -> None:
    check_grads(wrong, (X,), order=1, atol=1e-2, rtol=1e-2)
    check_grads(wrong, (X,), order=1, atol={np.float64: 1e-2}, rtol={np.float64: 1e-2})
    with pytest.raises(AssertionError):
        check_grads(wrong, (X,), order=1, atol={np.float32: 1e-2}, rtol={np.float32: 1e-2})


def test_a_step_that_is_too_large_is_no_derivative() -> None:
    with pytest.raises(AssertionError):
        check_grads(lambda x: x**3, (X,), order=1, eps=0.5)
