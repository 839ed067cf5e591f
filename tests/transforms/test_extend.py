"""What `jaxlab.extend` offers is what JAX calls by those names, and its checks see a wrong rule."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any

import jax
import numpy as np
import pytest

import jaxlab
from jaxlab import extend, lax
from jaxlab.core.primitive import registry
from jaxlab.extend.core import primitives
from jaxlab.interpreters.mlir import lower_fun, register_lowering
from jaxlab.primitives.arithmetic import mul, sub
from jaxlab.primitives.transcendental import cos, sin

F32 = np.dtype(np.float32)


@pytest.fixture(autouse=True)
def registry_as_it_was() -> Iterator[None]:
    before = dict(registry)
    yield
    registry.clear()
    registry.update(before)


def test_primitives_have_the_names_of_jax() -> None:
    """Every primitive that is here is found where JAX code looks for it, and has the name it has there."""
    ours = {p.name for p in registry.values()}
    theirs = importlib.import_module("jax.extend.core.primitives")
    printed = {"remat2": "checkpoint"}
    for place, mine in ((theirs, primitives), (jax.lax, lax)):
        for name in dir(place):
            if name.endswith("_p"):
                own = printed.get(getattr(place, name).name, getattr(place, name).name)
                if own in ours:
                    assert getattr(mine, name).name == own


class Good(extend.Primitive):
    """``sin(x) - x * y``, with all its rules; each test plants an error in one."""

    name = "good"

    def abstract_eval(self, x: Any, y: Any) -> Any:
        return x

    lower = extend.lower_as(lambda x, y: sub(sin(x), mul(x, y)))

    def jvp(self, primals: Any, tangents: Any) -> Any:
        (x, y), (t, s) = primals, tangents
        out = self.bind(x, y)
        terms = []
        if type(t) is not extend.Zero:
            terms.append(mul(t, sub(cos(x), y)))
        if type(s) is not extend.Zero:
            terms.append(mul(s, mul(x, np.float64(-1))))
        return out, terms[0] if len(terms) == 1 else jaxlab.numpy.add(*terms)

    def batch(self, size: int, args: Any, dims: Any) -> Any:
        from_front = [
            jaxlab.numpy.broadcast_to(x, (size, *np.shape(x)))
            if d is None
            else jaxlab.numpy.moveaxis(x, d, 0)
            for x, d in zip(args, dims, strict=True)
        ]
        return self.bind(*from_front), 0

    def reference(self, x: Any, y: Any) -> Any:
        return np.sin(x) - x * y

    def examples(self) -> Any:
        yield extend.Example((extend.ShapedArray((3,), F32),) * 2)


def test_right_rules_pass() -> None:
    extend.check_rules(Good())


def _wrong_type(self: Any, x: Any, y: Any) -> Any:
    return extend.ShapedArray(x.shape, np.dtype(np.float64))


WRONG = {
    "abstract_eval": {"abstract_eval": _wrong_type},
    "lower": {"lower": extend.lower_as(lambda x, y: sub(sin(x), mul(y, y)))},
    "jvp": {
        "jvp": lambda self, primals, tangents: (
            self.bind(*primals),
            next(mul(t, primals[0]) for t in tangents if type(t) is not extend.Zero),
        )
    },
    "batch": {
        "batch": lambda self, size, args, dims: (
            self.bind(
                *[
                    x if d is None else jaxlab.numpy.flip(jaxlab.numpy.moveaxis(x, d, 0))
                    for x, d in zip(args, dims, strict=True)
                ]
            ),
            0,
        )
    },
}


@pytest.mark.parametrize("rule", WRONG)
def test_a_wrong_rule_is_named(rule: str) -> None:
    wrong = type("Wrong", (Good,), {"name": f"wrong_{rule}", **WRONG[rule]})()
    with pytest.raises(AssertionError, match=f"^wrong_{rule}, {rule}, example 0: "):
        extend.check_rules(wrong)


class Twice(extend.Linear):
    """``2 x``: linear, so that it has a transpose."""

    name = "twice"

    def abstract_eval(self, x: Any) -> Any:
        return x

    lower = extend.lower_as(lambda x: jaxlab.numpy.add(x, x))

    def transpose(self, ct: Any, x: Any) -> Any:
        return [None if type(ct) is extend.Zero else self.bind(ct)]

    def batch(self, size: int, args: Any, dims: Any) -> Any:
        return self.bind(*args), dims[0]

    def reference(self, x: Any) -> Any:
        return x + x

    def examples(self) -> Any:
        yield extend.Example((extend.ShapedArray((3,), F32),))


class WrongTranspose(Twice):
    name = "wrong_transpose"

    def transpose(self, ct: Any, x: Any) -> Any:
        return [ct]


class WrongSecondOrder(Good):
    """Its tangents are right, but the derivative of them is not."""

    name = "wrong_second_order"

    def jvp(self, primals: Any, tangents: Any) -> Any:
        return super().jvp([lax.stop_gradient(x) for x in primals], tangents)


@pytest.mark.parametrize("primitive", [WrongTranspose, WrongSecondOrder])
def test_a_wrong_derivative_of_a_derivative_is_named(primitive: type[extend.Primitive]) -> None:
    extend.check_rules(Twice())
    rule = primitive.name.removeprefix("wrong_")
    with pytest.raises(AssertionError, match=f"^{primitive.name}, {rule}, example 0: "):
        extend.check_rules(primitive())


def test_without_examples_there_is_nothing_to_check() -> None:
    bare = type("Bare", (Good,), {"name": "bare", "examples": lambda self: ()})()
    with pytest.raises(
        ValueError, match=r"^check_rules: bare has no examples\(\), but its rules are checked on them; "
    ):
        extend.check_rules(bare)


def test_a_registered_lowering_takes_the_place_of_a_plain_operation() -> None:
    one_p = extend.Elementwise("plain_sine", hlo="stablehlo.sine", reference=np.sin)
    assert float(jaxlab.jit(one_p.bind)(np.float32(0))) == 0.0
    register_lowering(one_p, lower_fun(cos, multiple_results=False))
    jaxlab.clear_caches()
    assert float(jaxlab.jit(lambda x: one_p.bind(x))(np.float32(0))) == 1.0
