"""What all tests share: the platform they run on, and a plain word about browser tests that did not run."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest

# Both are read when the first client is made. Tests of accelerators set them in a process of their own.
os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("JAXLAB_PLATFORMS", "cpu")


def pytest_configure(config: Any) -> None:
    """Register the marks of this project."""
    config.addinivalue_line("markers", "browser: needs a Chromium and a JupyterLab")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """Tests that a worker takes together: a file of the oracle, since each worker asks jax for a whole table, and of
    other files a few dozen at a time, so that all workers end at once."""
    seen: Counter[str] = Counter()
    for item in items:
        name = item.nodeid.partition("::")[0]
        part = 0 if item.path.parent.name == "oracle" else seen[name] // 64
        seen[name] += 1
        item.add_marker(pytest.mark.xdist_group(f"{name}:{part}"))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say in one line that browser tests were skipped, and why."""
    skipped = [report for report in terminalreporter.stats.get("skipped", []) if "browser" in report.keywords]
    if skipped:
        reason = str(skipped[0].longrepr[2]).removeprefix("Skipped: ")
        terminalreporter.write_line(f"BROWSER TESTS SKIPPED: {len(skipped)} of them; {reason}", yellow=True)
