"""Sizes of axes, as programs that write shapes compare them."""

from __future__ import annotations

import operator


def max_dim(d1: int, d2: int) -> int:
    """The larger of two sizes.

    Raises:
      TypeError: for what is no integer.

    >>> jaxlab.core.max_dim(2, 3)
    3
    """
    return max(operator.index(d1), operator.index(d2))


def min_dim(d1: int, d2: int) -> int:
    """The smaller of two sizes.

    Raises:
      TypeError: for what is no integer.

    >>> jaxlab.core.min_dim(2, 3)
    2
    """
    return min(operator.index(d1), operator.index(d2))
