"""``checkify``: functions that return what went wrong in them, since compiled programs cannot raise."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from jaxlab import tree
from jaxlab.core.aval import aval_of
from jaxlab.core.trace import Tracer, current, interpret_with
from jaxlab.interpreters.check_errors import (
    DivisionByZeroError,
    ErrorCategory,
    FailedCheckError,
    NaNError,
    OOBError,
    Report,
)
from jaxlab.interpreters.checkify import CheckTrace
from jaxlab.interpreters.error_values import Error, failure, place, raise_error
from jaxlab.interpreters.functions import function_name
from jaxlab.primitives.logic import bitwise_not
from jaxlab.runtime.array_type import Array

user_checks = frozenset({FailedCheckError})
nan_checks = frozenset({NaNError})
index_checks = frozenset({OOBError})
div_checks = frozenset({DivisionByZeroError})
float_checks = nan_checks | div_checks
automatic_checks = float_checks | index_checks
all_checks = automatic_checks | user_checks


def checkify(
    f: Callable[..., Any], errors: Iterable[ErrorCategory] = user_checks
) -> Callable[..., tuple[Error, Any]]:
    """A function like ``f`` that returns ``(error, result)``: the first check that failed in it, if one did.

    Args:
      f: a function of pytrees of arrays. Calls of compiled functions, loops and branches in it are checked
        too, and it may be differentiated, mapped and compiled before or after.
      errors: the categories to check: ``user_checks`` (calls of `check`), ``nan_checks``, ``div_checks``,
        ``index_checks``, or unions of them, such as ``float_checks`` and ``all_checks``.

    >>> def inverse(x):
    ...     check(x > 0, "{x} is not positive", x=x)
    ...     return 1 / x
    >>> error, result = jit(checkify(inverse))(jnp.float32(-2.0))
    >>> result
    Array(-0.5, dtype=float32)
    >>> error.get().partition(" (")[0]
    '-2.0 is not positive'
    """
    if not callable(f):
        raise TypeError(
            f"checkify: expected a function, but got a {type(f).__name__}; pass the function, not its result"
        )
    enabled = frozenset(errors)

    @functools.wraps(f)
    def checked(*args: Any, **kwargs: Any) -> tuple[Error, Any]:
        trace = CheckTrace(current.trace, enabled)
        with interpret_with(trace):
            out = f(*args, **kwargs)
        return trace.error, out

    checked.__name__ = function_name(f)
    return checked


def check(pred: Any, msg: str, *fmt_args: Any, debug: bool = False, **fmt_kwargs: Any) -> None:
    """Raise an error unless ``pred`` holds; in what `checkify` makes, return it.

    Args:
      pred: a boolean scalar.
      msg: what to say, with replacement fields as for `str.format`.
      fmt_args, fmt_kwargs: what to put in its fields, pytrees of arrays.
      debug: check under `checkify` alone.

    Raises:
      TypeError: if ``pred`` is no boolean scalar, or a field's value no array.
      JaxRuntimeError: if ``pred`` is false, where nothing is traced.
      ValueError: when a function that calls it is compiled without `checkify`.

    >>> check(jnp.array(1.0) > 0, "never said")
    """
    _check("debug_check" if debug else "check", pred, msg, fmt_args, fmt_kwargs, debug)


def debug_check(pred: Any, msg: str, *fmt_args: Any, **fmt_kwargs: Any) -> None:
    """`check` under `checkify`, and nothing without it.

    >>> debug_check(False, "never said")
    """
    _check("debug_check", pred, msg, fmt_args, fmt_kwargs, True)


def _check(name: str, pred: Any, msg: str, args: Any, kwargs: Any, debug: bool) -> None:
    scalar = isinstance(pred, bool | np.bool_) or (
        isinstance(pred, Array | np.ndarray | Tracer) and aval_of(pred).str_short() == "bool[]"
    )
    if not scalar:
        given = aval_of(pred).str_short() if hasattr(pred, "dtype") else f"a {type(pred).__name__}"
        raise TypeError(
            f"{name}: the predicate is {given}, but a boolean scalar is needed; compare, or reduce with "
            "jnp.all"
        )
    leaves, in_tree = tree.flatten((args, kwargs))
    for x in leaves:
        if not isinstance(x, Array | np.ndarray | Tracer):
            raise TypeError(
                f"{name}: a value to show is {x!r}, a {type(x).__name__}, but arrays and pytrees of arrays "
                "are needed; put the rest in the text"
            )
    if isinstance(pred, bool):
        pred = np.bool_(pred)
    report = Report(FailedCheckError, place(), format=msg, in_tree=in_tree)
    raise_error(failure(bitwise_not(pred), report, leaves), debug=debug)


def check_error(error: Error) -> None:
    """Raise JaxRuntimeError if ``error`` is one; in what `checkify` makes, return it.

    >>> error, _ = checkify(jnp.log, errors=nan_checks)(2.0)
    >>> check_error(error)

    Raises:
      TypeError: if ``error`` is no `Error`.
    """
    if not isinstance(error, Error):
        raise TypeError(
            f"check_error: the argument is a {type(error).__name__}, but an Error is needed; pass the first "
            "result of a function made by checkify"
        )
    raise_error(error, debug=False)
