"""The one place where a run becomes something to see: its record, displayed under the value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from IPython.display import display

from jaxlab.inspection.build import ProgramView, producer
from jaxlab.inspection.bundle import mime_bundle
from jaxlab.inspection.record import Caching, Cost, Input, Output, Record, Source, Timings, Transformation

_display: Any = display  # IPython has no types for it
Outcome = Literal["compiled", "disk", "reused"]


@dataclass
class CellRun:
    """All that is known about one run of a transformed cell or function.

    ``traced``, ``lowered`` and ``compiled`` are the objects of jaxlab's ahead-of-time interface, None where
    that stage was not reached.  ``outcome`` is None where nothing was compiled: ``note`` then says why.
    """

    name: str
    kind: Literal["cell", "function", "line"]
    text: str
    label: str
    number: int
    stack: Sequence[tuple[str, str]] = ()
    device: str = ""
    first_line: int = 1
    inputs: list[Input] = field(default_factory=list)
    outputs: list[Output] = field(default_factory=list)
    outcome: Outcome | None = None
    reason: str = ""
    hits: int = 0
    traced_at: str = ""
    trace_seconds: float | None = None
    lower_seconds: float | None = None
    compile_seconds: float | None = None
    run_seconds: float | None = None
    traced: Any = None
    lowered: Any = None
    compiled: Any = None
    note: str = ""
    record: Record | None = None


def make_record(run: CellRun) -> Record:
    """The record of a run, as plain data."""
    source = Source(run.label, run.text, run.first_line)
    view = _view(run, source)
    return Record(
        name=run.name,
        kind=run.kind,
        transformations=tuple(Transformation(*entry) for entry in run.stack),
        device=run.device,
        cell=run.number,
        sources=view.sources if view is not None else (source,),
        stages=view.stages if view is not None else (),
        links=view.links if view is not None else (),
        cost=view.cost if view is not None else Cost(),
        timings=Timings(run.trace_seconds, run.lower_seconds, run.compile_seconds, run.run_seconds),
        caching=Caching(run.outcome, run.reason or run.note, run.hits, run.traced_at),
        inputs=tuple(run.inputs),
        outputs=tuple(run.outputs),
        producer=producer(),
    )


def _view(run: CellRun, source: Source) -> ProgramView | None:
    """What there is to see of the program, made once for each program."""
    step = run.compiled or run.lowered
    program = step.program if step is not None else None
    closed = program.closed if program is not None else run.traced.jaxpr if run.traced is not None else None
    if closed is None:
        return None
    key = ("view", program is not None and program.compiled is not None, source.label)
    known: ProgramView | None = closed.memo.get(key)
    if known is None:
        known = closed.memo[key] = ProgramView(closed, program, (source,))
    return known


def show(run: CellRun) -> None:
    """Display the record of a run under what the cell has shown so far, and keep it as `last_record`."""
    run.record = make_record(run)
    _display(mime_bundle(run.record), raw=True)
