"""Which arguments a function is differentiated by."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

from jaxlab.interpreters.functions import function_name


def as_indices(name: str, argnums: Any) -> tuple[int, ...]:
    """The positions that ``argnums`` names.

    Raises:
      TypeError: if it is neither an integer nor a sequence of integers.
      ValueError: if it is empty.
    """
    if type(argnums) is int:
        return (argnums,)
    try:
        numbers = tuple(map(operator.index, argnums if isinstance(argnums, Sequence) else (argnums,)))
    except TypeError:
        raise TypeError(
            f"{name}: argnums={argnums!r} was given, but the positions of arguments are needed; give an integer "
            "or a tuple of integers"
        ) from None
    if not numbers:
        raise ValueError(
            f"{name}: argnums=() was given, but there must be an argument to differentiate by; give its position"
        )
    return numbers


def chosen_arguments(
    name: str,
    fun: Callable[..., Any],
    numbers: Sequence[int],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    beyond: type[Exception] = TypeError,
) -> tuple[Callable[..., Any], list[Any], list[int]]:
    """``fun`` as a function of some of its arguments, those arguments, and their positions from the front.

    Raises:
      TypeError: if a position is beyond the last argument (or another error, ``beyond``), or occurs twice.
      ValueError: if a negative one is before the first.
    """
    count = len(args)
    for i in numbers:
        if not -count <= i < count:
            raise (beyond if i >= 0 else ValueError)(
                f"{name}: argnums names argument {i}, but {function_name(fun)} was called with {count} positional "
                f"argument{'s' * (count != 1)}; give a position among them"
            )
    chosen = [i % count for i in numbers]
    if len(set(chosen)) < len(chosen):
        raise TypeError(
            f"{name}: argnums {tuple(numbers)} names an argument of {function_name(fun)} twice, but it can be "
            "differentiated by each once; leave the second out"
        )

    def partial(*xs: Any) -> Any:
        full = list(args)
        for i, x in zip(chosen, xs, strict=True):
            full[i] = x
        return fun(*full, **kwargs)

    partial.__name__ = function_name(fun)
    return partial, [args[i] for i in chosen], chosen
