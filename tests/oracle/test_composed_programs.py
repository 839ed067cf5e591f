"""Programs in which several parts of the language meet give what they give in jax, in both widths."""

from __future__ import annotations

import os

import pytest

os.environ.setdefault(
    "XLA_FLAGS", "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
)

from composed_programs import PROGRAMS
from jax_process import answer_here, answers_of_jax, difference

TABLE = tuple(f"program({source!r})" for source in PROGRAMS.values())
# Those in which a dtype is the default one.
WIDE = (
    "weak types",
    "weak types of carries",
    "cotangents of another weak type",
    "where the greatest and the least element is",
)
CASES = [(name, False) for name in PROGRAMS] + [(name, True) for name in PROGRAMS if name.startswith(WIDE)]


@pytest.mark.parametrize(("name", "x64"), CASES)
def test_same_as_jax(name: str, x64: bool) -> None:
    expression = f"program({PROGRAMS[name]!r})"
    table = TABLE if not x64 else tuple(f"program({PROGRAMS[n]!r})" for n, wide in CASES if wide)
    ours, theirs = answer_here(expression, x64), answers_of_jax(table, x64)[expression]
    told = difference(ours, theirs, rtol=1e-5, atol=1e-5)
    assert told is None, f"{name}: {told}"
