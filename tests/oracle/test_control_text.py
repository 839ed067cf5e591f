"""Programs of control flow, and their derivatives and batched forms, print as in jax."""

from __future__ import annotations

import re
from importlib.metadata import version

import pytest
from control_programs import PROGRAMS
from jax_process import answer_here, answers_of_jax

pytestmark = pytest.mark.skipif(
    not version("jax").startswith("0.10."), reason="jaxprs have the text of jax 0.10; here is another jax"
)


@pytest.mark.parametrize("name", PROGRAMS)
def test_same_text(name: str) -> None:
    program = PROGRAMS[name]
    ours, theirs = answer_here(program), answers_of_jax(tuple(PROGRAMS.values()))[program]
    assert ours[:2] == theirs[:2] == ("python", "str"), (ours, theirs)
    mine, other = eval(ours[2]), eval(theirs[2])
    if "np.int64(" in other:
        # Some of jax's rules leave NumPy integers in parameters. Without that noise lines break elsewhere.
        mine, other = ("".join(re.sub(r"np\.int64\((-?\d+)\)", r"\1", t).split()) for t in (mine, other))
    assert mine == other
