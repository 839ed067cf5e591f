"""Small programs: optimizing them costs more than it saves."""

from __future__ import annotations

import os

os.environ.setdefault(
    "XLA_FLAGS", "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
)
os.environ["JAXLAB_DISK_CACHE_ENABLED"] = "0"
