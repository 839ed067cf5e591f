"""``custom_jvp``: a function with a derivative of one's own."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from jaxlab import tree
from jaxlab.control.bodies import trace_body
from jaxlab.core.aval import ShapedArray, Zero, aval_of
from jaxlab.core.axes import MappedAxis
from jaxlab.core.higher_order import HigherOrder
from jaxlab.core.jaxpr import ClosedJaxpr
from jaxlab.core.primitive import Example
from jaxlab.core.trace import current
from jaxlab.dtypes import float0
from jaxlab.interpreters.batching import batch_flat, batch_jaxpr, move_to
from jaxlab.interpreters.functions import function_name, signature_of
from jaxlab.interpreters.staging import eval_closed, stage_closed
from jaxlab.primitives.arithmetic import mul
from jaxlab.primitives.broadcasting import F32, instantiate
from jaxlab.primitives.elementwise import add_any
from jaxlab.primitives.transcendental import cos, sin


class custom_jvp:
    """A function whose derivative is given by a rule instead of being derived.

    Args:
      fun: a function of pytrees of arrays.
      nondiff_argnums: positional arguments that are Python values; the rule gets them first.

    The rule, set by `defjvp`, takes primals and tangents as tuples and returns the value and its tangent; it
    must be linear in the tangents, so that reverse mode works too.

    >>> @custom_jvp
    ... def f(x):
    ...     return jnp.sin(x)
    >>> @f.defjvp
    ... def f_jvp(primals, tangents):
    ...     (x,), (t,) = primals, tangents
    ...     return f(x), 2.0 * t
    >>> grad(f)(0.0)
    Array(2., dtype=float32, weak_type=True)
    """

    def __init__(
        self,
        fun: Callable[..., Any],
        nondiff_argnums: Sequence[int] = (),
        nondiff_argnames: Sequence[str] = (),
    ):
        functools.update_wrapper(self, fun)
        self.fun = fun
        names = list(signature_of(fun).parameters) if nondiff_argnames else []  # type: ignore[union-attr]
        self.nondiff_argnums = tuple(nondiff_argnums) + tuple(names.index(n) for n in nondiff_argnames)
        self.rule: Callable[..., Any] | None = None
        self.symbolic_zeros = False

    def defjvp(self, jvp: Callable[..., Any], symbolic_zeros: bool = False) -> Callable[..., Any]:
        """Set the rule: ``jvp(*nondiff, primals, tangents) -> (value, tangent)``. Returns it."""
        self.rule = jvp
        self.symbolic_zeros = symbolic_zeros
        return jvp

    def defjvps(self, *jvps: Callable[..., Any] | None) -> None:
        """Set one rule an argument: ``jvp(t, value, *primals)``, its share of the tangent; None for zero."""
        if self.nondiff_argnums:
            raise TypeError("defjvps: not with nondiff_argnums; use defjvp")

        def jvp(primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
            out = self(*primals)
            shares = [f(t, out, *primals) for f, t in zip(jvps, tangents, strict=True) if f is not None]
            if not shares:
                return out, tree.map(lambda x: instantiate(Zero(aval_of(x).to_tangent_aval())), out)
            return out, functools.reduce(lambda a, b: tree.map(add_any, a, b), shares)

        self.defjvp(jvp)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function."""
        if self.rule is None:
            raise AttributeError(
                f"custom_jvp: {function_name(self.fun)} has no derivative rule yet; set one with defjvp or "
                "defjvps"
            )
        args = _positional(self.fun, args, kwargs)
        numbers = [i % len(args) for i in self.nondiff_argnums]
        fixed = {i: args[i] for i in numbers}
        dynamic = tuple(x for i, x in enumerate(args) if i not in fixed)

        def fun(*xs: Any) -> Any:
            given = iter(xs)
            return self.fun(*[fixed[i] if i in fixed else next(given) for i in range(len(args))])

        fun.__name__ = function_name(self.fun)
        leaves, in_tree = tree.flatten(dynamic)
        avals = [aval_of(x) for x in leaves]
        body = trace_body(fun, dynamic, avals, function_name(self.fun), remember=False)
        rule = _Rule(self.rule, [fixed[i] for i in numbers], in_tree, body.out_tree, len(body.consts))
        out = custom_jvp_call_p.bind(
            *body.consts,
            *leaves,
            name=function_name(self.fun),
            call_jaxpr=body.jaxpr,
            jvp=rule,
            num_consts=len(body.consts),
            symbolic_zeros=self.symbolic_zeros,
        )
        return tree.unflatten(body.out_tree, out)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else functools.partial(self, instance)


def _positional(fun: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
    """All arguments as positional ones, with defaults."""
    signature = signature_of(fun)
    if signature is None:
        return args
    bound = signature.bind(*args, **kwargs)
    bound.apply_defaults()
    if bound.kwargs:
        raise TypeError(
            f"{function_name(fun)}: keyword-only arguments cannot be passed to a function with a custom rule"
        )
    return bound.args


class _Rule:
    """The user's rule as a flat function of primals and tangents."""

    __slots__ = ("fixed", "fun", "in_tree", "num_consts", "out_tree")

    def __init__(
        self, fun: Callable[..., Any], fixed: list[Any], in_tree: Any, out_tree: Any, num_consts: int
    ) -> None:
        self.fun = fun
        self.fixed = fixed
        self.in_tree = in_tree
        self.out_tree = out_tree
        self.num_consts = num_consts

    def __str__(self) -> str:
        return function_name(self.fun)

    def __call__(self, primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        name = function_name(self.fun)
        result = self.fun(
            *self.fixed, tree.unflatten(self.in_tree, primals), tree.unflatten(self.in_tree, tangents)
        )
        if not isinstance(result, tuple | list) or len(result) != 2:
            raise TypeError(
                f"{name}: a custom jvp rule returns a pair (value, tangent), but it returned "
                f"{type(result).__name__}"
            )
        out, out_tree = tree.flatten(result[0])
        ts, tangent_tree = tree.flatten(result[1])
        if out_tree != self.out_tree or tangent_tree != out_tree:
            raise TypeError(
                f"{name}: the value and the tangent of a custom jvp rule have the structure of the "
                f"function's result, {self.out_tree}, but the rule returned {out_tree} and {tangent_tree}"
            )
        for x, t in zip(out, ts, strict=True):
            wanted, got = aval_of(x).to_tangent_aval(), aval_of(t)
            if wanted.shape != got.shape or (wanted.dtype != got.dtype and not got.weak_type):
                raise TypeError(
                    f"{name}: a value of type {aval_of(x).str_short()} has a tangent of type "
                    f"{wanted.str_short()}, but the custom jvp rule returned {got.str_short()}"
                )
        return out, ts


class CustomJVPCall(HigherOrder):
    """The application of a function with its own jvp rule: its jaxpr, where nothing is differentiated."""

    name = "custom_jvp_call"

    def bind(self, *args: Any, **params: Any) -> Any:
        """Apply it; at once, equation by equation, because every call has a jaxpr of its own to compile."""
        if current.trace.parent is None:
            return eval_closed(params["call_jaxpr"], *args)
        return super().bind(*args, **params)

    def printed(self, params: dict[str, Any]) -> dict[str, Any]:
        shown = ("name", "call_jaxpr", "jvp", "symbolic_zeros")
        return {name: params[name] for name in shown}

    def abstract_eval(self, *avals: Any, call_jaxpr: Any, **params: Any) -> list[ShapedArray]:
        return call_jaxpr.out_avals

    def lower(self, ctx: Any, *operands: Any, call_jaxpr: Any, name: str, **params: Any) -> list[Any]:
        return ctx.inline(call_jaxpr, ctx.b, operands, name)

    def jvp(
        self, primals: Sequence[Any], tangents: Sequence[Any], *, jvp: Any, num_consts: int, **params: Any
    ) -> tuple[list[Any], list[Any]]:
        if any(type(t) is not Zero for t in tangents[:num_consts]):
            raise TypeError(
                f"{params['name']}: a function with a custom jvp rule closes over a value that is being "
                "differentiated; pass it as an argument"
            )
        out, ts = jvp(primals[num_consts:], [instantiate(t) for t in tangents[num_consts:]])
        # What is returned for an integer result holds nothing, and so is a zero to all that follows.
        return out, [Zero(aval) if (aval := aval_of(t)).dtype == float0 else t for t in ts]

    def batch(
        self,
        axis: MappedAxis,
        args: Sequence[Any],
        dims: Sequence[int | None],
        *,
        call_jaxpr: ClosedJaxpr,
        jvp: Any,
        **params: Any,
    ) -> tuple[list[Any], list[int | None]]:
        batched, _ = batch_jaxpr(call_jaxpr, axis, dims, True)
        rule = _BatchedRule(jvp, axis, dims[params["num_consts"] :])
        out = self.bind(*args, call_jaxpr=batched, jvp=rule, **params)
        return out, [0] * len(out)

    def reference(self, *args: Any, call_jaxpr: Any, **params: Any) -> list[Any]:
        return [np.asarray(x) for x in eval_closed(call_jaxpr, *args)]

    def examples(self) -> Iterable[Example]:
        aval = ShapedArray((3,), F32)
        tree_of_one = tree.structure((0.0,))
        rule = _Rule(
            lambda primals, tangents: (sin(primals[0]), mul(tangents[0], cos(primals[0]))),
            [],
            tree_of_one,
            tree.structure(0.0),
            0,
        )
        params = {
            "name": "f",
            "call_jaxpr": stage_closed(lambda x: [sin(x)], [aval]),
            "jvp": rule,
            "num_consts": 0,
            "symbolic_zeros": False,
        }
        yield Example((aval,), params)


class _BatchedRule:
    """A rule mapped over stacks of primals and tangents."""

    __slots__ = ("axis", "dims", "rule")

    def __init__(self, rule: Any, axis: MappedAxis, dims: Sequence[int | None]) -> None:
        self.axis = axis
        self.rule = rule
        self.dims = list(dims)

    def __str__(self) -> str:
        return str(self.rule)

    def __call__(self, primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        count = len(primals)

        def fun(*xs: Any) -> list[Any]:
            out, ts = self.rule(xs[:count], xs[count:])
            return [*out, *ts]

        results, dims = batch_flat(fun, self.axis, [*primals, *tangents], [*self.dims, *self.dims])
        results = [move_to(x, d, 0, self.axis.size) for x, d in zip(results, dims, strict=True)]
        half = len(results) // 2
        return results[:half], results[half:]


custom_jvp_call_p = CustomJVPCall()
