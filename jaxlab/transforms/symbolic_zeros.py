"""Zeros that rules are told of: a tangent or cotangent known to be zero, as a user's rule sees it."""

from __future__ import annotations

from typing import Any

from jaxlab import dtypes, tree
from jaxlab.core.aval import ShapedArray, Zero, aval_of
from jaxlab.primitives.broadcasting import instantiate
from jaxlab.transforms.linearized import as_array


class SymbolicZero:
    """A tangent or cotangent known to be zero: it has a type and no numbers.

    Rules defined with ``symbolic_zeros=True`` get it in place of an array of zeros, and may return it.
    Its ``shape``, ``dtype`` and the like are those of ``aval``.

    Args:
      aval: the type of the tangent.
    """

    __slots__ = ("aval",)

    def __init__(self, aval: ShapedArray) -> None:
        self.aval = aval

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # what makes arrays of things asks for these, and this is none
            raise AttributeError(f"'SymbolicZero' object has no attribute '{name}'")
        return getattr(self.aval, name)

    def __repr__(self) -> str:
        return "SymbolicZero"


def zero_from_primal(val: Any, symbolic_zeros: bool = False) -> Any:
    """Zero tangents for a pytree of values: arrays of zeros, or with ``symbolic_zeros`` a `SymbolicZero` each.

    >>> zero_from_primal({"w": np.ones(2, np.float32)})
    {'w': Array([0., 0.], dtype=float32)}
    """

    def zero(x: Any) -> Any:
        aval = aval_of(x).to_tangent_aval()
        return SymbolicZero(aval) if symbolic_zeros else as_array(Zero(aval))

    return tree.map(zero, val)


def shown_to_rule(x: Any, symbolic_zeros: bool) -> Any:
    """A tangent as a rule gets it: zeros as arrays, unless it asked to be told of them."""
    if type(x) is not Zero:
        return x
    return SymbolicZero(x.aval) if symbolic_zeros else instantiate(x)


def from_rule(x: Any) -> Any:
    """A tangent that a rule returned; what holds nothing, or is said to be zero, becomes a ``Zero``."""
    if type(x) is SymbolicZero:
        return Zero(x.aval)
    return Zero(aval) if type(x) is not Zero and (aval := aval_of(x)).dtype == dtypes.float0 else x


def tangent_aval_of(x: Any) -> ShapedArray:
    """The type of a tangent, symbolic or not."""
    return x.aval if type(x) in (SymbolicZero, Zero) else aval_of(x)
