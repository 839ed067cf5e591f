"""Methods of arrays and traced values whose arguments are given in another form than those of the functions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jaxlab.core.aval import aval_of
from jaxlab.numpy import manipulation, taking


def _one_or_all(args: tuple[Any, ...]) -> Any:
    """Sizes or axes given as one sequence, or one by one."""
    return args[0] if len(args) == 1 and (args[0] is None or isinstance(args[0], Sequence)) else args


def reshape(self: Any, *args: Any, order: str = "C", out_sharding: Any = None) -> Any:
    """The same elements in another shape, given as a tuple or size by size; see `jaxlab.numpy.reshape`."""
    return manipulation.reshape(self, _one_or_all(args), order, out_sharding=out_sharding)


def transpose(self: Any, *args: Any) -> Any:
    """The array with its axes in another order, given as a tuple or one by one; see `jaxlab.numpy.transpose`."""
    return manipulation.transpose(self, _one_or_all(args) if args else None)


def flatten(self: Any, order: str = "C", *, out_sharding: Any = None) -> Any:
    """All elements along one axis; see `jaxlab.numpy.ravel`."""
    return manipulation.ravel(self, order, out_sharding=out_sharding)


def transposed(self: Any) -> Any:
    """The array with its axes in reverse order."""
    return manipulation.transpose(self)


def matrix_transposed(self: Any) -> Any:
    """The transpose of each matrix in the last two axes.

    Raises:
      ValueError: if there are fewer than two axes.
    """
    ndim = len(aval_of(self).shape)
    if ndim < 2:
        raise ValueError(f"x.mT: the array has {ndim} axes, but a matrix has at least two")
    return manipulation.matrix_transpose(self)


def compress(
    self: Any,
    condition: Any,
    axis: int | None = None,
    *,
    out: None = None,
    size: int | None = None,
    fill_value: Any = 0,
) -> Any:
    """The slices along an axis where a condition holds; see `jaxlab.numpy.compress`."""
    return taking.compress(condition, self, axis, size=size, fill_value=fill_value, out=out)


def trace(
    self: Any, offset: Any = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None, out: None = None
) -> Any:
    """The sum of a diagonal of the matrices in two axes; see `jaxlab.numpy.trace`."""
    return taking.trace(self, offset, axis1, axis2, dtype=dtype, out=out)
