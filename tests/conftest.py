"""What all tests share: the platform they run on, and a plain word about browser tests that did not run."""

from __future__ import annotations

import os
from typing import Any

# Both are read when the first client is made. Tests of accelerators set them in a process of their own.
os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("JAXLAB_PLATFORMS", "cpu")


def pytest_configure(config: Any) -> None:
    """Register the marks of this project."""
    config.addinivalue_line("markers", "browser: needs a Chromium and a JupyterLab")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say in one line that browser tests were skipped, and why."""
    skipped = [report for report in terminalreporter.stats.get("skipped", []) if "browser" in report.keywords]
    if skipped:
        reason = str(skipped[0].longrepr[2]).removeprefix("Skipped: ")
        terminalreporter.write_line(f"BROWSER TESTS SKIPPED: {len(skipped)} of them; {reason}", yellow=True)
