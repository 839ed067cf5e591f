"""`ShapeDtypeStruct`: the description of an array that need not exist."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from typing import Any

from jaxlab import dtypes
from jaxlab.core.aval import ShapedArray, aval_makers
from jaxlab.core.refs import AbstractRef
from jaxlab.runtime.native import J


class ShapeDtypeStruct:
    """The shape and dtype of an array that need not exist, as `eval_shape` returns and takes them.

    Everything that only looks at the types of its arguments takes it in place of an array: ``eval_shape``,
    ``make_jaxpr``, ``jit(f).trace`` and ``.lower``, ``export``.

    Args:
      shape: the dimensions.
      dtype: anything that names a dtype; 64-bit ones are narrowed as for arrays.
      sharding: where the array would lie; a program lowered for it runs there.
      weak_type: whether its dtype would give way to others, as a Python number's.
      is_ref: describe a reference to such an array, as `new_ref` makes it.

    Raises:
      TypeError: if ``shape`` is no sequence of integers.
      ValueError: if ``dtype`` is None, or ``sharding`` no sharding.

    >>> ShapeDtypeStruct((2, 3), "float32")
    ShapeDtypeStruct(shape=(2, 3), dtype=float32)
    """

    __slots__ = ("dtype", "is_ref", "shape", "sharding", "weak_type")

    def __init__(
        self,
        shape: Iterable[int],
        dtype: Any,
        *,
        sharding: Any = None,
        weak_type: bool = False,
        is_ref: bool = False,
    ) -> None:
        if dtype is None:
            raise ValueError(
                "ShapeDtypeStruct: dtype=None was given, but a dtype is needed; write one, as in "
                "ShapeDtypeStruct((2, 3), 'float32')"
            )
        if sharding is not None and not isinstance(sharding, J.Sharding):
            raise ValueError(
                f"ShapeDtypeStruct: sharding={sharding!r} of type {type(sharding).__name__} was given, but a "
                "sharding is needed; pass that of an array, x.sharding"
            )
        try:
            self.shape = tuple([operator.index(dim) for dim in shape])
        except TypeError:
            raise TypeError(
                f"ShapeDtypeStruct: the shape {shape!r} was given, but a sequence of integers is needed; "
                "write (n,) for a vector of n elements"
            ) from None
        self.dtype: Any = dtype if isinstance(dtype, dtypes.KeyType) else dtypes.canonicalize(dtype)
        self.sharding = sharding
        self.weak_type = weak_type
        self.is_ref = is_ref

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return ShapedArray(self.shape, self.dtype).size

    def __len__(self) -> int:
        return len(ShapedArray(self.shape, self.dtype))

    def update(self, **changes: Any) -> ShapeDtypeStruct:
        """A copy with some of ``shape``, ``dtype``, ``sharding`` and ``weak_type`` replaced.

        >>> ShapeDtypeStruct((2, 3), "float32").update(dtype="int32")
        ShapeDtypeStruct(shape=(2, 3), dtype=int32)
        """
        own = {name: getattr(self, name) for name in self.__slots__}
        unknown = sorted(set(changes) - set(own))
        if unknown:
            raise TypeError(
                f"ShapeDtypeStruct.update: {unknown[0]} was given, but it has no such field; its fields are "
                f"{', '.join(own)}"
            )
        return ShapeDtypeStruct(**own | changes)

    def __repr__(self) -> str:
        weak = ", weak_type=True" if self.weak_type else ""
        sharding = f", sharding={self.sharding}" if self.sharding is not None else ""
        is_ref = ", is_ref=True" if self.is_ref else ""
        return f"ShapeDtypeStruct(shape={self.shape}, dtype={self.dtype.name}{weak}{sharding}{is_ref})"

    def _key(self) -> tuple[Any, ...]:
        return self.shape, self.dtype, self.sharding, self.weak_type, self.is_ref

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ShapeDtypeStruct) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())


def struct_of(aval: ShapedArray, sharding: Any = None) -> ShapeDtypeStruct:
    """The struct of an abstract value."""
    return ShapeDtypeStruct(aval.shape, aval.dtype, sharding=sharding, weak_type=aval.weak_type)


def _aval(struct: ShapeDtypeStruct) -> ShapedArray:
    aval = ShapedArray(struct.shape, struct.dtype, struct.weak_type)
    return AbstractRef(aval) if struct.is_ref else aval


aval_makers[ShapeDtypeStruct] = _aval
