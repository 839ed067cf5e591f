"""Tracing the functions of `jit`: once for given types, remembered as long as the function lives."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from jaxlab import lazy, tree
from jaxlab.caching import OwnedCache
from jaxlab.config import config
from jaxlab.core.aval import ShapedArray, aval_of, is_array_like
from jaxlab.core.axes import trace_key
from jaxlab.core.jaxpr import ClosedJaxpr, DebugInfo
from jaxlab.core.refs import check_references, is_ref
from jaxlab.core.trace import Tracer
from jaxlab.interpreters.functions import FlatFunction, argument_paths, function_name
from jaxlab.interpreters.staging import close, references_as_inputs, stage
from jaxlab.transforms.jit_options import UNSPECIFIED, JitOptions

if TYPE_CHECKING:
    from jaxlab.interpreters import misses
    from jaxlab.runtime import references
else:  # only where a miss is to be explained, and where there are references
    misses = lazy.module("jaxlab.interpreters.misses")
    references = lazy.module("jaxlab.runtime.references")

# How often a function was traced, and at which types: the reason of a miss is told by comparing with these.
traces = OwnedCache("traces", maxsize=4096)


class TracedProgram:
    """A function traced at given types.

    Attributes:
      jaxpr: the closed jaxpr; tracers that the function closes over are its leading inputs.
      lifted: those tracers.
      takes_references, holds_references: whether some inputs, or constants, are references.
      out_tree: the structure of the result.
      seconds: what tracing took.
    """

    __slots__ = ("holds_references", "jaxpr", "lifted", "out_tree", "seconds", "takes_references")

    def __init__(self, jaxpr: ClosedJaxpr, lifted: list[Any], out_tree: Any, seconds: float) -> None:
        self.jaxpr = jaxpr
        self.lifted = lifted
        self.out_tree = out_tree
        self.seconds = seconds
        self.takes_references = any(map(is_ref, jaxpr.in_avals))
        self.holds_references = any(is_ref(v.aval) for v in jaxpr.jaxpr.constvars)


class Call:
    """A call of a jitted function, traced: what to run and on what."""

    __slots__ = ("avals", "in_tree", "leaves", "params", "traced", "traced_inside")

    def __init__(
        self,
        leaves: list[Any],
        in_tree: Any,
        avals: tuple[ShapedArray, ...],
        traced: TracedProgram,
        params: dict[str, Any],
    ) -> None:
        self.leaves = leaves
        self.in_tree = in_tree
        self.avals = avals
        self.traced = traced
        self.params = params
        self.traced_inside = bool(traced.lifted) or any(isinstance(x, Tracer) for x in leaves)

    def placed(self) -> list[Any]:
        """The arguments, with the arrays in place of references."""
        return references.values(self.leaves) if self.traced.takes_references else self.leaves

    def operands(self) -> tuple[list[Any], dict[str, Any]]:
        """The operands and the parameters of the application as an equation: references are operands, too."""
        params = self.params
        refs: list[Any] = []
        if self.traced.holds_references:
            jaxpr, refs = references_as_inputs(params["jaxpr"])
            params = {**params, "jaxpr": jaxpr}
            for name, value in (("donated_invars", False), ("in_shardings", UNSPECIFIED)):
                if params.get(name):
                    params[name] = (*params[name], *[value] * len(refs))
        return [*self.traced.lifted, *self.leaves, *refs], params


def prepare(
    fun: Callable[..., Any], options: JitOptions, args: Sequence[Any], kwargs: dict[str, Any]
) -> Call:
    """Trace ``fun`` at the types of these arguments, unless that was done before."""
    static_names = options.static_names
    static_numbers: set[int] = set()
    if options.static_numbers or static_names:
        static_numbers = options.numbers(options.static_numbers, args)
        by_number = {i: args[i] for i in sorted(static_numbers) if 0 <= i < len(args)}
        by_name = {name: kwargs[name] for name in static_names if name in kwargs}
        # 1, 1.0 and True are equal, but not the same program.
        statics: tuple[Any, ...] = tuple(
            (place, type(value), value) for place, value in (*by_number.items(), *by_name.items())
        )
        dynamic = tuple([x for i, x in enumerate(args) if i not in static_numbers])
        dynamic_kwargs = {name: x for name, x in kwargs.items() if name not in static_names}
        bound = _bind_static(fun, len(args), by_number, by_name)
    else:
        statics, dynamic, dynamic_kwargs, bound = (), tuple(args), kwargs, fun
    leaves, in_tree = tree.flatten((dynamic, dynamic_kwargs))
    described = (fun, args, kwargs, tuple(static_numbers), static_names)
    try:
        avals = tuple([aval_of(x) for x in leaves])
    except TypeError:
        _explain_argument(leaves, described)
        raise
    key = (statics, in_tree, avals, trace_key())
    try:
        traced: TracedProgram | None = traces.get(fun, key)
    except TypeError:
        error = unhashable_error(fun, [(place, value) for place, _, value in statics])
        if error is None:
            raise
        raise error from None
    if traced is None:
        if any(map(is_ref, avals)):
            check_references(options.params["name"], leaves, avals, (), lambda: argument_paths(*described))
        debug = DebugInfo(options.params["name"], argument_paths(*described))
        traced = _trace_anew(fun, key, bound, debug)
    if traced.takes_references:
        closed_over = [*traced.lifted, *traced.jaxpr.consts]
        check_references(
            options.params["name"], leaves, avals, closed_over, lambda: argument_paths(*described)
        )
    params = {"jaxpr": traced.jaxpr, **options.params}
    donated = options.donated(args, kwargs)
    lifted = len(traced.lifted)
    if any(donated):
        params["donated_invars"] = (False,) * lifted + donated
    if options.device is not None:
        given = options.input_shardings(dynamic, dynamic_kwargs)
        if given:
            params["in_shardings"] = (UNSPECIFIED,) * lifted + given
        given = options.output_shardings(traced.out_tree, traced.jaxpr.out_avals)
        if given:
            params["out_shardings"] = given
    return Call(leaves, in_tree, avals, traced, params)


def _trace_anew(
    fun: Callable[..., Any], key: tuple[Any, ...], bound: Callable[..., Any], debug: DebugInfo
) -> TracedProgram:
    """Trace ``bound``, which is ``fun`` with its static arguments, and remember it under ``key``.

    Raises:
      RuntimeError: if the option no_tracing is on.
    """
    if config.explain_cache_misses:
        misses.log_miss(fun, key, traces.keys(fun), debug.arg_names)
    if config.no_tracing:
        why = misses.reason(fun, key, traces.keys(fun), debug.arg_names)
        raise RuntimeError(
            f"{debug.name}: it would be traced anew ({why}), "
            "but no_tracing is on; call it once with such arguments before, or turn the option off"
        )
    _, in_tree, avals, _ = key
    traced = trace_function(bound, in_tree, avals, debug)
    if not traced.lifted:
        traces.put(fun, key, traced)
    return traced


def trace_function(
    fun: Callable[..., Any], in_tree: Any, avals: Sequence[ShapedArray], debug: DebugInfo
) -> TracedProgram:
    """Trace ``fun(*args, **kwargs)`` at the types of the leaves of ``(args, kwargs)``."""
    flat = FlatFunction(fun, in_tree)
    start = time.perf_counter()

    def checked(*leaves: Any) -> list[Any]:
        outputs = flat(*leaves)
        for i, x in enumerate(outputs):
            if not is_array_like(x) and not hasattr(x, "__jax_array__"):
                path = tree.keystr(tree.leaves_with_path(tree.unflatten(flat.out_tree, outputs))[i][0])
                raise TypeError(
                    f"{debug.name}: the result{path} is of type {type(x).__name__}, but a traced function returns "
                    "arrays, numbers and pytrees of those; return the rest by another way"
                )
        return outputs

    jaxpr, consts = stage(checked, avals, debug)
    closed, lifted = close(jaxpr, consts)
    return TracedProgram(closed, lifted, flat.out_tree, time.perf_counter() - start)


def _bind_static(
    fun: Callable[..., Any], count: int, by_number: dict[int, Any], by_name: dict[str, Any]
) -> Callable[..., Any]:
    """``fun`` with its static arguments filled in."""

    def bound(*args: Any, **kwargs: Any) -> Any:
        given = iter(args)
        return fun(
            *[by_number[i] if i in by_number else next(given) for i in range(count)], **kwargs, **by_name
        )

    return bound


def _explain_argument(
    leaves: Sequence[Any], call: tuple[Any, Sequence[Any], dict[str, Any], tuple[int, ...], tuple[str, ...]]
) -> None:
    """Raise TypeError that names the first leaf of the arguments which is no array."""
    for i, x in enumerate(leaves):
        try:
            aval_of(x)
        except TypeError:
            raise TypeError(
                f"{function_name(call[0])}: the argument {argument_paths(*call)[i]} is of type {type(x).__name__}, "
                "but a traced function takes arrays, numbers and pytrees of those; pass it as a static argument "
                "(static_argnames) or convert it"
            ) from None


def unhashable_error(fun: Callable[..., Any], statics: Iterable[tuple[Any, Any]]) -> ValueError | None:
    """The error for the first static argument that cannot be a cache key; None if all can be.

    Args:
      statics: the number or the name of each, and its value.
    """
    for place, value in statics:
        try:
            hash(value)
        except TypeError:
            if isinstance(value, Tracer):
                return ValueError(
                    f"{function_name(fun)}: the static argument {place!r} is a traced {value.aval.str_short()}, "
                    "but static arguments are part of the cache key, and the value is not known while "
                    "tracing; pass a Python value, or let the argument be traced"
                )
            return ValueError(
                f"{function_name(fun)}: the static argument {place!r} is of type {type(value).__name__}, which is "
                "not hashable, but static arguments are part of the cache key; pass a tuple or another "
                "hashable value"
            )
    return None
