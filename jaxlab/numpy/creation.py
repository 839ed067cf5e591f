"""Arrays from values: from numbers, nested lists, NumPy arrays and buffers, and arrays that hold one
value."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from jaxlab import dtypes, lax, tree
from jaxlab.core.aval import ShapedArray, aval_of, is_array_like
from jaxlab.core.trace import Tracer, current
from jaxlab.numpy.promotion import broadcast_to_shape, cast, check_arraylike
from jaxlab.numpy.wrapping import as_array, on_device
from jaxlab.primitives.conversion import convert
from jaxlab.primitives.reshaping import canonical_shape
from jaxlab.runtime import array as runtime_array
from jaxlab.runtime.array import Array, host_value, put

_PYTHON_NUMBERS = frozenset({bool, int, float, complex})


def array(
    object: Any,
    dtype: Any = None,
    copy: bool = True,
    order: str | None = "K",
    ndmin: int = 0,
    *,
    device: Any = None,
) -> Any:
    """An array from a number, nested lists or tuples, a NumPy array, another array, or anything with
    ``__array__``.

    Args:
      object: the values. Lists may contain arrays and traced values.
      dtype: the dtype of the result; by default the common dtype of what is given, in the default width.
      copy: whether an array is copied; NumPy arrays always are.
      order: "K" or None alone: arrays have no memory layout that a program could choose.
      ndmin: the least number of axes; missing ones are put in front.
      device: where the result is to lie; the default device if not given.

    Returns:
      An array; a Python number without ``dtype`` gives one with a weak type.

    Raises:
      TypeError: if there are values that no array can hold, such as strings.
      ValueError: if nested lists are ragged, or None is among the values.
      OverflowError: if a Python integer does not fit into the dtype.

    >>> jnp.array([[1, 2], [3, 4.5]])
    Array([[1. , 2. ],
           [3. , 4.5]], dtype=float32)
    """
    if order is not None and order != "K":
        raise NotImplementedError(f"array: order={order!r} was given, but only 'K' is known; leave it out")
    if dtype is not None:
        dtype = dtypes.canonicalize_requested(dtype, "array", stacklevel=3)
    out = _array(object, dtype, copy)
    missing = ndmin - len(aval_of(out).shape)
    if missing > 0:
        out = lax.expand_dims(out, range(missing))
    return on_device(out, device)


def _array(object: Any, dtype: Any, copy: bool) -> Any:
    """`array` for a canonical dtype, or None."""
    kind = type(object)
    if kind is Array or isinstance(object, Tracer):
        return _from_array(lax.copy(object) if copy else object, dtype)
    if kind in _PYTHON_NUMBERS:
        return _from_number(object, dtype)
    if isinstance(object, list | tuple):
        return _from_sequence(object, dtype)
    if object is None:
        raise ValueError("array: None was given, but a number, list or array is needed")
    if hasattr(object, "__jax_array__"):
        return _array(object.__jax_array__(), dtype, copy)
    return _from_numpy(np.asarray(object), dtype)


def _from_array(x: Any, dtype: Any) -> Any:
    return x if dtype is None else cast(x, dtype)


def _from_number(x: Any, dtype: Any) -> Any:
    if dtype is None:
        aval = aval_of(x)
        if type(x) is int:
            dtypes.check_fits(x, aval.dtype)
        return put(np.asarray(x).astype(aval.dtype), aval)
    if type(x) is int:
        dtypes.check_fits(x, dtype)
    with np.errstate(over="ignore"):
        return put(np.asarray(x, dtype))


def _from_numpy(x: np.ndarray, dtype: Any) -> Any:
    if x.dtype.kind in "OSUMmV" and x.dtype not in dtypes.supported:
        raise TypeError(
            f"array: values of dtype {x.dtype} were given, but arrays hold booleans and numbers; convert "
            "them first"
        )
    if dtype is None:
        dtype = dtypes.canonicalize(x.dtype)
    if x.dtype != dtype:
        if x.dtype.kind == "c" and dtype.kind != "c" and dtype != np.bool_:
            x = x.real
        with np.errstate(over="ignore", invalid="ignore"):
            x = x.astype(dtype)
    return put(x)


def _from_sequence(values: Sequence[Any], dtype: Any) -> Any:
    leaves = tree.leaves(values)
    kinds = set(map(type, leaves))
    if kinds <= _PYTHON_NUMBERS:
        if dtype is None:
            dtype = _common_dtype(kinds)
        return _from_nested(values, dtype)
    if any(kind is Array or issubclass(kind, Tracer) or hasattr(kind, "__jax_array__") for kind in kinds):
        if dtype is None:
            dtype = dtypes.result_type(*[_as_leaf(x) for x in leaves])
        few = current.trace.parent is None and all(not aval_of(x).shape for x in leaves if type(x) is Array)
        if few and not any(issubclass(kind, Tracer) for kind in kinds):
            # Numbers that lie on the device: one transfer back is cheaper than an operation for each.
            return _from_nested(tree.map(lambda x: host_value(x) if type(x) is Array else x, values), dtype)
        return _stacked(values, dtype)
    if dtype is None and all(is_array_like(x) for x in leaves):
        dtype = dtypes.result_type(*leaves)
    return _from_nested(values, dtype)


def _common_dtype(kinds: set[type]) -> Any:
    for kind in (complex, float, int, bool):
        if kind in kinds:
            return dtypes.python_scalar_dtype(kind)
    return dtypes.python_scalar_dtype(float)


def _as_leaf(x: Any) -> Any:
    return x if is_array_like(x) else np.asarray(x)


def _from_nested(values: Any, dtype: Any) -> Any:
    try:
        with np.errstate(over="ignore"):
            return _from_numpy(np.array(values, dtype), dtype)
    except (TypeError, ValueError):
        if _contains_none(values):
            raise ValueError(
                "array: None is among the values, but only numbers are allowed; write jnp.nan for a "
                "missing one"
            ) from None
        raise


def _contains_none(values: Any) -> bool:
    if isinstance(values, list | tuple):
        return any(map(_contains_none, values))
    return values is None


def _stacked(values: Any, dtype: Any) -> Any:
    """Nested lists with arrays in them, put together by operations, so that they can be traced."""
    if not isinstance(values, list | tuple):
        return _array(values, dtype, False)
    if not values:
        return _from_nested(values, dtype)
    parts = [lax.expand_dims(_stacked(value, dtype), (0,)) for value in values]
    return lax.concatenate(parts, 0)


def asarray(
    a: Any, dtype: Any = None, order: str | None = None, *, copy: bool | None = None, device: Any = None
) -> Any:
    """As `array`, but what is an array already is not copied unless ``copy=True``.

    >>> jnp.asarray([1, 2, 3])
    Array([1, 2, 3], dtype=int32)
    """
    return array(a, dtype, bool(copy), order, device=device)


def copy(a: Any, order: str | None = None) -> Any:
    """A copy in memory of its own.

    Args:
      a: array or number.
      order: None or "K" alone.

    Raises:
      TypeError: if ``a`` is not an array or a number.

    >>> jnp.copy(jnp.arange(3))
    Array([0, 1, 2], dtype=int32)
    """
    check_arraylike("copy", a)
    return array(a, copy=True, order=order)


def astype(x: Any, dtype: Any, /, *, copy: bool = False, device: Any = None) -> Any:
    """The array in another dtype; complex numbers become real ones by their real part, floats integers
    towards zero.

    Args:
      x: array or number.
      dtype: the dtype; None is the default float.
      copy: whether the result is another array even if nothing changes.
      device: where the result is to lie.

    Raises:
      TypeError: if ``x`` is not an array or a number, or arrays cannot hold the dtype.

    >>> jnp.astype(jnp.array([1.7, -1.7]), int)
    Array([ 1, -1], dtype=int32)
    """
    check_arraylike("astype", x)
    wanted = dtypes.canonicalize_requested(float if dtype is None else dtype, "astype", stacklevel=3)
    x = as_array(x)
    out = convert(x, wanted)
    if copy and out is x:
        out = lax.copy(x)
    return on_device(out, device)


def _shape(name: str, shape: Any) -> tuple[int, ...]:
    if isinstance(shape, int | np.integer):
        return canonical_shape(name, (shape,))
    if isinstance(shape, Array | np.ndarray | Tracer) and not shape.ndim:
        return canonical_shape(name, (operator.index(shape),))
    if isinstance(shape, Array):
        shape = host_value(shape)
    return canonical_shape(name, shape if hasattr(shape, "__iter__") else (shape,))


def _filled(name: str, shape: Any, value: Any, dtype: Any, device: Any) -> Any:
    if dtype is not None:
        dtype = dtypes.canonicalize_requested(dtype, name, stacklevel=4)
    out = as_array(lax.full(_shape(name, shape), value, dtype))
    return on_device(out, device)


def zeros(shape: Any, dtype: Any = None, *, device: Any = None) -> Any:
    """An array of zeros.

    Args:
      shape: the lengths of the axes, or one for a single axis.
      dtype: the dtype, float by default.
      device: where the result is to lie.

    Raises:
      TypeError: if a length is not a concrete integer from 0 on.

    >>> jnp.zeros((2, 3))
    Array([[0., 0., 0.],
           [0., 0., 0.]], dtype=float32)
    """
    return _filled("zeros", shape, 0, float if dtype is None else dtype, device)


def ones(shape: Any, dtype: Any = None, *, device: Any = None) -> Any:
    """An array of ones; arguments and errors as of `zeros`.

    >>> jnp.ones(3, int)
    Array([1, 1, 1], dtype=int32)
    """
    return _filled("ones", shape, 1, float if dtype is None else dtype, device)


def empty(shape: Any, dtype: Any = None, *, device: Any = None) -> Any:
    """An array whose values mean nothing (they are zeros); arguments and errors as of `zeros`.

    >>> jnp.empty(3).shape
    (3,)
    """
    return _filled("empty", shape, 0, float if dtype is None else dtype, device)


def full(shape: Any, fill_value: Any, dtype: Any = None, *, device: Any = None) -> Any:
    """An array that holds one value everywhere.

    Args:
      shape: the lengths of the axes, or one for a single axis.
      fill_value: a number, or an array that broadcasts to the shape.
      dtype: the dtype; that of the value by default.
      device: where the result is to lie.

    Raises:
      TypeError: if a length is not a concrete integer from 0 on, or the value is not an array or a number.
      ValueError: if the value does not broadcast to the shape.

    >>> jnp.full((2, 2), 7)
    Array([[7, 7],
           [7, 7]], dtype=int32, weak_type=True)
    """
    check_arraylike("full", fill_value)
    if not aval_of(fill_value).shape:
        return _filled("full", shape, fill_value, dtype, device)
    out = _broadcast_fill("full", asarray(fill_value, dtype), _shape("full", shape))
    return on_device(out, device)


def _broadcast_fill(name: str, value: Any, shape: tuple[int, ...]) -> Any:
    own = aval_of(value).shape
    if len(own) > len(shape) or any(
        size not in (1, to) for size, to in zip(reversed(own), reversed(shape), strict=False)
    ):
        raise ValueError(
            f"{name}: a value of shape {own} was given, but it must broadcast to the shape {shape}"
        )
    return broadcast_to_shape(value, shape)


def _like(name: str, a: Any, value: Any, dtype: Any, shape: Any, device: Any) -> Any:
    if not (hasattr(a, "shape") and hasattr(a, "dtype")):
        check_arraylike(name, a)
        a = aval_of(a)
    weak = dtype is None and bool(getattr(a, "weak_type", False))
    dtype = (
        dtypes.canonicalize(a.dtype)
        if dtype is None
        else dtypes.canonicalize_requested(dtype, name, stacklevel=4)
    )
    shape = tuple(a.shape) if shape is None else _shape(name, shape)
    if aval_of(value).shape:
        out = _broadcast_fill(name, asarray(value, dtype), shape)
    else:
        out = as_array(lax.full_like(ShapedArray(shape, dtype, weak), value))
    return on_device(out, device)


def zeros_like(a: Any, dtype: Any = None, shape: Any = None, *, device: Any = None) -> Any:
    """An array of zeros of the shape and dtype of another.

    Args:
      a: array or number, or anything with ``shape`` and ``dtype``.
      dtype, shape: what the result has instead.
      device: where the result is to lie.

    Raises:
      TypeError: if ``a`` is not an array or a number.

    >>> jnp.zeros_like(jnp.arange(3))
    Array([0, 0, 0], dtype=int32)
    """
    return _like("zeros_like", a, 0, dtype, shape, device)


def ones_like(a: Any, dtype: Any = None, shape: Any = None, *, device: Any = None) -> Any:
    """An array of ones of the shape and dtype of another; arguments and errors as of `zeros_like`.

    >>> jnp.ones_like(jnp.arange(3))
    Array([1, 1, 1], dtype=int32)
    """
    return _like("ones_like", a, 1, dtype, shape, device)


def empty_like(prototype: Any, dtype: Any = None, shape: Any = None, *, device: Any = None) -> Any:
    """An array of the shape and dtype of another whose values mean nothing; arguments and errors as of
    `zeros_like`.

    >>> jnp.empty_like(jnp.arange(3)).shape
    (3,)
    """
    return _like("empty_like", prototype, 0, dtype, shape, device)


def full_like(a: Any, fill_value: Any, dtype: Any = None, shape: Any = None, *, device: Any = None) -> Any:
    """An array of the shape and dtype of another that holds one value; other arguments and errors as of
    `zeros_like`.

    Args:
      fill_value: a number, or an array that broadcasts to the shape.

    >>> jnp.full_like(jnp.arange(3), 7)
    Array([7, 7, 7], dtype=int32)
    """
    check_arraylike("full_like", fill_value)
    return _like("full_like", a, fill_value, dtype, shape, device)


def frombuffer(buffer: Any, dtype: Any = float, count: int = -1, offset: int = 0) -> Any:
    """The numbers whose bytes a buffer holds.

    Args:
      buffer: bytes, or anything with the buffer protocol.
      dtype: the dtype of the numbers.
      count: how many; all by default.
      offset: the byte to start at.

    >>> jnp.frombuffer(b"\\x01\\x02\\x03", dtype="uint8")
    Array([1, 2, 3], dtype=uint8)
    """
    wanted = dtypes.as_dtype(dtype)
    return asarray(np.frombuffer(buffer, wanted, count, offset))


def fromstring(string: str, dtype: Any = float, count: int = -1, *, sep: str) -> Any:
    """The numbers that a text holds, with ``sep`` between them.

    >>> jnp.fromstring("1 2 3", sep=" ")
    Array([1., 2., 3.], dtype=float32)
    """
    return asarray(np.fromstring(string, dtypes.as_dtype(dtype), count, sep=sep))


def from_dlpack(x: Any, /, *, device: Any = None, copy: bool | None = None) -> Any:
    """An array over the memory of another library's array, which must not be written to while the array is
    in use.

    Args:
      x: anything with ``__dlpack__`` and ``__dlpack_device__``.
      device: where the result is to lie; where the data is, by default.
      copy: True to copy in any case, False to raise rather than copy, None to copy where sharing is not
        possible.

    Raises:
      BufferError: if ``copy`` is False and the memory cannot be shared.

    >>> jnp.from_dlpack(np.arange(3, dtype="float32"))
    Array([0., 1., 2.], dtype=float32)
    """
    return runtime_array.from_dlpack(x, device, copy)


def fromiter(*args: Any, **kwargs: Any) -> Any:
    """Not supported: an iterator is used up by the first call; write ``jnp.asarray(np.fromiter(...))``.

    Raises:
      NotImplementedError: always.
    """
    raise NotImplementedError(
        "fromiter: an iterator changes when it is read, which a program must not; write "
        "jnp.asarray(np.fromiter(...))"
    )


def fromfile(*args: Any, **kwargs: Any) -> Any:
    """Not supported: a file may change; write ``jnp.asarray(np.fromfile(...))``.

    Raises:
      NotImplementedError: always.
    """
    raise NotImplementedError(
        "fromfile: a file may change from call to call, which a program must not; write "
        "jnp.asarray(np.fromfile(...))"
    )
