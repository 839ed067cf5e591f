"""What depends on the platform is chosen when a program is lowered; loops of Python where jit is off."""

from __future__ import annotations

from typing import Any

import numpy as np

import jaxlab as jax
import jaxlab.numpy as jnp
from jaxlab import lax
from jaxlab.core.jaxpr import ClosedJaxpr
from jaxlab.interpreters.lowering import lower_program


def for_each(x: Any) -> Any:
    return lax.platform_dependent(x, cpu=jnp.sin, cuda=jnp.cos, rocm=jnp.cos, default=jnp.exp)


def module(closed: ClosedJaxpr, platform: str) -> str:
    return str(lower_program(closed, name="f", platform=platform).module)


def test_each_platform_gets_its_function_and_no_choice() -> None:
    closed = jax.make_jaxpr(for_each)(1.0)
    assert closed.eqns[-1].params["branches_platforms"] == (("cpu",), ("cuda", "rocm"), None)
    for platform, operation in [
        ("cpu", "sine"),
        ("cuda", "cosine"),
        ("rocm", "cosine"),
        ("tpu", "exponential"),
    ]:
        text = module(closed, platform)
        assert f"stablehlo.{operation}" in text
        assert "stablehlo.case" not in text


def test_derivatives_and_batches_are_chosen_too() -> None:
    closed = jax.make_jaxpr(jax.vmap(jax.grad(for_each)))(np.ones(3, np.float32))
    assert "stablehlo.cosine" in module(closed, "cpu")
    assert "stablehlo.exponential" in module(closed, "tpu")
    np.testing.assert_allclose(jax.jit(jax.grad(for_each))(0.5), np.cos(0.5), rtol=1e-6)


def test_without_jit_the_functions_see_values() -> None:
    seen: list[float] = []

    def step(c: Any, x: Any) -> Any:
        seen.append(float(c))
        return c + x, c

    with jax.disable_jit():
        carry, ys = lax.scan(step, 0.0, np.arange(3.0, dtype=np.float32))
        seen.append(float(lax.while_loop(lambda c: bool(c < 5), lambda c: c + float(c), 1.0)))
        seen.append(float(lax.cond(True, lambda x: float(x) + 1, lambda x: 1 / 0, 2.0)))
        seen.append(float(lax.fori_loop(0, 3, lambda i, c: c + int(i), 0)))
        seen.append(float(lax.map(lambda x: x * float(x), np.array([3.0], np.float32))[0]))
    assert seen == [0.0, 0.0, 1.0, 8.0, 3.0, 3.0, 9.0]
    assert float(carry) == 3.0 and np.asarray(ys).tolist() == [0.0, 0.0, 1.0]
