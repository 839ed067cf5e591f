"""Convolution and correlation of sequences."""

from __future__ import annotations

from typing import Any

from jaxlab import dtypes, lax
from jaxlab.core.aval import aval_of
from jaxlab.numpy.promotion import check_arraylike, promote_dtypes
from jaxlab.numpy.rearranging import flip
from jaxlab.numpy.wrapping import as_array, named


@named(static_argnames=("mode", "op", "precision", "preferred_element_type"))
def _conv(x: Any, y: Any, *, mode: str, op: str, precision: Any, preferred_element_type: Any) -> Any:
    x, y = promote_dtypes(x, y, inexact=True) if preferred_element_type is None else promote_dtypes(x, y)
    swapped = aval_of(x).shape[0] < aval_of(y).shape[0]
    if swapped:
        x, y = y, x
    if op == "correlate":
        # Correlation is not symmetric: exchanged, the result is turned round, and the other is conjugated.
        if aval_of(y).dtype.kind == "c":
            y = lax.conj(y)
        turn = swapped
    else:
        y, turn = flip(y), False
    size = aval_of(y).shape[0]
    border = {"valid": (0, 0), "same": (size // 2, size - size // 2 - 1), "full": (size - 1, size - 1)}[mode]
    out = lax.conv_general_dilated(
        lax.expand_dims(x, (0, 1)),
        lax.expand_dims(y, (0, 1)),
        (1,),
        (border,),
        precision=precision,
        preferred_element_type=preferred_element_type,
    )
    if turn:
        out = lax.rev(out, (2,))
        out = lax.conj(out) if aval_of(out).dtype.kind == "c" else out
    return lax.squeeze(out, (0, 1))


def _checked(name: str, a: Any, v: Any, mode: str) -> tuple[Any, Any]:
    check_arraylike(name, a, v)
    shapes = aval_of(a).shape, aval_of(v).shape
    if any(len(shape) != 1 for shape in shapes):
        raise ValueError(
            f"{name}: arrays of shapes {shapes[0]} and {shapes[1]} were given, but each must have one axis"
        )
    if 0 in (*shapes[0], *shapes[1]):
        raise ValueError(
            f"{name}: arrays of shapes {shapes[0]} and {shapes[1]} were given, but neither may be empty"
        )
    if mode not in ("full", "same", "valid"):
        raise ValueError(f"{name}: mode={mode!r} was given, but it must be 'full', 'same' or 'valid'")
    return as_array(a), as_array(v)


@named(static_argnames=("mode", "precision", "preferred_element_type"))
def convolve(
    a: Any, v: Any, mode: str = "full", *, precision: Any = None, preferred_element_type: Any = None
) -> Any:
    """The convolution of two sequences: the coefficients of the product of two polynomials.

    Args:
      a, v: arrays with one axis.
      mode: all places where they overlap ("full"), as many as the longer has ("same"), or those where they
      overlap wholly
        ("valid").
      precision: how exactly accelerators multiply.
      preferred_element_type: the dtype of the sums.

    Raises:
      ValueError: if an array has other than one axis or is empty, or for another mode.

    >>> jnp.convolve(jnp.array([1.0, 2.0]), jnp.array([1.0, 3.0]))
    Array([1., 5., 6.], dtype=float32)
    """
    a, v = _checked("convolve", a, v, mode)
    wanted = None if preferred_element_type is None else dtypes.canonicalize(preferred_element_type)
    return _conv(a, v, mode=mode, op="convolve", precision=precision, preferred_element_type=wanted)


@named(static_argnames=("mode", "precision", "preferred_element_type"))
def correlate(
    a: Any, v: Any, mode: str = "valid", *, precision: Any = None, preferred_element_type: Any = None
) -> Any:
    """The sums of products of one sequence with the other, conjugated, moved along it; arguments as of `convolve`.

    >>> jnp.correlate(jnp.array([1.0, 2.0, 3.0]), jnp.array([0.0, 1.0]))
    Array([2., 3.], dtype=float32)
    """
    a, v = _checked("correlate", a, v, mode)
    wanted = None if preferred_element_type is None else dtypes.canonicalize(preferred_element_type)
    return _conv(a, v, mode=mode, op="correlate", precision=precision, preferred_element_type=wanted)
