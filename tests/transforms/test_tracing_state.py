"""Whatever happens while a function is traced, afterwards everything is as before."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

import jaxlab as jax
import jaxlab.numpy as jnp
from jaxlab import lax
from jaxlab.core.trace import Tracer, current

V = np.arange(3.0, dtype=np.float32)

TRANSFORMED = {
    "jit": lambda f: jax.jit(f)(V),
    "grad": lambda f: jax.grad(lambda x: f(x).sum())(V),
    "jvp": lambda f: jax.jvp(f, (V,), (V,)),
    "linearize": lambda f: jax.linearize(f, V),
    "vmap": lambda f: jax.vmap(f)(V),
    "jacfwd": lambda f: jax.jacfwd(f)(V),
    "make_jaxpr": lambda f: jax.make_jaxpr(f)(V),
    "eval_shape": lambda f: jax.eval_shape(f, V),
    "scan": lambda f: lax.scan(lambda c, x: (f(c), x), V, V),
    "cond": lambda f: lax.cond(True, f, f, V),
    "while_loop": lambda f: lax.while_loop(lambda c: True, f, V),
    "grad of jit": lambda f: jax.grad(lambda x: jax.jit(f)(x).sum())(V),
    "vmap of scan of cond": lambda f: jax.vmap(
        lambda x: lax.scan(lambda c, _: (lax.cond(True, f, f, c), 0), x, None, length=2)
    )(V),
}


@pytest.mark.parametrize("name", TRANSFORMED)
@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_errors_leave_no_trace(name: str, error: type[BaseException]) -> None:
    def f(x: Any) -> Any:
        with jax.named_scope("inside"):
            jnp.sin(x)
            raise error("in the middle")

    base = current.trace
    with pytest.raises(error, match="in the middle"):
        TRANSFORMED[name](f)
    assert current.trace is base
    assert (current.scope, current.traceback) == ("", None)
    assert isinstance(jnp.sin(V), jax.Array)
    assert float(jax.jit(lambda x: x.sum())(V)) == 3.0


@pytest.mark.parametrize("name", TRANSFORMED)
@pytest.mark.parametrize(
    "later", [lambda x: x + 1, lambda x: jax.jit(lambda y: x * y)(1.0)], ids=["now", "jit"]
)
def test_leaked_values_are_named(name: str, later: str) -> None:
    kept: list[Any] = []

    def f(x: Any) -> Any:
        kept.append(jnp.sin(x))
        return x

    if name == "while_loop":
        lax.while_loop(lambda c: False, f, V)
    else:
        TRANSFORMED[name](f)
    assert isinstance(kept[0], Tracer)
    with pytest.raises(jax.errors.UnexpectedTracerError) as caught:
        if later == "now":
            kept[0] + 1
        else:
            jax.jit(lambda y: kept[0] * y)(1.0)
    assert "f32" in str(caught.value)
    assert isinstance(jnp.sin(V), jax.Array)


def test_a_leak_says_where_the_value_was_made() -> None:
    kept: list[Any] = []

    @jax.jit
    def forgetful(x: Any) -> Any:
        kept.append(jnp.cos(x))
        kept.append(x)
        return x

    forgetful(V)
    for value, place in zip(kept, ("test_tracing_state.py", "argument `x`"), strict=True):
        with pytest.raises(jax.errors.UnexpectedTracerError) as caught:
            value + 1
        assert place in str(caught.value) and "forgetful" in str(caught.value)


def test_a_leak_between_siblings() -> None:
    kept: list[Any] = []

    @jax.jit
    def f(x: Any) -> Any:
        jax.jit(lambda y: kept.append(y * 2))(x)
        return kept[0] + 1

    with pytest.raises(jax.errors.UnexpectedTracerError):
        f(1.0)


def test_threads_trace_apart() -> None:
    """One thread stops in the middle of a trace while others trace and run."""
    inside, go_on = threading.Event(), threading.Event()
    results: dict[str, Any] = {}

    def slow(x: Any) -> Any:
        inside.set()
        assert go_on.wait(30)
        return x + 1

    thread = threading.Thread(target=lambda: results.update(slow=jax.jit(slow)(1.0)))
    thread.start()
    assert inside.wait(30)
    try:
        assert isinstance(jnp.sin(V), jax.Array)
        assert float(jax.grad(lambda x: x * x)(3.0)) == 6.0
        assert float(jax.jit(lambda x: x * 3)(1.0)) == 3.0
    finally:
        go_on.set()
        thread.join(30)
    assert float(results["slow"]) == 2.0


def test_many_threads_use_one_function() -> None:
    f = jax.jit(lambda x: jnp.sin(x) + x)
    found: list[Any] = [None] * 8

    def work(i: int) -> None:
        found[i] = [float(f(np.float32(i)))] + [
            float(f(np.arange(i + 1, dtype=np.float32)).sum()) for _ in "ab"
        ]

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for i, values in enumerate(found):
        assert values[0] == pytest.approx(np.sin(i) + i, rel=1e-5, abs=1e-6)
        assert values[1] == values[2]
