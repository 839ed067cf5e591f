"""Running transformed cells in one shell: what each magic does with a cell, and how its errors are shown."""

from __future__ import annotations

import ast
import time
import types
from typing import Any

from IPython.core.error import UsageError

import jaxlab
from jaxlab import caching
from jaxlab.interpreters.functions import function_name
from jaxlab.interpreters.program import Program
from jaxlab.magics import bench
from jaxlab.magics.body import BODY, type_of
from jaxlab.magics.cell import CellExecution, inputs_of
from jaxlab.magics.compiled import CompiledFunction
from jaxlab.magics.definitions import LINEAR, define, linear_function
from jaxlab.magics.errors import CellError, explain
from jaxlab.magics.namespace import lent
from jaxlab.magics.program import Listed, Programs, spell, spell_inputs
from jaxlab.magics.show import CellRun, show
from jaxlab.magics.source import CellSyntaxError, running_cell
from jaxlab.magics.stack import PARSERS, TERMINAL, Layer, parse_stack
from jaxlab.magics.traceback import Place, called_back, label_of, present, tell_all
from jaxlab.runtime.references import Saved

_REMEMBERED = 200  # programs of functions that are listed


class CellRunner:
    """The transformed cells of one shell: their programs, and the records still to be shown."""

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        self.programs = Programs()
        self.cell_id: str | None = None
        self._later: list[CellRun] = []
        self._compiled: list[Program] = []
        self._functions: list[tuple[CompiledFunction, Listed]] = []
        self.compilations = 0

    # What the magics call

    def run_cell(self, magic: str, line: str, cell: str) -> None:
        """Run one cell: display its value and then its record, and bind its outputs.

        Raises what the cell raises, with the user's frames alone; the namespace is then as it was.
        """
        layers, text, heads = parse_stack(magic, line, cell)
        if not text.strip():
            raise UsageError(f"%%{layers[-1].name}: the cell has no code under its magic lines")
        self._guarded(layers, text, heads, self._cell)

    def run_line(self, layers: list[Layer], expression: str) -> Any:
        """Run one expression as a cell of its own and return its value; its record follows after the cell."""
        return self._guarded(layers, expression, self._above(), self._line)

    def compile_line(self, layers: list[Layer], expression: str) -> Any:
        """Trace, lower and compile an expression, run nothing; returns its program."""

        def compiled(execution: CellExecution) -> Any:
            execution.prepare()
            program = execution.trace()
            execution.compile(program)
            return program

        return self._guarded(layers, expression, self._above(), lambda e, _: compiled(e))

    def trace_line(self, expression: str) -> Any:
        """The jaxpr of an expression."""
        return self._guarded([], expression, self._above(), lambda execution, _: _jaxpr(execution))

    def _above(self) -> list[str]:
        """Blank lines down to the one in which a line magic stands."""
        return [""] * (running_cell(self.shell)[1] - 1)

    def derivative_line(self, kind: str, expression: str, argnum: Any) -> Any:
        """The gradient, Jacobian or Hessian of a call by one of its arguments; or its linear part there."""
        try:
            tree = ast.parse(expression.strip(), mode="eval").body
        except SyntaxError as error:
            raise UsageError(f"%{kind}: {error.msg}: {expression}") from None
        if not isinstance(tree, ast.Call) or any(isinstance(argument, ast.Starred) for argument in tree.args):
            raise UsageError(f"%{kind}: a call is needed, such as %{kind} f(x, y)")
        if argnum not in range(len(tree.args)):
            raise UsageError(f"%{kind} --argnum {argnum}: the call has {len(tree.args)} positional arguments")
        keywords = ast.Dict(
            [None if k.arg is None else ast.Constant(k.arg) for k in tree.keywords],
            [k.value for k in tree.keywords],
        )
        parts = ast.Expression(ast.Tuple([tree.func, ast.Tuple(tree.args, ast.Load()), keywords], ast.Load()))
        try:
            code = compile(ast.fix_missing_locations(parts), f"<%{kind}>", "eval")
            function, args, kwargs = eval(code, self.shell.user_ns)
            if kind in LINEAR:
                name = f"{kind}_{function_name(function)}"
                return linear_function(kind, function, name, argnum)(*args, **kwargs)
            return getattr(jaxlab, kind)(function, argnums=argnum)(*args, **kwargs)
        except Exception as error:
            present(error, self.shell, None)
            raise

    def _guarded(self, layers: list[Layer], text: str, heads: list[str], action: Any) -> Any:
        """Do ``action`` with a prepared execution of the cell; every error shows the user's frames alone."""
        mode = layers[0] if layers and layers[0].name in TERMINAL else None
        execution: CellExecution | None = None
        try:
            stacked = _stack_for(mode, layers)
            execution = CellExecution(self.shell, self.programs, stacked, text, heads, self.cell_id)
            if mode is not None:
                execution.record.stack = [(layer.name, layer.line) for layer in layers]
            return action(execution, mode)
        except UsageError:
            raise
        except CellSyntaxError as error:
            label = label_of(self.shell, error.filename)
            present(
                error,
                self.shell,
                None,
                [Place(error.filename, error.line, error.column, None, None, "<module>", label)],
            )
            raise
        except CellError as error:
            present(error, self.shell, BODY, [] if execution is None else execution.place_of(error))
            raise
        except BaseException as error:
            if execution is None or called_back(error):
                present(error, self.shell, BODY)
                raise
            told, below = explain(error, self.shell, _GUARDED, type_of)
            present(told, self.shell, BODY, execution.tell(told, below))
            if told is error:
                raise
            raise told from error

    # What is done with a cell

    def _cell(self, execution: CellExecution, mode: Layer | None) -> None:
        if execution.source.definitions:
            if mode is not None:
                raise UsageError(f"%%{mode.name}: the cell only defines functions; call one in the cell")
            define(self.shell, execution.source, execution.layers, self)
            return
        execution.prepare()
        if mode is None:
            value = self._run(execution)
            if value is not None and not execution.source.silent:
                self.shell.displayhook(value)
            show(execution.record)
        elif mode.name == "jaxpr":
            self.shell.displayhook(_jaxpr(execution, prepared=True))
            show(execution.record)
        elif mode.name == "stages":
            program = execution.trace()
            execution.compile(program)
            execution.describe(program)
            show(execution.record)
        else:
            self._bench(execution, mode.options.repeat)

    def _line(self, execution: CellExecution, mode: Layer | None) -> Any:
        execution.prepare()
        execution.record.kind = "line"
        value = self._run(execution)
        self._later.append(execution.record)
        return value

    def _run(self, execution: CellExecution) -> Any:
        program = execution.program()
        outcome, execution.record.run_seconds = execution.execute(program)
        return execution.finish(program, outcome)

    def _bench(self, execution: CellExecution, repeat: int) -> None:
        saved = Saved(leaf for binding in execution.bindings.values() for leaf in binding.leaves)
        try:
            self._measure(execution, repeat)
        finally:
            saved.restore()  # what is measured is run many times, and leaves nothing

    def _measure(self, execution: CellExecution, repeat: int) -> None:
        program = execution.program()
        timings = [bench.measure("compiled", execution.launcher(program), repeat)]
        if execution.record.stack[1:] and [name for name, _ in execution.record.stack[1:]] != ["jit"]:
            eager = [layer for layer in execution.layers if layer.name != "jit"]
        else:
            eager = []
        plain = CellExecution(
            self.shell, self.programs, eager, execution.source.text, execution.heads, self.cell_id
        )
        plain.prepare()
        op_by_op = plain.trace()
        timings.append(bench.measure("op by op", plain.launcher(op_by_op), repeat))
        if eager:
            timings.append(bench.Timing("NumPy", note=f"it has no %%{eager[0].name}"))
        else:
            numpy = bench.with_numpy(plain.source, plain.bindings, self.shell.user_ns)
            with lent(self.shell.user_ns, {}):
                timings.append(bench.measure("NumPy", numpy, repeat))
        print(bench.table(timings))
        execution.describe(program)
        execution.record.run_seconds = timings[0].seconds
        show(execution.record)

    # Records of functions, shown under the cell that called them

    def note(
        self, function: CompiledFunction, args: tuple[Any, ...], kwargs: dict[str, Any], seconds: float
    ) -> None:
        """A call of a ``%%jit`` function made a new program: its record is shown under the cell."""
        name = function.__wrapped__.__name__
        program = next((p for p in reversed(self._compiled) if p.name == name), None)
        if program is None:  # the call compiled something else, such as an operation on constants
            return
        self._compiled.remove(program)
        run, bindings = function.run_record(self.shell), function.bindings(args, kwargs)
        key, run.reason = function.new_program(bindings)
        run.program = program
        run.outcome = (
            "disk" if program.compiled is not None and program.compiled.source == "disk" else "compiled"
        )
        run.trace_seconds, run.lower_seconds = program.trace_seconds, program.lower_seconds
        run.compile_seconds = program.compile_seconds
        steps = (run.trace_seconds, run.lower_seconds, run.compile_seconds)
        run.run_seconds = max(0.0, seconds - sum(step for step in steps if step is not None))
        run.inputs = inputs_of(bindings)
        where = f"In[{run.number}]"
        listed = Listed(
            spell(key.stack, name), f"def {name}", where, "", spell_inputs(key.inputs), run.reason
        )
        self._functions = [*self._functions[-_REMEMBERED:], (function, listed)]
        self._later.append(run)

    def listed(self) -> list[Listed]:
        """The compiled cells, then the programs of ``%%jit`` functions with the calls of each function."""
        calls = [
            entry._replace(reused=f"{f.calls} call{'s' * (f.calls != 1)} in all")
            for f, entry in self._functions
        ]
        return [*self.programs.listed(), *calls]

    def forget(self) -> None:
        """Drop every program and everything else that is cached; the next runs trace and compile again."""
        caching.clear_all()
        self._functions.clear()

    def explain(self, error: BaseException) -> None:
        """Let an exception from a ``%%jit`` function speak of the user's own line."""
        told, _ = explain(error, self.shell, None, type_of)
        if told is not error:
            error.add_note(str(error))
            error.args = told.args
        present(error, self.shell, None)

    def flush(self, *_: Any) -> None:
        """Show the records that wait for the end of the cell."""
        waiting, self._later = self._later, []
        self._compiled.clear()
        for run in waiting:
            show(run)

    def compiled(self, program: Program) -> None:
        """A program was compiled, by whomever: the record of a function finds it by its name."""
        self.compilations += 1
        self._compiled.append(program)

    def before_cell(self, info: Any) -> None:
        """Remember which cell runs, to know a changed text from another cell; earlier errors tell all."""
        tell_all()
        self.cell_id = getattr(info, "cell_id", None)


_GUARDED: types.CodeType = CellRunner._guarded.__code__
"""Frames above this code are not those of a cell that failed after its text ran: on the way back of a gradient."""


def _stack_for(mode: Layer | None, layers: list[Layer]) -> list[Layer]:
    """The layers that transform the cell: ``%%stages`` and ``%%bench`` compile whatever is below them."""
    if mode is None:
        return layers
    below = layers[1:]
    if mode.name != "jaxpr" and (not below or below[0].name != "jit"):
        return [Layer("jit", "", PARSERS["jit"].parse("")), *below]
    return below


def _jaxpr(execution: CellExecution, *, prepared: bool = False) -> Any:
    if not prepared:
        execution.prepare()
    program = execution.trace()
    if program.traced is None:
        arguments = execution.arguments(execution.bindings)
        start = time.perf_counter()
        program.traced = jaxlab.jit(program.function).trace(arguments)
        program.seconds["trace"] = time.perf_counter() - start
    execution.describe(program)
    execution.record.note = "not run"
    return program.traced.jaxpr
