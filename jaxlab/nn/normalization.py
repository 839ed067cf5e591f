"""Softmax and its kin, standardisation, and one-hot encoding."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from jaxlab import dtypes
from jaxlab import numpy as jnp
from jaxlab.config import config
from jaxlab.core.aval import aval_of
from jaxlab.lax import broadcasted_iota, full_like, is_finite, rsqrt, select_n, stop_gradient
from jaxlab.numpy.promotion import check_arraylike, promote_inexact
from jaxlab.transforms.custom_jvp import custom_jvp
from jaxlab.transforms.jit import jit

Axis = int | Sequence[int] | None


def softmax(x: Any, axis: Axis = -1, where: Any = None) -> Any:
    """``exp(x) / sum(exp(x))`` along ``axis``, without overflow.

    Args:
      x: an array.
      axis: one axis, several, or None for all.
      where: a mask that broadcasts against ``x``; elements outside count as -inf and become 0.

    >>> softmax(jnp.array([0.0, 0.0]))
    Array([0.5, 0.5], dtype=float32)
    """
    return _ruled_softmax(x, axis, where) if config.softmax_custom_jvp else _softmax(x, axis, where)


def _softmax(x: Any, axis: Axis, where: Any) -> Any:
    _, exps = _shifted("softmax", x, axis, where)
    total = jnp.sum(exps, axis, where=where, keepdims=True)
    result = exps / total
    return result if where is None else jnp.where(where, result, 0)


_ruled_softmax = custom_jvp(_softmax, nondiff_argnums=(1,))


@_ruled_softmax.defjvp
def _softmax_rule(axis: Axis, primals: Any, tangents: Any) -> Any:
    """The derivative from the result alone: nothing else has to be kept for the way back."""
    (x, where), (x_dot, _) = primals, tangents
    y = _ruled_softmax(x, axis, where)
    return y, y * (x_dot - jnp.sum(y * x_dot, axis, where=where, keepdims=True))


@partial(jit, static_argnames=("axis",))
def log_softmax(x: Any, axis: Axis = -1, where: Any = None) -> Any:
    """``log(softmax(x))``, without underflow. Arguments are those of `softmax`.

    >>> log_softmax(jnp.array([0.0, 0.0]))
    Array([-0.6931472, -0.6931472], dtype=float32)
    """
    shifted, exps = _shifted("log_softmax", x, axis, where)
    result = shifted - jnp.log(jnp.sum(exps, axis, where=where, keepdims=True))
    return result if where is None else jnp.where(where, result, -jnp.inf)


def _shifted(name: str, x: Any, axis: Axis, where: Any) -> tuple[Any, Any]:
    """``x`` less its maximum, which leaves a softmax as it is, and the exponentials of that."""
    check_arraylike(name, x)
    (x,) = promote_inexact(x)
    top = jnp.max(x, axis, where=where, initial=-jnp.inf, keepdims=True)
    safe = x if where is None else jnp.where(where, x, -jnp.inf)
    shifted = safe - stop_gradient(top)
    return shifted, jnp.exp(shifted)


def logsumexp(
    a: Any,
    axis: Axis = None,
    b: Any = None,
    keepdims: bool = False,
    return_sign: bool = False,
    where: Any = None,
) -> Any:
    """``log(sum(b * exp(a)))`` along ``axis``, without overflow.

    Args:
      a: an array.
      axis: one axis, several, or None for all.
      b: factors that broadcast against ``a``.
      keepdims: keep reduced axes with size 1.
      return_sign: return the logarithm of the absolute value, and the sign; else a negative sum gives NaN.
      where: a mask of the elements to include.

    >>> logsumexp(jnp.array([0.0, 0.0]))
    Array(0.6931472, dtype=float32)
    """
    if b is None:
        check_arraylike("logsumexp", a)
        (a,) = promote_inexact(a)
    else:
        check_arraylike("logsumexp", a, b)
        a, b = promote_inexact(a, b)
        a = jnp.where(b != 0, a, -jnp.inf)
    top = jnp.max(jnp.real(a), axis, where=where, initial=-jnp.inf, keepdims=keepdims)
    top = stop_gradient(select_n(is_finite(top), full_like(top, 0), top))
    spread = top if keepdims else jnp.expand_dims(top, _axes(axis, aval_of(a).ndim))
    exps = jnp.exp(a - spread)
    if b is not None:
        exps = exps * b
    total = jnp.sum(exps, axis, where=where, keepdims=keepdims)
    sign = jnp.sign(total)
    result = jnp.log(jnp.abs(total)) + top
    if return_sign:
        return result, sign
    return result if b is None else jnp.where(sign < 0, np.asarray(np.nan, aval_of(result).dtype)[()], result)


def _axes(axis: Axis, ndim: int) -> tuple[int, ...]:
    if axis is None:
        return tuple(range(ndim))
    return tuple(i % ndim for i in ((axis,) if isinstance(axis, int) else axis))


@partial(jit, static_argnames=("axis", "keepdims"))
def logmeanexp(x: Any, axis: Axis = None, where: Any = None, keepdims: bool = False) -> Any:
    """``log(mean(exp(x)))`` along ``axis``, without overflow.

    >>> logmeanexp(jnp.array([1.0, 1.0]))
    Array(1., dtype=float32)
    """
    total = logsumexp(x, axis=axis, where=where, keepdims=keepdims)
    if where is not None:
        return total - jnp.log(jnp.sum(where, axis, keepdims=keepdims))
    shape = aval_of(x).shape
    return total - jnp.log(float(math.prod(shape[i] for i in _axes(axis, len(shape)))))


@partial(jit, static_argnames=("axis", "algorithm"))
def standardize(
    x: Any,
    axis: Axis = -1,
    mean: Any = None,
    variance: Any = None,
    epsilon: Any = 1e-5,
    where: Any = None,
    *,
    algorithm: str = "fast",
) -> Any:
    """``(x - mean) / sqrt(variance + epsilon)`` along ``axis``.

    Args:
      mean, variance: computed from ``x`` where not given.
      epsilon: keeps the root away from zero.
      where: a mask of the elements that mean and variance count.
      algorithm: ``"fast"`` for E[x²] - E[x]², ``"stable"`` for E[(x - E[x])²].

    >>> standardize(jnp.array([1.0, 3.0]))
    Array([-0.999995,  0.999995], dtype=float32)
    """
    if algorithm not in ("fast", "stable"):
        raise ValueError(f"standardize: algorithm must be 'fast' or 'stable', but it is {algorithm!r}")
    check_arraylike("standardize", x)
    (x,) = promote_inexact(x)
    if mean is None:
        mean = jnp.mean(x, axis, keepdims=True, where=where)
    if variance is None:
        if algorithm == "fast":
            variance = jnp.clip(
                jnp.mean(jnp.square(x), axis, keepdims=True, where=where) - jnp.square(mean), 0
            )
        else:
            variance = jnp.var(x, axis, mean=mean, keepdims=True, where=where)
    return (x - mean) * rsqrt(variance + epsilon)


def one_hot(x: Any, num_classes: int, *, dtype: Any = None, axis: int = -1) -> Any:
    """Vectors of ``num_classes`` zeros with a one at each index in ``x``; only zeros for one out of range.

    Args:
      x: an array of integers.
      num_classes: the size of the new axis.
      dtype: of the result; the default float if not given.
      axis: where the new axis goes.

    >>> one_hot(jnp.array([0, 2]), 3)
    Array([[1., 0., 0.],
           [0., 0., 1.]], dtype=float32)
    """
    try:
        count = operator.index(num_classes)
    except TypeError:
        raise TypeError(
            f"one_hot: num_classes must be an integer known while tracing, but it is {num_classes!r}"
        ) from None
    result_dtype = dtypes.canonicalize(float if dtype is None else dtype)
    return _one_hot(x, count, dtype=result_dtype, axis=axis)


@partial(jit, static_argnums=(1,), static_argnames=("dtype", "axis"))
def _one_hot(x: Any, num_classes: int, *, dtype: Any, axis: int) -> Any:
    x = jnp.asarray(x)
    ndim = aval_of(x).ndim + 1
    place = axis % ndim
    column = jnp.expand_dims(x, place)
    shape = tuple(num_classes if i == place else 1 for i in range(ndim))
    return jnp.asarray(column == broadcasted_iota(aval_of(x).dtype, shape, place), dtype)
