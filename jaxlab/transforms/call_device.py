"""On which device a call of a jitted function runs: said by options, by inner functions, or by the arguments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from jaxlab.core.jaxpr import ClosedJaxpr, Jaxpr, subjaxprs
from jaxlab.core.memo import memoised
from jaxlab.runtime import execution
from jaxlab.runtime.backend import default_device
from jaxlab.transforms.jit_options import JitOptions
from jaxlab.transforms.shape_struct import ShapeDtypeStruct
from jaxlab.transforms.tracing import Call


def device_of_call(options: JitOptions, call: Call, argument_name: Callable[[int], str]) -> tuple[Any, bool]:
    """The device, and whether the results insist on it.

    Raises:
      ValueError: if the arguments, the options and inner functions insist on different devices.
    """
    name = call.params["name"]
    inside = devices_inside(call.traced.jaxpr)
    if len(inside) > 1 or (inside and options.device is not None and inside != {options.device}):
        named = sorted({_told(device) for device in inside | {options.device} if device is not None})
        raise ValueError(
            f"{name}: the functions in it are to run on {' and '.join(named)}, but one program runs on one device; "
            "give all of them the same device"
        )
    if options.device is not None and options.out_shardings is None:
        return options.device, True
    device = options.device if options.device is not None else next(iter(inside), None)
    leaves = call.placed()
    if device is None:
        for x in leaves:
            if type(x) is ShapeDtypeStruct and x.sharding is not None:
                (device,) = x.sharding.device_set
                return device, True
        return execution.device_of(leaves, default_device(), name=name)
    if options.in_shardings is None:
        check_places(name, leaves, device, argument_name, "it is to run on")
    return device, True


def check_places(
    name: str, leaves: Sequence[Any], device: Any, argument_name: Callable[[int], str], reason: str
) -> None:
    """Raise ValueError if an argument was put on another device than ``device``."""
    for i, x in enumerate(leaves):
        place, insists = execution.device_of([x], device)
        if insists and place != device:
            raise ValueError(
                f"{name}: the argument {argument_name(i)} of type {x.aval.str_short()} is on {_told(place)}, but "
                f"{reason} {_told(device)}; move it with device_put"
            )


@memoised
def devices_inside(closed: ClosedJaxpr) -> frozenset[Any]:
    """The devices that the jitted functions in a program are to run on."""
    return frozenset(_devices(closed.jaxpr))


def _devices(jaxpr: Jaxpr) -> set[Any]:
    found = set()
    for eqn in jaxpr.eqns:
        if "device" in eqn.params and eqn.primitive.name == "jit":
            found.add(eqn.params["device"])
        for inner in subjaxprs(eqn.params):
            found |= _devices(inner)
    return found


def _told(device: Any) -> str:
    return f"{device.platform}:{device.id}"
