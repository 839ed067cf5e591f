"""Random keys: arrays of a class of their own, through every way that arrays go, and known bits."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import jaxlab
from jaxlab.primitives.key_words import FRY, example_keys
from jaxlab.primitives.random_bits import (
    random_bits_p,
    random_fold_in_p,
    random_seed_p,
    random_split_p,
    random_unwrap_p,
    random_wrap_p,
)
from jaxlab.primitives.threefry import threefry2x32_p
from jaxlab.runtime.keys import KeyArray


def words(keys: KeyArray) -> np.ndarray:
    return np.asarray(random_unwrap_p.bind(keys))


def test_known_answers() -> None:
    """The test vectors that come with the generator."""
    for key, count, wanted in (
        ((0, 0), (0, 0), (0x6B200159, 0x99BA4EFE)),
        ((0xFFFFFFFF,) * 2, (0xFFFFFFFF,) * 2, (0x1CB996FC, 0xBB002BE7)),
        ((0x13198A2E, 0x03707344), (0x243F6A88, 0x85A308D3), (0xC4923A9C, 0x483DF7A0)),
    ):
        out = threefry2x32_p.bind(*[np.uint32(word) for word in (*key, *count)])
        assert [int(word) for word in out] == list(wanted)


def test_keys_through_jit_and_back() -> None:
    keys = example_keys(3)
    both = jaxlab.jit(lambda k: {"keys": k, "words": random_unwrap_p.bind(k)})
    for _ in range(2):  # compiled, then dispatched by C++
        out = both(keys)
        assert type(out["keys"]) is KeyArray and out["keys"].aval == keys.aval
        np.testing.assert_array_equal(out["words"], words(keys))


def test_words_are_not_taken_for_keys() -> None:
    same = jaxlab.jit(lambda x: x)
    keys = example_keys(3)
    for _ in range(2):
        assert same(keys).dtype == FRY
        assert same(keys.words).dtype == np.uint32


def test_keys_are_leaves() -> None:
    keys = example_keys(2)
    assert (
        jaxlab.tree_util.tree_leaves({"a": keys}) == [keys] or jaxlab.tree_util.tree_leaves([keys])[0] is keys
    )


@pytest.mark.parametrize("clone", [copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_copies(clone: object) -> None:
    keys = example_keys(2)
    np.testing.assert_array_equal(words(clone(keys)), words(keys))  # type: ignore[operator]


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize(
    "draw",
    [
        lambda k: random_bits_p.bind(k, bit_width=32, shape=(3,)),
        lambda k: random_unwrap_p.bind(random_split_p.bind(k, shape=(2,))),
        lambda k: random_unwrap_p.bind(random_fold_in_p.bind(k, np.uint32(7))),
    ],
)
def test_mapped_keys_are_keys_one_by_one(draw: object, axis: int) -> None:
    table = np.asarray(words(example_keys(2, 3)))
    keys = random_wrap_p.bind(table, impl=FRY)
    found = jaxlab.vmap(jaxlab.vmap(draw, in_axes=0), in_axes=axis)(keys)  # type: ignore[arg-type]
    rows = table if axis == 0 else table.swapaxes(0, 1)
    wanted = [[draw(random_wrap_p.bind(key, impl=FRY)) for key in row] for row in rows]  # type: ignore[operator]
    np.testing.assert_array_equal(found, np.array(wanted))


def test_wide_seeds_and_bits() -> None:
    with jaxlab.enable_x64(True):
        seed = np.int64(0x0123456789ABCDEF)
        assert words(random_seed_p.bind(seed, impl=FRY)).tolist() == [0x01234567, 0x89ABCDEF]
        bits = random_bits_p.bind(example_keys(), bit_width=64, shape=(2,))
        narrow = random_bits_p.bind(example_keys(), bit_width=32, shape=(2,))
        wide = np.asarray(bits)
        np.testing.assert_array_equal(
            (wide >> np.uint64(32)).astype(np.uint32) ^ wide.astype(np.uint32), narrow
        )


def test_errors() -> None:
    with pytest.raises(TypeError, match="cannot be converted to a NumPy array; take its words"):
        np.asarray(example_keys(2))
    with pytest.raises(TypeError, match="key array cannot be converted to boolean"):
        bool(example_keys())
    with pytest.raises(TypeError, match=r"random_bits: an operand of type u32\[2\]"):
        random_bits_p.bind(np.zeros(2, np.uint32), bit_width=32, shape=())
    with pytest.raises(TypeError, match="random_wrap: words of type u32"):
        random_wrap_p.bind(np.zeros(3, np.uint32), impl=FRY)


def test_text() -> None:
    assert repr(random_seed_p.bind(0, impl=FRY)) == "Array((), dtype=key<fry>) overlaying:\n[0 0]"
