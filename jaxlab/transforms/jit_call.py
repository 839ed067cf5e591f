"""The ``jit`` primitive: the application of a compiled function, as one equation with a jaxpr of its own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from jaxlab import lazy
from jaxlab.core.aval import ShapedArray
from jaxlab.core.axes import MappedAxis
from jaxlab.core.higher_order import HigherOrder
from jaxlab.core.jaxpr import ClosedJaxpr, JaxprEqn, Var, dce
from jaxlab.core.memo import memoised
from jaxlab.core.primitive import Example
from jaxlab.core.pruning import pruned_call
from jaxlab.core.trace import interpret_with
from jaxlab.interpreters.batching import batch_jaxpr_anywhere
from jaxlab.interpreters.jvp import jvp_of_call
from jaxlab.interpreters.partial_eval import Halves, split_jaxpr
from jaxlab.interpreters.staging import eval_closed, stage_closed
from jaxlab.interpreters.transpose import transpose_of_call
from jaxlab.primitives.arithmetic import mul
from jaxlab.primitives.broadcasting import F32
from jaxlab.primitives.transcendental import sin
from jaxlab.runtime.sharding import single_device

if TYPE_CHECKING:
    from jaxlab.interpreters import saving
else:  # loaded when it is first asked for
    saving = lazy.module("jaxlab.interpreters.saving")


class Jit(HigherOrder):
    """The application of a compiled function: one equation that holds the function's jaxpr."""

    name = "jit"
    rules_on_references = True

    def program(self, params: dict[str, Any]) -> ClosedJaxpr:
        closed: ClosedJaxpr = params["jaxpr"]
        return closed

    def printed(self, params: dict[str, Any]) -> dict[str, Any]:
        given = {name: params[name] for name in _SHOWN_IF_GIVEN if params.get(name)}
        if "device" in params and not given.keys() & {"in_shardings", "out_shardings"}:
            sharding, jaxpr = single_device(params["device"]), params["jaxpr"].jaxpr
            given["in_shardings"] = (sharding,) * len(jaxpr.invars)
            given["out_shardings"] = (sharding,) * len(jaxpr.outvars)
        shown = {"jaxpr": params["jaxpr"], **given}
        return {"name": params["name"]} | {name: shown[name] for name in sorted(shown)}

    def abstract_eval(self, *avals: Any, jaxpr: ClosedJaxpr, **params: Any) -> list[ShapedArray]:
        return jaxpr.out_avals

    def lower(self, ctx: Any, *operands: Any, jaxpr: ClosedJaxpr, name: str, **params: Any) -> list[Any]:
        return ctx.call(jaxpr, name, operands)

    def jvp(
        self, primals: Sequence[Any], tangents: Sequence[Any], *, jaxpr: ClosedJaxpr, **params: Any
    ) -> tuple[list[Any], list[Any]]:
        return jvp_of_call(jaxpr, primals, tangents, lambda both, args: self.rebind(both, args, params))

    def partial_eval(
        self, trace: Any, unknown: Sequence[bool], args: Sequence[Any], *, jaxpr: ClosedJaxpr, **params: Any
    ) -> list[Any]:
        halves = split_jaxpr(jaxpr, unknown)
        known_args = [x for x, u in zip(args, unknown, strict=True) if not u]
        with interpret_with(trace.parent):
            outputs, residuals = self.run_known(halves, known_args, params)
        unknown_args = [x for x, u in zip(args, unknown, strict=True) if u]
        later = trace.unknown.process(
            self, [*residuals, *unknown_args], {"jaxpr": halves.unknown, **_fresh(params)}
        )
        known_outputs, unknown_outputs = iter(outputs), iter(later)
        return [next(unknown_outputs) if u else next(known_outputs) for u in halves.out_unknown]

    def run_known(
        self, halves: Halves, args: Sequence[Any], params: dict[str, Any]
    ) -> tuple[list[Any], list[Any]]:
        """The known outputs and the residuals; those that are inputs are not passed through the program."""
        count = len(halves.known.jaxpr.outvars) - halves.num_residuals
        pruned, inputs, outputs = _without_forwarded(halves.known, count)
        computed = self.rebind(pruned, args, params)
        results = [computed[o] if i is None else args[i] for i, o in zip(inputs, outputs, strict=True)]
        return results[:count], results[count:]

    def transpose(self, ct: Any, *args: Any, jaxpr: ClosedJaxpr, **params: Any) -> list[Any]:
        return transpose_of_call(jaxpr, ct, args, lambda back, given: self.rebind(back, given, params))

    def batch(
        self,
        axis: MappedAxis,
        args: Sequence[Any],
        dims: Sequence[int | None],
        *,
        jaxpr: ClosedJaxpr,
        **params: Any,
    ) -> tuple[list[Any], list[int | None]]:
        batched, out_dims = batch_jaxpr_anywhere(jaxpr, axis, dims)
        return self.rebind(batched, args, params), out_dims

    def prune(self, eqn: JaxprEqn, used: Sequence[bool]) -> JaxprEqn:
        return pruned_call(eqn, "jaxpr", used, donated_invars=eqn.params["donated_invars"])

    def save(self, eqn: JaxprEqn, wanted: Sequence[bool], policy: Any) -> tuple[JaxprEqn, JaxprEqn]:
        return saving.save_in_call(eqn.replace(params=_fresh(eqn.params)), "jaxpr", wanted, policy)

    def check(self, trace: Any, args: Sequence[Any], *, jaxpr: ClosedJaxpr, **params: Any) -> list[Any]:
        checked = trace.checked(jaxpr)
        return list(trace.outputs(checked.err_tree, self.rebind(checked.program, args, params)))

    def taylor(self, trace: Any, args: Sequence[Any], *, jaxpr: ClosedJaxpr, **params: Any) -> list[Any]:
        out: list[Any] = trace.call(
            jaxpr, args, lambda derived, operands: self.rebind(derived, operands, params)
        )
        return out

    def reference(self, *args: Any, jaxpr: ClosedJaxpr, **params: Any) -> list[Any]:
        return [np.asarray(x) for x in eval_closed(jaxpr, *args)]

    def examples(self) -> Iterable[Example]:
        aval = ShapedArray((3,), F32)
        params = {"donated_invars": (), "keep_unused": False, "inline": False, "compiler_options_kvs": ()}
        jaxpr = stage_closed(lambda x, y: [mul(sin(x), y), x], [aval, aval])
        yield Example((aval, aval), {"name": "f", "jaxpr": jaxpr, **params})
        inner = stage_closed(lambda x: jit_p.bind(x, x, name="f", jaxpr=jaxpr, **params), [aval])
        yield Example((aval,), {"name": "g", "jaxpr": inner, **params})

    def rebind(self, jaxpr: ClosedJaxpr, args: Sequence[Any], params: dict[str, Any]) -> list[Any]:
        """Apply a program derived from this one."""
        out: list[Any] = self.bind(*args, jaxpr=jaxpr, **_fresh(params))
        return out


@memoised
def _without_forwarded(known: ClosedJaxpr, count: int) -> tuple[ClosedJaxpr, list[int | None], list[int]]:
    """A known half without the results that are inputs, and without the residuals that are results too.

    Returns also for each result the input that it is, and else the result of that program that it is. What
    only the tangents would have needed goes too, where no tangent needs it.
    """
    jaxpr = known.jaxpr
    index = {v: i for i, v in enumerate(jaxpr.invars)}
    inputs = [index.get(v) if type(v) is Var else None for v in jaxpr.outvars]
    needed: list[bool] = []
    outputs: list[int] = []
    places: dict[Any, int] = {}
    for position, (v, i) in enumerate(zip(jaxpr.outvars, inputs, strict=True)):
        known_at = places.get(v) if position >= count and type(v) is Var else None
        needed.append(i is None and known_at is None)
        outputs.append(sum(needed) - 1 if known_at is None else known_at)
        if position < count and type(v) is Var:
            places[v] = outputs[-1]
    return ClosedJaxpr(dce(jaxpr, needed)[0], known.consts), inputs, outputs


_SHOWN_IF_GIVEN = ("donated_invars", "in_shardings", "inline", "keep_unused", "out_shardings")


def _fresh(params: dict[str, Any]) -> dict[str, Any]:
    """Parameters for a derived program: what was said of the original arguments, one by one, is not of its own."""
    if not (params["donated_invars"] or params.get("in_shardings") or params.get("out_shardings")):
        return params
    kept = {name: value for name, value in params.items() if name not in ("in_shardings", "out_shardings")}
    return {**kept, "donated_invars": ()}


jit_p = Jit()
