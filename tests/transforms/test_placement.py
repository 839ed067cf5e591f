"""Moving values, computing at once while tracing, and names for parts of programs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import jaxlab as jax
import jaxlab.numpy as jnp
from jaxlab import lax
from jaxlab.core.trace import Tracer

V = np.arange(3.0, dtype=np.float32)
DEVICE = jax.devices()[0]


def test_a_copy_has_a_buffer_of_its_own() -> None:
    x = jnp.ones(3)
    assert jax.device_put(x) is x
    copy = jax.device_put(x, may_alias=False)
    assert copy.unsafe_buffer_pointer() != x.unsafe_buffer_pointer()
    key = jax.random.key(0)
    assert jax.device_put(key, may_alias=False).dtype == key.dtype


def test_prefixes() -> None:
    tree = {"a": [V, 1], "b": V}
    moved = jax.device_put(tree, {"a": DEVICE, "b": None})
    assert [moved["a"][0].committed, moved["a"][1].committed, moved["b"].committed] == [True, True, False]
    assert [x.committed for x in jax.device_put([1, 2], [None, DEVICE])] == [False, True]


def test_in_every_transformation() -> None:
    def f(x: Any) -> Any:
        return jnp.sin(jax.device_put(x, DEVICE)).sum()

    np.testing.assert_allclose(jax.grad(f)(V), np.cos(V), rtol=1e-6)
    np.testing.assert_allclose(jax.jit(jax.grad(f))(V), np.cos(V), rtol=1e-6)
    np.testing.assert_allclose(jax.vmap(f)(V), np.sin(V), rtol=1e-6)
    np.testing.assert_allclose(jax.jvp(f, (V,), (V,))[1], (np.cos(V) * V).sum(), rtol=1e-6)
    np.testing.assert_allclose(lax.scan(lambda c, x: (c + f(x), x), 0.0, V)[0], np.sin(V).sum(), rtol=1e-6)


def test_a_program_for_another_platform_cannot_move_here() -> None:
    with pytest.raises(ValueError, match=r"device_put: .* was given in a program for tpu"):
        jax.jit(lambda x: jax.device_put(x, DEVICE)).trace(V).lower(lowering_platforms=("tpu",))


def test_live_arrays() -> None:
    x = jnp.ones(7)
    assert any(y is x for y in jax.live_arrays()) and any(y is x for y in jax.live_arrays("cpu"))
    x.delete()
    assert not any(y is x for y in jax.live_arrays())


def test_copies_to_the_host_start_early() -> None:
    tree = {"a": jnp.ones(3), "n": 1}
    assert jax.copy_to_host_async(tree) is tree
    assert jax.jit(lambda x: jax.copy_to_host_async(x) + 1)(1.0) == 2.0


@pytest.mark.parametrize(
    "transformed",
    [
        lambda f: jax.jit(f),
        lambda f: jax.grad(lambda x: f(x).sum()),
        lambda f: jax.vmap(f),
        lambda f: jax.jit(jax.vmap(f)),
        lambda f: lambda x: lax.map(f, x),
    ],
)
def test_known_values_are_computed_while_tracing(transformed: Any) -> None:
    seen = []

    def f(x: Any) -> Any:
        with jax.ensure_compile_time_eval():
            known = jnp.arange(4).sum()
            known = jax.jit(lambda y: y * 2)(known)
            known = lax.fori_loop(0, 2, lambda i, c: c + known, known)
            seen.append(not isinstance(known, Tracer) and int(known))
            mixed = known * x
            assert isinstance(mixed, Tracer)
        return mixed

    transformed(f)(V)
    assert set(seen) == {36}


def test_a_branch_on_a_traced_value_is_the_same_error() -> None:
    def f(x: Any) -> Any:
        with jax.ensure_compile_time_eval():
            return 1 if x.sum() > 0 else 2

    with pytest.raises(jax.errors.TracerBoolConversionError):
        jax.jit(f)(V)
    assert float(jax.jit(jnp.sin)(0.0)) == 0.0


def test_outside_of_a_trace_it_changes_nothing() -> None:
    with jax.ensure_compile_time_eval():
        assert float(jnp.ones(3).sum()) == 3


def test_named_calls() -> None:
    def layer(x: Any) -> Any:
        """What it does."""
        return jnp.sin(x)

    named = jax.named_call(layer)
    assert (named.__name__, named.__doc__) == ("layer", "What it does.")
    assert "layer/sin" in jax.jit(named).lower(1.0).as_text(debug_info=True)
    assert "outer/sin" in jax.jit(jax.named_call(layer, name="outer")).lower(1.0).as_text(debug_info=True)


def test_disable_jit_reaches_what_is_inside() -> None:
    kinds = []

    @jax.jit
    def inner(x: Any) -> Any:
        kinds.append(isinstance(x, Tracer))
        return x + 1

    @jax.jit
    def outer(x: Any) -> Any:
        kinds.append(isinstance(x, Tracer))
        return lax.cond(True, inner, inner, x)

    with jax.disable_jit():
        assert float(outer(V)[0]) == 1.0
        assert float(jax.grad(lambda x: outer(x).sum())(V)[0]) == 1.0
    assert kinds[:2] == [False, False]
