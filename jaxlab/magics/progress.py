"""What a cell is busy with, shown from half a second on, and a wait that an interrupt can end."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from IPython.core.getipython import get_ipython
from IPython.display import display

from jaxlab import tree_util

_display: Any = display  # IPython has no types for it
_QUIET = 0.5
_STEP = 0.25

T = TypeVar("T")


class _Line:
    """One line that is rewritten in place and disappears in the end: in a notebook or in a terminal."""

    def __init__(self) -> None:
        self._handle: Any = None
        self._in_notebook = hasattr(get_ipython(), "kernel")
        self._shown = False

    def write(self, text: str) -> None:
        if self._in_notebook:
            bundle = {"text/plain": text}
            if self._handle is None:
                self._handle = _display(bundle, raw=True, display_id=True)
            else:
                self._handle.update(bundle, raw=True)
        elif sys.stderr.isatty():
            sys.stderr.write(f"\r{text}\x1b[K")
            sys.stderr.flush()
            self._shown = True

    def erase(self) -> None:
        if self._handle is not None:
            self._handle.update({"text/plain": "", "text/html": ""}, raw=True)
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


@contextmanager
def busy() -> Iterator[Callable[[str], None]]:
    """Show ``compiling … 3.2 s`` under the cell while the block takes longer than half a second.

    Yields the function that names the phase. A thread of its own draws, because a compile holds this one;
    jaxlib releases the interpreter meanwhile.
    """
    done, line = threading.Event(), _Line()
    phase: list[Any] = ["", time.monotonic()]

    def report() -> None:
        wait = _QUIET
        while not done.wait(wait):
            line.write(_spell(*phase))
            wait = _STEP

    def enter(name: str) -> None:
        phase[:] = [name, time.monotonic()]

    thread = threading.Thread(target=report, name="jaxlab-progress", daemon=True)
    thread.start()
    try:
        yield enter
    finally:
        done.set()
        thread.join(1.0)
        line.erase()


def interruptible(work: Callable[[], T]) -> T:
    """The result of ``work``, done by a thread of its own, so that an interrupt ends the wait for it at once.

    The thread goes on in the background then. A short program runs inside the call that launches it, and
    Python sees no signal before that returns.
    """
    answer: list[T] = []
    failure: list[BaseException] = []
    done = threading.Event()

    def target() -> None:
        try:
            answer.append(work())
        except BaseException as error:
            failure.append(error)
        finally:
            done.set()

    threading.Thread(target=target, name="jaxlab-run", daemon=True).start()
    start, line = time.monotonic(), _Line()
    try:
        while not done.wait(_STEP):
            if time.monotonic() - start > _QUIET:
                line.write(_spell("running", start))
    except KeyboardInterrupt:
        raise KeyboardInterrupt("stopped; the program finishes in the background") from None
    finally:
        line.erase()
    if failure:
        raise failure[0]
    return answer[0]


def _spell(phase: str, start: float) -> str:
    return f"{phase} … {time.monotonic() - start:.1f} s"


def wait(outcome: Any) -> None:
    """Wait until every array of a result is there, and raise what its computation raised."""
    for leaf in tree_util.tree_leaves(outcome):
        if hasattr(leaf, "block_until_ready"):
            leaf.block_until_ready()
