"""Which axis of a convolution is what, how much is padded, and what size comes out."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any, NamedTuple

from jaxlab.core.aval import ShapedArray

OP = "conv_general_dilated"


class ConvDimensionNumbers(NamedTuple):
    """The axes of the operands and the result of a convolution, in a fixed order of their meanings.

    Attributes:
      lhs_spec: axes of the batch, of the features, and of space.
      rhs_spec: axes of the output features, of the input features, and of space.
      out_spec: as ``lhs_spec``, of the result.
    """

    lhs_spec: tuple[int, ...]
    rhs_spec: tuple[int, ...]
    out_spec: tuple[int, ...]


Pads = tuple[tuple[int, int], ...]


def conv_dimension_numbers(
    lhs_shape: Sequence[int], rhs_shape: Sequence[int], dimension_numbers: Any
) -> ConvDimensionNumbers:
    """`ConvDimensionNumbers` from what a user may write.

    Args:
      lhs_shape, rhs_shape: the shapes of the operands.
      dimension_numbers: None for batch, features, space; or three strings, as
        ``("NHWC", "HWIO", "NHWC")``, in which N is
        the batch, C features, O and I output and input features, and every other letter an axis of space; or
        `ConvDimensionNumbers`.

    Raises:
      TypeError: if the strings do not fit the shapes, or one another.

    >>> conv_dimension_numbers((1, 9, 9, 3), (2, 2, 3, 4), ("NHWC", "HWIO", "NHWC")).rhs_spec
    (3, 2, 0, 1)
    """
    if isinstance(dimension_numbers, ConvDimensionNumbers):
        return dimension_numbers
    ndim = len(lhs_shape)
    if ndim != len(rhs_shape):
        raise TypeError(
            f"convolution requires lhs and rhs ndim to be equal, got {ndim} and {len(rhs_shape)}, for shapes "
            f"{tuple(lhs_shape)} and {tuple(rhs_shape)}"
        )
    if dimension_numbers is None:
        every = tuple(range(ndim))
        return ConvDimensionNumbers(every, every, every)
    if not isinstance(dimension_numbers, tuple | list):
        raise TypeError(
            f"convolution dimension_numbers must be tuple/list or None, got {type(dimension_numbers)}; write "
            f"three strings"
        )
    if len(dimension_numbers) != 3:
        raise TypeError(
            f"convolution dimension_numbers list/tuple must be length 3, got {len(dimension_numbers)}"
        )
    for i, (spec, names) in enumerate(zip(dimension_numbers, ("NC", "OI", "NC"), strict=True)):
        if not isinstance(spec, str):
            raise TypeError(f"convolution dimension_numbers elements must be strings, got {type(spec)}")
        if len(spec) != ndim:
            raise TypeError(
                f"convolution dimension_numbers[{i}] must have len equal to the ndim of lhs and rhs, got "
                f"{len(spec)} for "
                f"lhs and rhs shapes {tuple(lhs_shape)} and {tuple(rhs_shape)}"
            )
        if any(spec.count(name) != 1 for name in names):
            raise TypeError(
                f"convolution dimension_numbers[{i}] must contain the characters {names[0]!r} and "
                f"{names[1]!r} exactly "
                f"once, got {spec}"
            )
    lhs, rhs, out = dimension_numbers
    space = [name for name in rhs if name not in "OI"]
    if len(set(space)) != len(space) or any(
        set(spec) - set("NC") != set(space) or len(set(spec)) != ndim for spec in (lhs, out)
    ):
        raise TypeError(
            "convolution dimension_numbers elements must each have the same set of spatial characters, got "
            f"{tuple(dimension_numbers)}"
        )

    def axes(spec: str, names: str) -> tuple[int, ...]:
        return tuple([spec.index(name) for name in (*names, *space)])

    return ConvDimensionNumbers(axes(lhs, "NC"), axes(rhs, "OI"), axes(out, "NC"))


def conv_general_permutations(dimension_numbers: Sequence[str]) -> tuple[tuple[int, ...], ...]:
    """For three strings the axes in the order batch, features, space (for the kernel: output, input, space).

    >>> conv_general_permutations(("NHWC", "HWIO", "NHWC"))
    ((0, 3, 1, 2), (3, 2, 0, 1), (0, 3, 1, 2))
    """
    size = len(dimension_numbers[0])
    return tuple(conv_dimension_numbers((1,) * size, (1,) * size, tuple(dimension_numbers)))


# -- padding -------------------------------------------------------------------------------------------------


def padtype_to_pads(
    in_shape: Sequence[int], window_shape: Sequence[int], window_strides: Sequence[int], padding: Any
) -> list[tuple[int, int]]:
    """What ``"SAME"``, ``"SAME_LOWER"`` or ``"VALID"`` adds before and after each axis.

    Raises:
      RuntimeError: if the padding has no such name.

    >>> padtype_to_pads((8, 9), (3, 2), (1, 2), "SAME")
    [(1, 1), (0, 1)]
    """
    name = padding.upper() if isinstance(padding, str) else padding
    if name not in ("SAME", "SAME_LOWER", "VALID"):
        raise RuntimeError(
            f"Unrecognized padding type: expected 'VALID', 'SAME', or 'SAME_LOWER', got {padding}; or give a "
            f"pair of "
            "numbers for each axis of space"
        )
    pads = []
    for size, window, stride in zip(in_shape, window_shape, window_strides, strict=True):
        total = 0 if name == "VALID" else max((-(-size // stride) - 1) * stride + window - size, 0)
        low = (total + (name == "SAME_LOWER")) // 2
        pads.append((low, total - low))
    return pads


def explicit_pads(op: str, padding: Any, count: int) -> Pads:
    """Pairs of integers from what a user wrote."""
    pads = tuple([(operator.index(low), operator.index(high)) for low, high in padding])
    if len(pads) != count:
        raise TypeError(
            f"{op}: Wrong number of explicit pads for convolution: expected {count}, got {len(pads)}."
        )
    return pads


def transposed_pads(kernel: Sequence[int], strides: Sequence[int], padding: str) -> Pads:
    """The padding with which `conv_transpose` turns around a convolution padded so."""
    name = padding.upper()
    if name not in ("SAME", "VALID"):
        raise ValueError(
            f"conv_transpose: padding {padding!r} was given, but it is 'SAME', 'VALID' or pairs of numbers"
        )
    pads = []
    for k, s in zip(kernel, strides, strict=True):
        total = k + s - 2 + (max(k - s, 0) if name == "VALID" else 0)
        low = k - 1 if name == "VALID" or s > k - 1 else -(-total // 2)
        pads.append((low, total - low))
    return tuple(pads)


# -- sizes ---------------------------------------------------------------------------------------------------


def dilated(size: int, dilation: int) -> int:
    """The size of an axis with ``dilation - 1`` holes between its elements."""
    return 0 if size == 0 else 1 + dilation * (size - 1)


def window_count(size: int, window: int, stride: int) -> int:
    """How many windows fit into an axis."""
    return max((size - window) // stride + 1, 0)


def lhs_cotangent_pads(spaces: Sequence[Sequence[int]], params: dict[str, Any]) -> Pads:
    """The padding with which a convolution of the cotangent gives that of the operand; sizes are of space."""
    lhs, rhs, out = spaces
    pads = []
    for i, (low, _) in enumerate(params["padding"]):
        size = dilated(lhs[i], params["lhs_dilation"][i])
        window = dilated(rhs[i], params["rhs_dilation"][i])
        before = window - low - 1
        pads.append((before, size + window - 1 - dilated(out[i], params["window_strides"][i]) - before))
    return tuple(pads)


def rhs_cotangent_pads(spaces: Sequence[Sequence[int]], params: dict[str, Any]) -> Pads:
    """The same for the cotangent of the kernel, a convolution of the operand."""
    lhs, rhs, out = spaces
    pads = []
    for i, (low, _) in enumerate(params["padding"]):
        size = dilated(lhs[i], params["lhs_dilation"][i])
        window = dilated(rhs[i], params["rhs_dilation"][i])
        pads.append((low, dilated(out[i], params["window_strides"][i]) - size + window - low - 1))
    return tuple(pads)


# -- checks --------------------------------------------------------------------------------------------------


def check_convolution(x: ShapedArray, y: ShapedArray, params: dict[str, Any]) -> None:
    """Raise an error unless features, groups, strides and dilations fit."""
    numbers, features, batches = (
        params[k] for k in ("dimension_numbers", "feature_group_count", "batch_group_count")
    )
    count = len(x.shape) - 2
    for name, groups in (("feature", features), ("batch", batches)):
        if groups <= 0:
            raise ValueError(f"{OP} {name}_group_count must be a positive integer, got {groups}.")
    if features > 1 and batches > 1:
        raise ValueError(
            f"{OP}: At most one of batch_group_count and feature_group_count may be > 1, got {batches} "
            f"and {features}."
        )
    in_features, batch = x.shape[numbers.lhs_spec[1]], x.shape[numbers.lhs_spec[0]]
    kernel_out, kernel_in = y.shape[numbers.rhs_spec[0]], y.shape[numbers.rhs_spec[1]]
    if in_features % features:
        raise ValueError(
            f"{OP} feature_group_count must divide lhs feature dimension size, but {features} does not "
            f"divide {in_features}."
        )
    if in_features // features != kernel_in:
        raise ValueError(
            f"{OP} lhs feature dimension size divided by feature_group_count must equal the rhs input "
            f"feature dimension "
            f"size, but {in_features} // {features} != {kernel_in}, for operands {x.str_short()} and "
            f"{y.str_short()}."
        )
    for name, groups in (("feature", features), ("batch", batches)):
        if kernel_out % groups:
            raise ValueError(
                f"{OP} rhs output feature dimension size must be a multiple of {name}_group_count, but "
                f"{kernel_out} is "
                f"not a multiple of {groups}."
            )
    if batch % batches:
        raise ValueError(
            f"{OP} batch_group_count must divide lhs batch dimension size, but {batches} does not divide "
            f"{batch}."
        )
    if len(params["window_strides"]) != count:
        raise wrong_count("window_strides", count, params["window_strides"])
    if any(s <= 0 for s in params["window_strides"]):
        raise TypeError(f"{OP}: All strides must be positive, got {params['window_strides']}.")
    for name in ("lhs_dilation", "rhs_dilation"):
        check_dilation(name, count, params[name])


def wrong_count(name: str, count: int, given: Sequence[int]) -> ValueError:
    """The error for a parameter that has not one entry for each axis of space."""
    return ValueError(
        f"{OP} window and {name} must have the same number of dimensions, but got {count} and {len(given)}"
    )


def check_dilation(name: str, count: int, dilation: Sequence[int]) -> None:
    """Raise an error unless there is a positive number for each axis of space."""
    if len(dilation) != count:
        raise wrong_count(name, count, dilation)
    if any(d <= 0 for d in dilation):
        raise TypeError(f"{OP}: All dilations must be positive, got {tuple(dilation)} as {name}.")
