"""Programs with collectives, and programs that vmap makes of them, have jax's text, character by character."""

from __future__ import annotations

from importlib.metadata import version

import pytest
from jax_process import texts

pytestmark = pytest.mark.skipif(
    not version("jax").startswith("0.10."), reason="jaxprs have the text of jax 0.10; here is another jax"
)


def named(fun: str, *args: str) -> str:
    """The text of a function traced where the axes ``i`` and ``j`` are bound."""
    return f"str(jax.make_jaxpr({fun}, axis_env=[('i', 4), ('j', 2)])({', '.join(args)}))"


def mapped(fun: str, *args: str, options: str = "") -> str:
    """The text of a function mapped over the axis ``i``."""
    return f"str(jax.make_jaxpr(jax.vmap({fun}, axis_name='i'{options}))({', '.join(args)}))"


def twice(fun: str, *args: str) -> str:
    """The text of a function mapped over ``i``, and inside of that over ``j``."""
    inner = f"jax.vmap({fun}, axis_name='j')"
    return f"str(jax.make_jaxpr(jax.vmap({inner}, axis_name='i'))({', '.join(args)}))"


_SIN = "(lambda f: (f.def_vmap(np.cos), f)[1])(jax.custom_batching.custom_vmap(lambda x: jnp.sin(x)))"
_TREE = (
    "(lambda f: (f.def_vmap(np.cos), f)[1])(jax.custom_batching.custom_vmap(lambda p, y: {'s': p['a'] * y}))"
)

OPEN = [
    named("lambda x: lax.psum(x, 'i')", "f32(3)"),
    named("lambda x: lax.psum(x, ('i', 'j'))", "f32(3)"),
    named("lambda x: lax.psum(x, ['i', 'j'])", "f32(3)"),
    named("lambda x: lax.psum(x, ('i', 0))", "f32(3)"),
    named("lambda x: lax.psum(x, 'i', axis_index_groups=[[0, 1], [2, 3]])", "f32(3)"),
    named("lambda x: lax.psum(x, 'i')", "1.0"),
    named("lambda x: lax.psum(x, 'i')", "True"),
    named("lambda x: lax.psum({'a': x, 'b': 2}, 'i')", "f32(3)"),
    named("lambda x: lax.psum(1, 'i') * x", "f32(3)"),
    named("lambda x: lax.psum(2.5, ('i', 'j')) * x", "f32(3)"),
    named("lambda x: lax.pmean(x, 'i')", "f32(3)"),
    named("lambda x: lax.pmean(x, 'i')", "np.int32(3)"),
    named("lambda x: lax.pmax(x, 'i')", "f32(3)"),
    named("lambda x: lax.pmax(x, ('i', 'j'))", "1.0"),
    named("lambda x: lax.pmin(x, 'i', axis_index_groups=[[0, 1], [2, 3]])", "i32(3)"),
    named("lambda x: lax.ppermute(x, 'i', [(0, 1), (1, 2), (2, 3), (3, 0)])", "f32(3)"),
    named("lambda x: lax.ppermute(x, 'i', [(0, 1)])", "1.0"),
    named("lambda x: lax.pshuffle(x, 'i', [3, 2, 1, 0])", "f32(3)"),
    named("lambda x: lax.pbroadcast(x, 'i', 1)", "f32(3)"),
    named("lambda x: lax.all_gather(x, 'i')", "f32(3)"),
    named("lambda x: lax.all_gather(x, 'i', axis=-1)", "f32(3)"),
    named("lambda x: lax.all_gather(x, ('i', 'j'), tiled=True)", "f32(3)"),
    named("lambda x: lax.all_gather(x, 'i', axis_index_groups=[[0, 1], [2, 3]])", "f32(3)"),
    named("lambda x: lax.psum_scatter(x, 'i')", "f32(4)"),
    named("lambda x: lax.psum_scatter(x, 'i', scatter_dimension=1, tiled=True)", "f32(3, 8)"),
    named("lambda x: lax.all_to_all(x, 'i', 0, 0)", "f32(4, 3)"),
    named("lambda x: lax.all_to_all(x, 'i', 0, 1)", "f32(4, 3)"),
    named("lambda x: lax.all_to_all(x, 'i', 1, 0)", "f32(3, 4)"),
    named("lambda x: lax.all_to_all(x, ('i', 'j'), 0, 1, tiled=True)", "f32(8, 3)"),
    named("lambda x: lax.pswapaxes(x, 'i', 0)", "f32(4, 3)"),
    named("lambda: lax.axis_index('i')"),
    named("lambda: lax.axis_index(('i', 'j'))"),
    named("lambda x: lax.axis_size(('i', 'j')) * x", "f32(3)"),
    named("jax.jit(lambda x: lax.psum(x, 'i'))", "f32(3)"),
    named("lambda x: lax.cond(True, lambda x: lax.psum(x, 'i'), lambda x: x, x)", "f32(3)"),
    named("lambda x: lax.scan(lambda c, _: (lax.pmax(c, 'i'), c), x, None, length=2)", "f32(3)"),
    named("jax.grad(lambda x: lax.psum(jnp.sin(x), 'i').sum())", "f32(3)"),
    named("jax.grad(lambda x: lax.pmean(jnp.sin(x), 'i'))", "np.float32(3)"),
    named("jax.grad(lambda x: lax.ppermute(jnp.sin(x), 'i', [(0, 1), (1, 0)]).sum())", "f32(3)"),
    named("jax.grad(lambda x: lax.all_gather(jnp.sin(x), 'i').sum())", "f32(3)"),
    named("jax.grad(lambda x: lax.psum_scatter(jnp.sin(x), 'i').sum())", "f32(4)"),
    named("jax.grad(lambda x: lax.all_to_all(jnp.sin(x), 'i', 0, 0).sum())", "f32(4)"),
    named("lambda x: jax.jvp(lambda x: lax.psum(jnp.sin(x), 'i'), (x,), (x,))", "f32(3)"),
    named("jax.vmap(lambda x: lax.psum(x, 'i'))", "f32(5, 3)"),
    named("jax.vmap(lambda x: lax.psum(x, ('i', 0)), in_axes=1)", "f32(3, 5)"),
    named("jax.vmap(lambda x: lax.all_gather(x, 'i'), in_axes=1)", "f32(3, 5)"),
    named("jax.vmap(lambda x: lax.psum_scatter(x, 'i'))", "f32(5, 4)"),
    named("jax.vmap(lambda x: lax.all_to_all(x, 'i', 0, 1), in_axes=1)", "f32(4, 5, 3)"),
    named("jax.vmap(lambda x: lax.ppermute(x, 'i', [(0, 1)]), in_axes=1, out_axes=1)", "f32(4, 5)"),
    named("jax.vmap(lambda x: lax.axis_index('i') + x)", "f32(5)"),
]

MAPPED = [
    mapped("lambda x: lax.psum(x, 'i')", "f32(4, 3)"),
    mapped("lambda x: lax.psum(x, 'i')", "f32(3, 4)", options=", in_axes=1"),
    mapped("lambda x: lax.psum(x, 'i')", "f32(4, 3)", options=", out_axes=None"),
    mapped("lambda x: lax.psum(x, ('i', 0))", "f32(4, 3)"),
    mapped("lambda x, y: lax.psum(y, 'i') + x", "f32(4, 3)", "f32(3)", options=", in_axes=(0, None)"),
    mapped("lambda x: lax.psum(1, 'i', axis_index_groups=[[0, 1], [2, 3]]) * x", "f32(4)"),
    mapped("lambda x: lax.psum(x, 'i')", "f32(1, 3)"),
    mapped("lambda x: x - lax.pmean(x, 'i')", "f32(4, 3)"),
    mapped("lambda x: lax.pmax(x, 'i')", "f32(4, 3)"),
    mapped("lambda x, y: lax.pmin(y, 'i') + x", "f32(4, 3)", "f32(3)", options=", in_axes=(0, None)"),
    mapped("lambda x: lax.all_gather(x, 'i')", "f32(4, 3)"),
    mapped("lambda x: lax.all_gather(x, 'i', axis=1)", "f32(4, 3)"),
    mapped("lambda x: lax.all_gather(x, 'i', tiled=True)", "f32(4, 3)"),
    mapped("lambda x, y: lax.all_gather(y, 'i') + x", "f32(4, 3)", "f32(3)", options=", in_axes=(0, None)"),
    mapped("lambda x: lax.psum_scatter(x, 'i')", "f32(4, 4)"),
    mapped("lambda x: lax.psum_scatter(x, 'i', tiled=True)", "f32(4, 8)"),
    mapped("lambda x, y: lax.psum_scatter(y, 'i') + x", "f32(4)", "f32(4)", options=", in_axes=(0, None)"),
    mapped("lambda x: lax.all_to_all(x, 'i', 0, 0)", "f32(4, 4, 3)"),
    mapped("lambda x: lax.all_to_all(x, 'i', 0, 1)", "f32(4, 4, 3)"),
    mapped("lambda x: lax.all_to_all(x, 'i', 1, 0)", "f32(4, 3, 4)"),
    mapped("lambda x: lax.all_to_all(x, 'i', 0, 1, tiled=True)", "f32(4, 8, 3)"),
    mapped("lambda x: lax.axis_index('i') * x", "f32(4, 3)"),
    mapped("lambda x: lax.axis_size('i') * x", "f32(4, 3)"),
    mapped("jax.jit(lambda x: lax.psum(x, 'i'))", "f32(4, 3)"),
    mapped("lambda x: lax.scan(lambda c, y: (lax.psum(c, 'i') + y, c), 0., x)", "f32(4, 3)"),
    mapped("lambda x: lax.cond(True, lambda x: lax.psum(x, 'i'), lambda x: x, x)", "f32(4, 3)"),
    mapped(
        "lambda x: lax.scan(lambda c, _: (c + lax.axis_index('i'), None), 0, None, length=3)[0]", "f32(4)"
    ),
    mapped("jax.grad(lambda x: lax.psum(jnp.sin(x), 'i'))", "f32(4)"),
    twice("lambda x: lax.psum(x, ('i', 'j'))", "f32(2, 4, 3)"),
    twice("lambda x: lax.psum(x, 'i')", "f32(2, 4, 3)"),
    twice("lambda x: lax.pmax(x, ('j', 'i'))", "f32(2, 4, 3)"),
    twice("lambda x: lax.all_gather(x, 'i')", "f32(2, 4, 3)"),
    twice("lambda x: lax.axis_index(('i', 'j')) * x", "f32(2, 4, 3)"),
    "str(jax.make_jaxpr(jax.grad(lambda x: jax.vmap(lambda x: lax.psum(jnp.sin(x), 'i'), axis_name='i')(x).sum()))"
    "(f32(4)))",
]

RULED = [
    f"str(jax.make_jaxpr({_SIN})(1.0))",
    f"str(jax.make_jaxpr({_TREE})({{'a': f32(2)}}, 1.0))",
    f"str(jax.make_jaxpr(lambda p, c: ({_TREE})(p, c + 1))({{'a': f32(2)}}, 1.0))",
    f"str(jax.make_jaxpr(jax.jit({_SIN}))(f32(3)))",
    "str(jax.make_jaxpr(jax.vmap(jax.custom_batching.sequential_vmap(jnp.sin)))(f32(3)))",
]

# jax takes rows by the function behind jnp.take, with its checks of indices that are known to be right.
_TAKE = "rows are taken by one gather with constant indices"
# The two axes exchange by hand, where jax moves the parts for one axis through two more reshapes.
_TURN = "an exchange over two axes is written with fewer changes of shape"

DIFFERENT = {
    mapped("lambda x: lax.ppermute(x, 'i', [(0, 1), (1, 2), (2, 3), (3, 0)])", "f32(4, 3)"): _TAKE,
    twice("lambda x: lax.all_to_all(x, ('i', 'j'), 0, 1)", "f32(2, 4, 8, 3)"): _TURN,
}

TABLE = [*OPEN, *MAPPED, *RULED, *DIFFERENT]


@pytest.mark.parametrize("program", [p for p in TABLE if p not in DIFFERENT])
def test_same_text(program: str) -> None:
    ours, theirs = texts(program, TABLE)
    assert ours == theirs


@pytest.mark.parametrize("program", DIFFERENT)
def test_known_difference_is_still_one(program: str) -> None:
    ours, theirs = texts(program, TABLE)
    assert ours != theirs


def test_table_is_large() -> None:
    assert len(set(TABLE)) == len(TABLE) >= 80
