"""The linear part of a function at a point: what `linearize` and `vjp` have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from jaxlab import dtypes, tree
from jaxlab.core.aval import ShapedArray, UndefinedPrimal, Zero, aval_of, is_array_like
from jaxlab.core.jaxpr import Jaxpr
from jaxlab.core.refs import is_ref
from jaxlab.core.trace import current, interpret_with
from jaxlab.interpreters.functions import FlatFunction, function_name
from jaxlab.interpreters.jvp import NO_TANGENT, jvp_flat
from jaxlab.interpreters.partial_eval import SplitTrace, needed_part
from jaxlab.interpreters.staging import StagingTrace, eval_jaxpr
from jaxlab.interpreters.transpose import backward
from jaxlab.primitives.broadcasting import instantiate
from jaxlab.runtime.transfer import put
from jaxlab.transforms.descriptions import check_arguments, check_results, is_value, kind_of, type_of


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

    def with_residuals(self, residuals: Sequence[Any]) -> Linearized:
        """The same program with other constants."""
        return Linearized(self.jaxpr, list(residuals), self.in_from, self.out_from, self.out_avals)

    def push(self, tangents: Sequence[Any]) -> list[Any]:
        """Tangents of the results; zeros are made where nothing depends on the arguments."""
        given = [t for t, i in zip(tangents, self.in_from, strict=True) if i is not None]
        out = eval_jaxpr(self.jaxpr, self.residuals, *given)
        return [
            as_array(Zero(aval.to_tangent_aval())) if i is None else out[i]
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


def linearize_tree(
    fun: Callable[..., Any], primals: Sequence[Any], has_aux: bool, what: str
) -> tuple[Any, Linearized, Any, Any, Any]:
    """The value of a function of pytrees, its linear part, both structures, and the auxiliary result."""
    leaves, in_tree = tree.flatten(primals)
    if not all(map(is_value, leaves)):
        check_arguments(what, fun, primals)
    for x in leaves if what != "linearize" else ():
        if is_ref(aval_of(x)):
            raise ValueError(
                f"{what}: an argument of {function_name(fun)} that is differentiated is a reference of type "
                f"{aval_of(x).str_short()}, but cotangents are for arrays; make the reference in the function, of "
                "an argument that is an array"
            )
    aux: list[Any] = []

    def main(*args: Any) -> Any:
        out = fun(*args)
        if not has_aux:
            return out
        check_pair(what, fun, out)
        aux.append(out[1])
        return out[0]

    _, args_tree = tree.flatten((tuple(primals), {}))
    flat = FlatFunction(main, args_tree)
    state: dict[str, Any] = {}

    def with_aux(*xs: Any) -> list[Any]:
        outputs = flat(*xs)
        if what not in ("grad", "value_and_grad"):  # which say more of what they need
            check_results(what, fun, outputs)
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


def as_array(t: Any) -> Any:
    """A tangent as an array, also where it is known to be zero and nothing has computed it."""
    if type(t) is not Zero:
        return t
    zero = instantiate(t)
    return zero if current.trace.parent is not None or t.aval.dtype == dtypes.float0 else put(zero)


def check_callable(what: str, fun: Any) -> None:
    """Raise TypeError unless ``fun`` can be called."""
    if not callable(fun):
        raise TypeError(
            f"{what}: {type_of(fun)} was given, but a function is needed; pass the function, not its result"
        )


def check_pair(what: str, fun: Any, out: Any) -> None:
    """Raise TypeError unless ``out``, which ``fun`` returned under ``has_aux=True``, is a pair."""
    if not isinstance(out, tuple | list) or len(out) != 2:
        raise TypeError(
            f"{what}: {function_name(fun)} returned {kind_of(out)}, but with has_aux=True a pair (value, auxiliary "
            "data) is needed; return value, aux"
        )
