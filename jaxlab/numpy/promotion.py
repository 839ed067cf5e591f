"""Making operands alike: dtypes promoted by JAX's lattice, ranks by leading axes of size 1. It happens here, not lower."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from jaxlab import dtypes
from jaxlab.core.aval import ShapedArray, aval_makers, aval_of
from jaxlab.core.trace import Tracer
from jaxlab.primitives.broadcasting import broadcast_in_dim
from jaxlab.primitives.conversion import convert_element_type
from jaxlab.runtime.array import Array

_SCALARS = (bool, int, float, complex)
_FROM_KIND: dict[str, Callable[[Any], Any]] = {"b": bool, "i": int, "f": float, "c": complex}


def check_arraylike(name: str, *args: Any) -> None:
    """Raise TypeError unless every argument is an array, a NumPy value or a number (lists are not)."""
    for position, x in enumerate(args):
        kind = type(x)
        if kind is Array or kind in aval_makers or isinstance(x, Tracer | np.ndarray | np.generic | int | float | complex):
            continue
        if not hasattr(x, "__jax_array__"):
            raise TypeError(
                f"{name} requires arrays or numbers, but argument {position} is a {kind.__name__}; "
                "convert it with jaxlab.numpy.asarray"
            )


def cast(x: Any, dtype: Any, weak: bool) -> Any:
    """``x`` in a dtype; numbers stay numbers, so that they become literals of a program."""
    kind = type(x)
    if kind in _SCALARS:
        if weak:
            return _FROM_KIND[dtype.kind](x) if dtype.kind in _FROM_KIND else x
        if kind is int and dtype.kind in "iu":
            dtypes.check_fits(x, dtype)
        return np.asarray(x, dtype)[()]
    aval = aval_of(x)
    if aval.dtype == dtype and aval.weak_type == weak:
        return x
    if isinstance(x, np.generic | np.ndarray) and not weak:
        return x.astype(dtype)
    return convert_element_type(x, dtype, weak)


def promote_dtypes(*args: Any) -> list[Any]:
    """The arguments in their common dtype."""
    avals = [aval_of(x) for x in args]
    dtype, weak = avals[0].dtype, avals[0].weak_type
    for aval in avals[1:]:
        dtype, weak = dtypes.promote_pair(dtype, weak, aval.dtype, aval.weak_type)
    return [cast(x, dtype, weak) for x in args]


def promote_inexact(*args: Any) -> list[Any]:
    """The arguments in their common dtype, integers as floats."""
    avals = [aval_of(x) for x in args]
    dtype, weak = avals[0].dtype, avals[0].weak_type
    for aval in avals[1:]:
        dtype, weak = dtypes.promote_pair(dtype, weak, aval.dtype, aval.weak_type)
    dtype = to_inexact(dtype)
    return [cast(x, dtype, weak) for x in args]


def to_inexact(dtype: Any) -> Any:
    """The dtype itself if it is floating point or complex, else the default float."""
    if dtypes.issubdtype(dtype, np.inexact):
        return dtype
    return dtypes.promote_pair(dtype, False, dtypes.python_scalar_dtype(float), True)[0]


def promote_shapes(name: str, *args: Any) -> list[Any]:
    """The arguments with leading axes of size 1, so that all that are not scalars have one rank.

    Raises:
      ValueError: if sizes other than 1 differ.
    """
    shapes = [aval_of(x).shape for x in args]
    first = shapes[0]
    if all(shape == first for shape in shapes):
        return list(args)
    rank = max(len(shape) for shape in shapes)
    if not _compatible(shapes, rank):
        raise ValueError(
            f"{name}: incompatible shapes for broadcasting: {', '.join(map(str, shapes))}; sizes of an axis must be equal or 1"
        )
    return [
        x if not shape or len(shape) == rank else _with_rank(x, shape, rank)
        for x, shape in zip(args, shapes, strict=True)
    ]


def _compatible(shapes: Sequence[tuple[int, ...]], rank: int) -> bool:
    for axis in range(1, rank + 1):
        sizes = {shape[-axis] for shape in shapes if len(shape) >= axis} - {1}
        if len(sizes) > 1:
            return False
    return True


def _with_rank(x: Any, shape: tuple[int, ...], rank: int) -> Any:
    missing = rank - len(shape)
    return broadcast_in_dim(x, (1,) * missing + shape, range(missing, rank))


def same(x: Any, y: Any) -> ShapedArray | None:
    """The common type of two operands that need no promotion at all, else None: the hot path of tracing."""
    if isinstance(x, Tracer) and isinstance(y, Tracer):
        a, b = x.aval, y.aval
        if a is b or (a.dtype == b.dtype and a.shape == b.shape and a.weak_type == b.weak_type):
            return a
    return None
