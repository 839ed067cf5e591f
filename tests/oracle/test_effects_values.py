"""What callbacks see, how often and in which order, and what goes wrong with them, as in jax."""

from __future__ import annotations

import pytest
from jax_process import assert_agrees


def seen(program: str) -> str:
    """What ``note`` was called with while ``program`` ran, and its result."""
    note = (
        "lambda x, **options: jax.debug.callback(lambda v: seen.append(np.asarray(v).tolist()), x, **options)"
    )
    return f"(lambda seen: (lambda note: ({program}, jax.effects_barrier(), seen))({note}))([])"


# `note` gives None: `(note(x), y)[1]` is y.
ORDERED = [
    "note(f32(3))",
    "jax.jit(lambda x: (note(x), note(x + 1), x)[-1])(1.0)",
    "jax.jit(lambda x: (note(x, ordered=True), note(x + 1, ordered=True), x)[-1])(1.0)",
    "jax.jit(lambda x: note(2.0))(1.0)",
    "jax.jit(jax.jit(lambda x: (note(x, ordered=True), x * 2)[1]))(3.0)",
    "jax.jit(lambda x: (lambda f: f(f(x)))(jax.jit(lambda y: (note(y, ordered=True), y * 2)[1])))(3.0)",
    "jax.vmap(lambda x: (note(x, ordered=True), x)[1])(np.arange(3.0, dtype=np.float32))",
    "jax.vmap(lambda x: note(7.0))(f32(3))",
    "jax.vmap(lambda x, y: note(x + y, ordered=True), (0, None))(np.arange(3.0, dtype=np.float32), 1.0)",
    "jax.vmap(lambda x: note(x, ordered=True), 1)(np.arange(6.0, dtype=np.float32).reshape(2, 3))",
    "jax.grad(lambda x: (note(x), x * x)[1])(3.0)",
    "jax.jit(jax.grad(lambda x: (note(x), x * x)[1]))(3.0)",
    "jax.grad(jax.jit(lambda x: (note(x), x * x)[1]))(3.0)",
    "jax.grad(jax.grad(lambda x: (note(x), x ** 3)[1]))(3.0)",
    "jax.value_and_grad(lambda x: (note(jnp.sin(x)), x * x)[1])(3.0)",
    "jax.jvp(lambda x: (note(x), x * x)[1], (3.0,), (1.0,))",
    "jax.linearize(lambda x: (note(x), x * x)[1], 3.0)[1](2.0)",
    "jax.vjp(lambda x: (note(x), x * x)[1], 3.0)[1](2.0)",
    "jax.vmap(jax.grad(lambda x: (note(x, ordered=True), x * x)[1]))(np.arange(3.0, dtype=np.float32))",
    "jax.jacfwd(lambda x: (note(x), x * x)[1])(np.arange(3.0, dtype=np.float32))",
    "jax.jacrev(lambda x: (note(x), x * x)[1])(np.arange(3.0, dtype=np.float32))",
    "jax.hessian(lambda x: (note(x), (x ** 3).sum())[1])(np.arange(2.0, dtype=np.float32))",
    "lax.scan(lambda c, x: (note(x, ordered=True), (c + x, c))[1], 0.0, np.arange(3.0, dtype=np.float32))",
    "lax.scan(lambda c, x: (note(x), (c + x, c))[1], 0.0, np.arange(3.0, dtype=np.float32), reverse=True)",
    "lax.scan(lambda c, x: (note(c, ordered=True), (c + x, c))[1], 0.0, np.arange(5.0, dtype=np.float32), "
    "unroll=2)",
    "lax.scan(lambda c, x: (note(1.0), (c + 1, None))[1], f32(), None, length=4)[0]",
    "lax.scan(lambda c, x: (note(x), (c + x, None))[1], f32(), np.zeros((0,), np.float32))[0]",
    "jax.grad(lambda x: lax.scan(lambda c, y: (note(y, ordered=True), (c * y, None))[1], 1.0, x)[0])"
    "(np.arange(1.0, 4.0, dtype=np.float32))",
    "jax.vmap(lambda a: lax.scan(lambda c, x: (note(x, ordered=True), (c + x, c))[1], 0.0, a)[0])"
    "(np.arange(4.0, dtype=np.float32).reshape(2, 2))",
    "lax.while_loop(lambda c: (note(c, ordered=True), c < 3)[1], lambda c: c + 1, 0)",
    "lax.while_loop(lambda c: c < 3, lambda c: (note(c, ordered=True), c + 1)[1], 0)",
    "lax.while_loop(lambda c: (note(c, ordered=True), c < 3)[1], "
    "lambda c: (note(10 * c, ordered=True), c + 1)[1], 0)",
    "lax.fori_loop(0, 3, lambda i, c: (note(i, ordered=True), c + i)[1], 0)",
    "jax.jit(lambda n: lax.fori_loop(0, n, lambda i, c: (note(i, ordered=True), c + i)[1], 0))(3)",
    "jax.vmap(lambda n: lax.while_loop(lambda c: c < n, lambda c: (note(c, ordered=True), c + 1)[1], 0))"
    "(np.arange(3, dtype=np.int32))",
    "jax.jvp(lambda x: lax.while_loop(lambda c: c < 10., lambda c: (note(c, ordered=True), c * 2)[1], x), "
    "(1.0,), (1.0,))",
    "lax.cond(True, lambda x: (note(x), x)[1], lambda x: (note(-x), x)[1], 3.0)",
    "jax.jit(lambda p, x: lax.cond(p, lambda x: (note(x, ordered=True), x)[1], lambda x: x, x))(False, 3.0)",
    "lax.switch(1, [lambda x: (note(x, ordered=True), x)[1], lambda x: (note(-x, ordered=True), x)[1]], 3.0)",
    "jax.vmap(lambda n: lax.cond(n > 1, lambda c: (note(c), c + 1)[1], lambda c: c, n))"
    "(np.arange(3, dtype=np.int32))",
    "jax.grad(lambda x: lax.cond(x > 0, lambda x: (note(x), x * x)[1], lambda x: x, x))(3.0)",
    "jax.grad(jax.checkpoint(lambda x: (note(x), jnp.sin(x) * x)[1]))(3.0)",
    "jax.checkpoint(lambda x: (note(x), jnp.sin(x) * x)[1])(3.0)",
    "(lambda f: (f.defvjp(lambda x: (note(x), (2 * x, None))[1], lambda r, ct: (note(ct), (5 * ct,))[1]), "
    "f(3.0), jax.grad(f)(3.0), jax.jit(jax.grad(f))(3.0))[1:])(jax.custom_vjp(lambda x: (note(-x), 2 * x)[1]))",
    "(lambda f: (f.defjvp(lambda p, t: (note(p[0]), (2 * p[0], 5 * t[0]))[1]), "
    "f(3.0), jax.jvp(f, (3.0,), (1.0,)), jax.grad(f)(3.0), jax.jit(jax.grad(f))(3.0))[1:])"
    "(jax.custom_jvp(lambda x: (note(-x), 2 * x)[1]))",
    "(lambda f: (f.defjvp(lambda p, t: (note(t[0]), (2 * p[0], 5 * t[0]))[1]), "
    "jax.jvp(f, (3.0,), (1.0,)), jax.grad(f)(3.0))[1:])(jax.custom_jvp(lambda x: 2 * x))",
    "jax.jit(jax.grad(jax.checkpoint(lambda x: (note(jnp.sin(x), ordered=True), jnp.sin(x) * x)[1])))(3.0)",
    "jax.vmap(jax.grad(jax.checkpoint(lambda x: (note(x), x ** 3)[1])))(np.arange(2.0, dtype=np.float32))",
]

UNORDERED = [  # the order of calls in different equations is not promised: sorted
    "jax.grad(lambda x: lax.map(lambda y: (note(y), y * y)[1], x).sum())(np.arange(3.0, dtype=np.float32))",
]

VALUES = [
    "jax.pure_callback(np.sin, f32(3), f32(3))",
    "jax.jit(lambda x: jax.pure_callback(np.sin, x, x) + 1)(f32(3))",
    "jax.jit(lambda x: jax.pure_callback(lambda x, y: {'a': x + y, 'b': (x, 1.0)}, "
    "{'a': x, 'b': (x, jax.ShapeDtypeStruct((), np.float32))}, x, y=x))(f32(3))",
    "jax.jit(lambda x: jax.pure_callback(lambda x: 2.0, jax.ShapeDtypeStruct((), np.float32), x))(1.0)",
    "jax.jit(lambda x: jax.pure_callback(lambda x: 2, jax.ShapeDtypeStruct((), np.int32), x))(1.0)",
    "jax.jit(lambda x: jax.pure_callback(lambda x: np.float64(x), x, x))(f32())",
    "jax.jit(lambda x: jax.pure_callback(lambda x: x.T, jax.ShapeDtypeStruct((3, 2), np.float32), x))(f32(2, 3))",
    "jax.jit(lambda x: jax.pure_callback(lambda x: x, x, x.T))(f32(3, 3))",
    "jax.jit(lambda x: jax.pure_callback(lambda x: x, x, x))(b8(3))",
    "jax.jit(lambda x: jax.pure_callback(lambda x: x, x, x))(bf16(3))",
    "jax.jit(lambda x: jax.pure_callback(lambda x: x, x, x))(c64(3))",
    "jax.jit(lambda x: jax.pure_callback(lambda x: x, x, x))(np.zeros((0, 2), np.float32))",
    "jax.jit(lambda x: jax.pure_callback(lambda x: None, None, x))(1.0)",
    "jax.jit(lambda x: jax.pure_callback(lambda x: jnp.sin(x) + jax.jit(jnp.cos)(x), x, x))(f32(3))",
    "jax.jit(lambda x: jax.pure_callback(lambda x: type(x) is type(jnp.ones(1)), "
    "jax.ShapeDtypeStruct((), np.bool_), x))(1.0)",
    "jax.jit(lambda x: experimental.io_callback(np.sin, x, x))(f32(3))",
    "jax.jit(lambda x: experimental.io_callback(np.sin, x, x, ordered=True) * 2)(f32(3))",
    "jax.vmap(lambda x: experimental.io_callback(np.sin, jax.ShapeDtypeStruct((), np.float32), x))(f32(3))",
    "jax.jit(lambda x: jax.pure_callback(np.sin, x, x))(f32(2, 3))[0]",
    "(lambda seen: (jax.jit(lambda x: (jax.pure_callback(lambda x: seen.append(1) or x, x, x), x)[1])(1.0), seen))"
    "([])",
    "(lambda seen: (jax.jit(lambda x: (experimental.io_callback(lambda x: seen.append(1) or x, x, x), x)[1])"
    "(np.float32(1)), seen))([])",
    *[
        f"jax.vmap(lambda a, b: jax.pure_callback(lambda a, b: np.asarray(a) + np.asarray(b), "
        f"jax.ShapeDtypeStruct((), np.float32), a, b, vmap_method={method!r}), {axes})(f32(3), {second})"
        for method in (
            "sequential",
            "sequential_unrolled",
            "expand_dims",
            "broadcast_all",
            "legacy_vectorized",
        )
        for axes, second in (("(0, 0)", "f32(3, seed=1)"), ("(0, None)", "np.float32(1)"))
    ],
    *[
        f"(lambda seen: (jax.vmap(lambda a, b: jax.pure_callback(lambda a, b: seen.append((np.shape(a), "
        f"np.shape(b))) or np.asarray(a) + np.asarray(b), jax.ShapeDtypeStruct((2,), np.float32), a, b, "
        f"vmap_method={method!r}), (1, None))(f32(2, 3), f32(2)), seen))([])"
        for method in ("sequential", "expand_dims", "broadcast_all")
    ],
]

RAISING = [
    "jax.jit(lambda x: jax.pure_callback(lambda x: x[:2], x, x))(f32(3))",
    "jax.pure_callback(lambda x: x[:2], f32(3), f32(3))",
    "jax.jit(lambda x: jax.pure_callback(lambda x: np.zeros(3, np.int32), x, x))(f32(3))",
    "jax.jit(lambda x: jax.pure_callback(lambda x: np.zeros(3, np.float16), x, x))(f32(3))",
    "jax.jit(lambda x: jax.pure_callback(lambda x: (x, x), x, x))(f32(3))",
    "jax.jit(lambda x: jax.pure_callback(lambda x: None, x, x))(f32(3))",
    "jax.jit(lambda x: experimental.io_callback(lambda x: x[:2], x, x))(f32(3))",
    "jax.pure_callback(np.sin, f32(3), f32(3), vmap_method='all')",
    "jax.pure_callback(np.sin, (3,), f32(3))",
    "jax.pure_callback(np.sin, np.zeros(3), f32(3))",
    "jax.pure_callback(np.sin, f32(3), 'text')",
    "jax.debug.callback(3, 1.0)",
    "jax.debug.callback(ordered=True, x=3)",
    "jax.debug.print('a', 1)",
    "jax.debug.print('{}', 1, b=2)",
    "jax.debug.print('{b}', 1)",
    "jax.debug.print('{} {}', 1)",
    "jax.debug.print(3)",
    "jax.vmap(lambda x: jax.pure_callback(np.sin, x, x))(f32(3))",
    "jax.vmap(lambda x: experimental.io_callback(np.sin, x, x, ordered=True))(f32(3))",
    "jax.grad(lambda x: jax.pure_callback(np.sin, x, x))(1.0)",
    "jax.jvp(lambda x: jax.pure_callback(np.sin, x, x), (1.0,), (1.0,))",
    "jax.grad(lambda x: experimental.io_callback(np.sin, x, x))(1.0)",
    "jax.vmap(lambda p: lax.cond(p, lambda: experimental.io_callback(np.sin, f32(3), f32(3)), lambda: f32(3)))"
    "(b8(3))",
    "jax.debug.callback(lambda x: 1 / 0, 1.0)",
    "checkify.check(jnp.array(False), 'no')",
    "checkify.check(jnp.array(1.0), 'no')",
    "checkify.check(jnp.array([True]), 'no')",
    "checkify.check(jnp.array(True), '{x}', x='text')",
    "checkify.check_error(3)",
    "jax.jit(lambda x: checkify.check(x > 0, 'no'))(1.0)",
    "jax.vmap(lambda x: checkify.check(x > 0, 'no'))(f32(3))",
    "lax.scan(lambda c, x: (checkify.check(x > 0, 'no'), (c, x))[1], 0.0, f32(3))",
    "checkify.checkify(lambda x: checkify.check(x > 0, 'no'))(jnp.float32(-1))[0].throw()",
    "checkify.check_error(checkify.checkify(lambda x: checkify.check(x > 0, 'no'))(jnp.float32(-1))[0])",
    "checkify.checkify(jax.vmap(lambda n: lax.while_loop(lambda c: c < n, lambda c: c + 1, 0)), "
    "checkify.float_checks)(np.arange(3, dtype=np.int32))",
]

CALLS = [seen(program) for program in ORDERED]
SORTED = [f"(lambda r: (r[0], sorted(r[2])))({seen(program)})" for program in UNORDERED]


@pytest.mark.parametrize("expression", CALLS)
def test_calls(expression: str) -> None:
    """The values that callbacks get, in order, and the result of the program."""
    assert_agrees(expression, CALLS)


@pytest.mark.parametrize("expression", SORTED)
def test_calls_in_any_order(expression: str) -> None:
    assert_agrees(expression, SORTED)


@pytest.mark.parametrize("expression", VALUES)
def test_values(expression: str) -> None:
    assert_agrees(expression, VALUES)


@pytest.mark.parametrize("expression", RAISING)
def test_errors(expression: str) -> None:
    """The class of the error."""
    assert_agrees(expression, RAISING)
