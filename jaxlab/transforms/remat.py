"""``checkpoint``: a function whose intermediate values are computed again when its derivative needs them."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from jaxlab import errors, tree
from jaxlab.control.bodies import trace_body
from jaxlab.core.aval import aval_of
from jaxlab.core.trace import Tracer
from jaxlab.interpreters.functions import argument_paths, function_name
from jaxlab.interpreters.saving import Policy
from jaxlab.transforms.checkpoint_call import checkpoint_p
from jaxlab.transforms.descriptions import check_arguments, is_value

_NOT_GIVEN = object()


def checkpoint(
    fun: Callable[..., Any],
    *,
    prevent_cse: bool | Sequence[bool] = True,
    policy: Policy | None = None,
    static_argnums: int | tuple[int, ...] = (),
    static_argnames: str | Iterable[str] = (),
    concrete: Any = _NOT_GIVEN,
) -> Callable[..., Any]:
    """``fun``, of which reverse mode saves only the arguments; the rest is computed again on the way back.

    Memory for time: a chain of checkpointed layers keeps one value a layer, and runs each layer twice.

    Args:
      fun: a function of pytrees of arrays.
      prevent_cse: keep the compiler from finding that it computes the same a second time, and saving it
        after all. Inside `scan` that cannot happen, and False lets it optimise more. A tuple says it for each
        argument, as a prefix of the arguments.
      policy: which intermediate values to save nevertheless, one of ``checkpoint_policies``.
      static_argnums: positions of arguments that are Python values, for which the function is traced anew.
      static_argnames: the names of keyword arguments that are.

    Returns:
      A function of the same arguments and results.

    Raises:
      NotImplementedError: if ``concrete`` is given, which JAX has removed.

    >>> grad(checkpoint(lambda x: jnp.sin(jnp.sin(x))))(0.0)
    Array(1., dtype=float32, weak_type=True)
    """
    if concrete is not _NOT_GIVEN:
        raise NotImplementedError(
            f"checkpoint: concrete={concrete} was given, but that option is no more; mark the arguments that "
            "are Python values with static_argnums"
        )
    if not callable(fun):
        raise TypeError(
            f"checkpoint: expected a function, but got a {type(fun).__name__}; pass the function, not its result"
        )
    if policy is not None and not callable(policy):
        raise TypeError(
            f"checkpoint: policy={policy!r} was given, but a function of a primitive is needed; take one of "
            "checkpoint_policies, such as checkpoint_policies.dots_saveable"
        )
    if not isinstance(prevent_cse, bool | Sequence):
        raise TypeError(
            f"checkpoint: prevent_cse is a {type(prevent_cse).__name__}, but a boolean or a tuple of booleans "
            "is needed"
        )
    names = {static_argnames} if isinstance(static_argnames, str) else set(static_argnames)

    @functools.wraps(fun, updated=())
    def checkpointed(*args: Any, **kwargs: Any) -> Any:
        static = {i: _Value(args[i]) for i in _positions(static_argnums, len(args))}
        named = {name: _Value(kwargs[name]) for name in names & set(kwargs)}
        dynamic = tuple(x for i, x in enumerate(args) if i not in static)
        keywords = {name: x for name, x in kwargs.items() if name not in named}
        call = _Call(
            fun,
            tuple(sorted(static.items())),
            tuple(sorted(named.items())),
            tuple(sorted(keywords)),
            len(args),
        )
        example = (*dynamic, *[keywords[name] for name in sorted(keywords)])
        leaves = tree.leaves(example)
        remember = not any(isinstance(v.value, Tracer) for v in (*static.values(), *named.values()))
        if not all(map(is_value, leaves)):
            check_arguments("checkpoint", call, example)
        try:
            body = trace_body(call, example, [aval_of(x) for x in leaves], "checkpoint", remember=remember)
        except errors.ConcretizationTypeError as error:
            error.add_note(
                f"checkpoint: an argument of {function_name(fun)} that decides what is computed can be made "
                "a Python value with static_argnums"
            )
            raise
        barrier: Any = prevent_cse
        if not isinstance(prevent_cse, bool):
            wanted = tree.broadcast_prefix(tuple(prevent_cse), dynamic if not kwargs else (dynamic, keywords))
            barrier = (False,) * len(body.consts) + tuple(wanted)
        out = checkpoint_p.bind(
            *body.consts,
            *leaves,
            jaxpr=body.jaxpr,
            prevent_cse=barrier,
            differentiated=False,
            policy=policy,
        )
        return tree.unflatten(body.out_tree, out)

    return checkpointed


remat = checkpoint


def _positions(static_argnums: Any, count: int) -> list[int]:
    numbers = (static_argnums,) if type(static_argnums) is int else static_argnums
    if not isinstance(numbers, tuple) or not all(type(i) is int for i in numbers):
        raise TypeError(
            f"checkpoint: static_argnums is {static_argnums!r}, but an integer or a tuple of integers is needed"
        )
    for i in numbers:
        if not -count <= i < count:
            raise ValueError(
                f"checkpoint: static_argnums names argument {i}, but the function was called with {count} "
                f"positional argument{'s' * (count != 1)}"
            )
    return [i % count for i in numbers]


class _Value:
    """A Python value as part of a key: by equality where it can be hashed, else by identity."""

    __slots__ = ("hash", "hashable", "value")

    def __init__(self, value: Any) -> None:
        self.value = value
        try:
            self.hash, self.hashable = hash(value), True
        except TypeError:
            self.hash, self.hashable = id(value), False

    def __hash__(self) -> int:
        return self.hash

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, _Value) or self.hashable != other.hashable:
            return False
        return bool(self.value == other.value) if self.hashable else self.value is other.value

    def __lt__(self, other: object) -> bool:
        return False


@dataclass(frozen=True, slots=True)
class _Call:
    """A function with some of its arguments given; equal to others with the same, so that it is traced once."""

    func: Callable[..., Any]
    static: tuple[tuple[int, _Value], ...]
    named: tuple[tuple[str, _Value], ...]
    keywords: tuple[str, ...]
    count: int

    @property
    def __signature__(self) -> inspect.Signature:
        """The arguments that are not given yet, by the names that the function has for them."""
        static = dict(self.static)
        known = argument_paths(self.func, [0] * self.count, {})
        names = [f"arg{i}" if "[" in name else name for i, name in enumerate(known) if i not in static]
        kind = inspect.Parameter.POSITIONAL_ONLY
        return inspect.Signature([inspect.Parameter(name, kind) for name in (*names, *self.keywords)])

    def __call__(self, *dynamic: Any) -> Any:
        given, static = iter(dynamic), dict(self.static)
        args = [static[i].value if i in static else next(given) for i in range(self.count)]
        keywords = {name: next(given) for name in self.keywords}
        return self.func(*args, **keywords, **{name: v.value for name, v in self.named})
