"""Lowering: a jaxpr becomes a StableHLO module, each operation carrying the frames of its equation."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from jaxlab.core import source
from jaxlab.core.aval import ShapedArray
from jaxlab.core.effects import ordered
from jaxlab.core.jaxpr import (
    ClosedJaxpr,
    Jaxpr,
    JaxprEqn,
    Literal,
    PrunedEqn,
    Var,
    dce,
    inputs_read,
)
from jaxlab.stablehlo.build import Builder, Module


@dataclass(frozen=True, slots=True)
class Lowered:
    """A module ready to compile.

    Attributes:
      module: the ``ir.Module``.
      kept: for each argument of the jaxpr, whether the module takes it.
      callbacks: Python functions that the module calls, in the order of their indices.
      equations: the equations, also of inner jaxprs, by the numbers in the locations of their operations.
    """

    module: Any
    kept: tuple[bool, ...]
    callbacks: tuple[Any, ...]
    equations: tuple[JaxprEqn, ...]


class ModuleLowering:
    """What is shared by all functions of one module."""

    __slots__ = ("callbacks", "equations", "functions", "module", "numbers", "platform")

    def __init__(self, name: str, platform: str) -> None:
        self.module = Module(name)
        self.platform = platform
        self.functions: dict[Any, str] = {}
        self.callbacks: list[Any] = []
        self.equations: list[JaxprEqn] = []
        self.numbers: dict[Jaxpr, int] = {}

    def number_of_first(self, jaxpr: Jaxpr) -> int:
        """The number of a jaxpr's first equation; the others follow. They are the same wherever it is written again."""
        known = self.numbers.get(jaxpr)
        if known is None:
            known = self.numbers[jaxpr] = len(self.equations)
            self.equations += [eqn.of if type(eqn) is PrunedEqn else eqn for eqn in jaxpr.eqns]
        return known


class LoweringContext:
    """What a ``lower`` rule sees: the builder ``b``, the types of operands and results, and the platform.

    ``token`` is what the next operation that must keep its place takes and gives a new one for; None in
    programs without such. Regions get it as an argument, or see it, and hand the last one out.
    """

    __slots__ = ("b", "eqn", "scope", "shared", "token")

    def __init__(self, shared: ModuleLowering, b: Builder, scope: str) -> None:
        self.shared = shared
        self.b = b
        self.scope = scope
        self.eqn: JaxprEqn
        self.token: Any = None

    @property
    def avals_in(self) -> list[ShapedArray]:
        """The types of the operands."""
        return [v.aval for v in self.eqn.invars]

    @property
    def avals_out(self) -> list[ShapedArray]:
        """The types of the results."""
        return [v.aval for v in self.eqn.outvars]

    @property
    def platform(self) -> str:
        """The platform compiled for: cpu, cuda, tpu."""
        return self.shared.platform

    @property
    def aval_out(self) -> ShapedArray:
        """The type of the only result."""
        return self.eqn.outvars[0].aval

    def inline(self, closed: ClosedJaxpr, b: Builder, operands: Sequence[Any], scope: str = "") -> list[Any]:
        """Write the equations of a jaxpr at ``b``, for the bodies of loops, branches and reductions."""
        inner = LoweringContext(self.shared, b, f"{self.scope}/{scope}" if scope else self.scope)
        inner.token = self.token
        results = lower_equations(inner, closed.jaxpr, closed.consts, operands)
        self.token = inner.token
        return results

    def call(self, closed: ClosedJaxpr, name: str, operands: Sequence[Any]) -> list[Any]:
        """Call a jaxpr as a function of the module, written once however often it is called."""
        shared = self.shared
        b = self.b
        keeps_order = ordered(closed.effects)
        leading = [b.token] if keeps_order else []
        results = leading + [b.type(aval) for aval in closed.out_avals]
        symbol = shared.functions.get(closed)
        if symbol is None:
            symbol, body, arguments = shared.module.function(
                symbol_name(name), leading + [b.type(aval) for aval in closed.in_avals], results
            )
            shared.functions[closed] = symbol
            inner = LoweringContext(shared, body, f"{self.scope}/jit({name})")
            if keeps_order:
                inner.token, *arguments = arguments
            values = lower_equations(inner, closed.jaxpr, closed.consts, arguments)
            body.end([inner.token, *values] if keeps_order else values, "func.return")
        if keeps_order:
            operands = [self.token, *operands]
        out = list(b.op("func.call", results, operands, {"callee": b.parse(f"@{symbol}")}).results)
        if keeps_order:
            self.token, *out = out
        return out


def lower_equations(
    ctx: LoweringContext, jaxpr: Jaxpr, consts: Sequence[Any], operands: Sequence[Any]
) -> list[Any]:
    """Write a jaxpr's equations at the context's builder; returns the values of its outputs."""
    b = ctx.b
    outer = b.location
    env: dict[Var, Any] = dict(zip(jaxpr.invars, operands, strict=True))
    for var, x in zip(jaxpr.constvars, consts, strict=True):
        env[var] = constant(b, x, var.aval)
    # The hot loop of lowering: bound methods, and the commonest operations written on the spot.
    prefix, locate, spread, plain, typed = f"{ctx.scope}/", b.locate, b.spread, b.plain, b.tensor
    for number, eqn in enumerate(jaxpr.eqns, ctx.shared.number_of_first(jaxpr)):
        primitive = eqn.primitive
        name = f"{prefix}{eqn.scope}/{primitive.name}" if eqn.scope else prefix + primitive.name
        b.location = locate(name, eqn.traceback, number)
        operation = primitive.plain
        if operation is not None:
            var = eqn.outvars[0]
            aval = var.aval
            shape = aval.shape
            values = []
            for v in eqn.invars:
                x = env[v] if type(v) is Var else constant(b, v.val, v.aval)
                values.append(x if v.aval.shape == shape else spread(x, v.aval, shape))
            env[var] = plain(operation, typed(shape, aval.dtype), values)
            continue
        values = [env[v] if type(v) is Var else constant(b, v.val, v.aval) for v in eqn.invars]
        ctx.eqn = eqn
        try:
            out = primitive.lower(ctx, *values, **eqn.params)
        except Exception as error:
            source.made_at(error, eqn.traceback)
            raise
        if primitive.multiple_results:
            env.update(zip(eqn.outvars, out, strict=True))
        else:
            env[eqn.outvars[0]] = out
    b.location = outer
    return [constant(b, v.val, v.aval) if type(v) is Literal else env[v] for v in jaxpr.outvars]


def constant(b: Builder, x: Any, aval: ShapedArray) -> Any:
    """A constant of the module; typed keys contribute their words."""
    if not isinstance(aval.dtype, np.dtype):
        return b.constant(np.asarray(x.words))
    return b.constant(x, aval.dtype)


def symbol_name(name: str) -> str:
    """A function's name as an MLIR symbol."""
    return re.sub(r"[^\w.]", "_", name) or "unnamed"


def _has_loops(jaxpr: Jaxpr, seen: set[int]) -> bool:
    """Whether a program, or one that it calls, holds others than calls: loops and branches."""
    for eqn in jaxpr.eqns:
        if eqn.primitive.holds_programs:
            called = eqn.primitive.program(eqn.params)
            if called is None:
                return True
            if id(called) not in seen:
                seen.add(id(called))
                if _has_loops(called.jaxpr, seen):
                    return True
    return False


def lower_program(
    closed: ClosedJaxpr,
    *,
    name: str,
    platform: str,
    aliases: Sequence[int | None] = (),
    keep_unused: bool = False,
) -> Lowered:
    """The module of a jaxpr: its ``main`` takes the jaxpr's inputs (those used, unless ``keep_unused``).

    ``aliases`` tells for each input the result that takes its buffer, or None.
    """
    jaxpr = closed.jaxpr
    if _has_loops(jaxpr, set()):
        # What is dead in a loop the compiler cannot see; what is dead elsewhere it removes itself.
        jaxpr, _ = dce(jaxpr, [True] * len(jaxpr.outvars))
    used = inputs_read(jaxpr)
    kept = tuple(keep_unused or v in used for v in jaxpr.invars)
    shared = ModuleLowering(f"jit_{symbol_name(name)}", platform)
    outer = shared.module.builder
    invars = [v for v, keep in zip(jaxpr.invars, kept, strict=True) if keep]
    names = jaxpr.debug.arg_names or ("",) * len(jaxpr.invars)
    attributes = None
    if aliases:
        places = [place for place, keep in zip(aliases, kept, strict=True) if keep]
        attributes = [{} if place is None else {"tf.aliasing_output": outer.i32(place)} for place in places]
    _, body, arguments = shared.module.function(
        "main",
        [outer.type(v.aval) for v in invars],
        [outer.type(v.aval) for v in jaxpr.outvars],
        public=True,
        argument_names=[n for n, keep in zip(names, kept, strict=False) if keep],
        argument_attributes=attributes,
    )
    given = iter(arguments)
    operands = [next(given) if keep else None for keep in kept]
    ctx = LoweringContext(shared, body, f"jit({name})")
    if ordered(jaxpr.effects):
        ctx.token = body.value("stablehlo.after_all", body.token)
    body.end(lower_equations(ctx, jaxpr, closed.consts, operands), "func.return")
    return Lowered(shared.module.module, kept, tuple(shared.callbacks), tuple(shared.equations))
