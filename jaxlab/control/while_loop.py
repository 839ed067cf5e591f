"""``while_loop``: a loop as long as a condition holds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from jaxlab import tree
from jaxlab.config import config
from jaxlab.control.bodies import (
    Body,
    as_array,
    check_carry,
    input_avals,
    promote_carry,
    share_constants,
    split_by,
    trace_body,
)
from jaxlab.control.while_primitive import while_p
from jaxlab.core.aval import aval_of
from jaxlab.core.jaxpr import ClosedJaxpr, DebugInfo, inputs_read
from jaxlab.core.memo import memoised
from jaxlab.core.trace import current
from jaxlab.errors import ConcretizationTypeError


def while_loop(cond_fun: Callable[[Any], Any], body_fun: Callable[[Any], Any], init_val: Any) -> Any:
    """``val = init_val; while cond_fun(val): val = body_fun(val)``, as one operation of the program.

    Args:
      cond_fun: from the carry to a boolean scalar.
      body_fun: from the carry to the next one, of the same structure, shapes and dtypes.
      init_val: the first carry, a pytree of arrays.

    Returns:
      The first carry for which the condition does not hold.

    Raises:
      TypeError: if the condition is not a boolean scalar, or the carry changes its type.

    Forward-mode derivatives work; reverse mode would need an unknown amount of memory: use `scan`. Where `vmap`
    maps the condition, all slices go on until the last one is done. With ``disable_jit`` it is the ``while`` of
    Python.

    >>> while_loop(lambda x: x < 100, lambda x: 2 * x, 3)
    Array(192, dtype=int32, weak_type=True)
    """
    for name, function in (("cond_fun", cond_fun), ("body_fun", body_fun)):
        if not callable(function):
            raise TypeError(
                f"while_loop: {name} is a {type(function).__name__}, but a function of the carry is needed"
            )
    leaves, carry_tree = tree.flatten(init_val)
    if config.disable_jit:
        try:
            return _in_python(cond_fun, body_fun, init_val)
        except ConcretizationTypeError:
            pass  # the condition depends on a value that is traced: it is an operation of the program after all
    input_avals("while_loop", "init_val", leaves, carry_tree)
    # One promotion may entail another, where one carry is computed from another; dtypes only ever go up.
    while True:
        avals = [aval_of(x) for x in leaves]
        example = (tree.unflatten(carry_tree, leaves),)
        body = trace_body(body_fun, example, avals, "while_loop")
        leaves, changed = promote_carry("while_loop", leaves, carry_tree, body.jaxpr.out_avals, body.out_tree)
        if not changed:
            break
    check_carry("while_loop", leaves, carry_tree, body.jaxpr.out_avals)
    test = trace_body(cond_fun, example, avals, "while_loop")
    _check_condition(test)
    (test_jaxpr,), test_consts = share_constants([test])
    (body_jaxpr,), body_consts = share_constants([body])
    fixed = _unchanged(body_jaxpr, len(body_consts), _read_by(test_jaxpr, len(test_consts)))
    moved = [x for x, is_fixed in zip(leaves, fixed, strict=True) if is_fixed]
    carried = [x for x, is_fixed in zip(leaves, fixed, strict=True) if not is_fixed]
    if moved:
        test_jaxpr = _of_fewer(test_jaxpr, len(test_consts), fixed)
        body_jaxpr = _of_constants(body_jaxpr, len(body_consts), fixed)
    out = iter(
        while_p.bind(
            *test_consts,
            *moved,
            *body_consts,
            *carried,
            cond_jaxpr=test_jaxpr,
            cond_nconsts=len(test_consts),
            body_jaxpr=body_jaxpr,
            body_nconsts=len(moved) + len(body_consts),
        )
    )
    results = [
        next(out) if not is_fixed else x if current.trace.staging else as_array(x)
        for x, is_fixed in zip(leaves, fixed, strict=True)
    ]
    return tree.unflatten(body.out_tree, results)


def _in_python(cond_fun: Callable[[Any], Any], body_fun: Callable[[Any], Any], init_val: Any) -> Any:
    value = tree.map(as_array, init_val)
    while cond_fun(value):
        value = tree.map(as_array, body_fun(value))
    return value


def _check_condition(test: Body) -> None:
    result = test.jaxpr.out_avals
    if (
        len(result) == 1
        and not result[0].shape
        and result[0].dtype == np.bool_
        and test.out_tree.num_nodes == 1
    ):
        return
    shown = "nothing"
    if result:
        shown = ", ".join(aval.str_short() for aval in result)
    if test.out_tree.num_nodes > 1:
        shown += f" in {test.out_tree}"
    raise TypeError(
        f"while_loop: cond_fun must return a boolean scalar, but it returned {shown}; compare, or reduce with any "
        "or all"
    )


def _read_by(test: ClosedJaxpr, num_consts: int) -> list[bool]:
    read = inputs_read(test.jaxpr)
    return [v in read for v in test.jaxpr.invars[num_consts:]]


@memoised
def _unchanged(body: ClosedJaxpr, num_consts: int, read: Sequence[bool]) -> list[bool]:
    """The carries that no step changes and the condition does not read: they need not be carried.

    Where the condition is mapped, all that is carried has to be copied for each slice.
    """
    carry = body.jaxpr.invars[num_consts:]
    return [
        new is old and not by_test for new, old, by_test in zip(body.jaxpr.outvars, carry, read, strict=True)
    ]


@memoised
def _of_fewer(test: ClosedJaxpr, num_consts: int, fixed: Sequence[bool]) -> ClosedJaxpr:
    """The condition without the carries that are constants of the body now."""
    consts, carry = split_by(test.jaxpr.invars, num_consts)
    kept = [v for v, is_fixed in zip(carry, fixed, strict=True) if not is_fixed]
    jaxpr = test.jaxpr.replace(invars=[*consts, *kept], debug=DebugInfo(test.jaxpr.debug.name))
    return ClosedJaxpr(jaxpr, test.consts)


@memoised
def _of_constants(body: ClosedJaxpr, num_consts: int, fixed: Sequence[bool]) -> ClosedJaxpr:
    """The body with the fixed carries as leading constants."""
    jaxpr = body.jaxpr
    consts, carry = split_by(jaxpr.invars, num_consts)
    moved = [v for v, is_fixed in zip(carry, fixed, strict=True) if is_fixed]
    kept = [v for v, is_fixed in zip(carry, fixed, strict=True) if not is_fixed]
    outvars = [v for v, is_fixed in zip(jaxpr.outvars, fixed, strict=True) if not is_fixed]
    jaxpr = jaxpr.replace(invars=[*moved, *consts, *kept], outvars=outvars, debug=DebugInfo(jaxpr.debug.name))
    return ClosedJaxpr(jaxpr, body.consts)
