"""``vmap``: a function of one example becomes a function of a stack of them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from jaxlab import tree
from jaxlab.core.aval import aval_of
from jaxlab.core.axes import MappedAxis
from jaxlab.interpreters.batching import batch_flat, move_to
from jaxlab.interpreters.functions import FlatFunction, argument_paths, function_name


def vmap(
    fun: Callable[..., Any],
    in_axes: int | Sequence[Any] | Any | None = 0,
    out_axes: Any = 0,
    axis_name: Any = None,
    axis_size: int | None = None,
    spmd_axis_name: Any = None,
) -> Callable[..., Any]:
    """``fun`` mapped over an axis of its arguments, as one vectorised computation.

    Args:
      fun: a function of pytrees of arrays.
      in_axes: for each positional argument the axis to map over, or None to use the argument whole; an int
        stands for all, and a pytree prefix of an argument is allowed. Keyword arguments are mapped over
        their leading axis.
      out_axes: where the mapped axis goes in the results (a pytree prefix of them); None for results that do
        not depend on mapped arguments.
      axis_name: a name for the axis, for collectives.
      axis_size: the size of the axis, needed only where nothing is mapped.

    Raises:
      ValueError: if the mapped axes differ in size, or ``in_axes`` or ``out_axes`` do not fit.

    >>> vmap(lambda x, y: x * y, in_axes=(0, None))(jnp.arange(3.0), 2.0)
    Array([0., 2., 4.], dtype=float32)
    """
    if not callable(fun):
        raise TypeError(
            f"vmap: expected a function, but got a {type(fun).__name__}; pass the function, not its result"
        )
    axes = tuple(in_axes) if isinstance(in_axes, list) else in_axes
    if not all(x is None or type(x) is int for x in tree.leaves(axes)):
        raise TypeError(
            f"vmap: in_axes must be an int, None, or a tuple of pytrees of those, but got {in_axes!r}"
        )

    @functools.wraps(fun, updated=())
    def mapped(*args: Any, **kwargs: Any) -> Any:
        name = function_name(fun)
        if isinstance(axes, tuple) and len(axes) != len(args):
            raise ValueError(
                f"vmap: in_axes {in_axes!r} has {len(axes)} entries, but {name} was called with {len(args)} "
                "positional arguments"
            )
        leaves, in_tree = tree.flatten((args, kwargs))
        dims = _flat_axes("in_axes", (axes if axes is not None else None, 0), (args, kwargs))
        size = _axis_size(fun, args, kwargs, leaves, dims, axis_size)
        dims = [d if d is None else d % aval_of(x).ndim for x, d in zip(leaves, dims, strict=True)]
        flat = FlatFunction(fun, in_tree)
        axis = MappedAxis(size, axis_name, spmd_axis_name)
        outputs, out_dims = batch_flat(flat, axis, leaves, dims)
        result = tree.unflatten(flat.out_tree, outputs)
        wanted = _flat_axes("out_axes", out_axes, result)
        placed = []
        for i, (x, d, w) in enumerate(zip(outputs, out_dims, wanted, strict=True)):
            if w is None:
                if d is not None:
                    path = tree.keystr(tree.leaves_with_path(result)[i][0])
                    raise ValueError(
                        f"vmap: out_axes is None for the result{path} of {name}, but it depends on a mapped "
                        "argument; give the axis at which to stack it"
                    )
                placed.append(x)
                continue
            ndim = aval_of(x).ndim + (d is None)
            if not -ndim <= w < ndim:
                raise ValueError(
                    f"vmap: out_axes {w} is out of bounds for a result of {name} with {ndim} axes"
                )
            placed.append(move_to(x, d, w % ndim, size))
        return tree.unflatten(flat.out_tree, placed)

    return mapped


def _flat_axes(what: str, axes: Any, full: Any) -> list[int | None]:
    """An axis, or None, for each leaf of ``full``, from a prefix of it."""
    try:
        return list(tree.broadcast_prefix(axes, full, is_leaf=lambda x: x is None))
    except ValueError as error:
        raise ValueError(f"vmap: {what} does not fit: {error}") from None


def _axis_size(
    fun: Any,
    args: Sequence[Any],
    kwargs: dict[str, Any],
    leaves: Sequence[Any],
    dims: Sequence[int | None],
    given: int | None,
) -> int:
    sizes = []
    for i, (x, d) in enumerate(zip(leaves, dims, strict=True)):
        if d is None:
            continue
        shape = aval_of(x).shape
        if not -len(shape) <= d < len(shape):
            raise ValueError(
                f"vmap: in_axes asks to map axis {d} of {argument_paths(fun, args, kwargs)[i]}, but it is "
                f"{aval_of(x).str_short()} with {len(shape)} axes"
            )
        sizes.append((i, shape[d]))
    if not sizes:
        if given is None:
            raise ValueError(
                "vmap: nothing is mapped; give in_axes at least one axis that is not None, or axis_size"
            )
        return given
    first = sizes[0][1] if given is None else given
    for i, size in sizes:
        if size != first:
            paths = argument_paths(fun, args, kwargs)
            other = "axis_size" if given is not None else paths[sizes[0][0]]
            raise ValueError(
                f"vmap: the mapped axes have different sizes: {first} for {other}, but {size} for "
                f"{paths[i]}; map axes of one size, or set in_axes to None for what is shared"
            )
    return first
