"""The record of one run: what was compiled, from which source, through which stages, and what it cost.

A record is plain data, so that it can be saved, sent and compared. Its heart is a row of *stages*, in the
order in which the program went through them (jaxpr, StableHLO, optimised HLO; a compiler pass or machine code
is one more stage). Each stage is a text with *items*: the equations, operations or instructions, each a range
of the text's lines. *Links* join the items of two stages, *frames* join an item to the user's own lines.
Whatever grows out of a record later (passes, assembly, buffers) is another stage with items, joined by the
same links.

Lines count from 1. An item is named by its place in its stage, a source by its place in the record.

>>> record = Record(
...     name="cell", kind="cell", transformations=(Transformation("jit"),), device="cpu:0", cell=3,
...     sources=(Source("Cell In[3]", "y = sin(x)\\ny"),),
...     stages=(
...         Stage("jaxpr", "jaxpr", "jaxpr", "{ lambda ; a:f32[]. let\\n    b:f32[] = sin a\\n  in (b,) }",
...               items=(Item(2, 2, "sin", (Frame(source=0, line=1, function="<module>"),)),)),
...         Stage("hlo", "Optimised HLO", "hlo", note="not compiled: the cell was traced only"),
...     ),
... )
>>> record == Record.from_json(record.to_json())
True
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, TypeVar

from jaxlab.inspection.columns import Tables, read_links, read_stage, read_tables, write_links, write_stage
from jaxlab.inspection.packing import pack_text, plain, unpack_text
from jaxlab.inspection.program import Frame, Item, Link, LinkKind, Links, Source, Stage

__all__ = [
    "VERSION",
    "Caching",
    "Cost",
    "Frame",
    "Input",
    "Item",
    "Link",
    "LinkKind",
    "Links",
    "Output",
    "Problem",
    "Record",
    "RecordFormatError",
    "Source",
    "Stage",
    "Timings",
    "Transformation",
]

FORMAT = "jaxlab.record"
VERSION = 1
"""Raised when a field changes its meaning. A field that is added does not raise it: readers skip what they do
not know.
"""

Kind = Literal["cell", "function", "line"]
Outcome = Literal["compiled", "disk", "reused"]


@dataclass(frozen=True, slots=True)
class Transformation:
    """One transformation of the stack: its name and its options as the user wrote them.

    >>> Transformation("grad", "W b --value").name
    'grad'
    """

    name: str
    options: str = ""


@dataclass(frozen=True, slots=True)
class Timings:
    """Seconds that each step took; None for a step that was not done in this run.

    >>> Timings(run=12e-6).compile is None
    True
    """

    trace: float | None = None
    lower: float | None = None
    compile: float | None = None
    run: float | None = None


@dataclass(frozen=True, slots=True)
class Caching:
    """Where the program came from.

    ``outcome``: "compiled" now, loaded from "disk", or "reused" from this process; None where nothing was
    compiled. ``reason`` says against the nearest entry why it had to be traced again ("x f32[3] → f32[4]");
    ``hits`` counts the reuses so far; ``traced_at`` says where it was traced ("In[3]").

    >>> Caching("reused", hits=4, traced_at="In[3]").hits
    4
    """

    outcome: Outcome | None = None
    reason: str = ""
    hits: int = 0
    traced_at: str = ""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one run needs, by the compiler's account; None where it gives none. Bytes are bytes, the rest are
    counts.

    >>> Cost(flops=1200, peak_bytes=8192).flops
    1200
    """

    flops: float | None = None
    transcendentals: float | None = None
    bytes_accessed: float | None = None
    peak_bytes: int | None = None
    argument_bytes: int | None = None
    output_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Input:
    """A name that the program reads. ``type`` is its aval ("f32[3,4]") or, where static, its value; ``why``
    the reason.

    >>> Input("n", "3", "static", "an int").role
    'static'
    """

    name: str
    type: str
    role: Literal["traced", "static"] = "traced"
    why: str = ""


@dataclass(frozen=True, slots=True)
class Output:
    """A name that the program assigns ("" for a value that is only shown) and the type of its value.

    >>> Output("loss", "f32[]").type
    'f32[]'
    """

    name: str
    type: str


@dataclass(frozen=True, slots=True)
class Problem:
    """An error or a warning, with the user frames that it points to, innermost first. An error makes a
    partial record.

    >>> Problem("error", "x[x < 0]: the shape depends on a value", (Frame(0, 2),)).severity
    'error'
    """

    severity: Literal["error", "warning"]
    text: str
    frames: tuple[Frame, ...] = ()


@dataclass(frozen=True, slots=True)
class Record:
    """One run of one program. ``cell`` is the execution count of its cell, ``file`` its file where it has
    one.

    ``name`` and ``transformations`` (outermost first) read together as ``jit(grad(cell))``. ``sources[0]`` is
    the program's own source; further sources are those that its frames reach. ``producer`` names the versions
    that made the record. See the module's text for an example.
    """

    name: str
    kind: Kind = "function"
    transformations: tuple[Transformation, ...] = ()
    device: str = ""
    cell: int | None = None
    file: str = ""
    sources: tuple[Source, ...] = ()
    stages: tuple[Stage, ...] = ()
    links: tuple[Links, ...] = ()
    timings: Timings = Timings()
    caching: Caching = Caching()
    cost: Cost = Cost()
    inputs: tuple[Input, ...] = ()
    outputs: tuple[Output, ...] = ()
    problems: tuple[Problem, ...] = ()
    producer: str = ""

    def to_json(self) -> dict[str, Any]:
        """The record as one JSON object: dicts, lists, strings, numbers and None, its texts compressed."""
        tables = Tables()
        return {
            "format": FORMAT,
            "version": VERSION,
            "name": plain(self.name),
            "kind": self.kind,
            "transformations": [_flat(entry) for entry in self.transformations],
            "device": self.device,
            "cell": self.cell,
            "file": plain(self.file),
            "producer": self.producer,
            "timings": _flat(self.timings),
            "caching": _flat(self.caching),
            "cost": _flat(self.cost),
            "inputs": [_flat(entry) for entry in self.inputs],
            "outputs": [_flat(entry) for entry in self.outputs],
            "problems": [
                {"severity": entry.severity, "text": plain(entry.text), "stack": tables.stack(entry.frames)}
                for entry in self.problems
            ],
            "sources": [
                {"label": plain(entry.label), "text": pack_text(entry.text), "first_line": entry.first_line}
                for entry in self.sources
            ],
            "stages": [write_stage(entry, tables) for entry in self.stages],
            "links": [write_links(entry) for entry in self.links],
            **tables.to_json(),  # last: encoding the rest fills them
        }

    @classmethod
    def from_json(cls, value: Any) -> Record:
        """The record that `to_json` wrote; raises `RecordFormatError` on anything else or a later version."""
        if not isinstance(value, dict) or value.get("format") != FORMAT:
            raise RecordFormatError(
                f"record: {type(value).__name__} given, but a JSON object with format {FORMAT!r} is needed"
            )
        if value.get("version") != VERSION:
            raise RecordFormatError(
                f"record: version {value.get('version')!r} given, but this jaxlab reads version {VERSION}; "
                "open it with the jaxlab that wrote it or with a later one"
            )
        try:
            return cls._read(value)
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise RecordFormatError(
                f"record: damaged JSON given ({type(error).__name__}: {error})"
            ) from error

    @classmethod
    def _read(cls, value: dict[str, Any]) -> Record:
        strings, stacks = read_tables(value)
        return cls(
            name=value["name"],
            kind=value["kind"],
            transformations=tuple(_read_flat(Transformation, entry) for entry in value["transformations"]),
            device=value["device"],
            cell=value["cell"],
            file=value["file"],
            producer=value["producer"],
            timings=_read_flat(Timings, value["timings"]),
            caching=_read_flat(Caching, value["caching"]),
            cost=_read_flat(Cost, value["cost"]),
            inputs=tuple(_read_flat(Input, entry) for entry in value["inputs"]),
            outputs=tuple(_read_flat(Output, entry) for entry in value["outputs"]),
            problems=tuple(
                Problem(
                    entry["severity"], entry["text"], stacks[entry["stack"]] if entry["stack"] >= 0 else ()
                )
                for entry in value["problems"]
            ),
            sources=tuple(
                Source(entry["label"], unpack_text(entry["text"]), entry["first_line"])
                for entry in value["sources"]
            ),
            stages=tuple(read_stage(entry, strings, stacks) for entry in value["stages"]),
            links=tuple(read_links(entry) for entry in value["links"]),
        )

    def stage(self, id: str) -> Stage | None:
        """The stage of that id, or None.

        >>> Record("f", stages=(Stage("hlo", "Optimised HLO", "hlo"),)).stage("hlo").title
        'Optimised HLO'
        """
        return next((stage for stage in self.stages if stage.id == id), None)


class RecordFormatError(ValueError):
    """A value that is not a record, is damaged, or was written by a later version of jaxlab."""


_Flat = TypeVar("_Flat", Transformation, Timings, Caching, Cost, Input, Output)


def _flat(entry: _Flat) -> dict[str, Any]:
    return {name: _sound(value) for name, value in asdict(entry).items()}


def _sound(value: Any) -> Any:
    # JSON has no NaN and no infinity, and a compiler's cost model gives both.
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return plain(value) if isinstance(value, str) else value


def _read_flat(type_: type[_Flat], value: dict[str, Any]) -> _Flat:
    # Fields that a later jaxlab added are skipped, fields that an earlier one lacked take their defaults.
    return type_(**{field.name: value[field.name] for field in fields(type_) if field.name in value})
