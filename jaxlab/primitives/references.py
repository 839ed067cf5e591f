"""Mutable arrays: making references, and ending them.

An equation on a reference takes the reference itself; `interpreters.discharge` makes values of it, by the rule
``discharge``, when a program is to be compiled. The tangent of a reference is a reference, and so is its
cotangent: what is added there in the backward pass is what was read in the forward one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from jaxlab.core.aval import ShapedArray, UndefinedPrimal, Zero, aval_of, is_inexact
from jaxlab.core.effects import CREATE, READ, Effects
from jaxlab.core.primitive import Example, Primitive
from jaxlab.core.refs import AbstractRef
from jaxlab.core.trace import current, interpret_with, is_tracer
from jaxlab.primitives.broadcasting import broadcast_axis, instantiate, zeros_like_aval
from jaxlab.primitives.reshaping import F32, I32
from jaxlab.runtime import references
from jaxlab.runtime.references import Ref

NO_GRAD = "no_grad_no_remat"


class StatePrimitive(Primitive):
    """An operation on a reference, its first operand."""

    effect: Effects
    takes_references = True

    def effects(self, params: dict[str, Any]) -> Effects:
        return self.effect

    def partial_eval(self, trace: Any, unknown: Sequence[bool], args: Sequence[Any], **params: Any) -> Any:
        if any(unknown):
            return trace.unknown.process(self, args, params)
        with interpret_with(trace.parent):
            return self.bind(*args, **params)

    def taylor(self, trace: Any, args: Sequence[Any], **params: Any) -> Any:
        """By linearity, on a reference for each coefficient.

        Raises:
          ValueError: if a series is to be written to a reference that was not made in the function.
        """
        ref, *values = args
        if any(trace.owns(x) for x in values) and not trace.owns(ref):
            raise ValueError(
                f"jet: {self.name} was given a series for a reference of type {aval_of(ref).str_short()} that the "
                "function does not make, but there is one place only for its coefficients; make the reference in the "
                "function"
            )
        return NotImplemented

    def discharge(self, value: Any, *args: Any, **params: Any) -> tuple[Any, Any]:
        """The same on the value in the reference: the new value, and the result."""
        raise NotImplementedError(f"primitive {self.name} has no discharge rule")

    def reference(self, value: Any, *args: Any, **params: Any) -> Any:
        """As `discharge`, on NumPy values."""
        raise NotImplementedError(f"primitive {self.name} has no reference")


def _marked(ref: Any) -> Any:
    """A new reference; where it is recorded, the program is to be checked for operations that take it as an array."""
    trace = getattr(ref, "_trace", None)
    if trace is not None and trace.records:
        trace.holds_references = True
    return ref


# -- making and ending


class NewRef(StatePrimitive):
    """A reference made of its first value.

    ``linear`` marks one for tangents: it belongs to the linear part of a program, though its first value may be
    known.
    """

    name = "new_ref"
    linear_in = (0,)
    effect = frozenset((CREATE,))
    unconditional = True

    def bind(self, *args: Any, **params: Any) -> Any:
        """Apply it; at once there is nothing to compile."""
        if current.trace.parent is None and not is_tracer(args[0]):
            aval = self.abstract_eval(aval_of(args[0]), **params)
            return references.new(args[0], aval)
        return _marked(super().bind(*args, **params))

    def printed(self, params: dict[str, Any]) -> dict[str, Any]:
        return {name: params[name] for name in ("kind", "memory_space")}

    def abstract_eval(self, x: Any, *, kind: Any, memory_space: Any, linear: bool) -> AbstractRef:
        return AbstractRef(x, memory_space, kind)

    def partial_eval(
        self, trace: Any, unknown: Sequence[bool], args: Sequence[Any], *, linear: bool, **params: Any
    ) -> Any:
        if linear and not unknown[0]:
            return trace.unknown.process(self, args, {**params, "linear": linear})
        return super().partial_eval(trace, unknown, args, linear=linear, **params)

    def discharge(self, value: Any, *args: Any, **params: Any) -> tuple[Any, Any]:
        return value, None

    def taylor(self, trace: Any, args: Sequence[Any], **params: Any) -> Any:
        """A reference for each coefficient: what is written later may have some that the first value has not."""
        first = trace.now(self, [trace.at(args[0], 0)], params)
        if params["kind"] == NO_GRAD or not is_inexact(aval_of(first).dtype):
            return first
        powers = range(1, trace.order + 1)
        return trace.polynomial([first, *[trace.now(self, [trace.full(args[0], k)], params) for k in powers]])

    def jvp(
        self, primals: Sequence[Any], tangents: Sequence[Any], *, kind: Any, memory_space: Any, linear: bool
    ) -> tuple[Any, Any]:
        out = self.bind(*primals, kind=kind, memory_space=memory_space, linear=False)
        aval = aval_of(out)
        if kind == NO_GRAD or not is_inexact(aval.dtype):
            return out, Zero(aval.to_tangent_aval())
        t = instantiate(tangents[0])
        return out, self.bind(t, kind=kind, memory_space=memory_space, linear=True)

    def transpose(self, ct: Any, x: Any, **params: Any) -> Sequence[Any]:
        if type(ct) is Zero or not isinstance(x, UndefinedPrimal):
            return [None]
        return [freeze_p.bind(ct)]

    def batch(
        self, size: int, args: Sequence[Any], dims: Sequence[int | None], **params: Any
    ) -> tuple[Any, int]:
        # Mapped in any case: mapped values may be written to it later.
        x, dim = args[0], dims[0]
        return self.bind(broadcast_axis(x, size, 0) if dim is None else x, **params), dim or 0

    def reference(self, value: Any, *args: Any, **params: Any) -> Any:
        return value, None

    def examples(self) -> Iterable[Example]:
        for dtype in (F32, I32):
            params = {"kind": None, "memory_space": None, "linear": False}
            yield Example((ShapedArray((2, 3), dtype),), params)


class EmptyRef(StatePrimitive):
    """A reference without a first value: zeros, until something else is written."""

    name = "empty_ref"
    effect = frozenset((CREATE,))
    unconditional = True

    def bind(self, *args: Any, **params: Any) -> Any:
        """Apply it; at once there is nothing to compile."""
        if current.trace.parent is None:
            return references.new(zeros_like_aval(params["ty"]), self.abstract_eval(**params))
        return _marked(super().bind(*args, **params))

    def printed(self, params: dict[str, Any]) -> dict[str, Any]:
        aval = params["ty"]
        return {
            "memory_space": params["memory_space"],
            "ty": f"{aval.dtype.name}[{','.join(map(str, aval.shape))}]",
        }

    def abstract_eval(self, *, ty: ShapedArray, memory_space: Any) -> AbstractRef:
        return AbstractRef(ty, memory_space)

    def discharge(self, value: Any, *args: Any, ty: ShapedArray, **params: Any) -> tuple[Any, Any]:
        return zeros_like_aval(ty), None

    def taylor(self, trace: Any, args: Sequence[Any], **params: Any) -> Any:
        first = trace.now(self, [], params)
        if not is_inexact(aval_of(first).dtype):
            return first
        return trace.polynomial([first, *[trace.now(self, [], params) for _ in range(trace.order)]])

    def jvp(
        self, primals: Sequence[Any], tangents: Sequence[Any], *, ty: ShapedArray, memory_space: Any
    ) -> tuple[Any, Any]:
        out = self.bind(ty=ty, memory_space=memory_space)
        if not is_inexact(ty.dtype):
            return out, Zero(aval_of(out).to_tangent_aval())
        zeros = zeros_like_aval(ty.to_tangent_aval())
        return out, new_ref_p.bind(zeros, kind=None, memory_space=memory_space, linear=True)

    def batch(
        self,
        size: int,
        args: Sequence[Any],
        dims: Sequence[int | None],
        *,
        ty: ShapedArray,
        memory_space: Any,
    ) -> tuple[Any, int]:
        return self.bind(ty=ty.update(shape=(size, *ty.shape)), memory_space=memory_space), 0

    def reference(self, *args: Any, ty: ShapedArray, **params: Any) -> Any:
        return np.zeros(ty.shape, ty.dtype), None

    def examples(self) -> Iterable[Example]:
        yield Example((), {"ty": ShapedArray((2, 3), F32), "memory_space": None})


class Freeze(StatePrimitive):
    """The last value of a reference."""

    name = "freeze"
    linear_in = (0,)
    effect = frozenset((READ,))

    def bind(self, *args: Any, **params: Any) -> Any:
        """Apply it; at once there is nothing to compile."""
        if type(args[0]) is Ref and current.trace.parent is None:
            return args[0].value()
        return super().bind(*args, **params)

    def abstract_eval(self, ref: Any) -> ShapedArray:
        return ref.inner_aval  # type: ignore[no-any-return]

    def discharge(self, value: Any, *args: Any, **params: Any) -> tuple[Any, Any]:
        return value, value

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
        out, ref_dot = self.bind(*primals), tangents[0]
        return out, Zero(aval_of(out).to_tangent_aval()) if type(ref_dot) is Zero else self.bind(ref_dot)

    def transpose(self, ct: Any, ref: Any) -> Sequence[Any]:
        if type(ct) is not Zero:
            ref.collect(ct)
        return [None]

    def batch(self, size: int, args: Sequence[Any], dims: Sequence[int | None]) -> tuple[Any, int | None]:
        return self.bind(*args), dims[0]

    def reference(self, value: Any, *args: Any, **params: Any) -> Any:
        return value, value

    def examples(self) -> Iterable[Example]:
        yield Example((AbstractRef(ShapedArray((2, 3), F32)),))


class FreeRef(StatePrimitive):
    """The end of a reference."""

    name = "free_ref"
    multiple_results = True
    effect = frozenset((READ,))

    def bind(self, *args: Any, **params: Any) -> Any:
        """Apply it; at once there is nothing to do."""
        if type(args[0]) is Ref and current.trace.parent is None:
            return []
        return super().bind(*args, **params)

    def abstract_eval(self, ref: Any) -> list[ShapedArray]:
        return []

    def discharge(self, value: Any, *args: Any, **params: Any) -> tuple[Any, Any]:
        return value, []

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        return self.bind(*primals), []

    def batch(
        self, size: int, args: Sequence[Any], dims: Sequence[int | None]
    ) -> tuple[list[Any], list[int | None]]:
        return self.bind(*args), []

    def reference(self, value: Any, *args: Any, **params: Any) -> Any:
        return value, []

    def examples(self) -> Iterable[Example]:
        yield Example((AbstractRef(ShapedArray((2, 3), F32)),))


new_ref_p = NewRef()
empty_ref_p = EmptyRef()
freeze_p = Freeze()
free_ref_p = FreeRef()
