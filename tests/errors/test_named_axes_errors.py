"""The first line of each error of maps over axes, collectives and own batch rules, word for word."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import jaxlab as jax
from jaxlab import lax
from jaxlab.custom_batching import custom_vmap

V = np.arange(3.0, dtype=np.float32)
W = np.ones((3, 2), np.float32)


def square(x: Any) -> Any:
    return x * x


def add(x: Any, y: Any) -> Any:
    return x + y


def pair(x: Any) -> Any:
    return {"a": x, "b": (x, "text")}


def over(f: Callable[..., Any], *args: Any, **options: Any) -> Any:
    return jax.vmap(f, axis_name="i", **options)(*(args or (V,)))


def ruled(rule: Callable[..., Any], fun: Callable[..., Any] = square) -> custom_vmap:
    f = custom_vmap(fun)
    f.def_vmap(rule)
    return f


def rule(*result: Any) -> Callable[..., Any]:
    def f_vmap(size: int, batched: list[Any], *args: Any) -> Any:
        return result if len(result) != 1 else result[0]

    return f_vmap


def scaled(c: Any) -> Callable[[Any], Any]:
    return lambda x: x * c


def keyword_only(x: Any, *, y: Any) -> Any:
    return x * y


ERRORS: list[tuple[str, type[Exception], Callable[[], Any], str]] = [
    (
        "no function",
        TypeError,
        lambda: jax.vmap(V),
        "vmap: expected a function, but got a ndarray; pass the function, not its result",
    ),
    (
        "in_axes of a dict",
        TypeError,
        lambda: jax.vmap(square, in_axes={"x": 0}),
        "vmap: in_axes is {'x': 0}, but an int, None, or a tuple of those or of pytrees of those is needed; give one entry for each positional argument",
    ),
    (
        "in_axes of a float",
        TypeError,
        lambda: jax.vmap(add, in_axes=(0, 1.0)),
        "vmap: in_axes is (0, 1.0), but an int, None, or a tuple of those or of pytrees of those is needed; give one entry for each positional argument",
    ),
    (
        "out_axes of a text",
        TypeError,
        lambda: jax.vmap(add, out_axes="0"),
        "vmap: out_axes is '0', but an int, None, or a pytree of those is needed; give a prefix of the result",
    ),
    (
        "a name with no hash",
        TypeError,
        lambda: jax.vmap(add, axis_name=["i"]),
        "vmap: axis_name is ['i'], but a hashable value is needed; use a string",
    ),
    (
        "too few in_axes",
        ValueError,
        lambda: jax.vmap(add, (0,))(V, V),
        "vmap: in_axes (0,) has 1 entries, but add was called with 2 positional arguments; give one entry for each",
    ),
    (
        "in_axes that do not fit",
        ValueError,
        lambda: jax.vmap(add, ({"a": 0}, 0))({"b": V}, V),
        "vmap: in_axes for x has a dict with keys ('a',) at the root, but the full tree has a dict with keys ('b',) there; give one leaf for the whole subtree, or a subtree of the same structure",
    ),
    (
        "in_axes too deep",
        ValueError,
        lambda: jax.vmap(add, (0, (0, 0)))(V, V),
        "vmap: in_axes for y has a tuple of 2 at the root, but the full tree has a leaf of type ndarray there; give one leaf for the whole subtree, or a subtree of the same structure",
    ),
    (
        "a mapped text",
        TypeError,
        lambda: jax.vmap(add)(V, "text"),
        "vmap: y is a str, but only arrays and numbers can be mapped; set in_axes to None for it, to hand it on as it is",
    ),
    (
        "a mapped scalar",
        ValueError,
        lambda: jax.vmap(add)(V, 1.0),
        "vmap: in_axes asks to map axis 0 of y, but it is f32[] with 0 axes; set in_axes to None for it",
    ),
    (
        "an axis too far",
        ValueError,
        lambda: jax.vmap(add, (0, -3))(V, W),
        "vmap: in_axes asks to map axis -3 of y, but it is f32[3,2] with 2 axes; give an axis from -2 to 1",
    ),
    (
        "sizes",
        ValueError,
        lambda: jax.vmap(lambda x, y, z: x)(V, {"a": V, "b": V[:2]}, V),
        "vmap: the mapped axes have different sizes: 3 for x and y['a'] and z, 2 for y['b'], but all must have one; map axes of one size, or set in_axes to None for what is shared",
    ),
    (
        "sizes and axis_size",
        ValueError,
        lambda: jax.vmap(add, axis_size=4)(V, V),
        "vmap: the mapped axes have different sizes: 3 for x and y, 4 for axis_size, but all must have one; map axes of one size, or set in_axes to None for what is shared",
    ),
    (
        "nothing mapped",
        ValueError,
        lambda: jax.vmap(add, None)(V, V),
        "vmap: nothing is mapped in the call of add, but the size of the axis must be known; give in_axes at least one axis that is not None, or axis_size",
    ),
    (
        "axis_size of a text",
        TypeError,
        lambda: jax.vmap(add, None, axis_size="3")(V, V),
        "vmap: axis_size is '3', but an integer is needed; give the number of slices",
    ),
    (
        "axis_size below zero",
        TypeError,
        lambda: jax.vmap(add, None, axis_size=-3)(V, V),
        "vmap: axis_size is -3, but it must not be negative; give the number of slices",
    ),
    (
        "a text returned",
        TypeError,
        lambda: jax.vmap(pair)(V),
        "vmap: the result['b'][1] of pair is a str, but only arrays and numbers can be returned; return it from outside of the mapped function",
    ),
    (
        "out_axes None",
        ValueError,
        lambda: jax.vmap(lambda x: {"y": x}, out_axes=None)(V),
        "vmap: out_axes is None for the result['y'] of <lambda>, but it depends on a mapped argument; give the axis at which to stack it",
    ),
    (
        "out_axes too far",
        ValueError,
        lambda: jax.vmap(square, out_axes=2)(V),
        "vmap: out_axes is 2 for the result of square, but that has 1 axes when it is stacked; give an axis from -1 to 0",
    ),
    (
        "out_axes that do not fit",
        ValueError,
        lambda: jax.vmap(square, out_axes=(0, 0))(V),
        "vmap: out_axes for the result of square has a tuple of 2 at the root, but the full tree has a leaf of type ArrayImpl there; give one leaf for the whole subtree, or a subtree of the same structure",
    ),
    (
        "no name",
        NameError,
        lambda: lax.psum(1.0, "i"),
        "psum: axis name 'i' was given, but it is not bound here: no axis has a name; give the axis its name where it is mapped, as in vmap(f, axis_name='i')",
    ),
    (
        "another name",
        NameError,
        lambda: over(lambda x: lax.pmax(x, "j")),
        "pmax: axis name 'j' was given, but it is not bound here: the bound names are 'i' (size 3); give the axis its name where it is mapped, as in vmap(f, axis_name='j')",
    ),
    (
        "another name, in jit",
        NameError,
        lambda: over(jax.jit(lambda x: lax.ppermute(x, "j", []))),
        "ppermute: axis name 'j' was given, but it is not bound here: the bound names are 'i' (size 3); give the axis its name where it is mapped, as in vmap(f, axis_name='j')",
    ),
    (
        "the size of no axis",
        NameError,
        lambda: lax.axis_size("i"),
        "axis_size: axis name 'i' was given, but it is not bound here: no axis has a name; give the axis its name where it is mapped, as in vmap(f, axis_name='i')",
    ),
    (
        "the place on no axis",
        NameError,
        lambda: lax.axis_index("i"),
        "axis_index: axis name 'i' was given, but it is not bound here: no axis has a name; give the axis its name where it is mapped, as in vmap(f, axis_name='i')",
    ),
    (
        "groups and axes",
        ValueError,
        lambda: over(lambda x: lax.psum(x, ("i", 0), axis_index_groups=[[0]]), W),
        "psum: axis_index_groups were given with the positional axes in ('i', 0), but groups are of indices along one named axis; reduce over the positional axes first",
    ),
    (
        "groups with holes",
        ValueError,
        lambda: over(lambda x: lax.pmin(x, "i", axis_index_groups=[[0, 2]])),
        "pmin: axis_index_groups [[0, 2]] were given, but they must have each index from 0 to 1 once",
    ),
    (
        "groups under vmap",
        NotImplementedError,
        lambda: over(lambda x: lax.psum(x, "i", axis_index_groups=[[0, 1], [2]])),
        "psum: axis_index_groups were given for axis 'i', but vmap maps that axis as a whole; reshape it into two axes, and map each with a name of its own",
    ),
    (
        "a source too far",
        IndexError,
        lambda: over(lambda x: lax.ppermute(x, "i", [(3, 0)])),
        "ppermute: perm has the source 3, but axis 'i' has indices from 0 to 2; count from 0",
    ),
    (
        "a source twice",
        ValueError,
        lambda: over(lambda x: lax.ppermute(x, "i", [(0, 0), (0, 1)])),
        "ppermute: perm has the source 0 more than once, but each index may occur once; send it on in a second step",
    ),
    (
        "a destination twice",
        ValueError,
        lambda: over(lambda x: lax.ppermute(x, "i", [(0, 1), (1, 1)])),
        "ppermute: perm has the destination 1 more than once, but each index may occur once; add what arrives, after two steps",
    ),
    (
        "sources alone",
        ValueError,
        lambda: over(lambda x: lax.ppermute(x, "i", [(1,), (0,)])),
        "ppermute: perm is [(1,), (0,)], but it must be pairs (source, destination); pshuffle takes a list of sources",
    ),
    (
        "no permutation",
        ValueError,
        lambda: over(lambda x: lax.pshuffle(x, "i", [0, 0, 1])),
        "pshuffle: perm is [0, 0, 1], but it must have each index from 0 to 2 once; ppermute takes pairs, and leaves zeros where nothing is sent",
    ),
    (
        "one that is not there",
        IndexError,
        lambda: over(lambda x: lax.pbroadcast(x, "i", 3)),
        "pbroadcast: source is 3, but axis 'i' has indices from 0 to 2; count from 0",
    ),
    (
        "gathered to nowhere",
        ValueError,
        lambda: over(lambda x: lax.all_gather(x, "i", to="all")),
        "all_gather: to is 'all', but it must be one of 'varying', 'invarying', 'reduced'",
    ),
    (
        "scattered unevenly",
        ValueError,
        lambda: over(lambda x: lax.psum_scatter(x, "i"), W),
        "psum_scatter: axis 0 of f32[2] has size 2, but it must be 3, the number of slices along 'i'; scatter another axis, or parts of this one with tiled=True",
    ),
    (
        "tiles that do not fit",
        ValueError,
        lambda: over(lambda x: lax.psum_scatter(x, "i", tiled=True), W),
        "psum_scatter: axis 0 of f32[2] has size 2, but it must be divisible by 3, the number of slices along 'i'; pad it",
    ),
    (
        "scattered along no axis",
        ValueError,
        lambda: over(lambda x: lax.psum_scatter(x, "i", scatter_dimension=1), W),
        "psum_scatter: axis 1 of f32[2] was given, but that has 1 axes; give an axis from -1 to 0",
    ),
    (
        "an uneven exchange",
        ValueError,
        lambda: over(lambda x: lax.all_to_all(x, "i", 0, 0), W),
        "all_to_all: split_axis 0 of f32[2] has size 2, but it must be 3, the number of slices along 'i'; split another axis, or parts of this one with tiled=True",
    ),
    (
        "uneven tiles",
        ValueError,
        lambda: over(lambda x: lax.all_to_all(x, "i", 0, 0, tiled=True), W),
        "all_to_all: split_axis 0 of f32[2] has size 2, but it must be divisible by 3, the number of slices along 'i'; pad it",
    ),
    (
        "an exchange of no axis",
        ValueError,
        lambda: over(lambda x: lax.all_to_all(x, "i", 0, 0)),
        "all_to_all: axis 0 of f32[] was given, but that has 0 axes; add one with expand_dims",
    ),
    (
        "cast to nothing",
        ValueError,
        lambda: over(lambda x: lax.pcast(x, "i", to="reduced")),
        "pcast: to is 'reduced', but a value mapped over 'i' can only be 'varying'; the other kinds belong to the axes of a device mesh",
    ),
    (
        "cast by a set",
        TypeError,
        lambda: over(lambda x: lax.pcast(x, {"i"}, to="varying")),
        "pcast: axis_name is the set {'i'}, but a name or a tuple of names is needed",
    ),
    (
        "no function to trace",
        TypeError,
        lambda: jax.make_jaxpr(1.0),
        "make_jaxpr: expected a function, but got a float; pass the function, not its result",
    ),
    (
        "no axis_env",
        TypeError,
        lambda: jax.make_jaxpr(square, axis_env="i"),
        "make_jaxpr: axis_env is 'i', but a list of pairs of a name and a size is needed; write axis_env=[('i', 4)]",
    ),
    (
        "no pairs",
        ValueError,
        lambda: jax.make_jaxpr(square, axis_env=["i"]),
        "make_jaxpr: axis_env has the entry 'i', but pairs of a name and a size are needed; write axis_env=[('i', 4)]",
    ),
    (
        "static and no hash",
        ValueError,
        lambda: jax.make_jaxpr(add, static_argnums=1)(V, [1]),
        "make_jaxpr: argument 1 of add is static and of type list, but a static argument must be hashable; pass a tuple, or another value that does not change",
    ),
    (
        "static and not there",
        ValueError,
        lambda: jax.make_jaxpr(add, static_argnums=2)(V, V),
        "make_jaxpr: static_argnums has 2, but add was called with 2 positional arguments; pass static arguments by position",
    ),
    (
        "a text to trace",
        TypeError,
        lambda: jax.make_jaxpr(add)(V, {"a": "text"}),
        "make_jaxpr: y['a'] of add is a str, but an array, a number, or something with a shape and a dtype is needed; close over what is not, or name it in static_argnums of make_jaxpr",
    ),
    (
        "a text from a trace",
        TypeError,
        lambda: jax.make_jaxpr(pair)(V),
        "make_jaxpr: the result['b'][1] of pair is a str, but only arrays and numbers can be returned; return it from outside of the traced function",
    ),
    (
        "no function to shape",
        TypeError,
        lambda: jax.eval_shape(1.0, V),
        "eval_shape: expected a function, but got a float; pass the function, not its result",
    ),
    (
        "no rule",
        AttributeError,
        lambda: custom_vmap(square)(V),
        "custom_vmap: square was called, but it has no batch rule; set one with square.def_vmap",
    ),
    (
        "by keyword only",
        TypeError,
        lambda: ruled(rule(V, True), keyword_only)(V, y=1.0),
        "custom_vmap: y of keyword_only can only be given by keyword, but a batch rule takes its arguments by position; make them positional, or close over them",
    ),
    (
        "no such argument",
        TypeError,
        lambda: ruled(rule(V, True))(z=1.0),
        "custom_vmap: the arguments given do not fit square: missing a required argument: 'x'; pass all of its arguments by position",
    ),
    (
        "a rule with one result",
        ValueError,
        lambda: jax.vmap(ruled(rule(V)))(V),
        "custom_vmap: the rule f_vmap of square returned one value of type ndarray, but it must return a pair (result, out_batched); return True beside a result that has the mapped axis",
    ),
    (
        "a rule with a number",
        TypeError,
        lambda: jax.vmap(ruled(rule(1)))(V),
        "custom_vmap: the rule f_vmap of square returned one value of type int, but it must return a pair (result, out_batched); return True beside a result that has the mapped axis",
    ),
    (
        "a rule with more",
        ValueError,
        lambda: jax.vmap(ruled(rule((V, V), (True, True))))(V),
        "custom_vmap: the rule f_vmap returned a result of structure PyTreeDef((*, *)), but square returns PyTreeDef(*); return the same structure",
    ),
    (
        "a rule with more bools",
        ValueError,
        lambda: jax.vmap(ruled(rule(V, (True, True))))(V),
        "custom_vmap: the rule f_vmap of square returned out_batched of structure PyTreeDef((*, *)), but its result has structure PyTreeDef(*); return a bool for each leaf of the result",
    ),
    (
        "a rule with less",
        ValueError,
        lambda: jax.vmap(ruled(rule(V[:2], True)))(V),
        "custom_vmap: the rule f_vmap of square returned f32[2] for result and says that it is batched, but a leading axis of size 3 is needed; move the mapped axis to the front, or say False",
    ),
    (
        "a mapped closure",
        TypeError,
        lambda: jax.vmap(lambda c: ruled(rule(V, True), scaled(c))(c))(V),
        "custom_vmap: <lambda> closes over a value that is being mapped, but its batch rule sees only the arguments; pass the value as an argument",
    ),
    (
        "reverse mode",
        ValueError,
        lambda: jax.grad(ruled(rule(V, True)))(1.0),
        "custom_vmap: square is differentiated in reverse mode, but a function with its own batch rule has no reverse mode, since the rule says nothing of cotangents; give it a custom_vjp, outside of custom_vmap",
    ),
]


@pytest.mark.parametrize(("error", "call", "line"), [e[1:] for e in ERRORS], ids=[e[0] for e in ERRORS])
def test_first_line(error: type[Exception], call: Callable[[], Any], line: str) -> None:
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value).splitlines()[0] == line


def test_sizes_are_listed() -> None:
    with pytest.raises(ValueError) as caught:
        jax.vmap(add, (0, 1))(V, W)
    assert str(caught.value).splitlines()[1:] == ["  x: axis 0 of f32[3]", "  y: axis 1 of f32[3,2]"]


def test_names_are_as_before_after_an_error() -> None:
    with pytest.raises(NameError):
        over(lambda x: lax.psum(x, "j"))
    with pytest.raises(NameError):
        lax.axis_size("i")
    assert over(lambda x: lax.psum(x, "i"))[0] == 3.0
