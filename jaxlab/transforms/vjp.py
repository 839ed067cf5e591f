"""``vjp``: reverse-mode differentiation, which linearizes a function and transposes that."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from jaxlab import dtypes, lazy, tree
from jaxlab.core.aval import ShapedArray, aval_of
from jaxlab.core.jaxpr import Jaxpr
from jaxlab.core.trace import current
from jaxlab.interpreters.functions import function_name
from jaxlab.primitives.broadcasting import instantiate
from jaxlab.runtime.transfer import put
from jaxlab.transforms.descriptions import check_leaves, is_value
from jaxlab.transforms.linearized import Linearized, check_callable, linearize_tree
from jaxlab.transforms.ruled_function import leaf_path
from jaxlab.tree_util import register_pytree_node

if TYPE_CHECKING:
    from jaxlab.transforms import gradient_refs
else:  # only where somebody wants cotangents in references
    gradient_refs = lazy.module("jaxlab.transforms.gradient_refs")


def vjp(
    fun: Callable[..., Any], *primals: Any, has_aux: bool = False, reduce_axes: Sequence[Any] = ()
) -> Any:
    """The value of ``fun`` at ``primals`` and the function that pulls cotangents back.

    Args:
      fun: a function of pytrees of arrays; with ``has_aux`` it returns a pair whose second part is passed on.
      primals: where to differentiate.

    Returns:
      ``(value, f_vjp)``, or ``(value, f_vjp, aux)``; ``f_vjp``, a `VJP`, takes a cotangent like the value and
      returns a tuple of cotangents like ``primals``.

    Raises:
      TypeError: if ``fun`` is no function, or returns no pair with ``has_aux``.
      ValueError: from ``f_vjp``, if the cotangent differs from the value in structure, shapes or dtypes.

    >>> y, f_vjp = vjp(lambda x: x * x, 3.0)
    >>> f_vjp(1.0)
    (Array(6., dtype=float32, weak_type=True),)
    """
    if reduce_axes:
        raise NotImplementedError("vjp: reduce_axes is no longer supported; leave it out")
    return vjp_for("vjp", fun, primals, has_aux)


def vjp_for(what: str, fun: Callable[..., Any], primals: Sequence[Any], has_aux: bool) -> Any:
    """`vjp` for an operation that its errors are to speak of."""
    check_callable(what, fun)
    value, linear, in_tree, out_tree, aux = linearize_tree(fun, primals, has_aux, what)
    leaves = tree.leaves(primals)
    place = {id(x): i for i, x in enumerate(leaves)}
    from_primal = [place.get(id(x)) for x in linear.residuals]
    used = set(from_primal)
    kept = [x if i in used else NOT_NEEDED for i, x in enumerate(leaves)]
    pullback = Pullback(function_name(fun), linear, from_primal, [aval_of(x) for x in leaves])
    opaque = [x for x, i in zip(linear.residuals, from_primal, strict=True) if i is None]
    f_vjp = VJP(pullback, in_tree, out_tree, list(tree.unflatten(in_tree, kept)), opaque)
    return (value, f_vjp, aux) if has_aux else (value, f_vjp)


class NotNeeded:
    """In the place of an argument that the backward pass does not need. It is a tree without leaves."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "NotNeeded()"


NOT_NEEDED = NotNeeded()
register_pytree_node(NotNeeded, lambda x: ((), None), lambda aux, children: NOT_NEEDED)


class Pullback:
    """The transposed program of a function, and where each of its residuals is to be found."""

    __slots__ = ("from_primal", "in_avals", "linear", "name")

    def __init__(
        self, name: str, linear: Linearized, from_primal: list[int | None], in_avals: list[ShapedArray]
    ) -> None:
        self.name = name
        self.linear = linear.with_residuals([])
        self.from_primal = from_primal
        self.in_avals = in_avals

    def __repr__(self) -> str:
        return f"derivative of {self.name}: {self.linear.jaxpr}"


class VJP:
    """The function that pulls a cotangent of a result back to the arguments.

    It is a pytree of what it keeps, and so can be an argument or a result of a jitted or mapped function.

    Attributes:
      in_tree, out_tree: the structures of the tuple of arguments and of the result.
      args_res: the arguments, as far as they are needed; a `NotNeeded` for each leaf that is not.
      opaque_residuals: everything else that is needed.
    """

    __slots__ = ("__weakref__", "args_res", "fun", "in_tree", "opaque_residuals", "out_tree")

    def __init__(
        self, fun: Pullback, in_tree: Any, out_tree: Any, args_res: list[Any], opaque_residuals: list[Any]
    ) -> None:
        self.fun = fun
        self.in_tree = in_tree
        self.out_tree = out_tree
        self.args_res = args_res
        self.opaque_residuals = opaque_residuals

    @property
    def jaxpr(self) -> Jaxpr:
        """The program that is transposed: from residuals and tangents to tangents."""
        return self.fun.linear.jaxpr

    def __repr__(self) -> str:
        return f"VJP({self.fun!r}, args_res={self.args_res}, opaque_residuals={self.opaque_residuals})"

    def __call__(self, out_ct: Any, *more: Any) -> Any:
        """Cotangents of the arguments, a tuple, from one of the result."""
        name, linear = self.fun.name, self.fun.linear
        if more:
            raise TypeError(
                f"vjp: {len(more) + 1} cotangents were given, but {name} returns one value, be it a tuple; give one "
                "cotangent of its structure, as in f_vjp((a, b))"
            )
        cts, given_tree = tree.flatten(out_ct)
        if given_tree != self.out_tree:
            raise ValueError(
                f"vjp: a cotangent of structure {given_tree} was given, but {name} returned structure "
                f"{self.out_tree}; give one like its value"
            )
        if not all(map(is_value, cts)):
            check_leaves("vjp", "cotangent", out_ct)
        for i, (x, aval) in enumerate(zip(cts, linear.out_avals, strict=True)):
            own, wanted = aval_of(x), aval.to_tangent_aval()
            if own.shape != wanted.shape or (own.dtype != wanted.dtype and wanted.dtype != dtypes.float0):
                raise ValueError(
                    f"vjp: the cotangent{leaf_path(self.out_tree, i)} is {own.str_short()}, but {name} returned "
                    f"{aval.str_short()} there, whose cotangent has type {wanted.str_short()}; convert or reshape it"
                )
        opaque = iter(self.opaque_residuals)
        arguments = tree.leaves(self.args_res, is_leaf=lambda x: type(x) is NotNeeded)
        residuals = [next(opaque) if i is None else arguments[i] for i in self.fun.from_primal]
        found = pull_back(linear.with_residuals(residuals), cts, self.fun.in_avals)
        return tree.unflatten(self.in_tree, found)

    def with_refs(self, *refs: Any) -> Callable[[Any], Any]:
        """The same with references for cotangents: they are added there, and not returned.

        Args:
          refs: like the arguments, with a reference, ``GradValue()`` (return this cotangent) or ``DontWant()`` of
            `jaxlab.ad` for each leaf.

        Returns:
          A function of a cotangent, whose result has ``GradRef()`` and ``DidntWant()`` where no cotangent is
          returned.

        Raises:
          ValueError: if the structure or the types do not fit.
        """
        return gradient_refs.WithRefs(self, self.fun.name, self.fun.in_avals, refs)


register_pytree_node(
    VJP,
    lambda f: ((f.args_res, f.opaque_residuals), (f.fun, f.in_tree, f.out_tree)),
    lambda aux, children: VJP(*aux, *children),
)


def pull_back(linear: Linearized, cts: Sequence[Any], in_avals: Sequence[ShapedArray]) -> list[Any]:
    """Cotangents as arrays; ``float0`` zeros for integer arguments."""
    return as_arrays(
        [
            np.zeros(aval.shape, dtypes.float0) if ct is None else instantiate(ct)
            for ct, aval in zip(linear.pull(cts), in_avals, strict=True)
        ]
    )


def as_arrays(found: list[Any]) -> list[Any]:
    """Results that no operation has touched are still numbers: they become arrays where that is possible."""
    if current.trace.parent is not None:
        return found
    return [x if aval_of(x).dtype == dtypes.float0 else put(x) for x in found]
