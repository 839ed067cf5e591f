"""Mutable arrays against jax: what is read and written, under every transformation; errors; texts of programs."""

from __future__ import annotations

from importlib.metadata import version

import pytest
from jax_process import answer_here, answers_of_jax, assert_agrees, texts

pytestmark = pytest.mark.skipif(
    not version("jax").startswith("0.10."), reason="references are those of jax 0.10; here is another jax"
)


def after(init: str, *steps: str) -> str:
    """The value of a reference ``r``, made of ``init``, after some steps, and the results of the steps."""
    return f"[r := jax.new_ref({init}), {', '.join(steps)}, r[...]][1:]"


V, M, C = "f32(4)", "f32(3, 4)", "f32(2, 3, 4)"

INDICES = [
    (V, "..."),
    (V, "0"),
    (V, "-1"),
    (V, "slice(1, 3)"),
    (V, "slice(None, None, 2)"),
    (V, "np.array([2, 0])"),
    (V, "np.array([-1, 9])"),
    (M, "1"),
    (M, "(slice(None), 2)"),
    (M, "(..., slice(1, 3))"),
    (M, "(1, np.array([3, 0]))"),
    (M, "(np.array([2, 0]), slice(1, 4, 2))"),
    (M, "(np.array([[0], [2]]), np.array([1, 3]))"),
    (C, "(np.array([1, 0]), slice(None), np.array([3, 2]))"),
    (C, "(slice(0, 2), np.array([2, 0]), np.array([3, 2]))"),
    (C, "(0, slice(None), np.array([3, 2, 1]))"),
    (C, "(1, 2, 3)"),
]

READS = [f"jax.new_ref({init})[{index}]" for init, index in INDICES]
WRITES = [
    after(init, f"jax.ref.set(r, {index}, 2 * r[{index}])")
    for init, index in INDICES
    if "9" not in index  # where an index is clamped, and where it is dropped, is tested below
]
ADDITIONS = [after(init, f"jax.ref.addupdate(r, {index}, r[{index}])") for init, index in INDICES]

EAGER = [
    *READS,
    *WRITES,
    *ADDITIONS,
    after(V, "jax.ref.swap(r, 1, np.float32(9))"),
    after(V, "jax.ref.swap(r, ..., f32(4, seed=1))"),
    after(V, "jax.ref.swap(r, None, f32(4, seed=1))"),
    after(V, "jax.ref.set(r, np.array([1, 9]), f32(2))"),
    after(V, "jax.ref.addupdate(r, np.array([1, 1, 9]), f32(3))"),
    after("jnp.zeros(3, jnp.bfloat16)", "jax.ref.set(r, 0, 1.0)"),
    after("jnp.zeros(3, jnp.int8)", "jax.ref.set(r, 0, 1)"),
    after("jnp.zeros(3, bool)", "jax.ref.set(r, 0, True)"),
    after("1.0", "jax.ref.set(r, ..., np.float32(3))"),
    after("1.0", "jax.ref.addupdate(r, (), 2.0)"),
    after("np.arange(3)", "jax.ref.get(r, 1)", "jax.ref.get(r)"),
    after(V, "jax.freeze(r)", "jax.ref.set(r, 0, 1.0)"),
    after(V, "jax.ref.get(r, (1,))", "r.addupdate(1.0, 0)"),
    "[x := jnp.arange(3.0), r := jax.new_ref(x), jax.ref.set(r, 0, 9.0), x][3]",
    "[r := jax.new_ref(jnp.arange(3.0)), y := r[...], jax.ref.set(r, 0, 9.0), y][3]",
    "repr(jax.new_ref(jnp.arange(6.0).reshape(2, 3)))",
    "[r := jax.new_ref(f32(2, 3)), r.shape, r.dtype, r.ndim, r.size, len(r)][1:]",
    "isinstance(jax.new_ref(1.0), jax.Ref)",
    "isinstance(jnp.ones(3), jax.Ref)",
    "len(jax.tree.leaves({'a': jax.new_ref(1.0), 'b': (jax.new_ref(2.0), 3)}))",
]

COMPILED = [
    after(V, "jax.jit(lambda r: r[...])(r)"),
    after(V, "jax.jit(lambda r, x: jax.ref.set(r, 0, x))(r, 3.0)"),
    after(V, "jax.jit(lambda r, i: jax.ref.set(r, i, 1.0))(r, 9)"),
    after(V, "jax.jit(lambda r, i: r[i])(r, -9)"),
    after(V, "jax.jit(lambda x: jax.ref.addupdate(r, 1, x))(2.0)"),
    after(V, "jax.jit(lambda x: (jax.ref.set(r, 0, x), r[0] + r[1])[1])(2.0)"),
    after(V, "jax.jit(lambda d: jax.ref.set(d['a'], 0, d['b'][1]))({'a': r, 'b': (1.0, 2.0)})"),
    after(V, "jax.jit(jax.jit(lambda r: jax.ref.swap(r, 2, 0.0)))(r)"),
    after(V, "jax.jit(lambda r: jax.ref.set(r, 0, 1.0)).lower(r).compile()(r)"),
    after(
        V,
        "s := jax.new_ref(f32(4, seed=1))",
        "jax.jit(lambda a, b: jax.ref.set(a, ..., b[...]))(r, s)",
        "s[...]",
    )
    .replace("s := jax.new_ref", "(s := jax.new_ref")
    .replace("seed=1))", "seed=1))).shape", 1),
    "jax.jit(lambda x: (r := jax.new_ref(x), jax.ref.set(r, 0, 7.0), jax.freeze(r))[2])(f32(4))",
    "jax.jit(lambda x: (r := jax.new_ref(x), jax.free_ref(r), x)[2])(f32(4))",
    after(
        "np.zeros(4, np.float32)",
        "lax.fori_loop(0, 4, lambda i, n: (jax.ref.set(r, i, 2.0 * i), n + 1)[1], 0)",
    ),
    after("np.zeros(4, np.float32)", "lax.scan(lambda c, x: (c + x, jax.ref.swap(r, 0, x)), 0.0, f32(3))"),
    after(
        "np.zeros(4, np.float32)",
        "lax.while_loop(lambda i: i < 3, lambda i: (jax.ref.set(r, i, 5.0), i + 1)[1], 0)",
    ),
    "jax.jit(lambda x: (r := jax.new_ref(x), lax.while_loop(lambda i: (i < 3) & (r[i] < 9), lambda i: (jax.ref.set(r, i, 9.0),"
    " i + 1)[1], 0), r[...])[1:])(f32(4))",
    after(V, "lax.cond(True, lambda: jax.ref.set(r, 0, 1.0), lambda: None)"),
    after(V, "lax.cond(False, lambda r: jax.ref.set(r, 0, 1.0), lambda r: jax.ref.set(r, 1, 2.0), r)"),
    after(V, "lax.switch(2, [lambda: r[0], lambda: r[1], lambda: jax.ref.swap(r, 2, 0.0)])"),
    after(V, "lax.scan(lambda c, s: (c + 1.0, jax.ref.swap(s, ..., c)), np.float32(0), r)"),
    after(V, "lax.scan(lambda c, s: (c + s[...], None), np.float32(0), r, reverse=True)"),
    after(V, "lax.map(lambda x: (jax.ref.set(r, 0, x), r[0] + r[1])[1], f32(3))"),
    after(
        V,
        "jax.jit(lambda: lax.cond(r[0] > 0, lambda: lax.fori_loop(0, 2, lambda i, c: c + r[i], 0.0), lambda: np.float32(1)))()",
    ),
]

LOSS = "(lambda x: (r := jax.new_ref(x), jax.ref.set(r, 0, r[1] * 2.0), jax.ref.addupdate(r, 2, jnp.sin(r[0])), (r[...] ** 2).sum())[3])"
GATHERED = "(lambda x: (r := jax.new_ref(x), jax.ref.set(r, np.array([0, 3]), r[1:3] * r[np.array([2, 1])]), r[::2].sum())[2])"
LOOPED = "(lambda x: (r := jax.new_ref(jnp.zeros(4)), lax.scan(lambda c, ix: (jax.ref.set(r, ix[0], jnp.sin(ix[1]) * c), (c + r[ix[0]], None))[1], np.float32(1), (jnp.arange(4), x))[0] + r[...].sum())[1])"
BRANCHED = "(lambda x: (r := jax.new_ref(x), lax.cond(x[0] > 0, lambda: jax.ref.set(r, 0, r[1] * r[2]), lambda: jax.ref.set(r, 1, r[2] * 3.0)), r[...].sum())[2])"
CALLED = "(lambda x: (r := jax.new_ref(x), jax.jit(lambda r, y: jax.ref.addupdate(r, 1, y * r[0]))(r, x[2]), r[...].prod())[2])"
POSITIVE = "f32(4, low=0.5, high=2)"

DIFFERENTIATED = [
    form.format(f=f, x=POSITIVE)
    for f in (LOSS, GATHERED, LOOPED, BRANCHED, CALLED)
    for form in (
        "jax.grad({f})({x})",
        "jax.jit(jax.grad(jax.jit({f})))({x})",
        "jax.jvp({f}, ({x},), (f32(4, seed=1),))",
        "jax.vjp({f}, {x})[1](np.float32(2))",
        "jax.linearize({f}, {x})[1](f32(4, seed=1))",
    )
]
MAPPED = [f"jax.vmap({f})(f32(2, 4, low=0.5, high=2))" for f in (LOSS, GATHERED, LOOPED, CALLED)] + [
    f"jax.vmap(jax.grad({f}))(f32(2, 4, low=0.5, high=2))" for f in (LOSS, GATHERED, LOOPED, CALLED)
]

PLUMBING = [
    after(
        V, "jax.grad(lambda x: (jax.ref.set(r, ..., lax.stop_gradient(x)), (x * x).sum())[1])(f32(4, seed=1))"
    ),
    after(
        V,
        "jax.grad(lambda r, x: (jax.ref.set(r, ..., lax.stop_gradient(x)), (x * x).sum())[1], 1)(r, f32(4, seed=1))",
    ),
    after(V, "jax.grad(lambda x: (r[...] * x).sum())(f32(4, seed=1))"),
    "[r := jax.new_ref(f32(4), kind='no_grad_no_remat'), jax.grad(lambda x: (jax.ref.set(r, ..., x), (x * x).sum())[1])(f32(4)), r[...]][1:]",
    "[r := jax.new_ref(f32(3)), t := jax.new_ref(f32(3)), jax.jvp(lambda r, x: (jax.ref.set(r, 0, r[1] * x), r[...].sum())[1], (r, 2.0), (t, 1.0)), r[...], t[...]][2:]",
    after(
        "jnp.ones(3)",
        "jax.vjp(lambda a, b: (a * b).sum(), f32(3), f32(3, seed=1))[1].with_refs(r, jax.ad.GradValue())(1.0)[1]",
    ),
    after(
        "jnp.ones(3)",
        "jax.vjp(lambda a, b: (a * b).sum(), f32(3), f32(3, seed=1))[1].with_refs(r, r)(1.0) and None",
    ),
    after("jnp.zeros((2, 4))", "jax.vmap(lambda r, x: (jax.ref.set(r, ..., x), r[1])[1])(r, f32(2, 4))"),
    after(
        "jnp.zeros((2, 4))",
        "jax.vmap(lambda r, i, x: (jax.ref.set(r, i, x), jax.ref.swap(r, 1, 0.0))[1])(r, np.array([0, 3]), f32(2))",
    ),
    after(
        "jnp.zeros((2, 4))",
        "jax.vmap(lambda r, i: jax.ref.addupdate(r, i, 1.0), (0, None))(r, np.array([1, 1, 2])[0])",
    ),
    after("f32(4)", "jax.vmap(lambda i: r[i] + r[...].sum())(np.array([0, 3, 1]))"),
    "jax.vmap(lambda x: (r := jax.new_ref(jnp.zeros(2)), jax.ref.set(r, 0, x), r[...])[2])(f32(3))",
    "jax.grad(jax.checkpoint(lambda x: (r := jax.new_ref(x), jax.ref.set(r, 0, x[1] ** 2), r[...].sum())[2]))(f32(3))",
]

ERRORS = [
    "jax.new_ref('a')",
    "jax.new_ref(None)",
    "jax.new_ref([1.0, 2.0])",
    "jax.new_ref(1.0, memory_space='host')",
    "jax.empty_ref((3,), np.float32)",
    "jax.new_ref(f32(4))[9]",
    "jax.new_ref(f32(4))[0, 0]",
    "jax.new_ref(f32(4))[..., ...]",
    "jax.new_ref(f32(4))[::-1]",
    "jax.new_ref(f32(4))['a']",
    "jax.new_ref(f32(4))[np.array([True, False, True, False])]",
    "jax.new_ref(f32(2, 3))[np.arange(2), np.arange(3)]",
    "jax.jit(lambda r, i: r[i:i + 2])(jax.new_ref(f32(4)), 1)",
    "jax.ref.set(jax.new_ref(f32(4)), 0, 1)",
    "jax.ref.set(jax.new_ref(f32(4)), ..., 0.0)",
    "jax.ref.set(jax.new_ref(f32(4)), slice(0, 2), jnp.ones(1))",
    "jax.ref.set(jax.new_ref(f32(4)), 0, 1j)",
    "jax.ref.set(jax.new_ref(f32(4)), 0, None)",
    "jax.ref.set(jax.new_ref(f32(2)), ..., [1.0, 2.0])",
    "jax.ref.set(jax.new_ref(f32(2)), ..., jax.new_ref(f32(2)))",
    "jax.ref.addupdate(jax.new_ref(f32(4)), 0, 1)",
    "jax.ref.addupdate(jax.new_ref(jnp.zeros(2, jnp.int8)), 0, 1)",
    "jax.ref.get(f32(4), 0)",
    "jax.ref.set(jnp.ones(4), 0, 1.0)",
    "jax.ref.addupdate(f32(4), 0, 1.0)",
    "jax.new_ref(f32(4)) + 1",
    "lax.sin(jax.new_ref(f32(4)))",
    "float(jax.new_ref(1.0))",
    "jax.jit(lambda r: r)(jax.new_ref(f32(4)))",
    "jax.jit(lambda x: jax.new_ref(x))(f32(4))",
    "[r := jax.new_ref(f32(4)), jax.jit(lambda x: r)(1.0)]",
    "jax.eval_shape(lambda x: jax.new_ref(x), f32(4))",
    "[r := jax.new_ref(f32(4)), jax.jit(lambda a, b: a[0] + b[0])(r, r)]",
    "[r := jax.new_ref(f32(4)), jax.jit(lambda a: a[0] + r[0])(r)]",
    "jax.jit(lambda x: (r := jax.new_ref(x), jax.jit(lambda a, b: a[0] + b[0])(r, r))[1])(f32(4))",
    "jax.jit(lambda x: (r := jax.new_ref(x), lax.cond(True, lambda a, b: a[0], lambda a, b: b[0], r, r))[1])(f32(4))",
    "jax.jit(lambda x: (r := jax.new_ref(x), lax.cond(True, lambda a: a[0] + r[0], lambda a: a[0], r))[1])(f32(4))",
    "jax.jit(lambda x: (r := jax.new_ref(x), lax.scan(lambda c, a: (c + a[...] + r[0], None), 0.0, r))[1])(f32(4))",
    "jax.jit(lambda x: lax.scan(lambda r, _: (r, None), jax.new_ref(x), length=2))(f32(4))",
    "jax.jit(lambda x: lax.while_loop(lambda r: False, lambda r: r, jax.new_ref(x)))(f32(4))",
    "jax.jit(lambda x: lax.cond(True, lambda: jax.new_ref(x), lambda: jax.new_ref(x)))(f32(4))",
    "[k := [], jax.jit(lambda x: k.append(jax.new_ref(x)))(1.0), k[0][...]]",
    "[k := [], jax.jit(lambda x: k.append(jax.new_ref(x)))(1.0), jax.ref.set(k[0], ..., 1.0)]",
    "[r := jax.new_ref(f32(4)), jax.grad(lambda x: (jax.ref.set(r, ..., x), x.sum())[1])(f32(4))]",
    "[r := jax.new_ref(f32(4)), jax.jit(jax.grad(lambda x: (jax.ref.swap(r, 0, x[0]), x.sum())[1]))(f32(4))]",
    "[r := jax.new_ref(f32(4)), jax.vmap(lambda x: jax.ref.set(r, 0, x))(f32(2))]",
    "[r := jax.new_ref(f32(4)), jax.vmap(lambda i: jax.ref.set(r, i, 0.0))(np.arange(2))]",
    "[r := jax.new_ref(f32(4)), jax.vmap(lambda x: jax.ref.addupdate(r, 0, x))(f32(2))]",
    "jax.device_put(jax.new_ref(f32(4)))",
    "jax.grad(lambda x: (r := jax.new_ref(x), lax.while_loop(lambda i: i < 2, lambda i: (jax.ref.set(r, i, r[i] * 2.0), i + 1)[1], 0), r[...].sum())[2])(f32(4))",
]

BODY = "jax.ref.set(r, 0, 1.0)"
TEXTS = [
    f"jaxpr(lambda r: {step}, jax.new_ref({init}))"
    for init, step in [
        (V, "r[...]"),
        (V, "r[()]"),
        (V, "r[0]"),
        (V, "r[-1]"),
        (V, "r[1:3]"),
        (V, "r[::2]"),
        (V, "r[np.array([0, 1])]"),
        (M, "r[:, 1]"),
        (M, "r[1, 1:]"),
        (C, "r[..., 0]"),
        (C, "r[0, :, :2]"),
        (C, "r[jnp.arange(2), :, jnp.arange(2)]"),
        (C, "r[0, jnp.arange(2)]"),
        (M, "r[jnp.arange(2)[:, None], jnp.arange(3)]"),
        (V, "jax.ref.set(r, 0, 1.0)"),
        (V, "jax.ref.set(r, ..., r[...] * 2)"),
        (V, "jax.ref.swap(r, 1, 2.0)"),
        (V, "jax.ref.addupdate(r, slice(0, 2), jnp.ones(2))"),
        (V, "jax.ref.addupdate(r, 1, 3.0)"),
        (V, "jax.freeze(r)"),
        (V, "jax.jit(lambda r: jax.ref.set(r, 0, 1.0))(r)"),
        (V, "lax.cond(True, lambda: jax.ref.set(r, 0, 1.0), lambda: None)"),
        (V, "lax.switch(np.int32(1), [lambda: r[0], lambda: r[1], lambda: 0.0])"),
        (V, "lax.scan(lambda c, s: (c + s[...], None), np.float32(0), r)[0]"),
        (V, "lax.while_loop(lambda i: r[i] < 3, lambda i: (jax.ref.set(r, i, 9.0), i + 1)[1], 0)"),
    ]
] + [
    "jaxpr(lambda r, i, x: jax.ref.set(r, i, x), jax.new_ref(f32(4)), 1, 2.0)",
    "jaxpr(lambda r, i: r[-i], jax.new_ref(f32(4)), 1)",
    "jaxpr(lambda x: (r := jax.new_ref(x), jax.ref.set(r, 0, 1.0), jax.freeze(r))[2], f32(4))",
    "jaxpr(lambda x: (r := jax.new_ref(x, kind='no_grad_no_remat'), r[...])[1], f32(4))",
    "jaxpr(lambda x: (r := jax.new_ref(x), jax.free_ref(r), x)[2], f32(4))",
    "jaxpr(lambda: jax.empty_ref(jax.ShapeDtypeStruct((2,), np.float32))[...])",
    "[r := jax.new_ref(f32(4)), jaxpr(lambda x: r[...] + x, f32(4))][1]",
    "[r := jax.new_ref(f32(4)), jaxpr(lambda x: jax.jit(lambda x: r[...] + x)(x), f32(4))][1]",
    "jaxpr(lambda x: (r := jax.new_ref(x), jax.jit(lambda y: jax.ref.set(r, 1, y))(2.0), r[...])[2], f32(4))",
    "jaxpr(lambda x: (r := jax.new_ref(x), lax.scan(lambda c, i: (jax.ref.set(r, i, c), (c + 1.0, None))[1], 0.0, jnp.arange(4)), r[...])[2], f32(4))",
    "jaxpr(lambda x: (r := jax.new_ref(x), lax.fori_loop(0, 4, lambda i, c: c + r[i], np.float32(0)))[1], f32(4))",
    f"jaxpr({LOSS}, f32(4))",
    "jaxpr(jax.grad(lambda x: (r := jax.new_ref(x), jax.ref.set(r, 0, r[1] * 2.0), r[...].sum())[2]), f32(4))",
    "jaxpr(lambda x, t: jax.jvp(lambda x: (r := jax.new_ref(x), jax.ref.set(r, 0, r[1] * 2.0), r[...])[2], (x,), (t,)), f32(4), f32(4))",
    "jaxpr(jax.vmap(lambda x: (r := jax.new_ref(x), jax.ref.set(r, 0, r[1] * 2.0), r[...])[2]), f32(2, 4))",
    "jaxpr(jax.vmap(lambda x: (r := jax.new_ref(jnp.zeros(2)), jax.ref.set(r, 0, x), r[...])[2]), f32(2))",
    "jaxpr(lambda r: jax.vmap(lambda r, i: (jax.ref.set(r, i, 1.0), jax.ref.addupdate(r, i, 1.0), r[i])[2])(r, jnp.arange(2)), jax.new_ref(f32(2, 4)))",
]

DIFFERENT = {
    TEXTS[
        12
    ]: "scalars among index arrays are spread by broadcast_in_dim; jax has a primitive broadcast_to for it",
    TEXTS[13]: "index arrays are spread by broadcast_in_dim; jax has a primitive broadcast_to for it",
}
"""Programs whose text is another, and why."""

VALUES = [*EAGER, *COMPILED, *DIFFERENTIATED, *MAPPED, *PLUMBING]


def test_size_of_the_tables() -> None:
    assert len(VALUES) + len(ERRORS) >= 150
    assert len(TEXTS) >= 40
    assert len(DIFFERENT) <= len(TEXTS) // 20


@pytest.mark.parametrize("expression", VALUES)
def test_same_values(expression: str) -> None:
    assert_agrees(expression, VALUES, rtol=3e-6, atol=1e-6)


@pytest.mark.parametrize("expression", ERRORS)
def test_same_class_of_error(expression: str) -> None:
    ours, theirs = answer_here(expression), answers_of_jax(tuple(ERRORS))[expression]
    assert ours[0] == theirs[0] == "raises", (ours, theirs)
    assert ours[1] == theirs[1], (ours, theirs)


@pytest.mark.parametrize("program", [text for text in TEXTS if text not in DIFFERENT])
def test_same_text(program: str) -> None:
    ours, theirs = texts(program, TEXTS)
    assert ours == theirs


@pytest.mark.parametrize("program", DIFFERENT)
def test_known_difference_is_still_one(program: str) -> None:
    ours, theirs = texts(program, TEXTS)
    assert ours != theirs
