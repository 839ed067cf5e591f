"""Operators and methods of arrays and of traced values, attached to both from one table.

On arrays an operator is jaxlib's C++ function itself, so that ``a + b`` runs no Python; on traced values it
is the plain
Python function, so that tracing does not pass through C++.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from jaxlab import dtypes, lax
from jaxlab.core.aval import aval_of
from jaxlab.core.refs import is_ref
from jaxlab.core.trace import Tracer
from jaxlab.errors import ConcretizationTypeError
from jaxlab.numpy import (
    array_methods,
    creation,
    cumulative,
    linear_algebra,
    manipulation,
    moments,
    rearranging,
    reductions,
    searching,
    selection,
    sorting,
    taking,
    ufuncs_arithmetic,
    ufuncs_complex,
)
from jaxlab.numpy import ufuncs_logic as logic
from jaxlab.numpy import ufuncs_rounding as rounding
from jaxlab.numpy.indexing import getitem, mutable_arrays
from jaxlab.numpy.updates import at
from jaxlab.numpy.wrapping import compiled
from jaxlab.runtime.array import Array, attach, host_value, put
from jaxlab.runtime.execution import pjit
from jaxlab.runtime.keys import KeyArray

arithmetic = ufuncs_arithmetic

_BINARY: dict[str, Any] = {
    "add": arithmetic.add,
    "sub": arithmetic.subtract,
    "mul": arithmetic.multiply,
    "truediv": arithmetic.true_divide,
    "floordiv": arithmetic.floor_divide,
    "mod": arithmetic.remainder,
    "matmul": linear_algebra.matmul,
    "divmod": arithmetic.divmod,
    "and": logic.bitwise_and,
    "or": logic.bitwise_or,
    "xor": logic.bitwise_xor,
    "lshift": logic.left_shift,
    "rshift": logic.right_shift,
}
_COMPARISONS: dict[str, Any] = {
    "eq": logic.equal,
    "ne": logic.not_equal,
    "lt": logic.less,
    "le": logic.less_equal,
    "gt": logic.greater,
    "ge": logic.greater_equal,
}
_UNARY: dict[str, Any] = {
    "neg": arithmetic.negative,
    "pos": arithmetic.positive,
    "abs": arithmetic.absolute,
    "invert": logic.invert,
}

_operands: dict[type, bool] = dict.fromkeys((bool, int, float, complex, Array), True)


def _is_operand(x: Any) -> bool:
    """Whether an operator knows what to do with the other operand; if not, that gets its turn.

    Raises:
      TypeError: for containers, whose own operators mean something else.
    """
    known = _operands.get(type(x))
    if known is None:
        if isinstance(x, list | tuple | set | dict):
            raise TypeError(
                f"unsupported operand: a {type(x).__name__} was given to an operator of an array, but "
                "arrays or numbers "
                "are needed; write jnp.asarray(...) around it"
            )
        known = isinstance(x, int | float | complex | np.ndarray | np.generic | Tracer) or hasattr(
            x, "__jax_array__"
        )
        _operands[type(x)] = known
    return known


def _swapped(ufunc: Any) -> Any:
    """The ufunc with its operands in the order of a reflected operator."""
    body = ufunc.__wrapped__

    def swapped(x: Any, y: Any, /) -> Any:
        return body(y, x)

    swapped.__name__, swapped.__qualname__, swapped.__doc__ = body.__name__, body.__qualname__, body.__doc__
    return compiled(swapped)


def _on_arrays(ufunc: Any) -> Any:
    """The C++ function that is an operator of arrays: as the ufunc's own, but it passes on operands it does
    not know."""
    ufunc_miss = ufunc._on_miss

    def on_miss(*args: Any) -> tuple[Any, Any, bool]:
        if len(args) == 2 and not _is_operand(args[1]):
            return NotImplemented, None, False
        return ufunc_miss(*args)  # type: ignore[no-any-return]

    operator = pjit(ufunc.__wrapped__.__name__, ufunc.__wrapped__, on_miss)
    operator.__wrapped__ = ufunc.__wrapped__
    operator.__doc__ = ufunc.__doc__
    return operator


def _on_tracers(ufunc: Any) -> Callable[[Any, Any], Any]:
    # What shows as an equation of its own is called; of the others the plain function is enough.
    body = ufunc.__wrapped__ if ufunc._inline else ufunc

    def operator(self: Any, other: Any) -> Any:
        if isinstance(other, Tracer) or _is_operand(other):
            return body(self, other)
        return NotImplemented

    operator.__doc__ = ufunc.__doc__
    return operator


def _reflected_on_tracers(ufunc: Any) -> Callable[[Any, Any], Any]:
    body = ufunc.__wrapped__ if ufunc._inline else ufunc

    def operator(self: Any, other: Any) -> Any:
        if isinstance(other, Tracer) or _is_operand(other):
            return body(other, self)
        return NotImplemented

    operator.__doc__ = ufunc.__doc__
    return operator


def _power(self: Any, other: Any) -> Any:
    return arithmetic.power(self, other) if _is_operand(other) else NotImplemented


def _reflected_power(self: Any, other: Any) -> Any:
    return arithmetic.power(other, self) if _is_operand(other) else NotImplemented


def _round(self: Any, ndigits: int | None = None) -> Any:
    out = rounding.round(self, decimals=ndigits or 0)
    return out if ndigits is not None else lax.convert_element_type(out, dtypes.python_scalar_dtype(int))


def _set_item(self: Any, index: Any, value: Any) -> None:
    if is_ref(aval_of(self)):
        mutable_arrays.set(self, index, value)
        return
    shown = repr(index) if isinstance(index, int | slice) else "index"
    if isinstance(index, slice):
        parts = ["" if part is None else repr(part) for part in (index.start, index.stop, index.step)]
        shown = ":".join(parts[: 2 + (index.step is not None)])
    raise TypeError(
        f"x[{shown}] = value: an array of type {aval_of(self).str_short()} was given, but arrays never "
        "change; "
        f"write x = x.at[{shown}].set(value)"
    )


_CHUNK = 64


@compiled
def _rows(x: Any) -> tuple[Any, ...]:
    return tuple(lax.index_in_dim(x, i, 0, keepdims=False) for i in range(aval_of(x).shape[0]))


@compiled(static_argnames=("size",))
def _part(x: Any, start: Any, *, size: int) -> Any:
    return lax.dynamic_slice_in_dim(x, start, size, 0)


def _iterate(self: Any) -> Iterator[Any]:
    shape = aval_of(self).shape
    if not shape:
        raise TypeError("iteration over a 0-d array: it has no axis to go along; write x.item() or x[()]")
    if isinstance(self, Tracer) or shape[0] <= _CHUNK:
        return iter(_rows.__wrapped__(self) if isinstance(self, Tracer) else _rows(self))
    return _in_chunks(self, shape[0])


def _in_chunks(x: Any, length: int) -> Iterator[Any]:
    # One program for all parts of one size, where slicing each row would compile a program for every number.
    for start in range(0, length, _CHUNK):
        yield from _rows(_part(x, np.int32(start), size=min(_CHUNK, length - start)))


def _contains(self: Any, value: Any) -> bool:
    return bool(reductions.any(logic.equal(self, value)))


def _clip(self: Any, min: Any = None, max: Any = None) -> Any:
    """`jaxlab.numpy.clip` of this array."""
    return rounding.clip(self, min=min, max=max)


def _copy(self: Any) -> Any:
    """A copy in memory of its own."""
    return creation.copy(self)


def _astype(self: Any, dtype: Any, copy: bool = False, device: Any = None) -> Any:
    """`jaxlab.numpy.astype` of this array."""
    return creation.astype(self, dtype, copy=copy, device=device)


def _view(self: Any, dtype: Any = None, type: None = None) -> Any:
    """The same bytes read as another dtype; the last axis changes its length with the width.

    Raises:
      ValueError: if the last axis does not divide into elements of the dtype.
    """
    if type is not None or dtype is None:
        raise NotImplementedError("view: only x.view(dtype) is known; write the dtype")
    own, wanted = aval_of(self).dtype, dtypes.canonicalize_requested(dtype, "view", stacklevel=3)
    shape = aval_of(self).shape
    ratio, rest = divmod(max(own.itemsize, wanted.itemsize), min(own.itemsize, wanted.itemsize))
    if ratio == 1 or (not shape and not rest and own.itemsize == wanted.itemsize):
        return lax.bitcast_convert_type(self, wanted)
    if not shape or (own.itemsize < wanted.itemsize and shape[-1] % ratio):
        raise ValueError(
            f"view: {aval_of(self).str_short()} was given, but its last axis does not divide into "
            f"elements of {wanted.name}"
        )
    if own.itemsize < wanted.itemsize:
        return lax.bitcast_convert_type(lax.reshape(self, (*shape[:-1], shape[-1] // ratio, ratio)), wanted)
    return lax.reshape(lax.bitcast_convert_type(self, wanted), (*shape[:-1], shape[-1] * ratio))


def _to_device(self: Any, device: Any, *, stream: None = None) -> Any:
    """The array on another device."""
    if stream is not None:
        raise NotImplementedError("to_device: stream= is not known; leave it out")
    return put(self, device=device)


def _tobytes(self: Any, order: str = "C") -> bytes:
    """The bytes of the elements, row by row."""
    return host_value(self).tobytes(order)


def _traced_item(self: Any, *args: Any) -> Any:
    value = self.concrete()
    if value is None:
        raise ConcretizationTypeError(self, "item")
    return np.asarray(value).item(*args)


def _itself(self: Any) -> Any:
    """The value itself: a traced value has nothing to wait for."""
    return self


METHODS: dict[str, Any] = {
    "all": reductions.all,
    "any": reductions.any,
    "argmax": reductions.argmax,
    "argmin": reductions.argmin,
    "argsort": sorting.argsort,
    "astype": _astype,
    "choose": taking.choose,
    "clip": _clip,
    "compress": array_methods.compress,
    "conj": ufuncs_complex.conj,
    "conjugate": ufuncs_complex.conjugate,
    "copy": _copy,
    "cumprod": cumulative.cumprod,
    "cumsum": cumulative.cumsum,
    "diagonal": taking.diagonal,
    "dot": linear_algebra.dot,
    "flatten": array_methods.flatten,
    "max": reductions.max,
    "mean": moments.mean,
    "min": reductions.min,
    "nonzero": selection.nonzero,
    "prod": reductions.prod,
    "ptp": reductions.ptp,
    "ravel": manipulation.ravel,
    "repeat": rearranging.repeat,
    "reshape": array_methods.reshape,
    "round": rounding.round,
    "searchsorted": searching.searchsorted,
    "sort": sorting.sort,
    "squeeze": manipulation.squeeze,
    "std": moments.std,
    "sum": reductions.sum,
    "swapaxes": manipulation.swapaxes,
    "take": taking.take,
    "trace": array_methods.trace,
    "transpose": array_methods.transpose,
    "var": moments.var,
    "view": _view,
    "__contains__": _contains,
    "__getitem__": getitem,
    "__iter__": _iterate,
    "__pow__": _power,
    "__round__": _round,
    "__rpow__": _reflected_power,
    "__setitem__": _set_item,
}
"""For each method of arrays and traced values the function that does it, the array first."""

PROPERTIES: dict[str, Callable[[Any], Any]] = {
    "T": array_methods.transposed,
    "at": at,
    "imag": ufuncs_complex.imag,
    "mT": array_methods.matrix_transposed,
    "real": ufuncs_complex.real,
}
"""For each property of arrays and traced values the function that computes it."""

_ARRAYS_ALONE: dict[str, Any] = {"to_device": _to_device, "tobytes": _tobytes}
_TRACERS_ALONE: dict[str, Any] = {"item": _traced_item, "block_until_ready": _itself}


def attach_operator(name: str, ufunc: Any) -> None:
    """Give arrays and traced values a binary operator and its reflection, such as ``matmul`` for ``@``."""
    attach(f"__{name}__", _on_arrays(ufunc))
    setattr(Tracer, f"__{name}__", _on_tracers(ufunc))
    if name not in _COMPARISONS:  # Python reflects those itself
        attach(f"__r{name}__", _on_arrays(_swapped(ufunc)))
        setattr(Tracer, f"__r{name}__", _reflected_on_tracers(ufunc))


def attach_method(name: str, function: Any) -> None:
    """Give arrays and traced values a method: a function that takes them first."""
    attach(name, function)
    plain = getattr(function, "_inline", False)
    setattr(Tracer, name, function.__wrapped__ if plain else function)


def attach_property(name: str, function: Callable[[Any], Any]) -> None:
    """Give arrays and traced values a property, computed by a function."""
    attach(name, property(function, doc=function.__doc__))
    setattr(Tracer, name, property(getattr(function, "__wrapped__", function), doc=function.__doc__))


_OF_KEYS = (
    "__getitem__",
    "__iter__",
    "flatten",
    "ravel",
    "reshape",
    "squeeze",
    "swapaxes",
    "transpose",
    "T",
    "at",
)
"""What arrays of keys have too: shapes and places, and no arithmetic."""


def attach_all() -> None:
    """Give arrays and traced values all operators, methods and properties."""
    for name, ufunc in {**_BINARY, **_COMPARISONS}.items():
        attach_operator(name, ufunc)
    for name, ufunc in _UNARY.items():
        attach(f"__{name}__", ufunc)
        setattr(Tracer, f"__{name}__", ufunc.__wrapped__)
    for name, function in METHODS.items():
        attach_method(name, function)
    for name, function in PROPERTIES.items():
        attach_property(name, function)
    for name, function in _ARRAYS_ALONE.items():
        attach(name, function)
    for name, function in _TRACERS_ALONE.items():
        setattr(Tracer, name, function)
    for name in _OF_KEYS:
        method, getter = METHODS.get(name), PROPERTIES.get(name)
        setattr(
            KeyArray, name, property(getter, doc=getter.__doc__) if getter is not None else _method(method)
        )
    KeyArray.__eq__ = _same_keys
    KeyArray.__ne__ = lambda self, other: logic.logical_not(_same_keys(self, other))


def _same_keys(self: Any, other: Any) -> Any:
    if not isinstance(other, KeyArray) or other.dtype != self.dtype:
        return NotImplemented
    return reductions.all(logic.equal(self.words, other.words), axis=-1)


def _method(function: Any) -> Callable[..., Any]:
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return function(self, *args, **kwargs)

    method.__doc__ = function.__doc__
    return method
