"""Rows about gradients: of a transformer, of a loop written in Python, of a solver of differential equations.

Each program is a loss of parameters and data, small enough that tracing and lowering are what one waits for,
and large enough that its running time is arithmetic.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.rows import Burst, best_of, row

Loss = Callable[..., Any]


def transformer(lib: Any) -> tuple[Loss, tuple[Any, ...]]:
    """Twelve pre-norm blocks of attention and a two-layer network, written as a Python loop over them."""
    jnp, nn = lib.np, lib.nn
    layers, batch, time_steps, width, heads = 12, 4, 64, 128, 4
    rng = np.random.default_rng(0)

    def weight(*shape: int) -> Any:
        return jnp.asarray((rng.standard_normal(shape) * shape[0] ** -0.5).astype(np.float32))

    params = [
        {
            "norm1": (jnp.ones(width), jnp.zeros(width)),
            "qkv": weight(width, 3 * width),
            "out": weight(width, width),
            "norm2": (jnp.ones(width), jnp.zeros(width)),
            "up": (weight(width, 4 * width), jnp.zeros(4 * width)),
            "down": (weight(4 * width, width), jnp.zeros(width)),
        }
        for _ in range(layers)
    ]
    x = weight(batch, time_steps, width)
    mask = np.tril(np.ones((time_steps, time_steps), bool))

    def norm(p: Any, x: Any) -> Any:
        scale, shift = p
        centred = x - x.mean(-1, keepdims=True)
        return centred / jnp.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5) * scale + shift

    def attention(p: Any, x: Any) -> Any:
        q, k, v = jnp.split((x @ p["qkv"]).reshape(batch, time_steps, heads, -1), 3, axis=-1)
        scores = jnp.einsum("bthd,bshd->bhts", q, k) / np.float32(np.sqrt(width / heads))
        weights = nn.softmax(jnp.where(mask, scores, -1e9), axis=-1)
        return jnp.einsum("bhts,bshd->bthd", weights, v).reshape(x.shape) @ p["out"]

    def block(p: Any, x: Any) -> Any:
        x = x + attention(p, norm(p["norm1"], x))
        h = nn.gelu(norm(p["norm2"], x) @ p["up"][0] + p["up"][1])
        return x + h @ p["down"][0] + p["down"][1]

    def loss(params: Any, x: Any) -> Any:
        for p in params:
            x = block(p, x)
        return (x**2).mean()

    return loss, (params, x)


def python_loop(lib: Any) -> tuple[Loss, tuple[Any, ...]]:
    """A hundred steps of a recurrent cell, unrolled by Python."""
    jnp = lib.np
    rng = np.random.default_rng(0)
    width = 64
    params = {
        "w": jnp.asarray((rng.standard_normal((width, width)) / 8).astype(np.float32)),
        "u": jnp.asarray((rng.standard_normal((width, width)) / 8).astype(np.float32)),
        "b": jnp.zeros(width),
    }
    xs = jnp.asarray(rng.standard_normal((100, 32, width)).astype(np.float32))

    def loss(params: Any, xs: Any) -> Any:
        h = jnp.zeros((32, width))
        for i in range(100):
            h = jnp.tanh(h @ params["w"] + xs[i] @ params["u"] + params["b"])
        return (h**2).mean()

    return loss, (params, xs)


def solver(lib: Any) -> tuple[Loss, tuple[Any, ...]]:
    """Fourth-order Runge-Kutta steps of a small network's flow in a scan, mapped over 64 starting points."""
    jnp = lib.np
    rng = np.random.default_rng(0)
    params = {
        "w1": jnp.asarray((rng.standard_normal((8, 32)) / 3).astype(np.float32)),
        "b1": jnp.zeros(32),
        "w2": jnp.asarray((rng.standard_normal((32, 8)) / 6).astype(np.float32)),
    }
    starts = jnp.asarray(rng.standard_normal((64, 8)).astype(np.float32))

    def flow(params: Any, y: Any) -> Any:
        return jnp.tanh(y @ params["w1"] + params["b1"]) @ params["w2"]

    def solve(params: Any, y: Any) -> Any:
        h = 0.05

        def step(y: Any, _: Any) -> Any:
            k1 = flow(params, y)
            k2 = flow(params, y + h / 2 * k1)
            k3 = flow(params, y + h / 2 * k2)
            k4 = flow(params, y + h * k3)
            y = y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
            return y, y

        return lib.lax.scan(step, y, None, length=100)[1]

    def loss(params: Any, starts: Any) -> Any:
        paths = lib.jx.vmap(solve, in_axes=(None, 0))(params, starts)
        return (paths**2).mean()

    return loss, (params, starts)


PROGRAMS = {
    "transformer": ("12-layer transformer", transformer),
    "python_loop": ("100-step Python loop", python_loop),
    "solver": ("scanned ODE solver, vmapped over 64", solver),
}


def _fresh_gradient(lib: Any, loss: Loss) -> Loss:
    """The gradient of a new function object, so that no cache knows it."""
    return lib.jx.grad(lambda *args: loss(*args))


def _register(name: str, title: str, make: Callable[[Any], tuple[Loss, tuple[Any, ...]]]) -> None:
    def trace(lib: Any) -> Burst:
        loss, args = make(lib)
        return best_of(lambda: lib.jx.jit(_fresh_gradient(lib, loss)).trace(*args))

    def lower(lib: Any) -> Burst:
        loss, args = make(lib)

        def burst(repeats: int) -> float:
            best = float("inf")
            for _ in range(repeats):
                traced = lib.jx.jit(_fresh_gradient(lib, loss)).trace(*args)
                start = time.perf_counter()
                traced.lower()
                best = min(best, time.perf_counter() - start)
            return best

        return burst

    def run(lib: Any) -> Burst:
        loss, args = make(lib)
        compiled = lib.jx.jit(lib.jx.grad(loss))
        lib.jx.block_until_ready(compiled(*args))
        return best_of(lambda: lib.jx.block_until_ready(compiled(*args)))

    def memory(lib: Any) -> Burst:
        loss, args = make(lib)
        analysis = lib.jx.jit(lib.jx.grad(loss)).lower(*args).compile().memory_analysis()
        peak = float(analysis.temp_size_in_bytes + analysis.output_size_in_bytes)
        return lambda repeats: peak

    for prepare, what, reach, repeats in (
        (trace, "trace", 0.5, 4),
        (lower, "lower", 0.2, 6),
        (run, "run", 1.02, 20),
        (memory, "memory of", 1.02, 1),
    ):
        prepare.__name__ = f"{what.split()[0]}_{name}"
        row(f"{what} the gradient of: {title}", reach, repeats=repeats, is_bytes=what == "memory of")(prepare)


for _name, (_title, _make) in PROGRAMS.items():
    _register(_name, _title, _make)


@row("eager gradient of a 100-op function", 0.6, repeats=3)
def eager_grad(lib: Any) -> Burst:
    x = lib.np.ones(8)

    def loss(x: Any) -> Any:
        for _ in range(33):
            x = lib.np.sin(x) * 2.0 + x
        return x.sum()

    gradient = lib.jx.grad(loss)
    lib.jx.block_until_ready(gradient(x))
    return best_of(lambda: lib.jx.block_until_ready(gradient(x)))


@row("grad in a Python loop over a jitted loss, per step", 0.95)
def grad_of_jitted(lib: Any) -> Burst:
    loss, args = regression(lib)
    gradient = lib.jx.grad(lib.jx.jit(loss))
    lib.jx.block_until_ready(gradient(*args))

    def step() -> Any:
        return lib.jx.block_until_ready(gradient(*args))

    return best_of(step, inner=10)


def regression(lib: Any) -> tuple[Loss, tuple[Any, ...]]:
    """A small regression: what is measured is the path through grad and jit, not the arithmetic."""
    jnp = lib.np
    params = {"w": jnp.ones((8, 4)), "b": jnp.zeros(4)}
    x, y = jnp.ones((16, 8)), jnp.zeros((16, 4))

    def loss(params: Any, x: Any, y: Any) -> Any:
        return ((jnp.tanh(x @ params["w"] + params["b"]) - y) ** 2).mean()

    return loss, (params, x, y)
