"""Transfer guards in every direction and at every level; what is refused on the CPU is what jax 0.10.2 refuses there."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import jaxlab as jax
import jaxlab.numpy as jnp

N = np.ones(3, np.float32)
doubled = jax.jit(lambda x: x * 2)
X = doubled(N)

CALLS: dict[str, Callable[[], Any]] = {
    "jit of a NumPy array": lambda: doubled(N),
    "jit of a number": lambda: doubled(3.0),
    "an operator with a NumPy array": lambda: X + N,
    "asarray": lambda: jnp.asarray(N),
    "array": lambda: jnp.array([1.0, 2.0]),
    "device_put": lambda: jax.device_put(N),
    "jit of an array": lambda: doubled(X),
    "an operator": lambda: X + X,
    "asarray of NumPy": lambda: np.asarray(doubled(X)),
    "device_get": lambda: jax.device_get(doubled(X)),
    "device_put where it is": lambda: jax.device_put(X, jax.devices()[0]),
}
IMPLICIT = set(list(CALLS)[:5])
TO_DEVICE = {"allow": set(), "log": set(), "log_explicit": set(), "disallow": IMPLICIT}
TO_DEVICE["disallow_explicit"] = IMPLICIT | {"device_put"}
GUARDS: dict[str, dict[str, set[str]]] = {
    "transfer_guard": TO_DEVICE,
    "transfer_guard_host_to_device": TO_DEVICE,
    # The memory of the CPU is the host's: reading it is no transfer.
    "transfer_guard_device_to_host": {level: set() for level in TO_DEVICE},
    "transfer_guard_device_to_device": {level: set() for level in TO_DEVICE},
}


@pytest.mark.parametrize("level", TO_DEVICE)
@pytest.mark.parametrize("guard", GUARDS)
def test_what_is_refused(guard: str, level: str) -> None:
    refused = set()
    for call in CALLS.values():
        call()
    with getattr(jax, guard)(level):
        for name, call in CALLS.items():
            try:
                call()
            except jax.errors.JaxRuntimeError as error:
                assert "Disallowed host-to-device transfer" in str(error)
                refused.add(name)
    assert refused == GUARDS[guard][level]
    for call in CALLS.values():
        call()


def test_the_innermost_guard_decides_and_update_sets_all() -> None:
    with jax.transfer_guard("disallow"), jax.transfer_guard_host_to_device("allow"):
        doubled(N)
        with jax.transfer_guard("disallow"), pytest.raises(jax.errors.JaxRuntimeError):
            doubled(N)
    jax.config.update("jax_transfer_guard", "disallow")
    try:
        assert jax.config.transfer_guard_host_to_device == "disallow"
        with pytest.raises(jax.errors.JaxRuntimeError):
            doubled(N)
    finally:
        jax.config.update("jax_transfer_guard", None)
    doubled(N)


def test_what_is_logged(caplog: Any) -> None:
    caplog.set_level(logging.WARNING)

    def logged() -> list[str]:
        told = [record.getMessage() for record in caplog.records if record.name == "jaxlab.transfer"]
        caplog.clear()
        return told

    doubled(N)
    with jax.transfer_guard("log"):
        doubled(N)
        assert logged() == ["implicit transfer, host to device: f32[3] to cpu:0"]
        doubled(X)
        jax.device_put(N)
        assert logged() == []
    with jax.transfer_guard("log_explicit"):
        jax.device_put(N)
        assert logged() == ["explicit transfer, host to device: f32[3] to cpu:0"]
    doubled(N)
    assert logged() == []
