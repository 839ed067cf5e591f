"""What a report of a bug should say about this machine."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import numpy as np

from jaxlab.runtime import backend
from jaxlab.runtime.native import JAXLIB_VERSION
from jaxlab.version import __version__

_PREFIXES = ("JAXLAB_", "JAX_", "XLA_")


def environment_info() -> str:
    """The versions, devices and environment variables that results depend on, one a line."""
    devices = backend.devices()
    lines = {
        "jaxlab": __version__,
        "jaxlib": JAXLIB_VERSION,
        "numpy": np.__version__,
        "python": " ".join(sys.version.split()),
        "devices": f"{len(devices)} of {devices[0].device_kind}, {backend.local_device_count()} in this process",
        "processes": str(backend.process_count()),
        "platform": " ".join(platform.uname()),
    }
    texts = [f"{name + ':':10} {value}" for name, value in lines.items()]
    texts += sorted(f"{name}={value}" for name, value in os.environ.items() if name.startswith(_PREFIXES))
    try:
        smi = subprocess.run(["nvidia-smi"], capture_output=True, text=True, check=True, timeout=10).stdout
        texts += ["", smi]
    except (OSError, subprocess.SubprocessError):
        pass  # no such driver here
    return "\n".join(texts)


def print_environment_info(return_string: bool = False) -> str | None:
    """Print what a report of a bug should say about this machine, or return it as a string.

    >>> jaxlab.print_environment_info(return_string=True).splitlines()[0].split()[0]
    'jaxlab:'
    """
    if return_string:
        return environment_info()
    print(environment_info())
    return None
