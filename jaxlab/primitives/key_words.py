"""Arrays of random keys as the words they are made of, in StableHLO."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from jaxlab import dtypes
from jaxlab.core.aval import ShapedArray
from jaxlab.primitives.reshaping import U32
from jaxlab.runtime.keys import KeyArray
from jaxlab.runtime.transfer import put

FRY = dtypes.KeyType("threefry2x32")
U64 = np.dtype(np.uint64)


def example_keys(*shape: int) -> KeyArray:
    """Keys of some words, for examples."""
    words = (np.arange(math.prod(shape) * 2, dtype=np.uint32) * np.uint32(0x9E3779B9)).reshape(*shape, 2)
    return KeyArray(ShapedArray(shape, FRY), put(words))


def key_words(
    b: Any, keys: Any, aval: ShapedArray, shape: tuple[int, ...], dims: tuple[int, ...]
) -> list[Any]:
    """The two words of each key, broadcast to ``shape`` with the keys' axes at ``dims``."""
    own = aval.shape
    words = []
    for i in range(2):
        start, limit = (0,) * len(own) + (i,), (*own, i + 1)
        one = b.value(
            "stablehlo.slice",
            b.tensor((*own, 1), U32),
            keys,
            start_indices=b.i64s(start),
            limit_indices=b.i64s(limit),
            strides=b.i64s((1,) * len(start)),
        )
        word = b.value("stablehlo.reshape", b.tensor(own, U32), one)
        words.append(word if own == shape else b.broadcast(word, shape, U32, dims))
    return words


def stacked(b: Any, words: Sequence[Any], shape: tuple[int, ...]) -> Any:
    """Words side by side along a new last axis."""
    columns = [b.value("stablehlo.reshape", b.tensor((*shape, 1), U32), word) for word in words]
    return b.value("stablehlo.concatenate", b.tensor((*shape, 2), U32), *columns, dimension=b.i64(len(shape)))


def counters(b: Any, shape: tuple[int, ...]) -> list[Any]:
    """The upper and lower words of each index's number."""
    size = math.prod(shape)
    narrow = b.tensor(shape, U32)
    if size <= 1 << 32:  # 64-bit counters are slower, and their upper words are zero
        low = b.value("stablehlo.iota", b.tensor((size,), U32), iota_dimension=b.i64(0))
        return [b.full(0, ShapedArray(shape, U32)), b.value("stablehlo.reshape", narrow, low)]
    wide = ShapedArray(shape, U64)
    flat = b.value("stablehlo.iota", b.tensor((size,), U64), iota_dimension=b.i64(0))
    number = b.value("stablehlo.reshape", b.type(wide), flat)
    high = b.value("stablehlo.shift_right_logical", b.type(wide), number, b.full(32, wide))
    return [b.value("stablehlo.convert", narrow, x) for x in (high, number)]
