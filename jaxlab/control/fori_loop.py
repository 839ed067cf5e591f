"""``fori_loop``: a loop over a range of integers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from jaxlab.config import config
from jaxlab.control.bodies import MadeOf
from jaxlab.control.scan import scan
from jaxlab.control.while_loop import while_loop
from jaxlab.core.aval import aval_of, is_array_like
from jaxlab.core.trace import Tracer
from jaxlab.primitives.arithmetic import add
from jaxlab.primitives.comparison import lt
from jaxlab.primitives.conversion import convert_element_type
from jaxlab.primitives.elementwise import scalar_like


def fori_loop(
    lower: Any, upper: Any, body_fun: Callable[[Any, Any], Any], init_val: Any, *, unroll: Any = None
) -> Any:
    """``for i in range(lower, upper): val = body_fun(i, val)`` from ``init_val`` on, as one operation.

    Args:
      lower, upper: integers of one type; where both are known while tracing it is a `scan`, and reverse-mode
        derivatives work too, else a `while_loop`.
      body_fun: from the index and the carry to the next carry.
      init_val: the first carry, a pytree of arrays.
      unroll: how many steps to write out in each iteration, for known bounds; True for all.

    Raises:
      TypeError: if the bounds have different types, or the carry changes its type.
      ValueError: for ``unroll`` with bounds that are not known.

    >>> fori_loop(0, 4, lambda i, x: x + i, 0)
    Array(6, dtype=int32, weak_type=True)
    """
    if not callable(body_fun):
        raise TypeError(
            f"fori_loop: body_fun is a {type(body_fun).__name__}, but a function of index and carry is needed"
        )
    dtype = _dtype(lower, upper)
    if not isinstance(lower, Tracer) and not isinstance(upper, Tracer) and dtype.kind != "c":
        start, stop = int(lower), int(upper)
        length = max(stop - start, 0)
        if config.disable_jit and not length:
            return init_val
        (_, result), _ = scan(_Step(body_fun), (start, init_val), None, length=length, unroll=unroll or False)
        return result
    if unroll not in (None, False, 1):
        raise ValueError(
            "fori_loop: unroll needs bounds that are known while tracing, but lower or upper is traced; give "
            "them as Python ints, or leave unroll out"
        )
    bounds = [x if aval_of(x).dtype == dtype else convert_element_type(x, dtype) for x in (lower, upper)]
    return while_loop(_before_end, _Iteration(body_fun), (*bounds, init_val))[2]


def _dtype(lower: Any, upper: Any) -> np.dtype[Any]:
    """The dtype of both bounds; a Python int takes that of the other."""
    for name, bound in (("lower", lower), ("upper", upper)):
        if not is_array_like(bound):
            raise (ValueError if bound is None else TypeError)(
                f"fori_loop: {name} is a {type(bound).__name__}, but an integer is needed; give the first, and the "
                "one after the last"
            )
    first, last = aval_of(lower), aval_of(upper)
    if first.dtype == last.dtype:
        return np.dtype(first.dtype)
    if first.dtype.kind == last.dtype.kind == "i" and first.weak_type != last.weak_type:
        return np.dtype((last if first.weak_type else first).dtype)
    raise TypeError(
        f"fori_loop: lower has type {first.str_short()} and upper {last.str_short()}, but both must have one type; "
        "convert one of them"
    )


# A body often is a function written in a function, but as often the same one. What is made of it is equal
# where the bodies are, so that the loop is traced and compiled once.
@dataclass(frozen=True, slots=True)
class _Step(MadeOf):
    def __call__(self, carry: Any, _: Any) -> tuple[Any, None]:
        i, value = carry
        return (add(i, scalar_like(i, 1)), self.func(i, value)), None


@dataclass(frozen=True, slots=True)
class _Iteration(MadeOf):
    def __call__(self, carry: Any) -> Any:
        i, end, value = carry
        return add(i, scalar_like(i, 1)), end, self.func(i, value)


def _before_end(carry: Any) -> Any:
    return lt(carry[0], carry[1])
