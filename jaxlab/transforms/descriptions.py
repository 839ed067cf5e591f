"""What a function returned or was given, in a few words for an error."""

from __future__ import annotations

from typing import Any

from jaxlab.core.aval import aval_of, is_array_like
from jaxlab.interpreters.functions import function_name


def kind_of(x: Any) -> str:
    """``f32[3]``, ``a tuple of 3``, ``an int``.

    >>> kind_of((1, 2)), kind_of(np.ones(2, np.float32)), kind_of("a")
    ('a tuple of 2', 'f32[2]', 'a str')
    """
    if is_array_like(x):
        return aval_of(x).str_short()
    return f"{type_of(x)} of {len(x)}" if isinstance(x, tuple | list) else type_of(x)


def type_of(x: Any) -> str:
    """``a float``, ``an int``."""
    name = type(x).__name__
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def is_value(x: Any) -> bool:
    """Whether a leaf is an array, a number or something that becomes one."""
    return is_array_like(x) or hasattr(x, "__jax_array__")


def check_result(kind: str, fun: Any, x: Any) -> None:
    """Raise TypeError unless ``x``, which ``fun`` returned, is an array."""
    if not is_value(x):
        raise TypeError(
            f"{kind}: {function_name(fun)} returned {kind_of(x)}, but only arrays and numbers can be returned"
        )
