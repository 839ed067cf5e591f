"""The elementwise family: one result element from the elements at the same place.

Operands have equal shapes, or are scalars, or have sizes 1 where another has more; what follows from that
(types, the
broadcasting of derivatives, batching) is written here once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import ml_dtypes
import numpy as np

from jaxlab import dtypes
from jaxlab.core.aval import ShapedArray, Zero, aval_of, is_inexact, is_undefined
from jaxlab.core.primitive import Example, Primitive
from jaxlab.primitives.broadcasting import (
    broadcast_axis,
    broadcast_to,
    expand_dims,
    move_axis,
    unbroadcast,
    zero_ct,
)

Derivative = Callable[..., Any]
Kinds = tuple[type, ...]

FLOAT: Kinds = (np.floating,)
COMPLEX: Kinds = (np.complexfloating,)
INEXACT: Kinds = (np.floating, np.complexfloating)
NUMBER: Kinds = (np.integer, np.floating, np.complexfloating)
REAL: Kinds = (np.integer, np.floating)
ORDERED: Kinds = (np.integer, np.floating, np.bool_)
INTEGER: Kinds = (np.integer,)
BITS: Kinds = (np.integer, np.bool_)
ANY: Kinds = (np.integer, np.floating, np.complexfloating, np.bool_)

# The dtypes that examples are made of, the first of those accepted being the one on which shapes are tried.
_EXAMPLE_DTYPES = tuple(
    np.dtype(t) for t in (np.float32, np.int32, np.complex64, ml_dtypes.bfloat16, np.uint8, np.bool_)
)
_AWKWARD = np.array([np.nan, np.inf, -np.inf, -0.0, 0.0, 1.0, -2.5], np.float32)


class Accepted(dict[Any, bool]):
    """Whether a dtype is of one of some kinds, found out once a dtype."""

    def __init__(self, kinds: Kinds) -> None:
        super().__init__()
        self.kinds = kinds

    def __missing__(self, dtype: Any) -> bool:
        self[dtype] = known = any(dtypes.issubdtype(dtype, kind) for kind in self.kinds)
        return known


def broadcast_shapes(name: str, avals: Sequence[ShapedArray]) -> tuple[int, ...]:
    """The common shape of elementwise operands; raises TypeError where there is none."""
    shapes = [aval.shape for aval in avals if aval.shape]
    if not shapes:
        return ()
    first = shapes[0]
    if len(shapes) == 1 or all(shape == first for shape in shapes):
        return first
    given = ", ".join(aval.str_short() for aval in avals)
    if len({len(shape) for shape in shapes}) != 1:
        raise TypeError(
            f"{name}: arrays must have the same number of dimensions, but the operands are {given}; reshape "
            "one of them, or use jaxlab.numpy, which broadcasts"
        )
    result = []
    for sizes in zip(*shapes, strict=True):
        different = {size for size in sizes if size != 1}
        if len(different) > 1:
            raise TypeError(
                f"{name} got incompatible shapes for broadcasting: {given}; sizes must be equal or 1"
            )
        result.append(different.pop() if different else 1)
    return tuple(result)


class Elementwise(Primitive):
    """An elementwise primitive, described by what its rules cannot know by themselves.

    Args:
      name: the name in jaxprs.
      hlo: the StableHLO (or CHLO) operation that does it; or ``lower``, a function of context and operands.
      reference: the same in NumPy.
      derivatives: for each operand a function ``(t, out, *operands, **params)`` giving its share of the
      tangent (linear in
        ``t``, of the result's shape up to broadcasting), or None where the derivative is zero. Empty: not
        differentiable.
      arity: the number of operands, where ``derivatives`` does not tell.
      linear_in: the operands in which the operation is linear; the share above is then also the transpose.
      additive: linear in all operands together, so that tangents go the way of the values.
      accepts: kinds of dtypes taken.
      result: the dtype of the result from that of the first operand, where it differs.
      domain: the open interval from which examples take their numbers.
      samples: examples beside those that follow from arity and dtypes.
      awkward: whether NaN, infinities and zeros of both signs are an example.
      only_samples, params: no other examples than ``samples``; the parameters of the others.
      smooth, smooth_in: at which dtypes, and in which operands, the derivatives given are those of the
      function.
      tolerance: relative, of the comparison with ``reference`` in float32.
    """

    def __init__(
        self,
        name: str,
        hlo: str | None = None,
        reference: Callable[..., Any] | None = None,
        derivatives: Sequence[Derivative | None] = (),
        *,
        arity: int | None = None,
        linear_in: tuple[int, ...] = (),
        additive: bool = False,
        accepts: Kinds = INEXACT,
        result: Callable[[Any], Any] | None = None,
        lower: Callable[..., Any] | None = None,
        domain: tuple[float, float] | None = None,
        awkward: bool = True,
        samples: Sequence[Example] = (),
        only_samples: bool = False,
        params: dict[str, Any] | None = None,
        smooth: Kinds = INEXACT,
        smooth_in: tuple[int, ...] | bool = True,
        tolerance: float = 2e-6,
    ) -> None:
        self.hlo = hlo
        self.numpy = reference
        self.derivatives = tuple(derivatives)
        self.arity = arity if arity is not None else max(1, len(self.derivatives))
        self.linear_in = linear_in
        self.additive = additive
        self.accepted = Accepted(accepts)
        self.result = result
        self.lowering = lower
        self.domain = domain
        self.awkward = awkward
        self.samples = samples
        self.only_samples = only_samples
        self.sample_params = params or {}
        self.smooth = Accepted(smooth)
        self.smooth_in = smooth_in
        self.tolerance = tolerance
        super().__init__(name)
        if hlo is not None and lower is None and type(self).lower is Elementwise.lower:
            self.plain = hlo

    def abstract_eval(self, x: Any, y: Any = None, /, **params: Any) -> ShapedArray:
        # Every traced operation passes here. Operands of one type take these lines alone: 0.2 us less.
        if y is None or y is x or (y.shape == x.shape and y.dtype is x.dtype and y.weak_type is x.weak_type):
            if not self.accepted[x.dtype]:
                raise self.dtype_error(0, x.dtype)
            if self.result is None:
                return x  # type: ignore[no-any-return]
            return ShapedArray(x.shape, self.result(x.dtype), x.weak_type)
        dtype = x.dtype
        if y.dtype != dtype:
            raise self.dtype_mismatch((x, y))
        if not self.accepted[dtype]:
            raise self.dtype_error(0, dtype)
        weak = x.weak_type and y.weak_type
        shape = broadcast_shapes(self.name, (x, y))
        if self.result is not None:
            dtype = self.result(dtype)
        elif shape == x.shape and weak is x.weak_type:
            return x  # type: ignore[no-any-return]
        elif shape == y.shape and weak is y.weak_type:
            return y  # type: ignore[no-any-return]
        return ShapedArray(shape, dtype, weak)

    def dtype_error(self, position: int, dtype: Any) -> TypeError:
        """The error for an operand of a dtype that is not taken."""
        place = f" at position {position}" if self.arity > 1 else ""
        kinds = ", ".join(kind.__name__.rstrip("_") for kind in self.accepted.kinds)
        return TypeError(
            f"{self.name} does not accept dtype {dtype.name}{place}; accepted are subtypes of {kinds}, so "
            "convert the operand with convert_element_type, or use jaxlab.numpy, which promotes"
        )

    def dtype_mismatch(self, avals: Sequence[ShapedArray]) -> TypeError:
        """The error for operands whose dtypes differ."""
        return TypeError(
            f"lax.{self.name} requires arguments to have the same dtypes, got "
            f"{', '.join(a.dtype.name for a in avals)}; convert one of them, or use jaxlab.numpy, which "
            "promotes dtypes"
        )

    def operands(self, ctx: Any, values: Sequence[Any]) -> Sequence[Any]:
        """The operands broadcast to the shape of the result."""
        eqn = ctx.eqn
        shape = eqn.outvars[0].aval.shape
        for v in eqn.invars:
            if v.aval.shape != shape:
                break
        else:
            return values
        avals = ctx.avals_in
        return [broadcast_operand(ctx.b, x, aval, shape) for x, aval in zip(values, avals, strict=True)]

    def lower(self, ctx: Any, *operands: Any, **params: Any) -> Any:
        values = self.operands(ctx, operands) if len(operands) > 1 else operands
        if self.lowering is not None:
            return self.lowering(ctx, *values, **params)
        b, aval = ctx.b, ctx.eqn.outvars[0].aval
        return b.plain(self.hlo, b.tensor(aval.shape, aval.dtype), values)

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any], **params: Any) -> tuple[Any, Any]:
        if not self.derivatives:
            raise NotImplementedError(
                f"primitive {self.name} cannot be differentiated; take what depends on it out by "
                "stop_gradient"
            )
        out = self.bind(*primals, **params)
        if self.additive and not any(type(t) is Zero for t in tangents):
            return out, self.bind(*tangents, **params)
        aval = aval_of(out)
        total: Any = None
        for derivative, t in zip(self.derivatives, tangents, strict=True):
            if type(t) is Zero or derivative is None:
                continue
            share = derivative(t, out, *primals, **params)
            if aval_of(share).shape != aval.shape:
                share = broadcast_to(share, aval.shape)
            total = share if total is None else add_any(total, share)
        return out, Zero(aval.to_tangent_aval()) if total is None else total

    def transpose(self, ct: Any, *args: Any, **params: Any) -> Sequence[Any]:
        if zero_ct(ct):
            return [None] * len(args)
        result = []
        for i, x in enumerate(args):
            if is_undefined(x) and i in self.linear_in:
                derivative = self.derivatives[i]
                assert derivative is not None
                result.append(unbroadcast(derivative(ct, None, *args, **params), x.aval))
            elif is_undefined(x):
                return super().transpose(ct, *args, **params)  # which says that it cannot be done
            else:
                result.append(None)
        return result

    def batch(
        self, size: int, args: Sequence[Any], dims: Sequence[int | None], **params: Any
    ) -> tuple[Any, int]:
        aligned, dim = align(args, dims)
        return self.bind(*aligned, **params), dim

    def reference(self, *arrays: Any, **params: Any) -> Any:
        assert self.numpy is not None
        own = arrays[0].dtype
        if own == ml_dtypes.bfloat16:
            # NumPy's functions on bfloat16 round in between.
            wide = [x.astype(np.float32) if x.dtype == own else x for x in arrays]
            out = np.asarray(self.numpy(*wide, **params))
            return out.astype(own) if out.dtype == np.float32 else out
        with np.errstate(all="ignore"):
            return self.numpy(*arrays, **params)

    def examples(self) -> Iterable[Example]:
        yield from self.samples
        if self.only_samples:
            return
        dtypes_ = [dtype for dtype in _EXAMPLE_DTYPES if self.accepted[dtype]]
        for dtype in dtypes_:
            smooth = is_inexact(dtype) and self.smooth[dtype]
            shapes: list[tuple[tuple[int, ...], ...]] = [((3,),) * self.arity]
            if dtype is dtypes_[0]:
                shapes = example_shapes(self.arity)
            for case in shapes:
                yield Example(
                    tuple(self.example_operand(shape, dtype, i) for i, shape in enumerate(case)),
                    dict(self.sample_params),
                    differentiate=self.smooth_in
                    if self.derivatives and smooth and dtype.itemsize >= 4
                    else False,
                    tolerance=2**-6 if dtype == ml_dtypes.bfloat16 else self.tolerance,
                )
        if self.awkward and self.accepted[_AWKWARD.dtype]:
            operands = np.broadcast_arrays(*np.ix_(*(_AWKWARD,) * min(self.arity, 2)))
            first = [np.array(x).reshape(-1) for x in operands]
            args = tuple(first[min(i, len(first) - 1)] for i in range(self.arity))
            yield Example(args, dict(self.sample_params), differentiate=False, tolerance=self.tolerance)

    def example_operand(self, shape: tuple[int, ...], dtype: Any, position: int) -> Any:
        """A type, or numbers from the domain where there is one, unlike for each operand."""
        if self.domain is None or not is_inexact(dtype):
            return ShapedArray(shape, dtype)
        low, high = self.domain
        count = max(1, int(np.prod(shape)))
        places = (np.arange(count) * 0.618 + 0.37 * (position + 1)) % 1.0  # spread, and far from the ends
        numbers = low + (high - low) * (0.05 + 0.9 * places)
        if dtype.kind == "c":
            numbers = numbers + 0.3j * (1 + places)
        return numbers.astype(dtype).reshape(shape)


def example_shapes(arity: int) -> list[tuple[tuple[int, ...], ...]]:
    """The shapes on which operands of an elementwise operation meet."""
    shapes: list[tuple[tuple[int, ...], ...]] = [((2, 3),) * arity, ((),) * arity]
    if arity > 1:
        shapes.append(((2, 3),) + ((),) * (arity - 1))
        shapes.append(((),) * (arity - 1) + ((3,),))
        shapes.append(((2, 1),) + ((1, 3),) * (arity - 1))
    return shapes


def broadcast_operand(b: Any, x: Any, aval: ShapedArray, shape: tuple[int, ...]) -> Any:
    """A lowered operand in the shape of the result."""
    return x if aval.shape == shape else b.spread(x, aval, shape)


def align(args: Sequence[Any], dims: Sequence[int | None]) -> tuple[list[Any], int]:
    """Elementwise operands with their mapped axis at one place, the others made to broadcast against them."""
    shapes = [aval_of(x).shape for x in args]
    rank = max(len(shape) - (d is not None) for shape, d in zip(shapes, dims, strict=True))
    mapped = [(len(shape), d) for shape, d in zip(shapes, dims, strict=True) if d is not None]
    first, dim = mapped[0]
    if first - 1 == rank and all(m == mapped[0] for m in mapped):
        assert dim is not None
        if all(d is not None or not s for s, d in zip(shapes, dims, strict=True)):
            return list(args), dim
    aligned = []
    for x, shape, d in zip(args, shapes, dims, strict=True):
        if d is None:
            aligned.append(expand_dims(x, (0,)) if shape else x)
            continue
        x = move_axis(x, d, 0)
        if len(shape) - 1 < rank:
            x = expand_dims(x, tuple(range(1, rank + 1)))
        aligned.append(x)
    return aligned, 0


_PYTHON: dict[str, Any] = {"b": bool, "i": int, "u": int, "f": float, "c": complex}


def scalar_like(x: Any, value: complex) -> Any:
    """A scalar of the dtype of ``x``, and as weakly typed, which jaxprs write in place."""
    aval = aval_of(x)
    return _PYTHON[aval.dtype.kind](value) if aval.weak_type else aval.dtype.type(value)


def full_like(x: Any, value: complex) -> Any:
    """``value`` in the shape and dtype of ``x``, and as weakly typed."""
    return broadcast_to(scalar_like(x, value), aval_of(x).shape)


def real_dtype(dtype: Any) -> Any:
    """The dtype of the real part."""
    return np.dtype(f"float{dtype.itemsize * 4}") if dtype.kind == "c" else dtype


class Sum(Elementwise):
    """The sum of two tangents: of one type, so that one with a mapped axis is added to a whole stack."""

    def batch(
        self, size: int, args: Sequence[Any], dims: Sequence[int | None], **params: Any
    ) -> tuple[Any, int]:
        if len({len(aval_of(x).shape) - (d is not None) for x, d in zip(args, dims, strict=True)}) > 1:
            return super().batch(size, args, dims, **params)
        dim = next(d for d in dims if d is not None)
        stacks = [
            broadcast_axis(x, size, dim) if d is None else x if d == dim else move_axis(x, d, dim)
            for x, d in zip(args, dims, strict=True)
        ]
        return self.bind(*stacks, **params), dim


add_any_p = Sum(
    "add_any",
    "stablehlo.add",
    np.add,
    [lambda t, out, x, y: t, lambda t, out, x, y: t],
    linear_in=(0, 1),
    additive=True,
    accepts=NUMBER,
)


def add_any(x: Any, y: Any) -> Any:
    """The sum of two tangents or cotangents of the same type.

    >>> add_any(np.float32(1), np.float32(2))
    Array(3., dtype=float32)
    """
    return add_any_p.bind(x, y)
