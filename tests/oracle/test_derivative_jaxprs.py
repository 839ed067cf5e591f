"""Jaxprs of derivatives are the text of jax: equations, their order, and no zeros where jax has none."""

from __future__ import annotations

from importlib.metadata import version

import pytest
from jax_process import texts
from test_custom_derivatives import (
    ALL_SYMBOLIC,
    APPLY,
    BACK,
    BACK_APPLY,
    BACK_INT,
    BACK_NONE,
    BACK_SYMBOLIC,
    BACK_TREE,
    BACK_TWO,
    BY_NAME,
    CURVED,
    HALF,
    PRODUCT,
    SYMBOLIC,
    TREE,
    TRIPLED,
    jvp_of,
    vjp_of,
)

pytestmark = pytest.mark.skipif(
    not version("jax").startswith("0.10."), reason="jaxprs have the text of jax 0.10; here is another jax"
)

CUSTOM = [
    "jaxpr({f}, 0.5)",
    "jaxpr(jax.grad({f}), 0.5)",
    "jaxpr(jax.grad(jax.grad({f})), 0.5)",
    "jaxpr(jax.value_and_grad({f}), 0.5)",
    "jaxpr(jax.jit({f}), f32(3))",
    "jaxpr(jax.grad(jax.jit({f})), 0.5)",
    "jaxpr(jax.vmap({f}), f32(3))",
    "jaxpr(jax.vmap({f}, in_axes=1, out_axes=1), f32(2, 3))",
    "jaxpr(jax.vmap(jax.grad({f})), f32(3))",
    "jaxpr(jax.grad(lambda x: jax.vmap({f})(x).sum()), f32(3))",
    "jaxpr(lambda x, t: jax.jvp({f}, (x,), (t,)), f32(3), f32(3))",
    "jaxpr(lambda x, ct: jax.vjp({f}, x)[1](ct), f32(3), f32(3))",
    "jaxpr(lambda x: lax.scan(lambda c, _: ({f}(c), c), x, None, length=3), 0.5)",
    "jaxpr(lambda x: lax.cond(x > 0, {f}, jnp.cos, x), 0.5)",
    "jaxpr(jax.grad(lambda x: lax.cond(x > 0, {f}, jnp.cos, x)), 0.5)",
    "jaxpr(lambda x: jax.linearize({f}, x)[1], f32(3))",
    "jaxpr(lambda x: jax.vjp({f}, x)[1], f32(3))",
    "jaxpr(jax.grad(jax.checkpoint({f})), 0.5)",
]
RULES = [
    *(text.format(f=f) for f in (TRIPLED, CURVED, BACK) for text in CUSTOM),
    f"jaxpr(jax.grad({PRODUCT}, (0, 1)), 2.0, 3.0)",
    f"jaxpr(jax.grad({HALF}, (0, 1)), 2.0, 3.0)",
    f"jaxpr(jax.grad(lambda p: {TREE}(p)['y']), {{'a': 2.0, 'b': [3.0]}})",
    f"jaxpr(lambda x: {APPLY}(jnp.cos, x), 0.5)",
    f"jaxpr(jax.grad(lambda x: {APPLY}(jnp.cos, x)), 0.5)",
    f"jaxpr({BY_NAME}, 1.0, 2.0, 3.0)",
    f"jaxpr(jax.grad({BY_NAME}), 1.0, 2.0, 3.0)",
    f"jaxpr(jax.grad({SYMBOLIC}), 2.0, 3.0)",
    f"jaxpr(jax.grad(jax.jit({SYMBOLIC})), 2.0, 3.0)",
    f"jaxpr(jax.grad({ALL_SYMBOLIC}), 2.0, 3.0)",
    f"jaxpr(lambda x: jax.jvp({ALL_SYMBOLIC}, (x, x), (1.0, 1.0)), 2.0)",
    f"jaxpr(jax.grad({BACK_TWO}, (0, 1)), 2.0, 3.0)",
    f"jaxpr(jax.grad(lambda x, y: jax.vmap({BACK_TWO}, (0, None))(x, y).sum(), (0, 1)), f32(3), np.float32(2))",
    f"jaxpr(jax.grad({BACK_NONE}, (0, 1)), 2.0, 3.0)",
    f"jaxpr(jax.grad(lambda p: {BACK_TREE}(p)['y']), {{'a': 2.0, 'b': 3.0}})",
    f"jaxpr(lambda x: {BACK_APPLY}(jnp.sin, x), 0.5)",
    f"jaxpr(jax.grad(lambda x: {BACK_APPLY}(jnp.sin, x)), 0.5)",
    f"jaxpr({BACK_INT}, 2.0, 3)",
    f"jaxpr(jax.grad({BACK_INT}), 2.0, 3)",
    f"jaxpr({BACK_SYMBOLIC}, 2.0, 3.0)",
    f"jaxpr(jax.grad(lambda x, y: {BACK_SYMBOLIC}(x, y)[0]), 2.0, 3.0)",
    f"jaxpr(lambda x, y: {jvp_of('lambda a: a * y', 'lambda p, t: (p[0], t[0])')}(x), 2.0, 3.0)",
    f"jaxpr(lambda x, y: {vjp_of('lambda a: a * y', 'lambda a: (a * 1, None)', 'lambda r, ct: (ct,)')}(x), 2.0, 3.0)",
    f"jaxpr({jvp_of('lambda x, n=2.0: x * n', 'lambda p, t: (p[0], t[0])')}, 1.0)",
    "jaxpr(jax.custom_gradient(lambda x: (x ** 2, lambda g: (g * x,))), 3.0)",
    "jaxpr(jax.grad(jax.custom_gradient(lambda x: (x ** 2, lambda g: (g * x,)))), 3.0)",
    "jaxpr(jax.grad(nn.relu), 0.5)",
    "jaxpr(jax.grad(lambda x: nn.relu(x).sum()), f32(3))",
    "jaxpr(jax.vmap(jax.grad(nn.relu6)), f32(3))",
    "jaxpr(jax.grad(nn.silu), 0.5)",
    "jaxpr(jax.grad(lambda x: jnp.logaddexp(x, 1.0)), 0.5)",
]

PLAIN = [
    "jaxpr(jax.grad(jnp.sin), 0.5)",
    "jaxpr(jax.grad(lambda x: x ** 3), 0.5)",
    "jaxpr(jax.grad(jax.grad(lambda x: x ** 3)), 0.5)",
    "jaxpr(jax.grad(jax.grad(jax.grad(jnp.sin))), 0.5)",
    "jaxpr(jax.grad(lambda x: 3.0), 0.5)",
    "jaxpr(jax.grad(lambda x: lax.stop_gradient(x) * x), 0.5)",
    "jaxpr(jax.grad(jax.grad(lambda x: lax.stop_gradient(x) * x * x)), 0.5)",
    "jaxpr(lax.stop_gradient, {'a': 1.0, 'b': f32(2)})",
    "jaxpr(jax.grad(lambda x, y: x * y, (0, 1)), 2.0, 3.0)",
    "jaxpr(jax.grad(lambda x, y: x, (0, 1)), 2.0, f32(3))",
    "jaxpr(jax.grad(lambda x, y: (x @ y).sum(), (0, 1)), f32(2, 3), f32(3, 4))",
    "jaxpr(jax.grad(lambda x: jnp.tanh(x).sum()), f32(3))",
    "jaxpr(jax.grad(lambda x: (x[1:] * x[:-1]).sum()), f32(5))",
    "jaxpr(jax.grad(lambda x: x.mean()), f32(2, 3))",
    "jaxpr(jax.grad(lambda x: jnp.exp(x).sum() + x[0]), f32(3))",
    "jaxpr(jax.grad(lambda p: (p['a'] * p['b']).sum()), {'a': f32(3), 'b': f32(3)})",
    "jaxpr(jax.grad(lambda x: (x * 2, x + 1), has_aux=True), 0.5)",
    "jaxpr(jax.value_and_grad(lambda x: (x * x, {'y': x}), has_aux=True), 0.5)",
    "jaxpr(jax.grad(lambda x: x.astype(jnp.float16).sum()), f32(3))",
    "jaxpr(jax.grad(lambda x, i: x * i, 0), 0.5, 2)",
    "jaxpr(jax.grad(lambda x: jnp.where(x > 0, x, 0.0).sum()), f32(3))",
    "jaxpr(jax.grad(lambda z: jnp.abs(z)), np.complex64(1 + 2j))",
    "jaxpr(jax.grad(lambda z: z * z, holomorphic=True), np.complex64(1 + 2j))",
    "jaxpr(jax.grad(lambda z: (z * z).real), np.complex64(1 + 2j))",
    "jaxpr(lambda z, t: jax.jvp(lambda z: jnp.conj(z) * z, (z,), (t,)), c64(3), c64(3))",
    "jaxpr(lambda z, ct: jax.vjp(lambda z: jnp.conj(z) * z, z)[1](ct), c64(3), c64(3))",
    "jaxpr(lambda x, ct: jax.vjp(lambda x: lax.complex(x, x * x), x)[1](ct), f32(3), c64(3))",
    "jaxpr(lambda x: jax.jvp(jnp.sin, (x,), (x,)), f32(3))",
    "jaxpr(lambda x: jax.jvp(lambda x, y: y, (x, x), (x, x)), f32(3))",
    "jaxpr(lambda x: jax.jvp(lambda x: 3.0, (x,), (x,)), 0.5)",
    "jaxpr(lambda x: jax.jvp(lambda x: (x * 2, 1), (x,), (x,)), 0.5)",
    "jaxpr(lambda x, t: jax.jvp(jax.jit(lambda x: jnp.sin(x) * x), (x,), (t,)), f32(3), f32(3))",
    "jaxpr(lambda x: jax.jvp(lambda x: jax.jvp(jnp.sin, (x,), (1.0,))[1], (x,), (1.0,)), 0.5)",
    "jaxpr(lambda x, y: jax.jvp(lambda x: x * y, (x,), (1.0,)), 0.5, 2.0)",
    "jaxpr(lambda x, t: jax.linearize(lambda x: jnp.sin(x) * x, x)[1](t), f32(3), f32(3))",
    "jaxpr(lambda x: jax.linearize(lambda x: jnp.sin(x) * x, x)[1], f32(3))",
    "jaxpr(lambda x, y: jax.vjp(lambda x, y: (x * y, jnp.sin(y)), x, y)[1], f32(3), f32(3))",
    "jaxpr(lambda x, y, c: jax.vjp(lambda x, y: (x * y, jnp.sin(y)), x, y)[1](c), f32(3), f32(3), (f32(3), f32(3)))",
    "jaxpr(lambda x, c: jax.vjp(jax.jit(lambda x: jnp.sin(x) * x), x)[1](c), f32(3), f32(3))",
    "jaxpr(lambda c: jax.linear_transpose(lambda x, y: (x * 2, y), 1.0, 2.0)(c), (1.0, 2.0))",
    "jaxpr(lambda c: jax.linear_transpose(lambda x: x.sum(0), f32(2, 3))(c), f32(3))",
    "jaxpr(lambda c: jax.linear_transpose(jax.jit(lambda x: x * 3.0), 1.0)(c), 1.0)",
    "jaxpr(jax.grad(lambda x: lax.scan(lambda c, x: (c * x, c), 1.0, x)[0]), f32(3))",
    "jaxpr(jax.grad(lambda x: lax.fori_loop(0, 3, lambda i, c: jnp.sin(c), x)), 0.5)",
    "jaxpr(jax.grad(lambda x: lax.cond(x > 0, jnp.sin, jnp.cos, x)), 0.5)",
    *(
        f"jaxpr({text}, f32(2, 2), f32(2))"
        for solve in (
            "(lambda a, b: lax.custom_linear_solve(lambda x: a @ x, b, lambda m, b: b / 3))",
            "(lambda a, b: lax.custom_linear_solve(lambda x: a @ x, b, lambda m, b: b / 3, lambda m, b: m(b) / 3))",
        )
        for text in (solve, f"lambda a, b: jax.jvp({solve}, (a, b), (a, b))", f"jax.jit({solve})")
    ),
    "jaxpr(jax.grad(lambda b: lax.custom_linear_solve(lambda x: 2 * x, b, lambda m, b: b / 2, lambda m, b: b / 4).sum()), "
    "f32(2))",
    "jaxpr(lambda a: lax.custom_root(lambda x: x ** 2 - a, 1.0, lambda f, x: jnp.sqrt(a), lambda g, y: y / g(1.0)), 2.0)",
    "jaxpr(jax.grad(lambda a: lax.custom_root(lambda x: x ** 2 - a, 1.0, lambda f, x: jnp.sqrt(a), "
    "lambda g, y: y / g(1.0))), 2.0)",
    "jaxpr(jax.fwd_and_bwd(lambda x, y: x * y, 0)[0], 2.0, 3.0)",
]

PROGRAMS = RULES + PLAIN


TWICE = "jax writes programs that occur twice beforehand, and then, in named tuples, all the same again"
SOLVES = [p for p in PROGRAMS if "custom_linear_solve" in p]
LITERAL = (
    "jax keeps scalar constants of the linear part as leaves of the result; here they are part of its program"
)
DIFFERENT = {
    **{
        f"jaxpr(lambda x: jax.{name}({f}, x)[1], f32(3))": LITERAL
        for name in ("linearize", "vjp")
        for f in (TRIPLED, CURVED)
    },
    **{p: TWICE for p in SOLVES if "jvp" in p or "grad" in p},
    "jaxpr(jax.grad(lambda x: x.astype(jnp.float16).sum()), f32(3))": (
        "jax converts a constant cotangent while it traces; here the program does"
    ),
    "jaxpr(lambda c: jax.linear_transpose(jax.jit(lambda x: x * 3.0), 1.0)(c), 1.0)": (
        "jax leaves the empty known half of the program"
    ),
}


@pytest.mark.parametrize("program", [p for p in PROGRAMS if p not in DIFFERENT])
def test_same_text(program: str) -> None:
    ours, theirs = texts(program, PROGRAMS)
    assert ours == theirs


@pytest.mark.parametrize("program", DIFFERENT)
def test_known_difference_is_still_one(program: str) -> None:
    """A program that has come to print the same is to leave the list."""
    ours, theirs = texts(program, PROGRAMS)
    assert ours != theirs
