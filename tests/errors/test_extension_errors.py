"""Misuse of what libraries build on: rules given one by one, wrapped functions, listeners."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import jaxlab
from jaxlab import monitoring
from jaxlab.api_util import flatten_fun_nokwargs
from jaxlab.core.primitive import registry
from jaxlab.extend.core import Primitive
from jaxlab.extend.linear_util import StoreException, merge_linear_aux, wrap_init
from jaxlab.interpreters import ad, mlir


@pytest.fixture(autouse=True)
def registry_as_it_was() -> Any:
    before = dict(registry)
    yield
    registry.clear()
    registry.update(before)


def of_a_pair() -> None:
    pair_p = Primitive("pair")
    pair_p.multiple_results = True
    ad.defjvp(pair_p, lambda t, x: t)


def without_transpose() -> None:
    ad.get_primitive_transpose(Primitive("bent"))


def product_of_unknowns() -> None:
    product_p = Primitive("product")
    product_p.def_abstract_eval(lambda x, y: x)
    ad.defbilinear(product_p, lambda ct, x, y: ct, lambda ct, x, y: ct)
    jaxlab.linear_transpose(lambda x: product_p.bind(x, x), 1.0)(1.0)


def compiled_elsewhere() -> None:
    far_p = Primitive("far")
    far_p.def_abstract_eval(lambda x: x)
    mlir.register_lowering(far_p, mlir.lower_fun(lambda x: x, multiple_results=False), platform="tpu")
    jaxlab.jit(far_p.bind)(1.0)


def read_too_early() -> None:
    _, out_tree = flatten_fun_nokwargs(wrap_init(lambda x: x), jaxlab.tree.structure((1,)))
    out_tree()


def called_twice() -> None:
    flat, _ = flatten_fun_nokwargs(wrap_init(lambda x: x), jaxlab.tree.structure((1,)))
    flat.call_wrapped(1)
    flat.call_wrapped(1)


def neither_called() -> None:
    _, one = flatten_fun_nokwargs(wrap_init(lambda x: x), jaxlab.tree.structure((1,)))
    _, two = flatten_fun_nokwargs(wrap_init(lambda x: x), jaxlab.tree.structure((1,)))
    merge_linear_aux(one, two)


def never_registered() -> None:
    monitoring.unregister_event_listener(len)


CASES: list[tuple[Callable[[], None], type[Exception], str]] = [
    (
        of_a_pair,
        TypeError,
        "defjvp: primitive pair has several results, but the rules of its arguments give one tangent; set "
        "primitive_jvps[primitive] to a rule of primals and tangents",
    ),
    (
        without_transpose,
        NotImplementedError,
        "get_primitive_transpose: primitive bent was given, but it has no transpose rule; give it one in "
        "primitive_transposes, if it is linear",
    ),
    (
        product_of_unknowns,
        NotImplementedError,
        "transpose: product of f32[] and f32[] is to be transposed, but it is linear in one of them at a time; "
        "linearize the function at a point, as vjp does",
    ),
    (
        compiled_elsewhere,
        NotImplementedError,
        "jit: primitive far is to be compiled for cpu, but its lowering rules are for tpu alone; register one for "
        "cpu, or for all",
    ),
    (
        read_too_early,
        StoreException,
        "linear_util: a store was read, but its function was not called yet; call it first",
    ),
    (
        called_twice,
        StoreException,
        "linear_util: a store was filled twice, so its function ran twice; wrap it anew",
    ),
    (
        neither_called,
        StoreException,
        "merge_linear_aux: neither function was called, but exactly one has to be; call one of them",
    ),
    (
        never_registered,
        ValueError,
        "monitoring: <built-in function len> is not registered as a listener to events of this kind, so it cannot "
        "be unregistered; register it first, with the function for the same kind",
    ),
]


@pytest.mark.parametrize(("misuse", "kind", "line"), CASES, ids=lambda x: getattr(x, "__name__", ""))
def test_first_line(misuse: Callable[[], None], kind: type[Exception], line: str) -> None:
    with pytest.raises(kind) as caught:
        misuse()
    assert str(caught.value).partition("\n")[0] == line
