"""Products of vectors, matrices and tensors: matmul, dot, inner, outer, tensordot and their relatives."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

from jaxlab import dtypes, lax
from jaxlab.core.aval import aval_of
from jaxlab.numpy.manipulation import axes_of, moveaxis, ravel
from jaxlab.numpy.promotion import (
    broadcast_shapes,
    check_arraylike,
    check_out,
    common_type,
    promote_dtypes,
    promote_pair,
)
from jaxlab.numpy.wrapping import compiled, named
from jaxlab.primitives.contraction import dot_general_p
from jaxlab.primitives.conversion import convert
from jaxlab.primitives.precision import canonical_precision

_STATIC = ("precision", "preferred_element_type")


def product(
    name: str,
    a: Any,
    b: Any,
    contract: tuple[Sequence[int], Sequence[int]],
    batch: tuple[Sequence[int], Sequence[int]] = ((), ()),
    *,
    precision: Any = None,
    preferred_element_type: Any = None,
) -> Any:
    """A contraction whose result has the common dtype of the operands, or the preferred one.

    The operands are contracted as they are, in dtypes that may differ. The result is weakly typed if both are.
    """
    x, y = aval_of(a), aval_of(b)
    if preferred_element_type is None:
        preferred, weak = common_type((x, y))
    else:
        preferred, weak = dtypes.canonicalize_requested(preferred_element_type, name, stacklevel=3), False
    out = dot_general_p.bind(
        a,
        b,
        dimension_numbers=((tuple(contract[0]), tuple(contract[1])), (tuple(batch[0]), tuple(batch[1]))),
        precision=canonical_precision(name, precision),
        preferred_element_type=preferred,
        out_sharding=None,
    )
    made = aval_of(out)
    return out if made.dtype == preferred and made.weak_type == weak else convert(out, preferred, weak)


@compiled(static_argnames=_STATIC)
def matmul(a: Any, b: Any, *, precision: Any = None, preferred_element_type: Any = None) -> Any:
    """The matrix product over the last two axes, with leading axes that broadcast.

    Args:
      a, b: arrays; one with a single axis is a row on the left, a column on the right, and the axis is gone
      in the result.
      precision: how exactly accelerators multiply: a `jaxlab.lax.Precision`, its name, or one for each operand.
      preferred_element_type: the dtype of the sums, and of the result; the common dtype by default.

    Raises:
      ValueError: if an operand is a scalar, or leading axes do not broadcast.
      TypeError: if the summed axes differ in size.

    >>> jnp.matmul(jnp.array([[1, 2], [3, 4]]), jnp.array([1, 1]))
    Array([3, 7], dtype=int32)
    """
    check_arraylike("matmul", a, b)
    shape_a, shape_b = aval_of(a).shape, aval_of(b).shape
    for position, shape in enumerate((shape_a, shape_b)):
        if not shape:
            raise ValueError(
                f"matmul: argument {position} is a scalar, but at least one axis is needed; write x * y, or "
                f"jnp.multiply"
            )
    a_is_row, b_is_column = len(shape_a) == 1, len(shape_b) == 1
    lead_a, lead_b = shape_a[:-2], shape_b[:-2]
    rank = max(len(lead_a), len(lead_b))
    batch_a: list[int] = []
    batch_b: list[int] = []
    squeezed_a: list[int] = []
    squeezed_b: list[int] = []
    # Where each leading axis of the result stands in the contraction: batch axes first, then those of a, then of b.
    from_batch: list[int] = []
    from_a: list[int] = []
    from_b: list[int] = []
    for axis in range(rank):
        i, j = axis - rank + len(lead_a), axis - rank + len(lead_b)
        size_a, size_b = lead_a[i] if i >= 0 else 1, lead_b[j] if j >= 0 else 1
        if size_a == size_b and i >= 0 and j >= 0:
            batch_a.append(i)
            batch_b.append(j)
            from_batch.append(axis)
        elif size_b == 1 and i >= 0:
            from_a.append(axis)
            squeezed_b += [j] if j >= 0 else []
        elif size_a == 1 and j >= 0:
            from_b.append(axis)
            squeezed_a += [i] if i >= 0 else []
        else:
            raise ValueError(
                f"matmul: operands of shapes {shape_a} and {shape_b} were given, but their leading axes do "
                f"not broadcast"
            )
    a, b = lax.squeeze(a, squeezed_a), lax.squeeze(b, squeezed_b)
    batch = (_after(batch_a, squeezed_a), _after(batch_b, squeezed_b))
    ndim_a, ndim_b = len(shape_a) - len(squeezed_a), len(shape_b) - len(squeezed_b)
    contract = ((ndim_a - 1,), (ndim_b - 1 - (not b_is_column),))
    out = product(
        "matmul", a, b, contract, batch, precision=precision, preferred_element_type=preferred_element_type
    )
    row = [] if a_is_row else [rank]
    column = [] if b_is_column else [rank + 1]
    order = [*from_batch, *from_a, *row, *from_b, *column]
    return lax.transpose(out, sorted(range(len(order)), key=order.__getitem__))


def _after(axes: Sequence[int], dropped: Sequence[int]) -> tuple[int, ...]:
    """Axes as they are counted once others are dropped."""
    return tuple([axis - sum(d < axis for d in dropped) for axis in axes])


@compiled(static_argnames=_STATIC)
def dot(
    a: Any, b: Any, *, precision: Any = None, preferred_element_type: Any = None, out_sharding: Any = None
) -> Any:
    """The product summed over the last axis of ``a`` and the last but one of ``b`` (the last, if it has one alone).

    For matrices it is `matmul`; where there are more axes, it pairs each vector of one with each of the other.

    Args:
      a, b: arrays or numbers; a scalar multiplies.
      precision, preferred_element_type: as in `matmul`.

    Raises:
      TypeError: if the summed axes differ in size.

    >>> jnp.dot(jnp.array([1, 2]), jnp.array([3, 4]))
    Array(11, dtype=int32)
    """
    check_arraylike("dot", a, b)
    ndim_a, ndim_b = len(aval_of(a).shape), len(aval_of(b).shape)
    contract: tuple[Sequence[int], Sequence[int]] = ((), ())
    if ndim_a and ndim_b:
        contract = ((ndim_a - 1,), (max(ndim_b - 2, 0),))
    return product("dot", a, b, contract, precision=precision, preferred_element_type=preferred_element_type)


@compiled(static_argnames=_STATIC)
def vdot(a: Any, b: Any, *, precision: Any = None, preferred_element_type: Any = None) -> Any:
    """The sum of products of all elements, those of ``a`` conjugated.

    Args:
      a, b: arrays of as many elements.
      precision, preferred_element_type: as in `matmul`.

    Raises:
      TypeError: if the numbers of elements differ.

    >>> jnp.vdot(jnp.array([1j, 2]), jnp.array([1j, 1]))
    Array(3.+0.j, dtype=complex64)
    """
    check_arraylike("vdot", a, b)
    if aval_of(a).dtype.kind == "c":
        a = lax.conj(a)
    return product(
        "vdot",
        ravel(a),
        ravel(b),
        ((0,), (0,)),
        precision=precision,
        preferred_element_type=preferred_element_type,
    )


def vecdot(
    x1: Any, x2: Any, /, *, axis: int = -1, precision: Any = None, preferred_element_type: Any = None
) -> Any:
    """The sum of products along one axis, the elements of ``x1`` conjugated; other axes broadcast.

    Args:
      x1, x2: arrays.
      axis: the summed axis of both.
      precision, preferred_element_type: as in `matmul`.

    Raises:
      ValueError: if the axis does not exist, or is not of one size in both, or other axes do not broadcast.

    >>> jnp.vecdot(jnp.array([[1, 2], [3, 4]]), jnp.array([1, 1]))
    Array([3, 7], dtype=int32)
    """
    check_arraylike("vecdot", x1, x2)
    shape1, shape2 = aval_of(x1).shape, aval_of(x2).shape
    (i,), (j,) = axes_of("vecdot", axis, len(shape1)), axes_of("vecdot", axis, len(shape2))
    if shape1[i] != shape2[j]:
        raise ValueError(
            f"vecdot: operands of shapes {shape1} and {shape2} were given, but axis {axis} differs in size"
        )
    if aval_of(x1).dtype.kind == "c":
        x1 = lax.conj(x1)
    return _paired_vectors(
        "vecdot",
        moveaxis(x1, i, -1),
        moveaxis(x2, j, -1),
        precision=precision,
        preferred_element_type=preferred_element_type,
    )


def _paired_vectors(name: str, x: Any, y: Any, **options: Any) -> Any:
    """Sums of products over last axes; the axes before them broadcast as those of `matmul` do."""
    lead_x, lead_y = aval_of(x).shape[:-1], aval_of(y).shape[:-1]
    broadcast_shapes(lead_x, lead_y)
    rank = max(len(lead_x), len(lead_y))
    groups: dict[str, list[int]] = {"batch": [], "x": [], "y": []}
    batch: tuple[list[int], list[int]] = ([], [])
    dropped: tuple[list[int], list[int]] = ([], [])
    for axis in range(rank):
        i, j = axis - rank + len(lead_x), axis - rank + len(lead_y)
        if i >= 0 and j >= 0 and lead_x[i] == lead_y[j]:
            groups["batch"].append(axis)
            batch[0].append(i)
            batch[1].append(j)
        elif i >= 0 and (j < 0 or lead_y[j] == 1):
            groups["x"].append(axis)
            dropped[1].extend([j] if j >= 0 else [])
        else:
            groups["y"].append(axis)
            dropped[0].extend([i] if i >= 0 else [])
    x, y = lax.squeeze(x, dropped[0]), lax.squeeze(y, dropped[1])
    last = ((len(aval_of(x).shape) - 1,), (len(aval_of(y).shape) - 1,))
    out = product(name, x, y, last, (_after(batch[0], dropped[0]), _after(batch[1], dropped[1])), **options)
    order = [*groups["batch"], *groups["x"], *groups["y"]]
    return lax.transpose(out, sorted(range(rank), key=order.__getitem__))


@named
def matvec(x1: Any, x2: Any, /) -> Any:
    """Each matrix in the last two axes of ``x1`` times each vector in the last axis of ``x2``; leading axes broadcast.

    >>> jnp.matvec(jnp.array([[1, 2], [3, 4]]), jnp.array([1, 1]))
    Array([3, 7], dtype=int32)
    """
    check_arraylike("matvec", x1, x2)
    _check_rank("matvec", x1, 2)
    _check_rank("matvec", x2, 1)
    if len(aval_of(x2).shape) == 1:
        return matmul.__wrapped__(x1, x2)
    ndim = len(aval_of(x2).shape)
    return lax.squeeze(matmul.__wrapped__(x1, lax.expand_dims(x2, (ndim,))), (-1,))


@named
def vecmat(x1: Any, x2: Any, /) -> Any:
    """Each vector in the last axis of ``x1``, conjugated, times each matrix in the last two axes of ``x2``.

    >>> jnp.vecmat(jnp.array([1, 1]), jnp.array([[1, 2], [3, 4]]))
    Array([4, 6], dtype=int32)
    """
    check_arraylike("vecmat", x1, x2)
    _check_rank("vecmat", x1, 1)
    _check_rank("vecmat", x2, 2)
    if aval_of(x1).dtype.kind == "c":
        x1 = lax.conj(x1)
    ndim = len(aval_of(x1).shape)
    if ndim == 1:
        return matmul.__wrapped__(x1, x2)
    return lax.squeeze(matmul.__wrapped__(lax.expand_dims(x1, (ndim - 1,)), x2), (-2,))


def _check_rank(name: str, x: Any, least: int) -> None:
    ndim = len(aval_of(x).shape)
    if ndim < least:
        raise ValueError(f"{name}: an array with {ndim} axes was given, but at least {least} are needed")


def tensordot(
    a: Any,
    b: Any,
    axes: int | Sequence[int] | Sequence[Sequence[int]] = 2,
    *,
    precision: Any = None,
    preferred_element_type: Any = None,
) -> Any:
    """The product summed over pairs of axes.

    Args:
      a, b: arrays.
      axes: how many last axes of ``a`` and first axes of ``b``, or a pair: axes of ``a``, and as many of ``b``.
      precision, preferred_element_type: as in `matmul`.

    Raises:
      TypeError: if there are not as many axes, or they differ in size.

    >>> jnp.tensordot(jnp.ones((2, 3)), jnp.ones((3, 4)), 1).shape
    (2, 4)
    """
    check_arraylike("tensordot", a, b)
    shape_a, shape_b = aval_of(a).shape, aval_of(b).shape
    if isinstance(axes, Sequence):
        if len(axes) != 2:
            raise TypeError(
                f"tensordot: axes={axes!r} was given, but it must be a number or a pair: axes of a, axes of b"
            )
        pair = (axes_of("tensordot", axes[0], len(shape_a)), axes_of("tensordot", axes[1], len(shape_b)))
        if len(pair[0]) != len(pair[1]):
            raise TypeError(f"tensordot: axes={axes!r} was given, but it must name as many axes of a as of b")
    else:
        count = operator.index(axes)
        if count > min(len(shape_a), len(shape_b)):
            raise TypeError(
                f"tensordot: axes={count} was given for shapes {shape_a} and {shape_b}, which have fewer axes"
            )
        if count < 0:
            raise ValueError(f"tensordot: axes={count} was given, but it must be 0 or more")
        pair = (tuple(range(len(shape_a) - count, len(shape_a))), tuple(range(count)))
    return product(
        "tensordot", a, b, pair, precision=precision, preferred_element_type=preferred_element_type
    )


@compiled(static_argnames=_STATIC)
def inner(a: Any, b: Any, *, precision: Any = None, preferred_element_type: Any = None) -> Any:
    """The product summed over the last axes of both; each vector of one with each of the other.

    Args:
      a, b: arrays or numbers; a scalar multiplies.
      precision, preferred_element_type: as in `matmul`.

    Raises:
      TypeError: if the last axes differ in size.

    >>> jnp.inner(jnp.array([1, 2]), jnp.array([3, 4]))
    Array(11, dtype=int32)
    """
    check_arraylike("inner", a, b)
    ndim_a, ndim_b = len(aval_of(a).shape), len(aval_of(b).shape)
    if not ndim_a or not ndim_b:
        a, b = promote_dtypes(a, b)
        return _times(a, b)
    return product(
        "inner",
        a,
        b,
        ((ndim_a - 1,), (ndim_b - 1,)),
        precision=precision,
        preferred_element_type=preferred_element_type,
    )


def _times(a: Any, b: Any) -> Any:
    a, b, dtype = promote_pair("multiply", a, b)
    return lax.bitwise_and(a, b) if dtype.kind == "b" else lax.mul(a, b)


@compiled(static_argnames=("out",))
def outer(a: Any, b: Any, out: None = None) -> Any:
    """Each element of ``a`` times each of ``b``, of shape ``(a.size, b.size)``.

    Raises:
      NotImplementedError: if ``out`` is given.

    >>> jnp.outer(jnp.array([1, 2]), jnp.array([3, 4]))
    Array([[3, 4],
           [6, 8]], dtype=int32)
    """
    check_out("outer", out)
    check_arraylike("outer", a, b)
    a, b = promote_dtypes(a, b)
    return _times(lax.expand_dims(ravel(a), (1,)), lax.expand_dims(ravel(b), (0,)))


@named
def kron(a: Any, b: Any) -> Any:
    """The Kronecker product: ``b`` once for each element of ``a``, multiplied by it.

    Args:
      a, b: arrays, of which one with fewer axes gets leading ones.

    >>> jnp.kron(jnp.array([1, 10]), jnp.array([1, 2]))
    Array([ 1,  2, 10, 20], dtype=int32)
    """
    check_arraylike("kron", a, b)
    a, b = promote_dtypes(a, b)
    rank = max(len(aval_of(a).shape), len(aval_of(b).shape))
    a, b = (
        lax.expand_dims(x, range(rank - len(aval_of(x).shape))) if aval_of(x).shape else x for x in (a, b)
    )
    shape_a, shape_b = aval_of(a).shape, aval_of(b).shape
    if not shape_a or not shape_b:
        return _times(a, b)
    spread_a = lax.expand_dims(a, range(1, 2 * rank, 2))
    spread_b = lax.expand_dims(b, range(0, 2 * rank, 2))
    return lax.reshape(_times(spread_a, spread_b), [m * n for m, n in zip(shape_a, shape_b, strict=True)])


@named(static_argnames=("axisa", "axisb", "axisc", "axis"))
def cross(a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Any:
    """The vector product of vectors of two or three components; other axes broadcast.

    Args:
      a, b: arrays whose axis ``axisa``, or ``axisb``, is of size 2 or 3; a missing third component is 0.
      axisc: where the components are in the result. For two vectors of two components the result is the third
        component alone, and has no such axis.
      axis: instead of the three, one for all.

    Raises:
      ValueError: if the axes are of another size.

    >>> jnp.cross(jnp.array([1, 0, 0]), jnp.array([0, 1, 0]))
    Array([0, 0, 1], dtype=int32)
    """
    check_arraylike("cross", a, b)
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = promote_dtypes(a, b)
    a, b = moveaxis(a, axisa, -1), moveaxis(b, axisb, -1)
    size_a, size_b = aval_of(a).shape[-1], aval_of(b).shape[-1]
    if size_a not in (2, 3) or size_b not in (2, 3):
        raise ValueError(
            f"cross: vectors of {size_a} and {size_b} components were given, but 2 or 3 are needed"
        )
    if size_a == size_b == 2:
        first = _times(_component(a, 0), _component(b, 1))
        return _difference(first, _times(_component(a, 1), _component(b, 0)))
    (a0, a1, a2), (b0, b1, b2) = _components(a), _components(b)
    parts = []
    for p, q, r, s in ((a1, b2, a2, b1), (a2, b0, a0, b2), (a0, b1, a1, b0)):
        left = _times(p, q)
        parts.append(_difference(left, _times(r, s)))
    shape = broadcast_shapes(*[aval_of(part).shape for part in parts])
    rows = [lax.broadcast_in_dim(part, (1, *shape), range(1, len(shape) + 1)) for part in parts]
    return moveaxis(lax.concatenate(rows, 0), 0, axisc)


def _difference(a: Any, b: Any) -> Any:
    a, b, _ = promote_pair("subtract", a, b)
    return lax.sub(a, b)


def _component(x: Any, i: int) -> Any:
    shape = aval_of(x).shape
    starts = (*[0] * (len(shape) - 1), i)
    return lax.squeeze(lax.slice(x, starts, (*shape[:-1], i + 1)), (-1,))


def _components(x: Any) -> list[Any]:
    aval = aval_of(x)
    found = [_component(x, i) for i in range(aval.shape[-1])]
    return found if len(found) == 3 else [*found, aval.dtype.type(0)]
