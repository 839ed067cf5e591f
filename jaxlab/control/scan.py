"""``scan``: a loop over the leading axis that carries a state and stacks what each step gives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from jaxlab import tree
from jaxlab.config import config
from jaxlab.control.bodies import (
    as_array,
    check_body_references,
    check_carry,
    input_avals,
    leaf_paths,
    promote_carry,
    share_constants,
    split_by,
    trace_body,
    whole_number,
)
from jaxlab.control.scan_primitive import scan_p
from jaxlab.core.aval import ShapedArray, aval_of
from jaxlab.core.jaxpr import ClosedJaxpr, DebugInfo, Var
from jaxlab.core.memo import memoised
from jaxlab.core.trace import Tracer, current
from jaxlab.errors import ConcretizationTypeError
from jaxlab.interpreters.batching import slice_aval
from jaxlab.primitives.broadcasting import expand_dims
from jaxlab.primitives.concatenation import concatenate
from jaxlab.primitives.slicing import index_in_dim


def scan(
    f: Callable[[Any, Any], tuple[Any, Any]],
    init: Any,
    xs: Any = None,
    length: int | None = None,
    reverse: bool = False,
    unroll: int | bool = 1,
    _split_transpose: bool = False,
) -> tuple[Any, Any]:
    """``carry = init; for x in xs: carry, y = f(carry, x)``; the last carry and the stack of the ``y``.

    Args:
      f: from carry and slice to the next carry, of the same types, and an output.
      init: the first carry, a pytree of arrays.
      xs: a pytree of arrays, iterated over their leading axis; or None, with ``length``.
      length: the number of steps, where ``xs`` does not tell.
      reverse: go from the last slice to the first; outputs are stacked where their slices were.
      unroll: how many steps to write out in each iteration; True for all.

    Returns:
      The last carry, and the outputs of all steps, stacked along a new leading axis.

    Raises:
      TypeError: if the carry changes its type, or ``f`` does not return a pair.
      ValueError: if the leading axes differ, or neither ``xs`` nor ``length`` is given.

    Derivatives of both modes work: the step keeps for the way back what it needs, apart from what is the same
    in all steps, or can be read from ``xs``. With ``disable_jit`` it is the ``for`` of Python.

    >>> scan(lambda total, x: (total + x, total), 0.0, jnp.arange(3.0))
    (Array(3., dtype=float32), Array([0., 0., 1.], dtype=float32, weak_type=True))
    """
    if not callable(f):
        raise TypeError(f"scan: f is a {type(f).__name__}, but a function of carry and slice is needed")
    stacked, xs_tree = tree.flatten(xs)
    x_avals = input_avals("scan", "xs", stacked, xs_tree)
    steps = _length(x_avals, xs_tree, length)
    if config.disable_jit:
        return _in_python(f, init, stacked, xs_tree, steps, reverse)
    leaves, carry_tree = tree.flatten(init)
    input_avals("scan", "init", leaves, carry_tree)
    slices = [slice_aval(aval, 0) for aval in x_avals]
    # One promotion may entail another, where one carry is computed from another; dtypes only ever go up.
    while True:
        example = (tree.unflatten(carry_tree, leaves), tree.unflatten(xs_tree, slices))
        body = trace_body(f, example, [*[aval_of(x) for x in leaves], *slices], "scan")
        carry_out_tree, ys_tree, is_list = _pair(body.out_tree)
        count = carry_out_tree.num_leaves
        outs = body.jaxpr.out_avals[:count]
        leaves, changed = promote_carry("scan", leaves, carry_tree, outs, carry_out_tree)
        if not changed:
            break
    check_body_references("scan", [*leaves, *stacked], [*map(aval_of, leaves), *x_avals], [body])
    check_carry("scan", leaves, carry_tree, outs)
    (jaxpr,), consts = share_constants([body])
    jaxpr, fixed, given = _passed_on(jaxpr, len(consts), count)
    moved = [x for x, is_fixed in zip(leaves, fixed, strict=True) if is_fixed]
    carried = [x for x, is_fixed in zip(leaves, fixed, strict=True) if not is_fixed]
    out = iter(
        scan_p.bind(
            *moved,
            *consts,
            *carried,
            *stacked,
            jaxpr=jaxpr,
            length=steps,
            reverse=reverse,
            num_consts=len(moved) + len(consts),
            num_carry=len(carried),
            unroll=_steps_at_once(unroll, steps),
        )
    )
    # What was only passed on may still be a number, or NumPy's; while a program is recorded it may stay that.
    carry = [
        next(out) if not is_fixed else x if current.trace.staging else as_array(x)
        for x, is_fixed in zip(leaves, fixed, strict=True)
    ]
    ys = [next(out) if i is None else as_array(stacked[i]) for i in given]
    pair = tree.unflatten(carry_out_tree, carry), tree.unflatten(ys_tree, ys)
    return list(pair) if is_list else pair  # type: ignore[return-value]


@memoised
def _passed_on(
    closed: ClosedJaxpr, num_consts: int, num_carry: int
) -> tuple[ClosedJaxpr, list[bool], list[int | None]]:
    """The step without what it only hands on.

    Carries that no step changes become leading constants, as the second result tells; outputs that are
    slices of an input are left out, and the third tells which input each is.
    """
    jaxpr = closed.jaxpr
    consts, carry, xs = split_by(jaxpr.invars, num_consts, num_carry)
    carry_out, ys = split_by(jaxpr.outvars, num_carry)
    fixed = [new is old for new, old in zip(carry_out, carry, strict=True)]
    place = {v: i for i, v in enumerate(xs)}
    given = [place.get(y) if type(y) is Var else None for y in ys]
    if not any(fixed) and all(i is None for i in given):
        return closed, fixed, given
    moved = [v for v, is_fixed in zip(carry, fixed, strict=True) if is_fixed]
    carry = [v for v, is_fixed in zip(carry, fixed, strict=True) if not is_fixed]
    carry_out = [v for v, is_fixed in zip(carry_out, fixed, strict=True) if not is_fixed]
    ys = [y for y, i in zip(ys, given, strict=True) if i is None]
    step = jaxpr.replace(
        invars=[*moved, *consts, *carry, *xs], outvars=[*carry_out, *ys], debug=DebugInfo(jaxpr.debug.name)
    )
    return ClosedJaxpr(step, closed.consts), fixed, given


def _in_python(
    f: Callable[[Any, Any], tuple[Any, Any]],
    carry: Any,
    stacked: Sequence[Any],
    xs_tree: Any,
    steps: int,
    reverse: bool,
) -> tuple[Any, Any]:
    """The loop of Python, for looking into it."""
    if not steps:
        raise ValueError(
            "scan: there are no steps, and with disable_jit f is not traced, but the types of its outputs are "
            "needed; give at least one step, or leave disable_jit off"
        )
    rows: list[Any] = [None] * steps
    for i in reversed(range(steps)) if reverse else range(steps):
        x = tree.unflatten(xs_tree, [index_in_dim(x, i, keepdims=False) for x in stacked])
        carry, rows[i] = f(carry, x)
    return carry, tree.map(lambda *ys: concatenate([expand_dims(y, (0,)) for y in ys], 0), *rows)


def _pair(out_tree: Any) -> tuple[Any, Any, bool]:
    """The structures of carry and output, and whether they came in a list."""
    kind, children = (out_tree.node_data() or (None,))[0], out_tree.children()
    if kind not in (tuple, list) or len(children) != 2:
        raise TypeError(
            f"scan: f must return a pair (carry, output), but it returned {out_tree}; return None for no "
            "output"
        )
    return children[0], children[1], kind is list


def _steps_at_once(unroll: Any, steps: int) -> int:
    if isinstance(unroll, bool):
        return max(steps, 1) if unroll else 1
    count = whole_number("scan", "unroll", unroll, "give how many steps to write out, or True for all")
    if count < 0:
        raise ValueError(f"scan: unroll is {count}, but it must not be negative; give True for all steps")
    return max(count, 1)


def _length(avals: Sequence[ShapedArray], xs_tree: Any, given: Any) -> int:
    """The number of steps, which both the stacks and ``length`` may tell."""
    for i, aval in enumerate(avals):
        if not aval.shape:
            raise ValueError(
                f"scan: xs{leaf_paths(xs_tree)[i]} is {aval.str_short()}, a scalar, but scan goes over the leading "
                "axis of arrays; close over it instead"
            )
    sizes = [aval.shape[0] for aval in avals]
    if given is not None:
        if isinstance(given, Tracer):
            raise ConcretizationTypeError(given, "scan, length")
        length = int(given)
        if length < 0:
            raise ValueError(
                f"scan: length is {length}, but it must not be negative; give how many steps there are"
            )
        wrong = [
            f"xs{leaf_paths(xs_tree)[i]} has {size} slices" for i, size in enumerate(sizes) if size != length
        ]
        if wrong:
            raise ValueError(f"scan: length is {length}, but {' and '.join(wrong)}; leave length out")
        return length
    if not sizes:
        raise ValueError("scan: there are no xs, but the number of steps is needed; give length")
    if len(set(sizes)) > 1:
        each = ", ".join(f"xs{path} {size}" for path, size in zip(leaf_paths(xs_tree), sizes, strict=True))
        raise ValueError(
            f"scan: the leading axes have the sizes {each}, but all must have one; cut them to one length"
        )
    return sizes[0]
