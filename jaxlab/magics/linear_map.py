"""The functions that ``%%vjp`` and ``%%linearize`` leave in the notebook: pullbacks and pushforwards, as pytrees.

A linear map is a program and the residuals that it keeps of the run. The residuals are its leaves, so that it comes
out of compiled and mapped cells as every other result does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jaxlab
from jaxlab import tree_util
from jaxlab.core.aval import ShapedArray, aval_of
from jaxlab.core.jaxpr import Jaxpr
from jaxlab.interpreters.staging import eval_jaxpr, stage

_ROLES = {"vjp": ("pullback", "cotangent"), "linearize": ("pushforward", "tangent")}


@dataclass(frozen=True, eq=False)
class Rule:
    """What is the same in every run: the program, and how arguments and results are taken apart and put together.

    Attributes:
      kind: ``vjp`` or ``linearize``.
      name: what it is called in the notebook.
      jaxpr: from residuals (its constants) and the leaves given to the leaves returned.
      accept: from the arguments of a call to their leaves.
      give: from leaves to the result of a call.
    """

    kind: str
    name: str
    jaxpr: Jaxpr
    accept: Callable[[tuple[Any, ...]], list[Any]]
    give: Callable[[list[Any]], Any]

    @property
    def avals(self) -> list[ShapedArray]:
        """The types of the leaves that are to be given."""
        return [v.aval for v in self.jaxpr.invars]


class LinearMap:
    """A pullback or pushforward at the values that a cell ran on; call it with cotangents, or with tangents."""

    __slots__ = ("axes", "residuals", "rule")

    def __init__(self, rule: Rule, residuals: Sequence[Any], axes: tuple[int | None, ...] = ()) -> None:
        self.rule, self.residuals, self.axes = rule, tuple(residuals), axes

    def mapped(self, axis: int | None) -> LinearMap:
        """The same under one more ``%%vmap``, which put an axis into the residuals."""
        return LinearMap(self.rule, self.residuals, (axis, *self.axes))

    def __call__(self, *given: Any) -> Any:
        """Results along cotangents (``%%vjp``) or tangents (``%%linearize``), in the structure of the inputs.

        Raises TypeError where what is given has not the shapes that are needed.
        """
        rule = self.rule
        leaves = rule.accept(given)
        if len(leaves) != len(rule.avals):
            raise TypeError(f"{rule.name}: {len(leaves)} arrays were given, but {self._needed()} is needed")
        extra = len(self.axes)
        leaves = [
            x if aval_of(x).dtype == aval.dtype else jaxlab.numpy.asarray(x, aval.dtype)
            for x, aval in zip(leaves, rule.avals, strict=True)
        ]
        for x, aval in zip(leaves, rule.avals, strict=True):
            own = aval_of(x)
            if own.ndim - extra != aval.ndim or (not extra and own.shape != aval.shape):
                raise TypeError(f"{rule.name}: {own.str_short()} was given, but {self._needed()} is needed")

        def run(residuals: Sequence[Any], *xs: Any) -> list[Any]:
            return eval_jaxpr(rule.jaxpr, residuals, *xs)

        for axis in reversed(self.axes):
            run = jaxlab.vmap(
                run, in_axes=(axis, *[axis] * len(leaves)), out_axes=0 if axis is None else axis
            )
        return rule.give(run(self.residuals, *leaves))

    def _needed(self) -> str:
        types = ", ".join(aval.str_short() for aval in self.rule.avals)
        mapped = f", with {len(self.axes)} mapped axis more" if self.axes else ""
        return f"a {_ROLES[self.rule.kind][1]} {types}{mapped}"

    def __repr__(self) -> str:
        role, takes = _ROLES[self.rule.kind]
        types = [
            ", ".join(v.aval.str_short() for v in side)
            for side in (self.rule.jaxpr.invars, self.rule.jaxpr.outvars)
        ]
        mapped = f", {len(self.axes)} mapped axis more" if self.axes else ""
        return f"<{role} {self.rule.name}: {takes} {types[0]} → {types[1]}{mapped}>"


def linear_map(
    kind: str,
    name: str,
    function: Callable[..., tuple[Any, Any]],
    primals: Sequence[Any],
    accept: Callable[[tuple[Any, ...]], list[Any]],
    give: Callable[[Any, Any], Callable[[list[Any]], Any]],
) -> tuple[Any, LinearMap, Any]:
    """Run ``function``, which returns a value and auxiliary data, and take its linear part.

    ``give`` makes of the value and the auxiliary data what puts the leaves of a result together. Returns the
    value, the map and the auxiliary data.
    """
    value, linear, aux = getattr(jaxlab, kind)(function, *primals, has_aux=True)
    given = value if kind == "vjp" else tuple(primals)
    leaves, structure = tree_util.tree_flatten(given)

    def flat(*xs: Any) -> list[Any]:
        whole = tree_util.tree_unflatten(structure, xs)
        return tree_util.tree_leaves(linear(whole) if kind == "vjp" else linear(*whole))

    jaxpr, residuals = stage(flat, [aval_of(x).to_tangent_aval() for x in leaves])
    return value, LinearMap(Rule(kind, name, jaxpr, accept, give(value, aux)), residuals), aux


tree_util.register_pytree_node(
    LinearMap,
    lambda f: (f.residuals, (f.rule, f.axes)),
    lambda aux, residuals: LinearMap(aux[0], residuals, aux[1]),
)
