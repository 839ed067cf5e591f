"""The magics as IPython sees them."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any, NoReturn

from IPython.core.error import UsageError
from IPython.core.magic import Magics, magics_class, no_var_expand

from jaxlab import caching
from jaxlab.config import Options, canonical_name, config
from jaxlab.control.breakpoint import Prompt
from jaxlab.core.source import name_cells
from jaxlab.inspection.hlo import hlo_form
from jaxlab.interpreters.program import on_compiled
from jaxlab.magics import completion, device
from jaxlab.magics.lines import LINE_PARSERS, split_line
from jaxlab.magics.progress import progress
from jaxlab.magics.runner import CellRunner
from jaxlab.magics.source import name_cells_of
from jaxlab.magics.stack import PARSERS, Layer
from jaxlab.magics.table import Table
from jaxlab.magics.traceback import ShortTracebacks
from jaxlab.runtime.compiler import on_phase


def _end_cell() -> NoReturn:
    """What ``q`` at a breakpoint does in a notebook, where SystemExit would speak of leaving IPython."""
    raise KeyboardInterrupt("the program was left at jaxlab.debug.breakpoint()")


@magics_class
class JaxlabMagics(Magics):
    """Transformed cells (``%%jit``, ``%%grad``, ``%%vmap`` …) and what is asked about programs (``%jaxpr``,
    ``%hlo`` …).
    """

    def __init__(self, shell: Any) -> None:
        super().__init__(shell)
        self.runner = CellRunner(shell)
        self._matcher = completion.matcher(shell)
        self._deaf: Callable[[], None] = lambda: None

    shell: Any

    def attach(self) -> None:
        """Add the completion and the listeners to the shell."""
        on_compiled.append(self.runner.compiled)
        name_cells.append(self._name_cells)
        self.shell.showtraceback = ShortTracebacks(self.shell)
        self._leave, Prompt.leave = Prompt.leave, _end_cell
        self._deaf = on_phase(progress.listen)
        self.shell.events.register("pre_run_cell", self.runner.before_cell)
        self.shell.events.register("post_run_cell", self.runner.flush)
        if self.shell.Completer is not None:
            self.shell.Completer.custom_matchers.append(self._matcher)

    def detach(self) -> None:
        """Take them away again."""
        on_compiled.remove(self.runner.compiled)
        name_cells.remove(self._name_cells)
        Prompt.leave = self._leave
        if isinstance(vars(self.shell).get("showtraceback"), ShortTracebacks):
            del self.shell.showtraceback
        self._deaf()
        self.shell.events.unregister("pre_run_cell", self.runner.before_cell)
        self.shell.events.unregister("post_run_cell", self.runner.flush)
        if self.shell.Completer is not None and self._matcher in self.shell.Completer.custom_matchers:
            self.shell.Completer.custom_matchers.remove(self._matcher)

    def _name_cells(self) -> None:
        name_cells_of(self.shell)

    # Line magics, one method each

    def line_jit(self, line: str) -> Any:
        """Run an expression as a compiled cell of its own, and return its value."""
        options, expression = split_line("jit", line)
        argument = f"--device {options['device']}" if options["device"] else ""
        return self.runner.run_line([_jit_layer(argument)], expression)

    def line_jaxpr(self, line: str) -> Any:
        """The jaxpr of an expression; nothing runs."""
        return self.runner.trace_line(split_line("jaxpr", line)[1])

    def line_hlo(self, line: str) -> Any:
        """The optimised HLO, or with ``--stable`` the StableHLO, of an expression."""
        options, expression = split_line("hlo", line)
        program = self.runner.compile_line([_jit_layer("")], expression)
        if options["stable"]:
            return Text(program.lowered.as_text())
        return Text(hlo_form(program.compiled.as_text()).text)

    def line_cost(self, line: str) -> Any:
        """What one run of an expression costs, by the compiler's account."""
        program = self.runner.compile_line([_jit_layer("")], split_line("cost", line)[1])
        costs = program.compiled.cost_analysis() or {}
        costs = costs[0] if isinstance(costs, list) else costs
        wanted = ("flops", "transcendentals", "bytes accessed")
        rows = [(name, f"{costs[name]:,.0f}") for name in wanted if name in costs]
        memory = program.compiled.memory_analysis()
        for name in ("argument", "output", "temp"):
            size = getattr(memory, f"{name}_size_in_bytes", None)
            if size is not None:
                rows.append((f"{name} bytes", f"{size:,}"))
        return Table(("cost of one run", "by the compiler's account"), rows)

    def _derivative(self, kind: str, line: str) -> Any:
        options, expression = split_line(kind, line)
        return self.runner.derivative_line(kind, expression, options["argnum"])

    def line_grad(self, line: str) -> Any:
        """The gradient of a call with respect to one of its arguments."""
        return self._derivative("grad", line)

    def line_value_and_grad(self, line: str) -> Any:
        """The value of a call, and its gradient."""
        return self._derivative("value_and_grad", line)

    def line_jacfwd(self, line: str) -> Any:
        """The Jacobian of a call, column by column."""
        return self._derivative("jacfwd", line)

    def line_jacrev(self, line: str) -> Any:
        """The Jacobian of a call, row by row."""
        return self._derivative("jacrev", line)

    def line_hessian(self, line: str) -> Any:
        """The Hessian of a call."""
        return self._derivative("hessian", line)

    def line_vjp(self, line: str) -> Any:
        """The value of a call, and the function that pulls cotangents back."""
        return self._derivative("vjp", line)

    def line_linearize(self, line: str) -> Any:
        """The value of a call, and the function that pushes tangents forward."""
        return self._derivative("linearize", line)

    def line_device(self, line: str) -> Any:
        """Show the devices, or select the one named."""
        chosen = LINE_PARSERS["device"].parse(line).name
        state = device.select_device(chosen) if chosen else device.device_state()
        rows = [
            ("→" if d["name"] == state["selected"] else "", d["name"], d["kind"]) for d in state["devices"]
        ]
        return Table(("", "device", "kind"), rows)

    def line_caches(self, line: str) -> Any:
        """What is compiled in this session, and why."""
        options = LINE_PARSERS["caches"].parse(line)
        if options.clear:
            self.runner.forget()
        programs = self.runner.listed()[-options.last :]
        head = ("program", "first line", "traced at", "reused", "inputs", "new because")
        inner = None
        if options.all:
            used = (s for s in caching.stats() if s.size or s.hits or s.misses)
            rows = [(s.name, str(s.size), str(s.hits), str(s.misses)) for s in used]
            inner = Table(("cache", "entries", "hits", "misses"), rows)
        note = "" if programs else "nothing is compiled yet: put %%jit on the first line of a cell"
        return Table(head if programs else (), programs, note=note, more=inner)

    def line_lab(self, line: str) -> Any:
        """Show or set the options of jaxlab."""
        chosen = LINE_PARSERS["lab"].parse(line)
        if chosen.name is not None:
            self._set_option(chosen)
        names = [canonical_name(chosen.name)] if chosen.name else list(Options.__dataclass_fields__)
        rows = [(name, str(getattr(config, name)), Options.about(name)) for name in names]
        return Table(("option", "value", "what it does"), rows)

    def _set_option(self, chosen: argparse.Namespace) -> None:
        try:
            name = canonical_name(chosen.name)
            if chosen.value is not None:
                config.update(name, _value(chosen.value))
        except (AttributeError, ValueError) as error:
            raise UsageError(f"%lab: {error}") from None


class Text(str):
    """A string that a notebook shows as it is, not as a literal."""

    def __repr__(self) -> str:
        return str(self)


def _jit_layer(line: str) -> Layer:
    return Layer("jit", line, PARSERS["jit"].parse(line))


def _value(text: str) -> Any:
    words = {"on": True, "true": True, "off": False, "false": False, "none": None}
    if text.lower() in words:
        return words[text.lower()]
    return int(text) if text.lstrip("-").isdecimal() else text


def _cell_magic(name: str) -> Callable[..., Any]:
    @no_var_expand
    def magic(self: JaxlabMagics, line: str, cell: str | None = None) -> Any:
        if cell is None:
            run = getattr(self, f"line_{name}", None)
            if run is None:
                raise UsageError(f"%{name}: it is a cell magic; write %%{name} on the first line of a cell")
            return run(line)
        return self.runner.run_cell(name, line, cell)

    magic.__name__ = name
    magic.__doc__ = _help(name)
    return magic


def _line_magic(name: str) -> Callable[..., Any]:
    @no_var_expand
    def magic(self: JaxlabMagics, line: str) -> Any:
        return getattr(self, f"line_{name}")(line)

    magic.__name__ = name
    magic.__doc__ = _help(name)
    return magic


def _help(name: str) -> str:
    parsers = [p[name] for p in (PARSERS, LINE_PARSERS) if name in p]
    return "\n".join(parser.format_help() for parser in parsers)


for _name in PARSERS:
    setattr(JaxlabMagics, _name, _cell_magic(_name))
    JaxlabMagics.magics["cell"][_name] = _name
    if _name in LINE_PARSERS:
        JaxlabMagics.magics["line"][_name] = _name
for _name in LINE_PARSERS:
    if _name not in PARSERS:
        setattr(JaxlabMagics, _name, _line_magic(_name))
        JaxlabMagics.magics["line"][_name] = _name
