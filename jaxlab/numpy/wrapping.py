"""What makes a plain function a function of `jaxlab.numpy`, and constants that are like an operand."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from jaxlab.core.aval import aval_of
from jaxlab.core.trace import Tracer
from jaxlab.dtypes import python_scalar_dtype, scalar_type_of
from jaxlab.primitives.broadcasting import broadcast_in_dim
from jaxlab.runtime.array import Array, put
from jaxlab.transforms.jit import jit

BOOL = np.dtype(np.bool_)


def compiled(fun: Callable[..., Any] | None = None, /, **options: Any) -> Any:
    """A function of `jaxlab.numpy`: compiled as a whole when called on arrays, and spread out in other
    programs.

    The result is jaxlib's C++ function, so that a call on arrays does not pass through Python. Other
    functions that are
    being traced call its ``__wrapped__``, which is the plain Python function.
    """
    return functools.partial(compiled, **options) if fun is None else named(fun, inline=True, **options)


def named(fun: Callable[..., Any] | None = None, /, **options: Any) -> Any:
    """As `compiled`, but another program shows it as one equation, ``jit[name=...]``."""
    if fun is None:
        return functools.partial(named, **options)
    function = jit(fun, **options)
    function.__doc__ = fun.__doc__
    function._inline = bool(options.get("inline"))
    return function


def as_array(x: Any) -> Any:
    """``x`` itself if it is an array or traced, else as an array: functions that change nothing return
    arrays, too."""
    return x if type(x) is Array or isinstance(x, Tracer) else put(x)


def like(x: Any, value: complex) -> Any:
    """A scalar of the dtype of ``x``, weak where ``x`` is; it becomes a literal of a program."""
    aval = aval_of(x)
    return _weak(aval.dtype, value) if aval.weak_type else aval.dtype.type(value)


def on_device(x: Any, device: Any) -> Any:
    """``x`` on a device, where one is named and ``x`` is not traced."""
    return x if device is None or isinstance(x, Tracer) else put(x, device=device)


def strong(x: Any, value: complex) -> Any:
    """A scalar of the dtype of ``x`` that is not weak, so that the result of an operation is not, either."""
    return aval_of(x).dtype.type(value)


def _weak(dtype: Any, value: complex) -> Any:
    kind = scalar_type_of(dtype)
    return kind(value) if dtype == python_scalar_dtype(kind) else dtype.type(value)


def filled(x: Any, value: complex, dtype: Any = None) -> Any:
    """An array of the shape of ``x``, and of its dtype unless another is given, that holds one value
    everywhere."""
    aval = aval_of(x)
    scalar = dtype.type(value) if dtype is not None else like(aval, value)
    return broadcast_in_dim(scalar, aval.shape, ()) if aval.shape else put(scalar)
