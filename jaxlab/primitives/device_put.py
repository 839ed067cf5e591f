"""Moving values between devices, as an operation of the language."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from jaxlab.core.aval import ShapedArray, Zero, aval_of
from jaxlab.core.primitive import Example, Primitive
from jaxlab.core.trace import current
from jaxlab.runtime import backend
from jaxlab.runtime.native import J
from jaxlab.runtime.transfer import copy_to, put

Semantics = J.ArrayCopySemantics


def target_of(place: Any) -> Any:
    """The device that a device, its name or a sharding of it stands for; None where it is left open.

    Raises:
      NotImplementedError: for a sharding over several devices.
      ValueError: for anything else.
    """
    if place is None or isinstance(place, J.Device):
        return place
    if isinstance(place, str):
        return backend.find_device(place)
    if isinstance(place, J.Sharding):
        if len(place.device_set) > 1:
            raise NotImplementedError(
                f"device_put: a sharding over {len(place.device_set)} devices was given, but arrays lie on one "
                "device so far; give one of its devices"
            )
        (device,) = place.device_set
        return device
    raise ValueError(
        f"device_put: {place!r} of type {type(place).__name__} was given as a place, but a device, a sharding, None "
        "or a pytree of these is needed; write jaxlab.devices()[0]"
    )


def moved(x: Any, place: Any, semantics: Any) -> Any:
    """The value of ``x`` on a device, where it stays if the device was named."""
    device = target_of(place)
    array = put(x, aval_of(x), device, committed=device is not None)
    if array is x and semantics != Semantics.REUSE_INPUT:
        return copy_to(x, x._sharding, semantics)
    return array


class DevicePut(Primitive):
    """The same values on other devices. In a compiled program, which is for one device, they stay there."""

    name = "device_put"
    multiple_results = True
    additive = True

    def bind(self, *args: Any, **params: Any) -> Any:
        if current.trace.parent is None:
            places = zip(args, params["devices"], params["copy_semantics"], strict=True)
            return [moved(x, place, semantics) for x, place, semantics in places]
        return super().bind(*args, **params)

    def printed(self, params: dict[str, Any]) -> dict[str, Any]:
        return {name: params[name] for name in sorted(params)}

    def abstract_eval(self, *avals: Any, **params: Any) -> list[ShapedArray]:
        return list(avals)

    def lower(self, ctx: Any, *operands: Any, devices: Sequence[Any], **params: Any) -> list[Any]:
        for place in devices:
            device = target_of(place)
            if device is not None and device.platform != ctx.platform:
                raise ValueError(
                    f"device_put: {device} was given in a program for {ctx.platform}, but a compiled program runs "
                    "on one device; call device_put outside of jit"
                )
        return list(operands)

    def jvp(
        self, primals: Sequence[Any], tangents: Sequence[Any], **params: Any
    ) -> tuple[list[Any], list[Any]]:
        values = self.bind(*primals, **params)
        given = [i for i, t in enumerate(tangents) if type(t) is not Zero]
        out = list(tangents)
        if given:
            chosen = {name: tuple(each[i] for i in given) for name, each in params.items()}
            for i, moved in zip(given, self.bind(*[tangents[i] for i in given], **chosen), strict=True):
                out[i] = moved
        return values, out

    def transpose(
        self, ct: Any, *args: Any, devices: Any, srcs: Any, copy_semantics: Any, **params: Any
    ) -> list[Any]:
        given = [i for i, c in enumerate(ct) if type(c) is not Zero]
        if any(copy_semantics[i] == Semantics.DONATE_INPUT for i in given):
            raise ValueError(
                "device_put: donate=True was given for a value that is differentiated in reverse mode, but its "
                "cotangent has no buffer to give back; leave donate out"
            )
        out: list[Any] = [None] * len(ct)
        if given:
            back = self.bind(
                *[ct[i] for i in given],
                devices=tuple(srcs[i] for i in given),
                srcs=tuple(devices[i] for i in given),
                copy_semantics=(Semantics.ALWAYS_COPY,) * len(given),
            )
            for i, moved in zip(given, back, strict=True):
                out[i] = moved
        return out

    def batch(
        self, size: int, args: Sequence[Any], dims: Sequence[int | None], **params: Any
    ) -> tuple[list[Any], list[int | None]]:
        return self.bind(*args, **params), list(dims)

    def reference(self, *arrays: Any, **params: Any) -> Any:
        return list(arrays)

    def examples(self) -> Iterable[Example]:
        reuse = Semantics.REUSE_INPUT
        vector = ShapedArray((3,), np.dtype(np.float32))
        count = ShapedArray((2,), np.dtype(np.int32))
        yield Example((vector,), {"devices": (None,), "srcs": (None,), "copy_semantics": (reuse,)})
        yield Example(
            (vector, count),
            {
                "devices": (backend.default_device(), None),
                "srcs": (None, None),
                "copy_semantics": (Semantics.ALWAYS_COPY, reuse),
            },
            differentiate=(0,),
        )


device_put_p = DevicePut()
