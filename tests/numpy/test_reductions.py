"""Reductions, running sums and quantiles against jax: jaxprs, values, and the errors of bad axes and of
nothing."""

from __future__ import annotations

import pytest
from jax_process import assert_agrees

EXACT = [
    "sum",
    "prod",
    "max",
    "min",
    "mean",
    "var",
    "std",
    "any",
    "all",
    "argmax",
    "argmin",
    "ptp",
    "count_nonzero",
    "cumsum",
    "cumprod",
]
NAN = [
    "nansum",
    "nanmean",
    "nanmax",
    "nanmin",
    "nanvar",
    "nanstd",
    "nanprod",
    "nanargmax",
    "nanargmin",
    "nancumsum",
    "nancumprod",
]
ARRAYS = ("f32(2,3)", "i32(2,3)", "b8(2,3)", "c64(2,3)", "f16(2,3)", "u8(2,3)", "bf16(2,3)")
OPTIONS = (
    "axis=1",
    "axis=-1,keepdims=True",
    "axis=(0,1)",
    "axis=2",
    "where=b8(2,3)",
    "where=b8(2,3),initial=0",
    "initial=2",
    "dtype='int32'",
    "axis=[0,1]",
    "keepdims=True",
    "out=3",
    "axis=(0,0)",
    "axis=()",
    "axis=1.5",
    "axis=0,ddof=1,keepdims=True",
    "where=b8(3),axis=0",
)

JAXPRS = [
    f"jaxpr(jnp.{name}, {x})"
    for name in EXACT + NAN
    for x in ARRAYS
    if not ("arg" in name and x == "c64(2,3)")  # complex numbers have no order of ours along an axis
]
JAXPRS += [
    f"jaxpr(lambda x: jnp.{name}(x, {options}), f32(2,3))"
    for name in EXACT + NAN
    for options in OPTIONS
    if not (name == "nanvar" and "int32" in options)
]
JAXPRS += [
    "jaxpr(lambda x, w: jnp.average(x, weights=w), f32(2,3), f32(2,3))",
    "jaxpr(lambda x, w: jnp.average(x, axis=1, weights=w, returned=True), f32(2,3), f32(3))",
    "jaxpr(lambda x: jnp.average(x, axis=1, returned=True), f32(2,3))",
    "jaxpr(lambda x: jnp.average(x, axis=0, keepdims=True), f32(2,3))",
    "jaxpr(lambda x: jnp.sum(x, promote_integers=False), u8(3))",
    "jaxpr(lambda x: jnp.sum(x, axis=1, keepdims=True, initial=2), f16(2,3))",
    "jaxpr(lambda x: jnp.var(x, axis=0, keepdims=True, where=x > 0, ddof=1), f32(2,3))",
    "jaxpr(lambda x: jnp.var(x, correction=1.5), f32(2,3))",
    "jaxpr(lambda x: jnp.var(x, mean=0.), f32(2,3))",
    "jaxpr(lambda x: jnp.mean(x, where=x > 0, axis=1, keepdims=True), f16(2,3))",
    "jaxpr(lambda x: jnp.cumulative_sum(x, axis=1, include_initial=True), f32(2,3))",
]

VALUES = [
    f"jnp.{name}({x})" for name in EXACT + NAN for x in ("f32(2,3)", "i32(2,3)", "bf16(2,3)", "1.5", "f32(0)")
]
VALUES += [f"jnp.{name}(f32(2,3,4), axis={axis})" for name in EXACT[:9] for axis in ("(0,2)", "-1", "[0]")]
VALUES += [f"jnp.{name}(np.array([[1, np.nan, 3], [np.nan] * 3], 'f'), axis=1)" for name in EXACT + NAN]
VALUES += [f"jnp.{name}(f32(0,3), axis={axis})" for name in EXACT + NAN for axis in (0, 1)]
VALUES += [
    f"jnp.{name}(f32(2,3), axis=1, where=b8(2,3), initial=0)"
    for name in ("sum", "prod", "max", "min", "nansum")
]
VALUES += [
    "jnp.sum(np.ones((2,3)), axis=np.int64(0))",
    "jnp.average(f32(2,3), weights=f32(2,3,low=1))",
    "jnp.average(f32(2,3), axis=1, weights=f32(3,low=1), returned=True)",
    "jnp.std(f32(2,3), mean=np.float32(0))",
    "jnp.cumulative_prod(i32(2,3), axis=1)",
    "jnp.cumulative_sum(u8(3))",
    "jnp.amax(f32(3))",
    "jnp.percentile(f32(5), 30)",
    "jnp.percentile(i32(5), np.array([25, 75]))",
    "jnp.quantile(np.array([1, np.nan, 2], 'f'), .5)",
    "jnp.nanpercentile(np.array([1, np.nan, 2], 'f'), 50)",
    "jnp.quantile(f16(5), .3)",
    "jnp.median(f32(2,3), axis=1)",
    "jnp.median(i32(2,3), keepdims=True)",
    "jnp.nanmedian(np.array([[1, np.nan, 3], [np.nan] * 3], 'f'), axis=1)",
    "jnp.median(2)",
]
VALUES += [
    f"jnp.{name}(f32(3,4), {q}, {options})"
    for name in ("quantile", "nanquantile")
    for q, options in (
        ("0.3", "axis=1"),
        ("0.3", "method='lower'"),
        ("0.3", "method='higher'"),
        ("0.3", "method='nearest'"),
        ("0.3", "method='midpoint'"),
        ("np.array([.1,.5],'f')", "axis=0,keepdims=True"),
        ("1.0", "axis=(0,1)"),
        ("0.0", ""),
    )
]
VALUES += [
    f"jax.grad(lambda x: jnp.sum(jnp.{name}(x)))(f32(2,3))"
    for name in ("sum", "prod", "max", "mean", "var", "std", "cumsum", "cumprod", "median", "nansum", "ptp")
]

ERRORS = [f"jnp.{name}({x})" for name in EXACT + NAN for x in ("[1, 2]", "None", "'a'")]
ERRORS += [
    "jnp.cumulative_sum(f32(2,3))",
    "jnp.var(f32(3), ddof=1, correction=1)",
    "jnp.std(f32(3), dtype=int)",
    "jnp.average(f32(2,3), weights=f32(3,low=1))",
    "jnp.average(f32(2,3), axis=1, weights=f32(2,low=1))",
    "jnp.quantile(f32(3), 0.5, method='foo')",
    "jnp.quantile(c64(3), .5)",
    "jnp.quantile(f32(3), f32(1,2))",
    "jnp.sum(f32(3), initial=f32(2))",
    "jnp.sum(f32(3), where=[True])",
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
