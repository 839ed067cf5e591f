"""What is being traced where one stands, for those who write transformations or look into them."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from jaxlab import errors
from jaxlab.core.aval import ShapedArray, aval_of
from jaxlab.core.effects import NO_EFFECTS, Effects
from jaxlab.core.jaxpr import Atom, Jaxpr, JaxprEqn, SourceInfo, Var
from jaxlab.core.jaxpr import subjaxprs as jaxprs_in_params
from jaxlab.core.primitive import Primitive
from jaxlab.core.trace import Trace, Tracer, current, interpret_with
from jaxlab.interpreters.batching import BatchTrace, slice_aval, stacked_aval

set_current_trace = interpret_with
"""Context manager: a trace interprets what is applied inside. The one before comes back at the end."""


class take_current_trace:
    """Context manager: the trace in force, which is not in force inside: operations there are simply evaluated.

    >>> with take_current_trace() as trace:
    ...     jnp.sin(0.0)
    Array(0., dtype=float32, weak_type=True)
    """

    __slots__ = ("inside",)

    def __enter__(self) -> Trace:
        taken = current.trace
        self.inside = interpret_with(_stack()[-1])
        self.inside.__enter__()
        return taken

    def __exit__(self, *exc: object) -> None:
        self.inside.__exit__(*exc)


def _stack() -> list[Trace]:
    """The traces in force, the innermost first, evaluation last."""
    stack: list[Trace] = []
    trace: Trace | None = current.trace
    while trace is not None:
        stack.append(trace)
        trace = trace.parent
    return stack


def find_top_trace(_: Any = None) -> Trace:
    """The trace that interprets what is applied here; arguments say nothing of it."""
    return current.trace


class TraceState:
    """Which trace is in force; equal to another while it is the same one.

    Libraries keep these with their own state for long, so that they must not keep the program of the trace.
    """

    __slots__ = ("_trace",)

    def __init__(self, trace: Trace) -> None:
        self._trace = weakref.ref(trace)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TraceState) and self._trace == other._trace

    def __hash__(self) -> int:
        return hash(self._trace)


def get_opaque_trace_state(convention: Any = None) -> TraceState:
    """A token for the trace in force, to tell later whether one is still in the same.

    >>> get_opaque_trace_state() == get_opaque_trace_state()
    True
    """
    return TraceState(current.trace)


def nonempty_axis_env() -> bool:
    """Whether an axis has a name here."""
    return bool(current.axes)


def unsafe_get_axis_names() -> list[Any]:
    """The names of the axes in scope, the outermost first."""
    return [name for name, _ in current.axes]


def unsafe_am_i_under_a_jit() -> bool:
    """Whether equations are recorded here; programs that ask give other results compiled than not."""
    return current.trace.staging


def unsafe_am_i_under_a_vmap() -> bool:
    """Whether a batch is mapped over here; programs that ask give other results mapped than not."""
    return any(isinstance(trace, BatchTrace) for trace in _stack())


def concrete_or_error(force: Callable[[Any], Any] | None, val: Any, context: str = "") -> Any:
    """``force(val)``, where a traced value is an error that says what asked for it.

    Args:
      force: what makes a Python value of it, such as ``int``; None returns it as it is.
      val: a value.
      context: what needs it, for the text of the error.

    Raises:
      ConcretizationTypeError: if ``val`` stands for a value that is not known.

    >>> concrete_or_error(int, jnp.array(3), "the number of steps")
    3
    """
    if isinstance(val, Tracer):
        known = val.concrete()
        if known is None:
            raise errors.ConcretizationTypeError(val, context)
        val = known
    return val if force is None else force(val)


def valid_jaxtype(x: Any) -> bool:
    """Whether a value is an array, a number or a tracer.

    >>> valid_jaxtype(1.0), valid_jaxtype("one")
    (True, False)
    """
    try:
        aval_of(x)
    except TypeError:
        return False
    return True


def primal_dtype_to_tangent_dtype(primal_dtype: Any) -> Any:
    """The dtype of tangents: the same for real and complex numbers, ``float0`` for all others."""
    return ShapedArray((), primal_dtype).to_tangent_aval().dtype


def mapped_aval(size: int, axis: int | None, aval: ShapedArray) -> ShapedArray:
    """The type of one slice along an axis of this size, None for what is not mapped.

    >>> mapped_aval(2, 0, jaxlab.typeof(jnp.ones((2, 3))))
    ShapedArray(float32[3])
    """
    return aval if axis is None else slice_aval(aval, axis)


def unmapped_aval(size: int, axis: int | None, aval: ShapedArray) -> ShapedArray:
    """The type with an axis of this size put in, None for what is not mapped.

    >>> unmapped_aval(2, 0, jaxlab.typeof(jnp.ones(3)))
    ShapedArray(float32[2,3])
    """
    return stacked_aval(aval, size, axis)


def new_jaxpr_eqn(
    invars: Sequence[Atom],
    outvars: Sequence[Var],
    primitive: Primitive,
    params: dict[str, Any],
    effects: Effects = NO_EFFECTS,
    source_info: SourceInfo | None = None,
) -> JaxprEqn:
    """An equation.

    Args:
      invars, outvars: what it reads and what it binds.
      primitive, params: the operation.
      effects: what it does besides; it follows from the operation, and is taken for JAX's sake.
      source_info: where it comes from, as ``eqn.source_info`` of another one.
    """
    where = source_info or SourceInfo(None, "")
    return JaxprEqn(list(invars), list(outvars), primitive, params, *where)


def subjaxprs(jaxpr: Jaxpr) -> Iterator[Jaxpr]:
    """The jaxprs that the equations of a jaxpr hold, but not what those hold in turn.

    >>> closed = jaxlab.make_jaxpr(jit(lambda x: x + 1))(1)
    >>> [len(inner.eqns) for inner in subjaxprs(closed.jaxpr)]
    [1]
    """
    for eqn in jaxpr.eqns:
        yield from jaxprs_in_params(eqn.params)
