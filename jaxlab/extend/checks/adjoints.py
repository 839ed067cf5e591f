"""Reverse mode in 64 bits: what is pulled back is the adjoint of what is pushed forward."""

from __future__ import annotations

from typing import Any

import numpy as np

from jaxlab.core.aval import UndefinedPrimal, Zero, aval_of, is_inexact
from jaxlab.extend.checks.agreement import expect, same
from jaxlab.extend.checks.cases import Case
from jaxlab.extend.checks.derivatives import EXACT, STEP, TOLERANCE, Wide
from jaxlab.extend.checks.running import apply, pairing, results, run
from jaxlab.extend.checks.values import draw, generator
from jaxlab.interpreters.jvp import jvp_flat
from jaxlab.transforms.linearized import linearize_flat


def check_transpose(case: Case) -> None:
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


def check_reverse_alone(case: Case) -> None:
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
        expect(len(pulled) == len(args), f"{len(pulled)} cotangents for {len(args)} arguments")
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
        expect(
            x.shape == np.shape(t) and x.dtype == np.asarray(t).dtype,
            f"{what}: a cotangent {x.dtype}{list(x.shape)} for an argument of shape {list(np.shape(t))}",
        )
    left = [pairing(x, t) for x, t in zip(pulled, tangents, strict=True)]
    right = [pairing(ct, y) for ct, y in zip(cts, pushed, strict=True)]
    scale = sum(size for _, size in left) + sum(size for _, size in right)
    difference = abs(sum(v for v, _ in left) - sum(v for v, _ in right))
    expect(
        difference <= EXACT * scale + 1e-300, f"{what}: <pulled, t> and <ct, pushed> differ by {difference}"
    )
