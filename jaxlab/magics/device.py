"""The selected device: listed, found by name, and switched."""

from __future__ import annotations

from typing import Any

from IPython.core.error import UsageError

import jaxlab
from jaxlab.config import config


def name_of(device: Any) -> str:
    """``cpu:0``, ``gpu:1``: the platform and the number of a device."""
    return f"{device.platform}:{device.id}"


def all_devices() -> list[Any]:
    """Every device of every platform that can be used, the default platform's first."""
    found: list[Any] = list(jaxlab.devices())
    for platform in ("cpu",):
        try:
            found += [d for d in jaxlab.devices(platform) if d not in found]
        except RuntimeError:  # that platform is not among those asked for
            continue
    return found


def find(name: str) -> Any:
    """The device of that name, ``cpu:0``, or the first one of a platform, ``gpu``.  Raises UsageError."""
    known = all_devices()
    for device in known:
        if name in (name_of(device), device.platform):
            return device
    raise UsageError(f"device {name}: there is no such device; there are {', '.join(map(name_of, known))}")


def selected() -> Any:
    """The device on which new arrays and programs go."""
    chosen = config.default_device
    if chosen is None:
        return jaxlab.devices()[0]
    return jaxlab.devices(chosen)[0] if isinstance(chosen, str) else chosen


def label(device: Any = None) -> str:
    """The name of a device, or of the selected one."""
    return name_of(selected() if device is None else device)


def device_state() -> dict[str, Any]:
    """The selected device and all others, as plain data for a menu."""
    listed = [{"name": name_of(d), "kind": d.device_kind, "platform": d.platform} for d in all_devices()]
    return {"selected": label(), "devices": listed}


def select_device(name: str) -> dict[str, Any]:
    """Send new arrays and programs to the device of that name; returns the new state.  Raises UsageError."""
    config.update("default_device", find(name))
    return device_state()
