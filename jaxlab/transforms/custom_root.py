"""``custom_root``: the root of a function, differentiated through the equation that it solves."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from jaxlab import tree
from jaxlab.control.bodies import Body, check_function, input_avals, split_by, trace_body
from jaxlab.core.aval import Zero, aval_of
from jaxlab.core.jaxpr import ClosedJaxpr
from jaxlab.interpreters.jvp import jvp_flat
from jaxlab.interpreters.staging import eval_closed
from jaxlab.primitives.arithmetic import neg
from jaxlab.primitives.broadcasting import instantiate
from jaxlab.transforms.custom_jvp import custom_jvp
from jaxlab.transforms.linearize import linearize


def custom_root(
    f: Callable[[Any], Any],
    initial_guess: Any,
    solve: Callable[[Callable[[Any], Any], Any], Any],
    tangent_solve: Callable[[Callable[[Any], Any], Any], Any],
    has_aux: bool = False,
) -> Any:
    """``solve(f, initial_guess)``, a root of ``f``, whose derivatives follow from the equation ``f(x) = 0``.

    They are those by what ``f`` closes over.

    Args:
      f: a function of a pytree of arrays, and to one of the same structure.
      initial_guess: where to start, a pytree of arrays.
      solve: takes ``f`` and the guess, and returns ``x`` with ``f(x) = 0`` (which is not checked), of the guess's
        structure; with ``has_aux`` a pair of it and auxiliary data. It need not be differentiable.
      tangent_solve: takes a linear function ``g``, the derivative of ``f`` at the root, and ``y``, and returns ``x``
        with ``g(x) = y``. For scalars that is ``lambda g, y: y / g(1.0)``.
      has_aux: ``solve`` returns a pair.

    Returns:
      What ``solve`` returns.

    Raises:
      TypeError: if a function returns another structure than the guess's.
      ValueError: if ``solve`` returns no pair with ``has_aux``.

    >>> def square_root(a):
    ...     return lax.custom_root(
    ...         lambda x: x ** 2 - a, 1.0, lambda f, x: jnp.sqrt(a), lambda g, y: y / g(1.0)
    ...     )
    >>> grad(square_root)(4.0)
    Array(0.25, dtype=float32, weak_type=True)
    """
    for name, function in (("f", f), ("solve", solve), ("tangent_solve", tangent_solve)):
        check_function("custom_root", name, function)
    guess, guess_tree = tree.flatten(initial_guess)
    avals = input_avals("custom_root", "initial_guess", guess, guess_tree)

    def linearize_and_solve(x: Any, y: Any) -> Any:
        return tangent_solve(linearize(f, x)[1], y)

    def traced(what: str, fun: Callable[..., Any], count: int, aux: bool = False) -> Body:
        example = (initial_guess,) * count
        body = trace_body(fun, example, avals * count, f"custom_root: {what}", remember=False)
        out_tree = body.out_tree
        if aux:
            if len(out_tree.children()) != 2:
                raise ValueError(
                    f"custom_root: {what} returned structure {out_tree}, but with has_aux=True a pair (root, "
                    "auxiliary data) is needed; return x, aux"
                )
            out_tree = out_tree.children()[0]
        if out_tree != guess_tree:
            raise TypeError(
                f"custom_root: {what} returned structure {out_tree}, but initial_guess has structure {guess_tree}; "
                "return a value like it"
            )
        return body

    bodies = _RootTuple(
        traced("f", f, 1),
        traced("solve", functools.partial(solve, f), 1, has_aux),
        traced("tangent_solve", linearize_and_solve, 2),
    )
    out = _custom_root(
        _RootTuple(*[len(body.consts) for body in bodies]),
        _RootTuple(*[body.jaxpr for body in bodies]),
        *[x for body in bodies for x in body.consts],
        *guess,
    )
    return tree.unflatten(bodies.solve.out_tree, out)


class _RootTuple(NamedTuple):
    """One thing for each of the three functions: of all three what they close over, how much, their programs."""

    f: Any
    solve: Any
    l_and_s: Any


@functools.partial(custom_jvp, nondiff_argnums=(0, 1))
def _custom_root(lengths: _RootTuple, programs: _RootTuple, *args: Any) -> list[Any]:
    _, consts, _, guess = split_by(args, *lengths)
    return eval_closed(programs.solve, *consts, *guess)


@_custom_root.defjvp
def _root_jvp(
    lengths: _RootTuple, programs: _RootTuple, primals: Sequence[Any], tangents: Sequence[Any]
) -> tuple[list[Any], list[Any]]:
    """From f(m, x(m)) = 0 follows f_m dm + f_x dx = 0, so the tangent is -f_x^-1 (f_m dm)."""
    out = _custom_root(lengths, programs, *primals)
    consts, _, solve_consts, _ = split_by(primals, *lengths)
    given = list(tangents[: lengths.f])
    equation: ClosedJaxpr = programs.f
    root, aux = split_by(out, len(equation.out_avals))
    _, rhs = jvp_flat(lambda *xs: eval_closed(equation, *xs, *root), consts, given)
    found = eval_closed(programs.l_and_s, *solve_consts, *root, *[instantiate(t) for t in rhs])
    still = [instantiate(Zero(aval_of(x).to_tangent_aval())) for x in aux]
    return out, [neg(t) for t in found] + still
