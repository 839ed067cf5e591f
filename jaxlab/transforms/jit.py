"""``jit``: trace a function once for given types, compile it, and call the compiled program from then on."""

from __future__ import annotations

import functools
import time
import weakref
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from jaxlab import errors, lazy, tree
from jaxlab.caching import OwnedCache
from jaxlab.config import config
from jaxlab.core.aval import ShapedArray, aval_of, is_array_like
from jaxlab.core.axes import trace_key
from jaxlab.core.jaxpr import ClosedJaxpr, DebugInfo
from jaxlab.core.trace import Tracer, current
from jaxlab.interpreters.evaluation import program_for
from jaxlab.interpreters.functions import FlatFunction, argument_paths, function_name, resolve_argnums
from jaxlab.interpreters.program import Program
from jaxlab.interpreters.staging import close, stage
from jaxlab.runtime import execution
from jaxlab.runtime.array import Array
from jaxlab.runtime.backend import default_device, devices, find_device
from jaxlab.transforms import stages
from jaxlab.transforms.jit_call import jit_p

if TYPE_CHECKING:
    from jaxlab.interpreters import misses
else:  # only where a miss is to be explained
    misses = lazy.module("jaxlab.interpreters.misses")


class Traced:
    """A function traced at given types.

    Attributes:
      jaxpr: the closed jaxpr; tracers that the function closes over are its leading inputs.
      lifted: those tracers.
      out_tree: the structure of the result.
      seconds: what tracing took.
    """

    __slots__ = ("jaxpr", "lifted", "out_tree", "seconds")

    def __init__(self, jaxpr: ClosedJaxpr, lifted: list[Any], out_tree: Any, seconds: float) -> None:
        self.jaxpr = jaxpr
        self.lifted = lifted
        self.out_tree = out_tree
        self.seconds = seconds


def trace_function(
    fun: Callable[..., Any],
    in_tree: Any,
    avals: Sequence[ShapedArray],
    debug: DebugInfo,
) -> Traced:
    """Trace ``fun(*args, **kwargs)`` at the types of the leaves of ``(args, kwargs)``."""
    flat = FlatFunction(fun, in_tree)
    start = time.perf_counter()

    def checked(*leaves: Any) -> list[Any]:
        outputs = flat(*leaves)
        for i, x in enumerate(outputs):
            if not is_array_like(x) and not hasattr(x, "__jax_array__"):
                path = tree.keystr(tree.leaves_with_path(tree.unflatten(flat.out_tree, outputs))[i][0])
                raise TypeError(
                    f"{debug.name}: the result{path} is a {type(x).__name__}, but a traced function returns "
                    "arrays, numbers and pytrees of those; return the rest by another way"
                )
        return outputs

    jaxpr, consts = stage(checked, avals, debug)
    closed, lifted = close(jaxpr, consts)
    return Traced(closed, lifted, flat.out_tree, time.perf_counter() - start)


class _Signature:
    """What ``jit`` was asked for: which arguments are static, which given away, the compiler's options."""

    __slots__ = (
        "device",
        "donate_names",
        "donate_numbers",
        "options",
        "params",
        "static_names",
        "static_numbers",
    )

    def __init__(
        self,
        fun: Any,
        static: tuple[Any, Any],
        donate: tuple[Any, Any],
        device: Any,
        keep_unused: bool,
        inline: bool,
        compiler_options: dict[str, Any] | None,
    ) -> None:
        self.static_numbers, self.static_names = resolve_argnums(fun, *static)
        self.donate_numbers, self.donate_names = resolve_argnums(fun, *donate)
        both = set(self.static_numbers) & set(self.donate_numbers)
        if both:
            raise ValueError(
                f"jit: argument {min(both)} is both static and donated; an argument can be one of the two"
            )
        self.device = device
        self.params: dict[str, Any] = {
            "name": function_name(fun),
            "donated_invars": (),
            "keep_unused": keep_unused,
            "inline": inline,
            "compiler_options_kvs": tuple(sorted((compiler_options or {}).items())),
        }

    def donated(self, args: Sequence[Any], kwargs: dict[str, Any]) -> tuple[bool, ...]:
        """For each leaf of the dynamic arguments whether it is given away."""
        if not self.donate_numbers and not self.donate_names:
            return ()
        flags: list[bool] = []
        for i, x in enumerate(args):
            if i not in self.static_numbers:
                flags += [i in self.donate_numbers] * len(tree.leaves(x))
        for name, x in sorted(kwargs.items()):
            if name not in self.static_names:
                flags += [name in self.donate_names] * len(tree.leaves(x))
        return tuple(flags)


def jit(
    fun: Callable[..., Any] | None = None,
    /,
    *,
    static_argnums: int | Sequence[int] | None = None,
    static_argnames: str | Sequence[str] | None = None,
    donate_argnums: int | Sequence[int] | None = None,
    donate_argnames: str | Sequence[str] | None = None,
    keep_unused: bool = False,
    device: Any = None,
    backend: str | None = None,
    inline: bool = False,
    compiler_options: dict[str, Any] | None = None,
) -> Any:
    """Compile a function with XLA at its first call with new types; later calls run the compiled program.

    Args:
      fun: a function of pytrees of arrays, pure: its result depends on its arguments alone, and it changes
        nothing. Without it, ``jit(static_argnums=1)`` is a decorator.
      static_argnums, static_argnames: arguments that are Python values, not arrays; they must be hashable,
        and each new value is compiled for.
      donate_argnums, donate_argnames: arguments whose memory the program may reuse; the call deletes them.
      keep_unused: pass arguments to the program even if it does not use them.
      device, backend: where to run; by default where the arguments are, or the default device.
      inline: in another traced function, leave no ``jit`` equation but the equations themselves.
      compiler_options: XLA's debug options by name.

    Returns:
      A function like ``fun``, with ``trace``, ``lower``, ``eval_shape`` and ``clear_cache``.

    Raises:
      TypeError: at a call, if an argument is not an array or a pytree of arrays, or a result is not.
      ValueError: if a static argument is not hashable.

    >>> @jit
    ... def selu(x, alpha=1.67, scale=1.05):
    ...     return scale * jnp.where(x > 0, x, alpha * jnp.exp(x) - alpha)
    >>> selu(jnp.arange(3.0))
    Array([0.  , 1.05, 2.1 ], dtype=float32)
    """
    if fun is None:
        return functools.partial(
            jit,
            static_argnums=static_argnums,
            static_argnames=static_argnames,
            donate_argnums=donate_argnums,
            donate_argnames=donate_argnames,
            keep_unused=keep_unused,
            device=device,
            backend=backend,
            inline=inline,
            compiler_options=compiler_options,
        )
    if not callable(fun):
        raise TypeError(
            f"jit: expected a function, but got a {type(fun).__name__}; pass the function, not its result"
        )
    signature = _Signature(
        fun,
        (static_argnums, static_argnames),
        (donate_argnums, donate_argnames),
        _chosen_device(device, backend),
        keep_unused,
        inline,
        compiler_options,
    )
    return _make(fun, signature)


def _chosen_device(device: Any, platform: str | None) -> Any:
    if device is not None:
        return find_device(device) if isinstance(device, str) else device
    return devices(platform)[0] if platform is not None else None


# How often a function was traced, and at which types: the reason of a miss is told by comparing with these.
traces = OwnedCache("traces", maxsize=4096)


def _make(fun: Callable[..., Any], signature: _Signature) -> Any:
    inline = signature.params["inline"]

    def on_miss(*args: Any, **kwargs: Any) -> tuple[Any, Any, bool]:
        base = current.trace.parent is None
        if inline and (not base or _has_tracer(args, kwargs)):
            return fun(*args, **kwargs), None, False
        call = prepare(fun, signature, args, kwargs)
        if base and not call.traced_inside:
            params = call.params
            device, committed = signature.device, True
            if device is None:
                device, committed = execution.device_of(call.leaves, default_device(), name=params["name"])
            program = program_for(jit_p, call.avals, params, device, trace_seconds=call.traced.seconds)
            outputs = program.run(call.leaves, call.avals, committed)
            out = tree.unflatten(call.traced.out_tree, outputs)
            return out, program.fast_path(call.traced.out_tree, committed), False
        outputs = jit_p.bind(*call.traced.lifted, *call.leaves, **call.params)
        return tree.unflatten(call.traced.out_tree, outputs), None, False

    function = execution.pjit(
        signature.params["name"],
        fun,
        on_miss,
        static_argnums=signature.static_numbers,
        static_argnames=signature.static_names,
    )
    functools.update_wrapper(function, fun)
    function._on_miss = on_miss  # operators of arrays ask about their operands first
    function.trace = lambda *args, **kwargs: _trace(fun, signature, args, kwargs)
    function.lower = lambda *args, **kwargs: _trace(fun, signature, args, kwargs).lower()
    function.eval_shape = lambda *args, **kwargs: _trace(fun, signature, args, kwargs).out_info
    this = weakref.ref(function)  # a bound method of it in its own dict would never be collected

    def clear_cache() -> None:
        """Forget what was traced and compiled for this function."""
        traces.discard(fun)
        if (alive := this()) is not None:
            alive._clear_cache()

    function.clear_cache = clear_cache
    return function


def _trace(
    fun: Callable[..., Any], signature: _Signature, args: Sequence[Any], kwargs: dict[str, Any]
) -> stages.Traced:
    """The first stage of a call, ahead of time."""
    call = prepare(fun, signature, args, kwargs)
    traced, params = call.traced, call.params
    if traced.lifted:
        raise errors.UnexpectedTracerError(traced.lifted[0])

    def make() -> Program:
        device = signature.device
        if device is None:
            arrays = [x for x in call.leaves if isinstance(x, Array)]
            device, _ = execution.device_of(arrays, default_device(), name=params["name"])
        return Program(
            params["name"],
            traced.jaxpr,
            device,
            donated=params["donated_invars"],
            keep_unused=params["keep_unused"],
            trace_seconds=traced.seconds,
            options=dict(params["compiler_options_kvs"]),
        )

    return stages.Traced(traced.jaxpr, params["name"], call.in_tree, traced.out_tree, traced.seconds, make)


def _has_tracer(args: Sequence[Any], kwargs: dict[str, Any]) -> bool:
    return any(isinstance(x, Tracer) for x in tree.leaves((args, kwargs)))


class Call:
    """A call of a jitted function, traced: what to run and on what."""

    __slots__ = ("avals", "in_tree", "leaves", "params", "traced", "traced_inside")

    def __init__(
        self,
        leaves: list[Any],
        in_tree: Any,
        avals: tuple[ShapedArray, ...],
        traced: Traced,
        params: dict[str, Any],
    ) -> None:
        self.leaves = leaves
        self.in_tree = in_tree
        self.avals = avals
        self.traced = traced
        self.params = params
        self.traced_inside = bool(traced.lifted) or any(isinstance(x, Tracer) for x in leaves)


def prepare(
    fun: Callable[..., Any], signature: _Signature, args: Sequence[Any], kwargs: dict[str, Any]
) -> Call:
    """Trace ``fun`` at the types of these arguments, unless that was done before."""
    static_numbers, static_names = signature.static_numbers, signature.static_names
    if static_numbers or static_names:
        by_number = {i: args[i] for i in static_numbers if i < len(args)}
        by_name = {name: kwargs[name] for name in static_names if name in kwargs}
        # 1, 1.0 and True are equal, but not the same program.
        statics: tuple[Any, ...] = tuple(
            (place, type(value), value) for place, value in (*by_number.items(), *by_name.items())
        )
        dynamic = [x for i, x in enumerate(args) if i not in static_numbers]
        dynamic_kwargs = {name: x for name, x in kwargs.items() if name not in static_names}
        bound = _bind_static(fun, len(args), by_number, by_name)
    else:
        statics, dynamic, dynamic_kwargs, bound = (), list(args), kwargs, fun
    leaves, in_tree = tree.flatten((tuple(dynamic), dynamic_kwargs))
    described = (fun, args, kwargs, static_numbers, static_names)
    avals = tuple([_argument_aval(x, described, i) for i, x in enumerate(leaves)])
    key = (statics, in_tree, avals, trace_key())
    try:
        traced: Traced | None = traces.get(fun, key)
    except TypeError:
        _explain_unhashable(fun, statics)
        raise
    if traced is None:
        debug = DebugInfo(signature.params["name"], argument_paths(*described))
        if config.explain_cache_misses:
            misses.log_miss(fun, key, traces.keys(fun), debug.arg_names)
        if config.no_tracing:
            why = misses.reason(fun, key, traces.keys(fun), debug.arg_names)
            raise RuntimeError(
                f"{debug.name}: it would be traced anew ({why}), "
                "but no_tracing is on; call it once with such arguments before, or turn the option off"
            )
        traced = trace_function(bound, in_tree, avals, debug)
        if not traced.lifted:
            traces.put(fun, key, traced)
    donated = signature.donated(args, kwargs)
    params = {**signature.params, "jaxpr": traced.jaxpr}
    if any(donated):
        params["donated_invars"] = (False,) * len(traced.lifted) + donated
    return Call(leaves, in_tree, avals, traced, params)


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


def _argument_aval(
    x: Any, call: tuple[Any, Sequence[Any], dict[str, Any], tuple[int, ...], tuple[str, ...]], i: int
) -> ShapedArray:
    """The type of a leaf of the arguments, or an error that names the argument."""
    try:
        return aval_of(x)
    except TypeError:
        fun = call[0]
        name = argument_paths(*call)[i]
        raise TypeError(
            f"{function_name(fun)}: the argument {name} is a {type(x).__name__}, but a traced function takes "
            "arrays, numbers and pytrees of those; pass it as a static argument (static_argnames) or convert "
            "it"
        ) from None


def _explain_unhashable(fun: Callable[..., Any], statics: tuple[Any, ...]) -> None:
    """Raise ValueError for the first static argument that cannot be a cache key."""
    for place, _, value in statics:
        try:
            hash(value)
        except TypeError:
            raise ValueError(
                f"{function_name(fun)}: the static argument {place!r} is a {type(value).__name__}, which is "
                "not hashable, but static arguments are part of the cache key; pass a tuple or another "
                "hashable value"
            ) from None
