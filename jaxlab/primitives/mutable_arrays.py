"""What users do with references: making, reading, writing, adding, ending; and the methods of `Ref`."""

from __future__ import annotations

from typing import Any

import numpy as np

from jaxlab import dtypes
from jaxlab.core.aval import aval_of, is_array_like
from jaxlab.core.refs import AbstractRef, is_ref
from jaxlab.core.trace import Tracer
from jaxlab.primitives.conversion import convert_element_type
from jaxlab.primitives.reference_access import addupdate_p, get_p, put, swap_p
from jaxlab.primitives.reference_index import parse_index
from jaxlab.primitives.references import empty_ref_p, free_ref_p, freeze_p, new_ref_p
from jaxlab.runtime.references import Ref


def new_ref(init_val: Any, *, memory_space: Any = None, kind: str | None = None) -> Any:
    """A mutable array whose first value is ``init_val``.

    Args:
      init_val: an array or a number; it stays as it is, whatever is written to the reference.
      memory_space: where to keep it; None is the only space there is here.
      kind: ``"no_grad_no_remat"`` for a reference that derivatives pass by: what is written to it has no
        tangent there. None for all others.

    Returns:
      A `Ref`. In a traced function it lives as long as the function is traced, and cannot be returned.

    Raises:
      TypeError: if ``init_val`` is no array or number.
      NotImplementedError: for another memory space.

    >>> ref = new_ref(jnp.arange(3))
    >>> ref[0] = 7
    >>> ref[...]
    Array([7, 1, 2], dtype=int32)
    """
    if not is_array_like(init_val) or isinstance(init_val, str):
        raise TypeError(
            f"new_ref: a {type(init_val).__name__} was given, but a reference holds an array or a number; convert "
            "it with jnp.asarray"
        )
    if is_ref(aval_of(init_val)):
        raise TypeError(
            f"new_ref: a reference of type {aval_of(init_val).str_short()} was given, but a reference holds an "
            "array; read it first, with ref[...]"
        )
    if memory_space is not None:
        raise NotImplementedError(
            f"new_ref: the memory space {memory_space!r} was asked for, but references are kept in the memory of "
            "their device; leave memory_space out"
        )
    return new_ref_p.bind(init_val, kind=kind, memory_space=None, linear=False)


def empty_ref(ty: Any, memory_space: Any = None) -> Any:
    """A mutable array of a type, to be written before it is read.

    Args:
      ty: an array, or anything with a shape and a dtype, such as `ShapeDtypeStruct`.
      memory_space: as for `new_ref`.

    Raises:
      TypeError: if ``ty`` has no shape and dtype.

    >>> ref = empty_ref(jnp.zeros(3))
    >>> ref[...] = jnp.ones(3)
    >>> ref
    Ref([1., 1., 1.], dtype=float32)
    """
    if not is_array_like(ty):
        raise TypeError(
            f"empty_ref: a {type(ty).__name__} was given, but a type with a shape and a dtype is needed, such as "
            "ShapeDtypeStruct(shape, dtype)"
        )
    return empty_ref_p.bind(ty=aval_of(ty).strip_weak_type(), memory_space=memory_space)


def freeze(ref: Any) -> Any:
    """The value of a reference, which is not to be used any more.

    Raises:
      ValueError: if ``ref`` is no reference.

    >>> freeze(new_ref(jnp.arange(3)))
    Array([0, 1, 2], dtype=int32)
    """
    _reference("freeze", ref)
    return freeze_p.bind(ref)


def free_ref(ref: Any) -> None:
    """Say that a reference is not used any more.

    Raises:
      ValueError: if ``ref`` is no reference.

    >>> free_ref(new_ref(1.0))
    """
    _reference("free_ref", ref)
    free_ref_p.bind(ref)


def get(ref: Any, idx: Any = None) -> Any:
    """The elements of a reference that an index names: ``ref[idx]``.

    Args:
      ref: a reference.
      idx: integers, slices with positive steps, arrays of integers and ``...``, as for arrays; None for all.
        A place out of bounds that is known only when the program runs is moved to the nearest that exists.

    Raises:
      ValueError: if ``ref`` is no reference, or the index does not fit its shape.
      TypeError: if the index is of another kind.

    >>> get(new_ref(jnp.arange(5)), slice(1, 3))
    Array([1, 2], dtype=int32)
    """
    shape = _reference("get", ref).shape
    index, places = parse_index("get", shape, idx)
    return get_p.bind(ref, *places, index=index)


def swap(ref: Any, idx: Any, value: Any) -> Any:
    """Put a value where an index names elements of a reference, and return what was there.

    Args:
      ref: a reference.
      idx: as for `get`.
      value: an array of the shape of those elements and of the dtype of the reference.

    Raises:
      ValueError: if ``ref`` is no reference, the index does not fit its shape, or the value has another shape or
        dtype than the elements.

    >>> ref = new_ref(jnp.arange(4))
    >>> swap(ref, 2, 9)
    Array(2, dtype=int32)
    >>> ref
    Ref([0, 1, 9, 3], dtype=int32)
    """
    aval = _reference("swap", ref)
    index, places = parse_index("swap", aval.shape, idx)
    return swap_p.bind(ref, _value("swap", aval, value), *places, index=index)


def set(ref: Any, idx: Any, value: Any) -> None:
    """Put a value where an index names elements of a reference: ``ref[idx] = value``.

    Arguments and errors are those of `swap`.

    >>> ref = new_ref(jnp.zeros(3))
    >>> set(ref, 1, 5.0)
    >>> ref
    Ref([0., 5., 0.], dtype=float32)
    """
    aval = _reference("set", ref)
    index, places = parse_index("set", aval.shape, idx)
    put(ref, _value("set", aval, value), places, index)


def addupdate(ref: Any, idx: Any, x: Any) -> None:
    """Add to the elements of a reference that an index names, once for each time it names them.

    ``ref[idx] += x`` reads, adds and writes; this is one step, and cheaper to differentiate.

    Args:
      ref: a reference.
      idx: as for `get`.
      x: an array of the shape of those elements and of the dtype of the reference.

    Raises:
      ValueError: as `swap` does.

    >>> ref = new_ref(jnp.zeros(3))
    >>> addupdate(ref, jnp.array([0, 0, 2]), jnp.ones(3))
    >>> ref
    Ref([2., 0., 1.], dtype=float32)
    """
    aval = _reference("addupdate", ref)
    index, places = parse_index("addupdate", aval.shape, idx)
    addupdate_p.bind(ref, _array("addupdate", x), *places, index=index)


def _reference(op: str, ref: Any) -> AbstractRef:
    """The type of a reference."""
    aval = aval_of(ref) if is_array_like(ref) else None
    if not isinstance(aval, AbstractRef):
        given = f"an array of type {aval.str_short()}" if aval is not None else f"a {type(ref).__name__}"
        raise ValueError(f"{op}: {given} was given, but a reference is needed; make one with new_ref")
    return aval


def _array(op: str, x: Any) -> Any:
    if not is_array_like(x):
        raise TypeError(
            f"{op}: a {type(x).__name__} was given as the value, but an array or a number is needed; convert it "
            "with jnp.asarray"
        )
    if is_ref(aval_of(x)):
        raise ValueError(
            f"{op}: a reference of type {aval_of(x).str_short()} was given as the value, but an array is needed; "
            "read it first, with ref[...]"
        )
    return x


_KINDS = (np.integer, np.floating, np.complexfloating)


def _value(op: str, ref: AbstractRef, x: Any) -> Any:
    """A value to be written; Python numbers, and what else is weakly typed, take the dtype of the reference."""
    aval = aval_of(_array(op, x))
    if aval.weak_type and any(
        dtypes.issubdtype(aval.dtype, kind) and dtypes.issubdtype(ref.dtype, kind) for kind in _KINDS
    ):
        return convert_element_type(x, ref.dtype)
    return x


def _addupdate(self: Ref, x: Any, idx: Any = ()) -> None:
    """Add ``x`` to the elements that ``idx`` names, by default to all of them."""
    addupdate(self, idx, x)


def _traced_addupdate(self: Tracer, x: Any, idx: Any = ()) -> None:
    """Add ``x`` to the elements of a traced reference that ``idx`` names, by default to all of them."""
    if not is_ref(self.aval):
        raise AttributeError(f"a {type(self).__name__} has no attribute 'addupdate'; only references have")
    addupdate(self, idx, x)


Tracer.addupdate = _traced_addupdate  # type: ignore[attr-defined]
Ref.__getitem__ = get  # type: ignore[attr-defined]
Ref.__setitem__ = set  # type: ignore[attr-defined]
Ref.addupdate = _addupdate  # type: ignore[attr-defined]
