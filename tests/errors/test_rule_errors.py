"""The exact first line of each error of derivative rules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import jaxlab as jax
import jaxlab.numpy as jnp
from jaxlab.custom_derivatives import (
    CustomVJPException,
    SymbolicZero,
    custom_vjp_primal_tree_values,
    linear_call,
)

V = np.arange(3.0, dtype=np.float32)


def f(x: Any) -> Any:
    return x * 1


def g(x: Any, y: Any) -> Any:
    return x * y


def with_jvp(rule: Callable[..., Any], fun: Callable[..., Any] = f, **options: Any) -> Any:
    ruled = jax.custom_jvp(fun, **options)
    rule.__name__ = "rule"
    ruled.defjvp(rule)
    return ruled


def with_vjp(
    fwd: Callable[..., Any], bwd: Callable[..., Any], fun: Callable[..., Any] = f, **options: Any
) -> Any:
    ruled = jax.custom_vjp(fun, **options)
    fwd.__name__, bwd.__name__ = "fwd", "bwd"
    ruled.defvjp(fwd, bwd)
    return ruled


def saved(x: Any) -> Any:
    return x * 1, None


def closing_over(x: Any) -> Any:
    def inner(y: Any) -> Any:
        return x * y

    return with_vjp(lambda y: (x * y, None), lambda r, ct: (ct,), inner)(2.0)


def closing_over_jvp(x: Any) -> Any:
    def inner(y: Any) -> Any:
        return x * y

    return with_jvp(lambda p, t: (inner(p[0]), t[0]), inner)(2.0)


def applied(h: Any, *args: Any, **kwargs: Any) -> Any:
    """The call in the differentiated function, so that it is traced first."""
    return jax.grad(jax.jit(lambda x: h(x)))(*args, **kwargs)


PAIRS: list[tuple[type[Exception], Callable[[], Any], str]] = [
    (
        TypeError,
        lambda: with_jvp(lambda p, t: p)(1.0, 2.0),
        "custom_jvp: the arguments do not fit f(x), but all must become positional ones; too many "
        "positional arguments",
    ),
    (
        TypeError,
        lambda: with_jvp(lambda p, t: p, lambda x, *, n=1: x)(1.0, n=2),
        "custom_jvp: `n` was given by name to <lambda>(x, *, n=1), but a function with a derivative "
        "rule takes arguments that have a position; make it a positional parameter",
    ),
    (
        TypeError,
        lambda: with_jvp(lambda p, t: p)("a"),
        "custom_jvp: argument `x` of f is a str, but arrays and numbers are needed; name it in "
        "nondiff_argnums if it is neither",
    ),
    (
        TypeError,
        lambda: with_jvp(lambda p, t: p, lambda x: "a")(1.0),
        "custom_jvp: <lambda> returned a str, but only arrays and numbers can be returned",
    ),
    (
        AttributeError,
        lambda: jax.custom_jvp(f)(1.0),
        "custom_jvp: f has no derivative rule yet; set one with defjvp or defjvps",
    ),
    (
        TypeError,
        lambda: jax.custom_jvp(f, nondiff_argnums=1),
        "custom_jvp: nondiff_argnums=1 was given, but a tuple of positions is needed; write "
        "nondiff_argnums=(1,)",
    ),
    (
        IndexError,
        lambda: jax.grad(with_jvp(lambda n, p, t: p, nondiff_argnums=(3,)))(1.0),
        "custom_jvp: nondiff_argnums names argument 3, but f was called with 1 argument",
    ),
    (
        TypeError,
        lambda: jax.custom_jvp(g, nondiff_argnums=(0,)).defjvps(None),
        "defjvps: g has nondiff_argnums (0,), but a rule for each argument is for functions without; "
        "use defjvp",
    ),
    (
        ValueError,
        lambda: (lambda h: (h.defjvps(lambda t, out, x, y: t), jax.grad(h)(1.0, 2.0)))(jax.custom_jvp(g)),
        "defjvps: 1 rules were given, but g was called with 2 arguments; give one for each, None "
        "where the derivative is zero",
    ),
    (
        TypeError,
        lambda: jax.grad(with_jvp(lambda p, t: p[0]))(1.0),
        "custom_jvp: rule, the custom jvp rule of f, returned f32[], but a pair (value, tangent) is "
        "needed; return the value of f and its tangent",
    ),
    (
        TypeError,
        lambda: jax.grad(with_jvp(lambda p, t: (p[0], t[0], 1)))(1.0),
        "custom_jvp: rule, the custom jvp rule of f, returned a tuple of 3, but a pair (value, "
        "tangent) is needed; return the value of f and its tangent",
    ),
    (
        TypeError,
        lambda: jax.grad(with_jvp(lambda p, t: ((p[0],), t[0])))(1.0),
        "custom_jvp: rule, the custom jvp rule of f, returned a value of structure PyTreeDef((*,)) "
        "and a tangent of structure PyTreeDef(*), but both must have the same structure; return a "
        "tangent for each leaf of the value",
    ),
    (
        TypeError,
        lambda: jax.grad(with_jvp(lambda p, t: (p[0], None)))(1.0),
        "custom_jvp: rule, the custom jvp rule of f, returned a value of structure PyTreeDef(*) and a"
        " tangent of structure PyTreeDef(None), but both must have the same structure; return a "
        "tangent for each leaf of the value",
    ),
    (
        TypeError,
        lambda: jax.grad(with_jvp(lambda p, t: (p[0], V)))(1.0),
        "custom_jvp: rule, the custom jvp rule of f, returned the tangent of type f32[3], but a value"
        " of type f32[] has a tangent of type f32[]; convert or reshape it in the rule",
    ),
    (
        TypeError,
        lambda: jax.grad(with_jvp(lambda p, t: (p[0], 1)))(1.0),
        "custom_jvp: rule, the custom jvp rule of f, returned the tangent of type i32[], but a value "
        "of type f32[] has a tangent of type f32[]; convert or reshape it in the rule",
    ),
    (
        TypeError,
        lambda: jax.grad(
            lambda x: with_jvp(
                lambda p, t: ({"a": p[0], "b": [p[0]]}, {"a": t[0], "b": [V]}), lambda x: {"a": x, "b": [x]}
            )(x)["a"]
        )(1.0),
        "custom_jvp: rule, the custom jvp rule of <lambda>, returned the tangent['b'][0] of type "
        "f32[3], but a value of type f32[] has a tangent of type f32[]; convert or reshape it in the "
        "rule",
    ),
    (
        TypeError,
        lambda: applied(with_jvp(lambda p, t: ((p[0],), (t[0],))), 1.0),
        "custom_jvp: rule, the custom jvp rule of f, returned a value of structure PyTreeDef((*,)), "
        "but f returns structure PyTreeDef(*); return the value of f itself",
    ),
    (
        TypeError,
        lambda: applied(with_jvp(lambda p, t: (V, V)), 1.0),
        "custom_jvp: rule, the custom jvp rule of f, returned the value of type f32[3], but f returns"
        " f32[]; return the value of f itself",
    ),
    (
        TypeError,
        lambda: applied(with_jvp(lambda p, t: (np.float16(1), np.float16(1))), 1.0),
        "custom_jvp: rule, the custom jvp rule of f, returned the value of type f16[], but f returns "
        "f32[]; return the value of f itself",
    ),
    (
        jax.errors.UnexpectedTracerError,
        lambda: jax.grad(closing_over_jvp)(3.0),
        "custom_jvp: inner, or its derivative rule, closes over a value that is being traced, but a "
        "rule tells derivatives by arguments only; pass the value as an argument (closure_convert "
        "does it for functions)",
    ),
    (
        NotImplementedError,
        lambda: jax.grad(with_jvp(lambda p, t: (p[0], t[0] * t[0])))(1.0),
        "transpose: an operation combines two values that are to be linear, one of them f32[], but "
        "their product is not linear; linearize the function at a point, as vjp does, or make the "
        "rule linear in its tangents",
    ),
    (
        NotImplementedError,
        lambda: jax.grad(with_jvp(lambda p, t: (p[0], jnp.sin(t[0]))))(1.0),
        "transpose: the operation sin was given a value that is to be linear, but it has no rule for "
        "its transpose, since it is not linear; linearize the function at a point, as vjp does",
    ),
    (
        AttributeError,
        lambda: jax.custom_vjp(f)(1.0),
        "custom_vjp: f has no derivative rules yet; set them with defvjp",
    ),
    (
        NotImplementedError,
        lambda: jax.custom_vjp(f).defvjp(saved, saved, symbolic_zeros=True, optimize_remat=True),
        "defvjp: symbolic_zeros=True and optimize_remat=True were given, but only one of them can be set",
    ),
    (
        TypeError,
        lambda: with_vjp(saved, lambda r, ct: (ct,))(object()),
        "custom_vjp: argument `x` of f is an object, but arrays and numbers are needed; name it in "
        "nondiff_argnums if it is neither",
    ),
    (
        TypeError,
        lambda: jax.jvp(with_vjp(saved, lambda r, ct: (ct,)), (1.0,), (1.0,)),
        "jvp: a function with the custom_vjp backward rule bwd was differentiated in forward mode, "
        "but that rule is for reverse mode only; use grad, vjp or jacrev, or give the function a "
        "custom_jvp rule",
    ),
    (
        TypeError,
        lambda: jax.jit(lambda x: jax.jvp(with_vjp(saved, lambda r, ct: (ct,)), (x,), (x,)))(1.0),
        "jvp: a function with the custom_vjp backward rule bwd was differentiated in forward mode, "
        "but that rule is for reverse mode only; use grad, vjp or jacrev, or give the function a "
        "custom_jvp rule",
    ),
    (
        NotImplementedError,
        lambda: jax.hessian(lambda x: jax.jvp(with_vjp(saved, lambda r, ct: (ct,)), (x,), (x,))[1])(1.0),
        "jvp: a function with the custom_vjp backward rule bwd was differentiated in forward mode, but "
        "that rule is for reverse mode only; use grad, vjp or jacrev, or give the function a custom_jvp "
        "rule",
    ),
    (
        TypeError,
        lambda: jax.grad(with_vjp(lambda x: x, lambda r, ct: (ct,)))(1.0),
        "custom_vjp: fwd, the forward rule of f, returned f32[], but a pair (value, residuals) is "
        "needed; return the value of f and what the backward rule is to get",
    ),
    (
        TypeError,
        lambda: jax.grad(with_vjp(lambda x: (x, 1, 2), lambda r, ct: (ct,)))(1.0),
        "custom_vjp: fwd, the forward rule of f, returned a tuple of 3, but a pair (value, residuals)"
        " is needed; return the value of f and what the backward rule is to get",
    ),
    (
        TypeError,
        lambda: jax.grad(with_vjp(lambda x: (x * 1, "a"), lambda r, ct: (ct,)))(1.0),
        "custom_vjp: fwd returned a str, but only arrays and numbers can be returned",
    ),
    (
        TypeError,
        lambda: applied(with_vjp(lambda x: ((x,), 1), lambda r, ct: (ct,)), 1.0),
        "custom_vjp: fwd, the forward rule of f, returned a value of structure PyTreeDef((*,)), but f"
        " returns structure PyTreeDef(*); return the value of f itself",
    ),
    (
        TypeError,
        lambda: applied(with_vjp(lambda x: (V, 1), lambda r, ct: (ct,)), 1.0),
        "custom_vjp: fwd, the forward rule of f, returned the value of type f32[3], but f returns "
        "f32[]; return the value of f itself",
    ),
    (
        TypeError,
        lambda: jax.grad(with_vjp(saved, lambda r, ct: ct))(1.0),
        "custom_vjp: bwd, the backward rule of f, returned structure PyTreeDef(*), but a tuple with a"
        " cotangent for each argument is needed, of structure PyTreeDef((*,)); return None for an "
        "argument whose cotangent is zero",
    ),
    (
        TypeError,
        lambda: jax.grad(with_vjp(saved, lambda r, ct: (ct, ct)))(1.0),
        "custom_vjp: bwd, the backward rule of f, returned structure PyTreeDef((*, *)), but a tuple "
        "with a cotangent for each argument is needed, of structure PyTreeDef((*,)); return None for "
        "an argument whose cotangent is zero",
    ),
    (
        TypeError,
        lambda: jax.grad(with_vjp(saved, lambda r, ct: None))(1.0),
        "custom_vjp: bwd, the backward rule of f, returned structure PyTreeDef(None), but a tuple "
        "with a cotangent for each argument is needed, of structure PyTreeDef((*,)); return None for "
        "an argument whose cotangent is zero",
    ),
    (
        ValueError,
        lambda: jax.grad(with_vjp(saved, lambda r, ct: (V,)))(1.0),
        "custom_vjp: bwd, the backward rule of f, returned the cotangent[0] of type f32[3], but the "
        "argument there is f32[]; return a cotangent of the argument's type",
    ),
    (
        TypeError,
        lambda: jax.grad(with_vjp(saved, lambda r, ct: ("a",)))(1.0),
        "custom_vjp: bwd returned a str, but only arrays and numbers can be returned",
    ),
    (
        ValueError,
        lambda: jax.grad(
            lambda p: with_vjp(
                lambda p: (p["a"] * p["b"], None),
                lambda r, ct: ({"a": ct, "b": V},),
                lambda p: p["a"] * p["b"],
            )(p)
        )({"a": 1.0, "b": 2.0}),
        "custom_vjp: bwd, the backward rule of <lambda>, returned the cotangent[0]['b'] of type "
        "f32[3], but the argument there is f32[]; return a cotangent of the argument's type",
    ),
    (
        ValueError,
        lambda: jax.grad(with_vjp(saved, lambda r, ct: (SymbolicZero(jax.make_jaxpr(f)(V).in_avals[0]),)))(
            1.0
        ),
        "custom_vjp: bwd, the backward rule of f, returned the cotangent[0] of type f32[3], but the "
        "argument there is f32[]; return a cotangent of the argument's type",
    ),
    (
        jax.errors.UnexpectedTracerError,
        lambda: jax.grad(
            lambda x: with_vjp(lambda n, x: (x, None), lambda n, r, ct: (ct,), g, nondiff_argnums=(0,))(
                x, 2.0
            )
        )(1.0),
        "custom_vjp: argument 0 of g, traced f32[] (being differentiated), is named in "
        "nondiff_argnums, but a traced value cannot be kept for the backward rule there; leave it out"
        " of nondiff_argnums, and return None for its cotangent",
    ),
    (
        CustomVJPException,
        lambda: jax.grad(jax.jit(closing_over))(3.0),
        "custom_vjp: inner closes over a value that is being differentiated, but its rules tell "
        "derivatives by arguments only; pass the value as an argument, or use closure_convert",
    ),
    (
        jax.errors.UnexpectedTracerError,
        lambda: jax.grad(closing_over)(3.0),
        "custom_vjp: inner, or its derivative rule, closes over a value that is being traced, but a "
        "rule tells derivatives by arguments only; pass the value as an argument (closure_convert "
        "does it for functions)",
    ),
    (
        TypeError,
        lambda: custom_vjp_primal_tree_values((1.0,)),
        "custom_vjp_primal_tree_values: a leaf is f32[], but a CustomVJPPrimal is needed; give the "
        "arguments of a forward rule that was defined with symbolic_zeros=True",
    ),
    (
        TypeError,
        lambda: jax.custom_gradient(f)(1.0),
        "custom_gradient: f returned f32[], but a pair is needed of the value and a function that "
        "pulls its cotangent back; return value, lambda ct: (...)",
    ),
    (
        TypeError,
        lambda: jax.grad(jax.custom_gradient(lambda x: (x * 1, 3.0)))(1.0),
        "custom_gradient: <lambda> returned a pair whose second part is f32[], but a pair is needed "
        "of the value and a function that pulls its cotangent back; return value, lambda ct: (...)",
    ),
    (
        TypeError,
        lambda: jax.closure_convert(f, 1.0)[0]((1.0,)),
        "closure_convert: f was called with arguments of structure PyTreeDef(((*,),)), but it was "
        "converted for PyTreeDef((*,)) and 0 more; call it with those, or convert it anew",
    ),
    (
        TypeError,
        lambda: jax.grad(lambda x: linear_call(lambda r, x: x, lambda r, ct: (ct,), 1.0, x))(1.0),
        "linear_call: <lambda>, the transposed function, returned structure PyTreeDef((*,)), but the "
        "linear arguments have structure PyTreeDef(*); return a cotangent for each of them",
    ),
    (
        ValueError,
        lambda: jax.grad(lambda x: linear_call(lambda r, x: x, lambda r, ct: V, 1.0, x))(1.0),
        "linear_call: <lambda>, the transposed function, returned the cotangent of type f32[3], but "
        "the linear argument there is f32[]; return its type",
    ),
]


@pytest.mark.parametrize(("error", "call", "line"), PAIRS, ids=[str(i) for i in range(len(PAIRS))])
def test_first_line(error: type[Exception], call: Callable[[], Any], line: str) -> None:
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value).splitlines()[0] == line
    assert type(caught.value) is error
    assert float(jax.grad(jnp.sin)(0.0)) == 1.0  # everything works as before
