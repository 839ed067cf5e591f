"""The record of a program: its stages as texts, linked equation by equation, with what it costs."""

from __future__ import annotations

import ast
import itertools
import linecache
import re
from collections.abc import Sequence
from typing import Any

from jaxlab.core import source
from jaxlab.core.effects import touches_references
from jaxlab.core.jaxpr import ClosedJaxpr, Jaxpr, JaxprEqn
from jaxlab.core.printing import jaxpr_to_text
from jaxlab.inspection.hlo import hlo_form
from jaxlab.inspection.program import Frame, Item, Link, LinkKind, Links, Source, Stage
from jaxlab.inspection.record import Cost
from jaxlab.inspection.stages import Form, Part, jaxpr_form, stablehlo_form
from jaxlab.interpreters.program import Program
from jaxlab.interpreters.staging import stage
from jaxlab.runtime.native import JAXLIB_VERSION
from jaxlab.version import __version__

_TITLES = {"jaxpr": ("jaxpr", "jaxpr"), "stablehlo": ("StableHLO", "mlir"), "hlo": ("Optimised HLO", "hlo")}
_FILE_LINES = 400
"""A longer file is cut to the lines around those that frames reach."""
_AROUND = 3


class Sources:
    """The user's texts that frames reach: cells by their names, files from disk."""

    def __init__(self, given: Sequence[Source] = ()) -> None:
        self.sources = list(given)
        self._places = {text.label: i for i, text in enumerate(given)}
        self._files: dict[str, int | None] = {}
        self._lines: dict[int, tuple[int, int]] = {}
        self._frames: dict[tuple[int, int], tuple[Frame, ...]] = {}

    def frames(self, eqn: JaxprEqn, callers: tuple[Frame, ...] = ()) -> tuple[Frame, ...]:
        """The user's call stack of an equation, innermost first, down to where its program begins.

        An equation of an inner jaxpr knows the stack at the time it was traced, which may have been for
        another program; so its frames end where that trace began, and those of its caller follow.
        """
        key = (id(eqn.traceback), id(callers))
        known = self._frames.get(key)
        if known is None:
            own = source.user_frames(eqn.traceback, within=stage.__code__)
            if not own and not callers:
                own = source.user_frames(eqn.traceback)
            found = [frame for frame in map(self._frame, own) if frame is not None]
            known = self._frames[key] = (*found, *callers) if found else callers
        return known

    def _frame(self, frame: source.Frame) -> Frame | None:
        place = self._place(frame.file)
        if place is None:
            return None
        low, high = self._lines.get(place, (frame.line, frame.line))
        self._lines[place] = (min(low, frame.line), max(high, frame.end_line or frame.line))
        end_line = 0 if frame.end_line == frame.line else frame.end_line
        return Frame(place, frame.line, frame.column, end_line, frame.end_column, frame.function)

    def _place(self, file: str) -> int | None:
        if file not in self._files:
            label = source.display_name(file)
            place = self._places.get(label)
            if place is None:
                text = "".join(linecache.getlines(file))
                if file in source.cell_names:
                    text = _as_written(text)
                if text:
                    place = len(self.sources)
                    self.sources.append(Source(label, text))
            self._files[file] = place
        return self._files[file]

    def finished(self) -> tuple[Source, ...]:
        """All sources, long files cut to what frames reach."""
        result = []
        for place, text in enumerate(self.sources):
            lines = text.text.splitlines()
            if len(lines) > _FILE_LINES and place in self._lines:
                low, high = self._lines[place]
                first = max(low - _AROUND, text.first_line)
                text = Source(text.label, "\n".join(lines[first - 1 : high + _AROUND]), first)
            result.append(text)
        return tuple(result)


_MAGIC = re.compile(r"get_ipython\(\)\.run_line_magic\('(\w+)', ('(?:[^'\\\n]|\\.)*')\)")


def _as_written(text: str) -> str:
    """The text of a cell with its line magics as the user wrote them; IPython keeps what they stand for.

    >>> _as_written("get_ipython().run_line_magic('load_ext', 'jaxlab')")
    '%load_ext jaxlab'
    """
    return _MAGIC.sub(lambda match: f"%{match[1]} {ast.literal_eval(match[2])}".rstrip(), text)


class ProgramView:
    """What there is to see of a program: stages, links, sources and cost; made once, when somebody looks."""

    def __init__(self, closed: ClosedJaxpr, program: Program | None, sources: Sequence[Source] = ()) -> None:
        known = Sources(sources)
        lowered = program.lowered if program is not None else None
        compiled = program.compiled if program is not None else None
        equations: Sequence[JaxprEqn] = lowered.equations if lowered is not None else _all_equations(closed)
        numbers: dict[JaxprEqn, tuple[int, ...]] = {eqn: (i,) for i, eqn in enumerate(equations)}
        if touches_references(closed.effects):
            equations = _with_references(closed, equations, numbers)
        frames = _stacks(known, closed, equations)
        optimized = program.text("optimized") if program is not None and compiled is not None else None
        forms: dict[str, Form | None] = {
            "jaxpr": jaxpr_form(closed, numbers),
            "stablehlo": stablehlo_form(lowered.module) if lowered is not None else None,
            "hlo": hlo_form(optimized) if optimized is not None else None,
        }
        notes = {"jaxpr": "", "stablehlo": "not lowered: traced only", "hlo": "not compiled: traced only"}
        self.stages = tuple(_stage(name, form, frames, notes[name]) for name, form in forms.items())
        present = [(name, form) for name, form in forms.items() if form is not None]
        self.links = tuple(
            Links(a, b, tuple(link(before, after))) for (a, before), (b, after) in itertools.pairwise(present)
        )
        self.sources = known.finished()
        self.cost = cost_of(program)


def _stacks(known: Sources, closed: ClosedJaxpr, equations: Sequence[JaxprEqn]) -> list[tuple[Frame, ...]]:
    """The call stack of each equation; one of an inner jaxpr continues with that of the first that has it."""
    stacks: dict[JaxprEqn, tuple[Frame, ...]] = {}
    todo: list[tuple[Jaxpr, tuple[Frame, ...]]] = [(closed.jaxpr, ())]
    for jaxpr, callers in todo:  # grows meanwhile
        for eqn in jaxpr.eqns:
            if eqn not in stacks:
                stacks[eqn] = known.frames(eqn, callers)
                todo.extend((inner, stacks[eqn]) for inner in _inner(eqn))
    return [stacks[eqn] if eqn in stacks else known.frames(eqn) for eqn in equations]


def _with_references(
    closed: ClosedJaxpr, lowered: Sequence[JaxprEqn], numbers: dict[JaxprEqn, tuple[int, ...]]
) -> list[JaxprEqn]:
    """Number the equations of a program with references, which was lowered as one on values.

    What an equation became has its very traceback.  A read or write that became nothing has a number of its
    own.  Returns, for each number, the equation whose frames are shown.
    """
    shown = _all_equations(closed)
    made = set(lowered).difference(shown)
    became: dict[int, list[int]] = {}
    for number, eqn in enumerate(lowered):
        if eqn in made and eqn.traceback is not None:
            became.setdefault(id(eqn.traceback), []).append(number)
    missing = [eqn for eqn in shown if eqn not in numbers]
    for eqn in missing:
        places = became.get(id(eqn.traceback), [])
        same = next((i for i in places if lowered[i].primitive is eqn.primitive), None)
        if same is not None:
            places.remove(same)
            numbers[eqn] = (same,)
    every = list(lowered)
    for eqn in missing:
        if eqn not in numbers:
            numbers[eqn] = tuple(became.get(id(eqn.traceback), ())) or (len(every),)
        for number in numbers[eqn]:
            every[number:] = [eqn, *every[number + 1 :]]
    return every


def _inner(eqn: JaxprEqn) -> list[Jaxpr]:
    """The jaxprs that an equation holds."""
    values = [v for value in eqn.params.values() for v in (value if isinstance(value, tuple) else (value,))]
    return [
        v.jaxpr if isinstance(v, ClosedJaxpr) else v for v in values if isinstance(v, ClosedJaxpr | Jaxpr)
    ]


def _all_equations(closed: ClosedJaxpr) -> list[JaxprEqn]:
    """Every equation, as lowering would number them if it had been asked."""
    lines: list[tuple[JaxprEqn, int, int]] = []
    jaxpr_to_text(closed, lines=lines)
    return list(dict.fromkeys(eqn for eqn, _, _ in lines))


def _stage(name: str, form: Form | None, frames: Sequence[tuple[Frame, ...]], note: str) -> Stage:
    title, language = _TITLES[name]
    if form is None:
        return Stage(name, title, language, note=note)
    items = [
        Item(part.first, part.last, part.name, frames[part.equations[0]] if part.equations else ())
        for part in form.parts
    ]
    return Stage(name, title, language, form.text, tuple(items))


def link(before: Form, after: Form) -> list[Link]:
    """Links between the parts of neighbouring forms that come from the same equation.

    What an equation became is ``expanded`` if it is several parts, ``fused`` if it went into a larger
    kernel, ``duplicated`` if XLA made copies, ``removed`` if nothing of it is left; what comes from no
    equation was ``added``.
    """
    earlier = _by_equation(before.parts)
    later = _by_equation(after.parts)
    own = {
        number: [i for i in places if len(after.parts[i].equations) == 1] for number, places in later.items()
    }
    links: list[Link] = []
    holders = _holders(before.parts, later)
    for number, places in earlier.items():
        targets = own.get(number) or later.get(number) or []
        if not targets:
            for i in places:
                inside = holders.get(i, ())
                links.extend([Link(i, j, "expanded") for j in inside] or [Link(i, None, "removed")])
            continue
        for i in places:
            links.extend(Link(i, j, _kind(before, after, places, targets, j)) for j in targets)
    # A fused kernel is led back to everything that went into it.
    for number, places in later.items():
        wide = [j for j in places if len(after.parts[j].equations) > 1 and number in own and own[number]]
        links.extend(Link(i, j, "fused") for j in wide for i in earlier.get(number, ()))
    links.extend(Link(None, j, "added") for j, part in enumerate(after.parts) if not part.equations)
    return links


def _kind(before: Form, after: Form, places: Sequence[int], targets: Sequence[int], target: int) -> LinkKind:
    part = after.parts[target]
    if part.inside or len(part.equations) > 1:
        same = [j for j in targets if after.parts[j].name == part.name]
        return "duplicated" if len(same) > len(places) and part.inside else "fused"
    if len(targets) == 1:
        return "same"
    return "expanded"


def _holders(parts: Sequence[Part], later: dict[int, list[int]]) -> dict[int, list[int]]:
    """For each part that holds others, as an equation does that is no operation itself: what these became."""
    held: dict[int, dict[int, None]] = {}
    open_: list[int] = []
    for i in sorted(range(len(parts)), key=lambda i: (parts[i].first, -parts[i].last)):
        while open_ and parts[open_[-1]].last < parts[i].last:
            open_.pop()
        for number in parts[i].equations:
            for outer in open_:
                held.setdefault(outer, {}).update(dict.fromkeys(later.get(number, ())))
        open_.append(i)
    return {i: list(targets) for i, targets in held.items()}


def _by_equation(parts: Sequence[Part]) -> dict[int, list[int]]:
    result: dict[int, list[int]] = {}
    for i, part in enumerate(parts):
        for number in (*part.equations, *part.calls):
            result.setdefault(number, []).append(i)
    return result


def cost_of(program: Program | None) -> Cost:
    """What one run needs by XLA's account, of the optimised program where there is one."""
    if program is None or program.compiled is None:
        return Cost()
    executable = program.compiled.executable
    analysis: dict[str, float] = dict(executable.cost_analysis() or {})
    memory: Any = executable.get_compiled_memory_stats()
    arguments, outputs = int(memory.argument_size_in_bytes), int(memory.output_size_in_bytes)
    peak = int(getattr(memory, "peak_memory_in_bytes", 0)) or (
        arguments + outputs + int(memory.temp_size_in_bytes) - int(memory.alias_size_in_bytes)
    )
    return Cost(
        flops=_counted(analysis, "flops"),
        transcendentals=_counted(analysis, "transcendentals"),
        bytes_accessed=_counted(analysis, "bytes accessed"),
        peak_bytes=peak,
        argument_bytes=arguments,
        output_bytes=outputs,
    )


def _counted(analysis: dict[str, float], key: str) -> float | None:
    """A count of XLA's, which is negative where the program calls something that it cannot look into."""
    count = analysis.get(key, 0.0)
    return count if count >= 0 else None


def producer() -> str:
    """The versions that made a record."""
    return f"jaxlab {__version__}, jaxlib {JAXLIB_VERSION}"
