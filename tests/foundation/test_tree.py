"""Pytrees against jax, and the errors, which name the place where two trees differ."""

from __future__ import annotations

import dataclasses

import pytest
from side_by_side import answers_here, answers_of_jax

from jaxlab import tree, tree_util

TREES = [
    "1", "None", "[]", "()", "{'b': 1, 'a': (2, [3, None])}", "Point(1, [2])",
    "OrderedDict([('b', 1), ('a', 2)])",
    "defaultdict(list, {'b': 1, 'a': 2})", "{'a': 1, 2: 3}", "tree_util.Partial(print, 1, end=(2, 3))",
    "[{'x': Point({}, 4)}, ((5,),)]",
]  # fmt: skip
FUNCTIONS = [
    "tree.flatten({0})", "tree.flatten({0}, lambda x: isinstance(x, tuple))", "tree.leaves({0})",
    "tree.structure({0})",
    "tree.map(lambda x: [x], {0})", "tree.map(lambda x, y: (x, y), {0}, {0})", "tree.all({0})",
    "tree.reduce(lambda a, b: (a, b), {0})",
    "tree.reduce(lambda a, b: (a, b), {0}, 7)", "tree.reduce_associative(lambda a, b: (a, b), {0})",
    "tree.leaves_with_path({0})",
    "tree.reduce_associative(lambda a, b: (a, b), {0}, identity=7)",
    "tree.flatten_with_path({0}, lambda p, x: len(p) == 1, True)",
    "tree.map_with_path(lambda p, x: tree_util.keystr(p), {0})", "tree.broadcast('x', {0})",
    "tree.transpose(tree.structure([0, 0]), None, [{0}, {0}])",
    "[tree_util.keystr(p, simple=True, separator='/') for p, _ in tree.leaves_with_path({0})]",
    "[tree_util.keystr(p, separator='/') for p, _ in tree.leaves_with_path({0})]",
    "tree_util.flatten_one_level({0})",
    "tree_util.treedef_children(tree.structure({0}))", "tree_util.treedef_is_leaf(tree.structure({0}))",
    "tree_util.all_leaves([{0}])",
    "tree_util.is_tree_node(type({0}))", "tree_util.treedef_tuple([tree.structure({0})] * 2)",
    "tree.unflatten(tree.structure({0}), [1, 2, 3])",
]  # fmt: skip
DATACLASS = "dataclasses.make_dataclass('D', "
OTHER = [
    "tree.map(lambda *x: x, [1], 1)", "tree.map(lambda *x: x, {'a': 1}, {'b': 1})",
    "tree.map(lambda *x: x, (1, 2), [1, 2])",
    "tree.map(lambda *x: x, [1, 2], [(1, 2), {'a': 3}])", "tree.map(lambda *x: x, 1, None)",
    "tree.map(lambda *x: x, None, 1)",
    "tree.broadcast((1, 2), ([1, 2], {'a': 3}))", "tree.broadcast((1, 2), ([1, 2],))",
    "tree.broadcast((1, None), ((1, 2), None))",
    "tree.broadcast((1, None), ((1, 2), 3))", "tree.broadcast((1, 2), ([1, 2], None), lambda x: x is None)",
    "tree.transpose(tree.structure([0, 0]), tree.structure({'a': 0}), [{'a': 1}] * 3)",
    "tree.transpose(tree.structure([0] * 3), tree.structure({'a': 0, 'b': 0}), [{'a': 1, 'b': 2}] * 3)",
    "tree_util.all_leaves([1, [2]], lambda x: True)", "tree_util.Partial(3)",
    "tree_util.Partial(tree_util.Partial(max, 3), 4)(5)",
    "tree.structure(tree_util.Partial(print, 1)) == tree.structure(tree_util.Partial(print, 2))",
    "tree.static(default=3).metadata",
    "tree_util.keystr((tree_util.GetAttrKey('x'), 'y', tree_util.FlattenedIndexKey(2)), simple=True)",
    "tree_util.register_dataclass(int)", "tree_util.register_dataclass(Point, ['x'])",
    "tree_util.register_pytree_node_class(3)",
    *(f"tree_util.register_dataclass({DATACLASS}['x', 'y']), {fields})"
      for fields in ["['x'], []", "['x', 'y', 'z'], []", "['x', 'y'], ['y']", "['x', 'y']"]),
    f"tree.flatten(tree_util.register_dataclass({DATACLASS}['x', ('y', int, tree.static())]))(1, 2))",
    f"tree.leaves_with_path(tree_util.register_dataclass({DATACLASS}['x', 'y']), ['y'], [])(1, 2))",
]  # fmt: skip
TABLE = [f.format(t) for f in FUNCTIONS for t in TREES] + OTHER


def test_same_as_jax() -> None:
    theirs = answers_of_jax([(TABLE, False, "standard")])[0]
    ours = answers_here(TABLE, {"tree": tree, "tree_util": tree_util}, False, "standard")
    wrong = [(e, a, b) for e, a, b in zip(TABLE, ours, theirs) if a != b]
    assert not wrong, f"{len(wrong)} of {len(TABLE)}: {wrong[:10]}"


@pytest.mark.parametrize(
    "call, text",
    [
        (lambda: tree.map(max, {"a": [1, 2]}, {"a": [1]}),
         "tree.map: at ['a'] the first tree has a list of 2, but tree 2 has a list of 1; "),
        (lambda: tree.map(max, {"a": 1}, {"b": 1}),
         "tree.map: at the root the first tree has a dict with keys ('a',), but tree 2 has a dict with keys ('b',); "),
        (lambda: tree.map(max, [(1,)], [(1,)], [2]),
         "tree.map: at [0] the first tree has a tuple of 1, but tree 3 has a leaf of type int; "),
        (lambda: tree.map_with_path(max, [None], [1]),
         "tree.map_with_path: at [0] the first tree has None, but tree 2 has a leaf of type int; "),
        (lambda: tree.broadcast((1, [2, 3]), (1, [2])),
         "tree.broadcast: the prefix has a list of 2 at [1], but the full tree has a list of 1 there; "),
        (lambda: tree.broadcast_prefix((1, 2), (1,), what="vmap: in_axes"),
         "vmap: in_axes has a tuple of 2 at the root, but the full tree has a tuple of 1 there; "),
    ],
)  # fmt: skip
def test_a_difference_is_named(call, text: str) -> None:
    with pytest.raises(ValueError) as caught:
        call()
    assert str(caught.value).startswith(text)


def test_classes() -> None:
    @tree_util.register_pytree_with_keys_class
    class Pair:
        def __init__(self, a, b):
            self.a, self.b = a, b

        def tree_flatten_with_keys(self):
            return ((tree_util.GetAttrKey("a"), self.a), ("raw", self.b)), None

        @classmethod
        def tree_unflatten(cls, _, both):
            return cls(*both)

    assert [tree_util.keystr(path) for path, _ in tree.leaves_with_path(Pair(1, [2]))] == [".a", "raw[0]"]
    assert tree.map(lambda x: -x, Pair(1, 2)).b == -2
    with pytest.raises(ValueError, match="Duplicate"):
        tree_util.register_pytree_with_keys_class(Pair)

    @tree_util.register_static
    @dataclasses.dataclass(frozen=True)
    class Mode:
        name: str

    assert tree.leaves([Mode("a"), 1]) == [1]
    assert tree.structure(Mode("a")) == tree.structure(Mode("a")) != tree.structure(Mode("b"))


def test_named_tuples_have_their_own_keys() -> None:
    from side_by_side import Point

    keys = [str(key) for key, _ in tree.flatten_one_level_with_keys(Point(1, 2))[0]]
    assert keys == [".x", ".y"]


def test_build_tree() -> None:
    assert tree_util.build_tree(tree.structure({"a": 0, "b": (0,)}), [1, [2]]) == {"a": 1, "b": (2,)}
