"""A traceback of the user's own frames: the cell, the functions it reached, and nothing between them.

The exception draws itself so in the cell that fails; in later ones ``%tb`` shows every frame.
"""

from __future__ import annotations

import contextlib
import linecache
import sys
import types
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from jaxlab.config import config
from jaxlab.core.source import PACKAGE, Frame, user_frames
from jaxlab.magics.fingerprint import is_library
from jaxlab.runtime.callbacks import Guarded

_RED, _GREEN, _DIM, _OFF = "\x1b[31m", "\x1b[32m", "\x1b[2m", "\x1b[0m"


@dataclass(frozen=True)
class Place:
    """A point in the user's own text; columns count from 0 and are None where Python keeps none."""

    filename: str
    line: int
    column: int | None
    end_line: int | None
    end_column: int | None
    function: str
    label: str

    @property
    def source(self) -> str:
        """The line of text."""
        return linecache.getline(self.filename, self.line).rstrip("\n")

    @property
    def segment(self) -> str:
        """The expression at this place, or its line."""
        if self.column is None or self.end_column is None or self.end_line is None:
            return self.source.strip()
        lines = [linecache.getline(self.filename, n).encode() for n in range(self.line, self.end_line + 1)]
        lines[-1] = lines[-1][: self.end_column]  # Python counts columns in UTF-8 bytes
        lines[0] = lines[0][self.column :]
        return b"".join(lines).decode(errors="replace").strip()


def frames(
    error: BaseException, shell: Any, boundary: types.CodeType | None
) -> list[tuple[Place, types.FrameType]]:
    """The user's frames of an exception, outermost first; those above the code ``boundary`` are not the
    cell's.
    """
    found: list[tuple[Place, types.FrameType]] = []
    tb = error.__traceback__
    while tb is not None:
        code = tb.tb_frame.f_code
        if code is boundary:
            found.clear()
        elif code is CALLED_BACK:
            recorded = tb.tb_frame.f_locals["self"].traceback
            if recorded is not None and any(c is boundary for c in recorded.raw_frames()[0]):
                found.clear()
            found += [(place, tb.tb_frame) for place in _recorded(recorded, shell, boundary)]
        elif is_users(code.co_filename, shell):
            found.append((_place(tb, shell), tb.tb_frame))
        tb = tb.tb_next
    return found


CALLED_BACK = Guarded.__call__.__code__


def called_back(error: BaseException) -> bool:
    """Whether a Python function raised it that a program called."""
    tb = error.__traceback__
    while tb is not None:
        if tb.tb_frame.f_code is CALLED_BACK:
            return True
        tb = tb.tb_next
    return False


def _recorded(traceback: Any, shell: Any, boundary: types.CodeType | None) -> list[Place]:
    """Where a program was told to call Python, which it does long after those frames are gone."""
    return [
        Place(f.file, f.line, f.column, f.end_line, f.end_column, f.function, label_of(shell, f.file))
        for f in reversed(user_frames(traceback, boundary))
        if is_users(f.file, shell)
    ]


def is_users(filename: str, shell: Any) -> bool:
    """Whether a file is a cell of the notebook or a file of the user's own."""
    cells = getattr(shell.compile, "_filename_map", {})
    return filename in cells or not (filename.startswith("<") or is_library(filename))


def _place(tb: types.TracebackType, shell: Any) -> Place:
    code = tb.tb_frame.f_code
    positions = (
        list(code.co_positions())[tb.tb_lasti // 2] if tb.tb_lasti >= 0 else (tb.tb_lineno, None, None, None)
    )
    line, end_line, column, end_column = positions
    if line != tb.tb_lineno:
        line, end_line, column, end_column = tb.tb_lineno, None, None, None
    name = code.co_name
    return Place(
        code.co_filename, line, column, end_line, end_column, name, label_of(shell, code.co_filename)
    )


def place_of(frame: Frame, shell: Any) -> Place:
    """A frame of an equation as a place of the notebook."""
    function = frame.function.rpartition(".")[2]
    label = label_of(shell, frame.file)
    return Place(frame.file, frame.line, frame.column, frame.end_line, frame.end_column, function, label)


def label_of(shell: Any, filename: str) -> str:
    """``Cell In[3]`` for the file name that IPython gave a cell, else ``File path``."""
    number = getattr(shell.compile, "_filename_map", {}).get(filename)
    return f"Cell In[{number}]" if number is not None else f"File {filename}"


def draw(error: BaseException, places: list[Place], *, colour: bool = True) -> list[str]:
    """The lines of a short traceback: each place with its neighbouring lines and a caret, then the message.

    The first line reads ``Cell In[3], line 4`` and the last ones ``NameError: …``.
    """
    return [*("\n".join(_draw_place(place, colour)) for place in places), _message(error, colour)]


def _draw_place(place: Place, colour: bool) -> Iterator[str]:
    red, green, dim, off = (_RED, _GREEN, _DIM, _OFF) if colour else ("", "", "", "")
    where = "" if place.function == "<module>" else f", in {place.function}"
    yield f"{green}{place.label}, line {place.line}{off}{where}"
    for number in range(max(1, place.line - 2), place.line + 2):
        text = linecache.getline(place.filename, number).rstrip("\n")
        if number == place.line:
            yield f"{red}----> {number}{off} {text}"
            if place.column is not None:
                start = len(text.encode()[: place.column].decode(errors="replace"))
                whole = place.end_line == place.line and place.end_column is not None
                end = len(text.encode()[: place.end_column].decode(errors="replace")) if whole else len(text)
                yield " " * (7 + len(str(number)) + start) + red + "^" * max(1, end - start) + off
        elif text.strip():
            yield f"{dim}{number:>7}{off} {text}"


def _message(error: BaseException, colour: bool) -> str:
    red, off = (_RED, _OFF) if colour else ("", "")
    text = str(error)
    return f"{red}{type(error).__name__}{off}" + (f": {text}" if text else "")


def present(
    error: BaseException, shell: Any, boundary: types.CodeType | None, places: list[Place] | None = None
) -> None:
    """Let the exception show the user's frames alone for as long as this cell runs (see `tell_all`).

    IPython draws it twice, for the cell and for the history, and every frame takes it 0.3 s and more.
    """

    def render() -> list[str]:
        frame = getattr(error, "frame", None)
        if isinstance(frame, Frame):  # a program failed when it ran: the line that it was traced from
            called = [] if places is not None else [place for place, _ in frames(error, shell, boundary)]
            here = place_of(frame, shell)
            shown = [*(p for p in called if (p.filename, p.line) != (here.filename, here.line)), here]
        else:
            shown = places if places is not None else [place for place, _ in frames(error, shell, boundary)]
        return draw(error, shown, colour=getattr(shell, "colors", "").lower() != "nocolor")

    with contextlib.suppress(AttributeError):  # an exception with slots shows itself in full
        error._render_traceback_ = render  # type: ignore[attr-defined]
        _short.append(error)


_short: list[Any] = []


def tell_all() -> None:
    """From the next cell on the last errors show every frame, so that ``%tb`` has them."""
    while _short:
        vars(_short.pop()).pop("_render_traceback_", None)


class ShortTracebacks:
    """Exceptions that jaxlab raises in a cell without magics show the user's frames alone, too.

    It stands before the shell's own ``showtraceback``, because the handlers for classes of exceptions that
    IPython offers belong to the user, and a cell that they handle does not count as failed.
    """

    def __init__(self, shell: Any) -> None:
        self._shell, self._show = shell, shell.showtraceback

    def __call__(self, *args: Any, running_compiled_code: bool = False, **kwargs: Any) -> None:
        """Show the exception that has just been raised; only that of a running cell is shortened."""
        error = sys.exc_info()[1]
        wanted = running_compiled_code and config.traceback_filtering != "off"
        if wanted and error is not None and not hasattr(error, "_render_traceback_") and _is_ours(error):
            present(error, self._shell, None)
        self._show(*args, running_compiled_code=running_compiled_code, **kwargs)


def _is_ours(error: BaseException) -> bool:
    """Whether jaxlab raised it, called from the user's own lines and by no other library."""
    tb = error.__traceback__
    while tb is not None and tb.tb_next is not None:
        if tb.tb_frame.f_code is CALLED_BACK:
            return True
        tb = tb.tb_next
    return tb is not None and tb.tb_frame.f_code.co_filename.startswith(PACKAGE)
