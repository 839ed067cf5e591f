"""A stack of layers as a composition of jaxlab's transformations.

A cell is a function from ``{name: [traced leaves]}`` to an `Outcome`.  Each layer makes one such function
from another, so that they compose in any order: ``%%jit`` over ``%%grad W`` over the cell is
``jit(grad(cell))``.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

import jaxlab
from jaxlab import dtypes, tree_util
from jaxlab.core.aval import aval_of
from jaxlab.magics.arguments import Leaves, namer
from jaxlab.magics.errors import CellError, ValueOfCellError
from jaxlab.magics.linear_map import LinearMap, linear_map
from jaxlab.magics.outputs import Frozen, Outcome, Static, thaw
from jaxlab.magics.stack import Layer
from jaxlab.magics.values import Binding, describe

Traced = dict[str, list[Any]]
CellFunction = Callable[[Traced], Outcome]


def compose(cell: CellFunction, layers: Sequence[Layer], bindings: Mapping[str, Binding]) -> CellFunction:
    """``cell`` under all ``layers``, the first outermost.  Raises `CellError` where a layer cannot apply."""
    for place, layer in enumerate(layers):
        below = [other for other in layers[place + 1 :] if getattr(other.options, "value", False)]
        if below and hasattr(layer.options, "of") and layer.options.of is None:
            raise CellError(
                layer,
                f"%%{layer.name}: under it, {below[0]} gives both the value and the gradient; "
                f"say which to differentiate with --of NAME",
            )
    for layer in reversed(layers):
        cell = _APPLY[layer.name](cell, layer, bindings)
    return cell


def _jit(cell: CellFunction, layer: Layer, bindings: Mapping[str, Binding]) -> CellFunction:
    donated = layer.options.donate
    for name in donated:
        _traced_input(layer, name, bindings, f"--donate {name}")
    by_name = namer(bindings)

    def apply(**inputs: Leaves) -> Outcome:
        return cell({name: given.leaves for name, given in inputs.items()})

    compiled = jaxlab.jit(named(apply), donate_argnames=tuple(donated))

    def call(traced: Traced) -> Outcome:
        outcome: Outcome = compiled(**by_name(traced))
        return outcome

    call.trace = lambda traced: compiled.trace(**by_name(traced))  # type: ignore[attr-defined]
    call.by_name = by_name  # type: ignore[attr-defined]
    return call


def named(function: Any) -> Any:
    """The function under the name that jaxprs, StableHLO and profiles show for a cell."""
    with contextlib.suppress(AttributeError):  # compiled functions keep the name of what they wrap
        function.__name__ = function.__qualname__ = "cell"
    return function


def _gradient(cell: CellFunction, layer: Layer, bindings: Mapping[str, Binding]) -> CellFunction:
    names = _wrt(layer, bindings)
    with_value = layer.name == "value_and_grad" or layer.options.value

    def gradient(traced: Traced) -> Outcome:
        def scalar(chosen: Traced) -> tuple[Any, Outcome]:
            out = cell({**traced, **chosen})
            return _scalar(_target(out, layer), layer), out

        (_, out), gradients = jaxlab.value_and_grad(scalar, has_aux=True)(
            {name: traced[name] for name in names}
        )
        frozen = {name: _like(bindings[name], gradients[name]) for name in names}
        value = _one_or_all(frozen)
        bound = {f"grad_{name}": leaf for name, leaf in frozen.items()}
        if not with_value:
            return Outcome(value, bound)
        # The value of a cell under `%%grad --value` is its own, as if the magic were not there.
        shown = (_target(out, layer), value) if layer.name == "value_and_grad" else out.value
        return Outcome(shown, {**out.names, **bound}, out.mutated, out.deleted)

    return gradient


def _jacobian(cell: CellFunction, layer: Layer, bindings: Mapping[str, Binding]) -> CellFunction:
    names = _wrt(layer, bindings)
    derivative = getattr(jaxlab, layer.name)

    def matrix(traced: Traced) -> Outcome:
        def function(chosen: Traced) -> list[Any]:
            target = _target(cell({**traced, **chosen}), layer)
            leaves: list[Any] = tree_util.tree_leaves(target)
            if not leaves:
                raise ValueOfCellError(layer, f"%%{layer.name}: the cell's value {_no_array(target)}")
            return leaves

        found = derivative(function)({name: traced[name] for name in names})
        frozen = {name: _of_tree([entry[name] for entry in found]) for name in names}
        return Outcome(_one_or_all(frozen), {f"{layer.name}_{name}": leaf for name, leaf in frozen.items()})

    return matrix


def _of_tree(entries: Any) -> Frozen:
    """Nested lists of arrays, lists of one entry opened, so that one array by one array is one matrix."""

    def opened(tree: Any) -> Any:
        if isinstance(tree, dict):
            return (
                opened(next(iter(tree.values())))
                if len(tree) == 1
                else {k: opened(v) for k, v in tree.items()}
            )
        if isinstance(tree, list):
            return opened(tree[0]) if len(tree) == 1 else [opened(entry) for entry in tree]
        return tree

    leaves, treedef = tree_util.tree_flatten(opened(entries))
    return Frozen(leaves, treedef)


def _vmap(cell: CellFunction, layer: Layer, bindings: Mapping[str, Binding]) -> CellFunction:
    axes = {name: axis for name, axis in layer.options.names if axis is not None}
    for name, axis in axes.items():
        binding = _traced_input(layer, name, bindings)
        for leaf in binding.traced:
            if not -np.ndim(leaf) <= axis < np.ndim(leaf):
                raise CellError(
                    layer, f"%%vmap: {name} is {describe(leaf)}, which has no axis {axis} to map over"
                )
    sizes = {name: np.shape(leaf)[axis] for name, axis in axes.items() for leaf in bindings[name].traced}
    if layer.options.size is not None:
        sizes["--size"] = layer.options.size
    if not sizes:
        raise CellError(layer, "%%vmap: nothing to map over; name an input (%%vmap x) or give --size")
    if len(set(sizes.values())) > 1:
        told = ", ".join(f"{name} has {size}" for name, size in sizes.items())
        raise CellError(layer, f"%%vmap: the mapped axes differ in length: {told}; they must be equal")

    def mapped(traced: Traced) -> Outcome:
        in_axes = {name: axes.get(name) for name in traced}
        # An outer %%vmap of the same name has taken an axis by now: lengths are those of the moment.
        out = jaxlab.vmap(
            cell, in_axes=(in_axes,), out_axes=layer.options.out,
            axis_size=layer.options.size, axis_name=layer.options.axis_name,
        )  # fmt: skip
        return _map_linear(out(traced), layer.options.out)

    return mapped


def _map_linear(out: Outcome, axis: int | None) -> Outcome:
    """The linear maps among the results work on stacks from here on."""
    mapped: Outcome = tree_util.tree_map(
        lambda x: x.mapped(axis) if isinstance(x, LinearMap) else x,
        out,
        is_leaf=lambda x: isinstance(x, LinearMap),
    )
    return mapped


def _jvp(cell: CellFunction, layer: Layer, bindings: Mapping[str, Binding]) -> CellFunction:
    pairs = dict(layer.options.names)
    if not pairs:
        raise CellError(
            layer, f"%%jvp: along which tangent? Write %%jvp NAME=TANGENT; {_differentiable(bindings)}"
        )
    for name, tangent in pairs.items():
        _float_input(layer, name, bindings)
        given, needed = _traced_input(layer, tangent, bindings), bindings[name]
        shapes = [[describe(leaf) for leaf in binding.traced] for binding in (needed, given)]
        if [np.shape(a) for a in needed.traced] != [np.shape(a) for a in given.traced]:
            raise CellError(
                layer,
                f"%%jvp: {name} is {', '.join(shapes[0])}, but its tangent {tangent} is "
                f"{', '.join(shapes[1])}; a tangent has its primal's shape",
            )

    def pushed(traced: Traced) -> Outcome:
        def function(chosen: Traced) -> tuple[list[Any], Outcome]:
            out = cell({**traced, **chosen})
            return tree_util.tree_leaves(_target(out, layer)), out

        primals = {name: traced[name] for name in pairs}
        dtypes = {name: [aval_of(leaf).dtype for leaf in leaves] for name, leaves in primals.items()}
        tangents = {
            n: [jaxlab.numpy.asarray(t, d) for t, d in zip(traced[pairs[n]], dtypes[n], strict=True)]
            for n in pairs
        }
        _, along, out = jaxlab.jvp(function, (primals,), (tangents,), has_aux=True)
        target = _target(out, layer)
        tangent = tree_util.tree_unflatten(tree_util.tree_structure(target), along)
        return Outcome((target, tangent), out.names, out.mutated, out.deleted)

    return pushed


def _linear(cell: CellFunction, layer: Layer, bindings: Mapping[str, Binding]) -> CellFunction:
    """``%%vjp`` and ``%%linearize``: the cell itself, and its linear part as one more name."""
    names = _wrt(layer, bindings)
    bound = f"{layer.name}_{'_'.join(names)}"

    def give(_: Any, out: Outcome) -> Callable[[list[Any]], Any]:
        structure = tree_util.tree_structure(_target(out, layer))
        return (
            (lambda found: _thawed_like(bindings, names, found))
            if layer.name == "vjp"
            else (lambda found: thaw(tree_util.tree_unflatten(structure, found)))
        )

    def accept(given: tuple[Any, ...]) -> list[Any]:
        if layer.name == "vjp":
            return tree_util.tree_leaves(given)
        return [x for name, value in zip(names, given) for x in _traced_of(bindings[name], value)]

    def run(traced: Traced) -> Outcome:
        def function(chosen: Traced) -> tuple[list[Any], Outcome]:
            out = cell({**traced, **chosen})
            leaves = tree_util.tree_leaves(_target(out, layer))
            if not leaves:
                raise ValueOfCellError(
                    layer, f"%%{layer.name}: the cell's value {_no_array(_target(out, layer))}"
                )
            return leaves, out

        primals = {name: traced[name] for name in names}
        _, linear, out = linear_map(layer.name, bound, function, [primals], accept, give)
        names_now = {**out.names, bound: Frozen([linear], tree_util.tree_structure(0))}
        return Outcome(_target(out, layer), names_now, out.mutated, out.deleted)

    return run


def _thawed_like(bindings: Mapping[str, Binding], names: Sequence[str], found: list[Any]) -> Any:
    """Leaves of several inputs, put together as those inputs are."""
    given = iter(found)
    values = [_like(bindings[n], [next(given) for t in bindings[n].is_traced if t]).thaw() for n in names]
    return values[0] if len(values) == 1 else tuple(values)


def _traced_of(binding: Binding, value: Any) -> list[Any]:
    """The leaves of a value like an input that stand where the input's traced leaves do."""
    leaves = tree_util.tree_leaves(value)
    if len(leaves) != len(binding.is_traced):
        return leaves
    return [leaf for leaf, traced in zip(leaves, binding.is_traced, strict=True) if traced]


def _checkpoint(cell: CellFunction, layer: Layer, bindings: Mapping[str, Binding]) -> CellFunction:
    policy = layer.options.policy
    kept: CellFunction = jaxlab.checkpoint(
        named(cell), policy=None if policy is None else getattr(jaxlab.checkpoint_policies, policy)
    )
    return kept


_APPLY: dict[str, Callable[[CellFunction, Layer, Mapping[str, Binding]], CellFunction]] = {
    "jit": _jit,
    "grad": _gradient,
    "value_and_grad": _gradient,
    "jacfwd": _jacobian,
    "jacrev": _jacobian,
    "hessian": _jacobian,
    "vmap": _vmap,
    "jvp": _jvp,
    "vjp": _linear,
    "linearize": _linear,
    "checkpoint": _checkpoint,
}


def _one_or_all(frozen: dict[str, Frozen]) -> Any:
    return next(iter(frozen.values())) if len(frozen) == 1 else tuple(frozen.values())


def _like(binding: Binding, leaves: Sequence[Any]) -> Frozen:
    """Traced leaves in the place of an input's own, with its static leaves left as they are."""
    given = iter(leaves)
    whole = [
        next(given) if t else Static(leaf) for leaf, t in zip(binding.leaves, binding.is_traced, strict=True)
    ]
    return Frozen(whole, binding.treedef)


# What can be differentiated, and with respect to what


def _target(out: Outcome, layer: Layer) -> Any:
    of = layer.options.of
    if of is None:
        if out.value is None:
            raise ValueOfCellError(
                layer,
                f"%%{layer.name}: the cell does not end in an expression, so there is nothing to "
                "differentiate; end it with the name of a scalar or give --of NAME",
            )
        return out.value
    if of not in out.names:
        known = ", ".join(out.names) or "nothing"
        raise CellError(layer, f"%%{layer.name}: --of {of}, but the cell assigns no {of}; it assigns {known}")
    return out.names[of]


def _scalar(target: Any, layer: Layer) -> Any:
    what = f"--of {layer.options.of}" if layer.options.of else "the cell's value"
    leaves = tree_util.tree_leaves(target)
    if not leaves:
        raise ValueOfCellError(layer, f"%%{layer.name}: {what} {_no_array(target)}")
    if len(leaves) > 1:
        raise ValueOfCellError(
            layer,
            f"%%{layer.name}: {what} has {len(leaves)} arrays, but one real scalar is needed; use --of NAME",
        )
    aval = aval_of(leaves[0])
    if aval.shape:
        raise ValueOfCellError(
            layer,
            f"%%{layer.name}: {what} is {describe(leaves[0])}, but a real scalar is needed; "
            "end the cell with jnp.sum(…) or jnp.mean(…), or use %%jacrev",
        )
    if not dtypes.issubdtype(aval.dtype, np.floating):
        raise ValueOfCellError(
            layer,
            f"%%{layer.name}: {what} is {describe(leaves[0])}, but a real floating-point scalar is needed"
            + (
                "; end the cell with jnp.real(…) or jnp.abs(…)"
                if dtypes.issubdtype(aval.dtype, np.complexfloating)
                else ""
            ),
        )
    return leaves[0]


def _no_array(target: Any) -> str:
    from_static = target.thaw() if isinstance(target, Frozen) else target
    return f"is {from_static!r}, which does not depend on a traced value"


def _wrt(layer: Layer, bindings: Mapping[str, Binding]) -> list[str]:
    if not layer.names:
        raise CellError(
            layer,
            f"%%{layer.name}: with respect to what? Write %%{layer.name} NAME; {_differentiable(bindings)}",
        )
    for name in layer.names:
        _float_input(layer, name, bindings)
    return list(dict.fromkeys(layer.names))


def _differentiable(bindings: Mapping[str, Binding]) -> str:
    names = [name for name, binding in bindings.items() if binding.kind != "static"]
    return f"the cell reads {', '.join(names)}" if names else "the cell reads no array"


def _traced_input(
    layer: Layer, name: str, bindings: Mapping[str, Binding], written: str | None = None
) -> Binding:
    binding, written = bindings.get(name), written or name
    if binding is None:
        raise CellError(
            layer, f"%%{layer.name} {written}: the cell does not read {name}; {_differentiable(bindings)}"
        )
    if binding.kind == "static":
        raise CellError(
            layer,
            f"%%{layer.name} {written}: {name} is {binding.key.text}, which is static ({binding.why}), "
            "but a traced input is needed"
            + (f"; write {name} = {binding.leaves[0]}.0" if _is_int(binding) else ""),
        )
    return binding


def _float_input(layer: Layer, name: str, bindings: Mapping[str, Binding]) -> Binding:
    binding = _traced_input(layer, name, bindings)
    for leaf in binding.traced:
        aval = aval_of(leaf)
        if not dtypes.issubdtype(aval.dtype, np.inexact):
            raise CellError(
                layer,
                f"%%{layer.name} {name}: {name} is {describe(leaf)}, but only real or complex values can be "
                f"differentiated; write {name} = {name}.astype(float)",
            )
    return binding


def _is_int(binding: Binding) -> bool:
    return len(binding.leaves) == 1 and type(binding.leaves[0]) is int
