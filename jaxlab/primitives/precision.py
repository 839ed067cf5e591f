"""How exactly accelerators sum products: the ``precision`` of contractions and convolutions."""

from __future__ import annotations

import enum
from typing import Any

from jaxlab.config import config


class Precision(enum.Enum):
    """What a matrix unit may do with float32: the fastest way, three passes of bfloat16, or full float32.

    >>> Precision("float32")
    Precision.HIGHEST
    """

    DEFAULT = 0
    HIGH = 1
    HIGHEST = 2

    @classmethod
    def _missing_(cls, value: object) -> Precision | None:
        return _ALIASES.get(value)

    def __repr__(self) -> str:
        return f"{type(self).__name__}.{self.name}"

    def __str__(self) -> str:
        return self.name


_ALIASES: dict[object, Precision] = {
    **dict.fromkeys((None, "default", "fastest", "bfloat16"), Precision.DEFAULT),
    **dict.fromkeys(("high", "bfloat16_3x", "tensorfloat32"), Precision.HIGH),
    **dict.fromkeys(("highest", "float32"), Precision.HIGHEST),
}

Pair = tuple[Precision, Precision]


def canonical_precision(op: str, precision: Any) -> Pair | None:
    """One `Precision` for each operand from what a user may write; None where nothing was asked for.

    Raises:
      ValueError: for a name that means no precision.

    >>> canonical_precision("dot", "highest")
    (Precision.HIGHEST, Precision.HIGHEST)
    """
    if precision is None:
        precision = config.default_matmul_precision
        if precision is None:
            return None
    if isinstance(precision, tuple | list):
        if len(precision) != 2:
            raise ValueError(
                f"{op}: precision {precision!r} was given, but it is one value or one for each operand"
            )
        return _one(op, precision[0]), _one(op, precision[1])
    one = _one(op, precision)
    return one, one


def _one(op: str, precision: Any) -> Precision:
    try:
        return Precision(precision)
    except ValueError:
        names = ", ".join(sorted(str(name) for name in _ALIASES if name is not None))
        raise ValueError(
            f"{op}: precision {precision!r} was given, but it is a Precision or one of {names}"
        ) from None


def precision_attribute(b: Any, precision: Pair | None) -> Any:
    """The ``precision_config`` attribute of an operation."""
    if precision is None:
        return b.parse("[#stablehlo<precision DEFAULT>, #stablehlo<precision DEFAULT>]")
    first, second = precision
    return b.parse(f"[#stablehlo<precision {first}>, #stablehlo<precision {second}>]")
