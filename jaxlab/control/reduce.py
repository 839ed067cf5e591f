"""Reductions over axes by any function; known functions become the reductions that are made for them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from jaxlab import tree
from jaxlab.control.bodies import trace_body
from jaxlab.core.aval import ShapedArray, Zero, aval_of
from jaxlab.core.jaxpr import ClosedJaxpr, Var
from jaxlab.core.primitive import Example, Primitive
from jaxlab.core.trace import Tracer
from jaxlab.interpreters.jvp import jvp_flat
from jaxlab.interpreters.staging import eval_closed
from jaxlab.primitives.arithmetic import add, mul
from jaxlab.primitives.broadcasting import broadcast_axis, expand_dims, reduce_sum, squeeze
from jaxlab.primitives.concatenation import concatenate
from jaxlab.primitives.conversion import convert_element_type
from jaxlab.primitives.creation import full_like
from jaxlab.primitives.logic import bitwise_and, bitwise_or, bitwise_xor
from jaxlab.primitives.reduction import (
    all_bits,
    highest,
    lowest,
    reduce_and,
    reduce_max,
    reduce_min,
    reduce_or,
    reduce_prod,
    reduce_xor,
)
from jaxlab.primitives.reshaping import F32, check_axes, drop_axes, move_axis, reshape, shift_axes
from jaxlab.primitives.rounding import max, min
from jaxlab.primitives.slicing import index_in_dim, pad, slice_in_dim

BOOL = np.dtype(np.bool_)

# For each operation of `lax`: the reduction by it, the value that changes nothing, and whether it takes truth
# values.
_KNOWN: dict[Any, tuple[Callable[..., Any], Callable[[Any], Any], bool]] = {
    add: (reduce_sum, lambda dtype: 0, False),
    mul: (reduce_prod, lambda dtype: 1, False),
    max: (reduce_max, lowest, True),
    min: (reduce_min, highest, True),
    bitwise_and: (reduce_and, all_bits, True),
    bitwise_or: (reduce_or, lambda dtype: 0, True),
    bitwise_xor: (reduce_xor, lambda dtype: 0, True),
}


def reduce(
    operands: Any,
    init_values: Any,
    computation: Callable[[Any, Any], Any],
    dimensions: Sequence[int],
    out_sharding: Any = None,
) -> Any:
    """All elements along axes combined by a function, in an order that is not defined.

    Args:
      operands: an array, or a tree of arrays of one shape.
      init_values: for each operand a scalar that changes nothing when it is combined with a value.
      computation: from two values, or two trees of values, to one; associative and commutative.
      dimensions: the axes, which disappear.

    Raises:
      ValueError: if shapes differ, an initial value is no scalar, or there is no such axis.
      TypeError: if ``computation`` does not return what it is given, in structure and dtypes.

    >>> reduce(np.arange(1, 5), 1, mul, (0,))
    Array(24, dtype=int32)
    """
    flat, in_tree = tree.flatten(operands)
    inits = initial_values("reduce", flat, tree.leaves(init_values))
    axes = tuple(dimensions)
    if len(flat) == 1:
        reduction = known(computation, inits[0])
        if reduction is not None:
            return tree.unflatten(in_tree, [reduction(flat[0], axes)])
    jaxpr = reducer("reduce", computation, in_tree, inits)
    out = reduce_p.bind(*flat, *inits, computation=computation, dimensions=axes, jaxpr=jaxpr)
    return tree.unflatten(in_tree, out)


def known(computation: Any, init: Any) -> Callable[..., Any] | None:
    """The reduction made for a function, if it starts from the value that changes nothing."""
    try:
        reduction, identity, takes_bool = _KNOWN[computation]
    except (KeyError, TypeError):
        return None
    dtype = aval_of(init).dtype
    if isinstance(init, Tracer) or (dtype == BOOL and not takes_bool):
        return None
    return reduction if np.asarray(init).item() == np.asarray(identity(dtype), dtype).item() else None


def initial_values(op: str, operands: Sequence[Any], inits: Sequence[Any]) -> list[Any]:
    """One scalar of each operand's dtype; weakly typed ones are converted."""
    if len(operands) != len(inits) or not operands:
        raise ValueError(
            f"{op}: {len(operands)} operands and {len(inits)} initial values were given, but there must be "
            f"one for each operand"
        )
    result = []
    for x, init in zip(operands, inits, strict=True):
        own, dtype = aval_of(init), aval_of(x).dtype
        if own.shape:
            raise ValueError(f"{op}: {op} found non-scalar initial value: {own.str_short()}")
        if own.dtype != dtype or isinstance(init, bool | int | float | complex):
            if not own.weak_type and own.dtype != dtype:
                raise TypeError(
                    f"{op}: an initial value {own.str_short()} was given for an operand of dtype "
                    f"{dtype.name}; convert it"
                )
            init = (
                convert_element_type(init, dtype)
                if isinstance(init, Tracer)
                else np.asarray(init).astype(dtype)[()]
            )
        result.append(init)
    return result


def reducer(op: str, computation: Any, in_tree: Any, inits: Sequence[Any]) -> ClosedJaxpr:
    """The function on scalars as a closed program."""
    avals = [ShapedArray((), aval_of(init).dtype) for init in inits]
    example = tree.unflatten(in_tree, avals)
    body = trace_body(computation, (example, example), avals * 2, op)
    if any(isinstance(x, Tracer) for x in body.consts):
        raise NotImplementedError(
            f"{op}: the function closes over a traced value; make it one of the operands"
        )
    out = [ShapedArray(aval.shape, aval.dtype) for aval in body.jaxpr.out_avals]
    if out != avals:
        raise TypeError(
            f"{op}: the function was given values of types {types(avals)} and returned {types(out)}, but "
            f"it must return "
            "what it is given"
        )
    if not body.consts:
        return body.jaxpr
    count, jaxpr = len(body.consts), body.jaxpr.jaxpr
    return ClosedJaxpr(
        jaxpr.replace(constvars=jaxpr.invars[:count], invars=jaxpr.invars[count:]), body.consts
    )


def types(avals: Sequence[ShapedArray]) -> str:
    """Types in a row, for error texts."""
    return ", ".join(aval.str_short() for aval in avals)


def reference_program(closed: ClosedJaxpr, *args: Any) -> list[Any]:
    """A program on NumPy values, by the reference of each of its operations."""
    env: dict[Any, Any] = dict(zip(closed.jaxpr.constvars, closed.consts, strict=True))
    env.update(zip(closed.jaxpr.invars, args, strict=True))

    def read(v: Any) -> Any:
        return np.asarray(env[v] if type(v) is Var else v.val, v.aval.dtype)

    for eqn in closed.eqns:
        out = eqn.primitive.reference(*map(read, eqn.invars), **eqn.params)
        env.update(zip(eqn.outvars, out if eqn.primitive.multiple_results else [out], strict=True))
    return [read(v) for v in closed.jaxpr.outvars]


class Reduce(Primitive):
    """Operands, then as many initial values."""

    name = "reduce"
    multiple_results = True

    def abstract_eval(self, *avals: Any, computation: Any, dimensions: Any, jaxpr: Any) -> list[ShapedArray]:
        operands = avals[: len(avals) // 2]
        for aval in operands:
            if aval.shape != operands[0].shape:
                raise ValueError(
                    f"reduce: operands {types(operands)} were given, but their shapes must be equal; "
                    f"broadcast them"
                )
            check_axes("reduce", aval, dimensions)
        return [ShapedArray(drop_axes(aval.shape, dimensions), aval.dtype) for aval in operands]

    def lower(self, ctx: Any, *operands: Any, computation: Any, dimensions: Any, jaxpr: Any) -> list[Any]:
        b, avals = ctx.b, list(ctx.avals_out)
        attributes = {"dimensions": b.i64s(dimensions)}
        out = b.op("stablehlo.reduce", [b.type(aval) for aval in avals], operands, attributes, regions=1)
        scalars = [b.tensor((), aval.dtype) for aval in avals]
        body, arguments = b.block(out.regions[0], scalars * 2)
        body.end(ctx.inline(jaxpr, body, arguments))
        return list(out.results)

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any], **params: Any) -> tuple[Any, Any]:
        count = len(primals) // 2
        if all(type(t) is Zero for t in tangents):
            out = self.bind(*primals, **params)
            return out, [Zero(aval_of(x).to_tangent_aval()) for x in out]
        # The initial values change nothing, so their tangents are not looked at.
        inits, axes, jaxpr = primals[count:], params["dimensions"], params["jaxpr"]
        xs, ts = primals[:count], tangents[:count]
        if 0 in [aval_of(xs[0]).shape[i] for i in axes]:
            return jvp_flat(lambda *xs: _of_nothing(xs, inits, axes), xs, ts)
        rows = [_rows(x, axes) for x in xs]
        row_tangents = [
            Zero(aval_of(row)) if type(t) is Zero else _rows(t, axes) for t, row in zip(ts, rows, strict=True)
        ]
        return jvp_flat(lambda *rows: _by_halves(rows, inits, jaxpr), rows, row_tangents)

    def batch(self, size: int, args: Any, dims: Any, *, computation: Any, dimensions: Any, jaxpr: Any) -> Any:
        count = len(args) // 2
        if any(d is not None for d in dims[count:]):
            params = {"computation": computation, "dimensions": dimensions, "jaxpr": jaxpr}
            return one_by_one(self, size, args, dims, params)
        moved = [
            broadcast_axis(x, size, 0) if d is None else move_axis(x, d, 0)
            for x, d in zip(args[:count], dims[:count], strict=True)
        ]
        axes = shift_axes(dimensions, 0)
        return self.bind(*moved, *args[count:], computation=computation, dimensions=axes, jaxpr=jaxpr), [
            0
        ] * count

    def reference(self, *arrays: Any, computation: Any, dimensions: Any, jaxpr: Any) -> list[Any]:
        count = len(arrays) // 2
        kept = [i for i in range(arrays[0].ndim) if i not in dimensions]
        sizes = [arrays[0].shape[i] for i in kept]
        rows = [np.transpose(x, (*dimensions, *kept)).reshape(-1, *sizes) for x in arrays[:count]]
        total = [np.full(sizes, init, x.dtype) for x, init in zip(rows, arrays[count:], strict=True)]
        for values in zip(*rows, strict=True):
            total = [np.asarray(x) for x in reference_program(jaxpr, *total, *values)]
        return total

    def examples(self) -> Iterable[Example]:
        scalar = ShapedArray((), F32)
        one, zero = np.float32(1), np.float32(0)

        def either(x: Any, y: Any) -> Any:  # associative, and unknown: 1 - (1 - x)(1 - y)
            return add(x, mul(y, add(one, mul(np.float32(-1), x))))

        def both(x: Any, y: Any) -> Any:
            return add(x[0], y[0]), mul(x[1], y[1])

        single = reducer("reduce", either, tree.structure(scalar), [zero])
        double = reducer("reduce", both, tree.structure((scalar, scalar)), [zero, one])
        for shape, axes in (((5,), (0,)), ((2, 3, 4), (0, 2)), ((3, 0), (1,))):
            params = {"computation": either, "dimensions": axes, "jaxpr": single}
            yield Example((ShapedArray(shape, F32), zero), params, differentiate=(0,))
        params = {"computation": both, "dimensions": (1,), "jaxpr": double}
        yield Example((ShapedArray((2, 3), F32),) * 2 + (zero, one), params, differentiate=(0, 1))


reduce_p = Reduce()


def one_by_one(
    primitive: Primitive, size: int, args: Sequence[Any], dims: Sequence[int | None], params: Any
) -> Any:
    """The batch rule where initial values are mapped, of which XLA takes only one."""
    results = [
        primitive.bind(
            *[x if d is None else index_in_dim(x, i, d, False) for x, d in zip(args, dims, strict=True)],
            **params,
        )
        for i in range(size)
    ]
    stacks = [concatenate([expand_dims(x, (0,)) for x in column], 0) for column in zip(*results, strict=True)]
    return stacks, [0] * len(stacks)


def _of_nothing(xs: Sequence[Any], inits: Sequence[Any], axes: Sequence[int]) -> list[Any]:
    return [
        full_like(x, init, shape=drop_axes(aval_of(x).shape, axes)) for x, init in zip(xs, inits, strict=True)
    ]


def _rows(x: Any, axes: Sequence[int]) -> Any:
    """``x`` with the axes to reduce made one, in front."""
    shape = aval_of(x).shape
    kept = [i for i in range(len(shape)) if i not in axes]
    count = math.prod(shape[i] for i in axes)
    return reshape(x, (count, *[shape[i] for i in kept]), (*axes, *kept))


def _by_halves(rows: Sequence[Any], inits: Sequence[Any], jaxpr: ClosedJaxpr) -> list[Any]:
    """The reduction over the first axis, by combining one half with the other as whole arrays."""
    count, *sizes = aval_of(rows[0]).shape
    while count > 1:
        half, rest = (count + 1) // 2, count // 2
        first = [slice_in_dim(x, 0, half) for x in rows]
        second = [slice_in_dim(x, half, count) for x in rows]
        if rest != half:
            config = ((0, 1, 0), *[(0, 0, 0)] * len(sizes))
            second = [pad(x, init, config) for x, init in zip(second, inits, strict=True)]
        rows = eval_closed(jaxpr, *first, *second)
        count = half
    return [squeeze(x, (0,)) for x in rows]
