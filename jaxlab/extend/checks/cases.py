"""What there is to check of a primitive: each of its examples, and what the checks have to know of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from jaxlab import dtypes
from jaxlab.core.aval import ShapedArray, aval_of, is_inexact
from jaxlab.core.primitive import Example, Primitive, result_avals
from jaxlab.extend.checks.named_axes import Mapped, over_axes


@dataclass(frozen=True)
class Case:
    """One example of one primitive."""

    primitive: Primitive
    index: int
    example: Example

    @property
    def id(self) -> str:
        """The primitive and the number of the example."""
        return f"{self.primitive.name}-{self.index}"

    @property
    def avals(self) -> list[ShapedArray]:
        """The types of the arguments."""
        return [aval_of(x) for x in self.example.args]

    @property
    def inexact(self) -> list[int]:
        """The positions of the arguments in which derivatives are tested: those that have tangents."""
        chosen = self.example.differentiate
        return [
            i
            for i, aval in enumerate(self.avals)
            if is_inexact(aval.dtype) and (i in chosen if isinstance(chosen, tuple) else chosen)
        ]

    @property
    def differentiated(self) -> bool:
        """Whether the derivative rules are tested on this example."""
        if not self.inexact:
            return False
        try:
            out = result_avals(self.primitive, self.avals, dict(self.example.params))
        except Exception:
            return True  # the test of abstract_eval tells why
        return any(is_inexact(aval.dtype) for aval in out)

    @property
    def reference(self) -> Callable[..., Any] | None:
        """The primitive's reference, where it has one."""
        own = self.primitive
        inner = own.primitive if isinstance(own, Mapped) else own
        return None if type(inner).reference is Primitive.reference else own.reference


def cases_of(primitive: Primitive) -> list[Case]:
    """A case for each example of a primitive, mapped over the named axes that the example asks for."""
    return [
        Case(over_axes(primitive, example.axes), i, example) for i, example in enumerate(primitive.examples())
    ]


def is_key(dtype: Any) -> bool:
    """Whether a dtype is that of random keys."""
    return isinstance(dtype, dtypes.KeyType)
