"""Taylor mode: a value is a truncated power series, and each primitive maps series to series.

The rule follows from what a primitive is. One that is linear maps each coefficient; one that is bilinear
multiplies as polynomials do; any other integrates: where ``y = f(x)``, the series of ``y'`` is that of the
tangent that the jvp rule gives at ``x`` along ``x'``, and ``y_k`` is its coefficient ``k - 1``, divided by ``k``.
Coefficients are computed when they are asked for, and an operation on the same operands is done once. So the
rule may use its own result, which is known as far as it is needed: that solves the differential equation that
the function satisfies (``exp' = exp``; ``sin' = cos``, ``cos' = -sin``) by its recurrence.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from jaxlab.core.aval import ShapedArray, Zero, aval_of, is_inexact
from jaxlab.core.jaxpr import ClosedJaxpr
from jaxlab.core.memo import memoised
from jaxlab.core.trace import Trace, Tracer, current, interpret_with
from jaxlab.interpreters.staging import eval_closed, stage_closed
from jaxlab.primitives.arithmetic import mul
from jaxlab.primitives.broadcasting import instantiate, zeros_like_aval
from jaxlab.primitives.elementwise import add_any, scalar_like

Coefficient = Any  # a value, or None for zero


class Series(Tracer):
    """A power series, of which coefficients are computed when they are first asked for.

    ``compute`` gets a number and returns that coefficient; those before it are known by then.
    """

    __slots__ = ("compute", "known", "slope")

    def __init__(self, trace: JetTrace, aval: ShapedArray, compute: Callable[[int], Coefficient]) -> None:
        self._trace = trace
        self.aval = aval
        self.compute = compute
        self.known: list[Coefficient] = []
        self.slope: Series | None = None

    def coefficient(self, k: int) -> Coefficient:
        """The coefficient of the k-th power; None if it is known to be zero."""
        while len(self.known) <= k:
            self.known.append(self.compute(len(self.known)))
        return self.known[k]

    def derivative(self) -> Series:
        """The series of the derivative."""
        if self.slope is None:
            trace = self._trace
            assert isinstance(trace, JetTrace)
            aval = self.aval.to_tangent_aval()
            self.slope = Series(trace, aval, lambda k: trace.scaled(self.coefficient(k + 1), k + 1))
        return self.slope

    def concrete(self) -> Any:
        primal = self.coefficient(0)
        return primal.concrete() if isinstance(primal, Tracer) else primal

    def origin(self) -> str:
        return "(a power series, in jet)"


class JetTrace(Trace):
    """Maps power series up to a power ``order``; values that do not change go to the parent."""

    __slots__ = ("done", "nesting", "order")

    def __init__(self, parent: Trace, order: int) -> None:
        super().__init__(parent)
        self.order = order
        self.nesting = 0
        self.done: dict[Any, Any] = {}  # the results of operations, with the operands that their keys are of

    def process(self, primitive: Any, args: Sequence[Any], params: dict[str, Any]) -> Any:
        moving = [self.owns(x) for x in args]
        if not any(moving) and not primitive.unconditional:
            return self.now(primitive, args, params)
        key = None if primitive.effects(params) else _key(primitive, args, params)
        if key is not None and key in self.done:
            return self.done[key][1]
        out = self.result(primitive, moving, args, params, key)
        if not self.nesting:  # at once, in the order of the program: recursion stays as deep as one rule
            for x in out if primitive.multiple_results else [out]:
                if self.owns(x):
                    x.coefficient(self.order)
        return out

    def result(
        self, primitive: Any, moving: Sequence[bool], args: Sequence[Any], params: dict[str, Any], key: Any
    ) -> Any:
        """The result of an application, which is noted before it is known, as rules may refer to it."""
        out = primitive.taylor(self, args, **params)
        if out is NotImplemented:
            linear = {i for i, m in enumerate(moving) if m} <= set(primitive.linear_in)
            if primitive.bilinear and sum(moving) > 1:
                out = self.product(primitive, args, params)
            elif primitive.additive or linear:
                out = self.coefficientwise(primitive, args, params)
            else:
                return self.integral(primitive, args, params, key)
        self.note(key, args, out)
        return out

    def note(self, key: Any, args: Sequence[Any], out: Any) -> None:
        """Remember a result; the operands live as long, as their identities are in the key."""
        if key is not None:
            self.done[key] = (list(args), out)

    def owns(self, x: Any) -> bool:
        """Whether ``x`` is a series of this trace."""
        return type(x) is Series and x._trace is self

    def now(self, primitive: Any, args: Sequence[Any], params: dict[str, Any]) -> Any:
        """Apply a primitive to coefficients."""
        assert self.parent is not None
        with interpret_with(self.parent):
            return primitive.bind(*args, **params)

    def scaled(self, x: Coefficient, factor: float) -> Coefficient:
        """A coefficient times a number."""
        if x is None or factor == 1:
            return x
        return self.now_call(mul, x, scalar_like(x, factor))

    def now_call(self, fun: Callable[..., Any], *args: Any) -> Any:
        """Call a function on coefficients."""
        assert self.parent is not None
        with interpret_with(self.parent):
            return fun(*args)

    def total(self, terms: Sequence[Coefficient]) -> Coefficient:
        """The sum of coefficients."""
        out: Coefficient = None
        for x in terms:
            if x is not None:
                out = x if out is None else self.now_call(add_any, out, x)
        return out

    def at(self, x: Any, k: int) -> Coefficient:
        """A coefficient of anything: of a value that does not change, only that of the power 0 is not zero."""
        return x.coefficient(k) if self.owns(x) else x if k == 0 else None

    def full(self, x: Any, k: int) -> Any:
        """A coefficient as a value, zeros where it is known to be zero."""
        c = self.at(x, k)
        return self.now_call(zeros_like_aval, aval_of(x)) if c is None else c

    def coefficientwise(
        self,
        primitive: Any,
        args: Sequence[Any],
        params: dict[str, Any],
        later: dict[str, Any] | None = None,
    ) -> Any:
        """A linear operation on each coefficient: of the constants in which it is linear, that is zero.

        With ``later`` the coefficients after the first are mapped with these parameters instead.
        """
        linear = [primitive.additive or i in primitive.linear_in for i in range(len(args))]

        def compute(k: int) -> Any:
            if k == 0:
                return self.now(primitive, [self.at(x, 0) for x in args], params)
            given = [self.at(x, k) for x in args]
            if all(c is None for c in given):
                return None
            operands = [
                x
                if primitive.bilinear and not self.owns(x)  # a factor that is a constant
                else self.full(x, k)
                if is_linear
                else self.at(x, 0)
                for x, is_linear in zip(args, linear, strict=True)
            ]
            return self.now(primitive, operands, params if later is None else later)

        out = self.results(primitive, args, params, compute)
        if primitive.multiple_results and not out:
            # Nobody will ask for a coefficient: what happens to the references that hold them is all there is.
            for k in range(1, self.order + 1):
                compute(k)
        return out

    def product(self, primitive: Any, args: Sequence[Any], params: dict[str, Any]) -> Any:
        """A bilinear operation, as polynomials are multiplied."""
        x, y = args

        def term(j: int, k: int) -> Coefficient:
            a, b = self.at(x, j), self.at(y, k - j)
            return None if a is None or b is None else self.now(primitive, [a, b], params)

        return self.results(primitive, args, params, lambda k: self.total([term(j, k) for j in range(k + 1)]))

    def integral(self, primitive: Any, args: Sequence[Any], params: dict[str, Any], key: Any) -> Any:
        """The series that the jvp rule determines."""
        tangents: list[Any] = []

        def slopes() -> list[Any]:
            if not tangents:
                moving = [
                    x.derivative()
                    if self.owns(x) and is_inexact(x.aval.dtype)
                    else Zero(aval_of(x).to_tangent_aval())
                    for x in args
                ]
                self.nesting += 1
                try:
                    with interpret_with(self):
                        found = primitive.jvp(list(args), moving, **params)[1]
                finally:
                    self.nesting -= 1
                tangents.extend(found if primitive.multiple_results else [found])
            return tangents

        def compute(k: int) -> Any:
            if k == 0:
                return self.now(primitive, [self.at(x, 0) for x in args], params)
            found = [None if type(t) is Zero else self.scaled(self.at(t, k - 1), 1 / k) for t in slopes()]
            return found if primitive.multiple_results else found[0]

        out = self.results(primitive, args, params, compute)
        self.note(key, args, out)
        return out

    def results(
        self, primitive: Any, args: Sequence[Any], params: dict[str, Any], compute: Callable[[int], Any]
    ) -> Any:
        """The series of the results, of which ``compute`` gives the coefficients, all results at once.

        A result without a tangent does not change: it is a value.
        """
        known: list[Any] = [compute(0)]

        def all_of(k: int) -> Any:
            while len(known) <= k:
                known.append(compute(len(known)))
            return known[k]

        if not primitive.multiple_results:
            return self.series(known[0], all_of)
        return [self.series(x, self.picking(all_of, i)) for i, x in enumerate(known[0])]

    @staticmethod
    def picking(all_of: Callable[[int], Any], i: int) -> Callable[[int], Coefficient]:
        """One of several results."""

        def one(k: int) -> Coefficient:
            out = all_of(k)
            return None if out is None else out[i]

        return one

    def series(self, first: Any, compute: Callable[[int], Coefficient]) -> Any:
        """The series with this first coefficient; a value that has no tangent is no series."""
        aval = aval_of(first)
        return Series(self, aval, compute) if is_inexact(aval.dtype) else first

    def call(
        self,
        closed: ClosedJaxpr,
        args: Sequence[Any],
        apply: Callable[[ClosedJaxpr, Sequence[Any]], Sequence[Any]],
    ) -> list[Any]:
        """The series of a program's results; ``apply`` applies the derived program to coefficients."""
        moving = [self.owns(x) for x in args]
        derived, moving_out = jet_jaxpr(closed, self.order, moving)
        out = self.now_call(apply, derived, self.operands(args, moving))
        return self.from_operands(out, moving_out)

    def operands(self, args: Sequence[Any], moving: Sequence[bool]) -> list[Any]:
        """What a derived program takes: all values, then the other coefficients of each that moves."""
        powers = range(1, self.order + 1)
        return [self.at(x, 0) for x in args] + [
            self.full(x, k) for x, m in zip(args, moving, strict=True) if m for k in powers
        ]

    def from_operands(self, out: Sequence[Any], moving: Sequence[bool]) -> list[Any]:
        """The results of a derived program as series, in the order of `operands`."""
        rest = iter(out[len(moving) :])
        results: list[Any] = []
        for x, m in zip(out, moving, strict=False):
            results.append(self.polynomial([x, *[next(rest) for _ in range(self.order)]]) if m else x)
        return results

    def polynomial(self, coefficients: Sequence[Any]) -> Series:
        """The series with given coefficients."""
        return Series(self, aval_of(coefficients[0]), lambda k: coefficients[k])


def _key(primitive: Any, args: Sequence[Any], params: dict[str, Any]) -> Any:
    """What the result of an application depends on, if that can be a key."""
    operands = tuple(
        (type(x), x) if isinstance(x, bool | int | float | complex | np.generic) else id(x) for x in args
    )
    key = (primitive, operands, tuple(params.items()))
    try:
        hash(key)
    except TypeError:
        return None
    return key


def jet_flat(
    fun: Callable[..., Sequence[Any]],
    primals: Sequence[Any],
    series: Sequence[Sequence[Any] | None],
    order: int,
) -> tuple[list[Any], list[list[Coefficient] | None]]:
    """Values of ``fun``, flat like its arguments, and their coefficients from the power 1 on.

    Args:
      series: the same of the arguments; None for those that do not change.

    A result that does not change has None for its coefficients, a coefficient known to be zero is None.
    """
    trace = JetTrace(current.trace, order)
    with interpret_with(trace):
        args = [
            x if terms is None else trace.polynomial([x, *terms])
            for x, terms in zip(primals, series, strict=True)
        ]
        outputs = fun(*args)
    return [trace.at(x, 0) for x in outputs], [
        [trace.at(x, k) for k in range(1, order + 1)] if trace.owns(x) else None for x in outputs
    ]


def jet_jaxpr(
    closed: ClosedJaxpr, order: int, moving: Sequence[bool], moving_out: Sequence[bool] | None = None
) -> tuple[ClosedJaxpr, list[bool]]:
    """The program of values and coefficients.

    Its inputs are all values, followed by ``order`` coefficients of each input in ``moving``; its outputs all
    values, followed by the coefficients of those that move (those in ``moving_out`` in any case), as the second
    result tells.
    """
    return _jet_jaxpr(closed, order, list(moving), list(moving_out or [False] * len(closed.jaxpr.outvars)))


@memoised
def _jet_jaxpr(
    closed: ClosedJaxpr, order: int, moving: Sequence[bool], forced: Sequence[bool]
) -> tuple[ClosedJaxpr, list[bool]]:
    avals = closed.in_avals
    tangent_avals = [
        a.to_tangent_aval() for a, m in zip(avals, moving, strict=True) if m for _ in range(order)
    ]
    moving_out: list[bool] = []

    def fun(*inputs: Any) -> list[Any]:
        given = iter(inputs[len(avals) :])
        series = [[next(given) for _ in range(order)] if m else None for m in moving]
        values, terms = jet_flat(lambda *xs: eval_closed(closed, *xs), inputs[: len(avals)], series, order)
        moving_out[:] = [f or t is not None for t, f in zip(terms, forced, strict=True)]
        out = list(values)
        for x, ts, m in zip(values, terms, moving_out, strict=True):
            if m:
                zero = Zero(aval_of(x).to_tangent_aval())
                out += [instantiate(zero) if t is None else t for t in ts or [None] * order]
        return out

    return stage_closed(fun, [*avals, *tangent_avals], closed.jaxpr.debug), moving_out
