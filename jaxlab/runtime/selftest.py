"""Whether the private surface of jaxlib that this package stands on is what it was tested with.

It runs by itself when jaxlib is of a version that was not tested, and names what broke, instead of letting a
later call fail obscurely. ``python -m jaxlab.runtime.selftest`` runs it by hand.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from jaxlab import lazy, tree
from jaxlab.core.aval import ShapedArray
from jaxlab.runtime import backend, compiler, execution
from jaxlab.runtime.array import host_value, put
from jaxlab.runtime.native import JAXLIB_VERSION, surface_version
from jaxlab.runtime.sharding import single_device

if TYPE_CHECKING:
    from jaxlib.mlir import ir
    from jaxlib.mlir._mlir_libs import _jax_mlir_ext, _stablehlo
else:  # every import asks here whether to test; few do
    ir = lazy.module("jaxlib.mlir.ir")
    _jax_mlir_ext = lazy.module("jaxlib.mlir._mlir_libs._jax_mlir_ext")
    _stablehlo = lazy.module("jaxlib.mlir._mlir_libs._stablehlo")

FIRST_TESTED, FIRST_UNTESTED = (0, 10, 2), (0, 13)

_AVAL = ShapedArray((4,), np.dtype(np.float32))
_ADD = """module @add { func.func public @main(%x: tensor<4xf32>, %y: tensor<4xf32>) -> tensor<4xf32> {
  %0 = stablehlo.add %x, %y : tensor<4xf32>  return %0 : tensor<4xf32> } }"""
_CALL = """module @call { func.func public @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = stablehlo.custom_call @xla_ffi_python_cpu_callback(%x) {api_version = 4 : i32, has_side_effect = true,
    backend_config = {index = 0 : ui64}} : (tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32> } }"""


class BrokenSurface(RuntimeError):
    """A private part of jaxlib does not behave as in the versions that were tested."""


def parse(text: str) -> Any:
    """An ``ir.Module`` of StableHLO text, in a context of its own."""
    registry = ir.DialectRegistry()
    _jax_mlir_ext.register_dialects(registry)
    context = ir.Context.__mro__[1]()
    context.enable_multithreading(False)
    context.append_dialect_registry(registry)
    _stablehlo.register_dialect(context)
    context.load_all_available_dialects()
    with context, ir.Location.unknown(context):
        return ir.Module.parse(text)


def _compiled(text: str, device: Any, *callbacks: Callable[..., Any]) -> Any:
    options = compiler.compile_options((device,))
    extra = (list(callbacks),) if callbacks else ()
    return device.client.compile_and_load(parse(text), single_device(device).device_list, options, *extra)


def _test_put(device: Any) -> None:
    x = put(np.arange(4, dtype=np.float32), _AVAL, device)
    if x.aval is not _AVAL or host_value(x).tolist() != [0, 1, 2, 3]:
        raise ValueError("an array read back is not what was put")


def _test_jit(device: Any) -> None:
    executable = _compiled(_ADD, device)
    misses = []

    def on_miss(x: Any, y: Any) -> Any:
        misses.append(1)
        (out,) = execution.execute(executable, [x, y], [_AVAL], device)
        sharding = single_device(device)
        fast = execution.fast_path(
            executable, _LEAF, sharding=sharding, out_avals=[_AVAL], committed=False, kept=[True, True]
        )
        return out, fast, False

    add = execution.pjit("add", on_miss, on_miss)
    x = put(np.ones(4, np.float32), _AVAL, device)
    results = [host_value(add(x, x)).tolist() for _ in range(3)]
    if results != [[2.0] * 4] * 3:
        raise ValueError(f"1 + 1 is {results}")
    if len(misses) != 1:
        raise ValueError(
            f"the second call of a compiled function missed the fast path ({len(misses)} misses)"
        )


_LEAF = tree.structure(0)


def _test_callback(device: Any) -> None:
    executable = _compiled(_CALL, device, lambda x: (np.asarray(x) * 2,))
    (out,) = execution.execute(executable, [put(np.ones(4, np.float32), _AVAL, device)], [_AVAL], device)
    if host_value(out).tolist() != [2.0] * 4:
        raise ValueError("a Python callback did not give its result to the program")


_TESTS: dict[str, Callable[[Any], None]] = {
    "putting an array on a device": _test_put,
    "compiling a program and calling it twice": _test_jit,
    "calling Python from a compiled program": _test_callback,
}


def run() -> None:
    """Put, compile, dispatch and call back once on the CPU (0.1 s).

    Raises:
      BrokenSurface: naming the version, the part that broke, and how.
    """
    device = backend.client("cpu").local_devices()[0]
    for part, test in _TESTS.items():
        try:
            test(device)
        except Exception as error:
            raise BrokenSurface(
                f"jaxlib {JAXLIB_VERSION} (surface {surface_version()}) breaks {part}: "
                f"{type(error).__name__}: {error}; install a version from 0.10.2 to 0.12"
            ) from error


def is_tested(version: str) -> bool:
    """Whether a release of jaxlib lies in the range that this package is tested with."""
    numbers = tuple(int(part) for part in version.split(".")[:3] if part.isdigit())
    return FIRST_TESTED <= numbers < FIRST_UNTESTED


def run_if_untested() -> None:
    """Run the test if this jaxlib is of a version that was not tested; warn if it passes."""
    if not is_tested(JAXLIB_VERSION):
        run()
        warnings.warn(
            f"jaxlib {JAXLIB_VERSION} is outside the tested range 0.10.2 to 0.12, but passes the self-test",
            RuntimeWarning,
            stacklevel=2,
        )


if __name__ == "__main__":
    run()
    print(f"jaxlib {JAXLIB_VERSION} (surface {surface_version()}): all parts work")
