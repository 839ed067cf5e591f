"""What is called again at the same types is compiled once; what differs is not taken for the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from jaxlab.control.cond import cond
from jaxlab.control.scan import scan
from jaxlab.control.while_loop import while_loop
from jaxlab.interpreters.program import on_compiled
from jaxlab.primitives.arithmetic import add, mul
from jaxlab.primitives.comparison import lt
from jaxlab.primitives.reduction import reduce_sum
from jaxlab.primitives.transcendental import cos, sin
from jaxlab.transforms.custom_jvp import custom_jvp
from jaxlab.transforms.grad import grad
from jaxlab.transforms.jit import jit
from jaxlab.transforms.jvp import jvp
from jaxlab.transforms.vmap import vmap

ONE = np.float32(1)
ROW = np.arange(4, dtype=np.float32)


def _step(c: Any, x: Any) -> Any:
    return mul(c, sin(x)), c


def _true(x: Any) -> Any:
    return sin(x)


def _false(x: Any) -> Any:
    return cos(x)


def _under_three(c: Any) -> Any:
    return lt(c[0], np.int32(3))


def _advance(c: Any) -> Any:
    return add(c[0], np.int32(1)), sin(c[1])


def _loop(i: Any, x: Any) -> Any:
    return while_loop(_under_three, _advance, (i, x))[1]


def _last(x: Any) -> Any:
    return scan(_step, ONE, x)[0]


@custom_jvp
def _ruled(x: Any) -> Any:
    return sin(x)


@_ruled.defjvp
def _rule(primals: Any, tangents: Any) -> Any:
    return _ruled(*primals), mul(tangents[0], cos(primals[0]))


CALLS: dict[str, Callable[[], Any]] = {
    "cond": lambda: cond(True, _true, _false, ROW),
    "grad of cond": lambda: grad(lambda x: cond(True, _true, _false, x))(ONE),
    "scan": lambda: _last(ROW),
    "grad of scan": lambda: grad(_last)(ROW),
    "vmap of scan": lambda: vmap(_last)(np.ones((3, 4), np.float32)),
    "jvp of while": lambda: jvp(lambda x: _loop(np.int32(0), x), (ONE,), (ONE,)),
    "vmap of while's condition": lambda: vmap(lambda i: _loop(i, ONE))(np.arange(3, dtype=np.int32)),
    "custom_jvp": lambda: _ruled(ROW),
    "vmap of custom_jvp": lambda: vmap(_ruled)(ROW),
    "grad of vmap of custom_jvp": lambda: grad(lambda x: reduce_sum(vmap(_ruled)(x), (0,)))(ROW),
}


@pytest.fixture
def compiled() -> Iterator[list[str]]:
    names: list[str] = []

    def listen(program: Any) -> None:
        names.append(program.name)

    on_compiled.append(listen)
    yield names
    on_compiled.remove(listen)


@pytest.mark.parametrize("what", CALLS)
def test_a_call_compiles_nothing_the_second_time(what: str, compiled: list[str]) -> None:
    CALLS[what]()
    compiled.clear()
    CALLS[what]()
    assert not compiled


def test_equal_static_arguments_of_different_types_are_different() -> None:
    function = jit(lambda n, x: (n, x), static_argnums=0)
    assert [function(n, ROW)[0].dtype.name for n in (1, 1.0, True)] == ["int32", "float32", "bool"]


def test_none_is_an_operand() -> None:
    assert float(cond(True, lambda x: 1.0 if x is None else 2.0, lambda x: 3.0, operand=None)) == 1.0


def test_a_carry_is_promoted_through_another() -> None:
    out = while_loop(
        lambda c: lt(c[0], np.float32(5)), lambda c: (add(c[0], np.float32(1.5)), c[0], c[1]), (ONE, 0, 0)
    )
    assert [x.dtype.name for x in out] == ["float32"] * 3
