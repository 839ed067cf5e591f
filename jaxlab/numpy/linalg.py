"""`jaxlab.numpy.linalg`: norms, powers and products of matrices."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from jaxlab import lax
from jaxlab.core.aval import aval_of
from jaxlab.numpy import linear_algebra as _products
from jaxlab.numpy import taking as _taking
from jaxlab.numpy.diagonals import eye as _eye
from jaxlab.numpy.einsum import einsum as _einsum
from jaxlab.numpy.manipulation import axes_of as _axes_of
from jaxlab.numpy.manipulation import matrix_transpose as _matrix_transpose
from jaxlab.numpy.promotion import cast as _cast
from jaxlab.numpy.promotion import check_arraylike as _check_arraylike
from jaxlab.numpy.promotion import promote_dtypes as _promote_dtypes
from jaxlab.numpy.reductions import max as _max
from jaxlab.numpy.reductions import min as _min
from jaxlab.numpy.reductions import sum as _sum
from jaxlab.numpy.ufuncs import sqrt as _sqrt
from jaxlab.numpy.ufuncs_arithmetic import absolute as _absolute
from jaxlab.numpy.ufuncs_arithmetic import multiply as _multiply
from jaxlab.numpy.ufuncs_logic import not_equal as _not_equal
from jaxlab.numpy.wrapping import named as _named

_INF = float("inf")


@_named(static_argnames=("ord", "axis", "keepdims"))
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """The norm of vectors or matrices.

    Args:
      x: array; integers become floats.
      ord: for vectors a number p (the p-th root of the sum of p-th powers), inf, -inf, or 0 (how many are
      not zero); for
        matrices "fro" (the root of the sum of squares), 1, -1, inf or -inf (the greatest or least sum of
        absolute values
        of a column, or a row). None is 2 for vectors and "fro" for matrices.
      axis: the axis of the vectors, or the pair of the matrices. By default all, where with ``ord=None``
      the array is one
        long vector.
      keepdims: whether the axes stay, with size 1.

    Raises:
      ValueError: if there is no such norm, or too many axes.

    >>> jnp.linalg.norm(jnp.array([3.0, 4.0]))
    Array(5., dtype=float32)
    """
    _check_arraylike("norm", x)
    (x,) = _promote_dtypes(x, inexact=True)
    ndim = len(aval_of(x).shape)
    if axis is None:
        if ord is None:
            return _root_of_squares(x, None, keepdims)
        axes = tuple(range(ndim))
    else:
        axes = _axes_of("norm", axis, ndim)
    if len(axes) == 1:
        return _vector_norm(x, axes[0], ord, keepdims)
    if len(axes) == 2:
        return _matrix_norm(x, axes, ord, keepdims)
    raise ValueError(
        f"norm: {len(axes)} axes were given with ord={ord!r}, but vectors have one and matrices two; give axis="
    )


def _root_of_squares(x: Any, axis: Any, keepdims: bool) -> Any:
    if aval_of(x).dtype.kind == "c":
        squares = lax.real(_multiply.__wrapped__(x, lax.conj(x)))
    else:
        squares = _multiply.__wrapped__(x, x)
    return _sqrt.__wrapped__(_sum(squares, axis=axis, keepdims=keepdims))


def _vector_norm(x: Any, axis: Any, ord: Any, keepdims: bool) -> Any:
    if ord is None or ord == 2:
        return _root_of_squares(x, axis, keepdims)
    if isinstance(ord, str):
        raise ValueError(f"norm: ord={ord!r} was given, but that is no norm of vectors; give a number")
    if ord == _INF:
        return _max(_absolute.__wrapped__(x), axis=axis, keepdims=keepdims, initial=0)
    if ord == -_INF:
        return _min(_absolute.__wrapped__(x), axis=axis, keepdims=keepdims)
    if ord == 0:
        real = np.zeros((), aval_of(x).dtype).real.dtype
        counted = _cast(_not_equal.__wrapped__(x, 0), np.dtype(np.int32))
        return _sum(_cast(counted, real), axis=axis, keepdims=keepdims)
    magnitude = _absolute.__wrapped__(x)
    if ord == 1:
        return _sum(magnitude, axis=axis, keepdims=keepdims)
    powers = _sum(lax.pow(magnitude, aval_of(magnitude).dtype.type(ord)), axis=axis, keepdims=keepdims)
    return lax.pow(powers, aval_of(powers).dtype.type(1 / ord))


def _matrix_norm(x: Any, axes: tuple[int, ...], ord: Any, keepdims: bool) -> Any:
    if ord in (None, "fro", "f"):
        return _root_of_squares(x, axes, keepdims)
    if ord not in (1, -1, _INF, -_INF):
        raise ValueError(
            f"norm: ord={ord!r} was given, but the norms of matrices are 'fro', 1, -1, inf and -inf"
        )
    rows, columns = axes
    summed, chosen = (rows, columns) if abs(ord) == 1 else (columns, rows)
    if not keepdims and chosen > summed:
        chosen -= 1
    sums = _sum(_absolute.__wrapped__(x), axis=summed, keepdims=keepdims)
    if ord > 0:
        return _max(sums, axis=chosen, keepdims=keepdims, initial=0)
    return _min(sums, axis=chosen, keepdims=keepdims)


def vector_norm(x: Any, /, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Any:
    """The norm of vectors along an axis, or several together.

    Args:
      x: array; integers become floats.
      axis: the axis, or a tuple of axes whose elements are one vector; all by default.
      keepdims: whether the axes stay, with size 1.
      ord: as in `norm`.

    Raises:
      ValueError: if there is no such norm or axis.

    >>> jnp.linalg.vector_norm(jnp.array([[3.0, 4.0]]))
    Array(5., dtype=float32)
    """
    _check_arraylike("vector_norm", x)
    shape = aval_of(x).shape
    axes = tuple(range(len(shape))) if axis is None else _axes_of("vector_norm", axis, len(shape))
    if len(axes) == 1:
        return norm(x, axis=axes[0], keepdims=keepdims, ord=ord)
    (x,) = _promote_dtypes(x, inexact=True)
    return _vector_norm(x, axes, ord, keepdims)


def matrix_norm(x: Any, /, *, keepdims: bool = False, ord: Any = "fro") -> Any:
    """The norm of the matrices in the last two axes; ``ord`` as in `norm`.

    >>> jnp.linalg.matrix_norm(jnp.array([[3.0, 4.0]]))
    Array(5., dtype=float32)
    """
    _check_arraylike("matrix_norm", x)
    return norm(x, ord=ord, keepdims=keepdims, axis=(-2, -1))


@_named(static_argnames=("n",))
def matrix_power(a: Any, n: int) -> Any:
    """The product of ``n`` times a square matrix, by repeated squaring.

    Args:
      a: square matrices in the last two axes.
      n: a Python integer, 0 or more.

    Raises:
      TypeError: if the matrices are not square, or ``n`` is no integer.
      ValueError: if ``n`` is negative.

    >>> jnp.linalg.matrix_power(jnp.array([[1, 1], [0, 1]]), 3)
    Array([[1, 3],
           [0, 1]], dtype=int32)
    """
    _check_arraylike("matrix_power", a)
    aval = aval_of(a)
    if len(aval.shape) < 2 or aval.shape[-1] != aval.shape[-2]:
        raise TypeError(
            f"matrix_power: an array of shape {aval.shape} was given, but its last two axes must be square"
        )
    n = operator.index(n)
    if n < 0:
        raise ValueError(f"matrix_power: n={n} was given, but it must be 0 or more")
    if n == 0:
        return lax.broadcast_in_dim(
            _eye(aval.shape[-2], dtype=aval.dtype), aval.shape, (len(aval.shape) - 2, len(aval.shape) - 1)
        )
    square, result = a, None
    while n:
        n, odd = divmod(n, 2)
        if odd:
            result = square if result is None else _products.matmul.__wrapped__(result, square)
        if n:
            square = _products.matmul.__wrapped__(square, square)
    return result


def multi_dot(arrays: Sequence[Any], *, precision: Any = None) -> Any:
    """The product of several matrices, in the order that takes fewest multiplications.

    Args:
      arrays: matrices; the first and the last may be vectors.
      precision: as in `jaxlab.numpy.matmul`.

    Raises:
      ValueError: if there are fewer than two, or one has another number of axes.

    >>> jnp.linalg.multi_dot([jnp.ones((2, 3)), jnp.ones((3, 4)), jnp.ones(4)])
    Array([12., 12.], dtype=float32)
    """
    arrays = list(arrays)
    _check_arraylike("multi_dot", *arrays)
    shapes = [aval_of(x).shape for x in arrays]
    if len(arrays) < 2:
        raise ValueError(f"multi_dot: {len(arrays)} arrays were given, but at least two are needed")
    if any(len(s) not in (1, 2) for s in shapes) or any(len(s) != 2 for s in shapes[1:-1]):
        raise ValueError(
            f"multi_dot: arrays of shapes {shapes} were given, but matrices are needed, or vectors at the ends"
        )
    if any(s[-1] != t[0] for s, t in itertools.pairwise(shapes)):
        raise ValueError(f"multi_dot: arrays of shapes {shapes} were given, but neighbours must fit")
    names = [chr(ord_a) for ord_a in range(ord("a"), ord("a") + len(arrays) + 1)]
    terms = [names[i] + names[i + 1] for i in range(len(arrays))]
    if len(shapes[0]) == 1:
        terms[0] = names[1]
    if len(shapes[-1]) == 1:
        terms[-1] = names[-2]
    kept = ([names[0]] if len(shapes[0]) == 2 else []) + ([names[-1]] if len(shapes[-1]) == 2 else [])
    return _einsum(f"{','.join(terms)}->{''.join(kept)}", *arrays, optimize="auto", precision=precision)


def outer(x1: Any, x2: Any, /) -> Any:
    """Each element of one vector times each of another.

    Raises:
      ValueError: if an argument has other than one axis.

    >>> jnp.linalg.outer(jnp.array([1, 2]), jnp.array([3, 4]))
    Array([[3, 4],
           [6, 8]], dtype=int32)
    """
    _check_arraylike("outer", x1, x2)
    if len(aval_of(x1).shape) != 1 or len(aval_of(x2).shape) != 1:
        raise ValueError(
            f"outer: arrays of shapes {aval_of(x1).shape} and {aval_of(x2).shape} were given, but vectors are needed"
        )
    x1, x2 = _promote_dtypes(x1, x2)
    return _multiply.__wrapped__(lax.expand_dims(x1, (1,)), lax.expand_dims(x2, (0,)))


def cross(x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    """The vector product of vectors of three components; other axes broadcast.

    Raises:
      ValueError: if an axis is of another size.

    >>> jnp.linalg.cross(jnp.array([1, 0, 0]), jnp.array([0, 1, 0]))
    Array([0, 0, 1], dtype=int32)
    """
    _check_arraylike("cross", x1, x2)
    sizes = [aval_of(x).shape[axis] for x in (x1, x2)]
    if sizes != [3, 3]:
        raise ValueError(
            f"cross: vectors of {sizes[0]} and {sizes[1]} components were given, but 3 are needed"
        )
    return _products.cross(x1, x2, axis=axis)


def tensordot(
    x1: Any, x2: Any, /, *, axes: Any = 2, precision: Any = None, preferred_element_type: Any = None
) -> Any:
    """`jaxlab.numpy.tensordot`.

    >>> jnp.linalg.tensordot(jnp.ones((2, 3)), jnp.ones((3, 4)), axes=1).shape
    (2, 4)
    """
    return _products.tensordot(
        x1, x2, axes=axes, precision=precision, preferred_element_type=preferred_element_type
    )


def trace(x: Any, /, *, offset: int = 0, dtype: Any = None) -> Any:
    """The sum of a diagonal of the matrices in the last two axes.

    >>> jnp.linalg.trace(jnp.array([[1, 2], [3, 4]]))
    Array(5, dtype=int32)
    """
    return _taking.trace(x, offset=offset, axis1=-2, axis2=-1, dtype=dtype)


def diagonal(x: Any, /, *, offset: int = 0) -> Any:
    """A diagonal of the matrices in the last two axes.

    >>> jnp.linalg.diagonal(jnp.array([[1, 2], [3, 4]]))
    Array([1, 4], dtype=int32)
    """
    return _taking.diagonal(x, offset=offset, axis1=-2, axis2=-1)


def matrix_transpose(x: Any, /) -> Any:
    """The transpose of each matrix in the last two axes.

    >>> jnp.linalg.matrix_transpose(jnp.zeros((5, 2, 3))).shape
    (5, 3, 2)
    """
    return _matrix_transpose(x)


def vecdot(
    x1: Any, x2: Any, /, *, axis: int = -1, precision: Any = None, preferred_element_type: Any = None
) -> Any:
    """`jaxlab.numpy.vecdot`.

    >>> jnp.linalg.vecdot(jnp.array([1, 2]), jnp.array([3, 4]))
    Array(11, dtype=int32)
    """
    return _products.vecdot(
        x1, x2, axis=axis, precision=precision, preferred_element_type=preferred_element_type
    )


def matmul(x1: Any, x2: Any, /, *, precision: Any = None, preferred_element_type: Any = None) -> Any:
    """`jaxlab.numpy.matmul`.

    >>> jnp.linalg.matmul(jnp.array([[1, 2]]), jnp.array([3, 4]))
    Array([11], dtype=int32)
    """
    return _products.matmul(x1, x2, precision=precision, preferred_element_type=preferred_element_type)
