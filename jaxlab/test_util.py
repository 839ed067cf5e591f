"""Derivatives against central differences: ``check_grads`` for a function, ``check_jvp``, ``check_vjp`` for a rule."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ml_dtypes
import numpy as np

from jaxlab import dtypes, tree
from jaxlab.core.aval import aval_of, is_inexact
from jaxlab.interpreters.functions import function_name
from jaxlab.transforms.jvp import jvp
from jaxlab.transforms.linearize import linearize
from jaxlab.transforms.vjp import vjp

EPS = 1e-4

# How far a derivative may be from the difference quotient, for each element, by dtype.
TOLERANCES: dict[Any, float] = {
    np.dtype(ml_dtypes.bfloat16): 1e-1,
    np.dtype(np.float16): 1e-2,
    np.dtype(np.float32): 2e-3,
    np.dtype(np.float64): 1e-5,
    np.dtype(np.complex64): 1e-3,
    np.dtype(np.complex128): 1e-5,
}

Tolerance = float | Mapping[Any, float] | None


def check_grads(
    f: Callable[..., Any],
    args: Sequence[Any],
    order: int,
    modes: Sequence[str] = ("fwd", "rev"),
    atol: Tolerance = None,
    rtol: Tolerance = None,
    eps: float | None = None,
) -> None:
    """Check the derivatives of ``f``, of orders up to ``order``, along a random direction.

    Args:
      f: a function of pytrees of arrays.
      args: where to check; integer arguments stay where they are.
      order: how often to differentiate.
      modes: which modes to check, each of ``"fwd"`` (`jvp`), ``"rev"`` (`vjp`) and ``"lin"`` (`linearize`), and
        in which to differentiate again.
      atol, rtol: tolerances for an element, a number or one by dtype.
      eps: the step of the differences, 1e-4 by default.

    Raises:
      AssertionError: if a derivative differs from the difference quotient.

    >>> check_grads(jnp.sin, (0.5,), order=2, eps=1e-2)
    """
    _check_grads(f, tuple(args), order, modes, "", {"atol": atol, "rtol": rtol, "eps": eps or EPS})


def _check_grads(
    f: Callable[..., Any],
    args: tuple[Any, ...],
    order: int,
    modes: Sequence[str],
    of: str,
    options: dict[str, Any],
) -> None:
    forward = {"fwd": ("JVP", jvp), "lin": ("LIN", _jvp_by_linearize)}
    for mode, (name, derivative) in forward.items():
        if mode in modes:
            name = f"{name} of {of}" if of else name
            derived = functools.partial(derivative, f)
            check_jvp(f, derived, args, err_msg=name, **options)
            if order > 1:
                # The primals serve as directions, too.
                _check_grads(_along(derived, args), (args, args), order - 1, modes, name, options)
    if "rev" in modes:
        name = f"VJP of {of}" if of else "VJP"
        check_vjp(f, functools.partial(vjp, f), args, err_msg=name, **options)
        if order > 1:

            def pulled(*xs: Any) -> Any:
                value, pullback = vjp(f, *xs)
                return tree.map(_nothing_as_zero, pullback(value))

            _check_grads(pulled, args, order - 1, modes, name, options)


def _jvp_by_linearize(f: Callable[..., Any], primals: Any, tangents: Any) -> tuple[Any, Any]:
    value, push = linearize(f, *primals)
    return value, push(*tangents)


def _along(derived: Callable[..., Any], args: tuple[Any, ...]) -> Callable[..., Any]:
    """The derivative as a function that can be differentiated: a tangent that holds nothing is no argument."""

    def both(primals: Any, directions: Any) -> Any:
        tangents = tree.map(
            lambda t, x: t if is_inexact(aval_of(x).dtype) else _tangent_zero(x), directions, args
        )
        return tree.map(_nothing_as_zero, derived(primals, tangents))

    both.__name__ = function_name(derived)
    return both


def _tangent_zero(x: Any) -> Any:
    return np.zeros(aval_of(x).shape, dtypes.float0)


def _nothing_as_zero(x: Any) -> Any:
    """A derivative that holds nothing, as a number that does not change."""
    aval = aval_of(x)
    return np.zeros(aval.shape, np.int32) if aval.dtype == dtypes.float0 else x


def check_jvp(
    f: Callable[..., Any],
    f_jvp: Callable[..., Any],
    args: Sequence[Any],
    atol: Tolerance = None,
    rtol: Tolerance = None,
    eps: float = EPS,
    err_msg: str = "",
) -> None:
    """Check ``f_jvp(primals, tangents)`` against central differences of ``f`` along a random direction.

    Args:
      f: a function of pytrees of arrays.
      f_jvp: gives the value and the tangent of ``f``, as ``functools.partial(jvp, f)`` does.
      args: where to check.
      atol, rtol, eps: as for `check_grads`.
      err_msg: what to begin the message of an error with.

    Raises:
      AssertionError: if value or tangent are not those of ``f``.

    >>> check_jvp(jnp.sin, lambda x, t: jvp(jnp.sin, x, t), (0.5,), eps=1e-2)
    """
    draw = np.random.RandomState(0)
    args = tuple(args)
    tangents = tree.map(lambda x: _draw(draw, x), args)
    value, tangent = f_jvp(args, tangents)
    expected = f(*args)
    _same_dtypes(value, tangent, err_msg)
    _same_dtypes(value, expected, err_msg)
    _close(value, expected, atol, rtol, f"{err_msg} primal".strip())
    _close(tangent, _difference(f, args, tangents, eps), atol, rtol, f"{err_msg} tangent".strip())


def check_vjp(
    f: Callable[..., Any],
    f_vjp: Callable[..., Any],
    args: Sequence[Any],
    atol: Tolerance = None,
    rtol: Tolerance = None,
    eps: float = EPS,
    err_msg: str = "",
) -> None:
    """Check ``f_vjp(*args)`` against central differences of ``f``, both along random directions.

    Args:
      f: a function of pytrees of arrays.
      f_vjp: gives the value of ``f`` and its pullback, as ``functools.partial(vjp, f)`` does.
      args: where to check.
      atol, rtol, eps, err_msg: as for `check_jvp`.

    Raises:
      AssertionError: if the value is not that of ``f``, or the pullback no adjoint of its derivative.

    >>> check_vjp(jnp.sin, lambda x: vjp(jnp.sin, x), (0.5,), eps=1e-2)
    """
    draw = np.random.RandomState(0)
    args = tuple(args)
    value, pullback = f_vjp(*args)
    _close(value, f(*args), atol, rtol, f"{err_msg} primal".strip())
    tangents = tree.map(lambda x: _draw(draw, x), args)
    tangent = _difference(f, args, tangents, eps)
    ct = tree.map(lambda y: _draw(draw, y), value)
    # The pairing is the real part of the product of one with the conjugate of the other.
    pulled = tree.map(_conjugate, pullback(tree.map(_conjugate, ct)))
    _close(
        _pairing(tangents, pulled),
        _pairing(tangent, ct),
        atol,
        rtol,
        f"{err_msg} cotangent projection".strip(),
    )


def _draw(draw: np.random.RandomState, x: Any) -> Any:
    """A random tangent of ``x``: of its dtype where that is inexact, else one that holds nothing."""
    aval = aval_of(x)
    if not is_inexact(aval.dtype):
        return _tangent_zero(x)
    sample = np.asarray(draw.randn(*aval.shape))
    if aval.dtype.kind == "c":
        sample = sample + 1j * np.asarray(draw.randn(*aval.shape))
    return _like(x, sample.astype(aval.dtype))


def _like(x: Any, result: Any) -> Any:
    """A result for ``x``: a Python number where ``x`` is one."""
    return result.item() if isinstance(x, float | complex) and not isinstance(x, np.generic) else result


def _moved(x: Any, t: Any, step: float) -> Any:
    """``x``, a step along a tangent, of the same type."""
    dtype = aval_of(x).dtype
    if not is_inexact(dtype):
        return x
    return _like(x, (np.asarray(x, dtype) + np.asarray(t, dtype) * dtype.type(step)).astype(dtype))


def _difference(f: Callable[..., Any], args: Any, tangents: Any, eps: float) -> Any:
    """The central difference of ``f`` along a direction; where a result is infinite on both sides, zero."""
    ahead = f(*tree.map(lambda x, t: _moved(x, t, eps), args, tangents))
    behind = f(*tree.map(lambda x, t: _moved(x, t, -eps), args, tangents))

    def quotient(a: Any, b: Any) -> Any:
        dtype = aval_of(a).dtype
        if not is_inexact(dtype):
            return _tangent_zero(a)
        a, b = np.asarray(a), np.asarray(b)
        with np.errstate(invalid="ignore"):
            return (np.where(a == b, np.zeros((), dtype), a - b) * dtype.type(0.5 / eps)).astype(dtype)

    return tree.map(quotient, ahead, behind)


def _conjugate(x: Any) -> Any:
    if aval_of(x).dtype == dtypes.float0:
        return x
    return _like(x, np.conj(np.asarray(x)))


def _pairing(xs: Any, ys: Any) -> Any:
    total: Any = 0.0
    for x, y in zip(tree.leaves(xs), tree.leaves(ys), strict=True):
        if aval_of(x).dtype != dtypes.float0:
            total = total + np.real(np.vdot(np.asarray(x), np.asarray(y)))
    return total


def _same_dtypes(xs: Any, ys: Any, what: str) -> None:
    for x, y in zip(tree.leaves(xs), tree.leaves(ys), strict=True):
        a, b = aval_of(x).to_tangent_aval().dtype, aval_of(y).to_tangent_aval().dtype
        assert a == b, (
            f"{what}: a value of dtype {aval_of(x).dtype} has a derivative of dtype {aval_of(y).dtype}"
        )


def _tolerance(given: Tolerance, dtype: Any) -> float:
    if given is not None and not isinstance(given, Mapping):
        return given
    by_dtype = {**TOLERANCES, **{np.dtype(d): value for d, value in (given or {}).items()}}
    return by_dtype.get(np.dtype(dtype), 0.0)


def _close(xs: Any, ys: Any, atol: Tolerance, rtol: Tolerance, message: str) -> None:
    """Raise AssertionError unless two pytrees agree within tolerances that grow with the number of elements."""
    for x, y in zip(tree.leaves(xs), tree.leaves(ys), strict=True):
        a, b = np.asarray(x), np.asarray(y)
        assert a.shape == b.shape, f"{message}: shapes {a.shape} and {b.shape}"
        if a.dtype == dtypes.float0:
            continue
        absolute = max(_tolerance(atol, a.dtype), _tolerance(atol, b.dtype)) * a.size
        relative = max(_tolerance(rtol, a.dtype), _tolerance(rtol, b.dtype)) * b.size
        narrow = is_inexact(a.dtype) and a.dtype.kind not in "fc"
        a, b = (a.astype(np.float32), b.astype(np.float32)) if narrow else (a, b)
        with np.errstate(invalid="ignore"):
            np.testing.assert_allclose(a, b, rtol=relative, atol=absolute, err_msg=message)
