"""Random keys and bits: seeds to keys, keys to keys, keys to bits, by hashing counters under a key's words.

The bits are those of JAX with ``jax_threefry_partitionable`` on, as is its default.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from jaxlab import dtypes
from jaxlab.core.aval import ShapedArray, Zero, aval_of
from jaxlab.core.primitive import Example, Primitive
from jaxlab.primitives.elementwise import align, broadcast_operand
from jaxlab.primitives.elementwise import broadcast_shapes as common_shape
from jaxlab.primitives.key_words import FRY, counters, example_keys, key_words, stacked
from jaxlab.primitives.reshaping import I32, U32, move_axis
from jaxlab.primitives.threefry import lower_threefry, reference_threefry

BITS = {8: np.dtype(np.uint8), 16: np.dtype(np.uint16), 32: U32, 64: np.dtype(np.uint64)}


class KeyPrimitive(Primitive):
    """A primitive of keys: nothing of it has a derivative, and arrays of keys are keys one by one."""

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any], **params: Any) -> tuple[Any, Any]:
        out = self.bind(*primals, **params)
        return out, Zero(aval_of(out).to_tangent_aval())

    def batch(self, size: int, args: Any, dims: Any, **params: Any) -> tuple[Any, int]:
        (x,), (dim,) = args, dims
        return self.bind(move_axis(x, dim, 0), **params), 0

    def printed(self, params: dict[str, Any]) -> dict[str, Any]:
        """Algorithms are shown by their tag."""
        return {
            name: dtypes.KEY_SHAPES[x.impl][0] if isinstance(x, dtypes.KeyType) else x
            for name, x in sorted(params.items())
        }


def check_keys(op: str, keys: ShapedArray) -> None:
    """Raise TypeError unless a value is an array of keys of the algorithm that there is."""
    if keys.dtype != FRY:
        raise TypeError(
            f"{op}: an operand of type {keys.str_short()} was given, but keys of type {FRY.name} are needed; "
            f"make them with "
            "jaxlab.random.key"
        )


# -- words ---------------------------------------------------------------------------------------------------


class RandomWrap(KeyPrimitive):
    """Keys from their words, the last axis."""

    name = "random_wrap"

    def abstract_eval(self, words: Any, *, impl: Any) -> ShapedArray:
        count = len(impl.key_shape)
        if words.dtype != U32 or words.shape[len(words.shape) - count :] != impl.key_shape:
            raise TypeError(
                f"random_wrap: words of type {words.str_short()} were given, but keys {impl.name} are made "
                f"of uint32 words "
                f"with last axes {impl.key_shape}"
            )
        return ShapedArray(words.shape[: len(words.shape) - count], impl)

    def lower(self, ctx: Any, words: Any, *, impl: Any) -> Any:
        return words

    def reference(self, words: Any, *, impl: Any) -> Any:
        return words

    def examples(self) -> Iterable[Example]:
        for shape in ((2,), (3, 2)):
            yield Example((ShapedArray(shape, U32),), {"impl": FRY})


class RandomUnwrap(KeyPrimitive):
    """The words of keys, along a new last axis."""

    name = "random_unwrap"

    def abstract_eval(self, keys: Any) -> ShapedArray:
        if not isinstance(keys.dtype, dtypes.KeyType):
            raise TypeError(
                f"random_unwrap: an operand of type {keys.str_short()} was given, but keys are needed"
            )
        return ShapedArray(keys.shape + keys.dtype.key_shape, U32)

    def lower(self, ctx: Any, keys: Any) -> Any:
        return keys

    def reference(self, words: Any) -> Any:
        return words

    def examples(self) -> Iterable[Example]:
        for shape in ((), (3,)):
            yield Example((example_keys(*shape),))


class RandomClone(KeyPrimitive):
    """The same keys, where using them once more is meant: `debug_key_reuse` takes them for fresh ones."""

    name = "random_clone"

    def abstract_eval(self, keys: Any) -> ShapedArray:
        check_keys("random_clone", keys)
        return ShapedArray(keys.shape, keys.dtype)

    def lower(self, ctx: Any, keys: Any) -> Any:
        return keys

    def reference(self, words: Any) -> Any:
        return words

    def examples(self) -> Iterable[Example]:
        for shape in ((), (3,)):
            yield Example((example_keys(*shape),))


random_clone_p = RandomClone()
random_wrap_p = RandomWrap()
random_unwrap_p = RandomUnwrap()


# -- seeds ---------------------------------------------------------------------------------------------------


class RandomSeed(KeyPrimitive):
    """Keys from integers: the upper and lower 32 bits are the words."""

    name = "random_seed"

    def abstract_eval(self, seeds: Any, *, impl: Any) -> ShapedArray:
        if not dtypes.issubdtype(seeds.dtype, np.integer):
            raise TypeError(
                f"random_seed: seeds of type {seeds.str_short()} were given, but integers are needed"
            )
        if impl != FRY:
            raise NotImplementedError(
                f"random_seed: keys of {impl.name} were asked for, but only {FRY.name} can be made"
            )
        return ShapedArray(seeds.shape, impl)

    def lower(self, ctx: Any, seeds: Any, *, impl: Any) -> Any:
        b, (aval,) = ctx.b, ctx.avals_in
        if aval.dtype.itemsize < 8:
            high = b.full(0, ShapedArray(aval.shape, U32))
        else:
            shifted = b.value("stablehlo.shift_right_logical", b.type(aval), seeds, b.full(32, aval))
            high = b.value("stablehlo.convert", b.tensor(aval.shape, U32), shifted)
        return stacked(b, [high, b.value("stablehlo.convert", b.tensor(aval.shape, U32), seeds)], aval.shape)

    def reference(self, seeds: Any, *, impl: Any) -> Any:
        wide = seeds.astype(np.uint64)
        high = wide >> np.uint64(32) if seeds.dtype.itemsize == 8 else np.zeros_like(wide)
        return np.stack([high.astype(np.uint32), wide.astype(np.uint32)], -1)

    def examples(self) -> Iterable[Example]:
        for dtype in (I32, U32):
            yield Example((ShapedArray((3,), dtype),), {"impl": FRY})
        yield Example((np.array(-7, np.int32),), {"impl": FRY})


random_seed_p = RandomSeed()


class RandomFoldIn(KeyPrimitive):
    """New keys from keys and 32-bit integers, which broadcast as elementwise operands do."""

    name = "random_fold_in"

    def abstract_eval(self, keys: Any, data: Any) -> ShapedArray:
        check_keys("random_fold_in", keys)
        if data.dtype != U32:
            raise TypeError(
                f"random_fold_in: data of type {data.str_short()} was given, but uint32 is needed; convert it"
            )
        return ShapedArray(common_shape(self.name, [keys, data]), keys.dtype)

    def lower(self, ctx: Any, keys: Any, data: Any) -> Any:
        b, (keys_aval, data_aval), shape = ctx.b, ctx.avals_in, ctx.aval_out.shape
        words = key_words(b, keys, keys_aval, shape, tuple(range(len(keys_aval.shape))))
        counts = broadcast_operand(b, data, data_aval, shape)
        zeros = b.full(0, ShapedArray(shape, U32))
        return stacked(b, lower_threefry(b, [*words, zeros, counts], shape), shape)

    def batch(self, size: int, args: Any, dims: Any) -> tuple[Any, int]:
        aligned, dim = align(args, dims)
        return self.bind(*aligned), dim

    def reference(self, words: Any, data: Any) -> Any:
        return np.stack(reference_threefry(words[..., 0], words[..., 1], np.zeros_like(data), data), -1)

    def examples(self) -> Iterable[Example]:
        for keys, data in (((), ()), ((3,), (3,)), ((), (2, 3)), ((3,), ()), ((3, 1), (1, 2))):
            yield Example((example_keys(*keys), ShapedArray(data, U32)))


random_fold_in_p = RandomFoldIn()


# -- bits ----------------------------------------------------------------------------------------------------


class Counting(KeyPrimitive):
    """What a key gives for each index of ``shape``: the number of the index is the counter that is hashed."""

    def words(self, ctx: Any, keys: Any, shape: tuple[int, ...]) -> tuple[list[Any], tuple[int, ...]]:
        """Two words for each key and index, and their shape."""
        b, (aval,) = ctx.b, ctx.avals_in
        full = aval.shape + shape
        words = key_words(b, keys, aval, full, tuple(range(len(aval.shape))))
        high, low = counters(b, shape)
        dims = tuple(range(len(aval.shape), len(full)))
        counts = [b.broadcast(x, full, U32, dims) for x in (high, low)] if aval.shape else [high, low]
        return lower_threefry(b, [*words, *counts], full), full

    def reference_words(self, words: Any, shape: tuple[int, ...]) -> list[Any]:
        """`words` in NumPy."""
        counts = np.arange(math.prod(shape), dtype=np.uint64).reshape(shape)
        own = words.shape[:-1]
        key_0, key_1 = [words[..., i].reshape(own + (1,) * len(shape)) for i in range(2)]
        return reference_threefry(key_0, key_1, counts >> np.uint64(32), counts & np.uint64(0xFFFFFFFF))


class RandomSplit(Counting):
    name = "random_split"

    def abstract_eval(self, keys: Any, *, shape: Any) -> ShapedArray:
        check_keys(self.name, keys)
        return ShapedArray(keys.shape + shape, keys.dtype)

    def lower(self, ctx: Any, keys: Any, *, shape: Any) -> Any:
        return stacked(ctx.b, *self.words(ctx, keys, shape))

    def reference(self, words: Any, *, shape: Any) -> Any:
        return np.stack(self.reference_words(words, shape), -1)

    def examples(self) -> Iterable[Example]:
        for own, shape in (((), (2,)), ((3,), (2, 3)), ((2, 2), ())):
            yield Example((example_keys(*own),), {"shape": shape})


class RandomBits(Counting):
    name = "random_bits"

    def abstract_eval(self, keys: Any, *, bit_width: Any, shape: Any) -> ShapedArray:
        check_keys(self.name, keys)
        if bit_width not in BITS:
            raise TypeError(
                f"random_bits: bit_width {bit_width} was given, but it is one of {', '.join(map(str, BITS))}"
            )
        return ShapedArray(keys.shape + shape, BITS[bit_width])

    def lower(self, ctx: Any, keys: Any, *, bit_width: Any, shape: Any) -> Any:
        b, kind = ctx.b, ctx.b.type(ctx.aval_out)
        (high, low), full = self.words(ctx, keys, shape)
        if bit_width == 64:
            high, low = [b.value("stablehlo.convert", kind, x) for x in (high, low)]
            high = b.value("stablehlo.shift_left", kind, high, b.full(32, ctx.aval_out))
            return b.value("stablehlo.or", kind, high, low)
        word = b.value("stablehlo.xor", b.tensor(full, U32), high, low)
        return word if bit_width == 32 else b.value("stablehlo.convert", kind, word)

    def reference(self, words: Any, *, bit_width: Any, shape: Any) -> Any:
        high, low = self.reference_words(words, shape)
        if bit_width == 64:
            return high.astype(np.uint64) << np.uint64(32) | low
        return (high ^ low).astype(BITS[bit_width])

    def examples(self) -> Iterable[Example]:
        for own, bit_width, shape in (
            ((), 32, (2, 3)),
            ((3,), 32, (4,)),
            ((), 8, (5,)),
            ((2,), 16, ()),
            ((), 32, (0,)),
        ):
            yield Example((example_keys(*own),), {"bit_width": bit_width, "shape": shape})


random_split_p = RandomSplit()
random_bits_p = RandomBits()
