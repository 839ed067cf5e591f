"""``custom_vjp``: a function with a reverse-mode derivative of one's own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from jaxlab import errors, tree
from jaxlab.core.aval import aval_of
from jaxlab.core.trace import Tracer, current
from jaxlab.interpreters.functions import function_name
from jaxlab.transforms.custom_vjp_call import CustomVJPPrimal, VjpRule, custom_vjp_call_p
from jaxlab.transforms.descriptions import kind_of
from jaxlab.transforms.ruled_function import FlatCall, RuledFunction
from jaxlab.tree import map as map_leaves


class custom_vjp(RuledFunction):
    """A function whose cotangents are pulled back by rules instead of by its derivative.

    Args:
      fun: a function of pytrees of arrays.
      nondiff_argnums: positions of arguments that are not differentiated and hold no traced value, such as
        functions; the forward rule gets them where they are, the backward rule first.
      nondiff_argnames: the same by name.

    The rules are set by `defvjp`. Forward mode (`jvp`, `jacfwd`) does not work; see `custom_jvp` for both.

    Raises:
      AttributeError: when it is called and has no rules.
      UnexpectedTracerError: if an argument that is not differentiated holds a traced value.
      TypeError: when it is differentiated forwards, or the rules return the wrong structure.
      ValueError: if the backward rule returns a cotangent of another shape than the argument's.

    >>> @custom_vjp
    ... def f(x, y):
    ...     return jnp.sin(x) * y
    >>> def f_fwd(x, y):
    ...     return f(x, y), (jnp.cos(x), jnp.sin(x), y)
    >>> def f_bwd(residuals, ct):
    ...     cos_x, sin_x, y = residuals
    ...     return cos_x * ct * y, sin_x * ct
    >>> f.defvjp(f_fwd, f_bwd)
    >>> grad(f)(0.0, 3.0)
    Array(3., dtype=float32, weak_type=True)
    """

    kind = "custom_vjp"
    primitive = custom_vjp_call_p

    def __init__(
        self,
        fun: Callable[..., Any],
        nondiff_argnums: Sequence[int] = (),
        nondiff_argnames: Sequence[str] = (),
    ) -> None:
        super().__init__(fun, nondiff_argnums, nondiff_argnames)
        self.fwd: Callable[..., Any] | None = None
        self.bwd: Callable[..., Any] | None = None
        self.optimize_remat = False

    def defvjp(
        self,
        fwd: Callable[..., Any],
        bwd: Callable[..., Any],
        symbolic_zeros: bool = False,
        optimize_remat: bool = False,
    ) -> None:
        """Set the rules.

        Args:
          fwd: takes the function's arguments and returns ``(value, residuals)``, the residuals any pytree of
            arrays.
          bwd: takes ``(*nondiff, residuals, cotangent)`` and returns a tuple with a cotangent for each
            argument that is differentiated; None stands for zeros.
          symbolic_zeros: the leaves of the arguments of ``fwd`` become `CustomVJPPrimal`, which tell what is
            being differentiated, and ``bwd`` gets a `SymbolicZero` for each cotangent known to be zero.
          optimize_remat: promise that the value of ``fwd`` is the function's, so that recomputing it under
            `checkpoint` may leave out what only residuals need. That is done in any case.

        Raises:
          NotImplementedError: if both options are set.
        """
        if symbolic_zeros and optimize_remat:
            raise NotImplementedError(
                "defvjp: symbolic_zeros=True and optimize_remat=True were given, but only one of them can be set"
            )
        self.fwd = fwd
        self.bwd = bwd
        self.symbolic_zeros = symbolic_zeros
        self.optimize_remat = optimize_remat

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function."""
        fwd, bwd = self.fwd, self.bwd
        if fwd is None or bwd is None:
            raise AttributeError(
                f"custom_vjp: {function_name(self.fun)} has no derivative rules yet; set them with defvjp"
            )
        args = self.positional(args, kwargs)
        numbers = self.nondiff_positions(len(args))
        for i in numbers:
            self._check_static(i, args[i])
        if current.trace.parent is None:
            return self.evaluate(args)

        def rule(call: FlatCall, operands: Sequence[Any]) -> VjpRule:
            return VjpRule(fwd, bwd, call, [aval_of(x) for x in operands], self.symbolic_zeros)

        return self.apply(args, numbers, rule)

    def _check_static(self, i: int, x: Any) -> None:
        for leaf in tree.leaves(x):
            if isinstance(leaf, Tracer):
                raise errors.UnexpectedTracerError(
                    f"custom_vjp: argument {i} of {function_name(self.fun)}, {leaf.describe()}, is named in "
                    "nondiff_argnums, but a traced value cannot be kept for the backward rule there; leave it out "
                    "of nondiff_argnums, and return None for its cotangent"
                )


def custom_vjp_primal_tree_values(tree: Any) -> Any:
    """The arguments of a forward rule with ``symbolic_zeros=True``, as the function itself takes them.

    Raises:
      TypeError: if a leaf is no `CustomVJPPrimal`.

    >>> from jaxlab.custom_derivatives import CustomVJPPrimal
    >>> custom_vjp_primal_tree_values({"x": CustomVJPPrimal(1.0, True)})
    {'x': 1.0}
    """

    def value(leaf: Any) -> Any:
        if type(leaf) is not CustomVJPPrimal:
            raise TypeError(
                f"custom_vjp_primal_tree_values: a leaf is {kind_of(leaf)}, but a CustomVJPPrimal is needed; "
                "give the arguments of a forward rule that was defined with symbolic_zeros=True"
            )
        return leaf.value

    return map_leaves(value, tree)
