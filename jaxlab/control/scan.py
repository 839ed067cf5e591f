"""``scan`` and ``map``: a loop over the leading axis that carries a state and stacks what each step gives."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from jaxlab import tree
from jaxlab.control.bodies import check_carry, promote_carry, share_constants, split_by, trace_body
from jaxlab.control.scan_primitive import scan_p
from jaxlab.core.aval import aval_of
from jaxlab.core.jaxpr import ClosedJaxpr, DebugInfo, Var
from jaxlab.core.memo import memoised
from jaxlab.core.trace import Tracer, current
from jaxlab.interpreters.batching import slice_aval
from jaxlab.runtime.transfer import put


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

    Raises:
      TypeError: if the carry changes its type, or ``f`` does not return a pair.
      ValueError: if the leading axes differ, or neither ``xs`` nor ``length`` is given.

    >>> scan(lambda total, x: (total + x, total), 0.0, jnp.arange(3.0))
    (Array(3., dtype=float32), Array([0., 0., 1.], dtype=float32, weak_type=True))
    """
    if not callable(f):
        raise TypeError(f"scan: f must be a function, but it is a {type(f).__name__}")
    stacked, xs_tree = tree.flatten(xs)
    steps = _length(stacked, xs, length)
    leaves, carry_tree = tree.flatten(init)
    slices = [slice_aval(aval_of(x), 0) for x in stacked]
    # One promotion may entail another, where one carry is computed from another; dtypes only ever go up.
    while True:
        example = (tree.unflatten(carry_tree, leaves), tree.unflatten(xs_tree, slices))
        body = trace_body(f, example, [*[aval_of(x) for x in leaves], *slices], "scan")
        carry_out_tree, ys_tree = _pair(body.out_tree)
        count = carry_out_tree.num_leaves
        outs = body.jaxpr.out_avals[:count]
        leaves, changed = promote_carry("scan", leaves, carry_tree, outs, carry_out_tree)
        if not changed:
            break
    check_carry("scan", leaves, carry_tree, outs)
    if not isinstance(unroll, bool) and operator.index(unroll) < 1:
        raise ValueError(f"scan: unroll is {unroll}, but it must be at least 1")
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
            unroll=(max(steps, 1) if unroll else 1) if isinstance(unroll, bool) else operator.index(unroll),
        )
    )
    # What was only passed on may still be a number, or NumPy's; while a program is recorded it may stay that.
    carry = [
        next(out) if not is_fixed else x if current.trace.staging else as_array(x)
        for x, is_fixed in zip(leaves, fixed, strict=True)
    ]
    ys = [next(out) if i is None else as_array(stacked[i]) for i in given]
    return tree.unflatten(carry_out_tree, carry), tree.unflatten(ys_tree, ys)


def as_array(x: Any) -> Any:
    """``x`` as an array; what stands for one stays."""
    return x if isinstance(x, Tracer) else put(x)


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


def _pair(out_tree: Any) -> tuple[Any, Any]:
    children = out_tree.children()
    if out_tree.node_data() is None or out_tree.node_data()[0] is not tuple or len(children) != 2:
        raise TypeError(
            f"scan: f must return a pair (carry, output), but it returned {out_tree}; return None for no "
            "output"
        )
    return children[0], children[1]


def _length(stacked: Sequence[Any], xs: Any, given: int | None) -> int:
    sizes = []
    for (path, _), x in zip(tree.leaves_with_path(xs), stacked, strict=True):
        shape = aval_of(x).shape
        if not shape:
            raise ValueError(
                f"scan: xs{tree.keystr(path)} is a scalar, but scan goes over the leading axis of arrays"
            )
        sizes.append((tree.keystr(path), shape[0]))
    if given is not None:
        given = operator.index(given)
        for where, size in sizes:
            if size != given:
                raise ValueError(f"scan: length is {given}, but xs{where} has a leading axis of size {size}")
        return given
    if not sizes:
        raise ValueError("scan: with no xs the number of steps is not known; give length")
    for where, size in sizes:
        if size != sizes[0][1]:
            raise ValueError(
                f"scan: the leading axes must have one size, but xs{sizes[0][0]} has {sizes[0][1]} and "
                f"xs{where} has {size}"
            )
    return sizes[0][1]


def map(f: Callable[[Any], Any], xs: Any, *, batch_size: int | None = None) -> Any:
    """``f`` on each slice along the leading axis, one after another, stacked.

    >>> map(lambda x: x * x, jnp.arange(3.0))
    Array([0., 1., 4.], dtype=float32)
    """
    if batch_size is not None:
        raise ValueError("map: batch_size is not supported here; use vmap over blocks")
    _, ys = scan(_Mapped(f), (), xs)
    return ys


@dataclass(frozen=True, slots=True)
class _Mapped:
    """A step that carries nothing; equal to others of the same function, so that it is traced once."""

    func: Callable[[Any], Any]

    def __call__(self, _: Any, x: Any) -> tuple[tuple[()], Any]:
        return (), self.func(x)
