"""``debug.breakpoint``: stop a program while it runs, and look at the values in scope."""

from __future__ import annotations

import linecache
import pprint
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Any, ClassVar, NoReturn

from jaxlab import tree
from jaxlab.control.callback import pure_callback
from jaxlab.control.debug_callback import debug_callback
from jaxlab.core import source
from jaxlab.core.trace import Tracer, current
from jaxlab.interpreters.staging import reachable
from jaxlab.primitives.conversion import stop_gradient
from jaxlab.runtime.callbacks import asking

PROMPT = "(jdb) "

_one_at_a_time = threading.Lock()


def breakpoint(
    *,
    backend: str | None = None,
    filter_frames: bool = True,
    num_frames: int | None = None,
    ordered: bool = False,
    token: Any = None,
) -> Any:
    """Stop here when the program runs, and read commands: in a terminal or, through `input`, in a notebook.

    The commands are ``p`` and ``pp`` (print the value of an expression over the variables in scope, also
    without ``p``), ``u`` and ``d`` (to the caller and back), ``l`` (list the source), ``w`` (where), ``c``
    (continue) and ``q`` (quit: SystemExit; in a notebook with the magics KeyboardInterrupt, which ends the cell).

    Args:
      backend: None or ``"cli"``, the only one there is.
      filter_frames: leave out the frames of this package and of installed ones.
      num_frames: how many frames to keep, from the innermost on; all by default.
      ordered: whether it takes its place among ordered calls.
      token: instead of ``ordered``: a pytree of arrays, returned unchanged; the program stops when they are
        computed, if somebody reads what is returned.

    Raises:
      ValueError: for another ``backend``, or with both ``ordered`` and ``token``.
      RuntimeError: when the program runs, if there is no input to read commands from.
    """
    if backend not in (None, "cli"):
        raise ValueError(f"debug.breakpoint: backend is {backend!r}, but 'cli' is the only one there is")
    if token is not None and ordered:
        raise ValueError(
            "debug.breakpoint: ordered and token were given, but either says when to stop; give one of them"
        )
    scopes = _scopes(sys._getframe(1), filter_frames, num_frames)
    places: list[tuple[int, str, Any]] = []
    values: list[Any] = []
    for i, scope in enumerate(scopes):
        for name, value in tuple(scope.traced.items()):
            places.append((i, name, tree.structure(value)))
            values.append(value)

    def stop(*values: Any) -> None:
        shown = [dict(scope.variables) for scope in scopes]
        for (i, name, _), value in zip(places, values, strict=True):
            shown[i][name] = value
        with _one_at_a_time:
            asking.set()
            try:
                Prompt(scopes, shown).run()
            finally:
                asking.clear()

    if token is None:
        return debug_callback(stop, *values, ordered=ordered)

    def pass_on(token: Any, *values: Any) -> Any:
        stop(*values)
        return token

    token, values = tree.map(stop_gradient, (token, values))
    return pure_callback(pass_on, token, token, *values)


@dataclass(slots=True)
class Scope:
    """One frame: where it is, its variables, and those of them that are traced values."""

    file: str
    line: int
    function: str
    variables: dict[str, Any]
    globals: dict[str, Any]
    traced: dict[str, Any]


def _scopes(frame: FrameType | None, only_user: bool, limit: int | None) -> list[Scope]:
    """The frames from the innermost on."""
    found: list[Scope] = []
    while frame is not None and (limit is None or len(found) < limit):
        code = frame.f_code
        if not only_user or _is_users(frame):
            variables = dict(frame.f_locals)
            if frame.f_locals is frame.f_globals:  # the rest is still there when the program runs
                variables = {name: x for name, x in variables.items() if _is_number(x) or _is_traced(x)}
            traced = {name: value for name, value in variables.items() if _is_traced(value)}
            found.append(
                Scope(code.co_filename, frame.f_lineno, code.co_qualname, variables, frame.f_globals, traced)
            )
        frame = frame.f_back
    return found


def _is_users(frame: FrameType) -> bool:
    """Whether a frame is the user's, and not IPython's call of the magic at the head of a cell."""
    file = frame.f_code.co_filename
    return source.is_user_file(file) and "run_cell_magic(" not in linecache.getline(file, frame.f_lineno)


def _is_number(value: Any) -> bool:
    return isinstance(value, bool | int | float | complex | str)


def _is_traced(value: Any) -> bool:
    """Whether it holds values of the program that is being traced, and else only arrays and the like."""
    try:
        leaves = tree.leaves(value)
    except (TypeError, ValueError):  # keys that cannot be sorted
        return False
    return any(isinstance(x, Tracer) and reachable(x._trace, current.trace) for x in leaves)


class Prompt:
    """Reads commands about a program that stopped, until one lets it go on.

    Attributes:
      leave: what ``q`` does; it raises.
    """

    leave: ClassVar[Callable[[], NoReturn]] = sys.exit

    def __init__(self, scopes: Sequence[Scope], variables: Sequence[dict[str, Any]]) -> None:
        self.scopes = scopes
        self.variables = variables
        self.index = 0
        commands: dict[str, Callable[[str], bool | None]] = {
            "p print": lambda text: self._show(text, repr),
            "pp": lambda text: self._show(text, pprint.pformat),
            "u up": lambda text: self._move(1),
            "d down": lambda text: self._move(-1),
            "l list": lambda text: self._list(5),
            "w where bt": lambda text: self._where(),
            "c cont continue": lambda text: True,
            "q quit exit": lambda text: type(self).leave(),
            "h help ?": lambda text: self._help(),
        }
        self.commands = {name: command for names, command in commands.items() for name in names.split()}
        self.names = list(commands)

    def run(self) -> None:
        """Answer commands until the program is to go on."""
        print("Entering jdb:")
        self._list(2)
        while True:
            word, _, rest = _read().strip().partition(" ")
            command = self.commands.get(word)
            if command is None:
                self._show(f"{word} {rest}".strip(), repr)
            elif command(rest.strip()):
                return

    def _show(self, expression: str, form: Callable[[Any], str]) -> None:
        if not expression:
            return
        scope = self.scopes[self.index] if self.scopes else None
        try:
            known = {} if scope is None else scope.globals
            print(form(eval(expression, {**known, **(self.variables[self.index] if scope else {})})))
        except Exception as error:  # the user's expression may raise anything
            print("***", traceback.format_exception_only(error)[-1].strip())

    def _move(self, by: int) -> None:
        if not 0 <= self.index + by < len(self.scopes):
            print(f"This is the {'outermost' if by > 0 else 'innermost'} frame.")
            return
        self.index += by
        self._list(2)

    def _list(self, around: int) -> None:
        if not self.scopes:
            return
        scope = self.scopes[self.index]
        print(f"> {source.display_name(scope.file)}({scope.line}){scope.function}")
        for number in range(max(scope.line - around, 1), scope.line + around + 1):
            text = linecache.getline(scope.file, number).rstrip("\n")
            if text or number == scope.line:
                print(f"{'->' if number == scope.line else '  '}  {text}")

    def _where(self) -> None:
        for i, scope in reversed(list(enumerate(self.scopes))):
            mark = ">" if i == self.index else " "
            print(f"{mark} {source.display_name(scope.file)}({scope.line}){scope.function}")
            print(f"      {linecache.getline(scope.file, scope.line).strip()}")

    def _help(self) -> None:
        print("Commands: " + "; ".join(self.names) + ". Anything else is evaluated and printed.")


def _read() -> str:
    """One line from the person at the terminal or notebook."""
    try:
        return input(PROMPT)
    except EOFError as error:
        if sys.stdin is not None and sys.stdin.isatty():  # Ctrl-D
            return "q"
        raise _no_input() from error
    except (OSError, NotImplementedError) as error:
        raise _no_input() from error
    except RuntimeError as error:  # a kernel whose front end takes no input; input() without a stdin
        raise _no_input() from error


def _no_input() -> RuntimeError:
    return RuntimeError(
        "debug.breakpoint: the program stopped, but there is no input to read commands from; run it in a "
        "terminal or a notebook, or write debug.print or debug.callback instead"
    )
