"""Making operands alike: dtypes promoted by JAX's lattice, ranks by leading axes of size 1. It happens here,
not lower."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from jaxlab import dtypes
from jaxlab.config import config
from jaxlab.core.aval import ShapedArray, aval_makers, aval_of, is_inexact
from jaxlab.core.trace import Tracer, current
from jaxlab.primitives.broadcasting import broadcast_in_dim
from jaxlab.primitives.conversion import convert
from jaxlab.runtime.array import Array, host_value

_KINDS: dict[str, type] = {"b": bool, "i": int, "f": float, "c": complex}
_BOOL = np.dtype(np.bool_)
_NUMBERS = frozenset({bool, int, float, complex})


def check_arraylike(name: str, *args: Any) -> None:
    """Raise TypeError unless every argument is an array, a NumPy value or a number (lists are not)."""
    for position, x in enumerate(args):
        kind = type(x)
        if kind in aval_makers or isinstance(x, Tracer | np.ndarray | np.generic | int | float | complex):
            continue
        if not hasattr(x, "__jax_array__"):
            raise TypeError(
                f"{name}: argument {position} is a {kind.__name__}, but arrays or numbers are needed; "
                "write jnp.asarray(...) around it"
            )


def check_out(name: str, out: Any) -> None:
    """Raise NotImplementedError if an output array was given: arrays never change."""
    if out is not None:
        raise NotImplementedError(
            f"{name}: the argument out is a {type(out).__name__}, but arrays cannot be written to; leave "
            "it out and use the result"
        )


def type_of(name: str, x: Any, position: int = 0) -> ShapedArray:
    """The type of an operand of ``name``; TypeError, which names the operand, if it has none."""
    if isinstance(x, Tracer):
        return x.aval
    maker = aval_makers.get(type(x))
    if maker is not None:
        return maker(x)
    check_arraylike(name, *[0] * position, x)
    return aval_of(x)


def cast(x: Any, dtype: Any, weak: bool = False) -> Any:
    """``x`` in a dtype where it is not in it yet; numbers stay numbers, so that they become literals of a
    program.

    Raises:
      OverflowError: if ``x`` is a Python integer wider than the default integer.
    """
    kind = type(x)
    if kind in _NUMBERS:
        return _number(x, kind, dtype, weak)
    aval = aval_of(x)
    if aval.dtype == dtype and aval.weak_type == weak:
        return x
    if not aval.shape and not weak:
        if kind is Array and current.trace.staging:
            x = host_value(x)  # a constant of the program, which is then a literal of the right dtype
        if isinstance(x, np.generic | np.ndarray):
            return x.astype(dtype)[()]
    return convert(x, dtype, weak)


def _number(x: Any, kind: type, dtype: Any, weak: bool) -> Any:
    if kind is int and not -0x80000000 <= x <= 0x7FFFFFFF:
        dtypes.check_fits(x, dtypes.python_scalar_dtype(int))
    if weak:
        number = _KINDS.get(dtype.kind, kind)
        if dtype == dtypes.python_scalar_dtype(number):
            return x if number is kind else number(x)
        return convert(x, dtype, weak)
    try:
        return dtype.type(x)
    except OverflowError:
        return np.asarray(x).astype(dtype)[()]  # narrower integers wrap around, as arrays do


def to_inexact(dtype: Any, weak: bool = False) -> Any:
    """The dtype itself if it is floating point or complex, else the default float."""
    if is_inexact(dtype):
        return dtype
    return dtypes.promote_pair(dtype, weak, dtypes.python_scalar_dtype(float), True)[0]


def promote_pair(name: str, x: Any, y: Any, inexact: bool = False) -> tuple[Any, Any, Any]:
    """Two operands of ``name`` in their common dtype and rank, and that dtype. This is the hot path of
    tracing.

    Raises:
      TypeError: if an operand is not an array or a number.
      TypePromotionError: if their dtypes have no common one.
    """
    a = x.aval if isinstance(x, Tracer) else type_of(name, x, 0)
    b = y.aval if isinstance(y, Tracer) else type_of(name, y, 1)
    dtype, weak = a.dtype, a.weak_type
    if a is not b:
        if dtype is not b.dtype or weak is not b.weak_type:
            dtype, weak = dtypes.promote_pair(dtype, weak, b.dtype, b.weak_type)
        if weak and dtype is _BOOL:
            weak = False  # comparisons of numbers are weak, but no boolean gives way to another
        if inexact and not is_inexact(dtype):
            dtype = to_inexact(dtype, weak)
        if a.dtype != dtype or a.weak_type is not weak:
            x = cast(x, dtype, weak)
        if b.dtype != dtype or b.weak_type is not weak:
            y = cast(y, dtype, weak)
        if a.shape and b.shape and len(a.shape) != len(b.shape):
            x, y = promote_shapes(name, x, y)
    elif inexact and not is_inexact(dtype):
        dtype = to_inexact(dtype, weak)
        x, y = cast(x, dtype, weak), cast(y, dtype, weak)
    return x, y, dtype


def promote_one(name: str, x: Any) -> Any:
    """The one operand of ``name``, integers and booleans as floats."""
    aval = x.aval if isinstance(x, Tracer) else type_of(name, x)
    if is_inexact(aval.dtype):
        return x
    return cast(x, to_inexact(aval.dtype, aval.weak_type), aval.weak_type)


def to_numeric(name: str, x: Any) -> Any:
    """The one operand of ``name``, booleans as integers."""
    if type_of(name, x).dtype != _BOOL:
        return x
    return cast(x, dtypes.python_scalar_dtype(int))


def common_type(avals: Sequence[ShapedArray]) -> tuple[Any, bool]:
    """The common dtype of several operands, and whether it is weak."""
    dtype, weak = avals[0].dtype, avals[0].weak_type
    if all(a.dtype == dtype and a.weak_type == weak for a in avals):
        return dtype, weak
    if len(avals) == 2:
        return dtypes.promote_pair(dtype, weak, avals[1].dtype, avals[1].weak_type)
    # Joined at once: two at a time would not give the same where weak types are among them.
    return dtypes.result_type(*avals, return_weak_type_flag=True)


def promote_dtypes(*args: Any, inexact: bool = False) -> list[Any]:
    """The arguments in their common dtype; with ``inexact``, integers as floats."""
    dtype, weak = common_type([aval_of(x) for x in args])
    if inexact:
        dtype = to_inexact(dtype, weak)
    return [cast(x, dtype, weak) for x in args]


def promote_inexact(*args: Any) -> list[Any]:
    """The arguments in their common dtype, integers and booleans as floats."""
    return promote_dtypes(*args, inexact=True)


def promote_shapes(name: str, *args: Any) -> list[Any]:
    """The arguments with leading axes of size 1, so that all that are not scalars have one rank.

    Raises:
      ValueError: if the ranks differ, and sizes of an axis are neither equal nor 1, or
      ``numpy_rank_promotion`` is "raise".
    """
    shapes = [aval_of(x).shape for x in args]
    ranks = {len(shape) for shape in shapes if shape}
    if len(ranks) < 2:
        return list(args)
    broadcast_shapes(*shapes)
    if config.numpy_rank_promotion != "allow":
        _tell_of_rank_promotion(name, shapes)
    rank = max(ranks)
    return [
        x if not shape or len(shape) == rank else _with_rank(x, shape, rank)
        for x, shape in zip(args, shapes, strict=True)
    ]


def _tell_of_rank_promotion(name: str, shapes: Sequence[tuple[int, ...]]) -> None:
    text = (
        f"{name}: operands of shapes {', '.join(map(str, shapes))} were given, but numpy_rank_promotion is "
        f"{config.numpy_rank_promotion!r}; give them the same number of axes, as in x[None, :]"
    )
    if config.numpy_rank_promotion == "raise":
        raise ValueError(text)
    warnings.warn(text, UserWarning, stacklevel=4)


def _with_rank(x: Any, shape: tuple[int, ...], rank: int) -> Any:
    missing = rank - len(shape)
    return broadcast_in_dim(x, (1,) * missing + shape, range(missing, rank))


def promote(name: str, *args: Any, inexact: bool = False) -> list[Any]:
    """The operands of ``name`` in their common dtype and rank."""
    check_arraylike(name, *args)
    return promote_shapes(name, *promote_dtypes(*args, inexact=inexact))


def broadcast_shapes(*shapes: Sequence[int]) -> tuple[int, ...]:
    """The shape that arrays of these shapes have together.

    Raises:
      ValueError: if sizes of one axis differ and are not 1.

    >>> broadcast_shapes((2, 1), (3,))
    (2, 3)
    """
    rank = max((len(shape) for shape in shapes), default=0)
    result = []
    for axis in range(-rank, 0):
        sizes = {shape[axis] for shape in shapes if len(shape) >= -axis} - {1}
        if len(sizes) > 1:
            raise ValueError(
                f"broadcast_shapes: incompatible shapes {', '.join(str(tuple(s)) for s in shapes)}; "
                "the sizes of an axis must be equal or 1"
            )
        result.append(sizes.pop() if sizes else 1)
    return tuple(result)


def broadcast_to_shape(x: Any, shape: tuple[int, ...]) -> Any:
    """``x`` repeated into ``shape``, with which it is compatible; nothing is recorded if it has it
    already."""
    own = aval_of(x).shape
    if own == shape:
        return x
    return broadcast_in_dim(x, shape, range(len(shape) - len(own), len(shape)))
