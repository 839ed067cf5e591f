"""Mutable arrays: reading references, writing to them, and adding to them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from jaxlab.core.aval import ShapedArray, UndefinedPrimal, Zero, aval_of
from jaxlab.core.effects import ACCUMULATE, READ, WRITE
from jaxlab.core.primitive import Example
from jaxlab.core.refs import AbstractRef, is_ref
from jaxlab.core.trace import current, is_tracer
from jaxlab.primitives import reference_index
from jaxlab.primitives.broadcasting import broadcast_axis, instantiate, zeros_like_aval
from jaxlab.primitives.conversion import convert_element_type
from jaxlab.primitives.reference_index import (
    POINT,
    WHOLE,
    Index,
    Span,
    batched_index,
    index_text,
    indexed_shape,
)
from jaxlab.primitives.references import NO_GRAD, StatePrimitive, new_ref_p
from jaxlab.primitives.reshaping import F32, I32, move_axis, transpose
from jaxlab.runtime.references import Ref


class CotangentRef(UndefinedPrimal):
    """Stands for a linear reference in a transpose rule: where its cotangent is collected.

    ``ref`` is the reference that holds the cotangent, None as long as that is zero.
    """

    __slots__ = ("ref",)

    def __init__(self, aval: ShapedArray, ref: Any = None) -> None:
        self.aval = aval
        self.ref = ref

    def made(self) -> Any:
        """The reference, made with zeros if there is none yet."""
        if self.ref is None:
            self.start(zeros_like_aval(self.inner))
        return self.ref

    def start(self, ct: Any) -> None:
        """Make the reference, with a first value."""
        self.ref = new_ref_p.bind(ct, kind=None, memory_space=None, linear=False)

    def collect(self, ct: Any, index: Index = WHOLE, places: Sequence[Any] = ()) -> None:
        """Add a cotangent of the elements that an index names."""
        if index == WHOLE and self.ref is None:
            self.start(ct)
        else:
            addupdate_p.bind(self.made(), ct, *places, index=index)

    @property
    def inner(self) -> ShapedArray:
        """The type of the cotangent."""
        assert isinstance(self.aval, AbstractRef)
        return self.aval.inner_aval.strip_weak_type()


class Get(StatePrimitive):
    """The elements of a reference that an index names."""

    name = "get"
    linear_in = (0,)
    effect = frozenset((READ,))

    def bind(self, *args: Any, **params: Any) -> Any:
        """Apply it; at once all of a reference is read without a program."""
        if params["index"] == WHOLE and type(args[0]) is Ref and current.trace.parent is None:
            return args[0].value()
        return super().bind(*args, **params)

    def notation(self, eqn: Any, results: Sequence[str], operands: Sequence[str]) -> str:
        return f"{results[0]} <- {_place(eqn, operands[0], operands[1:])}"

    def abstract_eval(self, ref: Any, *places: Any, index: Index) -> ShapedArray:
        aval = ref.inner_aval
        return ShapedArray(indexed_shape(aval.shape, index, places), aval.dtype, aval.weak_type)

    def discharge(self, value: Any, *args: Any, index: Index, **params: Any) -> tuple[Any, Any]:
        return value, reference_index.read(value, index, args)

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any], *, index: Index) -> tuple[Any, Any]:
        out = self.bind(*primals, index=index)
        if type(tangents[0]) is Zero:
            return out, Zero(aval_of(out).to_tangent_aval())
        return out, self.bind(tangents[0], *primals[1:], index=index)

    def transpose(self, ct: Any, ref: Any, *places: Any, index: Index) -> Sequence[Any]:
        if type(ct) is not Zero:
            ref.collect(ct, index, places)
        return [None] * (1 + len(places))

    def batch(
        self, size: int, args: Sequence[Any], dims: Sequence[int | None], *, index: Index
    ) -> tuple[Any, int | None]:
        ref, *places = args
        if index == WHOLE:
            return self.bind(ref, index=index), dims[0]
        new, operands, order = batched_index(index, dims[0], places, dims[1:], size)
        out = self.bind(ref, *operands, index=new)
        if order[1:] == sorted(order[1:]):  # the other axes are in their places
            return out, order[0]
        return transpose(out, order), 0

    def reference(self, value: Any, *places: Any, index: Index) -> Any:
        return value, value[numpy_index(index, places)]

    def examples(self) -> Iterable[Example]:
        for ref, index, places in example_indices():
            yield Example((AbstractRef(ref), *places), {"index": index})


class Swap(StatePrimitive):
    """A value put in where an index names elements, in exchange for those."""

    name = "swap"
    linear_in = (0, 1)
    effect = frozenset((READ, WRITE))
    unconditional = True

    def bind(self, *args: Any, **params: Any) -> Any:
        """Apply it; at once all of a reference is exchanged without a program."""
        ref, value = args[:2]
        at_once = type(ref) is Ref and current.trace.parent is None and not is_tracer(value)
        if params["index"] == WHOLE and at_once:
            self.abstract_eval(ref.aval, aval_of(value), index=WHOLE)
            return ref.exchange(value)
        return super().bind(*args, **params)

    def notation(self, eqn: Any, results: Sequence[str], operands: Sequence[str]) -> str:
        place = _place(eqn, operands[0], operands[2:])
        if results[0].startswith("_:"):
            return f"{place} <- {operands[1]}"
        return f"{results[0]}, {place} <- {place}, {operands[1]}"

    def abstract_eval(self, ref: Any, value: Any, *places: Any, index: Index) -> ShapedArray:
        aval = ref.inner_aval
        shape = indexed_shape(aval.shape, index, places)
        _check_value("swap", ref, value, shape)
        return ShapedArray(shape, aval.dtype, aval.weak_type)

    def discharge(self, value: Any, *args: Any, index: Index, **params: Any) -> tuple[Any, Any]:
        given, *places = args
        old = reference_index.read(value, index, places)
        new = reference_index.write(value, index, places, given)
        return new, old

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any], *, index: Index) -> tuple[Any, Any]:
        ref_dot, t, *_ = tangents
        _check_tangents("a set or swap", primals[0], ref_dot, t)
        out = self.bind(*primals, index=index)
        if type(ref_dot) is Zero:
            return out, Zero(aval_of(out).to_tangent_aval())
        return out, self.bind(ref_dot, instantiate(t), *primals[2:], index=index)

    def transpose(self, ct: Any, ref: Any, value: Any, *places: Any, index: Index) -> Sequence[Any]:
        none: list[Any] = [None] * len(places)
        if ref.ref is None and type(ct) is Zero:
            return [None, None, *none]
        aval = value.aval if isinstance(value, UndefinedPrimal) else aval_of(value)
        zeros = zeros_like_aval(aval.strip_weak_type())
        found = self.bind(ref.made(), zeros, *places, index=index)
        if type(ct) is not Zero:
            ref.collect(ct, index, places)
        return [None, found, *none]

    def batch(
        self, size: int, args: Sequence[Any], dims: Sequence[int | None], *, index: Index
    ) -> tuple[Any, int | None]:
        _check_mapped("a set or swap", args[0], dims[0])
        ref, value, *places = args
        ref_dim, dim, *place_dims = dims
        assert ref_dim is not None
        rank = len(aval_of(ref).shape)
        new, operands, order = _batched(index, ref_dim, places, place_dims, size, rank)
        value = broadcast_axis(value, size, 0) if dim is None else move_axis(value, dim, 0)
        out = self.bind(ref, _arranged(value, order), *operands, index=new)
        if order[1:] == sorted(order[1:]):
            return out, order[0]
        return transpose(out, order), 0

    def reference(self, value: Any, given: Any, *places: Any, index: Index) -> Any:  # type: ignore[override]
        at = numpy_index(index, places)
        new = np.array(value)
        new[at] = given
        return new, value[at]

    def examples(self) -> Iterable[Example]:
        for ref, index, places in example_indices():
            given = ShapedArray(indexed_shape(ref.shape, index, places), ref.dtype)
            yield Example((AbstractRef(ref), given, *places), {"index": index})


class Put(StatePrimitive):
    """A value put in at once: as `Swap`, but nothing is read, so that the array need not be copied.

    Not registered: programs that are recorded have `Swap`, whose result nobody reads.
    """

    name = "put"
    multiple_results = True
    effect = frozenset((WRITE,))

    def __init__(self) -> None:
        pass

    def abstract_eval(self, ref: Any, value: Any, *places: Any, index: Index) -> list[ShapedArray]:
        swap_p.abstract_eval(ref, value, *places, index=index)
        return []

    def discharge(self, value: Any, *args: Any, index: Index, **params: Any) -> tuple[Any, Any]:
        given, *places = args
        return reference_index.write(value, index, places, given), []


def put(ref: Any, value: Any, places: Sequence[Any], index: Index) -> None:
    """Put a value in where an index names elements."""
    at_once = type(ref) is Ref and current.trace.parent is None and not any(map(is_tracer, (value, *places)))
    (put_p if at_once and index != WHOLE else swap_p).bind(ref, value, *places, index=index)


class AddUpdate(StatePrimitive):
    """A value added to the elements of a reference that an index names."""

    name = "addupdate"
    linear_in = (0, 1)
    multiple_results = True
    effect = frozenset((READ, ACCUMULATE))
    unconditional = True

    def notation(self, eqn: Any, results: Sequence[str], operands: Sequence[str]) -> str:
        return f"{_place(eqn, operands[0], operands[2:])} += {operands[1]}"

    def abstract_eval(self, ref: Any, value: Any, *places: Any, index: Index) -> list[ShapedArray]:
        _check_value("addupdate", ref, value, indexed_shape(ref.inner_aval.shape, index, places))
        return []

    def discharge(self, value: Any, *args: Any, index: Index, **params: Any) -> tuple[Any, Any]:
        given, *places = args
        return reference_index.accumulate(
            value, index, places, convert_element_type(given, aval_of(value).dtype)
        ), []

    def jvp(
        self, primals: Sequence[Any], tangents: Sequence[Any], *, index: Index
    ) -> tuple[list[Any], list[Any]]:
        ref_dot, t, *_ = tangents
        _check_tangents("an addupdate", primals[0], ref_dot, t)
        self.bind(*primals, index=index)
        if type(ref_dot) is not Zero and type(t) is not Zero:
            self.bind(ref_dot, t, *primals[2:], index=index)
        return [], []

    def transpose(self, ct: Any, ref: Any, value: Any, *places: Any, index: Index) -> Sequence[Any]:
        none: list[Any] = [None] * len(places)
        if ref.ref is None or not isinstance(value, UndefinedPrimal):
            return [None, None, *none]
        return [None, get_p.bind(ref.ref, *places, index=index), *none]

    def batch(
        self, size: int, args: Sequence[Any], dims: Sequence[int | None], *, index: Index
    ) -> tuple[list[Any], list[int | None]]:
        _check_mapped("an addupdate", args[0], dims[0])
        ref, value, *places = args
        ref_dim, dim, *place_dims = dims
        assert ref_dim is not None
        rank = len(aval_of(ref).shape)
        new, operands, order = _batched(index, ref_dim, places, place_dims, size, rank)
        value = broadcast_axis(value, size, 0) if dim is None else move_axis(value, dim, 0)
        return self.bind(ref, _arranged(value, order), *operands, index=new), []

    def reference(self, value: Any, given: Any, *places: Any, index: Index) -> Any:  # type: ignore[override]
        new = np.array(value)
        np.add.at(new, numpy_index(index, places), given)
        return new, []

    def examples(self) -> Iterable[Example]:
        yield from swap_p.examples()
        twice = np.array([1, 1, 2], np.int32)
        args = (AbstractRef(ShapedArray((4,), F32)), ShapedArray((3,), F32), twice)
        yield Example(args, {"index": (POINT,)})


def example_indices() -> Iterable[tuple[ShapedArray, Index, tuple[Any, ...]]]:
    """Arrays, and indices of every kind for them."""
    one, two = np.int32(1), np.int32(-2)
    first, second = np.array([2, 0], np.int32), np.array([[1], [-1], [0]], np.int32)
    m, c = ShapedArray((3, 4), F32), ShapedArray((3, 4, 5), F32)
    yield ShapedArray((), F32), WHOLE, ()
    yield m, WHOLE, ()
    yield m, (POINT, Span(0, 4)), (one,)
    yield m, (Span(1, 2), POINT), (two,)
    yield m, (POINT, POINT), (one, two)
    yield m, (Span(0, 2, 2), Span(1, 2, 2)), ()
    yield m, (POINT, Span(0, 2, 3)), (two,)
    yield m, (POINT, Span(1, 3)), (first,)
    yield m, (Span(0, 3), POINT), (second,)
    yield c, (POINT, Span(1, 2), POINT), (first, np.array([3, 1], np.int32))
    yield c, (Span(0, 2, 2), POINT, POINT), (first, np.array([3, 1], np.int32))
    yield ShapedArray((4,), I32), (POINT,), (one,)


def numpy_index(index: Index, places: Sequence[Any]) -> Any:
    """The index as NumPy takes it."""
    if index == WHOLE:
        return ...
    given = iter(places)
    return tuple(
        slice(entry.start, entry.start + entry.size * entry.step, entry.step)
        if isinstance(entry, Span)
        else next(given)
        for entry in index
    )


def _place(eqn: Any, ref: str, places: Sequence[str]) -> str:
    """The place that an equation is about, as jaxprs show it."""
    return ref + index_text(eqn.params["index"], places, eqn.invars[0].aval.shape)


def _batched(
    index: Index, ref_dim: int, places: Sequence[Any], dims: Sequence[int | None], size: int, rank: int
) -> tuple[Index, list[Any], list[int]]:
    """As `batched_index`, also for the whole of an array of a rank."""
    if index != WHOLE:
        return batched_index(index, ref_dim, places, dims, size)
    others = [i for i in range(rank) if i != ref_dim]
    return WHOLE, [], [ref_dim, *others]


def _arranged(value: Any, order: Sequence[int]) -> Any:
    """A value whose mapped axis is the first, with each axis ``i`` at ``order[i]``."""
    if list(order) == sorted(order):
        return value
    return transpose(value, [order.index(i) for i in range(len(order))])


def _check_value(op: str, ref: Any, value: Any, shape: tuple[int, ...]) -> None:
    if not is_ref(ref):
        raise ValueError(
            f"{op}: a value of type {ref.str_short()} was given, but a reference is needed; make one with new_ref"
        )
    if value.shape != shape:
        raise ValueError(
            f"{op}: a value of shape {value.shape} was given, but the index names elements of shape {shape} in a "
            f"{ref.str_short()}; broadcast the value first"
        )
    if value.dtype != ref.dtype:
        raise ValueError(
            f"{op}: a value of dtype {value.dtype.name} was given, but the reference is a {ref.str_short()}; "
            f"convert the value first"
        )


def _check_tangents(op: str, ref: Any, ref_dot: Any, t: Any) -> None:
    aval = aval_of(ref)
    assert isinstance(aval, AbstractRef)
    if type(ref_dot) is Zero and type(t) is not Zero and aval.kind != NO_GRAD:
        raise Exception(  # the class that JAX raises
            f"{op} writes a value that is being differentiated to a reference of type {aval.str_short()} that is "
            "not; make the reference in the differentiated function, or write stop_gradient(value)"
        )


def _check_mapped(op: str, ref: Any, dim: int | None) -> None:
    if dim is None:
        raise Exception(  # the class that JAX raises
            f"{op} under vmap writes to a reference of type {aval_of(ref).str_short()} that is not mapped; make "
            "the reference an argument of the mapped function, or make it in that function"
        )


get_p = Get()
swap_p = Swap()
put_p = Put()
addupdate_p = AddUpdate()
