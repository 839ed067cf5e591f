"""Collectives over mapped axes, vmap and custom_vmap: values, dtypes, weak types and classes of errors, as in jax."""

from __future__ import annotations

import pytest
from jax_process import assert_agrees

REDUCTIONS = [
    "jax.vmap(lambda x: lax.psum(x, 'i'), axis_name='i')(f32(4, 3))",
    "jax.vmap(lambda x: lax.psum(x, 'i'), axis_name='i')(i32(4))",
    "jax.vmap(lambda x: lax.psum(x, 'i'), axis_name='i')(b8(4))",
    "jax.vmap(lambda x: lax.psum(x, 'i'), axis_name='i')(c64(4, 2))",
    "jax.vmap(lambda x: lax.psum(x, 'i'), axis_name='i', in_axes=-1, out_axes=-1)(f32(3, 4))",
    "jax.vmap(lambda x: lax.psum(x, 'i'), axis_name='i', out_axes=None)(f32(4, 3))",
    "jax.vmap(lambda x: lax.psum({'a': x, 'b': (x * 2, None)}, 'i'), axis_name='i')(f32(4))",
    "jax.vmap(lambda x, y: lax.psum(y, 'i') + x, (0, None), axis_name='i')(f32(4), 2.0)",
    "jax.vmap(lambda x, y: lax.psum((x, y), 'i'), (0, None), axis_name='i')(f32(4), 2)",
    "jax.vmap(lambda x: x * lax.psum(1, 'i'), axis_name='i')(f32(4))",
    "jax.vmap(lambda x: x * lax.psum(2.5, 'i'), axis_name='i')(i32(4))",
    "jax.vmap(lambda x: x + lax.psum(f32(3), 'i'), axis_name='i')(f32(4, 3))",
    "jax.vmap(lambda x: x * lax.psum(True, 'i'), axis_name='i')(f32(4))",
    "jax.vmap(lambda x: (x, lax.psum(1, 'i')), axis_name='i', out_axes=(0, None))(f32(4))",
    "jax.vmap(lambda x: x * lax.psum(1, 'i', axis_index_groups=[[0, 1], [2, 3]]), axis_name='i')(f32(4))",
    "jax.vmap(jax.vmap(lambda x: lax.psum(x, ('i', 'j')), axis_name='j'), axis_name='i')(f32(2, 3))",
    "jax.vmap(jax.vmap(lambda x: lax.psum(x, ['j', 'i']), axis_name='j'), axis_name='i')(f32(2, 3))",
    "jax.vmap(jax.vmap(lambda x: lax.psum(x, 'i'), axis_name='j'), axis_name='i')(f32(2, 3))",
    "jax.vmap(jax.vmap(lambda x: lax.psum(x, 'j'), axis_name='j'), axis_name='i')(f32(2, 3))",
    "jax.vmap(lambda x: lax.psum(x, ('i', 0)), axis_name='i')(f32(4, 3))",
    "jax.vmap(lambda x: lax.psum(x, 0))(f32(4, 3))",
    "lax.psum(f32(4, 3), 1)",
    "lax.psum(f32(4, 3), (0, 1))",
    "jax.vmap(lambda x: lax.pmean(x, 'i'), axis_name='i')(f32(4, 3))",
    "jax.vmap(lambda x: lax.pmean(x, 'i'), axis_name='i')(i32(4))",
    "jax.vmap(lambda x: lax.pmean(x, 'i'), axis_name='i')(f16(4))",
    "jax.vmap(lambda x: lax.pmean(x, 'i'), axis_name='i')(bf16(4))",
    "jax.vmap(lambda x: lax.pmean((x, 2.0), 'i'), axis_name='i')(c64(4))",
    "jax.vmap(lambda x: x * lax.pmean(3, 'i'), axis_name='i')(f32(4))",
    "jax.vmap(jax.vmap(lambda x: lax.pmean(x, ('i', 'j')), axis_name='j'), axis_name='i')(f32(2, 3))",
    "jax.vmap(lambda x: lax.pmax(x, 'i'), axis_name='i')(f32(4, 3))",
    "jax.vmap(lambda x: lax.pmin(x, 'i'), axis_name='i', in_axes=1)(i32(3, 4))",
    "jax.vmap(lambda x: lax.pmin(x, 'i'), axis_name='i')(b8(4))",
    "jax.vmap(lambda x, y: lax.pmax(y, 'i') + x, (0, None), axis_name='i')(f32(4), 2.0)",
    "jax.vmap(jax.vmap(lambda x: lax.pmax(x, ('i', 'j')), axis_name='j'), axis_name='i')(f32(2, 3))",
]

MOVES = [
    "jax.vmap(lambda x: lax.ppermute(x, 'i', [(0, 1), (1, 2), (2, 0)]), axis_name='i')(jnp.asarray(f32(3, 2)))",
    "jax.vmap(lambda x: lax.ppermute(x, 'i', [(0, 1), (1, 2), (2, 0)]), 1, 1, axis_name='i')(jnp.asarray(i32(2, 3)))",
    "jax.vmap(lambda x: lax.ppermute([x, x * 2], 'i', [(1, 0), (0, 1)]), axis_name='i')(jnp.asarray(f32(2)))",
    "jax.vmap(lambda x, y: x + lax.ppermute(y, 'i', [(1, 0), (0, 1)]), (0, None), axis_name='i')(f32(2), 3.0)",
    "jax.vmap(lambda x: lax.pshuffle(x, 'i', [2, 0, 1]), axis_name='i')(jnp.asarray(f32(3)))",
    "jax.vmap(jax.vmap(lambda x: lax.pshuffle(x, 'i', [1, 0]), axis_name='j'), axis_name='i')(jnp.asarray(f32(2, 3)))",
    "jax.vmap(lambda x: lax.all_gather(x, 'i'), axis_name='i')(f32(3, 2))",
    "jax.vmap(lambda x: lax.all_gather(x, 'i', axis=1), axis_name='i')(f32(3, 2))",
    "jax.vmap(lambda x: lax.all_gather(x, 'i', axis=-1), axis_name='i', out_axes=None)(i32(3, 2))",
    "jax.vmap(lambda x: lax.all_gather(x, 'i', tiled=True), axis_name='i')(f32(3, 2))",
    "jax.vmap(lambda x: lax.all_gather(x, 'i', axis=1, tiled=True), axis_name='i')(f32(3, 2, 2))",
    "jax.vmap(lambda x, y: x + lax.all_gather(y, 'i'), (0, None), axis_name='i')(f32(3), 2.0)",
    "jax.vmap(jax.vmap(lambda x: lax.all_gather(x, 'i'), axis_name='j'), axis_name='i')(f32(2, 3))",
    "jax.vmap(jax.vmap(lambda x: lax.all_gather(x, 'i', axis=1), 1, axis_name='j'), axis_name='i')(f32(2, 3, 4))",
    "jax.vmap(lambda x: lax.psum_scatter(x, 'i'), axis_name='i')(f32(3, 3))",
    "jax.vmap(lambda x: lax.psum_scatter(x, 'i', scatter_dimension=1), axis_name='i')(f32(3, 2, 3))",
    "jax.vmap(lambda x: lax.psum_scatter(x, 'i', tiled=True), axis_name='i')(f32(3, 6))",
    "jax.vmap(lambda x, y: x + lax.psum_scatter(y, 'i'), (0, None), axis_name='i')(f32(3), f32(3))",
    "jax.vmap(lambda x: lax.all_to_all(x, 'i', 0, 0), axis_name='i')(jnp.asarray(f32(3, 3, 2)))",
    "jax.vmap(lambda x: lax.all_to_all(x, 'i', 0, 1), axis_name='i')(f32(3, 3, 2))",
    "jax.vmap(lambda x: lax.all_to_all(x, 'i', 1, 0), axis_name='i')(f32(3, 2, 3))",
    "jax.vmap(lambda x: lax.all_to_all(x, 'i', 0, 1, tiled=True), axis_name='i')(f32(3, 6, 2))",
    "jax.vmap(lambda x: lax.all_to_all(x, 'i', 0, 0, tiled=True), axis_name='i')(jnp.asarray(f32(3, 6, 2)))",
    "jax.vmap(jax.vmap(lambda x: lax.all_to_all(x, 'i', 0, 1), axis_name='j'), axis_name='i')(f32(2, 3, 2, 4))",
    "jax.vmap(jax.vmap(lambda x: lax.all_to_all(x, ('i', 'j'), 0, 1), axis_name='j'), axis_name='i')"
    "(f32(2, 3, 6, 4))",
    "jax.vmap(jax.vmap(lambda x: lax.all_to_all(x, ('j', 'i'), 1, 0, tiled=True), axis_name='j'), axis_name='i')"
    "(f32(2, 3, 2, 12))",
    "jax.vmap(lambda x: lax.pswapaxes(x, 'i', 0), axis_name='i')(jnp.asarray(f32(3, 3, 2)))",
    "jax.vmap(lambda x: x * lax.axis_index('i'), axis_name='i')(f32(3, 2))",
    "jax.vmap(lambda x: (lax.axis_index('i'), x), axis_name='i')(f32(3))",
    "jax.vmap(jax.vmap(lambda x: x * lax.axis_index(('i', 'j')), axis_name='j'), axis_name='i')(f32(2, 3))",
    "jax.vmap(jax.vmap(lambda x: x * lax.axis_index('i'), axis_name='j'), axis_name='i')(f32(2, 3))",
    "jax.vmap(lambda x: x * lax.axis_size('i'), axis_name='i')(f32(3))",
    "jax.vmap(lambda: lax.axis_index('i'), axis_name='i', axis_size=3)()",
    "jax.vmap(jax.vmap(lambda x: x * lax.axis_size(('i', 'j')), axis_name='j'), axis_name='i')(f32(2, 3))",
    "jax.vmap(lambda x: jax.vmap(lambda y: lax.psum(y, 'i'), axis_name='i')(x) + lax.psum(x, 'i'), axis_name='i')"
    "(f32(2, 3))",
]

COMPOSED = [
    "jax.vmap(jax.jit(lambda x: lax.psum(x, 'i')), axis_name='i')(f32(3))",
    "jax.jit(jax.vmap(lambda x: x - lax.pmean(x, 'i'), axis_name='i'))(f32(3, 2))",
    "jax.vmap(jax.jit(lambda x: lax.axis_index('i') + x), (None,), axis_name='i', axis_size=3)(1.0)",
    "jax.vmap(lambda x: lax.cond(x > 0, lambda x: lax.psum(x, 'i'), lambda x: x, x), axis_name='i')(f32(4))",
    "jax.vmap(lambda x: lax.cond(True, lambda x: lax.psum(x, 'i'), lambda x: x, x), axis_name='i')(f32(4))",
    "jax.vmap(lambda x: lax.scan(lambda c, y: (lax.psum(c, 'i') + y, c), 0., x), axis_name='i')(f32(4, 3))",
    "jax.vmap(lambda x: lax.scan(lambda c, _: (c + lax.axis_index('i'), c), 0, None, length=3), axis_name='i')"
    "(f32(2))",
    "jax.vmap(lambda x: lax.fori_loop(0, 3, lambda i, c: c + lax.pmax(c, 'i'), x), axis_name='i')(f32(4))",
    "jax.vmap(lambda x: lax.while_loop(lambda c: c < 9, lambda c: c + lax.psum(c, 'i'), x), axis_name='i')"
    "(np.arange(1., 4., dtype=np.float32))",
    "jax.vmap(lambda x: lax.while_loop(lambda c: lax.pmax(c, 'i') < 9, lambda c: c + 1, x), axis_name='i')"
    "(np.arange(1., 4., dtype=np.float32))",
    "jax.vmap(lambda x: lax.while_loop(lambda c: c < 9, lambda c: c + lax.axis_index('i') + 1, x), (None,),"
    " axis_name='i', axis_size=3)(1)",
    "jax.grad(lambda x: jax.vmap(lambda x: lax.psum(jnp.sin(x), 'i') * x, axis_name='i')(x).sum())(f32(4))",
    "jax.vmap(jax.grad(lambda x: lax.psum(jnp.sin(x), 'i') * x), axis_name='i')(f32(4))",
    "jax.vmap(jax.grad(lambda x: lax.pmean(jnp.sin(x), 'i') * x), axis_name='i')(f32(4))",
    "jax.vmap(jax.value_and_grad(lambda x: (lax.all_gather(jnp.sin(x), 'i') * x).sum()), axis_name='i')(f32(4))",
    "jax.grad(lambda x: jax.vmap(lambda x: lax.all_gather(jnp.sin(x), 'i') * x, axis_name='i')(x).sum())(f32(4))",
    "jax.vmap(jax.grad(lambda x: lax.psum_scatter(jnp.sin(x), 'i') ** 2), axis_name='i')(f32(3, 3))",
    "jax.vmap(jax.grad(lambda x: (lax.all_to_all(jnp.sin(x), 'i', 0, 0) * x).sum()), axis_name='i')(f32(3, 3))",
    "jax.vmap(jax.grad(lambda x: lax.ppermute(jnp.sin(x), 'i', [(0, 1), (1, 2), (2, 0)]) * x), axis_name='i')"
    "(f32(3))",
    "jax.jvp(jax.vmap(lambda x: lax.psum(jnp.sin(x), 'i'), axis_name='i'), (f32(4),), (f32(4, seed=1),))",
    "jax.vmap(lambda x, t: jax.jvp(lambda x: lax.psum(jnp.sin(x), 'i'), (x,), (t,)), axis_name='i')"
    "(f32(4), f32(4, seed=1))",
    "jax.vmap(lambda x: jax.linearize(lambda x: lax.pmean(x * x, 'i'), x)[1](x), axis_name='i')(f32(4))",
    "jax.vmap(lambda x: jax.vjp(lambda x: lax.psum(x * x, 'i'), x)[1](x)[0], axis_name='i')(f32(4))",
    "jax.jacfwd(jax.vmap(lambda x: x / lax.psum(x, 'i'), axis_name='i'))(f32(3, low=1))",
    "jax.jacrev(jax.vmap(lambda x: x / lax.psum(x, 'i'), axis_name='i'))(f32(3, low=1))",
    "jax.hessian(lambda x: jax.vmap(lambda x: lax.psum(x ** 3, 'i') * x, axis_name='i')(x).sum())(f32(3))",
    "jax.grad(lambda x: jax.vmap(lambda x: lax.scan(lambda c, _: (lax.psum(jnp.sin(c), 'i'), c), x, None,"
    " length=3)[0], axis_name='i')(x).sum())(f32(3))",
    "jax.vmap(lambda x: x * jax.eval_shape(lambda y: lax.all_gather(y, 'i'), x).shape[0], axis_name='i')(f32(3))",
]

MAPPED = [
    "jax.vmap(lambda x, s: x + 1 if s == 'up' else x, (0, None))(f32(3), 'up')",
    "jax.vmap(lambda f, x: f(x), (None, 0))(jnp.sin, f32(3))",
    "jax.vmap(lambda p, q: p['a'] * p['b'][0] + q, ({'a': 0, 'b': (1,)}, None))"
    "({'a': f32(3, 2), 'b': (f32(2, 3),)}, 1.0)",
    "jax.vmap(lambda p: p['a'], ({'a': 0, 'b': None},))({'a': f32(3) + 1, 'b': None})",
    "jax.vmap(lambda x, y: x + 1, (0, 0))(f32(3), None)",
    "jax.vmap(lambda x, *, y: x * y)(f32(3), y=f32(3))",
    "jax.vmap(lambda x, *ys: x * sum(ys), in_axes=(0, None, 0))(f32(3), 2.0, f32(3))",
    "jax.vmap(lambda x: {'a': x * 2, 'b': 1.0}, out_axes={'a': 0, 'b': None})(f32(3))",
    "jax.vmap(lambda x: (x * 2, {'b': x}), out_axes=(1, 0))(f32(3, 2))",
    "jax.vmap(lambda x: x * 2, in_axes=-2, out_axes=-1)(f32(3, 2))",
    "jax.vmap(lambda x: x * 2, out_axes=None, sum_match=True)(f32(3))",
    "jax.vmap(lambda x: x * 2, spmd_axis_name='m')(f32(3))",
    "jax.vmap(lambda x: x * 2, spmd_axis_name=('m', 'n'), axis_name='i')(f32(3))",
    "jax.vmap(lambda x: x * 2, axis_size=3)(f32(3))",
    "jax.vmap(lambda: 1.0, axis_size=3, out_axes=None)()",
    "jax.vmap(jax.vmap(lambda x, y: x * y, (0, None)), (None, 0), 1)(f32(3), f32(2))",
    "jax.vmap(lambda x: None)(f32(3))",
]

_RULED = "(lambda f: (f.def_vmap({rule}), f)[1])(jax.custom_batching.custom_vmap({fun}))"


def ruled(rule: str, fun: str) -> str:
    """A function with a batch rule, as an expression."""
    return _RULED.format(rule=rule, fun=fun)


_SIN = ruled("lambda n, b, x: (jnp.sin(x) * n, b[0])", "lambda x: jnp.sin(x)")
_PAIR = ruled(
    "lambda n, b, p, y: ({'s': p['a'] + y, 'y': y}, {'s': True, 'y': b[1]})",
    "lambda p, y: {'s': p['a'] + y, 'y': y}",
)
_SEQUENTIAL = "jax.custom_batching.sequential_vmap(lambda x, y: {'s': jnp.sin(x) + y})"

RULED = [
    f"({_SIN})(f32(3))",
    f"jax.vmap({_SIN})(f32(3))",
    f"jax.vmap({_SIN}, 1, 1)(f32(2, 3))",
    f"jax.jit(jax.vmap({_SIN}))(f32(3))",
    f"jax.vmap(jax.jit({_SIN}))(f32(3))",
    f"jax.vmap(jax.vmap({_SIN}))(f32(3, 2))",
    f"jax.vmap({_SIN}, None, axis_size=2)(f32(3))",
    f"jax.vmap({_PAIR}, ({{'a': 0}}, None))({{'a': jnp.asarray(f32(3))}}, 2.0)",
    f"jax.vmap({_PAIR})({{'a': f32(3)}}, f32(3, seed=1))",
    f"jax.jvp({_SIN}, (f32(3),), (f32(3, seed=1),))",
    f"jax.jvp(jax.vmap({_SIN}), (f32(3),), (f32(3, seed=1),))",
    f"jax.vmap(lambda x, t: jax.jvp({_SIN}, (x,), (t,)))(f32(3), f32(3, seed=1))",
    f"jax.vmap(lambda t: jax.jvp({_SIN}, (1.0,), (t,))[0])(f32(3))",
    f"jax.jacfwd({_SIN})(f32(3))",
    f"jax.grad(lambda x: jax.vmap({_SIN})(x).sum())(f32(3))",
    f"jax.vmap(lambda x: lax.scan(lambda c, _: (({_SIN})(c), c), x, None, length=2))(f32(3))",
    f"jax.vmap({_SEQUENTIAL})(f32(3), f32(3))",
    f"jax.vmap({_SEQUENTIAL}, (0, None))(f32(3), 1.0)",
    f"jax.vmap(jax.vmap({_SEQUENTIAL}, (0, None)), (None, 0))(f32(3), f32(2))",
    f"jax.jvp(jax.vmap({_SEQUENTIAL}), (f32(3), f32(3)), (f32(3), f32(3)))",
]

_IN = "jax.vmap(lambda x: {}, axis_name='i')(f32(3, 3))"

ERRORS = [
    "lax.psum(1.0, 'i')",
    "lax.axis_index('i')",
    "lax.axis_size('i')",
    "lax.pmean(f32(3), 'i')",
    "jax.jit(lambda x: lax.psum(x, 'i'))(1.0)",
    "jax.jit(lambda x: lax.ppermute(x, 'i', [(0, 0)]))(1.0)",
    "jax.jit(lambda x: lax.all_gather(x, 'i'))(1.0)",
    _IN.format("lax.psum(x, 'j')"),
    _IN.format("lax.pmax(x, ('i', 'j'))"),
    _IN.format("lax.psum('text', 'i')"),
    _IN.format("lax.psum(x, ('i', 0), axis_index_groups=[[0, 1, 2]])"),
    _IN.format("lax.psum(x, 'i', axis_index_groups=[[0, 2]])"),
    _IN.format("lax.psum(x, 'i', axis_index_groups=[[0], [1], [2]])"),
    _IN.format("lax.pshuffle(x, 'i', [0, 0, 1])"),
    _IN.format("lax.ppermute(x, 'i', [(0, 1), (1, 2), (2, 5)])"),
    _IN.format("lax.all_gather(x, 'i', axis=3)"),
    _IN.format("lax.all_gather(x, 'i', to='nowhere')"),
    "jax.make_jaxpr(lambda x: lax.psum_scatter(x, 'i'), axis_env=[('i', 3)])(f32(2))",
    "jax.make_jaxpr(lambda x: lax.psum_scatter(x, 'i', tiled=True), axis_env=[('i', 3)])(f32(2))",
    _IN.format("lax.psum_scatter(x, 'i', scatter_dimension=2)"),
    _IN.format("lax.all_to_all(x[:2], 'i', 0, 0)"),
    _IN.format("lax.all_to_all(x[:2], 'i', 0, 0, tiled=True)"),
    _IN.format("lax.all_to_all(x, 'i', 3, 0)"),
    "jax.vmap(lambda x: lax.psum(x, 'm'), spmd_axis_name='m')(f32(3))",
    "jax.vmap(lambda x: x, axis_name=[1])(f32(3))",
    "jax.vmap(lambda x: x)('text')",
    "jax.vmap(lambda x: 'text')(f32(3))",
    "jax.vmap(lambda x: 'text', out_axes=None)(f32(3))",
    "jax.vmap(lambda x: x, in_axes={'a': 0})({'a': f32(3)})",
    "jax.vmap(lambda x: x, in_axes=True)(f32(3))",
    "jax.vmap(lambda x: x, in_axes=(1.0,))(f32(3))",
    "jax.vmap(lambda x: x, out_axes='0')",
    "jax.vmap(lambda x: (x, x), out_axes=(0, 0, 0))(f32(3))",
    "jax.vmap(lambda x: {'a': x}, out_axes={'b': 0})(f32(3))",
    "jax.vmap(lambda x: (x, x), out_axes=[0, 0])(f32(3))",
    "jax.vmap(lambda x: x, in_axes=((0, 0),))((f32(3),))",
    "jax.vmap(lambda x: x, in_axes=({'a': 0},))({'b': f32(3)})",
    "jax.vmap(lambda x, y, z: x)(f32(3), f32(2), f32(3))",
    "jax.vmap(lambda x: x, axis_size=2)(f32(3))",
    "jax.vmap(lambda: 1.0)()",
    "jax.vmap(lambda: 1.0, axis_size='3')()",
    "jax.vmap(lambda: 1.0, axis_size=-1)()",
    "jax.vmap(lambda x: x, in_axes=-2)(f32(3))",
    "jax.vmap(3)",
    "jax.make_jaxpr(3)",
    "jax.make_jaxpr(lambda x, n: x, static_argnums=1)(1.0, [1])",
    "jax.make_jaxpr(lambda x: x, static_argnums=3)(1.0)",
    "jax.make_jaxpr(lambda x: x)('text')",
    "jax.make_jaxpr(lambda x: 'text')(1.0)",
    "jax.make_jaxpr(lambda x: lax.psum(x, 'j'), axis_env=[('i', 3)])(1.0)",
    "jax.make_jaxpr(lambda x: x, axis_env=[('i',)])(1.0)",
    "jax.eval_shape(3, 1.0)",
    "jax.eval_shape(lambda x: x, 'text')",
    "jax.custom_batching.custom_vmap(lambda x: x)(1.0)",
    "jax.vmap(jax.custom_batching.custom_vmap(lambda x: x))(f32(3))",
    f"({_SIN})(z=1.0)",
    f"jax.grad({_SIN})(1.0)",
    f"jax.linearize({_SIN}, 1.0)",
    f"jax.vmap({ruled('lambda n, b, x: x', 'lambda x: x')})(f32(3))",
    f"jax.vmap({ruled('lambda n, b, x: 1', 'lambda x: x')})(f32(3))",
    f"jax.vmap({ruled('lambda n, b, x: ((x, x), True)', 'lambda x: x')})(f32(3))",
    f"jax.vmap({ruled('lambda n, b, x: ((x, x), (True, True))', 'lambda x: x')})(f32(3))",
    f"jax.vmap({ruled('lambda n, b, x: (x, None)', 'lambda x: x')})(f32(3))",
    f"jax.vmap({ruled('lambda n, b: (1, True)', 'lambda x: x')})(f32(3))",
]

SHAPES = [
    "str(jax.make_jaxpr(lambda x: {'a': x, 'b': None, 'c': 1}, return_shape=True)(1.0)[1])",
    "str(jax.make_jaxpr(lambda x, n: x * n, static_argnums=1)(1.0, 2))",
    "str(jax.make_jaxpr(lambda n, x: x * n, static_argnums=-2)(2, 1.0))",
    "jax.make_jaxpr(lambda x: x).__name__",
    "str(jax.eval_shape(lambda x: {'a': x * 2, 'b': 1}, f32(3)))",
    "str(jax.eval_shape(lambda x, *, n: x * n, f32(3), n=2))",
    "str(jax.eval_shape(lambda x: x * 2, jax.ShapeDtypeStruct((3,), 'float32')))",
    "str(jax.eval_shape(lambda x: x * 2, functools.reduce(lambda t, kv: setattr(t, *kv) or t,"
    " [('shape', (3,)), ('dtype', np.dtype('float32'))], type('Duck', (), {}))()))",
]

TABLE = REDUCTIONS + MOVES + COMPOSED + MAPPED + RULED + ERRORS + SHAPES


@pytest.mark.parametrize("expression", TABLE)
def test_same_as_jax(expression: str) -> None:
    assert_agrees(expression, TABLE, rtol=2e-6, atol=1e-6)


def test_table_is_large() -> None:
    assert len(TABLE) == len(set(TABLE)) >= 200
