"""Running what was compiled: through jaxlib's C++ dispatch, or step by step at the first call."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from jaxlab import tree
from jaxlab.caching import Cache, CacheStats, register
from jaxlab.core import trace
from jaxlab.core.aval import ShapedArray
from jaxlab.runtime import callbacks, keys
from jaxlab.runtime.native import J, JaxRuntimeError, array_result_handler, set_tracing
from jaxlab.runtime.sharding import single_device
from jaxlab.runtime.transfer import Array, deleted_error, put

# While equations are recorded, operations on concrete arrays must reach the trace: C++ fast paths are to miss.
trace.staging_listener[0] = set_tracing

_fast_paths = J.PjitFunctionCache()


class _FastPathCache:
    """Shows jaxlib's own cache to the registry of caches; its hits never reach Python."""

    def stats(self) -> CacheStats:
        return CacheStats("fast paths", _fast_paths.size(), 0, 0, _fast_paths.capacity())

    def clear(self) -> None:
        _fast_paths.clear()


register(_FastPathCache())


class FastPath(NamedTuple):
    """What the C++ dispatch needs to run a program without Python; it reads these names."""

    xla_executable: Any
    out_pytree_def: Any
    in_shardings: Sequence[Any]
    out_shardings: Sequence[Any]
    out_avals: Sequence[ShapedArray]
    out_committed: Sequence[bool]
    kept_var_bitvec: Sequence[bool]
    in_device_local_layouts: Sequence[Any]
    const_args: Sequence[Any]


def fast_path(
    executable: Any,
    out_tree: Any,
    *,
    sharding: Any,
    out_avals: Sequence[ShapedArray],
    committed: bool,
    kept: Sequence[bool],
    const_args: Sequence[Any] = (),
    num_inputs: int | None = None,
) -> FastPath:
    """The fast path of a program on one device.

    Args:
      executable: the loaded executable; it takes one parameter per true entry of ``kept``.
      kept: for each constant argument, then for each leaf of the arguments, whether the program takes it.
      const_args: arrays passed before the arguments at every call.
      num_inputs: how many parameters the program has; jaxlib does not compare, so a wrong number is an error
        here.
    """
    count = sum(map(bool, kept))
    if num_inputs is not None and num_inputs not in (count, len(kept)):
        raise ValueError(f"fast_path: the program takes {num_inputs} inputs, but {count} are kept")
    return FastPath(
        executable,
        keys.dispatch_tree(out_tree, out_avals),
        [sharding] * count,
        [sharding] * len(out_avals),
        [keys.physical(aval) for aval in out_avals],
        [committed] * len(out_avals),
        list(map(bool, kept)),
        [None] * count,
        keys.unwrap(const_args),
    )


def pjit(
    name: str,
    fun: Callable[..., Any],
    cache_miss: Callable[..., tuple[Any, FastPath | None, bool]],
    static_argnums: Sequence[int] = (),
    static_argnames: Sequence[str] = (),
    registry: Any = tree.dispatch_registry,
) -> Any:
    """A C++ function that runs a known call without Python, and asks ``cache_miss`` about an unknown one.

    A call is known by its pytree structure, its static values, per leaf (shape, dtype, weak type, sharding,
    committed), and the options that programs depend on. ``cache_miss(*args, **kwargs)`` computes the outputs
    and returns ``(outputs, fast_path, False)``; None as fast path leaves the call unknown, which is right for
    tracers, callbacks and debug checks. ``fun`` is called instead while ``disable_jit`` is on.

    Raises:
      ValueError: from a call, if a static argument is not hashable.
    """
    return J.pjit(
        name,
        fun,
        cache_miss,
        list(static_argnums),
        list(static_argnames),
        object(),
        registry,
        _place,
        _fast_paths,
    )


def _place(x: Any, sharding: Any, layout: Any) -> Any:
    """Called by jaxlib for an argument whose sharding it does not know."""
    if len(sharding.device_set) == 1:
        return put(x, device=next(iter(sharding.device_set)))
    raise ValueError(
        f"an argument on {sharding} was given, but the program runs on one device; move it there first"
    )


_handlers = Cache("result handlers", maxsize=4096)


def result_handlers(out_avals: Iterable[ShapedArray], sharding: Any, committed: bool) -> list[Any]:
    """What makes arrays of the raw results of an execution."""
    handlers = []
    for aval in out_avals:
        key = (aval, sharding, committed)
        handlers.append(
            _handlers.get(key)
            or _handlers.put(key, array_result_handler(keys.physical(aval), sharding, committed))
        )
    return handlers


def execute(
    executable: Any,
    arrays: Sequence[Any],
    out_avals: Sequence[ShapedArray],
    device: Any,
    *,
    committed: bool = False,
    calls_python: bool = False,
) -> list[Any]:
    """Run a program on arrays that lie on ``device``; returns at once, before the values are computed.

    A program that ``calls_python`` is waited for: what it prints appears in its cell, and what it raises is
    raised here.

    Raises:
      RuntimeError: if an argument was deleted, or donated before.
      JaxRuntimeError: if the launch fails, whatever jaxlib itself would raise.
      BaseException: what a callback of the program raised, itself.
    """
    handlers = result_handlers(out_avals, single_device(device), committed)
    try:
        if calls_python:
            callbacks.launching()
        launched = executable.execute_sharded(keys.unwrap(arrays), calls_python)
        if calls_python:
            callbacks.wait_for(launched.consume_token())
        results: list[Any] = launched.consume_with_handlers(handlers)
    except (JaxRuntimeError, ValueError) as error:
        failure = launch_error(error, arrays)
    else:
        return keys.wrap(results, out_avals) if keys.holds_keys(out_avals) else results
    raise failure  # outside of the handler: it keeps the cause that its raiser gave it


def launch_error(error: Exception, arrays: Sequence[Any] = ()) -> BaseException:
    """The error to raise for a failed launch: the cause where it is known, else one JaxRuntimeError."""
    cause = callbacks.take_error() if "callback" in str(error).lower() else None
    if cause is not None:
        return cause
    for x in arrays:
        if type(x) in (Array, keys.KeyArray) and x.is_deleted():
            return deleted_error(x)
    if isinstance(error, JaxRuntimeError):
        return error
    return JaxRuntimeError(str(error))


def device_of(args: Iterable[Any], default: Any, *, name: str = "") -> tuple[Any, bool]:
    """Where a call on these arguments runs, and whether its results insist on that device.

    Arrays that were put on a device explicitly decide; all others follow them. Without such, it is the device
    where all the arrays are, else ``default``.

    Raises:
      ValueError: if the arrays insist on different devices.
    """
    first: tuple[int, Any] | None = None
    for position, x in enumerate(args):
        if type(x) in (Array, keys.KeyArray) and x._committed:
            if first is None:
                first = position, x
            elif (
                x._sharding is not first[1]._sharding
                and x._sharding.device_set != first[1]._sharding.device_set
            ):
                raise _incompatible(name, first, (position, x))
    if first is None:
        return default, False
    return next(iter(first[1]._sharding.device_set)), True


def _incompatible(name: str, first: tuple[int, Any], second: tuple[int, Any]) -> ValueError:
    def told(which: tuple[int, Any]) -> str:
        position, x = which
        where = ", ".join(sorted(f"{device.platform}:{device.id}" for device in x._sharding.device_set))
        return f"argument {position} of type {x.aval.str_short()} is on {where}"

    prefix = f"{name}: " if name else ""
    return ValueError(
        f"{prefix}incompatible devices: {told(first)}, but {told(second)}; "
        "move one of them with device_put(x, device)"
    )
