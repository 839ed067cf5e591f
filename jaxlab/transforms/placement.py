"""Moving arrays to devices and waiting for them."""

from __future__ import annotations

from typing import Any

from jaxlab import tree
from jaxlab.core.aval import aval_of
from jaxlab.core.trace import Tracer
from jaxlab.runtime import backend, guards
from jaxlab.runtime.array import Array
from jaxlab.runtime.transfer import put


def device_put(x: Any, device: Any = None) -> Any:
    """``x``, a pytree of arrays, on a device (``"gpu:0"``, a device, a sharding of one), where it then stays.

    >>> device_put(np.arange(3)).device.platform
    'cpu'
    """
    target = _device(device)

    def move(leaf: Any) -> Any:
        return (
            leaf
            if isinstance(leaf, Tracer)
            else put(leaf, aval_of(leaf), target, committed=device is not None)
        )

    with guards.explicit():
        return tree.map(move, x)


def _device(device: Any) -> Any:
    if device is None:
        return None
    if isinstance(device, str):
        return backend.find_device(device)
    devices = getattr(device, "device_set", None)
    return next(iter(devices)) if devices is not None else device


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
