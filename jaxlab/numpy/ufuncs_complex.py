"""Parts of complex numbers."""

from __future__ import annotations

from typing import Any

from jaxlab import lax
from jaxlab.core.aval import aval_of
from jaxlab.numpy.promotion import promote_dtypes, type_of
from jaxlab.numpy.ufuncs import unary
from jaxlab.numpy.ufuncs_logic import equal, not_equal
from jaxlab.numpy.wrapping import as_array, filled, like, named


def _is_complex(x: Any) -> bool:
    return aval_of(x).dtype.kind == "c"


real = unary(
    "real",
    lambda x: lax.real(x) if _is_complex(x) else as_array(x),
    "The real part.",
    "jnp.array([1+2j, 3]) -> Array([1., 3.], dtype=float32)",
)
imag = unary(
    "imag",
    lambda x: lax.imag(x) if _is_complex(x) else filled(x, 0),
    "The imaginary part; 0 of real numbers.",
    "jnp.array([1+2j, 3]) -> Array([2., 0.], dtype=float32)",
)
conjugate = unary(
    "conjugate",
    lambda x: lax.conj(x) if _is_complex(x) else as_array(x),
    "The complex conjugate; a real number itself.",
    "jnp.array([1+2j, 3]) -> Array([1.-2.j, 3.-0.j], dtype=complex64)",
)
conj = conjugate


@named(static_argnames=("deg",))
def angle(z: Any, deg: bool = False) -> Any:
    """The angle of a complex number, in (-pi, pi].

    Args:
      z: array or number.
      deg: in degrees instead of radians.

    Raises:
      TypeError: if ``z`` is not an array or a number.

    >>> jnp.angle(jnp.array([1j, -1]), deg=True)
    Array([ 90., 180.], dtype=float32)
    """
    type_of("angle", z)
    parts = (lax.real(z), lax.imag(z)) if _is_complex(z) else (z, filled(z, 0, aval_of(z).dtype))
    x, y = promote_dtypes(*parts, inexact=True)
    out = lax.atan2(y, x)
    return lax.mul(out, like(out, 180 / 3.141592653589793)) if deg else out


@named
def iscomplex(x: Any) -> Any:
    """Whether an element has an imaginary part that is not 0.

    Args:
      x: array or number.

    Raises:
      TypeError: if ``x`` is not an array or a number.

    >>> jnp.iscomplex(jnp.array([1+2j, 3]))
    Array([ True, False], dtype=bool)
    """
    part = imag.__wrapped__(x)
    return not_equal.__wrapped__(part, like(part, 0))


@named
def isreal(x: Any) -> Any:
    """Whether an element has no imaginary part, or one that is 0.

    Args:
      x: array or number.

    Raises:
      TypeError: if ``x`` is not an array or a number.

    >>> jnp.isreal(jnp.array([1+2j, 3]))
    Array([False,  True], dtype=bool)
    """
    part = imag.__wrapped__(x)
    return equal.__wrapped__(part, like(part, 0))
