"""Options for debugging: what each finds, what it says, and that nothing is left behind when it is off."""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import jaxlab as jax
import jaxlab.numpy as jnp
from jaxlab import lax
from jaxlab.config import (
    check_tracer_leaks,
    checking_leaks,
    enable_checks,
    explain_cache_misses,
    log_compiles,
    no_execution,
    no_tracing,
)
from jaxlab.core.aval import ShapedArray
from jaxlab.core.primitive import Primitive, registry
from jaxlab.interpreters.program import Program

V = np.array([-1.0, 2.0, 3.0], np.float32)


def loss(x: Any) -> Any:
    masked = jnp.where(x > 0, 1 / x, jnp.log(x))  # the logarithm of -1 reaches the result
    return masked.sum()


def hidden(x: Any) -> Any:
    return jnp.where(x > 0, jnp.log(x), 0.0).sum()


def decay(c: Any, _: Any) -> Any:
    return c - 1, jnp.sqrt(c)


# (what is called, the primitive at fault, what else the first line says)
NANS: dict[str, tuple[Callable[[], Any], str, list[str]]] = {
    "an operation": (lambda: jnp.log(V), "log", ["f32[3] from -1 to 3 was given", "first at [0]"]),
    "a scalar": (
        lambda: jnp.log(jnp.float32(-1)),
        "log",
        ["f32[] = -1 was given", "the result f32[] is nan"],
    ),
    "jit": (lambda: jax.jit(loss)(V), "log", ["(loss)", "in the program of loss", "test_debug_options.py:"]),
    "jit of jit": (lambda: jax.jit(lambda x: jax.jit(loss)(x) + 1)(V), "log", ["(loss)"]),
    "grad": (lambda: jax.grad(lambda x: jnp.sqrt(x * 0).sum())(V), "mul", ["-inf", "nan"]),
    "jit of grad": (lambda: jax.jit(jax.grad(lambda x: jnp.sqrt(x * 0).sum()))(V), "mul", ["-inf"]),
    "jvp": (lambda: jax.jvp(jnp.log, (V,), (V,)), "log", ["f32[3]"]),
    "vmap": (lambda: jax.vmap(jnp.log)(V), "log", ["f32[3]"]),
    "scan": (lambda: lax.scan(decay, 2.5, None, length=5), "sqrt", ["(decay)", "step 3 of scan", "= -0.5"]),
    "scan backwards": (
        lambda: lax.scan(lambda c, x: (c, jnp.log(x)), 0.0, V[::-1], reverse=True),
        "log",
        ["step 2 of scan", "= -1"],
    ),
    "while_loop": (
        lambda: lax.while_loop(lambda c: c[0] < 4, lambda c: (c[0] + 1, jnp.sqrt(c[1] - 1)), (0, 3.5)),
        "sqrt",
        ["step 2 of while_loop"],
    ),
    "cond": (lambda: lax.cond(True, lambda x: jnp.log(-x), lambda x: x, 2.0), "log", ["branch 1 of cond"]),
    "ahead of time": (lambda: jax.jit(loss).lower(V).compile()(V), "log", ["(loss)"]),
    "given away": (lambda: jax.jit(jnp.log, donate_argnums=0)(jnp.array(V)), "log", ["f32[3]"]),
}


@pytest.mark.parametrize("case", NANS)
def test_the_operation_that_gave_a_nan_is_named(case: str) -> None:
    call, primitive, told = NANS[case]
    with jax.debug_nans(True), pytest.raises(FloatingPointError) as caught:
        call()
    message = str(caught.value)
    assert message.startswith(f"{primitive}: invalid value (nan) encountered at "), message
    for part in told:
        assert part in message, message
    call()  # and without the option it is nobody's business


def test_an_operation_that_ran_before_is_named_where_it_runs_now() -> None:
    jnp.log(V)
    with jax.debug_nans(True):
        jnp.log(V[1:])
        for _ in range(2):
            with pytest.raises(FloatingPointError, match=r"\(test_an_operation_that_ran_before"):
                jnp.log(V)
            with pytest.raises(FloatingPointError, match=r"\(called_elsewhere"):
                called_elsewhere()


def called_elsewhere() -> Any:
    return jnp.log(V)


def test_a_nan_that_is_masked_away_is_nobodys_business() -> None:
    with jax.debug_nans(True):
        assert float(jax.jit(hidden)(V)) == pytest.approx(np.log(6))


def test_a_nan_that_was_given_is_not_blamed_on_the_function() -> None:
    def scaled(weights: Any, x: Any) -> Any:
        return weights["w"] * x

    with jax.debug_nans(True), pytest.raises(FloatingPointError) as caught:
        jax.jit(scaled)({"w": np.float32("nan")}, V)
    assert str(caught.value).startswith(
        "scaled: invalid value (nan) encountered: the argument weights['w'] of type f32[] has it already"
    )


def test_what_a_search_prints_was_printed_once(capsys: Any) -> None:
    def noisy(x: Any) -> Any:
        jax.debug.print("seen")
        return jnp.log(x)

    with jax.debug_nans(True), pytest.raises(FloatingPointError):
        jax.jit(noisy)(V)
    assert capsys.readouterr().out.count("seen") == 1


def test_infinities_are_another_option() -> None:
    with jax.debug_nans(True):
        assert np.isinf(jnp.log(0.0))
    with jax.debug_infs(True), pytest.raises(FloatingPointError, match=r"^log: invalid value \(inf\)"):
        jnp.log(0.0)
    jax.config.update("jax_debug_infs", True)
    try:
        with pytest.raises(FloatingPointError, match=r"^div: invalid value \(inf\)"):
            1 / jnp.zeros(2)
    finally:
        jax.config.update("jax_debug_infs", False)


def test_the_fast_path_is_whole_when_nothing_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[Any] = []
    run = Program.run
    monkeypatch.setattr(Program, "run", lambda self, *args: (runs.append(self), run(self, *args))[1])
    f = jax.jit(lambda x: x + 1)
    x = jnp.ones(3)
    for context, passed in [(jax.debug_nans(True), 3), (jax.debug_nans(False), 1)]:
        runs.clear()
        with context:
            for _ in range(3):
                f(x)
        assert len(runs) == passed  # calls that went through Python: all, or the first


def leaking() -> dict[str, tuple[Callable[[Callable[[Any], Any]], Any], str]]:
    return {
        "jit": (lambda f: jax.jit(f)(V), "store"),
        "make_jaxpr": (lambda f: jax.make_jaxpr(f)(V), "store"),
        "grad": (lambda f: jax.grad(lambda x: f(x).sum())(V), ""),
        "jvp": (lambda f: jax.jvp(f, (V,), (V,)), ""),
        "vmap": (lambda f: jax.vmap(f)(V), ""),
        "scan": (lambda f: lax.scan(lambda c, x: (f(c), x), 1.0, V), ""),
        "cond": (lambda f: lax.cond(True, f, f, 1.0), ""),
        "while_loop": (lambda f: lax.while_loop(lambda c: False, f, 1.0), ""),
        "grad of jit": (lambda f: jax.grad(lambda x: jax.jit(f)(x).sum())(V), "store"),
    }


class Box:
    """Holds what leaks."""

    kept: Any


KEPT: list[Any] = []


@pytest.mark.parametrize("case", leaking())
def test_a_leak_is_told_where_it_happens(case: str) -> None:
    box, listed = Box(), KEPT

    def store(x: Any) -> Any:
        box.kept = jnp.sin(x)
        return x

    def append(x: Any) -> Any:
        listed.append(jnp.cos(x))
        return x

    call, name = leaking()[case]
    with checking_leaks(), pytest.raises(jax.errors.UnexpectedTracerError) as caught:
        call(store)
    message = str(caught.value)
    assert message.startswith(f"{name}: traced f32") if name else "traced f32" in message, message
    assert "it is held by the attribute .kept of a Box" in message
    assert message.endswith("return it from the function instead of storing it")
    del box.kept
    with (
        check_tracer_leaks(),
        pytest.raises(jax.errors.UnexpectedTracerError, match="a list, the global variable `KEPT`"),
    ):
        call(append)
    KEPT.clear()


NOT_LEAKING: dict[str, Callable[[], Any]] = {
    "jit": lambda: jax.jit(lambda x: x + 1)(V),
    "grad of jit": lambda: jax.grad(jax.jit(lambda x: jnp.sin(x).sum()))(V),
    "hessian of scan": lambda: jax.hessian(lambda x: lax.scan(lambda c, x: (c * x, x), 1.0, x)[0])(V),
    "vmap of grad of a closure": lambda: jax.vmap(jax.grad(lambda x: jax.jit(lambda y: y * x)(x)))(V),
    "linearize": lambda: jax.linearize(jnp.sin, V)[1](V),
    "vjp": lambda: jax.vjp(jnp.sin, V)[1](V),
}


@pytest.mark.parametrize("case", NOT_LEAKING)
def test_what_leaks_nothing_is_left_alone(case: str) -> None:
    with checking_leaks():
        NOT_LEAKING[case]()


def logged(caplog: Any) -> list[str]:
    told = [record.getMessage() for record in caplog.records if record.name.startswith("jaxlab.")]
    caplog.clear()
    return told


def test_compilations_are_logged(caplog: Any) -> None:
    def scaled(x: Any, by: Any) -> Any:
        return x * by

    caplog.set_level(logging.WARNING)
    with log_compiles():
        jax.jit(scaled)(V, 2.0)
    first, second = logged(caplog)
    assert first == "compiling scaled for (x: f32[3], by: f32[]) on cpu:0"
    assert (
        second.startswith(("compiled scaled in ", "loaded from disk scaled in ")) and "traced in " in second
    )
    jax.jit(lambda x: x - 1)(V)
    assert logged(caplog) == []


def test_each_miss_is_explained(caplog: Any) -> None:
    def f(x: Any, n: int = 2) -> Any:
        return jax.tree.leaves(x)[0] * n

    jitted = jax.jit(f, static_argnames="n")
    one = np.ones((), np.float32)
    calls: list[tuple[Callable[[], Any], str]] = [
        (lambda: jitted(V), "its first call"),
        (lambda: jitted(V[:2]), "x: f32[3] → f32[2]"),
        (lambda: jitted(V[:2], n=3), "static n is given now"),
        (lambda: jitted(V[:2], n=4), "static n: 3 → 4"),
        (lambda: jitted(V[:2], n=4), ""),
        (lambda: jitted(1.0, n=4), "x: f32[2] → f32[]"),
        (lambda: jitted(one, n=4), "x: f32[] (a Python number's weak type) → f32[]"),
        (lambda: jitted({"a": one}, n=4), "the structure of the arguments: "),
        (lambda: _with(jax.default_matmul_precision("highest"), lambda: jitted(one, n=4)),
         "option default_matmul_precision: None → 'highest'"),
        (lambda: jax.vmap(lambda x: jitted(x, n=4), axis_name="i")(V), "named axes: none → i=3"),
    ]  # fmt: skip
    caplog.set_level(logging.WARNING)
    with explain_cache_misses():
        for call, reason in calls:
            call()
            told = [
                line.partition(": ")[2] for line in logged(caplog) if line.startswith("tracing f, called at ")
            ]
            assert len(told) == bool(reason), (reason, told)
            assert not reason or told[0].startswith(reason), (reason, told)


def _with(context: Any, call: Callable[[], Any]) -> Any:
    with context:
        return call()


def test_a_function_made_anew_is_told_from_one_that_was_redefined(caplog: Any) -> None:
    def make() -> Any:
        @jax.jit
        def step(x: Any) -> Any:
            return x + 1

        return step

    caplog.set_level(logging.WARNING)
    with explain_cache_misses():
        make()(1.0)
        make()(1.0)
    told = [line for line in logged(caplog) if line.startswith("tracing step")]
    assert "another function object step of the same definition was traced before" in told[1]
    names: dict[str, Any] = {"jax": jax, "__name__": "cells"}
    with explain_cache_misses():
        for sign in "+-":
            exec(f"def step2(x): return x {sign} 1\njax.jit(step2)(1.0)", names)
    told = [line.partition(": ")[2] for line in logged(caplog) if line.startswith("tracing step2")]
    assert told == ["its first call", "function step2 was redefined"]


def test_nothing_is_traced_or_run_where_that_is_forbidden() -> None:
    def f(x: Any) -> Any:
        return x + 1

    jitted = jax.jit(f)
    jitted(1.0)
    with no_tracing():
        assert float(jitted(2.0)) == 3.0
        with pytest.raises(
            RuntimeError, match=r"^f: it would be traced anew \(x: f32\[\] → i32\[\]\), but no_tracing"
        ):
            jitted(1)
    with no_execution():
        with pytest.raises(RuntimeError, match=r"^f: a program was about to run, but no_execution is on"):
            jitted(1.0)
        assert jax.eval_shape(f, 1.0).shape == ()
    assert float(jitted(1.0)) == 2.0


def test_a_wrong_rule_is_found_by_the_checks() -> None:
    class Wrong(Primitive):
        """Says that its result is a scalar the first time, and never again."""

        name = "wrong_of_these_tests"
        count = 0

        def abstract_eval(self, x: Any) -> Any:
            self.count += 1
            return ShapedArray(() if self.count == 1 else (2,), x.dtype)

    wrong = Wrong()
    try:
        with enable_checks(), pytest.raises(jax.errors.JaxprTypeError, match="wrong_of_these_tests"):
            jax.make_jaxpr(wrong.bind)(1.0)
        jax.make_jaxpr(wrong.bind)(1.0)
    finally:
        del registry["wrong_of_these_tests"]
        gc.collect()
    with enable_checks():
        jax.hessian(lambda x: lax.scan(lambda c, x: (c * x, x), 1.0, x)[0])(V)


def test_options_of_random_keys() -> None:
    old, new = jax.random.PRNGKey(0), jax.random.key(0)
    with jax.legacy_prng_key("error"):
        jax.random.normal(new)
        with pytest.raises(ValueError, match=r"^split: a key of the older style, u32\[2\], was given"):
            jax.random.split(old)
    with jax.legacy_prng_key("warn"), pytest.warns(FutureWarning, match="older style"):
        jax.random.split(old)
    with jax.default_prng_impl("rbg"), pytest.raises(ValueError, match="the generator 'rbg' is not known"):
        jax.random.key(0)
    with (
        jax.threefry_partitionable(False),
        pytest.raises(NotImplementedError, match="threefry_partitionable is off"),
    ):
        jax.random.bits(new)
    jax.config.update("jax_random_seed_offset", 3)
    try:
        assert jax.random.key_data(jax.random.key(1)).tolist() == [0, 4]
    finally:
        jax.config.update("jax_random_seed_offset", 0)


def test_softmax_has_a_rule_where_that_is_asked_for() -> None:
    plain, ruled = jax.jacrev(jax.nn.softmax)(V), None
    with jax.softmax_custom_jvp(True):
        ruled = jax.jacrev(jax.nn.softmax)(V)
        assert "custom_jvp_call" in str(jax.make_jaxpr(jax.nn.softmax)(V))
    assert np.allclose(plain, ruled)


RANKS = {"allow": None, "warn": UserWarning, "raise": ValueError}


@pytest.mark.parametrize("level", RANKS)
def test_ranks(level: str) -> None:
    with jax.numpy_rank_promotion(level):
        wanted = RANKS[level]
        if wanted is None:
            jnp.ones((2, 3)) + jnp.ones(3)
        elif level == "warn":
            with pytest.warns(wanted, match="rank"):
                jnp.ones((2, 3)) + jnp.ones(3)
        else:
            with pytest.raises(wanted, match=r"\(2, 3\)"):
                jnp.ones((2, 3)) + jnp.ones(3)
