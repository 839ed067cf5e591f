"""``custom_jvp``: a function with a derivative of one's own."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from jaxlab import tree
from jaxlab.core.aval import Zero, aval_of
from jaxlab.core.trace import current
from jaxlab.interpreters.functions import function_name
from jaxlab.primitives.broadcasting import instantiate
from jaxlab.primitives.elementwise import add_any
from jaxlab.transforms.custom_jvp_call import JvpRule, custom_jvp_call_p
from jaxlab.transforms.ruled_function import RuledFunction


class custom_jvp(RuledFunction):
    """A function whose derivative is given by a rule instead of being derived.

    Args:
      fun: a function of pytrees of arrays.
      nondiff_argnums: positions of arguments that are not differentiated, such as functions; the rule gets
        them first.
      nondiff_argnames: the same by name.

    The rule, set by `defjvp`, takes primals and tangents as tuples and returns the value and its tangent; it
    must be linear in the tangents, so that reverse mode works too. What the function closes over counts as
    constant.

    Raises:
      AttributeError: when it is called and has no rule.
      TypeError: when it is differentiated, if the rule does not return a pair of one structure, with a tangent
        of the type that goes with each leaf of the value.

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

    kind = "custom_jvp"
    primitive = custom_jvp_call_p

    def __init__(
        self,
        fun: Callable[..., Any],
        nondiff_argnums: Sequence[int] = (),
        nondiff_argnames: Sequence[str] = (),
    ) -> None:
        super().__init__(fun, nondiff_argnums, nondiff_argnames)
        self.jvp: Callable[..., Any] | None = None

    def defjvp(self, jvp: Callable[..., Any], symbolic_zeros: bool = False) -> Callable[..., Any]:
        """Set the rule: ``jvp(*nondiff, primals, tangents) -> (value, tangent)``. Returns it.

        With ``symbolic_zeros`` the rule gets a `SymbolicZero` for each tangent known to be zero, where it
        otherwise gets an array of zeros.
        """
        self.jvp = jvp
        self.symbolic_zeros = symbolic_zeros
        return jvp

    def defjvps(self, *jvps: Callable[..., Any] | None) -> None:
        """Set one rule an argument: ``jvp(t, value, *primals)``, its share of the tangent; None for zero.

        Raises:
          TypeError: if there are arguments that are not differentiated.
        """
        if self.nondiff_argnums:
            raise TypeError(
                f"defjvps: {function_name(self.fun)} has nondiff_argnums {self.nondiff_argnums}, but a rule for each "
                "argument is for functions without; use defjvp"
            )

        def jvp(primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
            if len(jvps) != len(primals):
                raise ValueError(
                    f"defjvps: {len(jvps)} rules were given, but {function_name(self.fun)} was called with "
                    f"{len(primals)} arguments; give one for each, None where the derivative is zero"
                )
            out = self(*primals)
            shares = [f(t, out, *primals) for f, t in zip(jvps, tangents, strict=True) if f is not None]
            if not shares:
                return out, tree.map(lambda x: instantiate(Zero(aval_of(x).to_tangent_aval())), out)
            return out, functools.reduce(lambda a, b: tree.map(add_any, a, b), shares)

        self.defjvp(jvp)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function."""
        jvp = self.jvp
        if jvp is None:
            raise AttributeError(
                f"custom_jvp: {function_name(self.fun)} has no derivative rule yet; set one with defjvp or "
                "defjvps"
            )
        args = self.positional(args, kwargs)
        if current.trace.parent is None:
            return self.evaluate(args)
        return self.apply(args, self.nondiff_positions(len(args)), lambda call, operands: JvpRule(jvp, call))
