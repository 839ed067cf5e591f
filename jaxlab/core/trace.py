"""Traces and tracers: one current interpreter per thread, and each trace knows its parent."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from jaxlab import errors
from jaxlab.core import source
from jaxlab.core.aval import ShapedArray, aval_makers


class Trace:
    """An interpretation of primitives.

    ``process`` gets a primitive, its arguments (values and tracers) and its parameters, and returns what
    ``bind`` returns. ``staging`` tells whether somewhere down the chain of parents equations are recorded:
    then operations on concrete values are recorded too, and compiled fast paths must not be taken. ``records``
    tells whether it is this interpreter itself that records them.
    """

    __slots__ = ("__weakref__", "parent", "staging")
    records: ClassVar[bool] = False
    parent: Trace | None
    staging: bool

    def __init__(self, parent: Trace | None) -> None:
        self.parent = parent
        self.staging = parent is not None and parent.staging

    @property
    def main(self) -> Trace:
        """What marks the values of this interpretation: tracers whose traces have one ``main`` belong together."""
        return self

    def process(self, primitive: Any, args: Sequence[Any], params: dict[str, Any]) -> Any:
        """Interpret an application of ``primitive``."""
        raise NotImplementedError


class Tracer:
    """Stands for a value while a function is traced. ``jaxlab.numpy`` attaches operators and methods."""

    __slots__ = ("__weakref__", "_trace", "aval")
    __array_priority__ = 1000
    __hash__: ClassVar[None]  # type: ignore[assignment]
    aval: ShapedArray

    def __init__(self, trace: Trace, aval: ShapedArray) -> None:
        self._trace = trace
        self.aval = aval

    @property
    def shape(self) -> tuple[int, ...]:
        return self.aval.shape

    @property
    def dtype(self) -> Any:
        return self.aval.dtype

    @property
    def weak_type(self) -> bool:
        return self.aval.weak_type

    @property
    def ndim(self) -> int:
        return len(self.aval.shape)

    @property
    def size(self) -> int:
        return self.aval.size

    @property
    def nbytes(self) -> int:
        return self.aval.nbytes

    @property
    def itemsize(self) -> int:
        return int(self.aval.dtype.itemsize)

    def __len__(self) -> int:
        return len(self.aval)

    def concrete(self) -> Any:
        """The concrete value where this tracer has one (eager differentiation), else None."""
        return None

    def origin(self) -> str:
        """Where the value comes from, in words, for error texts."""
        return ""

    def describe(self) -> str:
        """The tracer in a few words: type, and where it comes from."""
        origin = self.origin()
        return f"traced {self.aval.str_short()}" + (f" {origin}" if origin else "")

    def __repr__(self) -> str:
        return f"{type(self).__name__}<{self.aval.str_short()}>"

    def _convert(self, error: type[Exception], convert: Callable[[Any], Any]) -> Any:
        value = self.concrete()
        if value is None:
            raise error(self)
        return convert(value)

    def __bool__(self) -> bool:
        return bool(self._convert(errors.TracerBoolConversionError, bool))

    def _number(self, convert: type) -> Any:
        value = self.concrete()
        if value is None:
            remedy = f"keep it an array (x.astype({convert.__name__}))"
            raise errors.ConcretizationTypeError(self, convert.__name__, remedy)
        return convert(value)

    def __int__(self) -> int:
        return int(self._number(int))

    def __float__(self) -> float:
        raise self._would_be_cut(float)

    def __complex__(self) -> complex:
        raise self._would_be_cut(complex)

    def _would_be_cut(self, kind: type) -> errors.ConcretizationTypeError:
        """The error for a conversion to an inexact number, which would silently have no derivative."""
        name = kind.__name__
        if self.concrete() is None:
            return errors.ConcretizationTypeError(self, name, f"keep it an array (x.astype({name}))")
        remedy = f"keep it an array (x.astype({name})), give {name} lax.stop_gradient(x)"
        return errors.ConcretizationTypeError(self, name, remedy, "which would have no derivative")

    def __index__(self) -> int:
        return int(self._convert(errors.TracerIntegerConversionError, lambda v: v.__index__()))

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise errors.TracerArrayConversionError(self)

    def __format__(self, spec: str) -> str:
        if not spec:
            return repr(self)
        value = self.concrete()
        if value is None:
            remedy = f"print it when the program runs, with jaxlab.debug.print('{{x:{spec}}}', x=x)"
            raise errors.ConcretizationTypeError(self, f"the format {spec!r}", remedy)
        return format(value, spec)

    def _host_method(self, name: str) -> Any:
        value = self.concrete()
        if isinstance(value, float | complex):  # differentiated as the Python number that it was given as
            value = np.asarray(value)
        method = getattr(value, name, None)
        if method is None:
            raise errors.ConcretizationTypeError(self, name, "return the array, and convert what comes back")
        return method()

    def tolist(self) -> Any:
        """Nested lists of Python numbers, where the numbers are known."""
        return self._host_method("tolist")

    def tobytes(self) -> Any:
        """The bytes of the elements, where they are known."""
        return self._host_method("tobytes")

    def devices(self) -> Any:
        """The devices on which the value lies, where it is known."""
        return self._host_method("devices")


Tracer.__hash__ = None


class _Current(threading.local):
    """What this thread is interpreting.

    Attributes:
      trace: the interpreter.
      scope: the named scope, ``"a/b"``, under which equations are recorded.
      axes: the named axes in scope, outermost first, as pairs of name and size.
      traceback: what equations get while a program is run again or transposed: the traceback of the equation
        that they are derived from.
      take: what gives an equation its traceback otherwise.
    """

    trace: Trace
    scope: str = ""
    axes: tuple[tuple[Any, int], ...] = ()
    traceback: Any = None
    take: Callable[[], Any] = staticmethod(source.take)


current = _Current()


def set_base(trace: Trace) -> None:
    """Install the interpreter that every thread starts with (evaluation)."""
    _Current.trace = trace


def base_trace() -> Trace:
    """The interpreter that every thread starts with: it computes at once."""
    return _Current.trace


def _no_listener(staging: bool) -> None:
    return None


# `runtime` replaces this: the C++ dispatch has to know whether Python is recording equations.
staging_listener: list[Callable[[bool], None]] = [_no_listener]


class interpret_with:
    """Context manager: ``trace`` is the current interpreter of this thread inside."""

    __slots__ = ("previous", "trace")

    def __init__(self, trace: Trace) -> None:
        self.trace = trace

    def __enter__(self) -> Trace:
        self.previous = previous = current.trace
        current.trace = trace = self.trace
        if trace.staging is not previous.staging:
            staging_listener[0](trace.staging)
        return trace

    def __exit__(self, *exc: object) -> None:
        previous = self.previous
        if previous.staging is not current.trace.staging:
            staging_listener[0](previous.staging)
        current.trace = previous


def leaked(tracer: Tracer) -> errors.UnexpectedTracerError:
    """The error for a tracer used after, or outside, the trace it belongs to."""
    return errors.UnexpectedTracerError(tracer)


def is_tracer(x: Any) -> bool:
    """Whether ``x`` stands for a value in some trace."""
    return isinstance(x, Tracer)


aval_makers[Tracer] = lambda tracer: tracer.aval
