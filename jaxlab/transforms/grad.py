"""``grad`` and ``value_and_grad``: the gradient of a scalar function."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from jaxlab import dtypes, tree
from jaxlab.core.aval import aval_of, is_array_like, is_inexact
from jaxlab.interpreters.functions import function_name
from jaxlab.transforms.argnums import as_indices, chosen_arguments
from jaxlab.transforms.descriptions import kind_of
from jaxlab.transforms.linearized import check_callable, linearize_tree
from jaxlab.transforms.vjp import pull_back


def grad(
    fun: Callable[..., Any],
    argnums: int | Sequence[int] = 0,
    has_aux: bool = False,
    holomorphic: bool = False,
    allow_int: bool = False,
    reduce_axes: Sequence[Any] = (),
) -> Callable[..., Any]:
    """The gradient of a function with a real scalar result.

    Args:
      fun: a function of pytrees of arrays whose result is a scalar, or with ``has_aux`` a pair of one and
        anything.
      argnums: the positional arguments to differentiate with respect to.
      has_aux: ``fun`` returns a pair ``(value, auxiliary data)``; the gradient function then does so too.
      holomorphic: promise that ``fun`` is complex differentiable; arguments and result are then complex.
      allow_int: accept integer arguments, whose gradient is ``float0``.

    Returns:
      A function of the same arguments that returns the gradient: like the argument, or a tuple of such for
      several argnums.

    Raises:
      TypeError: if an argument is not of an inexact dtype, or the result is not a real scalar.

    >>> grad(lambda x: x ** 3)(2.0)
    Array(12., dtype=float32, weak_type=True)
    """
    both = value_and_grad(fun, argnums, has_aux, holomorphic, allow_int, reduce_axes, _name="grad")

    @functools.wraps(fun, updated=())
    def gradient(*args: Any, **kwargs: Any) -> Any:
        value, result = both(*args, **kwargs)
        return (result, value[1]) if has_aux else result

    return gradient


def value_and_grad(
    fun: Callable[..., Any],
    argnums: int | Sequence[int] = 0,
    has_aux: bool = False,
    holomorphic: bool = False,
    allow_int: bool = False,
    reduce_axes: Sequence[Any] = (),
    *,
    _name: str = "value_and_grad",
) -> Callable[..., Any]:
    """The value and the gradient of a scalar function, for the price of one pass forwards and one back.

    Arguments and errors are those of `grad`; the result is ``(value, gradient)``, with ``has_aux``
    ``((value, aux), gradient)``.

    >>> value_and_grad(lambda x: x ** 3)(2.0)
    (Array(8., dtype=float32, weak_type=True), Array(12., dtype=float32, weak_type=True))
    """
    if reduce_axes:
        raise NotImplementedError(f"{_name}: reduce_axes is no longer supported; leave it out")
    check_callable(_name, fun)
    single = type(argnums) is int or not isinstance(argnums, Sequence)
    numbers = as_indices(_name, argnums)

    @functools.wraps(fun, updated=())
    def both(*args: Any, **kwargs: Any) -> Any:
        partial, primals, chosen = chosen_arguments(_name, fun, numbers, args, kwargs)
        for i, x in zip(chosen, primals, strict=True):
            for leaf in tree.leaves(x):
                _check_input(_name, fun, i, leaf, holomorphic, allow_int)
        value, linear, in_tree, _, aux = linearize_tree(partial, primals, has_aux, _name)
        _check_output(_name, fun, value, holomorphic)
        aval = linear.out_avals[0]
        in_avals = [aval_of(x) for x in tree.leaves(primals)]
        one = np.ones((), aval.dtype)[()]
        ct = one.item() if aval.weak_type else one
        gradients = tree.unflatten(in_tree, pull_back(linear, [ct], in_avals))
        result = gradients[0] if single else tuple(gradients)
        return ((value, aux) if has_aux else value), result

    return both


def _check_input(name: str, fun: Any, argnum: int, x: Any, holomorphic: bool, allow_int: bool) -> None:
    if not is_array_like(x):
        raise TypeError(
            f"{name}: argument {argnum} of {function_name(fun)} is {kind_of(x)}, but a gradient is taken "
            "by arrays and numbers; name another argument in argnums"
        )
    dtype = aval_of(x).dtype
    if holomorphic:
        if not dtypes.issubdtype(dtype, np.complexfloating):
            raise TypeError(
                f"{name}: holomorphic=True asks for complex arguments, but argument {argnum} has dtype "
                f"{dtype.name}; convert it, or leave holomorphic out"
            )
    elif not allow_int and not is_inexact(dtype):
        raise TypeError(
            f"{name}: argument {argnum} of {function_name(fun)} has dtype {dtype.name}, but a gradient is "
            "taken with respect to real or complex floating-point arguments; convert it to a float, or use "
            "vjp or allow_int=True"
        )


def _check_output(name: str, fun: Any, value: Any, holomorphic: bool) -> None:
    if not is_array_like(value):
        raise TypeError(
            f"{name}: {function_name(fun)} returned {kind_of(value)}, but a gradient is taken of one scalar; "
            "return a scalar, or use has_aux=True to return more"
        )
    aval = aval_of(value)
    if aval.shape:
        raise TypeError(
            f"{name}: {function_name(fun)} returned an array of shape {aval.shape}, but a gradient is taken "
            "of a scalar; reduce it (for example with sum or mean), or use jacrev"
        )
    is_complex = dtypes.issubdtype(aval.dtype, np.complexfloating)
    if holomorphic and not is_complex:
        raise TypeError(
            f"{name}: holomorphic=True asks for a complex result, but {function_name(fun)} returned "
            f"{aval.str_short()}; leave holomorphic out"
        )
    if not holomorphic and (is_complex or not is_inexact(aval.dtype)):
        remedy = "take its real part or absolute value, or use holomorphic=True"
        raise TypeError(
            f"{name}: {function_name(fun)} returned a scalar of dtype {aval.dtype.name}, but a gradient is "
            f"taken of a real floating-point scalar; {remedy if is_complex else 'convert it to a float'}"
        )
