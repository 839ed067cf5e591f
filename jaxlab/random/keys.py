"""Keys of the random number generator: made from a seed, split, and never used twice.

A key is an array of dtype ``key<fry>`` (`key`), or, in the older style, of two ``uint32`` words (`PRNGKey`);
all functions take both, and give back the kind they got.
"""

from __future__ import annotations

import math
import operator
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from jaxlab import dtypes
from jaxlab import numpy as jnp
from jaxlab.config import config
from jaxlab.core.aval import aval_of, is_array_like
from jaxlab.primitives.conversion import convert_element_type
from jaxlab.primitives.random_bits import (
    random_bits_p,
    random_clone_p,
    random_fold_in_p,
    random_seed_p,
    random_split_p,
    random_unwrap_p,
    random_wrap_p,
)

IMPLEMENTATIONS = {"threefry2x32": "threefry2x32", "fry": "threefry2x32"}
DEFAULT = "threefry2x32"
UINT32 = np.dtype(np.uint32)


def _implementation(impl: Any) -> str:
    if impl is None:
        impl = config.default_prng_impl
    known = IMPLEMENTATIONS.get(str(impl))
    if known is None:
        raise ValueError(
            f"random: the generator {impl!r} is not known; there is {', '.join(sorted(IMPLEMENTATIONS))}"
        )
    return known


def key(seed: Any, *, impl: Any = None, dtype: Any = None) -> Any:
    """A key from an integer seed; an array of seeds gives an array of keys.

    Args:
      seed: an integer, or an array of integers.
      impl: the generator, ``"threefry2x32"``.

    Raises:
      TypeError: if the seed is not an integer.

    >>> key(0).dtype
    key<fry>
    """
    if dtype is not None:
        impl = dtype._impl if hasattr(dtype, "_impl") else getattr(dtype, "impl", impl)
    seeds = _seeds(seed)
    if config.random_seed_offset:
        seeds = seeds + config.random_seed_offset
    return random_seed_p.bind(seeds, impl=dtypes.KeyType(_implementation(impl)))


def PRNGKey(seed: Any, *, impl: Any = None) -> Any:
    """A key of the older style: two ``uint32`` words.

    >>> PRNGKey(3)
    Array([0, 3], dtype=uint32)
    """
    if aval_of(seed).ndim if is_array_like(seed) else True:
        raise TypeError(
            f"PRNGKey: the seed must be a scalar integer, but it is {seed!r}; use key for an array of seeds"
        )
    return random_unwrap_p.bind(key(seed, impl=impl))


def _seeds(seed: Any) -> Any:
    if not is_array_like(seed):
        raise TypeError(f"key: the seed must be an integer, but it is a {type(seed).__name__}")
    if isinstance(seed, int):
        # Wide Python integers keep their low bits, as two's complement would.
        bits = 64 if dtypes.canonicalize(np.int64).itemsize == 8 else 32
        if not -(2 ** (bits - 1)) <= seed < 2 ** (bits - 1):
            seed = (
                int(np.array(seed & (2**64 - 1), np.uint64).astype(np.int64))
                if bits == 64
                else np.uint32(seed & 0xFFFFFFFF)
            )
        return seed
    aval = aval_of(seed)
    if not dtypes.issubdtype(aval.dtype, np.integer):
        raise TypeError(f"key: the seed must be an integer, but it has dtype {aval.dtype.name}")
    return seed


def is_key(x: Any) -> bool:
    """Whether ``x`` is an array of typed keys."""
    return isinstance(getattr(x, "dtype", None), dtypes.KeyType)


def wrap(name: str, k: Any, *, batched: bool = False) -> tuple[Any, bool]:
    """Typed keys from keys of either style, and whether they were typed.

    Raises:
      TypeError: if ``k`` is not a key.
      ValueError: if it is an array of keys where one is needed.
    """
    if is_key(k):
        typed, was_typed = k, True
    else:
        if not is_array_like(k):
            raise TypeError(
                f"{name}: expected a key, but got a {type(k).__name__}; make one with random.key(seed)"
            )
        aval = aval_of(k)
        if aval.dtype != UINT32 or not aval.shape or aval.shape[-1] != 2:
            raise TypeError(
                f"{name}: expected a key, but got {aval.str_short()}; make one with random.key(seed)"
            )
        _check_legacy(name, aval)
        typed, was_typed = random_wrap_p.bind(k, impl=dtypes.KeyType(DEFAULT)), False
    if not batched and aval_of(typed).shape:
        raise ValueError(
            f"{name}: expected a single key, but got an array of keys of shape {aval_of(typed).shape}; "
            "use vmap to map over keys"
        )
    return typed, was_typed


def _check_legacy(name: str, aval: Any) -> None:
    """Warn of a key of the older style, or refuse it, where `legacy_prng_key` says so."""
    if config.legacy_prng_key != "allow":
        text = (
            f"{name}: a key of the older style, {aval.str_short()}, was given, but legacy_prng_key is "
            f"{config.legacy_prng_key!r}; make a typed key with random.key(seed)"
        )
        if config.legacy_prng_key == "error":
            raise ValueError(text)
        warnings.warn(text, FutureWarning, stacklevel=4)


def unwrap(k: Any, was_typed: bool) -> Any:
    """Keys in the style they came in."""
    return k if was_typed else random_unwrap_p.bind(k)


def split(key: Any, num: int | Sequence[int] = 2) -> Any:
    """``num`` new keys from one, independent of each other and of what else is drawn from it.

    Args:
      key: a single key.
      num: how many, or a shape of keys.

    >>> split(key(0)).shape
    (2,)
    """
    typed, was_typed = wrap("split", key)
    return unwrap(split_typed(typed, num), was_typed)


def split_typed(typed: Any, num: int | Sequence[int] = 2) -> Any:
    """`split` for typed keys."""
    shape = tuple(operator.index(n) for n in (num if isinstance(num, Sequence) else (num,)))
    return random_split_p.bind(typed, shape=shape)


def fold_in(key: Any, data: Any) -> Any:
    """A new key from a key and an integer: a different one for each integer.

    >>> fold_in(key(0), 7).shape
    ()
    """
    typed, was_typed = wrap("fold_in", key)
    aval = aval_of(data)
    if aval.shape:
        raise TypeError(
            f"fold_in: data must be a scalar integer, but it is {aval.str_short()}; use vmap for several"
        )
    if isinstance(data, int):
        data = np.uint32(data & 0xFFFFFFFF)
    elif aval.dtype != UINT32:
        data = convert_element_type(data, UINT32)
    return unwrap(random_fold_in_p.bind(typed, data), was_typed)


def clone(key: Any) -> Any:
    """The same key again, where using it once more is meant: `debug_key_reuse` takes it for a fresh one.

    >>> key_data(clone(key(0)))
    Array([0, 0], dtype=uint32)
    """
    return random_clone_p.bind(key) if is_key(key) else key


def key_data(keys: Any) -> Any:
    """The ``uint32`` words of keys, along a last axis."""
    return random_unwrap_p.bind(keys) if is_key(keys) else keys


def wrap_key_data(key_bits_array: Any, *, impl: Any = None) -> Any:
    """Typed keys from their words."""
    return random_wrap_p.bind(key_bits_array, impl=dtypes.KeyType(_implementation(impl)))


def key_impl(keys: Any) -> str:
    """The name of the generator of keys."""
    wrap("key_impl", keys, batched=True)
    return DEFAULT


def bits(key: Any, shape: Sequence[int] = (), dtype: Any = None) -> Any:
    """Random bits, as unsigned integers.

    >>> bits(key(0), (2,)).dtype
    dtype('uint32')
    """
    typed, _ = wrap("bits", key)
    dtype = dtypes.canonicalize(np.uint32 if dtype is None else dtype)
    if not dtypes.issubdtype(dtype, np.unsignedinteger):
        raise ValueError(f"bits: dtype must be an unsigned integer, but it is {dtype.name}")
    return raw_bits(typed, dtype.itemsize * 8, as_shape("bits", shape))


def raw_bits(typed: Any, width: int, shape: tuple[int, ...]) -> Any:
    """Random words of 8, 16, 32 or 64 bits from a typed key."""
    if not config.threefry_partitionable:
        raise NotImplementedError(
            "random: threefry_partitionable is off, but there are only the bits that do not depend on the sharding; "
            "turn the option on again"
        )
    return random_bits_p.bind(typed, bit_width=width, shape=shape)


def as_shape(name: str, shape: Any) -> tuple[int, ...]:
    """A shape as a tuple of ints; raises TypeError for anything else."""
    try:
        result = (
            (operator.index(shape),)
            if not isinstance(shape, tuple | list)
            else tuple(operator.index(n) for n in shape)
        )
    except TypeError:
        raise TypeError(
            f"{name}: the shape must be a tuple of integers known while tracing, but it is {shape!r}"
        ) from None
    if any(n < 0 for n in result):
        raise ValueError(f"{name}: the shape {result} has a negative size")
    return result


def broadcast_shape(name: str, shape: Any, *arrays: Any) -> tuple[int, ...]:
    """The shape asked for, or that of the parameters; raises ValueError where they do not fit into it."""
    own = np.broadcast_shapes(*[jnp.shape(x) for x in arrays])
    if shape is None:
        return tuple(own)
    result = as_shape(name, shape)
    if np.broadcast_shapes(result, own) != result:
        raise ValueError(f"{name}: parameters of shape {tuple(own)} do not broadcast to the shape {result}")
    return result


def size_of(shape: Sequence[int]) -> int:
    """How many elements a shape has."""
    return math.prod(shape)
