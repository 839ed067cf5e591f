"""Values and powers of polynomials, and covariance: polyval, vander, cov, corrcoef."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from jaxlab import dtypes, lax
from jaxlab.control.scan import scan
from jaxlab.core.aval import aval_of
from jaxlab.numpy.joining import concatenate
from jaxlab.numpy.linear_algebra import dot
from jaxlab.numpy.manipulation import atleast_2d
from jaxlab.numpy.moments import average
from jaxlab.numpy.promotion import broadcast_shapes, cast, check_arraylike, promote_dtypes
from jaxlab.numpy.taking import diagonal
from jaxlab.numpy.ufuncs import sqrt
from jaxlab.numpy.ufuncs_arithmetic import absolute, add, divide, multiply, power, subtract
from jaxlab.numpy.ufuncs_rounding import clip
from jaxlab.numpy.wrapping import as_array, named

_add, _sub, _mul, _div = add.__wrapped__, subtract.__wrapped__, multiply.__wrapped__, divide.__wrapped__


@named(static_argnames=("unroll",))
def polyval(p: Any, x: Any, *, unroll: int = 16) -> Any:
    """The values of a polynomial, by Horner's rule.

    Args:
      p: the coefficients along the first axis, that of the highest power first.
      x: where.
      unroll: how many steps of the loop are written out.

    >>> jnp.polyval(jnp.array([1.0, 0.0, 2.0]), 3.0)
    Array(11., dtype=float32)
    """
    check_arraylike("polyval", p, x)
    p, x = promote_dtypes(p, x)
    p, x = as_array(p), as_array(x)
    shape = broadcast_shapes(aval_of(p).shape[1:], aval_of(x).shape)
    start = lax.full(shape, 0, aval_of(x).dtype)

    def step(total: Any, coefficient: Any) -> tuple[Any, None]:
        return _add(_mul(total, x), coefficient), None

    total, _ = scan(step, start, p, unroll=unroll)
    return total


@named(static_argnames=("N", "increasing"))
def vander(x: Any, N: int | None = None, increasing: bool = False) -> Any:
    """The matrix of powers of each element of a vector.

    Args:
      x: array with one axis.
      N: how many powers; as many as there are elements by default.
      increasing: whether the powers ascend from 0.

    Raises:
      ValueError: if ``x`` has other than one axis, or ``N`` is negative.

    >>> jnp.vander(jnp.array([2.0, 3.0]), 3)
    Array([[4., 2., 1.],
           [9., 3., 1.]], dtype=float32)
    """
    check_arraylike("vander", x)
    aval = aval_of(x)
    if len(aval.shape) != 1:
        raise ValueError(f"vander: an array of shape {aval.shape} was given, but one axis is needed")
    count = aval.shape[0] if N is None else operator.index(N)
    if count < 0:
        raise ValueError(f"vander: N={count} was given, but it must be 0 or more")
    powers = lax.iota(aval.dtype, count)
    if not increasing:
        powers = _sub(aval.dtype.type(count - 1), powers)
    return power(lax.expand_dims(x, (1,)), lax.expand_dims(powers, (0,)))


@named(static_argnames=("rowvar", "bias", "ddof", "dtype"))
def cov(
    m: Any,
    y: Any = None,
    rowvar: bool = True,
    bias: bool = False,
    ddof: int | None = None,
    fweights: Any = None,
    aweights: Any = None,
    dtype: Any = None,
) -> Any:
    """The covariances of variables, from observations.

    Args:
      m: a row of observations for each variable, or one row.
      y: further rows.
      rowvar: whether variables are rows; columns otherwise.
      bias: whether to divide by the number of observations, not by one less.
      ddof: what to subtract from the number of observations instead.
      fweights: how often each observation was made: integers.
      aweights: the weight of each observation.
      dtype: the dtype of the result.

    Raises:
      ValueError: if there are more than two axes, or the weights do not fit.
      TypeError: if ``fweights`` are not integers.

    >>> jnp.cov(jnp.array([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]]))
    Array([[ 1., -1.],
           [-1.,  1.]], dtype=float32)
    """
    check_arraylike("cov", m, *([] if y is None else [y]))
    if ddof is not None and ddof != int(ddof):
        raise ValueError(f"cov: ddof={ddof} was given, but it must be an integer")
    rows = promote_dtypes(*([m] if y is None else [m, y]), inexact=True)
    if any(len(aval_of(x).shape) > 2 for x in rows):
        raise ValueError(
            f"cov: arrays of shapes {[aval_of(x).shape for x in rows]} were given, but at most two axes"
        )
    arrays = [atleast_2d(x) for x in rows]
    if not rowvar:
        arrays = [lax.transpose(a, (1, 0)) if aval_of(a).shape[0] != 1 else a for a in arrays]
    x = concatenate(arrays, 0) if y is not None else arrays[0]
    if dtype is not None:
        x = cast(x, dtypes.canonicalize(dtype))
    if aval_of(x).shape[0] == 0:
        return lax.full((0, 0), 0, aval_of(x).dtype)
    count = aval_of(x).shape[1]
    ddof = (0 if bias else 1) if ddof is None else ddof
    weights = _weights(fweights, aweights, count)
    mean, total = average(x, axis=1, weights=weights, returned=True)
    total = lax.squeeze(lax.slice(total, (0,), (1,)), (0,))
    if weights is None:
        norm: Any = count - ddof
    elif ddof == 0:
        norm = total
    elif aweights is None:
        norm = _sub(total, ddof)
    else:
        squares = lax.reduce_sum(_mul(weights, aweights), (0,))
        norm = _sub(total, _div(_mul(ddof, squares), total))
    x = _sub(x, lax.expand_dims(mean, (1,)))
    other = lax.transpose(x if weights is None else _mul(x, lax.expand_dims(weights, (0,))), (1, 0))
    if aval_of(x).dtype.kind == "c":
        other = lax.conj(other)
    result = _div(dot.__wrapped__(x, other), norm)
    shape = aval_of(result).shape
    return lax.squeeze(result, [i for i, size in enumerate(shape) if size == 1])


def _weights(fweights: Any, aweights: Any, count: int) -> Any:
    result = None
    for name, given in (("fweights", fweights), ("aweights", aweights)):
        if given is None:
            continue
        check_arraylike("cov", given)
        aval = aval_of(given)
        if aval.shape != (count,):
            raise ValueError(f"cov: {name} of shape {aval.shape} were given for {count} observations")
        if name == "fweights" and not dtypes.issubdtype(aval.dtype, np.integer):
            raise TypeError(f"cov: fweights of dtype {aval.dtype.name} were given, but they are integers")
        positive = absolute.__wrapped__(given)
        result = positive if result is None else _mul(result, positive)
    return result


@named(static_argnames=("rowvar", "dtype"))
def corrcoef(x: Any, y: Any = None, rowvar: bool = True, dtype: Any = None) -> Any:
    """The correlations of variables, from observations; arguments as of `cov`.

    >>> jnp.corrcoef(jnp.array([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]]))
    Array([[ 1., -1.],
           [-1.,  1.]], dtype=float32)
    """
    check_arraylike("corrcoef", x)
    matrix = cov(x, y, rowvar, dtype=dtype)
    if not aval_of(matrix).shape:
        return _div(matrix, matrix)
    variances = diagonal(matrix)
    deviations = sqrt.__wrapped__(lax.real(variances) if aval_of(matrix).dtype.kind == "c" else variances)
    scaled = _div(_div(matrix, lax.expand_dims(deviations, (1,))), lax.expand_dims(deviations, (0,)))
    if aval_of(matrix).dtype.kind == "c":
        return lax.complex(clip(lax.real(scaled), -1, 1), clip(lax.imag(scaled), -1, 1))
    return clip(scaled, -1, 1)
