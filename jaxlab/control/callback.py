"""``pure_callback`` and ``io_callback``: Python functions called by a program when it runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from jaxlab import tree
from jaxlab.control.python_call import call_now, declared, lower_call
from jaxlab.control.scan_primitive import scan_p
from jaxlab.core.aval import ShapedArray, aval_of
from jaxlab.core.effects import Effect, Effects
from jaxlab.core.jaxpr import ClosedJaxpr
from jaxlab.core.primitive import Example, Primitive
from jaxlab.core.trace import current
from jaxlab.interpreters.batching import slice_aval, stacked_aval
from jaxlab.interpreters.functions import function_name
from jaxlab.interpreters.staging import stage
from jaxlab.primitives.broadcasting import F32, broadcast, move_axis

VMAP_METHODS = (
    "sequential",
    "sequential_unrolled",
    "expand_dims",
    "broadcast_all",
    "legacy_vectorized",
    None,
)

IO = Effect("IO")
ORDERED_IO = Effect("OrderedIO", ordered=True)


def pure_callback(
    callback: Callable[..., Any],
    result_shape_dtypes: Any,
    *args: Any,
    sharding: Any = None,
    vmap_method: str | None = None,
    **kwargs: Any,
) -> Any:
    """The result of a Python function, called when the program runs; with NumPy it may do what XLA cannot.

    Args:
      callback: a function of pytrees of arrays (on the CPU) without effects: it is called once, several
        times, or never if nobody reads its result.
      result_shape_dtypes: a pytree of `ShapeDtypeStruct`, or arrays, with the types of what it returns.
      args, kwargs: what to call it with, pytrees of arrays.
      sharding: the one device that makes the call, in programs on several.
      vmap_method: how `vmap` calls it: ``"sequential"`` once for each slice, in a loop, and
        ``"sequential_unrolled"`` without one; ``"expand_dims"`` once on stacks, where arguments that are not
        mapped get a leading axis of size 1, ``"broadcast_all"`` one of full size, and
        ``"legacy_vectorized"`` none.

    Returns:
      Arrays in the structure of ``result_shape_dtypes``.

    Raises:
      ValueError: for an unknown ``vmap_method``, a 64-bit type while ``enable_x64`` is off, or when it is
        differentiated (give the function a rule with `custom_jvp`).
      NotImplementedError: under `vmap` without ``vmap_method``.
      JaxRuntimeError: when the function returns other types than announced. What it raises itself is raised
        by the call of the program.

    >>> x = jnp.array([1.0, 4.0])
    >>> jit(lambda x: jaxlab.pure_callback(np.sqrt, x, x))(x)
    Array([1., 2.], dtype=float32)
    """
    if vmap_method not in VMAP_METHODS:
        known = ", ".join(repr(method) for method in VMAP_METHODS)
        raise ValueError(
            f"pure_callback: vmap_method is {vmap_method!r}, but it must be one of {known}; write "
            "'sequential' for one call a slice"
        )
    return _bind(
        pure_callback_p,
        callback,
        result_shape_dtypes,
        args,
        kwargs,
        sharding=_one_device("pure_callback", sharding),
        vmap_method=vmap_method,
    )


def io_callback(
    callback: Callable[..., Any],
    result_shape_dtypes: Any,
    *args: Any,
    sharding: Any = None,
    ordered: bool = False,
    **kwargs: Any,
) -> Any:
    """The result of a Python function with effects, called exactly as often as the program says.

    Args:
      callback: a function of pytrees of arrays (on the CPU) that reads, writes or prints.
      result_shape_dtypes: a pytree of `ShapeDtypeStruct`, or arrays, with the types of what it returns; None
        for nothing.
      args, kwargs: what to call it with, pytrees of arrays.
      sharding: the one device that makes the call, in programs on several.
      ordered: whether ordered calls are made in the order of the program.

    Raises:
      ValueError: when it is differentiated, or mapped by `vmap` although it is ordered.
      JaxRuntimeError: when the function returns other types than announced. What it raises itself is raised
        by the call of the program.

    >>> seen = []
    >>> jit(lambda x: jaxlab.experimental.io_callback(lambda x: seen.append(float(x)), None, x))(2.0)
    >>> seen
    [2.0]
    """
    return _bind(
        io_callback_p,
        callback,
        result_shape_dtypes,
        args,
        kwargs,
        sharding=_one_device("io_callback", sharding),
        ordered=ordered,
    )


def _bind(
    primitive: Primitive,
    callback: Any,
    result_shape_dtypes: Any,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    **params: Any,
) -> Any:
    name = primitive.name
    if not callable(callback):
        raise TypeError(
            f"{name}: the callback is a {type(callback).__name__}, but a function is needed; pass the "
            "function, not its result"
        )
    leaves, in_tree = tree.flatten((args, kwargs))
    for path, x in tree.leaves_with_path(args) + tree.leaves_with_path(kwargs):
        try:
            aval_of(x)
        except TypeError:
            raise TypeError(
                f"{name}: the argument at {tree.keystr(path)} is a {type(x).__name__}, but arrays, numbers "
                "and pytrees of those are needed; bind the rest to the function (functools.partial)"
            ) from None
    results, out_tree = tree.flatten(result_shape_dtypes)
    out = primitive.bind(
        *leaves,
        callback=FlatCallback(callback, in_tree),
        result_avals=declared(results, name),
        **params,
    )
    return tree.unflatten(out_tree, out)


def _one_device(name: str, sharding: Any) -> Any:
    if sharding is not None and len(getattr(sharding, "device_set", ())) != 1:
        raise NotImplementedError(
            f"{name}: the sharding {sharding} was given, but one device makes the call; give the sharding of "
            "one device"
        )
    return sharding


@dataclass(frozen=True, slots=True)
class FlatCallback:
    """A function of pytrees as a function of leaves; equal to others of the same function and structure."""

    function: Callable[..., Any]
    in_tree: Any

    def __call__(self, *leaves: Any) -> list[Any]:
        args, kwargs = tree.unflatten(self.in_tree, leaves)
        return tree.leaves(self.function(*args, **kwargs))

    def __repr__(self) -> str:
        return f"_FlatCallback(callback_func={self.function}, in_tree={self.in_tree})"


class Callback(Primitive):
    """A call of a `FlatCallback`."""

    multiple_results = True
    without_derivative = "give it a rule with jaxlab.custom_jvp"  # what to do about it

    def bind(self, *args: Any, **params: Any) -> Any:
        """Apply it: where nothing is traced, by a call of the function."""
        if current.trace.parent is None:
            callback = params["callback"]
            return call_now(told(self.name, callback.function), callback, args, params["result_avals"])
        return super().bind(*args, **params)

    def abstract_eval(self, *avals: Any, result_avals: Any, **params: Any) -> list[ShapedArray]:
        return list(result_avals)

    def lower(
        self, ctx: Any, *operands: Any, callback: FlatCallback, result_avals: Any, **params: Any
    ) -> list[Any]:
        effects = self.effects(params)
        return lower_call(
            ctx,
            told(self.name, callback.function),
            callback,
            operands,
            result_avals,
            has_side_effect=bool(effects),
            ordered=ORDERED_IO in effects,
        )

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any], **params: Any) -> tuple[Any, Any]:
        raise ValueError(
            f"{told(self.name, params['callback'].function)}: a call of a Python function was given to be "
            f"differentiated, but its derivative is not known; {self.without_derivative}"
        )

    def transpose(self, ct: Any, *args: Any, **params: Any) -> list[Any]:
        raise ValueError(
            f"{told(self.name, params['callback'].function)}: a call of a Python function was given to be "
            "transposed, but it is not known to be linear; give it a rule with jaxlab.custom_vjp"
        )

    def reference(self, *args: Any, callback: Any, **params: Any) -> list[Any]:
        return [np.asarray(x) for x in callback(*args)]

    def for_each_slice(
        self, args: Sequence[Any], dims: Sequence[int | None], params: dict[str, Any], *, unroll: bool = False
    ) -> tuple[list[Any], list[int | None]]:
        """One call a slice, in a loop over the mapped axis."""
        mapped = [i for i, d in enumerate(dims) if d is not None]
        stacks = [fronted(args[i], dims[i]) for i in mapped]
        size = aval_of(stacks[0]).shape[0]

        def call(*slices: Any) -> Any:
            given = dict(zip(mapped, slices, strict=True))
            return self.bind(*[given.get(i, x) for i, x in enumerate(args)], **params)

        jaxpr, consts = stage(call, [slice_aval(aval_of(x), 0) for x in stacks])
        opened = jaxpr.replace(constvars=[], invars=jaxpr.constvars + jaxpr.invars)
        out: list[Any] = scan_p.bind(
            *consts,
            *stacks,
            jaxpr=ClosedJaxpr(opened),
            length=size,
            reverse=False,
            num_consts=len(consts),
            num_carry=0,
            unroll=max(size, 1) if unroll else 1,
        )
        return out, [0] * len(out)


class PureCallback(Callback):
    name = "pure_callback"

    def batch(
        self, size: int, args: Sequence[Any], dims: Sequence[int | None], **params: Any
    ) -> tuple[Any, Any]:
        method = params["vmap_method"]
        if method is None:
            raise NotImplementedError(
                f"{told(self.name, params['callback'].function)}: vmap_method is None, but vmap has to know "
                "how to call the function on many slices; write vmap_method='sequential' for one call a "
                "slice, or 'expand_dims' or 'broadcast_all' if it works on stacks"
            )
        if method.startswith("sequential"):
            return self.for_each_slice(args, dims, params, unroll=method == "sequential_unrolled")
        stacks = [fronted(x, d) for x, d in zip(args, dims, strict=True)]
        if method != "legacy_vectorized":
            leading = (size if method == "broadcast_all" else 1,)
            stacks = [broadcast(x, leading) if d is None else x for x, d in zip(stacks, dims, strict=True)]
        avals = tuple(stacked_aval(aval, size, 0) for aval in params["result_avals"])
        out = self.bind(*stacks, **{**params, "result_avals": avals})
        return out, [0] * len(out)

    def examples(self) -> Iterable[Example]:
        v, s = ShapedArray((3,), F32), ShapedArray((), F32)
        params: dict[str, Any]
        for method in ("sequential", "sequential_unrolled", "broadcast_all"):
            params = {"result_avals": (v,), "sharding": None, "vmap_method": method}
            sine = FlatCallback(np.sin, tree.structure(((0,), {})))
            yield Example((v,), {"callback": sine, **params}, differentiate=False)
        both = FlatCallback(_row_sums, tree.structure(((0, 0), {})))
        params = {"result_avals": (v, s), "sharding": None, "vmap_method": "sequential"}
        yield Example((v, s), {"callback": both, **params}, differentiate=False)


def _row_sums(x: Any, y: Any) -> tuple[Any, Any]:
    return np.asarray(x) + np.asarray(y), np.sum(x)


class IOCallback(Callback):
    name = "io_callback"
    without_derivative = "cut the dependence with lax.stop_gradient, or give it a rule with jaxlab.custom_jvp"

    def effects(self, params: dict[str, Any]) -> Effects:
        return frozenset({ORDERED_IO if params["ordered"] else IO})

    def batch(
        self, size: int, args: Sequence[Any], dims: Sequence[int | None], **params: Any
    ) -> tuple[Any, Any]:
        if params["ordered"]:
            raise ValueError(
                f"{told(self.name, params['callback'].function)}: ordered is True, but the slices of vmap "
                "have no order; write ordered=False, or map with lax.map"
            )
        return self.for_each_slice(args, dims, params)

    def examples(self) -> Iterable[Example]:
        v = ShapedArray((3,), F32)
        callback = FlatCallback(np.cos, tree.structure(((0,), {})))
        params = {"callback": callback, "result_avals": (v,), "sharding": None, "ordered": False}
        yield Example((v,), params, differentiate=False)


def fronted(x: Any, dim: int | None) -> Any:
    """``x`` with its mapped axis, if it has one, in front."""
    return x if dim in (None, 0) else move_axis(x, dim, 0)


def told(name: str, function: Any) -> str:
    """A call in an error text: ``pure_callback of f``."""
    return f"{name} of {function_name(function)}"


pure_callback_p = PureCallback()
io_callback_p = IOCallback()
