"""Names that are seldom used: states of tracing, user contexts, equations that are made."""

from __future__ import annotations

from typing import Any

import pytest

import jaxlab as jax
import jaxlab.numpy as jnp
from jaxlab.extend import core


def test_states_of_tracing() -> None:
    seen: list[Any] = []

    def look(x: Any) -> Any:
        seen.append(
            (
                core.unsafe_am_i_under_a_jit_DO_NOT_USE(),
                core.unsafe_am_i_under_a_vmap_DO_NOT_USE(),
                core.nonempty_axis_env_DO_NOT_USE(),
                core.unsafe_get_axis_names_DO_NOT_USE(),
            )
        )
        return x

    look(1.0)
    jax.jit(look)(1.0)
    jax.vmap(look)(jnp.ones(2))
    jax.jit(jax.vmap(look, axis_name="i"))(jnp.ones(2))
    nothing: list[str] = []
    assert seen == [
        (False, False, False, nothing),
        (True, False, False, nothing),
        (False, True, False, nothing),
        (True, True, True, ["i"]),
    ]


def test_the_trace_can_be_taken_and_set_again() -> None:
    def f(x: Any) -> Any:
        before = core.get_opaque_trace_state()
        with core.take_current_trace() as trace:
            assert core.get_opaque_trace_state() != before
            known = jnp.arange(3)[2].item()
            with core.set_current_trace(trace):
                assert core.get_opaque_trace_state() == before
                assert core.find_top_trace() is trace
                return x * known

    assert [eqn.primitive.name for eqn in jax.make_jaxpr(f)(1.0).eqns] == ["mul"]


def test_concrete_or_error() -> None:
    assert core.concrete_or_error(int, 2.5) == 2
    with pytest.raises(jax.errors.ConcretizationTypeError, match=r"^the count: traced f32\[\]"):
        jax.jit(lambda x: core.concrete_or_error(int, x, "the count"))(1.0)


def test_a_user_context_has_its_own_programs() -> None:
    context, other = jax.make_user_context("a"), jax.make_user_context()
    traced: list[Any] = []

    @jax.jit
    def f(x: float) -> float:
        traced.append((context.value, other.value))
        return x + 1

    f(1.0)
    for _ in range(2):
        with context("b"):
            f(1.0)
            with other(2):
                f(1.0)
            f(1.0)
        with other(2), context("b"):  # the order in which they are entered does not matter
            f(1.0)
    f(1.0)
    assert traced == [("a", None), ("b", None), ("b", 2)]
    assert context.value == "a"
    with pytest.raises(
        TypeError, match=r"^user context: a value of type list was given, but it must be hashable"
    ):
        context([]).__enter__()


def test_equations_can_be_made_anew() -> None:
    closed = jax.make_jaxpr(lambda x: x * 2.0)(1.0)
    [eqn] = closed.eqns
    twin = core.new_jaxpr_eqn(
        eqn.invars, eqn.outvars, eqn.primitive, eqn.params, eqn.effects, eqn.source_info
    )
    again = closed.replace(jaxpr=closed.jaxpr.replace(eqns=[twin]))
    assert str(again) == str(closed)
    assert core.jaxpr_as_fun(again)(3.0) == [6.0]
    assert list(core.jaxprs_in_params({"a": (closed.jaxpr, closed), "b": closed})) == [closed.jaxpr] * 3
