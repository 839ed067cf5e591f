import sys
from pathlib import Path

import pytest

from jaxlab.config import default_device
from jaxlab.runtime import backend, plugins, selftest
from jaxlab.runtime.array import put

NEWEST = Path(__file__).parents[2] / ".venv-newest/bin/python"


def test_the_cpu(device):
    assert backend.devices("cpu")[0] is device is backend.find_device("cpu") is backend.find_device("cpu:0")
    assert backend.find_device(device) is device
    assert (
        backend.device_count("cpu")
        == backend.local_device_count("cpu")
        == len(backend.local_devices(backend="cpu"))
    )
    assert backend.process_index("cpu") == 0 and backend.process_count("cpu") == 1


@pytest.mark.parametrize("spec", ["gpu:0", "gpu", "cpu:77", "nonsense", "cpu:", "cpu:x"])
def test_a_device_that_is_not_there(spec):
    if spec == "cpu:":
        assert backend.find_device(spec) is backend.devices("cpu")[0]
        return
    if spec.startswith("gpu") and "cuda" not in backend.unavailable() and backend._try_client("cuda"):
        pytest.skip("there is a GPU")
    with pytest.raises(
        RuntimeError, match=f"Unknown backend or device '{spec}'.*: the devices here are .*cpu:0"
    ):
        backend.find_device(spec)


def test_the_reason_is_told():
    if backend._try_client("cuda"):
        pytest.skip("there is a GPU")
    with pytest.raises(RuntimeError, match=r"'gpu' \(.*CUDA"):
        backend.devices("gpu")
    assert "CUDA" in backend.unavailable()["cuda"]


def test_no_device_at_all():
    with pytest.raises(TypeError, match=r"^find_device: 3 of type int"):
        backend.find_device(3)


def test_the_default_device_may_be_chosen(run_python):
    run_python(
        """
import numpy as np
from jaxlab.config import config, default_device
from jaxlab.runtime import backend
from jaxlab.runtime.array import put
first, second = backend.devices()
assert backend.default_backend() == "cpu" and backend.default_device() is first
with default_device("cpu:1"):
    assert backend.default_device() is second and put(1.0).device is second and not put(1.0).committed
with default_device(second):
    assert put(np.ones(2)).device is second
assert put(1.0).device is first
""",
        JAXLAB_NUM_CPU_DEVICES="2",
    )


def test_xla_flags_set_the_number_of_cpu_devices(run_python):
    done = run_python(
        "from jaxlab.runtime import backend\nprint(backend.device_count('cpu'))",
        XLA_FLAGS="--xla_force_host_platform_device_count=3",
    )
    assert done.stdout == "3\n"


def test_a_wrong_default_device_is_an_error_at_the_use():
    with default_device("gpu:99"), pytest.raises(RuntimeError, match="gpu:99"):
        put(1.0)


def test_another_platform_is_preferred_where_it_is_there(monkeypatch, device):
    monkeypatch.setattr(backend, "_makers", dict(backend._makers))
    monkeypatch.setattr(backend, "_clients", dict(backend._clients))
    monkeypatch.setattr(backend, "_reasons", {})
    monkeypatch.setattr(backend, "_order", lambda: list(backend._makers))

    def absent():
        raise plugins.Unavailable("it is not plugged in")

    backend.register_platform("toy", absent)
    assert backend.client().platform == "cpu"
    assert backend.unavailable()["toy"] == "it is not plugged in"
    backend.register_platform("toy", lambda: device.client)
    try:
        assert backend.client("toy") is device.client
    finally:
        backend._forget_choices()


def test_nothing_is_made_at_import(run_python):
    run_python(
        "from jaxlab.runtime import backend, array, compiler, execution\n"
        "assert not backend._clients and not backend.unavailable()"
    )


def test_the_self_test_passes_and_names_what_broke(monkeypatch):
    selftest.run()
    monkeypatch.setattr(selftest.execution, "pjit", None)
    with pytest.raises(
        selftest.BrokenSurface, match="breaks compiling a program and calling it twice: TypeError"
    ):
        selftest.run()


@pytest.mark.parametrize(
    "version, tested",
    [
        ("0.10.1", False),
        ("0.10.2", True),
        ("0.11.9", True),
        ("0.12.0.1", True),
        ("0.13.0", False),
        ("1.0", False),
    ],
)
def test_which_versions_are_tested(version, tested):
    assert selftest.is_tested(version) is tested


@pytest.mark.skipif(not NEWEST.exists(), reason="no environment with the newest jaxlib is here")
def test_the_self_test_passes_on_the_newest_jaxlib(run_python):
    assert (
        "all parts work"
        in run_python(
            "import runpy; runpy.run_module('jaxlab.runtime.selftest', run_name='__main__')",
            python=str(NEWEST),
        ).stdout
    )
    assert sys.version_info >= (3, 11)
