"""What callbacks print and raise in a real kernel: in the right cell, short, and the namespace as it was."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from kernel_process import Kernel, started_kernel

SECONDS_TO_ANSWER = 1.0

SETUP = """
import time
import numpy as np
import jaxlab, jaxlab.numpy as jnp
from jaxlab import lax
x, kept = jnp.arange(4.0), "before"
def bad(v):
    raise KeyError("mine")
def endless(v):
    print("in it", flush=True)
    while True:
        time.sleep(0.01)
"""

# One call on each of two devices, made by threads of XLA's.
TWO = """
from jaxlab.runtime import callbacks, compiler, execution
from jaxlib.mlir import ir
from jaxlib.mlir._mlir_libs import _jax_mlir_ext, _sdy, _stablehlo
registry = ir.DialectRegistry()
_jax_mlir_ext.register_dialects(registry)
context = ir.Context.__mro__[1]()
context.enable_multithreading(False)
context.append_dialect_registry(registry)
_stablehlo.register_dialect(context)
_sdy.register_dialect(context)
context.load_all_available_dialects()
TEXT = '''module @two attributes {mhlo.num_partitions = 2 : i32} {
  sdy.mesh @mesh = <["x"=2]>
  func.func public @main() {
    %x = stablehlo.constant dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>
    %0 = sdy.manual_computation(%x) in_shardings=[<@mesh, [{"x"}]>] out_shardings=[<@mesh, [{"x"}]>]
        manual_axes={"x"} (%part: tensor<2xf32>) {
      stablehlo.custom_call @xla_ffi_python_cpu_callback(%part) {api_version = 4 : i32, has_side_effect = true,
        backend_config = {index = 0 : ui64}, sdy.sharding = #sdy.sharding_per_value<[<@mesh, []>]>}
        : (tensor<2xf32>) -> ()
      sdy.return %part : tensor<2xf32>
    } : (tensor<4xf32>) -> tensor<4xf32>
    return } }'''
with context, ir.Location.unknown(context):
    module = ir.Module.parse(TEXT)
fail = False
def show(part):
    print(f"part {part.tolist()}\\n", end="")
    if fail:
        raise KeyError("mine")
    return ()
program = compiler.compile(module, name="two", devices=jaxlab.devices(), callbacks=[callbacks.Guarded(show, [])])
def launch():
    return execution.execute(program.executable, [], [], jaxlab.devices()[0], calls_python=True)
"""


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    """A kernel with two devices."""
    folder = tmp_path_factory.mktemp("kernel")
    with started_kernel(folder, JAXLAB_NUM_CPU_DEVICES="2") as started:
        started.run("%load_ext jaxlab")
        assert started.run(SETUP).error == ""
        yield started


def printed(kernel: Kernel, cell: str) -> list[str]:
    """The lines that a cell prints."""
    reply = kernel.run(cell)
    assert reply.error == "", reply.traceback
    lines = "".join(text for _, text in reply.texts).splitlines()
    return [line for line in lines if line.startswith("seen ")]


PRINTING = {
    "jit": ("%%jit\njaxlab.debug.print('seen {}', x)\nx.sum()", ["seen [0. 1. 2. 3.]"]),
    "grad": ("%%grad x\njaxlab.debug.print('seen {}', x)\n(x * x).sum()", ["seen [0. 1. 2. 3.]"]),
    "vmap": ("%%vmap x\njaxlab.debug.print('seen {}', x)\nx * x", [f"seen {i}.0" for i in range(4)]),
    "jit of scan": (
        "%%jit\nlax.scan(lambda c, v: (jaxlab.debug.print('seen {}', v, ordered=True), (c, None))[1], 0.0, x)[0]",
        [f"seen {i}.0" for i in range(4)],
    ),
    "a plain cell": ("jaxlab.jit(lambda v: jaxlab.debug.print('seen {}', v))(x)", ["seen [0. 1. 2. 3.]"]),
}


@pytest.mark.parametrize("name", PRINTING)
def test_lines_appear_in_their_cell_each_time(kernel: Kernel, name: str) -> None:
    cell, lines = PRINTING[name]
    for _ in range(3):  # from the second run on the program is reused
        assert printed(kernel, cell) == lines
    assert kernel.run("1 + 1").texts[-1][1] == "2"


def test_lines_of_xlas_own_threads_appear_in_the_cell_that_launched_them(kernel: Kernel) -> None:
    assert kernel.run(TWO).error == ""
    for _ in range(2):
        reply = kernel.run("launch()")
        lines = "".join(text for _, text in reply.texts).splitlines()
        assert sorted(line for line in lines if line.startswith("part")) == [
            "part [1.0, 2.0]",
            "part [3.0, 4.0]",
        ]
    kernel.run("fail = True")
    assert kernel.run("launch()").error == "KeyError"


FAILING = {
    "function": ("bad", "KeyError", r"Cell In\[\d+\], line \d+, in bad"),
    "wrong shape": (
        "lambda v: v[:2]",
        "JaxRuntimeError",
        r"result 0 is float32\[2\], but float32\[4\] is needed",
    ),
}


@pytest.mark.parametrize("name", FAILING)
def test_an_error_shows_the_users_lines_alone_and_changes_nothing(kernel: Kernel, name: str) -> None:
    function, error, told = FAILING[name]
    cells = (
        f"%%jit\nkept = 'changed'\ny = jaxlab.pure_callback({function}, x, x)\ny",
        f"y = jaxlab.jit(lambda x: jaxlab.pure_callback({function}, x, x))(x)",
    )
    for cell in cells:
        reply = kernel.run(cell)
        assert reply.error == error
        assert re.search(r"-> \d+ .*pure_callback\(", reply.traceback), reply.traceback
        assert re.search(told, reply.traceback), reply.traceback
        assert "jaxlab/" not in reply.traceback and "run_cell_magic" not in reply.traceback
        assert kernel.value("kept, 'y' in globals()") == "('before', False)"


def test_a_callback_is_interrupted(kernel: Kernel) -> None:
    cell = "%%jit\nkept = 'changed'\ny = jaxlab.pure_callback(endless, x, x)\ny"
    reply = kernel.run(cell, interrupt_at="in it")
    assert reply.error == "KeyboardInterrupt"
    assert reply.seconds < SECONDS_TO_ANSWER
    assert kernel.value("kept, 'y' in globals()") == "('before', False)"
    # The thread that ran it has ended, too.
    running = (
        "time.sleep(0.2); import threading; [t.name for t in threading.enumerate() if 'jaxlab-run' in t.name]"
    )
    assert kernel.value(running) == "[]"
    assert kernel.run("%%jit\nx.sum()").first("Array(6., dtype=float32)") is not None


STOPPING = "%%jit\ny = x * 2\njaxlab.debug.breakpoint()\ny.sum()"


def test_a_breakpoint_asks_in_the_notebook(kernel: Kernel) -> None:
    reply = kernel.run(STOPPING, answers=["p y", "l", "c"])
    assert reply.error == "", reply.traceback
    text = "".join(text for _, text in reply.texts)
    assert "Entering jdb:" in text and "->  jaxlab.debug.breakpoint()" in text
    assert "Array([0., 2., 4., 6.], dtype=float32)" in text
    assert "Array(12., dtype=float32)" in text


def test_a_breakpoint_that_nobody_can_answer_is_an_error(kernel: Kernel) -> None:
    reply = kernel.run(STOPPING, answers=None)
    assert reply.error == "RuntimeError"
    assert "there is no input to read commands from" in reply.traceback
