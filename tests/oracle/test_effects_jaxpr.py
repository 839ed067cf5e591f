"""Programs with effects have the jaxprs of jax, printed the same way."""

from __future__ import annotations

import re
from importlib.metadata import version

import pytest
from jax_process import texts

pytestmark = pytest.mark.skipif(
    not version("jax").startswith("0.10."), reason="jaxprs have the text of jax 0.10; here is another jax"
)

STRUCT = "jax.ShapeDtypeStruct((), np.float32)"
METHODS = ("sequential", "sequential_unrolled", "expand_dims", "broadcast_all", "legacy_vectorized")

PROGRAMS = [
    "lambda x: jax.pure_callback(np.sin, x, x)",
    "lambda x: jax.pure_callback(max, (x, {'a': x}), x, [x, x], y=x)",
    "lambda x: jax.pure_callback(max, None, x)",
    "lambda x: jax.pure_callback(np.sin, x, 2.0)",
    "lambda x: jax.jit(lambda y: jax.pure_callback(np.sin, y, y) + 1)(x)",
    *[
        f"jax.vmap(lambda x: jax.pure_callback(np.sin, {STRUCT}, x, vmap_method={method!r}))"
        for method in METHODS
    ],
    *[
        f"lambda x: jax.vmap(lambda x, y: jax.pure_callback(np.add, {STRUCT}, x, y, "
        f"vmap_method={method!r}), (0, None))(x, 1.0)"
        for method in METHODS
    ],
    "lambda x: experimental.io_callback(np.sin, x, x)",
    "lambda x: experimental.io_callback(np.sin, x, x, ordered=True)",
    "lambda x: experimental.io_callback(print, None, x)",
    f"jax.vmap(lambda x: experimental.io_callback(np.sin, {STRUCT}, x))",
    "lambda x: (experimental.io_callback(np.sin, x, x), x)[1]",
    "lambda x: jax.debug.print('x is {}', x)",
    "lambda x: jax.debug.print('x is {x} and {}', 2, x=x, ordered=True)",
    "lambda x: jax.debug.print('nothing')",
    "lambda x: jax.debug.print('{} {}', x, 'text')",
    "lambda x: jax.debug.print('{}', {'a': x, 'b': (1, 2.0)})",
    "lambda x: jax.debug.print(ordered=True)('{x}', x=x)",
    "jax.vmap(lambda x: jax.debug.print('{}', x))",
    "lambda x: (jax.debug.print('{}', x), x * 2)[1]",
    "jax.jit(lambda x: (jax.debug.print('{}', x), x * 2)[1])",
    "jax.grad(lambda x: (jax.debug.print('{}', x), (x * x).sum())[1])",
    "lambda x: jax.jvp(lambda x: (jax.debug.print('{}', x), x * x)[1], (x,), (x,))",
    "lambda x: lax.scan(lambda c, y: (jax.debug.print('{}', y), (c + y, y))[1], np.float32(0), x)",
    "lambda x: lax.cond(x[0] > 0, lambda x: (jax.debug.print('{}', x), x)[1], lambda x: x, x)",
    "lambda x: lax.while_loop(lambda c: c[0] < 3, lambda c: (jax.debug.print('{}', c), c + 1)[1], x)",
    "lambda x: jax.vmap(lambda y: lax.cond(x[0] > 0, lambda y: (jax.debug.print('{}', y), y)[1], "
    "lambda y: y, y))(x)",
    "jax.grad(lambda x: jax.checkpoint(lambda x: (jax.debug.print('{}', x), jnp.sin(x).sum())[1])(x))",
    "lambda x: jax.debug.callback(print, x)",
    "lambda x: jax.debug.callback(print, x, ordered=True)",
    "jax.vmap(lambda x: jax.debug.callback(print, x, partitioned=True))",
    "lambda x: jax.jit(lambda x: (jax.debug.callback(print, x), x)[1])(x)",
]
TABLE = [f"jaxpr({program}, np.arange(3, dtype=np.float32))" for program in PROGRAMS]


@pytest.mark.parametrize("expression", TABLE)
def test_same_text(expression: str) -> None:
    mine, other = map(_plain, texts(expression, TABLE))
    if "debug_callback" in other:
        # Ours names the user's function, jax's its own wrapper of it; then lines break elsewhere.
        mine, other = ("".join(re.sub(r"callback=<.*? at \S+", "", t).split()) for t in (mine, other))
        mine, other = (re.sub(r"callback=<built-infunctionprint>", "", t) for t in (mine, other))
    assert mine == other


def _plain(text: str) -> str:
    return re.sub(r"0x[0-9a-f]+", "0x", text)
