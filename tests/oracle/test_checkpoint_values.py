"""`checkpoint`: values, dtypes, weak types, classes of errors, jaxprs and what is saved, as in jax."""

from __future__ import annotations

from importlib.metadata import version

import pytest
from jax_process import assert_agrees, texts

_F = "lambda x: jnp.sin(jnp.sin(x))"
_DOTS = "lambda w, x: jnp.tanh(jnp.tanh(x @ w) @ w)"
_NAMED = "lambda x: ad_checkpoint.checkpoint_name(jnp.sin(x), 'a') * jnp.cos(x)"
_SCAN = "lambda x: lax.scan(lambda c, a: (jnp.sin(c * a), c), x, jnp.arange(1., 4.))"
_SCAN_DOTS = "lambda w, x: lax.scan(lambda c, _: (jnp.tanh(c @ w), jnp.cos(c)), x, None, length=3)"
_COND = "lambda x: lax.cond(x[0] > 0, lambda y: jnp.sin(y) * y, lambda y: jnp.cos(y), x)"
_CUSTOM = "lambda x: nn.relu(jnp.sin(x)) * nn.silu(x)"
_P = "jax.checkpoint_policies."

VALUES = [
    f"jax.checkpoint({_F})(f32(3))",
    f"jax.checkpoint({_F})(1.0)",
    f"jax.remat({_F})(2)",
    f"jax.grad(jax.checkpoint({_F}))(1.0)",
    f"jax.value_and_grad(jax.remat({_F}))(2.0)",
    f"jax.grad(jax.grad(jax.checkpoint({_F})))(1.0)",
    f"jax.grad(jax.checkpoint(jax.grad({_F})))(1.0)",
    f"jax.grad(jax.grad(jax.grad(jax.checkpoint({_F}))))(1.0)",
    f"jax.jvp(jax.checkpoint({_F}), (1.0,), (2.0,))",
    f"jax.linearize(jax.checkpoint({_F}), 1.0)[1](2.0)",
    f"jax.vjp(jax.checkpoint({_F}), f32(3))[1](f32(3, seed=1))",
    f"jax.vmap(jax.checkpoint({_F}))(f32(2, 3))",
    f"jax.vmap(jax.grad(jax.checkpoint({_F})))(f32(3))",
    f"jax.grad(lambda x: jax.vmap(jax.checkpoint({_F}))(x).sum())(f32(2, 3))",
    f"jax.jit(jax.checkpoint({_F}))(f32(3))",
    f"jax.jit(jax.grad(jax.checkpoint({_F})))(1.0)",
    f"jax.grad(jax.checkpoint(jax.jit({_F})))(1.0)",
    f"jax.grad(jax.jit(jax.checkpoint({_F})))(1.0)",
    f"jax.hessian(lambda x: jax.checkpoint({_F})(x).sum())(f32(3))",
    f"jax.jacfwd(jax.checkpoint({_F}))(f32(3))",
    f"jax.jacrev(jax.checkpoint({_F}))(f32(3))",
    f"jax.grad(jax.checkpoint(jax.checkpoint({_F})))(1.0)",
    f"jax.grad(jax.checkpoint(lambda x: jax.checkpoint({_F})(x) * jnp.cos(x)))(1.0)",
    f"jax.grad(jax.grad(jax.checkpoint(lambda x: jax.checkpoint({_F})(x) * jnp.cos(x))))(1.0)",
    "jax.checkpoint(lambda x: {'a': x, 'b': [x * 2, None]})(f32(3))",
    "jax.checkpoint(lambda p: p['a'] * p['b'])({'a': f32(3), 'b': 2.0})",
    "jax.checkpoint(lambda x, *, y: x * y)(f32(3), y=2.0)",
    "jax.grad(jax.checkpoint(lambda x, *, y: x * y))(3.0, y=2.0)",
    "jax.grad(jax.checkpoint(lambda x, n: x ** n if n > 1 else x, static_argnums=(1,)))(3.0, 2)",
    "jax.grad(jax.checkpoint(lambda x, n: x ** n if n > 1 else x, static_argnums=1))(3.0, 1)",
    "jax.grad(jax.checkpoint(lambda x, n: x * len(n), static_argnums=-1))(3.0, [1, 2])",
    "jax.checkpoint(lambda x, n: x if n > 1 else -x)(3.0, 2)",
    "jax.checkpoint(lambda x: x, static_argnums=2)(3.0)",
    "jax.checkpoint(lambda x: x, static_argnums=[0])(3.0)",
    "jax.checkpoint(lambda x: x, concrete=True)",
    "jax.checkpoint(lambda x: x, concrete=False)",
    "jax.checkpoint(lambda x: x, prevent_cse=1)",
    "jax.checkpoint(lambda x: 'text')(3.0)",
    "jax.checkpoint(lambda x: x)('text')",
    "jax.checkpoint(lambda x: None)(3.0)",
    "jax.checkpoint(lambda: 3.0)()",
    "jax.grad(jax.checkpoint(lambda x, y: x * y, prevent_cse=(True, False)))(2.0, 3.0)",
    "jax.jit(jax.grad(jax.checkpoint(lambda x, y: jnp.sin(x) * y, prevent_cse=[True, False])))(2.0, 3.0)",
    "jax.grad(lambda x: jax.checkpoint(lambda y: jnp.sin(y) * x)(x * 2))(2.0)",
    "jax.checkpoint(lambda i, x: x[i])(i32(), f32(5))",
    "jax.grad(jax.checkpoint(lambda i, x: x[i]), argnums=1)(np.int32(2), f32(5))",
    "jax.grad(jax.checkpoint(lambda z: jnp.abs(jnp.sin(z))))(np.complex64(1 + 2j))",
    "jax.grad(jax.checkpoint(lambda z: jnp.sin(z) * z), holomorphic=True)(np.complex64(1 + 2j))",
    *[
        f"jax.grad(lambda w, x: jax.checkpoint({_DOTS}, policy={_P}{policy})(w, x).sum(), argnums=(0, 1))"
        "(f32(3, 3), f32(2, 3, seed=1))"
        for policy in (
            "everything_saveable",
            "nothing_saveable",
            "dots_saveable",
            "checkpoint_dots",
            "dots_with_no_batch_dims_saveable",
            "checkpoint_dots_with_no_batch_dims",
            "save_anything_except_these_names('a')",
            "save_any_names_but_these('a')",
            "save_only_these_names('a')",
            "save_from_both_policies(jax.checkpoint_policies.dots_saveable, lambda *_, **__: False)",
            "save_from_both_policies(jax.checkpoint_policies.dots_saveable, lambda *_, **__: None)",
        )
    ],
    f"{_P}save_and_offload_only_these_names(names_which_can_be_saved=['a'], "
    "names_which_can_be_offloaded=['a', 'b'], offload_src='device', offload_dst='pinned_host')",
    f"jax.grad(jax.checkpoint({_NAMED}, policy={_P}save_only_these_names('a')))(1.0)",
    f"jax.grad(jax.grad(jax.checkpoint({_NAMED}, policy={_P}save_any_names_but_these('b'))))(1.0)",
    "ad_checkpoint.checkpoint_name({'a': jnp.ones(3), 'b': jnp.ones(2)}, 'name')",
    f"jax.vmap({_NAMED})(f32(3))",
    f"jax.jvp({_NAMED}, (1.0,), (1.0,))",
    f"jax.grad(jax.checkpoint(lambda x: ({_SCAN})(x)[0]))(np.float32(1))",
    f"jax.grad(jax.checkpoint(lambda x: ({_SCAN})(x)[1].sum()))(np.float32(1))",
    f"jax.grad(jax.grad(jax.checkpoint(lambda x: ({_SCAN})(x)[0])))(np.float32(1))",
    *[
        f"jax.grad(jax.checkpoint(lambda w, x: sum(y.sum() for y in ({_SCAN_DOTS})(w, x)), "
        f"policy={_P}{policy}), argnums=(0, 1))(f32(3, 3), f32(2, 3))"
        for policy in ("dots_saveable", "everything_saveable", "nothing_saveable")
    ],
    "jax.grad(lambda x: lax.scan(jax.checkpoint(lambda c, a: (jnp.sin(c * a), c)), x, jnp.arange(3.))[0])(1.)",
    f"jax.grad(jax.checkpoint(lambda x: ({_COND})(x).sum()))(np.ones(3, np.float32))",
    f"jax.grad(jax.checkpoint(lambda x: ({_COND})(x).sum(), policy={_P}everything_saveable))"
    "(np.ones(3, np.float32))",
    f"jax.vmap(jax.grad(jax.checkpoint(lambda x: ({_COND})(x).sum())))(f32(4, 3))",
    f"jax.grad(jax.checkpoint(lambda x: ({_CUSTOM})(x).sum()))(f32(3))",
    f"jax.grad(lambda x: jax.jvp(jax.checkpoint(lambda x: ({_CUSTOM})(x).sum()), (x,), (x,))[1])(f32(3))",
    "jax.grad(jax.checkpoint(lambda x: lax.fori_loop(0, 3, lambda i, c: jnp.sin(c), x)))(1.0)",
    "jax.jvp(jax.checkpoint(lambda x: lax.while_loop(lambda c: c < 9, lambda c: c * 2, x)), (1.,), (1.,))",
    "jax.grad(jax.checkpoint(lambda x: lax.while_loop(lambda c: c < 9, lambda c: c * 2, 1.) * jnp.sin(x)))(1.)",
]

_GRAD_DOTS = "jaxpr(jax.grad(lambda x: jax.checkpoint(lambda x: jnp.sin(x @ x) @ x{})(x).sum()), f32(3, 3))"

TEXTS = [
    f"jaxpr(jax.checkpoint({_F}), f32(3))",
    f"jaxpr(jax.remat({_F}), 1.0)",
    f"jaxpr(jax.checkpoint({_F}, prevent_cse=False), f32(3))",
    "jaxpr(jax.checkpoint(lambda x, y: x * y, prevent_cse=(True, False)), f32(3), 1.0)",
    f"jaxpr(jax.checkpoint({_F}, policy={_P}dots_saveable), f32(3))",
    f"jaxpr(jax.checkpoint({_F}, policy={_P}save_only_these_names('a')), f32(3))",
    f"jaxpr(jax.checkpoint({_F}, policy={_P}save_any_names_but_these('a')), f32(3))",
    f"jaxpr(jax.grad(jax.checkpoint({_F})), 1.0)",
    f"jaxpr(jax.value_and_grad(jax.checkpoint({_F})), 1.0)",
    f"jaxpr(jax.grad(jax.grad(jax.checkpoint({_F}))), 1.0)",
    f"jaxpr(jax.grad(lambda x: jax.checkpoint({_F})(x).sum()), f32(3))",
    f"jaxpr(lambda x: jax.jvp(jax.checkpoint({_F}), (x,), (x,)), f32(3))",
    f"jaxpr(lambda x, t: jax.vjp(jax.checkpoint({_F}), x)[1](t), f32(3), f32(3))",
    f"jaxpr(jax.vmap(jax.checkpoint({_F})), f32(2, 3))",
    f"jaxpr(jax.vmap(jax.grad(jax.checkpoint({_F}))), f32(3))",
    f"jaxpr(jax.jit(jax.checkpoint({_F})), f32(3))",
    f"jaxpr(jax.jit(jax.grad(jax.checkpoint({_F}))), 1.0)",
    f"jaxpr(jax.grad(jax.jit(jax.checkpoint({_F}))), 1.0)",
    f"jaxpr(jax.grad(jax.checkpoint(jax.jit({_F}))), 1.0)",
    f"jaxpr(jax.jit(jax.grad(jax.checkpoint(jax.jit({_F})))), 1.0)",
    f"jaxpr(jax.checkpoint(jax.checkpoint({_F})), f32(3))",
    f"jaxpr(jax.grad(jax.checkpoint(jax.checkpoint({_F}))), 1.0)",
    f"jaxpr(jax.grad(lambda x: jax.checkpoint(lambda x: jax.checkpoint({_F})(x).sum())(x)), f32(3))",
    f"jaxpr({_NAMED}, f32(3))",
    f"jaxpr(jax.vmap({_NAMED}), f32(3))",
    f"jaxpr(jax.grad({_NAMED}), 1.0)",
    f"jaxpr(jax.grad(jax.checkpoint({_NAMED}, policy={_P}save_only_these_names('a'))), 1.0)",
    f"jaxpr(jax.grad(jax.checkpoint({_NAMED}, policy={_P}save_any_names_but_these('a'))), 1.0)",
    _GRAD_DOTS.format(""),
    _GRAD_DOTS.format(f", policy={_P}dots_saveable"),
    _GRAD_DOTS.format(f", policy={_P}dots_with_no_batch_dims_saveable"),
    "jaxpr(jax.grad(lambda x: lax.scan(jax.checkpoint(lambda c, _: (jnp.sin(c), None)), x, None, length=3)[0]),"
    " 1.0)",
    "jaxpr(lambda x: lax.scan(jax.checkpoint(lambda c, _: (jnp.sin(c), None)), x, None, 3), 1.0)",
    "jaxpr(lambda x: lax.cond(x > 0, jax.checkpoint(jnp.sin), jax.checkpoint(jnp.cos), x), 1.0)",
    "jaxpr(jax.checkpoint(lambda x, *, y: x * y), f32(3), y=2.0)",
    "jaxpr(lambda x: jax.checkpoint(lambda y: y * x)(2.0), 1.0)",
]


# Programs with another text, each with the reason; a program that has come to print the same is to leave.
DIFFERENT = {
    "jaxpr(jax.grad(lambda x: jax.checkpoint(jax.jit(lambda x: jnp.sin(x @ x) @ x), "
    f"policy={_P}dots_saveable)(x).sum()), f32(3, 3))": "jax hands the second computation an unused residual",
    f"jaxpr(lambda x: jax.linearize(jax.checkpoint({_F}), x)[1](x), f32(3))": (
        "what is computed again comes before what is linear; jax has them in the order of the function"
    ),
    "jaxpr(jax.grad(jax.checkpoint(lambda x: lax.scan(lambda c, _: (jnp.sin(c), None), x, None, length=3)[0])),"
    " 1.)": "jax wraps the known half of a loop in a closed_call",
}


@pytest.mark.parametrize("expression", VALUES)
def test_value(expression: str) -> None:
    if "concrete=" in expression and not version("jax").startswith("0.10."):
        pytest.skip("later versions of jax have no argument of that name")
    assert_agrees(expression, VALUES, rtol=1e-5, atol=1e-6)


@pytest.mark.skipif(not version("jax").startswith("0.10."), reason="jaxprs have the text of jax 0.10")
@pytest.mark.parametrize("program", [*TEXTS, *DIFFERENT])
def test_text(program: str) -> None:
    ours, theirs = texts(program, (*TEXTS, *DIFFERENT))
    assert (ours == theirs) is (program not in DIFFERENT)


def test_number_of_expressions() -> None:
    assert len(VALUES) >= 80
    assert len(TEXTS) >= 25
