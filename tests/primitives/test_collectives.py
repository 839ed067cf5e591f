"""Collectives where a program is compiled, and what a batch rule is told of the axis that is mapped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import jaxlab as jax
import jaxlab.numpy as jnp
from jaxlab import lax
from jaxlab.core.axes import MappedAxis, binding_axes
from jaxlab.core.primitive import Primitive
from jaxlab.interpreters.batching import batch_flat

X = np.arange(6.0, dtype=np.float32).reshape(1, 2, 3)

# What each is on the only slice of an axis of size 1.
ALONE: list[tuple[str, Callable[[Any], Any], Any]] = [
    ("psum", lambda x: lax.psum(x, "i"), X),
    ("psum of axes", lambda x: lax.psum(x, ("i", 1)), X.sum(1)),
    ("pmean", lambda x: lax.pmean(x, ("i", "j")), X),
    ("pmax", lambda x: lax.pmax(x, "i"), X),
    ("pmax of axes", lambda x: lax.pmax(x, ("i", 2)), X.max(2)),
    ("pmin", lambda x: lax.pmin(x, "i"), X),
    ("ppermute", lambda x: lax.ppermute(x, "i", [(0, 0)]), X),
    ("ppermute of nothing", lambda x: lax.ppermute(x, "i", []), X * 0),
    ("pbroadcast", lambda x: lax.pbroadcast(x, "i", 0), X),
    ("all_gather", lambda x: lax.all_gather(x, "i", axis=1), X[:, None]),
    ("all_gather tiled", lambda x: lax.all_gather(x, ("i", "j"), tiled=True), X),
    ("psum_scatter", lambda x: lax.psum_scatter(x, "i"), X[0]),
    ("psum_scatter tiled", lambda x: lax.psum_scatter(x, "i", scatter_dimension=2, tiled=True), X),
    ("all_to_all", lambda x: lax.all_to_all(x, "i", 0, 2), np.moveaxis(X, 0, 2)),
    ("axis_index", lambda x: x + lax.axis_index(("i", "j")), X),
]


@pytest.mark.parametrize(("apply", "wanted"), [a[1:] for a in ALONE], ids=[a[0] for a in ALONE])
def test_one_slice_is_compiled(apply: Callable[[Any], Any], wanted: Any) -> None:
    with binding_axes([("i", 1), ("j", 1)]):
        found = jax.jit(apply)(X)
        np.testing.assert_array_equal(np.asarray(found), wanted)
        np.testing.assert_array_equal(np.asarray(apply(jnp.asarray(X))), wanted)


def test_more_slices_are_not_compiled() -> None:
    told = (
        "axis_index: axis 'i' has size 3 where the program is compiled, but a program for one device has one slice "
        "of each axis; map the axis inside of what is compiled, as in jit(vmap(f, axis_name='i'))"
    )
    for run in (lambda: lax.axis_index("i"), jax.jit(lambda: lax.axis_index("i"))):
        with binding_axes([("i", 1)]):
            assert run() == 0
        with binding_axes([("i", 3)]), pytest.raises(NotImplementedError) as caught:
            run()
        assert str(caught.value) == told


def test_slices_with_equal_extremes_share_the_derivative() -> None:
    """As for the maximum along an axis of one array."""
    stack = np.array([[1.0, 5.0], [4.0, 5.0], [4.0, 5.0]], np.float32)
    for across, along in ((lax.pmax, jnp.max), (lax.pmin, jnp.min)):
        for sign in (1.0, -1.0):
            mapped = jax.grad(lambda s, a=across: jax.vmap(lambda x: a(x, "i"), axis_name="i")(s)[0].sum())
            plain = jax.grad(lambda s, a=along: a(s, 0).sum())
            np.testing.assert_allclose(np.asarray(mapped(sign * stack)), np.asarray(plain(sign * stack)))


def test_programs_are_traced_anew_for_another_size() -> None:
    f = jax.jit(lambda x: x * lax.axis_size("i") + lax.axis_index("i"))
    for size in (3, 4, 3):
        found = jax.vmap(f, axis_name="i")(np.ones(size, np.float32))
        np.testing.assert_array_equal(np.asarray(found), size + np.arange(size))


class Told(Primitive):
    """The identity; its batch rule keeps what it is told."""

    axis_aware = True

    def __init__(self) -> None:
        self.name = "told"
        self.axes: list[MappedAxis] = []

    def batch(self, axis: Any, args: Any, dims: Any, **params: Any) -> Any:
        self.axes.append(axis)
        return args[0], dims[0]


def test_the_mesh_axis_of_a_map_reaches_batch_rules() -> None:
    told = Told()
    for given, kept in (("m", ("m",)), (("m", "n"), ("m", "n")), (None, None)):
        jax.vmap(lambda x: told.bind(x), axis_name="i", spmd_axis_name=given)(np.ones(3))
        assert told.axes.pop() == MappedAxis(3, "i", kept)


def test_a_named_axis_is_seen_where_nothing_is_mapped() -> None:
    told = Told()
    jax.vmap(lambda x, y: told.bind(y), (0, None), axis_name="i")(np.ones(3), 1.0)
    jax.vmap(lambda x, y: x, (0, None))(np.ones(3), 1.0)
    assert told.axes == [MappedAxis(3, "i")]


def test_names_last_as_long_as_the_map() -> None:
    seen: list[int] = []

    def inside(x: Any) -> list[Any]:
        seen.append(lax.axis_size("i"))
        return [x]

    batch_flat(inside, MappedAxis(3, "i"), [np.ones(3)], [0])
    assert seen == [3]
    with pytest.raises(NameError):
        lax.axis_size("i")


def test_same_names_as_jax() -> None:
    names = (
        "all_gather all_to_all axis_index axis_size pbroadcast pcast pmax pmean pmin ppermute pshuffle psum"
    )
    names += " psum_scatter pswapaxes all_gather_p all_to_all_p axis_index_p pmax_p pmin_p ppermute_p psum_p"
    for name in names.split():
        assert name in dir(lax)
        assert getattr(lax, name) is not None
    assert not hasattr(lax, "pvary")  # taken out of jax in 0.10
