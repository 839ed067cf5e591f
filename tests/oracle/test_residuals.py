"""Reverse mode keeps no more than jax's does: the count and the bytes of what is saved, program by program."""

from __future__ import annotations

import ast
from importlib.metadata import version
from typing import Any

import numpy as np
import pytest
from jax_process import answers_of_jax, namespace

pytestmark = pytest.mark.skipif(
    not version("jax").startswith("0.10."), reason="residuals are those of jax 0.10; here is another jax"
)

_LAYER = "lambda w, x: jnp.tanh(x @ w)"
_STEP = "lambda c, x: (jnp.sin(c * x), jnp.cos(c))"

# Each program with the expressions of its arguments.
PROGRAMS: list[tuple[str, str]] = [
    ("lambda x: jnp.sin(x)", "f32(8)"),
    ("lambda x: jnp.sin(jnp.cos(jnp.exp(x)))", "f32(8)"),
    ("lambda x: x * x", "f32(8)"),
    ("lambda x: 2.0 * x + 1.0", "f32(8)"),
    ("lambda x: -x / 3.0", "f32(8)"),
    ("lambda x, y: x + y", "f32(8), f32(8)"),
    ("lambda x, y: x * y", "f32(8), f32(8)"),
    ("lambda x, y: x / y", "f32(8), f32(8, low=1)"),
    ("lambda x, y: jnp.sin(x) * y", "f32(8), f32(8)"),
    ("lambda x, y: x ** y", "f32(8, low=1), f32(8)"),
    ("lambda x: x ** 3", "f32(8)"),
    ("lambda x: x ** 2.5", "f32(8, low=1)"),
    ("lambda x: jnp.sqrt(x)", "f32(8, low=1)"),
    ("lambda x: jnp.exp(x)", "f32(8)"),
    ("lambda x: jnp.log(x)", "f32(8, low=1)"),
    ("lambda x: jnp.log1p(x)", "f32(8, low=1)"),
    ("lambda x: jnp.tanh(x)", "f32(8)"),
    ("lambda x: jnp.arctan2(x, 2.0)", "f32(8)"),
    ("lambda x: jnp.abs(x)", "f32(8)"),
    ("lambda x: jnp.sign(x) * x", "f32(8)"),
    ("lambda x: jnp.floor(x) + x", "f32(8)"),
    ("lambda x: jnp.maximum(x, 0.0)", "f32(8)"),
    ("lambda x, y: jnp.minimum(x, y)", "f32(8), f32(8)"),
    ("lambda x: jnp.clip(x, -1.0, 1.0)", "f32(8)"),
    ("lambda x: jnp.where(x > 0, x, jnp.sin(x))", "f32(8)"),
    ("lambda x: nn.relu(x)", "f32(8)"),
    ("lambda x: nn.relu(nn.relu(nn.relu(x)))", "f32(8)"),
    ("lambda x: nn.sigmoid(x)", "f32(8)"),
    ("lambda x: nn.silu(x)", "f32(8)"),
    ("lambda x: nn.gelu(x)", "f32(8)"),
    ("lambda x: nn.softplus(x)", "f32(8)"),
    ("lambda x: nn.softmax(x)", "f32(4, 8)"),
    ("lambda x: nn.log_softmax(x)", "f32(4, 8)"),
    ("lambda x: jnp.logaddexp(x, 1.0)", "f32(8)"),
    ("lambda x: x.sum()", "f32(4, 8)"),
    ("lambda x: x.mean(axis=0)", "f32(4, 8)"),
    ("lambda x: x.var(axis=-1)", "f32(4, 8)"),
    ("lambda x: x.max(axis=-1)", "f32(4, 8)"),
    ("lambda x: x.min()", "f32(4, 8)"),
    ("lambda x: x.prod()", "f32(8)"),
    ("lambda x: jnp.linalg.norm(x)", "f32(8)"),
    ("lambda x: (x - x.mean(-1, keepdims=True)) / jnp.sqrt(x.var(-1, keepdims=True) + 1e-5)", "f32(4, 8)"),
    ("lambda w, x: x @ w", "f32(8, 8), f32(4, 8)"),
    (_LAYER, "f32(8, 8), f32(4, 8)"),
    ("lambda w, b, x: nn.relu(x @ w + b)", "f32(8, 8), f32(8), f32(4, 8)"),
    ("lambda w, x: nn.relu(nn.relu(x @ w) @ w)", "f32(8, 8), f32(4, 8)"),
    ("lambda a, b: jnp.einsum('bij,bjk->bik', a, b)", "f32(2, 3, 4), f32(2, 4, 5)"),
    ("lambda q, k, v: nn.softmax(q @ k.T / 2.0) @ v", "f32(4, 8), f32(4, 8), f32(4, 8)"),
    ("lambda x: x.T.reshape(4, 4)[1:3]", "f32(8, 2)"),
    ("lambda x: jnp.concatenate([x, x * 2])", "f32(8)"),
    ("lambda x: jnp.pad(x, 2) * 3.0", "f32(8)"),
    ("lambda x: x[::-1] * 2.0", "f32(8)"),
    ("lambda x, i: x[i]", "f32(8), i32(3)"),
    ("lambda x, i: x.at[i].set(0.0)", "f32(8), i32(3)"),
    ("lambda x, i: x.at[i].add(x[0])", "f32(8), i32(3)"),
    ("lambda x, i: lax.dynamic_slice(x, (i,), (3,))", "f32(8), np.int32(2)"),
    ("lambda x, i: lax.dynamic_update_slice(x, x[:3], (i,))", "f32(8), np.int32(2)"),
    ("lambda x: jnp.sort(x)", "f32(8)"),
    ("lambda x: jnp.take_along_axis(x, jnp.argsort(x), 0)", "f32(8)"),
    ("lambda x: jnp.cumsum(x)", "f32(8)"),
    ("lambda x: jnp.cumprod(x)", "f32(8)"),
    ("lambda x: lax.top_k(x, 3)[0]", "f32(8)"),
    ("lambda x: jnp.median(x)", "f32(9)"),
    ("lambda x: x.astype(jnp.bfloat16) * 2", "f32(8)"),
    ("lambda x: lax.stop_gradient(jnp.sin(x)) * x", "f32(8)"),
    ("lambda z: jnp.abs(z * z)", "c64(8)"),
    ("lambda z: (jnp.exp(z) * jnp.conj(z)).real", "c64(8)"),
    ("jax.jit(lambda x: jnp.sin(x))", "f32(8)"),
    ("jax.jit(lambda x: jnp.sin(x) * x)", "f32(8)"),
    ("jax.jit(lambda x, y: x * y)", "f32(8), f32(8)"),
    ("lambda x: jax.jit(lambda y: y * x)(jnp.sin(x))", "f32(8)"),
    ("lambda x: jax.jit(jax.jit(lambda y: jnp.sin(y) * y))(x)", "f32(8)"),
    ("jax.jit(lambda x: (jnp.exp(x), 3.0))", "f32(8)"),
    ("jax.jit(lambda x: (jnp.exp(x), jnp.exp(x)))", "f32(8)"),
    ("jax.jit(lambda w, x: (x @ w, x))", "f32(8, 8), f32(4, 8)"),
    (f"lambda c, x: lax.scan({_STEP}, c, x)", "np.float32(1), f32(5)"),
    (f"lambda c, x: lax.scan({_STEP}, c, x)[0]", "np.float32(1), f32(5)"),
    (f"lambda c, x: lax.scan({_STEP}, c, x, reverse=True)[1]", "np.float32(1), f32(5)"),
    (
        "lambda w, x: lax.scan(lambda c, _: (jnp.tanh(c @ w), None), x, None, length=5)[0]",
        "f32(8, 8), f32(4, 8)",
    ),
    ("lambda w, x: lax.scan(lambda c, w: (jnp.tanh(c @ w), None), x, w)[0]", "f32(3, 8, 8), f32(4, 8)"),
    ("lambda w, x: lax.scan(lambda c, _: (c * jnp.sin(w), c), x, None, length=5)", "f32(8), f32(8)"),
    ("lambda w, x: lax.scan(lambda c, _: (c * w, c), x, None, length=5)", "f32(8), f32(8)"),
    ("lambda x: lax.scan(lambda c, y: (c + y, c * 2.0), x[0], x)", "f32(8)"),
    ("lambda x: lax.scan(lambda c, y: (c + jnp.sin(y), y * y), 0.0, x)", "f32(8)"),
    ("lambda x: lax.scan(lambda c, i: (c + 1, jnp.sin(x[c])), 0, None, length=8)[1]", "f32(8)"),
    ("lambda x: lax.map(lambda y: jnp.sin(y) * y, x)", "f32(8)"),
    ("lambda x: lax.fori_loop(0, 5, lambda i, c: jnp.sin(c) * x, x)", "f32(8)"),
    ("lambda x: lax.fori_loop(0, 5, lambda i, c: c * 2.0, x)", "f32(8)"),
    ("lambda x: lax.cond(x[0] > 0, lambda y: jnp.sin(y), lambda y: y * 2.0, x)", "f32(8)"),
    ("lambda x: lax.cond(x[0] > 0, lambda y: jnp.sin(y), lambda y: jnp.cos(y) * y, x)", "f32(8)"),
    ("lambda x, y: lax.cond(True, lambda a, b: a * b, lambda a, b: a + b, x, y)", "f32(8), f32(8)"),
    ("lambda i, x: lax.switch(i, [jnp.sin, jnp.exp, lambda y: y], x)", "np.int32(1), f32(8)"),
    ("jax.checkpoint(lambda x: jnp.sin(jnp.sin(x)))", "f32(8)"),
    ("lambda w, x: jax.checkpoint(lambda x: jnp.tanh(x @ w))(x)", "f32(8, 8), f32(4, 8)"),
    (
        "jax.checkpoint(lambda w, x: jnp.tanh(jnp.tanh(x @ w) @ w),"
        " policy=jax.checkpoint_policies.dots_saveable)",
        "f32(8, 8), f32(4, 8)",
    ),
    (
        "jax.checkpoint(jax.jit(lambda w, x: jnp.tanh(jnp.tanh(x @ w) @ w)),"
        " policy=jax.checkpoint_policies.dots_saveable)",
        "f32(8, 8), f32(4, 8)",
    ),
    (
        "lambda w, x: lax.scan(jax.checkpoint(lambda c, _: (jnp.tanh(c @ w), None)), x, None, length=5)[0]",
        "f32(8, 8), f32(4, 8)",
    ),
    (
        "jax.checkpoint(lambda w, x: lax.scan(lambda c, _: (jnp.tanh(c @ w), None), x, None, length=5)[0],"
        " policy=jax.checkpoint_policies.dots_saveable)",
        "f32(8, 8), f32(4, 8)",
    ),
    (
        "jax.checkpoint(lambda x: lax.cond(x[0] > 0, lambda y: jnp.sin(jnp.sin(y)), lambda y: y * 2.0, x),"
        " policy=jax.checkpoint_policies.everything_saveable)",
        "f32(8)",
    ),
    ("jax.vmap(lambda x: jnp.sin(x) * x)", "f32(8)"),
    ("lambda w, x: jax.vmap(lambda y: jnp.tanh(w @ y))(x)", "f32(8, 8), f32(4, 8)"),
    ("jax.grad(lambda x: jnp.sin(x) * x)", "np.float32(2)"),
    ("jax.grad(lambda x: (jnp.tanh(x) ** 2).sum())", "f32(8)"),
    ("lambda x: jax.jvp(jnp.sin, (x,), (x,))[1]", "f32(8)"),
    ("lambda x: x", "f32(8)"),
    ("lambda x: jnp.zeros(3)", "f32(8)"),
    ("lambda x, n: x * n", "f32(8), i32(8)"),
    ("lambda x: jnp.sin(x) * (x > 0)", "f32(8)"),
    ("lambda x: jnp.outer(x, x)", "f32(8)"),
    ("lambda x: jnp.dot(x, x)", "f32(8)"),
    ("lambda x: x * jnp.arange(8.0)", "f32(8)"),
    ("lambda x: x @ np.ones((8, 3), np.float32)", "f32(8)"),
    ("lambda x: x[:, None] * jnp.ones((8, 5))", "f32(8)"),
    ("lambda x: jnp.broadcast_to(jnp.sin(x), (100, 8)) * 2.0", "f32(8)"),
    ("lambda x: jnp.broadcast_to(x, (100, 8)) * jnp.arange(100.)[:, None]", "f32(8)"),
    (
        "lambda x: lax.conv_general_dilated(x, x[:1], (1, 1), 'SAME',"
        " dimension_numbers=('NCHW', 'OIHW', 'NCHW'))",
        "f32(2, 3, 8, 8)",
    ),
    ("lambda x: lax.reduce_window(x, -np.inf, lax.max, (2,), (2,), 'VALID')", "f32(8)"),
]

_JAX = "str([(x.shape, x.dtype.name) for x in jax.tree.leaves(jax.eval_shape(lambda *a: jax.vjp({}, *a)[1], {}))])"
TABLE = tuple(_JAX.format(*program) for program in PROGRAMS)

# Programs of which ours keeps more, each with the reason.
LARGER = {
    "lambda x: jnp.median(x)": "chooses the middle values by masks, where jax gathers them by their places",
}


def total(saved: list[tuple[tuple[int, ...], str]]) -> int:
    """The bytes of arrays of these shapes and dtypes."""
    sizes = {"bfloat16": 2}
    return sum(
        int(np.prod(shape, dtype=int)) * (sizes.get(dtype) or np.dtype(dtype).itemsize)
        for shape, dtype in saved
    )


def ours(program: tuple[str, str]) -> list[tuple[tuple[int, ...], str]]:
    """What jaxlab keeps."""
    names: dict[str, Any] = namespace("jaxlab")
    saved = eval(f"ad_checkpoint.saved_residuals({program[0]}, {program[1]})", names)
    return [(aval.shape, aval.dtype.name) for aval, _ in saved]


def theirs(program: tuple[str, str]) -> list[tuple[tuple[int, ...], str]]:
    """What jax keeps."""
    answer = answers_of_jax(TABLE)[_JAX.format(*program)]
    assert answer[:2] == ("python", "str"), answer
    return ast.literal_eval(ast.literal_eval(answer[2]))  # type: ignore[no-any-return]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p[0])
def test_keeps_no_more_than_jax(program: tuple[str, str]) -> None:
    mine, other = ours(program), theirs(program)
    larger = total(mine) > total(other) or (total(mine) == total(other) and len(mine) > len(other))
    assert larger is (program[0] in LARGER), f"ours keeps {mine}, jax {other}"


def test_table() -> None:
    assert len(PROGRAMS) >= 40
    assert set(LARGER) <= {program for program, _ in PROGRAMS}
