"""Whether checks fail, of which category, and what the function gives beside, as in jax."""

from __future__ import annotations

import pytest
from jax_process import assert_agrees

F = "lambda x: (checkify.check(x > 0, '{} is bad', x), x * 2)[1]"
V = "jnp.arange(3, dtype=np.float32)"
SCAN = (
    "lambda x: lax.scan(lambda c, y: (checkify.check(y < 2, 'large {}', y), (c + y, c))[1], np.float32(0), x)"
)
WHILE = (
    "lambda x: lax.while_loop(lambda c: (checkify.check(c < {}, 'test'), c < 6)[1], "
    "lambda c: (checkify.check(c < {}, 'body'), c + 1)[1], x)"
)

# A function, its arguments, and the categories to check.
PROGRAMS = [
    (F, "jnp.float32(1)", "user"),
    (F, "jnp.float32(-1)", "user"),
    (F, "jnp.float32(-1)", "float"),
    (f"jax.jit({F})", "jnp.float32(-1)", "user"),
    (f"jax.vmap({F})", V, "user"),
    (f"jax.grad({F})", "jnp.float32(-1)", "user"),
    (f"jax.checkpoint({F})", "jnp.float32(-1)", "user"),
    (f"lambda x: lax.map({F}, x)", V, "user"),
    (SCAN, V, "user"),
    (f"jax.jit({SCAN})", V, "all"),
    (WHILE.format(9, 9), "jnp.float32(0)", "user"),
    (WHILE.format(3, 9), "jnp.float32(0)", "user"),
    (WHILE.format(9, 3), "jnp.float32(0)", "user"),
    (f"lambda x: lax.cond(x > 0, {F}, lambda x: x / 0, x)", "jnp.float32(1)", "all"),
    (f"lambda x: lax.cond(x < 0, {F}, lambda x: x / jnp.float32(0), x)", "jnp.float32(1)", "all"),
    (f"lambda x: lax.cond(x < 0, {F}, lambda x: x / jnp.float32(0), x)", "jnp.float32(-1)", "all"),
    ("lambda x: checkify.debug_check(x > 0, 'bad')", "jnp.float32(-1)", "user"),
    ("lambda x: checkify.check(True, 'never')", "jnp.float32(-1)", "user"),
    ("jnp.sin", "jnp.float32(np.inf)", "nan"),
    ("jnp.sin", "jnp.float32(np.inf)", "div"),
    ("jnp.log", "f32(4, low=-1)", "float"),
    ("jnp.log", "f32(4, low=1)", "float"),
    ("lambda x: jnp.sqrt(x) + jnp.log(x)", "jnp.float32(-1)", "float"),
    ("jax.grad(jnp.sqrt)", "jnp.float32(0)", "float"),
    ("lambda x: x / jnp.zeros(3)", V, "float"),
    ("lambda x: x / jnp.zeros(3)", V, "nan"),
    ("lambda x: x // jnp.zeros(3, int)", "np.arange(3)", "div"),
    ("lambda x: x[jnp.array([0, 2])]", V, "index"),
    ("lambda x: x[jnp.array([0, 5])]", V, "index"),
    ("lambda x: x[jnp.array(-4)]", V, "index"),
    ("lambda x: x.at[jnp.array([1, 7])].set(1.)", V, "index"),
    ("lambda x: x.at[jnp.array(2)].add(1.)", V, "index"),
    ("lambda x: lax.dynamic_slice(x, (jnp.int32(2),), (2,))", V, "index"),
    ("lambda x: lax.dynamic_slice(x, (jnp.int32(1),), (2,))", V, "index"),
    ("lambda x: lax.dynamic_update_slice(x, x[:2], (jnp.int32(2),))", V, "index"),
    ("lambda x: x[1:]", V, "all"),
    ("lambda x: jnp.sort(x)", V, "all"),
    ("lambda x: (x @ x, x.sum())", V, "all"),
]


def told(function: str, argument: str, checks: str, outside: str = "{}") -> str:
    """The category of the error, and the result."""
    checked = outside.format(f"checkify.checkify({function}, checkify.{checks}_checks)")
    return f"(lambda r: (type(r[0].get_exception()).__name__, r[1]))({checked}({argument}))"


TABLE = [told(*program) for program in PROGRAMS]
COMPILED = [told(*program, "jax.jit({})") for program in PROGRAMS]
MAPPED = [
    told(F, V, "user", "jax.vmap({})"),
    told(F, V, "user", "jax.jit(jax.vmap({}))"),
    f"sorted(jax.vmap(checkify.checkify({F}))({V} - 1)[0].get_exception().error_mapping)",
    told(SCAN, "np.arange(6, dtype=np.float32).reshape(2, 3)", "user", "jax.vmap({})"),
    f"jax.grad(lambda x: checkify.checkify({F})(x)[1])(2.0)",
    f"(lambda e: checkify.check_error(e))(checkify.checkify({F})(jnp.float32(1))[0])",
    f"checkify.checkify(lambda x: checkify.check_error(checkify.checkify({F})(x)[0]))(jnp.float32(-1))[0]"
    ".get() is None",
    "checkify.init_error.get()",
    f"len(jax.tree_util.tree_leaves(checkify.checkify({F})(jnp.float32(1))[0]))",
]


@pytest.mark.parametrize("expression", TABLE)
def test_same_error(expression: str) -> None:
    assert_agrees(expression, TABLE)


@pytest.mark.parametrize("expression", COMPILED)
def test_same_error_compiled(expression: str) -> None:
    assert_agrees(expression, COMPILED)


@pytest.mark.parametrize("expression", MAPPED)
def test_same_outside(expression: str) -> None:
    """Transformations of what ``checkify`` makes."""
    assert_agrees(expression, MAPPED)
