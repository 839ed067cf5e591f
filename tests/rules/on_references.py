"""What works on a reference, as an operation on the value in it: so it is tested like any other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jaxlab.core.aval import UndefinedPrimal, Zero, aval_of
from jaxlab.core.effects import CREATE, changed_operands
from jaxlab.core.primitive import Primitive
from jaxlab.core.refs import AbstractRef, is_ref
from jaxlab.primitives.broadcasting import broadcast_axis, instantiate
from jaxlab.primitives.reference_access import CotangentRef
from jaxlab.primitives.references import StatePrimitive, freeze_p, new_ref_p


def on_values(primitive: Primitive) -> Primitive:
    """The primitive itself, or on values where it is about references."""
    return OnValue(primitive) if isinstance(primitive, StatePrimitive) else primitive


def reference_to(x: Any) -> Any:
    return new_ref_p.bind(x, kind=None, memory_space=None, linear=False)


class OnValue(Primitive):
    """A primitive on a reference that is made of the first operand.

    Its results are the last value in the reference, then those of the primitive. Each of its rules is the rule
    of the primitive, between making and ending references: so what is tested of a rule is what a program has.
    """

    multiple_results = True

    def __init__(self, primitive: StatePrimitive) -> None:
        # Not registered: it is no primitive of the library.
        self.primitive = primitive
        self.name = primitive.name
        self.linear_in = primitive.linear_in
        self.makes = CREATE in primitive.effect
        self.writes = bool(changed_operands(primitive.effect))

    def _results(self, out: Any) -> list[Any]:
        return list(out) if self.primitive.multiple_results else [out]

    def _given(self, args: Sequence[Any]) -> list[Any]:
        return list(args) if self.makes else [reference_to(args[0]), *args[1:]]

    def _values(self, args: Sequence[Any], out: Any) -> list[Any]:
        if self.makes:
            return [freeze_p.bind(out)]
        return [freeze_p.bind(args[0]), *self._results(out)]

    def bind(self, *args: Any, **params: Any) -> Any:
        given = self._given(args)
        return self._values(given, self.primitive.bind(*given, **params))

    def abstract_eval(self, *avals: Any, **params: Any) -> Any:
        if self.makes:
            return [self.primitive.abstract_eval(*avals, **params).inner_aval]
        ref = avals[0] if is_ref(avals[0]) else AbstractRef(avals[0])
        return [ref.inner_aval, *self._results(self.primitive.abstract_eval(ref, *avals[1:], **params))]

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any], **params: Any) -> tuple[Any, Any]:
        given = self._given(primals)
        dots = list(tangents)
        if not self.makes:
            is_zero = type(tangents[0]) is Zero and tangents[0].aval.dtype != primals[0].dtype
            dots[0] = (
                Zero(AbstractRef(tangents[0].aval)) if is_zero else reference_to(instantiate(tangents[0]))
            )
        out, out_dots = self.primitive.jvp(given, dots, **params)
        ref_dot = out_dots if self.makes else dots[0]
        rest = [] if self.makes else self._results(out_dots)
        last = Zero(ref_dot.aval.inner_aval) if type(ref_dot) is Zero else freeze_p.bind(ref_dot)
        return self._values(given, out), [last, *rest]

    def transpose(self, ct: Any, *args: Any, **params: Any) -> Sequence[Any]:
        last, *cts = ct
        if self.makes:
            zero = type(last) is Zero
            return self.primitive.transpose(last if zero else reference_to(last), *args, **params)
        aval = args[0].aval if isinstance(args[0], UndefinedPrimal) else aval_of(args[0])
        place = CotangentRef(AbstractRef(aval), None if type(last) is Zero else reference_to(last))
        rest = cts if self.primitive.multiple_results else cts[0]
        found = list(self.primitive.transpose(rest, place, *args[1:], **params))
        found[0] = None if place.ref is None else freeze_p.bind(place.ref)
        return found

    def batch(
        self, size: int, args: Sequence[Any], dims: Sequence[int | None], **params: Any
    ) -> tuple[Any, Any]:
        if self.makes:
            out, dim = self.primitive.batch(size, args, dims, **params)
            return self._values(args, out), [dim]
        if dims[0] is None and self.writes:  # a reference that is not mapped cannot be written to
            args, dims = [broadcast_axis(args[0], size, 0), *args[1:]], [0, *dims[1:]]
        given = self._given(args)
        if all(d is None for d in dims):
            return self._values(given, self.primitive.bind(*given, **params)), [None] * 2
        out, where = self.primitive.batch(size, given, dims, **params)
        return self._values(given, out), [dims[0], *self._results(where)]

    def reference(self, *arrays: Any, **params: Any) -> Any:
        value, out = self.primitive.reference(*arrays, **params)
        return [value] if self.makes else [value, *self._results(out)]
