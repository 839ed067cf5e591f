"""Functions wrapped step by step, under the names of ``jax.extend.linear_util``, for libraries that are built so.

A wrapped function is called once. What wraps it may keep something to say afterwards, such as the structure of the
result, in a store. Functions here need no such wrapping themselves: closures do.

>>> @transformation_with_aux2
... def doubled(f, store, *args):
...     out = f(*args)
...     store.store(type(out).__name__)
...     return 2 * out
>>> wrapped, kind = doubled(wrap_init(lambda x: x + 1))
>>> wrapped.call_wrapped(3), kind()
(8, 'int')
"""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable, Generator
from typing import Any

from jaxlab.core.axes import trace_key
from jaxlab.core.jaxpr import DebugInfo

__all__ = [
    "StoreException",
    "WrappedFun",
    "cache",
    "merge_linear_aux",
    "transformation",
    "transformation2",
    "transformation_with_aux",
    "transformation_with_aux2",
    "wrap_init",
]


class StoreException(Exception):
    """A store was read before the function was called, or filled a second time."""


class Store:
    """A place for one value, which is written while a wrapped function runs, and read afterwards."""

    __slots__ = ("_values",)

    def __init__(self) -> None:
        self._values: list[Any] = []

    def store(self, value: Any) -> None:
        """Put the value in; StoreException if there is one."""
        if self._values:
            raise StoreException(
                "linear_util: a store was filled twice, so its function ran twice; wrap it anew"
            )
        self._values.append(value)

    @property
    def val(self) -> Any:
        """The value; StoreException if there is none yet."""
        if not self._values:
            raise StoreException(
                "linear_util: a store was read, but its function was not called yet; call it first"
            )
        return self._values[0]

    def __bool__(self) -> bool:
        return bool(self._values)


class WrappedFun:
    """A function and what was wrapped around it.

    Attributes:
      f: the function as it was given.
      call_wrapped: calls it with all that is wrapped around.
      transforms: the wrappers, outermost first, with their static arguments: by these, ``f`` and ``params`` two
        wrapped functions are equal.
    """

    __slots__ = ("call_wrapped", "debug_info", "f", "params", "stores", "transforms")

    def __init__(
        self,
        f: Callable[..., Any],
        call_wrapped: Callable[..., Any],
        transforms: tuple[Any, ...],
        stores: tuple[Store | None, ...],
        params: tuple[Any, ...],
        debug_info: DebugInfo,
    ) -> None:
        self.f = f
        self.call_wrapped = call_wrapped
        self.transforms = transforms
        self.stores = stores
        self.params = params
        self.debug_info = debug_info

    @property
    def __name__(self) -> str:
        return getattr(self.f, "__name__", "<unnamed wrapped function>")

    def wrap(self, gen: Callable[..., Any], args: tuple[Any, ...], store: Store | None) -> WrappedFun:
        """The same with one more wrapper, ``gen(function, [store,] *args, *arguments)``."""
        around = functools.partial(gen, self.call_wrapped, *([] if store is None else [store]), *args)
        return WrappedFun(
            self.f,
            around,
            ((gen, args), *self.transforms),
            (store, *self.stores),
            self.params,
            self.debug_info,
        )

    def populate_stores(self, stores: tuple[Store | None, ...]) -> None:
        """Fill the stores with what those of an equal function hold, as if this one had been called."""
        for own, other in zip(self.stores, stores, strict=True):
            if own is not None and other:
                own.store(other.val)

    def __hash__(self) -> int:
        return hash((self.f, self.transforms, self.params))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, WrappedFun) and (self.f, self.transforms, self.params) == (
            other.f,
            other.transforms,
            other.params,
        )

    def __repr__(self) -> str:
        around = [getattr(gen, "__name__", repr(gen)) for gen, _ in self.transforms]
        return " of ".join([*around, self.__name__])


def wrap_init(
    f: Callable[..., Any], params: dict[str, Any] | None = None, *, debug_info: DebugInfo | None = None
) -> WrappedFun:
    """The wrapped function around which nothing is wrapped yet.

    Args:
      f: a function.
      params: values by name that belong to it.
      debug_info: what to call it and its arguments.
    """
    known = debug_info or DebugInfo(getattr(f, "__name__", ""))
    return WrappedFun(f, f, (), (), tuple(sorted((params or {}).items())), known)


def _steps(gen: Callable[..., Generator[Any, Any, Any]]) -> Callable[..., Any]:
    """A generator that yields arguments, is sent the result, and yields its own result, as a function."""

    @functools.wraps(gen)
    def around(f: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        steps = gen(*args, **kwargs)
        inner_args, inner_kwargs = next(steps)
        out = steps.send(f(*inner_args, **inner_kwargs))
        steps.close()
        return out

    return around


def transformation(gen: Callable[..., Any]) -> Callable[..., WrappedFun]:
    """Make a generator a wrapper: it yields arguments for the function, gets its result, and yields another.

    >>> @transformation
    ... def negated(x):
    ...     y = yield (-x,), {}
    ...     yield -y
    >>> negated(wrap_init(lambda x: x + 1)).call_wrapped(3)
    2
    """
    return transformation2(_steps(gen))


def transformation2(gen: Callable[..., Any]) -> Callable[..., WrappedFun]:
    """Make ``gen(function, *static, *args)`` a wrapper, which takes a wrapped function and the static arguments."""

    def wrap(fun: WrappedFun, *gen_static_args: Any) -> WrappedFun:
        return fun.wrap(gen, gen_static_args, None)

    return functools.wraps(gen)(wrap)


def transformation_with_aux(gen: Callable[..., Any]) -> Callable[..., tuple[WrappedFun, Callable[[], Any]]]:
    """As `transformation`, for a generator whose last yield is a result and a value to be read afterwards."""
    steps = _steps(gen)

    @functools.wraps(gen)
    def around(f: Callable[..., Any], store: Store, *args: Any, **kwargs: Any) -> Any:
        out, aux = steps(f, *args, **kwargs)
        store.store(aux)
        return out

    return transformation_with_aux2(around)


def transformation_with_aux2(gen: Callable[..., Any]) -> Callable[..., tuple[WrappedFun, Callable[[], Any]]]:
    """Make ``gen(function, store, *static, *args)`` a wrapper that gives the wrapped function and a reader.

    The reader, a function without arguments, returns what was put into the store when the function ran.
    """

    def wrap(fun: WrappedFun, *gen_static_args: Any) -> tuple[WrappedFun, Callable[[], Any]]:
        store = Store()
        return fun.wrap(gen, gen_static_args, store), lambda: store.val

    return functools.wraps(gen)(wrap)


def merge_linear_aux(aux1: Callable[[], Any], aux2: Callable[[], Any]) -> tuple[bool, Any]:
    """Which of two functions was called, as its reader tells: True for the first, and the value.

    Raises:
      StoreException: if none was, or both.
    """
    values = []
    for is_first, aux in ((True, aux1), (False, aux2)):
        try:
            values.append((is_first, aux()))
        except StoreException:
            continue
    if len(values) != 1:
        told = "both functions were" if values else "neither function was"
        raise StoreException(f"merge_linear_aux: {told} called, but exactly one has to be; call one of them")
    return values[0]


def cache(call: Callable[..., Any]) -> Callable[..., Any]:
    """Keep the results of ``call(fun, *args)``, and what is in the stores, for equal functions and arguments.

    They are kept as long as the function ``fun.f`` lives.
    """
    known: weakref.WeakKeyDictionary[Any, dict[Any, Any]] = weakref.WeakKeyDictionary()

    @functools.wraps(call)
    def cached(fun: WrappedFun, *args: Any) -> Any:
        of_function = known.setdefault(fun.f, {})
        key = (fun.transforms, fun.params, args, trace_key())
        if key in of_function:
            result, stores = of_function[key]
            fun.populate_stores(stores)
            return result
        result = call(fun, *args)
        of_function[key] = result, fun.stores
        return result

    return cached
