"""Evaluates tables of expressions with jaxlab here, and with jax in one process of its own for the whole
test session.

An expression is Python text over the names of both libraries (``jax jnp lax np nn random``, where ``jax`` is
jaxlab on our
side) and the sample arrays of `samples`. What it gives is described as plain data, so that it travels and
compares: value,
dtype, shape and weak type of arrays; the text of jaxprs; the class of an error.

    TABLE = ["jnp.sin(f32(3))", "jaxpr(jnp.sin, f32(3))"]

    @pytest.mark.parametrize("expression", TABLE)
    def test_same_as_jax(expression):
        assert_agrees(expression, TABLE)
"""

from __future__ import annotations

import ast
import atexit
import functools
import importlib
import os
import pathlib
import pickle
import re
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any, BinaryIO

import ml_dtypes
import numpy as np

DTYPES = {
    "b8": "bool",
    "i8": "int8",
    "i16": "int16",
    "i32": "int32",
    "i64": "int64",
    "u8": "uint8",
    "u32": "uint32",
    "f16": "float16",
    "bf16": "bfloat16",
    "f32": "float32",
    "f64": "float64",
    "c64": "complex64",
    "c128": "complex128",
}


def _sample(name: str) -> Callable[..., np.ndarray]:
    dtype = np.dtype(getattr(ml_dtypes, DTYPES[name], DTYPES[name]))

    def make(*shape: int, seed: int = 0, low: float = -4, high: float = 4) -> np.ndarray:
        draw = np.random.default_rng(seed).uniform
        values = draw(low, high, shape)
        if dtype.kind == "b":
            return values > 0
        if dtype.kind == "u":
            return np.abs(values).astype(dtype)
        if dtype.kind == "c":
            return (values + 1j * draw(low, high, shape)).astype(dtype)
        return values.astype(dtype)

    make.__doc__ = f"An array of {dtype.name} with the given shape, the same on both sides."
    return make


samples: dict[str, Callable[..., np.ndarray]] = {name: _sample(name) for name in DTYPES}


class _Module:
    """A module that is imported when something of it is used."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        return getattr(importlib.import_module(self._name), attribute)


def namespace(library: str) -> dict[str, Any]:
    """The names that expressions are written with, from ``jax`` or ``jaxlab``."""
    root = importlib.import_module(library)

    text: Callable[[Any], str] = str
    if library == "jaxlab":
        text = importlib.import_module("jaxlab.core.printing").jaxpr_to_text

    def jaxpr(fun: Callable[..., Any], *args: Any, **kwargs: Any) -> str:
        return text(root.make_jaxpr(fun)(*args, **kwargs))

    def program(source: str) -> Any:
        """What a program of several lines leaves in the name ``out``."""
        scope = dict(names)
        exec(source, scope)
        return scope["out"]

    names = {
        "jax": root,
        "jaxpr": jaxpr,
        "program": program,
        "np": np,
        "ml_dtypes": ml_dtypes,
        "functools": functools,
        **samples,
    }
    modules = {"jnp": "numpy", "lax": "lax", "nn": "nn", "random": "random", "ad_checkpoint": "ad_checkpoint"}
    modules |= {"jet": "experimental.jet", "test_util": "test_util"}
    modules |= {
        "experimental": "experimental",
        "checkify": "experimental.checkify",
        "extend_core": "extend.core",
    }
    for name, module in modules.items():
        names[name] = _Module(f"{library}.{module}")
    return names


def describe(value: Any) -> Any:
    """A value as plain data: nested tuples of ``(kind, ...)``."""
    if isinstance(value, list | tuple):
        return (type(value).__name__ if type(value) in (list, tuple) else "namedtuple", *map(describe, value))
    if isinstance(value, dict):
        return ("dict", *((key, describe(value[key])) for key in sorted(value)))
    aval = getattr(value, "aval", None)
    if aval is not None and not isinstance(value, np.ndarray):
        if not isinstance(aval.dtype, np.dtype):
            return ("key", aval.shape)
        return ("array", aval.dtype.name, tuple(aval.shape), bool(aval.weak_type), np.asarray(value))
    if isinstance(value, np.ndarray | np.generic):
        return ("numpy", value.dtype.name, value.shape, False, np.asarray(value))
    if isinstance(value, bool | int | float | complex | str | type(None) | np.dtype):
        return ("python", type(value).__name__, repr(value))
    return ("text", str(value))


def evaluate(expressions: Iterable[str], names: dict[str, Any]) -> list[Any]:
    """What each expression gives, described; the class of its error if it raises."""
    answers = []
    for expression in expressions:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                answers.append(describe(eval(expression, dict(names))))
        except Exception as error:
            answers.append(("raises", type(error).__name__, str(error).partition("\n")[0]))
    return answers


def evaluate_in(library: str, expressions: Sequence[str], x64: bool) -> list[Any]:
    """`evaluate` with the names of one library, in a given width."""
    names = namespace(library)
    with names["jax"].enable_x64(x64):
        return evaluate(expressions, names)


def answer_here(expression: str, x64: bool = False) -> Any:
    """What jaxlab gives in this process."""
    return evaluate_in("jaxlab", [expression], x64)[0]


@functools.lru_cache(maxsize=64)
def answers_of_jax(expressions: tuple[str, ...], x64: bool = False) -> dict[str, Any]:
    """What jax gives for the expressions of a table, all evaluated in one request to its process."""
    server = _server()
    _send(server.stdin, (list(expressions), x64))
    try:
        answers = pickle.load(server.stdout)
    except EOFError:
        raise RuntimeError(f"the process that runs jax ended with exit status {server.wait()}") from None
    return dict(zip(expressions, answers, strict=True))


def texts(program: str, table: Iterable[str]) -> tuple[str, str]:
    """What jaxlab and jax print for a program of a table.

    Some of jax's rules leave NumPy integers in parameters. They are taken for numbers, and then lines, which break
    elsewhere, are joined.
    """
    ours, theirs = answer_here(program), answers_of_jax(tuple(table))[program]
    assert ours[:2] == theirs[:2] == ("python", "str"), (ours, theirs)
    mine, other = ast.literal_eval(ours[2]), ast.literal_eval(theirs[2])
    if "np.int64(" in other:
        return "".join(mine.split()), "".join(re.sub(r"np\.int64\((-?\d+)\)", r"\1", other).split())
    return mine, other


def assert_agrees(
    expression: str, table: Sequence[str], *, x64: bool = False, rtol: float | None = None, atol: float = 0.0
) -> None:
    """Fail unless jaxlab gives what jax gives for one expression of a table (see `difference`)."""
    ours, theirs = answer_here(expression, x64), answers_of_jax(tuple(table), x64)[expression]
    told = difference(ours, theirs, rtol, atol)
    assert told is None, f"{expression}: {told}"


def difference(ours: Any, theirs: Any, rtol: float | None = None, atol: float = 0.0) -> str | None:
    """In words what is different, None if nothing: dtypes, weak types, shapes, texts and classes of errors
    are compared
    exactly, and floating-point values within ``rtol`` (8 units in the last place by default)."""
    if ours[0] != theirs[0]:
        return f"ours is {ours}, jax's is {theirs}"
    if ours[0] == "raises":
        if ours[1] == "AxisError":  # NumPy's, which is both
            return None if theirs[1] in ("ValueError", "IndexError") else f"jax raises {theirs[1:]}"
        return None if ours[1] == theirs[1] else f"ours raises {ours[1:]}, jax raises {theirs[1:]}"
    if ours[0] in ("array", "numpy"):
        if ours[1:4] != theirs[1:4]:
            return f"(dtype, shape, weak type) of ours is {ours[1:4]}, jax's {theirs[1:4]}"
        return _difference_of_values(ours[4], theirs[4], rtol, atol)
    if ours[0] in ("tuple", "list", "namedtuple"):
        if len(ours) != len(theirs):
            return f"ours has {len(ours) - 1} entries, jax's {len(theirs) - 1}"
        for i, (a, b) in enumerate(zip(ours[1:], theirs[1:], strict=True)):
            told = difference(a, b, rtol, atol)
            if told is not None:
                return f"entry {i}: {told}"
        return None
    if ours[0] == "dict":
        if [key for key, _ in ours[1:]] != [key for key, _ in theirs[1:]]:
            return f"ours has keys {[key for key, _ in ours[1:]]}, jax's {[key for key, _ in theirs[1:]]}"
        for (key, a), (_, b) in zip(ours[1:], theirs[1:], strict=True):
            told = difference(a, b, rtol, atol)
            if told is not None:
                return f"entry {key!r}: {told}"
        return None
    return None if ours == theirs else f"ours is\n{ours[-1]}\njax's is\n{theirs[-1]}"


def _difference_of_values(
    ours: np.ndarray, theirs: np.ndarray, rtol: float | None, atol: float
) -> str | None:
    if ours.dtype.kind in "biu" or "int" in ours.dtype.name:
        same = np.array_equal(ours, theirs)
    else:
        wide = np.complex128 if ours.dtype.kind == "c" else np.float64
        if rtol is None:
            rtol = 8 * float(ml_dtypes.finfo(ours.dtype).eps)
        same = np.allclose(ours.astype(wide), theirs.astype(wide), rtol=rtol, atol=atol, equal_nan=True)
    return None if same else f"ours is\n{ours}\njax's is\n{theirs}"


@functools.cache
def _server() -> subprocess.Popen[bytes]:
    """The process that runs jax, started at its first use."""
    server = subprocess.Popen(
        [sys.executable, str(pathlib.Path(__file__).resolve())],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "JAX_PLATFORMS": "cpu"},
    )
    atexit.register(_end, server)
    return server


def _end(server: subprocess.Popen[bytes]) -> None:
    assert server.stdin is not None
    server.stdin.close()
    try:
        server.wait(timeout=10)
    except subprocess.TimeoutExpired:  # it is still giving gigabytes of compiled programs back
        server.kill()


def _send(stream: Any, value: Any) -> None:
    pickle.dump(value, stream)
    stream.flush()


def serve(requests: BinaryIO, replies: BinaryIO) -> None:
    """Answer requests until the stream of them ends."""
    while True:
        try:
            expressions, x64 = pickle.load(requests)
        except EOFError:
            return
        _send(replies, evaluate_in("jax", expressions, x64))


if __name__ == "__main__":
    replies = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    sys.stdout = sys.stderr  # what an expression prints must not get among the replies
    sys.path.pop(0)
    serve(sys.stdin.buffer, replies)
