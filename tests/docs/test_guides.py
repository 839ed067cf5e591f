"""The examples of the guides in docs/ run, and print what they say."""

from __future__ import annotations

import doctest
from collections.abc import Iterator
from pathlib import Path

import pytest
from test_examples import Checker

from jaxlab.core.primitive import registry

DOCS = Path(__file__).resolve().parents[2] / "docs"
GUIDES = [path for path in sorted(DOCS.glob("*.md")) if ">>> " in path.read_text(encoding="utf-8")]


@pytest.fixture(autouse=True)
def registry_as_it_was() -> Iterator[None]:
    """Guides define primitives of their own, which are not to be tested as ours."""
    before = dict(registry)
    yield
    registry.clear()
    registry.update(before)


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.name)
def test_guide(guide: Path) -> None:
    parser, output = doctest.DocTestParser(), list[str]()
    test = parser.get_doctest(guide.read_text(encoding="utf-8"), {}, guide.name, str(guide), 0)
    runner = doctest.DocTestRunner(Checker(), optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    runner.run(test, out=output.append)
    assert runner.failures == 0, "".join(output)
    assert runner.tries > 0
