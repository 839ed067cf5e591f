"""Values on their way between the host and a device."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from jaxlab import dtypes
from jaxlab.core.aval import ShapedArray, aval_of
from jaxlab.runtime import backend, guards
from jaxlab.runtime.coexistence import without_jax
from jaxlab.runtime.keys import KeyArray
from jaxlab.runtime.native import J, logging_transfers
from jaxlab.runtime.sharding import single_device

if TYPE_CHECKING:
    from numpy.typing import NDArray

Array = J.ArrayImpl

_put = J.batched_device_put
# The default of jaxlib aliases a NumPy buffer that happens to be aligned: a later write to it would change
# the array.
_COPY = J.HostBufferSemantics.IMMUTABLE_ONLY_DURING_CALL

# What a Python number may become, besides a dtype of its own kind: numbers are never cut short without a
# word.
_SCALAR_TARGETS = {bool: np.generic, int: np.number, float: np.inexact, complex: np.complexfloating}


def put(x: Any, aval: ShapedArray | None = None, device: Any = None, *, committed: bool | None = None) -> Any:
    """An array of type ``aval`` on a device, holding the value of ``x``.

    Args:
      x: a NumPy array or scalar (its buffer is copied, so that it may be written to afterwards), a Python
        number, or an array, which is passed on as it is where it already has the type and place that are
        wanted.
      aval: shape, dtype and weak type; those of ``x`` by default. Its dtype must be that of ``x``, up to the
        width that ``enable_x64`` allows; Python numbers take any dtype that can hold them.
      device: where to; by default the place of an array, and the default device for everything else.
      committed: whether the array insists on its device when it meets others; by default if ``device`` was
        given.

    Raises:
      TypeError: if the shape or dtype of ``x`` is not that of ``aval``, or ``x`` is no array type.

    >>> put(np.arange(3, dtype=np.float32))
    Array([0., 1., 2.], dtype=float32)
    """
    kind = type(x)
    if aval is None:
        aval = aval_of(x)
        # jaxlib converts a number just as `aval_of` types it, but has its own error for what overflows.
        exact = (
            kind is float or kind is bool or kind is complex or (kind is int and -(1 << 31) <= x < 1 << 31)
        )
    else:
        exact = False
    if committed is None:
        committed = device is not None
    if kind is Array:
        return _put_array(x, aval, device, committed)
    if kind is KeyArray:
        if x.aval != aval:
            raise _mismatch(x.shape, x.dtype, aval)
        words = put(x.words, None, device, committed=committed)
        return x if words is x.words else KeyArray(aval, words)
    if device is None:
        device = backend.default_device()
    if kind is np.ndarray or isinstance(x, np.generic | np.ndarray):
        if x.shape != aval.shape:
            raise _mismatch(x.shape, x.dtype, aval)
        if x.dtype is not aval.dtype:
            x = _as_dtype(x, aval)
    elif kind in _SCALAR_TARGETS:
        if not exact:
            x = _number(x, aval)
    else:
        raise TypeError(
            f"put: a value of type {kind.__name__} was given, but an array, a NumPy array or a Python number "
            "is needed"
        )
    if logging_transfers.value:
        guards.log("host_to_device", aval, device)
    return _put(aval, single_device(device), [x], [device], committed, False, _COPY)


def _mismatch(shape: tuple[int, ...], dtype: Any, aval: ShapedArray) -> TypeError:
    given = f"{dtype}[{','.join(map(str, shape))}]"
    needed = f"{aval.dtype}[{','.join(map(str, aval.shape))}]"
    return TypeError(f"put: a value of type {given} was given, but {needed} is needed; convert it first")


def _as_dtype(x: Any, aval: ShapedArray) -> Any:
    dtype = aval.dtype
    # Also another byte order, which jaxlib would misread without a word.
    if x.dtype != dtype:
        if dtypes.canonicalize(x.dtype.newbyteorder("=")) != dtype:
            raise _mismatch(x.shape, x.dtype, aval)
        return x.astype(dtype)
    return x


def _number(x: complex, aval: ShapedArray) -> Any:
    if aval.shape or not dtypes.issubdtype(aval.dtype, _SCALAR_TARGETS[type(x)]):
        raise _mismatch((), type(x).__name__, aval)
    return np.asarray(x, aval.dtype)


def _put_array(x: Any, aval: ShapedArray, device: Any, committed: bool) -> Any:
    own = x.aval
    if type(own) is not ShapedArray:  # jax's: its buffer is read on the host
        return put(np.asarray(x), aval, device, committed=committed)
    if own.shape != aval.shape or own.dtype != aval.dtype:
        raise _mismatch(own.shape, own.dtype, aval)
    check_alive(x)
    sharding = x._sharding
    if device is None or sharding.device_set == {device}:
        if own.weak_type != aval.weak_type:
            x = x._rewrap_with_aval_and_sharding(aval, sharding)
        if device is None or x._committed == committed or not committed:
            return x
        with guards.staying():
            return _put(aval, sharding, [x], [device], True)
    if logging_transfers.value:
        guards.log("device_to_device", aval, device)
    source = next(iter(sharding.device_set))
    if len(sharding.device_set) > 1 or source.client is not device.client:
        return _put(aval, single_device(device), [host_value(x)], [device], committed, False, _COPY)
    return _put(aval, single_device(device), [x], [device], committed)


def copy_to(x: Any, sharding: Any, semantics: Any) -> Any:
    """The array on ``sharding``, of the same client, in a buffer of its own or its own buffer given away."""
    check_alive(x)
    if type(x) is KeyArray:
        return KeyArray(x.aval, copy_to(x.words, sharding, semantics))
    (copy,) = J.batched_copy_array_to_devices_with_sharding(
        [x], [sharding.device_list], [sharding], [semantics]
    )
    return copy


def check_alive(x: Any) -> None:
    """RuntimeError if the array was deleted, or donated to a computation."""
    if x.is_deleted():
        raise deleted_error(x)


def deleted_error(x: Any) -> RuntimeError:
    """The error for the use of an array whose buffer is gone."""
    aval = x.aval
    return RuntimeError(
        f"Array has been deleted: {aval.dtype}[{','.join(map(str, aval.shape))}] was given, but its "
        "buffer was deleted or donated to a computation; use the result of that computation, or a copy made "
        "before it"
    )


def host_value(x: Any) -> NDArray[Any]:
    """The value of an array as a read-only NumPy array, without a copy where the device is the host."""
    value: NDArray[Any] = x._npy_value
    if value is not None:
        return value
    check_alive(x)
    if logging_transfers.value:
        guards.log("device_to_host", x.aval, "the host")
    if len(x._sharding.device_set) > 1:
        value, copied = _assembled(x), True
    else:
        value, copied = _whole(x)
    value.flags.writeable = False
    if copied:  # a kept view of the buffer itself would turn a later donation into a copy
        x._npy_value = value
    return value


def _whole(x: Any) -> tuple[NDArray[Any], bool]:
    """The value of a buffer on one device, and whether it had to be copied."""
    if x.aval.dtype.isbuiltin == 1:
        try:
            return np.asarray(memoryview(x)), False
        except BufferError:
            pass  # not in the memory of the host
    return without_jax(_read, x)


_read = Array._single_device_array_to_np_array_did_copy


def _assembled(x: Any) -> NDArray[Any]:
    """A sharded array put together on the host, from its parts on the devices of this process."""
    shape, sharding = x.aval.shape, x._sharding
    parts = x._arrays
    if sharding.is_fully_replicated:
        whole: NDArray[Any] = _whole(parts[0])[0]
        return whole.view()
    if not sharding.is_fully_addressable:
        raise RuntimeError(
            f"the value of {x.aval} was asked for, but parts of it are on devices of other processes; "
            "gather it first"
        )
    where = sharding.devices_indices_map(shape)
    whole = np.empty(shape, x.aval.dtype)
    for part in parts:
        (device,) = part._sharding._internal_device_list
        whole[where[device]] = _whole(part)[0]
    return whole


def from_dlpack(external: Any, device: Any = None, copy: bool | None = None) -> Any:
    """An array over the memory of another library's array, which must not be written to while the array is in
    use.

    Args:
      external: anything with ``__dlpack__`` and ``__dlpack_device__``.
      device: where the result is to lie; where the data is, by default.
      copy: True to copy in any case, False to raise rather than copy, None to copy where sharing is not
        possible.

    Raises:
      BufferError: if ``copy`` is False and the memory cannot be shared.

    >>> from_dlpack(np.arange(3, dtype=np.float32))
    Array([0., 1., 2.], dtype=float32)
    """
    if not hasattr(external, "__dlpack__") or not hasattr(external, "__dlpack_device__"):
        raise TypeError(
            f"from_dlpack: a value of type {type(external).__name__} was given, but an object with "
            "__dlpack__ and __dlpack_device__ is needed; wrap a bare capsule in the array it came from"
        )
    kind, number = external.__dlpack_device__()
    if int(kind) in _HOST_MEMORY:
        return _from_host_memory(external, device, copy)
    source = _device_of_memory(int(kind), number)
    array = _import_capsule(external, source, copy)
    return array if device is None or device == source else put(array, array.aval, device)


def _from_host_memory(external: Any, device: Any, copy: bool | None) -> Any:
    # Through NumPy where it can, since jaxlib's own import of a capsule imports `jax` where that is
    # installed.
    try:
        value = np.from_dlpack(external)
    except (BufferError, RuntimeError, TypeError):  # a dtype that NumPy has not, such as bfloat16
        target = device or backend.client("cpu").local_devices()[0]
        if target.platform != "cpu":
            raise
        return _import_capsule(external, target, copy)
    aval = aval_of(value)
    target = device or backend.client("cpu").local_devices()[0]
    if copy or aval.dtype != value.dtype or target.platform != "cpu":
        if copy is False:
            raise BufferError(
                f"from_dlpack: {value.dtype} data in host memory was given with copy=False, but {target} "
                f"needs a copy as {aval.dtype}"
            )
        return put(value, aval, target)
    array = _put(aval, single_device(target), [value], [target], True, False, J.HostBufferSemantics.ZERO_COPY)
    if copy is False and array.unsafe_buffer_pointer() != value.__array_interface__["data"][0]:
        raise BufferError(
            "from_dlpack: copy=False was given, but the memory is not aligned so that it can be shared"
        )
    return array


_HOST_MEMORY = (1, 3)  # plain and pinned
_ACCELERATORS = {2: "cuda", 10: "rocm"}


def _device_of_memory(kind: int, number: int) -> Any:
    platform = _ACCELERATORS.get(kind)
    if platform is None:
        raise BufferError(
            f"from_dlpack: memory of DLPack device type {kind} was given, but only CPU and GPU are known"
        )
    return backend.client(platform).device_from_local_hardware_id(number)


def dlpack_device(x: Any) -> tuple[int, int]:
    """The DLPack device type and number of the memory of an array."""
    (device,) = x._sharding.device_set
    if device.platform == "cpu":
        return 1, 0
    kinds = {name: kind for kind, name in _ACCELERATORS.items()}
    kind = kinds.get(device.client.platform)
    if kind is None:
        raise BufferError(
            f"__dlpack_device__: an array on {device} was given, but DLPack has no type for its memory"
        )
    return kind, device.local_hardware_id


def _import_capsule(external: Any, device: Any, copy: bool | None) -> Any:
    """An array over the memory that a capsule describes; jaxlib makes it without a type of ours."""
    raw = without_jax(J.dlpack_managed_tensor_to_buffer, external.__dlpack__(), device, None, copy)
    value, _ = without_jax(_read, raw)
    return raw._rewrap_with_aval_and_sharding(ShapedArray(value.shape, value.dtype), single_device(device))
