"""Taylor-mode differentiation: derivatives of any order along a curve, in one pass."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from jaxlab import tree
from jaxlab.core.aval import Zero, aval_of, is_inexact
from jaxlab.core.trace import is_tracer
from jaxlab.interpreters.functions import FlatFunction
from jaxlab.interpreters.jet import jet_flat
from jaxlab.primitives.arithmetic import mul
from jaxlab.primitives.broadcasting import instantiate
from jaxlab.primitives.conversion import convert
from jaxlab.primitives.elementwise import scalar_like
from jaxlab.runtime.transfer import put
from jaxlab.transforms.descriptions import type_of


def jet(
    fun: Callable[..., Any],
    primals: Sequence[Any],
    series: Sequence[Sequence[Any]],
    factorial_scaled: bool = True,
    **_: Any,
) -> tuple[Any, Any]:
    """The Taylor series of ``fun`` along a curve, from that of the curve.

    Args:
      fun: a function of arrays that returns a pytree of arrays.
      primals: an array for each argument: where the curve is at time 0.
      series: for each argument the derivatives of the curve there, from the first on; as many for each.
      factorial_scaled: whether the series hold derivatives; if not, they hold the coefficients of the powers,
        which are the derivatives divided by the factorials.

    Returns:
      ``(value, series)``: ``fun`` at ``primals``, and in its structure lists of the derivatives of ``fun`` along
      the curve.

    Raises:
      ValueError: if the series have different lengths, or an argument or a term is not an array.

    >>> value, series = jet(jnp.exp, (0.0,), ((1.0, 0.0, 0.0),))
    >>> [float(derivative) for derivative in series]
    [1.0, 1.0, 1.0]
    """
    if not callable(fun):
        raise TypeError(
            f"jet: {type_of(fun)} was given, but a function is needed; pass the function, not its result"
        )
    if not all(isinstance(given, Sequence) for given in (primals, series)):
        raise TypeError(
            f"jet: {type_of(primals)} and {type_of(series)} were given, but primals and series are tuples or lists "
            "with an entry for each argument; write jet(fun, (x,), ((1.0, 0.0),))"
        )
    for i, terms in enumerate(series):
        if not isinstance(terms, Sequence):
            raise TypeError(
                f"jet: the series for the argument at position {i} is {type_of(terms)}, but a tuple or list of terms "
                "is needed; write ((1.0, 0.0),) for one argument"
            )
    lengths = {len(terms) for terms in series}
    if len(lengths) != 1:
        raise ValueError(
            f"jet: series of {sorted(lengths) or 'no'} terms were given, but each argument needs as many; fill "
            "up with zeros"
        )
    (order,) = lengths
    for i, (x, terms) in enumerate(zip(primals, series, strict=True)):
        _check_leaf(x, f"the argument at position {i}")
        for j, t in enumerate(terms):
            _check_leaf(t, f"term {j} for the argument at position {i}")
    factors = [math.factorial(k) if factorial_scaled else 1 for k in range(1, order + 1)]
    given = [
        [_scaled(_like(t, x), 1 / factor) for t, factor in zip(terms, factors, strict=True)]
        for x, terms in zip(primals, series, strict=True)
    ]
    flat = FlatFunction(fun, tree.structure((tuple(primals), {})))
    values, coefficients = jet_flat(flat, list(primals), given, order)
    out_series = []
    for x, terms in zip(values, coefficients, strict=True):
        found = terms or [None] * order
        zero = Zero(aval_of(x).to_tangent_aval() if is_inexact(aval_of(x).dtype) else aval_of(x))
        out_series.append(
            [
                _scaled(instantiate(zero), 1) if t is None else _scaled(t, factor)
                for t, factor in zip(found, factors, strict=True)
            ]
        )
    return tree.unflatten(flat.out_tree, values), tree.unflatten(flat.out_tree, out_series)


def _check_leaf(x: Any, what: str) -> None:
    if not tree.structure(x) == tree.structure(0):
        raise ValueError(
            f"jet: {what} is a {type(x).__name__}, but an array is needed; let the function take its parts as "
            "arguments of their own"
        )


def _like(t: Any, x: Any) -> Any:
    """A term in the dtype of the primal."""
    aval = aval_of(x)
    return convert(t, aval.dtype, aval.weak_type) if is_inexact(aval.dtype) else t


def _scaled(x: Any, factor: float) -> Any:
    if factor == 1:  # no operation makes an array of it
        return x if is_tracer(x) else put(x)
    return mul(x, scalar_like(x, factor))
