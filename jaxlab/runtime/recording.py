"""What jaxlib is told while Python records equations: fast paths are to miss, and stacks are wanted.

jaxlib can note the stack at every array that it makes, which costs a tenth of a dispatch. Stacks are wanted
for equations alone, so they are taken only while some thread records, and always beside an imported jax,
which counts on them.
"""

from __future__ import annotations

import threading

from jaxlab.core import trace
from jaxlab.runtime.native import J, set_tracing


class _Stacks:
    """Counts the threads that record; jaxlib's switch is one for the process."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.recording = 0
        self.always = False
        J.set_tracebacks_enabled(False)

    def count(self, change: int) -> None:
        with self.lock:
            self.recording += change
            J.set_tracebacks_enabled(self.always or self.recording > 0)

    def keep(self) -> None:
        """Leave the stacks on from now on."""
        with self.lock:
            self.always = True
            J.set_tracebacks_enabled(True)


stacks = _Stacks()


def _on_recording(staging: bool) -> None:
    set_tracing(staging)
    stacks.count(1 if staging else -1)


trace.staging_listener[0] = _on_recording
