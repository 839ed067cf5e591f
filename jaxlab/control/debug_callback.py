"""``debug.callback`` and ``debug.print``: seeing the values of a program while it runs."""

from __future__ import annotations

import copy
import logging
import string
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from jaxlab import tree
from jaxlab.control.callback import told
from jaxlab.control.python_call import call_now, lower_call
from jaxlab.core import source
from jaxlab.core.aval import ShapedArray, aval_of
from jaxlab.core.effects import Effect, Effects
from jaxlab.core.primitive import Example, Primitive
from jaxlab.core.trace import current
from jaxlab.primitives.broadcasting import F32
from jaxlab.primitives.slicing import index_in_dim

logger = logging.getLogger("jaxlab.debug")

DEBUG = Effect("Debug", repeats=True)
ORDERED_DEBUG = Effect("OrderedDebug", ordered=True, repeats=True)


def debug_callback(
    callback: Callable[..., Any] | None = None,
    *args: Any,
    ordered: bool = False,
    partitioned: bool = False,
    **kwargs: Any,
) -> Any:
    """Call a Python function with values of a program, when it runs; what it returns is dropped.

    Under `vmap` it is called once for each slice, under `grad` in the forward pass, in a loop at each step,
    and again where `checkpoint` computes again.

    Args:
      callback: a function of pytrees; arrays among the arguments are arrays on the CPU when it is called.
        Without it, ``callback(ordered=True)`` returns a function to be called with it and its arguments.
      args, kwargs: what to call it with; what is no array is passed on as it is.
      ordered: whether ordered calls are made in the order of the program.
      partitioned: in programs on several devices, whether each device makes a call, with its own part.

    Raises:
      TypeError: if ``callback`` is no function.

    >>> jit(lambda x: jaxlab.debug.callback(lambda x: print("x is", x), x + 1))(1.0)
    x is 2.0
    """

    def with_options(callback: Any, *args: Any, **kwargs: Any) -> None:
        if not callable(callback):
            raise TypeError(
                f"debug.callback: the callback is a {type(callback).__name__}, but a function is needed; pass "
                "the function, not its result"
            )
        dynamic, static, in_tree = _split(args, kwargs)
        debug_callback_p.bind(
            *dynamic,
            callback=DebugFunction(callback, in_tree, static),
            effect=ORDERED_DEBUG if ordered else DEBUG,
            partitioned=partitioned,
        )

    if callback is not None:
        return with_options(callback, *args, **kwargs)
    _only_options("debug.callback", args, kwargs)
    return with_options


def debug_print(
    fmt: str | None = None,
    *args: Any,
    ordered: bool = False,
    partitioned: bool = False,
    skip_format_check: bool = False,
    _use_logging: bool = False,
    **kwargs: Any,
) -> Any:
    """Print values of a program when it runs, in the cell that runs it.

    Args:
      fmt: a text with replacement fields, as for `str.format`; not an f-string, which would be formatted
        while the program is traced. Without it, ``print(ordered=True)`` returns a function to be called with
        it and its arguments.
      args, kwargs: what to put in its fields: pytrees of arrays, or anything else.
      ordered: whether ordered lines are printed in the order of the program.
      partitioned: in programs on several devices, whether each prints its own part.
      skip_format_check: do not compare the fields with the arguments.

    Raises:
      ValueError: if an argument has no field.
      KeyError, IndexError: if a field has no argument.

    >>> @jit
    ... def f(x):
    ...     jaxlab.debug.print("x = {x}, twice {}", 2 * x, x=x)
    >>> f(1.5)
    x = 1.5, twice 3.0
    """

    def with_options(fmt: str, *args: Any, **kwargs: Any) -> None:
        if not isinstance(fmt, str):
            raise TypeError(
                f"debug.print: the format is a {type(fmt).__name__}, but a text is needed; write "
                "debug.print('{}', x)"
            )
        if not skip_format_check:
            _FormatChecker().format(fmt, *args, **kwargs)
        first = next(iter(string.Formatter().parse(fmt)), None)
        dynamic, static, in_tree = _split(args, kwargs)
        debug_print_p.bind(
            *dynamic,
            fmt=fmt,
            ordered=ordered,
            partitioned=partitioned,
            in_tree=in_tree,
            static_args=static,
            np_printoptions=tuple(np.get_printoptions().items()),
            has_placeholders=first is not None and first[1] is not None,
            logging_record=_record() if _use_logging else None,
        )

    if fmt is not None:
        return with_options(fmt, *args, **kwargs)
    _only_options("debug.print", args, kwargs)
    return with_options


def debug_log(
    fmt: str | None = None,
    *args: Any,
    ordered: bool = False,
    partitioned: bool = False,
    skip_format_check: bool = False,
    **kwargs: Any,
) -> Any:
    """`debug_print` to the logger ``jaxlab.debug``, at the level INFO, with the line that logs.

    >>> jaxlab.debug.log("x = {x}", x=1)
    """
    return debug_print(
        fmt,
        *args,
        ordered=ordered,
        partitioned=partitioned,
        skip_format_check=skip_format_check,
        _use_logging=True,
        **kwargs,
    )


def _only_options(what: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    given = [*map(repr, args), *kwargs]
    if given:
        raise TypeError(
            f"{what}: {', '.join(given)} was given among the options, but they are ordered and partitioned; "
            "pass the rest to the function that this returns"
        )


class _FormatChecker(string.Formatter):
    """Goes through a format and formats nothing, since tracers have no text yet."""

    def format_field(self, value: Any, format_spec: str) -> str:
        return ""

    def convert_field(self, value: Any, conversion: Any) -> Any:
        return value

    def check_unused_args(self, used_args: Any, args: Any, kwargs: Any) -> None:
        unused = [f"argument {i}" for i in range(len(args)) if i not in used_args]
        unused += [f"the argument {name}" for name in kwargs if name not in used_args]
        if unused:
            raise ValueError(
                f"debug.print: {' and '.join(unused)} was given, but the format has no field for it; write "
                "{} or {name} in a plain text (an f-string has no fields left)"
            )


def _split(args: Any, kwargs: Any) -> tuple[list[Any], tuple[tuple[int, Any], ...], Any]:
    """The leaves that are arrays, the others by position, and the structure of all."""
    leaves, in_tree = tree.flatten((args, kwargs))
    dynamic, static = [], []
    for i, x in enumerate(leaves):
        try:
            aval_of(x)
            dynamic.append(x)
        except TypeError:
            static.append((i, x))
    return dynamic, tuple(static), in_tree


def _record() -> logging.LogRecord:
    frame = source.user_frame(current.traceback or source.take())
    file, line = ("(unknown file)", 0) if frame is None else (source.display_name(frame.file), frame.line)
    return logger.makeRecord(logger.name, logging.INFO, file, line, "", (), None)


@dataclass(frozen=True, slots=True)
class DebugFunction:
    """A function of pytrees as one of those leaves that are arrays."""

    function: Callable[..., Any]
    in_tree: Any
    static_args: tuple[tuple[int, Any], ...]

    def __call__(self, *dynamic: Any) -> tuple[()]:
        static, given = dict(self.static_args), iter(dynamic)
        leaves = [static[i] if i in static else next(given) for i in range(len(static) + len(dynamic))]
        args, kwargs = tree.unflatten(self.in_tree, leaves)
        self.function(*args, **kwargs)
        return ()

    def __repr__(self) -> str:
        return str(self.function)


class DebugPrimitive(Primitive):
    """A call that gives nothing to the program, and so goes along with every transformation."""

    multiple_results = True

    def bind(self, *args: Any, **params: Any) -> Any:
        """Apply it: where nothing is traced, by a call of the function."""
        if current.trace.parent is None:
            return call_now(self.told(params), self.function(params), args, ())
        return super().bind(*args, **params)

    def function(self, params: dict[str, Any]) -> Callable[..., Any]:
        """What is called with the operands."""
        raise NotImplementedError

    def told(self, params: dict[str, Any]) -> str:
        """What to call it in error texts."""
        return self.name

    def abstract_eval(self, *avals: Any, **params: Any) -> list[ShapedArray]:
        return []

    def lower(self, ctx: Any, *operands: Any, **params: Any) -> list[Any]:
        return lower_call(
            ctx,
            self.told(params),
            self.function(params),
            operands,
            (),
            has_side_effect=True,
            ordered=ORDERED_DEBUG in self.effects(params),
            partitioned=params["partitioned"],
        )

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any], **params: Any) -> tuple[Any, Any]:
        self.bind(*primals, **params)
        return [], []

    def transpose(self, ct: Any, *args: Any, **params: Any) -> list[Any]:
        return [None] * len(args)

    def batch(
        self, size: int, args: Sequence[Any], dims: Sequence[int | None], **params: Any
    ) -> tuple[Any, Any]:
        for i in range(size):
            slices = [
                x if d is None else index_in_dim(x, i, d, keepdims=False)
                for x, d in zip(args, dims, strict=True)
            ]
            self.bind(*slices, **params)
        return [], []

    def reference(self, *args: Any, **params: Any) -> list[Any]:
        return []


class DebugCallback(DebugPrimitive):
    name = "debug_callback"

    def effects(self, params: dict[str, Any]) -> Effects:
        return frozenset({params["effect"]})

    def function(self, params: dict[str, Any]) -> Callable[..., Any]:
        function: Callable[..., Any] = params["callback"]
        return function

    def told(self, params: dict[str, Any]) -> str:
        return told(self.name, params["callback"].function)

    def examples(self) -> Iterable[Example]:
        callback = DebugFunction(np.shape, tree.structure(((0,), {})), ())
        params = {"callback": callback, "effect": DEBUG, "partitioned": False}
        yield Example((ShapedArray((3,), F32),), params)
        yield Example((ShapedArray((2, 3), F32),), {**params, "effect": ORDERED_DEBUG})


class DebugPrint(DebugPrimitive):
    name = "debug_print"

    def effects(self, params: dict[str, Any]) -> Effects:
        return frozenset({ORDERED_DEBUG if params["ordered"] else DEBUG})

    def function(self, params: dict[str, Any]) -> Callable[..., Any]:
        fmt, record, options = params["fmt"], params["logging_record"], dict(params["np_printoptions"])

        def show(*args: Any, **kwargs: Any) -> None:
            if params["has_placeholders"]:
                with np.printoptions(**options):
                    text = fmt.format(*args, **kwargs)
            else:
                text = " ".join((fmt, *map(str, args)))
            if record is not None:
                own = copy.copy(record)
                own.msg = text
                logger.handle(own)
            else:  # at once, so that lines of several devices do not mix
                sys.stdout.write(text + "\n")

        return DebugFunction(show, params["in_tree"], params["static_args"])

    def examples(self) -> Iterable[Example]:
        params = {
            "fmt": "",
            "ordered": False,
            "partitioned": False,
            "in_tree": tree.structure(((0,), {})),
            "static_args": (),
            "np_printoptions": (),
            "has_placeholders": True,
            "logging_record": None,
        }
        yield Example((ShapedArray((3,), F32),), params)
        yield Example((ShapedArray((), F32),), {**params, "ordered": True})


debug_callback_p = DebugCallback()
debug_print_p = DebugPrint()
