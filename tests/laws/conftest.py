"""Laws hold in double precision, on programs too small to be worth optimising."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

os.environ.setdefault(
    "XLA_FLAGS", "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
)
os.environ["JAXLAB_DISK_CACHE_ENABLED"] = "0"

import jaxlab


@pytest.fixture(autouse=True)
def wide() -> Iterator[None]:
    """Every law is checked in 64 bits."""
    with jaxlab.enable_x64(True):
        yield
