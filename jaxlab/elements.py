"""What arrays can hold: every dtype by name, what kind it is of, and its limits."""

from __future__ import annotations

import dataclasses
from typing import Any

import ml_dtypes
import numpy as np

from jaxlab.caching import cached

DType = Any
"""A `numpy.dtype`, or a `KeyType`."""

bool_ = np.dtype("bool")
int1, int2, int4 = (np.dtype(getattr(ml_dtypes, f"int{bits}")) for bits in (1, 2, 4))
uint1, uint2, uint4 = (np.dtype(getattr(ml_dtypes, f"uint{bits}")) for bits in (1, 2, 4))
int8, int16, int32, int64 = (np.dtype(f"int{bits}") for bits in (8, 16, 32, 64))
uint8, uint16, uint32, uint64 = (np.dtype(f"uint{bits}") for bits in (8, 16, 32, 64))
float16, float32, float64 = (np.dtype(f"float{bits}") for bits in (16, 32, 64))
bfloat16 = np.dtype(ml_dtypes.bfloat16)
complex64, complex128 = np.dtype("complex64"), np.dtype("complex128")
float8_e3m4 = np.dtype(ml_dtypes.float8_e3m4)
float8_e4m3 = np.dtype(ml_dtypes.float8_e4m3)
float8_e4m3b11fnuz = np.dtype(ml_dtypes.float8_e4m3b11fnuz)
float8_e4m3fn = np.dtype(ml_dtypes.float8_e4m3fn)
float8_e4m3fnuz = np.dtype(ml_dtypes.float8_e4m3fnuz)
float8_e5m2 = np.dtype(ml_dtypes.float8_e5m2)
float8_e5m2fnuz = np.dtype(ml_dtypes.float8_e5m2fnuz)
float8_e8m0fnu = np.dtype(ml_dtypes.float8_e8m0fnu)
float6_e2m3fn = np.dtype(ml_dtypes.float6_e2m3fn)
float6_e3m2fn = np.dtype(ml_dtypes.float6_e3m2fn)
float4_e2m1fn = np.dtype(ml_dtypes.float4_e2m1fn)
float0 = np.dtype([("float0", np.void, 0)])
"""The dtype of tangents of integers and booleans: it holds nothing."""

signed_integers = (int1, int2, int4, int8, int16, int32, int64)
unsigned_integers = (uint1, uint2, uint4, uint8, uint16, uint32, uint64)
narrow_floats = (
    float4_e2m1fn, float6_e2m3fn, float6_e3m2fn, float8_e3m4, float8_e4m3, float8_e4m3b11fnuz, float8_e4m3fn,
    float8_e4m3fnuz, float8_e5m2, float8_e5m2fnuz, float8_e8m0fnu,
)  # fmt: skip
floats = (*narrow_floats, bfloat16, float16, float32, float64)
complexes = (complex64, complex128)
supported = frozenset({bool_, *signed_integers, *unsigned_integers, *floats, *complexes})

narrow_integers = frozenset({*signed_integers[:3], *unsigned_integers[:3]})
NARROWED = {float64: float32, int64: int32, uint64: uint32, complex128: complex64}
WIDE_SCALARS = {bool: bool_, int: int64, float: float64, complex: complex128}
NARROW_SCALARS = {kind: NARROWED.get(dtype, dtype) for kind, dtype in WIDE_SCALARS.items()}


class extended(np.generic):
    """The kind of dtypes that NumPy does not know: `issubdtype(key.dtype, extended)`."""


class prng_key(extended):
    """The kind of random keys' dtypes: `issubdtype(key.dtype, prng_key)`."""


KEY_SHAPES = {"threefry2x32": ("fry", (2,)), "rbg": ("rbg", (4,)), "unsafe_rbg": ("urbg", (4,))}
"""For each algorithm of random bits: its short name, and the shape of one key's uint32 words."""


@dataclasses.dataclass(frozen=True, slots=True)
class KeyType:
    """The dtype of random keys of one algorithm; two of the same algorithm are equal.

    >>> KeyType("threefry2x32").name, KeyType("rbg").itemsize
    ('key<fry>', 16)
    """

    impl: str

    def __post_init__(self) -> None:
        if self.impl not in KEY_SHAPES:
            raise ValueError(
                f"KeyType: {self.impl!r} was given, but an algorithm is one of {', '.join(KEY_SHAPES)}"
            )

    @property
    def name(self) -> str:
        """What jaxprs call it: ``key<fry>``."""
        return f"key<{KEY_SHAPES[self.impl][0]}>"

    @property
    def key_shape(self) -> tuple[int, ...]:
        """The shape of the uint32 words of one key."""
        return KEY_SHAPES[self.impl][1]

    @property
    def itemsize(self) -> int:
        return 4 * self.key_shape[0]

    @property
    def type(self) -> type[prng_key]:
        """The kind of dtype that it is, as `numpy.dtype.type`."""
        return prng_key

    def __repr__(self) -> str:
        return self.name

    __str__ = __repr__


def as_dtype(spec: Any) -> DType:
    """The dtype meant by a dtype, a name, a scalar type or an object with `.dtype`, as wide as it says.

    None means float64, as in NumPy. TypeError if nothing is meant.
    """
    if isinstance(spec, (np.dtype, KeyType)):
        return spec
    if not isinstance(spec, type) or not issubclass(spec, np.generic):
        own = getattr(spec, "dtype", None)
        if isinstance(own, (np.dtype, KeyType)):
            return own
    return np.dtype(spec)


_KINDS: dict[type, type] = {
    **{t.type: np.signedinteger for t in signed_integers[:3]},
    **{t.type: np.unsignedinteger for t in unsigned_integers[:3]},
    **{t.type: np.floating for t in (*narrow_floats, bfloat16)},
}


def issubdtype(a: Any, b: Any) -> bool:
    """Whether dtype `a` is `b`, or of the kind `b` (numpy.floating, extended, ...); bfloat16 is a
    numpy.floating here.

    >>> issubdtype("bfloat16", np.floating), issubdtype(int4, np.signedinteger), issubdtype("int8", float)
    (True, True, False)
    """
    try:
        return _is_subdtype(a, b)
    except TypeError:  # unhashable, or no dtype at all, which is then said again
        return bool(_is_subdtype.__wrapped__(a, b))


@cached("dtypes.issubdtype", maxsize=4096)
def _is_subdtype(a: Any, b: Any) -> bool:
    if isinstance(a, KeyType) and isinstance(b, KeyType):
        return a == b
    one, kind = _scalar_class(a), _scalar_class(b)
    return issubclass(one, kind) or issubclass(_KINDS.get(one, one), kind)


def _scalar_class(spec: Any) -> type:
    if isinstance(spec, type) and issubclass(spec, np.generic):
        return spec
    return as_dtype(spec).type


def scalar_kind(dtype: DType) -> type:
    """The Python type that a dtype is like: bool, int, float or complex; TypeError if none."""
    for kind, python in (
        (np.bool_, bool),
        (np.integer, int),
        (np.floating, float),
        (np.complexfloating, complex),
    ):
        if issubdtype(dtype, kind):
            return python
    raise TypeError(f"scalar_type_of: dtype {dtype} was given, but a boolean or numeric one is needed")


def finfo(dtype: Any) -> ml_dtypes.finfo:
    """The limits of a real or complex floating dtype (`max`, `eps`, `bits`, ...); ValueError for others."""
    return ml_dtypes.finfo(as_dtype(dtype))  # type: ignore[no-untyped-call]


def iinfo(int_type: Any) -> ml_dtypes.iinfo:
    """The limits of an integer dtype (`min`, `max`, `bits`), int4 among them; ValueError for others."""
    return ml_dtypes.iinfo(as_dtype(int_type))  # type: ignore[no-untyped-call]


def itemsize_bits(dtype: Any) -> int:
    """The bits of one element: 4 for int4, though NumPy keeps it in a byte; 8 for bool."""
    if dtype is None:
        raise ValueError("itemsize_bits: None was given, but a dtype is needed")
    dtype = as_dtype(dtype)
    if dtype in supported and dtype in (*signed_integers, *unsigned_integers):
        return int(iinfo(dtype).bits)
    if dtype in supported and dtype in floats:
        return int(finfo(dtype).bits)
    return 8 * int(dtype.itemsize)


@cached("dtypes.short_name")
def short_name(dtype: DType) -> str:
    """The name in jaxprs: f32, bf16, i4, u8, bool, c64, f8_e4m3fn, key<fry>, float0."""
    if isinstance(dtype, KeyType):
        return dtype.name
    if dtype == float0:
        return "float0"
    name = str(dtype.name)
    for long, short in (("float", "f"), ("uint", "u"), ("int", "i"), ("complex", "c")):
        name = name.replace(long, short)
    return name
