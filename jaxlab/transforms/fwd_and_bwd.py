"""``fwd_and_bwd``: the forward and the backward pass as two functions, each compiled once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from jaxlab.transforms.argnums import as_indices, chosen_arguments
from jaxlab.transforms.jit import jit
from jaxlab.transforms.linearized import check_callable
from jaxlab.transforms.vjp import vjp


def fwd_and_bwd(
    fun: Callable[..., Any], argnums: int | Sequence[int], has_aux: bool = False, jitted: bool = True
) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """The forward and the backward pass of a function.

    They give what `vjp` gives. But where the two passes are compiled apart, the backward pass of `vjp` is a new
    function each time, and this one is not.

    Args:
      fun: a function of pytrees of arrays; with ``has_aux`` it returns a pair whose second part is passed on.
      argnums: the positional arguments to differentiate by.
      jitted: compile both.

    Returns:
      ``(fwd, bwd)``. ``fwd(*args)`` returns ``(value, residuals)``, or ``(value, residuals, aux)``;
      ``bwd(residuals, cotangent)`` returns the cotangent of the argument, or a tuple of them for several argnums.

    Raises:
      TypeError: if ``fun`` is no function, or ``argnums`` names no argument.

    >>> fwd, bwd = fwd_and_bwd(lambda x, y: x * y, (0, 1))
    >>> value, residuals = fwd(2.0, 3.0)
    >>> bwd(residuals, 1.0)
    (Array(3., dtype=float32, weak_type=True), Array(2., dtype=float32, weak_type=True))
    """
    check_callable("fwd_and_bwd", fun)
    numbers = as_indices("fwd_and_bwd", argnums)
    single = not isinstance(argnums, Sequence)

    def fwd(*args: Any, **kwargs: Any) -> Any:
        partial, primals, _ = chosen_arguments("fwd_and_bwd", fun, numbers, args, kwargs, ValueError)
        return vjp(partial, *primals, has_aux=has_aux)

    def bwd(residuals: Any, out_ct: Any) -> Any:
        cts = residuals(out_ct)
        return cts[0] if single else cts

    return (jit(fwd), jit(bwd)) if jitted else (fwd, bwd)
