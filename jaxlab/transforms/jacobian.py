"""Jacobians: ``jacfwd`` column by column, ``jacrev`` row by row, and ``hessian`` as one of the other."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from jaxlab import dtypes, tree
from jaxlab.core.aval import aval_of, is_array_like, is_inexact
from jaxlab.interpreters.functions import function_name
from jaxlab.primitives.broadcasting import reshape
from jaxlab.primitives.slicing import slice_in_dim
from jaxlab.runtime.transfer import put
from jaxlab.transforms.jvp import jvp
from jaxlab.transforms.vjp import vjp
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
      holomorphic: promise that ``fun`` is complex differentiable.

    Returns:
      A function of the same arguments. Each result leaf of shape ``s`` and argument leaf of shape ``t`` gives
      an array of shape ``s + t``, nested as the result's structure and, inside, the argument's.

    >>> jacfwd(lambda x: x ** 2)(jnp.array([1.0, 2.0]))
    Array([[2., 0.],
           [0., 4.]], dtype=float32)
    """

    @functools.wraps(fun, updated=())
    def jacobian(*args: Any, **kwargs: Any) -> Any:
        partial, primals = _partial("jacfwd", fun, argnums, args, kwargs, holomorphic)

        def push(*tangents: Any) -> Any:
            if not has_aux:
                return jvp(partial, primals, tangents)[1]
            return jvp(partial, primals, tangents, has_aux=True)[1:]

        axes: Any = (-1, None) if has_aux else -1
        pushed = vmap(push, out_axes=axes)(*_standard_basis(primals))
        columns, aux = pushed if has_aux else (pushed, None)
        result = tree.map(lambda y: _unravel(primals, y, -1, isinstance(argnums, int)), columns)
        return (result, aux) if has_aux else result

    return jacobian


def jacrev(
    fun: Callable[..., Any],
    argnums: int | Sequence[int] = 0,
    has_aux: bool = False,
    holomorphic: bool = False,
    allow_int: bool = False,
) -> Callable[..., Any]:
    """The Jacobian by reverse mode: one pass per output element, so good for few outputs.

    Arguments and results are those of `jacfwd`.

    >>> jacrev(lambda x: x ** 2)(jnp.array([1.0, 2.0]))
    Array([[2., 0.],
           [0., 4.]], dtype=float32)
    """

    @functools.wraps(fun, updated=())
    def jacobian(*args: Any, **kwargs: Any) -> Any:
        partial, primals = _partial("jacrev", fun, argnums, args, kwargs, holomorphic, allow_int)
        value, pullback, *aux = vjp(partial, *primals, has_aux=has_aux)
        for leaf in tree.leaves(value):
            _check_differentiable(
                "jacrev", f"the result of {function_name(fun)}", aval_of(leaf).dtype, holomorphic
            )
        rows = vmap(pullback)(_standard_basis(value))
        example = primals[0] if isinstance(argnums, int) else tuple(primals)
        rows = rows[0] if isinstance(argnums, int) else rows
        by_argument = tree.map(lambda _, x: _unravel((value,), x, 0, True), example, rows)
        result = tree.transpose(tree.structure(example), tree.structure(value), by_argument)
        return (result, aux[0]) if has_aux else result

    return jacobian


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
    return jacfwd(jacrev(fun, argnums, has_aux, holomorphic), argnums, has_aux, holomorphic)


def _partial(
    name: str,
    fun: Callable[..., Any],
    argnums: int | Sequence[int],
    args: Sequence[Any],
    kwargs: dict[str, Any],
    holomorphic: bool,
    allow_int: bool = False,
) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    numbers = (argnums,) if isinstance(argnums, int) else tuple(argnums)
    for i in numbers:
        if not -len(args) <= i < len(args):
            raise TypeError(
                f"{name}: argnums names argument {i}, but {function_name(fun)} was called with {len(args)} "
                "positional arguments"
            )
    chosen = [i % len(args) for i in numbers]
    primals = tuple(args[i] for i in chosen)
    for i, x in zip(chosen, primals, strict=True):
        for leaf in tree.leaves(x):
            if not is_array_like(leaf):
                raise TypeError(
                    f"{name}: argument {i} of {function_name(fun)} is a {type(leaf).__name__}, but arrays "
                    "are needed"
                )
            if not allow_int:
                _check_differentiable(
                    name, f"argument {i} of {function_name(fun)}", aval_of(leaf).dtype, holomorphic
                )

    def partial(*xs: Any) -> Any:
        full = list(args)
        for i, x in zip(chosen, xs, strict=True):
            full[i] = x
        return fun(*full, **kwargs)

    partial.__name__ = function_name(fun)
    return partial, primals


def _check_differentiable(name: str, what: str, dtype: Any, holomorphic: bool) -> None:
    is_complex = dtypes.issubdtype(dtype, np.complexfloating)
    if holomorphic != is_complex or not is_inexact(dtype):
        wanted = "complex, because holomorphic=True" if holomorphic else "real floating-point"
        raise TypeError(f"{name}: {what} has dtype {dtype.name}, but it must be {wanted}")


def _standard_basis(values: Any) -> Any:
    """All unit directions of a pytree, stacked along a leading axis of each leaf."""
    leaves, treedef = tree.flatten(values)
    sizes = [aval_of(x).size for x in leaves]
    total = sum(sizes)
    basis = []
    start = 0
    for x, size in zip(leaves, sizes, strict=True):
        aval = aval_of(x)
        block = np.zeros((total, size), aval.dtype)
        block[start + np.arange(size), np.arange(size)] = 1
        unit = aval.update(shape=(total, *aval.shape))
        basis.append(put(block.reshape(unit.shape), unit))
        start += size
    return tree.unflatten(treedef, basis)


def _unravel(example: Any, stacked: Any, axis: int, single: bool) -> Any:
    """Cut the axis that numbers unit directions back into the leaves of ``example``."""
    leaves, treedef = tree.flatten(example)
    shape = aval_of(stacked).shape
    axis %= len(shape)
    parts = []
    start = 0
    for x in leaves:
        own = aval_of(x).shape
        size = math.prod(own)
        part = slice_in_dim(stacked, start, start + size, axis=axis)
        parts.append(reshape(part, (*shape[:axis], *own, *shape[axis + 1 :])))
        start += size
    result = tree.unflatten(treedef, parts)
    return result[0] if single else result
