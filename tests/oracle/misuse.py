"""Compares errors with what a table says of them, and their classes with jax's."""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib.metadata import version

from jax_process import answer_here, answers_of_jax

# Words of the implementation that say nothing to a user.
INTERNAL = re.compile(
    r"Staged|FlatFunction|JVPTracer|BatchTracer|SplitTrace|Program\b|Zero\(|object at 0x|incompatible function"
)


def assert_first_line(expression: str, error: str, line: str) -> None:
    """Fail unless an expression raises an error of this class with this first line, which speaks of no internals."""
    answer = answer_here(expression)
    assert answer == ("raises", error, line)
    assert not INTERNAL.search(line)


def assert_same_class(expression: str, error: str, table: Sequence[str]) -> None:
    """Fail unless jax 0.10 raises an error of this class; "nothing" is for what it takes."""
    if not version("jax").startswith("0.10."):
        return
    answer = answers_of_jax(tuple(table))[expression]
    assert (answer[1] if answer[0] == "raises" else "nothing") == error
