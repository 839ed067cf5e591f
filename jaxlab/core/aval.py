"""Abstract values: what is known of an array without its numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from jaxlab import dtypes

_NAMES_OF_DTYPES = (type, str)


class ShapedArray:
    """The shape, dtype and weak-type flag of an array.

    >>> ShapedArray((2, 3), np.dtype("float32"))
    ShapedArray(float32[2,3])
    """

    __slots__ = ("_hash", "dtype", "shape", "weak_type")

    def __init__(self, shape: tuple[int, ...], dtype: Any, weak_type: bool = False) -> None:
        self.shape = shape
        # `np.float32` and `"float32"` come from users alone: rules here pass the dtypes of other avals on.
        self.dtype = dtypes.as_dtype(dtype) if isinstance(dtype, _NAMES_OF_DTYPES) else dtype
        self.weak_type = weak_type
        self._hash: int | None = None

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        size = 1
        for dim in self.shape:
            size *= dim
        return size

    @property
    def nbytes(self) -> int:
        return self.size * int(self.dtype.itemsize)

    @property
    def itemsize(self) -> int:
        return int(self.dtype.itemsize)

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        return (
            type(other) is ShapedArray
            and self.shape == other.shape
            and self.dtype == other.dtype
            and self.weak_type == other.weak_type
        )

    def __hash__(self) -> int:
        if self._hash is None:
            self._hash = hash((self.shape, self.dtype, self.weak_type))
        return self._hash

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of unsized object")
        return self.shape[0]

    def __repr__(self) -> str:
        weak = ", weak_type=True" if self.weak_type else ""
        return f"ShapedArray({self.dtype.name}[{','.join(map(str, self.shape))}]{weak})"

    def __str__(self) -> str:
        # As JAX writes types for people: with the whole name of the dtype, and ~ for a weak one.
        weak = "~" if self.weak_type else ""
        return f"{weak}{self.dtype.name}[{','.join(map(str, self.shape))}]"

    def __reduce__(self) -> tuple[Any, ...]:
        return ShapedArray, (self.shape, self.dtype, self.weak_type)

    def str_short(self) -> str:
        """The type as a jaxpr prints it: ``f32[2,3]``."""
        return f"{dtypes.short_name(self.dtype)}[{','.join(map(str, self.shape))}]"

    def update(self, **changes: Any) -> ShapedArray:
        """A copy with some of ``shape``, ``dtype`` and ``weak_type`` replaced."""
        return ShapedArray(
            changes.get("shape", self.shape),
            changes.get("dtype", self.dtype),
            changes.get("weak_type", self.weak_type),
        )

    def strip_weak_type(self) -> ShapedArray:
        """The same type, not weak."""
        return ShapedArray(self.shape, self.dtype) if self.weak_type else self

    def to_tangent_aval(self) -> ShapedArray:
        """The type of a tangent of this value: itself for inexact dtypes, ``float0`` for the others."""
        if is_inexact(self.dtype):
            return self
        return ShapedArray(self.shape, dtypes.float0)


class Zero:
    """A tangent or cotangent known to be zero, never stored as an array."""

    __slots__ = ("aval",)

    def __init__(self, aval: ShapedArray) -> None:
        self.aval = aval

    @staticmethod
    def from_primal_value(x: Any) -> Zero:
        """The zero tangent of a value."""
        return Zero(aval_of(x).to_tangent_aval())

    def __repr__(self) -> str:
        return f"Zero({self.aval.str_short()})"


class UndefinedPrimal:
    """Stands for a linear argument in a transpose rule, of which only the type is known."""

    __slots__ = ("aval",)

    def __init__(self, aval: ShapedArray) -> None:
        self.aval = aval

    def __repr__(self) -> str:
        return f"UndefinedPrimal({self.aval.str_short()})"


def is_undefined(x: Any) -> bool:
    """Whether ``x`` marks a linear argument of a transpose rule."""
    return type(x) is UndefinedPrimal


_inexact: dict[Any, bool] = {}


def is_inexact(dtype: Any) -> bool:
    """Whether values of ``dtype`` have tangents (real and complex floating point)."""
    known = _inexact.get(dtype)
    if known is None:
        known = _inexact[dtype] = bool(dtypes.issubdtype(dtype, np.inexact))
    return known


# How each Python type becomes an abstract value; `runtime` adds its Array, `trace` its Tracer.
aval_makers: dict[type, Callable[[Any], ShapedArray]] = {}


def aval_of(x: Any) -> ShapedArray:
    """The abstract value of an array, a NumPy value, a Python scalar or a tracer.

    Raises:
      TypeError: if ``x`` is not an array type.
    """
    maker = aval_makers.get(type(x))
    if maker is not None:
        return maker(x)
    for kind in type(x).__mro__:
        maker = aval_makers.get(kind)
        if maker is not None:
            return maker(x)
    if hasattr(x, "__jax_array__"):
        return aval_of(x.__jax_array__())
    raise TypeError(
        f"a value of type {type(x).__name__} is not a valid array type; "
        "pass an array, a NumPy array or a Python number"
    )


def is_array_like(x: Any) -> bool:
    """Whether ``aval_of`` knows the type of ``x``."""
    return type(x) in aval_makers or any(kind in aval_makers for kind in type(x).__mro__)


def _numpy_aval(x: np.ndarray | np.generic) -> ShapedArray:
    if x.dtype == dtypes.float0:
        return ShapedArray(x.shape, dtypes.float0)
    if x.dtype.kind in "OSUMm":
        raise TypeError(
            f"a NumPy value of dtype {x.dtype} is not a valid array type; convert it to a numeric dtype first"
        )
    return ShapedArray(x.shape, dtypes.canonicalize(x.dtype))


_scalars: dict[tuple[type, Any], ShapedArray] = {}


def _scalar_aval(kind: type) -> Callable[[Any], ShapedArray]:
    def make(x: Any) -> ShapedArray:
        dtype = dtypes.python_scalar_dtype(kind)
        known = _scalars.get((kind, dtype))
        if known is None:
            known = _scalars[kind, dtype] = ShapedArray((), dtype, kind is not bool)
        return known

    return make


aval_makers[np.ndarray] = _numpy_aval
aval_makers[np.generic] = _numpy_aval
for _kind in (bool, int, float, complex):
    aval_makers[_kind] = _scalar_aval(_kind)
aval_makers[ShapedArray] = lambda x: x


def _product_of_unknowns(x: UndefinedPrimal) -> ShapedArray:
    """Only a rule that takes one linear argument for a value asks for this, so there are two of them."""
    raise NotImplementedError(
        f"transpose: an operation combines two values that are to be linear, one of them {x.aval.str_short()}, but "
        "their product is not linear; linearize the function at a point, as vjp does, or make the rule linear in its "
        "tangents"
    )


aval_makers[UndefinedPrimal] = _product_of_unknowns
