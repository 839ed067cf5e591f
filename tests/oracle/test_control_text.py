"""Programs of control flow, and their derivatives and batched forms, print as in jax."""

from __future__ import annotations

from importlib.metadata import version

import pytest
from control_programs import PROGRAMS
from jax_process import texts

pytestmark = pytest.mark.skipif(
    not version("jax").startswith("0.10."), reason="jaxprs have the text of jax 0.10; here is another jax"
)


@pytest.mark.parametrize("name", PROGRAMS)
def test_same_text(name: str) -> None:
    program = PROGRAMS[name]
    mine, other = texts(program, PROGRAMS.values())
    assert mine == other
