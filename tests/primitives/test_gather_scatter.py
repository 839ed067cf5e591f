"""What the tests of rules do not see: axes of size zero, narrow indices, who wins where windows meet."""

from __future__ import annotations

import numpy as np
import pytest

from jaxlab import grad, jit, jvp, lax, vmap

VECTOR = lax.GatherDimensionNumbers((), (0,), (0,))
WINDOW = lax.ScatterDimensionNumbers((), (0,), (0,))
F32 = np.float32


def test_narrow_indices_reach_the_end_of_a_long_axis():
    x = np.arange(300)
    assert int(lax.dynamic_index_in_dim(x, np.int8(100), keepdims=False)) == 100
    assert int(jit(lambda i: lax.dynamic_index_in_dim(x, i, keepdims=False))(np.int8(-1))) == 299
    out = lax.gather(x, np.array([[-1], [100]], np.int8), VECTOR, (1,), mode="fill", fill_value=7)
    np.testing.assert_array_equal(out, [7, 100])
    np.testing.assert_array_equal(
        lax.gather(x, np.array([[255]], np.uint8), VECTOR, (1,), mode="clip"), [255]
    )


@pytest.mark.parametrize("mode", ["clip", "fill", "promise_in_bounds"])
def test_arrays_with_an_axis_of_size_zero(mode):
    empty = np.zeros((0, 3), F32)
    numbers = lax.GatherDimensionNumbers((1,), (), (1,), (0,), (0,))
    assert lax.gather(empty, np.zeros((0, 1), np.int32), numbers, (0, 2), mode=mode).shape == (0, 2)
    assert lax.gather(np.ones(3, F32), np.zeros((0, 1), np.int32), VECTOR, (1,), mode=mode).shape == (0,)
    out = lax.scatter_add(np.ones(3, F32), np.zeros((0, 1), np.int32), np.zeros(0, F32), WINDOW, mode=mode)
    np.testing.assert_array_equal(out, np.ones(3))
    take = vmap(lambda x, i: lax.gather(x, i, VECTOR, (1,), mode=mode))
    assert take(np.zeros((0, 3), F32), np.zeros((0, 2, 1), np.int32)).shape == (0, 2)


def test_derivative_of_scatter_follows_the_winner():
    x, i, u = np.zeros(3, F32), np.array([[1], [1]]), np.array([5, 7], F32)
    out, t = jvp(lambda u: lax.scatter(x, i, u, WINDOW), (u,), (np.array([10, 20], F32),))
    assert (np.asarray(out)[1], np.asarray(t)[1]) in {(5, 10), (7, 20)}


def test_equal_extremes_share_the_derivative():
    x, i = np.array([0, 4, 0], F32), np.array([[1], [1], [2]])
    g = grad(lambda u: lax.index_in_dim(lax.scatter_max(x, i, u, WINDOW), 1, 0, False))(
        np.array([4, 4, 9], F32)
    )
    np.testing.assert_allclose(g, [1 / 3, 1 / 3, 0], rtol=1e-6)


def test_pad_is_differentiable_in_the_padding_value_alone():
    g = grad(lambda p: lax.reduce_sum(lax.pad(np.ones((2, 2), F32), p, ((1, 0, 1), (0, 2, 0))), (0, 1)))
    assert float(g(F32(3))) == 4 * 4 - 4


def test_scatter_mul_says_what_its_derivative_needs():
    i = np.array([[1]])
    with pytest.raises(NotImplementedError, match="pass unique_indices=True"):
        grad(lambda u: lax.reduce_sum(lax.scatter_mul(np.ones(3, F32), i, u, WINDOW), (0,)))(np.ones(1, F32))
