"""The rows of the benchmark table that are measured inside a warm process.

A row prepares its arrays and functions for a library and returns a burst: a function of a number of repeats
that gives the best time of one call, in seconds. The best of a short burst is what the machine can do between
disturbances; the driver takes the median over interleaved bursts.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Burst = Callable[[int], float]


@dataclass(frozen=True)
class Row:
    """A row: what it measures in words, the ratio it has to stay under, and how it is measured."""

    title: str
    reach: float | None
    prepare: Callable[[Any], Burst]
    repeats: int
    is_bytes: bool = False


ROWS: dict[str, Row] = {}


def row(
    title: str, reach: float | None = None, repeats: int = 20, is_bytes: bool = False
) -> Callable[[Callable[[Any], Burst]], Any]:
    """Register the decorated function as a row; its bursts give bytes instead of seconds if ``is_bytes``."""

    def register(prepare: Callable[[Any], Burst]) -> Any:
        ROWS[prepare.__name__] = Row(title, reach, prepare, repeats, is_bytes)
        return prepare

    return register


def best_of(call: Callable[[], Any], inner: int = 1) -> Burst:
    """The best time of one call, over repeats of ``inner`` calls each."""

    def burst(repeats: int) -> float:
        best = float("inf")
        for _ in range(repeats):
            start = time.perf_counter()
            for _ in range(inner):
                call()
            best = min(best, time.perf_counter() - start)
        return best / inner

    return burst


def thousand(jnp: Any) -> Callable[[Any], Any]:
    """A function of a thousand operations through the NumPy API."""

    def function(x: Any) -> Any:
        for i in range(125):
            y = jnp.sin(x) * 2.0 + x
            z = jnp.exp(y - x) / (1.0 + i)
            x = jnp.maximum(z, y) - z
        return x

    return function


@row("trace a 1,000-op function through numpy", 0.6, repeats=3)
def trace(lib: Any) -> Burst:
    x = lib.np.ones((8, 8), "float32")
    return best_of(lambda: lib.jx.make_jaxpr(_fresh(thousand(lib.np)))(x))


def _fresh(fun: Callable[..., Any]) -> Callable[..., Any]:
    """A new function object, so that no cache knows it."""
    return lambda *args: fun(*args)


@row("lower it", 0.3, repeats=3)
def lower(lib: Any) -> Burst:
    x = lib.np.ones((8, 8), "float32")

    def burst(repeats: int) -> float:
        best = float("inf")
        for _ in range(repeats):
            traced = lib.jx.jit(_fresh(thousand(lib.np))).trace(x)
            start = time.perf_counter()
            traced.lower()
            best = min(best, time.perf_counter() - start)
        return best

    return burst


@row("trace the gradient of it", 0.6, repeats=3)
def trace_grad(lib: Any) -> Burst:
    x = lib.np.ones((8, 8), "float32")
    return best_of(lambda: lib.jx.make_jaxpr(lib.jx.grad(lambda x: thousand(lib.np)(x).sum()))(x))


@row("compile a digits training step", None, repeats=1)
def compile_step(lib: Any) -> Burst:
    step, state = digits(lib)

    def burst(repeats: int) -> float:
        best = float("inf")
        for _ in range(repeats):
            # A new constant makes a new program, so that no cache helps.
            lowered = lib.jx.jit(_scaled(step, 1 + time.perf_counter_ns() * 1e-18)).lower(*state)
            start = time.perf_counter()
            lowered.compile()
            best = min(best, time.perf_counter() - start)
        return best

    return burst


def _scaled(step: Callable[..., Any], factor: float) -> Callable[..., Any]:
    """A training step whose loss is multiplied by a constant."""

    def scaled(*args: Any) -> Any:
        params, loss = step(*args)
        return params, loss * factor

    return scaled


def _dispatch(lib: Any, count: int) -> Burst:
    arrays = {f"x{i}": lib.np.full((4,), float(i)) for i in range(count)}
    function = lib.jx.jit(lambda d: {k: v + 1.0 for k, v in d.items()})
    lib.jx.block_until_ready(function(arrays))
    return best_of(lambda: function(arrays), inner=200 if count < 100 else 50)


@row("jit dispatch, 2 arrays", 0.95)
def dispatch_2(lib: Any) -> Burst:
    x, y = lib.np.ones(4), lib.np.ones(4)
    function = lib.jx.jit(lambda x, y: x + y)
    lib.jx.block_until_ready(function(x, y))
    return best_of(lambda: function(x, y), inner=500)


@row("jit dispatch, 20 arrays")
def dispatch_20(lib: Any) -> Burst:
    return _dispatch(lib, 20)


@row("jit dispatch, 200 arrays")
def dispatch_200(lib: Any) -> Burst:
    return _dispatch(lib, 200)


def _eager(lib: Any, call: Callable[[Any], Any]) -> Burst:
    lib.jx.block_until_ready(call(lib))
    return best_of(lambda: call(lib), inner=300)


@row("eager a + b", 0.7)
def eager_add(lib: Any) -> Burst:
    a, b = lib.np.ones(4), lib.np.ones(4)
    return _eager(lib, lambda _: a + b)


@row("eager a + 1.0")
def eager_add_scalar(lib: Any) -> Burst:
    a = lib.np.ones(4)
    return _eager(lib, lambda _: a + 1.0)


@row("eager jnp.sin(a)")
def eager_sin(lib: Any) -> Burst:
    a = lib.np.ones(4)
    return _eager(lib, lambda lib: lib.np.sin(a))


@row("eager a.sum()")
def eager_sum(lib: Any) -> Burst:
    a = lib.np.ones((4, 4))
    return _eager(lib, lambda _: a.sum())


@row("eager a @ b")
def eager_matmul(lib: Any) -> Burst:
    a = lib.np.ones((4, 4))
    return _eager(lib, lambda _: a @ a)


@row("eager a[0]", 0.2)
def eager_index(lib: Any) -> Burst:
    a = lib.np.ones((4, 4))
    return _eager(lib, lambda _: a[0])


@row("eager a[1:3]")
def eager_slice(lib: Any) -> Burst:
    a = lib.np.ones((4, 4))
    return _eager(lib, lambda _: a[1:3])


def digits(lib: Any) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    """A training step of the quickstart's classifier, and its state: layers of 64, 128 and 10 units."""
    rng = np.random.default_rng(0)
    x = lib.np.asarray(rng.random((1347, 64), np.float32))
    y = lib.np.asarray(rng.integers(0, 10, 1347))
    sizes = [64, 128, 10]
    params = [
        {"w": lib.np.asarray(rng.standard_normal((m, n), np.float32) * 0.1), "b": lib.np.zeros(n)}
        for m, n in itertools.pairwise(sizes)
    ]

    def predict(params: Any, x: Any) -> Any:
        for layer in params[:-1]:
            x = lib.np.tanh(x @ layer["w"] + layer["b"])
        return x @ params[-1]["w"] + params[-1]["b"]

    def loss(params: Any, x: Any, y: Any) -> Any:
        log_p = lib.nn.log_softmax(predict(params, x))
        return -lib.np.mean(lib.np.sum(log_p * lib.nn.one_hot(y, 10), axis=-1))

    def step(params: Any, x: Any, y: Any) -> Any:
        value, gradient = lib.jx.value_and_grad(loss)(params, x, y)
        return lib.jx.tree_util.tree_map(lambda p, g: p - 0.1 * g, params, gradient), value

    return step, (params, x, y)


@row("run a compiled digits training step", 1.02, repeats=10)
def run_step(lib: Any) -> Burst:
    step, (params, x, y) = digits(lib)
    compiled = lib.jx.jit(step)
    lib.jx.block_until_ready(compiled(params, x, y))
    return best_of(lambda: lib.jx.block_until_ready(compiled(params, x, y)), inner=5)
