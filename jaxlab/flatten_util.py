"""``ravel_pytree``: a pytree of arrays as one vector, and back."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from jaxlab import dtypes, tree
from jaxlab.control.bodies import input_avals
from jaxlab.core.aval import aval_of
from jaxlab.primitives.concatenation import concatenate, split
from jaxlab.primitives.conversion import convert
from jaxlab.primitives.creation import full
from jaxlab.primitives.reshaping import reshape

__all__ = ["ravel_pytree"]


def ravel_pytree(pytree: Any) -> tuple[Any, Unravel]:
    """The leaves of a pytree as one vector, and the function from such vectors to pytrees like it.

    Args:
      pytree: a pytree of arrays and numbers.

    Returns:
      A vector of all elements, of the dtype that all leaves promote to (float32 if there are none), and a
      function from a vector of its size to a pytree of the structure, shapes and dtypes of ``pytree``. If all
      leaves have one dtype the function takes vectors of any dtype, and its results have that. Two such
      functions are equal if they give the same.

    Raises:
      TypeError: if a leaf is no array; from the function, for a vector of another dtype than that returned.
      ValueError: from the function, for a vector of another size.

    >>> flat, unravel = ravel_pytree({"a": jnp.arange(2.0), "b": jnp.ones((1, 2))})
    >>> flat
    Array([0., 1., 1., 1.], dtype=float32)
    >>> unravel(10 * flat)["b"]
    Array([[10., 10.]], dtype=float32)
    """
    leaves, structure = tree.flatten(pytree)
    avals = input_avals("ravel_pytree", "pytree", leaves, structure)
    own = tuple(aval.dtype for aval in avals)
    shapes = tuple(aval.shape for aval in avals)
    if not leaves:
        return full((0,), 0, np.dtype(np.float32)), Unravel(structure, (), None, ())
    common = np.dtype(dtypes.result_type(*own))
    mixed = any(dtype != common for dtype in own)
    parts = [
        reshape(convert(x, common) if mixed else x, (math.prod(shape),))
        for x, shape in zip(leaves, shapes, strict=True)
    ]
    flat = concatenate(parts, 0)
    return flat, Unravel(structure, shapes, common if mixed else None, own if mixed else ())


@dataclass(frozen=True, slots=True)
class Unravel:
    """The function from a vector to a pytree, as `ravel_pytree` returns it.

    Attributes:
      structure: that of the pytree.
      shapes: those of its leaves.
      dtype: that of the vector; None for any.
      leaf_dtypes: those of the leaves, where they differ.
    """

    structure: Any
    shapes: tuple[tuple[int, ...], ...]
    dtype: np.dtype[Any] | None
    leaf_dtypes: tuple[Any, ...]

    def __call__(self, flat: Any) -> Any:
        """The pytree whose leaves have the elements of the vector ``flat``."""
        aval = aval_of(flat)
        if self.dtype is not None and aval.dtype != self.dtype:
            raise TypeError(
                f"unravel: a vector of type {aval.str_short()} was given, but its dtype must be {self.dtype.name}; "
                "convert it with astype"
            )
        sizes = [math.prod(shape) for shape in self.shapes]
        if sizes and (not aval.shape or aval.shape[0] != sum(sizes)):
            raise ValueError(
                f"unravel: a vector of type {aval.str_short()} was given, but the pytree has {sum(sizes)} elements; "
                "give a vector of that size"
            )
        parts = split(flat, sizes) if sizes else []
        leaves = [reshape(part, shape) for part, shape in zip(parts, self.shapes, strict=True)]
        if self.leaf_dtypes:
            leaves = [convert(x, dtype) for x, dtype in zip(leaves, self.leaf_dtypes, strict=True)]
        return tree.unflatten(self.structure, leaves)
