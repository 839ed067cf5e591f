"""`Array`: jaxlib's C++ array, and the attributes that make it one of ours.

The class is final, so attributes are attached to it; operators and most methods come from `jaxlab.numpy`. On
jaxlib 0.10 several C++ methods crash the process when the array was deleted: each is replaced by one that
looks first.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from jaxlab.core.aval import ShapedArray, aval_makers
from jaxlab.runtime import transfer
from jaxlab.runtime.coexistence import attach, native
from jaxlab.runtime.native import J, JaxRuntimeError
from jaxlab.runtime.sharding import single_device
from jaxlab.runtime.transfer import Array, check_alive, deleted_error, from_dlpack, host_value, put

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Array", "Shard", "attach", "from_dlpack", "host_value", "put"]

aval_makers[Array] = operator.attrgetter("aval")

_copy_to_host_async = native("_copy_single_device_array_to_host_async")


@dataclass(frozen=True, slots=True)
class Shard:
    """The part of an array that lies on one device: which part (``index``), and its value (``data``)."""

    device: Any
    index: tuple[slice, ...]
    replica_id: int
    data: Any


def _shards(self: Any) -> list[Shard]:
    """The parts of the array on the devices of this process."""
    check_alive(self)
    sharding, aval = self._sharding, self.aval
    if len(sharding.device_set) == 1:
        (device,) = sharding.device_set
        return [Shard(device, (slice(None),) * len(aval.shape), 0, self)]
    where = sharding.devices_indices_map(aval.shape)
    replicas: dict[str, int] = {}
    shards = []
    for part, device in zip(self._arrays, sharding._addressable_device_assignment):
        key = str(where[device])
        replicas[key] = replicas.get(key, -1) + 1
        part_aval = ShapedArray(sharding.shard_shape(aval.shape), aval.dtype, aval.weak_type)
        data = part._rewrap_with_aval_and_sharding(part_aval, single_device(device))
        shards.append(Shard(device, where[device], replicas[key], data))
    return shards


def _device(self: Any) -> Any:
    """The device the array lies on, or its sharding if there are several."""
    check_alive(self)
    devices = self._sharding.device_set
    return next(iter(devices)) if len(devices) == 1 else self._sharding


def _devices(self: Any) -> set[Any]:
    """The set of devices the array lies on."""
    check_alive(self)
    return set(self._sharding.device_set)


def _len(self: Any) -> int:
    shape = self.aval.shape
    if not shape:
        raise TypeError("len() of unsized object")
    return int(shape[0])


# Conversions to Python numbers.


def _bool(self: Any) -> bool:
    size = self.aval.size
    if size == 1:
        return bool(host_value(self).item())
    if size == 0:
        raise ValueError(
            "The truth value of an empty array is ambiguous; write x.size > 0 to ask for elements"
        )
    raise ValueError(
        f"The truth value of an array with {size} elements, shape {self.aval.shape}, is ambiguous; "
        "write x.any() or x.all()"
    )


def _number(convert: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def to_number(self: Any) -> Any:
        if self.aval.shape:
            raise TypeError(
                f"Only scalar arrays can be converted to Python scalars; {self.aval.str_short()} was given "
                f"to {convert.__name__}(); write x.item() if it has one element"
            )
        return convert(host_value(self).item())

    return to_number


def _index(self: Any) -> int:
    aval = self.aval
    if aval.shape or aval.dtype.kind not in "iu":
        raise TypeError(
            f"Only integer scalar arrays can be converted to an index, but {aval.str_short()} was given"
        )
    return int(host_value(self).item())


def _item(self: Any, *args: Any) -> Any:
    """The one element as a Python number; with arguments, the element at that flat or full index."""
    check_alive(self)
    if not args and self.aval.size != 1:
        raise ValueError(
            f"can only convert an array of size 1 to a Python scalar, but {self.aval.str_short()} was given"
        )
    return host_value(self).item(*args)


def _tolist(self: Any) -> Any:
    """Nested lists of Python numbers."""
    return host_value(self).tolist()


# Text.


def _repr(self: Any) -> str:
    aval, sharding = self.aval, self._sharding
    tail = f"dtype={aval.dtype.name}" + (", weak_type=True)" if aval.weak_type else ")")
    if not (sharding.is_fully_addressable or sharding.is_fully_replicated):
        return f"Array(shape={aval.shape}, {tail}"
    check_alive(self)
    width = np.get_printoptions()["linewidth"]
    if aval.size == 0:
        body = f"[], shape={aval.shape}"
    else:
        body = np.array2string(
            host_value(self), prefix="Array(", suffix=",", separator=", ", max_line_width=width
        )
    # Where the dtype does not fit on the last line, JAX puts a wide gap before it, and no line break.
    last_line = len(body) - body.rfind("\n")
    gap = " " if last_line + len(tail) + 2 <= width else " " * len("Array(")
    return f"Array({body},{gap}{tail}"


def _str(self: Any) -> str:
    sharding = self._sharding
    if not (sharding.is_fully_addressable or sharding.is_fully_replicated):
        return _repr(self)
    return str(host_value(self))


def _format(self: Any, spec: str) -> str:
    value = host_value(self)
    return format(value[()], spec) if value.ndim == 0 else format(value, spec)


# Other libraries, copies.


def _to_numpy(self: Any, dtype: Any = None, context: Any = None, copy: bool | None = None) -> NDArray[Any]:
    """The value as a NumPy array, read-only unless it is a copy."""
    return np.array(host_value(self), dtype=dtype, copy=copy)


def _dlpack(
    self: Any, *, stream: Any = None, max_version: Any = None, dl_device: Any = None, copy: bool | None = None
) -> Any:
    """A DLPack capsule that shares the memory."""
    check_alive(self)
    if dl_device is not None and tuple(map(int, dl_device)) != transfer.dlpack_device(self):
        raise BufferError(
            f"__dlpack__: dl_device={dl_device} was asked for, but the array is on "
            f"{_device(self)}; move it first"
        )
    if copy:
        self = _copied(self)
    return J.buffer_to_dlpack_managed_tensor(self, stream)


def _dlpack_device(self: Any) -> tuple[int, int]:
    check_alive(self)
    return transfer.dlpack_device(self)


def _rebuilt(value: NDArray[Any], weak_type: bool) -> Any:
    return put(value, ShapedArray(value.shape, value.dtype, weak_type))


def _reduce(self: Any) -> tuple[Any, ...]:
    return _rebuilt, (np.asarray(host_value(self)), self.aval.weak_type)


def _copied(self: Any) -> Any:
    """The same value in a buffer of its own."""
    check_alive(self)
    sharding = self._sharding
    devices = sharding._internal_device_list
    (copy,) = J.batched_copy_array_to_devices_with_sharding(
        [self], [devices], [sharding], [J.ArrayCopySemantics.ALWAYS_COPY]
    )
    return copy


def _deepcopy(self: Any, memo: Any = None) -> Any:
    return _copied(self)


def _copy_to_host(self: Any) -> None:
    """Start copying the value to the host, so that reading it later waits less."""
    check_alive(self)
    for part in self._arrays if len(self._sharding.device_set) > 1 else (self,):
        _copy_to_host_async(part)


# Guards.


def _checked_first(method: Any) -> Callable[..., Any]:
    """For what crashes on a deleted array."""

    def checked(self: Any) -> Any:
        check_alive(self)
        return method(self)

    checked.__name__ = method.__name__
    return checked


def _explained(name: str, doc: str) -> Callable[..., Any]:
    """For what raises on a deleted array in words of jaxlib's. Costs nothing where all is well."""
    method = native(name)

    def explained(self: Any) -> Any:
        try:
            return method(self)
        except JaxRuntimeError:
            if self.is_deleted():
                raise deleted_error(self) from None
            raise

    explained.__name__, explained.__doc__ = name, doc
    return explained


def _attach_all() -> None:
    def of(path: str, doc: str) -> property:  # an attrgetter is C: no Python frame to read a shape
        return property(operator.attrgetter(path), doc=doc)

    properties = {
        "shape": of("aval.shape", "The lengths of the axes."),
        "dtype": of("aval.dtype", "The type of the elements."),
        "ndim": of("aval.ndim", "The number of axes."),
        "size": of("aval.size", "The number of elements."),
        "nbytes": of("aval.nbytes", "The size of all elements together, in bytes."),
        "itemsize": of("aval.dtype.itemsize", "The size of one element, in bytes."),
        "weak_type": of("aval.weak_type", "Whether the dtype gives way to that of another operand."),
        "sharding": of("_sharding", "How the array lies on its devices."),
        "committed": of("_committed", "Whether the array insists on its device when it meets others."),
        "is_fully_addressable": of("_sharding.is_fully_addressable", "Whether this process holds all parts."),
        "is_fully_replicated": of("_sharding.is_fully_replicated", "Whether each device holds all of it."),
        "device": property(_device),
        "addressable_shards": property(_shards),
        "global_shards": property(_shards),
        "_value": property(host_value),
        "_pjrt_layout": property(_checked_first(native("_pjrt_layout").fget)),
    }
    methods = {
        "devices": _devices,
        "item": _item,
        "tolist": _tolist,
        "copy_to_host_async": _copy_to_host,
        "clone": _checked_first(native("clone")),
        "is_ready": _checked_first(native("is_ready")),
        "platform": _checked_first(native("platform")),
        "block_until_ready": _explained(
            "block_until_ready", "Wait until the value is there; returns the array."
        ),
        "on_device_size_in_bytes": _explained(
            "on_device_size_in_bytes", "The size of the buffer on the device."
        ),
        "unsafe_buffer_pointer": _explained(
            "unsafe_buffer_pointer", "The address of the buffer on the device."
        ),
        "__len__": _len,
        "__bool__": _bool,
        "__int__": _number(int),
        "__float__": _number(float),
        "__complex__": _number(complex),
        "__index__": _index,
        "__repr__": _repr,
        "__str__": _str,
        "__format__": _format,
        "__array__": _to_numpy,
        "__dlpack__": _dlpack,
        "__dlpack_device__": _dlpack_device,
        "__reduce__": _reduce,
        "__copy__": _copied,
        "__deepcopy__": _deepcopy,
    }
    for name, value in {**properties, **methods}.items():
        attach(name, value)
    attach("__hash__", None)
    attach("__array_priority__", 100)


_attach_all()
