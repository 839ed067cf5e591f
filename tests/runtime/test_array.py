import copy
import operator
import pickle

import ml_dtypes
import numpy as np
import pytest

from jaxlab.core.aval import ShapedArray
from jaxlab.runtime.array import Array, from_dlpack, host_value, put
from jaxlab.runtime.native import J


@pytest.fixture
def vector():
    return put(np.arange(3, dtype=np.float32))


def test_what_an_array_tells(vector, device):
    assert isinstance(vector, Array)
    assert (vector.shape, vector.ndim, vector.size, vector.nbytes, vector.itemsize) == ((3,), 1, 3, 12, 4)
    assert vector.dtype == np.float32 and not vector.weak_type
    assert vector.aval == ShapedArray((3,), np.dtype(np.float32))
    assert vector.device is device and vector.devices() == {device}
    assert vector.sharding.device_set == {device}
    assert vector.is_fully_addressable and vector.is_fully_replicated and not vector.committed
    (shard,) = vector.addressable_shards
    assert shard.device is device and shard.index == (slice(None),) and shard.data is vector
    assert vector.on_device_size_in_bytes() == 12
    assert vector.block_until_ready() is vector and vector.is_ready()
    assert len(vector) == 3
    assert vector.__array_priority__ == 100


def test_one_sharding_per_device(vector, device):
    other = put(np.ones(2, np.float32))
    assert vector.sharding is other.sharding
    assert type(vector.sharding)(device) is vector.sharding
    assert pickle.loads(pickle.dumps(vector.sharding)) is vector.sharding


SCALARS = [
    (np.float32(2.5), float, 2.5),
    (np.float32(2.5), int, 2),
    (np.int32(3), int, 3),
    (np.int32(3), operator.index, 3),
    (np.int32(3), complex, 3 + 0j),
    (np.complex64(1 + 2j), complex, 1 + 2j),
    (np.bool_(True), int, 1),
    (ml_dtypes.bfloat16(1.5), float, 1.5),
    (np.ones((1, 1), np.float32), bool, True),
    (np.ones((1,), np.int32), lambda x: x.item(), 1),
]


@pytest.mark.parametrize("value, convert, expected", SCALARS)
def test_conversions_to_python_numbers(value, convert, expected):
    assert convert(put(value)) == expected


@pytest.mark.parametrize(
    "value, convert, error, text",
    [
        (np.zeros(3, np.float32), bool, ValueError, "array with 3 elements"),
        (np.zeros(0, np.float32), bool, ValueError, "empty array"),
        (np.zeros(1, np.float32), float, TypeError, r"Only scalar arrays .* f32\[1\] was given to float"),
        (np.zeros(3, np.int32), operator.index, TypeError, "Only integer scalar arrays"),
        (np.float32(1), operator.index, TypeError, "Only integer scalar arrays"),
        (np.bool_(True), operator.index, TypeError, "Only integer scalar arrays"),
        (np.complex64(1), float, TypeError, "complex"),
        (np.zeros(3, np.float32), lambda x: x.item(), ValueError, "size 1"),
        (np.float32(1), len, TypeError, "unsized"),
        (np.float32(1), hash, TypeError, "unhashable"),
    ],
)
def test_conversions_that_make_no_sense(value, convert, error, text):
    with pytest.raises(error, match=text):
        convert(put(value))


def test_numpy_sees_the_value_read_only(vector):
    value = np.asarray(vector)
    assert value.tolist() == [0, 1, 2] and not value.flags.writeable
    assert vector.__array__(copy=True).flags.writeable
    assert np.asarray(vector, np.int64).dtype == np.int64
    with pytest.raises(ValueError):
        np.array(vector, dtype=np.int32, copy=False)
    assert np.asarray(put(np.ones(2, ml_dtypes.bfloat16))).dtype == ml_dtypes.bfloat16


def test_reading_does_not_keep_the_buffer(vector):
    host_value(vector)
    assert vector._npy_value is None


@pytest.mark.parametrize("dtype", [np.float32, np.int8, np.bool_, ml_dtypes.bfloat16, ml_dtypes.int4])
@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_copies_are_independent(dtype, duplicate):
    x = put(np.ones(2).astype(dtype), ShapedArray((2,), np.dtype(dtype), True))
    y = duplicate(x)
    assert y.aval == x.aval
    x.delete()
    np.testing.assert_array_equal(np.asarray(y), np.ones(2).astype(dtype))


def test_dlpack_both_ways(vector):
    np.testing.assert_array_equal(np.from_dlpack(vector), [0, 1, 2])
    assert from_dlpack(vector).unsafe_buffer_pointer() == vector.unsafe_buffer_pointer()
    bf16 = put(np.ones(2, ml_dtypes.bfloat16))
    raw = J.dlpack_managed_tensor_to_buffer(bf16.__dlpack__(), bf16.device, None)
    assert raw._rewrap_with_aval_and_sharding(bf16.aval, bf16.sharding).tolist() == [1, 1]
    strided = np.arange(12, dtype=np.float32).reshape(3, 4)[:, ::2]
    np.testing.assert_array_equal(np.asarray(from_dlpack(strided)), strided)
    assert from_dlpack(np.arange(3.0)).dtype == np.float32
    source = np.ones(3, np.float32)
    copied = from_dlpack(source, copy=True)
    source[:] = 0
    assert copied.tolist() == [1, 1, 1]
    with pytest.raises(BufferError):
        from_dlpack(np.arange(3.0), copy=False)
    with pytest.raises(TypeError, match=r"^from_dlpack: "):
        from_dlpack([1, 2])


FINE_ON_DELETED = {
    *("shape", "dtype", "ndim", "size", "nbytes", "itemsize", "weak_type", "aval", "sharding", "committed"),
    *("is_fully_addressable", "is_fully_replicated", "is_deleted", "delete", "traceback"),
    *(
        "_sharding",
        "_committed",
        "_npy_value",
        "__array_priority__",
        "__len__",
        "__doc__",
        "__module__",
        "__dict__",
    ),
    *("__new__", "__init__", "__class__", "__hash__", "__del__", "__annotations__", "__weakref__"),
}


def test_nothing_crashes_on_a_deleted_array(run_python):
    """Every method and property without arguments, in a process that a segfault may end."""
    done = run_python(
        f"""
import sys
import numpy as np
from jaxlab.runtime.array import Array, put
x = put(np.arange(3, dtype=np.float32))
x.delete()
for name in list(vars(Array)):
    if name in {FINE_ON_DELETED!r} or name.startswith("_single") or name in (
        "_rewrap_with_aval_and_sharding", "_replace_with", "__cuda_array_interface__"):
        continue
    print(name, flush=True)
    try:
        value = getattr(x, name)
        value = value() if callable(value) else value
    except NotImplementedError:
        pass  # a method that needs arguments says so
    except RuntimeError as error:
        assert "deleted" in str(error), error
    except (TypeError, ValueError):
        pass  # an argument is missing, or the dtype does not fit: nothing was read
    else:
        assert name.startswith("_") or name == "at" or value is x, name
for read in (repr, str, np.asarray, lambda x: x.tolist()):
    try:
        read(x)
    except RuntimeError as error:
        assert str(error).startswith("Array has been deleted: float32[3]"), error
    else:
        raise AssertionError(read)
assert x.shape == (3,) and x.is_deleted()
x.delete()
""",
        check=False,
    )
    assert done.returncode == 0, done.stdout[-300:] + done.stderr[-1500:]


ORACLE = """
import sys
import numpy as np, ml_dtypes
if sys.argv[-1:] == ["jax"] or {jax}:
    import jax
    def make(value, weak=False):
        return jax.device_put(value) if not weak else jax.numpy.asarray(value)
else:
    from jaxlab.runtime.array import put
    def make(value, weak=False):
        return put(value)
values = [
    np.arange(3, dtype=np.float32), np.float32(2.5), np.zeros((0, 3), np.float32), np.zeros((2, 0), np.int8),
    np.arange(6, dtype=np.int32).reshape(2, 3), np.array([True, False]), np.array(1 + 2j, np.complex64),
    np.ones(3, ml_dtypes.bfloat16), np.array(1.5, ml_dtypes.bfloat16),
    np.linspace(0, 1, 30, dtype=np.float32),
    np.arange(2000, dtype=np.int32), np.full((3, 20), np.pi, np.float32), np.full(9, 0.1, np.float32),
    np.full(10, 0.1, np.float32), np.full(14, 0.1, np.float32),
    np.arange(24, dtype=np.int32).reshape(2, 3, 4),
    np.arange(20, dtype=np.int32), np.arange(21, dtype=np.int32), np.array([np.nan, np.inf], np.float32),
    *(np.arange(n, dtype=np.uint8) for n in range(12, 22)),
]
for width in (75, 40, 120):
    np.set_printoptions(linewidth=width)
    for value in values:
        print(repr(make(value))); print(str(make(value))); print(format(make(value)))
for value in (1.5, 2, True, 1j):
    print(repr(make(value, True))); print(f"{{make(value, True)}}")
print(f"{{make(np.float32(2.5)):.3f}} {{make(np.int32(7)):>5}}")
"""


def test_text_is_that_of_jax(run_python):
    pytest.importorskip("jax")
    ours, theirs = (run_python(ORACLE.format(jax=jax)).stdout for jax in (False, True))
    assert ours.splitlines() == theirs.splitlines()
