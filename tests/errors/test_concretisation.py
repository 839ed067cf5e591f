"""Where Python asks for the number behind a traced value: the exact first line, under jit and vmap."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import jaxlab as jax
import jaxlab.numpy as jnp
from jaxlab import lax

E = jax.errors
V = np.arange(3, dtype=np.float32)
HERE = __file__


def branch(x: Any) -> Any:
    return x if x else -x


BOOL = (
    "was given, but Python's if, while, and, or, not need a value known while tracing; write jnp.where or lax.cond for "
    "a branch, lax.while_loop for a loop, &, | and ~ for logic"
)
NUMBER = "was given, but a concrete value is needed, which is not known while tracing; "
STATIC = ", or make the argument it comes from static (static_argnames)"
INDEX = (
    "was given, but a Python integer is needed, which is not known while tracing; index a jnp array instead of a list "
    "or NumPy array, write lax.fori_loop for range, or make the argument static"
)
NUMPY = (
    "was given, but NumPy needs the numbers, which are not known while tracing; write the function of jaxlab.numpy "
    "(jnp.sin for np.sin), index jnp.asarray(table) instead of a NumPy array, or use jaxlab.pure_callback"
)
BACK = f"{NUMBER}return the array, and convert what comes back{STATIC}"


def asserted(x: Any) -> Any:
    assert x
    return x


def looped(x: Any) -> Any:
    while x:
        x = x - 1
    return x


TABLE: list[tuple[Callable[[Any], Any], Any, type[Exception], str, str]] = [
    # (function of a scalar, its argument, class, what comes before the value's description, what after)
    (branch, 1.0, E.TracerBoolConversionError, "bool", BOOL),
    (asserted, 1.0, E.TracerBoolConversionError, "bool", BOOL),
    (looped, 1.0, E.TracerBoolConversionError, "bool", BOOL),
    (lambda x: x and 1, 1.0, E.TracerBoolConversionError, "bool", BOOL),
    (lambda x: not x, 1.0, E.TracerBoolConversionError, "bool", BOOL),
    (lambda x: bool(x), 1.0, E.TracerBoolConversionError, "bool", BOOL),
    (lambda x: int(x), 1.0, E.ConcretizationTypeError, "int", f"{NUMBER}keep it an array (x.astype(int)){STATIC}"),
    (lambda x: float(x), 1.0, E.ConcretizationTypeError, "float", f"{NUMBER}keep it an array (x.astype(float)){STATIC}"),
    (lambda x: math.sin(x), 1.0, E.ConcretizationTypeError, "float", f"{NUMBER}keep it an array (x.astype(float)){STATIC}"),
    (lambda x: complex(x), 1.0, E.ConcretizationTypeError, "complex", f"{NUMBER}keep it an array (x.astype(complex)){STATIC}"),
    (lambda x: x.item(), 1.0, E.ConcretizationTypeError, "item", f"{NUMBER}keep it an array (x.astype(...)){STATIC}"),
    (lambda x: x.tolist(), 1.0, E.ConcretizationTypeError, "tolist", BACK),
    (lambda x: x.tobytes(), 1.0, E.ConcretizationTypeError, "tobytes", BACK),
    (lambda x: x.devices(), 1.0, E.ConcretizationTypeError, "devices", BACK),
    (lambda x: f"{x:.2f}", 1.0, E.ConcretizationTypeError, "the format '.2f'",
     f"{NUMBER}print it when the program runs, with jaxlab.debug.print('{{x:.2f}}', x=x){STATIC}"),
    (lambda x: operator.index(x), 1, E.TracerIntegerConversionError, "__index__", INDEX),
    (lambda x: [1, 2, 3][x], 1, E.TracerIntegerConversionError, "__index__", INDEX),
    (lambda x: V[x], 1, E.TracerArrayConversionError, "numpy.asarray", NUMPY),
    (lambda x: range(x), 1, E.TracerIntegerConversionError, "__index__", INDEX),
    (lambda x: jnp.zeros(x), 1, E.TracerIntegerConversionError, "__index__", INDEX),
    (lambda x: np.asarray(x), 1.0, E.TracerArrayConversionError, "numpy.asarray", NUMPY),
    (lambda x: np.sin(x), 1.0, E.TracerArrayConversionError, "numpy.asarray", NUMPY),
]  # fmt: skip

ROUTES: dict[str, tuple[Callable[[Any, Any], Any], str]] = {
    "jit": (lambda f, x: jax.jit(f)(x), "(argument `x` of {name})"),
    "vmap": (lambda f, x: jax.vmap(f)(np.asarray([x] * 2)), "(argument `x` of {name}, mapped by vmap)"),
    "vmap of jit": (lambda f, x: jax.vmap(jax.jit(f))(np.asarray([x] * 2)), "(argument `x` of {name})"),
    "jit of vmap": (lambda f, x: jax.jit(jax.vmap(f))(np.asarray([x] * 2)), "(argument `x` of {name})"),
    "grad of jit": (lambda f, x: jax.vjp(jax.jit(f), x), "(argument `x` of {name})"),
    "scan": (lambda f, x: lax.scan(lambda c, _: (f(c), 0), x, None, length=1), "(argument `"),
}


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("case", range(len(TABLE)))
def test_first_line(case: int, route: str) -> None:
    f, x, error, before, after = TABLE[case]
    call, described = ROUTES[route]
    with jax.enable_x64(False), pytest.raises(error) as caught:
        call(f, x)
    assert type(caught.value) is error
    first = str(caught.value).splitlines()[0]
    kind = "f32[]" if isinstance(x, float) else "i32[]"
    assert first.startswith(f"{before}: traced {kind} {described.format(name=f.__name__)}"), first
    assert first.endswith(f") {after}"), first


def test_a_computed_value_names_the_arguments_and_the_line() -> None:
    def clipped(x: Any, limits: Any) -> Any:
        unused = x * 2
        if (x + limits["low"] > 0).any():  # the line that is named
            return unused
        return x

    line = clipped.__code__.co_firstlineno + 2
    with pytest.raises(E.TracerBoolConversionError) as caught:
        jax.jit(clipped)(V, {"low": 1.0, "high": 2.0})
    assert str(caught.value).startswith(
        f"bool: traced bool[] (computed by `reduce_or` from `x`, `limits['low']` at {HERE}:{line} "
        "(test_a_computed_value_names_the_arguments_and_the_line.<locals>.clipped), while clipped was traced) was given"
    )


def test_where_numbers_are_known_they_are_given() -> None:
    def f(x: Any) -> Any:
        assert (int(x), f"{x:.1f}", x.item(), x.tolist()) == (2, "2.0", 2.0, 2.0)
        return x if x > 0 else -x

    assert float(jax.grad(f)(2.0)) == 1.0


@pytest.mark.parametrize("kind", [float, complex])
def test_a_conversion_does_not_cut_a_derivative(kind: type) -> None:
    first_line = (
        f"{kind.__name__}: traced f32[] (being differentiated) was given, but a concrete value is needed, which would "
        f"have no derivative; keep it an array (x.astype({kind.__name__})), give {kind.__name__} lax.stop_gradient(x), "
        "or make the argument it comes from static (static_argnames)"
    )
    for differentiate in (
        jax.grad,
        lambda f: lambda x: jax.jvp(f, (x,), (x,)),
        lambda f: lambda x: jax.vjp(f, x),
    ):
        with pytest.raises(E.ConcretizationTypeError) as caught:
            differentiate(lambda x: x * kind(x).real)(2.0)
        assert str(caught.value) == first_line
    assert float(jax.grad(lambda x: x * kind(jax.lax.stop_gradient(x)).real)(2.0)) == 2.0
