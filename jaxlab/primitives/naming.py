"""Names for intermediate values, by which the policies of `checkpoint` choose what to save."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from jaxlab import tree
from jaxlab.core.aval import ShapedArray
from jaxlab.core.primitive import Example, Primitive
from jaxlab.primitives.broadcasting import F32


def checkpoint_name(x: Any, name: str) -> Any:
    """``x``, known to the policies of `checkpoint` under a name.

    Args:
      x: a pytree of arrays; each leaf gets the name.
      name: what policies such as ``checkpoint_policies.save_only_these_names`` call it.

    >>> checkpoint_name(np.float32(2), "activations")
    Array(2., dtype=float32)
    """
    return tree.map(lambda leaf: name_p.bind(leaf, name=name), x)


class Name(Primitive):
    """Passes its operand on. Only primal values have names: a tangent is never saved."""

    name = "name"

    def abstract_eval(self, x: ShapedArray, *, name: str) -> ShapedArray:
        return x

    def lower(self, ctx: Any, x: Any, *, name: str) -> Any:
        return x

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any], *, name: str) -> tuple[Any, Any]:
        return self.bind(*primals, name=name), tangents[0]

    def batch(
        self, size: int, args: Sequence[Any], dims: Sequence[int | None], *, name: str
    ) -> tuple[Any, int | None]:
        return self.bind(*args, name=name), dims[0]

    def reference(self, x: Any, *, name: str) -> Any:
        return x

    def examples(self) -> Iterable[Example]:
        yield Example((ShapedArray((2, 3), F32),), {"name": "activations"})


name_p = Name()
