"""The promotion lattice: what two dtypes become when they meet.

It also holds three weak types, for Python's scalars: an `int` meets `int8` as `int8`, a `float` meets
`bfloat16` as `bfloat16`. NumPy's own rules play no part.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NoReturn

import numpy as np

from jaxlab.caching import cached
from jaxlab.elements import (
    NARROW_SCALARS,
    NARROWED,
    WIDE_SCALARS,
    DType,
    bfloat16,
    bool_,
    complex64,
    complex128,
    complexes,
    float16,
    float32,
    float64,
    floats,
    int8,
    int16,
    int32,
    int64,
    narrow_floats,
    narrow_integers,
    scalar_kind,
    signed_integers,
    supported,
    uint8,
    uint16,
    uint32,
    uint64,
    unsigned_integers,
)


class TypePromotionError(ValueError):
    """Two dtypes met that have no common dtype, such as float8_e4m3fn and float32.

    Narrow floats and integers of under 8 bits are storage formats, so they widen only when asked to, and with
    `numpy_dtype_promotion="strict"` so does everything but Python scalars. Write the conversion:

        x.astype("float32") * y        # not: x * y, where x is float8_e4m3fn and y is float32
    """


_Node = Any  # a dtype, or one of the Python types int, float and complex for the weak types


def _lattice(edges: dict[_Node, Iterable[_Node]]) -> dict[_Node, frozenset[_Node]]:
    """For every node the set of what lies above it, itself included, given what lies directly above."""
    above: dict[_Node, frozenset[_Node]] = {}

    def climb(node: _Node) -> frozenset[_Node]:
        if node not in above:
            above[node] = frozenset({node}).union(*(climb(up) for up in edges.get(node, ())))
        return above[node]

    for node in (*supported, *edges):
        climb(node)
    return above


# Integers under 8 bits and floats under 16 have nothing above them: they meet others only below themselves.
_STANDARD = _lattice(
    {
        bool_: (int,),
        int: (*narrow_integers, int8, uint8),
        int8: (int16,), int16: (int32,), int32: (int64,), int64: (float,),
        uint8: (uint16, int16), uint16: (uint32, int32), uint32: (uint64, int64), uint64: (float,),
        float: (complex, *narrow_floats, bfloat16, float16),
        bfloat16: (float32,), float16: (float32,), float32: (float64, complex64), float64: (complex128,),
        complex: (complex64,), complex64: (complex128,),
    }
)  # fmt: skip
_STRICT = _lattice(
    {int: (float, *signed_integers, *unsigned_integers), float: (complex, *floats), complex: complexes}
)


def _weak_node(dtype: DType) -> _Node:
    kind = scalar_kind(dtype)
    return bool_ if kind is bool else kind


def _join(nodes: frozenset[_Node], strict: bool) -> _Node:
    lattice = _STRICT if strict else _STANDARD
    for node in nodes:
        if node not in lattice:
            raise ValueError(
                f"promotion: dtype {node} was given, but only booleans and numbers have common dtypes"
            )
    common = frozenset.intersection(*(lattice[node] for node in nodes))
    for node in common:
        if common <= lattice[node]:
            return node
    _raise_no_join(nodes, strict)


def _raise_no_join(nodes: frozenset[_Node], strict: bool) -> NoReturn:
    names = sorted(node.name if isinstance(node, np.dtype) else f"Python {node.__name__}" for node in nodes)
    given = f"promotion: {' and '.join(names)} were given"
    if strict:
        raise TypePromotionError(
            f"{given}, but numpy_dtype_promotion is 'strict', where only Python scalars adapt; convert one "
            "with .astype"
        )
    narrow = next(
        (n.name for n in nodes if n in narrow_integers or n in narrow_floats), "a dtype this narrow"
    )
    raise TypePromotionError(
        f"{given}, but {narrow} is not widened unasked; convert it, as in x.astype('float32')"
    )


@cached("dtypes.promotion", maxsize=8192)
def promote(pairs: frozenset[tuple[DType, bool]], x64: bool, strict: bool) -> tuple[DType, bool]:
    """The common dtype of (dtype, weak) pairs, and whether it is weak."""
    kinds = frozenset(dtype for dtype, _ in pairs)
    all_weak = all(weak for _, weak in pairs)
    if len(pairs) == 1 and not (all_weak and strict):
        return next(iter(pairs))
    if len(kinds) == 1 and not all_weak:
        return next(iter(kinds)), False
    if all_weak and not strict:
        # Joined as if strong, so that weak int8 and weak uint8 make a weak int16, not the default integer.
        joined = _join(kinds, strict=False)
    else:
        joined = _join(frozenset(_weak_node(dtype) if weak else dtype for dtype, weak in pairs), strict)
    if isinstance(joined, np.dtype):
        return joined if x64 else NARROWED.get(joined, joined), all_weak
    return (WIDE_SCALARS if x64 else NARROW_SCALARS)[joined], True
