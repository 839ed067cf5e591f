"""Cells that only define functions: each ``def`` is bound to its transformed self."""

from __future__ import annotations

import functools
import inspect
import time
import types
from collections.abc import Callable, Sequence
from typing import Any

from IPython.core.error import UsageError

import jaxlab
from jaxlab import tree_util
from jaxlab.core.trace import Tracer
from jaxlab.magics.fingerprint import Fingerprint, fingerprint
from jaxlab.magics.namespace import commit, lent
from jaxlab.magics.reach import Reacher
from jaxlab.magics.show import CellRun
from jaxlab.magics.source import Source, running_cell
from jaxlab.magics.stack import Layer
from jaxlab.magics.traceback import label_of
from jaxlab.magics.values import describe

_DERIVATIVES = ("grad", "value_and_grad", "jacfwd", "jacrev", "hessian")
_SMALL = 1 << 16  # NumPy arrays up to here are compared by content at every call, others by identity
_VERSIONS = 32

Note = Callable[["CompiledFunction", tuple[Any, ...], dict[str, Any], float, str], None]


def define(shell: Any, source: Source, layers: Sequence[Layer], note: Note) -> list[str]:
    """Run a cell of definitions and bind each function's transformed self; returns the new names.

    ``note`` is called after a call that made a new program.  Raises UsageError where a layer does not fit a
    function.
    """
    space = shell.user_ns
    with lent(space, {}) as before:
        exec(source.whole, space)
        bound = {
            name: value for name, value in space.items() if name not in before or value is not before[name]
        }
        new = {}
        for name in source.definitions:
            transformed = bound[name]
            for layer in reversed(layers):
                transformed = _apply(layer, transformed, name, space, note)
            prefix = "".join(f"{layer.name}_" for layer in layers if layer.name in _DERIVATIVES)
            new[prefix + name] = transformed
    commit(space, {**bound, **new})
    return list(new)


def _apply(layer: Layer, function: Any, name: str, space: dict[str, Any], note: Note) -> Any:
    if layer.name == "jit":
        return CompiledFunction(function, layer, space, note)
    if layer.name in _DERIVATIVES:
        if layer.options.of:
            raise UsageError(
                f"%%{layer.name} --of: a cell that only defines functions has no values; return it instead"
            )
        argnums = _argnums(layer, layer.names, function, name) or 0
        kind = "value_and_grad" if getattr(layer.options, "value", False) else layer.name
        return getattr(jaxlab, kind)(function, argnums=argnums)
    if layer.name == "vmap":
        axes = dict(layer.options.names)
        _argnums(layer, list(axes), function, name)
        in_axes: Any = tuple(axes.get(parameter) for parameter in _positional(function)) if axes else 0
        return jaxlab.vmap(
            function, in_axes=in_axes, out_axes=layer.options.out, axis_size=layer.options.size
        )
    raise UsageError(
        f"%%{layer.name}: it needs values, but the cell only defines functions; call {name} in the cell"
    )


def _argnums(layer: Layer, names: Sequence[str], function: Any, name: str) -> int | tuple[int, ...] | None:
    parameters = _positional(function)
    for wanted in names:
        if wanted not in parameters:
            raise UsageError(
                f"%%{layer.name} {wanted}: {name}({', '.join(parameters)}) has no argument {wanted}"
            )
    numbers = tuple(parameters.index(wanted) for wanted in names)
    return numbers[0] if len(numbers) == 1 else numbers or None


def _positional(function: Any) -> list[str]:
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [p.name for p in inspect.signature(function).parameters.values() if p.kind in kinds]


class CompiledFunction:
    """A function of the notebook compiled by ``%%jit``; what it reads from the notebook is part of the
    program.

    The values of the notebook's names that it reads are constants of the program, as in ``jaxlab.jit``; but
    when one of them has changed, or a function that it calls was redefined, it is traced anew instead of
    answering with the old one.  Pass what changes at every step as an argument.
    """

    def __init__(self, function: Any, layer: Layer, space: dict[str, Any], note: Note) -> None:
        functools.update_wrapper(self, function)
        self.traces = 0
        self._function, self._layer, self._space, self._note = function, layer, space, note
        self._versions: dict[tuple[Fingerprint, ...], Any] = {}
        self._identities: list[tuple[str, Any]] = []
        self._contents: list[tuple[str, Fingerprint]] = []
        self._jitted: Any = None
        self._reason = "first call"
        self._watched: dict[str, Fingerprint] = {}
        self._device = layer.options.device
        parameters = list(inspect.signature(function).parameters)
        for kind in ("static", "donate", "traced"):
            for name in getattr(layer.options, kind):
                if name not in parameters:
                    told = f"{function.__name__}({', '.join(parameters)})"
                    raise UsageError(f"%%jit --{kind} {name}: {told} has no argument {name}")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the compiled function."""
        jitted = self._current()
        before, start = self.traces, time.perf_counter()
        out = jitted(*args, **kwargs)
        if self.traces != before:
            self._note_program(args, kwargs, time.perf_counter() - start)
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
        @functools.wraps(self._function)
        def counted(*args: Any, **kwargs: Any) -> Any:
            self.traces += 1
            return self._function(*args, **kwargs)

        options = self._layer.options
        return jaxlab.jit(
            counted, static_argnames=tuple(options.static), donate_argnames=tuple(options.donate)
        )

    def run_record(self, shell: Any, device: str) -> CellRun:
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
            stack=[("jit", self._layer.line)], device=device, first_line=first,
        )  # fmt: skip

    def _note_program(self, args: tuple[Any, ...], kwargs: dict[str, Any], seconds: float) -> None:
        if any(isinstance(leaf, Tracer) for leaf in tree_util.tree_leaves((args, kwargs))):
            return  # part of another program, which has its own record
        reason, self._reason = self._reason, "new shapes, dtypes or static arguments"
        self._note(self, args, kwargs, seconds, reason)


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
    )
    if isinstance(value, (*atoms, jaxlab.Array)) or (callable(value) and hasattr(value, "__wrapped__")):
        return False
    nbytes = getattr(value, "nbytes", None)
    return nbytes is None or nbytes <= _SMALL


def argument_types(args: tuple[Any, ...], kwargs: dict[str, Any], function: Any) -> list[tuple[str, str]]:
    """The arguments of a call by name, with their types."""
    try:
        bound = inspect.signature(function).bind(*args, **kwargs).arguments
    except TypeError:
        bound = {str(i): value for i, value in enumerate(args)} | kwargs
    return [(name, describe(value)) for name, value in bound.items()]
