"""The ``custom_jvp_call`` primitive: a call whose jvp is a user's rule."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from jaxlab import tree
from jaxlab.core.aval import ShapedArray, aval_of
from jaxlab.core.primitive import Example
from jaxlab.interpreters.functions import function_name
from jaxlab.primitives.arithmetic import mul
from jaxlab.primitives.broadcasting import F32
from jaxlab.primitives.elementwise import add_any
from jaxlab.primitives.transcendental import cos, sin
from jaxlab.transforms.descriptions import kind_of
from jaxlab.transforms.ruled_call import BatchedRule, RuledCall, applied, batch_with_zeros, call_rule, matched
from jaxlab.transforms.ruled_function import FlatCall, leaf_path
from jaxlab.transforms.symbolic_zeros import SymbolicZero, from_rule, shown_to_rule, tangent_aval_of


class JvpRule:
    """A user's rule as a function of flat primals and tangents, which returns flat values and tangents."""

    __slots__ = ("call", "fun")

    def __init__(self, fun: Any, call: FlatCall) -> None:
        self.fun = fun
        self.call = call

    @property
    def num_fixed(self) -> int:
        """How many of the primals have no tangent."""
        return self.call.num_fixed

    def __str__(self) -> str:
        return function_name(self.fun)

    def __call__(self, primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        call, start = self.call, self.call.num_fixed
        result = self.fun(
            *call.static_arguments(primals),
            tree.unflatten(call.in_tree, primals[start:]),
            tree.unflatten(call.in_tree, tangents[start:]),
        )
        what = f"{self}, the custom jvp rule of {call.name()},"
        if not isinstance(result, tuple | list) or len(result) != 2:
            raise TypeError(
                f"custom_jvp: {what} returned {kind_of(result)}, but a pair (value, tangent) is needed; return "
                f"the value of {call.name()} and its tangent"
            )
        out, out_tree = tree.flatten(result[0])
        ts, tangent_tree = tree.flatten(result[1])
        if tangent_tree != out_tree:
            raise TypeError(
                f"custom_jvp: {what} returned a value of structure {out_tree} and a tangent of structure "
                f"{tangent_tree}, but both must have the same structure; return a tangent for each leaf of the "
                "value"
            )
        for i, (x, t) in enumerate(zip(out, ts, strict=True)):
            wanted, got = aval_of(x).to_tangent_aval(), tangent_aval_of(t)
            if wanted.shape != got.shape or wanted.dtype != got.dtype:
                raise TypeError(
                    f"custom_jvp: {what} returned the tangent{leaf_path(out_tree, i)} of type "
                    f"{got.str_short()}, but a value of type {aval_of(x).str_short()} has a tangent of type "
                    f"{wanted.str_short()}; convert or reshape it in the rule"
                )
        call.check_value(what, out, out_tree)
        return out, ts


class BatchedJvpRule(BatchedRule):
    """A rule mapped over stacks of primals and tangents."""

    __slots__ = ()

    @property
    def num_fixed(self) -> int:
        """How many of the primals have no tangent."""
        fixed: int = self.rule.num_fixed
        return fixed

    def __str__(self) -> str:
        return str(self.rule)

    def __call__(self, primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        count = len(primals)

        def fun(*xs: Any) -> list[Any]:
            out, ts = self.rule(xs[:count], xs[count:])
            return [*out, *ts]

        call = self.call
        results, dims = batch_with_zeros(
            fun, call.axis, [*primals, *tangents], [*self.dims, *self.dims], call.inner
        )
        half = len(results) // 2
        joint = [d if d is not None else e for d, e in zip(dims[:half], dims[half:], strict=True)]
        both = zip(results[:half], dims[:half], joint, strict=True)
        out = self.call.placed([matched(x, d, w, self.call.axis) for x, d, w in both], joint)
        each = zip(results[half:], dims[half:], self.call.out_dims, strict=True)
        return out, [matched(t, d, w, self.call.axis) for t, d, w in each]


class CustomJVPCall(RuledCall):
    name = "custom_jvp_call"
    kind = "custom_jvp"
    batched_rule = BatchedJvpRule

    def printed(self, params: dict[str, Any]) -> dict[str, Any]:
        consts = params["num_consts"] + params["rule"].num_fixed
        shown = {"name": params["name"], "call_jaxpr": params["call_jaxpr"], "jvp": params["rule"]}
        return (
            shown | ({"num_consts": consts} if consts else {}) | {"symbolic_zeros": params["symbolic_zeros"]}
        )

    def jvp(
        self,
        primals: Sequence[Any],
        tangents: Sequence[Any],
        *,
        name: str,
        rule: Any,
        num_consts: int,
        symbolic_zeros: bool,
        **params: Any,
    ) -> tuple[list[Any], list[Any]]:
        given = [shown_to_rule(t, symbolic_zeros) for t in tangents[num_consts:]]
        out, ts = call_rule(self.kind, name, rule, primals[num_consts:], given)
        return out, [from_rule(t) for t in ts]

    def examples(self) -> Iterable[Example]:
        aval = ShapedArray((3,), F32)
        call, _ = FlatCall.of(self.kind, sin, (aval,))
        rule = JvpRule(lambda primals, ts: (sin(primals[0]), mul(ts[0], cos(primals[0]))), call)
        yield applied(sin, (aval,), rule, symbolic_zeros=False)
        call, _ = FlatCall.of(self.kind, mul, (aval, aval))
        yield applied(mul, (aval, aval), JvpRule(_product_rule, call), symbolic_zeros=True)


def _product_rule(primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """The jvp of a product, by a rule that looks at which tangents are zero."""
    (x, y), (s, t) = primals, tangents
    parts = [mul(a, b) for a, b in ((s, y), (t, x)) if type(a) is not SymbolicZero]
    return mul(x, y), add_any(*parts) if len(parts) == 2 else parts[0]


custom_jvp_call_p = CustomJVPCall()
