"""When a jitted function is traced, and what its options do."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest

import jaxlab as jax
import jaxlab.numpy as jnp
from jaxlab.caching import stats
from jaxlab.interpreters import program

V = np.arange(3.0, dtype=np.float32)


class Counted:
    """A function that counts how often Python runs it."""

    def __init__(self, fun: Any) -> None:
        self.fun = fun
        self.calls = 0
        functools.update_wrapper(self, fun)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.calls += 1
        return self.fun(*args, **kwargs)


def test_traced_once_per_type() -> None:
    f = Counted(lambda x: x * 2)
    g = jax.jit(f)
    for x in (V, V + 1, jnp.asarray(V)):
        g(x)
    assert f.calls == 1
    g(V[:2])
    assert f.calls == 2
    g(1.0), g(2.0)
    assert f.calls == 3
    g(np.float32(1))  # not weakly typed
    assert f.calls == 4
    g(V)
    assert f.calls == 4


def test_traces_are_counted() -> None:
    def entries() -> tuple[int, int]:
        found = next(s for s in stats() if s.name == "traces")
        return found.misses, found.hits

    f = jax.jit(lambda x: x * 5)
    before = entries()
    f(V)
    assert entries()[0] == before[0] + 1
    f(V)
    assert entries()[0] == before[0] + 1
    jax.make_jaxpr(f)(V)  # the trace is known
    assert entries() == (before[0] + 1, before[1] + 1)


def test_another_jit_of_the_same_function_knows_its_trace() -> None:
    f = Counted(lambda x: x + 1)
    jax.jit(f)(V)
    jax.jit(f)(V)
    assert f.calls == 1


def test_cleared_functions_are_traced_anew() -> None:
    f = Counted(lambda x: x + 1)
    g = jax.jit(f)
    g(V)
    jax.clear_caches()
    g(V)
    assert f.calls == 2


@pytest.mark.parametrize(
    ("options", "calls"),
    [
        ({"static_argnums": 1}, [((V, 2), {}), ((V,), {"n": 2})]),
        ({"static_argnums": (-1,)}, [((V, 2), {})]),
        ({"static_argnames": "n"}, [((V, 2), {}), ((V,), {"n": 2})]),
        ({"static_argnames": ("n",), "static_argnums": (1,)}, [((V, 2), {}), ((V,), {"n": 2})]),
    ],
)
def test_static_arguments_are_python_values(options: Any, calls: Any) -> None:
    def f(x: Any, n: int) -> Any:
        assert type(n) is int
        return x * sum(range(n + 1))

    g = jax.jit(f, **options)
    for args, kwargs in calls:
        np.testing.assert_array_equal(g(*args, **kwargs), V * 3)


def test_static_values_of_different_types_are_different() -> None:
    f = jax.jit(lambda x, n: x * n, static_argnums=1)
    assert f(1, 2).dtype == np.int32
    assert f(1, 2.0).dtype == np.float32
    assert f(1, True).dtype == np.int32


def test_default_arguments_and_keywords() -> None:
    @jax.jit
    def f(x: Any, y: Any = 2.0, *, z: Any = 3.0) -> Any:
        return x * y + z

    assert float(f(1.0)) == 5.0
    assert float(f(1.0, y=4.0)) == 7.0
    assert float(f(x=1.0, z=0.0)) == 2.0


@pytest.mark.parametrize(
    "make",
    [
        lambda f: jax.jit(f),
        lambda f: jax.jit()(f),
        lambda f: jax.jit(keep_unused=True)(f),
        lambda f: functools.partial(jax.jit, static_argnames="n")(f),
    ],
)
def test_ways_to_write_it(make: Any) -> None:
    def f(x: Any, n: int = 1) -> Any:
        """What it does."""
        return x + n

    g = make(f)
    assert float(g(1.0)) == 2.0
    assert (g.__name__, g.__doc__, g.__wrapped__) == ("f", "What it does.", f)


def test_methods() -> None:
    class Model:
        scale = 3.0

        @functools.partial(jax.jit, static_argnums=0)
        def __call__(self, x: Any) -> Any:
            return x * self.scale

    assert float(Model()(2.0)) == 6.0


def test_donated_arrays_are_gone() -> None:
    x = jnp.asarray(V) + 0
    y = jax.jit(lambda x: x + 1, donate_argnums=0)(x)
    np.testing.assert_array_equal(y, V + 1)
    assert x.is_deleted()
    with pytest.raises((RuntimeError, ValueError), match="deleted"):
        x + 1


def test_arrays_closed_over_are_arguments_of_the_program() -> None:
    """The module does not contain them."""
    big = jnp.ones((100, 100))
    f = jax.jit(lambda x: big @ x)
    x = np.ones(100, np.float32)
    assert float(f(x)[0]) == 100.0
    assert float(f(x + 1)[0]) == 200.0
    assert "100x100xf32" in f.lower(x).as_text().splitlines()[1] + f.lower(x).as_text().splitlines()[2]
    assert "dense" not in f.lower(x).as_text()


def test_unused_arguments() -> None:
    f = jax.jit(lambda x, y: x + 1)
    assert f.lower(V, V).as_text().count("%arg1") == 0
    assert jax.jit(lambda x, y: x + 1, keep_unused=True).lower(V, V).as_text().count("%arg1") == 1
    np.testing.assert_array_equal(f(V, V), V + 1)


def test_device_is_chosen() -> None:
    device = jax.devices()[0]
    assert jax.jit(lambda x: x, device=device)(V).devices() == {device}
    assert jax.jit(lambda x: x, backend="cpu")(V).devices() == {jax.devices("cpu")[0]}


def test_tracers_closed_over() -> None:
    def outer(x: Any) -> Any:
        return jax.jit(lambda y: x * y)(x + 1)

    assert float(outer(2.0)) == 6.0
    assert float(jax.grad(outer)(2.0)) == 5.0
    assert float(jax.jit(outer)(2.0)) == 6.0
    np.testing.assert_array_equal(jax.vmap(outer)(V), V * (V + 1))


def test_disable_jit() -> None:
    f = Counted(lambda x: x + 1)
    with jax.disable_jit():
        g = jax.jit(f)
        g(V), g(V)
    assert f.calls == 2


def test_numbers_returned_become_arrays() -> None:
    out = jax.jit(lambda x: {"a": 1, "b": (2.0, None), "c": V})(V)
    assert out["a"].dtype == np.int32 and out["a"].weak_type
    assert out["b"][0].dtype == np.float32 and out["b"][1] is None
    np.testing.assert_array_equal(out["c"], V)


def test_stages() -> None:
    compiled_now: list[Any] = []
    program.on_compiled.append(compiled_now.append)
    try:
        traced = jax.jit(lambda x, *, k: {"y": jnp.sin(x) * k}).trace(V, k=2.0)
        assert traced.out_info["y"].shape == (3,)
        assert [eqn.primitive.name for eqn in traced.jaxpr.eqns] == ["sin", "convert_element_type", "mul"]
        lowered = traced.lower()
        assert "stablehlo.sine" in lowered.as_text()
        assert "ENTRY" in lowered.as_text("hlo")
        assert not compiled_now
        compiled = lowered.compile()
        assert len(compiled_now) == 1
    finally:
        program.on_compiled.remove(compiled_now.append)
    np.testing.assert_allclose(compiled(V, k=2.0)["y"], np.sin(V) * 2, rtol=1e-6)
    assert compiled.cost_analysis()["flops"] >= 0
    assert "fusion" in compiled.as_text() or "sine" in compiled.as_text()
    for wrong in (
        lambda: compiled(V[:2], k=2.0),
        lambda: compiled(V),
        lambda: compiled(V.astype(int), k=2.0),
    ):
        with pytest.raises(TypeError, match="compiled for"):
            wrong()


def test_named_scopes_reach_equations_and_modules() -> None:
    @jax.named_scope("layer")
    def f(x: Any) -> Any:
        with jax.named_scope("inner"):
            return jnp.sin(x)

    (eqn,) = jax.make_jaxpr(f)(1.0).eqns
    assert eqn.scope == "layer/inner"
    assert "layer/inner" in jax.jit(f).lower(1.0).as_text(debug_info=True)


def test_device_put() -> None:
    x = jax.device_put({"a": V, "b": [1, 2.0]}, jax.devices()[0])
    assert x["a"].devices() == {jax.devices()[0]}
    assert x["b"][0].dtype == np.int32
    np.testing.assert_array_equal(jax.device_get(x)["a"], V)
    assert jax.block_until_ready(x) is x
