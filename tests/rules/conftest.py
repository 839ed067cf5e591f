"""A fast compiler for the tests of rules, and the table of what they cover."""

from __future__ import annotations

import os
from collections import defaultdict
from importlib.metadata import version
from typing import Any

# A program here runs a few times on a few numbers: optimizing it costs more than it saves.
_FLAGS = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
if version("jaxlib").startswith("0.10."):
    # Halves the time of a compilation; later ones do not know the flag, and end the process at it.
    _FLAGS += " --xla_cpu_use_fusion_emitters=false"
os.environ.setdefault("XLA_FLAGS", _FLAGS)
os.environ["JAXLAB_DISK_CACHE_ENABLED"] = "0"

RULES = ("abstract_eval", "lower", "jvp", "transpose", "reverse_alone", "second_order", "batch")
_seen: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))


def pytest_runtest_logreport(report: Any) -> None:
    """Note which rule of which primitive was tried, and how it went."""
    if "rules/test_" not in report.nodeid or (report.when != "call" and report.outcome != "failed"):
        return
    _, _, test = report.nodeid.rpartition("::")
    name, bracket, case = test.partition("[")
    rule = name.removeprefix("test_")
    if bracket and rule in RULES:
        _seen[case[:-1].rpartition("-")[0]][rule].append(report.outcome)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print primitives × rules: how many examples each rule was tried on; ``-`` where a rule does not
    apply."""
    if len(_seen) < 2:
        return
    write = terminalreporter.write_line
    width = max(map(len, _seen)) + 2
    write("")
    write("rules tested, by the number of examples")
    write(f"{'primitive':{width}}" + "".join(f"{rule:>14}" for rule in RULES))
    covered = failed = 0
    for name in sorted(_seen):
        cells = []
        for rule in RULES:
            outcomes = _seen[name].get(rule, [])
            bad = outcomes.count("failed")
            good = outcomes.count("passed")
            covered += bool(good and not bad)
            failed += bool(bad)
            cells.append(f"{bad} FAILED" if bad else str(good) if good else "-")
        write(f"{name:{width}}" + "".join(f"{cell:>14}" for cell in cells))
    write(f"{len(_seen)} primitives, {covered} pairs of primitive and rule covered, {failed} failed")
