"""Names for programs: two compilations with the same name would give the same executable."""

from __future__ import annotations

import hashlib
import io
import os
from typing import Any

from jaxlib.mlir import passmanager

from jaxlab.caching import cached
from jaxlab.runtime.native import JAXLIB_VERSION, surface_version

# Changes when what is stored, or what goes into a name, changes.
FORMAT = b"jaxlab executable 1"


def _bytecode(operation: Any) -> bytes:
    out = io.BytesIO()
    operation.write_bytecode(out)
    return out.getvalue()


def of_locations(module: Any) -> bytes:
    """32 bytes that name the module with its source locations: they differ if it moved by a line."""
    return hashlib.sha256(_bytecode(module.operation)).digest()


def of_program(module: Any, options: Any, devices: tuple[Any, ...]) -> bytes:
    """32 bytes that name all that decides what the compiler makes: the module without its source locations,
    the options, the devices, jaxlib, and the features of this processor.

    About 2 us per operation of the module.
    """
    with module.context:
        bare = module.operation.clone()
        passmanager.PassManager.parse("builtin.module(strip-debuginfo)").run(bare.operation)
    digest = hashlib.sha256(FORMAT)
    client = devices[0].client
    for part in (
        _bytecode(bare.operation),
        options.SerializeAsString(),
        _host(),
        client.platform.encode(),
        client.platform_version.encode(),
        ",".join(f"{device.device_kind}:{device.id}" for device in devices).encode(),
    ):
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part)
    return digest.digest()


@cached("host features")
def _host() -> bytes:
    # jaxlib would load code for AVX-512 on a processor without it, and says nothing of processors in its
    # versions.
    # `platform.processor` would start a process to learn no more than the file does.
    machine = os.uname().machine if hasattr(os, "uname") else os.environ.get("PROCESSOR_IDENTIFIER", "")
    words = [JAXLIB_VERSION, str(surface_version()), machine, *_cpu_features()]
    return " ".join(words).encode()


def _cpu_features() -> list[str]:
    wanted = {
        "vendor_id",
        "cpu family",
        "model",
        "stepping",
        "flags",
        "Features",
        "CPU implementer",
        "CPU part",
    }
    found = []
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            for line in file:
                name, _, value = line.partition(":")
                if not line.strip():
                    break  # the first processor speaks for all
                if name.strip() in wanted:
                    found.append(f"{name.strip()}={value.strip()}")
    except OSError:
        pass  # not Linux: machine and processor have to do
    return found
