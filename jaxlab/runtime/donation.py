"""Buffers given to a program to reuse: which results take them, and what is said when one is used again."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from jaxlab.core.aval import ShapedArray
from jaxlab.runtime.keys import KeyArray
from jaxlab.runtime.native import JaxRuntimeError
from jaxlab.runtime.transfer import Array


def aliases(
    in_avals: Sequence[ShapedArray], donated: Sequence[bool], out_avals: Sequence[ShapedArray]
) -> tuple[list[int | None], list[ShapedArray]]:
    """For each input the result that takes its buffer, and the donated types for which there is none.

    The first donated buffer of a type goes to the first result of that type.
    """
    waiting: dict[tuple[Any, Any], deque[int]] = {}
    for i, (aval, given) in enumerate(zip(in_avals, donated, strict=True)):
        if given:
            waiting.setdefault((aval.shape, aval.dtype), deque()).append(i)
    taken: list[int | None] = [None] * len(in_avals)
    for place, aval in enumerate(out_avals):
        queue = waiting.get((aval.shape, aval.dtype))
        if queue:
            taken[queue.popleft()] = place
    return taken, [in_avals[i] for queue in waiting.values() for i in queue]


def donation_error(
    name: str, leaves: Sequence[Any], argument_name: Callable[[int], str], donated: Sequence[bool] = ()
) -> Exception | None:
    """The error for arguments of which a buffer is gone, or would be given away twice; None if all is well.

    Args:
      name: the function.
      leaves: its arguments.
      argument_name: what to call the argument of a position.
      donated: for each of them whether the call gives it away.
    """
    first: dict[int, int] = {}
    for i, x in enumerate(leaves):
        if type(x) is not Array and type(x) is not KeyArray:
            continue
        if x.is_deleted():
            return RuntimeError(
                f"{name}: the argument {argument_name(i)} of type {x.aval.str_short()} was given, but its buffer "
                "was deleted or donated to a computation; use the result of that computation, or a copy made "
                "before it"
            )
        before = first.setdefault(id(x), i)
        if before != i and donated and (donated[i] or donated[before]):
            return JaxRuntimeError(
                f"{name}: the arguments {argument_name(before)} and {argument_name(i)} are one array of type "
                f"{x.aval.str_short()}, but a buffer that is donated can be used once in a call; pass a copy as "
                "one of them"
            )
    return None


_ABOUT_ARGUMENTS = re.compile("donated|^Non-hashable static arguments")


def checked_call(
    function: Callable[..., Any], explain: Callable[[tuple[Any, ...], dict[str, Any]], Exception | None]
) -> Any:
    """``function``, which raises what ``explain`` finds wrong with the arguments where jaxlib refuses them."""

    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except (ValueError, JaxRuntimeError) as error:
            found = explain(args, kwargs) if _ABOUT_ARGUMENTS.search(str(error)) else None
            if found is None:
                raise
        raise found

    return call
