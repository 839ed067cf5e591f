"""Convolutions of any number of axes of space, with strides, holes and groups."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from jaxlab import dtypes
from jaxlab.core.aval import ShapedArray, aval_of, is_undefined
from jaxlab.core.primitive import Example, Primitive
from jaxlab.primitives.bilinear import accumulator, bilinear_jvp, same_dtype
from jaxlab.primitives.concatenation import rev
from jaxlab.primitives.conversion import convert_element_type
from jaxlab.primitives.convolution_axes import (
    merge_axis,
    merge_within_groups,
    reference_convolution,
    split_axis,
)
from jaxlab.primitives.convolution_shapes import (
    OP,
    ConvDimensionNumbers,
    check_convolution,
    check_dilation,
    conv_dimension_numbers,
    dilated,
    explicit_pads,
    lhs_cotangent_pads,
    padtype_to_pads,
    rhs_cotangent_pads,
    window_count,
    wrong_count,
)
from jaxlab.primitives.precision import canonical_precision, precision_attribute
from jaxlab.primitives.reshaping import F32, zero_ct


def conv_general_dilated(
    lhs: Any,
    rhs: Any,
    window_strides: Sequence[int],
    padding: Any,
    lhs_dilation: Sequence[int] | None = None,
    rhs_dilation: Sequence[int] | None = None,
    dimension_numbers: Any = None,
    feature_group_count: int = 1,
    batch_group_count: int = 1,
    precision: Any = None,
    preferred_element_type: Any = None,
    out_sharding: Any = None,
) -> Any:
    """The convolution (as in machine learning, without turning the kernel round) of an operand with a kernel.

    Args:
      lhs: the operand: batch, features, axes of space.
      rhs: the kernel: output features, input features, axes of space.
      window_strides: a step for each axis of space.
      padding: ``"SAME"``, ``"SAME_LOWER"``, ``"VALID"``, or a pair of numbers for each axis of space;
        negative ones cut off.
      lhs_dilation: how far apart the operand's elements are put; this makes a transposed convolution.
      rhs_dilation: how far apart the kernel's elements are put.
      dimension_numbers: which axis is what, see `conv_dimension_numbers`.
      feature_group_count: into how many groups the features are divided, each with a part of the kernel.
      batch_group_count: into how many groups the batch is divided, each with a part of the kernel.
      precision: a `Precision`, its name, or one for each operand.
      preferred_element_type: the dtype of the sums, and of the result.

    Raises:
      TypeError: if dtypes differ, or numbers of axes do not fit.
      ValueError: if sizes or groups do not fit.

    >>> images, kernel = np.ones((1, 1, 4, 4), np.float32), np.ones((1, 1, 2, 2), np.float32)
    >>> conv_general_dilated(images, kernel, (2, 2), "VALID").shape
    (1, 1, 2, 2)
    """
    lhs_shape, rhs_shape = aval_of(lhs).shape, aval_of(rhs).shape
    numbers = conv_dimension_numbers(lhs_shape, rhs_shape, dimension_numbers)
    count = len(numbers.lhs_spec) - 2
    strides = _integers(window_strides)
    holes = _integers(lhs_dilation or (1,) * count)
    kernel_holes = _integers(rhs_dilation or (1,) * count)
    if isinstance(padding, str):
        if any(d != 1 for d in holes):
            raise ValueError(
                f"{OP}: String padding is not implemented for transposed convolution using this op. Please "
                f"either exactly "
                "specify the required padding or use conv_transpose."
            )
        if len(strides) != count:
            raise wrong_count("window_strides", count, strides)
        check_dilation("rhs_dilation", count, kernel_holes)
        space = [lhs_shape[i] for i in numbers.lhs_spec[2:]]
        window = [dilated(rhs_shape[i], d) for i, d in zip(numbers.rhs_spec[2:], kernel_holes, strict=True)]
        padding = padtype_to_pads(space, window, strides, padding)
    return conv_general_dilated_p.bind(
        lhs,
        rhs,
        window_strides=strides,
        padding=explicit_pads(OP, padding, count),
        lhs_dilation=holes,
        rhs_dilation=kernel_holes,
        dimension_numbers=numbers,
        feature_group_count=operator.index(feature_group_count),
        batch_group_count=operator.index(batch_group_count),
        precision=canonical_precision(OP, precision),
        preferred_element_type=None
        if preferred_element_type is None
        else dtypes.canonicalize(preferred_element_type),
        out_sharding=out_sharding,
    )


def _integers(values: Sequence[int]) -> tuple[int, ...]:
    return tuple([operator.index(value) for value in values])


class ConvGeneralDilated(Primitive):
    name = OP
    linear_in = (0, 1)
    bilinear = True

    def abstract_eval(self, x: Any, y: Any, **params: Any) -> ShapedArray:
        numbers = params["dimension_numbers"]
        if len(x.shape) != len(y.shape):
            raise TypeError(
                f"convolution requires lhs and rhs ndim to be equal, got {len(x.shape)} and {len(y.shape)}."
            )
        if x.dtype != y.dtype:
            raise TypeError(
                f"lax.{OP} requires arguments to have the same dtypes, got {x.dtype.name}, {y.dtype.name}; "
                f"convert one."
            )
        check_convolution(x, y, params)
        shape = [0] * len(x.shape)
        shape[numbers.out_spec[0]] = x.shape[numbers.lhs_spec[0]] // params["batch_group_count"]
        shape[numbers.out_spec[1]] = y.shape[numbers.rhs_spec[0]]
        for i, (low, high) in enumerate(params["padding"]):
            size = low + dilated(x.shape[numbers.lhs_spec[i + 2]], params["lhs_dilation"][i]) + high
            window = dilated(y.shape[numbers.rhs_spec[i + 2]], params["rhs_dilation"][i])
            shape[numbers.out_spec[i + 2]] = window_count(size, window, params["window_strides"][i])
        return ShapedArray(
            tuple(shape), accumulator(x.dtype, params["preferred_element_type"]), x.weak_type and y.weak_type
        )

    def lower(self, ctx: Any, x: Any, y: Any, **params: Any) -> Any:
        b, aval = ctx.b, ctx.aval_out
        if 0 in (*ctx.avals_in[0].shape, *ctx.avals_in[1].shape, *aval.shape):
            return b.full(0, aval)
        x, y = same_dtype(ctx, x, y)
        numbers, pads = params["dimension_numbers"], params["padding"]
        layout = "x".join([_layout(numbers.lhs_spec, "bf"), _layout(numbers.rhs_spec, "oi")])
        text = ", ".join(f"[{low}, {high}]" for low, high in pads)
        padding = f"dense<[{text}]> : tensor<{len(pads)}x2xi64>" if pads else "dense<> : tensor<0x2xi64>"
        return b.value(
            "stablehlo.convolution",
            b.type(aval),
            x,
            y,
            window_strides=b.i64s(params["window_strides"]),
            padding=b.parse(padding),
            lhs_dilation=b.i64s(params["lhs_dilation"]),
            rhs_dilation=b.i64s(params["rhs_dilation"]),
            dimension_numbers=b.parse(f"#stablehlo.conv<{layout}->{_layout(numbers.out_spec, 'bf')}>"),
            feature_group_count=b.i64(params["feature_group_count"]),
            batch_group_count=b.i64(params["batch_group_count"]),
            precision_config=precision_attribute(b, params["precision"]),
        )

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any], **params: Any) -> tuple[Any, Any]:
        return bilinear_jvp(self, primals, tangents, params)

    # The adjoint in one operand is a convolution of the cotangent with the other: strides and holes change
    # places.

    def transpose(self, ct: Any, x: Any, y: Any, **params: Any) -> list[Any]:
        if zero_ct(ct):
            return [None, None]
        if is_undefined(x):
            out = self._transpose_lhs(ct, x.aval.shape, y, **params)
            return [_as(out, x.aval.dtype), None]
        out = self._transpose_rhs(ct, x, y.aval.shape, **params)
        return [None, _as(out, y.aval.dtype)]

    def _transpose_lhs(self, ct: Any, shape: tuple[int, ...], y: Any, **params: Any) -> Any:
        lhs, rhs, out = params["dimension_numbers"]
        window = aval_of(y).shape
        features, batches = params["feature_group_count"], params["batch_group_count"]
        groups = features * batches
        if groups > 1:
            y = split_axis(rhs[0], groups, y)
            y = merge_axis(rhs[0], rhs[1], y)
        spaces = [
            [s[i] for i in spec[2:]] for s, spec in ((shape, lhs), (window, rhs), (aval_of(ct).shape, out))
        ]
        found = self.bind(
            ct,
            rev(y, rhs[2:]),
            **{
                **params,
                "window_strides": params["lhs_dilation"],
                "lhs_dilation": params["window_strides"],
                "padding": lhs_cotangent_pads(spaces, params),
                "dimension_numbers": ConvDimensionNumbers(out, (rhs[1], rhs[0], *rhs[2:]), lhs),
                "feature_group_count": groups,
                "batch_group_count": 1,
            },
        )
        if batches > 1:
            found = split_axis(lhs[1], batches, found)
            found = merge_axis(lhs[1], lhs[0], found)
        return found

    def _transpose_rhs(self, ct: Any, x: Any, shape: tuple[int, ...], **params: Any) -> Any:
        lhs, rhs, out = params["dimension_numbers"]
        spaces = [
            [s[i] for i in spec[2:]]
            for s, spec in ((aval_of(x).shape, lhs), (shape, rhs), (aval_of(ct).shape, out))
        ]
        turned = [(spec[1], spec[0], *spec[2:]) for spec in (lhs, out, rhs)]
        return self.bind(
            x,
            ct,
            **{
                **params,
                "window_strides": params["rhs_dilation"],
                "rhs_dilation": params["window_strides"],
                "padding": rhs_cotangent_pads(spaces, params),
                "dimension_numbers": ConvDimensionNumbers(*turned),
                "feature_group_count": params["batch_group_count"],
                "batch_group_count": params["feature_group_count"],
            },
        )

    # A mapped axis becomes part of the batch, of the features, or of the groups.

    def batch(self, size: int, args: Any, dims: Any, **params: Any) -> tuple[Any, int]:
        (x, y), (dim_x, dim_y) = args, dims
        lhs, rhs, out = params["dimension_numbers"]
        features, batches = params["feature_group_count"], params["batch_group_count"]
        if dim_x is not None and dim_y is not None:
            kind, axis = ("batch_group_count", lhs[0]) if batches > 1 else ("feature_group_count", lhs[1])
            x, y = merge_axis(dim_x, axis, x), merge_axis(dim_y, rhs[0], y)
            found = self.bind(x, y, **{**params, kind: params[kind] * size})
            return split_axis(out[1], size, found), out[1]
        if dim_x is not None:
            x = (
                merge_axis(dim_x, lhs[0], x)
                if batches == 1
                else merge_within_groups(dim_x, lhs[0], batches, x)
            )
            return split_axis(out[0], size, self.bind(x, y, **params)), out[0]
        groups = features * batches
        if groups == 1:
            return split_axis(out[1], size, self.bind(x, merge_axis(dim_y, rhs[0], y), **params)), out[1]
        found = self.bind(x, merge_within_groups(dim_y, rhs[0], groups, y), **params)
        found = split_axis(out[1] + 1, size, split_axis(out[1], groups, found))
        return merge_axis(out[1], out[1] + 1, found), out[1]

    def reference(self, x: Any, y: Any, **params: Any) -> Any:
        return reference_convolution(x, y, params)

    def examples(self) -> Iterable[Example]:
        plain = ConvDimensionNumbers((0, 1, 2), (0, 1, 2), (0, 1, 2))
        yield self.example((2, 3, 7), (4, 3, 3), plain)
        yield self.example((2, 3, 7), (4, 3, 2), plain, window_strides=(2,), padding=((1, 2),))
        yield self.example((2, 4, 7), (6, 2, 3), plain, feature_group_count=2, padding=((-1, 1),))
        yield self.example((4, 3, 6), (6, 3, 2), plain, batch_group_count=2, lhs_dilation=(2,))
        images = conv_dimension_numbers((1,) * 4, (1,) * 4, ("NHWC", "HWIO", "NWHC"))
        yield self.example(
            (2, 4, 5, 3), (3, 2, 3, 2), images, window_strides=(2, 1), padding=((1, 2), (0, 1)),
            lhs_dilation=(1, 2), rhs_dilation=(2, 1),
        )  # fmt: skip
        yield self.example((2, 3), (4, 3), ConvDimensionNumbers((0, 1), (0, 1), (0, 1)))
        yield self.example((1, 1, 2), (1, 1, 5), plain, differentiate=False)
        yield self.example((2, 3, 5), (4, 3, 3), plain, dtype=np.dtype(np.complex64))
        byte = np.dtype(np.int8)
        yield self.example((1, 2, 5), (3, 2, 3), plain, dtype=byte, preferred_element_type=np.dtype(np.int32))

    def example(
        self, x: Any, y: Any, numbers: Any, dtype: Any = F32, differentiate: bool = True, **changes: Any
    ) -> Example:
        """An example from shapes; what is not given is the default."""
        ones = (1,) * (len(x) - 2)
        params = {
            "window_strides": ones, "padding": ((0, 0),) * len(ones),
            "lhs_dilation": ones, "rhs_dilation": ones,
            "dimension_numbers": numbers, "feature_group_count": 1, "batch_group_count": 1, "precision": None,
            "preferred_element_type": None, "out_sharding": None,
        }  # fmt: skip
        return Example(
            (ShapedArray(x, dtype), ShapedArray(y, dtype)), {**params, **changes}, differentiate=differentiate
        )


def _as(x: Any, dtype: Any) -> Any:
    return x if aval_of(x).dtype == dtype else convert_element_type(x, dtype)


def _layout(spec: Sequence[int], names: str) -> str:
    """The axes in StableHLO's text form: ``[b, 0, 1, f]``."""
    text = [""] * len(spec)
    for axis, name in zip(spec, (*names, *map(str, range(len(spec) - 2))), strict=True):
        text[axis] = name
    return f"[{', '.join(text)}]"


conv_general_dilated_p = ConvGeneralDilated()
