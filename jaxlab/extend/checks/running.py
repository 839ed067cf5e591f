"""Running rules: staged into one program and compiled, since a program of fifty operations costs little
more than one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from jaxlab.core.aval import Zero, aval_of
from jaxlab.core.jaxpr import ClosedJaxpr
from jaxlab.core.primitive import Primitive
from jaxlab.interpreters.program import Program
from jaxlab.interpreters.staging import stage_closed
from jaxlab.primitives.broadcasting import instantiate
from jaxlab.runtime import backend


def results(primitive: Primitive, out: Any) -> list[Any]:
    """The results of a primitive, or of a rule, as a list."""
    return list(out) if primitive.multiple_results else [out]


def apply(primitive: Primitive, args: Sequence[Any], params: dict[str, Any]) -> list[Any]:
    """A primitive applied at once; compiled at the first application to arguments of these types."""
    return results(primitive, primitive.bind(*args, **params))


class Compiled:
    """A function of flat sequences of arrays, staged and compiled."""

    def __init__(self, fun: Callable[..., Sequence[Any]], args: Sequence[Any]) -> None:
        self.avals = [aval_of(x) for x in args]

        def whole(*xs: Any) -> list[Any]:
            return [instantiate(x) if type(x) is Zero else x for x in fun(*xs)]

        self.closed: ClosedJaxpr = stage_closed(whole, self.avals)
        self.program = Program("rule", self.closed, backend.default_device())

    def __call__(self, *args: Any) -> list[np.ndarray]:
        return [as_numpy(x) for x in self.program.run(args, self.avals)]


def run(fun: Callable[..., Sequence[Any]], *args: Any) -> list[np.ndarray]:
    """The results of a function of flat sequences, compiled as one program."""
    return Compiled(fun, args)(*args)


def as_numpy(x: Any) -> np.ndarray:
    """An array's numbers; random keys become their words."""
    return np.asarray(getattr(x, "words", x))


def pairing(a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
    """The pairing of cotangents with tangents, Re sum(a b), and the size of its terms, for a tolerance."""
    product = np.asarray(a) * np.asarray(b)
    return float(np.sum(product.real)), float(np.sum(np.abs(product)))
