"""A primitive is a class; its rules are its methods."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from jaxlab.core.aval import ShapedArray
from jaxlab.core.effects import NO_EFFECTS, Effects
from jaxlab.core.trace import base_trace, current, interpret_with, is_tracer, leaked

Rule = Callable[..., Any]

registry: dict[str, Primitive] = {}


@dataclass(frozen=True, slots=True)
class Example:
    """Arguments on which a primitive's rules are tested and shown.

    Attributes:
      args: one `ShapedArray` (values are then drawn at random), or a NumPy value, for each operand.
      params: the parameters by name.
      differentiate: whether the derivative rules are checked at these arguments (off at kinks and for
        integers), or the positions of the arguments in which they are.
      forward, reverse: whether that mode works, where the derivative rules are checked.
      positive: draw the random values from (0.5, 1.5), for functions not defined everywhere.
      tolerance: relative tolerance of the comparison with ``reference`` in float32.
      axes: named axes with their sizes, outermost first, for what works across them: each of ``args`` is a
        stack over all of them, and what is tested is the primitive mapped over these stacks.
    """

    args: tuple[Any, ...]
    params: dict[str, Any] = field(default_factory=dict)
    differentiate: bool | tuple[int, ...] = True
    forward: bool = True
    reverse: bool = True
    positive: bool = False
    tolerance: float = 2e-5
    axes: tuple[tuple[str, int], ...] = ()


class Primitive:
    """An operation of the language, with every rule that a transformation asks for.

    A subclass sets ``name`` and writes ``abstract_eval``, ``lower``, ``jvp``, ``transpose`` (where
    ``linear_in`` is not empty), ``batch``, ``reference`` and ``examples``. The other rules have a default, which
    is right for what neither holds programs nor touches references. Rules get parameters by keyword.

    Attributes:
      name: what jaxprs call it.
      multiple_results: whether it has any number of results; then rules take and return sequences of them.
      linear_in: the operands in each of which alone it is linear, so that transpose may be asked for those.
      additive: whether it is linear in all its operands together, as concatenation is.
      bilinear: whether it is linear in each of two operands, as a product is.
      axis_aware: whether the batch rule is given the `MappedAxis` in place of its size, and is asked for a named
        axis even where no argument is mapped.
      unconditional: whether the rules jvp, batch and partial_eval are asked even where no argument has a
        tangent, is mapped or is unknown.
      holds_programs: whether there are programs among its parameters. What is compiled for it is kept with the
        first of them, and the rule prune is asked.
      takes_references: whether references may be among its operands.
      plain: the operation of StableHLO that an elementwise one is: it is written on the spot, and the rule lower
        is not asked.
    """

    name: str
    multiple_results: bool = False
    linear_in: tuple[int, ...] = ()
    additive: bool = False
    bilinear: bool = False
    axis_aware: bool = False
    unconditional: bool = False
    holds_programs: bool = False
    takes_references: bool = False
    plain: str | None = None

    def __init__(self, name: str | None = None) -> None:
        if name is not None:
            self.name = name
        registry[self.name] = self

    def bind(self, *args: Any, **params: Any) -> Any:
        """Apply the primitive under the current interpreter."""
        return current.trace.process(self, args, params)

    def get_bind_params(self, params: dict[str, Any]) -> dict[str, Any]:
        """The parameters of an equation as `bind` takes them, for interpreters written for JAX: the same."""
        return params

    def is_effectful(self, params: dict[str, Any]) -> bool:
        """Whether it does anything besides giving results."""
        return bool(self.effects(params))

    def __repr__(self) -> str:
        return self.name

    def impl(self, *args: Any, **params: Any) -> Any:
        """Compute the results at once, whatever is being traced: with what was given to `def_impl`, if anything."""
        with interpret_with(base_trace()):
            return self.bind(*args, **params)

    def def_impl(self, impl: Rule) -> Rule:
        """Give a bare primitive the function of arrays that computes it where nothing is traced; returns that.

        Without one, its ``lower`` rule is compiled. Parameters need not be hashable where nothing is traced.
        """

        def bind(*args: Any, **params: Any) -> Any:
            if current.trace is not base_trace():
                return current.trace.process(self, args, params)
            for x in args:
                if is_tracer(x):
                    raise leaked(x)
            return impl(*args, **params)

        self.impl = impl  # type: ignore[method-assign]
        self.bind = bind  # type: ignore[method-assign]
        return impl

    def def_abstract_eval(self, abstract_eval: Rule) -> Rule:
        """Give a bare primitive its rule of types; returns that."""
        self.abstract_eval = abstract_eval  # type: ignore[method-assign]
        return abstract_eval

    def effects(self, params: dict[str, Any]) -> Effects:
        """What it does besides giving results: with any, the equation is kept although nobody reads them."""
        return NO_EFFECTS

    def program(self, params: dict[str, Any]) -> Any | None:
        """The closed jaxpr that an application is a call of, if it is one: then that is what is compiled."""
        return None

    def printed(self, params: dict[str, Any]) -> dict[str, Any]:
        """The parameters that a jaxpr shows, in its order: all by name, unless a primitive says more."""
        return {name: params[name] for name in sorted(params)}

    def notation(self, eqn: Any, results: Sequence[str], operands: Sequence[str]) -> str | None:
        """The text of an equation in a notation of its own, from those of its results and operands.

        Results are written ``b:f32[3]``, those that nobody uses ``_:f32[3]``; operands ``a``, literals
        ``1.0:f32[]``. None for the notation of all others.
        """
        return None

    def abstract_eval(self, *avals: Any, **params: Any) -> Any:
        """The type of the result, a list with ``multiple_results``; TypeError or ValueError if none."""
        raise NotImplementedError(f"primitive {self.name} has no abstract_eval rule")

    def lower(self, ctx: Any, *operands: Any, **params: Any) -> Any:
        """The StableHLO value, or values, of the result."""
        raise NotImplementedError(f"primitive {self.name} has no lower rule")

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any], **params: Any) -> tuple[Any, Any]:
        """Primal and tangent results; a tangent may be a ``Zero`` on the way in and out."""
        raise NotImplementedError(f"primitive {self.name} cannot be differentiated in forward mode")

    def transpose(self, ct: Any, *args: Any, **params: Any) -> Sequence[Any]:
        """Cotangents of the linear arguments (``UndefinedPrimal`` among ``args``), None for the others."""
        raise NotImplementedError(
            f"transpose: the operation {self.name} was given a value that is to be linear, but it has no rule for its "
            "transpose, since it is not linear; linearize the function at a point, as vjp does"
        )

    def batch(
        self, size: int, args: Sequence[Any], dims: Sequence[int | None], **params: Any
    ) -> tuple[Any, Any]:
        """The result on arguments, some with a mapped axis of ``size`` at ``dims``, and where that went."""
        raise NotImplementedError(f"primitive {self.name} cannot be batched")

    def partial_eval(self, trace: Any, unknown: Sequence[bool], args: Sequence[Any], **params: Any) -> Any:
        """Split the application in a known and an unknown part; by default all of it is unknown."""
        return trace.unknown.process(self, args, params)

    def prune(self, eqn: Any, used: Sequence[bool]) -> Any:
        """The equation without what only its unused results need; by default all of it stays."""
        return eqn

    def save(self, eqn: Any, wanted: Sequence[bool], policy: Any) -> tuple[Any, Any] | None:
        """For a primitive that holds programs, the equation that saves what ``policy`` lets it inside, as
        further results, and the one that computes the wanted results again from those and its own operands.

        None, as by default, asks the policy about the results themselves.
        """
        return None

    def check(self, trace: Any, args: Sequence[Any], **params: Any) -> Any:
        """The result while ``trace`` gathers errors, for those that hold programs, whose errors it adds."""
        return self.bind(*args, **params)

    def taylor(self, trace: Any, args: Sequence[Any], **params: Any) -> Any:
        """The result on power series among ``args``; by default what follows from linearity or the jvp rule."""
        return NotImplemented

    def reference(self, *arrays: Any, **params: Any) -> Any:
        """The same on NumPy values, as an independent check."""
        raise NotImplementedError(f"primitive {self.name} has no reference")

    def examples(self) -> Iterable[Example]:
        """Typical and awkward arguments; they feed the generic tests, the docs and the inspector."""
        return ()


def result_avals(
    primitive: Primitive, avals: Sequence[ShapedArray], params: dict[str, Any]
) -> list[ShapedArray]:
    """The types of all results, as a list whether or not the primitive has several."""
    out = primitive.abstract_eval(*avals, **params)
    return list(out) if primitive.multiple_results else [out]
