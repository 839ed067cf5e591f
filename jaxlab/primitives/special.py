"""Special functions: the error function and the gamma function with their relatives."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from jaxlab.primitives.arithmetic import add, mul, neg, square
from jaxlab.primitives.elementwise import FLOAT, Elementwise, scalar_like
from jaxlab.primitives.exponential import exp

_F = (np.float32, np.float64)
_TWO_BY_SQRT_PI = 2 / math.sqrt(math.pi)


def _each(function: Callable[..., float]) -> Callable[..., np.ndarray]:
    """A reference from a function of Python floats, which may raise where the result is infinite or none."""

    def one(*xs: Any) -> float:
        try:
            return function(*map(float, xs))
        except (ValueError, OverflowError, ZeroDivisionError):
            return math.nan

    def each(*arrays: Any) -> np.ndarray:
        return np.asarray(np.vectorize(one, otypes=[np.float64])(*arrays)).astype(arrays[0].dtype)

    return each


def erf(x: Any) -> Any:
    """Elementwise error function, ``2/sqrt(pi)`` times the integral of ``exp(-t**2)`` from 0 to ``x``.

    >>> erf(np.float32(0))
    Array(0., dtype=float32)
    """
    return erf_p.bind(x)


def erfc(x: Any) -> Any:
    """Elementwise ``1 - erf(x)``, exact also where that is small.

    >>> erfc(np.float32(0))
    Array(1., dtype=float32)
    """
    return erfc_p.bind(x)


def erf_inv(x: Any) -> Any:
    """Elementwise inverse of `erf`; infinite at ±1, NaN beyond.

    >>> erf_inv(np.float32(0))
    Array(0., dtype=float32)
    """
    return erf_inv_p.bind(x)


def _inverse_erf(y: float) -> float:
    if abs(y) >= 1:
        return math.copysign(math.inf, y) if abs(y) == 1 else math.nan
    x = y
    for _ in range(100):
        x -= (math.erf(x) - y) / (_TWO_BY_SQRT_PI * math.exp(-x * x))
    return x


erf_p = Elementwise(
    "erf",
    "chlo.erf",
    _each(math.erf),
    [lambda t, out, x: mul(scalar_like(x, _TWO_BY_SQRT_PI), mul(t, exp(neg(square(x)))))],
    accepts=FLOAT,
)
erfc_p = Elementwise(
    "erfc",
    "chlo.erfc",
    _each(math.erfc),
    [lambda t, out, x: mul(scalar_like(x, -_TWO_BY_SQRT_PI), mul(t, exp(neg(square(x)))))],
    accepts=FLOAT,
    tolerance=1e-5,
)
erf_inv_p = Elementwise(
    "erf_inv",
    "chlo.erf_inv",
    _each(_inverse_erf),
    [lambda t, out, x: mul(scalar_like(x, 1 / _TWO_BY_SQRT_PI), mul(t, exp(square(out))))],
    accepts=FLOAT,
    domain=(-0.9, 0.9),
    tolerance=1e-5,
)


def lgamma(x: Any) -> Any:
    """Elementwise logarithm of the absolute value of the gamma function.

    >>> round(float(lgamma(np.float32(4))), 4)  # log(3!)
    1.7918
    """
    return lgamma_p.bind(x)


def digamma(x: Any) -> Any:
    """Elementwise derivative of `lgamma`.

    >>> digamma(np.float32(1))
    Array(-0.5772154, dtype=float32)
    """
    return digamma_p.bind(x)


def polygamma(m: Any, x: Any) -> Any:
    """Elementwise derivative of order ``m`` of `digamma`; ``m`` is an integer, as a float.

    >>> polygamma(np.float32(1), np.float32(1))
    Array(1.644934, dtype=float32)
    """
    return polygamma_p.bind(m, x)


def zeta(x: Any, q: Any) -> Any:
    """Elementwise Hurwitz zeta function, the sum of ``(k + q) ** -x`` over ``k`` from 0, for ``x > 1``.

    >>> zeta(np.float32(2), np.float32(1))
    Array(1.644934, dtype=float32)
    """
    return zeta_p.bind(x, q)


def _hurwitz(x: float, q: float) -> float:
    """By Euler and Maclaurin after 30 terms."""
    if x <= 1 or q <= 0:
        raise ValueError
    n = 30
    head = sum((k + q) ** -x for k in range(n))
    a = n + q
    tail = a ** (1 - x) / (x - 1) + 0.5 * a**-x
    factor = x
    for k, bernoulli in enumerate((1 / 6, -1 / 30, 1 / 42, -1 / 30), start=1):
        tail += bernoulli / math.factorial(2 * k) * factor * a ** (-x - 2 * k + 1)
        factor *= (x + 2 * k - 1) * (x + 2 * k)
    return head + tail


def _psi(x: float) -> float:
    """By recurrence up to 30, and there by the asymptotic series."""
    if x <= 0 and x == math.floor(x):
        raise ValueError
    total = 0.0
    while x < 30:
        total -= 1 / x
        x += 1
    y = 1 / (x * x)
    return total + math.log(x) - 0.5 / x - y * (1 / 12 - y * (1 / 120 - y * (1 / 252 - y / 240)))


def _polygamma(m: float, x: float) -> float:
    if m == 0:
        return _psi(x)
    return (-1) ** (int(m) + 1) * math.factorial(int(m)) * _hurwitz(m + 1, x)


def _no_order_derivative(t: Any, *_: Any) -> Any:
    raise ValueError(
        "polygamma: the derivative with respect to the order m was asked for, but there is none; "
        "stop_gradient(m) takes it out"
    )


class _Polygamma(Elementwise):
    def example_operand(self, shape: tuple[int, ...], dtype: Any, position: int) -> Any:
        x = super().example_operand(shape, dtype, position)
        return np.full(shape, 1 + position, dtype) if position == 0 else x


class _Zeta(Elementwise):
    def example_operand(self, shape: tuple[int, ...], dtype: Any, position: int) -> Any:
        x = super().example_operand(shape, dtype, position)
        return x + dtype.type(1) if position == 0 else x


lgamma_p = Elementwise(
    "lgamma",
    "chlo.lgamma",
    _each(math.lgamma),
    [lambda t, out, x: mul(t, digamma(x))],
    accepts=FLOAT,
    domain=(0.5, 4.0),
    awkward=False,
    tolerance=1e-5,
)
digamma_p = Elementwise(
    "digamma",
    "chlo.digamma",
    _each(_psi),
    [lambda t, out, x: mul(t, polygamma(scalar_like(x, 1), x))],
    accepts=FLOAT,
    domain=(0.5, 4.0),
    awkward=False,
    tolerance=1e-5,
)
polygamma_p = _Polygamma(
    "polygamma",
    "chlo.polygamma",
    _each(_polygamma),
    [_no_order_derivative, lambda t, out, m, x: mul(t, polygamma(add(m, scalar_like(m, 1)), x))],
    accepts=_F,
    smooth_in=(1,),
    domain=(0.8, 3.0),
    awkward=False,
    tolerance=1e-5,
)


def _zeta_derivative(t: Any, out: Any, x: Any, q: Any) -> Any:
    return mul(t, mul(neg(x), zeta(add(x, scalar_like(x, 1)), q)))


zeta_p = _Zeta(
    "zeta",
    "chlo.zeta",
    _each(_hurwitz),
    [_no_order_derivative, _zeta_derivative],
    accepts=_F,
    smooth_in=(1,),
    domain=(0.5, 3.0),
    awkward=False,
    tolerance=1e-5,
)
