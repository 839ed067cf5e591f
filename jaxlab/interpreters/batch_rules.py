"""Batch rules given to primitives one by one, as ``jax.interpreters.batching`` does; taken from `batching`.

Dims are positions of mapped axes, None where there is none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from jaxlab.core.aval import aval_of
from jaxlab.core.axes import MappedAxis
from jaxlab.core.primitive import Primitive
from jaxlab.core.rule_tables import RuleTable
from jaxlab.primitives.broadcasting import broadcast_axis, move_axis
from jaxlab.primitives.reshaping import drop_axes, reshape

Rule = Callable[..., Any]


class _Batchers(RuleTable):
    """As its base, for rules that are told of the axis: then its name matters where no argument is mapped."""

    def __setitem__(self, primitive: Primitive, rule: Rule) -> None:
        super().__setitem__(primitive, rule)
        primitive.axis_aware = True


def _size(args: Sequence[Any], dims: Sequence[int | None]) -> int:
    return next(aval_of(x).shape[d] for x, d in zip(args, dims, strict=True) if d is not None)


def _plain_method(rule: Rule) -> Rule:
    return lambda size, args, dims, **params: rule(args, dims, **params)


def _plain_rule(primitive: Primitive) -> Rule:
    def rule(args: Sequence[Any], dims: Sequence[int | None], **params: Any) -> tuple[Any, Any]:
        return _axis_rule(primitive)(MappedAxis(_size(args, dims)), args, dims, **params)

    return rule


def _axis_rule(primitive: Primitive) -> Rule:
    def rule(
        axis: MappedAxis, args: Sequence[Any], dims: Sequence[int | None], **params: Any
    ) -> tuple[Any, Any]:
        told: Any = axis if primitive.axis_aware else axis.size
        return primitive.batch(told, args, dims, **params)

    return rule


def _method_of_named(rule: Rule) -> Rule:
    return lambda axis, args, dims, **params: rule(axis.size, axis.name, None, args, dims, **params)


def _named_rule(primitive: Primitive) -> Rule:
    def rule(
        size: int, name: Any, kind: Any, args: Sequence[Any], dims: Sequence[int | None], **params: Any
    ) -> tuple[Any, Any]:
        return _axis_rule(primitive)(MappedAxis(size, name), args, dims, **params)

    return rule


# rule(args, dims, **params); rule(axis, args, dims, **params) with its size and name; and the older
# rule(size, name, None, args, dims, **params). Each returns the results and their dims.
primitive_batchers = RuleTable("batch", _plain_method, _plain_rule)
fancy_primitive_batchers = _Batchers(
    "batch", lambda rule: lambda *args, **params: rule(*args, **params), _axis_rule
)
axis_primitive_batchers = _Batchers("batch", _method_of_named, _named_rule)


def broadcast(x: Any, sz: int, axis: int, mesh_axis: Any) -> Any:
    """``x`` repeated ``sz`` times along a new ``axis``; ``mesh_axis`` is None on one device."""
    return broadcast_axis(x, sz, axis)


def bdim_at_front(x: Any, bdim: int | None, size: int, mesh_axis: Any = None) -> Any:
    """``x`` with its mapped axis in front, repeated ``size`` times where it has none.

    >>> bdim_at_front(jnp.ones((3, 2)), 1, 2).shape
    (2, 3)
    """
    return broadcast_axis(x, size, 0) if bdim is None else move_axis(x, bdim, 0)


def _everywhere(primitive: Primitive, out: Any, dim: int) -> tuple[Any, Any]:
    return (out, [dim] * len(out)) if primitive.multiple_results else (out, dim)


def defvectorized(prim: Primitive) -> None:
    """Say that ``prim`` works elementwise on operands of one shape: the mapped axis is one more axis.

    >>> cube_p = jaxlab.extend.core.Primitive("cube")
    >>> _ = cube_p.def_impl(lambda x: x * x * x)
    >>> _ = cube_p.def_abstract_eval(lambda x: x)
    >>> jaxlab.interpreters.batching.defvectorized(cube_p)
    >>> vmap(cube_p.bind)(jnp.arange(3.0))
    Array([0., 1., 8.], dtype=float32)
    """

    def batch(size: int, args: Sequence[Any], dims: Sequence[int | None], **params: Any) -> tuple[Any, Any]:
        if len(set(dims)) > 1:
            first = next(d for d in dims if d is not None)
            args = [
                broadcast_axis(x, size, first) if d is None else x if d == first else move_axis(x, d, first)
                for x, d in zip(args, dims, strict=True)
            ]
            return _everywhere(prim, prim.bind(*args, **params), first)
        (dim,) = set(dims)
        assert dim is not None
        return _everywhere(prim, prim.bind(*args, **params), dim)

    vars(prim)["batch"] = batch


def defbroadcasting(prim: Primitive) -> None:
    """Say that ``prim`` works elementwise and broadcasts its operands itself, as NumPy does."""

    def batch(size: int, args: Sequence[Any], dims: Sequence[int | None], **params: Any) -> tuple[Any, Any]:
        # Unmapped operands need no copies, since an axis of size 1 broadcasts; inner axes line up at the end.
        rank = max(aval_of(x).ndim - (d is not None) for x, d in zip(args, dims, strict=True))
        lined_up = []
        for x, d in zip(args, dims, strict=True):
            x = x if d is None else move_axis(x, d, 0)
            shape = aval_of(x).shape
            head, tail = (1, shape) if d is None else (shape[0], shape[1:])
            lined_up.append(reshape(x, (head, *(1,) * (rank - len(tail)), *tail)))
        return _everywhere(prim, prim.bind(*lined_up, **params), 0)

    vars(prim)["batch"] = batch


def defreducer(prim: Primitive) -> None:
    """Say that ``prim`` reduces its operand over the axes that its parameter ``axes`` lists."""

    def batch(
        size: int, args: Sequence[Any], dims: Sequence[int | None], *, axes: Sequence[int], **params: Any
    ) -> tuple[Any, Any]:
        (x,), (dim,) = args, dims
        assert dim is not None
        moved = tuple(axis + (axis >= dim) for axis in axes)
        left = drop_axes(range(aval_of(x).ndim), moved)
        return prim.bind(x, axes=moved, **params), left.index(dim)

    vars(prim)["batch"] = batch
