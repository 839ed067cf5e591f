"""The exact first line of each error of grad, jvp, vjp, linearize and what goes with them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import jaxlab as jax
import jaxlab.numpy as jnp
from jaxlab import lax

V = np.arange(3.0, dtype=np.float32)


def f(x: Any) -> Any:
    return x * 1


def g(x: Any, y: Any) -> Any:
    return x * y


PAIRS: list[tuple[type[Exception], Callable[[], Any], str]] = [
    (
        TypeError,
        lambda: jax.linear_transpose(1, 1.0),
        "linear_transpose: an int was given, but a function is needed; pass the function, not its result",
    ),
    (
        TypeError,
        lambda: jax.linear_transpose(lambda x: x.astype(np.float32), np.int32(1)),
        "linear_transpose: <lambda> maps (i32[]) to (f32[]), but the types must be all inexact or all"
        " integer; convert the arguments",
    ),
    (
        TypeError,
        lambda: jax.linear_transpose(f, 1.0)((1.0,)),
        "linear_transpose: a cotangent of structure PyTreeDef((*,)) was given, but f returns "
        "structure PyTreeDef(*); give one like its result",
    ),
    (
        TypeError,
        lambda: jax.linear_transpose(f, 1.0)(V),
        "linear_transpose: cotangents of types (f32[3]) were given, but f returns (f32[]); give one "
        "like its result",
    ),
    (
        NotImplementedError,
        lambda: jax.linear_transpose(jnp.sin, 1.0)(1.0),
        "transpose: the operation sin was given a value that is to be linear, but it has no rule for "
        "its transpose, since it is not linear; linearize the function at a point, as vjp does",
    ),
    (
        NotImplementedError,
        lambda: jax.linear_transpose(lambda x: x * x, 1.0)(1.0),
        "transpose: an operation combines two values that are to be linear, one of them f32[], but "
        "their product is not linear; linearize the function at a point, as vjp does, or make the "
        "rule linear in its tangents",
    ),
    (
        NotImplementedError,
        lambda: jax.linear_transpose(f, 1.0, reduce_axes=("i",)),
        "linear_transpose: reduce_axes is no longer supported; leave it out",
    ),
    (
        TypeError,
        lambda: jax.grad(lambda b: lax.custom_linear_solve(f, b, lambda m, b: b).sum())(V),
        "custom_linear_solve: the solution was differentiated in reverse mode, but transpose_solve "
        "was not given; give it, or symmetric=True",
    ),
    (
        ValueError,
        lambda: lax.custom_linear_solve(lambda x: x[:1], V, lambda m, b: b),
        "custom_linear_solve: matvec returned f32[1], but b is f32[3]; return a value of its shape",
    ),
    (
        ValueError,
        lambda: lax.custom_linear_solve(lambda x: x, {"a": V}, lambda m, b: {"a": b["a"][:2]}),
        "custom_linear_solve: solve returned f32[2], but b['a'] is f32[3]; return a value of its shape",
    ),
    (
        TypeError,
        lambda: lax.custom_linear_solve(f, V, lambda m, b: (b,)),
        "custom_linear_solve: solve returned structure PyTreeDef((*,)), but b has structure "
        "PyTreeDef(*); return a value like b",
    ),
    (
        ValueError,
        lambda: lax.custom_linear_solve(f, V, lambda m, b: b, has_aux=True),
        "custom_linear_solve: solve returned structure PyTreeDef(*), but with has_aux=True a pair "
        "(solution, auxiliary data) is needed; return x, aux",
    ),
    (
        TypeError,
        lambda: lax.custom_root(lambda x: (x,), 1.0, lambda f, x: x, lambda g, y: y),
        "custom_root: f returned structure PyTreeDef((*,)), but initial_guess has structure "
        "PyTreeDef(*); return a value like it",
    ),
    (
        ValueError,
        lambda: lax.custom_root(f, 1.0, lambda f, x: x, lambda g, y: y, has_aux=True),
        "custom_root: solve returned structure PyTreeDef(*), but with has_aux=True a pair (root, "
        "auxiliary data) is needed; return x, aux",
    ),
    (
        TypeError,
        lambda: jax.grad(f, 2)(1.0),
        "grad: argnums names argument 2, but f was called with 1 positional argument; give a position"
        " among them",
    ),
    (
        ValueError,
        lambda: jax.grad(g, -3)(1.0, 2.0),
        "grad: argnums names argument -3, but g was called with 2 positional arguments; give a "
        "position among them",
    ),
    (
        TypeError,
        lambda: jax.grad(g, (0, -2))(1.0, 2.0),
        "grad: argnums (0, -2) names an argument of g twice, but it can be differentiated by each "
        "once; leave the second out",
    ),
    (
        ValueError,
        lambda: jax.grad(g, ())(1.0, 2.0),
        "grad: argnums=() was given, but there must be an argument to differentiate by; give its position",
    ),
    (
        TypeError,
        lambda: jax.grad(g, "x"),
        "grad: argnums='x' was given, but the positions of arguments are needed; give an integer or a"
        " tuple of integers",
    ),
    (
        NotImplementedError,
        lambda: jax.grad(g, reduce_axes=("i",)),
        "grad: reduce_axes is no longer supported; leave it out",
    ),
    (
        TypeError,
        lambda: jax.grad(f)(1),
        "grad: argument 0 of f has dtype int32, but a gradient is taken with respect to real or "
        "complex floating-point arguments; convert it to a float, or use vjp or allow_int=True",
    ),
    (
        TypeError,
        lambda: jax.grad(f)("a"),
        "grad: argument 0 of f is a str, but a gradient is taken by arrays and numbers; name another "
        "argument in argnums",
    ),
    (
        TypeError,
        lambda: jax.grad(f)(V),
        "grad: f returned an array of shape (3,), but a gradient is taken of a scalar; reduce it (for"
        " example with sum or mean), or use jacrev",
    ),
    (
        TypeError,
        lambda: jax.grad(lambda x: 1)(1.0),
        "grad: <lambda> returned a scalar of dtype int32, but a gradient is taken of a real "
        "floating-point scalar; convert it to a float",
    ),
    (
        TypeError,
        lambda: jax.grad(lambda x: (x, x))(1.0),
        "grad: <lambda> returned a tuple of 2, but a gradient is taken of one scalar; return a "
        "scalar, or use has_aux=True to return more",
    ),
    (
        TypeError,
        lambda: jax.grad(lambda x: x * 1j)(1.0),
        "grad: <lambda> returned a scalar of dtype complex64, but a gradient is taken of a real "
        "floating-point scalar; take its real part or absolute value, or use holomorphic=True",
    ),
    (
        TypeError,
        lambda: jax.grad(f, holomorphic=True)(1.0),
        "grad: holomorphic=True asks for complex arguments, but argument 0 has dtype float32; convert"
        " it, or leave holomorphic out",
    ),
    (
        TypeError,
        lambda: jax.grad(lambda z: z.real, holomorphic=True)(1j),
        "grad: holomorphic=True asks for a complex result, but <lambda> returned f32[]; leave "
        "holomorphic out",
    ),
    (
        TypeError,
        lambda: jax.value_and_grad(f, has_aux=True)(1.0),
        "value_and_grad: f returned f32[], but with has_aux=True a pair (value, auxiliary data) is "
        "needed; return value, aux",
    ),
    (
        TypeError,
        lambda: jax.grad(lambda x: (x, 1, 2), has_aux=True)(1.0),
        "grad: <lambda> returned a tuple of 3, but with has_aux=True a pair (value, auxiliary data) "
        "is needed; return value, aux",
    ),
    (
        TypeError,
        lambda: jax.vjp(1, 1.0),
        "vjp: an int was given, but a function is needed; pass the function, not its result",
    ),
    (
        NotImplementedError,
        lambda: jax.vjp(f, 1.0, reduce_axes=("i",)),
        "vjp: reduce_axes is no longer supported; leave it out",
    ),
    (
        TypeError,
        lambda: jax.vjp(f, 1.0)[1](1.0, 2.0),
        "vjp: 2 cotangents were given, but f returns one value, be it a tuple; give one cotangent of "
        "its structure, as in f_vjp((a, b))",
    ),
    (
        ValueError,
        lambda: jax.vjp(f, 1.0)[1]((1.0,)),
        "vjp: a cotangent of structure PyTreeDef((*,)) was given, but f returned structure "
        "PyTreeDef(*); give one like its value",
    ),
    (
        ValueError,
        lambda: jax.vjp(f, 1.0)[1](V),
        "vjp: the cotangent is f32[3], but f returned f32[] there, whose cotangent has type f32[]; "
        "convert or reshape it",
    ),
    (
        ValueError,
        lambda: jax.vjp(lambda x: {"a": [x]}, V)[1]({"a": [np.arange(3)]}),
        "vjp: the cotangent['a'][0] is i32[3], but <lambda> returned f32[3] there, whose cotangent "
        "has type f32[3]; convert or reshape it",
    ),
    (
        TypeError,
        lambda: jax.jvp(1, (1.0,), (1.0,)),
        "jvp: an int was given, but a function is needed; pass the function, not its result",
    ),
    (
        TypeError,
        lambda: jax.jvp(f, 1.0, 1.0),
        "jvp: a float and a float were given, but primals and tangents are tuples or lists with an "
        "entry for each argument; write jvp(fun, (x,), (t,))",
    ),
    (
        TypeError,
        lambda: jax.jvp(f, (1.0,), ((1.0,),)),
        "jvp: primals of structure PyTreeDef((*,)) were given, but tangents of structure "
        "PyTreeDef(((*,),)); give a tangent for each primal",
    ),
    (
        ValueError,
        lambda: jax.jvp(lambda p: p["a"], ({"a": V},), ({"a": V[:2]},)),
        "jvp: the tangent[0]['a'] is f32[2], but the primal of type f32[3] needs a tangent of type "
        "f32[3]; convert or reshape it",
    ),
    (
        TypeError,
        lambda: jax.jvp(f, (1.0,), (1,)),
        "jvp: the tangent[0] is i32[], but the primal of type f32[] needs a tangent of type f32[]; "
        "convert or reshape it",
    ),
    (
        TypeError,
        lambda: jax.jvp(f, (1,), (1,)),
        "jvp: the tangent[0] is i32[], but the primal of type i32[] needs a tangent of type float0[];"
        " convert or reshape it",
    ),
    (
        TypeError,
        lambda: jax.jvp(f, (1.0,), (1.0,), has_aux=True),
        "jvp: f returned f32[], but with has_aux=True a pair (value, auxiliary data) is needed; "
        "return value, aux",
    ),
    (
        TypeError,
        lambda: jax.linearize(1, 1.0),
        "linearize: an int was given, but a function is needed; pass the function, not its result",
    ),
    (
        TypeError,
        lambda: jax.linearize(f, 1.0)[1]((1.0,)),
        "linearize: tangents of structure PyTreeDef(((*,),)) were given, but f was linearized at "
        "arguments of structure PyTreeDef((*,)); give a tangent for each",
    ),
    (
        ValueError,
        lambda: jax.linearize(f, V)[1](1.0),
        "linearize: the tangent[0] is f32[], but an argument of type f32[3] has a tangent of type "
        "f32[3]; convert or reshape it",
    ),
    (
        TypeError,
        lambda: jax.linearize(f, 1.0, has_aux=True),
        "linearize: f returned f32[], but with has_aux=True a pair (value, auxiliary data) is needed;"
        " return value, aux",
    ),
    (
        TypeError,
        lambda: jax.fwd_and_bwd(1, 0),
        "fwd_and_bwd: an int was given, but a function is needed; pass the function, not its result",
    ),
    (
        ValueError,
        lambda: jax.fwd_and_bwd(g, 5)[0](1.0, 2.0),
        "fwd_and_bwd: argnums names argument 5, but g was called with 2 positional arguments; give a "
        "position among them",
    ),
    (
        TypeError,
        lambda: lax.stop_gradient("a"),
        "stop_gradient: a str was given, but arrays and numbers are needed; leave it out of the tree",
    ),
]


@pytest.mark.parametrize(("error", "call", "line"), PAIRS, ids=[str(i) for i in range(len(PAIRS))])
def test_first_line(error: type[Exception], call: Callable[[], Any], line: str) -> None:
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value).splitlines()[0] == line
    assert type(caught.value) is error
    assert float(jax.grad(jnp.sin)(0.0)) == 1.0  # everything works as before
