"""Activation functions: elementwise, of any shape, on real floating-point arrays (integers are promoted)."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np

from jaxlab import numpy as jnp
from jaxlab.core.aval import aval_of
from jaxlab.lax import erfc, full_like, logistic, select_n
from jaxlab.numpy.promotion import check_arraylike, promote_inexact
from jaxlab.transforms.custom_jvp import custom_jvp
from jaxlab.transforms.jit import jit


def _as_float(name: str, x: Any) -> Any:
    check_arraylike(name, x)
    return promote_inexact(x)[0]


def _masked(t: Any, mask: Any) -> Any:
    """The tangent where the mask holds, zero elsewhere."""
    return select_n(mask, full_like(t, 0), t)


@custom_jvp
@jit
def relu(x: Any) -> Any:
    """``max(x, 0)``. Its derivative at 0 is 0.

    >>> relu(jnp.array([-2.0, 0.0, 3.0]))
    Array([0., 0., 3.], dtype=float32)
    """
    return jnp.maximum(x, 0)


relu.defjvps(lambda t, out, x: _masked(t, x > 0))


@custom_jvp
@jit
def relu6(x: Any) -> Any:
    """``min(max(x, 0), 6)``. Its derivative at 0 and at 6 is 0.

    >>> relu6(jnp.array([-2.0, 3.0, 8.0]))
    Array([0., 3., 6.], dtype=float32)
    """
    return jnp.minimum(jnp.maximum(x, 0), 6.0)


relu6.defjvps(lambda t, out, x: _masked(t, (x > 0) & (x < 6)))


@jit
def squareplus(x: Any, b: Any = 4) -> Any:
    """``(x + sqrt(x**2 + b)) / 2``, a smooth relu without exponentials (Barron, 2021).

    >>> squareplus(jnp.array([0.0, 1.5]))
    Array([1., 2.], dtype=float32)
    """
    check_arraylike("squareplus", x, b)
    return (x + jnp.sqrt(jnp.square(x) + b)) / 2


@jit
def softplus(x: Any) -> Any:
    """``log(1 + exp(x))``, a smooth relu.

    >>> softplus(jnp.array(0.0))
    Array(0.6931472, dtype=float32, weak_type=True)
    """
    return jnp.logaddexp(x, 0)


@jit
def sparse_plus(x: Any) -> Any:
    """0 up to -1, ``(x + 1)**2 / 4`` up to 1, ``x`` beyond: a relu that is smooth and exactly 0 on the left.

    >>> sparse_plus(jnp.array([-2.0, 0.0, 2.0]))
    Array([0.  , 0.25, 2.  ], dtype=float32)
    """
    x = _as_float("sparse_plus", x)
    return jnp.where(x <= -1.0, 0.0, jnp.where(x >= 1.0, x, (x + 1.0) ** 2 / 4))


@jit
def soft_sign(x: Any) -> Any:
    """``x / (|x| + 1)``.

    >>> soft_sign(jnp.array([1.0, -3.0]))
    Array([ 0.5 , -0.75], dtype=float32)
    """
    x = _as_float("soft_sign", x)
    return x / (jnp.abs(x) + 1)


def sigmoid(x: Any) -> Any:
    """``1 / (1 + exp(-x))``.

    >>> sigmoid(jnp.array(0.0))
    Array(0.5, dtype=float32, weak_type=True)
    """
    return logistic(_as_float("sigmoid", x))


@jit
def sparse_sigmoid(x: Any) -> Any:
    """``clip(x + 1, 0, 2) / 2``, the derivative of `sparse_plus`.

    >>> sparse_sigmoid(jnp.array([-2.0, 0.0]))
    Array([0. , 0.5], dtype=float32)
    """
    return 0.5 * jnp.clip(x + 1.0, 0.0, 2.0)


@jit
def silu(x: Any) -> Any:
    """``x * sigmoid(x)``, also called swish.

    >>> silu(jnp.array(0.0))
    Array(0., dtype=float32, weak_type=True)
    """
    x = _as_float("silu", x)
    return x * sigmoid(x)


swish = silu


@jit
def mish(x: Any) -> Any:
    """``x * tanh(softplus(x))`` (Misra, 2019).

    >>> mish(jnp.array(0.0))
    Array(0., dtype=float32, weak_type=True)
    """
    x = _as_float("mish", x)
    return x * jnp.tanh(softplus(x))


@jit
def log_sigmoid(x: Any) -> Any:
    """``log(sigmoid(x))``, without underflow.

    >>> log_sigmoid(jnp.array(0.0))
    Array(-0.6931472, dtype=float32, weak_type=True)
    """
    x = _as_float("log_sigmoid", x)
    return -softplus(-x)


@jit
def elu(x: Any, alpha: Any = 1.0) -> Any:
    """``x`` where positive, else ``alpha * (exp(x) - 1)`` (Clevert et al., 2015).

    >>> elu(jnp.array([1.0, 0.0]))
    Array([1., 0.], dtype=float32)
    """
    x = _as_float("elu", x)
    # The inner where keeps the branch not taken from overflowing, which would poison the gradient.
    return jnp.where(x > 0, x, alpha * jnp.expm1(jnp.where(x > 0, 0.0, x)))


@jit
def leaky_relu(x: Any, negative_slope: Any = 1e-2) -> Any:
    """``x`` where not negative, else ``negative_slope * x``.

    >>> leaky_relu(jnp.array([1.0, -1.0]))
    Array([ 1.  , -0.01], dtype=float32)
    """
    x = _as_float("leaky_relu", x)
    return jnp.where(x >= 0, x, negative_slope * x)


@jit
def hard_tanh(x: Any) -> Any:
    """``x`` clipped to [-1, 1].

    >>> hard_tanh(jnp.array([-3.0, 0.5]))
    Array([-1. ,  0.5], dtype=float32)
    """
    x = _as_float("hard_tanh", x)
    return jnp.where(x > 1, 1, jnp.where(x < -1, -1, x))


@jit
def celu(x: Any, alpha: Any = 1.0) -> Any:
    """``max(x, 0) + alpha * (exp(min(x, 0) / alpha) - 1)`` (Barron, 2017).

    >>> celu(jnp.array([1.0, 0.0]))
    Array([1., 0.], dtype=float32)
    """
    x = _as_float("celu", x)
    return jnp.maximum(x, 0.0) + alpha * jnp.expm1(jnp.minimum(x, 0.0) / alpha)


@jit
def selu(x: Any) -> Any:
    """A scaled `elu` that keeps mean and variance through layers (Klambauer et al., 2017).

    >>> selu(jnp.array(1.0))
    Array(1.050701, dtype=float32, weak_type=True)
    """
    alpha = 1.6732632423543772848170429916717
    scale = 1.0507009873554804934193349852946
    return scale * elu(x, alpha)


def gelu(x: Any, approximate: bool = True) -> Any:
    """``x`` times the normal distribution function at ``x`` (Hendrycks and Gimpel, 2016).

    Args:
      approximate: use the tanh formula instead of the error function.

    >>> gelu(jnp.array(0.0))
    Array(0., dtype=float32)
    """
    x = _as_float("gelu", x)
    dtype = aval_of(x).dtype
    if approximate:
        factor = np.asarray(math.sqrt(2 / math.pi), dtype)[()]
        return x * (0.5 * (1.0 + jnp.tanh(factor * (x + 0.044715 * (x**3)))))
    root_half = np.asarray(math.sqrt(0.5), dtype)[()]
    return 0.5 * x * erfc(-x * root_half)


@partial(jit, static_argnames=("axis",))
def glu(x: Any, axis: int = -1) -> Any:
    """The first half of ``x`` along ``axis`` times the sigmoid of the second (Dauphin et al., 2016).

    Raises:
      ValueError: if the size of the axis is odd.

    >>> glu(jnp.array([2.0, 0.0]))
    Array([1.], dtype=float32)
    """
    x = _as_float("glu", x)
    size = aval_of(x).shape[axis]
    if size % 2:
        raise ValueError(
            f"glu: axis {axis} has size {size}, but it is cut in two halves, so its size must be even"
        )
    first, second = jnp.split(x, 2, axis)
    return first * sigmoid(second)


@jit
def hard_sigmoid(x: Any) -> Any:
    """``relu6(x + 3) / 6``.

    >>> hard_sigmoid(jnp.array(0.0))
    Array(0.5, dtype=float32, weak_type=True)
    """
    return relu6(x + 3.0) / 6.0


@jit
def hard_silu(x: Any) -> Any:
    """``x * hard_sigmoid(x)``.

    >>> hard_silu(jnp.array(3.0))
    Array(3., dtype=float32, weak_type=True)
    """
    x = _as_float("hard_silu", x)
    return x * hard_sigmoid(x)


hard_swish = hard_silu


@jit
def identity(x: Any) -> Any:
    """``x``.

    >>> identity(jnp.array(1.0))
    Array(1., dtype=float32, weak_type=True)
    """
    check_arraylike("identity", x)
    return x


def tanh(x: Any) -> Any:
    """The hyperbolic tangent.

    >>> tanh(jnp.array(0.0))
    Array(0., dtype=float32, weak_type=True)
    """
    return jnp.tanh(x)
