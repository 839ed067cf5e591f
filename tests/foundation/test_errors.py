"""Error classes: the bases that jax's have, and one sentence that says what to write instead."""

from __future__ import annotations

import pytest

from jaxlab import errors


class Traced:
    def describe(self) -> str:
        return "traced f32[3] from argument x"


@pytest.mark.parametrize(
    "name, base, start, advice",
    [
        ("TracerBoolConversionError", errors.ConcretizationTypeError, "bool: ", "jnp.where or lax.cond"),
        ("ConcretizationTypeError", TypeError, "a conversion to a Python number: ", "static_argnames"),
        ("TracerIntegerConversionError", TypeError, "__index__: ", "lax.fori_loop"),
        ("TracerArrayConversionError", TypeError, "numpy.asarray: ", "jnp.sin for np.sin"),
        ("NonConcreteBooleanIndexError", IndexError, "indexing: ", "jnp.where(mask, x, fill)"),
        ("UnexpectedTracerError", TypeError, "tracing: ", "checking_leaks"),
    ],
)
def test_message(name: str, base: type, start: str, advice: str) -> None:
    error = getattr(errors, name)(Traced())
    text = str(error)
    assert isinstance(error, base) and "\n" not in text
    assert (
        text.startswith(f"{start}traced f32[3] from argument x was ") and ", but " in text and advice in text
    )


def test_own_words_and_duck_typing() -> None:
    assert str(errors.UnexpectedTracerError("gone")) == "gone"
    assert str(errors.ConcretizationTypeError(3, "item")).startswith("item: a int was given") is True
    assert isinstance(errors.KeyReuseError("twice"), errors.JAXTypeError)
    assert issubclass(errors.JaxprTypeError, TypeError)
    assert not issubclass(errors.InconclusiveDimensionOperation, TypeError)


@pytest.mark.parametrize("name", errors.__all__)
def test_documented(name: str) -> None:
    assert len(getattr(errors, name).__doc__) > 40
