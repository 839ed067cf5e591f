"""A kernel in a process of its own, used as a notebook uses it."""

from __future__ import annotations

import contextlib
import os
import queue
import re
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import KernelManager

SECONDS_TO_START = 60.0
_ANSI = re.compile(r"\x1b\[[0-9;]*m")


@dataclass
class Reply:
    """What a cell sent: its texts in order, each with the seconds since it was started, and its error."""

    texts: list[tuple[float, str]] = field(default_factory=list)
    error: str = ""
    traceback: str = ""
    seconds: float = 0.0

    def first(self, part: str) -> float | None:
        """When a text with this part came."""
        return next((at for at, text in self.texts if part in text), None)

    @property
    def last(self) -> str:
        """The last text."""
        return self.texts[-1][1] if self.texts else ""


class Kernel:
    """A kernel of this Python, as a notebook uses it."""

    def __init__(self, manager: KernelManager) -> None:
        self.manager = manager
        self.client = manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(SECONDS_TO_START)

    def run(
        self, code: str, *, interrupt_at: str = "", wait: float = 60.0, answers: Sequence[str] | None = ()
    ) -> Reply:
        """Run a cell; interrupt it half a second after a text with ``interrupt_at`` appeared under it.

        ``seconds`` of the reply are then counted from the interrupt. ``answers`` are typed where the cell asks
        for input; with None there is nobody to ask.
        """
        reply, start = Reply(), time.monotonic()
        origin, due = start, None
        message = self.client.execute(code, allow_stdin=answers is not None)
        typed = iter(answers or ())
        while time.monotonic() - start < wait:
            if due is not None and time.monotonic() >= due:
                self.manager.interrupt_kernel()
                origin, due, interrupt_at = time.monotonic(), None, ""
            with contextlib.suppress(queue.Empty):
                self.client.get_stdin_msg(timeout=0)
                self.client.input(next(typed))
            try:
                found = self.client.get_iopub_msg(timeout=0.05)
            except queue.Empty:
                continue
            if found["parent_header"].get("msg_id") != message:
                continue
            kind, content = found["msg_type"], found["content"]
            text = content.get("text", "") or content.get("data", {}).get("text/plain", "")
            if text:
                reply.texts.append((time.monotonic() - start, text))
                if interrupt_at and interrupt_at in text:
                    due, interrupt_at = time.monotonic() + 0.5, ""
            if kind == "error":
                reply.error = content["ename"]
                reply.traceback = _ANSI.sub("", "\n".join(content["traceback"]))
            if kind == "status" and content["execution_state"] == "idle":
                reply.seconds = time.monotonic() - origin
                return reply
        raise TimeoutError(f"the cell did not end within {wait} s: {reply}")

    def value(self, expression: str) -> str:
        """What an expression is, as text."""
        return self.run(expression).last


@contextlib.contextmanager
def started_kernel(folder: Path, **environment: str) -> Iterator[Kernel]:
    """Context manager: a kernel with a disk cache of its own under ``folder``."""
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}", "--log-level=ERROR"]
    manager = KernelManager()
    manager._kernel_spec = KernelSpec(argv=argv, display_name="Python 3", language="python")
    own: dict[str, Any] = {
        **os.environ,
        "IPYTHONDIR": str(folder / "ipython"),
        "JAXLAB_DISK_CACHE_DIR": str(folder / "cache"),
        "JAXLAB_PLATFORMS": "cpu",
        **environment,
    }
    manager.start_kernel(env=own)
    started = Kernel(manager)
    yield started
    started.client.stop_channels()
    manager.shutdown_kernel(now=True)
