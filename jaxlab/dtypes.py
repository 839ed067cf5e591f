"""Dtypes: what they are called, how wide they may be, and what becomes of two that meet.

Two dtypes promote to their join in a lattice that also holds three weak types, for Python's scalars: an
`int` meets `int8` as `int8`, a `float` meets `bfloat16` as `bfloat16`. NumPy's own rules play no part.

    >>> result_type("int8", 1), result_type("int8", "bfloat16"), result_type("float16", "bfloat16")
    (dtype('int8'), dtype(bfloat16), dtype('float32'))

With x64 off (the default) 64-bit dtypes are narrowed wherever they come in: see `canonicalize`.
"""

from __future__ import annotations

import threading
import warnings
from typing import Any, Literal, overload

import numpy as np

from jaxlab.caching import on_clear
from jaxlab.config import UNSET, config
from jaxlab.elements import KEY_SHAPES as KEY_SHAPES
from jaxlab.elements import NARROW_SCALARS, NARROWED, WIDE_SCALARS, scalar_kind
from jaxlab.elements import DType as DType
from jaxlab.elements import KeyType as KeyType
from jaxlab.elements import as_dtype as as_dtype
from jaxlab.elements import bfloat16 as bfloat16
from jaxlab.elements import bool_ as bool_
from jaxlab.elements import complex64 as complex64
from jaxlab.elements import complex128 as complex128
from jaxlab.elements import complexes as complexes
from jaxlab.elements import extended as extended
from jaxlab.elements import finfo as finfo
from jaxlab.elements import float0 as float0
from jaxlab.elements import float4_e2m1fn as float4_e2m1fn
from jaxlab.elements import float6_e2m3fn as float6_e2m3fn
from jaxlab.elements import float6_e3m2fn as float6_e3m2fn
from jaxlab.elements import float8_e3m4 as float8_e3m4
from jaxlab.elements import float8_e4m3 as float8_e4m3
from jaxlab.elements import float8_e4m3b11fnuz as float8_e4m3b11fnuz
from jaxlab.elements import float8_e4m3fn as float8_e4m3fn
from jaxlab.elements import float8_e4m3fnuz as float8_e4m3fnuz
from jaxlab.elements import float8_e5m2 as float8_e5m2
from jaxlab.elements import float8_e5m2fnuz as float8_e5m2fnuz
from jaxlab.elements import float8_e8m0fnu as float8_e8m0fnu
from jaxlab.elements import float16 as float16
from jaxlab.elements import float32 as float32
from jaxlab.elements import float64 as float64
from jaxlab.elements import floats as floats
from jaxlab.elements import iinfo as iinfo
from jaxlab.elements import int1 as int1
from jaxlab.elements import int2 as int2
from jaxlab.elements import int4 as int4
from jaxlab.elements import int8 as int8
from jaxlab.elements import int16 as int16
from jaxlab.elements import int32 as int32
from jaxlab.elements import int64 as int64
from jaxlab.elements import issubdtype as issubdtype
from jaxlab.elements import itemsize_bits as itemsize_bits
from jaxlab.elements import narrow_floats as narrow_floats
from jaxlab.elements import prng_key as prng_key
from jaxlab.elements import short_name as short_name
from jaxlab.elements import signed_integers as signed_integers
from jaxlab.elements import supported as supported
from jaxlab.elements import uint1 as uint1
from jaxlab.elements import uint2 as uint2
from jaxlab.elements import uint4 as uint4
from jaxlab.elements import uint8 as uint8
from jaxlab.elements import uint16 as uint16
from jaxlab.elements import uint32 as uint32
from jaxlab.elements import uint64 as uint64
from jaxlab.elements import unsigned_integers as unsigned_integers
from jaxlab.lattice import TypePromotionError as TypePromotionError
from jaxlab.lattice import promote


class _Mode(threading.local):
    """The tables for the options in force in this thread: one attribute is read where two options would be.

    As in `config`, the class holds the tables for the global values and a thread's own ones shadow them.
    """

    canonical: dict[Any, DType]
    scalars: dict[type, np.dtype[Any]]
    pairs: dict[tuple[DType, bool, DType, bool], tuple[DType, bool]]


_mode = _Mode()


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
            dtype = NARROWED.get(dtype, dtype)
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
        and wanted in NARROWED
        and not (isinstance(dtype, type) and dtype in WIDE_SCALARS)
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


def scalar_type_of(x: Any) -> type:
    """The Python type a value or dtype is like: bool, int, float or complex; TypeError if none."""
    return scalar_kind(of(x))


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
        out = _mode.pairs[dtype_a, weak_a, dtype_b, weak_b] = promote(pair, *_options())
        return out


def promote_types(a: Any, b: Any) -> DType:
    """The common dtype of two dtypes or Python scalar types, never narrowed.

    >>> promote_types("int8", float)
    dtype('float64')
    """
    pairs = frozenset(
        (WIDE_SCALARS[t], t is not bool) if _is_scalar_type(t) else (np.dtype(as_dtype(t)), False)
        for t in (a, b)
    )
    for dtype, _ in pairs:
        if dtype not in supported:
            raise ValueError(
                f"promote_types: dtype {dtype} was given, but only booleans and numbers have common dtypes"
            )
    return promote(pairs, True, config.numpy_dtype_promotion == "strict")[0]


@overload
def result_type(*args: Any, return_weak_type_flag: Literal[False] = False) -> DType: ...
@overload
def result_type(*args: Any, return_weak_type_flag: Literal[True]) -> tuple[DType, bool]: ...
def result_type(*args: Any, return_weak_type_flag: bool = False) -> DType | tuple[DType, bool]:
    """The dtype of an operation on `args`: arrays, avals, dtypes, their names, Python scalars, their types.

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
        out = promote(frozenset(pairs), *_options())
    dtype, weak = out
    if weak:  # of no width of its own, unlike the result of an operation on two weak int8
        dtype = canonicalize(uint64 if dtype in unsigned_integers else WIDE_SCALARS[scalar_type_of(dtype)])
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
    return isinstance(x, type) and x in WIDE_SCALARS


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
        # Inside a `with` block, or in a thread that was in one: its own tables, maybe the global ones again.
        _point(_mode, *_options())


def _point(mode: _Mode | type[_Mode], x64: bool, strict: bool) -> None:
    mode.canonical = _canonical_tables[x64]
    mode.scalars = WIDE_SCALARS if x64 else NARROW_SCALARS
    mode.pairs = _pair_tables[x64, strict]


def _forget() -> None:
    for table in (*_canonical_tables.values(), *_pair_tables.values()):
        table.clear()


_choose_tables()
config.on_change("enable_x64", _choose_tables)
config.on_change("numpy_dtype_promotion", _choose_tables)
on_clear(_forget)
