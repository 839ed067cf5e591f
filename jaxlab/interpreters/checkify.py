"""Checking: what an operation did wrong becomes a value that the program returns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jaxlab import tree
from jaxlab.core.aval import aval_of
from jaxlab.core.jaxpr import ClosedJaxpr, dce
from jaxlab.core.memo import memoised
from jaxlab.core.trace import Trace, current, interpret_with
from jaxlab.interpreters.check_errors import ErrorCategory
from jaxlab.interpreters.checks import inspect
from jaxlab.interpreters.error_values import Error, Kind, init_error
from jaxlab.interpreters.staging import eval_closed, stage_closed
from jaxlab.primitives.conversion import stop_gradient


class CheckTrace(Trace):
    """Hands every application to its parent, and adds what went wrong to ``error``.

    It has no tracers: values are the parent's. An operation that holds programs has them checked by its
    ``check`` rule; any other is checked by what went in and came out.
    """

    __slots__ = ("enabled", "error")

    def __init__(self, parent: Trace, enabled: frozenset[ErrorCategory]) -> None:
        super().__init__(parent)
        self.staging = True  # operations on concrete values are to be seen too
        self.enabled = enabled
        self.error = init_error

    def process(self, primitive: Any, args: Sequence[Any], params: dict[str, Any]) -> Any:
        assert self.parent is not None
        with interpret_with(self.parent):
            out = primitive.check(self, args, **params)
            inspect(self, primitive, args, params, out if primitive.multiple_results else [out])
        return out

    def include(self, error: Error) -> None:
        """Add an error, unless there is one already."""
        self.error = self.error.then(error)

    def checked(self, closed: ClosedJaxpr) -> CheckedProgram:
        """A program, checked as this trace checks."""
        return check_jaxpr(closed, self.enabled, ())

    def checked_alike(self, programs: Sequence[ClosedJaxpr]) -> tuple[list[ClosedJaxpr], Any]:
        """Programs of which one is run, checked, and the structure of the error that it gives."""
        kinds = {kind: None for program in programs for kind in self.checked(program).kinds}
        places = sorted(kinds, key=Kind.order)
        checked = [check_jaxpr(program, self.enabled, places) for program in programs]
        return [c.program for c in checked], _joined(checked)

    def checked_step(self, closed: ClosedJaxpr, num_consts: int) -> CheckedProgram:
        """A step of a loop, checked: after its constants it takes the error so far, and gives the next."""
        return _checked_step(closed, self.enabled, num_consts)

    def checked_beside(self, closed: ClosedJaxpr, args: Sequence[Any]) -> ClosedJaxpr:
        """Include the error of a program at ``args``; returns the program without its checks."""
        checked = self.checked(closed)
        if not checked.kinds and not closed.effects:
            return closed
        errors, values = _errors_and_values(checked.program, checked.err_tree.num_leaves)
        self.outputs(checked.err_tree, eval_closed(errors, *[stop_gradient(x) for x in args]))
        return values

    def outputs(self, err_tree: Any, out: Sequence[Any]) -> list[Any]:
        """What is left of a checked program's results when its error is included here."""
        count = err_tree.num_leaves
        self.include(tree.unflatten(err_tree, out[:count]))
        return list(out[count:])


class CheckedProgram:
    """A program whose results are the leaves of an error, of structure ``err_tree``, and its own results."""

    __slots__ = ("err_tree", "kinds", "program")

    def __init__(self, program: ClosedJaxpr, error: Error) -> None:
        self.program = program
        self.err_tree = tree.structure(error)
        self.kinds = tuple(error._pred)

    def start(self) -> list[Any]:
        """The leaves of the error before the first step: none."""
        return list(tree.leaves(init_error.with_kinds(self.kinds)))

    def result(self, position: int) -> ClosedJaxpr:
        """The program that gives one of its own results alone."""
        return _result(self.program, self.err_tree.num_leaves + position)


@memoised
def _errors_and_values(program: ClosedJaxpr, count: int) -> tuple[ClosedJaxpr, ClosedJaxpr]:
    """The program of the first ``count`` results, which shows nothing, and the program of the others."""
    jaxpr = program.jaxpr
    first = [i < count for i in range(len(jaxpr.outvars))]
    silent = jaxpr.replace(eqns=[eqn for eqn in jaxpr.eqns if eqn.outvars])
    values, _ = dce(jaxpr, [not f for f in first])
    return ClosedJaxpr(dce(silent, first)[0], program.consts), ClosedJaxpr(values, program.consts)


@memoised
def _result(program: ClosedJaxpr, position: int) -> ClosedJaxpr:
    jaxpr = program.jaxpr
    used = [i == position for i in range(len(jaxpr.outvars))]
    return ClosedJaxpr(dce(jaxpr, used)[0], program.consts)


@memoised
def check_jaxpr(
    closed: ClosedJaxpr, enabled: frozenset[ErrorCategory], kinds: Sequence[Kind]
) -> CheckedProgram:
    """The checked program; its error has places for ``kinds`` in any case."""
    found: list[Error] = []

    def fun(*args: Any) -> list[Any]:
        trace = CheckTrace(current.trace, enabled)
        with interpret_with(trace):
            out = eval_closed(closed, *args)
        found.append(trace.error.with_kinds(kinds))
        return [*tree.leaves(found[0]), *out]

    program = stage_closed(fun, closed.in_avals, closed.jaxpr.debug)
    return CheckedProgram(program, found[0])


@memoised
def _checked_step(closed: ClosedJaxpr, enabled: frozenset[ErrorCategory], num_consts: int) -> CheckedProgram:
    checked = check_jaxpr(closed, enabled, ())
    count = checked.err_tree.num_leaves
    found: list[Error] = []

    def fun(*args: Any) -> list[Any]:
        before = tree.unflatten(checked.err_tree, args[num_consts : num_consts + count])
        out = eval_closed(checked.program, *args[:num_consts], *args[num_consts + count :])
        found.append(before.then(tree.unflatten(checked.err_tree, out[:count])))
        return [*tree.leaves(found[0]), *out[count:]]

    avals, errors = checked.program.in_avals, [aval_of(x) for x in checked.start()]
    program = stage_closed(fun, [*avals[:num_consts], *errors, *avals[num_consts:]], closed.jaxpr.debug)
    return CheckedProgram(program, found[0])


def _joined(programs: Sequence[CheckedProgram]) -> Any:
    """The structure of the error that one of several programs with the same kinds returns."""
    errors = [tree.unflatten(p.err_tree, range(p.err_tree.num_leaves)) for p in programs]
    metadata = {code: report for error in errors for code, report in error._metadata.items()}
    first = errors[0]
    return tree.structure(Error(first._pred, first._code, metadata, first._payload))
