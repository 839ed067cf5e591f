"""The ``custom_vjp_call`` primitive: a call whose cotangents a user's rule pulls back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from jaxlab import tree
from jaxlab.core.aval import ShapedArray, Zero, aval_of
from jaxlab.core.primitive import Example
from jaxlab.dtypes import float0
from jaxlab.interpreters.batching import batch_flat
from jaxlab.interpreters.functions import function_name
from jaxlab.primitives.arithmetic import mul
from jaxlab.primitives.broadcasting import F32
from jaxlab.primitives.transcendental import cos, sin
from jaxlab.transforms.custom_lin import BatchedPullback, custom_lin_p
from jaxlab.transforms.descriptions import check_result, kind_of
from jaxlab.transforms.ruled_call import (
    BatchedRule,
    RuledCall,
    applied,
    call_rule,
    named,
)
from jaxlab.transforms.ruled_function import FlatCall, leaf_path
from jaxlab.transforms.symbolic_zeros import SymbolicZero, from_rule

_NUMBERS = (bool, int, float, complex)


class CustomVJPException(Exception):
    """A function with a ``custom_vjp`` rule was differentiated with respect to a value that it closes over."""


@dataclass(slots=True)
class CustomVJPPrimal:
    """An argument as a forward rule with ``symbolic_zeros=True`` gets it.

    Attributes:
      value: the argument.
      perturbed: whether it is being differentiated.
    """

    value: Any
    perturbed: bool


class VjpRule:
    """A user's rules as functions of flat operands."""

    __slots__ = ("bwd", "call", "fwd", "in_avals", "symbolic_zeros")

    def __init__(
        self, fwd: Any, bwd: Any, call: FlatCall, in_avals: Sequence[ShapedArray], symbolic_zeros: bool
    ) -> None:
        self.fwd = fwd
        self.bwd = bwd
        self.call = call
        self.in_avals = list(in_avals)
        self.symbolic_zeros = symbolic_zeros

    @property
    def names(self) -> tuple[str, str]:
        """What the forward and the backward rule are called."""
        return function_name(self.fwd), function_name(self.bwd)

    def forward(self, primals: Sequence[Any], perturbed: Sequence[bool]) -> tuple[list[Any], list[Any], Any]:
        """The results, the residuals, and what pulls cotangents back with those."""
        call = self.call
        operands = list(primals)
        if self.symbolic_zeros:
            operands = [CustomVJPPrimal(x, p) for x, p in zip(primals, perturbed, strict=True)]
        result = self.fwd(*call.arguments(operands))
        what = f"{self.names[0]}, the forward rule of {call.name()},"
        if not isinstance(result, tuple | list) or len(result) != 2:
            raise TypeError(
                f"custom_vjp: {what} returned {kind_of(result)}, but a pair (value, residuals) is needed; return "
                f"the value of {call.name()} and what the backward rule is to get"
            )
        out, out_tree = tree.flatten(result[0])
        residuals, residual_tree = tree.flatten(result[1])
        for x in (*out, *residuals):
            check_result("custom_vjp", self.fwd, x)
        call.check_value(what, out, out_tree)
        return out, residuals, Pullback(self, residual_tree, out_tree)


class Pullback:
    """A user's backward rule as a function of flat residuals and cotangents."""

    __slots__ = ("out_tree", "residual_tree", "rule")

    def __init__(self, rule: VjpRule, residual_tree: Any, out_tree: Any) -> None:
        self.rule = rule
        self.residual_tree = residual_tree
        self.out_tree = out_tree

    def __str__(self) -> str:
        return self.rule.names[1]

    def __call__(self, residuals: Sequence[Any], cts: Sequence[Any]) -> list[Any]:
        """A cotangent, or ``Zero``, for each operand."""
        call = self.rule.call
        result = self.rule.bwd(
            *call.static,
            tree.unflatten(self.residual_tree, residuals),
            tree.unflatten(self.out_tree, cts),
        )
        return [
            self.checked(i, x, aval)
            for i, (x, aval) in enumerate(zip(self.leaves(result), self.rule.in_avals, strict=True))
        ]

    def leaves(self, result: Any) -> list[Any]:
        """What the rule returned for each operand: None stands for zeros, also of a whole argument."""
        in_tree = self.rule.call.in_tree
        if isinstance(result, list) and len(result) == len(in_tree.children()):
            result = tuple(result)
        try:
            if not isinstance(result, tuple):
                raise ValueError
            blank = tree.unflatten(in_tree, range(in_tree.num_leaves))
            return list(tree.broadcast_prefix(result, blank, is_leaf=lambda x: x is None))
        except ValueError:
            name, owner = self.rule.names[1], self.rule.call.name()
            raise TypeError(
                f"custom_vjp: {name}, the backward rule of {owner}, returned structure {tree.structure(result)}, but "
                f"a tuple with a cotangent for each argument is needed, of structure {in_tree}; return None "
                "for an argument whose cotangent is zero"
            ) from None

    def checked(self, i: int, x: Any, aval: ShapedArray) -> Any:
        """A cotangent that fits its operand.

        Raises:
          ValueError: if its shape is another, or its dtype where the operand has none to be differentiated by.
        """
        wanted = aval.to_tangent_aval()
        if x is None or wanted.dtype == float0:
            return Zero(wanted)
        symbolic = type(x) is SymbolicZero
        if not symbolic:
            check_result("custom_vjp", self.rule.bwd, x)
        got = x.aval if symbolic else aval_of(x)
        if got.shape != wanted.shape or (symbolic and got.dtype != wanted.dtype):
            name, owner = self.rule.names[1], self.rule.call.name()
            raise ValueError(
                f"custom_vjp: {name}, the backward rule of {owner}, returned the cotangent"
                f"{leaf_path(self.rule.call.in_tree, i)} of type {got.str_short()}, but the argument there is "
                f"{aval.str_short()}; return a cotangent of the argument's type"
            )
        return from_rule(x)


class BatchedVjpRule(BatchedRule):
    """Rules mapped over stacks of operands."""

    __slots__ = ()

    @property
    def names(self) -> tuple[str, str]:
        """What the forward and the backward rule are called."""
        names: tuple[str, str] = self.rule.names
        return names

    def forward(self, primals: Sequence[Any], perturbed: Sequence[bool]) -> tuple[list[Any], list[Any], Any]:
        """As `VjpRule.forward`, on stacks."""
        axis = self.call.axis
        inner: list[Any] = []

        def fun(*xs: Any) -> list[Any]:
            out, residuals, pullback = self.rule.forward(xs, perturbed)
            inner[:] = [len(out), pullback]
            return [*out, *residuals]

        with named(axis):
            results, dims = batch_flat(fun, axis, primals, self.dims, self.call.inner)
        count, pullback = inner
        out = self.call.placed(results[:count], dims[:count])
        batched = BatchedPullback(
            pullback, axis, dims[count:], self.call.out_dims, self.dims, self.call.inner
        )
        return out, results[count:], batched


class CustomVJPCall(RuledCall):
    name = "custom_vjp_call"
    kind = "custom_vjp"
    batched_rule = BatchedVjpRule

    def printed(self, params: dict[str, Any]) -> dict[str, Any]:
        fwd, bwd = params["rule"].names
        shown = {"name": params["name"], "bwd": bwd, "call_jaxpr": params["call_jaxpr"], "fwd": fwd}
        consts = params["num_consts"]
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
        if any(type(t) is not Zero for t in tangents[:num_consts]):
            raise CustomVJPException(
                f"custom_vjp: {name} closes over a value that is being differentiated, but its rules tell "
                "derivatives by arguments only; pass the value as an argument, or use closure_convert"
            )
        perturbed = [type(t) is not Zero for t in tangents[num_consts:]]
        out, residuals, pullback = call_rule(self.kind, name, rule.forward, primals[num_consts:], perturbed)
        avals = tuple(aval_of(x).to_tangent_aval() for x in out)
        ts = custom_lin_p.bind(
            *residuals,
            *(t for t in tangents[num_consts:] if type(t) is not Zero),
            bwd=pullback,
            in_zeros=tuple(not p for p in perturbed),
            num_res=len(residuals),
            out_avals=avals,
            symbolic_zeros=symbolic_zeros,
        )
        return out, [Zero(aval) if aval.dtype == float0 else t for t, aval in zip(ts, avals, strict=True)]

    def examples(self) -> Iterable[Example]:
        aval = ShapedArray((3,), F32)
        call, _ = FlatCall.of(self.kind, sin, (aval,))
        rule = VjpRule(lambda x: (sin(x), x), lambda x, ct: (mul(ct, cos(x)),), call, [aval], False)
        yield applied(sin, (aval,), rule, symbolic_zeros=False, forward=False)
        call, _ = FlatCall.of(self.kind, mul, (aval, aval))
        rule = VjpRule(_product_forward, _product_backward, call, [aval, aval], True)
        yield applied(mul, (aval, aval), rule, symbolic_zeros=True, forward=False)


def _product_forward(x: Any, y: Any) -> tuple[Any, Any]:
    """A product, and of each factor what the other's cotangent needs, if that is asked for."""
    return mul(x.value, y.value), (y.value if x.perturbed else None, x.value if y.perturbed else None)


def _product_backward(factors: Any, ct: Any) -> tuple[Any, Any]:
    y, x = factors
    if type(ct) is SymbolicZero:
        return None, None
    return None if y is None else mul(ct, y), None if x is None else mul(ct, x)


custom_vjp_call_p = CustomVJPCall()
