"""The primitive of `checkpoint`: a program whose values are computed again when its derivative needs them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from jaxlab.core.aval import ShapedArray, UndefinedPrimal
from jaxlab.core.axes import MappedAxis
from jaxlab.core.higher_order import HigherOrder
from jaxlab.core.jaxpr import ClosedJaxpr, JaxprEqn
from jaxlab.core.memo import memoised
from jaxlab.core.primitive import Example
from jaxlab.core.pruning import prune_jaxpr, pruned_call
from jaxlab.core.trace import current, interpret_with
from jaxlab.interpreters.batching import batch_jaxpr
from jaxlab.interpreters.jvp import jvp_of_call
from jaxlab.interpreters.partial_eval import Halves, split_jaxpr
from jaxlab.interpreters.saving import Policy, save_by_policy, save_in_call
from jaxlab.interpreters.staging import eval_closed, stage_closed
from jaxlab.interpreters.transpose import transpose_of_call
from jaxlab.primitives.arithmetic import mul
from jaxlab.primitives.broadcasting import F32
from jaxlab.primitives.transcendental import sin
from jaxlab.runtime.transfer import put
from jaxlab.transforms.checkpoint_policies import nothing_saveable


class Checkpoint(HigherOrder):
    """The application of a program that is run again, instead of saving what the linear part of it needs."""

    name = "remat2"

    def bind(self, *args: Any, **params: Any) -> Any:
        """Apply it; at once, equation by equation, because every call has a jaxpr of its own to compile."""
        if current.trace.parent is None:
            out = eval_closed(params["jaxpr"], *args)
            return [put(x) if isinstance(x, bool | int | float | complex) else x for x in out]
        return super().bind(*args, **params)

    def abstract_eval(self, *avals: Any, jaxpr: ClosedJaxpr, **params: Any) -> list[ShapedArray]:
        return jaxpr.out_avals

    def lower(
        self,
        ctx: Any,
        *operands: Any,
        jaxpr: ClosedJaxpr,
        prevent_cse: Any,
        differentiated: bool,
        policy: Any,
    ) -> list[Any]:
        flags = (prevent_cse,) * len(operands) if isinstance(prevent_cse, bool) else prevent_cse
        if differentiated and any(flags):
            chosen = [x for x, flag in zip(operands, flags, strict=True) if flag]
            types = [ctx.b.type(a) for a, flag in zip(ctx.avals_in, flags, strict=True) if flag]
            held = iter(ctx.b.op("stablehlo.optimization_barrier", types, chosen).results)
            operands = tuple(next(held) if flag else x for x, flag in zip(operands, flags, strict=True))
            plain = all(isinstance(aval.dtype, np.dtype) for aval in ctx.avals_out)
            if ctx.platform == "cpu" and plain and not jaxpr.effects:
                return _lower_in_a_branch(ctx, jaxpr, operands)
        return list(ctx.inline(jaxpr, ctx.b, operands, "checkpoint"))

    def jvp(
        self,
        primals: Sequence[Any],
        tangents: Sequence[Any],
        *,
        jaxpr: ClosedJaxpr,
        prevent_cse: Any,
        **params: Any,
    ) -> tuple[list[Any], list[Any]]:
        def apply(both: ClosedJaxpr, operands: Sequence[Any]) -> list[Any]:
            barrier = _extended(prevent_cse, len(operands))
            out: list[Any] = self.bind(*operands, jaxpr=both, prevent_cse=barrier, **params)
            return out

        return jvp_of_call(jaxpr, primals, tangents, apply)

    def partial_eval(
        self,
        trace: Any,
        unknown: Sequence[bool],
        args: Sequence[Any],
        *,
        jaxpr: ClosedJaxpr,
        prevent_cse: Any,
        policy: Any,
        **params: Any,
    ) -> list[Any]:
        """What is known runs now, outside of any checkpoint; the rest takes what it needs of the arguments."""
        halves, read = _checkpoint_halves(jaxpr, list(unknown), policy or nothing_saveable)
        known_args = [x for x, u in zip(args, unknown, strict=True) if not u]
        with interpret_with(trace.parent):
            if trace.nested:
                flags = _of_known(prevent_cse, unknown)
                out = self.bind(*known_args, jaxpr=halves.known, prevent_cse=flags, policy=policy, **params)
            else:
                out = eval_closed(halves.known, *known_args)
        count = len(out) - halves.num_residuals
        outputs, saved = out[:count], out[count:]
        barrier = prevent_cse
        if not isinstance(prevent_cse, bool):
            flags = [flag for flag, r in zip(prevent_cse, read, strict=True) if r]
            barrier = (True,) * len(saved) + tuple(flags)
        later = trace.unknown.process(
            self,
            [*saved, *[x for x, r in zip(args, read, strict=True) if r]],
            {"jaxpr": halves.unknown, "prevent_cse": barrier, "policy": policy, "differentiated": True},
        )
        known_outputs, unknown_outputs = iter(outputs), iter(later)
        return [next(unknown_outputs) if u else next(known_outputs) for u in halves.out_unknown]

    def transpose(
        self, ct: Any, *args: Any, jaxpr: ClosedJaxpr, prevent_cse: Any, **params: Any
    ) -> list[Any]:
        kept = _of_known(prevent_cse, [type(x) is UndefinedPrimal for x in args])

        def apply(back: ClosedJaxpr, operands: Sequence[Any]) -> list[Any]:
            barrier = _extended(kept, len(operands))
            out: list[Any] = self.bind(*operands, jaxpr=back, prevent_cse=barrier, **params)
            return out

        return transpose_of_call(jaxpr, ct, args, apply)

    def batch(
        self,
        axis: MappedAxis,
        args: Sequence[Any],
        dims: Sequence[int | None],
        *,
        jaxpr: ClosedJaxpr,
        **params: Any,
    ) -> tuple[list[Any], list[int | None]]:
        batched, mapped = batch_jaxpr(jaxpr, axis, dims)
        return self.bind(*args, jaxpr=batched, **params), [0 if m else None for m in mapped]

    def prune(self, eqn: JaxprEqn, used: Sequence[bool]) -> JaxprEqn:
        return pruned_call(eqn, "jaxpr", used, **_flags_of(eqn))

    def save(self, eqn: JaxprEqn, wanted: Sequence[bool], policy: Any) -> tuple[JaxprEqn, JaxprEqn]:
        first, second = save_in_call(eqn, "jaxpr", wanted, policy, **_flags_of(eqn))
        return first, second.replace(params={**second.params, "differentiated": True})

    def check(self, trace: Any, args: Sequence[Any], *, jaxpr: ClosedJaxpr, **params: Any) -> list[Any]:
        checked = trace.checked(jaxpr)
        return list(trace.outputs(checked.err_tree, self.bind(*args, jaxpr=checked.program, **params)))

    def taylor(self, trace: Any, args: Sequence[Any], *, jaxpr: ClosedJaxpr, **params: Any) -> list[Any]:
        """The series of the program: nothing is saved on the way forward, so there is nothing to do again."""
        return eval_closed(jaxpr, *args)

    def reference(self, *args: Any, jaxpr: ClosedJaxpr, **params: Any) -> list[Any]:
        return [np.asarray(x) for x in eval_closed(jaxpr, *args)]

    def examples(self) -> Iterable[Example]:
        aval = ShapedArray((3,), F32)
        jaxpr = stage_closed(lambda x, y: [mul(sin(x), y), sin(sin(x))], [aval, aval])
        for prevent_cse, differentiated in ((True, False), ((True, False), True)):
            yield Example(
                (aval, aval),
                {
                    "jaxpr": jaxpr,
                    "prevent_cse": prevent_cse,
                    "differentiated": differentiated,
                    "policy": None,
                },
            )


def _lower_in_a_branch(ctx: Any, jaxpr: ClosedJaxpr, operands: Sequence[Any]) -> list[Any]:
    """The program in a branch that is always taken, which the compiler cannot know.

    The CPU compiler drops barriers before it merges and orders operations: it would do the second computation
    right after the first, and keep everything from there on. It moves nothing out of a branch, which waits for
    all of its operands, the cotangents among them. (Eight layers of a 2048 x 2048 matrix: 67 MB of temporaries,
    against 285 MB without checkpoint and 403 MB with a barrier, in the same time.)
    """
    b = ctx.b
    scalar = ShapedArray((), F32)
    integers = np.dtype(np.int64)
    draw = b.value(
        "stablehlo.rng",
        b.type(scalar),
        b.full(0, scalar),
        b.full(1, scalar),
        b.constant(np.zeros((0,), integers), integers),
        rng_distribution=b.parse("#stablehlo<rng_distribution UNIFORM>"),
    )
    above = b.value(
        "stablehlo.compare",
        b.type(ShapedArray((), np.dtype(np.bool_))),
        draw,
        b.full(2, scalar),
        comparison_direction=b.parse("#stablehlo<comparison_direction GT>"),
    )
    index = b.value("stablehlo.convert", b.type(ShapedArray((), np.dtype(np.int32))), above)
    case = b.op("stablehlo.case", [b.type(aval) for aval in ctx.avals_out], [index], regions=2)
    taken, never = (b.block(region, [])[0] for region in case.regions)
    taken.end(ctx.inline(jaxpr, taken, operands, "checkpoint"))
    never.end([never.full(0, aval) for aval in ctx.avals_out])
    return list(case.results)


def _extended(prevent_cse: Any, count: int) -> Any:
    """The same for so many operands, of which the last ones are behind the barrier."""
    return (
        prevent_cse if isinstance(prevent_cse, bool) else prevent_cse + (True,) * (count - len(prevent_cse))
    )


def _of_known(prevent_cse: Any, unknown: Sequence[bool]) -> Any:
    if isinstance(prevent_cse, bool):
        return prevent_cse
    return tuple(flag for flag, u in zip(prevent_cse, unknown, strict=True) if not u)


def _flags_of(eqn: JaxprEqn) -> dict[str, Any]:
    prevent_cse = eqn.params["prevent_cse"]
    return {} if isinstance(prevent_cse, bool) else {"prevent_cse": prevent_cse}


@memoised
def _checkpoint_halves(
    closed: ClosedJaxpr, unknown: Sequence[bool], policy: Policy
) -> tuple[Halves, list[bool]]:
    """The program split: what is known and saved, and the rest, from what is saved and all arguments.

    The second result tells which of the arguments the rest takes.
    """
    halves = split_jaxpr(closed, unknown, nested=True)
    count = len(halves.known.jaxpr.outvars) - halves.num_residuals
    wanted = [False] * count + [True] * halves.num_residuals
    kept = save_by_policy(halves.known, wanted, policy, True)
    total = len(halves.known.jaxpr.outvars)
    saved = kept.known.out_avals[total:]
    now, _ = prune_jaxpr(
        kept.known,
        [True] * count + [False] * halves.num_residuals + [True] * len(saved),
        [True] * len(kept.known.in_avals),
    )

    def rest(*inputs: Any) -> list[Any]:
        args = inputs[len(saved) :]
        known_args = [x for x, u in zip(args, unknown, strict=True) if not u]
        residuals = eval_closed(kept.unknown, *inputs[: len(saved)], *known_args)
        return eval_closed(halves.unknown, *residuals, *[x for x, u in zip(args, unknown, strict=True) if u])

    staged = stage_closed(rest, [*saved, *closed.in_avals], closed.jaxpr.debug)
    outs = [True] * len(staged.jaxpr.outvars)
    later, read = prune_jaxpr(staged, outs, [True] * len(saved) + [False] * len(unknown))
    return Halves(now, later, halves.out_unknown, len(saved)), read[len(saved) :]


checkpoint_p = Checkpoint()
