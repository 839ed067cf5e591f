"""A shell of IPython in this process, with the magics loaded, and a way to run cells in it.

Shared by the tests of other folders.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

from jaxlab.config import config
from jaxlab.magics import show
from jaxlab.magics.extension import load_ipython_extension, unload_ipython_extension
from jaxlab.magics.show import CellRun

_ANSI = re.compile(r"\x1b\[[0-9;]*m")


@dataclass
class Ran:
    """What a cell did: its value, its error, what it printed, and the runs that were recorded."""

    value: Any
    error: BaseException | None
    number: int
    output: str
    runs: list[CellRun] = field(default_factory=list)

    @property
    def run(self) -> CellRun:
        assert len(self.runs) == 1, self.output
        return self.runs[0]

    @property
    def message(self) -> str:
        """The first line of the error."""
        return str(self.error).split("\n")[0]


class Notebook:
    """Runs cells one after the other, as a notebook does."""

    def __init__(self, shell: InteractiveShell, capsys: Any, recorded: list[CellRun]) -> None:
        self.shell, self.capsys, self.recorded = shell, capsys, recorded
        self.ns = shell.user_ns

    def __call__(self, cell: str) -> Ran:
        del self.recorded[:]
        self.capsys.readouterr()
        result = self.shell.run_cell(cell, store_history=True)
        captured = self.capsys.readouterr()
        error = result.error_before_exec or result.error_in_exec
        return Ran(
            result.result,
            error,
            result.execution_count,
            _ANSI.sub("", captured.out + captured.err),
            list(self.recorded),
        )

    def good(self, cell: str) -> Ran:
        """Run a cell that must not fail."""
        ran = self(cell)
        assert ran.error is None, ran.output
        return ran


@pytest.fixture(scope="session")
def shell():
    shell = InteractiveShell.instance()
    shell.colors = "nocolor"
    return shell


@pytest.fixture
def notebook(shell, capsys, monkeypatch):
    monkeypatch.setattr(type(config), "disk_cache_enabled", False)
    shell.reset(new_session=False)
    shell.user_ns["__name__"] = "__main__"
    recorded: list[CellRun] = []

    def keep(run):
        run.record = show.make_record(run)
        recorded.append(run)

    monkeypatch.setattr("jaxlab.magics.runner.show", keep)
    load_ipython_extension(shell)
    book = Notebook(shell, capsys, recorded)
    book.good("import numpy as np\nimport jaxlab\nimport jaxlab.numpy as jnp")
    yield book
    unload_ipython_extension(shell)
