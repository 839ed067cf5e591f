"""Jacobians: ``jacfwd`` column by column, ``jacrev`` row by row, and ``hessian`` as one of the other."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NoReturn

import numpy as np

from jaxlab import dtypes, tree
from jaxlab.core.aval import ShapedArray, aval_of, is_array_like, is_inexact
from jaxlab.interpreters.functions import function_name
from jaxlab.primitives.arithmetic import add, real
from jaxlab.primitives.broadcasting import reshape, zeros_like_aval
from jaxlab.primitives.comparison import eq
from jaxlab.primitives.concatenation import split
from jaxlab.primitives.conversion import convert, convert_element_type, convert_element_type_p
from jaxlab.primitives.creation import broadcasted_iota
from jaxlab.transforms.argnums import as_indices
from jaxlab.transforms.descriptions import type_of
from jaxlab.transforms.jvp import jvp_for
from jaxlab.transforms.linearized import check_callable
from jaxlab.transforms.vjp import vjp_for
from jaxlab.transforms.vmap import vmap


def jacfwd(
    fun: Callable[..., Any],
    argnums: int | Sequence[int] = 0,
    has_aux: bool = False,
    holomorphic: bool = False,
) -> Callable[..., Any]:
    """The Jacobian by forward mode: one pass per input element, so good for few inputs.

    Args:
      fun: a function of pytrees of arrays; with ``has_aux`` it returns a pair whose second part is passed on.
      argnums: the positional arguments to differentiate with respect to.
      has_aux: ``fun`` returns a pair ``(value, auxiliary data)``; the result is then such a pair too.
      holomorphic: promise that ``fun`` is complex differentiable; arguments and result are then complex.

    Returns:
      A function of the same arguments. Each result leaf of shape ``s`` and argument leaf of shape ``t`` gives
      an array of shape ``s + t``, nested as the result's structure and, inside, the argument's.

    Raises:
      TypeError: if an argument is not of a real floating-point dtype (complex, with ``holomorphic``).
      ValueError: if there is no argument at one of the ``argnums``.

    >>> jacfwd(lambda x: x ** 2)(jnp.array([1.0, 2.0]))
    Array([[2., 0.],
           [0., 4.]], dtype=float32)
    """
    return _jacfwd("jacfwd", fun, argnums, has_aux, holomorphic)


def _jacfwd(
    name: str, fun: Callable[..., Any], argnums: int | Sequence[int], has_aux: bool, holomorphic: bool
) -> Callable[..., Any]:
    check_callable(name, fun)
    numbers, single = as_indices(name, argnums), not isinstance(argnums, Sequence)

    @functools.wraps(fun, updated=())
    def jacobian(*args: Any, **kwargs: Any) -> Any:
        partial, primals = _partial(name, fun, numbers, args, kwargs, holomorphic, real_only=True)

        def push(*tangents: Any) -> Any:
            value, columns, *aux = jvp_for(name, partial, primals, tangents, has_aux)
            return value, tree.map(_with_zeros, value, columns), *aux

        axes = (None, -1, None) if has_aux else (None, -1)
        value, columns, *aux = vmap(push, out_axes=axes)(*_standard_basis(primals))
        for leaf in tree.leaves(value):
            if holomorphic and not is_complex(aval_of(leaf).dtype):
                _refuse(name, f"the result of {function_name(fun)}", aval_of(leaf).dtype, holomorphic)
        result = tree.map(lambda y, x: _unravel(primals, x, -1, single, y), value, columns)
        return (result, aux[0]) if has_aux else result

    return jacobian


def jacrev(
    fun: Callable[..., Any],
    argnums: int | Sequence[int] = 0,
    has_aux: bool = False,
    holomorphic: bool = False,
    allow_int: bool = False,
) -> Callable[..., Any]:
    """The Jacobian by reverse mode: one pass per output element, so good for few outputs.

    Arguments, results and errors are those of `jacfwd`; with ``allow_int`` also arguments of integer dtypes are
    accepted, whose part of the Jacobian holds nothing.

    >>> jacrev(lambda x: x ** 2)(jnp.array([1.0, 2.0]))
    Array([[2., 0.],
           [0., 4.]], dtype=float32)
    """
    return _jacrev("jacrev", fun, argnums, has_aux, holomorphic, allow_int)


def _jacrev(
    name: str,
    fun: Callable[..., Any],
    argnums: int | Sequence[int],
    has_aux: bool,
    holomorphic: bool,
    allow_int: bool = False,
) -> Callable[..., Any]:
    check_callable(name, fun)
    numbers, single = as_indices(name, argnums), not isinstance(argnums, Sequence)

    @functools.wraps(fun, updated=())
    def jacobian(*args: Any, **kwargs: Any) -> Any:
        partial, primals = _partial(name, fun, numbers, args, kwargs, holomorphic, allow_int)
        value, pullback, *aux = vjp_for(name, partial, primals, has_aux)
        for leaf in tree.leaves(value):
            dtype = aval_of(leaf).dtype
            if is_complex(dtype) != holomorphic or not is_inexact(dtype):
                _refuse(name, f"the result of {function_name(fun)}", dtype, holomorphic)
        rows = vmap(pullback)(_standard_basis(value))
        example = primals[0] if single else tuple(primals)
        rows = rows[0] if single else rows
        by_argument = tree.map(lambda like, x: _unravel((value,), x, 0, True, like), example, rows)
        result = tree.transpose(tree.structure(example), tree.structure(value), by_argument)
        return (result, aux[0]) if has_aux else result

    return jacobian


jacobian = jacrev


def hessian(
    fun: Callable[..., Any],
    argnums: int | Sequence[int] = 0,
    has_aux: bool = False,
    holomorphic: bool = False,
) -> Callable[..., Any]:
    """The matrix of second derivatives, forward over reverse.

    >>> hessian(lambda x: (x ** 3).sum())(jnp.array([1.0, 2.0]))
    Array([[ 6.,  0.],
           [ 0., 12.]], dtype=float32)
    """
    return _jacfwd(
        "hessian", _jacrev("hessian", fun, argnums, has_aux, holomorphic), argnums, has_aux, holomorphic
    )


def _partial(
    name: str,
    fun: Callable[..., Any],
    numbers: Sequence[int],
    args: Sequence[Any],
    kwargs: dict[str, Any],
    holomorphic: bool,
    allow_int: bool = False,
    *,
    real_only: bool = False,
) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    for i in numbers:
        if not -len(args) <= i < len(args):
            raise ValueError(
                f"{name}: argnums names argument {i}, but {function_name(fun)} was called with {len(args)} "
                f"positional argument{'s' * (len(args) != 1)}; give a position among them"
            )
    chosen = [i % len(args) for i in numbers]
    primals = tuple(args[i] for i in chosen)
    for i, x in zip(chosen, primals, strict=True):
        for leaf in tree.leaves(x):
            if not is_array_like(leaf):
                raise TypeError(
                    f"{name}: argument {i} of {function_name(fun)} is {type_of(leaf)}, but arrays and numbers are "
                    "needed; name another argument in argnums"
                )
            dtype = aval_of(leaf).dtype
            if not _fits(dtype, holomorphic, allow_int, real_only):
                _refuse(name, f"argument {i} of {function_name(fun)}", dtype, holomorphic)

    def partial(*xs: Any) -> Any:
        full = list(args)
        for i, x in zip(chosen, xs, strict=True):
            full[i] = x
        return fun(*full, **kwargs)

    partial.__name__ = function_name(fun)
    return partial, primals


def _fits(dtype: Any, holomorphic: bool, allow_int: bool, real_only: bool) -> bool:
    """Whether a Jacobian can be taken with respect to values of ``dtype``."""
    if holomorphic:
        return is_complex(dtype)
    if real_only:
        return dtypes.issubdtype(dtype, np.floating)
    return is_inexact(dtype) or (allow_int and np.dtype(dtype).kind in "biu")


def _refuse(name: str, what: str, dtype: Any, holomorphic: bool) -> NoReturn:
    wanted = (
        "complex, because holomorphic=True; convert it, or leave holomorphic out"
        if holomorphic
        else "real floating-point; convert it, or use holomorphic=True for a complex-differentiable function"
    )
    raise TypeError(f"{name}: {what} has dtype {dtype.name}, but it must be {wanted}")


def _with_zeros(value: Any, tangent: Any) -> Any:
    """A tangent; for a result of an integer dtype, which has none, zeros of that dtype."""
    return zeros_like_aval(aval_of(value)) if aval_of(tangent).dtype == dtypes.float0 else tangent


def _standard_basis(values: Any) -> Any:
    """All unit directions of a pytree, stacked along a leading axis of each leaf; made where the program runs."""
    leaves, treedef = tree.flatten(values)
    total = sum(aval_of(x).size for x in leaves)
    rows = broadcasted_iota("int32", (total, total), 0)
    columns = broadcasted_iota("int32", (total, total), 1)
    identity = convert_element_type(eq(add(rows, np.int32(0)), columns), dtypes.result_type(*leaves))
    avals = [aval_of(x) for x in leaves]
    # Each is converted, even to the dtype that it has, so that the jaxpr is that of JAX.
    return tree.unflatten(
        treedef,
        [
            convert_element_type_p.bind(part, new_dtype=aval.dtype, weak_type=aval.weak_type)
            for part, aval in zip(_parts(identity, 1, avals), avals, strict=True)
        ],
    )


def _unravel(example: Any, stacked: Any, axis: int, single: bool, like: Any) -> Any:
    """Cut the axis that numbers unit directions back into the leaves of ``example``, of the dtype of ``like``."""
    leaves, treedef = tree.flatten(example)
    avals = [aval_of(x) for x in leaves]
    wanted = aval_of(like)
    parts = []
    for part in _parts(stacked, axis % len(aval_of(stacked).shape), avals):
        if is_complex(aval_of(part).dtype) and not is_complex(wanted.dtype):
            part = real(part)
        parts.append(convert(part, wanted.dtype, wanted.weak_type))
    result = tree.unflatten(treedef, parts)
    return result[0] if single else result


def _parts(x: Any, axis: int, avals: Sequence[ShapedArray]) -> Iterator[Any]:
    """Consecutive parts of ``x`` along an axis, each with the shape of an aval in its place."""
    shape = aval_of(x).shape
    parts = split(x, [aval.size for aval in avals], axis) if avals else []
    for part, aval in zip(parts, avals, strict=True):
        yield reshape(part, (*shape[:axis], *aval.shape, *shape[axis + 1 :]))


def is_complex(dtype: Any) -> bool:
    """Whether values of ``dtype`` are complex."""
    return dtypes.issubdtype(dtype, np.complexfloating)
