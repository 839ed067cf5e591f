"""``cond`` and ``switch``: one of several functions, chosen by a value known only when the program runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from jaxlab import tree
from jaxlab.config import config
from jaxlab.control.bodies import (
    Body,
    as_array,
    check_body_references,
    input_avals,
    leaf_paths,
    share_constants,
    trace_body,
)
from jaxlab.control.cond_primitive import cond_p
from jaxlab.core.jaxpr import ClosedJaxpr
from jaxlab.core.memo import memoised
from jaxlab.core.trace import Tracer
from jaxlab.primitives.comparison import clamp, ne
from jaxlab.primitives.conversion import convert_element_type

I32 = np.dtype(np.int32)
NO_OPERAND = object()


def cond(
    pred: Any,
    true_fun: Callable[..., Any],
    false_fun: Callable[..., Any],
    *operands: Any,
    operand: Any = NO_OPERAND,
) -> Any:
    """``true_fun(*operands)`` if ``pred`` else ``false_fun(*operands)``, decided when the program runs.

    Both functions are traced, and one of them runs. Where `vmap` maps ``pred`` both run on all slices, and the
    results are selected. With ``disable_jit`` it is the ``if`` of Python.

    Args:
      pred: a scalar, boolean or number (then compared with zero).
      true_fun, false_fun: functions whose results have the same structure, shapes and dtypes.
      operands: pytrees of arrays.
      operand: the only operand, by name (an older form). An older form still is
        ``cond(pred, x, true_fun, y, false_fun)``.

    Raises:
      TypeError: if ``pred`` is not a scalar, or the branches' results differ.

    >>> cond(True, lambda x: x + 1, lambda x: x - 1, 3)
    Array(4, dtype=int32, weak_type=True)
    """
    if not callable(true_fun) and callable(false_fun) and len(operands) == 2 and callable(operands[1]):
        of_true, if_true, (of_false, if_false) = true_fun, false_fun, operands
        return cond(pred, lambda x, _: if_true(x), lambda _, y: if_false(y), of_true, of_false)
    for name, function in (("true_fun", true_fun), ("false_fun", false_fun)):
        if not callable(function):
            raise TypeError(
                f"cond: {name} is a {type(function).__name__}, but a function is needed; write lambda *_: ... "
                "for a constant"
            )
    operands = _operands("cond", operands, operand)
    if isinstance(pred, list | tuple) or pred is None:
        raise TypeError(f"cond: the predicate is a {type(pred).__name__}, but a scalar is needed; give one")
    (aval,) = input_avals("cond", "the predicate", [pred], tree.structure(0))
    if aval.shape:
        raise TypeError(
            f"cond: the predicate has type {aval.str_short()}, but a scalar is needed; reduce it with any or "
            "all"
        )
    if aval.dtype.kind not in "biuf":
        raise TypeError(
            f"cond: the predicate has dtype {aval.dtype.name}, but a boolean or a real number is needed; "
            "compare it with something"
        )
    if aval.dtype.kind != "b":
        pred = ne(pred, np.zeros((), aval.dtype)[()])
    if config.disable_jit and not isinstance(pred, Tracer):
        return (true_fun if pred else false_fun)(*operands)
    index = convert_element_type(pred, I32)
    return branch_on("cond", index, [false_fun, true_fun], operands, ("false_fun", "true_fun"))


def switch(
    index: Any, branches: Sequence[Callable[..., Any]], *operands: Any, operand: Any = NO_OPERAND
) -> Any:
    """``branches[index](*operands)``, decided when the program runs; an index out of range is clamped.

    Args:
      index: an integer scalar.
      branches: functions whose results have the same structure, shapes and dtypes.
      operands: pytrees of arrays.
      operand: the only operand, by name (an older form).

    Raises:
      TypeError: if ``index`` is not an integer scalar, or the branches' results differ.
      ValueError: if there are no branches.

    >>> switch(1, [jnp.sin, jnp.cos], 0.0)
    Array(1., dtype=float32, weak_type=True)
    """
    if not isinstance(branches, Iterable):
        raise TypeError(
            f"switch: branches is a {type(branches).__name__}, but a sequence of functions is needed; write [f, g]"
        )
    functions = list(branches)
    for i, function in enumerate(functions):
        if not callable(function):
            raise TypeError(
                f"switch: branches[{i}] is a {type(function).__name__}, but a function is needed; write "
                "lambda *_: ... for a constant"
            )
    operands = _operands("switch", operands, operand)
    (aval,) = input_avals("switch", "the index", [index], tree.structure(0))
    if aval.shape or aval.dtype.kind not in "iu":
        raise TypeError(
            f"switch: the index has type {aval.str_short()}, but an integer scalar is needed; convert it with "
            "astype(int), or take one element"
        )
    if not functions:
        raise ValueError("switch: the sequence of branches is empty, but at least one is needed; add one")
    if len(functions) == 1:
        return functions[0](*operands)
    index = convert_element_type(index, I32)
    index = clamp(np.int32(0), index, np.int32(len(functions) - 1))
    if config.disable_jit and not isinstance(index, Tracer):
        return functions[int(index)](*operands)
    return branch_on(
        "switch", index, functions, operands, tuple(f"branches[{i}]" for i in range(len(functions)))
    )


def _operands(what: str, operands: tuple[Any, ...], operand: Any) -> tuple[Any, ...]:
    if operand is NO_OPERAND:
        return operands
    if operands:
        raise TypeError(
            f"{what}: operand was given by name together with {len(operands)} positional operands, but either "
            "is needed; give all by position"
        )
    return (operand,)


def branch_on(
    what: str,
    index: Any,
    functions: Sequence[Callable[..., Any]],
    operands: tuple[Any, ...],
    names: Sequence[str],
    **params: Any,
) -> Any:
    """Trace the functions and apply that which ``index`` asks for.

    Args:
      what: the function to name in errors, and ``names`` what the functions are called there.
      params: further parameters of the equation.
    """
    leaves, structure = tree.flatten(operands)
    avals = input_avals(what, "operands", leaves, structure)
    bodies = [trace_body(f, operands, avals, what) for f in functions]
    check_body_references(what, leaves, avals, bodies)
    _check_same(what, bodies, names)
    programs, shared = share_constants(bodies)
    forwarded = _forwarded(programs)
    inputs = [*shared, *leaves]
    kept = tuple(_without(program, [i is not None for i in forwarded]) for program in programs)
    out = iter(cond_p.bind(index, *inputs, branches=kept, **params))
    results = [next(out) if i is None else as_array(inputs[i]) for i in forwarded]
    return tree.unflatten(bodies[0].out_tree, results)


def _forwarded(programs: Sequence[ClosedJaxpr]) -> list[int | None]:
    """For each result the input that it is in every branch, if it is one: then no branch need return it."""
    found = []
    for program in programs:
        place: dict[Any, int] = {v: i for i, v in enumerate(program.jaxpr.invars)}
        found.append([place.get(v) for v in program.jaxpr.outvars])
    return [each[0] if len(set(each)) == 1 else None for each in zip(*found, strict=True)]


@memoised
def _without(closed: ClosedJaxpr, dropped: Sequence[bool]) -> ClosedJaxpr:
    """The program without some of its results."""
    if not any(dropped):
        return closed
    outvars = [v for v, drop in zip(closed.jaxpr.outvars, dropped, strict=True) if not drop]
    return ClosedJaxpr(closed.jaxpr.replace(outvars=outvars), closed.consts)


def _check_same(what: str, bodies: Sequence[Body], names: Sequence[str]) -> None:
    first = bodies[0]
    for body, name in zip(bodies[1:], names[1:], strict=True):
        if body.out_tree != first.out_tree:
            difference = tree.first_difference(
                tree.unflatten(first.out_tree, first.jaxpr.out_avals),
                tree.unflatten(body.out_tree, body.jaxpr.out_avals),
            )
            at, one, other = difference or ((), str(first.out_tree), str(body.out_tree))
            raise TypeError(
                f"{what}: the branches must return the same structure, but the result{tree.keystr(at)} is {one} "
                f"in {names[0]} and {other} in {name}; return the same containers in all"
            )
        paths = leaf_paths(first.out_tree)
        wrong = [
            f"the result{path} is {a.str_short()} in {names[0]} and {b.str_short()} in {name}"
            for path, a, b in zip(paths, first.jaxpr.out_avals, body.jaxpr.out_avals, strict=True)
            if a.shape != b.shape or a.dtype != b.dtype
        ]
        if wrong:
            raise TypeError(
                f"{what}: the branches must return the same types, but {'; '.join(wrong)}; convert or reshape in "
                "one of them"
            )
