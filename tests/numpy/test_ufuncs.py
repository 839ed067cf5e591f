"""Universal functions against jax: jaxprs over many dtypes, values over a few, and the errors of bad
operands."""

from __future__ import annotations

import pytest
from jax_process import assert_agrees

UNARY = [
    "negative",
    "positive",
    "absolute",
    "abs",
    "fabs",
    "sign",
    "sqrt",
    "cbrt",
    "square",
    "reciprocal",
    "exp",
    "exp2",
    "expm1",
    "log",
    "log2",
    "log10",
    "log1p",
    "sin",
    "cos",
    "tan",
    "arcsin",
    "arccos",
    "arctan",
    "sinh",
    "cosh",
    "tanh",
    "arcsinh",
    "arccosh",
    "arctanh",
    "deg2rad",
    "rad2deg",
    "floor",
    "ceil",
    "trunc",
    "rint",
    "round",
    "around",
    "isnan",
    "isinf",
    "isfinite",
    "isposinf",
    "isneginf",
    "signbit",
    "sinc",
    "logical_not",
    "invert",
    "bitwise_count",
    "real",
    "imag",
    "conj",
    "angle",
    "nan_to_num",
    "modf",
    "frexp",
    "spacing",
    "iscomplex",
    "isreal",
]
BINARY = [
    "add",
    "subtract",
    "multiply",
    "divide",
    "floor_divide",
    "remainder",
    "fmod",
    "power",
    "float_power",
    "divmod",
    "arctan2",
    "hypot",
    "logaddexp",
    "logaddexp2",
    "maximum",
    "minimum",
    "fmax",
    "fmin",
    "copysign",
    "nextafter",
    "heaviside",
    "equal",
    "not_equal",
    "less",
    "less_equal",
    "greater",
    "greater_equal",
    "logical_and",
    "logical_or",
    "logical_xor",
    "bitwise_and",
    "bitwise_or",
    "bitwise_xor",
    "left_shift",
    "right_shift",
    "isclose",
    "allclose",
    "array_equal",
    "array_equiv",
    "gcd",
    "lcm",
    "ldexp",
]
PAIRS = (
    ("f32(3)", "f32(3,seed=1)"),
    ("i32(3)", "i32(3,seed=1)"),
    ("b8(3)", "b8(3,seed=1)"),
    ("c64(3)", "c64(3,seed=1)"),
    ("f32(3)", "i32(3,seed=1)"),
    ("u8(3)", "i32(3,seed=1)"),
    ("u8(3)", "u8(3,seed=1)"),
    ("f32(2,3)", "f32(3,seed=1)"),
    ("f32(2,1)", "f32(3)"),
    ("f32(3)", "np.float32(2)"),
)
WITH_NUMBERS = (("f32(3)", "2"), ("f32(3)", "2.5"), ("i32(3)", "2.5"), ("f16(3)", "2."))

# What jax computes in half precision; ours has no kernel for it.
WITHOUT_HALF = ("spacing", "nextafter", "frexp")

JAXPRS = [
    f"jaxpr(jnp.{name}, {x})"
    for name in UNARY
    for x in ("f32(3)", "i32(3)", "b8(3)", "c64(3)", "f16(3)", "u8(3)")
    if not (name in WITHOUT_HALF and x == "f16(3)")
]
JAXPRS += [f"jaxpr(jnp.{name}, {x}, {y})" for name in BINARY for x, y in PAIRS]
JAXPRS += [
    f"jaxpr(lambda x: jnp.{name}(x, {y}), {x})"
    for name in BINARY
    for x, y in WITH_NUMBERS
    if not (name in WITHOUT_HALF and x == "f16(3)")
]
JAXPRS += [
    "jaxpr(lambda x: x ** 2, f32(3))",
    "jaxpr(lambda x: x ** -1, f32(3))",
    "jaxpr(lambda x: jnp.power(2, x), i32(3))",
    "jaxpr(lambda x: jnp.round(x, 2), f32(3))",
    "jaxpr(lambda x: jnp.round(x, 2), f16(3))",
    "jaxpr(lambda x: jnp.round(x, -1), f32(3))",
    "jaxpr(lambda x: jnp.angle(x, deg=True), c64(3))",
    "jaxpr(lambda x: jnp.nan_to_num(x, nan=1., posinf=2., neginf=3.), f32(3))",
    "jaxpr(lambda x: jnp.isclose(x, 1., equal_nan=True), f32(3))",
    "jaxpr(lambda x: jnp.array_equal(x, x, equal_nan=True), f32(3))",
    "jaxpr(lambda x: jnp.clip(x, 0, 1), f32(3))",
    "jaxpr(lambda x: jnp.clip(x, min=0), f32(3))",
    "jaxpr(lambda x: jnp.clip(x, 0.5, 1), i32(3))",
    "jaxpr(lambda x: jnp.clip(x), f32(3))",
    "jaxpr(lambda c, x: jnp.where(c, x, 0), b8(3), f32(3))",
    "jaxpr(lambda c: jnp.where(c, 1, 2.5), b8(3))",
    "jaxpr(lambda c, x, y: jnp.where(c, x, y), b8(3,1), f32(3,2), f32(2))",
    "jaxpr(lambda c, x: jnp.where(c, x, 2.5), np.bool_(True), i32(3))",
    "jaxpr(lambda c, x, y: jnp.where(c, x, y), b8(3), f16(3), i32(3))",
    "jaxpr(lambda c, x, y: jnp.where(c, x, y), b8(1,3), f32(3), f32(2,3))",
    "jaxpr(lambda x: x + 300, i8(3))",
    "jaxpr(lambda x: x + np.ones((), 'int8'), i32(3))",
    "jaxpr(lambda x: x + np.ones((1,), 'int8'), i32(3))",
    "jaxpr(lambda x: x + jnp.asarray(1.), f16(3))",
    "jaxpr(lambda x: x + 0.1, 1.5)",
]

VALUES = [f"jnp.{name}({x})" for name in UNARY for x in ("f32(3)", "1.5", "2")]
VALUES += [
    f"jnp.{name}({x}, {y})"
    for name in BINARY
    for x, y in (PAIRS[0], PAIRS[1], ("2", "i32(3,low=0)"), ("f32(2,1)", "f32(3)"), ("i32(3)", "2.5"))
]
VALUES += [
    "jnp.where(b8(3), f32(3), 2)",
    "jnp.where(b8(3), 1, 2.5)",
    "jnp.where(i32(3), f16(3), i32(3))",
    "jnp.where(i32(4))",
    "jnp.where(i32(4), size=2)",
    "jnp.select([b8(3), ~b8(3)], [f32(3), i32(3)], 5)",
    "jnp.nonzero(i32(2,3))",
    "jnp.nonzero(i32(2,3), size=3, fill_value=-1)",
    "jax.jit(lambda x: jnp.nonzero(x, size=4, fill_value=7))(i32(2,3))",
    "jax.jit(lambda x: jnp.nonzero(x, size=9, fill_value=(7, 8)))(i32(2,3))",
    "jnp.flatnonzero(i32(2,3))",
    "jnp.argwhere(i32(2,3))",
    "jnp.argwhere(np.int32(1))",
    "jnp.clip(f32(3), 0, 1)",
    "jnp.clip(f32(3), max=i32(3))",
    "jnp.round(f32(3) * 100, -1)",
    "jnp.round(c64(3), 1)",
    "jnp.isclose(f32(3), f32(3), equal_nan=True)",
    "jnp.allclose(f32(3), f32(3) + 1e-7)",
    "jnp.array_equal([1, 2], [1, 2])",
    "jnp.array_equal(f32(3), f32(2))",
    "jnp.array_equiv(f32(2,3), f32(3))",
    "jnp.nan_to_num(np.array([np.nan, np.inf, -np.inf], 'f'), nan=1., posinf=2.)",
    "jnp.isnan(np.array([np.nan, 1, np.inf], 'f'))",
    "jnp.broadcast_shapes((2, 1), (3,))",
    "jax.grad(lambda x: jnp.sum(jnp.sinc(x)))(np.array([0., .3], 'f'))",
    "jax.grad(lambda x: jnp.sum(jnp.logaddexp(x, 1.)))(f32(3))",
    "jax.grad(lambda x: jnp.sum(jnp.logaddexp2(x, 1.)))(f32(3))",
    "jax.grad(lambda x: jnp.sum(jnp.where(x > 0, x, 2 * x)))(f32(3))",
    "jax.grad(lambda x: jnp.sum(jnp.frexp(x)[0]))(f32(3))",
]

ERRORS = [
    "jnp.add([1], 2)",
    "jnp.add(None, 2)",
    "jnp.add(1, 'a')",
    "jnp.sin('a')",
    "jnp.sin([1.])",
    "jnp.add(f32(3), f32(4))",
    "jnp.add(f32(2,3), f32(2))",
    "jnp.power(i32(3), -1)",
    "jnp.bitwise_and(f32(3), 1)",
    "jnp.gcd(f32(3), 1)",
    "jnp.hypot(c64(3), 1)",
    "jnp.fabs(c64(3))",
    "jnp.clip(c64(3), 0, 1)",
    "jnp.round(i32(3), -1)",
    "jnp.where(b8(3), f32(3))",
    "jnp.where(b8(3), f32(4), 0)",
    "jnp.where([True, False], 1, 2)",
    "jnp.where(b8(3), f32(3), 0, size=2)",
    "jnp.select([], [])",
    "jax.jit(jnp.nonzero)(i32(3))",
    "jnp.nonzero(np.int32(1))",
    "jnp.broadcast_shapes((2,), (3,))",
    "jnp.add(jnp.ones(3, 'float8_e4m3fn'), f32(3))",
    "jnp.add(i32(3), 2**40)",
]


@pytest.mark.parametrize("expression", JAXPRS)
def test_jaxpr(expression: str) -> None:
    assert_agrees(expression, JAXPRS)


@pytest.mark.parametrize("expression", VALUES)
def test_value(expression: str) -> None:
    assert_agrees(expression, VALUES, atol=1e-6)


@pytest.mark.parametrize("expression", ERRORS)
def test_error(expression: str) -> None:
    assert_agrees(expression, ERRORS)


WIDE = [
    f"jnp.{name}({x})"
    for name in ("sin", "negative", "floor", "abs", "log2")
    for x in ("f64(3)", "i64(3)", "2", "1.5")
]
WIDE += [
    "jnp.add(i64(3), 1.5)",
    "jnp.add(f32(3), f64(3))",
    "f32(3) + jnp.asarray(2**40)",
    "jnp.power(i64(3), 40)",
]


@pytest.mark.parametrize("expression", WIDE)
def test_in_64_bits(expression: str) -> None:
    assert_agrees(expression, WIDE, x64=True)
