"""What the tests of rules cannot see: forms, defaults and errors of contractions and convolutions."""

from __future__ import annotations

import numpy as np
import pytest

import jaxlab
from jaxlab import lax

X, Y = np.ones((3, 4), np.float32), np.ones((4, 5), np.float32)
L, R = np.ones((2, 3, 8, 9), np.float32), np.ones((4, 3, 3, 2), np.float32)


def params(fun: object, *args: object) -> dict[str, object]:
    return jaxlab.make_jaxpr(fun)(*args).eqns[-1].params  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (None, None),
        ("highest", (lax.Precision.HIGHEST,) * 2),
        (("high", "default"), (lax.Precision.HIGH, lax.Precision.DEFAULT)),
    ],
)
def test_precision(given: object, wanted: object) -> None:
    assert params(lambda x, y: lax.dot(x, y, precision=given), X, Y)["precision"] == wanted


def test_default_precision() -> None:
    with jaxlab.default_matmul_precision("float32"):
        assert params(lax.dot, X, Y)["precision"] == (lax.Precision.HIGHEST,) * 2


@pytest.mark.parametrize(
    ("left", "right", "preferred", "result"),
    [
        ("f4", "i4", None, "f4"), ("i1", "i4", None, "i4"), ("i1", "i1", "i4", "i4"),
        ("f4", "f4", "i4", "i4"),
        ("f4", "f4", "c8", "c8"), ("c8", "c8", "f4", "f4"), ("?", "?", None, "?"), ("?", "?", "i4", "i4"),
    ],
)  # fmt: skip
def test_dtypes(left: str, right: str, preferred: str | None, result: str) -> None:
    out = lax.dot(X.astype(left), Y.astype(right), preferred_element_type=preferred)
    assert out.dtype == np.dtype(result)
    np.testing.assert_array_equal(np.asarray(out), np.full((3, 5), 4).astype(result))


@pytest.mark.parametrize(
    ("kernel", "strides", "padding", "consistent", "wanted"),
    [
        ((3, 2), (1, 1), "SAME", False, ((1, 1), (1, 0))),
        ((3, 2), (2, 3), "SAME", False, ((2, 1), (1, 2))),
        ((5, 4), (4, 4), "SAME", False, ((4, 3), (3, 3))),
        ((5, 4), (2, 3), "VALID", False, ((4, 4), (3, 3))),
        ((1, 1), (2, 3), "VALID", False, ((0, 1), (0, 2))),
        ((3, 2), (2, 3), ((0, 1), (2, 1)), False, ((0, 1), (2, 1))),
        ((3, 2), (2, 3), ((0, 1), (2, 1)), True, ((2, 1), (-1, 0))),
    ],
)
def test_conv_transpose_padding(
    kernel: tuple[int, int], strides: tuple[int, int], padding: object, consistent: bool, wanted: object
) -> None:
    images, weights = np.ones((2, 8, 9, 3), np.float32), np.ones((*kernel, 3, 4), np.float32)
    found = params(
        lambda x, y: lax.conv_transpose(x, y, strides, padding, use_consistent_padding=consistent),
        images,
        weights,
    )
    assert found["padding"] == wanted


def test_conv_transpose_is_the_adjoint() -> None:
    rng = np.random.default_rng(0)
    x, kernel = rng.normal(size=(1, 6, 2)).astype(np.float32), rng.normal(size=(3, 5, 2)).astype(np.float32)
    _, pull = jaxlab.vjp(
        lambda y: lax.conv_general_dilated(y, kernel, (2,), "SAME", dimension_numbers=("NHC", "HIO", "NHC")),
        np.ones((1, 12, 5), np.float32),
    )
    found = lax.conv_transpose(x, kernel, (2,), "SAME", transpose_kernel=True)
    np.testing.assert_allclose(found, pull(x)[0], rtol=1e-5, atol=1e-5)


def test_patches() -> None:
    x = np.random.default_rng(0).normal(size=(2, 3, 5, 6)).astype(np.float32)
    found = lax.conv_general_dilated_patches(x, (3, 2), (1, 1), "VALID")
    seen = np.lib.stride_tricks.sliding_window_view(x, (3, 2), (2, 3))
    np.testing.assert_allclose(found, np.moveaxis(seen, (4, 5), (2, 3)).reshape(2, 18, 3, 5), rtol=1e-6)


@pytest.mark.parametrize(
    ("fun", "error", "text"),
    [
        (lambda: lax.dot(X, X), ValueError, "dot: operands of shapes"),
        (
            lambda: lax.dot_general(X, Y, (((0,), (5,)), ((), ()))),
            TypeError,
            "requires rhs dimension numbers",
        ),
        (
            lambda: lax.dot_general(X, Y, (((0, 1), (0,)), ((), ()))),
            TypeError,
            "requires contracting dimensions",
        ),
        (
            lambda: lax.dot_general(X, Y, (((), ()), ((1,), (1,)))),
            TypeError,
            "to have the same shape, got .4,. and .5,.",
        ),
        (lambda: lax.dot(X, Y, precision="exact"), ValueError, "precision 'exact' was given"),
        (lambda: lax.batch_matmul(X[0], Y), ValueError, "must be at least 2D, got 1, 2"),
        (lambda: lax.conv(L, R[:, :2], (1, 1), "SAME"), ValueError, "but 3 // 1 != 2"),
        (lambda: lax.conv(L, R[0], (1, 1), "SAME"), TypeError, "lhs and rhs ndim to be equal, got 4 and 3"),
        (lambda: lax.conv(L, R, (1,), "SAME"), ValueError, "same number of dimensions, but got 2 and 1"),
        (lambda: lax.conv(L, R, (1, 1), "FOO"), RuntimeError, "Unrecognized padding type"),
        (lambda: lax.conv(L.astype("i4"), R, (1, 1), "SAME"), TypeError, "same dtypes, got int32, float32"),
        (lambda: lax.conv_general_dilated(L, R, (1, 1), ((0, 0),)), TypeError, "expected 2, got 1"),
        (lambda: lax.conv_general_dilated(L, R, (1, 1), "SAME", (2, 2)), ValueError, "or use conv_transpose"),
        (
            lambda: lax.conv_dimension_numbers((1, 2, 3), (1, 2, 3), ("NHC", "AIW", "NCW")),
            TypeError,
            "exactly once",
        ),
    ],
)
def test_errors(fun: object, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        fun()  # type: ignore[operator]
