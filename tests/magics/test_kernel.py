"""Interrupts in a real kernel: it lives, the namespace is as it was, and the next cell is right."""

from __future__ import annotations

import os
import queue
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import KernelManager

SECONDS_TO_START = 60.0
SECONDS_TO_ANSWER = 1.0
_ANSI = re.compile(r"\x1b\[[0-9;]*m")

SETUP = """
import time
import jaxlab, jaxlab.numpy as jnp
from jaxlab import lax
x, kept = jnp.arange(4.0), "before"
"""

SLOW_TRACE = """%%jit
kept = "changed"
y = x
for step in range(100_000):
    y = jnp.sin(y) + step
    time.sleep(0.01)
y"""

# Thousands of operations that XLA can neither drop nor merge, under a name that no disk cache knows.
SLOW_COMPILE = """%%jit
kept = "changed"
m = x[:, None] * x
for step in range(1200):
    m = jnp.sort(jnp.sin(m @ m) + step, axis=step % 2)
m.sum()"""

DEFINED = """%%jit
def big(m):
    for step in range(1200):
        m = jnp.sort(jnp.cos(m @ m) + step, axis=step % 2)
    return m.sum()"""

SLOW_CALL = """kept, kept_too = "before", 1
big(x[:, None] * x)"""

SLOW_RUN = """%%jit
kept = "changed"
turns = lax.while_loop(lambda s: s[0] < 1.0e9, lambda s: (s[0] + 1.0, jnp.sin(s[1])), (x[0], x[1]))
turns[1]"""


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

    def run(self, code: str, *, interrupt_at: str = "", wait: float = 60.0) -> Reply:
        """Run a cell; interrupt it half a second after a text with ``interrupt_at`` appeared under it.

        ``seconds`` of the reply are then counted from the interrupt.
        """
        reply, start = Reply(), time.monotonic()
        origin, due = start, None
        message = self.client.execute(code)
        while time.monotonic() - start < wait:
            if due is not None and time.monotonic() >= due:
                self.manager.interrupt_kernel()
                origin, due, interrupt_at = time.monotonic(), None, ""
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


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    """A kernel with jaxlab loaded and a disk cache of its own."""
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}", "--log-level=ERROR"]
    manager = KernelManager()
    manager._kernel_spec = KernelSpec(argv=argv, display_name="Python 3", language="python")
    folder = tmp_path_factory.mktemp("kernel")
    environment: dict[str, Any] = {
        **os.environ,
        "IPYTHONDIR": str(folder / "ipython"),
        "JAXLAB_DISK_CACHE_DIR": str(folder / "cache"),
        "JAXLAB_PLATFORMS": "cpu",
    }
    manager.start_kernel(env=environment)
    started = Kernel(manager)
    started.run("%load_ext jaxlab")
    assert started.run(SETUP).error == ""
    assert started.run(DEFINED).error == ""
    yield started
    started.client.stop_channels()
    manager.shutdown_kernel(now=True)


def test_what_is_quick_shows_no_progress(kernel: Kernel) -> None:
    texts = [text for _, text in kernel.run("%%jit\nx.sum()").texts]
    assert len(texts) == 2, texts  # the value and the line of figures


CASES = {
    "trace": (SLOW_TRACE, "tracing", "----> 6     time.sleep"),
    "compile": (SLOW_COMPILE, "compiling", "----> 1 %%jit"),
    "run": (SLOW_RUN, "running", "----> 1 %%jit"),
    "call": (SLOW_CALL, "compiling big", "----> 2 big(x"),
}


@pytest.mark.parametrize("name", CASES)
def test_an_interrupt_is_answered(kernel: Kernel, name: str) -> None:
    cell, phase, line = CASES[name]
    reply = kernel.run(cell, interrupt_at=f"{phase} …")
    shown = [text for _, text in reply.texts if phase in text]
    assert re.fullmatch(rf"{phase} … 0\.[5-9] s", shown[0])
    assert re.fullmatch(rf"{phase} … [01]\.\d s", shown[1])
    assert reply.error == "KeyboardInterrupt"
    assert reply.seconds < SECONDS_TO_ANSWER
    assert line in reply.traceback
    assert "jaxlab/" not in reply.traceback
    assert kernel.value("kept, [name in globals() for name in ('y', 'm', 'turns', 'step')]") == (
        "('before', [False, False, False, False])"
    )
    after = kernel.run("%%jit\nz = x * 2\nz")
    assert after.error == "", after
    assert after.first("Array([0., 2., 4., 6.]") is not None
