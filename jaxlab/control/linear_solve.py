"""``custom_linear_solve``: the solution of a linear equation, differentiated through the equation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from jaxlab import tree
from jaxlab.control.bodies import Body, check_function, input_avals, split_by, trace_body
from jaxlab.core.aval import ShapedArray, UndefinedPrimal, Zero, aval_of
from jaxlab.core.axes import MappedAxis
from jaxlab.core.effects import Effects
from jaxlab.core.higher_order import HigherOrder
from jaxlab.core.jaxpr import ClosedJaxpr
from jaxlab.core.primitive import Example
from jaxlab.core.trace import current
from jaxlab.interpreters.batching import batch_jaxpr, move_to
from jaxlab.interpreters.functions import function_name
from jaxlab.interpreters.jvp import jvp_flat
from jaxlab.interpreters.staging import eval_closed, stage_closed
from jaxlab.interpreters.transpose import backward
from jaxlab.primitives.arithmetic import div, mul, neg
from jaxlab.primitives.broadcasting import F32, instantiate
from jaxlab.primitives.elementwise import add_any


class _LinearSolveTuple(NamedTuple):
    """One thing for each of the four functions of a solve. (In a jaxpr it goes by this name.)"""

    matvec: Any
    vecmat: Any
    solve: Any
    transpose_solve: Any

    def transpose(self) -> _LinearSolveTuple:
        """The same of the transposed equation."""
        return _LinearSolveTuple(self.vecmat, self.matvec, self.transpose_solve, self.solve)


def custom_linear_solve(
    matvec: Callable[[Any], Any],
    b: Any,
    solve: Callable[[Callable[[Any], Any], Any], Any],
    transpose_solve: Callable[[Callable[[Any], Any], Any], Any] | None = None,
    symmetric: bool = False,
    has_aux: bool = False,
) -> Any:
    """``solve(matvec, b)``, whose derivatives follow from the equation ``matvec(x) = b``, not from ``solve``.

    Args:
      matvec: a linear function of a pytree of arrays like ``b``, and to one; must be differentiable by what it
        closes over.
      b: the right-hand side, a pytree of arrays.
      solve: takes ``matvec`` and a right-hand side, and returns ``x`` with ``matvec(x) = b`` (which is not checked);
        with ``has_aux`` a pair of it and auxiliary data. It need not be differentiable.
      transpose_solve: the same for the transposed function, which it is given; reverse mode needs it.
      symmetric: promise that ``matvec`` is its own transpose; then ``solve`` does for ``transpose_solve``.
      has_aux: ``solve`` and ``transpose_solve`` return pairs.

    Returns:
      What ``solve`` returns.

    Raises:
      TypeError: if a function returns another structure than that of ``b``, or if reverse mode is asked for without
        ``transpose_solve``.
      ValueError: if it returns other shapes.

    >>> a = np.array([2.0, 4.0], np.float32)
    >>> def halves(b):
    ...     return lax.custom_linear_solve(lambda x: a * x, b, lambda matvec, b: b / a, symmetric=True)
    >>> grad(lambda b: halves(b).sum())(np.ones(2, np.float32))
    Array([0.5 , 0.25], dtype=float32)
    """
    if transpose_solve is None and symmetric:
        transpose_solve = solve
    check_function("custom_linear_solve", "matvec", matvec)
    check_function("custom_linear_solve", "solve", solve)
    leaves, b_tree = tree.flatten(b)
    avals = input_avals("custom_linear_solve", "b", leaves, b_tree)

    def traced(what: str, fun: Callable[[Any], Any], aux: bool = False) -> Body:
        body = trace_body(fun, (b,), avals, f"custom_linear_solve: {what}", remember=False)
        _check_like_b(what, body, b_tree, avals, aux)
        return body

    forward = traced("matvec", matvec)
    solved = traced("solve", _named(solve, lambda x: solve(matvec, x)), has_aux)
    bodies = [forward, None, solved, None]
    if transpose_solve is not None:
        back = transpose_solve
        vecmat = matvec if symmetric else _transposed(forward, avals, b_tree)
        bodies[1] = forward if symmetric else traced("vecmat", vecmat)
        bodies[3] = traced("transpose_solve", _named(back, lambda x: back(vecmat, x)), has_aux)
    out = linear_solve_p.bind(
        *[x for body in bodies if body is not None for x in body.consts],
        *leaves,
        const_lengths=_LinearSolveTuple(*[0 if body is None else len(body.consts) for body in bodies]),
        jaxprs=_LinearSolveTuple(*[None if body is None else body.jaxpr for body in bodies]),
    )
    return tree.unflatten(solved.out_tree, out)


def _named(like: Any, fun: Callable[[Any], Any]) -> Callable[[Any], Any]:
    fun.__name__ = function_name(like)
    return fun


def _transposed(forward: Body, avals: Sequence[ShapedArray], b_tree: Any) -> Callable[[Any], Any]:
    """The transpose of a traced linear function."""

    def vecmat(x: Any) -> Any:
        args = [*forward.consts, *[UndefinedPrimal(aval) for aval in avals]]
        found = backward(forward.jaxpr.jaxpr, forward.jaxpr.consts, args, tree.leaves(x))
        return tree.unflatten(b_tree, [instantiate(ct) for ct in found[len(forward.consts) :]])

    return vecmat


def _check_like_b(what: str, body: Body, b_tree: Any, avals: Sequence[ShapedArray], has_aux: bool) -> None:
    out_tree = body.out_tree
    if has_aux:
        parts = out_tree.children()
        if len(parts) != 2:
            raise ValueError(
                f"custom_linear_solve: {what} returned structure {out_tree}, but with has_aux=True a pair (solution, "
                "auxiliary data) is needed; return x, aux"
            )
        out_tree = parts[0]
    if out_tree != b_tree:
        raise TypeError(
            f"custom_linear_solve: {what} returned structure {out_tree}, but b has structure {b_tree}; return a value "
            "like b"
        )
    found = body.jaxpr.out_avals[: len(avals)]
    for i, (got, wanted) in enumerate(zip(found, avals, strict=True)):
        if got.shape != wanted.shape:
            path = tree.keystr(tree.leaves_with_path(tree.unflatten(b_tree, avals))[i][0])
            raise ValueError(
                f"custom_linear_solve: {what} returned {got.str_short()}, but b{path} is {wanted.str_short()}; return "
                "a value of its shape"
            )


def _split(args: Sequence[Any], lengths: Any) -> tuple[_LinearSolveTuple, list[Any]]:
    *params, b = split_by(args, *lengths)
    return _LinearSolveTuple(*params), b


class LinearSolve(HigherOrder):
    """The application of ``solve`` to a right-hand side, with the other three functions for its derivatives.

    The operands are what the four functions close over, then the leaves of the right-hand side.
    """

    name = "custom_linear_solve"

    def bind(self, *args: Any, **params: Any) -> Any:
        """Apply it; at once, equation by equation, because every call has programs of its own to compile."""
        if current.trace.parent is not None:
            return super().bind(*args, **params)
        consts, b = _split(args, params["const_lengths"])
        return eval_closed(params["jaxprs"].solve, *consts.solve, *b)

    def effects(self, params: dict[str, Any]) -> Effects:
        effects: Effects = params["jaxprs"].solve.effects
        return effects

    def abstract_eval(self, *avals: Any, const_lengths: Any, jaxprs: Any) -> list[ShapedArray]:
        b = list(avals[sum(const_lengths) :])
        return b + jaxprs.solve.out_avals[len(b) :]

    def lower(self, ctx: Any, *operands: Any, const_lengths: Any, jaxprs: Any) -> list[Any]:
        consts, b = _split(operands, const_lengths)
        out: list[Any] = ctx.inline(jaxprs.solve, ctx.b, [*consts.solve, *b], "solve")
        return out

    def jvp(
        self, primals: Sequence[Any], tangents: Sequence[Any], *, const_lengths: Any, jaxprs: Any
    ) -> tuple[list[Any], list[Any]]:
        """From A x = b follows A dx = db - dA x: the tangent solves the same equation."""
        params = {"const_lengths": const_lengths, "jaxprs": jaxprs}
        out = self.bind(*primals, **params)
        consts, b = _split(primals, const_lengths)
        given, rhs = _split(tangents, const_lengths)
        x = out[: len(b)]
        if any(type(t) is not Zero for t in given.matvec):
            held = [Zero(aval_of(v).to_tangent_aval()) for v in x]
            matvec = jaxprs.matvec
            _, moved = jvp_flat(
                lambda *xs: eval_closed(matvec, *xs), [*consts.matvec, *x], [*given.matvec, *held]
            )
            rhs = [_minus(t, m) for t, m in zip(rhs, moved, strict=True)]
        aux = [Zero(aval_of(v).to_tangent_aval()) for v in out[len(b) :]]
        if all(type(t) is Zero for t in rhs):
            return out, [*rhs, *aux]
        flat = [v for part in consts for v in part]
        ts = self.bind(*flat, *[instantiate(t) for t in rhs], **params)
        return out, [*ts[: len(b)], *aux]

    def transpose(self, ct: Any, *args: Any, const_lengths: Any, jaxprs: Any) -> list[Any]:
        if jaxprs.transpose_solve is None:
            raise TypeError(
                "custom_linear_solve: the solution was differentiated in reverse mode, but transpose_solve was not "
                "given; give it, or symmetric=True"
            )
        consts, b = _split(args, const_lengths)
        if any(type(x) is UndefinedPrimal for part in consts for x in part):
            return super().transpose(ct, *args)  # type: ignore[return-value]
        swapped = [x for part in consts.transpose() for x in part]
        out = self.bind(
            *swapped,
            *[instantiate(x) for x in ct[: len(b)]],
            const_lengths=const_lengths.transpose(),
            jaxprs=jaxprs.transpose(),
        )
        return [None] * len(swapped) + out[: len(b)]

    def batch(
        self,
        axis: MappedAxis,
        args: Sequence[Any],
        dims: Sequence[int | None],
        *,
        const_lengths: Any,
        jaxprs: Any,
    ) -> tuple[list[Any], list[int | None]]:
        args = [x if d is None else move_to(x, d, 0, axis.size) for x, d in zip(args, dims, strict=True)]
        consts, b = _split(args, const_lengths)
        mapped, mapped_b = _split([d is not None for d in dims], const_lengths)
        batched, b_flags, out_flags = _batched_programs(axis, jaxprs, mapped, mapped_b)
        rhs = [
            move_to(x, 0 if was else None, 0, axis.size) if now else x
            for x, was, now in zip(b, mapped_b, b_flags, strict=True)
        ]
        flat = [x for part in consts for x in part]
        out = self.bind(*flat, *rhs, const_lengths=const_lengths, jaxprs=batched)
        return out, [0 if m else None for m in out_flags]

    def reference(self, *args: Any, const_lengths: Any, jaxprs: Any) -> list[Any]:
        consts, b = _split(args, const_lengths)
        return [np.asarray(x) for x in eval_closed(jaxprs.solve, *consts.solve, *b)]

    def examples(self) -> Iterable[Example]:
        aval = ShapedArray((3,), F32)
        product = stage_closed(lambda a, x: [mul(a, x)], [aval, aval])
        quotient = stage_closed(lambda a, b: [div(b, a)], [aval, aval])
        # Each function has constants of its own, and so a difference by one of them is not a derivative.
        a = np.array([2, 3, 4], F32)
        yield Example(
            (a, a, a, a, aval),
            {
                "const_lengths": _LinearSolveTuple(1, 1, 1, 1),
                "jaxprs": _LinearSolveTuple(product, product, quotient, quotient),
            },
            differentiate=(4,),
            positive=True,
        )
        yield Example(
            (a, a, aval),
            {
                "const_lengths": _LinearSolveTuple(1, 0, 1, 0),
                "jaxprs": _LinearSolveTuple(product, None, quotient, None),
            },
            differentiate=(2,),
            reverse=False,
            positive=True,
        )


def _minus(t: Any, moved: Any) -> Any:
    if type(moved) is Zero:
        return t
    return neg(moved) if type(t) is Zero else add_any(t, neg(moved))


def _batched_programs(
    axis: MappedAxis, jaxprs: _LinearSolveTuple, mapped: _LinearSolveTuple, mapped_b: Sequence[bool]
) -> tuple[_LinearSolveTuple, list[bool], list[bool]]:
    """The four programs on stacks, and which right-hand sides and which results are mapped.

    Solutions go into ``matvec`` and right-hand sides into ``solve``, and with the transposed equation the other way
    round: what is mapped in one has to be in the others, so this is a fixpoint.
    """

    def batched(
        closed: ClosedJaxpr | None, given: Sequence[bool], x: Sequence[bool], out: Sequence[bool]
    ) -> Any:
        if closed is None:
            return None, list(out)
        return batch_jaxpr(closed, axis, [0 if m else None for m in (*given, *x)], list(out))

    count = len(mapped_b)
    num_aux = len(jaxprs.solve.out_avals) - count
    b, x = list(mapped_b), [False] * count
    aux = [False] * num_aux
    while True:
        solve, solved = batched(jaxprs.solve, mapped.solve, b, [*x, *aux])
        vecmat, carried = batched(jaxprs.vecmat, mapped.vecmat, b, x)
        new_x = [s or c for s, c in zip(solved, carried, strict=False)]
        matvec, moved = batched(jaxprs.matvec, mapped.matvec, new_x, b)
        back, pulled = batched(jaxprs.transpose_solve, mapped.transpose_solve, new_x, [*b, *aux])
        new_b = [m or p for m, p in zip(moved, pulled, strict=False)]
        new_aux = [s or p for s, p in zip(solved[count:], pulled[count:], strict=True)]
        if (new_b, new_x, new_aux) == (b, x, aux):
            return _LinearSolveTuple(matvec, vecmat, solve, back), b, [*x, *aux]
        b, x, aux = new_b, new_x, new_aux


linear_solve_p = LinearSolve()
