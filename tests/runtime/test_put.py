import ml_dtypes
import numpy as np
import pytest

from jaxlab.config import enable_x64
from jaxlab.core.aval import ShapedArray
from jaxlab.runtime.array import host_value, put


def aval(*shape, dtype=np.float32, weak_type=False):
    return ShapedArray(shape, np.dtype(dtype), weak_type)


def aligned(count):
    """A float32 buffer at a multiple of 64 bytes, which jaxlib would alias."""
    raw = np.zeros(count * 4 + 64, np.uint8)
    start = -raw.ctypes.data % 64
    return raw[start : start + count * 4].view(np.float32)


@pytest.mark.parametrize("count", [4, 1024, 1 << 18])
def test_later_writes_to_the_numpy_buffer_are_not_seen(count):
    buffer = aligned(count)
    x = put(buffer)
    buffer[:] = 7
    assert host_value(x).max() == 0


@pytest.mark.parametrize(
    "value, target",
    [
        (np.zeros(5, np.float32), aval(3)),
        (np.zeros((3, 1), np.float32), aval(3)),
        (np.zeros(3, np.int32), aval(3)),
        (np.zeros(3, np.float32), aval(3, dtype=np.int32)),
        (np.float32(1), aval(1)),
        (1.5, aval(dtype=np.int32)),
        (1j, aval()),
        (1, aval(dtype=np.bool_)),
        (1.0, aval(1)),
        ([1.0], aval(1)),
        ("a", aval()),
        (None, aval()),
    ],
)
def test_what_does_not_fit_the_type_is_refused(value, target):
    with pytest.raises(TypeError, match=r"^put: "):
        put(value, target)


@pytest.mark.parametrize(
    "value",
    [
        np.arange(8, dtype=np.float32)[::2],
        np.arange(6, dtype=np.int32).reshape(2, 3).T,
        np.arange(4, dtype=">f4"),
        np.arange(4, dtype=">i4"),
        np.asfortranarray(np.arange(6.0, dtype=np.float32).reshape(2, 3)),
        np.zeros((0, 3), np.float32),
        np.array([True, False]),
        np.arange(3).astype(ml_dtypes.bfloat16),
        np.arange(3).astype(ml_dtypes.float8_e4m3fn),
        np.arange(3).astype(ml_dtypes.int4),
        np.array([1 + 2j], np.complex64),
        np.float16(1.5),
    ],
)
def test_any_layout_and_dtype_arrives_as_it_is(value):
    x = put(value)
    np.testing.assert_array_equal(host_value(x), value)
    assert x.dtype == value.dtype.newbyteorder("=")
    assert x.shape == value.shape


def test_64_bit_values_are_narrowed_unless_x64_is_on():
    wide = np.arange(3.0)
    assert put(wide).dtype == np.float32
    assert put(1.0).dtype == np.float32
    with enable_x64(True):
        assert put(wide).dtype == np.float64
        assert put(1.0).dtype == np.float64
        assert put(1).dtype == np.int64
        assert host_value(put(0.1))[()] == 0.1
    assert put(1).dtype == np.int32


def test_python_numbers_are_weak_and_take_the_dtype_asked_for():
    assert put(2.0).weak_type and not put(True).weak_type
    x = put(2, aval(dtype=ml_dtypes.bfloat16))
    assert x.dtype == ml_dtypes.bfloat16 and float(x) == 2
    with pytest.raises(OverflowError):
        put(300, aval(dtype=np.int8))
    with pytest.raises(OverflowError):
        put(1 << 40)


def test_an_array_that_is_there_already_is_passed_on(device):
    x = put(np.ones(3, np.float32))
    assert put(x) is x
    assert put(x, x.aval) is x
    weak = put(x, aval(3, weak_type=True))
    assert weak.weak_type and not x.weak_type
    assert weak.unsafe_buffer_pointer() == x.unsafe_buffer_pointer()
    bound = put(x, device=device)
    assert bound.committed and not x.committed
    assert bound.unsafe_buffer_pointer() == x.unsafe_buffer_pointer()
    assert put(bound, device=device) is bound
    with pytest.raises(TypeError, match=r"float32\[3\] was given, but float32\[4\]"):
        put(x, aval(4))


def test_between_devices_and_clients(run_python):
    run_python(
        """
import numpy as np
from jaxlab.runtime import backend, native
from jaxlab.runtime.array import put
first, second = backend.devices("cpu")
x = put(np.arange(3, dtype=np.float32), device=second)
assert x.device is second and x.committed
y = put(x, device=first)
assert y.device is first and np.asarray(y).tolist() == [0, 1, 2]
other = native.xc.make_cpu_client().devices()[0]
z = put(x, device=other)
assert z.device is other and np.asarray(z).tolist() == [0, 1, 2]
try:
    backend.find_device("cpu:9")
except RuntimeError as error:
    print(error)
""",
        JAXLAB_NUM_CPU_DEVICES="2",
    )
