"""Random keys that are used twice, for `debug_key_reuse`: which elements of an array of keys a program consumes.

A key is consumed where bits are drawn from it, where it is split, and where it is taken out of an array of keys; a
consumed key that is consumed again gives the same numbers again, which is an error. Keys that were made by `split`,
`fold_in`, `clone` or from a seed are fresh. Programs are followed equation by equation, with the bodies of loops gone
through twice, because a loop that draws from the same key in each step uses it twice.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np

from jaxlab import dtypes, errors
from jaxlab.core import source
from jaxlab.core.higher_order import HigherOrder
from jaxlab.core.jaxpr import ClosedJaxpr, JaxprEqn, Literal, Var
from jaxlab.core.trace import current
from jaxlab.interpreters.functions import FlatFunction
from jaxlab.runtime.keys import KeyArray

_DRAWS = ("random_bits", "random_split")
_SMALL = 8  # elements of what may be an index
_MAKES = ("random_fold_in", "random_seed", "random_wrap", "random_clone")


class Use:
    """Which elements of an array of keys have been consumed."""

    __slots__ = ("mask",)

    def __init__(self, mask: Any) -> None:
        self.mask = mask

    def consume(self, taken: Any, eqn: JaxprEqn, caller: Any) -> None:
        """Mark the elements that ``taken`` marks; KeyReuseError if one of them was consumed before."""
        if np.any(self.mask & taken):
            inside = source.was_made_inside(eqn.traceback, FlatFunction.__call__.__code__)
            place = source.summary(eqn.traceback if inside else caller)
            shape = f" (of an array of keys of shape {self.mask.shape})" if self.mask.shape else ""
            raise errors.KeyReuseError(
                f"{eqn.primitive}: a key{shape} was given at {place}, but it was used before, and would give the same "
                "numbers again; split it first, as in key, part = random.split(key), or use random.clone where "
                "that is meant"
            )
        self.mask = self.mask | taken


def consumed_by(closed: ClosedJaxpr, args: Sequence[Any]) -> list[Use | None]:
    """What a program makes of keys among its results; the keys among ``args`` are marked as it consumes them.

    Raises KeyReuseError where it consumes a key that was consumed before.
    """
    uses = [_use_of(x) for x in args]
    values = {
        v: x
        for v, x in zip(closed.jaxpr.invars, args, strict=True)
        if type(x) is not KeyArray and np.size(x) <= _SMALL
    }
    results = _follow(closed, uses, current.traceback or source.take(), values)
    for x, use in zip(args, uses, strict=True):
        if use is not None:
            x.consumed = use.mask
    return results


def mark(results: Sequence[Any], uses: Sequence[Use | None]) -> None:
    """Remember what is consumed among the keys that a program gave."""
    for x, use in zip(results, uses, strict=True):
        if type(x) is KeyArray and use is not None:
            x.consumed = use.mask


def _use_of(x: Any) -> Use | None:
    if type(x) is not KeyArray:
        return None
    return Use(np.zeros(x.shape, bool) if x.consumed is None else x.consumed)


def _is_key(v: Any) -> bool:
    return isinstance(v.aval.dtype, dtypes.KeyType)


def _fresh(v: Any) -> Use | None:
    return Use(np.zeros(v.aval.shape, bool)) if _is_key(v) else None


def _follow(
    closed: ClosedJaxpr, uses: Sequence[Use | None], caller: Any, values: dict[Any, Any] | None = None
) -> list[Use | None]:
    """Go through a program; ``uses`` of the inputs are changed as it consumes them."""
    jaxpr = closed.jaxpr
    env: dict[Var, Use | None] = {v: _use_of(x) for v, x in zip(jaxpr.constvars, closed.consts, strict=True)}
    env.update(zip(jaxpr.invars, uses, strict=True))
    values = dict(values or {})  # of small operands, to know which key an index takes
    for eqn in jaxpr.eqns:
        given = [env.get(v) if type(v) is Var else None for v in eqn.invars]
        if isinstance(eqn.primitive, HigherOrder):
            out = _through(eqn, given, caller, values)
        elif not any(given) and not any(_is_key(v) for v in eqn.outvars):
            if len(eqn.outvars) == 1 and eqn.outvars[0].aval.size <= _SMALL:
                values[eqn.outvars[0]] = _moved(eqn, [], values)
            continue
        else:
            out = _applied(eqn, given, caller, values)
        env.update(zip(eqn.outvars, out, strict=True))
    for v, x in zip(jaxpr.constvars, closed.consts, strict=True):
        use = env[v]
        if use is not None:
            x.consumed = use.mask
    return [copy.copy(env.get(v)) if type(v) is Var else None for v in jaxpr.outvars]


def _applied(eqn: JaxprEqn, given: list[Use | None], caller: Any, values: dict[Any, Any]) -> list[Use | None]:
    name = eqn.primitive.name
    if name in _DRAWS:
        for use in given:
            if use is not None:
                use.consume(True, eqn, caller)
    if name in _DRAWS or name in _MAKES:
        return [_fresh(v) for v in eqn.outvars]
    (out,) = eqn.outvars
    if not _is_key(out):  # comparing keys, or looking at their words, draws nothing
        return [None]
    first = given[0]
    if first is not None and sum(use is not None for use in given) == 1 and out.aval.size < first.mask.size:
        places = _moved(eqn, [np.arange(first.mask.size).reshape(first.mask.shape)], values)
        if places is not None:
            taken = np.zeros(first.mask.size, bool)
            taken[places.ravel()] = True
            first.consume(taken.reshape(first.mask.shape), eqn, caller)
            return [_fresh(out)]
    moved = _moved(eqn, [None if use is None else use.mask for use in given], values)
    whole = all(bool(use.mask.all()) for use in given if use is not None)
    return [Use(np.full(out.aval.shape, whole) if moved is None else moved.astype(bool))]


def _moved(eqn: JaxprEqn, operands: Sequence[Any], values: dict[Any, Any]) -> Any | None:
    """Where the elements go: the primitive's own reference on them; None where an index is not known."""
    given = []
    for i, v in enumerate(eqn.invars):
        x = operands[i] if i < len(operands) else None
        if x is None:
            x = v.val if type(v) is Literal else values.get(v)
        if x is None:
            return None
        given.append(np.asarray(x))
    try:
        return np.asarray(eqn.primitive.reference(*given, **eqn.params))
    except NotImplementedError:  # a primitive without a reference
        return None


def _through(eqn: JaxprEqn, given: list[Use | None], caller: Any, values: dict[Any, Any]) -> list[Use | None]:
    """An equation that holds programs: a call, branches or a loop."""
    params = eqn.params
    own = eqn.traceback if source.was_made_inside(eqn.traceback, FlatFunction.__call__.__code__) else caller
    if "branches" in params:
        return _branches(params["branches"], given[1:], own)
    if "body_jaxpr" in params:
        return _while(params, given, own)
    if "num_carry" in params:
        return _scan(params, given, own)
    programs = [x for x in params.values() if type(x) is ClosedJaxpr]
    if len(programs) == 1 and len(programs[0].jaxpr.invars) == len(given):
        pairs = zip(programs[0].jaxpr.invars, eqn.invars, strict=True)
        known = {inner: v.val if type(v) is Literal else values.get(v) for inner, v in pairs}
        return _follow(programs[0], given, own, known)
    for use in given:
        if use is not None:
            use.consume(True, eqn, caller)
    return [_fresh(v) for v in eqn.outvars]


def _branches(branches: Sequence[ClosedJaxpr], given: Sequence[Use | None], caller: Any) -> list[Use | None]:
    """Of the branches one runs: what any of them consumes counts as consumed."""
    results = []
    before = [None if use is None else use.mask for use in given]
    after = list(before)
    for branch in branches:
        uses = [None if mask is None else Use(mask) for mask in before]
        results.append(_follow(branch, uses, caller))
        after = [None if u is None else u.mask | a for u, a in zip(uses, after, strict=True)]
    for use, mask in zip(given, after, strict=True):
        if use is not None:
            use.mask = mask
    return [
        None if each[0] is None else Use(np.logical_or.reduce([u.mask for u in each if u is not None]))
        for each in zip(*results, strict=True)
    ]


def _while(params: dict[str, Any], given: Sequence[Use | None], caller: Any) -> list[Use | None]:
    tests, bodies = params["cond_nconsts"], params["body_nconsts"]
    test, body, carry = given[:tests], given[tests : tests + bodies], list(given[tests + bodies :])
    for _ in range(2):
        _follow(params["cond_jaxpr"], [*test, *carry], caller)
        carry = _follow(params["body_jaxpr"], [*body, *carry], caller)
    return carry


def _scan(params: dict[str, Any], given: Sequence[Use | None], caller: Any) -> list[Use | None]:
    consts_end = params["num_consts"]
    xs_start = consts_end + params["num_carry"]
    consts, carry, xs = given[:consts_end], list(given[consts_end:xs_start]), given[xs_start:]
    slices = [None if use is None else Use(use.mask.any(axis=0)) for use in xs]
    ys: list[Use | None] = []
    for _ in range(min(2, params["length"])):
        steps = [copy.copy(use) for use in slices]  # each step has a slice of its own
        out = _follow(params["jaxpr"], [*consts, *carry, *steps], caller)
        carry, ys = out[: len(carry)], out[len(carry) :]
        for use, step in zip(xs, steps, strict=True):
            if use is not None and step is not None:
                use.mask = use.mask | step.mask
    stacked = [None if use is None else Use(np.stack([use.mask] * params["length"])) for use in ys]
    return [*carry, *stacked]
