"""Names that are seldom used do what jax's do: types as text, sizes of axes, devices, fields of programs."""

from __future__ import annotations

import pytest
from jax_process import assert_agrees

OF_JAX = [
    "str(jax.typeof(1.0))",
    "repr(jax.typeof(1.0))",
    "str(jax.typeof(f32(3)))",
    "str(jax.typeof(np.int32(1)))",
    "str(jax.typeof(jax.new_ref(f32(2))))",
    "jax.typeof('a')",
    "jax.typeof([1])",
    "jax.typeof(None)",
    "jax.core.eval_jaxpr(jax.make_jaxpr(lambda x: x * 2)(1.0).jaxpr, [], 3.0)",
    "isinstance(jax.make_jaxpr(jnp.sin)(1.0).in_avals[0], jax.core.ShapedArray)",
    "[isinstance(jnp.ones(2), jax.typing.ArrayLike), isinstance(1, jax.typing.ArrayLike)]",
    "isinstance([1], jax.typing.ArrayLike)",
    "jax.core.max_dim(2, 3)",
    "jax.core.min_dim(2, 3)",
    "jax.process_indices()",
    "jax.float0",
    "isinstance(jax.devices()[0], jax.Device)",
    "jax.devices(backend='cpu')[0].platform",
    "jax.device_count(backend='cpu')",
    "jaxpr(lambda r: r[...], jax.ShapeDtypeStruct((2,), 'float32', is_ref=True))",
    "jax.make_jaxpr(lambda x: x + 1)(f32(2)).debug_info.func_name",
    "jax.make_jaxpr(lambda x: x + 1)(f32(2)).jaxpr.in_avals",
    "jax.make_jaxpr(lambda x: x + 1)(f32(2)).pretty_print()",
    "len(jax.make_jaxpr(lambda x: jax.debug.print('{}', x))(1.0).eqns[0].effects)",
    "jax.make_jaxpr(lambda x: x + 1)(f32(2)).eqns[0].primitive.get_bind_params({'a': 1})",
]


@pytest.mark.parametrize("expression", OF_JAX)
def test_same_as_jax(expression: str) -> None:
    assert_agrees(expression, OF_JAX)
