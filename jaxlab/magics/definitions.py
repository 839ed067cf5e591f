"""Cells that only define functions: each ``def`` is bound to its transformed self."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

from IPython.core.error import UsageError

import jaxlab
from jaxlab import tree_util
from jaxlab.magics.compiled import CompiledFunction, Owner
from jaxlab.magics.linear_map import LinearMap, linear_map
from jaxlab.magics.namespace import commit, lent
from jaxlab.magics.source import Source
from jaxlab.magics.stack import Layer

LINEAR = ("vjp", "linearize")
_DERIVATIVES = ("grad", "value_and_grad", "jacfwd", "jacrev", "hessian", *LINEAR)


def define(shell: Any, source: Source, layers: Sequence[Layer], owner: Owner) -> list[str]:
    """Run a cell of definitions and bind each function's transformed self; returns the new names.

    ``owner`` hears of programs that calls make, and of errors.  Raises UsageError where a layer does not
    fit a function.
    """
    space = shell.user_ns
    with lent(space, {}) as before:
        exec(source.whole, space)
        bound = {
            name: value for name, value in space.items() if name not in before or value is not before[name]
        }
        new = {}
        for name in source.definitions:
            transformed = bound[name]
            for place in reversed(range(len(layers))):
                transformed = _apply(layers, place, transformed, name, space, owner)
            prefix = "".join(f"{layer.name}_" for layer in layers if layer.name in _DERIVATIVES)
            new[prefix + name] = transformed
    commit(space, {**bound, **new})
    return list(new)


def _apply(
    layers: Sequence[Layer], place: int, function: Any, name: str, space: dict[str, Any], owner: Owner
) -> Any:
    layer = layers[place]
    if layer.name == "jit":
        return CompiledFunction(function, layer, space, owner, layers[place + 1 :])
    if layer.name in _DERIVATIVES:
        if layer.options.of:
            raise UsageError(
                f"%%{layer.name} --of: a cell that only defines functions has no values; return it instead"
            )
        argnums = _argnums(layer, layer.names, function, name)
        if layer.name in LINEAR:
            return linear_function(layer.name, function, f"{layer.name}_{name}", argnums)
        argnums = argnums or 0
        kind = "value_and_grad" if getattr(layer.options, "value", False) else layer.name
        return getattr(jaxlab, kind)(function, argnums=argnums)
    if layer.name == "vmap":
        axes = dict(layer.options.names)
        _argnums(layer, list(axes), function, name)
        in_axes: Any = tuple(axes.get(parameter) for parameter in _positional(function)) if axes else 0
        return jaxlab.vmap(
            function, in_axes=in_axes, out_axes=layer.options.out,
            axis_size=layer.options.size, axis_name=layer.options.axis_name,
        )  # fmt: skip
    if layer.name == "checkpoint":
        policy = layer.options.policy
        return jaxlab.checkpoint(
            function, policy=None if policy is None else getattr(jaxlab.checkpoint_policies, policy)
        )
    raise UsageError(
        f"%%{layer.name}: it needs values, but the cell only defines functions; call {name} in the cell"
    )


def linear_function(kind: str, function: Any, name: str, argnums: int | tuple[int, ...] | None) -> Any:
    """``function`` with its value the pullback to the arguments chosen, or the pushforward from them."""

    @functools.wraps(function)
    def split(*args: Any, **kwargs: Any) -> tuple[Any, LinearMap]:
        chosen = range(len(args)) if argnums is None else (argnums,) if isinstance(argnums, int) else argnums
        places = {place: i for i, place in enumerate(chosen)}

        def partial(*xs: Any) -> tuple[Any, None]:
            return function(
                *[xs[places[i]] if i in places else x for i, x in enumerate(args)], **kwargs
            ), None

        primals = [args[i] for i in chosen]
        inputs = tree_util.tree_structure(primals)

        def give(value: Any, _: Any) -> Callable[[list[Any]], Any]:
            # Of the values themselves nothing may be kept: they may be traced.
            structure = inputs if kind == "vjp" else tree_util.tree_structure(value)
            alone = kind == "vjp" and len(places) == 1

            def result(found: list[Any]) -> Any:
                whole = tree_util.tree_unflatten(structure, found)
                return whole[0] if alone else tuple(whole) if kind == "vjp" else whole

            return result

        value, linear, _ = linear_map(kind, name, partial, primals, tree_util.tree_leaves, give)
        return value, linear

    return split


def _argnums(layer: Layer, names: Sequence[str], function: Any, name: str) -> int | tuple[int, ...] | None:
    parameters = _positional(function)
    for wanted in names:
        if wanted not in parameters:
            raise UsageError(
                f"%%{layer.name} {wanted}: {name}({', '.join(parameters)}) has no argument {wanted}"
            )
    numbers = tuple(parameters.index(wanted) for wanted in names)
    return numbers[0] if len(numbers) == 1 else numbers or None


def _positional(function: Any) -> list[str]:
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [p.name for p in inspect.signature(function).parameters.values() if p.kind in kinds]
