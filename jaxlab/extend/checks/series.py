"""Taylor mode against forward mode: the series of a result is what the derivative of its derivative says."""

from __future__ import annotations

from typing import Any

import numpy as np

from jaxlab.core.aval import aval_of, is_inexact
from jaxlab.extend.checks.agreement import same
from jaxlab.extend.checks.cases import Case
from jaxlab.extend.checks.derivatives import Wide
from jaxlab.extend.checks.running import results, run
from jaxlab.interpreters.jet import jet_flat
from jaxlab.interpreters.jvp import jvp_flat
from jaxlab.primitives.broadcasting import instantiate

EXACT = 1e-7
ORDER = 3


def check_taylor(case: Case) -> None:
    """The coefficients, up to the third power, along a straight line: derivatives of derivatives by forward mode."""
    wide = Wide(case)
    primitive, params, chosen = wide.primitive, wide.params, wide.inexact

    def value(*xs: Any) -> list[Any]:
        return results(primitive, primitive.bind(*xs, **params))

    def derived(order: int, args: list[Any], tangents: list[Any]) -> list[Any]:
        """The derivative of an order along the line."""
        if order == 0:
            return value(*args)
        given = dict(zip(chosen, tangents, strict=True))
        found = jvp_flat(lambda *xs: derived(order - 1, list(xs), tangents), args, wide.direction(given))[1]
        return [instantiate(t) for t in found]

    def both(*inputs: Any) -> list[Any]:
        args, tangents = list(inputs[: len(wide.args)]), list(inputs[len(wide.args) :])
        lines = dict(zip(chosen, tangents, strict=True))
        series = [
            [lines[i], *[np.zeros_like(wide.args[i])] * (ORDER - 1)] if i in lines else None
            for i in range(len(args))
        ]
        values, terms = jet_flat(value, args, series, ORDER)
        out = []
        for x, ts in zip(values, terms, strict=True):
            if is_inexact(aval_of(x).dtype):
                zero = np.zeros(aval_of(x).shape, aval_of(x).dtype)
                out += [zero if t is None else t for t in ts or [None] * ORDER]
        for order in range(1, ORDER + 1):
            found = derived(order, args, tangents)
            out += [t for t, x in zip(found, values, strict=True) if is_inexact(aval_of(x).dtype)]
        return out

    found = run(both, *wide.args, *wide.tangents.values())
    count = len(found) // (2 * ORDER)
    factorial = np.cumprod(np.arange(1, ORDER + 1))
    for i in range(count):
        for k in range(ORDER):
            expected = found[count * ORDER + k * count + i] / factorial[k]
            same(found[i * ORDER + k], expected, EXACT, f"coefficient {k + 1} of result {i}")
