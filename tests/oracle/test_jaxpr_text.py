"""The same program has the same jaxpr in jaxlab and in jax, printed the same way, character by character."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version

import pytest
from jax_process import texts
from jaxpr_programs import DIFFERENT, GROUPS, PROGRAMS

pytestmark = pytest.mark.skipif(
    not version("jax").startswith("0.10."), reason="jaxprs have the text of jax 0.10; here is another jax"
)


@pytest.mark.parametrize("program", [p for p in PROGRAMS if p not in DIFFERENT])
def test_same_text(program: str) -> None:
    ours, theirs = texts(program, _group(program))
    assert ours == theirs


@pytest.mark.parametrize("program", DIFFERENT)
def test_known_difference_is_still_one(program: str) -> None:
    """A program that has come to print the same is to leave the list."""
    ours, theirs = texts(program, _group(program))
    assert ours != theirs


def test_few_differences() -> None:
    assert len(PROGRAMS) >= 200
    assert len(DIFFERENT) <= len(PROGRAMS) // 20
    assert set(DIFFERENT) <= set(PROGRAMS)
    assert all(reason.strip() for reason in DIFFERENT.values())


def _group(program: str) -> Sequence[str]:
    """The table that a program is in: jax is asked for one whole table at a time."""
    return next(tuple(programs) for programs in GROUPS.values() if program in programs)
