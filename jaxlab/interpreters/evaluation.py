"""Evaluation: each primitive is compiled once for given types and parameters; jaxlib's C++ dispatches it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jaxlab import tree
from jaxlab.caching import Cache, ScatteredCache
from jaxlab.config import config
from jaxlab.core.aval import ShapedArray, aval_of
from jaxlab.core.effects import changed_operands, held_operands
from jaxlab.core.refs import AbstractRef
from jaxlab.core.trace import Trace, Tracer, leaked, set_base
from jaxlab.interpreters.program import Program
from jaxlab.interpreters.staging import single_equation
from jaxlab.runtime import backend, execution

_dispatchers = Cache("eager dispatchers", maxsize=4096)
_eager_programs = Cache("eager programs", maxsize=4096)
# Those of functions are kept with the jaxprs that they are compiled from, so that they go with the function.
_programs = ScatteredCache("programs")


class EvalTrace(Trace):
    """Computes at once. It is the interpreter below all others."""

    __slots__ = ()

    def process(self, primitive: Any, args: Sequence[Any], params: dict[str, Any]) -> Any:
        for x in args:
            if isinstance(x, Tracer):
                raise leaked(x)
        key = (primitive, *params.items())
        kept = _memory(params) if primitive.holds_programs else None
        dispatch = _dispatchers.get(key) if kept is None else kept.get(key)
        if dispatch is None:
            dispatch = _dispatcher(primitive, params)
            if kept is None:
                _dispatchers.put(key, dispatch)
            else:
                kept[key] = dispatch
        return dispatch(*args)


def _memory(params: dict[str, Any]) -> dict[Any, Any] | None:
    """The memory of the first program among the parameters; an exported function has one, too."""
    for value in params.values():
        first = value[0] if type(value) is tuple and value else value
        memo = getattr(first, "memo", None)
        if type(memo) is dict:
            return memo
    return None


def _dispatcher(primitive: Any, params: dict[str, Any]) -> Any:
    """The C++ function that applies a primitive with fixed parameters."""
    effects = primitive.effects(params)
    if effects and held_operands(effects):
        return _on_references(primitive, params, sorted(held_operands(effects)), changed_operands(effects))

    def on_miss(*args: Any) -> tuple[Any, Any, bool]:
        avals = tuple([aval_of(x) for x in args])
        device, committed = params.get("device"), True
        if device is None:
            device, committed = execution.device_of(args, backend.default_device(), name=primitive.name)
        program = program_for(primitive, avals, params, device)
        outputs = program.run(args, avals, committed)
        out = outputs if primitive.multiple_results else outputs[0]
        return out, program.fast_path(tree.structure(out), committed), False

    # With `disable_jit` jaxlib calls the function itself; a single operation has nothing to step into.
    return execution.pjit(primitive.name, lambda *args: on_miss(*args)[0], on_miss)


def _on_references(primitive: Any, params: dict[str, Any], held: list[int], changed: set[int]) -> Any:
    """What applies a primitive to references: it passes their arrays through C++, and puts the new ones in."""
    written = sorted(changed)

    def call(*args: Any) -> Any:
        avals = tuple([aval_of(x) for x in args])
        values = [args[i].peek() if i in held else x for i, x in enumerate(args)]
        device, committed = execution.device_of(values, backend.default_device(), name=primitive.name)
        return program_for(primitive, avals, params, device).run(args, avals, committed)

    if primitive.holds_programs:  # they may call Python, and fail
        return call

    def on_miss(*values: Any) -> tuple[Any, Any, bool]:
        inner = [aval_of(x) for x in values]
        avals = tuple([AbstractRef(aval) if i in held else aval for i, aval in enumerate(inner)])
        device, committed = execution.device_of(values, backend.default_device(), name=primitive.name)
        program = program_for(primitive, avals, params, device)
        outputs = program.run_on_values(values, inner, committed)
        return outputs, program.fast_path(tree.structure(outputs), committed, on_values=True), False

    dispatch = execution.pjit(primitive.name, lambda *values: on_miss(*values)[0], on_miss)

    def apply(*args: Any) -> Any:
        values = list(args)
        for i in held:
            values[i] = args[i].lend() if i in changed else args[i].peek()
        out = dispatch(*values)
        count = len(out) - len(written)
        for i, x in zip(written, out[count:], strict=True):
            args[i].replace(x)
        return out[:count] if primitive.multiple_results else out[0]

    return apply


def program_for(
    primitive: Any,
    avals: tuple[ShapedArray, ...],
    params: dict[str, Any],
    device: Any,
    *,
    trace_seconds: float | None = None,
) -> Program:
    """The program of one application on one device, made once for types, parameters and configuration."""
    key = (primitive, tuple(params.items()), avals, device, config.trace_key())
    memory = _memory(params)
    program: Program | None = _eager_programs.get(key) if memory is None else _programs.get(memory, key)
    if program is None:
        closed = primitive.program(params)
        name = primitive.name if closed is None else params["name"]
        program = Program(
            name,
            single_equation(primitive, avals, params) if closed is None else closed,
            device,
            donated=params.get("donated_invars", ()),
            keep_unused=params.get("keep_unused", False),
            options=dict(params.get("compiler_options_kvs", ())),
            trace_seconds=trace_seconds,
        )
        if memory is None:
            _eager_programs.put(key, program)
        else:
            _programs.put(memory, key, program)
    return program


set_base(EvalTrace(None))
