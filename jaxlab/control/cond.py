"""``cond`` and ``switch``: one of several functions, chosen by a value known only when the program runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from jaxlab import tree
from jaxlab.control.bodies import Body, refuse_io, share_constants, trace_body, with_operands
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
from jaxlab.primitives.comparison import clamp, eq, ne, select_n
from jaxlab.primitives.conversion import convert_element_type, stop_gradient
from jaxlab.primitives.creation import placeholder
from jaxlab.primitives.transcendental import cos, sin

I32 = np.dtype(np.int32)
NO_OPERAND = object()


def cond(
    pred: Any,
    true_fun: Callable[..., Any],
    false_fun: Callable[..., Any],
    *operands: Any,
    operand: Any = NO_OPERAND,
) -> Any:
    """``true_fun(*operands)`` if ``pred`` else ``false_fun(*operands)``, decided when the program runs.

    Args:
      pred: a scalar, boolean or number (then compared with zero).
      true_fun, false_fun: functions whose results have the same structure, shapes and dtypes.
      operands: pytrees of arrays.
      operand: the only operand, by name (an older form).

    Raises:
      TypeError: if ``pred`` is not a scalar, or the branches' results differ.

    >>> cond(True, lambda x: x + 1, lambda x: x - 1, 3)
    Array(4, dtype=int32, weak_type=True)
    """
    if operand is not NO_OPERAND:
        operands = (operand,)
    aval = aval_of(pred)
    if aval.shape:
        raise TypeError(
            f"cond: the predicate has type {aval.str_short()}, but a scalar is needed; reduce it with any or "
            "all"
        )
    if aval.dtype.kind not in "biuf":
        raise TypeError(
            f"cond: the predicate has dtype {aval.dtype.name}, but a boolean or a real number is needed"
        )
    if aval.dtype.kind != "b":
        pred = ne(pred, np.zeros((), aval.dtype)[()])
    index = convert_element_type(pred, I32)
    return _branch("cond", index, [false_fun, true_fun], operands, ("false_fun", "true_fun"))


def switch(
    index: Any, branches: Sequence[Callable[..., Any]], *operands: Any, operand: Any = NO_OPERAND
) -> Any:
    """``branches[index](*operands)``, decided when the program runs; an index out of range is clamped.

    Raises:
      TypeError: if ``index`` is not an integer scalar, or the branches' results differ.
      ValueError: if there are no branches.

    >>> switch(1, [jnp.sin, jnp.cos], 0.0)
    Array(1., dtype=float32, weak_type=True)
    """
    if operand is not NO_OPERAND:
        operands = (operand,)
    if not branches:
        raise ValueError("switch: the sequence of branches is empty, but at least one is needed")
    aval = aval_of(index)
    if aval.shape or aval.dtype.kind not in "iu":
        raise TypeError(f"switch: the index has type {aval.str_short()}, but an integer scalar is needed")
    if len(branches) == 1:
        return branches[0](*operands)
    index = convert_element_type(index, I32)
    index = clamp(np.int32(0), index, np.int32(len(branches) - 1))
    return _branch(
        "switch", index, list(branches), operands, tuple(f"branches[{i}]" for i in range(len(branches)))
    )


def _branch(
    what: str,
    index: Any,
    functions: Sequence[Callable[..., Any]],
    operands: tuple[Any, ...],
    names: Sequence[str],
) -> Any:
    leaves = tree.leaves(operands)
    avals = [aval_of(x) for x in leaves]
    bodies = [trace_body(f, operands, avals, what) for f in functions]
    _check_same(what, bodies, names)
    programs, shared = share_constants(bodies)
    programs = _join_weak_types(programs)
    out = cond_p.bind(index, *shared, *leaves, branches=tuple(programs))
    return tree.unflatten(bodies[0].out_tree, out)


def _check_same(what: str, bodies: Sequence[Body], names: Sequence[str]) -> None:
    first = bodies[0]
    for body, name in zip(bodies[1:], names[1:], strict=True):
        if body.out_tree != first.out_tree:
            raise TypeError(
                f"{what}: the branches must return the same structure, but {names[0]} returned "
                f"{first.out_tree} and {name} returned {body.out_tree}"
            )
        for i, (a, b) in enumerate(zip(first.jaxpr.out_avals, body.jaxpr.out_avals, strict=True)):
            if a.shape != b.shape or a.dtype != b.dtype:
                example = tree.unflatten(first.out_tree, first.jaxpr.out_avals)
                path = tree.keystr(tree.leaves_with_path(example)[i][0])
                raise TypeError(
                    f"{what}: the branches must return the same types, but the result{path} is "
                    f"{a.str_short()} in {names[0]} and {b.str_short()} in {name}"
                )


def _join_weak_types(programs: list[ClosedJaxpr]) -> list[ClosedJaxpr]:
    """A result is weakly typed only if it is so in every branch."""
    weak = [all(avals) for avals in zip(*[[a.weak_type for a in p.out_avals] for p in programs], strict=True)]
    if all([a.weak_type for a in p.out_avals] == weak for p in programs):
        return programs

    return [_strengthened(p, weak) for p in programs]


@memoised
def _strengthened(closed: ClosedJaxpr, weak: Sequence[bool]) -> ClosedJaxpr:
    """The program with only those results weakly typed that are marked in ``weak``."""

    def fun(*args: Any) -> list[Any]:
        return [
            x if w or not aval_of(x).weak_type else convert_element_type(x, aval_of(x).dtype)
            for x, w in zip(eval_closed(closed, *args), weak, strict=True)
        ]

    return stage_closed(fun, closed.in_avals, closed.jaxpr.debug)


class Cond(HigherOrder):
    name = "cond"

    def abstract_eval(self, index: Any, *operands: Any, branches: Any, **params: Any) -> list[ShapedArray]:
        return branches[0].out_avals

    def lower(self, ctx: Any, index: Any, *operands: Any, branches: Any, **params: Any) -> list[Any]:
        b = ctx.b
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
