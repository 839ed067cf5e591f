"""The numbers that rules are tested on: drawn, widened to 64 bits, and stacked for batching."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any

import ml_dtypes
import numpy as np

from jaxlab import dtypes
from jaxlab.core.aval import ShapedArray, aval_of, is_inexact
from jaxlab.core.jaxpr import ClosedJaxpr, Var
from jaxlab.extend.checks.cases import Case, is_key
from jaxlab.interpreters.staging import stage_closed
from jaxlab.transforms.linear_call import Transposed

F64, C128 = np.dtype(np.float64), np.dtype(np.complex128)


def generator(case: Case, purpose: str = "") -> np.random.Generator:
    """A generator that depends on nothing but the case."""
    return np.random.default_rng(zlib.crc32(f"{case.id}{purpose}".encode()))


def draw(rng: np.random.Generator, aval: ShapedArray, positive: bool = False) -> Any:
    """A value of a type: normal numbers (or from 0.5 to 1.5), small integers, both truth values."""
    shape, dtype = aval.shape, aval.dtype
    if is_key(dtype):
        raise TypeError("examples with random keys give values, since keys are not drawn as numbers are")
    if dtype == dtypes.float0:
        return np.zeros(shape, dtypes.float0)

    def real() -> np.ndarray:
        return rng.uniform(0.5, 1.5, shape) if positive else rng.normal(size=shape)

    if dtype.kind == "c":
        return np.asarray(real() + 1j * real(), dtype)
    if is_inexact(dtype):
        return np.asarray(real(), dtype)
    if dtype == np.bool_:
        return rng.integers(0, 2, shape).astype(bool)
    info: Any = ml_dtypes.iinfo(dtype)  # type: ignore[no-untyped-call]
    low = 1 if positive else max(int(info.min), -9)
    return np.asarray(rng.integers(low, min(int(info.max), 9), shape, endpoint=True), dtype)


def arguments(case: Case, purpose: str = "") -> list[Any]:
    """A value for each argument of an example: its own, or one drawn."""
    rng = generator(case, purpose)
    return [
        draw(rng, x, case.example.positive) if isinstance(x, ShapedArray) else x for x in case.example.args
    ]


def wide(dtype: Any) -> Any:
    """The 64-bit dtype of the same kind; integers stay."""
    if not isinstance(dtype, np.dtype) or not is_inexact(dtype):
        return dtype
    return C128 if dtype.kind == "c" else F64


def widen(x: Any) -> Any:
    """Arrays, types, dtypes and jaxprs in 64 bits, also inside tuples, lists and dicts; all else as it is."""
    if isinstance(x, np.dtype):
        return wide(x)
    if isinstance(x, np.ndarray | np.generic):
        return x if x.dtype == dtypes.float0 else np.asarray(x, wide(x.dtype))
    if isinstance(x, ShapedArray):
        return ShapedArray(x.shape, wide(x.dtype), x.weak_type)
    if isinstance(x, ClosedJaxpr):
        return _widen_program(x)
    if isinstance(x, Transposed):
        return Transposed(lambda: widen(x()), str(x))
    if type(x) in (tuple, list):
        return type(x)(widen(item) for item in x)
    if isinstance(x, tuple) and hasattr(x, "_fields"):
        return type(x)(*map(widen, x))
    if type(x) is dict:
        return {key: widen(item) for key, item in x.items()}
    return x


def _widen_program(closed: ClosedJaxpr) -> ClosedJaxpr:
    jaxpr = closed.jaxpr

    def run(*args: Any) -> list[Any]:
        env: dict[Any, Any] = dict(zip(jaxpr.invars, args, strict=True))
        env.update(zip(jaxpr.constvars, (widen(np.asarray(c)) for c in closed.consts), strict=True))

        def read(v: Any) -> Any:
            return env[v] if type(v) is Var else widen(np.asarray(v.val, v.aval.dtype))[()]

        for eqn in jaxpr.eqns:
            out = eqn.primitive.bind(*map(read, eqn.invars), **widen(eqn.params))
            env.update(zip(eqn.outvars, out if eqn.primitive.multiple_results else [out], strict=True))
        return [read(v) for v in jaxpr.outvars]

    return stage_closed(run, [widen(aval) for aval in closed.in_avals], jaxpr.debug)


def stack(x: Any, size: int) -> np.ndarray:
    """``size`` different values like ``x`` along a new leading axis, each still in the domain that ``x`` is
    from."""
    x = np.asarray(x)
    if x.dtype == np.bool_:
        slices = [np.roll(x, k, 0) if x.ndim else x ^ bool(k % 2) for k in range(size)]
    elif is_inexact(x.dtype):
        slices = [(x * (1 - 0.05 * k)).astype(x.dtype) for k in range(size)]
    else:
        slices = [np.roll(x, k, 0) if x.ndim else x for k in range(size)]
    return np.stack(slices)


def batch_dims(
    avals: Sequence[ShapedArray], limit: int, rng: np.random.Generator
) -> list[tuple[int | None, ...]]:
    """Which axis of each operand is mapped, in every combination with at least one, or in ``limit`` of them.

    Beyond the limit those with one operand mapped, and those with all mapped at one place, are kept, and a
    sample of
    the rest.
    """
    choices = [[None] if is_key(aval.dtype) else [None, *range(len(aval.shape) + 1)] for aval in avals]
    if not any(len(c) > 1 for c in choices):
        return []
    total = int(np.prod([len(c) for c in choices]))
    if total <= limit + 1:
        index = np.indices([len(c) for c in choices]).reshape(len(choices), -1).T
        combinations = [tuple(c[i] for c, i in zip(choices, row, strict=True)) for row in index]
        return [dims for dims in combinations if any(d is not None for d in dims)]
    kept: dict[tuple[int | None, ...], None] = {}
    for i, options in enumerate(choices):
        for d in options[1:]:
            kept[tuple(d if j == i else None for j in range(len(choices)))] = None
    for place in (0, -1):
        kept[tuple(c[1:][place] if len(c) > 1 else None for c in choices)] = None
    while len(kept) < limit:
        row = [c[int(rng.integers(len(c)))] for c in choices]
        if any(d is not None for d in row):
            kept[tuple(row)] = None
    return list(kept)


def types(values: Sequence[Any]) -> list[ShapedArray]:
    """The avals of values."""
    return [aval_of(x) for x in values]
