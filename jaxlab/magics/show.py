"""The one place where a run becomes something to see: its record, displayed under the value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from IPython.display import display

from jaxlab.config import config
from jaxlab.inspection.build import ProgramView, producer
from jaxlab.inspection.bundle import mime_bundle
from jaxlab.inspection.record import (
    Caching,
    Cost,
    Input,
    Output,
    Problem,
    Record,
    Source,
    Timings,
    Transformation,
)

_display: Any = display  # IPython has no types for it
Outcome = Literal["compiled", "disk", "reused"]


@dataclass
class CellRun:
    """All that is known about one run of a transformed cell or function.

    ``traced`` is the program traced, ``program`` the program on its way to the device, each None where that
    stage was not reached; ``view`` is what there is to see of it, made when it is first asked for
    and left with ``keeper`` for the next run.  ``outcome`` is None where nothing was compiled: ``note`` then
    says why.
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
    program: Any = None
    view: ProgramView | None = None
    keeper: Any = None
    note: str = ""
    record: Record | None = None


def make_record(run: CellRun) -> Record:
    """The record of a run, as plain data; with every stage that the program went through."""
    source = Source(run.label, run.text, run.first_line)
    view, problems = _view(run, source) if config.record_runs else (None, ())
    return Record(
        name=run.name,
        kind=run.kind,
        transformations=tuple(Transformation(*entry) for entry in run.stack),
        device=run.device,
        cell=run.number,
        sources=(source,) if view is None else view.sources,
        stages=() if view is None else view.stages,
        links=() if view is None else view.links,
        timings=Timings(run.trace_seconds, run.lower_seconds, run.compile_seconds, run.run_seconds),
        caching=Caching(run.outcome, run.reason if run.outcome else run.note, run.hits, run.traced_at),
        cost=Cost() if view is None else view.cost,
        inputs=tuple(run.inputs),
        outputs=tuple(run.outputs),
        problems=problems,
        producer=producer(),
    )


def _view(run: CellRun, source: Source) -> tuple[ProgramView | None, tuple[Problem, ...]]:
    """What there is to see of the program; a failure to show it is told, and is no failure of the cell."""
    if run.traced is None and run.program is None:
        return None, ()
    if run.view is not None:
        return run.view, ()
    try:
        closed = run.program.closed if run.traced is None else run.traced.jaxpr
        run.view = ProgramView(closed, run.program, (source,))
        if run.keeper is not None:
            run.keeper.view = run.view
    except Exception as error:  # reading texts of another version of the compiler may fail in any way
        return None, (Problem("warning", f"the stages cannot be shown: {type(error).__name__}: {error}"),)
    return run.view, ()


def show(run: CellRun) -> None:
    """Display the record of a run under what the cell has shown so far."""
    run.record = make_record(run)
    _display(mime_bundle(run.record), raw=True)
