"""Seeing what a function is without running it: its jaxpr, and the types of its results."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from jaxlab import tree
from jaxlab.core.aval import ShapedArray, aval_of, is_array_like
from jaxlab.core.axes import binding_axes
from jaxlab.core.jaxpr import ClosedJaxpr, DebugInfo
from jaxlab.interpreters.functions import FlatFunction, argument_paths, function_name
from jaxlab.interpreters.staging import stage
from jaxlab.transforms.jit_options import integers
from jaxlab.transforms.shape_struct import ShapeDtypeStruct, struct_of


def make_jaxpr(
    fun: Callable[..., Any],
    static_argnums: int | Iterable[int] = (),
    axis_env: Sequence[tuple[Any, int]] | None = None,
    return_shape: bool = False,
) -> Callable[..., Any]:
    """A function that traces ``fun`` at its arguments and returns the closed jaxpr, running nothing.

    Args:
      fun: a function of pytrees of arrays.
      static_argnums: positional arguments that are Python values; they must be hashable.
      axis_env: named axes that collectives in ``fun`` may speak of, as pairs of a name and a size.
      return_shape: return the jaxpr, and the types of the results as a pytree of `ShapeDtypeStruct`.

    Returns:
      A function of the arguments of ``fun``; `ShapeDtypeStruct` and whatever else has a shape and a dtype will
      do in place of arrays.

    Raises:
      TypeError: if an argument that is not static, or a result, is no array.
      ValueError: if ``static_argnums`` do not fit, or a static argument is not hashable.

    >>> make_jaxpr(lambda x: x + 1.0)(2.0)
    { lambda ; a:f32[]. let b:f32[] = add a 1.0:f32[] in (b,) }
    >>> make_jaxpr(lambda x: lax.pmax(x, "i"), axis_env=[("i", 4)])(2.0)
    { lambda ; a:f32[]. let
        b:f32[] = pmax[axes=('i',) axis_index_groups=None] a
      in (b,) }
    """
    _check_callable("make_jaxpr", fun)
    static = integers("make_jaxpr", "static_argnums", static_argnums)
    axes = _named_axes(axis_env)

    @functools.wraps(fun, updated=())
    def made(*args: Any, **kwargs: Any) -> Any:
        numbers = _static_positions(fun, args, static)
        with binding_axes(axes) if axes else contextlib.nullcontext():
            closed, out_tree = _trace("make_jaxpr", fun, args, kwargs, numbers)
        if not return_shape:
            return closed
        return closed, tree.unflatten(out_tree, [struct_of(aval) for aval in closed.out_avals])

    made.__name__ = f"make_jaxpr({function_name(fun)})"
    return made


def eval_shape(fun: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """The types of ``fun``'s results, as a pytree of `ShapeDtypeStruct`, without computing anything.

    Args:
      fun: a function of pytrees of arrays.
      args, kwargs: its arguments; `ShapeDtypeStruct` and whatever else has a shape and a dtype will do in place
        of arrays.

    Raises:
      TypeError: if an argument or a result is no array.

    >>> eval_shape(lambda x: x.sum(0), jaxlab.ShapeDtypeStruct((2, 3), "float32"))
    ShapeDtypeStruct(shape=(3,), dtype=float32)
    """
    _check_callable("eval_shape", fun)
    own = getattr(fun, "eval_shape", None)
    if own is not None and hasattr(fun, "lower"):  # `jit` knows which of its arguments are static
        return own(*args, **kwargs)
    closed, out_tree = _trace("eval_shape", fun, args, kwargs, frozenset())
    return tree.unflatten(out_tree, [struct_of(aval) for aval in closed.out_avals])


def _trace(
    op: str, fun: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any], static: frozenset[int]
) -> tuple[ClosedJaxpr, Any]:
    """The closed jaxpr of a call, and the structure of its result."""
    dynamic = tuple([x for i, x in enumerate(args) if i not in static])

    def bound(*xs: Any, **kws: Any) -> Any:
        given = iter(xs)
        return fun(*[x if i in static else next(given) for i, x in enumerate(args)], **kws)

    leaves, in_tree = tree.flatten((dynamic, kwargs))
    flat = FlatFunction(bound, in_tree)
    name, paths = function_name(fun), argument_paths(fun, args, kwargs, tuple(static))

    def checked(*xs: Any) -> list[Any]:
        outputs = flat(*xs)
        for i, x in enumerate(outputs):
            if not is_array_like(x) and not hasattr(x, "__jax_array__"):
                path, _ = tree.leaves_with_path(tree.unflatten(flat.out_tree, range(len(outputs))))[i]
                raise TypeError(
                    f"{op}: the result{tree.keystr(path)} of {name} is a {type(x).__name__}, but only arrays and "
                    "numbers can be returned; return it from outside of the traced function"
                )
        return outputs

    avals = []
    for i, x in enumerate(leaves):
        aval = _type_of(x)
        if aval is None:
            raise TypeError(
                f"{op}: {paths[i]} of {name} is a {type(x).__name__}, but an array, a number, or something with a "
                "shape and a dtype is needed; close over what is not, or name it in static_argnums of make_jaxpr"
            )
        avals.append(aval)
    jaxpr, consts = stage(checked, avals, DebugInfo(name, paths))
    return ClosedJaxpr(jaxpr, consts), flat.out_tree


def _type_of(x: Any) -> ShapedArray | None:
    """The type of an argument, which need be no array if it has the shape and the dtype of one."""
    try:
        return aval_of(x)
    except TypeError:
        if hasattr(x, "shape") and hasattr(x, "dtype"):
            return aval_of(ShapeDtypeStruct(x.shape, x.dtype))
        return None


def _check_callable(op: str, fun: Any) -> None:
    if not callable(fun):
        raise TypeError(
            f"{op}: expected a function, but got a {type(fun).__name__}; pass the function, not its result"
        )


def _static_positions(fun: Any, args: Sequence[Any], static: Sequence[int]) -> frozenset[int]:
    """The positions of static arguments, counted from the front."""
    count = len(args)
    positions = set()
    for number in static:
        if not -count <= number < count:
            raise ValueError(
                f"make_jaxpr: static_argnums has {number}, but {function_name(fun)} was called with {count} "
                "positional arguments; pass static arguments by position"
            )
        try:
            hash(args[number])
        except TypeError as error:
            raise ValueError(
                f"make_jaxpr: argument {number % count} of {function_name(fun)} is static and of type "
                f"{type(args[number]).__name__}, but a static argument must be hashable; pass a tuple, or another "
                "value that does not change"
            ) from error
        positions.add(number % count)
    return frozenset(positions)


def _named_axes(axis_env: Any) -> list[tuple[Any, int]]:
    """``axis_env`` as pairs."""
    if not isinstance(axis_env, (tuple, list, type(None))):
        raise TypeError(
            f"make_jaxpr: axis_env is {axis_env!r}, but a list of pairs of a name and a size is needed; write "
            "axis_env=[('i', 4)]"
        )
    axes = []
    for pair in axis_env or ():
        if not isinstance(pair, (tuple, list)) or len(pair) != 2 or type(pair[1]) is not int:
            raise ValueError(
                f"make_jaxpr: axis_env has the entry {pair!r}, but pairs of a name and a size are needed; write "
                "axis_env=[('i', 4)]"
            )
        axes.append((pair[0], pair[1]))
    return axes
