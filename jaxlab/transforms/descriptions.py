"""What a function returned or was given, in a few words for an error."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from jaxlab import tree
from jaxlab.core.aval import aval_of, is_array_like
from jaxlab.interpreters.functions import argument_paths, function_name


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


def check_arguments(what: str, fun: Callable[..., Any], args: Sequence[Any]) -> None:
    """Raise TypeError unless the leaves of the positional arguments of ``fun`` are arrays or numbers."""
    leaves = tree.leaves(tuple(args))
    if all(map(is_value, leaves)):
        return
    for path, x in zip(argument_paths(fun, args, {}), leaves, strict=True):
        if not is_value(x):
            raise TypeError(
                f"{what}: the argument {path} of {function_name(fun)} is {type_of(x)}, but arrays and numbers are "
                "needed; close over what is none"
            )


def check_results(what: str, fun: Callable[..., Any], leaves: Sequence[Any]) -> None:
    """`check_result` for all leaves."""
    for x in leaves:
        check_result(what, fun, x)


def check_leaves(what: str, name: str, value: Any) -> None:
    """Raise TypeError unless the leaves of what was given as ``name`` are arrays or numbers."""
    for path, x in tree.leaves_with_path(value):
        if not is_value(x):
            raise TypeError(
                f"{what}: the {name}{tree.keystr(path)} is {type_of(x)}, but an array or a number is needed; convert "
                "it with jnp.asarray"
            )
