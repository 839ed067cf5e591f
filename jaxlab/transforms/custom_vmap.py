"""``custom_vmap``: a function with a batch rule of one's own."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from jaxlab import tree
from jaxlab.control.bodies import trace_body
from jaxlab.control.map import map as map_slices
from jaxlab.core.aval import aval_of
from jaxlab.interpreters.functions import function_name, signature_of
from jaxlab.transforms.custom_vmap_call import UserRule, custom_vmap_p
from jaxlab.transforms.descriptions import type_of


class custom_vmap:
    """A function that `vmap` maps by a rule of its own, instead of mapping each of its operations.

    Args:
      fun: a function of pytrees of arrays.

    The rule is set by `def_vmap`. Forward-mode derivatives are those of ``fun``, and of the rule where it is
    mapped; for reverse mode wrap the function in `custom_vjp`.

    >>> @custom_vmap
    ... def f(x, y):
    ...     return x + y
    >>> @f.def_vmap
    ... def f_vmap(axis_size, in_batched, x, y):
    ...     return x * y, True
    >>> vmap(f)(jnp.arange(3.0), jnp.arange(3.0))
    Array([0., 1., 4.], dtype=float32)
    """

    def __init__(self, fun: Callable[..., Any]) -> None:
        if not callable(fun):
            raise TypeError(
                f"custom_vmap: {type_of(fun)} was given, but a function is needed; pass the function, not its result"
            )
        functools.update_wrapper(self, fun)
        self.fun = fun
        self.vmap_rule: Callable[..., Any] | None = None

    def def_vmap(self, vmap_rule: Callable[..., Any]) -> Callable[..., Any]:
        """Set the rule: ``rule(axis_size, in_batched, *args) -> (result, out_batched)``. Returns it.

        ``in_batched`` is a list with a pytree of bools for each argument, which tell whether a leaf has the
        mapped axis, in front; ``out_batched`` is a pytree of bools with the structure of the result.
        """
        self.vmap_rule = vmap_rule
        return vmap_rule

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function."""
        name = function_name(self.fun)
        if self.vmap_rule is None:
            raise AttributeError(
                f"custom_vmap: {name} was called, but it has no batch rule; set one with {name}.def_vmap"
            )
        args = _positional(self.fun, name, args, kwargs)
        leaves, in_tree = tree.flatten(args)
        body = trace_body(self.fun, args, [aval_of(x) for x in leaves], f"custom_vmap of {name}")
        out = custom_vmap_p.bind(
            *body.consts,
            *leaves,
            call=body.jaxpr,
            in_tree=tree.structure((list(body.consts), args)),
            out_tree=body.out_tree,
            rule=UserRule(self.vmap_rule, name, in_tree, body.out_tree, len(body.consts)),
        )
        return tree.unflatten(body.out_tree, out)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else functools.partial(self, instance)


def sequential_vmap(f: Callable[..., Any]) -> custom_vmap:
    """``f``, which `vmap` calls for one slice after another, in a loop, instead of for all at once.

    Args:
      f: a function of pytrees of arrays.

    >>> vmap(sequential_vmap(lambda x: x + 1))(jnp.arange(3))
    Array([1, 2, 3], dtype=int32)
    """
    wrapped = custom_vmap(f)

    @wrapped.def_vmap
    def rule(axis_size: int, in_batched: list[Any], *args: Any) -> tuple[Any, Any]:
        flags, args_tree = tree.flatten(tuple(in_batched))
        leaves = tree.leaves(args)
        if not any(flags):
            out = f(*args)
            return out, tree.map(lambda _: False, out)

        def one(slices: Sequence[Any]) -> Any:
            given = iter(slices)
            return wrapped(
                *tree.unflatten(
                    args_tree, [next(given) if b else x for x, b in zip(leaves, flags, strict=True)]
                )
            )

        out = map_slices(one, [x for x, b in zip(leaves, flags, strict=True) if b])
        return out, tree.map(lambda _: True, out)

    return wrapped


def _positional(fun: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
    """All arguments as positional ones, with defaults."""
    signature = signature_of(fun)
    if signature is None and not kwargs:
        return args
    try:
        if signature is None:
            raise TypeError("it has no signature")
        bound = signature.bind(*args, **kwargs)
    except TypeError as error:
        raise TypeError(
            f"custom_vmap: the arguments given do not fit {name}: {error}; pass all of its arguments by position"
        ) from error
    bound.apply_defaults()
    if bound.kwargs:
        raise TypeError(
            f"custom_vmap: {', '.join(bound.kwargs)} of {name} can only be given by keyword, but a batch rule takes "
            "its arguments by position; make them positional, or close over them"
        )
    return bound.args
