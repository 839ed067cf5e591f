"""GPU and TPU: found through their wheels, loaded without running any module that would import `jax`.

Nothing here runs at import. Each `make_..._client` either returns a client or raises `Unavailable` with the
reason.
"""

from __future__ import annotations

import ctypes
import glob
import importlib
import importlib.util
import os
from functools import partial
from types import ModuleType
from typing import Any

from jaxlab.runtime.native import J, xc


class Unavailable(RuntimeError):
    """A platform cannot be used here; the text is the reason, in a clause."""


# In the order in which they depend on each other. Loading them from their wheels first keeps the plugin from
# picking up other versions from the system.
_CUDA_LIBRARIES = [
    "cudart",
    "nvrtc",
    "nvJitLink",
    "cublasLt",
    "cublas",
    "nccl",
    "cupti",
    "cusparse",
    "cusolver",
    "cufft",
    "nvshmem_host",
    "cudnn",
]


def _folder_of(package: str) -> str | None:
    """The folder of an installed package, without executing it."""
    try:
        spec = importlib.util.find_spec(package)
    except (ImportError, ValueError):
        return None
    if spec is None or not spec.submodule_search_locations:
        return None
    return next(iter(spec.submodule_search_locations))


def _preload_cuda_libraries() -> list[str]:
    """Load the CUDA libraries of the ``nvidia-*`` wheels; returns those that were found."""
    try:
        spec = importlib.util.find_spec("nvidia")
    except (ImportError, ValueError):
        return []
    if spec is None:
        return []
    loaded = []
    for name in _CUDA_LIBRARIES:
        for root in spec.submodule_search_locations or ():
            for path in sorted(glob.glob(os.path.join(root, "*", "lib", f"lib{name}.so*"))):
                try:
                    ctypes.CDLL(path)
                except OSError:
                    continue  # the plugin may find another copy; if it does not, it says so itself
                loaded.append(path)
    return loaded


def _profile_plugin(capi: Any) -> None:
    profiler = importlib.import_module("jaxlib._profiler")
    profiler.register_plugin_profiler(capi)


def make_cuda_client() -> Any:
    """A client of the NVIDIA GPUs, from the wheels ``jax-cuda13-plugin`` or ``jax-cuda12-plugin``."""
    for version in ("13", "12"):
        folder = _folder_of(f"jax_plugins.xla_cuda{version}")
        if folder is not None:
            break
    else:
        raise Unavailable("no CUDA plugin is installed, such as jax-cuda13-plugin")
    if not any(map(os.path.exists, ("/dev/nvidiactl", "/dev/nvidia0", "/dev/dxg"))):
        raise Unavailable("a CUDA plugin is installed, but there is no NVIDIA driver on this machine")
    try:
        extension = importlib.import_module(f"jax_cuda{version}_plugin.cuda_plugin_extension")
        return _start_cuda(extension, os.path.join(folder, "xla_cuda_plugin.so"))
    except Exception as error:  # whatever a plugin of another version raises must not take the CPU away
        raise Unavailable(f"the CUDA plugin did not start: {_first_line(error)}") from error


def _start_cuda(extension: ModuleType, library: str) -> Any:
    _preload_cuda_libraries()
    if not J.pjrt_plugin_loaded("cuda"):
        capi = xc.load_pjrt_plugin_dynamically("cuda", library)
        _profile_plugin(capi)
        xc.register_custom_type_handler("CUDA", partial(extension.register_custom_type, capi))
        xc.register_custom_call_handler("CUDA", partial(extension.register_custom_call_target, capi))
        for name, value in extension.ffi_types().items():
            xc.register_custom_type(name, value, platform="CUDA")
        for name, value in extension.ffi_handlers().items():
            xc.register_custom_call_target(name, value, platform="CUDA", api_version=1)
    if not J.pjrt_plugin_initialized("cuda"):
        xc.initialize_pjrt_plugin("cuda")
    return xc.make_c_api_client("cuda", xc.generate_pjrt_gpu_plugin_options(), None)


def make_tpu_client() -> Any:
    """A client of the TPU chips of this machine, from the wheel ``libtpu``."""
    folder = _folder_of("libtpu")
    library = os.environ.get("TPU_LIBRARY_PATH") or (folder and os.path.join(folder, "libtpu.so"))
    if not library or not os.path.exists(library):
        raise Unavailable("libtpu is not installed")
    if not glob.glob("/dev/accel[0-9]*") and not glob.glob("/dev/vfio/[0-9]*"):
        raise Unavailable("libtpu is installed, but there is no TPU on this machine")
    try:
        if not J.pjrt_plugin_loaded("tpu"):
            _profile_plugin(xc.load_pjrt_plugin_dynamically("tpu", library))
        if not J.pjrt_plugin_initialized("tpu"):
            xc.initialize_pjrt_plugin("tpu")
        return xc.make_c_api_client("tpu", {}, None)
    except Exception as error:  # as for CUDA
        raise Unavailable(f"libtpu did not start: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
