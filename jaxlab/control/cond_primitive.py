"""The ``cond`` primitive: the one of several programs that an index tells, as one equation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from jaxlab.control.bodies import refuse_io, with_operands
from jaxlab.control.discharging import discharge_cond
from jaxlab.control.series import series_of_branches
from jaxlab.core.aval import ShapedArray, UndefinedPrimal, Zero, aval_of
from jaxlab.core.axes import MappedAxis
from jaxlab.core.effects import ordered
from jaxlab.core.higher_order import HigherOrder
from jaxlab.core.jaxpr import ClosedJaxpr, JaxprEqn, Var
from jaxlab.core.memo import memoised
from jaxlab.core.primitive import Example
from jaxlab.core.pruning import prune_jaxpr
from jaxlab.core.trace import interpret_with
from jaxlab.interpreters.batching import batch_jaxpr, move_to
from jaxlab.interpreters.jvp import jvp_jaxpr
from jaxlab.interpreters.partial_eval import Halves, split_jaxpr
from jaxlab.interpreters.saving import save_by_policy
from jaxlab.interpreters.staging import eval_closed, stage_closed
from jaxlab.interpreters.transpose import transpose_jaxpr
from jaxlab.primitives.broadcasting import F32, broadcast_in_dim
from jaxlab.primitives.comparison import eq, select_n
from jaxlab.primitives.conversion import stop_gradient
from jaxlab.primitives.creation import placeholder
from jaxlab.primitives.transcendental import cos, sin


def branch_for(platforms: Sequence[Sequence[str] | None], platform: str) -> int:
    """Which of the groups of platforms has this one; None stands for all that no other group has.

    Raises:
      NotImplementedError: if there is no such group.
    """
    for i, group in enumerate(platforms):
        if group is not None and platform in group:
            return i
    if None in platforms:
        return platforms.index(None)
    known = ", ".join(name for group in platforms for name in group or ())
    raise NotImplementedError(
        f"platform_dependent: the program is made for {platform}, but there are functions for {known} only; "
        "give one for it, or default="
    )


class Cond(HigherOrder):
    """The program in ``branches`` that the index tells, on the operands.

    With ``branches_platforms`` the index is that of the platform: the branch is chosen when the program is
    lowered.
    """

    name = "cond"

    def abstract_eval(self, index: Any, *operands: Any, branches: Any, **params: Any) -> list[ShapedArray]:
        return branches[0].out_avals

    def lower(
        self, ctx: Any, index: Any, *operands: Any, branches: Any, branches_platforms: Any = None
    ) -> list[Any]:
        b = ctx.b
        if branches_platforms is not None:
            chosen = branch_for(branches_platforms, ctx.platform)
            return list(ctx.inline(branches[chosen], b, operands, f"branch_{chosen}_fun"))
        keeps_order = any(ordered(branch.effects) for branch in branches)
        results = [b.type(aval) for aval in ctx.avals_out] + [b.token] * keeps_order
        case = b.op("stablehlo.case", results, [index], regions=len(branches))
        before = ctx.token
        for i, (region, branch) in enumerate(zip(case.regions, branches, strict=True)):
            inner, _ = b.block(region, [])
            ctx.token = before
            out = ctx.inline(branch, inner, operands, f"branch_{i}_fun")
            inner.end([*out, ctx.token] if keeps_order else out)
        out = list(case.results)
        ctx.token = out.pop() if keeps_order else before
        return out

    def step_through(
        self, run: Callable[..., list[Any]], index: Any, *args: Any, branches: Any, **params: Any
    ) -> None:
        chosen = min(max(int(index), 0), len(branches) - 1)
        run(branches[chosen], args, f"branch {chosen} of cond")

    def jvp(
        self, primals: Sequence[Any], tangents: Sequence[Any], *, branches: Any, **params: Any
    ) -> tuple[list[Any], list[Any]]:
        nonzero = [type(t) is not Zero for t in tangents[1:]]
        flags = [jvp_jaxpr(branch, nonzero)[1] for branch in branches]
        nonzero_out = [any(each) for each in zip(*flags, strict=True)]
        derived = tuple(jvp_jaxpr(branch, nonzero, nonzero_out)[0] for branch in branches)
        given = [t for t, n in zip(tangents[1:], nonzero, strict=True) if n]
        out = self.bind(*primals, *given, branches=derived, **params)
        count = len(branches[0].jaxpr.outvars)
        rest = iter(out[count:])
        avals = branches[0].out_avals
        return out[:count], [
            next(rest) if n else Zero(aval.to_tangent_aval())
            for n, aval in zip(nonzero_out, avals, strict=True)
        ]

    def partial_eval(
        self, trace: Any, unknown: Sequence[bool], args: Sequence[Any], *, branches: Any, **params: Any
    ) -> list[Any]:
        if unknown[0]:
            return trace.unknown.process(self, args, {"branches": branches, **params})
        flags = [split_jaxpr(branch, unknown[1:]).out_unknown for branch in branches]
        out_unknown = [any(each) for each in zip(*flags, strict=True)]
        halves = [split_jaxpr(branch, unknown[1:], out_unknown) for branch in branches]
        now, later, num_residuals = _share_residuals(halves)
        known_args = [x for x, u in zip(args, unknown, strict=True) if not u]
        with interpret_with(trace.parent):
            out = self.bind(*known_args, branches=tuple(now), **params)
        outputs, residuals = out[: len(out) - num_residuals], out[len(out) - num_residuals :]
        unknown_args = [x for x, u in zip(args, unknown, strict=True) if u]
        rest = trace.unknown.process(
            self, [args[0], *residuals, *unknown_args], {"branches": tuple(later), **params}
        )
        known_outputs, unknown_outputs = iter(outputs), iter(rest)
        return [next(unknown_outputs) if u else next(known_outputs) for u in out_unknown]

    def transpose(self, ct: Any, index: Any, *args: Any, branches: Any, **params: Any) -> list[Any]:
        # What only unread results needed is not sent back through.
        kept_in: Sequence[bool] = [True] * (1 + len(args))
        pruned = self.dce([type(c) is not Zero for c in ct], branches=branches, **params)
        if pruned is not None:
            params, kept_in, kept_out = pruned
            branches = params.pop("branches")
            ct = [c for c, kept in zip(ct, kept_out, strict=True) if kept]
        args = tuple(x for x, kept in zip(args, kept_in[1:], strict=True) if kept)
        linear = [type(x) is UndefinedPrimal for x in args]
        back = tuple(transpose_jaxpr(branch, linear, [False] * len(ct), True)[0] for branch in branches)
        values = [x for x, u in zip(args, linear, strict=True) if not u]
        out = iter(self.bind(index, *values, *ct, branches=back, **params))
        found = iter([next(out) if u else None for u in linear])
        return [None, *[next(found) if kept else None for kept in kept_in[1:]]]

    def dce(
        self, used: Sequence[bool], *, branches: Any, **params: Any
    ) -> tuple[dict[str, Any], Sequence[bool], Sequence[bool]] | None:
        used = list(used)
        needed = [any(each) for each in zip(*[prune_jaxpr(b, used)[1] for b in branches], strict=True)]
        pruned = tuple(prune_jaxpr(branch, used, needed)[0] for branch in branches)
        if all(new is old for new, old in zip(pruned, branches, strict=True)):
            return None
        return {"branches": pruned, **params}, [True, *needed], used

    def batch(
        self,
        axis: MappedAxis,
        args: Sequence[Any],
        dims: Sequence[int | None],
        *,
        branches: Any,
        **params: Any,
    ) -> tuple[list[Any], list[int | None]]:
        index, *operands = args
        index_dim, *operand_dims = dims
        if index_dim is not None:
            refuse_io("cond", branches)
            fronted = [move_to(x, d, 0, axis.size) for x, d in zip(args, dims, strict=True)]
            return _select_branches(axis, fronted[0], fronted[1:], branches)
        flags = [batch_jaxpr(branch, axis, operand_dims)[1] for branch in branches]
        mapped = [any(each) for each in zip(*flags, strict=True)]
        derived = tuple(batch_jaxpr(branch, axis, operand_dims, mapped)[0] for branch in branches)
        return self.bind(index, *operands, branches=derived, **params), [0 if m else None for m in mapped]

    def save(self, eqn: JaxprEqn, wanted: Sequence[bool], policy: Any) -> tuple[JaxprEqn, JaxprEqn]:
        halves = [save_by_policy(branch, list(wanted), policy, False) for branch in eqn.params["branches"]]
        now, later, _ = _share_residuals(halves)
        saved = [Var(aval) for aval in now[0].out_avals[len(eqn.outvars) :]]
        results = [v for v, w in zip(eqn.outvars, wanted, strict=True) if w]
        first = eqn.replace(outvars=eqn.outvars + saved, params={**eqn.params, "branches": tuple(now)})
        second = eqn.replace(
            invars=[eqn.invars[0], *saved, *eqn.invars[1:]],
            outvars=results,
            params={**eqn.params, "branches": tuple(later)},
        )
        return first, self.prune(second, [True] * len(results))

    def check(self, trace: Any, args: Sequence[Any], *, branches: Any, **params: Any) -> list[Any]:
        programs, err_tree = trace.checked_alike(branches)
        return list(trace.outputs(err_tree, self.bind(*args, branches=tuple(programs), **params)))

    def operand(self, place: int, params: dict[str, Any]) -> int:
        return place + 1

    def discharge(self, *args: Any, **params: Any) -> tuple[list[Any], dict[int, Any]]:
        return discharge_cond(self, *args, **params)

    def taylor(self, trace: Any, args: Sequence[Any], *, branches: Any, **params: Any) -> list[Any]:
        return series_of_branches(self, trace, args, branches, params)

    def reference(self, index: Any, *operands: Any, branches: Any, **params: Any) -> Any:
        return [np.asarray(x) for x in eval_closed(branches[int(index)], *operands)]

    def examples(self) -> Iterable[Example]:
        aval = ShapedArray((3,), F32)
        branches = tuple(stage_closed(f, [aval]) for f in (lambda x: [sin(x)], lambda x: [cos(x)]))
        for index in (0, 1):
            yield Example((np.int32(index), aval), {"branches": branches})


def _select_branches(
    axis: MappedAxis, index: Any, operands: Sequence[Any], branches: Any
) -> tuple[list[Any], list[int | None]]:
    """All branches on all slices, then for each slice the one that its index asks for.

    A slice that does not ask for a branch still goes through it, at a point where the branch may have no
    finite derivative. There its tangent is cut: zero times infinity would be NaN, in spite of the choice.
    """
    results = []
    for i, branch in enumerate(branches):
        asked = eq(index, np.int32(i))
        safe = [_choose(asked, stop_gradient(x), x) for x in operands]
        derived, _ = batch_jaxpr(branch, axis, [0] * len(operands), True)
        results.append(eval_closed(derived, *safe))
    return [_choose(index, *cases) for cases in zip(*results, strict=True)], [0] * len(results[0])


def _choose(index: Any, *cases: Any) -> Any:
    """For each slice along axis 0 the case that its index asks for."""
    shape = aval_of(cases[0]).shape
    return select_n(broadcast_in_dim(index, shape, (0,)) if len(shape) > 1 else index, *cases)


def _share_residuals(halves: Sequence[Halves]) -> tuple[list[ClosedJaxpr], list[ClosedJaxpr], int]:
    """Branches that save and take the same residuals: a place holds those of one type, of every branch."""
    places: list[ShapedArray] = []
    own: list[list[int]] = []
    for half in halves:
        taken: list[int] = []
        for aval in half.known.out_avals[len(half.known.out_avals) - half.num_residuals :]:
            strong = aval.strip_weak_type()
            free = [i for i, known in enumerate(places) if known == strong and i not in taken]
            if not free:
                places.append(strong)
            taken.append(free[0] if free else len(places) - 1)
        own.append(taken)
    now = [_saving(half.known, places, taken) for half, taken in zip(halves, own, strict=True)]
    later = [with_operands(half.unknown, taken, places) for half, taken in zip(halves, own, strict=True)]
    return now, later, len(places)


@memoised
def _saving(known: ClosedJaxpr, places: Sequence[ShapedArray], taken: Sequence[int]) -> ClosedJaxpr:
    """The known half, its last results (the residuals) at ``taken`` among all places, nothing elsewhere.

    What stands for nothing where there is something is dead code, gone before the program is lowered.
    """
    known, _ = prune_jaxpr(known, [True] * len(known.out_avals), [True] * len(known.in_avals))
    count = len(known.out_avals) - len(taken)

    def fun(*args: Any) -> list[Any]:
        out = eval_closed(known, *args)
        saved = [placeholder(aval) for aval in places]
        for place, x in zip(taken, out[count:], strict=True):
            saved[place] = x
        return out[:count] + saved

    return stage_closed(fun, known.in_avals, known.jaxpr.debug)


cond_p = Cond()
