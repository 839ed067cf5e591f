"""What a cell is busy with, shown from half a second on, and a wait that an interrupt can end."""

from __future__ import annotations

import contextlib
import contextvars
import ctypes
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from IPython.core.getipython import get_ipython
from IPython.display import display

from jaxlab import tree_util
from jaxlab.runtime.callbacks import asking

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
            self._handle = None
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self._shown = False


class Progress:
    """Shows ``compiling … 3.2 s`` under the cell for whatever takes longer than half a second.

    What is going on is a stack of phases, because a trace may compile constants. A thread of its own draws
    while there is any, because the work holds this one; it is a new one each time, because a kernel sends
    what a thread displays to the cell in which the thread was made.
    """

    def __init__(self) -> None:
        self._phases: list[tuple[str, float]] = []
        self._idle: threading.Event | None = None

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """While the block runs, the cell is busy with ``name``, such as "tracing"."""
        self.begin(name)
        try:
            yield
        finally:
            self.end()

    def listen(self, name: str, phase: str, event: str) -> None:
        """Hear of the phases of programs, of cells and of functions; see `runtime.compiler.on_phase`."""
        if threading.current_thread() is threading.main_thread():
            if event == "start":
                of = "" if name == "cell" else f" {name}"
                self.begin(_PARTICIPLES.get(phase, phase) + of)
            else:
                self.end()

    def begin(self, name: str) -> None:
        """A phase starts; `end` must follow."""
        self._phases.append((name, time.monotonic()))
        if self._idle is None:
            self._idle = threading.Event()
            target = contextvars.copy_context().run
            threading.Thread(
                target=target, args=(self._report, self._idle), name="jaxlab-progress", daemon=True
            ).start()

    def end(self) -> None:
        """The phase that started last is over."""
        self._phases.pop()
        if not self._phases and self._idle is not None:
            self._idle.set()
            self._idle = None

    def _report(self, idle: threading.Event) -> None:
        line, wait = _Line(), _QUIET
        while not idle.wait(wait):
            if asking.is_set():  # the lines that follow are a person's
                line.erase()
                continue
            with contextlib.suppress(IndexError):  # it has just ended
                line.write(_spell(*self._phases[-1]))
            wait = _STEP
        line.erase()


_PARTICIPLES = {"trace": "tracing", "lower": "lowering", "compile": "compiling", "load": "loading"}

progress = Progress()


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

    thread = threading.Thread(target=target, name="jaxlab-run", daemon=True)
    thread.start()
    if not done.wait(_QUIET / 2):  # most programs are done by then, and no line is needed
        try:
            with progress.phase("running"):
                # In steps, because on some systems a wait without a limit hears no interrupt.
                while not done.wait(_STEP):
                    pass
        except KeyboardInterrupt:
            _interrupt(thread)
            raise KeyboardInterrupt("stopped; the program finishes in the background") from None
    if failure:
        raise failure[0]
    return answer[0]


def _interrupt(thread: threading.Thread) -> None:
    """Interrupt the Python that a program calls: at its next step, or when it is called the next time."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(
        ctypes.c_ulong(thread.ident or 0), ctypes.py_object(KeyboardInterrupt)
    )


def _spell(phase: str, start: float) -> str:
    return f"{phase} … {time.monotonic() - start:.1f} s"


def wait(outcome: Any) -> None:
    """Wait until every array of a result is there, and raise what its computation raised."""
    for leaf in tree_util.tree_leaves(outcome):
        if hasattr(leaf, "block_until_ready"):
            leaf.block_until_ready()
