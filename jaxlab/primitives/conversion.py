"""Changes of representation: dtypes, bits, precision; and values passed on: copy, stop_gradient."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import ml_dtypes
import numpy as np

from jaxlab import dtypes, tree
from jaxlab.core.aval import ShapedArray, Zero, aval_of, is_array_like, is_inexact
from jaxlab.core.primitive import Example, Primitive
from jaxlab.core.trace import is_tracer
from jaxlab.primitives.broadcasting import F32, I32, Linear, move_axis, zero_ct
from jaxlab.primitives.elementwise import FLOAT, Elementwise

BOOL, C64, BF16 = np.dtype(np.bool_), np.dtype(np.complex64), np.dtype(ml_dtypes.bfloat16)


def convert_element_type(operand: Any, new_dtype: Any) -> Any:
    """``operand`` in another dtype, by the rules of C: floats to integers towards zero, complex to real by
    the real part.

    64-bit dtypes are narrowed unless x64 is on. What has the dtype already comes back as it is.

    >>> convert_element_type(np.array([0.5, 1.5], np.float32), np.int32)
    Array([0, 1], dtype=int32)
    """
    return convert(operand, new_dtype, weak_type=False)


def convert(operand: Any, new_dtype: Any, weak_type: bool = False) -> Any:
    """As `convert_element_type`, with a choice of the result's weak type.

    >>> convert(np.float32(1), np.float32, weak_type=True)
    Array(1., dtype=float32, weak_type=True)
    """
    aval = aval_of(operand)
    dtype = dtypes.canonicalize(new_dtype)
    if (
        aval.dtype == dtype
        and aval.weak_type == weak_type
        and not isinstance(operand, int | float | complex | np.generic)
    ):
        return operand
    if not isinstance(dtype, np.dtype) or not isinstance(aval.dtype, np.dtype):
        if aval.dtype == dtype:
            return operand
        raise ValueError(
            f"convert_element_type: {aval.str_short()} was given, but random keys cannot be converted to or "
            f"from {dtypes.short_name(dtype)}; use jaxlab.random.key_data and wrap_key_data"
        )
    if not is_tracer(operand) and not aval.shape and not weak_type and not hasattr(operand, "aval"):
        # A number needs no equation.
        return dtype.type(operand.real if isinstance(operand, complex) and dtype.kind != "c" else operand)
    return convert_element_type_p.bind(operand, new_dtype=dtype, weak_type=weak_type)


class ConvertElementType(Primitive):
    """Linear, where both dtypes are inexact; a tangent of an integer is ``float0``."""

    name = "convert_element_type"
    linear_in = (0,)

    def abstract_eval(self, x: Any, *, new_dtype: Any, weak_type: bool) -> ShapedArray:
        return ShapedArray(x.shape, new_dtype, weak_type)

    def lower(self, ctx: Any, x: Any, *, new_dtype: Any, weak_type: bool) -> Any:
        b, aval, out = ctx.b, ctx.avals_in[0], ctx.aval_out
        dtype = aval.dtype
        if dtype == new_dtype:
            return x
        if dtype.kind == "c" and new_dtype.kind != "c":
            dtype = np.dtype(f"float{dtype.itemsize * 4}")
            x = b.value("stablehlo.real", b.tensor(aval.shape, dtype), x)
        if new_dtype == BOOL:
            zero = b.full(0, ShapedArray(aval.shape, dtype))
            return b.compare(x, zero, "NE", dtype, aval.shape)
        return b.value("stablehlo.convert", b.type(out), x)

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any], **params: Any) -> tuple[Any, Any]:
        (x,), (t,) = primals, tangents
        out = self.bind(x, **params)
        tangent_aval = aval_of(out).to_tangent_aval()
        if type(t) is Zero or tangent_aval.dtype == dtypes.float0:
            return out, Zero(tangent_aval)
        return out, self._unless_done(t, params["new_dtype"], params["weak_type"])

    def transpose(self, ct: Any, x: Any, **params: Any) -> Sequence[Any]:
        if zero_ct(ct):
            return [None]
        return [self._unless_done(ct, x.aval.dtype, x.aval.weak_type)]

    def _unless_done(self, t: Any, dtype: Any, weak_type: bool) -> Any:
        aval = aval_of(t)
        if aval.dtype == dtype and aval.weak_type == weak_type:
            return t
        return self.bind(t, new_dtype=dtype, weak_type=weak_type)

    def batch(
        self, size: int, args: Sequence[Any], dims: Sequence[int | None], **params: Any
    ) -> tuple[Any, Any]:
        return self.bind(args[0], **params), dims[0]

    def reference(self, x: Any, *, new_dtype: Any, weak_type: bool) -> Any:
        if x.dtype.kind == "c" and new_dtype.kind != "c":
            x = x.real
        if new_dtype.kind in "iu" and is_inexact(x.dtype):
            limits = np.iinfo(new_dtype)
            whole = np.where(np.isnan(x), 0, np.clip(np.trunc(x.astype(np.float64)), limits.min, limits.max))
            return whole.astype(new_dtype)
        return x.astype(new_dtype)

    def examples(self) -> Iterable[Example]:
        def case(x: Any, dtype: Any, **options: Any) -> Example:
            return Example((x,), {"new_dtype": np.dtype(dtype), "weak_type": False}, **options)

        x = ShapedArray((2, 3), F32)
        yield case(x, C64)
        yield case(ShapedArray((3,), C64), F32)
        yield case(x, BF16, tolerance=0)
        yield case(x, I32)
        yield case(x, BOOL)
        yield case(ShapedArray((3,), I32), F32)
        yield case(ShapedArray((3,), I32), BOOL)
        yield case(ShapedArray((3,), BOOL), F32)
        yield case(ShapedArray((), C64), BOOL)
        awkward = np.array([np.nan, np.inf, -np.inf, -0.0, 2.5, -2.5, 3e9, -3e9], np.float32)
        yield case(awkward, I32)
        yield case(awkward, np.int8)
        yield case(np.array([-1, 300, 7], np.int32), np.uint8)
        yield Example((x,), {"new_dtype": F32, "weak_type": True}, differentiate=False)


convert_element_type_p = ConvertElementType()


def bitcast_convert_type(operand: Any, new_dtype: Any) -> Any:
    """The same bits read as another dtype.

    A narrower dtype adds a last axis of the parts, lowest first; a wider one takes the last axis away.

    Raises:
      TypeError: for bool or complex, unless nothing changes.
      ValueError: if the last axis does not hold the parts of one wider number.

    >>> bitcast_convert_type(np.float32(1), np.int32)
    Array(1065353216, dtype=int32)
    """
    return bitcast_convert_type_p.bind(operand, new_dtype=dtypes.canonicalize(new_dtype))


class BitcastConvertType(Primitive):
    name = "bitcast_convert_type"

    def abstract_eval(self, x: Any, *, new_dtype: Any) -> ShapedArray:
        old = x.dtype
        if old != new_dtype and any(d.kind in "bc" for d in (old, new_dtype)):
            raise TypeError(
                "lax.bitcast_convert_type does not support bool or complex values unless the operand and "
                f"destination types match, got {old.name} and {new_dtype.name}; use the view method of the "
                "array"
            )
        own, wanted = dtypes.itemsize_bits(old), dtypes.itemsize_bits(new_dtype)
        if own == wanted:
            shape = x.shape
        elif own > wanted:
            shape = (*x.shape, own // wanted)
        elif x.shape and x.shape[-1] * own == wanted:
            shape = x.shape[:-1]
        else:
            raise ValueError(
                f"bitcast_convert_type: {x.str_short()} was given, but {new_dtype.name} of {wanted} bits "
                f"needs a last axis of size {wanted // own}; reshape the operand"
            )
        return ShapedArray(shape, new_dtype)

    def lower(self, ctx: Any, x: Any, *, new_dtype: Any) -> Any:
        return ctx.b.value("stablehlo.bitcast_convert", ctx.b.type(ctx.aval_out), x)

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any], **params: Any) -> tuple[Any, Any]:
        out = self.bind(*primals, **params)
        return out, Zero(aval_of(out).to_tangent_aval())

    def batch(
        self, size: int, args: Sequence[Any], dims: Sequence[int | None], *, new_dtype: Any
    ) -> tuple[Any, Any]:
        (x,), (dim,) = args, dims
        assert dim is not None
        if dim == len(aval_of(x).shape) - 1 and dtypes.itemsize_bits(new_dtype) > dtypes.itemsize_bits(
            aval_of(x).dtype
        ):
            x, dim = move_axis(x, dim, 0), 0  # the last axis is put together
        return self.bind(x, new_dtype=new_dtype), dim

    def reference(self, x: Any, *, new_dtype: Any) -> Any:
        if x.dtype.itemsize > new_dtype.itemsize:
            return np.ascontiguousarray(x).reshape(*x.shape, 1).view(new_dtype)
        out = np.ascontiguousarray(x).reshape(x.shape if x.shape else (1,)).view(new_dtype)
        return out.reshape(x.shape if x.dtype.itemsize == new_dtype.itemsize else x.shape[:-1])

    def examples(self) -> Iterable[Example]:
        for shape, old, new in (
            ((2, 3), np.float32, np.int32),
            ((), np.float32, np.uint32),
            ((3,), np.float32, np.int16),
            ((3, 2), np.int16, np.int32),
            ((4,), np.uint8, np.uint32),
            ((3,), np.bool_, np.bool_),
        ):
            yield Example(
                (ShapedArray(shape, np.dtype(old)),), {"new_dtype": np.dtype(new)}, differentiate=False
            )


bitcast_convert_type_p = BitcastConvertType()


def reduce_precision(operand: Any, exponent_bits: int, mantissa_bits: int) -> Any:
    """``operand`` rounded to what a float of so many bits could hold, in its own dtype.

    >>> reduce_precision(np.float32(1.1), exponent_bits=5, mantissa_bits=3)
    Array(1.125, dtype=float32)
    """
    return reduce_precision_p.bind(
        operand, exponent_bits=int(exponent_bits), mantissa_bits=int(mantissa_bits)
    )


def _lower_reduce_precision(ctx: Any, x: Any, *, exponent_bits: int, mantissa_bits: int) -> Any:
    b = ctx.b
    return b.value(
        "stablehlo.reduce_precision",
        b.type(ctx.aval_out),
        x,
        exponent_bits=b.i32(exponent_bits),
        mantissa_bits=b.i32(mantissa_bits),
    )


_REDUCED = {(8, 7): ml_dtypes.bfloat16, (5, 10): np.float16, (5, 2): ml_dtypes.float8_e5m2}

reduce_precision_p = Elementwise(
    "reduce_precision",
    None,
    lambda x, exponent_bits, mantissa_bits: x.astype(_REDUCED[exponent_bits, mantissa_bits]).astype(x.dtype),
    [lambda t, out, x, **params: reduce_precision_p.bind(t, **params)],
    linear_in=(0,),
    accepts=FLOAT,
    lower=_lower_reduce_precision,
    only_samples=True,
    # A staircase: its slope is taken to be that of the line that it follows.
    samples=[
        Example(
            (ShapedArray((2, 3), F32),),
            {"exponent_bits": e, "mantissa_bits": m},
            differentiate=False,
            tolerance=0,
        )
        for e, m in _REDUCED
    ],
)


def stop_gradient(x: Any) -> Any:
    """``x``, a pytree, as a constant for differentiation.

    >>> stop_gradient(np.float32(2))
    Array(2., dtype=float32)
    """
    return tree.map(_stop_gradient, x)


def _stop_gradient(x: Any) -> Any:
    if not is_array_like(x) and not hasattr(x, "__jax_array__"):
        raise TypeError(
            f"stop_gradient: a {type(x).__name__} was given, but arrays and numbers are needed; leave it out of "
            "the tree"
        )
    return stop_gradient_p.bind(x)


stop_gradient_p = Elementwise(
    "stop_gradient",
    None,
    lambda x: x,
    [None],
    accepts=(np.generic,),
    lower=lambda ctx, x: x,
    only_samples=True,
    samples=[
        Example((ShapedArray((2, 3), F32),), differentiate=False),
        Example((ShapedArray((2,), I32),)),
    ],
)


class Copy(Linear):
    """Hands its operand on, in memory of its own where it is applied by itself."""

    name = "copy"

    def abstract_eval(self, x: Any) -> ShapedArray:
        return x  # type: ignore[no-any-return]

    def lower(self, ctx: Any, x: Any) -> Any:
        return x

    def transpose(self, ct: Any, x: Any) -> Sequence[Any]:
        return [None if zero_ct(ct) else self.bind(ct)]

    def batch(self, size: int, args: Sequence[Any], dims: Sequence[int | None]) -> tuple[Any, Any]:
        return self.bind(args[0]), dims[0]

    def reference(self, x: Any) -> Any:
        return np.array(x)

    def examples(self) -> Iterable[Example]:
        yield Example((ShapedArray((2, 3), F32),))
        yield Example((ShapedArray((), I32),))


copy_p = Copy()


def copy(x: Any) -> Any:
    """``x`` in memory of its own.

    >>> copy(np.float32(2))
    Array(2., dtype=float32)
    """
    return copy_p.bind(x)
