"""Derivatives that users give, and the first-order interface: values, types, errors and jaxprs as in jax."""

from __future__ import annotations

import pytest
from jax_process import assert_agrees


def jvp_of(fun: str, rule: str, options: str = "", more: str = "") -> str:
    """The text of a function with a jvp rule."""
    return f"(lambda h: (h.defjvp({rule}{more}), h)[1])(jax.custom_jvp({fun}{options}))"


def jvps_of(fun: str, rules: str) -> str:
    """The text of a function with a rule for each argument."""
    return f"(lambda h: (h.defjvps({rules}), h)[1])(jax.custom_jvp({fun}))"


def vjp_of(fun: str, fwd: str, bwd: str, options: str = "", more: str = "") -> str:
    """The text of a function with vjp rules."""
    return f"(lambda h: (h.defvjp({fwd}, {bwd}{more}), h)[1])(jax.custom_vjp({fun}{options}))"


TRIPLED = jvp_of("lambda x: jnp.sin(x) * 2", "lambda p, t: (jnp.sin(p[0]) * 2, 3 * t[0])")
CURVED = jvp_of("lambda x: jnp.sin(x)", "lambda p, t: (jnp.sin(p[0]), jnp.cos(p[0]) * t[0] * 5)")
PRODUCT = jvps_of("lambda x, y: x * y", "lambda t, out, x, y: 2 * t * y, lambda t, out, x, y: 3 * t * x")
HALF = jvps_of("lambda x, y: x * y", "lambda t, out, x, y: 2 * t * y, None")
TREE = jvp_of(
    "lambda p: {'y': p['a'] * p['b'][0]}",
    "lambda p, t: ({'y': p[0]['a'] * p[0]['b'][0]}, {'y': t[0]['a'] + 9 * t[0]['b'][0]})",
)
APPLY = jvp_of(
    "lambda f, x: f(x) * 2", "lambda f, p, t: (f(p[0]) * 2, t[0] * f(p[0]))", ", nondiff_argnums=(0,)"
)
BY_NAME = jvp_of(
    "lambda x, n, y: x * n * y",
    "lambda n, p, t: (p[0] * n * p[1], t[0] * n * 10 + t[1])",
    ", nondiff_argnames=['n']",
)
SYMBOLIC = jvp_of(
    "lambda x, y: x * y",
    "lambda p, t: (p[0] * p[1], sum((k * s for k, s in zip((5., 7.), t) if 'Symbolic' not in type(s).__name__), "
    "jnp.zeros_like(p[0])))",
    more=", symbolic_zeros=True",
)
ALL_SYMBOLIC = jvp_of("lambda x, y: x * y", "lambda p, t: (p[0] * p[1], t[1])", more=", symbolic_zeros=True")
BACK = vjp_of("lambda x: jnp.sin(x)", "lambda x: (jnp.sin(x), jnp.cos(x))", "lambda r, ct: (r * ct * 3,)")
BACK_TWO = vjp_of(
    "lambda x, y: x * y", "lambda x, y: (x * y, (x, y))", "lambda r, ct: (ct * r[1] * 2, ct * r[0] * 3)"
)
BACK_NONE = vjp_of("lambda x, y: x * y", "lambda x, y: (x * y, y)", "lambda r, ct: (ct * r, None)")
BACK_TREE = vjp_of(
    "lambda p: {'y': p['a'] * p['b']}",
    "lambda p: ({'y': p['a'] * p['b']}, {'kept': [p['a'], (p['b'],)]})",
    "lambda r, ct: ({'a': ct['y'] * r['kept'][1][0], 'b': None},)",
)
BACK_APPLY = vjp_of(
    "lambda f, x: f(x)", "lambda f, x: (f(x), x)", "lambda f, r, ct: (ct * f(r),)", ", nondiff_argnums=(0,)"
)
BACK_INT = vjp_of("lambda x, i: x * i", "lambda x, i: (x * i, i)", "lambda r, ct: (ct * r, None)")
BACK_SYMBOLIC = vjp_of(
    "lambda x, y: (x * y, x)",
    "lambda x, y: ((x.value * y.value, x.value), (y.value * (2. if x.perturbed else 9.), y.perturbed))",
    "lambda r, ct: (ct[0] * r[0] if 'Symbolic' not in type(ct[0]).__name__ else None, None)",
    more=", symbolic_zeros=True",
)
SELF = vjp_of("lambda x: jnp.sin(x) * 2", "lambda x: (h(x), jnp.cos(x))", "lambda r, ct: (r * ct,)")

# Everything that a function with rules can be put through.
THROUGH = {
    "call": "{f}(f32(3))",
    "grad": "jax.grad(lambda x: {f}(x).sum())(f32(3))",
    "jit": "jax.jit({f})(f32(3))",
    "grad of jit": "jax.grad(jax.jit(lambda x: {f}(x).sum()))(f32(3))",
    "jit of grad": "jax.jit(jax.grad(lambda x: {f}(x).sum()))(f32(3))",
    "vmap": "jax.vmap({f})(f32(3))",
    "vmap of grad": "jax.vmap(jax.grad({f}))(f32(3))",
    "grad of vmap": "jax.grad(lambda x: jax.vmap({f})(x).sum())(f32(3))",
    "grad of vmap of jit": "jax.grad(lambda x: jax.vmap(jax.jit({f}))(x).sum())(f32(3))",
    "vmap of vmap of grad": "jax.vmap(jax.vmap(jax.grad({f})))(f32(2, 3))",
    "jacrev": "jax.jacrev({f})(f32(3))",
    "grad of grad": "jax.grad(jax.grad({f}))(0.5)",
    "jvp of grad": "jax.jvp(jax.grad({f}), (0.5,), (1.0,))",
    "jacfwd of jacrev": "jax.jacfwd(jax.jacrev({f}))(f32(3))",
    "vjp": "jax.vjp({f}, f32(3))[1](f32(3, seed=1))",
    "scan": "jax.grad(lambda x: lax.scan(lambda c, _: ({f}(c), c), x, None, length=3)[0])(0.5)",
    "grad of grad of scan": (
        "jax.grad(jax.grad(lambda x: lax.scan(lambda c, _: ({f}(c), c), x, None, length=3)[0]))(0.5)"
    ),
    "cond": "jax.grad(lambda x: lax.cond(x > 0, {f}, jnp.cos, x))(0.5)",
    "switch": "jax.vmap(jax.grad(lambda x, i: lax.switch(i, [{f}, jnp.cos], x)))(f32(2), np.array([0, 1]))",
    "while": "lax.while_loop(lambda x: x < 1.5, lambda x: {f}(x) + 1, 0.5)",
    "checkpoint": "jax.grad(jax.checkpoint({f}))(0.5)",
    "vmap of checkpoint": "jax.vmap(jax.grad(jax.checkpoint({f})))(f32(3))",
    "bfloat16": "jax.grad(lambda x: {f}(x).sum())(bf16(3))",
}
FORWARD = {
    "jvp": "jax.jvp({f}, (f32(3),), (f32(3, seed=1),))",
    "jvp of jit": "jax.jvp(jax.jit({f}), (f32(3),), (f32(3, seed=1),))",
    "linearize": "jax.linearize({f}, f32(3))[1](f32(3, seed=1))",
    "jacfwd": "jax.jacfwd({f})(f32(3))",
    "jvp of jvp": "jax.jvp(lambda x: jax.jvp({f}, (x,), (1.0,))[1], (0.5,), (1.0,))",
    "jvp of vmap": "jax.jvp(jax.vmap({f}), (f32(3),), (f32(3, seed=1),))",
    "hessian": "jax.hessian(lambda x: {f}(x).sum())(f32(3))",
    "jvp of scan": "jax.jvp(lambda x: lax.scan(lambda c, _: ({f}(c), c), x, None, length=3), (0.5,), (1.0,))",
    "jvp of while": "jax.jvp(lambda x: lax.while_loop(lambda y: y < 1.5, lambda y: {f}(y) + 1, x), (0.5,), (1.0,))",
}

EVERYWHERE = [
    *(text.format(f=CURVED) for text in (THROUGH | FORWARD).values()),
    *(text.format(f=BACK) for text in THROUGH.values()),
    *(text.format(f=BACK) for text in FORWARD.values()),  # most raise TypeError
]

RULES = [
    f"jax.grad({TRIPLED})(1.0)",
    f"jax.grad(jax.grad({TRIPLED}))(1.0)",
    f"jax.grad({PRODUCT}, (0, 1))(2.0, np.float32(3))",
    f"jax.grad({HALF}, (0, 1))(2.0, 3.0)",
    f"jax.jvp({PRODUCT}, (2.0, 3.0), (1.0, 1.0))",
    f"jax.vmap({PRODUCT}, in_axes=(0, None))(f32(3), 2.0)",
    f"jax.vmap(jax.grad({PRODUCT}, (0, 1)), in_axes=(0, None))(f32(3), 2.0)",
    f"jax.grad(lambda x, y: jax.vmap({PRODUCT}, in_axes=(0, None))(x, y).sum(), (0, 1))(f32(3), 2.0)",
    f"jax.grad(lambda x, y: jax.vmap({PRODUCT}, (1, 0), 1)(x, y).sum(), (0, 1))(f32(2, 3), f32(3, 2))",
    f"jax.grad(lambda p: {TREE}(p)['y'])({{'a': 2.0, 'b': [3.0]}})",
    f"jax.jvp({TREE}, ({{'a': 2.0, 'b': [3.0]}},), ({{'a': 1.0, 'b': [1.0]}},))",
    f"jax.grad({APPLY}, 1)(jnp.cos, 0.5)",
    f"jax.jit(lambda x: jax.grad({APPLY}, 1)(jnp.cos, x))(0.5)",
    f"jax.vmap(lambda x: {APPLY}(lax.cos, x))(f32(3))",
    f"jax.grad({BY_NAME}, (0, 2))(1.0, 2.0, 3.0)",
    f"jax.grad({BY_NAME}, (0, 1))(1.0, 2.0, 3.0)",
    f"jax.grad({BY_NAME})(1.0, y=3.0, n=2.0)",
    f"jax.vmap(lambda x, n: jax.grad({BY_NAME})(x, n, 1.0))(f32(3), f32(3, seed=1))",
    f"jax.grad({SYMBOLIC}, 0)(2.0, 3.0)",
    f"jax.grad({SYMBOLIC}, 1)(2.0, 3.0)",
    f"jax.grad({SYMBOLIC}, (0, 1))(2.0, 3.0)",
    f"jax.grad(jax.jit({SYMBOLIC}))(2.0, 3.0)",
    f"jax.grad(lambda x, y: jax.vmap({SYMBOLIC})(x, y).sum())(f32(3), f32(3))",
    f"jax.grad(lambda x, y: jax.vmap(jax.jit({SYMBOLIC}), (0, None))(x, y).sum(), 1)(f32(3), 2.0)",
    f"jax.grad({ALL_SYMBOLIC})(2.0, 3.0)",
    f"jax.jvp(lambda x: {ALL_SYMBOLIC}(x, 3.0), (2.0,), (1.0,))",
    f"jax.grad({jvp_of('lambda x, n=2.0: x * n', 'lambda p, t: (p[0] * p[1], t[0] * 7)')})(1.0)",
    f"jax.grad({jvp_of('lambda x, *, n=2.0: x * n', 'lambda p, t: (p[0], t[0] * 7)')})(1.0)",
    f"jax.grad({jvp_of('lambda *x: x[0] * x[1]', 'lambda p, t: (p[0], t[1] * 7)')}, 1)(1.0, 2.0)",
    f"jax.grad({jvp_of('lambda x: x', 'lambda p, t: [p[0], t[0] * 4]')})(1.0)",
    f"jax.grad({jvp_of('lambda x: x', 'lambda p, t: (p[0] * 1, jnp.float32(1))')})(1.0)",
    f"jax.jacfwd({jvp_of('lambda x: x if x > 0 else -x', 'lambda p, t: (p[0], t[0] if p[0] > 0 else -t[0])')})(-1.0)",
    f"jax.grad({jvp_of('lambda x: x if x > 0 else -x', 'lambda p, t: (p[0], t[0] if p[0] > 0 else -t[0])')})(-1.0)",
    f"jax.jvp({jvp_of('lambda x, i: x * i', 'lambda p, t: (p[0] * p[1], t[0])')}, (jnp.float32(1), 2), "
    "(jnp.float32(1), np.zeros((), jax.dtypes.float0)))",
    f"jax.grad(lambda x: {jvp_of('lambda x: (x, 1)', 'lambda p, t: ((p[0], 1), (t[0] * 3, np.zeros((), jax.dtypes.float0)))')}(x)[0])(1.0)",
    f"jax.linear_transpose({jvp_of('lambda x: x * 2', 'lambda p, t: (p[0] * 2, t[0] * 9)')}, 1.0)(1.0)",
    f"jax.grad({BACK_TWO}, (0, 1))(2.0, 3.0)",
    f"jax.grad(lambda x, y: jax.vmap({BACK_TWO}, (0, None))(x, y).sum(), (0, 1))(f32(3), 2.0)",
    f"jax.grad(lambda x, y: jax.vmap({BACK_TWO}, (1, None), 1)(x, y).sum(), (0, 1))(f32(2, 3), f32(2))",
    f"jax.grad(lambda x, y: jax.vmap(jax.jit({BACK_TWO}), (None, 0))(x, y).sum(), (0, 1))(2.0, f32(3))",
    f"jax.grad({BACK_NONE}, (0, 1))(2.0, 3.0)",
    f"jax.grad(lambda p: {BACK_TREE}(p)['y'])({{'a': 2.0, 'b': 3.0}})",
    f"jax.grad(jax.jit(lambda p: {BACK_TREE}(p)['y']))({{'a': 2.0, 'b': 3.0}})",
    f"jax.grad({BACK_APPLY}, 1)(jnp.sin, 0.5)",
    f"jax.jit(lambda x: jax.grad({BACK_APPLY}, 1)(jnp.sin, x))(0.5)",
    f"jax.grad({BACK_INT})(2.0, 3)",
    f"jax.grad({BACK_INT}, allow_int=True)(2.0, 3)",
    f"jax.grad(lambda x, y: {BACK_SYMBOLIC}(x, y)[0])(2.0, 3.0)",
    f"jax.grad(lambda x, y: {BACK_SYMBOLIC}(x, y)[1])(2.0, 3.0)",
    f"jax.grad(lambda x, y: sum({BACK_SYMBOLIC}(x, y)))(2.0, 3.0)",
    f"jax.grad(lambda x, y: sum({BACK_SYMBOLIC}(x, y)), 1)(2.0, 3.0)",
    f"jax.grad(lambda x, y: jax.vmap({BACK_SYMBOLIC})(x, y)[0].sum())(f32(3), f32(3))",
    f"jax.grad({vjp_of('lambda x: x', 'lambda x: (x * 1, None)', 'lambda r, ct: [ct * 2]')})(1.0)",
    f"jax.grad({vjp_of('lambda x: x', 'lambda x: [x * 1, ()]', 'lambda r, ct: (ct * 2,)')})(1.0)",
    f"jax.vjp({vjp_of('lambda x: (x, 1)', 'lambda x: ((x * 1, 1), None)', 'lambda r, ct: (ct[0] * 3,)')}, 1.0)[1]("
    "(jnp.float32(1), np.zeros((), jax.dtypes.float0)))",
    f"jax.jacrev({vjp_of('lambda x: x', 'lambda x: (x, x)', 'lambda r, ct: (ct * r,)')})(f32(3))",
    "jax.custom_derivatives.zero_from_primal(f32(3))",
    "jax.custom_derivatives.zero_from_primal(1.0)",
    "jax.custom_derivatives.zero_from_primal(i32(3)).dtype == jax.dtypes.float0",
    "repr(jax.custom_derivatives.zero_from_primal(f32(3), symbolic_zeros=True))",
    "jax.custom_derivatives.zero_from_primal(f32(3), symbolic_zeros=True).shape",
    "jax.custom_derivatives.zero_from_primal(f32(3), symbolic_zeros=True) * 2",
    "repr(jax.custom_derivatives.CustomVJPPrimal(1.0, True))",
    "jax.custom_derivatives.custom_vjp_primal_tree_values({'a': jax.custom_derivatives.CustomVJPPrimal(1.0, True)})",
    "jax.custom_derivatives.custom_vjp_primal_tree_values((1.0,))",
]

OTHERS = [
    "jax.grad(jax.custom_gradient(lambda x: (x ** 2, lambda g: (g * x,))))(3.0)",
    "jax.grad(jax.custom_gradient(lambda x: (x ** 2, lambda g: g * x)))(3.0)",
    "jax.grad(jax.custom_gradient(lambda x, y: (x * y, lambda g: (g * y, g * x * 2))), (0, 1))(3.0, 4.0)",
    "jax.grad(jax.jit(jax.custom_gradient(lambda x: (jnp.sin(x), lambda g: (g * jnp.cos(x) * 2,)))))(3.0)",
    "jax.vmap(jax.grad(jax.custom_gradient(lambda x: (jnp.sin(x), lambda g: (g * jnp.cos(x),)))))(f32(3))",
    "jax.grad(jax.grad(jax.custom_gradient(lambda x: (jnp.sin(x), lambda g: (g * jnp.cos(x) * 2,)))))(3.0)",
    "jax.grad(lambda x: jax.custom_gradient(lambda p: (p['a'] * 2, lambda g: ({'a': g * 7},)))({'a': x}))(3.0)",
    "jax.custom_gradient(lambda x: (x ** 2, lambda g: (g, g)))(f32(3))",
    "jax.grad(jax.custom_gradient(lambda x: (x ** 2, lambda g: (g, g))))(3.0)",
    "jax.grad(jax.custom_gradient(lambda x: (x ** 2, 3.0)))(3.0)",
    "jax.custom_gradient(lambda x: x)(3.0)",
    "jax.grad(lambda x: (lambda h, c: (h(2.0, *c), len(c)))(*jax.closure_convert(lambda y: x * y, 1.0)), has_aux=True)(3.0)",
    "jax.jit(lambda x: (lambda h, c: h(2.0, *c))(*jax.closure_convert(lambda y: x * y, 1.0)))(3.0)",
    "jax.vmap(lambda x: (lambda h, c: h(2.0, *c))(*jax.closure_convert(lambda y: x * y, 1.0)))(f32(3))",
    "jax.jit(lambda x: len(jax.closure_convert(lambda y: x * y, 1.0)[1]))(3)",
    "len(jax.closure_convert(lambda y: f32(3) * y, 1.0)[1])",
    "jax.closure_convert(lambda y: y * 2, 1.0)[0]((1.0,))",
    "jax.custom_derivatives.linear_call(lambda r, x: x / r, lambda r, t: t * 7, 2.0, 4.0)",
    "jax.grad(lambda x: jax.custom_derivatives.linear_call(lambda r, x: x / r, lambda r, t: t * 7, 2.0, x))(4.0)",
    "jax.jvp(lambda x: jax.custom_derivatives.linear_call(lambda r, x: x / r, lambda r, t: t * 7, 2.0, x), (1.,), (1.,))",
    "jax.linear_transpose(lambda x: jax.custom_derivatives.linear_call(lambda r, x: x / r, lambda r, t: t * 7, 2.0, x), "
    "1.0)(1.0)",
    "jax.grad(lambda x: jax.custom_derivatives.linear_call(lambda r, x: x, lambda r, t: (t,), 2.0, x))(4.0)",
    "jax.grad(lambda x: jax.custom_derivatives.linear_call(lambda r, x: x, lambda r, t: f32(3), 2.0, x))(4.0)",
    "jax.linear_transpose(lambda x, y: x * 2.0 + y, 1.0, 2.0)(1.0)",
    "jax.linear_transpose(lambda x, y: x * 2.0, 1.0, 2.0)(1.0)",
    "jax.linear_transpose(lambda x: x * 2, 1)(1)",
    "jax.linear_transpose(lambda x: x.sum(0), f32(2, 3))(f32(3))",
    "jax.linear_transpose(lambda p: {'y': p['a'] @ f32(3, 2)}, {'a': f32(3)})({'y': f32(2)})",
    "jax.linear_transpose(lambda x: x * 2, jax.ShapeDtypeStruct((3,), np.float32))(f32(3))",
    "jax.jit(jax.linear_transpose(lambda x: x * f32(3), f32(3)))(f32(3))",
    "jax.linear_transpose(jnp.sin, 1.0)(1.0)",
    "jax.linear_transpose(lambda x: x.astype(jnp.float32), np.int32(1))(1.0)",
    "jax.linear_transpose(lambda x: x * 2, 1.0)((1.0,))",
    "jax.linear_transpose(lambda x: x * 2, 1.0)(f32(3))",
    "jax.linear_transpose(lambda x: x * 2, 1.0)(1)",
    "jax.linear_transpose(lambda x: x * 2, f16())(1.0)",
    "jax.linear_transpose(3, 1.0)",
    "jax.linear_transpose(lambda x: x, 'a')",
    "(lambda fwd, bwd: bwd(fwd(2.0, 3.0)[1], 1.0))(*jax.fwd_and_bwd(lambda x, y: x * y, (0, 1)))",
    "(lambda fwd, bwd: bwd(fwd(2.0, 3.0)[1], 1.0))(*jax.fwd_and_bwd(lambda x, y: x * y, 0, jitted=False))",
    "(lambda fwd, bwd: fwd(2.0)[::2])(*jax.fwd_and_bwd(lambda x: (x * 1, x * 2), 0, has_aux=True))",
    "jax.fwd_and_bwd(3, 0)",
]

A = "np.array([[3., 1.5], [1., 2.]], np.float32)"


def solved(b: str, a: str = A, more: str = "") -> str:
    """The text of a solution of linear equations by elimination, of two unknowns."""
    cramer = (
        "lambda m, b: (lambda c: jnp.stack([b[0] * c[1, 1] - b[1] * c[0, 1], b[1] * c[0, 0] - b[0] * c[1, 0]]) / "
        "(c[0, 0] * c[1, 1] - c[0, 1] * c[1, 0]))(jax.jacfwd(m)(b))"
    )
    return f"lax.custom_linear_solve(lambda x: {a} @ x, {b}, {cramer}, transpose_solve={cramer}{more})"


SYMMETRIC = (
    "lax.custom_linear_solve(lambda p: {'x': p['x'] * d, 'y': p['y'] * 4}, b, "
    "lambda m, b: {'x': b['x'] / d, 'y': b['y'] / 4}, symmetric=True)"
)
ROOT = "lax.custom_root(lambda x: x ** 2 - a, 1.0, lambda f, x: jnp.sqrt(a), lambda g, y: y / g(1.0))"
ROOTS = (
    "lax.custom_root(lambda p: {'u': p['u'] * p['v'] - a, 'v': p['u'] - p['v'] * b}, {'u': 1.0, 'v': 1.0}, "
    "lambda f, p: {'u': jnp.sqrt(a * b), 'v': jnp.sqrt(a / b)}, "
    "lambda g, y: (lambda c, d: {'u': (y['u'] * d['v'] - y['v'] * d['u']) / (c['u'] * d['v'] - c['v'] * d['u']), "
    "'v': (y['v'] * c['u'] - y['u'] * c['v']) / (c['u'] * d['v'] - c['v'] * d['u'])})"
    "(g({'u': 1.0, 'v': 0.0}), g({'u': 0.0, 'v': 1.0})))"
)
SOLVES = [
    solved("f32(2)"),
    f"jax.jit(lambda b: {solved('b')})(f32(2))",
    f"jax.grad(lambda b: {solved('b')}[0])(f32(2))",
    f"jax.grad(lambda a: {solved('f32(2)', 'a')}[0])({A})",
    f"jax.grad(lambda a: (jax.jit(lambda a: {solved('f32(2)', 'a')})(a) ** 2).sum())({A})",
    f"jax.jvp(lambda a, b: {solved('b', 'a')}, ({A}, f32(2)), ({A}, f32(2, seed=1)))",
    f"jax.jacrev(lambda b: {solved('b')})(f32(2))",
    f"jax.jacfwd(lambda a: {solved('f32(2)', 'a')})({A})",
    f"jax.hessian(lambda a: {solved('f32(2)', 'a')}.sum())({A})",
    f"jax.vmap(lambda b: {solved('b')})(f32(3, 2))",
    f"jax.vmap(lambda a: {solved('f32(2)', 'a')})({A} + f32(3, 1, 1, low=0, high=1))",
    f"jax.vmap(lambda a, b: {solved('b', 'a')}, (0, 1))({A} + f32(3, 1, 1, low=0, high=1), f32(2, 3))",
    f"jax.vmap(jax.grad(lambda a, b: {solved('b', 'a')}[0], (0, 1)))({A} + f32(3, 1, 1, low=0, high=1), f32(3, 2))",
    f"jax.grad(lambda b: jax.vmap(lambda b: {solved('b')})(b).sum())(f32(3, 2))",
    f"jax.linear_transpose(lambda b: {solved('b')}, f32(2))(f32(2))",
    f"jax.grad(lambda a: lax.scan(lambda c, _: ({solved('c', 'a')}, c), f32(2), None, length=2)[0].sum())({A})",
    f"(lambda d, b: {SYMMETRIC})(f32(3), {{'x': f32(3, seed=1), 'y': 2.0}})",
    f"jax.grad(lambda d, b: (lambda r: r['x'].sum() + r['y'])({SYMMETRIC}), (0, 1))(f32(3), {{'x': f32(3, seed=1), 'y': 2.0}})",
    f"jax.vmap(lambda d, b: {SYMMETRIC}, (0, None))(f32(2, 3), {{'x': f32(3, seed=1), 'y': jnp.float32(2)}})",
    "lax.custom_linear_solve(lambda x: 3 * x, f32(2), lambda m, b: (b / 3, {'n': b.sum()}), has_aux=True)",
    "jax.grad(lambda b: lax.custom_linear_solve(lambda x: 3 * x, b, lambda m, b: (b / 3, b.sum()), symmetric=True, "
    "has_aux=True)[0].sum())(f32(2))",
    "jax.vmap(lambda b: lax.custom_linear_solve(lambda x: 3 * x, b, lambda m, b: (b / 3, jnp.float32(7)), has_aux=True))"
    "(f32(3, 2))",
    "jax.jvp(lambda b: lax.custom_linear_solve(lambda x: 3 * x, b, lambda m, b: b / 3), (f32(2),), (f32(2),))",
    "jax.grad(lambda b: lax.custom_linear_solve(lambda x: 3 * x, b, lambda m, b: b / 3).sum())(f32(2))",
    "lax.custom_linear_solve(lambda x: x[:1], f32(2), lambda m, x: x)",
    "lax.custom_linear_solve(lambda x: x, f32(2), lambda m, x: x[:1])",
    "lax.custom_linear_solve(lambda x: (x,), f32(2), lambda m, x: x)",
    "lax.custom_linear_solve(lambda x: x, f32(2), lambda m, x: (x,))",
    "lax.custom_linear_solve(lambda x: x, f32(2), lambda m, x: x, lambda m, x: (x,))",
    "lax.custom_linear_solve(lambda x: x, f32(2), lambda m, x: x, has_aux=True)",
    f"(lambda a: {ROOT})(2.0)",
    f"jax.grad(lambda a: {ROOT})(2.0)",
    f"jax.jit(jax.grad(lambda a: {ROOT}))(2.0)",
    f"jax.grad(jax.grad(lambda a: {ROOT}))(2.0)",
    f"jax.jvp(lambda a: {ROOT}, (2.0,), (1.0,))",
    f"jax.vmap(jax.grad(lambda a: {ROOT}))(f32(3, low=1))",
    f"jax.grad(lambda a: jax.vmap(lambda a: {ROOT})(a).sum())(f32(3, low=1))",
    f"jax.grad(jax.jit(lambda a: {ROOT}))(2.0)",
    f"(lambda a, b: {ROOTS})(2.0, 3.0)",
    f"jax.jacrev(lambda a, b: {ROOTS}, (0, 1))(2.0, 3.0)",
    f"jax.jacfwd(lambda a, b: {ROOTS}, (0, 1))(2.0, 3.0)",
    "jax.grad(lambda a: lax.custom_root(lambda x: x ** 2 - a, 1.0, lambda f, x: (jnp.sqrt(a), a * 2), "
    "lambda g, y: y / g(1.0), has_aux=True), has_aux=True)(2.0)",
    "lax.custom_root(lambda x: (x,), 1.0, lambda f, x: x, lambda g, y: y)",
    "lax.custom_root(lambda x: x, 1.0, lambda f, x: (x,), lambda g, y: y)",
    "lax.custom_root(lambda x: x, 1.0, lambda f, x: x, lambda g, y: (y,))",
    "lax.custom_root(lambda x: x, 1.0, lambda f, x: x, lambda g, y: y, has_aux=True)",
    "lax.custom_root(lambda x: x, 1.0, lambda f, x: x if x > 0 else x, lambda g, y: y)",
]


@pytest.mark.parametrize("expression", SOLVES)
def test_solutions_of_equations(expression: str) -> None:
    assert_agrees(expression, SOLVES, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("expression", EVERYWHERE)
def test_rules_hold_everywhere(expression: str) -> None:
    assert_agrees(expression, EVERYWHERE, rtol=1e-2 if "bf16" in expression else 2e-6)


@pytest.mark.parametrize("expression", RULES)
def test_rules(expression: str) -> None:
    assert_agrees(expression, RULES, rtol=2e-6)


@pytest.mark.parametrize("expression", OTHERS)
def test_functions_that_give_derivatives(expression: str) -> None:
    assert_agrees(expression, OTHERS, rtol=2e-6)
