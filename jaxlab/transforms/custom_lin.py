"""The ``custom_lin`` primitive: the linear part of a call with a backward rule."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jaxlab.core.aval import ShapedArray, Zero
from jaxlab.core.axes import MappedAxis
from jaxlab.core.primitive import Primitive
from jaxlab.core.trace import current
from jaxlab.interpreters.batching import stacked_aval
from jaxlab.primitives.broadcasting import reduce_sum
from jaxlab.runtime.transfer import put
from jaxlab.transforms.ruled_call import (
    batch_with_zeros,
    call_rule,
    matched,
)
from jaxlab.transforms.symbolic_zeros import shown_to_rule


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
        if not current.trace.staging:
            # The cotangent that `grad` starts from is a Python number; a rule may call its methods.
            cts = [put(x) if type(x) in (bool, int, float, complex) else x for x in cts]
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


custom_lin_p = CustomLin()
