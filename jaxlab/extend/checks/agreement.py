"""Comparison of results, with a message that says what was compared."""

from __future__ import annotations

from typing import Any

import numpy as np

from jaxlab import dtypes
from jaxlab.core.aval import is_inexact


def expect(holds: bool, what: str) -> None:
    """AssertionError that says ``what`` is wrong, unless something holds."""
    if not holds:
        raise AssertionError(what)


def same(got: Any, wanted: Any, tolerance: float, what: str) -> None:
    """AssertionError unless two arrays have one shape and agree: exactly, or relatively where they are
    inexact.

    The absolute tolerance is that share of the largest finite number wanted, since results next to zero
    come from
    cancellation. NaN equals NaN, and infinities and signs of exact zeros must agree.
    """
    got, wanted = np.asarray(got), np.asarray(wanted)
    expect(got.shape == wanted.shape, f"{what}: shape {got.shape}, but {wanted.shape} is wanted")
    if got.dtype == dtypes.float0 or wanted.dtype == dtypes.float0:
        expect(got.dtype == wanted.dtype, f"{what}: dtype {got.dtype}, but {wanted.dtype} is wanted")
        return
    if not is_inexact(got.dtype) or tolerance == 0:
        np.testing.assert_array_equal(_plain(got), _plain(wanted.astype(got.dtype)), err_msg=what)
        return
    got, wanted = _plain(got), _plain(wanted.astype(got.dtype))
    finite = np.abs(wanted[np.isfinite(wanted)])
    largest = float(np.max(finite, initial=0.0))
    # Beyond this the sum of two terms has cancelled, and below it no digit is left to compare.
    atol = tolerance * min(largest, 1e30) + 1e-300
    np.testing.assert_allclose(got, wanted, rtol=tolerance, atol=atol, equal_nan=True, err_msg=what)


def _plain(x: np.ndarray) -> np.ndarray:
    """In a dtype of NumPy's own, in which comparisons are defined."""
    if x.dtype.kind == "c" or not is_inexact(x.dtype):
        return x
    return x.astype(np.float64)
