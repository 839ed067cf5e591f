"""From Python functions of pytrees to flat functions of leaves, and names for what goes in and out."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from types import FunctionType
from typing import Any

from jaxlab import tree
from jaxlab.caching import OwnedCache
from jaxlab.core.jaxpr import DebugInfo


class FlatFunction:
    """``fun`` as a function of the leaves of ``(args, kwargs)``; ``out_tree`` is its result's structure."""

    __slots__ = ("fun", "in_tree", "out_tree")

    def __init__(self, fun: Callable[..., Any], in_tree: Any) -> None:
        self.fun = fun
        self.in_tree = in_tree
        self.out_tree: Any = None

    def __call__(self, *leaves: Any) -> list[Any]:
        args, kwargs = tree.unflatten(self.in_tree, leaves)
        flat, self.out_tree = tree.flatten(self.fun(*args, **kwargs))
        return flat


def function_name(fun: Any) -> str:
    """A function's own name, for jaxprs and modules."""
    while hasattr(fun, "func"):
        fun = fun.func
    return getattr(fun, "__name__", type(fun).__name__)


_signatures = OwnedCache("signatures", maxsize=1024)


def signature_of(fun: Any) -> inspect.Signature | None:
    """The signature where Python knows one."""
    try:
        known: inspect.Signature | None = _signatures.get(fun, None)
    except TypeError:  # an unhashable callable
        return _signature(fun)
    if known is None:
        known = _signature(fun)
        if known is not None:
            _signatures.put(fun, None, known)
    return known


def _signature(fun: Any) -> inspect.Signature | None:
    try:
        return inspect.signature(fun)
    except (TypeError, ValueError):
        return None


def _positional(fun: Any) -> tuple[list[str], str]:
    """The names of the positional parameters, and of the one that takes any more of them, if there is one."""
    if (
        type(fun) is FunctionType and not fun.__dict__
    ):  # nothing replaces its signature, which takes 20 us to make
        code = fun.__code__
        count = code.co_argcount
        rest = code.co_varnames[count + code.co_kwonlyargcount] if code.co_flags & inspect.CO_VARARGS else ""
        return list(code.co_varnames[:count]), rest
    signature = signature_of(fun)
    names: list[str] = []
    for parameter in signature.parameters.values() if signature is not None else ():
        if parameter.kind is parameter.VAR_POSITIONAL:
            return names, parameter.name
        if parameter.kind not in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD):
            break
        names.append(parameter.name)
    return names, ""


def argument_paths(
    fun: Any,
    args: Sequence[Any],
    kwargs: dict[str, Any],
    skip_numbers: Sequence[int] = (),
    skip_names: Sequence[str] = (),
) -> tuple[str, ...]:
    """A name for each leaf of the arguments that are not skipped: ``x``, ``params['w']``."""
    names, rest = _positional(fun)
    if rest:
        names += [f"{rest}[{i}]" for i in range(len(args) - len(names))]
    names += [f"args[{i}]" for i in range(len(names), len(args))]
    named = [(name, x) for i, (name, x) in enumerate(zip(names, args, strict=False)) if i not in skip_numbers]
    named += [(name, x) for name, x in sorted(kwargs.items()) if name not in skip_names]
    return tuple(name + tree.keystr(path) for name, x in named for path, _ in tree.leaves_with_path(x))


def debug_info(fun: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> DebugInfo:
    """What to call a function and its arguments in jaxprs and errors."""
    return DebugInfo(function_name(fun), argument_paths(fun, args, kwargs))
