"""Random keys used twice, in eager code and in programs, as jax finds them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import jaxlab as jax
from jaxlab import lax, random


def twice(k: Any) -> Any:
    return random.normal(k) + random.normal(k)


def parent(k: Any) -> Any:
    random.split(k)
    return random.normal(k)


def one_of_many(k: Any) -> Any:
    keys = random.split(k)
    return random.normal(keys[0]) + random.normal(keys[0])


def unpacked(k: Any) -> Any:
    a, _ = random.split(k)
    return random.normal(a) + random.normal(a)


def in_a_loop(k: Any) -> Any:
    return lax.scan(lambda c, _: (c, random.normal(k)), 0.0, None, length=3)


def in_while(k: Any) -> Any:
    return lax.while_loop(lambda c: c < 3.0, lambda c: c + 1 + random.normal(k) ** 2, 0.0)


def after_a_branch(k: Any) -> Any:
    return lax.cond(True, lambda k: random.normal(k), lambda k: 0.0, k) + random.normal(k)


def each_of_many(k: Any) -> Any:
    keys = random.split(k)
    return random.normal(keys[0]) + random.normal(keys[1])


def one_a_step(k: Any) -> Any:
    return lax.scan(lambda c, k: (c, random.normal(k)), 0.0, random.split(k, 3))


def carried(k: Any) -> Any:
    def step(k: Any, _: Any) -> Any:
        k, part = random.split(k)
        return k, random.normal(part)

    return lax.scan(step, k, None, length=3)[1]


def in_either_branch(k: Any) -> Any:
    return lax.cond(True, lambda k: random.normal(k), lambda k: random.uniform(k), k)


def folded(k: Any) -> Any:
    return random.normal(random.fold_in(k, 1)) + random.normal(random.fold_in(k, 2))


def cloned(k: Any) -> Any:
    return random.normal(random.clone(k)) + random.normal(k)


def mapped(k: Any) -> Any:
    return jax.vmap(random.normal)(random.split(k, 3))


WRONG = [twice, parent, one_of_many, unpacked, in_a_loop, in_while, after_a_branch]
RIGHT = [each_of_many, one_a_step, carried, in_either_branch, folded, cloned, mapped]
ROUTES: dict[str, Callable[[Any], Any]] = {
    "eager": lambda f: f(random.key(0)),
    "jit": lambda f: jax.jit(f)(random.key(0)),
    "jit of jit": lambda f: jax.jit(lambda k: jax.jit(f)(k))(random.key(0)),
}


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("f", WRONG, ids=lambda f: f.__name__)
def test_reuse_is_an_error(f: Any, route: str) -> None:
    ROUTES[route](f)  # without the option it is allowed
    with jax.debug_key_reuse(True), pytest.raises(jax.errors.KeyReuseError) as caught:
        ROUTES[route](f)
    message = str(caught.value)
    assert "test_keys_used_twice.py:" in message and f"({f.__name__}" in message
    assert "but it was used before, and would give the same numbers again; split it first" in message


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("f", RIGHT, ids=lambda f: f.__name__)
def test_what_is_right_is_left_alone(f: Any, route: str) -> None:
    with jax.debug_key_reuse(True):
        ROUTES[route](f)


def test_a_program_remembers_for_the_next() -> None:
    draw = jax.jit(lambda k: random.normal(k))
    with jax.debug_key_reuse(True):
        key = random.key(0)
        draw(key)
        with pytest.raises(jax.errors.KeyReuseError):
            draw(key)
        draw(random.key(0))
