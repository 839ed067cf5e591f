"""Derivative rules in 64 bits: tangents against differences, cotangents against tangents, and both once
more."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from jaxlab import dtypes
from jaxlab.config import enable_x64
from jaxlab.core.aval import ShapedArray, UndefinedPrimal, Zero, aval_of, is_inexact
from jaxlab.interpreters.jvp import jvp_flat
from jaxlab.transforms.linearized import linearize_flat

from .cases import Case, cases
from .checks import same
from .running import Compiled, apply, as_numpy, pairing, results, run
from .values import arguments, draw, generator, widen

STEP = 1e-5
TOLERANCE = 2e-6  # of central differences with that step, for functions whose third derivative is moderate
EXACT = 1e-9

differentiated = [case for case in cases if case.differentiated and case.example.forward]
reversible = [case for case in differentiated if case.example.reverse]
reverse_only = [case for case in cases if case.differentiated and not case.example.forward]


@pytest.fixture(autouse=True)
def sixty_four_bits() -> Iterator[None]:
    with enable_x64(True):
        yield


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


@pytest.mark.parametrize("case", differentiated, ids=lambda case: case.id)
def test_jvp(case: Case) -> None:
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
            assert [x.aval if type(x) is Zero else aval_of(x) for x in t] == [
                aval_of(x).to_tangent_aval() for x in out
            ]
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


@pytest.mark.parametrize("case", differentiated, ids=lambda case: case.id)
def test_second_order(case: Case) -> None:
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


@pytest.mark.parametrize("case", reversible, ids=lambda case: case.id)
def test_transpose(case: Case) -> None:
    """Pulling back is the adjoint of pushing forward: through vjp, and for each linear argument by its own
    rule."""
    wide = Wide(case)
    primitive, params = wide.primitive, wide.params
    outputs = wide.value(wide.args)
    rng = generator(case, "cotangents")
    places = [i for i, x in enumerate(outputs) if is_inexact(x.dtype)]
    cts = [draw(rng, aval_of(outputs[i])) for i in places]
    subsets = wide.subsets()

    def bound(free: tuple[int, ...], args: Any) -> Any:
        return lambda *xs: results(
            primitive,
            primitive.bind(
                *[dict(zip(free, xs, strict=True)).get(i, x) for i, x in enumerate(args)], **params
            ),
        )

    def through_vjp(*inputs: Any) -> list[Any]:
        args, given = inputs[: len(wide.args)], dict(zip(places, inputs[len(wide.args) :], strict=True))
        pulled = []
        for subset in subsets:
            out, linear = linearize_flat(bound(subset, args), [args[i] for i in subset])
            ct = [given.get(i, Zero(aval_of(x).to_tangent_aval())) for i, x in enumerate(out)]
            pulled += linear.pull(ct)
            pushed = linear.push([wide.tangents[i] for i in subset])
            pulled += [pushed[i] for i in places]
        return pulled

    found = iter(run(through_vjp, *wide.args, *cts))
    for subset in subsets:
        pulled = [next(found) for _ in subset]
        pushed = [next(found) for _ in places]
        _adjoint(pulled, [wide.tangents[i] for i in subset], cts, pushed, f"vjp of arguments {subset}")
    for i in primitive.linear_in:
        if i in wide.inexact:
            _check_rule(wide, (i,), cts, places)
    together = tuple(i for i in primitive.linear_in if i in wide.inexact)
    if len(together) > 1 and _jointly_linear(wide, together):
        _check_rule(wide, together, cts, places)


@pytest.mark.parametrize("case", reverse_only, ids=lambda case: case.id)
def test_reverse_alone(case: Case) -> None:
    """Where there is no forward mode, pulling back is the adjoint of central differences, at second order too."""
    wide = Wide(case)
    rng = generator(case, "cotangents")
    cts = [draw(rng, aval_of(x)) for x in wide.value(wide.args)]

    def pulled(subset: tuple[int, ...], args: Any, given: Any) -> list[Any]:
        def bound(*xs: Any) -> list[Any]:
            full = dict(zip(subset, xs, strict=True))
            return results(
                wide.primitive,
                wide.primitive.bind(*[full.get(i, x) for i, x in enumerate(args)], **wide.params),
            )

        return linearize_flat(bound, [args[i] for i in subset])[1].pull(given)

    def first(*inputs: Any) -> list[Any]:
        args, given = inputs[: len(wide.args)], inputs[len(wide.args) :]
        return [x for subset in wide.subsets() for x in pulled(subset, args, given)]

    found = iter(run(first, *wide.args, *cts))
    for subset in wide.subsets():
        along = {i: wide.tangents[i] for i in subset}
        ahead, behind = wide.value(wide.moved(along, STEP)), wide.value(wide.moved(along, -STEP))
        slopes = [(a - b) / (2 * STEP) for a, b in zip(ahead, behind, strict=True)]
        left = sum(pairing(next(found), wide.tangents[i])[0] for i in subset)
        right = sum(pairing(ct, slope)[0] for ct, slope in zip(cts, slopes, strict=True))
        same(left, right, TOLERANCE, f"<pulled, t> and <ct, slope> for arguments {subset}")

    def gradient(*args: Any) -> list[Any]:
        return pulled(tuple(wide.inexact), args, cts)

    def second(*inputs: Any) -> list[Any]:
        args, given = inputs[: len(wide.args)], inputs[len(wide.args) :]
        along = dict(zip(wide.inexact, given, strict=True))
        return jvp_flat(gradient, args, wide.direction(along))[1]

    curved = run(second, *wide.args, *wide.tangents.values())
    ahead, behind = (run(gradient, *wide.moved(wide.tangents, h)) for h in (STEP, -STEP))
    for i, (x, a, b) in enumerate(zip(curved, ahead, behind, strict=True)):
        same(x, (a - b) / (2 * STEP), 10 * TOLERANCE, f"second derivative {i}")


def _check_rule(wide: Wide, linear: tuple[int, ...], cts: list[Any], places: list[int]) -> None:
    """The rule with an ``UndefinedPrimal`` at each of ``linear``, against the operation itself."""
    primitive, params = wide.primitive, wide.params
    args = [UndefinedPrimal(aval_of(x)) if i in linear else x for i, x in enumerate(wide.args)]
    count = len(wide.value(wide.args))
    out_avals = [aval_of(x) for x in apply(primitive, wide.args, params)]
    known = [i for i in range(len(args)) if i not in linear]

    def rule(*inputs: Any) -> list[Any]:
        values = dict(zip(known, inputs[: len(known)], strict=True))
        given = dict(zip(places, inputs[len(known) :], strict=True))
        ct = [given.get(i, Zero(out_avals[i].to_tangent_aval())) for i in range(count)]
        pulled = primitive.transpose(
            ct if primitive.multiple_results else ct[0],
            *[args[i] if i in linear else values[i] for i in range(len(args))],
            **params,
        )
        assert len(pulled) == len(args)
        return [Zero(args[i].aval) if pulled[i] is None else pulled[i] for i in linear]

    found = run(rule, *[wide.args[i] for i in known], *cts)
    tangents = [wide.tangents[i] for i in linear]
    ahead = wide.value([wide.tangents[i] if i in linear else x for i, x in enumerate(wide.args)])
    origin = wide.value([np.zeros_like(x) if i in linear else x for i, x in enumerate(wide.args)])
    pushed = [ahead[i] - origin[i] for i in places]
    _adjoint(found, tangents, cts, pushed, f"transpose rule for arguments {linear}")


def _jointly_linear(wide: Wide, places: tuple[int, ...]) -> bool:
    """Whether an operation is linear in several arguments taken together, as add is and mul is not."""

    def at(scale: float) -> list[np.ndarray]:
        return wide.value([scale * wide.tangents[i] if i in places else x for i, x in enumerate(wide.args)])

    zero, one, two = at(0.0), at(1.0), at(2.0)
    return all(
        np.allclose(c - z, 2 * (b - z)) for z, b, c in zip(zero, one, two, strict=True) if is_inexact(z.dtype)
    )


def _adjoint(pulled: list[Any], tangents: list[Any], cts: list[Any], pushed: list[Any], what: str) -> None:
    for x, t in zip(pulled, tangents, strict=True):
        assert x.shape == np.shape(t), (
            f"{what}: a cotangent of shape {x.shape} for an argument of shape {np.shape(t)}"
        )
        assert x.dtype == np.asarray(t).dtype, f"{what}: a cotangent of dtype {x.dtype}"
    left = [pairing(x, t) for x, t in zip(pulled, tangents, strict=True)]
    right = [pairing(ct, y) for ct, y in zip(cts, pushed, strict=True)]
    scale = sum(size for _, size in left) + sum(size for _, size in right)
    difference = abs(sum(v for v, _ in left) - sum(v for v, _ in right))
    assert difference <= EXACT * scale + 1e-300, (
        f"{what}: <pulled, t> and <ct, pushed> differ by {difference}"
    )
