import threading

import numpy as np
import pytest

from jaxlab import tree
from jaxlab.config import config, default_matmul_precision, disable_jit, enable_x64
from jaxlab.core.aval import ShapedArray
from jaxlab.runtime import callbacks, execution
from jaxlab.runtime.array import put
from jaxlab.runtime.native import JaxRuntimeError, set_tracing
from jaxlab.runtime.selftest import parse
from jaxlab.runtime.sharding import single_device
from tests.runtime.programs import CALLBACK, DONATE, F4, add_module, compiled, dispatch


@pytest.fixture
def ones():
    return put(np.ones(4, np.float32))


@pytest.fixture
def misses():
    return []


@pytest.fixture
def add(device, misses):
    return dispatch(compiled(add_module(), device).executable, device, misses)


def test_the_second_call_needs_no_python(add, ones, misses):
    for _ in range(3):
        assert add(ones, ones).tolist() == [2, 2, 2, 2]
    assert len(misses) == 1
    out = add(ones, np.ones(4, np.float32))
    assert out.tolist() == [2, 2, 2, 2] and out.aval == F4 and not out.committed


def test_a_committed_argument_commits_the_result(add, ones, device, misses):
    bound = put(ones, device=device)
    assert add(bound, ones).committed and add(bound, ones).committed
    assert not add(ones, ones).committed
    assert len(misses) == 2


@pytest.mark.parametrize(
    "setting",
    [lambda: enable_x64(True), lambda: default_matmul_precision("highest")],
    ids=["x64", "precision"],
)
def test_an_option_that_programs_depend_on_makes_the_call_unknown(add, ones, misses, setting):
    add(ones, ones)
    with setting():
        add(ones, ones)
        assert len(misses) == 2
    add(ones, ones)
    with setting():
        add(ones, ones)
    assert len(misses) == 2


def test_a_global_option_too(add, ones, misses):
    add(ones, ones)
    config.update("default_matmul_precision", "highest")
    try:
        add(ones, ones)
        assert len(misses) == 2
    finally:
        config.update("default_matmul_precision", None)
    add(ones, ones)
    assert len(misses) == 2


def test_while_a_trace_is_current_every_call_goes_through_python(add, ones, misses):
    add(ones, ones)
    add(ones, ones)
    set_tracing(True)
    try:
        add(ones, ones)
        assert len(misses) == 2
        seen = []
        thread = threading.Thread(target=lambda: seen.append(add(ones, ones)))
        thread.start()
        thread.join()
        assert len(misses) == 2, "another thread is not tracing"
    finally:
        set_tracing(False)
    add(ones, ones)
    assert len(misses) == 2


def test_disable_jit_calls_the_function_itself(add, ones):
    with disable_jit():
        assert add(ones, ones) == "in python"


def test_a_deleted_argument_is_named_on_the_first_and_on_later_calls(add, ones):
    add(ones, ones)
    gone = put(np.ones(4, np.float32))
    gone.delete()
    with pytest.raises(RuntimeError, match=r"^Array has been deleted: float32\[4\]"):
        add(gone, ones)


def test_a_donated_argument_is_gone_and_using_it_says_so(device, ones, misses):
    double = dispatch(compiled(parse(DONATE), device).executable, device, misses, num_args=1)
    x = put(np.ones(4, np.float32))
    assert double(x).tolist() == [2, 2, 2, 2]
    assert x.is_deleted()
    # What jaxlib 0.10's C++ raises, and so `jax`: no Python is there to say it better. Later ones ask us first.
    with pytest.raises((ValueError, RuntimeError), match="deleted or donated") as raised:
        double(x)
    explained = execution.launch_error(raised.value, [x])
    assert type(explained) is RuntimeError and str(explained).startswith("Array has been deleted: float32[4]")
    with pytest.raises(RuntimeError, match="Array has been deleted"):
        execution.execute(compiled(parse(DONATE), device).executable, [x], [F4], device)


def test_a_view_of_the_value_survives_donation(device, misses):
    double = dispatch(compiled(parse(DONATE), device).executable, device, misses, num_args=1)
    x = put(np.ones(4, np.float32))
    view = np.asarray(x)
    double(x).block_until_ready()
    assert view.tolist() == [1, 1, 1, 1]


def test_a_wrong_number_or_size_of_arguments_is_one_class_of_error(device, ones):
    executable = compiled(add_module(), device).executable
    with pytest.raises(JaxRuntimeError):
        execution.execute(executable, [ones], [F4], device)
    with pytest.raises(JaxRuntimeError):
        execution.execute(executable, [ones, put(np.ones(5, np.float32))], [F4], device)
    with pytest.raises(JaxRuntimeError):
        execution.execute(executable, [ones, ones], [F4, F4], device)


def test_arrays_on_two_devices(run_python):
    done = run_python(
        """
import numpy as np
from jaxlab.runtime import backend, execution
from jaxlab.runtime.array import put
first, second = backend.devices("cpu")
x, y = (put(np.ones(3, np.float32), device=device) for device in (first, second))
free = put(np.ones(3, np.float32))
assert execution.device_of([free, y], first) == (second, True)
assert execution.device_of([free, 1.0], first) == (first, False)
try:
    execution.device_of([free, x, y], first, name="add")
except ValueError as error:
    print(error)
""",
        JAXLAB_NUM_CPU_DEVICES="2",
    )
    assert done.stdout == (
        "add: incompatible devices: argument 1 of type f32[3] is on cpu:0, but argument 2 of type f32[3] "
        "is on cpu:1; move one of them with device_put(x, device)\n"
    )


def test_a_callback_gets_arrays_and_its_exception_comes_back_itself(device, ones):
    class Mine(Exception):
        pass

    def fail(x):
        raise Mine("no")

    twice = compiled(parse(CALLBACK), device, callbacks=[callbacks.guarded(lambda x: x * 2, [F4])])
    assert execution.execute(twice.executable, [ones], [F4], device)[0].tolist() == [2, 2, 2, 2]
    assert twice.source == "compiled" and twice.reason == "it calls Python functions"
    failing = compiled(parse(CALLBACK), device, callbacks=[callbacks.guarded(fail, [F4])])
    with pytest.raises(Mine, match="no"):
        execution.execute(failing.executable, [ones], [F4], device)


@pytest.mark.parametrize(
    "result", [np.ones(3, np.float32), np.ones(4, np.int32), (), (np.ones(4), np.ones(4)), "x"]
)
def test_what_a_callback_returns_is_checked(device, ones, result):
    program = compiled(parse(CALLBACK), device, callbacks=[callbacks.guarded(lambda x: result, [F4], "mine")])
    with pytest.raises(JaxRuntimeError, match=r"^mine: "):
        execution.execute(program.executable, [ones], [F4], device)


def test_constants_come_before_the_arguments_and_dropped_ones_are_skipped(device, ones):
    executable = compiled(add_module(), device).executable
    constant = put(np.full(4, 5, np.float32))

    def on_miss(x, unused):
        (out,) = execution.execute(executable, [constant, x], [F4], device)
        fast = execution.fast_path(
            executable,
            tree.structure(0),
            sharding=single_device(device),
            out_avals=[F4],
            committed=False,
            kept=[True, True, False],
            const_args=[constant],
        )
        return out, fast, False

    f = execution.pjit("f", on_miss, on_miss)
    for _ in range(3):
        assert f(ones, 3.0).tolist() == [6, 6, 6, 6]


def test_static_arguments(device, ones):
    seen = []

    def on_miss(x, *, mode):
        seen.append(mode)
        return x, None, False

    f = execution.pjit("f", on_miss, on_miss, static_argnames=["mode"])
    f(ones, mode="a")
    assert seen == ["a"]
    with pytest.raises(ValueError, match=r"[Nn]on-hashable"):
        f(ones, mode=[])


def test_result_types_are_made_once(device):
    aval = ShapedArray((4,), np.dtype(np.float32), True)
    first = execution.result_handlers([aval], single_device(device), False)
    assert execution.result_handlers([aval], single_device(device), False)[0] is first[0]
