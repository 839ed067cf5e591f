"""Moving arrays to devices and to the host, waiting for them, and counting them."""

from __future__ import annotations

from typing import Any

from jaxlab import tree
from jaxlab.core.aval import ShapedArray, is_array_like
from jaxlab.core.trace import Tracer
from jaxlab.primitives.device_put import Semantics, device_put_p, moved, target_of
from jaxlab.runtime import backend, guards
from jaxlab.runtime.array import Array


def device_put(
    x: Any, device: Any = None, *, src: Any = None, donate: Any = False, may_alias: Any = None
) -> Any:
    """``x``, a pytree of arrays, on a device, where it then stays; traced values are moved when the program runs.

    Args:
      x: arrays, NumPy arrays and numbers.
      device: a device, its name (``"gpu:0"``), a sharding of one, or None for where it is or the default; or a
        pytree of these that is a prefix of ``x``.
      src: where ``x`` is, if that is known; in reverse mode cotangents are moved back there.
      donate: whether the buffer of ``x`` may be given away.
      may_alias: whether the result may be the buffer of ``x`` itself; None is as True.

    ``src``, ``donate`` and ``may_alias`` may be pytree prefixes, too.

    Raises:
      ValueError: if something else is given as a device, the prefixes do not fit, or ``donate`` and
        ``may_alias`` are both true.
      TypeError: if a leaf of ``x`` is no array.

    >>> device_put(np.arange(3)).device.platform
    'cpu'
    """
    leaves, treedef = tree.flatten(x)
    places = _spread("device", device, x)
    semantics = [
        _semantics(given, alias)
        for given, alias in zip(_spread("donate", donate, x), _spread("may_alias", may_alias, x), strict=True)
    ]
    for place in places:
        target_of(place)
    for i, leaf in enumerate(leaves):
        if not is_array_like(leaf) and not hasattr(leaf, "__jax_array__"):
            path = tree.keystr(tree.leaves_with_path(x)[i][0])
            raise TypeError(
                f"device_put: x{path} of type {type(leaf).__name__} was given, but an array or a number is needed; "
                "leave it out"
            )
    if not any(isinstance(leaf, Tracer) for leaf in leaves):
        with guards.explicit():
            return treedef.unflatten([moved(*each) for each in zip(leaves, places, semantics, strict=True)])
    out = device_put_p.bind(
        *leaves, devices=tuple(places), srcs=tuple(_spread("src", src, x)), copy_semantics=tuple(semantics)
    )
    return treedef.unflatten(out)


def _spread(what: str, prefix: Any, full: Any) -> list[Any]:
    """A value for each leaf of ``full``; most often one for all."""
    if prefix is None or type(prefix) is bool:
        return [prefix] * len(tree.leaves(full))
    return tree.broadcast_prefix(prefix, full, is_leaf=lambda x: x is None, what=f"device_put: {what}")


def _semantics(donate: bool, may_alias: bool | None) -> Any:
    if donate and may_alias:
        raise ValueError(
            "device_put: donate=True and may_alias=True were given, but a buffer that is given away is not shared; "
            "leave one of them out"
        )
    if donate:
        return Semantics.DONATE_INPUT
    return Semantics.ALWAYS_COPY if may_alias is False else Semantics.REUSE_INPUT


def device_get(x: Any) -> Any:
    """``x``, a pytree of arrays, as NumPy arrays."""
    with guards.explicit():
        return tree.map(lambda leaf: leaf.__array__() if isinstance(leaf, Array) else leaf, x)


def block_until_ready(x: Any) -> Any:
    """Wait until every array in the pytree ``x`` has been computed, and return ``x``.

    >>> block_until_ready(jnp.ones(3))
    Array([1., 1., 1.], dtype=float32)
    """
    for leaf in tree.leaves(x):
        if isinstance(leaf, Array):
            leaf.block_until_ready()
    return x


def copy_to_host_async(x: Any) -> Any:
    """Start copying every array in the pytree ``x`` to the host, and return ``x``; `device_get` then waits less.

    >>> copy_to_host_async(jnp.ones(3))
    Array([1., 1., 1.], dtype=float32)
    """
    for leaf in tree.leaves(x):
        start = getattr(leaf, "copy_to_host_async", None)
        if start is not None and not isinstance(leaf, Tracer):
            start()
    return x


def live_arrays(platform: str | None = None) -> list[Any]:
    """The arrays that exist on the devices of a platform, the default one if none is named.

    >>> x = jnp.arange(3)
    >>> any(y is x for y in live_arrays())
    True
    """
    arrays = backend.client(platform or backend.default_backend()).live_arrays()
    return [x for x in arrays if type(x.aval) is ShapedArray and not x.is_deleted()]
