"""Shared by the tests of the runtime: a disk cache of its own for each test, and small programs."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from jaxlab.config import config
from jaxlab.runtime import backend, diskcache

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def cache_folder(tmp_path, monkeypatch):
    """A fresh disk cache, and a process that has warned of nothing yet."""
    before, enabled = config.disk_cache_dir, config.disk_cache_enabled
    folder = tmp_path / "executables"
    config.update("disk_cache_dir", str(folder))
    config.update("disk_cache_enabled", True)
    monkeypatch.setattr(diskcache, "_warned", False)
    yield folder
    diskcache._writer.flush()
    diskcache._problems.clear()
    config.update("disk_cache_dir", before)
    config.update("disk_cache_enabled", enabled)


@pytest.fixture
def device():
    return backend.client("cpu").local_devices()[0]


@pytest.fixture
def run_python(tmp_path) -> Callable[..., subprocess.CompletedProcess]:
    """Run Python code in a process of its own, with this checkout on the path."""

    def run(code: str, *, python: str = sys.executable, check: bool = True, **env: str):
        done = subprocess.run(
            [python, "-c", code],
            capture_output=True,
            text=True,
            timeout=120,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
                "JAXLAB_DISK_CACHE_DIR": str(tmp_path / "executables"),
                "JAXLAB_DISK_CACHE_ENABLED": "1",
                "XLA_FLAGS": "",  # the rules' tests set flags that a newer XLA does not know
                "JAX_PLATFORMS": "cpu",
                **env,
            },
        )
        if check and done.returncode:
            raise AssertionError(f"exit code {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done

    return run
