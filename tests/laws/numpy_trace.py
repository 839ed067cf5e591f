"""Programs run by NumPy: each equation by its primitive's ``reference``, nothing compiled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import jaxlab as jax
from jaxlab import tree
from jaxlab.core.trace import Trace, current, interpret_with
from jaxlab.core.typecheck import check_jaxpr
from jaxlab.interpreters.staging import eval_closed


class NumpyTrace(Trace):
    """Applies references. It counts as staging, so that no compiled function gets ahead of it."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(current.trace)
        self.staging = True

    def process(self, primitive: Any, args: Sequence[Any], params: dict[str, Any]) -> Any:
        closed = primitive.program(params)
        if closed is not None:
            return eval_closed(closed, *args)
        out = primitive.reference(*[np.asarray(x) for x in args], **params)
        return [np.asarray(x) for x in out] if primitive.multiple_results else np.asarray(out)


def run(fun: Any, point: Any) -> Any:
    """The result of ``fun(point)``: traced, checked, and computed by NumPy."""
    closed, shapes = jax.make_jaxpr(fun, return_shape=True)(point)
    check_jaxpr(closed)
    with interpret_with(NumpyTrace()):
        out = eval_closed(closed, *tree.leaves(point))
    return tree.unflatten(tree.structure(shapes), out)
