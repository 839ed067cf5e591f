"""The ``custom_vmap_call`` primitive: a call that is mapped by a user's rule, and the rules of what is derived."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from jaxlab import tree
from jaxlab.core.aval import ShapedArray, Zero, aval_of, is_inexact
from jaxlab.core.axes import MappedAxis
from jaxlab.core.higher_order import HigherOrder
from jaxlab.core.jaxpr import ClosedJaxpr
from jaxlab.core.primitive import Example
from jaxlab.core.trace import current
from jaxlab.interpreters.batching import batch_flat, batch_jaxpr, move_to
from jaxlab.interpreters.functions import function_name
from jaxlab.interpreters.jvp import jvp_flat, jvp_jaxpr
from jaxlab.interpreters.staging import eval_closed, stage_closed
from jaxlab.primitives.broadcasting import F32, broadcast_axis, instantiate
from jaxlab.primitives.slicing import index_in_dim
from jaxlab.primitives.transcendental import sin


class UserRule:
    """The user's rule as a flat function: size, which arguments are mapped (in front), and the arguments.

    ``closed_over`` tells which of the flat arguments the function does not take, but closes over.
    """

    __slots__ = ("closed_over", "fun", "in_tree", "name", "out_tree")

    def __init__(
        self, fun: Callable[..., Any], name: str, in_tree: Any, out_tree: Any, num_consts: int
    ) -> None:
        self.fun = fun
        self.name = name
        self.in_tree = in_tree
        self.out_tree = out_tree
        self.closed_over = [True] * num_consts + [False] * in_tree.num_leaves

    def __str__(self) -> str:
        # Without the address, a program has the same text each time.
        return re.sub(r"0x[0-9a-f]+", "0xXXXXXXXXXXXX", str(self.fun))

    def __call__(
        self, size: int, batched: Sequence[bool], args: Sequence[Any]
    ) -> tuple[list[Any], list[bool]]:
        _check_closed(self, batched, "mapped")
        count = len(self.closed_over) - self.in_tree.num_leaves
        flags = list(tree.unflatten(self.in_tree, batched[count:]))
        result = self.fun(size, flags, *tree.unflatten(self.in_tree, args[count:]))
        rule = function_name(self.fun)
        if not isinstance(result, (tuple, list)) or len(result) != 2:
            error = ValueError if hasattr(result, "__len__") else TypeError
            raise error(
                f"custom_vmap: the rule {rule} of {self.name} returned {_described(result)}, but it must return a "
                "pair (result, out_batched); return True beside a result that has the mapped axis"
            )
        out, out_tree = tree.flatten(result[0])
        out_batched, flag_tree = tree.flatten(result[1])
        if out_tree != self.out_tree:
            raise ValueError(
                f"custom_vmap: the rule {rule} returned a result of structure {out_tree}, but {self.name} returns "
                f"{self.out_tree}; return the same structure"
            )
        if flag_tree != out_tree:
            raise ValueError(
                f"custom_vmap: the rule {rule} of {self.name} returned out_batched of structure {flag_tree}, but its "
                f"result has structure {out_tree}; return a bool for each leaf of the result"
            )
        for (path, _), x, b in zip(tree.leaves_with_path(result[0]), out, out_batched, strict=True):
            aval = aval_of(x)
            if b and aval.shape[:1] != (size,):
                raise ValueError(
                    f"custom_vmap: the rule {rule} of {self.name} returned {aval.str_short()} for "
                    f"result{tree.keystr(path)} and says that it is batched, but a leading axis of size {size} is "
                    "needed; move the mapped axis to the front, or say False"
                )
        return out, [bool(b) for b in out_batched]


def _described(x: Any) -> str:
    if isinstance(x, (tuple, list)):
        return f"a {type(x).__name__} of {len(x)}"
    return f"one value of type {type(x).__name__}"


def _check_closed(rule: Any, active: Sequence[bool], what: str) -> None:
    if any(a and c for a, c in zip(active, rule.closed_over, strict=True)):
        raise TypeError(
            f"custom_vmap: {rule.name} closes over a value that is being {what}, but its batch rule sees only the "
            "arguments; pass the value as an argument"
        )


class _JVPRule:
    """The rule of a derivative: that of the function, differentiated.

    Args:
      rule: of the function.
      nonzero: which arguments have tangents; these follow the arguments.
      out_avals: the types of the function's results, each of which has a tangent if it is inexact.
    """

    __slots__ = ("closed_over", "name", "nonzero", "out_avals", "rule")

    def __init__(self, rule: Any, nonzero: Sequence[bool], out_avals: Sequence[ShapedArray]) -> None:
        self.rule = rule
        self.name = rule.name
        self.nonzero = list(nonzero)
        self.out_avals = list(out_avals)
        tangents = [c for c, n in zip(rule.closed_over, nonzero, strict=True) if n]
        self.closed_over = [*rule.closed_over, *tangents]

    def __str__(self) -> str:
        return f"<jvp of {self.rule}>"

    def __call__(
        self, size: int, batched: Sequence[bool], args: Sequence[Any]
    ) -> tuple[list[Any], list[bool]]:
        _check_closed(self.rule, self.nonzero, "differentiated")
        count = len(self.nonzero)
        primals, flags = list(args[:count]), list(batched[:count])
        rest, rest_flags = iter(args[count:]), iter(batched[count:])
        tangents = [next(rest) if n else None for n in self.nonzero]
        tangent_flags = [n and next(rest_flags) for n in self.nonzero]
        if not any(flags):
            return self._of_one_point(size, primals, tangents, tangent_flags)
        # A rule knows one axis: where a value or its tangent has it, both get it.
        for i, t in enumerate(tangents):
            if t is None or flags[i] == tangent_flags[i]:
                continue
            if flags[i]:
                tangents[i] = broadcast_axis(t, size, 0)
            else:
                primals[i], flags[i] = broadcast_axis(primals[i], size, 0), True
        return self._derive(size, flags, primals, tangents)

    def _derive(
        self, size: int, flags: Sequence[bool], primals: Sequence[Any], tangents: Sequence[Any]
    ) -> tuple[list[Any], list[bool]]:
        out_flags: list[bool] = []

        def fun(*xs: Any) -> list[Any]:
            out, out_flags[:] = self.rule(size, flags, xs)
            return out

        ts = [
            Zero(aval_of(x).to_tangent_aval()) if t is None else t
            for x, t in zip(primals, tangents, strict=True)
        ]
        out, out_ts = jvp_flat(fun, primals, ts)
        moving = [is_inexact(aval.dtype) for aval in self.out_avals]
        return (
            [*out, *[instantiate(t) for t, m in zip(out_ts, moving, strict=True) if m]],
            [*out_flags, *[f for f, m in zip(out_flags, moving, strict=True) if m]],
        )

    def _of_one_point(
        self, size: int, primals: Sequence[Any], tangents: Sequence[Any], tangent_flags: Sequence[bool]
    ) -> tuple[list[Any], list[bool]]:
        """Many tangents at one point, as for a Jacobian: nothing is mapped that the rule would see."""
        mapped = [x for x, b in zip(tangents, tangent_flags, strict=True) if b]

        def fun(*xs: Any) -> list[Any]:
            given = iter(xs)
            ts = [next(given) if b else t for t, b in zip(tangents, tangent_flags, strict=True)]
            out, flags = self._derive(size, [False] * len(primals), primals, ts)
            return [
                index_in_dim(x, 0, 0, keepdims=False) if f else x for x, f in zip(out, flags, strict=True)
            ]

        out, dims = batch_flat(fun, MappedAxis(size), mapped, [0] * len(mapped))
        return (
            [x if d is None else move_to(x, d, 0, size) for x, d in zip(out, dims, strict=True)],
            [d is not None for d in dims],
        )


class _RuleAlong:
    """A rule for slices that all have the same arguments, but know their place along a named axis."""

    __slots__ = ("axis", "closed_over", "mapped", "name", "rule")

    def __init__(self, rule: Any, axis: MappedAxis, mapped: Sequence[bool]) -> None:
        self.rule = rule
        self.name = rule.name
        self.closed_over = rule.closed_over
        self.axis = axis
        self.mapped = list(mapped)

    def __str__(self) -> str:
        return str(self.rule)

    def __call__(
        self, size: int, batched: Sequence[bool], args: Sequence[Any]
    ) -> tuple[list[Any], list[bool]]:
        flags: list[bool] = []

        def fun(*xs: Any) -> list[Any]:
            out, flags[:] = self.rule(size, batched, xs)
            return out

        out, dims = batch_flat(fun, self.axis, args, [None] * len(args))
        placed = [
            move_to(x, d, int(f), self.axis.size) if m else x
            for x, d, f, m in zip(out, dims, flags, self.mapped, strict=True)
        ]
        return placed, flags


class CustomVMapCall(HigherOrder):
    """The application of a function with its own batch rule: its jaxpr, where nothing is mapped."""

    name = "custom_vmap_call"

    def bind(self, *args: Any, **params: Any) -> Any:
        """Apply it; at once, equation by equation, because every call has a jaxpr of its own to compile."""
        if current.trace.parent is None:
            return eval_closed(params["call"], *args)
        return super().bind(*args, **params)

    def abstract_eval(self, *avals: Any, call: ClosedJaxpr, **params: Any) -> list[ShapedArray]:
        return call.out_avals

    def lower(self, ctx: Any, *operands: Any, call: ClosedJaxpr, rule: Any, **params: Any) -> list[Any]:
        return list(ctx.inline(call, ctx.b, operands, rule.name))

    def jvp(
        self,
        primals: Sequence[Any],
        tangents: Sequence[Any],
        *,
        call: ClosedJaxpr,
        in_tree: Any,
        out_tree: Any,
        rule: Any,
    ) -> tuple[list[Any], list[Any]]:
        nonzero = [type(t) is not Zero for t in tangents]
        out_avals = call.out_avals
        moving = [is_inexact(aval.dtype) for aval in out_avals]
        derived, moved = jvp_jaxpr(call, nonzero, moving)
        assert moved == moving
        out = self.bind(
            *primals,
            *[t for t, n in zip(tangents, nonzero, strict=True) if n],
            call=derived,
            in_tree=_twice(in_tree),
            out_tree=_twice(out_tree),
            rule=_JVPRule(rule, nonzero, out_avals),
        )
        rest = iter(out[len(out_avals) :])
        return out[: len(out_avals)], [
            next(rest) if m else Zero(aval.to_tangent_aval())
            for aval, m in zip(out_avals, moving, strict=True)
        ]

    def partial_eval(self, trace: Any, unknown: Sequence[bool], args: Sequence[Any], **params: Any) -> Any:
        raise ValueError(
            f"custom_vmap: {params['rule'].name} is differentiated in reverse mode, but a function with its own batch "
            "rule has no reverse mode, since the rule says nothing of cotangents; give it a custom_vjp, outside of "
            "custom_vmap"
        )

    def batch(
        self,
        axis: MappedAxis,
        args: Sequence[Any],
        dims: Sequence[int | None],
        *,
        call: ClosedJaxpr,
        rule: Any,
        **params: Any,
    ) -> tuple[list[Any], list[int | None]]:
        batched = [d is not None for d in dims]
        if any(batched):
            fronted = [
                x if d is None else move_to(x, d, 0, axis.size) for x, d in zip(args, dims, strict=True)
            ]
            out, out_batched = rule(axis.size, batched, fronted)
            return out, [0 if b else None for b in out_batched]
        derived, mapped = batch_jaxpr(call, axis, dims)
        out = self.bind(*args, call=derived, rule=_RuleAlong(rule, axis, mapped), **params)
        return out, [0 if m else None for m in mapped]

    def reference(self, *args: Any, call: ClosedJaxpr, **params: Any) -> list[Any]:
        return [np.asarray(x) for x in eval_closed(call, *args)]

    def examples(self) -> Iterable[Example]:
        aval = ShapedArray((3,), F32)
        in_tree, out_tree = tree.structure((0.0,)), tree.structure(0.0)

        def rule(axis_size: int, in_batched: Any, x: Any) -> tuple[Any, Any]:
            return sin(x), in_batched[0]

        params = {
            "call": stage_closed(lambda x: [sin(x)], [aval]),
            "in_tree": tree.structure(([], (0.0,))),
            "out_tree": out_tree,
            "rule": UserRule(rule, "f", in_tree, out_tree, 0),
        }
        yield Example((aval,), params, reverse=False)


def _twice(treedef: Any) -> Any:
    """The structure of a pair of trees, one of primals and one of tangents."""
    one = tree.unflatten(treedef, [0] * treedef.num_leaves)
    return tree.structure((one, one))


custom_vmap_p = CustomVMapCall()
