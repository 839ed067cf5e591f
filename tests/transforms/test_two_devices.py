"""Where a call runs when there is more than one device: in a process whose CPU is divided in two."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import pytest

PROGRAM = textwrap.dedent(
    """
    import numpy as np
    import jaxlab as jax, jaxlab.numpy as jnp
    d0, d1 = jax.devices()
    x0, x1 = (jax.device_put(np.ones(3, np.float32), d) for d in (d0, d1))
    s0, s1 = x0.sharding, x1.sharding
    f = lambda x: x + 1
    on = lambda **options: jax.jit(f, **options)
    aot = jax.jit(f).lower(x0).compile()
    for call in CALLS:
        try:
            out = eval(call)
            print(sorted(device.id for device in out.devices()), out.committed)
        except Exception as error:
            print(type(error).__name__ + ": " + str(error).splitlines()[0])
    """
)

CALLS = {
    "on(device=d1)(x0)": "[1] True",
    "on(device=d1)(np.ones(3))": "[1] True",
    "on(in_shardings=s1)(x0)": "[1] True",
    "on(in_shardings=s1)(jnp.ones(3))": "[1] True",
    "on(out_shardings=s1)(np.ones(3))": "[1] True",
    "on()(x1)": "[1] True",
    "on()(jnp.ones(3))": "[0] False",
    "[on(device=d1)(np.ones(3)) for _ in range(2)][1]": "[1] True",
    "on(out_shardings=s1)(x0)": "ValueError: <lambda>: the argument x of type f32[3] is on cpu:0, but it is to run on cpu:1; move it with device_put",
    "on(in_shardings=s0, out_shardings=s1)(x0)": "ValueError: jit: shardings on cpu:0 and on cpu:1 were given, but a program runs on one set of devices; give the same device everywhere",
    "jax.jit(lambda x: on(device=d1)(x))(np.ones(3))": "[1] True",
    "jax.jit(lambda x: on(device=d1)(x))(x0)": "ValueError: <lambda>: the argument x of type f32[3] is on cpu:0, but it is to run on cpu:1; move it with device_put",
    "jax.jit(lambda x: on(device=d1)(on(device=d0)(x)))(np.ones(3))": "ValueError: <lambda>: the functions in it are to run on cpu:0 and cpu:1, but one program runs on one device; give all of them the same device",
    "jax.grad(lambda x: on(device=d1)(x).sum())(jnp.ones(3))": "[1] True",
    "jax.device_put(x0, d1)": "[1] True",
    "jax.grad(lambda x: jax.device_put(x, d1, src=d0).sum())(x0)": "[0] True",
    "aot(x1)": "ValueError: <lambda>: the argument x of type f32[3] is on cpu:1, but it was compiled for cpu:0; move it with device_put",
    "aot(jnp.ones(3))": "[0] True",
    "jax.jit(f).lower(jax.ShapeDtypeStruct((3,), 'float32', sharding=s1)).compile()(np.ones(3, np.float32))": "[1] True",
}


@pytest.fixture(scope="module")
def printed() -> dict[str, str]:
    environment = {**os.environ, "XLA_FLAGS": "--xla_force_host_platform_device_count=2"}
    source = f"CALLS = {list(CALLS)!r}\n{PROGRAM}"
    run = subprocess.run(
        [sys.executable, "-c", source], env=environment, capture_output=True, text=True, check=True
    )
    return dict(zip(CALLS, run.stdout.splitlines(), strict=True))


@pytest.mark.parametrize("call", CALLS)
def test_where_it_runs(printed: dict[str, str], call: str) -> None:
    assert printed[call] == CALLS[call]
