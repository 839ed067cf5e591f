"""``jit``: trace a function once for given types, compile it, and call the compiled program from then on."""

from __future__ import annotations

import functools
import inspect
import weakref
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from jaxlab import lazy, tree
from jaxlab.core.trace import Tracer, current
from jaxlab.interpreters.evaluation import program_for
from jaxlab.interpreters.functions import argument_paths
from jaxlab.runtime import execution
from jaxlab.runtime.donation import checked_call, donation_error
from jaxlab.transforms.call_device import device_of_call
from jaxlab.transforms.jit_call import jit_p
from jaxlab.transforms.jit_options import JitOptions
from jaxlab.transforms.shape_struct import ShapeDtypeStruct
from jaxlab.transforms.tracing import Call, prepare, traces, unhashable_error

if TYPE_CHECKING:
    from jaxlab.transforms import stages
else:  # what is done ahead of time
    stages = lazy.module("jaxlab.transforms.stages")

_NOT_GIVEN: Any = object()


def jit(
    fun: Callable[..., Any] = _NOT_GIVEN,
    /,
    *,
    in_shardings: Any = None,
    out_shardings: Any = None,
    static_argnums: int | Sequence[int] | None = None,
    static_argnames: str | Iterable[str] | None = None,
    donate_argnums: int | Sequence[int] | None = None,
    donate_argnames: str | Iterable[str] | None = None,
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
      in_shardings, out_shardings: where arguments and results are to be: a sharding of one device, or a
        pytree of those, and of None, that is a prefix of the arguments or the result.
      static_argnums, static_argnames: arguments that are Python values, not arrays; they must be hashable,
        and each new value is compiled for. Names are inferred from positions, and positions from names.
      donate_argnums, donate_argnames: arguments whose memory the program may reuse; the call deletes those that
        it reuses, and warns of the others when it is lowered.
      keep_unused: pass arguments to the program even if it does not use them.
      device, backend: where to run; by default where the arguments are, or the default device.
      inline: in another traced function, leave no ``jit`` equation but the equations themselves.
      compiler_options: XLA's debug options by name.

    Returns:
      A function like ``fun``, with ``trace``, ``lower``, ``eval_shape`` and ``clear_cache``.

    Raises:
      TypeError: if ``fun`` is no function; at a call, if an argument is not an array or a pytree of arrays, or
        a result is not.
      ValueError: if an option names an argument that ``fun`` has not, or one that is static is donated, too;
        at a call, if a static argument is not hashable.
      RuntimeError: at a call, if an argument was donated before.

    >>> @jit
    ... def selu(x, alpha=1.67, scale=1.05):
    ...     return scale * jnp.where(x > 0, x, alpha * jnp.exp(x) - alpha)
    >>> selu(jnp.arange(3.0))
    Array([0.  , 1.05, 2.1 ], dtype=float32)
    """
    options: dict[str, Any] = {
        "static": (static_argnums, static_argnames),
        "donate": (donate_argnums, donate_argnames),
        "in_shardings": in_shardings,
        "out_shardings": out_shardings,
        "device": device,
        "backend": backend,
        "keep_unused": keep_unused,
        "inline": inline,
        "compiler_options": compiler_options,
    }
    if fun is _NOT_GIVEN:
        return lambda fun: _jitted(fun, options)
    return _jitted(fun, options)


def _jitted(fun: Any, options: dict[str, Any]) -> Any:
    if not callable(fun):
        raise TypeError(
            f"jit: expected a function, but got a value of type {type(fun).__name__}; pass the function, not its result"
        )
    if inspect.isgeneratorfunction(fun) or inspect.iscoroutinefunction(fun):
        kind = "a generator" if inspect.isgeneratorfunction(fun) else "an asynchronous"
        raise TypeError(
            f"jit: {fun.__name__} is {kind} function, but a function is needed that returns arrays; collect what "
            "it yields in a list"
        )
    if type(fun).__hash__ is None:  # traces are found by the function
        fun = functools.partial(fun)
    return _make(fun, JitOptions(fun, **options))


def _make(fun: Callable[..., Any], options: JitOptions) -> Any:
    inline = options.params["inline"]
    compiler_options = options.params["compiler_options_kvs"]

    def on_miss(*args: Any, **kwargs: Any) -> tuple[Any, Any, bool]:
        base = current.trace.parent is None
        if inline and (not base or _has_tracer(args, kwargs)):
            return fun(*args, **kwargs), None, False
        if compiler_options and current.trace.staging:
            raise ValueError(
                f"jit: compiler_options={dict(compiler_options)} were given for {options.params['name']}, which "
                "was called in another jitted function and is compiled as a part of that; give them to the "
                "outermost jit"
            )
        call = prepare(fun, options, args, kwargs)
        if base and not call.traced_inside and not current.axes:  # jaxlib's dispatch knows no named axes
            return _run(fun, options, call, args, kwargs)
        operands, params = call.operands()
        outputs = jit_p.bind(*operands, **params)
        return tree.unflatten(call.traced.out_tree, outputs), None, False

    function = execution.pjit(
        options.params["name"],
        fun,
        on_miss,
        static_argnums=options.static_numbers,
        static_argnames=options.static_names,
    )
    compiled = weakref.ref(function)  # a bound method of it in its own dict would never be collected
    if options.donate_numbers or options.donate_names or options.static_numbers or options.static_names:
        function = _explained(function, fun, options)
    functools.update_wrapper(function, fun)

    def clear_cache() -> None:
        """Forget what was traced and compiled for this function."""
        traces.discard(fun)
        if (alive := compiled()) is not None:
            alive._clear_cache()

    function._on_miss = on_miss  # operators of arrays ask about their operands first
    function.trace = lambda *args, **kwargs: stages.trace(fun, options, args, kwargs)
    function.lower = lambda *args, **kwargs: stages.trace(fun, options, args, kwargs).lower()
    function.eval_shape = lambda *args, **kwargs: stages.trace(fun, options, args, kwargs).out_info
    function.clear_cache = clear_cache
    return function


def _run(
    fun: Callable[..., Any], options: JitOptions, call: Call, args: Any, kwargs: dict[str, Any]
) -> tuple[Any, Any, bool]:
    """The first call at these types: compile, run, and hand the program to jaxlib's dispatch."""
    params, traced = call.params, call.traced
    donated = params["donated_invars"]
    error = donation_error(
        params["name"], call.leaves, lambda i: _leaf_name(fun, options, args, kwargs, i), donated
    )
    if error is not None:
        raise error
    for i, x in enumerate(call.leaves):
        if type(x) is ShapeDtypeStruct:
            raise TypeError(
                f"{params['name']}: the argument {_leaf_name(fun, options, args, kwargs, i)} is a "
                f"ShapeDtypeStruct of {call.avals[i].str_short()}, but a call needs a value; pass an array, or "
                "write .trace, .lower or .eval_shape"
            )
    device, committed = device_of_call(options, call, lambda i: _leaf_name(fun, options, args, kwargs, i))
    program = program_for(jit_p, call.avals, params, device, trace_seconds=traced.seconds)
    outputs = program.run(call.leaves, call.avals, committed)
    return tree.unflatten(traced.out_tree, outputs), program.fast_path(traced.out_tree, committed), False


def _explained(function: Any, fun: Callable[..., Any], options: JitOptions) -> Any:
    """``function`` in Python, so that jaxlib's error for an argument can say which it was (0.2 us)."""

    def explain(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Exception | None:
        static = options.numbers(options.static_numbers, args)
        statics: list[tuple[Any, Any]] = [(i, x) for i, x in enumerate(args) if i in static]
        statics += [(name, x) for name, x in kwargs.items() if name in options.static_names]
        unhashable = unhashable_error(fun, statics)
        if unhashable is not None:
            return unhashable
        dynamic = tuple(x for i, x in enumerate(args) if i not in static)
        named = {name: x for name, x in kwargs.items() if name not in options.static_names}
        leaves = tree.leaves((dynamic, named))
        return donation_error(
            options.params["name"],
            leaves,
            lambda i: _leaf_name(fun, options, args, kwargs, i),
            options.donated(args, kwargs),
        )

    wrapped = checked_call(function, explain)
    wrapped._cache_size, wrapped._clear_cache = function._cache_size, function._clear_cache
    return wrapped


def _leaf_name(
    fun: Callable[..., Any], options: JitOptions, args: Sequence[Any], kwargs: dict[str, Any], i: int
) -> str:
    static = tuple(options.numbers(options.static_numbers, args))
    return argument_paths(fun, args, kwargs, static, options.static_names)[i]


def _has_tracer(args: Sequence[Any], kwargs: dict[str, Any]) -> bool:
    return any(isinstance(x, Tracer) for x in tree.leaves((args, kwargs)))
