"""Universal functions: elementwise, with promotion of dtypes and broadcasting of shapes. Their makers, and
the plain ones."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

from jaxlab import lax
from jaxlab.core.aval import aval_of, is_inexact
from jaxlab.core.trace import Tracer
from jaxlab.numpy.promotion import promote_one, promote_pair, type_of
from jaxlab.numpy.selection import selected
from jaxlab.numpy.wrapping import BOOL, compiled, like, named, strong


def _made(ufunc: Any, name: str, doc: str) -> Any:
    ufunc.__name__ = ufunc.__qualname__ = name
    ufunc.__module__ = "jaxlab.numpy"
    ufunc.__doc__ = doc
    return compiled(ufunc)


def _example(name: str, example: str) -> str:
    call, result = example.split(" -> ")
    return f">>> jnp.{name}({call})\n    {result}"


def unary(
    name: str, on_array: Callable[[Any], Any], about: str, example: str, *, inexact: bool = False
) -> Any:
    """A ufunc of one argument.

    Args:
      on_array: does it, at the level of `jaxlab.lax`.
      about: the sentence that the docstring starts with.
      example: ``arguments -> result`` for the docstring.
      inexact: whether integers and booleans become floats.
    """
    if inexact:

        def ufunc(x: Any, /) -> Any:
            if isinstance(x, Tracer) and is_inexact(x.aval.dtype):
                return on_array(x)
            return on_array(promote_one(name, x))

    else:

        def ufunc(x: Any, /) -> Any:
            type_of(name, x)
            return on_array(x)

    given = "array or number; integers and booleans become floats" if inexact else "array or number"
    doc = f"""{about}

    Args:
      x: {given}.

    Returns:
      An array of the shape of ``x``.

    Raises:
      TypeError: if ``x`` is not an array or a number, or of a dtype that the operation does not take.

    {_example(name, example)}
    """
    return _made(ufunc, name, doc)


def binary(
    name: str,
    on_numbers: Callable[[Any, Any], Any],
    about: str,
    example: str,
    *,
    on_bools: Callable[[Any, Any], Any] | None = None,
    inexact: bool = False,
) -> Any:
    """A ufunc of two arguments.

    Args:
      on_numbers: does it on operands of one dtype and rank, at the level of `jaxlab.lax`.
      about: the sentence that the docstring starts with.
      example: ``arguments -> result`` for the docstring.
      on_bools: does it on booleans, where that is something else.
      inexact: whether integers and booleans become floats.
    """
    if on_bools is None:

        def ufunc(x: Any, y: Any, /) -> Any:
            x, y, _ = promote_pair(name, x, y, inexact)
            return on_numbers(x, y)

    else:

        def ufunc(x: Any, y: Any, /) -> Any:
            x, y, dtype = promote_pair(name, x, y, inexact)
            return on_bools(x, y) if dtype is BOOL else on_numbers(x, y)

    promoted = "promoted, integers to floats," if inexact else "promoted,"
    doc = f"""{about}

    Args:
      x, y: arrays or numbers; their dtypes are {promoted} and their shapes broadcast.

    Returns:
      An array of the common shape.

    Raises:
      TypeError: if an argument is not an array or a number, or the shapes do not broadcast.

    {_example(name, example)}
    """
    return _made(ufunc, name, doc)


_floating = functools.partial(unary, inexact=True)

exp = _floating(
    "exp", lax.exp, "The exponential.", "jnp.array([0., 1.]) -> Array([1.       , 2.7182817], dtype=float32)"
)
exp2 = _floating(
    "exp2",
    lax.exp2,
    "Two to the power of each element.",
    "jnp.array([1, 3]) -> Array([2., 8.], dtype=float32)",
)
expm1 = _floating(
    "expm1",
    lax.expm1,
    "``exp(x) - 1``, precise near 0.",
    "jnp.float32(1e-6) -> Array(1.0000005e-06, dtype=float32)",
)
log = _floating(
    "log",
    lax.log,
    "The natural logarithm; NaN for negative numbers.",
    "jnp.array([1., 10.]) -> Array([0.       , 2.3025851], dtype=float32)",
)
log1p = _floating(
    "log1p",
    lax.log1p,
    "``log(1 + x)``, precise near 0.",
    "jnp.float32(1e-6) -> Array(9.999995e-07, dtype=float32)",
)
sin = _floating(
    "sin",
    lax.sin,
    "The sine of an angle in radians.",
    "jnp.array([0., 1.]) -> Array([0.        , 0.84147096], dtype=float32)",
)
cos = _floating(
    "cos",
    lax.cos,
    "The cosine of an angle in radians.",
    "jnp.array([0., 1.]) -> Array([1.       , 0.5403023], dtype=float32)",
)
tan = _floating(
    "tan",
    lax.tan,
    "The tangent of an angle in radians.",
    "jnp.array([0., 1.]) -> Array([0.       , 1.5574077], dtype=float32)",
)
arcsin = _floating(
    "arcsin",
    lax.asin,
    "The angle in [-pi/2, pi/2] with a given sine; NaN outside of [-1, 1].",
    "jnp.array([0., 1.]) -> Array([0.       , 1.5707964], dtype=float32)",
)
arccos = _floating(
    "arccos",
    lax.acos,
    "The angle in [0, pi] with a given cosine; NaN outside of [-1, 1].",
    "jnp.array([0., 1.]) -> Array([1.5707964, 0.       ], dtype=float32)",
)
arctan = _floating(
    "arctan",
    lax.atan,
    "The angle in [-pi/2, pi/2] with a given tangent.",
    "jnp.array([0., 1.]) -> Array([0.       , 0.7853981], dtype=float32)",
)
sinh = _floating(
    "sinh",
    lax.sinh,
    "The hyperbolic sine.",
    "jnp.array([0., 1.]) -> Array([0.       , 1.1752012], dtype=float32)",
)
cosh = _floating(
    "cosh",
    lax.cosh,
    "The hyperbolic cosine.",
    "jnp.array([0., 1.]) -> Array([1.       , 1.5430806], dtype=float32)",
)
tanh = _floating(
    "tanh",
    lax.tanh,
    "The hyperbolic tangent.",
    "jnp.array([0., 1.]) -> Array([0.       , 0.7615942], dtype=float32)",
)
arcsinh = _floating(
    "arcsinh",
    lax.asinh,
    "The number with a given hyperbolic sine.",
    "jnp.array([0., 1.]) -> Array([0.        , 0.88137364], dtype=float32)",
)
arctanh = _floating(
    "arctanh",
    lax.atanh,
    "The number with a given hyperbolic tangent; NaN outside of [-1, 1].",
    "jnp.array([0., 0.5]) -> Array([0.        , 0.54930615], dtype=float32)",
)
sqrt = _floating(
    "sqrt",
    lax.sqrt,
    "The square root; NaN for negative numbers.",
    "jnp.array([4, 9]) -> Array([2., 3.], dtype=float32)",
)
cbrt = _floating(
    "cbrt", lax.cbrt, "The cube root.", "jnp.array([-8., 27.]) -> Array([-2.,  3.], dtype=float32)"
)


@named
def arccosh(x: Any, /) -> Any:
    """The number of which each element is the hyperbolic cosine, not negative; NaN below 1.

    Args:
      x: array or number; integers and booleans become floats.

    Raises:
      TypeError: if ``x`` is not an array or a number.

    >>> jnp.arccosh(jnp.array([1., 2.]))
    Array([0.      , 1.316958], dtype=float32)
    """
    x = promote_one("arccosh", x)
    out = lax.acosh(x)
    if aval_of(x).dtype.kind != "c":
        return out
    real = lax.real(out)
    return selected(lax.lt(real, like(real, 0)), lax.neg(out), out)


@compiled
def log2(x: Any, /) -> Any:
    """The logarithm to base 2; NaN for negative numbers.

    Args:
      x: array or number; integers and booleans become floats.

    Raises:
      TypeError: if ``x`` is not an array or a number.

    >>> jnp.log2(jnp.array([1, 8]))
    Array([0., 3.], dtype=float32)
    """
    out = lax.log(promote_one("log2", x))
    if aval_of(out).dtype.kind != "c":
        return lax.div(out, lax.log(strong(out, 2)))
    real, imag = lax.real(out), lax.imag(out)
    scale = lax.log(like(real, 2))
    return lax.complex(lax.div(real, scale), lax.div(imag, scale))


@compiled
def log10(x: Any, /) -> Any:
    """The logarithm to base 10; NaN for negative numbers.

    Args:
      x: array or number; integers and booleans become floats.

    Raises:
      TypeError: if ``x`` is not an array or a number.

    >>> jnp.log10(jnp.array([1, 100]))
    Array([0., 2.], dtype=float32)
    """
    out = lax.log(promote_one("log10", x))
    if aval_of(out).dtype.kind != "c":
        return lax.mul(out, strong(out, 1 / math.log(10)))
    real, imag = lax.real(out), lax.imag(out)
    scale = like(real, 1 / math.log(10))
    return lax.complex(lax.mul(real, scale), lax.mul(imag, scale))


@compiled
def deg2rad(x: Any, /) -> Any:
    """Degrees as radians.

    Args:
      x: array or number; integers and booleans become floats.

    Raises:
      TypeError: if ``x`` is not an array or a number.

    >>> jnp.deg2rad(180)
    Array(3.1415927, dtype=float32, weak_type=True)
    """
    x = promote_one("deg2rad", x)
    return lax.mul(x, like(x, math.pi / 180))


@compiled
def rad2deg(x: Any, /) -> Any:
    """Radians as degrees.

    Args:
      x: array or number; integers and booleans become floats.

    Raises:
      TypeError: if ``x`` is not an array or a number.

    >>> jnp.rad2deg(jnp.pi)
    Array(180., dtype=float32, weak_type=True)
    """
    x = promote_one("rad2deg", x)
    return lax.mul(x, like(x, 180 / math.pi))


acos, asin, atan = arccos, arcsin, arctan
acosh, asinh, atanh = arccosh, arcsinh, arctanh
degrees, radians = rad2deg, deg2rad
