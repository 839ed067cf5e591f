"""Functions that ``%%jit`` compiled, kept in step with the notebook that they read from."""

from __future__ import annotations

import functools
import inspect
import time
import types
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Protocol

from IPython.core.error import UsageError

import jaxlab
from jaxlab import tree_util
from jaxlab.config import config
from jaxlab.core.trace import Tracer, current
from jaxlab.magics import device as devices
from jaxlab.magics.fingerprint import Fingerprint, fingerprint
from jaxlab.magics.program import Environment, ProgramKey, nearest_difference
from jaxlab.magics.progress import wait
from jaxlab.magics.reach import Reacher
from jaxlab.magics.show import CellRun
from jaxlab.magics.source import running_cell
from jaxlab.magics.stack import Layer
from jaxlab.magics.traceback import label_of
from jaxlab.magics.values import Binding, bind
from jaxlab.runtime.references import Ref

_SMALL = 1 << 16  # NumPy arrays up to here are compared by content at every call, others by identity
_VERSIONS = 32


class Owner(Protocol):
    """Who a compiled function tells what happened: the runner of its shell."""

    compilations: int

    def note(
        self,
        function: CompiledFunction,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        seconds: float,
    ) -> None:
        """A call made new programs, the last of them probably the function's own."""

    def explain(self, error: BaseException) -> None:
        """A call raised: tell it on the user's own line."""


class CompiledFunction:
    """A function of the notebook compiled by ``%%jit``; what it reads from the notebook is part of the
    program.

    The values of the notebook's names that it reads are constants of the program, as in ``jaxlab.jit``; but
    when one of them has changed, or a function that it calls was redefined, it is traced anew instead of
    answering with the old one.  Pass what changes at every step as an argument.
    """

    reads_as_wrapped = True
    """Who looks for the names that are read through it looks at the function alone, see `held_by`."""

    def __init__(
        self, function: Any, layer: Layer, space: dict[str, Any], owner: Owner, below: Sequence[Layer] = ()
    ) -> None:
        functools.update_wrapper(self, function)
        self._layers = (layer, *below)
        self.calls = 0
        self._function, self._layer, self._space, self._owner = function, layer, space, owner
        self._versions: dict[tuple[Fingerprint, ...], Any] = {}
        self._identities: list[tuple[str, Any]] = []
        self._contents: list[tuple[str, Fingerprint]] = []
        self._jitted: Any = None
        self._reason = ""
        self._signatures: list[ProgramKey] = []
        self._watched: dict[str, Fingerprint] = {}
        if layer.options.device:
            devices.find(layer.options.device)  # so that a wrong name is an error of this cell
        parameters = list(inspect.signature(function).parameters)
        for kind in ("static", "donate", "traced"):
            for name in getattr(layer.options, kind):
                if name not in parameters:
                    told = f"{function.__name__}({', '.join(parameters)})"
                    raise UsageError(f"%%jit --{kind} {name}: {told} has no argument {name}")

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        """Call the compiled function."""
        jitted = self._current()
        if current.trace.parent is None:  # else a part of another program
            self.calls += 1
        before, start = self._owner.compilations, time.perf_counter()
        try:
            out = jitted(*args, **kwargs)
        except (Exception, KeyboardInterrupt) as error:
            if _is_inside_a_trace(args, kwargs):
                raise
            self._owner.explain(error)
            raise
        if self._owner.compilations != before and not _is_inside_a_trace(args, kwargs):
            wait(out)
            self._owner.note(self, args, kwargs, time.perf_counter() - start)
        return out

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else types.MethodType(self, instance)

    def __getattr__(self, name: str) -> Any:
        """``lower``, ``trace``, ``eval_shape`` and whatever else a compiled function has."""
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._current(), name)

    def __repr__(self) -> str:
        return f"<%%jit function {self.__wrapped__.__name__}>"

    def _current(self) -> Any:
        """The compiled function for the notebook as it is now."""
        space = self._space
        if self._jitted is not None:
            for name, value in self._identities:
                if space.get(name) is not value:
                    break
            else:
                if not self._contents or all(fingerprint(space.get(n)) == key for n, key in self._contents):
                    return self._jitted
        return self._renew()

    def _renew(self) -> Any:
        space = self._space
        reach, names = Reacher(space), dict[str, None]()
        names.update(dict.fromkeys(reach.behind(self._function)))
        todo = list(names)
        while todo:
            for inner in reach(todo.pop()):
                if inner not in names:
                    names[inner] = None
                    todo.append(inner)
        values = {name: space[name] for name in names if name in space and space[name] is not self}
        keys = {name: fingerprint(value) for name, value in values.items()}
        self._identities = [(name, value) for name, value in values.items() if not _is_mutable(value)]
        self._contents = [(name, keys[name]) for name, value in values.items() if _is_mutable(value)]
        changed = [name for name, key in keys.items() if name in self._watched and self._watched[name] != key]
        if changed:
            self._reason = ", ".join(_told(name, self._watched[name], keys[name]) for name in changed)
        self._watched = keys
        version = tuple(keys.values())
        if version not in self._versions:
            if len(self._versions) >= _VERSIONS:
                self._versions.pop(next(iter(self._versions)))
            self._versions[version] = self._compile()
        self._jitted = self._versions[version]
        return self._jitted

    def _compile(self) -> Any:
        # A function of its own for each version: traces are kept by function, and they hold what was read.
        @functools.wraps(self._function)
        def version(*args: Any, **kwargs: Any) -> Any:
            return self._function(*args, **kwargs)

        options = self._layer.options
        return jaxlab.jit(
            version,
            static_argnames=tuple(options.static),
            donate_argnames=tuple(options.donate),
            device=devices.find(options.device) if options.device else None,
        )

    @property
    def device(self) -> str:
        """The name of the device on which it runs."""
        named = self._layer.options.device
        return devices.label(devices.find(named) if named else None)

    def run_record(self, shell: Any) -> CellRun:
        """The start of a record of a new program of this function."""
        code = self.__wrapped__.__code__ if hasattr(self.__wrapped__, "__code__") else None
        filename = code.co_filename if code is not None else ""
        first = code.co_firstlineno if code is not None else 1
        try:
            text = inspect.getsource(self.__wrapped__)
        except (OSError, TypeError):
            text = ""
        return CellRun(
            self.__wrapped__.__name__, "function", text, label_of(shell, filename), running_cell(shell)[0],
            stack=[(layer.name, layer.line) for layer in self._layers], device=self.device, first_line=first,
        )  # fmt: skip

    def new_program(self, bindings: dict[str, Binding]) -> tuple[ProgramKey, str]:
        """Remember what a new program was made for; returns that, and why no earlier one would do."""
        environment: Environment = (("device", self.device), ("options", config.trace_key()))
        reason, self._reason = self._reason, ""
        reason = reason or nearest_difference(self._signatures, environment, bindings)
        if not self._signatures:
            reason = "first call"
        values = tuple(binding.key for binding in bindings.values())
        key = ProgramKey(
            self.__wrapped__.__name__, tuple(map(str, self._layers)), environment, tuple(bindings), values
        )
        self._signatures = [*self._signatures[1 - _VERSIONS :], key]
        return key, reason or "its program was dropped from the cache"

    def bindings(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Binding]:
        """The arguments of a call by name, taken apart into what is traced and what is static."""
        try:
            bound = inspect.signature(self._function).bind(*args, **kwargs).arguments
        except TypeError:
            bound = {str(i): value for i, value in enumerate(args)} | kwargs
        static = self._layer.options.static
        return {
            name: bind(name, value, "static")
            if name in static
            else replace(bind(name, value, "traced"), why="an argument is traced")
            for name, value in bound.items()
        }


def _is_inside_a_trace(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    return any(isinstance(leaf, Tracer) for leaf in tree_util.tree_leaves((args, kwargs)))


def _told(name: str, before: Fingerprint, now: Fingerprint) -> str:
    if before.kind == now.kind == "function":
        return f"function {name} was redefined"
    return (
        f"global {name}: {before.text} → {now.text}"
        if before.text != now.text
        else f"global {name} has changed"
    )


def _is_mutable(value: Any) -> bool:
    """Whether a value can change while it stays the same object."""
    atoms = (
        types.FunctionType,
        types.ModuleType,
        type,
        int,
        float,
        complex,
        str,
        bytes,
        type(None),
        CompiledFunction,
        Ref,
    )
    if isinstance(value, (*atoms, jaxlab.Array)) or (callable(value) and hasattr(value, "__wrapped__")):
        return False
    nbytes = getattr(value, "nbytes", None)
    return nbytes is None or nbytes <= _SMALL
