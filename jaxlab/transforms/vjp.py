"""Reverse-mode differentiation: linearize, then transpose."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from jaxlab import dtypes, tree
from jaxlab.core.aval import ShapedArray, UndefinedPrimal, Zero, aval_of, is_array_like
from jaxlab.core.jaxpr import Jaxpr, dce, variables_read
from jaxlab.core.trace import current, interpret_with
from jaxlab.interpreters.functions import FlatFunction, function_name
from jaxlab.interpreters.jvp import NO_TANGENT, jvp_flat
from jaxlab.interpreters.partial_eval import SplitTrace, needed_part
from jaxlab.interpreters.staging import StagingTrace, eval_jaxpr
from jaxlab.interpreters.transpose import backward
from jaxlab.primitives.broadcasting import instantiate
from jaxlab.runtime.transfer import put


class Linearized:
    """The linear part of a function at a point: a program of tangents whose constants are the residuals.

    ``out_from`` tells for each result which output of the program its tangent is, or None where it is zero.
    """

    __slots__ = ("in_from", "jaxpr", "out_avals", "out_from", "residuals")

    def __init__(
        self,
        jaxpr: Jaxpr,
        residuals: list[Any],
        in_from: list[int | None],
        out_from: list[int | None],
        out_avals: list[ShapedArray],
    ) -> None:
        self.jaxpr = jaxpr
        self.residuals = residuals
        self.in_from = in_from
        self.out_from = out_from
        self.out_avals = out_avals

    def forget_unread(self) -> None:
        """Drop equations that no result needs, and residuals that only they read: it will be run many times."""
        jaxpr, _ = dce(self.jaxpr, [True] * len(self.jaxpr.outvars))
        used = variables_read(jaxpr)
        kept = [(v, x) for v, x in zip(jaxpr.constvars, self.residuals, strict=True) if v in used]
        self.jaxpr, self.residuals = jaxpr.replace(constvars=[v for v, _ in kept]), [x for _, x in kept]

    def push(self, tangents: Sequence[Any]) -> list[Any]:
        """Tangents of the results; zeros are made where nothing depends on the arguments."""
        given = [t for t, i in zip(tangents, self.in_from, strict=True) if i is not None]
        out = eval_jaxpr(self.jaxpr, self.residuals, *given)
        return [
            instantiate(Zero(aval.to_tangent_aval())) if i is None else out[i]
            for i, aval in zip(self.out_from, self.out_avals, strict=True)
        ]

    def pull(self, cts: Sequence[Any]) -> list[Any]:
        """Cotangents, or ``Zero``, of the arguments; None for those that have none."""
        given: list[Any] = [Zero(v.aval) for v in self.jaxpr.outvars]
        for ct, i in zip(cts, self.out_from, strict=True):
            if i is not None:
                given[i] = ct
        linear = [UndefinedPrimal(v.aval) for v in self.jaxpr.invars]
        found = backward(self.jaxpr, self.residuals, linear, given)
        return [None if i is None else found[i] for i in self.in_from]


def linearize_flat(
    fun: Callable[..., Sequence[Any]], primals: Sequence[Any], count: Callable[[], int | None] = lambda: None
) -> tuple[list[Any], Linearized]:
    """The results of ``fun``, flat, and its linear part. Arguments of integer dtypes have no tangent.

    Where ``count``, asked after ``fun`` ran, gives a number, the linear part is that of so many results.
    """
    known = current.trace
    unknown = StagingTrace(known)
    avals = [aval_of(x) for x in primals]
    in_from: list[int | None] = []
    tangents: list[Any] = []
    for aval in avals:
        tangent_aval = aval.to_tangent_aval()
        inexact = tangent_aval.dtype != dtypes.float0
        in_from.append(len(unknown.invars) if inexact else None)
        tangents.append(unknown.new_argument(tangent_aval) if inexact else Zero(tangent_aval))
    try:
        with interpret_with(SplitTrace(known, unknown)):
            outputs, out_tangents = jvp_flat(fun, primals, tangents)
        out_from: list[int | None] = []
        results: list[Any] = []
        for t in out_tangents[: count()]:
            if type(t) is Zero:
                out_from.append(None)
            else:
                out_from.append(len(results))
                results.append(t)
        jaxpr, residuals = needed_part(*unknown.finish(results))
    finally:
        unknown.alive = False
    out_avals = [aval_of(x) if is_array_like(x) else NO_TANGENT for x in outputs[: count()]]
    return outputs, Linearized(jaxpr, residuals, in_from, out_from, out_avals)


def linearize(fun: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """The value of ``fun`` at ``primals`` and its derivative there as a linear function of tangents.

    Args:
      fun: a function of pytrees of arrays; with ``has_aux`` it returns a pair whose second part is passed on.
      primals: where to linearize.

    Returns:
      ``(value, f_jvp)``, or ``(value, f_jvp, aux)``; ``f_jvp`` takes tangents like ``primals`` and returns a
      tangent like the value. Calling it repeats nothing of ``fun``.

    >>> y, f_jvp = linearize(jnp.sin, 2.0)
    >>> f_jvp(1.0)
    Array(-0.41614684, dtype=float32, weak_type=True)
    """
    value, linear, in_tree, out_tree, aux = linearize_tree(fun, primals, has_aux)
    linear.forget_unread()
    avals = [aval_of(x) for x in tree.leaves(primals)]

    def f_jvp(*tangents: Any) -> Any:
        leaves, given_tree = tree.flatten(tangents)
        if given_tree != in_tree:
            raise TypeError(
                f"linearize: tangents of structure {given_tree} were given, but the primals have structure "
                f"{in_tree}"
            )
        for t, aval in zip(leaves, avals, strict=True):
            _check_tangent("linearize", t, aval)
        return tree.unflatten(out_tree, linear.push(leaves))

    return (value, f_jvp, aux) if has_aux else (value, f_jvp)


def vjp(fun: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """The value of ``fun`` at ``primals`` and the function that pulls cotangents back.

    Args:
      fun: a function of pytrees of arrays; with ``has_aux`` it returns a pair whose second part is passed on.
      primals: where to differentiate.

    Returns:
      ``(value, f_vjp)``, or ``(value, f_vjp, aux)``; ``f_vjp`` takes a cotangent like the value and returns a
      tuple of cotangents like ``primals``.

    Raises:
      ValueError: from ``f_vjp``, if the cotangent differs from the value in structure, shapes or dtypes.

    >>> y, f_vjp = vjp(lambda x: x * x, 3.0)
    >>> f_vjp(1.0)
    (Array(6., dtype=float32, weak_type=True),)
    """
    value, linear, in_tree, out_tree, aux = linearize_tree(fun, primals, has_aux)
    in_avals = [aval_of(x) for x in tree.leaves(primals)]
    name = function_name(fun)

    def f_vjp(ct: Any) -> Any:
        leaves, given_tree = tree.flatten(ct)
        if given_tree != out_tree:
            raise ValueError(
                f"vjp: a cotangent of structure {given_tree} was given, but {name} returned structure "
                f"{out_tree}"
            )
        for x, aval in zip(leaves, linear.out_avals, strict=True):
            _check_tangent("vjp", x, aval)
        return tree.unflatten(in_tree, pull_back(linear, leaves, in_avals))

    return (value, f_vjp, aux) if has_aux else (value, f_vjp)


def pull_back(linear: Linearized, cts: Sequence[Any], in_avals: Sequence[ShapedArray]) -> list[Any]:
    """Cotangents as arrays; ``float0`` zeros for integer arguments."""
    found = [
        np.zeros(aval.shape, dtypes.float0) if ct is None else instantiate(ct)
        for ct, aval in zip(linear.pull(cts), in_avals, strict=True)
    ]
    if current.trace.parent is not None:
        return found
    # No operation has touched a constant gradient: it is still a number.
    return [x if ct is None else put(x) for x, ct in zip(found, linear.in_from, strict=True)]


def linearize_tree(
    fun: Callable[..., Any], primals: Sequence[Any], has_aux: bool
) -> tuple[Any, Linearized, Any, Any, Any]:
    """The value of a function of pytrees, its linear part, both structures, and the auxiliary result."""
    leaves, in_tree = tree.flatten(primals)
    aux: list[Any] = []

    def main(*args: Any) -> Any:
        out = fun(*args)
        if not has_aux:
            return out
        if not isinstance(out, tuple) or len(out) != 2:
            raise TypeError(
                f"{function_name(fun)}: with has_aux=True the function returns a pair (value, auxiliary "
                f"data), but it returned a {type(out).__name__}"
            )
        aux.append(out[1])
        return out[0]

    _, args_tree = tree.flatten((tuple(primals), {}))
    flat = FlatFunction(main, args_tree)
    state: dict[str, Any] = {}

    def with_aux(*xs: Any) -> list[Any]:
        outputs = flat(*xs)
        aux_leaves, state["aux_tree"] = tree.flatten(aux[0]) if has_aux else ([], None)
        state["count"] = len(outputs)
        return outputs + aux_leaves

    outputs, linear = linearize_flat(with_aux, leaves, lambda: state["count"])
    count = state["count"]
    value = tree.unflatten(flat.out_tree, outputs[:count])
    return (
        value,
        linear,
        in_tree,
        flat.out_tree,
        tree.unflatten(state["aux_tree"], outputs[count:]) if has_aux else None,
    )


def _check_tangent(name: str, x: Any, aval: ShapedArray) -> None:
    """Raise unless ``x`` can be a tangent of a value of type ``aval``."""
    own, wanted = aval_of(x), aval.to_tangent_aval()
    if own.shape != wanted.shape or (own.dtype != wanted.dtype and not own.weak_type):
        raise ValueError(
            f"{name}: a tangent or cotangent of type {own.str_short()} was given, but {wanted.str_short()} "
            "is needed"
        )
