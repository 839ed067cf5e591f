"""Where an equation comes from: the stack at the time it was traced, read down to the user's own frames."""

from __future__ import annotations

import contextlib
import functools
import linecache
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from jaxlib import _jax

# A traceback object costs 0.1-0.3 us to take and is decoded only when somebody asks.
take = _jax.Traceback.get_traceback


class Joined:
    """The stack inside a user's rule that runs long after the call it belongs to, and the stack of that call.

    Attributes:
      own: the traceback taken in the rule.
      boundary: the code that called the rule; what is above it in ``own`` says nothing.
      outer: the traceback of the call.
    """

    __slots__ = ("boundary", "outer", "own")

    def __init__(self, own: Any, boundary: Any, outer: Any) -> None:
        self.own = own
        self.boundary = boundary
        self.outer = outer

    def raw_frames(self) -> tuple[list[Any], list[int]]:
        """The codes and the places in them, innermost first, as those of a traceback."""
        codes, lastis = self.own.raw_frames()
        end = next((i for i, code in enumerate(codes) if code is self.boundary), len(codes))
        outer_codes, outer_lastis = self.outer.raw_frames()
        return [*codes[:end], *outer_codes], [*lastis[:end], *outer_lastis]


PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
"""The folder of jaxlab's own code."""
_HIDDEN = tuple(
    {
        PACKAGE,
        os.path.dirname(os.path.dirname(os.path.abspath(_jax.__file__))) + os.sep,  # site-packages
        os.path.dirname(os.path.abspath(os.__file__)) + os.sep,  # the standard library
    }
)
_SYNTHETIC = ("<frozen", "<string>")

# Paths of libraries that asked for it; those that are installed are hidden anyway.
_excluded: list[str] = []


def register_exclusion(path: str) -> None:
    """Count the files below ``path`` as no user's: equations are said to come from the callers of what is there.

    Args:
      path: a folder or a file, as Python names files.
    """
    if path not in _excluded:
        _excluded.append(path)
        _hidden.cache_clear()


@functools.cache
def _hidden() -> tuple[str, ...]:
    return (*_HIDDEN, *_excluded)


@dataclass(frozen=True, slots=True)
class Frame:
    """One call of the user's: file as Python knows it, function, and the span of the expression.

    Lines count from 1, columns from 0; columns are 0 where Python does not know them.
    """

    file: str
    function: str
    line: int
    column: int = 0
    end_line: int = 0
    end_column: int = 0

    def text(self) -> str:
        """The source line, stripped; empty where the source cannot be found."""
        return linecache.getline(self.file, self.line).strip()


# Names of cells: IPython compiles a cell under a temporary file name; `magics` records what to call it.
cell_names: dict[str, str] = {}

# Called before a name is asked for: a cell without magics becomes known only then.
name_cells: list[Callable[[], None]] = []


def display_name(file: str) -> str:
    """How a file is called in front of a person: ``Cell In[3]`` for a cell, else its path."""
    for name_them in name_cells:
        name_them()
    return cell_names.get(file, file)


def is_user_file(file: str) -> bool:
    """Whether ``file`` is the user's, not jaxlab's, the standard library's or an installed package's."""
    if file in cell_names:
        return True
    return not file.startswith(_hidden()) and not file.startswith(_SYNTHETIC)


def user_frames(traceback: Any, within: Any = None) -> tuple[Frame, ...]:
    """The user's frames of a traceback, innermost first; up to the first call of the code ``within``."""
    if traceback is None:
        return ()
    codes, lastis = traceback.raw_frames()
    frames = []
    for code, lasti in zip(codes, lastis, strict=True):
        if code is within:
            break
        if is_user_file(code.co_filename):
            frames.append(_frame(code, lasti))
    return tuple(frames)


def was_made_inside(traceback: Any, code: Any) -> bool:
    """Whether there is a frame of the user's inside the innermost call of ``code``.

    With the code by which functions are traced it tells an operation that a function of the user's holds from one
    of jaxlab's own, and from one that was not traced in a function at all.
    """
    if traceback is None:
        return False
    users = False
    for called in traceback.raw_frames()[0]:
        if called is code:
            return users
        users = users or is_user_file(called.co_filename)
    return False


def user_frame(traceback: Any) -> Frame | None:
    """The innermost frame of the user's."""
    if traceback is None:
        return None
    codes, lastis = traceback.raw_frames()
    for code, lasti in zip(codes, lastis, strict=True):
        if is_user_file(code.co_filename):
            return _frame(code, lasti)
    return None


def made_at(error: BaseException, traceback: Any) -> None:
    """Remember on an error the equation that was being transposed or lowered, whose caller is long gone.

    Whoever shows the error finds the frame in its attribute ``made_at``; the innermost equation counts.
    """
    if not hasattr(error, "made_at"):
        with contextlib.suppress(AttributeError):  # an error with slots
            error.made_at = user_frame(traceback)  # type: ignore[attr-defined]


def summary(traceback: Any) -> str:
    """``file:line (function)`` of the innermost user frame, for error texts."""
    frame = user_frame(traceback)
    if frame is None:
        return "an unknown place"
    name = display_name(frame.file)
    where = f"{name}, line {frame.line}" if frame.file in cell_names else f"{name}:{frame.line}"
    return where if frame.function == "<module>" else f"{where} ({frame.function})"


def _frame(code: Any, lasti: int) -> Frame:
    positions = _positions(code)
    line, end_line, column, end_column = (
        positions[lasti // 2] if lasti // 2 < len(positions) else (0, 0, 0, 0)
    )
    return Frame(code.co_filename, code.co_qualname, line or 0, column or 0, end_line or 0, end_column or 0)


_position_tables: dict[Any, list[tuple[int | None, int | None, int | None, int | None]]] = {}


def _positions(code: Any) -> list[tuple[int | None, int | None, int | None, int | None]]:
    table = _position_tables.get(code)
    if table is None:
        if len(_position_tables) > 10_000:
            _position_tables.clear()
        table = _position_tables[code] = list(code.co_positions())
    return table
