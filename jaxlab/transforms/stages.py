"""Ahead of time: a function traced, lowered and compiled step by step, each step an object to look at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from jaxlab import errors, tree
from jaxlab.core.aval import ShapedArray
from jaxlab.core.jaxpr import ClosedJaxpr
from jaxlab.core.typecheck import check_jaxpr
from jaxlab.interpreters.functions import argument_paths
from jaxlab.interpreters.program import Program
from jaxlab.runtime.layout import Format
from jaxlab.runtime.sharding import single_device
from jaxlab.transforms.call_device import device_of_call
from jaxlab.transforms.compiled import CompiledCall
from jaxlab.transforms.jit_call import jit_p
from jaxlab.transforms.jit_options import JitOptions
from jaxlab.transforms.shape_struct import struct_of
from jaxlab.transforms.tracing import Call, prepare

CompilerOptions = dict[str, Any]
"""XLA's debug options by name, as ``compile`` takes them."""


@runtime_checkable
class Wrapped(Protocol):
    """A function that can be traced, lowered and compiled ahead of time: what `jit` returns."""

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any: ...

    def trace(self, /, *args: Any, **kwargs: Any) -> Traced:
        """The function traced at the types of these arguments."""

    def lower(self, /, *args: Any, **kwargs: Any) -> Lowered:
        """The function traced and lowered at the types of these arguments."""


@dataclass(frozen=True, slots=True)
class ArgInfo:
    """What is known of one leaf of the arguments: its type, and whether it is given away."""

    _aval: ShapedArray
    donated: bool

    @property
    def shape(self) -> tuple[int, ...]:
        return self._aval.shape

    @property
    def dtype(self) -> Any:
        return self._aval.dtype


class _Stage:
    """What all stages know of the arguments and the result.

    Attributes:
      fun_name: the function's name.
      in_tree, out_tree: the structures of ``(args, kwargs)``, without static arguments, and of the result.
      jaxpr: the closed jaxpr.
    """

    __slots__ = ("_call", "_place", "fun_name", "in_tree", "jaxpr", "out_tree")

    def __init__(self, call: Call, place: _Place) -> None:
        self._call = call
        self._place = place
        self.fun_name: str = call.params["name"]
        self.in_tree = call.in_tree
        self.out_tree = call.traced.out_tree
        self.jaxpr: ClosedJaxpr = call.traced.jaxpr

    @property
    def in_avals(self) -> Any:
        """The types of the arguments, in the structure of ``(args, kwargs)``."""
        return tree.unflatten(self.in_tree, self._call.avals)

    @property
    def args_info(self) -> Any:
        """An `ArgInfo` for each leaf of the arguments, in the structure of ``(args, kwargs)``."""
        donated = self._call.params["donated_invars"] or (False,) * len(self._call.avals)
        infos = [ArgInfo(aval, flag) for aval, flag in zip(self._call.avals, donated, strict=True)]
        return tree.unflatten(self.in_tree, infos)

    @property
    def donate_argnums(self) -> tuple[int, ...]:
        """Which leaves of the arguments are given away."""
        return tuple(i for i, flag in enumerate(self._call.params["donated_invars"]) if flag)

    @property
    def out_info(self) -> Any:
        """The types of the results, as a pytree of `ShapeDtypeStruct`."""
        return tree.unflatten(self.out_tree, [struct_of(aval) for aval in self.jaxpr.out_avals])

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.fun_name}{self._place.suffix}>"


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a call is to run, and what to call its arguments."""

    device: Any
    committed: bool
    argument_names: tuple[str, ...]
    suffix: str


def trace(
    fun: Callable[..., Any], options: JitOptions, args: Sequence[Any], kwargs: dict[str, Any]
) -> Traced:
    """The first stage of a call, ahead of time.

    Raises:
      UnexpectedTracerError: if the function closes over values of an enclosing trace.
    """
    call = prepare(fun, options, args, kwargs)
    if call.traced.lifted:
        raise errors.UnexpectedTracerError(call.traced.lifted[0])
    static = tuple(options.numbers(options.static_numbers, args))
    names = argument_paths(fun, args, kwargs, static, options.static_names)
    device, committed = device_of_call(options, call, names.__getitem__)
    types = ", ".join(f"{n}: {aval.str_short()}" for n, aval in zip(names, call.avals, strict=True))
    return Traced(call, _Place(device, committed, names, f"({types})"))


class Traced(_Stage):
    """A function traced at the types of its arguments; `lower` writes its StableHLO.

    >>> traced = jit(lambda x: x + 1).trace(1.0)
    >>> traced.jaxpr
    { lambda ; a:f32[]. let b:f32[] = add a 1.0:f32[] in (b,) }
    >>> traced.out_info
    ShapeDtypeStruct(shape=(), dtype=float32, weak_type=True)
    """

    __slots__ = ()

    @property
    def out_avals(self) -> Any:
        """The types of the results, in their structure."""
        return tree.unflatten(self.out_tree, self.jaxpr.out_avals)

    @property
    def seconds(self) -> float:
        """What tracing took."""
        return self._call.traced.seconds

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        """Apply what was traced to arguments of the same structure, here or in another trace."""
        leaves, in_tree = tree.flatten((args, kwargs))
        if in_tree != self.in_tree:
            raise TypeError(
                f"{self.fun_name}: traced for arguments of structure {self.in_tree}, but got {in_tree}; call "
                "the jitted function itself for others"
            )
        return tree.unflatten(self.out_tree, jit_p.bind(*leaves, **self._call.params))

    def check(self) -> None:
        """Raise `JaxprTypeError` unless the jaxpr is well typed."""
        check_jaxpr(self.jaxpr)

    def lower(self, *, lowering_platforms: Sequence[str] | None = None) -> Lowered:
        """Write the program as StableHLO.

        Args:
          lowering_platforms: the platform to write it for, such as ``("tpu",)``, which need not be present;
            that of the arguments by default.

        Raises:
          ValueError: if several platforms are given: each has a module of its own; `jaxlab.export` keeps one
            for each.
        """
        platforms = None if lowering_platforms is None else tuple(lowering_platforms)
        if platforms is not None and len(platforms) != 1:
            raise ValueError(
                f"lower: lowering_platforms={platforms} was given, but a module is for one platform; lower for "
                "each, or use jaxlab.export.export(f, platforms=...)"
            )
        params = self._call.params
        program = Program(
            self.fun_name,
            self.jaxpr,
            self._place.device,
            donated=params["donated_invars"],
            keep_unused=params["keep_unused"],
            trace_seconds=self.seconds,
            options=dict(params["compiler_options_kvs"]),
            platform=None if platforms is None else platforms[0],
        )
        program.lower()
        return Lowered(self._call, self._place, program)


class Lowered(_Stage):
    """A program as StableHLO; `compile` makes it run.

    Attributes:
      program: the program, with its stages and what each took.
    """

    __slots__ = ("program",)

    def __init__(self, call: Call, place: _Place, program: Program) -> None:
        super().__init__(call, place)
        self.program = program

    def as_text(self, dialect: str | None = None, *, debug_info: bool = False) -> str:
        """The module as text: ``"stablehlo"`` (default), or ``"hlo"`` before any optimisation.

        Args:
          debug_info: with the locations of the source.

        >>> print(jit(jnp.sin).lower(1.0).as_text().splitlines()[0][:12])
        module @jit_
        """
        if dialect not in (None, "stablehlo", "hlo"):
            raise ValueError(
                f"as_text: the dialect {dialect!r} was given, but there are 'stablehlo' and 'hlo'; write one of "
                "those"
            )
        return self.program.text("hlo" if dialect == "hlo" else "stablehlo", debug_info=debug_info)

    def compiler_ir(self, dialect: str | None = None) -> Any:
        """The MLIR module itself, or for ``"hlo"`` jaxlib's XlaComputation before any optimisation."""
        if dialect not in (None, "stablehlo", "hlo"):
            raise ValueError(
                f"compiler_ir: the dialect {dialect!r} was given, but there are 'stablehlo' and 'hlo'; write one "
                "of those"
            )
        return self.program.computation() if dialect == "hlo" else self.program.lower().module

    def cost_analysis(self) -> dict[str, float]:
        """XLA's estimate for the program before optimisation: flops, bytes accessed, transcendentals."""
        return self.program.cost_before()

    def compile(self, compiler_options: CompilerOptions | None = None) -> Compiled:
        """Compile with XLA (or load the executable from the disk cache).

        Args:
          compiler_options: XLA's debug options by name, beside those given to ``jit``.

        Raises:
          JaxRuntimeError: if the compiler refuses the program, or knows no such option.
        """
        program = self.program
        if compiler_options:
            program = program.with_options({**(program.options or {}), **compiler_options})
        program.compile()
        return Compiled(self._call, self._place, program)


class Compiled(_Stage):
    """A compiled program: call it with arguments of the types it was compiled for.

    Attributes:
      program: the program, with its stages and what each took.

    >>> compiled = jit(lambda x: x + 1).lower(1.0).compile()
    >>> compiled(2.0)
    Array(3., dtype=float32, weak_type=True)
    """

    __slots__ = ("_run", "program")

    def __init__(self, call: Call, place: _Place, program: Program) -> None:
        super().__init__(call, place)
        self.program = program
        self._run: Any = None

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        """Run the program.

        Raises:
          TypeError: if the arguments do not have the structure and types it was compiled for, or are traced.
        """
        run = self._run
        if run is None:
            run = self._run = CompiledCall(
                self.program, self._call, self._place.argument_names, self._place.committed
            ).dispatch()
        return run(*args, **kwargs)

    call = __call__

    @property
    def out_info(self) -> Any:
        """The types of the results and where they will be, as a pytree of `ShapeDtypeStruct`."""
        sharding = single_device(self.program.device)
        return tree.unflatten(self.out_tree, [struct_of(aval, sharding) for aval in self.jaxpr.out_avals])

    def as_text(self) -> str:
        """The optimised HLO."""
        return self.program.text("optimized")

    def cost_analysis(self) -> dict[str, float]:
        """XLA's account of the optimised program: flops, bytes accessed, transcendentals, and more."""
        return dict(self.program.compile().executable.cost_analysis() or {})

    def memory_analysis(self) -> Any:
        """Bytes of arguments, outputs, temporaries, aliased buffers and code, as jaxlib reports them."""
        return self.program.compile().executable.get_compiled_memory_stats()

    def runtime_executable(self) -> Any:
        """jaxlib's loaded executable."""
        return self.program.compile().executable

    @property
    def input_shardings(self) -> Any:
        """Where each argument is wanted, in the structure of ``(args, kwargs)``; None for what is not used."""
        sharding = single_device(self.program.device)
        return tree.unflatten(
            self.in_tree, [sharding if keep else None for keep in self.program.kept_arguments]
        )

    @property
    def output_shardings(self) -> Any:
        """Where each result will be, in their structure."""
        return tree.unflatten(self.out_tree, [single_device(self.program.device)] * self.out_tree.num_leaves)

    @property
    def input_formats(self) -> Any:
        """The `Format` of each argument, in the structure of ``(args, kwargs)``."""
        given = iter(self.program.parameter_layouts)
        kept = self.program.kept_arguments
        sharding = single_device(self.program.device)
        formats = [Format(next(given), sharding) if keep else Format(None, None) for keep in kept]
        return tree.unflatten(self.in_tree, formats)

    @property
    def output_formats(self) -> Any:
        """The `Format` of each result, in their structure."""
        sharding = single_device(self.program.device)
        return tree.unflatten(self.out_tree, [Format(x, sharding) for x in self.program.result_layouts])
