"""Pytrees: values, structures as printed, keys, and classes of errors, as in jax."""

from __future__ import annotations

import pytest
from jax_process import assert_agrees

# Classes are made anew by each expression, so that it registers them for itself.
_POINT = "type('Point', (), {'__init__': lambda self, x, y: self.__dict__.update(x=x, y=y)})"
_PLAIN = f"(lambda tu, P: (tu.register_pytree_node(P, lambda p: ((p.x, p.y), 'aux'), lambda aux, c: P(*c)), {{}})[1] or %s)(jax.tree_util, {_POINT})"
_KEYED = (
    "(lambda tu, P: (tu.register_pytree_with_keys(P, lambda p: (((tu.GetAttrKey('x'), p.x), (tu.GetAttrKey('y'),"
    f" p.y)), None), lambda aux, c: P(*c)), {{}})[1] or %s)(jax.tree_util, {_POINT})"
)
_DATA = (
    "(lambda tu, dc: (lambda D: (tu.register_dataclass(D%s), {})[1] or %s)(dc.make_dataclass('D', ["
    "'x', ('n', int, dc.field(default=1, metadata={'static': True}))])))(jax.tree_util,"
    " __import__('dataclasses'))"
)

BASICS = [
    "jax.tree.flatten({'b': 1, 'a': (2, [3, None])})",
    "jax.tree.flatten(None)",
    "jax.tree.flatten(3)",
    "jax.tree.flatten([])",
    "jax.tree.flatten(((), {}, []))",
    "jax.tree.flatten({1: 'x', 0: 'y'})",
    "jax.tree.flatten({1: 'x', 'a': 'y'})",
    "jax.tree.flatten({'a': [1, 2]}, is_leaf=lambda x: isinstance(x, list))",
    "jax.tree.leaves({'b': 1, 'a': (2, [3, None])})",
    "jax.tree.leaves([1, None], is_leaf=lambda x: x is None)",
    "jax.tree.structure({'b': 1, 'a': (2, [3, None])})",
    "jax.tree.structure(__import__('collections').namedtuple('N', 'a b')(1, (2,)))",
    "jax.tree.structure(__import__('collections').OrderedDict(b=1, a=2))",
    "jax.tree.structure(__import__('collections').defaultdict(int, b=1, a=2))",
    "jax.tree.leaves(__import__('collections').OrderedDict(b=1, a=2))",
    "jax.tree.leaves(__import__('collections').defaultdict(int, b=1, a=2))",
    "jax.tree.unflatten(jax.tree.structure({'a': 0, 'b': (0,)}), [1, 2])",
    "jax.tree.unflatten(jax.tree.structure({'a': 0, 'b': (0,)}), [1])",
    "jax.tree.unflatten(jax.tree.structure({'a': 0, 'b': (0,)}), [1, 2, 3])",
    "jax.tree.unflatten(jax.tree.structure([0, 0]), iter('xy'))",
    "jax.tree.unflatten(3, [1])",
    "jax.tree.map(lambda x: x + 1, {'a': [1, 2], 'b': None})",
    "jax.tree.map(lambda x, y: x + y, [1, (2,)], [10, (20,)])",
    "jax.tree.map(lambda x, y: (x, y), [1, 2], [[3, 4], {'a': 5}])",
    "jax.tree.map(lambda x, y: x, [1, 2], [1, 2, 3])",
    "jax.tree.map(lambda x, y: x, [1, 2], (1, 2))",
    "jax.tree.map(lambda x, y: x, {'a': 1}, {'b': 1})",
    "jax.tree.map(lambda x, y: x, [1, [2]], [1, 2])",
    "jax.tree.map(lambda x, y: x, None, 3)",
    "jax.tree.map(lambda x, y: x, [None], [3])",
    "jax.tree.map(lambda x: x, [1, None], is_leaf=lambda x: x is None)",
    "jax.tree.map(lambda x: x)",
    "jax.tree.map(3, [1])",
    "jax.tree.all([1, (True, 'x')])",
    "jax.tree.all([1, 0])",
    "jax.tree.all([])",
    "jax.tree.all([[]], is_leaf=lambda x: x == [])",
    "jax.tree.reduce(lambda a, b: a + b, {'a': 1, 'b': [2, 3]})",
    "jax.tree.reduce(lambda a, b: a + [b], {'a': 1, 'b': (2, 3)}, [])",
    "jax.tree.reduce(lambda a, b: a + b, [])",
    "jax.tree.reduce(lambda a, b: a + b, [], 7)",
    "jax.tree.reduce(lambda a, b: a + b, [1], None)",
    "jax.tree.reduce(lambda a, b: a + b, [[1], [2]], is_leaf=lambda x: len(x) == 1)",
    "jax.tree.reduce_associative(lambda a, b: f'({a}{b})', list('abcde'))",
    "jax.tree.reduce_associative(lambda a, b: f'({a}{b})', list('abcdefg'))",
    "jax.tree.reduce_associative(lambda a, b: a + b, [], identity=0)",
    "jax.tree.reduce_associative(lambda a, b: a + b, [])",
    "jax.tree.reduce_associative(lambda a, b: a + b, [1, [2, (3,)]], identity=5)",
    "jax.tree.transpose(jax.tree.structure([0, 0]), jax.tree.structure((0, 0)), [(1, 2), (3, 4)])",
    "jax.tree.transpose(jax.tree.structure([0, 0]), None, [{'a': 1, 'b': 2}, {'a': 3, 'b': 4}])",
    "jax.tree.transpose(jax.tree.structure([0, 0]), jax.tree.structure((0, 0)), [(1, 2), (3,)])",
    "jax.tree.broadcast(('x', 'y'), ([1, 2], {'a': 3}))",
    "jax.tree.broadcast(1, [1, [2]])",
    "jax.tree.broadcast([1], [1, 2])",
    "jax.tree.broadcast([None, 1], [3, [4]], is_leaf=lambda x: x is None)",
    "jax.tree.static(default=3).metadata['static']",
    "dict(jax.tree.static(metadata={'a': 1}).metadata)",
]

PATHS = [
    "jax.tree.leaves_with_path({'a': [1, (2,)]})",
    "[jax.tree_util.keystr(p) for p, _ in jax.tree.leaves_with_path({'a': [1, (2,)], 'b': 4})]",
    "[jax.tree_util.keystr(p, simple=True, separator='/') for p, _ in jax.tree.leaves_with_path({'a': [1, (2,)]})]",
    "jax.tree_util.keystr(())",
    "jax.tree_util.keystr((jax.tree_util.DictKey(3), jax.tree_util.FlattenedIndexKey(1)))",
    "jax.tree_util.keystr((jax.tree_util.GetAttrKey('x'), jax.tree_util.SequenceKey(2)), simple=True)",
    "jax.tree_util.keystr(('a', 1), simple=True, separator='.')",
    "jax.tree.flatten_with_path([1, {'a': 2}])[1]",
    "str(jax.tree.flatten_with_path([1, {'a': 2}])[0])",
    "jax.tree.flatten_with_path([1, [2]], is_leaf=lambda x: x == [2])[0][1][1]",
    "jax.tree.flatten_with_path([1, [2]], is_leaf=lambda p, x: len(p) == 1, is_leaf_takes_path=True)[1]",
    "jax.tree.map_with_path(lambda p, x: jax.tree_util.keystr(p) + str(x), {'a': [1], 'b': None})",
    "jax.tree.map_with_path(lambda p, x, y: (len(p), x, y), [1, [2]], [3, [[4]]])",
    "jax.tree.map_with_path(lambda p, x, y: x, [1], [1, 2])",
    "jax.tree.map_with_path(lambda p, x: x, [1, [2]], is_leaf=lambda p, x: len(p) == 1, is_leaf_takes_path=True)",
    "repr(jax.tree_util.DictKey('a')), str(jax.tree_util.DictKey('a')), jax.tree_util.DictKey('a').key",
    "repr(jax.tree_util.SequenceKey(1)), str(jax.tree_util.SequenceKey(1)), jax.tree_util.SequenceKey(1).idx",
    "repr(jax.tree_util.GetAttrKey('a')), str(jax.tree_util.GetAttrKey('a')), jax.tree_util.GetAttrKey('a').name",
    "repr(jax.tree_util.FlattenedIndexKey(1)), str(jax.tree_util.FlattenedIndexKey(1)), jax.tree_util.FlattenedIndexKey(1).key",
    "jax.tree_util.DictKey('a') == jax.tree_util.DictKey('a'), jax.tree_util.DictKey('a') == jax.tree_util.DictKey('b')",
    "jax.tree_util.DictKey(0) == jax.tree_util.SequenceKey(0), hash(jax.tree_util.DictKey(0)) == hash(jax.tree_util.DictKey(0))",
    "{jax.tree_util.GetAttrKey('x'), jax.tree_util.GetAttrKey('x')} == {jax.tree_util.GetAttrKey('x')}",
    "jax.tree_util.keystr(jax.tree.leaves_with_path(__import__('collections').namedtuple('N', 'a b')(1, 2))[1][0])",
    "jax.tree_util.keystr(jax.tree.leaves_with_path(__import__('collections').OrderedDict(b=1, a=2))[0][0])",
]

REGISTERED = [
    _PLAIN % "tu.tree_flatten([P(1, [2])])",
    _PLAIN % "tu.tree_map(lambda x: x + 1, P(1, [2])).__dict__",
    _PLAIN % "[tu.keystr(p) for p, _ in tu.tree_leaves_with_path(P(1, [2]))]",
    _PLAIN % "tu.tree_structure(P(1, 2)) == tu.tree_structure(P(3, 4))",
    _PLAIN % "tu.register_pytree_node(P, 1, 2)",
    _PLAIN % "tu.is_tree_node(P), tu.is_tree_node(int), tu.is_tree_node(list)",
    _PLAIN % "tu.tree_map(lambda a, b: a, P(1, 2), P(1, (2, 3))).__dict__",
    _PLAIN % "tu.tree_map(lambda a, b: a, P(1, 2), (1, 2))",
    _PLAIN % "jax.jit(lambda p: P(p.y, p.x))(P(1., 2.)).__dict__",
    _PLAIN % "jax.grad(lambda p: p.x * p.y)(P(2., 3.)).__dict__",
    _PLAIN % "tu.flatten_one_level(P(1, [2]))",
    _KEYED % "[tu.keystr(p) for p, _ in tu.tree_leaves_with_path({'p': P(1, [2])})]",
    _KEYED % "tu.tree_flatten(P(1, 2))[0]",
    _KEYED % "[str(k) for k, _ in tu.flatten_one_level_with_keys(P(1, 2))[0]]",
    _DATA % ("", "tu.tree_flatten(D(5, 6))"),
    _DATA % ("", "[tu.keystr(p) for p, _ in tu.tree_leaves_with_path(D(5, 6))]"),
    _DATA % ("", "str(tu.tree_map(lambda x: x + 1, D(5, 6)))"),
    _DATA % ("", "tu.tree_structure(D(1, 2)) == tu.tree_structure(D(1, 3))"),
    _DATA % (", ['x'], ['n']", "tu.tree_flatten(D([5], 6))"),
    _DATA % (", ['x', 'n'], []", "tu.tree_flatten(D([5], 6))"),
    _DATA % (", ['x'], [], ['n']", "tu.tree_flatten(D([5], 6))"),
    _DATA % (", ['x'], [], ['n']", "str(tu.tree_map(lambda x: x, D(5, 6)))"),
    _DATA % (", ['x'], []", "0"),
    _DATA % (", ['x', 'y'], ['n']", "0"),
    _DATA % (", ['x'], ['x', 'n']", "0"),
    _DATA % (", ['x']", "0"),
    _DATA % (", None, ['n']", "0"),
    "jax.tree_util.register_dataclass(int)",
    "jax.tree_util.register_dataclass(3, ['a'], [])",
    "jax.tree_util.register_static(type('S', (), {})).__name__",
    "(lambda S: jax.tree_util.tree_leaves([S(), 1]))(jax.tree_util.register_static(type('S', (), {})))",
    "(lambda S: jax.jit(lambda s, x: x * s)(S(3), 2.0))(jax.tree_util.register_static(type('S', (int,), {})))",
    "jax.tree_util.register_pytree_node_class(type('C', (), {}))",
    "jax.tree_util.register_pytree_with_keys_class(type('C', (), {}))",
    "(lambda C: jax.tree_util.tree_leaves(C()))(jax.tree_util.register_pytree_node_class(type('C', (), {"
    "'tree_flatten': lambda self: ((1, 2), None), 'tree_unflatten': classmethod(lambda cls, aux, c: cls())})))",
    "jax.tree_util.register_pytree_node(list, lambda x: (x, None), lambda _, x: x)",
    "jax.tree_util.flatten_one_level([1, [2]])",
    "jax.tree_util.flatten_one_level({'b': 1, 'a': 2})",
    "jax.tree_util.flatten_one_level(3)",
    "jax.tree_util.flatten_one_level(None)",
    "jax.tree_util.flatten_one_level_with_keys(3)",
    "str(jax.tree_util.flatten_one_level_with_keys({'b': 1, 'a': 2})[0])",
    "jax.tree_util.default_registry.flatten([1, (2,)], None)[0]",
    "jax.tree_util.default_registry.is_node(tuple)",
]

STRUCTURES = [
    "jax.tree_util.treedef_tuple([jax.tree.structure([1]), jax.tree.structure(2)])",
    "jax.tree_util.treedef_children(jax.tree.structure([1, (2, 3)]))",
    "jax.tree_util.treedef_is_leaf(jax.tree.structure(1)), jax.tree_util.treedef_is_leaf(jax.tree.structure([1]))",
    "jax.tree_util.all_leaves([1, 'a']), jax.tree_util.all_leaves([1, [2]]), jax.tree_util.all_leaves([])",
    "jax.tree_util.all_leaves([1, [2]], is_leaf=lambda x: x == [2])",
    "jax.tree.structure([1, (2, 3)]).num_leaves, jax.tree.structure([1, (2, 3)]).num_nodes",
    "jax.tree.structure([1, (2, 3)]).node_data()",
    "jax.tree.structure({'a': 1}).node_data()",
    "jax.tree.structure(1).node_data()",
    "jax.tree.structure([1, (2, 3)]).children()",
    "jax.tree.structure([1, 2]).compose(jax.tree.structure((0, 0)))",
    "jax.tree.structure([1, 2]).flatten_up_to([(1, 2), 3])",
    "jax.tree.structure([1, 2]).flatten_up_to([1, 2, 3])",
    "jax.tree.structure([1, 2]).from_iterable_tree([5, 6])",
    "jax.tree.structure([1]) == jax.tree.structure([2]), jax.tree.structure([1]) != jax.tree.structure((2,))",
    "hash(jax.tree.structure([1])) == hash(jax.tree.structure([2]))",
    "jax.tree.structure([1, {'a': 2}]).walk(lambda xs, d: (tuple(xs), d), lambda x: x, [5, 6]) is None",
]

PARTIAL = [
    "jax.tree_util.Partial(lambda x, y: x - y, 1)(2)",
    "jax.tree.leaves(jax.tree_util.Partial(max, 1, [2], key=3))",
    "jax.tree.map(lambda x: x * 2, jax.tree_util.Partial(lambda x, y: x - y, 3))(1)",
    "jax.jit(lambda f, x: f(x))(jax.tree_util.Partial(jnp.add, 1.0), 2.0)",
    "jax.jit(lambda f, x: f(x), static_argnums=0)(jax.tree_util.Partial(jnp.add, 1.0), 2.0)",
    "jax.grad(lambda f, x: f(x), 1)(jax.tree_util.Partial(jnp.multiply, 3.0), 2.0)",
    "jax.grad(lambda f: f(2.0))(jax.tree_util.Partial(jnp.multiply, 3.0)).args",
    "jax.tree_util.Partial(jax.tree_util.Partial(lambda *a, **k: (a, k), 1, a=2), 3, b=4)(5)",
    "jax.tree.leaves(jax.tree_util.Partial(jax.tree_util.Partial(lambda *a: a, 1), 2))",
    "jax.tree.leaves(jax.tree_util.Partial(functools.partial(lambda *a: a, 1), 2))",
    "jax.tree_util.Partial(functools.partial(lambda *a: a, 1), 2)(3)",
    "isinstance(jax.tree_util.Partial(max), functools.partial)",
    "jax.tree.structure(jax.tree_util.Partial(max, 1)) == jax.tree.structure(jax.tree_util.Partial(max, 2))",
    "jax.tree.structure(jax.tree_util.Partial(max, 1)) == jax.tree.structure(jax.tree_util.Partial(min, 1))",
    "[jax.tree_util.keystr(p) for p, _ in jax.tree.leaves_with_path(jax.tree_util.Partial(max, 1, b=[2]))]",
    "jax.tree_util.Partial(3)",
    "jax.lax.scan(jax.tree_util.Partial(lambda a, c, x: (c + a * x, None), 2.0), 0.0, f32(3))[0]",
]

_UTIL = "__import__(jax.__name__ + '.flatten_util', fromlist=['x'])"
RAVEL = [
    f"{_UTIL}.ravel_pytree({{'a': f32(2), 'b': [f32(2, 2), 1.0]}})[0]",
    f"(lambda u: (lambda flat, un: un(flat * 2))(*u.ravel_pytree({{'a': f32(2), 'b': [f32(2, 2), 1.0]}})))({_UTIL})",
    f"{_UTIL}.ravel_pytree(())[0]",
    f"{_UTIL}.ravel_pytree(())[1](f32(0))",
    f"{_UTIL}.ravel_pytree(3)[0]",
    f"{_UTIL}.ravel_pytree(1.5)[0]",
    f"{_UTIL}.ravel_pytree([i32(2), f32(2)])[0]",
    f"(lambda u: (lambda flat, un: un(flat))(*u.ravel_pytree([i32(2), f32(2), f16(1)])))({_UTIL})",
    f"{_UTIL}.ravel_pytree([i32(2), f32(2)])[1](i32(4))",
    f"{_UTIL}.ravel_pytree([f32(2), f32(2)])[1](i32(4))",
    f"{_UTIL}.ravel_pytree([f32(2), f32(2)])[1](f32(3))",
    f"{_UTIL}.ravel_pytree([f32(2), f32(2)])[1](f32(4, 1))",
    f"{_UTIL}.ravel_pytree([f32(2), f32(2)])[1](f32(2, 2))",
    f"{_UTIL}.ravel_pytree([c64(2), f32(2)])[0]",
    f"(lambda u: (lambda flat, un: un(flat))(*u.ravel_pytree([c64(2), f32(2)])))({_UTIL})",
    f"{_UTIL}.ravel_pytree([b8(2), f32(2)])[0]",
    f"{_UTIL}.ravel_pytree([b8(2), b8(1)])[0]",
    f"{_UTIL}.ravel_pytree([1, 2.0])[0]",
    f"{_UTIL}.ravel_pytree([1, np.float32(2)])[0]",
    f"(lambda u: (lambda flat, un: un(flat))(*u.ravel_pytree([1, np.float16(2), None])))({_UTIL})",
    f"{_UTIL}.ravel_pytree(['a'])",
    f"jax.vmap(lambda x: {_UTIL}.ravel_pytree({{'a': x, 'b': 1.0}})[0])(f32(3, 2))",
    f"jax.grad(lambda p: {_UTIL}.ravel_pytree(p)[0].sum())({{'a': f32(2), 'b': 2.0}})",
    f"(lambda u: (lambda flat, un: jax.grad(lambda f: un(f)['b'] * un(f)['a'].sum())(flat))(*u.ravel_pytree("
    f"{{'a': f32(2), 'b': 2.0}})))({_UTIL})",
    f"(lambda u: (lambda flat, un: jax.vmap(un)(f32(2, 3)))(*u.ravel_pytree({{'a': f32(2), 'b': 2.0}})))({_UTIL})",
    f"jax.jit(lambda p: {_UTIL}.ravel_pytree(p)[0])([f32(2, 2), 1])",
    f"jaxpr(lambda p: {_UTIL}.ravel_pytree(p)[0], [f32(2, 2), f32()])",
    f"jaxpr(lambda p: {_UTIL}.ravel_pytree(p)[0], [f32(2, 2), i32()])",
    f"jaxpr({_UTIL}.ravel_pytree([f32(2, 2), i32()])[1], f32(5))",
    f"jaxpr({_UTIL}.ravel_pytree([f32(2, 2), f32()])[1], f32(5))",
    f"(lambda u: hash(u.ravel_pytree([f32(2)])[1]) == hash(u.ravel_pytree([f32(2)])[1]))({_UTIL})",
    f"(lambda u: u.ravel_pytree([f32(2)])[1] == u.ravel_pytree([f32(2)])[1])({_UTIL})",
    f"(lambda u: u.ravel_pytree([f32(2)])[1] == u.ravel_pytree([f32(3)])[1])({_UTIL})",
]

TABLE = BASICS + PATHS + REGISTERED + STRUCTURES + PARTIAL + RAVEL


@pytest.mark.parametrize("expression", TABLE)
def test_same_as_jax(expression: str) -> None:
    assert_agrees(expression, TABLE)


def test_table_is_long() -> None:
    assert len(set(TABLE)) >= 150
