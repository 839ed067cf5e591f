"""Samples of integers, choices and orders."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from jaxlab import dtypes
from jaxlab import numpy as jnp
from jaxlab.core.aval import aval_of
from jaxlab.lax import (
    add,
    bitwise_and,
    broadcast_in_dim,
    convert_element_type,
    gt,
    le,
    mul,
    rem,
    select_n,
    sort,
    sub,
    top_k,
)
from jaxlab.numpy.promotion import check_arraylike
from jaxlab.random.continuous import draw_uniform, float_dtype, gumbel, stretch
from jaxlab.random.keys import as_shape, broadcast_shape, raw_bits, split_typed, wrap
from jaxlab.transforms.jit import jit


def randint(key: Any, shape: Sequence[int], minval: Any, maxval: Any, dtype: Any = None) -> Any:
    """Uniform integers from [minval, maxval).

    Args:
      shape: the result's shape; the bounds broadcast to it.
      minval, maxval: integers.
      dtype: an integer dtype.

    Raises:
      ValueError: if ``dtype`` is not an integer dtype.
      TypeError: if a bound is not an integer.

    >>> randint(jaxlab.random.key(0), (3,), 0, 10).dtype
    dtype('int32')
    """
    typed, _ = wrap("randint", key)
    result = dtypes.canonicalize(int if dtype is None else dtype)
    if not dtypes.issubdtype(result, np.integer):
        raise ValueError(f"randint: dtype must be an integer dtype, but it is {result.name}")
    check_arraylike("randint", minval, maxval)
    for name, bound in (("minval", minval), ("maxval", maxval)):
        if not dtypes.issubdtype(aval_of(bound).dtype, np.integer):
            raise TypeError(
                f"randint: {name} must be an integer, but it has dtype {aval_of(bound).dtype.name}"
            )
    return _randint(typed, as_shape("randint", shape), minval, maxval, result)


@partial(jit, static_argnums=(1, 4))
def _randint(key: Any, shape: tuple[int, ...], minval: Any, maxval: Any, dtype: Any) -> Any:
    """Two words a sample: a remainder of one word alone would favour small values."""
    broadcast_shape("randint", shape, minval, maxval)
    info = dtypes.iinfo(dtype)
    bound_dtype = aval_of(maxval).dtype
    top = jnp.clip(convert_element_type(np.asarray(info.max, dtype)[()], bound_dtype), *_limits(bound_dtype))
    beyond = gt(maxval, top)  # the upper bound lies outside the dtype, so that its greatest value counts too
    low = stretch(convert_element_type(jnp.clip(minval, int(info.min), int(info.max)), dtype), shape)
    high = stretch(convert_element_type(jnp.clip(maxval, int(info.min), int(info.max)), dtype), shape)
    width = info.bits
    unsigned = np.dtype(f"uint{width}")
    first, second = split_typed(key)
    higher, lower = raw_bits(first, width, shape), raw_bits(second, width, shape)
    span = convert_element_type(sub(high, low), unsigned)
    one = np.ones((), unsigned)[()]
    empty = le(high, low)
    span = select_n(empty, span, broadcast_in_dim(one, aval_of(span).shape, ()))
    widened = bitwise_and(beyond, gt(high, low))
    span = select_n(widened, span, add(span, one))
    half = np.asarray(2 ** (width // 2), unsigned)[()]
    multiplier = rem(half, span)
    multiplier = rem(mul(multiplier, multiplier), span)
    offset = rem(add(mul(rem(higher, span), multiplier), rem(lower, span)), span)
    return add(low, convert_element_type(offset, dtype))


def _limits(dtype: Any) -> tuple[int, int]:
    info = dtypes.iinfo(dtype)
    return int(info.min), int(info.max)


def permutation(key: Any, x: Any, axis: int = 0, independent: bool = False) -> Any:
    """A random order of ``range(x)``, or of an array along an axis.

    Args:
      x: an integer, or an array.
      axis: the axis to shuffle.
      independent: shuffle every line along the axis by itself.

    >>> permutation(jaxlab.random.key(0), 4).shape
    (4,)
    """
    typed, _ = wrap("permutation", key)
    check_arraylike("permutation", x)
    aval = aval_of(x)
    if not aval.shape:
        if not dtypes.issubdtype(aval.dtype, np.integer):
            raise TypeError(f"permutation: x must be an integer or an array, but it is {aval.str_short()}")
        return _shuffle(typed, jnp.arange(x), 0)
    axis = _axis("permutation", axis, aval.ndim)
    if independent or aval.ndim == 1:
        return _shuffle(typed, x, axis)
    order = _shuffle(typed, jnp.arange(aval.shape[axis]), 0)
    return jnp.take(x, order, axis, unique_indices=True)


@partial(jit, static_argnums=(2,))
def _shuffle(key: Any, x: Any, axis: int) -> Any:
    """Sort by random words, so often that ties do not matter."""
    size = max(1, aval_of(x).size)
    rounds = math.ceil(3 * math.log(size) / math.log(np.iinfo(np.uint32).max))
    for _ in range(rounds):
        key, current = split_typed(key)
        words = raw_bits(current, 32, aval_of(x).shape)
        _, x = sort((words, x), dimension=axis, num_keys=1)
    return x


def _axis(name: str, axis: int, ndim: int) -> int:
    if not -ndim <= axis < ndim:
        raise ValueError(f"{name}: axis {axis} is out of bounds for an array with {ndim} axes")
    return axis % ndim


def choice(
    key: Any,
    a: Any,
    shape: Sequence[int] = (),
    replace: bool = True,
    p: Any = None,
    axis: int = 0,
    mode: str | None = None,
) -> Any:
    """Random elements of ``range(a)`` or of an array along an axis.

    Args:
      a: an integer, or an array.
      shape: how many.
      replace: whether an element may be drawn more than once.
      p: the probability of each element; all the same if not given.
      axis: the axis of ``a`` to draw along.

    Raises:
      ValueError: if more elements are asked for than there are without replacement, or ``p`` does not fit.

    >>> choice(jaxlab.random.key(0), 5, (3,), replace=False).shape
    (3,)
    """
    typed, _ = wrap("choice", key)
    check_arraylike("choice", a)
    aval = aval_of(a)
    dims = as_shape("choice", shape)
    whole = not aval.shape
    if not whole:
        axis = _axis("choice", axis, aval.ndim)
        a = jnp.asarray(a)
    count = int(a) if whole else aval.shape[axis]
    draws = math.prod(dims)
    if draws == 0:
        rest = () if whole else aval.shape[:axis] + aval.shape[axis + 1 :]
        return jnp.zeros(dims + rest, dtypes.canonicalize(int) if whole else aval.dtype)
    if count <= 0:
        raise ValueError("choice: there is nothing to choose from; a must be greater than 0, or not empty")
    if not replace and draws > count:
        raise ValueError(
            f"choice: {draws} elements were asked for without replacement, but there are only {count}"
        )
    if p is None:
        if replace:
            index = randint(typed, dims, 0, count)
            return index if whole else jnp.take(a, index, axis)
        if whole or aval.ndim == 1:
            drawn = permutation(typed, count if whole else a)[:draws]
            return jnp.reshape(drawn, dims)
        index = permutation(typed, count)[:draws]
        return jnp.reshape(jnp.take(a, index, axis), (*aval.shape[:axis], *dims, *aval.shape[axis + 1 :]))
    check_arraylike("choice", p)
    (weights,) = (jnp.asarray(p, dtype=dtypes.promote_types(aval_of(p).dtype, np.float32)),)
    if aval_of(weights).shape != (count,):
        raise ValueError(
            f"choice: p has shape {aval_of(weights).shape}, but one probability an element is needed: "
            f"({count},)"
        )
    if replace:
        total = jnp.cumsum(weights)
        draw = draw_uniform(typed, dims, aval_of(total).dtype, 0.0, 1.0)
        index = jnp.searchsorted(total, total[-1] * (1 - draw)).astype(int)
    else:
        noise = gumbel(typed, (count,), aval_of(weights).dtype, mode=mode) + jnp.log(weights)
        index = jnp.reshape(top_k(noise, draws)[1], dims)
    return index if whole else jnp.take(a, index, axis)


def bernoulli(key: Any, p: Any = 0.5, shape: Sequence[int] | None = None, mode: str = "low") -> Any:
    """True with probability ``p``.

    >>> bernoulli(jaxlab.random.key(0), 0.3, (2,)).dtype
    dtype('bool')
    """
    typed, _ = wrap("bernoulli", key)
    check_arraylike("bernoulli", p)
    if mode != "low":
        raise ValueError(f"bernoulli: mode must be 'low', but it is {mode!r}")
    dtype = aval_of(p).dtype
    dtype = float_dtype("bernoulli", dtype if dtypes.issubdtype(dtype, np.floating) else None)
    dims = broadcast_shape("bernoulli", shape, p)
    p = np.asarray(p, dtype)[()] if isinstance(p, int | float) else convert_element_type(p, dtype)
    return _bernoulli(typed, p, dims)


@partial(jit, static_argnums=(2,))
def _bernoulli(key: Any, p: Any, shape: tuple[int, ...]) -> Any:
    return draw_uniform(key, shape, aval_of(p).dtype, 0.0, 1.0) < p


def categorical(
    key: Any,
    logits: Any,
    axis: int = -1,
    shape: Sequence[int] | None = None,
    replace: bool = True,
    mode: str | None = None,
) -> Any:
    """Indices drawn with probabilities ``softmax(logits)``, by the Gumbel trick.

    Args:
      logits: unnormalised log probabilities.
      axis: the axis of ``logits`` that numbers the categories.
      shape: of the result; by default that of ``logits`` without the axis, which it must end in.

    >>> categorical(jaxlab.random.key(0), jnp.zeros((2, 3))).shape
    (2,)
    """
    typed, _ = wrap("categorical", key)
    check_arraylike("categorical", logits)
    logits = jnp.asarray(logits)
    aval = aval_of(logits)
    axis = _axis("categorical", axis, aval.ndim)
    batch = aval.shape[:axis] + aval.shape[axis + 1 :]
    dims = batch if shape is None else as_shape("categorical", shape)
    if shape is not None and np.broadcast_shapes(dims, batch) != dims:
        raise ValueError(
            f"categorical: the shape {dims} does not end in the batch shape {batch} of the logits"
        )
    prefix = dims[: len(dims) - len(batch)]
    if replace:
        full = list(dims[len(prefix) :])
        full.insert(axis, aval.shape[axis])
        noise = gumbel(typed, (*prefix, *full), aval.dtype, mode=mode)
        expanded = jnp.expand_dims(logits, tuple(range(len(prefix)))) if prefix else logits
        return jnp.argmax(noise + expanded, axis=axis + len(prefix))
    count = math.prod(prefix)
    if count > aval.shape[axis]:
        raise ValueError(
            f"categorical: {count} draws were asked for without replacement from {aval.shape[axis]} "
            "categories"
        )
    noise = gumbel(typed, aval.shape, aval.dtype, mode=mode) + logits
    _, index = top_k(jnp.moveaxis(noise, axis, -1), count)
    return jnp.reshape(jnp.moveaxis(index, -1, 0), dims)


def rademacher(key: Any, shape: Sequence[int] = (), dtype: Any = None) -> Any:
    """-1 or 1, each with probability one half.

    >>> rademacher(jaxlab.random.key(0), (2,)).dtype
    dtype('int32')
    """
    typed, _ = wrap("rademacher", key)
    return _rademacher(
        typed, as_shape("rademacher", shape), dtypes.canonicalize(int if dtype is None else dtype)
    )


@partial(jit, static_argnums=(1, 2))
def _rademacher(key: Any, shape: tuple[int, ...], dtype: Any) -> Any:
    draws = convert_element_type(bernoulli(key, 0.5, shape), dtype)
    two, one = np.asarray(2, dtype)[()], np.asarray(1, dtype)[()]
    return sub(mul(two, draws), one)
