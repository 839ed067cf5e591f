"""What works across named axes, as an operation on whole stacks: so it is tested like any other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jaxlab.core.aval import UndefinedPrimal, Zero
from jaxlab.core.axes import MappedAxis, binding_axes
from jaxlab.core.primitive import Primitive
from jaxlab.interpreters.batching import batch_flat, move_to, slice_aval, stacked_aval


def over_axes(primitive: Primitive, axes: Sequence[tuple[str, int]]) -> Primitive:
    """The primitive itself, or mapped over named axes, the first of them outermost."""
    for name, size in reversed(axes):
        primitive = Mapped(primitive, name, size)
    return primitive


class Mapped(Primitive):
    """A primitive mapped over one named axis, which is axis 0 of every operand and of every result.

    Each of its rules is the rule of the primitive, mapped: so what is tested of a rule is what a user sees of
    it through vmap.
    """

    def __init__(self, primitive: Primitive, name: str, size: int) -> None:
        # Not registered: it is no primitive of the library.
        self.primitive = primitive
        self.name = primitive.name
        self.multiple_results = primitive.multiple_results
        self.linear_in = primitive.linear_in
        self.axis = MappedAxis(size, name)

    def _map(self, fun: Any, args: Sequence[Any], dims: Sequence[int] | None = None) -> list[Any]:
        """``fun`` on all slices; every result with the axis in front."""
        out, places = batch_flat(fun, self.axis, args, dims or [0] * len(args))
        return [move_to(x, d, 0, self.axis.size) for x, d in zip(out, places, strict=True)]

    def _results(self, out: Any) -> list[Any]:
        return list(out) if self.multiple_results else [out]

    def _given(self, out: list[Any]) -> Any:
        return out if self.multiple_results else out[0]

    def bind(self, *args: Any, **params: Any) -> Any:
        return self._given(self._map(lambda *xs: self._results(self.primitive.bind(*xs, **params)), args))

    def abstract_eval(self, *avals: Any, **params: Any) -> Any:
        size, name = self.axis.size, self.axis.name
        with binding_axes([(name, size)]):
            out = self._results(self.primitive.abstract_eval(*[slice_aval(a, 0) for a in avals], **params))
        return self._given([stacked_aval(aval, size, 0) for aval in out])

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any], **params: Any) -> tuple[Any, Any]:
        count = len(primals)
        given = [t for t in tangents if type(t) is not Zero]
        zeros: dict[int, Zero] = {}

        def rule(*xs: Any) -> list[Any]:
            rest = iter(xs[count:])
            ts = [Zero(slice_aval(t.aval, 0)) if type(t) is Zero else next(rest) for t in tangents]
            out, out_ts = self.primitive.jvp(xs[:count], ts, **params)
            out, out_ts = self._results(out), self._results(out_ts)
            for i, t in enumerate(out_ts):
                if type(t) is Zero:
                    zeros[i] = Zero(stacked_aval(t.aval, self.axis.size, 0))
            return [*out, *[t for t in out_ts if type(t) is not Zero]]

        results = self._map(rule, [*primals, *given])
        total = (len(results) + len(zeros)) // 2
        nonzero = iter(results[total:])
        ts = [zeros[i] if i in zeros else next(nonzero) for i in range(total)]
        return self._given(results[:total]), self._given(ts)

    def transpose(self, ct: Any, *args: Any, **params: Any) -> Sequence[Any]:
        cts = self._results(ct)
        values = [x for x in args if type(x) is not UndefinedPrimal]
        given = [c for c in cts if type(c) is not Zero]
        found: list[bool] = []

        def rule(*xs: Any) -> list[Any]:
            known, rest = iter(xs[: len(values)]), iter(xs[len(values) :])
            operands = [
                UndefinedPrimal(slice_aval(x.aval, 0)) if type(x) is UndefinedPrimal else next(known)
                for x in args
            ]
            inner = [Zero(slice_aval(c.aval, 0)) if type(c) is Zero else next(rest) for c in cts]
            pulled = self.primitive.transpose(self._given(inner), *operands, **params)
            found[:] = [p is not None for p in pulled]
            return [p for p in pulled if p is not None]

        pulled = iter(self._map(rule, [*values, *given]))
        return [next(pulled) if f else None for f in found]

    def batch(
        self, size: int, args: Sequence[Any], dims: Sequence[int | None], **params: Any
    ) -> tuple[Any, Any]:
        """The primitive's batch rule for another axis, under the map over its own."""
        inner_dims = [None if d is None else max(d - 1, 0) for d in dims]
        places = [1 if d == 0 else 0 for d in dims]
        out_dims: list[int | None] = []
        axis = MappedAxis(size) if self.primitive.axis_aware else size

        def rule(*xs: Any) -> list[Any]:
            out, where = self.primitive.batch(axis, xs, inner_dims, **params)  # type: ignore[arg-type]
            out_dims[:] = self._results(where)
            return self._results(out)

        out = self._map(rule, args, places)
        return self._given(out), self._given([None if d is None else d + 1 for d in out_dims])

    def reference(self, *arrays: Any, **params: Any) -> Any:
        with binding_axes([(self.axis.name, self.axis.size)]):
            return self.primitive.reference(*arrays, **params)
