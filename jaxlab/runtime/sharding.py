"""Where an array lives: on one device. (Meshes of several devices have a file of their own.)"""

from __future__ import annotations

import operator
from functools import cached_property
from typing import Any

from jaxlab.runtime import backend
from jaxlab.runtime.native import J, xc

Device = J.Device


class SingleDeviceSharding(J.SingleDeviceSharding):  # type: ignore[misc]  # a C++ class
    """The sharding of an array that lies whole on one device.

    There is one object for each device and kind of memory: jaxlib hashes the shardings of all arguments at
    every call, and a ``__hash__`` written in Python would cost 0.4 us for each of them.

    >>> from jaxlab.runtime import backend
    >>> SingleDeviceSharding(backend.devices()[0])
    SingleDeviceSharding(device=CpuDevice(id=0), memory_kind=device)
    """

    num_devices = 1
    is_fully_replicated = True

    def __new__(cls, device: Any, *, memory_kind: str | None = None) -> SingleDeviceSharding:
        key = device, memory_kind or device.default_memory().kind
        known = _interned.get(key)
        if known is None:
            known = _interned[key] = super().__new__(cls)
        return known

    def __init__(self, device: Any, *, memory_kind: str | None = None) -> None:
        if "_kind" in self.__dict__:
            return
        super().__init__(device, memory_kind)
        self._kind: str = memory_kind or device.default_memory().kind
        self._devices = {device}

    # An imported `jax` puts properties of the same names on the base class: all of them are defined here.
    memory_kind = property(operator.attrgetter("_kind"))
    device_set = property(operator.attrgetter("_devices"))
    has_addressable_devices = property(operator.attrgetter("is_fully_addressable"))

    @property
    def _device_assignment(self) -> tuple[Any, ...]:
        return (self._device,)

    @property
    def _addressable_device_assignment(self) -> tuple[Any, ...]:
        return (self._device,)

    @cached_property
    def addressable_devices(self) -> set[Any]:
        """Its device, if that belongs to this process."""
        return {device for device in self.device_set if device.process_index == device.client.process_index()}

    @property
    def is_fully_addressable(self) -> bool:
        """Whether its device belongs to this process."""
        return bool(self.addressable_devices == self.device_set)

    @cached_property
    def device_list(self) -> Any:
        """The device as the list type that jaxlib's compiler takes."""
        return xc.DeviceList(self._device_assignment)

    def devices_indices_map(self, global_shape: tuple[int, ...]) -> dict[Any, tuple[slice, ...]]:
        """Which part of an array of ``global_shape`` each device holds: all of it."""
        return {self._device: (slice(None),) * len(global_shape)}

    addressable_devices_indices_map = devices_indices_map

    def shard_shape(self, global_shape: tuple[int, ...]) -> tuple[int, ...]:
        """The shape of the part on each device: ``global_shape``."""
        return tuple(global_shape)

    def is_equivalent_to(self, other: Any, ndim: int) -> bool:
        """Whether an array of rank ``ndim`` lies the same under both shardings."""
        return bool(self.device_set == other.device_set) and self.memory_kind == other.memory_kind

    def with_memory_kind(self, kind: str) -> SingleDeviceSharding:
        """The same device, in its memory of the given kind."""
        return SingleDeviceSharding(self._device, memory_kind=kind)

    def _to_xla_hlo_sharding(self, ndim: int) -> Any:
        return xc.HloSharding.replicate()

    def __reduce__(self) -> tuple[Any, ...]:
        kind = None if self.memory_kind == self._device.default_memory().kind else self.memory_kind
        return _at, (self._device.platform, self._device.id, kind)

    def __repr__(self) -> str:
        return f"SingleDeviceSharding(device={self._device!r}, memory_kind={self.memory_kind})"


_interned: dict[tuple[Any, str], SingleDeviceSharding] = {}
_singles: dict[Any, SingleDeviceSharding] = {}


def single_device(device: Any) -> SingleDeviceSharding:
    """The sharding of a device in its default memory (0.06 us)."""
    sharding = _singles.get(device)
    if sharding is None:
        sharding = _singles[device] = SingleDeviceSharding(device)
    return sharding


def _at(platform: str, number: int, memory_kind: str | None) -> SingleDeviceSharding:
    return SingleDeviceSharding(backend.find_device(f"{platform}:{number}"), memory_kind=memory_kind)
