"""What `jit` was asked for: which arguments are static, which are given away, and where it is to run."""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from jaxlab import tree
from jaxlab.interpreters.functions import function_name, signature_of
from jaxlab.runtime.backend import Device, devices, find_device
from jaxlab.runtime.native import J
from jaxlab.runtime.sharding import single_device

UNSPECIFIED: Any = type("Unspecified", (), {"__repr__": lambda self: "UnspecifiedValue"})()
"""Printed for an argument or result that no sharding was given for."""


class JitOptions:
    """The options of one `jit`, checked against the function's signature.

    Attributes:
      static_numbers, static_names, donate_numbers, donate_names: the arguments, by position and by name. A
        position is negative only where the function takes any number of arguments.
      device: where to run; None where the arguments decide.
      in_shardings, out_shardings: prefixes of the arguments and results; None where none were given.
      params: parameters of the ``jit`` equation, but for the program.
    """

    __slots__ = (
        "device",
        "donate_names",
        "donate_numbers",
        "in_shardings",
        "out_shardings",
        "params",
        "static_names",
        "static_numbers",
    )

    def __init__(
        self,
        fun: Callable[..., Any],
        *,
        static: tuple[Any, Any] = (None, None),
        donate: tuple[Any, Any] = (None, None),
        in_shardings: Any = None,
        out_shardings: Any = None,
        device: Any = None,
        backend: str | None = None,
        keep_unused: bool = False,
        inline: bool = False,
        compiler_options: dict[str, Any] | None = None,
    ) -> None:
        self.static_numbers, self.static_names = _arguments(fun, "static", *static)
        self.donate_numbers, self.donate_names = _arguments(fun, "donate", *donate)
        both = sorted(set(self.static_names) & set(self.donate_names))
        both += [str(i) for i in sorted(set(self.static_numbers) & set(self.donate_numbers))]
        if both:
            raise ValueError(
                f"jit: the argument {both[0]} of {function_name(fun)} is both static and donated, but a static "
                "argument has no buffer to give away; leave it out of one of the two"
            )
        if compiler_options is not None and not isinstance(compiler_options, Mapping):
            raise TypeError(
                f"jit: compiler_options={compiler_options!r} was given, but a dict of XLA's options by name is needed; "
                "write compiler_options={name: value}"
            )
        self.in_shardings, self.out_shardings = in_shardings, out_shardings
        self.device = _device(device, backend, in_shardings, out_shardings)
        self.params: dict[str, Any] = {
            "name": function_name(fun),
            "donated_invars": (),
            "keep_unused": keep_unused,
            "inline": inline,
            "compiler_options_kvs": tuple(sorted((compiler_options or {}).items())),
        }
        if self.device is not None:
            self.params["device"] = self.device

    def donated(self, args: Sequence[Any], kwargs: dict[str, Any]) -> tuple[bool, ...]:
        """For each leaf of the dynamic arguments whether it is given away."""
        if not self.donate_numbers and not self.donate_names:
            return ()
        static, donate = self.numbers(self.static_numbers, args), self.numbers(self.donate_numbers, args)
        flags: list[bool] = []
        for i, x in enumerate(args):
            if i not in static:
                flags += [i in donate] * len(tree.leaves(x))
        for name, x in sorted(kwargs.items()):
            if name not in self.static_names:
                flags += [name in self.donate_names] * len(tree.leaves(x))
        return tuple(flags)

    def numbers(self, numbers: Sequence[int], args: Sequence[Any]) -> set[int]:
        """Positions in this call; negative ones are counted from the last argument."""
        return {i + len(args) if i < 0 else i for i in numbers}

    def input_shardings(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
        """A sharding, or `UNSPECIFIED`, for each leaf of the dynamic arguments; nothing if none was given.

        Raises:
          ValueError: if ``in_shardings`` is no prefix of the arguments, or there are keyword arguments.
        """
        if self.in_shardings is None:
            return ()
        if kwargs:
            raise ValueError(
                f"jit: in_shardings were given for {self.params['name']}, but it was called with the keyword "
                f"argument {next(iter(kwargs))}, which has no place in them; pass it by position"
            )
        given = tuple(self.in_shardings) if isinstance(self.in_shardings, list) else self.in_shardings
        return _spread("in_shardings", given, args)

    def output_shardings(self, out_tree: Any, out_avals: Sequence[Any]) -> tuple[Any, ...]:
        """A sharding, or `UNSPECIFIED`, for each leaf of the result; nothing if none was given."""
        if self.out_shardings is None:
            return ()
        return _spread("out_shardings", self.out_shardings, tree.unflatten(out_tree, out_avals))


def _spread(what: str, prefix: Any, full: Any) -> tuple[Any, ...]:
    given = tree.broadcast_prefix(prefix, full, is_leaf=lambda x: x is None, what=f"jit: {what}")
    return tuple(UNSPECIFIED if x is None else x for x in given)


def _device(device: Any, backend: str | None, in_shardings: Any, out_shardings: Any) -> Any:
    """The one device that the options name."""
    if device is not None and backend is not None:
        raise ValueError(
            f"jit: device={device!r} and backend={backend!r} were given, but one of them is enough; leave the "
            "other out"
        )
    named = "device" if device is not None else "backend" if backend is not None else None
    shardings = in_shardings if in_shardings is not None else out_shardings
    if named and shardings is not None:
        raise ValueError(
            f"jit: {named} and shardings were given, but shardings say where to run; leave {named} out"
        )
    if device is not None:
        if isinstance(device, str):
            return find_device(device)
        if not isinstance(device, Device):
            raise TypeError(
                f"jit: device={device!r} of type {type(device).__name__} was given, but a device is needed; write "
                "jaxlab.devices()[0]"
            )
        return device
    if backend is not None:
        return devices(backend)[0]
    found = None
    for what, given in (("in_shardings", in_shardings), ("out_shardings", out_shardings)):
        for sharding in tree.leaves(given):
            one = _only_device(what, sharding)
            if found is not None and one != found:
                raise ValueError(
                    f"jit: shardings on {found} and on {one} were given, but a program runs on one set of "
                    "devices; give the same device everywhere"
                )
            found = one
    return found


def _only_device(what: str, sharding: Any) -> Any:
    if not isinstance(sharding, J.Sharding):
        raise TypeError(
            f"jit: {what} holds {sharding!r} of type {type(sharding).__name__}, but shardings or None are "
            "needed; write x.sharding, or SingleDeviceSharding(device)"
        )
    if len(sharding.device_set) > 1:
        raise NotImplementedError(
            f"jit: {what} names {len(sharding.device_set)} devices, but a program runs on one device so far; "
            "give a sharding of one device"
        )
    (device,) = sharding.device_set
    if sharding.memory_kind != single_device(device).memory_kind:
        raise NotImplementedError(
            f"jit: {what} names memory of kind {sharding.memory_kind!r}, but programs take and give arrays in "
            f"{single_device(device).memory_kind!r}; move them with device_put"
        )
    return device


def _arguments(
    fun: Callable[..., Any], what: str, argnums: Any, argnames: Any
) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Positions and names of arguments, each inferred from the other where the signature allows."""
    if argnums is None and argnames is None:
        return (), ()
    numbers, names = integers("jit", f"{what}_argnums", argnums), _strings(f"{what}_argnames", argnames)
    signature = signature_of(fun)
    if signature is None:
        return numbers, names
    parameters = signature.parameters.values()
    positional = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    kinds = {p.kind for p in parameters}
    any_number = inspect.Parameter.VAR_POSITIONAL in kinds
    by_name = [p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    for name in names:
        if name not in by_name and inspect.Parameter.VAR_KEYWORD not in kinds:
            raise ValueError(
                f"jit: {what}_argnames names {name!r}, but that is no argument of {function_name(fun)} that can "
                f"be passed by name; its arguments are {', '.join(by_name) or 'none'}"
            )
    count = len(positional)
    for number in numbers:
        if not any_number and not -count <= number < count:
            raise ValueError(
                f"jit: {what}_argnums names argument {number}, but {function_name(fun)} takes {count} positional "
                f"arguments; count them from 0"
            )
    if not any_number:
        numbers = tuple(i + count if i < 0 else i for i in numbers)
    if argnames is None:
        names = tuple(positional[i] for i in numbers if 0 <= i < count and positional[i] in by_name)
    elif argnums is None:
        numbers = tuple(i for i, name in enumerate(positional) if name in names)
    return numbers, names


def integers(operation: str, what: str, given: Any) -> tuple[int, ...]:
    """The positions that an option names, one or several; none for None.

    Raises:
      TypeError: if it is neither an integer nor a sequence of integers.
    """
    if given is None:
        return ()
    try:
        return (operator.index(given),)
    except TypeError:
        pass
    try:
        return tuple([operator.index(x) for x in given])
    except TypeError:
        raise TypeError(
            f"{operation}: {what}={given!r} was given, but an integer or a sequence of integers is needed"
            + (f"; for names write {what.replace('argnums', 'argnames')}" if operation == "jit" else "")
        ) from None


def _strings(what: str, given: Any) -> tuple[str, ...]:
    if given is None:
        return ()
    names: Iterable[Any] = (
        (given,) if isinstance(given, str) else given if isinstance(given, Iterable) else (given,)
    )
    names = tuple(names)
    if not all(isinstance(name, str) for name in names):
        raise TypeError(
            f"jit: {what}={given!r} was given, but a name or a sequence of names is needed; for positions write "
            f"{what.replace('argnames', 'argnums')}"
        )
    return names
