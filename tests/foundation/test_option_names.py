"""`docs/options.md` against the installed jax: each of its options works here, is another's name, or is left out."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from jaxlab.config import Options, canonical_name, config

PAGE = (Path(__file__).parents[2] / "docs" / "options.md").read_text(encoding="utf-8")
ROWS = {
    name: (state, about)
    for name, state, about in re.findall(r"^\| `(\w+)` \| ([^|]+) \| ([^|]+) \|$", PAGE, re.M)
}
TESTED = "0.10.2"


def test_the_page_has_every_option_of_jax() -> None:
    program = "import jax; print(jax.__version__, *jax.config.values)"
    environment = {**os.environ, "JAX_PLATFORMS": "cpu"}
    version, *names = subprocess.check_output(
        [sys.executable, "-c", program], text=True, env=environment
    ).split()
    if version != TESTED:
        pytest.skip(f"the page is for jax {TESTED}, and {version} is installed")
    assert set(ROWS) == set(names)


@pytest.mark.parametrize("name", ROWS)
def test_each_name_is_what_the_page_says(name: str) -> None:
    state, about = ROWS[name]
    if state == "left out":
        assert name.removeprefix("jax_") not in Options.__dataclass_fields__
        assert len(about.split()) > 2
        return
    own = canonical_name(name)
    if state == "works":
        assert own == name.removeprefix("jax_")
    else:
        assert state == f"alias of `{own}`"
    assert about.strip() == Options.about(own)
    config.update(name, config.read(own))


def test_the_page_has_every_option_of_jaxlab() -> None:
    own = set(re.findall(r"^\| `(\w+)` \| [^|]+ \|$", PAGE, re.M))
    assert own | {canonical_name(n) for n, (state, _) in ROWS.items() if state != "left out"} == set(
        Options.__dataclass_fields__
    )
