"""Computing at once what does not depend on traced values, while a function is traced."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

from jaxlab.core.trace import Trace, Tracer, current, interpret_with


class CompileTimeTrace(Trace):
    """Evaluates what is applied to values alone; what is applied to tracers belongs to the trace outside."""

    __slots__ = ("base",)

    def __init__(self, parent: Trace) -> None:
        self.parent = parent
        self.staging = False
        base = parent
        while base.parent is not None:
            base = base.parent
        self.base = base

    def process(self, primitive: Any, args: Sequence[Any], params: dict[str, Any]) -> Any:
        assert self.parent is not None
        outside = self.parent if any(isinstance(x, Tracer) for x in args) else self.base
        with interpret_with(outside):
            return primitive.bind(*args, **params)


@contextlib.contextmanager
def ensure_compile_time_eval() -> Iterator[None]:
    """Context manager: operations on values that are known are computed at once, though a function is traced.

    The result is a constant of the program. Operations on traced values are traced as ever, so that a branch
    of Python on them is the same error.

    >>> @jit
    ... def f(x):
    ...     with jaxlab.ensure_compile_time_eval():
    ...         large = jnp.sum(jnp.arange(4)) > 5
    ...     return 10 * x if large else x
    >>> f(2.0)
    Array(20., dtype=float32, weak_type=True)
    """
    if current.trace.parent is None:
        yield
        return
    with interpret_with(CompileTimeTrace(current.trace)):
        yield


@contextlib.contextmanager
def eval_context() -> Iterator[None]:
    """Context manager: operations are evaluated, whatever is being traced; on traced values they are an error.

    >>> @jit
    ... def f(x):
    ...     with jaxlab.core.eval_context():
    ...         table = jnp.arange(3)
    ...     return table.tolist()[1] * x
    >>> f(2.0)
    Array(2., dtype=float32, weak_type=True)
    """
    base = current.trace
    while base.parent is not None:
        base = base.parent
    with interpret_with(base):
        yield
