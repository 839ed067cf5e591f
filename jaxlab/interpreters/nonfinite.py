"""Finding the operation that first gave a NaN or an infinity, for `debug_nans` and `debug_infs`.

A program whose results hold one is run again, operation by operation, and read backwards from the wrong result:
an operation is at fault if its result is wrong and its operands are not. Values that a program masks away
afterwards are therefore not reported, only those that reach a result.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np

from jaxlab import dtypes
from jaxlab.config import _set_local, config
from jaxlab.core import source
from jaxlab.core.aval import aval_of
from jaxlab.core.higher_order import HigherOrder
from jaxlab.core.jaxpr import ClosedJaxpr, JaxprEqn, Var
from jaxlab.core.trace import base_trace, current, interpret_with
from jaxlab.interpreters.functions import FlatFunction
from jaxlab.runtime.array import Array
from jaxlab.runtime.transfer import host_value


def check_results(closed: ClosedJaxpr, name: str, args: Sequence[Any], results: Sequence[Any]) -> None:
    """Raise FloatingPointError if a result of a program holds a value that is watched for.

    Args:
      closed: the program, without constants.
      name: what to call it.
      args: what it was run on.
      results: what it gave.
    """
    watch = _Watch(config.debug_nans, config.debug_infs)
    if any(watch.wrong(x) for x in results):
        # The search runs the operations again, which must neither be checked nor lose their fast paths.
        before = [(option, _set_local(option, False)) for option in ("debug_nans", "debug_infs")]
        try:
            with interpret_with(base_trace()):
                _, found = watch.blame(closed, args, current.traceback or source.take())
        finally:
            for option, value in before:
                _set_local(option, value)
        _report(watch, closed, name, results, found)


@dataclass(slots=True)
class _Fault:
    """An operation at fault: what it was given, what it gave, where, and in which step of which loops."""

    equation: JaxprEqn
    operands: list[Any]
    results: list[Any]
    traceback: Any
    steps: tuple[str, ...]


class _Found(Exception):
    """Ends the search inside a loop."""

    def __init__(self, fault: _Fault) -> None:
        self.fault = fault


class _Watch:
    """What counts as wrong, and the search for where it came from."""

    def __init__(self, nans: bool, infs: bool) -> None:
        self.nans, self.infs = nans, infs

    def mask(self, x: Any) -> Any | None:
        """Which elements are wrong; None where there can be none."""
        if isinstance(x, Array):
            value = host_value(x) if dtypes.issubdtype(x.dtype, np.inexact) else None
        elif isinstance(x, float | complex | np.ndarray | np.generic):
            value = np.asarray(x)
            value = value if dtypes.issubdtype(value.dtype, np.inexact) else None
        else:
            value = None
        if value is None:
            return None
        wrong = np.isnan(value) if self.nans else np.zeros(value.shape, bool)
        return wrong | np.isinf(value) if self.infs else wrong

    def wrong(self, x: Any) -> bool:
        """Whether a value has a wrong element."""
        mask = self.mask(x)
        return mask is not None and bool(mask.any())

    def blame(
        self, closed: ClosedJaxpr, args: Sequence[Any], caller: Any, steps: tuple[str, ...] = ()
    ) -> tuple[list[Any], _Fault | int | None]:
        """The results, and the operation at fault, or the number of the input that was wrong already."""
        jaxpr = closed.jaxpr
        env: dict[Var, Any] = dict(zip(jaxpr.constvars, closed.consts, strict=True))
        env.update(zip(jaxpr.invars, args, strict=True))
        makers: dict[Var, JaxprEqn] = {}
        for eqn in jaxpr.eqns:
            if not eqn.outvars:  # it prints, or does something else that must not happen twice
                continue
            out = eqn.primitive.bind(*_read(eqn, env), **eqn.params)
            results = out if eqn.primitive.multiple_results else [out]
            env.update(zip(eqn.outvars, results, strict=True))
            makers.update(dict.fromkeys(eqn.outvars, eqn))
        outputs = [env[v] if type(v) is Var else v.val for v in jaxpr.outvars]
        suspects = [v for v in jaxpr.outvars if type(v) is Var and self.wrong(env[v])]
        while suspects:
            var = suspects[0]
            maker = makers.get(var)
            if maker is None:
                return outputs, jaxpr.invars.index(var) if var in jaxpr.invars else None
            suspects = [v for v in maker.invars if type(v) is Var and self.wrong(env[v])]
            if not suspects:
                return outputs, self._inside(maker, _read(maker, env), env, caller, steps)
        return outputs, None

    def _inside(
        self, eqn: JaxprEqn, operands: list[Any], env: dict[Var, Any], caller: Any, steps: tuple[str, ...]
    ) -> _Fault:
        """The equation itself, or one of the program that it holds."""
        own = (
            eqn.traceback if source.was_made_inside(eqn.traceback, FlatFunction.__call__.__code__) else caller
        )
        fault = _Fault(eqn, operands, [env[v] for v in eqn.outvars], own, steps)
        if not isinstance(eqn.primitive, HigherOrder):
            return fault

        def run(closed: ClosedJaxpr, args: Sequence[Any], step: str = "") -> list[Any]:
            from_here = (*steps, step) if step else steps
            outputs, found = self.blame(closed, args, own, from_here)
            if isinstance(found, _Fault):
                raise _Found(found)
            return outputs

        try:
            eqn.primitive.step_through(run, *operands, **eqn.params)
        except _Found as inner:
            return inner.fault
        return fault


def _read(eqn: JaxprEqn, env: dict[Var, Any]) -> list[Any]:
    return [env[v] if type(v) is Var else v.val for v in eqn.invars]


# What is said of it


def _report(
    watch: _Watch, closed: ClosedJaxpr, name: str, results: Sequence[Any], found: _Fault | int | None
) -> NoReturn:
    if isinstance(found, _Fault):
        frame = source.user_frame(found.traceback)
        error = FloatingPointError(_told(watch, found, name))
    else:
        frame = source.user_frame(current.traceback or source.take())
        bad = next(x for x in results if watch.wrong(x))
        kind = _kind(watch, bad)
        if found is None:
            text = (
                f"{name}: invalid value ({kind}) encountered: the compiled program gave {_where(watch, bad)}, but "
                "none of its operations does so by itself; the compiler has joined them in another order: "
                "try a wider dtype"
            )
        else:
            names = closed.jaxpr.debug.arg_names
            argument = names[found] if found < len(names) and names[found] else f"number {found}"
            text = (
                f"{name}: invalid value ({kind}) encountered: the argument {argument} of type "
                f"{closed.in_avals[found].str_short()} has it already, and it reached the result; "
                "look where that argument was made"
            )
        error = FloatingPointError(text)
    error.frame = frame  # type: ignore[attr-defined]  # where a notebook points
    raise error


def _told(watch: _Watch, fault: _Fault, name: str) -> str:
    primitive = fault.equation.primitive.name
    bad = next(x for x in fault.results if watch.wrong(x))
    given = " and ".join(_operand(watch, x) for x in fault.operands) or "nothing"
    already = any(watch.wrong(x) for x in fault.operands)
    place = source.summary(fault.traceback)
    steps = f", in {' of '.join(reversed(fault.steps))}" if fault.steps else ""
    program = f", in the program of {name}" if name != primitive else ""
    remedy = (
        "look where that operand was made"
        if already
        else "keep such operands away from it, with jnp.where or jnp.maximum before it"
    )
    return (
        f"{primitive}: invalid value ({_kind(watch, bad)}) encountered at {place}{steps}{program}: {given} "
        f"{'were' if len(fault.operands) > 1 else 'was'} given, but {_where(watch, bad)}; {remedy}"
    )


def _kind(watch: _Watch, x: Any) -> str:
    return "nan" if watch.nans and bool(np.isnan(host_value(x)).any()) else "inf"


def _where(watch: _Watch, x: Any) -> str:
    """``the result f32[3] has 1 wrong element of 3, the first at [0]``."""
    mask = watch.mask(x)
    kind, aval = _kind(watch, x), aval_of(x)
    assert mask is not None
    if not aval.shape:
        return f"the result {aval.str_short()} is {kind}"
    first = ", ".join(str(int(i)) for i in np.argwhere(mask)[0])
    return f"the result {aval.str_short()} has {int(mask.sum())} of {aval.size} elements {kind}, the first at [{first}]"


def _operand(watch: _Watch, x: Any) -> str:
    """An operand's type and the range of its values."""
    aval = aval_of(x)
    value = host_value(x) if isinstance(x, Array) else np.asarray(x) if not hasattr(x, "words") else None
    if value is None or not value.size or value.dtype.kind == "c":
        return aval.str_short()
    if watch.wrong(x):
        return f"{aval.str_short()}, which has it already,"
    if not aval.shape:
        return f"{aval.str_short()} = {value.item():.6g}"
    low, high = value.min().item(), value.max().item()
    return f"{aval.str_short()} from {low:.6g} to {high:.6g}"
