"""The ``custom_vjp_call`` primitive, a call whose cotangents a user's rule pulls back, and its linear part."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from jaxlab import tree
from jaxlab.core.aval import ShapedArray, Zero, aval_of
from jaxlab.core.axes import MappedAxis
from jaxlab.core.primitive import Example, Primitive
from jaxlab.core.trace import current
from jaxlab.dtypes import float0
from jaxlab.interpreters.batching import batch_flat, stacked_aval
from jaxlab.interpreters.functions import function_name
from jaxlab.primitives.arithmetic import mul
from jaxlab.primitives.broadcasting import F32, reduce_sum
from jaxlab.primitives.transcendental import cos, sin
from jaxlab.transforms.descriptions import check_result, kind_of
from jaxlab.transforms.ruled_call import (
    BatchedRule,
    RuledCall,
    applied,
    batch_with_zeros,
    call_rule,
    matched,
    named,
)
from jaxlab.transforms.ruled_function import FlatCall, leaf_path
from jaxlab.transforms.symbolic_zeros import SymbolicZero, from_rule, shown_to_rule


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


class BatchedPullback:
    """A backward rule mapped over stacks of residuals and cotangents."""

    __slots__ = ("axis", "in_dims", "out_dims", "pullback", "residual_dims", "tag")

    def __init__(
        self,
        pullback: Any,
        axis: MappedAxis,
        residual_dims: Sequence[int | None],
        out_dims: Sequence[int | None],
        in_dims: Sequence[int | None],
        tag: object | None = None,
    ) -> None:
        self.pullback = pullback
        self.tag = tag
        self.axis = axis
        self.residual_dims = list(residual_dims)
        self.out_dims = list(out_dims)
        self.in_dims = list(in_dims)

    def __str__(self) -> str:
        return str(self.pullback)

    def __call__(self, residuals: Sequence[Any], cts: Sequence[Any]) -> list[Any]:
        count = len(residuals)

        def fun(*xs: Any) -> list[Any]:
            found: list[Any] = self.pullback(xs[:count], xs[count:])
            return found

        dims = [*self.residual_dims, *self.out_dims]
        found, places = batch_with_zeros(fun, self.axis, [*residuals, *cts], dims, self.tag)
        return [self.own(x, d, w) for x, d, w in zip(found, places, self.in_dims, strict=True)]

    def own(self, x: Any, dim: int | None, wanted: int | None) -> Any:
        """The cotangent of an operand; of one that all slices share it is the sum of theirs."""
        if wanted is None and dim is not None and type(x) is not Zero:
            return reduce_sum(x, (dim,))
        return matched(x, dim, wanted, self.axis)


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


class CustomLin(Primitive):
    """The derivative of a call with a backward rule: its transpose is known, it itself is not.

    Its first ``num_res`` operands are residuals, the others the tangents that are not zero.
    """

    name = "custom_lin"
    multiple_results = True
    axis_aware = True
    takes_references = True

    def bind(self, *args: Any, **params: Any) -> Any:
        """Record the application; there is nothing that could be computed at once."""
        if current.trace.parent is None:
            raise no_forward_mode(params)
        return super().bind(*args, **params)

    def printed(self, params: dict[str, Any]) -> dict[str, Any]:
        shown = {name: params[name] for name in ("bwd", "in_zeros", "num_res", "symbolic_zeros")}
        return shown | {"in_zeros": list(params["in_zeros"])}

    def abstract_eval(self, *avals: Any, out_avals: Any, **params: Any) -> list[ShapedArray]:
        return list(out_avals)

    def lower(self, ctx: Any, *operands: Any, **params: Any) -> Any:
        raise no_forward_mode(params)

    def reference(self, *args: Any, **params: Any) -> Any:
        raise no_forward_mode(params)

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any], **params: Any) -> tuple[Any, Any]:
        raise NotImplementedError(str(no_forward_mode(params)))

    def transpose(
        self, ct: Any, *args: Any, bwd: Any, in_zeros: Any, num_res: int, symbolic_zeros: bool, **params: Any
    ) -> list[Any]:
        cts = [shown_to_rule(x, symbolic_zeros) for x in ct]
        found = call_rule("custom_vjp", str(bwd), bwd, args[:num_res], cts)
        wanted = [x for x, zero in zip(found, in_zeros, strict=True) if not zero]
        return [None] * num_res + [None if type(x) is Zero else x for x in wanted]

    def batch(
        self,
        axis: MappedAxis,
        args: Sequence[Any],
        dims: Sequence[int | None],
        *,
        bwd: Any,
        in_zeros: Any,
        num_res: int,
        out_avals: Any,
        **params: Any,
    ) -> tuple[list[Any], list[int | None]]:
        given = iter(dims[num_res:])
        in_dims = [None if zero else next(given) for zero in in_zeros]
        out_dims = [0] * len(out_avals)
        batched = BatchedPullback(bwd, axis, dims[:num_res], out_dims, in_dims)
        stacked = tuple(stacked_aval(aval, axis.size, 0) for aval in out_avals)
        params |= {"in_zeros": in_zeros, "num_res": num_res, "out_avals": stacked}
        return self.bind(*args, bwd=batched, **params), list(out_dims)


def no_forward_mode(params: dict[str, Any]) -> TypeError:
    """The error for a derivative that is asked for forwards and known only backwards."""
    return TypeError(
        f"jvp: a function with the custom_vjp backward rule {params['bwd']} was differentiated in forward mode, but "
        "that rule is for reverse mode only; use grad, vjp or jacrev, or give the function a custom_jvp rule"
    )


custom_vjp_call_p = CustomVJPCall()
custom_lin_p = CustomLin()
