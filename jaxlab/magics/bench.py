"""``%%bench``: one cell timed compiled, op by op, and with NumPy where it allows that."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

import jaxlab
from jaxlab.magics.source import Source
from jaxlab.magics.values import Binding
from jaxlab.runtime.references import Ref

_SECONDS = 0.2  # how long one measurement aims to last


@dataclass(frozen=True)
class Timing:
    """One way of running a cell: median and spread of the seconds of one run, or why it cannot be run so."""

    name: str
    seconds: float | None = None
    spread: float = 0.0
    note: str = ""


def measure(name: str, run: Callable[[], Any], repeat: int) -> Timing:
    """Median seconds of ``run``, measured long enough for the clock; an exception becomes the note."""
    try:
        run()
        start = time.perf_counter()
        run()
        once = max(time.perf_counter() - start, 1e-7)
        count = max(1, min(1000, int(_SECONDS / repeat / once)))
        samples = []
        for _ in range(repeat):
            start = time.perf_counter()
            for _ in range(count):
                run()
            samples.append((time.perf_counter() - start) / count)
    except Exception as error:  # any way of running may fail where another does not; the table says so
        return Timing(
            name, note=f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
        )
    return Timing(name, statistics.median(samples), max(samples) - min(samples))


def with_numpy(
    source: Source, bindings: Mapping[str, Binding], space: Mapping[str, Any]
) -> Callable[[], None]:
    """The cell's text run on NumPy arrays, with ``jaxlab.numpy`` replaced by NumPy under whatever name it
    has.
    """
    twin = dict(space)
    for name, value in space.items():
        if value is jaxlab.numpy:
            twin[name] = np
    for name, binding in bindings.items():
        if binding.kind != "static":
            twin[name] = binding.rebuild([_to_numpy(leaf) for leaf in binding.traced])

    def run() -> None:
        scratch = dict(twin)
        exec(source.code, scratch)
        if source.last is not None:
            eval(source.last, scratch)

    return run


def _to_numpy(leaf: Any) -> Any:
    if type(leaf) is Ref:
        return np.array(leaf.peek())  # NumPy's arrays are mutable
    return leaf if isinstance(leaf, float | complex) else np.asarray(leaf)


def table(timings: list[Timing]) -> str:
    """The timings as lines of text, each with its ratio to the first.

    >>> print(table([Timing("compiled", 2e-6), Timing("op by op", 1e-4)]))
    compiled      2.00 µs
    op by op     100 µs      50 x
    """
    best = timings[0].seconds
    lines = []
    for timing in timings:
        if timing.seconds is None:
            lines.append(f"{timing.name:<10}  not possible: {timing.note}")
            continue
        ratio = f"  {timing.seconds / best:6.3g} x" if best and timing is not timings[0] else ""
        lines.append(f"{timing.name:<10}  {duration(timing.seconds):>9}{ratio}")
    return "\n".join(lines)


def duration(seconds: float) -> str:
    """Three digits and a unit.

    >>> duration(0.00125)
    '1.25 ms'
    """
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"
