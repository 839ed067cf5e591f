"""Programs as StableHLO text, and the way to run them."""

import numpy as np

from jaxlab import tree
from jaxlab.core.aval import ShapedArray
from jaxlab.runtime import compiler, execution
from jaxlab.runtime.selftest import parse
from jaxlab.runtime.sharding import single_device

F4 = ShapedArray((4,), np.dtype(np.float32))

ADD = """module @add { func.func public @main(%x: tensor<4xf32>, %y: tensor<4xf32>) -> tensor<4xf32> {
  %0 = stablehlo.add %x, %y : tensor<4xf32> loc("here":LINE:1)
  return %0 : tensor<4xf32> } }"""

DONATE = """module @double {
  func.func public @main(%x: tensor<4xf32> {jax.buffer_donor = true}) -> tensor<4xf32> {
  %0 = stablehlo.add %x, %x : tensor<4xf32>  return %0 : tensor<4xf32> } }"""

CALLBACK = """module @call { func.func public @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = stablehlo.custom_call @xla_ffi_python_cpu_callback(%x) {api_version = 4 : i32, has_side_effect = true,
    backend_config = {index = 0 : ui64}} : (tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32> } }"""


def add_module(line=1, name="add"):
    """A module that adds two f32[4], at a source line."""
    return parse(ADD.replace("LINE", str(line)).replace("@add", f"@{name}"))


def chain(length, size=512):
    """A module that takes the compiler a while: about 3 ms for each operation."""
    names = ("sine", "exponential", "tanh", "cosine")
    lines, value = [], "%x"
    for i in range(length):
        lines.append(f"%{i} = stablehlo.{names[i % 4]} {value} : tensor<{size}xf32>")
        value = f"%{i}"
    body = "\n".join(lines)
    return parse(
        f"module @chain {{ func.func public @main(%x: tensor<{size}xf32>) -> tensor<{size}xf32> {{\n{body}\n"
        f"return {value} : tensor<{size}xf32> }} }}"
    )


def dispatch(executable, device, misses, num_args=2):
    """A C++ function over an executable of f32[4] arguments; each miss is appended to ``misses``."""

    def on_miss(*args):
        misses.append(args)
        arrays = [execution.put(x, F4, device) for x in args]
        device_now, committed = execution.device_of(args, device)
        assert device_now is device
        (out,) = execution.execute(executable, arrays, [F4], device, committed=committed)
        fast = execution.fast_path(
            executable,
            tree.structure(0),
            sharding=single_device(device),
            out_avals=[F4],
            committed=committed,
            kept=[True] * num_args,
        )
        return out, fast, False

    return execution.pjit("program", lambda *args: "in python", on_miss)


def compiled(module, device, **more):
    """Compile under the name "program"."""
    return compiler.compile(module, name="program", device=device, **more)
