"""``x[...]`` and ``x.at[...]`` give what jax gives: values, types, errors and equations."""

from __future__ import annotations

import pytest
from jax_process import assert_agrees

ARRAYS = {
    "x": "f32(4, 3)",
    "y": "np.array([2, -1], np.int32)",
    "z": "np.array([1, 0], np.int32)",
    "s": "np.int32(-2)",
    "b": "np.array([True, False, True, False])",
}

INDICES = [
    "0", "-1", "5", "-9", "1:3", "::2", "::-1", "3:0:-2", "3:1", "1:3:-1", "10:", ":0", "2:2", ":, 0", "None", "..., None, 1",
    "0, None, 1:", "()", "...", "True", "False", "0, 1", "(0, 1),", "np.int64(1)", "np.array(1)", "np.array([0, 1])",
    "s", "y", "s, 0", "s, 1:", "s, ::2", ":, s", "y, 0", "0, y", "y, z", "y, 1:2", "y, ::2", "y, ::-1", "y, None", "None, y",
    "y[:, None], z", "y, -1", "y, 7", "b", "b, 0", "b, 1:", "y, s", "y[:0]", "1.5", "'a'", "[0, 1]", "0, 0, 0", "..., ...",
    "object()", "np.array([True, False])", "np.uint8(1)", "np.array([1, 2], np.uint8)", "np.array([1, -2], np.int8)",
]  # fmt: skip

CUBE = [
    "y, :, z",
    ":, y, z",
    "y, None, z",
    "0, :, y",
    "y, 1:, s",
    "..., y",
    "y, ..., z",
    "s, 1:2, s",
    ":, y, 1:",
    "None, y, :, z",
]

GETS = [
    f"{index}].get({options})"
    for index in ("y", "s", "0", "9", "-9", "y, 1:2", "1:3")
    for options in ("mode='fill'", "mode='clip'", "mode='fill', fill_value=7", "mode='promise_in_bounds'")
] + [
    "y].get(wrap_negative_indices=False)",
    "y].get(indices_are_sorted=True, unique_indices=True)",
    "y].get(mode='wrap')",
]

UPDATES = [
    f"{index}].{method}(2)"
    for index in ("0", "s", "y", "1:3", "::2", "::-2", ":, 0", "y, z", "y, 1:2", "y, ::-1", "...", "None, 0", "b", "9")
    for method in ("set", "add", "multiply", "min")
] + [
    "y].subtract(0.5)", "y].divide(2)", "y].power(2)", "y].max(0.5)", "y].set(f32(3))", "y].set(f32(2, 1))", "y].set(f32(5))",
    "y].set([1., 2., 3.])", "y].set(1, mode='clip')", "y].set(1, mode='drop')", "y].set(1, mode='wrap')", "y[:0]].set(0)",
    "0].set(f32(1, 3))", "True].set(1.)", "y, ::-1].set(f32(2, 3))", "y].add(i32(2, 3))", "'a'].set(1)", "0, 0, 0].set(1)",
]  # fmt: skip


def _function(body: str, x: str = ARRAYS["x"]) -> str:
    names = {**ARRAYS, "x": x}
    for name, value in names.items():
        if name not in "xyzs":
            body = body.replace(f"[{name}", f"[{value}")
    return f"(lambda x, y, z, s: {body}), {x}, {names['y']}, {names['z']}, {names['s']}"


def _both(body: str, x: str = ARRAYS["x"]) -> list[str]:
    """The value on arrays, and the program."""
    call = _function(body, x)
    eager = f"(lambda f, *a: f(*map(jnp.asarray, a)))({call})"
    return [eager, f"jax.jit({call.partition('), ')[0]}))({call.partition('), ')[2]})", f"jaxpr({call})"]


VALUES, PROGRAMS = [], []
for body, x in [
    *[(f"x[{index}]", ARRAYS["x"]) for index in INDICES],
    *[(f"x[{index}]", "f32(4, 3, 5)") for index in CUBE],
    *[(f"x.at[{rest}", ARRAYS["x"]) for rest in GETS + UPDATES],
    *[(f"x[{index}]", "f32(0, 3)") for index in ("1:", "0", "y[:0]", "None", "::-1")],
    *[(f"x[{index}]", "f32()") for index in ("()", "None", "...", "0")],
    *[(f"x.at[{rest}", "i32(4)") for rest in ("0].set(2)", "y].add(1.5)", "y].set(True)", "y].multiply(3)")],
]:
    *values, program = _both(body, x)
    VALUES += values
    PROGRAMS.append(program)


@pytest.mark.parametrize("expression", VALUES)
def test_values(expression: str) -> None:
    assert_agrees(expression, VALUES)


# jax broadcasts the array after it has looked at the index; ours is expanded when it is read.
OTHER_PROGRAMS = ("x[False]", "x[(0, 1),]")


@pytest.mark.parametrize("expression", PROGRAMS)
def test_programs(expression: str) -> None:
    if any(body in expression for body in OTHER_PROGRAMS):
        pytest.skip("the same value by other equations")
    assert_agrees(expression, PROGRAMS)


GRADIENTS = [
    f"jax.grad(lambda x: ({body}).sum())(f32(4, 3))"
    for body in (
        "x[1]", "x[1:3] ** 2", "x[::-1, 0]", "x[np.array([0, 0, 2])] ** 2", "x.at[0].set(2.) ** 2", "x[:, np.array([1])]",
        "x.at[np.array([1, 1])].add(x[0]) ** 2", "x.at[::2].multiply(3.) ** 2", "x[np.array([True, False, "
        "True, False])] ** 2",
    )
] + [
    "jax.vmap(lambda x, i: x[i])(f32(4, 3), np.array([0, 2, -1, 5], np.int32))",
    "jax.vmap(lambda x, i: x.at[i].set(9.))(f32(4, 3), np.array([0, 2, -1, 5], np.int32))",
    "jax.vmap(lambda i: jnp.arange(5)[i])(np.array([0, 2, -1], np.int32))",
]  # fmt: skip


@pytest.mark.parametrize("expression", GRADIENTS)
def test_derivatives_and_maps(expression: str) -> None:
    assert_agrees(expression, GRADIENTS)
