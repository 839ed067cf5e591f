"""What the tests of rules cannot see: known functions, initial values, precision of running sums, errors."""

from __future__ import annotations

import numpy as np
import pytest

import jaxlab
from jaxlab import lax

X = np.arange(12, dtype=np.float32).reshape(3, 4)


def primitive_of(fun: object, *args: object) -> str:
    return jaxlab.make_jaxpr(fun)(*args).eqns[-1].primitive.name  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("init", "computation", "name"),
    [
        (0.0, lax.add, "reduce_sum"),
        (1.0, lax.mul, "reduce_prod"),
        (-np.inf, lax.max, "reduce_max"),
        (np.inf, lax.min, "reduce_min"),
        (1.0, lax.add, "reduce"),
        (0.0, lambda a, b: a + b, "reduce"),
    ],
)
def test_known_functions(init: float, computation: object, name: str) -> None:
    def fun(x: object) -> object:
        return lax.reduce(x, init, computation, (1,))  # type: ignore[arg-type]

    assert primitive_of(fun, X) == name
    combine = {"reduce_prod": np.prod, "reduce_max": np.max, "reduce_min": np.min}.get(name, np.sum)
    extra = init if name == "reduce" else 0
    np.testing.assert_allclose(fun(X), combine(X, 1) + extra)


def test_trees() -> None:
    out = lax.reduce(
        {"a": X, "b": X},
        {"a": 0.0, "b": 1.0},
        lambda x, y: {"a": x["a"] + y["a"], "b": x["b"] * y["b"]},
        (0,),
    )
    np.testing.assert_allclose(out["a"], X.sum(0))
    np.testing.assert_allclose(out["b"], X.prod(0))


def test_long_running_sums_lose_no_digits() -> None:
    x = np.full(1_000_000, 0.1, np.float32)
    np.testing.assert_allclose(np.asarray(lax.cumsum(x))[-1], x.astype(np.float64).sum(), rtol=1e-6)


def test_nan() -> None:
    x = np.array([1, np.nan, 3], np.float32)
    assert np.isnan(lax.reduce_max(x, (0,))) and int(lax.argmin(x, 0, np.int32)) == 1
    np.testing.assert_array_equal(lax.cummax(x), [1, np.nan, np.nan])


def test_pooling_has_derivatives() -> None:
    def pool(x: object) -> object:
        return lax.reduce_window(x, -np.inf, lax.max, (2, 2), (1, 2), "SAME")

    out, pull = jaxlab.vjp(pool, X)
    (found,) = pull(np.ones(out.shape, np.float32))
    np.testing.assert_array_equal(found, [[0, 0, 0, 0], [0, 1, 0, 1], [0, 2, 0, 2]])


@pytest.mark.parametrize(
    ("fun", "error", "text"),
    [
        (lambda: lax.reduce_max(X, (2,)), ValueError, "reduce_max: axis 2 is out of bounds"),
        (lambda: lax.reduce_prod(X > 0, (0,)), TypeError, "reduce_prod does not accept dtype bool"),
        (lambda: lax.reduce_and(X, (0,)), TypeError, "reduce_and does not accept dtype f32"),
        (lambda: lax.argmax(X, -1, np.int32), ValueError, "argmax: Invalid axis -1 for operand shape"),
        (lambda: lax.argmax(X, 1, np.float32), TypeError, "index_dtype must be an integer type"),
        (lambda: lax.argmax(X[:0], 0, np.int32), ValueError, "require non-empty reduced dimension"),
        (lambda: lax.cumsum(X, -1), ValueError, "cumsum: axis -1 was given"),
        (lambda: lax.cumsum(X > 0), TypeError, "cumsum does not accept dtype bool"),
        (
            lambda: lax.reduce(X, np.ones(2, np.float32), lax.add, (0,)),
            ValueError,
            "non-scalar initial value",
        ),
        (lambda: lax.reduce(X, 0.0, lambda a, b: a > b, (0,)), TypeError, "reduce: the function was given"),
        (lambda: lax.reduce_window(X, 0.0, lax.add, (2,)), TypeError, "window_dimensions .2,. has 1 entries"),
    ],
)
def test_errors(fun: object, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        fun()  # type: ignore[operator]
