"""Programs derived from a program: each is made once, and kept with the one that it comes from."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar

from jaxlab.core.axes import trace_key
from jaxlab.core.jaxpr import ClosedJaxpr

P = ParamSpec("P")
R = TypeVar("R")

_NOT_MADE: Any = object()


def memoised(
    form: Callable[Concatenate[ClosedJaxpr, P], R],
) -> Callable[Concatenate[ClosedJaxpr, P], R]:
    """Decorate a function from a closed jaxpr, and hashable values or lists of them, to what is derived.

    Programs are cache keys by identity, so a derived program that is made anew is compiled anew. The memory
    is a part of the program and goes when it goes.
    """

    @functools.wraps(form)
    def known_or_made(closed: ClosedJaxpr, /, *args: P.args, **kwargs: P.kwargs) -> R:
        values = (*args, *kwargs.values()) if kwargs else args
        key = (form, trace_key(), *[tuple(x) if type(x) is list else x for x in values])
        memo: dict[Any, Any] = closed.memo
        derived: R = memo.get(key, _NOT_MADE)
        if derived is _NOT_MADE:
            derived = memo[key] = form(closed, *args, **kwargs)
        return derived

    return known_or_made
