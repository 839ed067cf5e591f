"""Devices, and the clients that own them. A client is made when it is first asked for, never at import."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Any

from jaxlab.config import PLATFORMS, config
from jaxlab.runtime import plugins
from jaxlab.runtime.native import J, xc

Device = J.Device

_FAMILIES = {"gpu": ("cuda", "rocm")}
_clients: dict[str, Any] = {}
_reasons: dict[str, str] = {}
_lock = threading.RLock()


def _make_cpu_client() -> Any:
    count = config.num_cpu_devices
    # None leaves the count to XLA_FLAGS=--xla_force_host_platform_device_count.
    return xc.make_cpu_client(asynchronous=True, num_devices=count if count > 0 else None)


_makers: dict[str, Callable[[], Any]] = {
    "tpu": plugins.make_tpu_client,
    "cuda": plugins.make_cuda_client,
    "cpu": _make_cpu_client,
}


def register_platform(platform: str, make_client: Callable[[], Any]) -> None:
    """Add a platform, preferred to all others; ``make_client`` raises `plugins.Unavailable` elsewhere."""
    rest = {name: maker for name, maker in _makers.items() if name != platform}
    PLATFORMS.add(platform)
    _makers.clear()
    _makers.update({platform: make_client, **rest})
    _reasons.pop(platform, None)
    _forget_choices()


def unavailable() -> dict[str, str]:
    """Why each platform that was tried is not there: ``{"tpu": "libtpu is not installed"}``."""
    return dict(_reasons)


def _try_client(platform: str) -> Any | None:
    client = _clients.get(platform)
    if client is None and platform not in _reasons:
        with _lock:
            client = _clients.get(platform)
            if client is None and platform not in _reasons:
                try:
                    client = _clients[platform] = _makers[platform]()
                except plugins.Unavailable as error:
                    _reasons[platform] = str(error)
    return client


def _order() -> list[str]:
    """The platforms to try, best first; an explicit choice is not widened."""
    chosen = config.platforms or os.environ.get("JAX_PLATFORMS")
    if not chosen:
        return list(_makers)
    names = [name.strip().lower() for name in chosen.split(",") if name.strip()]
    return [member for name in names for member in _FAMILIES.get(name, (name,)) if member in _makers]


def client(platform: str | None = None) -> Any:
    """The client of a platform (``"cpu"``, ``"gpu"``, ``"cuda"``, ``"tpu"``), or the preferred one.

    Raises:
      RuntimeError: if the platform is unknown or has no device here; the text lists the devices that are
        here.
    """
    if platform is None:
        return _preferred()
    if not isinstance(platform, str):
        raise TypeError(
            f"backend: {platform!r} of type {type(platform).__name__} was given, but the name of a platform is needed; "
            "write 'cpu', 'gpu' or 'tpu'"
        )
    name = platform.lower()
    for member in _FAMILIES.get(name, (name,)):
        if member in _makers:
            found = _try_client(member)
            if found is not None:
                return found
    raise _unknown(platform)


def _preferred() -> Any:
    found = _chosen.get("client")
    if found is None:
        for name in _order():
            found = _try_client(name)
            if found is not None:
                break
        else:
            raise _unknown(config.platforms or os.environ.get("JAX_PLATFORMS") or "any")
        _chosen["client"] = found
    return found


def _unknown(wanted: str) -> RuntimeError:
    here = [f"{device.platform}:{device.id}" for found in _reachable() for device in found.devices()]
    name = wanted.split(":")[0].lower()
    reasons = [_reasons[member] for member in _FAMILIES.get(name, (name,)) if member in _reasons]
    why = f" ({'; '.join(reasons)})" if reasons else ""
    return RuntimeError(
        f"Unknown backend or device {wanted!r}{why}: the devices here are {', '.join(here) or 'none'}"
    )


def _reachable() -> list[Any]:
    """All clients that can be had, the preferred platform first."""
    found = (_try_client(name) for name in [*_order(), "cpu"])
    return list(dict.fromkeys(one for one in found if one is not None))


_chosen: dict[str, Any] = {}


def _forget_choices(*_: Any) -> None:
    _chosen.clear()


config.on_change("platforms", _forget_choices)


def devices(backend: str | None = None) -> list[Any]:
    """All devices of a platform, of the preferred one by default, in the order of their ids.

    >>> devices("cpu")
    [CpuDevice(id=0)]
    """
    return list(client(backend).devices())


def local_devices(process_index: int | None = None, backend: str | None = None) -> list[Any]:
    """The devices attached to this process, or to another one."""
    if process_index is None:
        return list(client(backend).local_devices())
    return [device for device in client(backend).devices() if device.process_index == process_index]


def device_count(backend: str | None = None) -> int:
    """How many devices there are, over all processes."""
    return int(client(backend).device_count())


def local_device_count(backend: str | None = None) -> int:
    """How many devices are attached to this process."""
    return int(client(backend).local_device_count())


def process_index(backend: str | None = None) -> int:
    """The number of this process among those that share the devices; 0 if it is alone."""
    return int(client(backend).process_index())


def process_count(backend: str | None = None) -> int:
    """How many processes share the devices."""
    return int(max(device.process_index for device in client(backend).devices())) + 1


def process_indices(backend: str | None = None) -> list[int]:
    """The numbers of all processes that share the devices.

    >>> process_indices()
    [0]
    """
    return list(range(process_count(backend)))


def default_backend() -> str:
    """The name of the preferred platform: ``"cpu"``, ``"gpu"`` or ``"tpu"``."""
    return str(_preferred().local_devices()[0].platform)


def default_device() -> Any:
    """The device for new arrays: the option ``default_device``, else the first of the preferred platform."""
    wanted = config.default_device
    if wanted is None:
        device = _chosen.get("device")
        if device is None:
            device = _chosen["device"] = _preferred().local_devices()[0]
        return device
    return find_device(wanted) if isinstance(wanted, str) else wanted


def find_device(spec: Any) -> Any:
    """The device that is meant by ``"gpu:0"``, ``"cpu"`` (its first) or a device itself.

    Raises:
      RuntimeError: if there is no such device; the text lists the devices that are there.

    >>> find_device("cpu:0")
    CpuDevice(id=0)
    """
    if isinstance(spec, Device):
        return spec
    if not isinstance(spec, str):
        raise TypeError(
            f"find_device: {spec!r} of type {type(spec).__name__} was given, but a device or a name such as "
            "'cpu:0' is needed; jaxlab.devices() lists the devices"
        )
    platform, _, number = spec.strip().partition(":")
    try:
        local = client(platform).local_devices()
    except RuntimeError:
        raise _unknown(spec) from None
    if not number:
        return local[0]
    for device in local:
        if str(device.id) == number:
            return device
    raise _unknown(spec)
