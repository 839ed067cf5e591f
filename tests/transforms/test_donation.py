"""Donated buffers are reused, and every misuse of one says which argument it was."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import jaxlab as jax
import jaxlab.numpy as jnp
from jaxlab.core.aval import ShapedArray
from jaxlab.runtime.donation import aliases

V = np.arange(3.0, dtype=np.float32)


def fresh() -> Any:
    return jnp.asarray(V) + 0


@pytest.mark.parametrize(
    ("options", "call"),
    [
        ({"donate_argnums": 0}, lambda f, x: f(x, 1.0)),
        ({"donate_argnums": (-2,)}, lambda f, x: f(x, 1.0)),
        ({"donate_argnames": "x"}, lambda f, x: f(x, 1.0)),
        ({"donate_argnames": "x"}, lambda f, x: f(y=1.0, x=x)),
        ({"donate_argnums": 0, "static_argnums": 1}, lambda f, x: f(x, 1.0)),
    ],
)
def test_the_buffer_is_reused(options: Any, call: Any) -> None:
    f = jax.jit(lambda x, y: x + y, **options)
    for _ in range(2):  # the second goes through the C++ dispatch
        x = fresh()
        pointer = x.unsafe_buffer_pointer()
        y = call(f, x)
        assert x.is_deleted()
        assert y.unsafe_buffer_pointer() == pointer
        np.testing.assert_array_equal(y, V + 1)


def test_memory_analysis_shows_it() -> None:
    kept = jax.jit(lambda x: x + 1).lower(V).compile().memory_analysis()
    given = jax.jit(lambda x: x + 1, donate_argnums=0).lower(V).compile().memory_analysis()
    assert (kept.alias_size_in_bytes, given.alias_size_in_bytes) == (0, V.nbytes)


def test_each_result_takes_the_first_buffer_of_its_type() -> None:
    f = jax.jit(lambda x, i, y: (i + 1, x * y, y), donate_argnums=(0, 1, 2))
    text = f.lower(V, np.arange(3), V).as_text()
    arguments = text.split("@main(")[1].split(") ->")[0].split("%arg")[1:]
    assert ["= 1" in arguments[0], "= 0" in arguments[1], "= 2" in arguments[2]] == [True] * 3


def test_aliases() -> None:
    a, b = ShapedArray((2,), np.dtype(np.float32)), ShapedArray((3,), np.dtype(np.float32))
    assert aliases([a, b, a], [True, False, True], [a, b]) == ([0, None, None], [a])


def test_what_cannot_be_reused_is_told_and_left_alone() -> None:
    x = fresh()
    with pytest.warns(
        UserWarning, match=r"<lambda>: donated buffers of type f32\[3\] cannot be reused"
    ) as told:
        jax.jit(lambda x: x.sum(), donate_argnums=0)(x)
    assert told[0].filename == __file__
    assert not x.is_deleted()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        jax.jit(lambda x, y: y + 1, donate_argnums=0)(x, 1.0)  # not used at all
    np.testing.assert_array_equal(x, V)


def test_donation_is_a_promise_of_the_outermost_call() -> None:
    f = jax.jit(lambda x: x + 1, donate_argnums=0)
    x = fresh()
    assert float(jax.grad(lambda x: f(x).sum())(x)[0]) == 1.0
    np.testing.assert_array_equal(jax.vmap(f)(x), V + 1)
    np.testing.assert_array_equal(jax.jit(lambda x: f(x) + x)(x), 2 * V + 1)
    assert not x.is_deleted()


def test_errors_of_callees_come_through() -> None:
    f = jax.jit(lambda x: 1 / 0, donate_argnums=0)
    with pytest.raises(ZeroDivisionError):
        f(fresh())
