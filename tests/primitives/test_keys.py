"""Random keys go through the structural operations as their words do."""

from __future__ import annotations

import numpy as np
import pytest

from jaxlab import lax, random

VECTOR = lax.GatherDimensionNumbers((), (0,), (0,))
WINDOW = lax.ScatterDimensionNumbers((), (0,), (0,))


def words(keys):
    return np.asarray(random.key_data(keys))


@pytest.fixture
def keys():
    return random.split(random.key(0), 5)


def key_cases(k):
    """Each structural operation on keys, beside the same on their words."""
    w = words(k)
    two = np.array([[1], [3]])
    yield lax.slice_in_dim(k, 1, 4, 2), w[1:4:2]
    yield lax.rev(k, (0,)), w[::-1]
    yield lax.concatenate([k, k], 0), np.concatenate([w, w])
    yield lax.split(k, (2, 3))[1], w[2:]
    yield lax.reshape(k, (5, 1)), w[:, None]
    yield lax.transpose(lax.reshape(k, (1, 5)), (1, 0)), w[:, None]
    yield lax.broadcast_in_dim(k, (2, 5), (1,)), np.broadcast_to(w, (2, 5, 2))
    yield lax.squeeze(lax.slice_in_dim(k, 2, 3), (0,)), w[2]
    yield lax.dynamic_slice(k, (3,), (2,)), w[3:]
    yield lax.dynamic_update_slice(k, lax.slice_in_dim(k, 0, 2), (3,)), w[[0, 1, 2, 0, 1]]
    yield lax.gather(k, two, VECTOR, (1,), mode="clip"), w[[1, 3]]
    yield lax.scatter(k, two, lax.slice_in_dim(k, 0, 2), WINDOW), w[[0, 0, 2, 1, 4]]
    yield lax.pad(k, lax.index_in_dim(k, 4, 0, False), ((1, -1, 1),)), w[[4, 0, 4, 1, 4, 2, 4, 3, 4]]


def test_keys_pass_through(keys):
    for got, expected in key_cases(keys):
        assert got.dtype == keys.dtype
        assert got.shape == expected.shape[:-1]
        np.testing.assert_array_equal(words(got), expected)


def test_gather_of_keys_out_of_bounds_is_filled_with_ones(keys):
    out = lax.gather(keys, np.array([[9], [0]]), VECTOR, (1,), mode="fill")
    np.testing.assert_array_equal(words(out), [[0xFFFFFFFF] * 2, words(keys)[0]])
