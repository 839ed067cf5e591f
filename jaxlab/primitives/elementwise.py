"""The elementwise family: one result element from the elements at the same place.

Operands have equal shapes, or are scalars, or have sizes 1 where another has more; what follows from that (types, the
broadcasting of derivatives, batching) is written here once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from jaxlab import dtypes
from jaxlab.core.aval import ShapedArray, Zero, aval_of, is_inexact, is_undefined
from jaxlab.core.primitive import Example, Primitive
from jaxlab.primitives.broadcasting import F32, broadcast_to, expand_dims, move_axis, unbroadcast, zero_ct

Derivative = Callable[..., Any]

FLOAT = (np.floating,)
INEXACT = (np.floating, np.complexfloating)
COMPLEX = (np.complexfloating,)
NUMBER = (np.number,)
REAL = (np.integer, np.floating)
INTEGER = (np.integer,)
BITS = (np.integer, np.bool_)
ANY = (np.number, np.bool_)

_accepted: dict[tuple[tuple[type, ...], Any], bool] = {}


def accepts(kinds: tuple[type, ...], dtype: Any) -> bool:
    """Whether a dtype is of one of the kinds."""
    known = _accepted.get((kinds, dtype))
    if known is None:
        known = _accepted[kinds, dtype] = any(dtypes.issubdtype(dtype, kind) for kind in kinds)
    return known


def broadcast_shapes(name: str, avals: Sequence[ShapedArray]) -> tuple[int, ...]:
    """The common shape of elementwise operands; raises TypeError where there is none."""
    shapes = [aval.shape for aval in avals if aval.shape]
    if not shapes:
        return ()
    first = shapes[0]
    if all(shape == first for shape in shapes):
        return first
    if len({len(shape) for shape in shapes}) != 1:
        raise TypeError(
            f"{name}: arrays must have the same number of axes, but got shapes "
            f"{', '.join(str(aval.shape) for aval in avals)}; reshape or broadcast one of them first"
        )
    result = []
    for sizes in zip(*shapes, strict=True):
        different = {size for size in sizes if size != 1}
        if len(different) > 1:
            raise TypeError(
                f"{name} got incompatible shapes for broadcasting: {', '.join(str(aval.shape) for aval in avals)}"
            )
        result.append(different.pop() if different else 1)
    return tuple(result)


class Elementwise(Primitive):
    """An elementwise primitive, described by what its rules cannot know by themselves.

    Args:
      name: the name in jaxprs.
      hlo: the StableHLO (or CHLO) operation that does it; or ``lower``, a function of context and operands.
      reference: the same in NumPy.
      derivatives: for each operand a function ``(t, out, *operands)`` giving its share of the tangent (linear in ``t``,
        of the result's shape up to broadcasting), or None where the derivative is zero.
      linear_in: the operands in which the operation is linear; the share above is then also the transpose.
      accepts: kinds of dtypes taken.
      result: the dtype of the result from that of the first operand, where it differs.
      samples: examples; by default three shapes that follow from the number of operands.
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
        accepts: tuple[type, ...] = INEXACT,
        result: Callable[[Any], Any] | None = None,
        lower: Callable[..., Any] | None = None,
        attributes: str = "",
        samples: Sequence[Example] | None = None,
        positive: bool = False,
        tolerance: float = 2e-5,
    ) -> None:
        self.hlo = hlo
        self.numpy = reference
        self.derivatives = tuple(derivatives)
        self.arity = arity if arity is not None else max(1, len(self.derivatives))
        self.linear_in = linear_in
        self.kinds = accepts
        self.result = result
        self.lowering = lower
        self.attributes = attributes
        self.samples = samples
        self.positive = positive
        self.tolerance = tolerance
        super().__init__(name)

    def abstract_eval(self, *avals: Any, **params: Any) -> ShapedArray:
        first = avals[0]
        dtype = first.dtype
        if not accepts(self.kinds, dtype):
            raise TypeError(
                f"{self.name} does not accept dtype {dtype.name}; it accepts "
                f"{' and '.join(kind.__name__ for kind in self.kinds)} dtypes"
            )
        shape = first.shape
        weak = first.weak_type
        for aval in avals[1:]:
            if aval.dtype is not dtype and aval.dtype != dtype:
                raise TypeError(
                    f"lax.{self.name} requires arguments to have the same dtypes, but got "
                    f"{', '.join(a.dtype.name for a in avals)}; convert one of them, or use jaxlab.numpy, "
                    "which promotes dtypes"
                )
            weak = weak and aval.weak_type
            if aval.shape != shape:
                shape = broadcast_shapes(self.name, avals)
                break
        if len(avals) > 1:
            weak = all(a.weak_type for a in avals)
        if self.result is not None:
            dtype = self.result(dtype)
            weak = weak and dtype.kind != "b"
        if shape == first.shape and dtype is first.dtype and weak == first.weak_type and type(first) is ShapedArray:
            return first
        return ShapedArray(shape, dtype, weak)

    def operands(self, ctx: Any, values: Sequence[Any]) -> Sequence[Any]:
        """The operands broadcast to the shape of the result."""
        shape = ctx.avals_out[0].shape
        avals = ctx.avals_in
        if all(aval.shape == shape for aval in avals):
            return values
        b = ctx.b
        return [
            x
            if aval.shape == shape
            else b.broadcast(x, shape, aval.dtype, tuple(range(len(shape))) if aval.shape else ())
            for x, aval in zip(values, avals, strict=True)
        ]

    def lower(self, ctx: Any, *operands: Any, **params: Any) -> Any:
        values = self.operands(ctx, operands)
        if self.lowering is not None:
            return self.lowering(ctx, *values, **params)
        return ctx.b.value(self.hlo, ctx.b.type(ctx.avals_out[0]), *values)

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any], **params: Any) -> tuple[Any, Any]:
        out = self.bind(*primals, **params)
        shape = aval_of(out).shape
        total = None
        for derivative, t in zip(self.derivatives, tangents, strict=True):
            if type(t) is Zero or derivative is None:
                continue
            share = broadcast_to(derivative(t, out, *primals, **params), shape)
            total = share if total is None else add_any(total, share)
        return out, Zero(aval_of(out).to_tangent_aval()) if total is None else total

    def transpose(self, ct: Any, *args: Any, **params: Any) -> Sequence[Any]:
        if zero_ct(ct):
            return [None] * len(args)
        result = []
        for i, x in enumerate(args):
            if is_undefined(x) and i in self.linear_in:
                derivative = self.derivatives[i]
                assert derivative is not None
                result.append(unbroadcast(derivative(ct, None, *args, **params), x.aval))
            else:
                result.append(None)
        return result

    def batch(self, size: int, args: Sequence[Any], dims: Sequence[int | None], **params: Any) -> tuple[Any, int]:
        aligned, dim = align(args, dims)
        return self.bind(*aligned, **params), dim

    def reference(self, *arrays: Any, **params: Any) -> Any:
        assert self.numpy is not None
        return self.numpy(*arrays, **params)

    def examples(self) -> Iterable[Example]:
        if self.samples is not None:
            yield from self.samples
            return
        dtype = F32
        if not accepts(self.kinds, F32):
            dtype = np.dtype(np.complex64) if self.kinds == COMPLEX else np.dtype(np.int32)
        differentiate = bool(self.derivatives) and is_inexact(dtype)
        shapes: list[tuple[tuple[int, ...], ...]] = [((2, 3),) * self.arity, ((),) * self.arity]
        if self.arity > 1:
            shapes.append(((2, 3),) + ((),) * (self.arity - 1))
            shapes.append(((),) * (self.arity - 1) + ((3,),))
            shapes.append(((2, 1),) + ((1, 3),) * (self.arity - 1))
        for case in shapes:
            yield Example(
                tuple(ShapedArray(shape, dtype) for shape in case),
                differentiate=differentiate,
                positive=self.positive,
                tolerance=self.tolerance,
            )


def align(args: Sequence[Any], dims: Sequence[int | None]) -> tuple[list[Any], int]:
    """Elementwise operands with their mapped axis at one place, the others made to broadcast against them."""
    shapes = [aval_of(x).shape for x in args]
    rank = max(len(shape) - (d is not None) for shape, d in zip(shapes, dims, strict=True))
    mapped = [(shape, d) for shape, d in zip(shapes, dims, strict=True) if d is not None]
    if all(m == mapped[0] for m in mapped) and len(mapped[0][0]) - 1 == rank:
        shape, dim = mapped[0]
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


add_any_p = Elementwise(
    "add_any",
    "stablehlo.add",
    np.add,
    [lambda t, out, x, y: t, lambda t, out, x, y: t],
    linear_in=(0, 1),
    accepts=ANY,
)


def add_any(x: Any, y: Any) -> Any:
    """The sum of two tangents or cotangents of the same type."""
    return add_any_p.bind(x, y)
