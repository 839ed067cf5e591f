"""Nothing escapes the tests of rules: each primitive can be imported, has examples and has a reference."""

from __future__ import annotations

import pytest

from jaxlab.core.primitive import Primitive

from .cases import WITHOUT_EXAMPLES, WITHOUT_REFERENCE, cases, example_errors, import_errors, primitives


def test_every_module_of_primitives_can_be_imported() -> None:
    assert not import_errors


@pytest.mark.parametrize("primitive", primitives, ids=lambda p: p.name)
def test_has_examples(primitive: Primitive) -> None:
    if primitive.name in example_errors:
        raise example_errors[primitive.name]
    assert any(case.primitive.name == primitive.name for case in cases) or primitive.name in WITHOUT_EXAMPLES


@pytest.mark.parametrize("primitive", primitives, ids=lambda p: p.name)
def test_has_a_reference(primitive: Primitive) -> None:
    assert type(primitive).reference is not Primitive.reference or primitive.name in {
        *WITHOUT_REFERENCE,
        *WITHOUT_EXAMPLES,
    }


def test_exceptions_are_needed() -> None:
    """What has examples or a reference by now is not on a list of those that have none."""
    assert not set(WITHOUT_EXAMPLES) & {case.primitive.name for case in cases}
    own = {p.name for p in primitives if type(p).reference is not Primitive.reference}
    assert not own & set(WITHOUT_REFERENCE)
