"""Python functions called from compiled programs: checked, since jaxlib checks nothing they return."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from jaxlab import dtypes
from jaxlab.core import source
from jaxlab.core.aval import ShapedArray
from jaxlab.runtime.native import JaxRuntimeError


class _Raised(threading.local):
    error: BaseException | None = None


_raised = _Raised()
_raised_elsewhere: list[BaseException] = []

# What has been launched and calls Python, until all its calls have happened.
_in_flight: set[Any] = set()


def checked(
    function: Callable[..., Any], out_avals: Sequence[ShapedArray | None], name: str = "callback"
) -> Callable[..., tuple[Any, ...]]:
    """A function like ``function`` that returns a tuple of NumPy arrays of exactly the types ``out_avals``.

    None among ``out_avals`` stands for an ordering token, whatever is returned in its place. 64-bit results
    are narrowed as everywhere while ``enable_x64`` is off.

    Raises:
      JaxRuntimeError: from a call, if the results are not of those types: in a compiled program they would
        be garbage.
    """

    def call(*args: Any) -> tuple[Any, ...]:
        results = function(*args)
        results = tuple(results) if isinstance(results, tuple | list) else (results,)
        if len(results) != len(out_avals):
            raise JaxRuntimeError(
                f"{name}: {len(results)} results were returned, but {len(out_avals)} are needed; return as "
                "many arrays as result_shape_dtypes has"
            )
        return tuple(
            result if aval is None else _fitting(result, aval, i, name)
            for i, (result, aval) in enumerate(zip(results, out_avals))
        )

    return call


class Guarded:
    """`checked`, for jaxlib to call: an exception is kept, so that `take_error` can raise the very object
    instead of jaxlib's description of it.

    Attributes:
      traceback: where the program was told to make the call.
    """

    __slots__ = ("call", "name", "traceback")

    def __init__(
        self,
        function: Callable[..., Any],
        out_avals: Sequence[ShapedArray | None],
        name: str = "callback",
        traceback: Any = None,
    ) -> None:
        self.call = checked(function, out_avals, name)
        self.name = name
        self.traceback = traceback

    def __call__(self, *args: Any) -> tuple[Any, ...]:
        try:
            if _thread.launches:
                return self.call(*args)
            # One of XLA's own threads: what it prints belongs where the program was launched.
            return _last_launch[0].copy().run(self.call, *args)
        except BaseException as error:
            _raised.error = error
            if threading.current_thread() is not threading.main_thread():
                _raised_elsewhere.append(error)
            if self.traceback is not None:
                note = f"{self.name}, called at {source.summary(self.traceback)}"
                if note not in getattr(error, "__notes__", ()):
                    error.add_note(note)
            raise


guarded = Guarded


class _Thread(threading.local):
    launches: bool = False


_thread = _Thread()
_last_launch = [contextvars.copy_context()]


def launching() -> None:
    """A program that calls Python is about to be launched by this thread."""
    _thread.launches, _last_launch[0] = True, contextvars.copy_context()


#: Set while a callback waits for what a person types: meanwhile nothing else is to be shown.
asking = threading.Event()


def _fitting(result: Any, aval: ShapedArray, position: int, name: str) -> np.ndarray:
    value = np.asarray(result)
    if value.shape != aval.shape or (value.dtype != aval.dtype and not _narrowed(value.dtype, aval.dtype)):
        given = ShapedArray(value.shape, value.dtype)
        raise JaxRuntimeError(
            f"{name}: result {position} is {_told(given)}, but {_told(aval)} is needed; return that, or change "
            "result_shape_dtypes"
        )
    return np.ascontiguousarray(value, aval.dtype).reshape(aval.shape)


def _narrowed(given: Any, needed: Any) -> bool:
    # NumPy computes in 64 bits where the program has 32.
    return given.kind in "iufc" and dtypes.canonicalize(given) == needed


def _told(aval: ShapedArray) -> str:
    return f"{aval.dtype}[{','.join(map(str, aval.shape))}]"


def take_error() -> BaseException | None:
    """The exception that the last failed callback raised, once; of this thread, else of any."""
    error, _raised.error = _raised.error, None
    if error is None and _raised_elsewhere:
        error = _raised_elsewhere[-1]
    _raised_elsewhere.clear()
    return error


def wait_for(token: Any) -> None:
    """Wait until a program that was launched, of which jaxlib gave this token, has made all its calls."""
    _in_flight.add(token)
    try:
        token.block_until_ready()
    finally:
        _in_flight.discard(token)


def effects_barrier() -> None:
    """Wait until all that programs launched so far print, write and call has happened, in all threads.

    The thread that launches such a program waits for it anyway; this is for the others.

    >>> effects_barrier()
    """
    for token in tuple(_in_flight):
        token.block_until_ready()
