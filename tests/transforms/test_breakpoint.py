"""``debug.breakpoint``: commands, values in scope, and no input to read from."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from typing import Any

import pytest

import jaxlab
import jaxlab.numpy as jnp
from jaxlab import jit

THERE = "a value of the module"


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Set the lines that a person types."""

    def answer(*lines: str) -> None:
        given = iter(lines)
        monkeypatch.setattr(builtins, "input", lambda prompt: next(given))

    return answer


def inner(x: Any) -> Any:
    y = {"double": x * 2}
    jaxlab.debug.breakpoint(num_frames=2)
    return y["double"] + 1


@jit
def outer(z: Any) -> Any:
    number = 5
    return inner(z + number)


COMMANDS = [
    (("p x",), "Array(6., dtype=float32)"),
    (("pp y",), "{'double': Array(12., dtype=float32)}"),
    (("x + y['double']",), "Array(18., dtype=float32)"),
    (("u", "p number, z"), "(5, Array(1., dtype=float32))"),
    (("u", "d", "p x"), "Array(6., dtype=float32)"),
    (("u", "u"), "This is the outermost frame."),
    (("d",), "This is the innermost frame."),
    (("w",), "> "),
    (("l",), 'y = {"double": x * 2}'),
    (("nothing",), "*** NameError: name 'nothing' is not defined"),
    (("p 1 / 0",), "*** ZeroDivisionError: division by zero"),
    (("p THERE",), "'a value of the module'"),
    (("",), "Entering jdb:"),
    (("h",), "c cont continue"),
]


@pytest.mark.parametrize(("commands", "shown"), COMMANDS)
@pytest.mark.parametrize("end", ["c", "continue"])
def test_commands(
    answering: Callable[..., None], capsys: Any, commands: tuple[str, ...], shown: str, end: str
) -> None:
    answering(*commands, end)
    assert outer(1.0) == 13.0
    text = capsys.readouterr().out
    assert shown in text
    assert "->      jaxlab.debug.breakpoint(num_frames=2)" in text


def test_quit_ends_the_program(answering: Callable[..., None]) -> None:
    answering("q")
    with pytest.raises(SystemExit):
        outer(1.0)


def test_without_input_it_says_so_and_goes_on_waiting_for_nothing() -> None:
    with pytest.raises(RuntimeError, match=r"^debug\.breakpoint: the program stopped, but there is no input"):
        outer(1.0)


def test_a_token_decides_when(answering: Callable[..., None], capsys: Any) -> None:
    def f(x: Any) -> Any:
        return jaxlab.debug.breakpoint(token={"a": jnp.sin(x)})

    answering("p x", "c")
    assert jit(f)(0.0) == {"a": 0.0}
    assert "Array(0., dtype=float32)" in capsys.readouterr().out
    assert jit(lambda x: (f(x), x)[1])(2.0) == 2.0
    assert capsys.readouterr().out == ""


def test_each_slice_stops(answering: Callable[..., None], capsys: Any) -> None:
    def f(x: Any) -> Any:
        jaxlab.debug.breakpoint(ordered=True)
        return x

    answering("p x", "c", "p x", "c")
    jaxlab.vmap(f)(jnp.arange(2.0))
    shown = [line for line in capsys.readouterr().out.splitlines() if line.startswith("Array(")]
    assert shown == ["Array(0., dtype=float32)", "Array(1., dtype=float32)"]
