"""Ahead of time: a function traced, lowered and compiled step by step, each step an object to look at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jaxlab import tree
from jaxlab.core.aval import aval_of
from jaxlab.core.jaxpr import ClosedJaxpr
from jaxlab.core.typecheck import check_jaxpr
from jaxlab.interpreters.program import Program
from jaxlab.transforms.shape_struct import struct_of


class Traced:
    """A function traced at the types of its arguments; `lower` writes its StableHLO."""

    __slots__ = ("_make_program", "fun_name", "in_tree", "jaxpr", "out_tree", "seconds")

    def __init__(
        self,
        jaxpr: ClosedJaxpr,
        fun_name: str,
        in_tree: Any,
        out_tree: Any,
        seconds: float,
        make: Callable[[], Program],
    ) -> None:
        self.jaxpr = jaxpr
        self.fun_name = fun_name
        self.in_tree = in_tree
        self.out_tree = out_tree
        self.seconds = seconds
        self._make_program = make

    @property
    def out_info(self) -> Any:
        """The types of the results, as a pytree of `ShapeDtypeStruct`."""
        structs = [struct_of(a) for a in self.jaxpr.out_avals]
        return tree.unflatten(self.out_tree, structs)

    def check(self) -> None:
        """Raise `JaxprTypeError` unless the jaxpr is well typed."""
        check_jaxpr(self.jaxpr)

    def lower(self) -> Lowered:
        """Write the program as StableHLO."""
        program = self._make_program()
        program.lower()
        return Lowered(program, self.in_tree, self.out_tree)


class Lowered:
    """A program as StableHLO; `compile` makes it run."""

    __slots__ = ("in_tree", "out_tree", "program")

    def __init__(self, program: Program, in_tree: Any, out_tree: Any) -> None:
        self.program = program
        self.in_tree = in_tree
        self.out_tree = out_tree

    def as_text(self, dialect: str | None = None, *, debug_info: bool = False) -> str:
        """The module as text: ``"stablehlo"`` (default), or ``"hlo"`` before any optimisation.

        >>> print(jit(jnp.sin).lower(1.0).as_text().splitlines()[0][:12])
        module @jit_
        """
        if dialect not in (None, "stablehlo", "hlo"):
            raise ValueError(f"as_text: the dialect must be 'stablehlo' or 'hlo', but it is {dialect!r}")
        return self.program.text("hlo" if dialect == "hlo" else "stablehlo", debug_info=debug_info)

    def compiler_ir(self, dialect: str | None = None) -> Any:
        """The MLIR module itself."""
        if dialect not in (None, "stablehlo"):
            raise ValueError(f"compiler_ir: the dialect must be 'stablehlo', but it is {dialect!r}")
        return self.program.lower().module

    def cost_analysis(self) -> dict[str, float]:
        """XLA's estimate for the program before optimisation: flops, bytes accessed, transcendentals."""
        return self.program.cost_before()

    def compile(self, compiler_options: dict[str, Any] | None = None) -> Compiled:
        """Compile with XLA (or load the executable from the disk cache)."""
        if compiler_options:
            self.program.options = dict(compiler_options)
        self.program.compile()
        return Compiled(self.program, self.in_tree, self.out_tree)


class Compiled:
    """A compiled program: call it with arguments of the types it was compiled for."""

    __slots__ = ("in_tree", "out_tree", "program")

    def __init__(self, program: Program, in_tree: Any, out_tree: Any) -> None:
        self.program = program
        self.in_tree = in_tree
        self.out_tree = out_tree

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the program.

        Raises:
          TypeError: if the arguments do not have the structure and types it was compiled for.
        """
        leaves, in_tree = tree.flatten((args, kwargs))
        if in_tree != self.in_tree:
            raise TypeError(
                f"{self.program.name}: compiled for arguments of structure {self.in_tree}, but got {in_tree}"
            )
        closed = self.program.closed
        wanted = closed.in_avals[len(self.program.const_args) :]
        for i, (x, aval) in enumerate(zip(leaves, wanted, strict=True)):
            given = aval_of(x)
            if (given.shape, given.dtype) != (aval.shape, aval.dtype):
                raise TypeError(
                    f"{self.program.name}: compiled for {aval.str_short()} as argument leaf {i}, but got "
                    f"{given.str_short()}"
                )
        return tree.unflatten(self.out_tree, self.program.run(leaves, wanted))

    def as_text(self) -> str:
        """The optimised HLO."""
        return self.program.text("optimized")

    def cost_analysis(self) -> dict[str, float]:
        """XLA's account of the optimised program: flops, bytes accessed, transcendentals, and more."""
        return dict(self.program.compile().executable.cost_analysis() or {})

    def memory_analysis(self) -> Any:
        """Bytes of arguments, outputs, temporaries and code, as jaxlib reports them."""
        return self.program.compile().executable.get_compiled_memory_stats()

    def runtime_executable(self) -> Any:
        """jaxlib's loaded executable."""
        return self.program.compile().executable
