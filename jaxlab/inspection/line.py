"""A record as one line of figures, and the units and the harmless text that every view of it shares.

`labextension/src/figures.ts` writes the same line; a test holds the two together.
"""

from __future__ import annotations

import math
import re

from jaxlab.inspection.record import Record

_TIME_UNITS = ((1e-9, "ns"), (1e-6, "µs"), (1e-3, "ms"), (1.0, "s"))
_PREFIXES = ("", "k", "M", "G", "T", "P", "E")
_SPACE = re.compile(r"[\t\n\r\v\f \u2028\u2029]+")
# What a terminal obeys (C0 and C1 controls) and what turns the direction of the text around it.
_ACTIVE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
_LONGEST_NAME = 80
_LONGEST_REASON = 160


def figures(record: Record) -> str:
    """The record in one line: what ran where, how long each step took, why it was compiled, what it needs.

    >>> from jaxlab.inspection.record import Caching, Cost, Timings, Transformation
    >>> timings = Timings(3.1e-3, 1.2e-3, 41e-3, 12e-6)
    >>> cost = Cost(1200, bytes_accessed=3400, peak_bytes=8192)
    >>> line = figures(Record("cell", transformations=(Transformation("jit"), Transformation("grad")),
    ...     device="cpu:0", timings=timings, caching=Caching("compiled", "x f32[3] → f32[4]"), cost=cost))
    >>> for part in line.split(" · "):
    ...     print(part)
    jit(grad(cell))
    cpu:0
    traced 3.1 ms
    lowered 1.2 ms
    compiled 41 ms (new: x f32[3] → f32[4])
    ran 12 µs
    1.2 kflop
    3.4 kB
    peak 8.2 kB
    """
    return " · ".join(parts(record))


def parts(record: Record) -> list[str]:
    """The figures of the line, each by itself.

    >>> parts(Record("f", device="cpu:0"))
    ['f', 'cpu:0']
    """
    timings, caching, cost = record.timings, record.caching, record.cost
    found = [stack(record)]
    if record.device:
        found.append(one_line(record.device, _LONGEST_NAME))
    errors = [problem for problem in record.problems if problem.severity == "error"]
    if errors:
        found.append(f"failed: {one_line(errors[0].text, _LONGEST_REASON)}")
    if caching.outcome == "reused":
        found.append(
            f"reused, traced at {one_line(caching.traced_at, _LONGEST_NAME)}"
            if caching.traced_at
            else "reused"
        )
    if timings.trace is not None:
        found.append(f"traced {duration(timings.trace)}")
    if timings.lower is not None:
        found.append(f"lowered {duration(timings.lower)}")
    if timings.compile is not None:
        verb = "loaded from disk" if caching.outcome == "disk" else "compiled"
        told = caching.reason and caching.outcome
        reason = f" (new: {one_line(caching.reason, _LONGEST_REASON)})" if told else ""
        found.append(f"{verb} {duration(timings.compile)}{reason}")
    if timings.run is not None:
        found.append(f"ran {duration(timings.run)}")
    if cost.flops is not None:
        found.append(count(cost.flops, "flop"))
    if cost.bytes_accessed is not None:
        found.append(count(cost.bytes_accessed, "B"))
    if cost.peak_bytes is not None:
        found.append(f"peak {count(cost.peak_bytes, 'B')}")
    if caching.reason and not caching.outcome:  # why there is no program: only traced, or run op by op
        found.append(one_line(caching.reason, _LONGEST_REASON))
    return found


def stack(record: Record) -> str:
    """The transformations around the name, outermost first.

    >>> from jaxlab.inspection.record import Transformation
    >>> stack(Record("cell", transformations=(Transformation("jit"), Transformation("vmap", "x:0"))))
    'jit(vmap(cell))'
    """
    names = [one_line(entry.name, _LONGEST_NAME) for entry in record.transformations]
    return "".join(f"{name}(" for name in names) + one_line(record.name, _LONGEST_NAME) + ")" * len(names)


def duration(seconds: float) -> str:
    """A time in two or three digits with its unit.

    >>> duration(3.1e-3), duration(12.3e-6), duration(0.41), duration(75.0)
    ('3.1 ms', '12 µs', '410 ms', '1 min 15 s')
    """
    if seconds >= 59.95:
        whole = math.floor(seconds + 0.5)
        return f"{whole // 60} min {whole % 60} s"
    for size, unit in _TIME_UNITS:
        if seconds / size < 999.5 or unit == "s":
            return f"{_digits(seconds / size)} {unit}"
    raise AssertionError("the last unit takes every time")


def count(value: float, unit: str) -> str:
    """A count with a decimal prefix.

    >>> count(1234, "flop"), count(8192, "B"), count(512, "B"), count(2.6e9, "B")
    ('1.2 kflop', '8.2 kB', '512 B', '2.6 GB')
    """
    if not math.isfinite(value):
        return f"{value} {unit}"
    if value < 999.5:
        return f"{math.floor(value + 0.5)} {unit}"
    scaled = float(value)
    for prefix in _PREFIXES:
        if scaled < 999.5 or prefix == _PREFIXES[-1]:
            return f"{_digits(scaled)} {prefix}{unit}"
        scaled /= 1000
    raise AssertionError("the last prefix takes every count")


def visible(text: str) -> str:
    """``text`` with terminal controls and direction marks shown instead of obeyed; line ends and tabs stay.

    >>> visible("a\\x1b[31mb\\u202ec")
    'a\\\\x1b[31mb\\\\u202ec'
    """
    return _ACTIVE.sub(_picture, text)


def one_line(text: str, longest: int) -> str:
    """``text`` as at most ``longest`` visible characters on one line, with an ellipsis where it was cut.

    >>> one_line("a\\n  b", 80), one_line("abcdef", 4)
    ('a b', 'abc…')
    """
    flat = visible(_SPACE.sub(" ", text[: 4 * longest])).strip()
    return flat if len(flat) <= longest and len(text) <= 4 * longest else flat[: longest - 1] + "…"


def _picture(match: re.Match[str]) -> str:
    code = ord(match.group())
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def _digits(value: float) -> str:
    # Rounded halves up by hand, because Python and JavaScript round ties differently.
    if value < 9.95:
        tenths = math.floor(value * 10 + 0.5)
        return f"{tenths // 10}.{tenths % 10}"
    return str(math.floor(value + 0.5))
