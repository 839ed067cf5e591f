"""Running a transformed cell: its inputs, its program (compiled or reused), its outputs, its record."""

from __future__ import annotations

import ast
import contextlib
import io
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from IPython.core.error import UsageError

import jaxlab
from jaxlab import tree_util
from jaxlab.config import config
from jaxlab.core.trace import Tracer
from jaxlab.errors import UnexpectedTracerError
from jaxlab.inspection.record import Input, Output
from jaxlab.magics import device as devices
from jaxlab.magics.body import Body
from jaxlab.magics.errors import CellError, ValueOfCellError
from jaxlab.magics.namespace import commit
from jaxlab.magics.outputs import Outcome, thaw
from jaxlab.magics.program import Environment, Program, ProgramKey, Programs
from jaxlab.magics.progress import interruptible, progress, wait
from jaxlab.magics.reach import Reacher
from jaxlab.magics.reads import names_of
from jaxlab.magics.show import CellRun
from jaxlab.magics.source import parse
from jaxlab.magics.stack import Layer, choices, spoken_names
from jaxlab.magics.traceback import Place, place_of
from jaxlab.magics.transform import Traced, compose
from jaxlab.magics.values import Binding, as_argument, bind, describe
from jaxlab.runtime.references import Saved

Spot = tuple[int, int | None, int | None, int | None]
_MAGIC_LINE: Spot = (1, None, None, None)
_NAMED = re.compile(r"\b(?:the arguments?|given as|and as) (\w+)")  # an input, as an error names it
_ATTEMPTS = 4  # traces until the names that functions reach are settled; one is the rule


class CellExecution:
    """One run of one cell, step by step: `prepare`, then `program`, then `execute`, then `finish`.

    ``layers`` transform the cell, outermost first; ``heads`` are the lines above ``text`` in the notebook's
    cell.
    """

    def __init__(
        self,
        shell: Any,
        programs: Programs,
        layers: list[Layer],
        text: str,
        heads: Sequence[str],
        cell_id: str | None,
    ) -> None:
        self.shell, self.programs, self.layers = shell, programs, layers
        self.cell_id, self.heads = cell_id, heads
        self.source = parse(shell, text, heads)
        self.body: Body | None = None
        self.bindings: dict[str, Binding] = {}
        self._spot = _MAGIC_LINE
        self.device = self._device()
        self.stack = tuple(map(str, layers))
        self.environment: Environment = (
            ("device", devices.label(self.device)),
            ("options", config.trace_key()),
        )
        self.record = CellRun(
            "cell", "cell", "\n".join([*heads, text]), self.source.label, self.source.number,
            stack=[(layer.name, layer.line) for layer in layers], device=devices.label(self.device),
        )  # fmt: skip

    def tell(self, error: BaseException, below: list[Place]) -> list[Place]:
        """Where the traceback of an error points.

        That is where the trace broke off; or the line of the equation that could not be transposed or
        lowered, and ``below`` it the user's functions that this called; or the line that reads the input at
        fault; or else the magic line.
        """
        if self.body is not None and self.body.places is not None:
            return self.body.places
        named = [name for name in _NAMED.findall(str(error)) if name in self.bindings]
        if named:
            self._spot = self._read(named[-1])
        made = getattr(error, "made_at", None)
        above = [place_of(made, self.shell)] if made is not None and self._spot is _MAGIC_LINE else []
        places = [*above, *below]
        return places or [Place(self.source.filename, *self._spot, "<module>", self.source.label)]

    def _refuse_tracers(self, name: str, value: Any) -> None:
        self._spot = self._read(name)
        paths = [p for p, leaf in tree_util.tree_leaves_with_path(value) if isinstance(leaf, Tracer)]
        raise UnexpectedTracerError(
            f"{name}{tree_util.keystr(paths[0])} holds a traced value of a trace that has ended; "
            "return the value from the traced function instead of storing it on the side"
        )

    def _read(self, name: str) -> Spot:
        """Where the cell's own text reads a name, or its magic line."""
        for node in ast.walk(self.source.tree):
            if isinstance(node, ast.Name) and node.id == name:
                return node.lineno, node.col_offset, node.end_lineno, node.end_col_offset
        return _MAGIC_LINE

    def place_of(self, error: CellError) -> list[Place]:
        """Where the traceback of an error about this cell points."""
        source = self.source
        if isinstance(error, ValueOfCellError) and source.tree.body:
            node = source.tree.body[-1]
            spot = (node.lineno, node.col_offset, node.end_lineno, node.end_col_offset)
        elif error.layer is not None and str(error.layer) in self.heads:
            line = self.heads.index(str(error.layer)) + 1
            spot = (line, 0, line, len(str(error.layer).encode()))
        else:
            return []
        return [Place(source.filename, *spot, "<module>", source.label)]

    def _device(self) -> Any:
        named = [layer.options.device for layer in self.layers if getattr(layer.options, "device", None)]
        return devices.find(named[0]) if named else None

    def prepare(self) -> None:
        """Find the inputs of the cell and take them apart."""
        self.bindings, self.direct, self.writes, self.certain = self._inputs()

    def program(self) -> Program:
        """The program of an earlier run that fits, or a new one."""
        found = self.programs.find(self.source.text, self.stack, self.environment, self.bindings)
        if found is not None:
            self.body = found.body
            self.record.outcome, self.record.hits, self.record.traced_at = (
                "reused",
                found.hits,
                found.traced_at,
            )
            return found
        compiled = any(layer.name == "jit" for layer in self.layers)
        if compiled:
            self.record.reason = self.programs.reason(
                self.source.text, self.stack, self.environment, self.bindings, self.cell_id
            )
        made = self.trace()
        made.reason = self.record.reason
        if made.traced is not None:
            self.compile(made)
        if compiled:
            self.programs.keep(made)
        return made

    # Inputs

    def _inputs(self) -> tuple[dict[str, Binding], list[str], list[str], bool]:
        space = self.shell.user_ns
        reach = Reacher(space)
        names = names_of(self.source.tree, reach)
        chosen = choices(self.layers)
        wanted = dict.fromkeys([*names.reads, *spoken_names(self.layers)])
        for known in self.programs.names_of(self.source.text, self.stack):
            wanted.update(dict.fromkeys(known))
        bindings = {name: bind(name, space[name], chosen.get(name)) for name in wanted if name in space}
        for name, binding in bindings.items():
            if any(isinstance(leaf, Tracer) for leaf in binding.traced):
                self._refuse_tracers(name, space[name])
        for name, kind in chosen.items():
            if name not in bindings:
                raise UsageError(f"%%jit --{kind} {name}: the cell does not read {name}")
        return bindings, [*names.direct, *spoken_names(self.layers)], names.writes, reach.certain

    def arguments(self, bindings: Mapping[str, Binding]) -> Traced:
        """The traced leaves of the inputs, on the device that the magic names."""
        found = {
            n: [as_argument(leaf) for leaf in b.traced] for n, b in bindings.items() if b.kind != "static"
        }
        if self.device is not None:
            found = jaxlab.device_put(found, self.device)
        return found

    # Making a program

    def trace(self) -> Program:
        """Trace the cell (if ``%%jit`` is outermost; else it will be called as it is), until its inputs are
        settled.
        """
        bindings = self.bindings
        known: set[frozenset[str]] = set()
        for attempt in range(_ATTEMPTS):
            kept = dict(bindings)
            body = self.body = Body(self.shell, self.source, kept, self.direct, self.certain)
            body.writes = self.writes
            function = compose(body, self.layers, kept)
            kept.update({name: binding.without_arrays() for name, binding in bindings.items()})
            key = ProgramKey(
                self.source.text,
                self.stack,
                self.environment,
                tuple(bindings),
                tuple(b.key for b in bindings.values()),
            )
            program = Program(key, function, body, f"In[{self.source.number}]", self.cell_id)
            if self._staged(function):
                with (
                    _on(self.device),
                    contextlib.redirect_stdout(io.StringIO()) if attempt else contextlib.nullcontext(),
                ):
                    self._stage(program, self.arguments(bindings))
            if body.reached is None or not self._staged(function):
                break
            space = self.shell.user_ns
            settled = {
                n: bind(n, space[n], choices(self.layers).get(n)) for n in sorted(body.reached) if n in space
            }
            if settled.keys() == bindings.keys() or frozenset(settled) in known:
                break
            known.add(frozenset(settled))
            bindings = {n: settled[n] for n in [*(n for n in bindings if n in settled), *settled]}
        self.bindings = bindings
        return program

    @staticmethod
    def _staged(function: Any) -> bool:
        return hasattr(function, "trace")

    def _stage(self, program: Program, traced: Traced) -> None:
        start = time.perf_counter()
        with progress.phase("tracing"):
            program.traced = program.function.trace(traced)  # type: ignore[attr-defined]
        program.seconds["trace"] = time.perf_counter() - start

    def compile(self, program: Program) -> None:
        """Lower and compile a traced program."""
        start = time.perf_counter()
        with _on(self.device):
            program.lowered = program.traced.lower()
            lowered = time.perf_counter()
            try:
                program.compiled = program.lowered.compile()
            except KeyboardInterrupt:
                raise KeyboardInterrupt("stopped; the compiler finishes in the background") from None
        program.seconds["lower"], program.seconds["compile"] = lowered - start, time.perf_counter() - lowered

    # Running it

    def execute(self, program: Program) -> tuple[Outcome, float]:
        """Run a program on the inputs and wait for it; returns also the seconds."""
        run = self.launcher(program)

        def timed() -> tuple[Outcome, float]:
            start = time.perf_counter()
            outcome = run()
            return outcome, time.perf_counter() - start

        # Python that runs op by op hears an interrupt by itself, and must see this thread's settings.
        return timed() if program.compiled is None else interruptible(timed)

    def launcher(self, program: Program) -> Callable[[], Outcome]:
        """A function that runs the program on the inputs and waits for the result."""
        traced = self.arguments({name: self.bindings[name] for name in program.key.names})
        compiled = program.compiled
        arguments = {} if compiled is None else program.function.by_name(traced)  # type: ignore[attr-defined]

        def run() -> Outcome:
            if compiled is not None:
                outcome: Outcome = compiled(**arguments)
            else:
                saved = Saved(tree_util.tree_leaves(traced))
                try:
                    with _on(self.device):
                        outcome = program.function(_as_arrays(traced))
                except BaseException:
                    saved.restore()  # a cell that fails has changed nothing
                    raise
            wait(outcome)
            return outcome

        return run

    def finish(self, program: Program, outcome: Outcome) -> Any:
        """Bind what the cell leaves, complete the record, and return the value of the last expression."""
        given = {name: binding.traced for name, binding in self.bindings.items()}
        names = {name: thaw(value, given) for name, value in outcome.names.items()}
        value = None if outcome.value is None else thaw(outcome.value, given)
        commit(self.shell.user_ns, names, outcome.mutated, outcome.deleted)
        program.body.define_again()
        self.describe(program)
        self.record.outputs = [Output(name, describe(found)) for name, found in names.items()]
        return value

    def describe(self, program: Program) -> None:
        """Tell the record what is known of the program."""
        record = self.record
        if program.traced is None:
            inside = any(layer.name == "jit" for layer in self.layers)
            record.note = (
                "op by op around %%jit; put it on top to compile the whole cell"
                if inside
                else "op by op; put %%jit on top to compile it"
            )
        elif record.outcome is None:
            record.outcome = (
                program.compiled.program.compiled.source if program.compiled is not None else None
            )
            record.trace_seconds = program.seconds.get("trace")
            record.lower_seconds, record.compile_seconds = (
                program.seconds.get("lower"),
                program.seconds.get("compile"),
            )
        record.traced, record.view, record.keeper = program.traced, program.view, program
        record.program = program.lowered.program if program.lowered is not None else None
        record.inputs = inputs_of({name: self.bindings[name] for name in program.key.names})


def inputs_of(bindings: Mapping[str, Binding]) -> list[Input]:
    """The inputs as the record lists them; modules say nothing and are left out."""
    shown = []
    for name, binding in bindings.items():
        if binding.kind == "static" and binding.key.text.startswith("module "):
            continue
        shown.append(
            Input(name, binding.key.text, "static" if binding.kind == "static" else "traced", binding.why)
        )
    return shown


def _as_arrays(traced: Traced) -> Traced:
    """NumPy arrays as jaxlab arrays, so that a cell that runs op by op cannot change them in place."""
    return {
        name: [
            jaxlab.numpy.asarray(leaf) if hasattr(leaf, "__array_interface__") else leaf for leaf in leaves
        ]
        for name, leaves in traced.items()
    }


@contextlib.contextmanager
def _on(device: Any) -> Iterator[None]:
    if device is None:
        yield
    else:
        with jaxlab.default_device(device):
            yield
