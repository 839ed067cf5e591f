"""Lowering rules given to primitives one by one, under the names of ``jax.interpreters.mlir``.

A rule gets a context and the operands as values of the module, and returns the values of its results. Operations of
the dialects are built where the program is being written, at the place in the source of its equation:

>>> from jaxlib.mlir.dialects import stablehlo
>>> twice_p = jaxlab.extend.core.Primitive("twice")
>>> _ = twice_p.def_abstract_eval(lambda x: x)
>>> jaxlab.interpreters.mlir.register_lowering(twice_p, lambda ctx, x: [stablehlo.AddOp(x, x).result])
>>> jit(twice_p.bind)(3.0)
Array(6., dtype=float32, weak_type=True)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from jaxlab import tree
from jaxlab.core.aval import ShapedArray
from jaxlab.core.jaxpr import DebugInfo
from jaxlab.core.primitive import Primitive
from jaxlab.interpreters.functions import function_name
from jaxlab.interpreters.lowering import LoweringContext
from jaxlab.interpreters.staging import stage_closed

__all__ = ["LoweringRule", "LoweringRuleContext", "lower_fun", "register_lowering"]

LoweringRule = Callable[..., Any]
LoweringRuleContext = LoweringContext


class _ByPlatform:
    """The ``lower`` method of a primitive that was given its rules: that of the platform, or the one for all."""

    def __init__(self, primitive: Primitive) -> None:
        self.primitive = primitive
        self.rules: dict[str | None, LoweringRule] = {}

    def __call__(self, ctx: LoweringContext, *operands: Any, **params: Any) -> Any:
        rule = self.rules.get(ctx.platform) or self.rules.get(None)
        if rule is None:
            raise NotImplementedError(
                f"jit: primitive {self.primitive} is to be compiled for {ctx.platform}, but its lowering rules are for "
                f"{', '.join(sorted(str(p) for p in self.rules))} alone; register one for {ctx.platform}, or for all"
            )
        with ctx.b.ip, ctx.b.location:
            out = rule(ctx, *operands, **params)
        return list(out) if self.primitive.multiple_results else out[0]


_PLATFORMS = {"gpu": ("cuda", "rocm")}


def register_lowering(
    prim: Primitive,
    rule: LoweringRule,
    platform: str | None = None,
    inline: bool = True,
    cacheable: bool = True,
) -> None:
    """Give a primitive the rule by which it is compiled.

    Args:
      prim: the primitive.
      rule: ``rule(ctx, *operands, **params)``, the list of its results' values; `lower_fun` makes one.
      platform: ``"cpu"``, ``"gpu"``, ``"cuda"``, ``"rocm"`` or ``"tpu"``, if the rule is for that alone.
      inline: as in JAX; the operations are always written where the equation stands.
      cacheable: as in JAX; the rule is asked for each equation.
    """
    lower = vars(prim).get("lower")
    if not isinstance(lower, _ByPlatform):
        lower = _ByPlatform(prim)
        vars(prim)["lower"] = lower
        prim.plain = None
    for name in _PLATFORMS.get(platform or "", (platform,)):
        lower.rules[name] = rule


def lower_fun(fun: Callable[..., Any], multiple_results: bool = True) -> LoweringRule:
    """The lowering rule that writes what ``fun`` does.

    Args:
      fun: a function of the operands and, by keyword, the parameters.
      multiple_results: whether it returns a sequence of results.

    >>> cube_p = jaxlab.extend.core.Primitive("cube")
    >>> _ = cube_p.def_abstract_eval(lambda x: x)
    >>> rule = lower_fun(lambda x: x * x * x, multiple_results=False)
    >>> register_lowering(cube_p, rule)
    >>> jit(cube_p.bind)(2.0)
    Array(8., dtype=float32, weak_type=True)
    """

    def rule(ctx: LoweringContext, *operands: Any, **params: Any) -> list[Any]:
        # The operands may have been broadcast, so their own shapes count, not those in the equation.
        avals = [
            ShapedArray(
                ctx.b.shape_of(x)[: len(ctx.b.shape_of(x)) - _key_rank(aval)], aval.dtype, aval.weak_type
            )
            for x, aval in zip(operands, ctx.avals_in, strict=True)
        ]

        def flat(*xs: Any) -> Sequence[Any]:
            out = fun(*xs, **params)
            return tree.leaves(out) if multiple_results else [out]

        closed = stage_closed(flat, avals, DebugInfo(function_name(fun)))
        return ctx.inline(closed, ctx.b, operands)

    return rule


def _key_rank(aval: ShapedArray) -> int:
    """How many axes of the value are the words of a random key."""
    return len(getattr(aval.dtype, "key_shape", ()))
