"""``linearize``: a function's value and its derivative there, as a linear function."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from jaxlab import tree
from jaxlab.core.aval import ShapedArray, aval_of
from jaxlab.interpreters.functions import function_name
from jaxlab.transforms.descriptions import check_leaves, is_value
from jaxlab.transforms.linearized import Linearized, check_callable, linearize_tree
from jaxlab.transforms.ruled_function import leaf_path
from jaxlab.tree_util import Partial


def linearize(fun: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """The value of ``fun`` at ``primals`` and its derivative there as a linear function of tangents.

    Args:
      fun: a function of pytrees of arrays; with ``has_aux`` it returns a pair whose second part is passed on.
      primals: where to linearize.

    Returns:
      ``(value, f_jvp)``, or ``(value, f_jvp, aux)``; ``f_jvp`` takes tangents like ``primals`` and returns a
      tangent like the value. Calling it repeats nothing of ``fun``. It is a pytree of what it keeps, and so can
      be an argument or a result of a jitted function.

    Raises:
      TypeError: from ``f_jvp``, if tangents of another structure are given.
      ValueError: from ``f_jvp``, if they have other shapes or dtypes.

    >>> y, f_jvp = linearize(jnp.sin, 2.0)
    >>> f_jvp(1.0)
    Array(-0.41614684, dtype=float32, weak_type=True)
    """
    check_callable("linearize", fun)
    value, linear, in_tree, out_tree, aux = linearize_tree(fun, primals, has_aux, "linearize")
    avals = [aval_of(x) for x in tree.leaves(primals)]
    f_jvp = Partial(Pushforward(function_name(fun), linear, in_tree, out_tree, avals), linear.residuals)
    return (value, f_jvp, aux) if has_aux else (value, f_jvp)


class Pushforward:
    """The derivative of a function, of the residuals of its program and tangents."""

    __slots__ = ("in_avals", "in_tree", "linear", "name", "out_tree")

    def __init__(
        self, name: str, linear: Linearized, in_tree: Any, out_tree: Any, in_avals: list[ShapedArray]
    ) -> None:
        self.name = name
        self.linear = linear.with_residuals([])
        self.in_tree = in_tree
        self.out_tree = out_tree
        self.in_avals = in_avals

    def __repr__(self) -> str:
        return f"derivative of {self.name}: {self.linear.jaxpr}"

    def __call__(self, residuals: Sequence[Any], *tangents: Any) -> Any:
        leaves, given_tree = tree.flatten(tangents)
        if given_tree != self.in_tree:
            raise TypeError(
                f"linearize: tangents of structure {given_tree} were given, but {self.name} was linearized at "
                f"arguments of structure {self.in_tree}; give a tangent for each"
            )
        if not all(map(is_value, leaves)):
            check_leaves("linearize", "tangent", tangents)
        for i, (t, aval) in enumerate(zip(leaves, self.in_avals, strict=True)):
            own, wanted = aval_of(t), aval.to_tangent_aval()
            if own.shape != wanted.shape or own.dtype != wanted.dtype:
                raise ValueError(
                    f"linearize: the tangent{leaf_path(self.in_tree, i)} is {own.str_short()}, but an argument of "
                    f"type {aval.str_short()} has a tangent of type {wanted.str_short()}; convert or reshape it"
                )
        return tree.unflatten(self.out_tree, self.linear.with_residuals(residuals).push(leaves))
