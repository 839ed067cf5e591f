"""The first line of each error about references, word for word."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import jaxlab as jax
import jaxlab.numpy as jnp
from jaxlab import lax

V = np.arange(4.0, dtype=np.float32)


def ref() -> Any:
    return jax.new_ref(jnp.arange(4.0))


def give_back(r: Any) -> Any:
    return r


def make(x: Any) -> Any:
    return {"made": jax.new_ref(x)}


def total(a: Any, b: Any) -> Any:
    return a[...] + b[...]


def twice() -> Any:
    r = ref()
    return jax.jit(total)(r, r)


def closed_over() -> Any:
    r = ref()

    def first(a: Any) -> Any:
        return a[0] + r[0]

    return jax.jit(first)(r)


def in_branches() -> Any:
    r = ref()
    return lax.cond(True, lambda a: a[0] + r[0], lambda a: a[0], r)


def in_steps() -> Any:
    r = ref()
    return lax.scan(lambda c, a: (c + a[...] + r[0], None), np.float32(0), r)


def leaked() -> Any:
    kept: list[Any] = []
    jax.jit(lambda x: kept.append(jax.new_ref(x)))(1.0)
    return kept[0][...]


def differentiated(write: Callable[[Any, Any], Any]) -> Any:
    r = ref()
    return jax.grad(lambda x: (write(r, x), x.sum())[1])(V)


def mapped(write: Callable[[Any, Any], Any]) -> Any:
    r = ref()
    return jax.vmap(lambda x: write(r, x))(V)


def with_refs(*places: Any) -> Any:
    def product(a: Any, b: Any) -> Any:
        return (a * b).sum()

    return jax.vjp(product, V, V)[1].with_refs(*places)


ERRORS: list[tuple[type[Exception], Callable[[], Any], str]] = [
    (
        TypeError,
        lambda: jax.new_ref([1.0]),
        "new_ref: a list was given, but a reference holds an array or a number; convert it with jnp.asarray",
    ),
    (
        TypeError,
        lambda: jax.new_ref(ref()),
        "new_ref: a reference of type Ref{f32[4]} was given, but a reference holds an array; read it first, with "
        "ref[...]",
    ),
    (
        NotImplementedError,
        lambda: jax.new_ref(1.0, memory_space="host"),
        "new_ref: the memory space 'host' was asked for, but references are kept in the memory of their device; "
        "leave memory_space out",
    ),
    (
        TypeError,
        lambda: jax.empty_ref((3,)),
        "empty_ref: a tuple was given, but a type with a shape and a dtype is needed, such as "
        "ShapeDtypeStruct(shape, dtype)",
    ),
    (
        ValueError,
        lambda: jax.freeze(V),
        "freeze: an array of type f32[4] was given, but a reference is needed; make one with new_ref",
    ),
    (
        ValueError,
        lambda: jax.ref.get("a"),
        "get: a str was given, but a reference is needed; make one with new_ref",
    ),
    (
        ValueError,
        lambda: ref()[9],
        "get: the index 9 is out of bounds for axis 0, which has size 4; the last is 3",
    ),
    (
        ValueError,
        lambda: ref()[0, 0],
        "get: 2 indices were given, but the reference has 1 axis; leave some out",
    ),
    (
        ValueError,
        lambda: ref()[..., ...],
        "get: the index has 2 ellipses, but it can have one; write ':' for an axis",
    ),
    (
        ValueError,
        lambda: ref()[::-1],
        "get: a slice has step -1, but the steps of a reference's slices are positive",
    ),
    (
        ValueError,
        lambda: ref()[7:],
        "get: a slice starts at 7, but axis 0 has size 4; start within the axis",
    ),
    (
        TypeError,
        lambda: ref()["a"],
        "get: a str was given as an index, but an integer, a slice, an array of integers or ... is needed",
    ),
    (
        TypeError,
        lambda: ref()[1.0],
        "get: an index has dtype float32, but integers are needed; write index.astype(int)",
    ),
    (
        ValueError,
        lambda: jax.new_ref(jnp.ones((2, 3)))[np.arange(2), np.arange(3)],
        "get: the index arrays have types i32[2], i32[3], but their shapes must broadcast to one; reshape them",
    ),
    (
        ValueError,
        lambda: jax.ref.set(ref(), ..., 0.0),
        "swap: a value of shape () was given, but the index names elements of shape (4,) in a Ref{f32[4]}; broadcast "
        "the value first",
    ),
    (
        ValueError,
        lambda: jax.ref.set(ref(), 0, 1),
        "swap: a value of dtype int32 was given, but the reference is a Ref{f32[4]}; convert the value first",
    ),
    (
        ValueError,
        lambda: jax.ref.addupdate(ref(), 0, 1),
        "addupdate: a value of dtype int32 was given, but the reference is a Ref{f32[4]}; convert the value first",
    ),
    (
        TypeError,
        lambda: jax.ref.set(ref(), 0, None),
        "set: a NoneType was given as the value, but an array or a number is needed; convert it with jnp.asarray",
    ),
    (
        ValueError,
        lambda: jax.ref.set(ref(), ..., ref()),
        "set: a reference of type Ref{f32[4]} was given as the value, but an array is needed; read it first, with "
        "ref[...]",
    ),
    (
        ValueError,
        lambda: jax.make_jaxpr(lambda r: r + 1.0)(ref()),
        "an operation on arrays was given a reference of type Ref{f32[4]}, but it takes values; read the reference "
        "first, with ref[...]",
    ),
    (
        ValueError,
        lambda: jax.jit(give_back)(ref()),
        "give_back: the result is a mutable array reference of type Ref{f32[4]} (argument `r` of give_back), but "
        "references cannot be returned from a traced function; return its value, ref[...] or freeze(ref)",
    ),
    (
        ValueError,
        twice,
        "total: the same reference of type Ref{f32[4]} was given as a and as b, but only one argument can be a "
        "certain reference; pass it once",
    ),
    (
        ValueError,
        closed_over,
        "first: the reference of type Ref{f32[4]} that is the argument a is closed over too, but a function can have "
        "a certain reference only once; use the argument in it",
    ),
    (
        ValueError,
        in_branches,
        "cond: the reference of type Ref{f32[4]} that is the argument a is closed over too, but a function can have "
        "a certain reference only once; use the argument in it",
    ),
    (
        ValueError,
        in_steps,
        "scan: the reference of type Ref{f32[4]} that is the argument a is closed over too, but a function can have "
        "a certain reference only once; use the argument in it",
    ),
    (
        Exception,
        lambda: differentiated(lambda r, x: jax.ref.set(r, ..., x)),
        "a set or swap writes a value that is being differentiated to a reference of type Ref{f32[4]} that is not; "
        "make the reference in the differentiated function, or write stop_gradient(value)",
    ),
    (
        Exception,
        lambda: differentiated(lambda r, x: jax.ref.addupdate(r, ..., x)),
        "an addupdate writes a value that is being differentiated to a reference of type Ref{f32[4]} that is not; "
        "make the reference in the differentiated function, or write stop_gradient(value)",
    ),
    (
        Exception,
        lambda: mapped(lambda r, x: jax.ref.set(r, 0, x)),
        "a set or swap under vmap writes to a reference of type Ref{f32[4]} that is not mapped; make the reference an "
        "argument of the mapped function, or make it in that function",
    ),
    (
        Exception,
        lambda: mapped(lambda r, x: jax.ref.addupdate(r, 0, x)),
        "an addupdate under vmap writes to a reference of type Ref{f32[4]} that is not mapped; make the reference an "
        "argument of the mapped function, or make it in that function",
    ),
    (
        ValueError,
        lambda: jax.grad(give_back)(ref()),
        "grad: an argument of give_back that is differentiated is a reference of type Ref{f32[4]}, but cotangents are "
        "for arrays; make the reference in the function, of an argument that is an array",
    ),
    (
        TypeError,
        lambda: jax.jvp(give_back, (ref(),), (V,)),
        "jvp: the tangent[0] is f32[4], but the primal of type Ref{f32[4]} needs a tangent of type Ref{f32[4]}; "
        "convert or reshape it",
    ),
    (
        ValueError,
        lambda: with_refs(ref()),
        "with_refs: places of structure PyTreeDef((*,)) were given, but the arguments of product have structure "
        "PyTreeDef((*, *)); give a reference, GradValue() or DontWant() for each leaf of them",
    ),
    (
        ValueError,
        lambda: with_refs(jax.new_ref(jnp.ones(3)), jax.ad.DontWant()),
        "with_refs: a reference of type Ref{f32[3]} was given for an argument of type f32[4], whose cotangent has "
        "type f32[4]; make it of zeros of that type",
    ),
]


@pytest.mark.parametrize(("kind", "call", "line"), ERRORS, ids=lambda x: x[:60] if isinstance(x, str) else "")
def test_first_line(kind: type[Exception], call: Callable[[], Any], line: str) -> None:
    with pytest.raises(kind) as raised:
        call()
    assert type(raised.value) is kind
    assert str(raised.value).partition("\n")[0] == line


OPERATIONS: list[tuple[Callable[[], Any], str]] = [
    (lambda: lax.sin(ref()), "sin: operand 0 is a reference of type Ref{f32[4]}"),
    (lambda: jnp.sin(ref()), "sin: operand 0 is a reference of type Ref{f32[4]}"),
    (
        lambda: jax.jit(lambda x: lax.cos(jax.new_ref(x)))(V),
        "cos: operand 0 is a reference of type Ref{f32[4]}",
    ),
    (
        lambda: jax.make_jaxpr(lambda x, r: lax.mul(x, r))(V, ref()),
        "an operation on arrays was given a reference of type Ref{f32[4]}",
    ),
    (lambda: jax.jit(make)(V), "make: the result"),
]


@pytest.mark.parametrize(("call", "start"), OPERATIONS, ids=lambda x: x[:30] if isinstance(x, str) else "")
def test_start_of_the_line(call: Callable[[], Any], start: str) -> None:
    with pytest.raises(ValueError, match=r"ref\[\.\.\.\]") as raised:
        call()
    assert str(raised.value).startswith(start)


def test_a_leaked_reference() -> None:
    with pytest.raises(jax.errors.UnexpectedTracerError, match=r"Ref\{f32.*new_ref"):
        leaked()
