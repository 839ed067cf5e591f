"""What was traced and compiled for a function goes with the function, and so does what it closes over."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import jaxlab as jax
import jaxlab.numpy as jnp
from jaxlab import lax
from jaxlab.caching import stats

V = np.arange(3.0, dtype=np.float32)
Function = Callable[[Any], Any]

USES: dict[str, Callable[[Function], Any]] = {
    "jit": lambda f: jax.jit(f)(1.0),
    "donating jit": lambda f: jax.jit(f, donate_argnums=0)(jnp.ones(10)),
    "static": lambda f: jax.jit(lambda x, n: f(x) * n, static_argnums=1)(1.0, 2),
    "jit in jit": lambda f: jax.jit(jax.jit(f))(1.0),
    "ahead of time": lambda f: jax.jit(f).lower(1.0).compile()(1.0),
    "eval_shape": lambda f: jax.eval_shape(f, 1.0),
    "make_jaxpr": lambda f: jax.make_jaxpr(f)(1.0),
    "grad of jit": lambda f: jax.grad(lambda x: jax.jit(f)(x).sum())(1.0),
    "jit of grad": lambda f: jax.jit(jax.grad(lambda x: f(x).sum()))(1.0),
    "vmap of jit": lambda f: jax.vmap(jax.jit(f))(V),
    "scan": lambda f: lax.scan(lambda c, x: (c + f(x).sum(), x), 0.0, V),
    "cond": lambda f: lax.cond(True, f, lambda x: x + jnp.zeros(10), 1.0),
    "while_loop": lambda f: lax.while_loop(lambda x: x.sum() < 100, lambda x: x + f(x), jnp.ones(10)),
    "fori_loop in jit": lambda f: jax.jit(lambda x: lax.fori_loop(0, 3, lambda i, c: c + f(x), jnp.ones(10)))(
        1.0
    ),
    "export": lambda f: jax.export.export(jax.jit(f))(1.0).call(1.0),
}


class Token:
    """Something that a function may hold."""


@pytest.mark.parametrize("use", USES)
def test_functions_made_in_a_loop_die(use: str) -> None:
    held: list[weakref.ref[Any]] = []
    for i in range(3):
        token, big = Token(), jnp.arange(10.0) + i

        def f(x: Any, token: Any = token, big: Any = big) -> Any:
            return jnp.sum(x) * 2 + big

        held += [weakref.ref(token), weakref.ref(big), weakref.ref(f)]
        USES[use](f)
        del token, big, f
    gc.collect()
    assert [ref() for ref in held] == [None] * len(held)


def test_bound_methods_let_their_object_go() -> None:
    class Model:
        def __init__(self) -> None:
            self.weight = jnp.ones(3)

        def apply(self, x: Any) -> Any:
            return x * self.weight

    model = Model()
    jax.jit(model.apply)(V)
    held = weakref.ref(model), weakref.ref(model.weight)
    del model
    gc.collect()
    assert [ref() for ref in held] == [None, None]


def test_caches_do_not_grow_with_functions() -> None:
    names = ("traces", "programs", "signatures", "control flow bodies", "eager dispatchers", "fast paths")

    def sizes() -> dict[str, int]:
        gc.collect()
        return {s.name: s.size for s in stats() if s.name in names}

    def work() -> None:
        for i in range(10):
            jax.jit(lambda x: x + i)(1.0)  # called at once
            lax.fori_loop(0, 2, lambda j, x: x + j, i)

    work()
    before = sizes()
    work()
    assert sizes() == before


def test_a_living_function_keeps_its_trace() -> None:
    calls = []

    def f(x: Any) -> Any:
        calls.append(1)
        return x + 1

    jax.jit(f)(1.0)
    gc.collect()
    jax.jit(f)(2.0)
    assert len(calls) == 1
    g = jax.jit(f)
    g.clear_cache()
    g(1.0)
    assert len(calls) == 2
