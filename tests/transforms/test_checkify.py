"""What ``checkify`` tells beyond jax: the first failure in time, the user's line, and nothing lost on the way."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import jaxlab
import jaxlab.numpy as jnp
from jaxlab import grad, jit, lax, vmap
from jaxlab.experimental import checkify
from jaxlab.experimental.checkify import check, float_checks, index_checks, user_checks

V = jnp.arange(3.0)


def positive(x: Any) -> Any:
    check(x > 0, "{x} is not positive", x=x)  # the line that is told
    return 2 * x


@jaxlab.custom_jvp
def with_jvp(x: Any) -> Any:
    return positive(x)


with_jvp.defjvp(lambda primals, ts: (2 * primals[0], 7 * ts[0]))


@jaxlab.custom_vjp
def with_vjp(x: Any) -> Any:
    return positive(x)


with_vjp.defvjp(lambda x: (2 * x, None), lambda _, ct: (7 * ct,))


def error_of(f: Callable[..., Any], *args: Any, errors: Any = user_checks) -> str | None:
    """What went wrong, without the place; compiled or not."""
    compiled = jit(checkify.checkify(f, errors=errors))(*args)[0].get()
    at_once = checkify.checkify(f, errors=errors)(*args)[0].get()
    told = [text and re.sub(r" \((check failed )?at .*\)$", "", text) for text in (compiled, at_once)]
    assert told[0] == told[1]
    return told[0]


TOLD: list[tuple[str, Callable[..., Any], tuple[Any, ...], Any, str | None]] = [
    ("check", positive, (-V[1],), user_checks, "-1.0 is not positive"),
    ("nan", jnp.log, (-V[1],), float_checks, "log: a nan was computed"),
    ("division", lambda x: 1 / x, (V[0],), float_checks, "div: division by zero"),
    (
        "index",
        lambda x, i: x[0, i],
        (jnp.ones((2, 3)), jnp.int32(5)),
        index_checks,
        "dynamic_slice: index 5 is out of bounds for axis 1, of size 3, of an array of shape (2, 3)",
    ),
    (
        "indices",
        lambda x, i: x[i],
        (jnp.ones((2, 3)), jnp.array([[0], [4]])),
        index_checks,
        "gather: index 4 is out of bounds for axis 0, of size 2, of an array of shape (2, 3)",
    ),
    (
        "scatter",
        lambda x, i: x.at[:, i].add(1.0),
        (jnp.ones((2, 3)), jnp.array([0, 3])),
        index_checks,
        "scatter-add: index 3 is out of bounds for axis 1, of size 3, of an array of shape (2, 3)",
    ),
    ("custom_jvp", with_jvp, (-V[1],), user_checks, "-1.0 is not positive"),
    ("custom_vjp", with_vjp, (-V[1],), user_checks, "-1.0 is not positive"),
    ("jit of custom_vjp", jit(with_vjp), (-V[1],), user_checks, "-1.0 is not positive"),
    ("vmap of custom_jvp", vmap(with_jvp), (V,), user_checks, "0.0 is not positive"),
    ("checkpoint", jaxlab.checkpoint(positive), (-V[1],), user_checks, "-1.0 is not positive"),
    (
        "grad of scan",
        grad(lambda x: lax.scan(lambda c, y: (positive(y) + c, None), 0.0, x)[0]),
        (V - 1,),
        user_checks,
        "-1.0 is not positive",
    ),
    ("others are not checked", positive, (-V[1],), float_checks, None),
]


@pytest.mark.parametrize(("f", "args", "errors", "told"), [row[1:] for row in TOLD], ids=[r[0] for r in TOLD])
def test_told(f: Callable[..., Any], args: tuple[Any, ...], errors: Any, told: str | None) -> None:
    assert error_of(f, *args, errors=errors) == told


def test_the_line_of_the_check_is_told() -> None:
    for f, x in ((positive, -V[1]), (jit(positive), -V[1]), (vmap(positive), -V)):
        told = checkify.checkify(f)(x)[0].get()
        place = re.search(r"\(check failed at .*test_checkify\.py:(\d+) \(positive\)\)$", str(told))
        assert place and int(place.group(1)) == positive.__code__.co_firstlineno + 1


def test_the_first_failure_in_time_is_told_whatever_its_category() -> None:
    def steps(x: Any) -> Any:
        def step(c: Any, y: Any) -> Any:
            check(y < 2, "{y} is large", y=y)
            return c / y, None

        return lax.scan(step, 1.0, x)[0]

    both = user_checks | float_checks
    assert error_of(steps, jnp.array([1.0, 3.0, 0.0]), errors=both) == "3.0 is large"
    assert error_of(steps, jnp.array([1.0, 0.0, 3.0]), errors=both) == "div: division by zero"


def test_results_and_derivatives_are_those_of_the_function() -> None:
    for f in (with_jvp, with_vjp):
        checked = checkify.checkify(f)
        assert checked(V[2])[1] == 4.0
        assert grad(lambda x, checked=checked: checked(x)[1])(V[2]) == 7.0


def test_each_slice_of_a_mapped_loop_has_its_error() -> None:
    def loop(n: Any) -> Any:
        return lax.while_loop(lambda c: c < n, lambda c: (check(c < 1, "{c}", c=c), c + 1)[1], 0.0)

    error, out = vmap(checkify.checkify(loop))(V)
    assert out.tolist() == [0.0, 1.0, 2.0]
    assert list(error.get_exception().error_mapping) == [(2,)]
    assert error.get().startswith("at mapped index 2: 1.0 (check failed at ")


def test_an_error_goes_through_compiled_functions() -> None:
    error, _ = checkify.checkify(positive)(-V[1])
    again = jit(lambda e: e)(error)
    assert again.get() == error.get()
    with pytest.raises(checkify.JaxRuntimeError, match=r"^-1\.0 is not positive") as caught:
        again.throw()
    assert isinstance(caught.value.__cause__, checkify.FailedCheckError)
    assert repr(error) == f"Error({error.get()})"


def test_checks_that_hold_cost_no_error() -> None:
    error, out = jit(checkify.checkify(vmap(positive)))(V + 1)
    assert error.get() is None and error.get_exception() is None
    error.throw()
    assert out.tolist() == [2.0, 4.0, 6.0]


def test_values_in_the_text_may_be_pytrees() -> None:
    def f(x: Any) -> None:
        check(x > 0, "{a[b]} and {}", x, a={"b": np.arange(2)})

    assert error_of(f, -V[1]) == "[0 1] and -1.0"
