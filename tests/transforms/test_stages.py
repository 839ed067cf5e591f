"""A function traced, lowered and compiled ahead of time: what each stage says, and calling the last."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import jaxlab as jax
import jaxlab.numpy as jnp
from jaxlab import stages

V = np.arange(3.0, dtype=np.float32)


def affine(p: Any, x: Any, *, scale: Any = 2.0) -> Any:
    return {"y": p["w"] * x * scale + p["b"]}


P = {"w": V, "b": np.float32(1)}
JITTED = jax.jit(affine, donate_argnums=1)


def test_traced() -> None:
    traced = JITTED.trace(P, V, scale=3.0)
    assert isinstance(traced, stages.Traced)
    names = [e.primitive.name for e in traced.jaxpr.eqns]
    assert names == ["mul", "convert_element_type", "mul", "add"]
    assert traced.fun_name == "affine"
    assert repr(traced) == "<Traced affine(p['b']: f32[], p['w']: f32[3], x: f32[3], scale: f32[])>"
    assert traced.donate_argnums == (2,)
    (info, x), named = traced.args_info
    assert (info["w"].shape, info["w"].dtype, info["w"].donated) == ((3,), np.float32, False)
    assert x.donated and not named["scale"].donated
    assert traced.out_info == {"y": jax.ShapeDtypeStruct((3,), "float32")}
    assert traced.seconds > 0
    traced.check()
    np.testing.assert_allclose(traced(P, V, scale=3.0)["y"], V * V * 3 + 1)
    np.testing.assert_allclose(jax.vmap(lambda s: traced(P, V, scale=s)["y"])(V)[2], V * V * 2 + 1)


def test_lowered() -> None:
    lowered = JITTED.lower(P, V)
    text = lowered.as_text()
    assert text.startswith("module @jit_affine")
    assert (
        "func.func public @main(%arg0: tensor<f32>, %arg1: tensor<3xf32>, %arg2: tensor<3xf32> {tf.aliasing_output"
        in text
    )
    assert "stablehlo.multiply" in text and "loc(" not in text
    with_places = lowered.as_text(debug_info=True)
    assert 'loc("x")' in with_places and "test_stages.py" in with_places
    assert lowered.as_text("stablehlo") == text
    assert lowered.as_text("hlo").startswith("HloModule jit_affine")
    assert "multiply" in lowered.compiler_ir("hlo").as_hlo_text()
    assert str(lowered.compiler_ir()) == text
    assert lowered.cost_analysis()["flops"] >= 6
    assert repr(lowered).startswith("<Lowered affine(")


def test_a_module_for_another_platform() -> None:
    """It may be another, and need not be compiled here."""
    here = jax.jit(lambda x: jnp.cumsum(x)).trace(V)
    assert here.lower(lowering_platforms=("tpu",)).as_text() != here.lower().as_text()


def test_compiled() -> None:
    compiled = JITTED.lower(P, V).compile()
    assert "HloModule jit_affine" in compiled.as_text()
    assert compiled.cost_analysis()["bytes accessed"] > 0
    memory = compiled.memory_analysis()
    assert (memory.argument_size_in_bytes, memory.output_size_in_bytes) == (4 + 12 + 12, 12)
    assert memory.alias_size_in_bytes == 12
    assert compiled.runtime_executable().hlo_modules()
    device = jax.devices()[0]
    (p, x), _ = compiled.input_shardings
    assert p["w"].device_set == x.device_set == compiled.output_shardings["y"].device_set == {device}
    assert compiled.out_info["y"].sharding == x
    assert compiled.input_formats[0][1].layout.major_to_minor == (0,)
    assert compiled.output_formats["y"].sharding == x


def test_a_compiled_program_is_dispatched_by_jaxlib() -> None:
    """Python is asked once for each way in which arguments of the right types can be given."""
    compiled = jax.jit(affine).lower(P, V).compile()
    for x in (V, V + 1, jnp.asarray(V)):
        np.testing.assert_allclose(compiled(P, x)["y"], V * x * 2 + 1)
    sizes = compiled._run._cache_size()
    for x in (V, V + 1, jnp.asarray(V) + 2):
        np.testing.assert_allclose(compiled(P, x)["y"], V * x * 2 + 1)
    assert compiled._run._cache_size() == sizes == 2


def test_options_of_the_compiler() -> None:
    lowered = jax.jit(jnp.sin).lower(V)
    fast = lowered.compile({"xla_cpu_enable_fast_math": True})
    np.testing.assert_allclose(fast(V), np.sin(V), rtol=1e-5)
    assert fast.program.options == {"xla_cpu_enable_fast_math": True}
    assert not lowered.compile().program.options


def test_closed_over_arrays_are_not_arguments_of_the_call() -> None:
    big = jnp.ones((50, 50))
    lowered = jax.jit(lambda x: big @ x).lower(np.ones(50, np.float32))
    assert "dense" not in lowered.as_text()
    assert lowered.in_avals[0][0].shape == (50,)
    compiled = lowered.compile()
    assert len(compiled.input_shardings[0]) == len(compiled.input_formats[0]) == 1
    assert float(compiled(np.ones(50, np.float32))[0]) == 50


def test_a_struct_says_where_to_run() -> None:
    sharding = jnp.ones(1).sharding
    struct = jax.ShapeDtypeStruct((3,), "float32", sharding=sharding)
    compiled = jax.jit(jnp.sin).lower(struct).compile()
    assert compiled(V).committed
    assert not jax.jit(jnp.sin).lower(V).compile()(V).committed


@pytest.mark.parametrize(
    ("call", "first_line"),
    [
        (lambda c: c(P), "affine: it was compiled for arguments of structure PyTreeDef((({'b': *, 'w': *}, *), {})), but was called with PyTreeDef((({'b': *, 'w': *},), {})): args was a tuple of 2, and is a tuple of 1; static arguments are left out, and defaults are passed if they were"),
        (lambda c: c(P, V[:2]), "affine: the argument x is f32[2], but it was compiled for f32[3]; convert it, or lower and compile for these types"),
        (lambda c: c({"w": V, "b": 1}, V), "affine: the argument p['b'] is i32[], but it was compiled for f32[]; convert it, or lower and compile for these types"),
        (lambda c: c(P, "a"), "affine: the argument x is of type str, but it was compiled for f32[3]; pass an array"),
        (lambda c: jax.jit(c)(P, V), "affine: it was compiled for given types, and was called with a value that is traced f32[] (argument `args[0]['b']` of Compiled), but a compiled program cannot be transformed; transform the function before it is lowered, or call the function that jit returned"),
    ],
)  # fmt: skip
def test_wrong_arguments(call: Any, first_line: str) -> None:
    compiled = jax.jit(affine).lower(P, V).compile()
    with pytest.raises(TypeError) as caught:
        call(compiled)
    assert str(caught.value) == first_line


def test_donated_arguments_of_a_compiled_program() -> None:
    compiled = jax.jit(lambda x: x + 1, donate_argnums=0).lower(V).compile()
    for _ in range(2):
        x = jnp.asarray(V) + 0
        compiled(x)
        assert x.is_deleted()
        with pytest.raises(
            RuntimeError, match=r"<lambda>: the argument x of type f32\[3\] was given, but its buffer"
        ):
            compiled(x)
