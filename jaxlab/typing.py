"""Types for annotations, under the names of ``jax.typing``.

>>> from jaxlab.typing import ArrayLike
>>> def mean_of_squares(x: ArrayLike) -> jaxlab.Array:
...     return jnp.mean(jnp.square(x))
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from jaxlab import dtypes
from jaxlab.runtime.array_type import Array


class SupportsDType(Protocol):
    """Anything that has a dtype."""

    @property
    def dtype(self) -> Any: ...


ArrayLike = Array | np.ndarray | np.bool_ | np.number | bool | int | float | complex
"""What functions take in place of an array: arrays, NumPy's arrays and scalars, Python's numbers; no lists."""

DTypeLike = str | type[Any] | np.dtype | dtypes.KeyType | SupportsDType
"""What names a dtype: ``"float32"``, ``jnp.float32``, ``np.dtype("float32")``, ``float``."""

__all__ = ["ArrayLike", "DTypeLike"]
