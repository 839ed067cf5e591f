"""Universal functions: elementwise, with promotion of dtypes and broadcasting of shapes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from jaxlab.core.aval import aval_of
from jaxlab.numpy.promotion import (
    check_arraylike,
    promote_dtypes,
    promote_inexact,
    promote_shapes,
    same,
)
from jaxlab.primitives import arithmetic, comparison
from jaxlab.primitives import transcendental as trans
from jaxlab.transforms.jit import jit


def compiled(fun: Callable[..., Any], **options: Any) -> Any:
    """A function of `jaxlab.numpy`: compiled as a whole when called on arrays, and spread out in other programs."""
    function = jit(fun, inline=True, **options)
    function.__doc__ = fun.__doc__
    return function


def binary(
    name: str,
    on_numbers: Callable[[Any, Any], Any],
    doc: str,
    *,
    on_bools: Callable[[Any, Any], Any] | None = None,
    inexact: bool = False,
) -> Any:
    """A ufunc of two arguments from what does it on operands of one dtype."""
    promote = promote_inexact if inexact else promote_dtypes

    def ufunc(x: Any, y: Any, /) -> Any:
        aval = same(x, y)
        if aval is None:
            check_arraylike(name, x, y)
            x, y = promote_shapes(name, *promote(x, y))
            aval = aval_of(x)
        elif inexact:
            x, y = promote_inexact(x, y)
        if on_bools is not None and aval.dtype == np.bool_:
            return on_bools(x, y)
        return on_numbers(x, y)

    return _named(ufunc, name, doc)


def unary(name: str, function: Callable[[Any], Any], doc: str, *, inexact: bool = False) -> Any:
    """A ufunc of one argument."""

    def ufunc(x: Any, /) -> Any:
        check_arraylike(name, x)
        return function(promote_inexact(x)[0] if inexact else x)

    return _named(ufunc, name, doc)


def _named(ufunc: Any, name: str, doc: str) -> Any:
    ufunc.__name__ = ufunc.__qualname__ = name
    ufunc.__module__ = "jaxlab.numpy"
    ufunc.__doc__ = doc
    return compiled(ufunc)


add = binary(
    "add",
    arithmetic.add,
    """Elementwise sum; logical or for booleans.

    Args:
      x, y: arrays or numbers that broadcast against each other.

    Raises:
      TypeError: if an argument is not an array or a number.
      ValueError: if the shapes do not broadcast.

    >>> add(jnp.array([1, 2]), 0.5)
    Array([1.5, 2.5], dtype=float32)
    """,
    on_bools=comparison.bitwise_or,
)
