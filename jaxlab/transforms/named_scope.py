"""``named_scope``: a name for a part of a program, seen in jaxprs, in HLO and in profiles."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import Any

from jaxlab.core.trace import current
from jaxlab.interpreters.functions import function_name


@contextlib.contextmanager
def named_scope(name: str) -> Iterator[None]:
    """Record what is traced inside under ``name``; scopes nest, and work as decorators too.

    Raises:
      TypeError: if ``name`` is not a string.

    >>> with named_scope("layer"):
    ...     y = jnp.sin(1.0)
    """
    if not isinstance(name, str):
        raise TypeError(f"named_scope: the name must be a string, but it is a {type(name).__name__}")
    outer = current.scope
    current.scope = f"{outer}/{name}" if outer else name
    try:
        yield
    finally:
        current.scope = outer


def named_call(fun: Callable[..., Any], *, name: str | None = None) -> Callable[..., Any]:
    """``fun`` with everything it computes recorded under ``name``, by default its own.

    >>> named_call(jnp.sin, name="wave")(0.0)
    Array(0., dtype=float32, weak_type=True)
    """
    if not callable(fun):
        raise TypeError(
            f"named_call: a value of type {type(fun).__name__} was given, but a function is needed; name a part of "
            "a function with named_scope"
        )

    @functools.wraps(fun)
    def scoped(*args: Any, **kwargs: Any) -> Any:
        with named_scope(name or function_name(fun)):
            return fun(*args, **kwargs)

    return scoped
