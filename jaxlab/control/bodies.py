"""Tracing the functions that control flow takes: everything they close over becomes a leading operand."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from jaxlab import dtypes, tree
from jaxlab.caching import OwnedCache
from jaxlab.core.aval import ShapedArray, aval_of, is_array_like
from jaxlab.core.axes import trace_key
from jaxlab.core.jaxpr import ClosedJaxpr, DebugInfo, Jaxpr, Var
from jaxlab.core.memo import memoised
from jaxlab.core.refs import check_references, is_ref
from jaxlab.core.trace import Tracer
from jaxlab.interpreters.functions import FlatFunction, argument_paths, function_name
from jaxlab.interpreters.staging import stage
from jaxlab.primitives.conversion import convert_element_type
from jaxlab.runtime.transfer import put

_bodies = OwnedCache("control flow bodies", maxsize=1024)


class Body:
    """A traced function: a jaxpr without constants, the values closed over, the structure of the result."""

    __slots__ = ("consts", "jaxpr", "out_tree")

    def __init__(self, jaxpr: ClosedJaxpr, consts: list[Any], out_tree: Any) -> None:
        self.jaxpr = jaxpr
        self.consts = consts
        self.out_tree = out_tree


@dataclass(frozen=True, slots=True, weakref_slot=True)
class MadeOf:
    """A function made anew at each call from one of the user's; it is remembered as a part of that one."""

    func: Callable[..., Any]


def trace_body(
    fun: Callable[..., Any],
    example: tuple[Any, ...],
    avals: Sequence[ShapedArray],
    what: str,
    *,
    remember: bool = True,
) -> Body:
    """Trace ``fun(*example)`` with its leaves at the given types, unless that was done before.

    With ``remember`` off it is traced anew, for functions that are themselves made anew for each call.

    Raises:
      TypeError: if ``fun`` is no function, or returns something that is no array.
    """
    if not callable(fun):
        raise TypeError(f"{what}: expected a function, but got a {type(fun).__name__}")
    in_tree = tree.structure((example, {}))
    owner = fun
    made: list[type] = []
    while isinstance(owner, MadeOf):
        made.append(type(owner))
        owner = owner.func
    key = (tuple(made), in_tree, tuple(avals), trace_key())
    if remember:
        try:
            known: Body | None = _bodies.get(owner, key)
        except TypeError:  # an unhashable callable is traced anew
            remember, known = False, None
        if known is not None:
            return known
    flat = FlatFunction(fun, in_tree)
    name = function_name(fun)

    def checked(*leaves: Any) -> list[Any]:
        outputs = flat(*leaves)
        for x in outputs:
            if not is_array_like(x):
                raise TypeError(
                    f"{what}: {name} returned a {type(x).__name__}, but only arrays and numbers can be "
                    "returned"
                )
        return outputs

    jaxpr, consts = stage(checked, avals, DebugInfo(name, argument_paths(fun, example, {})))
    opened = jaxpr.replace(constvars=[], invars=jaxpr.constvars + jaxpr.invars)
    body = Body(ClosedJaxpr(opened), consts, flat.out_tree)
    if remember and not any(isinstance(x, Tracer) for x in consts):
        _bodies.put(owner, key, body)
    return body


def check_body_references(
    what: str, operands: Sequence[Any], avals: Sequence[ShapedArray], bodies: Sequence[Body]
) -> None:
    """Raise ValueError if a reference is given twice to functions that share operands, or given and closed over."""
    if any(map(is_ref, avals)):
        closed_over = [x for body in bodies for x in body.consts]
        names = bodies[0].jaxpr.jaxpr.debug.arg_names
        check_references(what, operands, avals, closed_over, lambda: names)


def share_constants(bodies: Sequence[Body]) -> tuple[list[ClosedJaxpr], list[Any]]:
    """Programs of the same operands: each takes the constants of all, once each."""
    places: dict[int, int] = {}
    shared: list[Any] = []
    for body in bodies:
        for x in body.consts:
            if id(x) not in places:
                places[id(x)] = len(shared)
                shared.append(x)
    avals = [aval_of(x) for x in shared]
    programs = [with_operands(body.jaxpr, [places[id(x)] for x in body.consts], avals) for body in bodies]
    return programs, shared


@memoised
def with_operands(closed: ClosedJaxpr, places: Sequence[int], avals: Sequence[ShapedArray]) -> ClosedJaxpr:
    """The program with leading operands of these types; those at ``places`` are its own first ones."""
    jaxpr = closed.jaxpr
    leading = [Var(aval) for aval in avals]
    for place, var in zip(places, jaxpr.invars, strict=False):
        leading[place] = var
    return ClosedJaxpr(jaxpr.replace(invars=leading + jaxpr.invars[len(places) :]), closed.consts)


def promote_carry(
    what: str, carry: list[Any], carry_tree: Any, out_avals: Sequence[ShapedArray], out_tree: Any
) -> tuple[list[Any], bool]:
    """The initial carry with weakly typed leaves promoted to what the body returns, and whether any changed.

    Raises:
      TypeError: if the body's carry differs from the initial one in structure, shape or dtype.
    """
    if out_tree != carry_tree:
        differences = list(
            tree.differences(
                tree.unflatten(carry_tree, [aval_of(x) for x in carry]),
                tree.unflatten(out_tree, list(out_avals)),
            )
        )
        if not differences and len(out_avals) == len(carry):
            # Equal but for what their nodes keep apart from their children: an old and a new name, perhaps.
            differences = [((), str(carry_tree), str(out_tree))]
        told = "; ".join(f"carry{tree.keystr(path)} is {a} and became {b}" for path, a, b in differences)
        raise TypeError(
            f"{what}: the body must return a carry of the structure of the initial one, but {told}; return the "
            "same containers"
        )
    changed = False
    promoted = []
    for x, out in zip(carry, out_avals, strict=True):
        aval = aval_of(x)
        if aval.weak_type and aval.dtype != out.dtype:
            dtype = dtypes.promote_pair(aval.dtype, True, out.dtype, out.weak_type)[0]
            x = convert_element_type(x, dtype)
            changed = True
        promoted.append(x)
    return promoted, changed


def check_carry(what: str, carry: Sequence[Any], carry_tree: Any, out_avals: Sequence[ShapedArray]) -> None:
    """Raise TypeError, naming each leaf, unless the body returns a carry of the types it gets."""
    pairs = [(aval_of(x), out) for x, out in zip(carry, out_avals, strict=True)]
    differ = [aval.shape != out.shape or aval.dtype != out.dtype for aval, out in pairs]
    if not any(differ):
        return
    wrong = [
        f"carry{path} is {aval.str_short()} and became {out.str_short()}"
        + ("" if aval.shape == out.shape else ", of another shape")
        for path, (aval, out), is_wrong in zip(leaf_paths(carry_tree), pairs, differ, strict=True)
        if is_wrong
    ]
    raise TypeError(
        f"{what}: the body must return a carry of the types of the initial one, but {'; '.join(wrong)}; "
        "convert or reshape in the body, or start from values of those types"
    )


@memoised
def reorder(
    closed: ClosedJaxpr, inputs: Sequence[int] | None, outputs: Sequence[int] | None = None
) -> ClosedJaxpr:
    """The program with its inputs and outputs taken in another order (outputs may be dropped)."""
    jaxpr: Jaxpr = closed.jaxpr
    invars = jaxpr.invars if inputs is None else [jaxpr.invars[i] for i in inputs]
    outvars = jaxpr.outvars if outputs is None else [jaxpr.outvars[i] for i in outputs]
    return ClosedJaxpr(
        jaxpr.replace(invars=invars, outvars=outvars, debug=DebugInfo(jaxpr.debug.name)), closed.consts
    )


def leaf_paths(structure: Any) -> list[str]:
    """For each leaf of a structure how to reach it, as one would write it after the name of the tree."""
    return [
        tree.keystr(path)
        for path, _ in tree.leaves_with_path(tree.unflatten(structure, range(structure.num_leaves)))
    ]


def input_avals(what: str, name: str, leaves: Sequence[Any], structure: Any) -> list[ShapedArray]:
    """The types of the leaves of an argument.

    Raises:
      TypeError: for what is no array, with its place in the argument ``name`` of ``what``.
    """
    try:
        return [aval_of(x) for x in leaves]
    except TypeError:
        for path, x in zip(leaf_paths(structure), leaves, strict=True):
            if not is_array_like(x) and not hasattr(x, "__jax_array__"):
                raise TypeError(
                    f"{what}: {name}{path} is a {type(x).__name__}, but an array or a number is needed; close over "
                    "what is none"
                ) from None
        raise


def whole_number(what: str, name: str, value: Any, remedy: str) -> int:
    """The option ``name`` of ``what`` as an integer; TypeError if it is none."""
    try:
        return operator.index(value)
    except TypeError:
        raise TypeError(f"{what}: {name} is {value!r}, but an integer is needed; {remedy}") from None


def check_function(what: str, name: str, value: Any) -> None:
    """Raise TypeError unless the argument ``name`` of ``what`` is a function."""
    if not callable(value):
        raise TypeError(f"{what}: {name} is a {type(value).__name__}, but a function is needed; pass one")


def as_array(x: Any) -> Any:
    """``x`` as an array; what stands for one stays."""
    return x if isinstance(x, Tracer) else put(x)


def fixpoint(start: Sequence[bool], step: Callable[[list[bool]], Sequence[bool]]) -> list[bool]:
    """The least set of carry flags that contains ``start`` and is kept by ``step``."""
    flags = list(start)
    while True:
        after = [a or b for a, b in zip(flags, step(flags), strict=True)]
        if after == flags:
            return flags
        flags = after


def refuse_io(what: str, programs: Sequence[ClosedJaxpr]) -> None:
    """Raise where a program would do input or output for slices that do not ask for it.

    Raises:
      NotImplementedError: if one of ``programs`` calls `io_callback`.
    """
    if any(effect.name in ("IO", "OrderedIO") for program in programs for effect in program.effects):
        raise NotImplementedError(
            f"{what}: a function that calls io_callback was given, with a condition that vmap maps, but then "
            "it would be called for every slice, asked for or not; map with lax.map instead of vmap"
        )


def split_by(items: Sequence[Any], *sizes: int) -> list[list[Any]]:
    """Consecutive parts of a sequence; the last takes the rest."""
    parts = []
    start = 0
    for size in sizes:
        parts.append(list(items[start : start + size]))
        start += size
    parts.append(list(items[start:]))
    return parts
