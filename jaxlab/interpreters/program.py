"""A program on its way to the device: traced, lowered, compiled, run; each stop kept, with what it cost."""

from __future__ import annotations

import copy
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from jaxlab import lazy
from jaxlab.config import config
from jaxlab.core import source
from jaxlab.core.aval import ShapedArray
from jaxlab.core.effects import touches_references
from jaxlab.core.jaxpr import ClosedJaxpr, DebugInfo, inputs_read
from jaxlab.core.refs import is_ref
from jaxlab.elements import float0
from jaxlab.runtime import analysis, compiler, donation, execution
from jaxlab.runtime.array import put
from jaxlab.runtime.native import logging_transfers
from jaxlab.runtime.sharding import single_device

if TYPE_CHECKING:
    from jaxlab import logs
    from jaxlab.interpreters import discharge, key_reuse, lowering, nonfinite
    from jaxlab.runtime import layout, references
else:  # MLIR: 10 ms of an import
    discharge = lazy.module("jaxlab.interpreters.discharge")
    references = lazy.module("jaxlab.runtime.references")
    logs = lazy.module("jaxlab.logs")
    layout = lazy.module("jaxlab.runtime.layout")
    lowering = lazy.module("jaxlab.interpreters.lowering")
    nonfinite = lazy.module("jaxlab.interpreters.nonfinite")
    key_reuse = lazy.module("jaxlab.interpreters.key_reuse")

# Called with every program when it has been compiled: inspection and `log_compiles` listen.
on_compiled: list[Callable[[Program], None]] = []


class Program:
    """A jaxpr for one device, compiled at its first use.

    Attributes:
      name: the function's name.
      closed: what is compiled. Array constants are leading arguments of it, not copied into the module.
      device: where it runs.
      platform: what it is lowered for; the device's by default.
      trace_seconds, lower_seconds, compile_seconds: what each stop took; None where it was not made yet.
      written: the inputs that are references whose last values follow the results; None where no input is a
        reference.
    """

    __slots__ = (
        "__weakref__",
        "closed",
        "compiled",
        "const_args",
        "device",
        "donated",
        "has_float0",
        "keep_unused",
        "lower_seconds",
        "lowered",
        "name",
        "options",
        "out_avals",
        "platform",
        "trace_seconds",
        "written",
    )

    def __init__(
        self,
        name: str,
        closed: ClosedJaxpr,
        device: Any,
        *,
        donated: Sequence[bool] = (),
        keep_unused: bool = False,
        trace_seconds: float | None = None,
        options: dict[str, Any] | None = None,
        platform: str | None = None,
    ) -> None:
        self.name = name
        jaxpr = closed.jaxpr
        # Closed-over arrays become arguments: the module stays small and the compiler does not fold them.
        self.const_args = [
            x if is_ref(v.aval) else _argument(x, v.aval, device)
            for v, x in zip(jaxpr.constvars, closed.consts, strict=True)
        ]
        if jaxpr.constvars:
            debug = jaxpr.debug
            names = ("",) * len(jaxpr.constvars) + debug.arg_names if debug.arg_names else ()
            jaxpr = jaxpr.replace(
                constvars=[],
                invars=jaxpr.constvars + jaxpr.invars,
                debug=DebugInfo(debug.name, names, debug.result_paths),
            )
            closed = ClosedJaxpr(jaxpr)
        donated = (False,) * len(self.const_args) + tuple(donated) if any(donated) else ()
        self.written: tuple[int, ...] | None = None
        if touches_references(closed.effects):
            refs = [is_ref(aval) for aval in closed.in_avals]
            closed, written = discharge.discharge_program(closed)
            jaxpr = closed.jaxpr
            if any(refs):
                self.written = written
                donated = tuple(
                    i in written or (not is_a_ref and bool(donated) and donated[i])
                    for i, is_a_ref in enumerate(refs)
                )
        self.closed = closed
        self.device = device
        self.platform = device.platform if platform is None else platform
        # A program that may have to be run again, to find a NaN, must keep what it was given.
        donates = any(donated) and not (config.debug_nans or config.debug_infs)
        self.donated = donated if donates else ()
        self.keep_unused = keep_unused
        self.out_avals = [v.aval for v in jaxpr.outvars]
        self.has_float0 = any(aval.dtype == float0 for aval in (*self.out_avals, *closed.in_avals))
        self.trace_seconds = trace_seconds
        self.lower_seconds: float | None = None
        self.lowered: lowering.Lowered | None = None
        self.compiled: compiler.Compiled | None = None
        self.options = options

    def lower(self) -> lowering.Lowered:
        """The StableHLO module, made once."""
        if self.lowered is None:
            start = time.perf_counter()
            with compiler.phase(self.name, "lower"):
                self.lowered = lowering.lower_program(
                    self.closed,
                    name=self.name,
                    platform=self.platform,
                    aliases=self._aliases() if self.donated else (),
                    keep_unused=self.keep_unused,
                )
            self.lower_seconds = time.perf_counter() - start
        return self.lowered

    def _aliases(self) -> list[int | None]:
        """For each argument the result that takes its buffer; warns of donated ones that none can take."""
        used = inputs_read(self.closed.jaxpr)
        given = [
            d and (self.keep_unused or v in used)
            for d, v in zip(self.donated, self.closed.jaxpr.invars, strict=True)
        ]
        own = self.written or ()
        count = len(self.out_avals) - len(own)
        given_arrays = [g and i not in own for i, g in enumerate(given)]
        places, unusable = donation.aliases(self.closed.in_avals, given_arrays, self.out_avals[:count])
        for place, i in enumerate(own, count):
            places[i] = place if given[i] else None
        if unusable:
            warnings.warn(
                f"{self.name}: donated buffers of type {', '.join(a.str_short() for a in unusable)} cannot be "
                "reused, since no result has that shape and dtype; they are left as they are",
                stacklevel=_depth_of_user(),
            )
        return places

    def compile(self) -> compiler.Compiled:
        """The executable, made once (or taken from the disk cache)."""
        if self.compiled is None:
            lowered = self.lower()
            if config.log_compiles:
                logs.warn("compile", "compiling %s for (%s) on %s", *self._described())
            self.compiled = compiler.compile(
                lowered.module,
                name=self.name,
                device=self.device,
                callbacks=lowered.callbacks,
                options=self.options,
            )
            if config.log_compiles:
                how = "compiled" if self.compiled.source == "compiled" else "loaded from disk"
                traced = "" if self.trace_seconds is None else f"traced in {self.trace_seconds:.3g} s, "
                logs.warn(
                    "compile", f"{how} %s in %.3g s (%slowered in %.3g s)",
                    self._described()[0], self.compiled.seconds, traced, self.lower_seconds,
                )  # fmt: skip
            for listener in on_compiled:
                listener(self)
        return self.compiled

    def _described(self) -> tuple[str, str, str]:
        """The name, the types of the arguments by name, and the device."""
        names = self.closed.jaxpr.debug.arg_names
        avals = [aval.str_short() for aval in self.closed.in_avals]
        if len(names) == len(avals):
            avals = [f"{name}: {aval}" if name else aval for name, aval in zip(names, avals, strict=True)]
        return self.name, ", ".join(avals), f"{self.device.platform}:{self.device.id}"

    def text(self, form: str, *, debug_info: bool = False) -> str:
        """The program as text: ``stablehlo``, ``hlo`` (unoptimised) or ``optimized``."""
        if form == "optimized":
            return str(self.compile().executable.hlo_modules()[0].to_string())
        module = self.lower().module
        if form == "hlo":
            return str(analysis.unoptimized_hlo(module).to_string())
        return str(module.operation.get_asm(enable_debug_info=debug_info))

    def computation(self) -> Any:
        """jaxlib's XlaComputation, before any optimisation."""
        return analysis.xla_computation(self.lower().module)

    def cost_before(self) -> dict[str, float]:
        """XLA's estimate of flops, bytes and transcendentals before optimisation."""
        return analysis.module_cost(self.device.client, analysis.unoptimized_hlo(self.lower().module))

    def with_options(self, options: dict[str, Any]) -> Program:
        """The same program, lowered already, to be compiled with other options."""
        other: Program = copy.copy(self)
        other.options, other.compiled = options, None
        return other

    @property
    def kept_arguments(self) -> tuple[bool, ...]:
        """For each argument, without the constants, whether the compiled program takes it."""
        return self.lower().kept[len(self.const_args) :]

    @property
    def parameter_layouts(self) -> list[layout.Layout]:
        """The layouts in which the compiled program takes the arguments that are kept."""
        layouts = self.compile().executable.get_parameter_layouts()
        return [layout.Layout.of_xla(x) for x in layouts[sum(self.lower().kept[: len(self.const_args)]) :]]

    @property
    def result_layouts(self) -> list[layout.Layout]:
        """The layouts in which the compiled program gives its results."""
        return [layout.Layout.of_xla(x) for x in self.compile().executable.get_output_layouts()]

    @property
    def compile_seconds(self) -> float | None:
        """What compiling took, or loading from the disk cache; None before that."""
        return None if self.compiled is None else self.compiled.seconds

    def run(self, args: Sequence[Any], in_avals: Sequence[ShapedArray], committed: bool = False) -> list[Any]:
        """Run on arrays or anything that can be put on the device; results insist on it if ``committed``.

        References are read and written: they change if all went well.
        """
        if self.written is None:
            return self.run_on_values(args, in_avals, committed)
        self.compile()
        assert self.lowered is not None
        start = len(self.const_args)
        inputs = [*self.const_args, *args]
        fails = bool(self.lowered.callbacks)
        values = references.lend(inputs, self.donated, self.lowered.kept, may_fail=fails)
        avals = self.closed.in_avals[start:]
        results = self.run_on_values(values[start:], avals, committed, values[:start])
        count = len(results) - len(self.written)
        for i, x in zip(self.written, results[count:], strict=True):
            inputs[i].replace(x)
        return results[:count]

    def run_on_values(
        self,
        args: Sequence[Any],
        in_avals: Sequence[ShapedArray],
        committed: bool = False,
        consts: list[Any] | None = None,
    ) -> list[Any]:
        """As `run`, with arrays in place of references; those that are written to follow the results."""
        compiled = self.compile()
        assert self.lowered is not None
        arrays = (self.const_args if consts is None else consts) + [
            _argument(x, aval, self.device, committed=False) for x, aval in zip(args, in_avals, strict=True)
        ]
        kept = [x for x, keep in zip(arrays, self.lowered.kept, strict=True) if keep]
        if config.no_execution:
            raise RuntimeError(
                f"{self.name}: a program was about to run, but no_execution is on; trace it only, as make_jaxpr "
                "and eval_shape do, or turn the option off"
            )
        uses = (
            key_reuse.consumed_by(self.closed, [*self.const_args, *args]) if config.debug_key_reuse else None
        )
        results = execution.execute(
            compiled.executable,
            kept,
            [_held_as(aval) for aval in self.out_avals] if self.has_float0 else self.out_avals,
            self.device,
            committed=committed,
            calls_python=bool(self.lowered.callbacks),
        )
        if self.has_float0:
            results = [
                np.zeros(aval.shape, float0) if aval.dtype == float0 else x
                for x, aval in zip(results, self.out_avals, strict=True)
            ]
        if config.debug_nans or config.debug_infs:
            nonfinite.check_results(self.closed, self.name, arrays, results)
        if uses is not None:
            key_reuse.mark(results, uses)
        return results

    def fast_path(
        self, out_tree: Any, committed: bool, *, on_values: bool = False
    ) -> execution.FastPath | None:
        """What the C++ dispatch needs to run the program without Python; ``on_values``, as `run_on_values` does.

        None where it calls Python (jaxlib has the text of an exception that a callback raised, but not the
        exception), where results are checked, where references are to be replaced, and where arguments or results
        are no arrays but NumPy's zeros of ``float0``.
        """
        if (
            config.debug_nans
            or config.debug_infs
            or config.debug_key_reuse
            or logging_transfers.value
            or (self.written is not None and not on_values)
            or self.has_float0
        ):
            return None
        assert self.compiled is not None and self.lowered is not None
        if self.lowered.callbacks:
            return None
        sharding = single_device(self.device)
        return execution.fast_path(
            self.compiled.executable,
            out_tree,
            sharding=sharding,
            out_avals=self.out_avals,
            committed=committed,
            kept=self.lowered.kept,
            const_args=self.const_args,
        )


def _held_as(aval: ShapedArray) -> ShapedArray:
    """The type that an executable has for this one: of ``float0`` there are no arrays, booleans stand for them."""
    return ShapedArray(aval.shape, np.dtype(np.bool_)) if aval.dtype == float0 else aval


def _argument(x: Any, aval: ShapedArray, device: Any, committed: bool | None = None) -> Any:
    """An argument as an array on a device."""
    if aval.dtype == float0:
        x, aval = np.zeros(aval.shape, np.bool_), _held_as(aval)
    return put(x, aval, device, committed=committed)


def _depth_of_user() -> int:
    """How many frames above its caller the user's code stands, as warnings count them."""
    depth, frame = 1, sys._getframe(1)
    while frame.f_back is not None and not source.is_user_file(frame.f_code.co_filename):
        depth, frame = depth + 1, frame.f_back
    return depth
