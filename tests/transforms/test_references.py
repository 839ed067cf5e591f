"""Mutable arrays: what happens in memory, what jax does not do, and how programs with references are made."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import jaxlab as jax
import jaxlab.numpy as jnp
from jaxlab import lax
from jaxlab.core.printing import jaxpr_to_text
from jaxlab.core.typecheck import check_jaxpr
from jaxlab.experimental.jet import jet
from jaxlab.interpreters.discharge import discharge_program, discharged

V = np.arange(4.0, dtype=np.float32)


def ref_of(x: Any = V) -> Any:
    return jax.new_ref(jnp.asarray(x))


# -- in place


@jax.jit
def write(ref: Any, i: Any, x: Any) -> None:
    ref[i] = x


def test_a_compiled_write_is_in_place() -> None:
    """The array of a reference is handed to the program: after the first write, which copies it, nothing moves."""
    ref = jax.new_ref(jnp.zeros(1 << 24))  # 64 MB: a copy would take 10 ms
    write(ref, 0, 1.0)
    place = ref.unsafe_buffer_pointer()
    for i in range(5):
        write(ref, i, float(i))
        assert ref.unsafe_buffer_pointer() == place
    ref[7] = 2.0
    jax.ref.addupdate(ref, slice(8, 10), jnp.ones(2))
    assert ref.unsafe_buffer_pointer() == place
    np.testing.assert_array_equal(ref[:11], [0, 1, 2, 3, 4, 0, 0, 2, 1, 1, 0])


def test_a_number_that_is_closed_over() -> None:
    """It stays a place, though arrays without axes are written into the program as literals."""
    count = jax.new_ref(jnp.zeros(()))

    @jax.jit
    def more(x: Any) -> Any:
        count[...] += x
        return count[...]

    assert (more(1.0), more(2.0), count[...]) == (1, 3, 3)
    assert "Ref{f32[]}" in jaxpr_to_text(jax.make_jaxpr(lambda x: count[...] + x)(1.0))


def test_a_loop_updates_in_place() -> None:
    ref = jax.new_ref(jnp.zeros(1 << 20))

    @jax.jit
    def fill(ref: Any) -> None:
        def body(i: Any, _: Any) -> Any:
            ref[i] = 1.0
            return _

        lax.fori_loop(0, 1000, body, 0)

    compiled = fill.lower(ref).compile()
    assert compiled.memory_analysis().temp_size_in_bytes < ref.size  # no second array of a megabyte
    compiled(ref)
    assert float(ref[...].sum()) == 1000


@pytest.mark.parametrize(
    "change",
    [
        lambda ref: write(ref, 0, 9.0),
        lambda ref: jax.ref.set(ref, 0, 9.0),
        lambda ref: jax.ref.set(ref, ..., jnp.full(4, 9.0)),
        lambda ref: jax.ref.addupdate(ref, 0, 9.0),
        lambda ref: lax.fori_loop(0, 1, lambda i, c: (jax.ref.set(ref, i, 9.0), c)[1], 0),
    ],
)
def test_arrays_of_others_stay(change: Any) -> None:
    """Neither the array that a reference was made of nor one that was read changes with the reference."""
    source = jnp.asarray(V)
    ref = jax.new_ref(source)
    change(ref)
    np.testing.assert_array_equal(source, V)
    before = ref[...]
    values = np.array(before)
    change(ref)
    np.testing.assert_array_equal(before, values)
    frozen = jax.freeze(ref)
    change(ref)
    assert not frozen.is_deleted()
    assert float(ref[0]) != 0.0


def test_what_was_written_whole_is_not_donated() -> None:
    ref, new = ref_of(), jnp.ones(4)
    ref[...] = new
    write(ref, 0, 5.0)
    np.testing.assert_array_equal(new, np.ones(4))


def test_reading_gives_the_array_itself() -> None:
    ref = ref_of()
    assert ref[...] is ref[...]


def test_a_program_that_fails_leaves_references_as_they_were() -> None:
    ref = ref_of()

    def fail(x: Any) -> Any:
        raise RuntimeError("no")

    @jax.jit
    def f(ref: Any) -> Any:
        ref[0] = 7.0
        return jax.pure_callback(fail, jax.ShapeDtypeStruct((), np.float32), ref[1])

    with pytest.raises(RuntimeError, match="no"):
        f(ref)
    np.testing.assert_array_equal(ref[...], V)


def test_nan_check_leaves_references_as_they_were() -> None:
    ref = ref_of()
    with jax.debug_nans(True):
        with pytest.raises(FloatingPointError):
            jax.jit(lambda ref: jax.ref.set(ref, 0, jnp.log(ref[0] - 1.0)))(ref)
        np.testing.assert_array_equal(ref[...], V)


def test_compiled_once() -> None:
    count = 0

    @jax.jit
    def f(ref: Any) -> None:
        nonlocal count
        count += 1
        ref[0] += 1.0

    first, second = ref_of(), ref_of()
    for _ in range(3):
        f(first)
        f(second)
    assert count == 1
    assert float(first[0]) == float(second[0]) == 3.0


# -- what jax leaves out


def test_writes_of_a_condition_count() -> None:
    """A condition that writes is evaluated once more than the body is."""

    def f(x: Any) -> Any:
        ref = jax.new_ref(x)

        def test(i: Any) -> Any:
            ref[0] += 1.0
            return ref[0] < 3

        n = lax.while_loop(test, lambda i: i + 1, 0)
        return n, ref[...]

    for run in (f, jax.jit(f)):
        n, value = run(V)
        assert int(n) == 2
        np.testing.assert_array_equal(value, [3, 1, 2, 3])


def test_condition_and_body_share_a_reference_at_once() -> None:
    ref = ref_of()
    n = lax.while_loop(lambda i: ref[i] < 3, lambda i: (jax.ref.set(ref, i, 9.0), i + 1)[1], 0)
    assert int(n) == 3
    np.testing.assert_array_equal(ref[...], [9, 9, 9, 3])


def test_mapped_predicate() -> None:
    def f(x: Any, p: Any) -> Any:
        ref = jax.new_ref(x)
        lax.cond(p, lambda: jax.ref.set(ref, 0, 7.0), lambda: jax.ref.set(ref, 1, 8.0))
        return ref[...]

    out = jax.vmap(f)(np.stack([V, V]), np.array([True, False]))
    np.testing.assert_array_equal(out, [[7, 1, 2, 3], [0, 8, 2, 3]])


def test_mapped_at_another_axis() -> None:
    ref = jax.new_ref(jnp.zeros((4, 2)))
    jax.vmap(lambda ref, x: jax.ref.set(ref, slice(1, 3), x), in_axes=(1, 0))(
        ref, np.ones((2, 2), np.float32) * [[1], [2]]
    )
    np.testing.assert_array_equal(ref[...], [[0, 0], [1, 2], [1, 2], [0, 0]])


def test_second_derivatives() -> None:
    def f(x: Any) -> Any:
        ref = jax.new_ref(x)
        ref[0] = ref[1] ** 3
        return (ref[...] ** 2).sum()

    def g(x: Any) -> Any:
        return (x.at[0].set(x[1] ** 3) ** 2).sum()

    x = np.array([1.0, 1.5, 0.5], np.float32)
    along = np.array([1.0, -1.0, 2.0], np.float32)
    for form in (
        lambda h: jax.jacrev(jax.grad(h))(x),
        lambda h: jax.grad(lambda x: (jax.grad(h)(x) * along).sum())(x),
        lambda h: jax.jvp(jax.grad(h), (x,), (along,))[1],
        lambda h: jax.grad(lambda x: jax.jvp(h, (x,), (along,))[1])(x),
        lambda h: jax.jvp(lambda x: jax.jvp(h, (x,), (along,))[1], (x,), (along,))[1],
    ):
        np.testing.assert_allclose(form(f), form(g), rtol=1e-5)


def test_custom_jvp_of_a_reference_compiles() -> None:
    @jax.custom_jvp
    def f(ref: Any, x: Any) -> Any:
        ref[0] = x[0]
        return x * 1

    f.defjvp(lambda primals, tangents: (f(*primals), 3 * tangents[1]))
    ref = ref_of()
    np.testing.assert_array_equal(jax.jit(f)(ref, V + 1), V + 1)
    assert float(ref[0]) == 1.0
    _, t = jax.jvp(lambda x: f(ref, x), (V + 5,), (V,))
    np.testing.assert_array_equal(t, 3 * V)
    assert float(ref[0]) == 5.0


@pytest.mark.parametrize("outer", [lambda f: f, jax.jit])
@pytest.mark.parametrize("inner", [lambda f: f, jax.jit])
def test_custom_vjp_keeps_a_cotangent(outer: Any, inner: Any) -> None:
    """The known use: a backward rule that writes the cotangent that passes by to a reference."""

    @jax.custom_vjp
    def watch(ref: Any, x: Any) -> Any:
        return x

    def backward(ref: Any, ct: Any) -> Any:
        ref[...] = ct
        return None, ct

    watch.defvjp(lambda ref, x: (x, ref), backward)
    ref = ref_of()
    gradient = outer(jax.grad(inner(lambda x: jnp.sin(watch(ref, x)).sum())))(V)
    np.testing.assert_allclose(gradient, np.cos(V), rtol=1e-6)
    np.testing.assert_allclose(ref[...], np.cos(V), rtol=1e-6)


def test_linear_program_can_be_called_again() -> None:
    """References for tangents belong to a call of the linear program: what one call writes, the next does not see."""

    def f(x: Any) -> Any:
        ref = jax.new_ref(jnp.zeros(3))
        jax.ref.addupdate(ref, 0, x[0] * x[1])
        jax.ref.addupdate(ref, 0, x[1])
        return ref[...].sum()

    x = np.array([2.0, 3.0], np.float32)
    _, push = jax.linearize(f, x)
    _, pull = jax.vjp(f, x)
    for _ in range(2):
        assert float(push(np.array([1.0, 0.0], np.float32))) == 3.0
        np.testing.assert_array_equal(pull(np.float32(1))[0], [3, 3])


def test_random_keys() -> None:
    ref = jax.new_ref(jax.random.split(jax.random.key(0), 3))
    ref[1] = jax.random.key(7)

    @jax.jit
    def draw(ref: Any) -> Any:
        key, ref[0] = jax.random.split(ref[0])
        return jax.random.normal(key)

    assert float(draw(ref)) != float(draw(ref))
    assert (ref[1] == jax.random.key(7)).all()


# -- programs


def loss(x: Any) -> Any:
    ref = jax.new_ref(x)
    ref[0] = ref[1] * 2.0

    def body(c: Any, i: Any) -> Any:
        ref[i] = ref[i] + c
        return c + 1.0, ref[0]

    c, ys = lax.scan(body, np.float32(0), jnp.arange(4))
    lax.cond(c > 1, lambda: jax.ref.addupdate(ref, 0, 1.0), lambda: None)
    return ref[...].sum() + ys.sum()


@pytest.mark.parametrize("form", [lambda f: f, jax.grad, jax.vmap, lambda f: jax.vmap(jax.grad(f)), jax.jit])
def test_programs_are_well_typed_and_discharge(form: Any) -> None:
    x = np.ones((2, 4), np.float32) if form is jax.vmap or "vmap" in form.__code__.co_names else V
    closed = jax.make_jaxpr(form(loss))(x)
    check_jaxpr(closed)
    pure = discharged(closed, [])
    check_jaxpr(pure)
    text = jaxpr_to_text(pure)
    assert "Ref{" not in text
    assert "Ref{" in jaxpr_to_text(closed)


def test_only_what_is_written_is_given_back() -> None:
    def f(a: Any, b: Any, c: Any) -> Any:
        a[0] = b[1]
        return c[...]

    closed = jax.make_jaxpr(f)(ref_of(), ref_of(), ref_of())
    pure, written = discharge_program(closed)
    assert written == (0,)
    assert len(pure.out_avals) == 2


def test_effects_tell_the_operand() -> None:
    closed = jax.make_jaxpr(lambda x, r: jax.ref.set(r, 0, x))(1.0, ref_of())
    assert {(e.name, e.operand) for e in closed.effects} == {("hold", 1), ("read", 1), ("write", 1)}
    inner = jax.make_jaxpr(lambda x: jax.new_ref(x)[...])(1.0)
    assert {(e.name, e.operand) for e in inner.effects} == {("reference", None)}


def test_unread_writes_stay() -> None:
    """A call whose results nobody reads is kept for what it writes."""
    ref = ref_of()
    jax.jit(lambda ref: (jax.jit(lambda r: jax.ref.swap(r, 0, 5.0))(ref), None)[1])(ref)
    assert float(ref[0]) == 5.0


def test_a_reference_is_a_leaf() -> None:
    ref = ref_of()
    assert jax.tree.leaves({"a": ref}) == [ref]
    assert jax.tree.map(lambda x: x, ref) is ref
    assert jax.block_until_ready({"a": ref})["a"] is ref


def _with_zeros(x: Any) -> Any:
    ref = jax.new_ref(jnp.zeros(()))
    jax.ref.addupdate(ref, ..., x**3)
    return ref[...]


def _with_nothing(x: Any) -> Any:
    ref = jax.empty_ref(jax.ShapeDtypeStruct((), jnp.float32))
    ref[...] = x**3
    return ref[...]


@pytest.mark.parametrize("f", [_with_zeros, _with_nothing])
def test_a_reference_holds_a_power_series(f: Any) -> None:
    """What is written has coefficients, though the first value has none."""
    value, terms = jet(f, (2.0,), ((1.0, 0.0, 0.0),))
    assert [float(value), *map(float, terms)] == [8.0, 12.0, 12.0, 6.0]


def test_a_power_series_is_not_written_to_a_reference_from_outside() -> None:
    ref = jax.new_ref(jnp.zeros(()))

    def f(x: Any) -> Any:
        ref[...] = x
        return x

    with pytest.raises(ValueError) as caught:
        jet(f, (2.0,), ((1.0,),))
    assert str(caught.value) == (
        "jet: swap was given a series for a reference of type Ref{f32[]} that the function does not make, but there is "
        "one place only for its coefficients; make the reference in the function"
    )
