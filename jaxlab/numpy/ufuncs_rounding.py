"""Rounding and bounding: floor, ceil, trunc, rint, round, modf, clip."""

from __future__ import annotations

from typing import Any

import numpy as np

from jaxlab import lax
from jaxlab.core.aval import aval_of, is_inexact
from jaxlab.numpy.promotion import (
    check_arraylike,
    check_out,
    promote_one,
    to_inexact,
    type_of,
)
from jaxlab.numpy.selection import selected
from jaxlab.numpy.ufuncs import unary
from jaxlab.numpy.ufuncs_arithmetic import maximum, minimum
from jaxlab.numpy.wrapping import BOOL, as_array, like, named
from jaxlab.primitives.rounding import RoundingMethod


def _floats_only(on_floats: Any) -> Any:
    def rounded(x: Any) -> Any:
        dtype = aval_of(x).dtype
        return on_floats(x) if is_inexact(dtype) else as_array(x)

    return rounded


floor = unary(
    "floor",
    _floats_only(lax.floor),
    "The largest integer that is not greater, as a number of the same dtype.",
    "jnp.array([1.7, -1.7]) -> Array([ 1., -2.], dtype=float32)",
)
ceil = unary(
    "ceil",
    _floats_only(lax.ceil),
    "The smallest integer that is not less, as a number of the same dtype.",
    "jnp.array([1.2, -1.2]) -> Array([ 2., -1.], dtype=float32)",
)


@named
def trunc(x: Any) -> Any:
    """The integer part, as a number of the same dtype: rounded towards zero.

    Args:
      x: real array or number.

    Raises:
      TypeError: if ``x`` is complex, or not an array or a number.

    >>> jnp.trunc(jnp.array([1.7, -1.7]))
    Array([ 1., -1.], dtype=float32)
    """
    dtype = type_of("trunc", x).dtype
    if not is_inexact(dtype):
        return as_array(x)
    return selected(lax.lt(x, like(x, 0)), lax.ceil(x), lax.floor(x))


fix = trunc


@named
def rint(x: Any, /) -> Any:
    """The nearest integer, as a floating-point number; halves go to the even one.

    Args:
      x: array or number; integers and booleans become floats.

    Raises:
      TypeError: if ``x`` is not an array or a number.

    >>> jnp.rint(jnp.array([0.5, 1.5, 1.6]))
    Array([0., 2., 2.], dtype=float32)
    """
    dtype = type_of("rint", x).dtype
    if not is_inexact(dtype):
        return lax.convert_element_type(x, to_inexact(dtype))
    if dtype.kind == "c":
        return lax.complex(rint(lax.real(x)), rint(lax.imag(x)))
    return lax.round(x, RoundingMethod.TO_NEAREST_EVEN)


@named(static_argnames=("decimals", "out"))
def round(a: Any, decimals: int = 0, out: None = None) -> Any:
    """The nearest number with so many decimals; halves go to the even one.

    Args:
      a: array or number; integers stay as they are.
      decimals: a Python integer; -2 rounds to hundreds.
      out: not supported.

    Raises:
      ValueError: if ``a`` is of booleans.
      NotImplementedError: for integers with negative ``decimals``, or if ``out`` is given.

    >>> jnp.round(jnp.array([1.234, 2.26]), 1)
    Array([1.2, 2.3], dtype=float32)
    """
    check_out("round", out)
    dtype = type_of("round", a).dtype
    if dtype == BOOL:
        raise ValueError(
            "round: an array of booleans was given, but numbers are needed; convert it with astype"
        )
    if not is_inexact(dtype):
        if decimals < 0:
            raise NotImplementedError(
                f"round: integers and decimals={decimals} were given, but integers are not rounded; make "
                "them floats first"
            )
        return as_array(a)
    if dtype.kind == "c":
        return lax.complex(_rounded(lax.real(a), decimals), _rounded(lax.imag(a), decimals))
    return _rounded(a, decimals)


def _rounded(x: Any, decimals: int) -> Any:
    if decimals == 0:
        return lax.round(x, RoundingMethod.TO_NEAREST_EVEN)
    dtype = aval_of(x).dtype
    if dtype.itemsize == 2:  # 16 bits do not hold the scaled numbers
        x = lax.convert_element_type(x, np.dtype(np.float32))
    factor = like(x, 10.0**decimals)
    out = lax.div(lax.round(lax.mul(x, factor), RoundingMethod.TO_NEAREST_EVEN), factor)
    return lax.convert_element_type(out, dtype) if dtype.itemsize == 2 else out


@named(static_argnames=("decimals", "out"))
def around(a: Any, decimals: int = 0, out: None = None) -> Any:
    """Another name of `round`.

    >>> jnp.around(jnp.array([1.234, 2.26]), 1)
    Array([1.2, 2.3], dtype=float32)
    """
    return round(a, decimals, out)


@named(static_argnames=("out",))
def modf(x: Any, /, out: None = None) -> tuple[Any, Any]:
    """The fractional and the integer part, both with the sign of ``x``.

    Args:
      x: real array or number; integers and booleans become floats.
      out: not supported.

    Raises:
      TypeError: if ``x`` is complex, or not an array or a number.
      NotImplementedError: if ``out`` is given.

    >>> jnp.modf(jnp.array([1.5, -1.5]))
    (Array([ 0.5, -0.5], dtype=float32), Array([ 1., -1.], dtype=float32))
    """
    check_out("modf", out)
    x = promote_one("modf", x)
    whole = selected(lax.ge(x, like(x, 0)), lax.floor(x), lax.ceil(x))
    return lax.sub(x, whole), whole


@named
def clip(arr: Any = None, /, min: Any = None, max: Any = None) -> Any:
    """The number itself, or the nearest bound where it is outside of them.

    Args:
      arr: real array or number.
      min, max: the bounds, arrays or numbers that broadcast against ``arr``; None for none. Where ``min`` is
        greater than
        ``max``, the result is ``max``.

    Raises:
      ValueError: if an argument is complex.
      TypeError: if ``arr`` is not given, or is not an array or a number.

    >>> jnp.clip(jnp.array([-1, 0, 5]), 0, 3)
    Array([0, 0, 3], dtype=int32)
    """
    if arr is None:
        raise TypeError("clip: no array was given; write jnp.clip(x, min, max)")
    bounds = [bound for bound in (min, max) if bound is not None]
    check_arraylike("clip", arr, *bounds)
    if any(aval_of(x).dtype.kind == "c" for x in (arr, *bounds)):
        raise ValueError("clip: complex numbers were given, which have no order; clip their .real and .imag")
    if min is not None:
        arr = maximum.__wrapped__(min, arr)
    if max is not None:
        arr = minimum.__wrapped__(max, arr)
    return as_array(arr)
