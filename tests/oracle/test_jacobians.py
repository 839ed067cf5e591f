"""Jacobians and Hessians: values, structures, dtypes, weak types, classes of errors, and jaxprs, as in jax."""

from __future__ import annotations

import re
from importlib.metadata import version

import numpy as np
import pytest
from jax_process import answer_here, answers_of_jax, assert_agrees

import jaxlab

_P = "{'a': f32(3), 'b': 2.0}"
_BOTH = "lambda x: (jnp.sin(x), {'y': x.sum()})"

VALUES = [
    *[
        f"jax.{jac}({f})({x})"
        for jac in ("jacfwd", "jacrev", "jacobian", "hessian")
        for f, x in (
            ("jnp.sin", "f32(3)"),
            ("jnp.sin", "1.0"),
            ("jnp.sin", "f32()"),
            ("lambda x: x[:, None] * x", "f32(3)"),
            ("lambda x: x.sum()", "f32(2, 3)"),
            ("lambda x: x.T @ x", "f32(2, 3)"),
            (_BOTH, "f32(3)"),
            ("lambda p: p['a'] * p['b']", _P),
            ("lambda p: {'y': p['a'] * p['b'], 'z': [p['b']]}", _P),
            ("lambda x: 3.0 * jnp.ones(2)", "f32(3)"),
            ("lambda x: x * 2", "bf16(3)"),
            ("lambda x: x.astype(jnp.float16)", "f32(3)"),
            ("lambda x: jnp.zeros((0,)) * x[0]", "f32(2)"),
            ("lambda x: x", "i32(3)"),
            ("lambda x: x", "c64(3)"),
            ("lambda x: x", "'text'"),
            ("lambda x: jnp.exp(1j * x)", "f32(3)"),
            ("lambda x: 'text'", "f32(3)"),
            ("lambda x: None", "f32(3)"),
            ("lambda x: x.astype(jnp.int32)", "f32(3)"),
            ("jax.jit(lambda x: jnp.sin(x) * x)", "f32(3)"),
            ("lambda x: lax.scan(lambda c, y: (c * y, c), x[0], x)", "f32(3)"),
            ("lambda x: lax.cond(x[0] > 0, jnp.sin, jnp.cos, x)", "f32(3)"),
        )
    ],
    *[
        f"jax.{jac}(lambda x, y: x * y, argnums={argnums})(f32(3), f32(3, seed=1))"
        for jac in ("jacfwd", "jacrev", "hessian")
        for argnums in ("0", "1", "-1", "(0, 1)", "(1,)", "2", "[0, 1]", "(0, 5)")
    ],
    *[
        f"jax.{jac}(lambda z: z * jnp.sin(z), holomorphic=True)({x})"
        for jac in ("jacfwd", "jacrev", "hessian")
        for x in ("c64(3)", "f32(3)", "np.complex64(1 + 2j)")
    ],
    *[
        f"jax.{jac}(lambda z: jnp.abs(z), holomorphic=True)(c64(3))"
        for jac in ("jacfwd", "jacrev", "hessian")
    ],
    *[f"jax.{jac}({_BOTH}, has_aux=True)(f32(3))" for jac in ("jacfwd", "jacrev", "hessian")],
    *[f"jax.{jac}(lambda x: x, has_aux=True)(f32(3))" for jac in ("jacrev", "hessian")],
    *[f"jax.{jac}(3)" for jac in ("jacfwd", "jacrev", "hessian")],
    "jax.jacrev(lambda i, x: x * i, argnums=1)(i32(3), f32(3))",
    "jax.jacfwd(lambda x, *, y: x * y)(f32(3), y=2.0)",
    "jax.jacrev(lambda x, *, y: x * y)(f32(3), y=2.0)",
    "jax.jit(jax.jacfwd(jnp.sin))(f32(3))",
    "jax.jit(jax.hessian(lambda x: jnp.sin(x).sum()))(f32(3))",
    "jax.vmap(jax.jacrev(lambda x: x[:, None] * x))(f32(2, 3))",
    "jax.grad(lambda x: jax.jacfwd(jnp.sin)(x).sum())(f32(3))",
    "jax.jacfwd(jax.jacfwd(jax.jacrev(lambda x: (x ** 4).sum())))(f32(2))",
    "jax.jacfwd(lambda x, y: x * y.sum(), argnums=(0, 1))(f32(2), bf16(3))",
]

TEXTS = [
    f"jaxpr(jax.{jac}({f}), {x})"
    for jac in ("jacfwd", "jacrev", "hessian")
    for f, x in (
        ("jnp.sin", "f32(3)"),
        ("jnp.sin", "f32()"),
        ("lambda x: x.sum()", "f32(2, 3)"),
        ("lambda p: p['a'] * p['b']", "{'a': f32(3), 'b': np.float16(2)}"),
        (_BOTH, "f32(3)"),
    )
]


# Programs with another text, each with the reason.
DIFFERENT = {f"jaxpr(jax.hessian({_BOTH}), f32(3))": "jax adds a tangent of zeros, which here stays symbolic"}


@pytest.mark.parametrize("expression", VALUES)
def test_value(expression: str) -> None:
    assert_agrees(expression, VALUES, rtol=1e-5, atol=1e-6)


@pytest.mark.skipif(not version("jax").startswith("0.10."), reason="jaxprs have the text of jax 0.10")
@pytest.mark.parametrize("program", TEXTS)
def test_text(program: str) -> None:
    ours, theirs = answer_here(program), answers_of_jax(tuple(TEXTS))[program]
    assert ours[:2] == theirs[:2] == ("python", "str"), (ours, theirs)
    plain = re.sub(r"np\.int64\((-?\d+)\)", r"\1", eval(theirs[2]))
    same = "".join(eval(ours[2]).split()) == "".join(plain.split())
    assert same is (program not in DIFFERENT)


@pytest.mark.parametrize("jacobian", [jaxlab.jacfwd, jaxlab.jacrev, jaxlab.hessian])
def test_the_basis_is_no_constant(jacobian: object) -> None:
    """The unit directions are made by the program, however many there are."""
    closed = jaxlab.make_jaxpr(jacobian(lambda x: (x * x).sum()))(np.zeros(2000, np.float32))  # type: ignore[operator]
    assert all(np.size(x) < 10 for x in closed.consts)
