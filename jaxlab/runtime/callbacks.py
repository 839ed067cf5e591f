"""Python functions called from compiled programs: checked, since jaxlib checks nothing they return."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from jaxlab.core.aval import ShapedArray


class _Raised(threading.local):
    error: BaseException | None = None


_raised = _Raised()
_raised_elsewhere: list[BaseException] = []


def guarded(
    function: Callable[..., Any], out_avals: Sequence[ShapedArray | None], name: str = "callback"
) -> Callable[..., tuple[Any, ...]]:
    """A function that jaxlib may call with NumPy arrays: it returns a tuple of exactly the types
    ``out_avals``.

    A shape or dtype other than that would be garbage in the result, so it is a TypeError here. None among
    ``out_avals`` stands for an ordering token, whatever is returned in its place. An exception is kept, so
    that `take_error` can raise the very object instead of jaxlib's description of it.
    """

    def call(*args: Any) -> tuple[Any, ...]:
        try:
            results = function(*args)
            results = tuple(results) if isinstance(results, tuple | list) else (results,)
            if len(results) != len(out_avals):
                raise TypeError(
                    f"{name}: {len(results)} results were returned, but {len(out_avals)} are needed"
                )
            return tuple(
                result if aval is None else _fitting(result, aval, name)
                for result, aval in zip(results, out_avals)
            )
        except BaseException as error:
            _raised.error = error
            if threading.current_thread() is not threading.main_thread():
                _raised_elsewhere.append(error)
            raise

    return call


def _fitting(result: Any, aval: ShapedArray, name: str) -> np.ndarray:
    value = np.asarray(result)
    if value.shape != aval.shape or (value.dtype != aval.dtype and not _same_kind(value.dtype, aval.dtype)):
        raise TypeError(
            f"{name}: a result of type {value.dtype}{list(value.shape)} was returned, but "
            f"{aval.dtype}{list(aval.shape)} is needed"
        )
    return np.ascontiguousarray(value, aval.dtype).reshape(aval.shape)


def _same_kind(given: np.dtype, needed: np.dtype) -> bool:
    # NumPy computes in 64 bits where the program has 32: narrowing within a kind is what was meant.
    return given.kind == needed.kind and given.kind in "iufc" and given.itemsize >= needed.itemsize


def take_error() -> BaseException | None:
    """The exception that the last failed callback raised, once; of this thread, else of any."""
    error, _raised.error = _raised.error, None
    if error is None and _raised_elsewhere:
        error = _raised_elsewhere[-1]
    _raised_elsewhere.clear()
    return error
