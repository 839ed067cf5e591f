"""Dtypes: what they are called, how wide they may be, and what becomes of two that meet.

Two dtypes promote to their join in a lattice that also holds three weak types, for Python's scalars: an
`int` meets `int8` as `int8`, a `float` meets `bfloat16` as `bfloat16`. NumPy's own rules play no part.

    >>> result_type("int8", 1), result_type("int8", "bfloat16"), result_type("float16", "bfloat16")
    (dtype('int8'), dtype(bfloat16), dtype('float32'))

With x64 off (the default) 64-bit dtypes are narrowed wherever they come in: see `canonicalize`.
"""

from __future__ import annotations

import dataclasses
import threading
import warnings
from collections.abc import Iterable
from typing import Any, Literal, NoReturn, overload

import ml_dtypes
import numpy as np

from jaxlab.caching import cached, on_clear
from jaxlab.config import UNSET, config

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

_narrow_integers = frozenset({*signed_integers[:3], *unsigned_integers[:3]})
_NARROWED = {float64: float32, int64: int32, uint64: uint32, complex128: complex64}
_WIDE_SCALARS = {bool: bool_, int: int64, float: float64, complex: complex128}
_NARROW_SCALARS = {kind: _NARROWED.get(dtype, dtype) for kind, dtype in _WIDE_SCALARS.items()}


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
        return prng_key

    def __repr__(self) -> str:
        return self.name

    __str__ = __repr__


class TypePromotionError(ValueError):
    """Two dtypes met that have no common dtype, such as float8_e4m3fn and float32.

    Narrow floats and integers of under 8 bits are storage formats, so they widen only when asked to, and with
    `numpy_dtype_promotion="strict"` so does everything but Python scalars. Write the conversion:

        x.astype("float32") * y        # not: x * y, where x is float8_e4m3fn and y is float32
    """


# What a dtype-like thing is, and how wide it may be.


class _Mode(threading.local):
    """The tables for the options in force in this thread: one attribute access where two options would be
    read.

    As in `config`, the class holds the tables for the global values and a thread's own ones shadow them.
    """

    canonical: dict[Any, DType]
    scalars: dict[type, np.dtype[Any]]
    pairs: dict[tuple[DType, bool, DType, bool], tuple[DType, bool]]


_mode = _Mode()


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


def canonicalize(dtype: Any) -> DType:
    """The dtype that arrays get when `dtype` is asked for: 64-bit ones are narrowed unless x64 is on.

    >>> canonicalize("float64"), canonicalize(int), canonicalize("int8")
    (dtype('float32'), dtype('int32'), dtype('int8'))
    """
    try:
        return _mode.canonical[dtype]
    except (KeyError, TypeError):
        return _canonicalize_anew(dtype)


def _canonicalize_anew(spec: Any) -> DType:
    dtype = as_dtype(spec)
    if isinstance(dtype, np.dtype):
        dtype = dtype.newbyteorder("=") if not dtype.isnative else dtype
        if not config.enable_x64:
            dtype = _NARROWED.get(dtype, dtype)
    # Only what is its own name for good is remembered: an array given for its dtype would be kept alive.
    if isinstance(spec, (np.dtype, str, type, KeyType)):
        _mode.canonical[spec] = dtype
    return dtype


def canonicalize_dtype(dtype: Any, allow_extended_dtype: bool = False) -> DType:
    """`canonicalize` under JAX's name; ValueError for a random key's dtype unless `allow_extended_dtype`."""
    out = canonicalize(dtype)
    if isinstance(out, KeyType) and not allow_extended_dtype:
        raise ValueError(
            f"canonicalize_dtype: {out} was given, but a numeric dtype is needed; pass "
            "allow_extended_dtype=True"
        )
    return out


def canonicalize_requested(dtype: Any, op: str, *, stacklevel: int = 2) -> DType:
    """`canonicalize` for a dtype that a user of `op` wrote down: warns where it is narrowed.

    `float` and `int` mean the default width, and are narrowed silently. TypeError if arrays cannot hold the
    dtype.
    """
    wanted = as_dtype(dtype)
    if isinstance(wanted, KeyType):
        return wanted
    if wanted not in supported and wanted != float0:
        raise TypeError(
            f"{op}: dtype {wanted.name} was asked for, but arrays hold booleans, numbers and random keys"
        )
    out = canonicalize(wanted)
    if (
        out != wanted
        and wanted in _NARROWED
        and not (isinstance(dtype, type) and dtype in _WIDE_SCALARS)
        and dtype is not None
    ):
        warnings.warn(
            f"{op}: Explicitly requested dtype {wanted.name} is not available while x64 is off, so the "
            f"result is {out.name}; "
            f"write dtype={out.name!r}, or turn 64 bits on: jaxlab.config.update('jax_enable_x64', True) or "
            "JAXLAB_ENABLE_X64=1.",
            UserWarning,
            stacklevel=stacklevel + 1,
        )
    return out


def python_scalar_dtype(kind: type) -> np.dtype[Any]:
    """The dtype `bool`, `int`, `float` or `complex` stands for: `int` is int32, or int64 if x64 is on."""
    return _mode.scalars[kind]


def check_fits(value: int, dtype: DType) -> None:
    """OverflowError if a Python integer is no value of an integer dtype.

    The text has NumPy's form for narrower dtypes in mind, and says which dtype would do.
    """
    if not issubdtype(dtype, np.integer):
        return
    limits = iinfo(dtype)
    if not limits.min <= value <= limits.max:
        wider = next(
            (t.name for t in (int32, uint32, int64, uint64) if iinfo(t).min <= value <= iinfo(t).max), None
        )
        hint = f"give it a wider dtype, such as {wider}" if wider else "write it as a float"
        if wider in ("int64", "uint64") and not config.enable_x64:
            hint = f"turn x64 on to have {wider}, or write it as a float"
        raise OverflowError(
            f"Python integer {value} too large to convert to {dtype.name}, which ends at {limits.min} and "
            f"{limits.max}; {hint}"
        )


# Kinds.

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


def scalar_type_of(x: Any) -> type:
    """The Python type a value or dtype is like: bool, int, float or complex; TypeError if none."""
    dtype = of(x)
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


# What becomes of several dtypes that meet.

_Node = Any  # a dtype, or one of the Python types int, float and complex for the weak types


def _lattice(edges: dict[_Node, Iterable[_Node]]) -> dict[_Node, frozenset[_Node]]:
    """For every node the set of what lies above it, itself included, given what lies directly above."""
    above: dict[_Node, frozenset[_Node]] = {}

    def climb(node: _Node) -> frozenset[_Node]:
        if node not in above:
            above[node] = frozenset({node}).union(*(climb(up) for up in edges.get(node, ())))
        return above[node]

    for node in (*supported, *edges):
        climb(node)
    return above


# Integers under 8 bits and floats under 16 have nothing above them: they meet others only below themselves.
_STANDARD = _lattice(
    {
        bool_: (int,),
        int: (*_narrow_integers, int8, uint8),
        int8: (int16,), int16: (int32,), int32: (int64,), int64: (float,),
        uint8: (uint16, int16), uint16: (uint32, int32), uint32: (uint64, int64), uint64: (float,),
        float: (complex, *narrow_floats, bfloat16, float16),
        bfloat16: (float32,), float16: (float32,), float32: (float64, complex64), float64: (complex128,),
        complex: (complex64,), complex64: (complex128,),
    }
)  # fmt: skip
_STRICT = _lattice(
    {int: (float, *signed_integers, *unsigned_integers), float: (complex, *floats), complex: complexes}
)


def _weak_node(dtype: DType) -> _Node:
    kind = scalar_type_of(dtype)
    return bool_ if kind is bool else kind


def _join(nodes: frozenset[_Node], strict: bool) -> _Node:
    lattice = _STRICT if strict else _STANDARD
    for node in nodes:
        if node not in lattice:
            raise ValueError(
                f"promotion: dtype {node} was given, but only booleans and numbers have common dtypes"
            )
    common = frozenset.intersection(*(lattice[node] for node in nodes))
    for node in common:
        if common <= lattice[node]:
            return node
    _raise_no_join(nodes, strict)


def _raise_no_join(nodes: frozenset[_Node], strict: bool) -> NoReturn:
    names = sorted(node.name if isinstance(node, np.dtype) else f"Python {node.__name__}" for node in nodes)
    given = f"promotion: {' and '.join(names)} were given"
    if strict:
        raise TypePromotionError(
            f"{given}, but numpy_dtype_promotion is 'strict', where only Python scalars adapt; convert one "
            "with .astype"
        )
    narrow = next(
        (n.name for n in nodes if n in _narrow_integers or n in narrow_floats), "a dtype this narrow"
    )
    raise TypePromotionError(
        f"{given}, but {narrow} is not widened unasked; convert it, as in x.astype('float32')"
    )


@cached("dtypes.promotion", maxsize=8192)
def _promote(pairs: frozenset[tuple[DType, bool]], x64: bool, strict: bool) -> tuple[DType, bool]:
    """The common dtype of (dtype, weak) pairs, and whether it is weak."""
    kinds = frozenset(dtype for dtype, _ in pairs)
    all_weak = all(weak for _, weak in pairs)
    if len(pairs) == 1 and not (all_weak and strict):
        return next(iter(pairs))
    if len(kinds) == 1 and not all_weak:
        return next(iter(kinds)), False
    if all_weak and not strict:
        # Joined as if strong, so that weak int8 and weak uint8 make a weak int16, not the default integer.
        joined = _join(kinds, strict=False)
    else:
        joined = _join(frozenset(_weak_node(dtype) if weak else dtype for dtype, weak in pairs), strict)
    if isinstance(joined, np.dtype):
        return joined if x64 else _NARROWED.get(joined, joined), all_weak
    return (_WIDE_SCALARS if x64 else _NARROW_SCALARS)[joined], True


def promote_pair(dtype_a: DType, weak_a: bool, dtype_b: DType, weak_b: bool) -> tuple[DType, bool]:
    """The common (dtype, weak) of two operands; 64-bit ones are narrowed first unless x64 is on.

    For a pair met before it is one lookup. TypePromotionError if there is none, ValueError for random keys.

        >>> promote_pair(bfloat16, False, float32, True)
        (dtype(bfloat16), False)
    """
    try:
        return _mode.pairs[dtype_a, weak_a, dtype_b, weak_b]
    except KeyError:
        pair = frozenset({(canonicalize(dtype_a), bool(weak_a)), (canonicalize(dtype_b), bool(weak_b))})
        out = _mode.pairs[dtype_a, weak_a, dtype_b, weak_b] = _promote(pair, *_options())
        return out


def promote_types(a: Any, b: Any) -> DType:
    """The common dtype of two dtypes or Python scalar types, never narrowed.

    >>> promote_types("int8", float)
    dtype('float64')
    """
    pairs = frozenset(
        (_WIDE_SCALARS[t], t is not bool) if _is_scalar_type(t) else (np.dtype(as_dtype(t)), False)
        for t in (a, b)
    )
    for dtype, _ in pairs:
        if dtype not in supported:
            raise ValueError(
                f"promote_types: dtype {dtype} was given, but only booleans and numbers have common dtypes"
            )
    return _promote(pairs, True, config.numpy_dtype_promotion == "strict")[0]


@overload
def result_type(*args: Any, return_weak_type_flag: Literal[False] = False) -> DType: ...
@overload
def result_type(*args: Any, return_weak_type_flag: Literal[True]) -> tuple[DType, bool]: ...
def result_type(*args: Any, return_weak_type_flag: bool = False) -> DType | tuple[DType, bool]:
    """The dtype of an operation on `args`: arrays, avals, dtypes, their names, Python scalars and their
    types.

    With `return_weak_type_flag`, (dtype, weak). TypeError if an argument has no dtype, TypePromotionError if
    the dtypes have no common one, ValueError if there are no arguments.

        >>> result_type(np.ones(3, "int8"), 1.0, return_weak_type_flag=True)
        (dtype('float32'), True)
    """
    if not args:
        raise ValueError("result_type: no arguments were given, but at least one array or dtype is needed")
    pairs = [_dtype_and_weak(x) for x in args]
    if len(pairs) == 1:
        out = pairs[0]
    elif len(pairs) == 2:
        out = promote_pair(*pairs[0], *pairs[1])
    else:
        out = _promote(frozenset(pairs), *_options())
    dtype, weak = out
    if weak:  # of no width of its own, unlike the result of an operation on two weak int8
        dtype = canonicalize(uint64 if dtype in unsigned_integers else _WIDE_SCALARS[scalar_type_of(dtype)])
    return (dtype, weak) if return_weak_type_flag else dtype


def of(x: Any) -> DType:
    """The canonical dtype of a value, aval, Python scalar, dtype or name of one; TypeError if it has none."""
    if x is None:
        raise ValueError("dtypes.of: None was given, but an array, a scalar or a dtype is needed")
    return _dtype_and_weak(x)[0]


def is_weak(x: Any) -> bool:
    """Whether a value gives way to the other operand's dtype: a Python number, or an array made of one."""
    kind = type(x)
    if kind is int or kind is float or kind is complex:
        return True
    return bool(getattr(x, "weak_type", False))


def _is_scalar_type(x: Any) -> bool:
    return isinstance(x, type) and x in _WIDE_SCALARS


def _dtype_and_weak(x: Any) -> tuple[DType, bool]:
    scalars = _mode.scalars
    kind = type(x)
    if kind in scalars:
        return scalars[kind], kind is not bool
    if isinstance(x, type) and x in scalars:
        return scalars[x], x is not bool
    own = getattr(x, "dtype", None)
    if isinstance(own, np.dtype):
        if own not in supported and own != float0 and isinstance(x, (np.ndarray, np.generic)):
            raise TypeError(
                f"result_type: a value of dtype {own} was given, but arrays hold booleans and numbers"
            )
        return canonicalize(own), bool(getattr(x, "weak_type", False))
    if isinstance(own, KeyType):
        return own, False
    if x is None or isinstance(x, (str, np.dtype, type, KeyType)):
        return canonicalize(x), False
    for python in (int, float, complex):  # subclasses, such as enum.IntEnum
        if isinstance(x, python):
            return scalars[python], True
    raise TypeError(f"result_type: a {kind.__name__} was given, but an array, a scalar or a dtype is needed")


# The tables of each mode, and which mode this thread is in.

_canonical_tables: dict[bool, dict[Any, DType]] = {False: {}, True: {}}
_pair_tables: dict[tuple[bool, bool], dict[Any, tuple[DType, bool]]] = {
    (x64, strict): {} for x64 in (False, True) for strict in (False, True)
}


def _options() -> tuple[bool, bool]:
    return config.enable_x64, config.numpy_dtype_promotion == "strict"


def _choose_tables(value: Any = UNSET, local: bool = False) -> None:
    if not local:
        _point(_Mode, config.read("enable_x64"), config.read("numpy_dtype_promotion") == "strict")
    if local or vars(_mode):
        # Inside a `with` block, or in a thread that was in one: its own tables, which may equal the global
        # ones.
        _point(_mode, *_options())


def _point(mode: _Mode | type[_Mode], x64: bool, strict: bool) -> None:
    mode.canonical = _canonical_tables[x64]
    mode.scalars = _WIDE_SCALARS if x64 else _NARROW_SCALARS
    mode.pairs = _pair_tables[x64, strict]


def _forget() -> None:
    for table in (*_canonical_tables.values(), *_pair_tables.values()):
        table.clear()


_choose_tables()
config.on_change("enable_x64", _choose_tables)
config.on_change("numpy_dtype_promotion", _choose_tables)
on_clear(_forget)
