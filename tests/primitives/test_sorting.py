"""What the tests of rules cannot see: the order of what is equal, on both ways of sorting."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

from jaxlab import lax

SPECIAL = [0, -0.0, np.nan, -0.0, -1, 0, -np.nan, np.inf, -np.inf, 1e-40, -1e-40, 2]


@pytest.mark.parametrize("copies", [1, 100], ids=["compared", "packed"])
@pytest.mark.parametrize("dtype", [np.float32, ml_dtypes.bfloat16])
def test_stable_total_order(copies: int, dtype: type) -> None:
    """Zeros and subnormal numbers are equal and keep their order; so are all NaNs, which come last."""
    x = np.tile(np.array(SPECIAL, dtype), copies)
    places = np.arange(len(x), dtype=np.int32)
    values, order = lax.sort((x, places))
    key = x.astype(np.float64)
    key[np.abs(key) < 1e-38] = 0
    wanted = np.argsort(key, kind="stable")
    np.testing.assert_array_equal(order, wanted)
    np.testing.assert_array_equal(np.asarray(values).tobytes(), x[wanted].tobytes())
    np.testing.assert_array_equal(np.asarray(lax.sort(x)).tobytes(), x[wanted].tobytes())


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int16, np.int32, np.uint32])
def test_packed_integers(dtype: type) -> None:
    info = np.iinfo(dtype)
    x = np.random.default_rng(0).integers(info.min, info.max, (3, 400, 2), dtype, endpoint=True)
    payload = np.arange(x.size, dtype=np.float32).reshape(x.shape)
    keys, values = lax.sort((x, payload), dimension=1)
    order = np.argsort(x, 1, kind="stable")
    np.testing.assert_array_equal(keys, np.take_along_axis(x, order, 1))
    np.testing.assert_array_equal(values, np.take_along_axis(payload, order, 1))


def test_top_k_counts_nan_by_its_sign() -> None:
    x = np.array([1, np.nan, 3, -np.nan, -0.0, 0.0], np.float32)
    values, places = lax.top_k(x, 5)
    np.testing.assert_array_equal(places, [1, 2, 0, 5, 4])
    np.testing.assert_array_equal(values, x[[1, 2, 0, 5, 4]])


def test_errors() -> None:
    x = np.zeros((3, 4), np.float32)
    with pytest.raises(TypeError, match="Sort requires at least one operand"):
        lax.sort(())
    with pytest.raises(TypeError, match=r"Arguments to sort must have equal shapes, got: \(3, 4\) \(4,\)"):
        lax.sort((x, x[0]))
    with pytest.raises(ValueError, match="num_keys=3 must be between 1 and"):
        lax.sort((x, x), num_keys=3)
    with pytest.raises(
        ValueError, match="k argument to top_k must be no larger than size along axis; got k=5"
    ):
        lax.top_k(x, 5)
