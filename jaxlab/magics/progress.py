"""What a cell is busy with, shown from half a second on, and a wait that an interrupt can end."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from IPython.display import display

from jaxlab import tree_util

_display: Any = display  # IPython has no types for it
_QUIET = 0.5
_STEP = 0.25


@contextmanager
def busy(phase: str) -> Iterator[None]:
    """Show ``compiling … 3.2 s`` under the cell while the block takes longer than half a second.

    A thread of its own does it, because a compile holds this one; jaxlib releases the interpreter meanwhile.
    """
    done = threading.Event()
    start = time.monotonic()

    def report() -> None:
        handle: Any = None
        wait = _QUIET
        while not done.wait(wait):
            text = f"{phase} … {time.monotonic() - start:.1f} s"
            bundle = {"text/plain": text}
            if handle is None:
                handle = _display(bundle, raw=True, display_id=True)
            else:
                handle.update(bundle, raw=True)
            wait = _STEP
        if handle is not None:
            handle.update({"text/plain": f"{phase} took {time.monotonic() - start:.1f} s"}, raw=True)

    thread = threading.Thread(target=report, name="jaxlab-progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join(1.0)


def wait(outcome: Any) -> None:
    """Wait until every array of a result is there; unlike a wait in jaxlib, an interrupt ends it at once."""
    pause = 20e-6
    for leaf in tree_util.tree_leaves(outcome):
        ready = getattr(leaf, "is_ready", None)
        while ready is not None and not ready():
            time.sleep(pause)
            pause = min(pause * 2, 0.02)
    for leaf in tree_util.tree_leaves(outcome):
        if hasattr(leaf, "block_until_ready"):
            leaf.block_until_ready()  # raises what the computation raised
