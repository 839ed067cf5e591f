"""Interrupts in a real kernel: it lives, the namespace is as it was, and the next cell is right."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from kernel_process import Kernel, started_kernel

SECONDS_TO_ANSWER = 1.0

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


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    """A kernel with jaxlab loaded and a disk cache of its own."""
    with started_kernel(tmp_path_factory.mktemp("kernel")) as started:
        started.run("%load_ext jaxlab")
        assert started.run(SETUP).error == ""
        assert started.run(DEFINED).error == ""
        yield started


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
