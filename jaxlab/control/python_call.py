"""Calls of Python functions: at once where nothing is traced, and from compiled programs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from jaxlab.core.aval import ShapedArray, aval_of
from jaxlab.core.trace import Tracer, current, leaked
from jaxlab.runtime import backend, execution, keys
from jaxlab.runtime.array import put
from jaxlab.runtime.callbacks import checked, guarded

# GPU plugins register theirs with the client. On TPU a program exchanges messages with the host instead.
_TARGETS = {"cpu": "cpu", "cuda": "gpu", "gpu": "gpu", "rocm": "gpu"}


@contextmanager
def _outside_of_programs() -> Iterator[None]:
    """Context manager: what a callback traces has nothing to do with the program that calls it."""
    state = current.scope, current.axes, current.traceback
    current.scope, current.axes, current.traceback = "", (), None
    try:
        yield
    finally:
        current.scope, current.axes, current.traceback = state


def _on_host(function: Callable[..., Any], avals: Sequence[ShapedArray]) -> Callable[..., Any]:
    """``function`` of NumPy arrays, which it gets as arrays on the CPU.

    They are copied: those that jaxlib hands over lie in the program's own memory, and a callback may keep
    what it is given.
    """
    physical = [keys.physical(aval) for aval in avals]

    def call(*values: Any) -> Any:
        device = backend.client("cpu").local_devices()[0]
        arrays = [put(x, aval, device, committed=False) for x, aval in zip(values, physical, strict=True)]
        with _outside_of_programs():
            return function(*keys.wrap(arrays, avals))

    return call


def call_now(
    name: str, function: Callable[..., Any], args: Sequence[Any], result_avals: Sequence[ShapedArray]
) -> list[Any]:
    """Call a function on values; what it returns is checked as in a compiled program."""
    for x in args:
        if isinstance(x, Tracer):
            raise leaked(x)
    avals = [aval_of(x).strip_weak_type() for x in args]
    device, committed = execution.device_of(args, backend.default_device(), name=name)
    host = backend.client("cpu").local_devices()[0]
    arrays = [put(x, aval, host, committed=False) for x, aval in zip(args, avals, strict=True)]
    with _outside_of_programs():
        results = checked(function, result_avals, name)(*arrays)
    return [put(x, aval, device, committed=committed) for x, aval in zip(results, result_avals, strict=True)]


def lower_call(
    ctx: Any,
    name: str,
    function: Callable[..., Any],
    operands: Sequence[Any],
    result_avals: Sequence[ShapedArray],
    *,
    has_side_effect: bool,
    ordered: bool = False,
    partitioned: bool = False,
) -> list[Any]:
    """Write the call of a Python function, which returns a sequence of results.

    Args:
      has_side_effect: whether it must be called although nobody reads its results.
      ordered: whether it takes its place among the ordered calls of the program.
      partitioned: whether each device calls it with its own part.

    Raises:
      NotImplementedError: on platforms whose programs cannot call Python.
    """
    platform = _TARGETS.get(ctx.platform)
    if platform is None:
        raise NotImplementedError(
            f"{name}: a program for {ctx.platform} was given, but only programs for cpu, cuda and rocm can "
            "call Python; return the value from the program and use it outside"
        )
    b = ctx.b
    avals = [aval.strip_weak_type() for aval in ctx.avals_in]
    host = _on_host(function, avals)
    results = [b.type(aval) for aval in result_avals]
    ranks_in = [len(keys.physical(aval).shape) for aval in avals]
    ranks_out = [len(aval.shape) for aval in result_avals]
    types: list[ShapedArray | None] = list(result_avals)
    if ordered:
        call = guarded(
            lambda token, *values: (token, *host(*values)), [None, *types], name, ctx.eqn.traceback
        )
        operands, results = [ctx.token, *operands], [b.token, *results]
        ranks_in, ranks_out = [0, *ranks_in], [0, *ranks_out]
    else:
        call = guarded(host, types, name, ctx.eqn.traceback)
    index = len(ctx.shared.callbacks)
    ctx.shared.callbacks.append(call)
    attributes = {
        "call_target_name": b.string(
            f"xla_ffi{'_partitioned' if partitioned else ''}_python_{platform}_callback"
        ),
        "api_version": b.i32(4),
        "has_side_effect": b.flag(has_side_effect),
        "backend_config": b.parse(f"{{index = {index} : ui64}}"),
        # Without these XLA may choose a layout, and the function would see the numbers in another order.
        "operand_layouts": b.parse(_row_major(ranks_in)),
        "result_layouts": b.parse(_row_major(ranks_out)),
    }
    out = list(b.op("stablehlo.custom_call", results, operands, attributes).results)
    if ordered:
        ctx.token, *out = out
    return out


def _row_major(ranks: Sequence[int]) -> str:
    dense = [f"dense<{list(reversed(range(rank))) if rank else ''}> : tensor<{rank}xindex>" for rank in ranks]
    return f"[{', '.join(dense)}]"


def declared(leaves: Sequence[Any], name: str) -> tuple[ShapedArray, ...]:
    """The types that the leaves of ``result_shape_dtypes`` announce, for the callback ``name``.

    Raises:
      AttributeError: if a leaf has no shape or dtype.
      ValueError: if one has 64 bits while ``enable_x64`` is off.
    """
    avals = []
    for leaf in leaves:
        if not hasattr(leaf, "shape") or not hasattr(leaf, "dtype"):
            raise AttributeError(
                f"{name}: result_shape_dtypes has the leaf {leaf!r}, a {type(leaf).__name__}, but every leaf "
                "must have shape and dtype; write jaxlab.ShapeDtypeStruct(shape, dtype)"
            )
        given = np.dtype(leaf.dtype)
        aval = aval_of(np.empty((0,), given))
        if aval.dtype != given:
            raise ValueError(
                f"{name}: result_shape_dtypes has the dtype {given}, but 64-bit types need enable_x64; write "
                f"{aval.dtype}, or set jaxlab.config.update('enable_x64', True)"
            )
        avals.append(ShapedArray(tuple(leaf.shape), given))
    return tuple(avals)
