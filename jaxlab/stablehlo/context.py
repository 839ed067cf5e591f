"""Contexts of MLIR, one a thread: dialects, element types, and the locations of equations."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np
from jaxlib.mlir import ir
from jaxlib.mlir._mlir_libs import _chlo, _jax_mlir_ext, _mlir, _sdy, _stablehlo

from jaxlab.core import source
from jaxlab.elements import float0
from jaxlab.runtime.compiler import on_abandoned

_registry = ir.DialectRegistry()
_jax_mlir_ext.register_dialects(_registry)

# At the first attribute of a dialect MLIR would look for a Python module of that name, to give its operations
# classes. We have no use for those, and StableHLO's cost 25 ms of every first result. Whoever imports the
# modules himself, as `jax` does, has the classes.
_mlir.globals.dialect_search_modules = []

# The raw C++ class: the Python subclass would start a thread pool for every context.
_RawContext = ir.Context.__mro__[1]

EQUATION = "jaxlab.equation"
_named, _file, _callsite = ir.Location.name, ir.Location.file, ir.Location.callsite

# Types, attributes and locations live as long as their context, so it is renewed after so many modules.
MODULES_PER_CONTEXT = 1000


class MLIRContext:
    """An MLIR context with its caches of types, attributes and locations."""

    def __init__(self) -> None:
        context = _RawContext()
        context.enable_multithreading(False)
        context.append_dialect_registry(_registry)
        _stablehlo.register_dialect(context)
        _chlo.register_dialect(context)
        _sdy.register_dialect(context)
        context.load_all_available_dialects()
        self.context = context
        self.modules = 0
        self.types: dict[Any, Any] = {}
        self.attributes: dict[Any, Any] = {}
        self.templates: dict[Any, Any] = {}
        with context:
            self.unknown = ir.Location.unknown()
            with self.unknown:
                self.shelf = ir.Module.create()
            tracebacks = _jax_mlir_ext.TracebackToLocationCache(
                code_to_filename=_file_of, frame_limit=20, context=context
            )
        self.locate = _locator(context, tracebacks.get)


def _file_of(code: Any) -> str | None:
    file = code.co_filename
    return source.display_name(file) if source.is_user_file(file) else None


def _locator(context: Any, stack_of: Callable[[Any], Any]) -> Callable[[str, Any, int], Any]:
    """What makes the location of an equation's operations, with all that it needs at hand."""
    roots: dict[int, Any] = {}

    def locate(name: str, traceback: Any, number: int) -> Any:
        """The location for the operations of an equation.

        ``name`` becomes XLA's ``op_name``. The user's frames are the call stack, and at its root stands a
        frame of the file ``EQUATION`` whose line is the equation's number, from 1: XLA keeps stacks through
        every pass, so that its instructions can be led back to the very equations they come from, also when
        they were compiled in another process.
        """
        root = roots.get(number)
        if root is None:
            root = roots[number] = _named(EQUATION, _file(EQUATION, number + 1, 1, context), context)
        if traceback is not None:
            if type(traceback) is source.Joined:
                traceback = traceback.own
            root = _callsite(stack_of(traceback), [root], context=context)
        return _named(name, root, context)

    return locate


class _PerThread(threading.local):
    current: MLIRContext | None = None


_per_thread = _PerThread()


def mlir_context() -> MLIRContext:
    """This thread's context, renewed now and then."""
    known = _per_thread.current
    if known is None or known.modules >= MODULES_PER_CONTEXT:
        known = _per_thread.current = MLIRContext()
    known.modules += 1
    return known


_float_types: dict[Any, Callable[[], Any]] = {
    np.dtype(np.float16): ir.F16Type.get,
    np.dtype(np.float32): ir.F32Type.get,
    np.dtype(np.float64): ir.F64Type.get,
    np.dtype(ml_dtypes.bfloat16): ir.BF16Type.get,
    np.dtype(ml_dtypes.float8_e3m4): ir.Float8E3M4Type.get,
    np.dtype(ml_dtypes.float8_e4m3): ir.Float8E4M3Type.get,
    np.dtype(ml_dtypes.float8_e4m3fn): ir.Float8E4M3FNType.get,
    np.dtype(ml_dtypes.float8_e4m3b11fnuz): ir.Float8E4M3B11FNUZType.get,
    np.dtype(ml_dtypes.float8_e4m3fnuz): ir.Float8E4M3FNUZType.get,
    np.dtype(ml_dtypes.float8_e5m2): ir.Float8E5M2Type.get,
    np.dtype(ml_dtypes.float8_e5m2fnuz): ir.Float8E5M2FNUZType.get,
    np.dtype(ml_dtypes.float8_e8m0fnu): ir.Float8E8M0FNUType.get,
    np.dtype(ml_dtypes.float4_e2m1fn): ir.Float4E2M1FNType.get,
    np.dtype(np.complex64): lambda: ir.ComplexType.get(ir.F32Type.get()),
    np.dtype(np.complex128): lambda: ir.ComplexType.get(ir.F64Type.get()),
    np.dtype(np.bool_): lambda: ir.IntegerType.get_signless(1),
}
# Bits, and whether there is a sign.
SMALL_INTEGERS = {
    np.dtype(ml_dtypes.int2): (2, True),
    np.dtype(ml_dtypes.int4): (4, True),
    np.dtype(ml_dtypes.uint2): (2, False),
    np.dtype(ml_dtypes.uint4): (4, False),
}


def element_type(dtype: Any) -> Any:
    """The element type of a dtype, in the current context."""
    if dtype == float0:  # no program reads such a value; the smallest type stands for it
        return ir.IntegerType.get_signless(1)
    make = _float_types.get(dtype)
    if make is not None:
        return make()
    bits, signed = SMALL_INTEGERS.get(dtype) or (dtype.itemsize * 8, dtype.kind == "i")
    return ir.IntegerType.get_signless(bits) if signed else ir.IntegerType.get_unsigned(bits)


def forget_context() -> None:
    """Take a new context for the next module: a compilation that was left behind still reads this one."""
    _per_thread.current = None


on_abandoned.append(forget_context)
