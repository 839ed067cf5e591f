"""What operations linear in each of two operands share: dtypes of sums of products, and derivatives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from jaxlab import dtypes
from jaxlab.core.aval import Zero, aval_of
from jaxlab.primitives.elementwise import add_any


def accumulator(dtype: Any, preferred: Any) -> Any:
    """The dtype of a sum of products of ``dtype``; raises TypeError where the preferred one is too narrow."""
    if preferred is None or preferred == dtype:
        return dtype
    both_integers = dtypes.issubdtype(dtype, np.integer) and dtypes.issubdtype(preferred, np.integer)
    if both_integers and dtypes.itemsize_bits(preferred) < dtypes.itemsize_bits(dtype):
        raise TypeError(
            "`preferred_element_type` must not be narrower than the original type, got "
            f"preferred_element_type of {preferred} for result type of {dtype}."
        )
    return preferred


def same_dtype(ctx: Any, x: Any, y: Any) -> tuple[Any, Any]:
    """Both operands in one dtype, for operations of StableHLO that take no others."""
    eqn = ctx.eqn
    aval_x, aval_y = eqn.invars[0].aval, eqn.invars[1].aval
    if aval_x.dtype is aval_y.dtype is eqn.outvars[0].aval.dtype:
        return x, y
    b = ctx.b
    if aval_x.dtype == aval_y.dtype:
        common = aval_x.dtype
        # Sums of a kind of number in another kind are taken in that kind: XLA does not convert between them.
        if ctx.aval_out.dtype == common or _kind(ctx.aval_out.dtype) == _kind(common):
            return x, y
    common = ctx.aval_out.dtype
    return tuple(
        value if aval.dtype == common else b.value("stablehlo.convert", b.tensor(aval.shape, common), value)
        for value, aval in ((x, aval_x), (y, aval_y))
    )


def _kind(dtype: Any) -> type:
    return dtypes.scalar_type_of(dtype)


def bilinear_jvp(
    primitive: Any, primals: Sequence[Any], tangents: Sequence[Any], params: Any
) -> tuple[Any, Any]:
    """The derivative of an operation linear in each of two operands."""
    (x, y), (t_x, t_y) = primals, tangents
    out = primitive.bind(x, y, **params)
    terms = []
    if type(t_x) is not Zero:
        terms.append(primitive.bind(t_x, y, **params))
    if type(t_y) is not Zero:
        terms.append(primitive.bind(x, t_y, **params))
    if not terms:
        return out, Zero(aval_of(out).to_tangent_aval())
    return out, terms[0] if len(terms) == 1 else add_any(*terms)
