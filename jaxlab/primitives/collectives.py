"""Named axes seen from inside: what every collective operation shares, and one's own place along an axis."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from jaxlab.core import axes as named_axes
from jaxlab.core.aval import ShapedArray, aval_of
from jaxlab.core.axes import MappedAxis
from jaxlab.core.primitive import Example, Primitive
from jaxlab.core.trace import current
from jaxlab.primitives.arithmetic import add, mul
from jaxlab.primitives.creation import iota
from jaxlab.primitives.reshaping import I32, Linear

Groups = tuple[tuple[int, ...], ...]


def axis_names(axis_name: Any) -> tuple[Any, ...]:
    """One name, or a tuple or list of them, as a tuple."""
    return tuple(axis_name) if isinstance(axis_name, (tuple, list)) else (axis_name,)


def index_groups(groups: Sequence[Sequence[int]] | None) -> Groups | None:
    """``axis_index_groups`` in a form that can be a parameter."""
    return None if groups is None else tuple([tuple(group) for group in groups])


def group_size(op: str, names: Sequence[Any], groups: Groups | None = None) -> int:
    """How many take part together in a collective."""
    if groups is not None:
        return len(groups[0])
    return math.prod(named_axes.axis_size(name, op) for name in names)


def axis_of(op: str, axis: int, x: Any) -> int:
    """An axis of ``x``, counted from the front; an error that is both a ValueError and an IndexError if none."""
    aval = aval_of(x)
    ndim = len(aval.shape)
    if not -ndim <= axis < ndim:
        raise np.exceptions.AxisError(
            f"{op}: axis {axis} of {aval.str_short()} was given, but that has {ndim} axes; "
            + (f"give an axis from {-ndim} to {ndim - 1}" if ndim else "add one with expand_dims")
        )
    return axis % ndim


class Place(NamedTuple):
    """Where the axis that is mapped here stands among the axes of a collective.

    Attributes:
      axis: the mapped axis.
      major: the names of those before it, in row-major order.
      minor: the names of those behind it.
    """

    axis: MappedAxis
    major: tuple[Any, ...]
    minor: tuple[Any, ...]

    @property
    def others(self) -> tuple[Any, ...]:
        """The names of all others, in order."""
        return (*self.major, *self.minor)


class Collective(Primitive):
    """An operation across named axes: each slice along them gets a result that depends on other slices.

    A transformation that maps an axis does the work: the batch rule of a collective over that axis has all
    slices before it, and writes what they give in operations that know nothing of names. A subclass says how
    in ``across``, and in ``beside`` where the batch dim goes when another axis is mapped.
    """

    axis_aware = True
    function: str = ""  # the name that users know, where it is not that of the primitive

    def names(self, params: dict[str, Any]) -> tuple[Any, ...]:
        """The named axes that the operation works across."""
        return axis_names(params["axis_name"])

    @property
    def called(self) -> str:
        """What the user has called."""
        return self.function or self.name

    def bind(self, *args: Any, **params: Any) -> Any:
        """Apply it; NameError if an axis has no such name."""
        if current.trace.parent is None:
            self.alone(params)  # compiled programs are known by their parameters, which have no sizes
        else:
            for name in self.names(params):
                named_axes.axis_size(name, self.called)
        return super().bind(*args, **params)

    def alone(self, params: dict[str, Any]) -> None:
        """Check that each axis has one slice only, as it must where a program is compiled for one device."""
        for name in self.names(params):
            size = named_axes.axis_size(name, self.called)
            if size != 1:
                raise NotImplementedError(
                    f"{self.called}: axis {name!r} has size {size} where the program is compiled, but a program "
                    "for one device has one slice of each axis; map the axis inside of what is compiled, as in "
                    f"jit(vmap(f, axis_name={name!r}))"
                )

    def lower(self, ctx: Any, x: Any, **params: Any) -> Any:
        """What the operation is on the only slice: at most a change of shape."""
        self.alone(params)
        return ctx.b.value("stablehlo.reshape", ctx.b.type(ctx.aval_out), x)

    def batch(  # type: ignore[override]
        self, axis: MappedAxis, args: Sequence[Any], dims: Sequence[int | None], **params: Any
    ) -> tuple[Any, int | None]:
        (x,), (d,) = args, dims
        names = self.names(params)
        if axis.name is None or axis.name not in names:
            return (self.bind(x, **params), None) if d is None else self.beside(x, d, **params)
        if params.get("axis_index_groups") is not None:
            raise NotImplementedError(
                f"{self.called}: axis_index_groups were given for axis {axis.name!r}, but vmap maps that axis as "
                "a whole; reshape it into two axes, and map each with a name of its own"
            )
        i = names.index(axis.name)
        return self.across(Place(axis, names[:i], names[i + 1 :]), x, d, **params)

    def beside(self, x: Any, d: int, **params: Any) -> tuple[Any, int]:
        """The result where an axis is mapped that the operation does not work across, and its batch dim."""
        raise NotImplementedError(f"primitive {self.name} cannot be batched over other axes")

    def across(self, place: Place, x: Any, d: int | None, **params: Any) -> tuple[Any, int | None]:
        """The result where one of its axes is mapped, and where that went."""
        raise NotImplementedError(f"primitive {self.name} cannot be batched")


class Forwarding(Collective, Linear):
    """A collective whose results are slices of its operand, as they are."""

    def abstract_eval(self, x: Any, **params: Any) -> ShapedArray:
        return ShapedArray(x.shape, x.dtype, x.weak_type)

    def beside(self, x: Any, d: int, **params: Any) -> tuple[Any, int]:
        return self.bind(x, **params), d


def check_parts(
    op: str, what: str, size: int, x: ShapedArray, count: int, axis_name: Any, tiled: bool, verb: str
) -> None:
    """ValueError unless ``what``, an axis of ``x`` of this size, can be given out to ``count`` slices."""
    if size % count if tiled else size != count:
        wanted = "must be divisible by" if tiled else "must be"
        raise ValueError(
            f"{op}: {what} of {x.str_short()} has size {size}, but it {wanted} {count}, the number of slices along "
            f"{', '.join(map(repr, axis_names(axis_name)))}; "
            + ("pad it" if tiled else f"{verb} another axis, or parts of this one with tiled=True")
        )


def each_slice(
    x: np.ndarray | None, names: Sequence[Any], result: Callable[[list[Any], int], Any]
) -> np.ndarray:
    """A collective slice by slice, for references: ``result`` gets all members' values and one's own place.

    The leading axes of ``x`` are the named axes in scope, outermost first.
    """
    bound = [name for name, _ in current.axes]
    sizes = [size for _, size in current.axes]
    places = [bound.index(name) for name in names]
    shape = [sizes[p] for p in places]
    results = []
    for point in np.ndindex(*sizes):
        members = []
        for other in np.ndindex(*shape):
            where = list(point)
            for p, i in zip(places, other, strict=True):
                where[p] = i
            members.append(None if x is None else x[tuple(where)])
        results.append(
            np.asarray(result(members, int(np.ravel_multi_index([point[p] for p in places], shape))))
        )
    return np.stack(results).reshape((*sizes, *results[0].shape))


# -- places along an axis -----------------------------------------------------------------------------------


def axis_index(axis_name: Any) -> Any:
    """One's own place along a named axis, counted from 0, as an int32 scalar.

    Args:
      axis_name: a name, or a tuple of names: then the place among all in row-major order.

    Raises:
      NameError: if there is no axis of that name.

    >>> vmap(lambda x: axis_index("i") * x, axis_name="i")(np.array([5, 5, 5]))
    Array([ 0,  5, 10], dtype=int32)
    """
    if not isinstance(axis_name, (tuple, list)):
        return axis_index_p.bind(axis_name=axis_name)
    index: Any = np.int32(0)
    stride = 1
    for name in reversed(axis_name):
        index = add(index, mul(axis_index(name), np.int32(stride)))
        stride *= axis_size(name)
    return index


def axis_size(axis_name: Any) -> int:
    """The size of a named axis, a Python int; of a tuple of names the product of theirs.

    Raises:
      NameError: if there is no axis of that name.

    >>> vmap(lambda x: x / axis_size("i"), axis_name="i")(np.array([4.0, 8.0], np.float32))
    Array([2., 4.], dtype=float32)
    """
    return group_size("axis_size", axis_names(axis_name))


class AxisIndex(Collective):
    name = "axis_index"

    def abstract_eval(self, *, axis_name: Any) -> ShapedArray:
        return ShapedArray((), I32)

    def lower(self, ctx: Any, *, axis_name: Any) -> Any:  # type: ignore[override]
        self.alone({"axis_name": axis_name})
        return ctx.b.constant(0, I32)

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any], **params: Any) -> tuple[Any, Any]:
        raise AssertionError("axis_index has no operand, so it has no tangent either")

    def batch(  # type: ignore[override]
        self, axis: MappedAxis, args: Sequence[Any], dims: Sequence[int | None], *, axis_name: Any
    ) -> tuple[Any, int | None]:
        if axis.name is None or axis.name != axis_name:
            return self.bind(axis_name=axis_name), None
        return iota(I32, axis.size), 0

    def reference(self, *, axis_name: Any) -> Any:
        return each_slice(None, (axis_name,), lambda members, own: np.int32(own))

    def examples(self) -> Iterable[Example]:
        yield Example((), {"axis_name": "i"}, axes=(("i", 3),))
        yield Example((), {"axis_name": "i"}, axes=(("i", 3), ("j", 2)))
        yield Example((), {"axis_name": "j"}, axes=(("i", 3), ("j", 2)))


axis_index_p = AxisIndex()


# -- casts of a mesh's types --------------------------------------------------------------------------------


def pcast(x: Any, axis_name: Any, *, to: str) -> Any:
    """``x``, declared to vary along a named axis.

    On the axes that vmap maps every value may vary, so there the result is ``x`` itself.

    Args:
      to: ``"varying"``.

    Raises:
      ValueError: for ``"reduced"`` and ``"unreduced"``, which only an axis of a device mesh knows.
      NameError: if there is no axis of that name.

    >>> vmap(lambda x: pcast(x + 1, "i", to="varying"), axis_name="i")(np.array([0, 1]))
    Array([1, 2], dtype=int32)
    """
    if isinstance(axis_name, (set, frozenset)):
        raise TypeError(
            f"pcast: axis_name is the set {axis_name!r}, but a name or a tuple of names is needed"
        )
    group_size("pcast", axis_names(axis_name))
    if to != "varying":
        raise ValueError(
            f"pcast: to is {to!r}, but a value mapped over {axis_name!r} can only be 'varying'; the other kinds "
            "belong to the axes of a device mesh"
        )
    return x
