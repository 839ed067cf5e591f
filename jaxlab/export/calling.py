"""Calling exported functions: the primitive ``call_exported``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from jaxlab import tree
from jaxlab.control.map import map as loop_map
from jaxlab.core.aval import ShapedArray, aval_of, is_inexact
from jaxlab.core.primitive import Example, Primitive
from jaxlab.interpreters.lowering import symbol_name
from jaxlab.primitives.stacking import move_axis
from jaxlab.stablehlo import artifact
from jaxlab.transforms.custom_vjp import custom_vjp


class CallExported(Primitive):
    """The call of an exported function: its module becomes a part of the program's.

    It has no forward derivative; `flat_call` gives it the reverse one that was exported with it.
    """

    name = "call_exported"
    multiple_results = True
    holds_programs = True

    def __init__(self) -> None:
        super().__init__()
        self.samples: list[Callable[[], Any]] = []  # filled by what can make some, which stands above this

    def printed(self, params: dict[str, Any]) -> dict[str, Any]:
        return {"exported": params["exported"]}

    def abstract_eval(self, *avals: Any, exported: Any) -> list[ShapedArray]:
        return list(exported.out_avals)

    def lower(self, ctx: Any, *operands: Any, exported: Any) -> list[Any]:
        shared, b = ctx.shared, ctx.b
        symbol = shared.functions.get(exported)
        if symbol is None:
            module = exported.module_for(ctx.platform)
            symbol = artifact.merge(shared.module, module, symbol_name(f"exported_{exported.fun_name}"))
            shared.functions[exported] = symbol
        taken = [operands[i] for i in exported.module_kept_var_idx]
        results = [b.type(aval) for aval in exported.out_avals]
        return list(b.op("func.call", results, taken, {"callee": b.parse(f"@{symbol}")}).results)

    def batch(
        self, size: int, args: Sequence[Any], dims: Sequence[int | None], *, exported: Any
    ) -> tuple[list[Any], list[int | None]]:
        # The module has fixed shapes, so the slices are computed one after the other.
        mapped = [None if dim is None else move_axis(x, dim, 0) for x, dim in zip(args, dims, strict=True)]

        def one(slices: list[Any]) -> list[Any]:
            values = [x if s is None else s for x, s in zip(args, slices, strict=True)]
            out: list[Any] = self.bind(*values, exported=exported)
            return out

        return loop_map(one, mapped), [0] * len(exported.out_avals)

    def examples(self) -> Iterable[Example]:
        for sample in self.samples:
            exported = sample()
            yield Example(exported.in_avals, {"exported": exported}, differentiate=False)


call_exported_p = CallExported()


def flat_call(exported: Any) -> Callable[..., Any]:
    """The exported function of leaves, with its reverse-mode derivative; made once for each."""
    known: Callable[..., Any] | None = exported.memo.get("flat")
    if known is not None:
        return known
    moving = [i for i, aval in enumerate(exported.in_avals) if is_inexact(aval.dtype)]
    answered = [i for i, aval in enumerate(exported.out_avals) if is_inexact(aval.dtype)]

    def f_flat(*leaves: Any) -> Any:
        return tuple(call_exported_p.bind(*leaves, exported=exported))

    def f_flat_vjp_fwd(*leaves: Any) -> Any:
        return ruled(*leaves), leaves

    def f_flat_vjp_bwd(leaves: Any, cts: Any) -> Any:
        pulled = exported.vjp().call(*leaves, *[cts[i] for i in answered])
        out: list[Any] = [None] * len(leaves)
        for i, ct in zip(moving, pulled, strict=True):
            out[i] = ct
        return tuple(out)

    ruled: Any = custom_vjp(f_flat)
    ruled.defvjp(f_flat_vjp_fwd, f_flat_vjp_bwd)
    exported.memo["flat"] = ruled
    return ruled


def check_arguments(
    name: str, wanted: tuple[Any, Sequence[ShapedArray]], given: tuple[Any, Sequence[Any]], values: Any
) -> None:
    """Raise ValueError unless the arguments have the structure and the types of an exported function.

    Args:
      name: the function.
      wanted: the structure of ``(args, kwargs)`` and the types that it was exported for.
      given: the structure and the leaves of a call.
      values: the ``(args, kwargs)`` of the call.
    """
    (in_tree, avals), (own_tree, leaves) = wanted, given
    if own_tree != in_tree:
        found = tree.first_difference(tree.unflatten(in_tree, list(avals)), values)
        where = ""
        if found is not None and found[0]:
            path, one, two = found
            where = f": {_path(path)} was {one}, and is {two}"
        raise ValueError(
            f"{name}: it was exported for arguments of structure {in_tree}, but was called with {own_tree}{where}; "
            "pass them as they were at the export"
        )
    wrong = []
    paths = [_path(path) for path, _ in tree.leaves_with_path(values)]
    for path, x, aval in zip(paths, leaves, avals, strict=True):
        try:
            own = aval_of(x)
        except TypeError:
            raise TypeError(
                f"{name}: {path} is of type {type(x).__name__}, but it was exported for {aval.str_short()}; pass an "
                "array"
            ) from None
        if (own.shape, own.dtype) != (aval.shape, aval.dtype):
            wrong.append(f"{path} is {own.str_short()}, but it was exported for {aval.str_short()}")
    if wrong:
        raise ValueError(f"{name}: {'; '.join(wrong)}; convert it, or export the function for these types")


def _path(path: Any) -> str:
    return ("args", "kwargs")[path[0].idx] + tree.keystr(path[1:])
