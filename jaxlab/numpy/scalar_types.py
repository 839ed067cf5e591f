"""Dtypes that make arrays when called, questions about types, and the constants."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import ml_dtypes
import numpy as np

from jaxlab import dtypes
from jaxlab.core.aval import aval_of, is_array_like
from jaxlab.core.trace import Tracer
from jaxlab.numpy.creation import asarray
from jaxlab.runtime.array import Array


class ScalarType(type):
    """A dtype as a class: ``jnp.float32(x)`` is an array, and wherever a dtype is asked for it means the
    dtype.

    >>> jnp.float32([1, 2])
    Array([1., 2.], dtype=float32)
    >>> jnp.float32 == np.float32, np.dtype(jnp.float32)
    (True, dtype('float32'))
    """

    dtype: np.dtype[Any]

    def __call__(cls, x: Any) -> Any:
        return asarray(x, dtype=cls.dtype)

    def __eq__(cls, other: object) -> bool:
        return cls is other or cls.dtype.type == other or cls.dtype == other

    def __ne__(cls, other: object) -> bool:
        return not cls == other

    def __hash__(cls) -> int:
        return hash(cls.dtype.type)

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, cls.dtype.type)


def _scalar_type(name: str) -> Any:
    dtype = np.dtype(getattr(ml_dtypes, name, None) or name.rstrip("_"))
    doc = f"The dtype {dtype.name}; called, an array of it."
    return ScalarType(name, (), {"dtype": dtype, "__module__": "jaxlab.numpy", "__doc__": doc})


bool_ = _scalar_type("bool_")
int2, int4 = _scalar_type("int2"), _scalar_type("int4")
uint2, uint4 = _scalar_type("uint2"), _scalar_type("uint4")
int8, int16, int32, int64 = (_scalar_type(f"int{bits}") for bits in (8, 16, 32, 64))
uint8, uint16, uint32, uint64 = (_scalar_type(f"uint{bits}") for bits in (8, 16, 32, 64))
float16, float32, float64 = (_scalar_type(f"float{bits}") for bits in (16, 32, 64))
complex64, complex128 = _scalar_type("complex64"), _scalar_type("complex128")
bfloat16 = _scalar_type("bfloat16")
float8_e3m4, float8_e4m3 = _scalar_type("float8_e3m4"), _scalar_type("float8_e4m3")
float8_e4m3b11fnuz, float8_e4m3fn = _scalar_type("float8_e4m3b11fnuz"), _scalar_type("float8_e4m3fn")
float8_e4m3fnuz, float8_e5m2 = _scalar_type("float8_e4m3fnuz"), _scalar_type("float8_e5m2")
float8_e5m2fnuz, float8_e8m0fnu = _scalar_type("float8_e5m2fnuz"), _scalar_type("float8_e8m0fnu")
float4_e2m1fn = _scalar_type("float4_e2m1fn")
int_, uint, float_, complex_ = int64, uint64, float64, complex128
single, double, csingle, cdouble = float32, float64, complex64, complex128

generic, number, integer, inexact = np.generic, np.number, np.integer, np.inexact
floating, complexfloating = np.floating, np.complexfloating
signedinteger, unsignedinteger = np.signedinteger, np.unsignedinteger
character, flexible, object_ = np.character, np.flexible, np.object_
dtype = np.dtype

pi, e, euler_gamma, inf, nan, newaxis = math.pi, math.e, np.euler_gamma, math.inf, math.nan, None

can_cast = np.can_cast
promote_types, issubdtype = dtypes.promote_types, dtypes.issubdtype
iinfo, finfo = dtypes.iinfo, dtypes.finfo


def result_type(*args: Any) -> Any:
    """The dtype of an operation on arrays, numbers and dtypes, by the rules of promotion.

    Args:
      args: arrays, Python numbers, dtypes, their names, or Python's number types.

    Raises:
      ValueError: if no arguments are given.
      TypePromotionError: if the dtypes have no common one.

    >>> jnp.result_type(jnp.ones(3, "int8"), 1.5)
    dtype('float32')
    """
    return dtypes.result_type(*args)


_KINDS: dict[str, tuple[type, ...]] = {
    "bool": (np.bool_,),
    "signed integer": (np.signedinteger,),
    "unsigned integer": (np.unsignedinteger,),
    "integral": (np.integer,),
    "real floating": (np.floating,),
    "complex floating": (np.complexfloating,),
    "numeric": (np.number,),
}


def isdtype(dtype: Any, kind: Any) -> bool:
    """Whether a dtype is of a kind of the array API standard.

    Args:
      dtype: a dtype, or what means one.
      kind: ``"bool"``, ``"signed integer"``, ``"unsigned integer"``, ``"integral"``, ``"real floating"``,
        ``"complex floating"``, ``"numeric"``, a dtype, or a tuple of such.

    Raises:
      ValueError: if the kind is not known.

    >>> jnp.isdtype(jnp.float32, "real floating"), jnp.isdtype("int8", ("bool", "numeric"))
    (True, True)
    """
    given = dtypes.as_dtype(dtype)
    for one in kind if isinstance(kind, tuple) else (kind,):
        if isinstance(one, str) and one in _KINDS:
            if any(dtypes.issubdtype(given, known) for known in _KINDS[one]):
                return True
            continue
        try:
            if given == dtypes.as_dtype(one):
                return True
        except TypeError:
            known_kinds = ", ".join(map(repr, _KINDS))
            raise ValueError(
                f"isdtype: the kind {one!r} was given, but a dtype or one of {known_kinds} is needed"
            ) from None
    return False


def isscalar(element: Any) -> bool:
    """Whether something is a number, or an array without axes.

    >>> jnp.isscalar(1.5), jnp.isscalar(jnp.array(1)), jnp.isscalar([1])
    (True, True, False)
    """
    if isinstance(element, np.ndarray | Array | Tracer):
        return element.ndim == 0
    return bool(np.isscalar(element)) or (hasattr(element, "__jax_array__") and not aval_of(element).shape)


def iscomplexobj(x: Any) -> bool:
    """Whether something has a complex dtype, whatever its values are.

    >>> jnp.iscomplexobj(jnp.array([1+0j])), jnp.iscomplexobj(1.)
    (True, False)
    """
    if x is None:
        return False
    if is_array_like(x):
        return bool(dtypes.issubdtype(aval_of(x).dtype, np.complexfloating))
    return bool(np.iscomplexobj(x))


def isrealobj(x: Any) -> bool:
    """Whether something has a dtype that is not complex, whatever its values are.

    >>> jnp.isrealobj(jnp.array([1+0j])), jnp.isrealobj(1.)
    (False, True)
    """
    return not iscomplexobj(x)


def shape(a: Any) -> tuple[int, ...]:
    """The lengths of the axes of an array, a number or nested lists.

    >>> jnp.shape(jnp.zeros((2, 3))), jnp.shape([1, 2])
    ((2, 3), (2,))
    """
    return tuple(a.shape) if hasattr(a, "shape") else np.shape(a)


def ndim(a: Any) -> int:
    """The number of axes of an array, a number or nested lists.

    >>> jnp.ndim(jnp.zeros((2, 3))), jnp.ndim(1)
    (2, 0)
    """
    return len(shape(a))


def size(a: Any, axis: int | Sequence[int] | None = None) -> int:
    """The number of elements of an array, a number or nested lists, or the length of some of its axes.

    Raises:
      ValueError: if an axis is out of bounds.

    >>> jnp.size(jnp.zeros((2, 3))), jnp.size(jnp.zeros((2, 3)), 1)
    (6, 3)
    """
    lengths = shape(a)
    if axis is None:
        return math.prod(lengths)
    axes = (axis,) if isinstance(axis, int | np.integer) else tuple(axis)
    for i in axes:
        if not -len(lengths) <= i < len(lengths):
            raise ValueError(f"size: axis {i} is out of bounds for an array with {len(lengths)} axes")
    return math.prod(lengths[i] for i in axes)
