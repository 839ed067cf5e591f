"""Operators and methods of arrays and traced values against jax, and what they do with things that are not
arrays."""

from __future__ import annotations

import subprocess
import sys

import pytest
from jax_process import assert_agrees

import jaxlab
import jaxlab.numpy as jnp

OPERATORS = ["+", "-", "*", "/", "//", "%", "**", "==", "!=", "<", "<=", ">", ">=", "&", "|", "^", "<<", ">>"]
OPERANDS = (
    ("f32(3)", "f32(3,seed=1)"),
    ("i32(3)", "i32(3,seed=1)"),
    ("f32(3)", "f32(2,3)"),
    ("b8(3)", "b8(3)"),
    ("f32(3)", "f32(4)"),
    ("u8(3)", "u8(3)"),
)
NUMBERS = (
    ("f32(3)", "2"),
    ("f32(3)", "2.5"),
    ("i32(3)", "True"),
    ("i32(3)", "2"),
    ("u8(3)", "300"),
    ("f32(3)", "2j"),
)
OTHERS = ("[1, 2, 3]", "None", "(1, 2)", "{}", "object()")

JAXPRS = [f"jaxpr(lambda x, y: x {op} y, {x}, {y})" for op in OPERATORS for x, y in OPERANDS]
JAXPRS += [f"jaxpr(lambda x: x {op} {y}, {x})" for op in OPERATORS for x, y in NUMBERS]
JAXPRS += [f"jaxpr(lambda x: {y} {op} x, {x})" for op in OPERATORS for x, y in NUMBERS]
JAXPRS += [f"jaxpr(lambda x: x {op} {y}, f32(3))" for op in OPERATORS for y in OTHERS]
JAXPRS += [
    f"jaxpr(lambda x: {source}, f32(2,3))"
    for source in (
        "-x",
        "+x",
        "abs(x)",
        "divmod(x, 2)",
        "round(x)",
        "round(x, 1)",
        "tuple(x)",
        "x.astype('int32')",
        "x.astype(bool)",
        "x.real",
        "x.imag",
        "x.conj()",
        "x.view('int32')",
        "x.sum()",
        "x.mean(axis=0)",
        "x.max()",
        "x.min()",
        "x.prod()",
        "x.std()",
        "x.var()",
        "x.any()",
        "x.all()",
        "x.argmax()",
        "x.argmin()",
        "x.cumsum()",
        "x.cumprod()",
        "x.ptp()",
        "x.round(1)",
        "x.clip(0, 1)",
        "x.copy()",
        "x == None",
        "x == 'a'",
    )
]
JAXPRS += ["jaxpr(lambda x: ~x, i32(3))", "jaxpr(lambda x: x.real, c64(3))"]

VALUES = [f"jnp.asarray(f32(3)) {op} jnp.asarray(f32(3,seed=1))" for op in OPERATORS]
VALUES += [f"jnp.asarray(i32(3)) {op} {y}" for op in OPERATORS for y in ("2", "2.5", *OTHERS)]
VALUES += [
    f"{y} {op} jnp.asarray(i32(3))"
    for op in OPERATORS
    for y in ("2", "np.float32(2)", "np.arange(3)", *OTHERS)
]
VALUES += [
    "divmod(jnp.asarray(i32(3)), 2)",
    "divmod(7, jnp.asarray(i32(3)))",
    "round(jnp.asarray(f32(3)))",
    "list(jnp.asarray(f32(2,3)))",
    "list(jnp.asarray(1.))",
    "list(jnp.arange(130))",
    "2 in jnp.arange(3)",
    "5 in jnp.arange(3)",
    "jnp.asarray(f32(4)).view('int8')",
    "jnp.asarray(u8(8)).view('float32')",
    "jnp.asarray(c64(3)).imag",
    "jnp.asarray(f32(3)).__setitem__(0, 1)",
    "jnp.float32(2).item()",
    "hash(jnp.asarray(f32(3)))",
    "jax.jit(lambda x: x.item())(np.float32(1))",
    "bool(jnp.asarray(f32(3)) == None)",
    "jnp.asarray(f32(2,3)).std(axis=0)",
    "jnp.arange(3).tobytes()",
    "jnp.arange(3) ** -1",
    "jnp.arange(3.) ** -1",
    "jnp.asarray(f32(3)).astype(int)",
]


@pytest.mark.parametrize("expression", JAXPRS)
def test_jaxpr(expression: str) -> None:
    assert_agrees(expression, JAXPRS)


@pytest.mark.parametrize("expression", VALUES)
def test_value(expression: str) -> None:
    assert_agrees(expression, VALUES, atol=1e-6)


class Other:
    """Knows what to do with an array, which an array does not know of it."""

    def __radd__(self, x: object) -> str:
        return f"other + {type(x).__name__}"

    def __eq__(self, x: object) -> bool:
        return True

    __hash__ = None  # type: ignore[assignment]


def test_other_operand_gets_its_turn() -> None:
    assert jnp.arange(3) + Other() == "other + ArrayImpl"
    assert (jnp.arange(3) == Other()) is True


def test_add_in_place_makes_a_new_array() -> None:
    x = y = jnp.arange(3)
    x += 1
    assert x.tolist() == [1, 2, 3] and y.tolist() == [0, 1, 2]


def test_operator_of_arrays_is_the_compiled_function() -> None:
    """In a process of its own: beside an imported jax it is a function that tells whose array it is."""
    code = "import jaxlab.numpy as jnp; assert type(type(jnp.arange(3)).__dict__['__add__']) is type(jnp.add)"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    "write", [lambda x: x.__setitem__(0, 1), lambda x: jaxlab.jit(lambda y: y.__setitem__(0, 1))(x)]
)
def test_writing_says_what_to_write(write: object) -> None:
    with pytest.raises(TypeError, match=r"write x = x\.at\[0\]\.set\(value\)"):
        write(jnp.arange(3))  # type: ignore[operator]
