"""``vmap``: a function of one example becomes a function of a stack of them."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Sequence
from typing import Any

from jaxlab import tree
from jaxlab.core.aval import aval_of, is_array_like
from jaxlab.core.axes import MappedAxis
from jaxlab.core.trace import Tracer
from jaxlab.interpreters.batching import batch_flat, move_to
from jaxlab.interpreters.functions import FlatFunction, argument_paths, function_name
from jaxlab.primitives.broadcasting import reduce_sum


def vmap(
    fun: Callable[..., Any],
    in_axes: int | Sequence[Any] | Any | None = 0,
    out_axes: Any = 0,
    axis_name: Any = None,
    axis_size: int | None = None,
    spmd_axis_name: Any = None,
    sum_match: bool = False,
) -> Callable[..., Any]:
    """``fun`` mapped over an axis of its arguments, as one vectorised computation.

    Args:
      fun: a function of pytrees of arrays.
      in_axes: for each positional argument the axis to map over, or None to hand the argument on whole; an int
        or None stands for all. An entry may be a pytree prefix of its argument: ``({"w": 0, "b": None},)``.
        Negative axes count from the end. Keyword arguments are mapped over their leading axis.
      out_axes: where the mapped axis goes in the results (a pytree prefix of them). What does not depend on a
        mapped argument is repeated along it; with None it is returned once.
      axis_name: a name for the axis, for collectives such as `lax.psum` in ``fun``.
      axis_size: the size of the axis, needed only where nothing is mapped.
      spmd_axis_name: the mesh axis, or axes, over which the slices are spread where the mapped function is
        compiled for several devices.
      sum_match: where ``out_axes`` is None, sum what depends on mapped arguments over the axis.

    Returns:
      A function of the arguments of ``fun``, each with one axis more where it is mapped.

    Raises:
      TypeError: if ``in_axes`` or ``out_axes`` hold something other than ints and None, or something that is
        no array is mapped or returned.
      ValueError: if the mapped axes differ in size, or ``in_axes`` or ``out_axes`` do not fit.

    >>> vmap(lambda x, y: x * y, in_axes=(0, None))(jnp.arange(3.0), 2.0)
    Array([0., 2., 4.], dtype=float32)
    >>> vmap(lambda p, x: p["w"] @ x + p["b"], ({"w": 0, "b": None}, None))(
    ...     {"w": jnp.ones((2, 3)), "b": 1.0}, jnp.ones(3))
    Array([4., 4.], dtype=float32)
    """
    if not callable(fun):
        raise TypeError(
            f"vmap: expected a function, but got a {type(fun).__name__}; pass the function, not its result"
        )
    axes = tuple(in_axes) if isinstance(in_axes, list) else in_axes
    if not (axes is None or type(axes) in (int, tuple)) or not _only_axes(axes):
        raise TypeError(
            f"vmap: in_axes is {in_axes!r}, but an int, None, or a tuple of those or of pytrees of those is needed; "
            "give one entry for each positional argument"
        )
    if not _only_axes(out_axes):
        raise TypeError(
            f"vmap: out_axes is {out_axes!r}, but an int, None, or a pytree of those is needed; give a prefix of the "
            "result"
        )
    _check_name(axis_name)
    spmd = (spmd_axis_name,) if not isinstance(spmd_axis_name, (tuple, type(None))) else spmd_axis_name

    name = function_name(fun)

    @functools.wraps(fun, updated=())
    def mapped(*args: Any, **kwargs: Any) -> Any:
        leaves, in_tree = tree.flatten((args, kwargs))
        if type(axes) is int and not kwargs:
            dims: list[int | None] = [axes] * len(leaves)
        else:
            dims = _argument_axes(fun, axes, args, kwargs)
        size, dims = _measure(fun, args, kwargs, leaves, dims, axis_size)
        flat = FlatFunction(fun, in_tree)
        outputs, out_dims = batch_flat(flat, MappedAxis(size, axis_name, spmd), leaves, dims)
        out_tree = flat.out_tree
        if type(out_axes) is int:
            wanted: list[int | None] = [out_axes] * len(outputs)
        else:
            what = f"vmap: out_axes for the result of {name}"
            wanted = tree.broadcast_prefix(out_axes, tree.unflatten(out_tree, outputs), _is_none, what=what)
        placed = []
        for i, (x, d, w) in enumerate(zip(outputs, out_dims, wanted, strict=True)):
            if not isinstance(x, Tracer) and not is_array_like(x) and not hasattr(x, "__jax_array__"):
                raise TypeError(
                    f"vmap: {_result(fun, out_tree, i)} is a {type(x).__name__}, but only arrays and numbers can be "
                    "returned; return it from outside of the mapped function"
                )
            if w is None:
                if d is not None and not sum_match:
                    raise ValueError(
                        f"vmap: out_axes is None for {_result(fun, out_tree, i)}, but it depends on a mapped "
                        "argument; give the axis at which to stack it"
                    )
                placed.append(x if d is None else reduce_sum(x, (d,)))
                continue
            ndim = len(aval_of(x).shape) + (d is None)
            if not -ndim <= w < ndim:
                raise ValueError(
                    f"vmap: out_axes is {w} for {_result(fun, out_tree, i)}, but that has {ndim} axes when it is "
                    f"stacked; give an axis from {-ndim} to {ndim - 1}"
                )
            placed.append(move_to(x, d, w % ndim, size))
        return tree.unflatten(out_tree, placed)

    own = f"\n\nOf ``{name}`` itself:\n\n{fun.__doc__}" if fun.__doc__ else ""
    mapped.__doc__ = f"``{name}`` mapped over one more axis of its arguments, by `vmap`.{own}"
    return mapped


def _is_none(x: Any) -> bool:
    return x is None


def _only_axes(axes: Any) -> bool:
    return all(type(x) is int for x in tree.leaves(axes))


def _check_name(axis_name: Any) -> None:
    try:
        hash(axis_name)
    except TypeError as error:
        raise TypeError(
            f"vmap: axis_name is {axis_name!r}, but a hashable value is needed; use a string"
        ) from error


def _argument_axes(fun: Any, axes: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[int | None]:
    """An axis, or None, for each leaf of ``(args, kwargs)``."""
    if not isinstance(axes, tuple):
        axes = (axes,) * len(args)
    elif len(axes) != len(args):
        raise ValueError(
            f"vmap: in_axes {axes!r} has {len(axes)} entries, but {function_name(fun)} was called with {len(args)} "
            "positional arguments; give one entry for each"
        )
    dims: list[int | None] = []
    for i, (entry, arg) in enumerate(zip(axes, args, strict=True)):
        if entry is None or type(entry) is int:
            dims += [entry] * tree.structure(arg).num_leaves
            continue
        name = argument_paths(fun, [0] * len(args), {})[i]
        dims += tree.broadcast_prefix(entry, arg, _is_none, what=f"vmap: in_axes for {name}")
    return dims + [0] * tree.structure(kwargs).num_leaves


def _measure(
    fun: Any,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    leaves: Sequence[Any],
    dims: Sequence[int | None],
    given: Any,
) -> tuple[int, list[int | None]]:
    """The size of the mapped axis, and the axes counted from the front."""
    counted: list[int | None] = []
    sizes: dict[int, int] = {}
    for i, (x, d) in enumerate(zip(leaves, dims, strict=True)):
        if d is None:
            counted.append(None)
            continue
        try:
            shape = aval_of(x).shape
        except TypeError as error:
            raise TypeError(
                f"vmap: {argument_paths(fun, args, kwargs)[i]} is a {type(x).__name__}, but only arrays and numbers "
                "can be mapped; set in_axes to None for it, to hand it on as it is"
            ) from error
        ndim = len(shape)
        if not -ndim <= d < ndim:
            raise ValueError(
                f"vmap: in_axes asks to map axis {d} of {argument_paths(fun, args, kwargs)[i]}, but it is "
                f"{aval_of(x).str_short()} with {ndim} axes; "
                + ("set in_axes to None for it" if not ndim else f"give an axis from {-ndim} to {ndim - 1}")
            )
        counted.append(d % ndim)
        sizes[i] = shape[d]
    if given is not None:
        given = _checked_size(given)
    different = {*sizes.values(), *([] if given is None else [given])}
    if len(different) > 1:
        raise ValueError(_different_sizes(argument_paths(fun, args, kwargs), leaves, counted, sizes, given))
    if not different:
        raise ValueError(
            f"vmap: nothing is mapped in the call of {function_name(fun)}, but the size of the axis must be known; "
            "give in_axes at least one axis that is not None, or axis_size"
        )
    return different.pop(), counted


def _checked_size(given: Any) -> int:
    try:
        size = operator.index(given)
    except TypeError as error:
        raise TypeError(
            f"vmap: axis_size is {given!r}, but an integer is needed; give the number of slices"
        ) from error
    if size < 0:
        raise TypeError(f"vmap: axis_size is {size}, but it must not be negative; give the number of slices")
    return size


def _different_sizes(
    names: Sequence[str],
    leaves: Sequence[Any],
    dims: Sequence[int | None],
    sizes: dict[int, int],
    given: int | None,
) -> str:
    """The text of the error: who has which size, most frequent first."""
    groups: dict[int, list[str]] = {} if given is None else {given: ["axis_size"]}
    for i, size in sizes.items():
        groups.setdefault(size, []).append(names[i])
    parts = [
        f"{size} for {' and '.join(of)}" for size, of in sorted(groups.items(), key=lambda g: -len(g[1]))
    ]
    lines = [f"  {names[i]}: axis {dims[i]} of {aval_of(leaves[i]).str_short()}" for i in sizes]
    told = (
        f"vmap: the mapped axes have different sizes: {', '.join(parts)}, but all must have one; map axes of one "
        "size, or set in_axes to None for what is shared"
    )
    return "\n".join([told, *lines])


def _result(fun: Any, out_tree: Any, i: int) -> str:
    """What to call a leaf of the result."""
    path, _ = tree.leaves_with_path(tree.unflatten(out_tree, range(out_tree.num_leaves)))[i]
    return f"the result{tree.keystr(path)} of {function_name(fun)}"
