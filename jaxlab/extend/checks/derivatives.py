"""Derivative rules in 64 bits: tangents against differences, cotangents against tangents, and both once
more."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from jaxlab import dtypes
from jaxlab.core.aval import ShapedArray, Zero, aval_of
from jaxlab.extend.checks.agreement import expect, same
from jaxlab.extend.checks.cases import Case
from jaxlab.extend.checks.running import Compiled, apply, as_numpy, results, run
from jaxlab.extend.checks.values import arguments, draw, generator, widen
from jaxlab.interpreters.jvp import jvp_flat

STEP = 1e-5
TOLERANCE = 2e-6  # of central differences with that step, for functions whose third derivative is moderate
EXACT = 1e-9


class Wide:
    """An example in 64 bits: arguments, parameters, and tangents for the arguments that have them."""

    def __init__(self, case: Case) -> None:
        self.primitive = case.primitive
        self.params = widen(dict(case.example.params))
        self.args = [widen(np.asarray(x)) if not hasattr(x, "words") else x for x in arguments(case)]
        rng = generator(case, "tangents")
        self.inexact = case.inexact
        self.tangents = {i: draw(rng, aval_of(self.args[i])) for i in self.inexact}
        self.others = {i: draw(rng, aval_of(self.args[i])) for i in self.inexact}

    def value(self, args: list[Any]) -> list[np.ndarray]:
        """The results at these arguments."""
        return [as_numpy(x) for x in apply(self.primitive, args, self.params)]

    def moved(self, along: dict[int, Any], step: float) -> list[Any]:
        """The arguments, a step along a direction."""
        return [x + step * along[i] if i in along else x for i, x in enumerate(self.args)]

    def direction(self, given: dict[int, Any]) -> list[Any]:
        """Tangents of all arguments: those given, and symbolic zeros."""
        return [
            given[i] if i in given else Zero(aval_of(x).to_tangent_aval()) for i, x in enumerate(self.args)
        ]

    def subsets(self) -> list[tuple[int, ...]]:
        """Which arguments move together: every subset of up to three, else each by itself and all."""
        n = len(self.inexact)
        if n <= 3:
            return [s for size in range(1, n + 1) for s in itertools.combinations(self.inexact, size)]
        return [*((i,) for i in self.inexact), tuple(self.inexact)]


def check_jvp(case: Case) -> None:
    """The tangent along each argument, and along several at once, is what central differences give."""
    wide = Wide(case)
    primitive, params = wide.primitive, wide.params
    subsets = wide.subsets()
    tangent_avals: list[ShapedArray] = []

    def rule(*inputs: Any) -> list[Any]:
        args, tangents = (
            inputs[: len(wide.args)],
            dict(zip(wide.inexact, inputs[len(wide.args) :], strict=True)),
        )
        outputs = []
        for subset in subsets:
            out, t = primitive.jvp(list(args), wide.direction({i: tangents[i] for i in subset}), **params)
            out, t = results(primitive, out), results(primitive, t)
            types = [x.aval if type(x) is Zero else aval_of(x) for x in t]
            wanted = [aval_of(x).to_tangent_aval() for x in out]
            expect(types == wanted, f"tangents of types {types}, but {wanted} are wanted")
            tangent_avals[:] = [aval_of(x).to_tangent_aval() for x in out]
            outputs += out + [
                np.int32(0) if aval.dtype == dtypes.float0 else x
                for x, aval in zip(t, tangent_avals, strict=True)
            ]
        return outputs

    outputs = iter(run(rule, *wide.args, *wide.tangents.values()))
    value = wide.value(wide.args)
    for subset in subsets:
        along = {i: wide.tangents[i] for i in subset}
        for i, y in enumerate(value):
            same(next(outputs), y, EXACT, f"primal result {i}")
        ahead, behind = wide.value(wide.moved(along, STEP)), wide.value(wide.moved(along, -STEP))
        for i, aval in enumerate(tangent_avals):
            tangent = next(outputs)
            if aval.dtype != dtypes.float0:
                same(
                    tangent,
                    (ahead[i] - behind[i]) / (2 * STEP),
                    TOLERANCE,
                    f"tangent {i} along arguments {subset}",
                )


def check_second_order(case: Case) -> None:
    """The derivative of the derivative: the jvp of the jvp against differences of jvps."""
    wide = Wide(case)
    n, k = len(wide.args), len(wide.inexact)

    def first(args: Any, tangents: Any) -> list[Any]:
        given = dict(zip(wide.inexact, tangents, strict=True))
        _, t = jvp_flat(
            lambda *xs: results(wide.primitive, wide.primitive.bind(*xs, **wide.params)),
            args,
            wide.direction(given),
        )
        return [x for x in t if (x.aval if type(x) is Zero else aval_of(x)).dtype != dtypes.float0]

    def second(*inputs: Any) -> list[Any]:
        args, v, w = inputs[:n], inputs[n : n + k], inputs[n + k :]
        given = dict(zip(wide.inexact, w, strict=True))

        def derivative(*xs: Any) -> list[Any]:
            return [_instance(x) for x in first(xs, v)]

        return jvp_flat(derivative, args, wide.direction(given))[1]

    v, w = list(wide.tangents.values()), list(wide.others.values())
    found = run(second, *wide.args, *v, *w)
    slope = Compiled(lambda *inputs: first(inputs[:n], inputs[n:]), [*wide.args, *v])
    ahead, behind = slope(*wide.moved(wide.others, STEP), *v), slope(*wide.moved(wide.others, -STEP), *v)
    here = slope(*wide.args, *v)
    for i, (x, a, b, size) in enumerate(zip(found, ahead, behind, here, strict=True)):
        difference = (a - b) / (2 * STEP)
        # Rounding in the first derivative is magnified by the step.
        noise = 1e-10 * float(np.max(np.abs(size), initial=0.0))
        if float(np.max(np.abs(x), initial=0.0)) < noise:
            x = np.zeros_like(x)
        same(
            x + noise * 0,
            np.where(np.abs(difference) <= noise, 0, difference),
            10 * TOLERANCE,
            f"second derivative {i}",
        )


def _instance(x: Any) -> Any:
    from_zero = type(x) is Zero
    return np.zeros(x.aval.shape, x.aval.dtype) if from_zero else x
