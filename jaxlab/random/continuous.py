"""Samples from continuous distributions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from jaxlab import dtypes
from jaxlab import numpy as jnp
from jaxlab.core.aval import aval_of
from jaxlab.lax import abs as lax_abs
from jaxlab.lax import (
    bitcast_convert_type,
    bitwise_or,
    broadcast_in_dim,
    convert_element_type,
    erf,
    erf_inv,
    log,
    log1p,
    neg,
    nextafter,
    reshape,
    shift_right_logical,
    sign,
    stop_gradient,
    sub,
    tan,
)
from jaxlab.random.keys import as_shape, broadcast_shape, raw_bits, split_typed, wrap
from jaxlab.transforms.jit import jit

Shape = Sequence[int] | None


def float_dtype(name: str, dtype: Any) -> Any:
    """The dtype to draw in; raises ValueError unless it is floating point."""
    result = dtypes.canonicalize(float if dtype is None else dtype)
    if not dtypes.issubdtype(result, np.floating):
        raise ValueError(f"{name}: dtype must be a floating-point dtype, but it is {result.name}")
    return result


def scalar(value: Any, dtype: Any) -> Any:
    """A NumPy scalar of a dtype, which becomes a literal."""
    return np.asarray(value, dtype)[()]


def uniform(
    key: Any, shape: Sequence[int] = (), dtype: Any = None, minval: Any = 0.0, maxval: Any = 1.0
) -> Any:
    """Uniform samples from [minval, maxval).

    Args:
      key: a key; use it once.
      shape: the result's shape; ``minval`` and ``maxval`` broadcast to it.
      dtype: a floating-point dtype.

    >>> uniform(jaxlab.random.key(0), (2,)).shape
    (2,)
    """
    typed, _ = wrap("uniform", key)
    return _uniform(typed, as_shape("uniform", shape), float_dtype("uniform", dtype), minval, maxval)


@partial(jit, static_argnums=(1, 2))
def _uniform(key: Any, shape: tuple[int, ...], dtype: Any, minval: Any, maxval: Any) -> Any:
    """Random mantissas under the exponent of 1 are uniform in [1, 2)."""
    broadcast_shape("uniform", shape, minval, maxval)
    low, high = convert_element_type(minval, dtype), convert_element_type(maxval, dtype)
    low, high = stretch(low, shape), stretch(high, shape)
    info = dtypes.finfo(dtype)
    width, mantissa = info.bits, info.nmant
    unsigned = np.dtype(f"uint{width}")
    words = raw_bits(key, max(width, 8), shape)
    one = np.ones((), dtype).view(unsigned)[()]
    words = shift_right_logical(words, np.asarray(width - mantissa, unsigned)[()])
    floats = bitcast_convert_type(bitwise_or(words, one), dtype) - scalar(1.0, dtype)
    scaled = floats * (high - low) + low
    return jnp.maximum(low, reshape(scaled, shape))


# What other distributions are made from; jaxprs show it under its private name, as in JAX.
draw_uniform = _uniform


def stretch(x: Any, shape: tuple[int, ...]) -> Any:
    """``x`` with leading axes of size 1, so that its rank is that of ``shape``."""
    own = aval_of(x).shape
    missing = len(shape) - len(own)
    return broadcast_in_dim(x, (1,) * missing + own, range(missing, len(shape))) if missing else x


def normal(key: Any, shape: Sequence[int] = (), dtype: Any = None) -> Any:
    """Samples of the standard normal distribution; complex dtypes get independent parts of variance one half.

    >>> normal(jaxlab.random.key(0), (2,)).shape
    (2,)
    """
    typed, _ = wrap("normal", key)
    result = dtypes.canonicalize(float if dtype is None else dtype)
    if not dtypes.issubdtype(result, np.inexact):
        raise ValueError(f"normal: dtype must be floating point or complex, but it is {result.name}")
    return _normal(typed, as_shape("normal", shape), result)


@partial(jit, static_argnums=(1, 2))
def _normal(key: Any, shape: tuple[int, ...], dtype: Any) -> Any:
    if not dtypes.issubdtype(dtype, np.complexfloating):
        return _normal_real(key, shape, dtype)
    first, second = split_typed(key)
    real_dtype = np.zeros((), dtype).real.dtype
    real = convert_element_type(_normal_real(first, shape, real_dtype), dtype)
    imaginary = convert_element_type(_normal_real(second, shape, real_dtype), dtype)
    return (real + scalar(1j, dtype) * imaginary) / scalar(np.sqrt(real_dtype.type(2)), dtype)


@partial(jit, static_argnums=(1, 2))
def _normal_real(key: Any, shape: tuple[int, ...], dtype: Any) -> Any:
    """The quantile function of the normal distribution at uniform samples."""
    low = np.nextafter(scalar(-1.0, dtype), scalar(0.0, dtype), dtype=dtype)
    draws = _uniform(key, shape, dtype, low, scalar(1.0, dtype))
    return scalar(math.sqrt(2), dtype) * erf_inv(draws)


def truncated_normal(key: Any, lower: Any, upper: Any, shape: Shape = None, dtype: Any = None) -> Any:
    """Samples of the standard normal distribution given that they lie in (lower, upper).

    >>> bool(abs(truncated_normal(jaxlab.random.key(0), -1.0, 1.0, (9,))).max() < 1)
    True
    """
    typed, _ = wrap("truncated_normal", key)
    return _truncated_normal(
        typed,
        lower,
        upper,
        broadcast_shape("truncated_normal", shape, lower, upper),
        float_dtype("truncated_normal", dtype),
    )


@partial(jit, static_argnums=(3, 4))
def _truncated_normal(key: Any, lower: Any, upper: Any, shape: tuple[int, ...], dtype: Any) -> Any:
    root = scalar(math.sqrt(2), dtype)
    lower, upper = convert_element_type(lower, dtype), convert_element_type(upper, dtype)
    draws = _uniform(key, shape, dtype, erf(lower / root), erf(upper / root))
    out = root * erf_inv(draws)
    return jnp.clip(
        out,
        nextafter(stop_gradient(lower), scalar(np.inf, dtype)),
        nextafter(stop_gradient(upper), scalar(-np.inf, dtype)),
    )


def gumbel(key: Any, shape: Sequence[int] = (), dtype: Any = None, mode: str | None = None) -> Any:
    """Samples of the Gumbel distribution, ``-log(-log(u))``.

    >>> gumbel(jaxlab.random.key(0), (2,)).shape
    (2,)
    """
    typed, _ = wrap("gumbel", key)
    if mode not in (None, "low"):
        raise ValueError(f"gumbel: mode must be 'low', but it is {mode!r}")
    return _gumbel(typed, as_shape("gumbel", shape), float_dtype("gumbel", dtype))


@partial(jit, static_argnums=(1, 2))
def _gumbel(key: Any, shape: tuple[int, ...], dtype: Any) -> Any:
    draws = _uniform(key, shape, dtype, scalar(dtypes.finfo(dtype).tiny, dtype), scalar(1.0, dtype))
    return neg(log(neg(log(draws))))


def exponential(key: Any, shape: Sequence[int] = (), dtype: Any = None) -> Any:
    """Samples of the exponential distribution of mean 1.

    >>> exponential(jaxlab.random.key(0), (2,)).shape
    (2,)
    """
    typed, _ = wrap("exponential", key)
    return _exponential(typed, as_shape("exponential", shape), float_dtype("exponential", dtype))


@partial(jit, static_argnums=(1, 2))
def _exponential(key: Any, shape: tuple[int, ...], dtype: Any) -> Any:
    return neg(log1p(neg(_uniform(key, shape, dtype, 0.0, 1.0))))


def laplace(key: Any, shape: Sequence[int] = (), dtype: Any = None) -> Any:
    """Samples of the Laplace distribution.

    >>> laplace(jaxlab.random.key(0), (2,)).shape
    (2,)
    """
    typed, _ = wrap("laplace", key)
    return _laplace(typed, as_shape("laplace", shape), float_dtype("laplace", dtype))


@partial(jit, static_argnums=(1, 2))
def _laplace(key: Any, shape: tuple[int, ...], dtype: Any) -> Any:
    low = scalar(-1.0 + dtypes.finfo(dtype).epsneg, dtype)
    draws = _uniform(key, shape, dtype, low, 1.0)
    return sign(draws) * log1p(neg(lax_abs(draws)))


def logistic(key: Any, shape: Sequence[int] = (), dtype: Any = None) -> Any:
    """Samples of the logistic distribution.

    >>> logistic(jaxlab.random.key(0), (2,)).shape
    (2,)
    """
    typed, _ = wrap("logistic", key)
    return _logistic(typed, as_shape("logistic", shape), float_dtype("logistic", dtype))


@partial(jit, static_argnums=(1, 2))
def _logistic(key: Any, shape: tuple[int, ...], dtype: Any) -> Any:
    draws = _uniform(key, shape, dtype, scalar(dtypes.finfo(dtype).tiny, dtype), 1.0)
    return sub(log(draws), log1p(neg(draws)))


def cauchy(key: Any, shape: Sequence[int] = (), dtype: Any = None) -> Any:
    """Samples of the Cauchy distribution.

    >>> cauchy(jaxlab.random.key(0), (2,)).shape
    (2,)
    """
    typed, _ = wrap("cauchy", key)
    return _cauchy(typed, as_shape("cauchy", shape), float_dtype("cauchy", dtype))


@partial(jit, static_argnums=(1, 2))
def _cauchy(key: Any, shape: tuple[int, ...], dtype: Any) -> Any:
    draws = _uniform(key, shape, dtype, scalar(dtypes.finfo(dtype).eps, dtype), 1.0)
    return tan(scalar(np.pi, dtype) * (draws - scalar(0.5, dtype)))
