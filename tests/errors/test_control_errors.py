"""Misuse of control flow and pytrees: the exact first line of each error, and its class, which is jax's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import jaxlab as jax
import jaxlab.numpy as jnp
from jaxlab import lax
from jaxlab.flatten_util import ravel_pytree

V = np.arange(3.0, dtype=np.float32)
W = np.arange(2.0, dtype=np.float32)


def same(c: Any, x: Any = None) -> Any:
    return c, x


def test_of(c: Any) -> Any:
    return True


test_of.__test__ = False


def for_tpu(x: Any) -> Any:
    return lax.platform_dependent(x, tpu=jnp.sin)


CASES: list[tuple[type[Exception], Callable[[], Any], str]] = [
    # cond
    (
        TypeError,
        lambda: lax.cond(True, 1, same),
        "cond: true_fun is a int, but a function is needed; write lambda *_: ... for a constant",
    ),
    (
        TypeError,
        lambda: lax.cond(True, same, None),
        "cond: false_fun is a NoneType, but a function is needed; write lambda *_: ... for a constant",
    ),
    (
        TypeError,
        lambda: lax.cond(V, same, same, 1),
        "cond: the predicate has type f32[3], but a scalar is needed; reduce it with any or all",
    ),
    (
        TypeError,
        lambda: lax.cond([True], same, same, 1),
        "cond: the predicate is a list, but a scalar is needed; give one",
    ),
    (
        TypeError,
        lambda: lax.cond(1j, same, same, 1),
        "cond: the predicate has dtype complex64, but a boolean or a real number is needed; compare it with something",
    ),
    (
        TypeError,
        lambda: lax.cond("yes", same, same, 1),
        "cond: the predicate is a str, but an array or a number is needed; close over what is none",
    ),
    (
        TypeError,
        lambda: lax.cond(True, same, same, 1, operand=2),
        "cond: operand was given by name together with 1 positional operands, but either is needed; give all by "
        "position",
    ),
    (
        TypeError,
        lambda: lax.cond(True, same, same, {"a": [1, "x"]}),
        "cond: operands[0]['a'][1] is a str, but an array or a number is needed; close over what is none",
    ),
    (
        TypeError,
        lambda: lax.cond(True, lambda: {"a": 1, "b": (2,)}, lambda: {"a": 1, "b": [2]}),
        "cond: the branches must return the same structure, but the result['b'] is a list of 1 in false_fun and a "
        "tuple of 1 in true_fun; return the same containers in all",
    ),
    (
        TypeError,
        lambda: lax.cond(True, lambda: {"a": 1, "b": V}, lambda: {"a": 1.0, "b": W}),
        "cond: the branches must return the same types, but the result['a'] is f32[] in false_fun and i32[] in "
        "true_fun; the result['b'] is f32[2] in false_fun and f32[3] in true_fun; convert or reshape in one of them",
    ),
    # switch
    (
        TypeError,
        lambda: lax.switch(0, [same, 3]),
        "switch: branches[1] is a int, but a function is needed; write lambda *_: ... for a constant",
    ),
    (
        TypeError,
        lambda: lax.switch(1.5, [same, same]),
        "switch: the index has type f32[], but an integer scalar is needed; convert it with astype(int), or take one "
        "element",
    ),
    (
        ValueError,
        lambda: lax.switch(0, []),
        "switch: the sequence of branches is empty, but at least one is needed; add one",
    ),
    (
        TypeError,
        lambda: lax.switch(0, [lambda: 1, lambda: 2, lambda: V]),
        "switch: the branches must return the same types, but the result is i32[] in branches[0] and f32[3] in "
        "branches[2]; convert or reshape in one of them",
    ),
    # while_loop
    (
        TypeError,
        lambda: lax.while_loop(True, same, 1),
        "while_loop: cond_fun is a bool, but a function of the carry is needed",
    ),
    (
        TypeError,
        lambda: lax.while_loop(test_of, 3, 1),
        "while_loop: body_fun is a int, but a function of the carry is needed",
    ),
    (
        TypeError,
        lambda: lax.while_loop(lambda c: c, lambda c: c, 1.0),
        "while_loop: cond_fun must return a boolean scalar, but it returned f32[]; compare, or reduce with any or all",
    ),
    (
        TypeError,
        lambda: lax.while_loop(lambda c: c > 0, lambda c: c, V),
        "while_loop: cond_fun must return a boolean scalar, but it returned bool[3]; compare, or reduce with any or "
        "all",
    ),
    (
        TypeError,
        lambda: lax.while_loop(lambda c: (c > 0,), lambda c: c, 1.0),
        "while_loop: cond_fun must return a boolean scalar, but it returned bool[] in PyTreeDef((*,)); compare, or "
        "reduce with any or all",
    ),
    (
        TypeError,
        lambda: lax.while_loop(test_of, lambda c: {"a": (c["a"],), "b": 1}, {"a": 1, "b": [2]}),
        "while_loop: the body must return a carry of the structure of the initial one, but carry['a'] is a leaf of "
        "type i32[] and became a tuple of 1; carry['b'] is a list of 1 and became a leaf of type i32[]; return the "
        "same containers",
    ),
    (
        TypeError,
        lambda: lax.while_loop(test_of, lambda c: (c[0] + 0.5, V), (np.int32(1), W)),
        "while_loop: the body must return a carry of the types of the initial one, but carry[0] is i32[] and became "
        "f32[]; carry[1] is f32[2] and became f32[3], of another shape; convert or reshape in the body, or start from "
        "values of those types",
    ),
    (
        TypeError,
        lambda: lax.while_loop(test_of, lambda c: c, {"a": "x"}),
        "while_loop: init_val['a'] is a str, but an array or a number is needed; close over what is none",
    ),
    # fori_loop
    (
        TypeError,
        lambda: lax.fori_loop(0, 3, 1, 0),
        "fori_loop: body_fun is a int, but a function of index and carry is needed",
    ),
    (
        TypeError,
        lambda: lax.fori_loop(0, 3.0, same, 0),
        "fori_loop: lower has type i32[] and upper f32[], but both must have one type; convert one of them",
    ),
    (
        ValueError,
        lambda: jax.jit(lambda n: lax.fori_loop(0, n, lambda i, c: c, 0, unroll=2))(3),
        "fori_loop: unroll needs bounds that are known while tracing, but lower or upper is traced; give them as "
        "Python ints, or leave unroll out",
    ),
    # scan
    (TypeError, lambda: lax.scan(3, 0, V), "scan: f is a int, but a function of carry and slice is needed"),
    (
        ValueError,
        lambda: lax.scan(same, 0),
        "scan: there are no xs, but the number of steps is needed; give length",
    ),
    (
        ValueError,
        lambda: lax.scan(same, 0, {"a": V, "b": W}),
        "scan: the leading axes have the sizes xs['a'] 3, xs['b'] 2, but all must have one; cut them to one length",
    ),
    (
        ValueError,
        lambda: lax.scan(same, 0, (V, W), 3),
        "scan: length is 3, but xs[1] has 2 slices; leave length out",
    ),
    (
        ValueError,
        lambda: lax.scan(same, 0, None, -1),
        "scan: length is -1, but it must not be negative; give how many steps there are",
    ),
    (
        ValueError,
        lambda: lax.scan(same, 0, [V, 1.0]),
        "scan: xs[1] is f32[], a scalar, but scan goes over the leading axis of arrays; close over it instead",
    ),
    (
        ValueError,
        lambda: lax.scan(same, 0, V, unroll=-1),
        "scan: unroll is -1, but it must not be negative; give True for all steps",
    ),
    (
        TypeError,
        lambda: lax.scan(lambda c, x: c, 0, V),
        "scan: f must return a pair (carry, output), but it returned PyTreeDef(*); return None for no output",
    ),
    (
        TypeError,
        lambda: lax.scan(lambda c, x: (c, x, x), 0, V),
        "scan: f must return a pair (carry, output), but it returned PyTreeDef((*, *, *)); return None for no output",
    ),
    (
        TypeError,
        lambda: lax.scan(lambda c, x: ((c, c), x), {"n": 1}, V),
        "scan: the body must return a carry of the structure of the initial one, but carry is a dict with keys ['n'] "
        "and became a tuple of 2; return the same containers",
    ),
    (
        TypeError,
        lambda: lax.scan(lambda c, x: ({"n": c["n"] + x, "v": x}, x), {"n": np.int32(1), "v": V}, V),
        "scan: the body must return a carry of the types of the initial one, but carry['n'] is i32[] and became f32[]; "
        "carry['v'] is f32[3] and became f32[], of another shape; convert or reshape in the body, or start from values "
        "of those types",
    ),
    (
        TypeError,
        lambda: lax.scan(lambda c, x: (c, "text"), 0, V),
        "scan: <lambda> returned a str, but only arrays and numbers can be returned",
    ),
    # map and associative_scan
    (TypeError, lambda: lax.map(3, V), "map: f is a int, but a function of one slice is needed"),
    (
        ValueError,
        lambda: lax.map(same, (V, W), batch_size=2),
        "map: xs[0] has 3 slices and xs[1] has 2, but all must have as many; cut or repeat one of them",
    ),
    (
        ValueError,
        lambda: lax.map(same, V, batch_size=-1),
        "map: batch_size is -1, but it must not be negative; 0 is for one batch of all",
    ),
    (
        TypeError,
        lambda: lax.associative_scan(3, V),
        "associative_scan: fn is a int, but a function of two elements is needed",
    ),
    (
        TypeError,
        lambda: lax.associative_scan(lambda a, b: (a, b), V),
        "associative_scan: fn must return the structure of elems, PyTreeDef(*), but it returned PyTreeDef((*, *)); "
        "return an element like its arguments",
    ),
    (
        ValueError,
        lambda: lax.associative_scan(jnp.add, {"a": V, "b": W}),
        "associative_scan: elems['a'] is f32[3] and elems['b'] is f32[2], but axis 0 must have one size in all; give as "
        "many elements of each",
    ),
    (
        ValueError,
        lambda: lax.associative_scan(jnp.add, V, axis=1),
        "associative_scan: axis is 1, but elems is f32[3] with 1 axes; give an axis that it has",
    ),
    # platform_dependent
    (
        TypeError,
        lambda: lax.platform_dependent(1.0, cpu=3),
        "platform_dependent: cpu is a int, but a function is needed; write lambda *_: ... for a constant",
    ),
    (
        ValueError,
        lambda: lax.platform_dependent(1.0, gpu=jnp.sin),
        "platform_dependent: 'gpu' was given, but it stands for two platforms; write 'cuda' or 'rocm'",
    ),
    (
        NotImplementedError,
        lambda: jax.jit(for_tpu)(1.0),
        "platform_dependent: the program is made for cpu, but there are functions for tpu only; give one for it, or "
        "default=",
    ),
    # pytrees
    (
        TypeError,
        lambda: ravel_pytree({"a": [1.0, "x"]}),
        "ravel_pytree: pytree['a'][1] is a str, but an array or a number is needed; close over what is none",
    ),
    (
        TypeError,
        lambda: ravel_pytree([V, np.arange(2)])[1](np.arange(5)),
        "unravel: a vector of type i32[5] was given, but its dtype must be float32; convert it with astype",
    ),
    (
        ValueError,
        lambda: ravel_pytree([V, W])[1](V),
        "unravel: a vector of type f32[3] was given, but the pytree has 5 elements; give a vector of that size",
    ),
]


@pytest.mark.parametrize(("error", "call", "line"), CASES, ids=[case[2][:60] for case in CASES])
def test_first_line(error: type[Exception], call: Callable[[], Any], line: str) -> None:
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value).splitlines()[0] == line
    assert type(caught.value) is error
    assert float(lax.cond(True, jnp.sin, jnp.cos, 0.0)) == 0.0  # everything works as before


def test_concretisation_of_a_length() -> None:
    with pytest.raises(jax.errors.ConcretizationTypeError, match=r"^scan, length: traced i32"):
        jax.jit(lambda n: lax.scan(same, 0, None, n))(3)
