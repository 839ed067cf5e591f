"""What `checkpoint` does to compiled programs: forward operations are there twice, and memory is freed for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import jaxlab as jax
import jaxlab.numpy as jnp
from jaxlab import lax
from jaxlab.ad_checkpoint import checkpoint_name, checkpoint_policies, print_saved_residuals, saved_residuals

DEPTH, N = 8, 128


def layer(w: Any, x: Any) -> Any:
    """One layer, of which several values are needed on the way back."""
    return jnp.tanh(jnp.sin(jnp.cos(x)) @ w)


def compiled(one: Callable[[Any, Any], Any]) -> Any:
    """The gradient of a chain of layers, compiled."""

    def loss(w: Any, x: Any) -> Any:
        for _ in range(DEPTH):
            x = one(w, x)
        return x.sum()

    x = np.ones((N, N), np.float32)
    return jax.jit(jax.value_and_grad(loss)).lower(x / N, x).compile()


def count(program: Any, operation: str) -> int:
    """How often an operation is in the optimised program."""
    return sum(f" {operation}(" in line for line in program.as_text().splitlines())


def test_the_compiler_computes_again_and_keeps_less() -> None:
    plain, saved = compiled(layer), compiled(jax.checkpoint(layer))
    assert count(plain, "tanh") == DEPTH
    assert count(saved, "tanh") == 2 * DEPTH
    assert saved.memory_analysis().temp_size_in_bytes < 0.7 * plain.memory_analysis().temp_size_in_bytes
    x = np.ones((N, N), np.float32)
    for a, b in zip(jax.tree.leaves(plain(x / N, x)), jax.tree.leaves(saved(x / N, x)), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5)


def test_a_policy_spares_the_products() -> None:
    nothing = compiled(jax.checkpoint(layer))
    dots = compiled(jax.checkpoint(layer, policy=checkpoint_policies.dots_saveable))
    assert count(dots, "dot") == count(compiled(layer), "dot") < count(nothing, "dot")
    assert count(dots, "tanh") == 2 * DEPTH


def test_what_is_saved_is_in_memory_once() -> None:
    everything = compiled(jax.checkpoint(layer, policy=checkpoint_policies.everything_saveable))
    assert count(everything, "tanh") == DEPTH


@pytest.mark.parametrize("prevent_cse", [True, False])
def test_operations_are_kept_apart_where_that_is_asked_for(prevent_cse: bool) -> None:
    f = jax.checkpoint(lambda w, x: layer(w, x).sum(), prevent_cse=prevent_cse)
    x = np.ones((2, 2), np.float32)
    text = jax.jit(jax.grad(f)).lower(x, x).as_text()
    assert ("stablehlo.optimization_barrier" in text) is prevent_cse


def test_the_tuple_chooses_the_operands() -> None:
    f = jax.checkpoint(lambda w, x: layer(w, x).sum(), prevent_cse=(True, False))
    x = np.ones((2, 2), np.float32)
    (line,) = [
        line
        for line in jax.jit(jax.grad(f)).lower(x, x).as_text().splitlines()
        if "optimization_barrier" in line
    ]
    assert line.count("tensor<2x2xf32>") == 1 and line.count("tensor<f32>") == 1


def test_nested_checkpoints_keep_the_square_root() -> None:
    """Four layers in two checkpointed halves of checkpointed layers: what is saved is the inputs of the halves."""
    half = jax.checkpoint(lambda w, x: jax.checkpoint(layer)(w, jax.checkpoint(layer)(w, x)))
    x = np.ones((N, N), np.float32)
    kept = saved_residuals(lambda w, x: half(w, half(w, x)).sum(), x, x)
    assert len(kept) == 3


def test_a_step_of_a_loop_saves_its_carry() -> None:
    def loop(step: Any) -> Any:
        return lambda w, x: lax.scan(lambda c, _: (step(w, c), None), x, None, length=5)[0]

    x = np.ones((4, 4), np.float32)
    plain = sum(aval.size for aval, _ in saved_residuals(loop(layer), x, x))
    kept = sum(aval.size for aval, _ in saved_residuals(loop(jax.checkpoint(layer)), x, x))
    assert kept == 5 * 16 + 16 < plain


def test_saved_residuals_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    def f(x: Any) -> Any:
        return checkpoint_name(jnp.sin(x), "wave") * jnp.cos(x)

    policy = checkpoint_policies.save_only_these_names("wave")
    print_saved_residuals(jax.checkpoint(f, policy=policy), 1.0)
    first, second = capsys.readouterr().out.splitlines()
    assert first == "f32[] from the argument x"
    assert second.startswith("f32[] named 'wave' from ")


def test_offloading_saves() -> None:
    """Where there is no other memory to go to, what a policy would offload is saved."""
    policy = checkpoint_policies.offload_dot_with_no_batch_dims("device", "pinned_host")
    program = compiled(jax.checkpoint(layer, policy=policy))
    assert count(program, "dot") == count(compiled(layer), "dot")


def test_the_function_is_traced_once() -> None:
    calls = []

    @jax.checkpoint
    def f(x: Any) -> Any:
        calls.append(x)
        return jnp.sin(x)

    for _ in range(3):
        f(1.0)
        jax.grad(f)(1.0)
    assert len(calls) == 1


def test_static_arguments_are_keys() -> None:
    seen = []

    def f(x: Any, n: Any, *, flag: bool) -> Any:
        seen.append((n, flag))
        return x * n if flag else x

    g = jax.checkpoint(f, static_argnums=1, static_argnames="flag")
    assert jax.grad(g)(1.0, 2, flag=True) == 2 and jax.grad(g)(1.0, 3, flag=False) == 1
    assert jax.grad(g)(1.0, 2, flag=True) == 2
    assert seen == [(2, True), (3, False)]
