"""Each transformation as a map of functions of one pytree, beside the same by the plainest means.

The plain form of a derivative is a difference quotient, that of `vmap` and `scan` a Python loop, that of
`jit` nothing. So a pair of transformations has a plain form too: one after the other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import jaxlab as jax
import jaxlab.numpy as jnp
from jaxlab import lax, tree

Function = Callable[[Any], Any]
STEP = 1e-4
SCALES = (1.0, 1.25)


@dataclass(frozen=True)
class Transformation:
    """What is tested, and its plain form, which gets to know whether difference quotients mean something.

    ``forward`` and ``reverse`` tell in which mode it differentiates, ``reverse_only`` that it leaves a function
    that cannot be differentiated in forward mode.
    """

    name: str
    apply: Callable[[Function], Function]
    plain: Callable[[Function, bool], Function]
    reverse: bool = False
    forward: bool = False
    reverse_only: bool = False


def direction(values: Any) -> Any:
    """A fixed pytree of the same shapes; no two of its numbers are equal."""
    leaves, treedef = tree.flatten(values)
    made = [np.cos(1.0 + i + np.arange(np.prod(x.shape))).reshape(x.shape) for i, x in enumerate(leaves)]
    return tree.unflatten(treedef, made)


def inner(a: Any, b: Any) -> Any:
    """The sum of the products of the leaves."""
    return sum(jnp.sum(x * y) for x, y in zip(tree.leaves(a), tree.leaves(b), strict=True))


def weighted(f: Function) -> Function:
    """A scalar of all results."""

    def scalar(p: Any) -> Any:
        out = f(p)
        return inner(out, direction(out))

    return scalar


def along(f: Function, p: Any, d: Any, smooth: bool) -> Any:
    """The derivative in one direction, by a difference quotient where there is one."""
    if not smooth:
        return jax.jvp(f, (p,), (d,))[1]
    ahead, behind = [f(tree.map(lambda x, t: x + s * t, p, d)) for s in (STEP, -STEP)]
    return tree.map(lambda a, b: (a - b) / (2 * STEP), ahead, behind)


def jacobian(f: Function, smooth: bool) -> Function:
    """Column by column."""

    def columns(p: Any) -> Any:
        leaves, treedef = tree.flatten(p)
        shapes = [np.shape(x) for x in leaves]
        blocks = []
        for i, shape in enumerate(shapes):
            found = []
            for j in range(int(np.prod(shape))):
                unit = [np.zeros(s) for s in shapes]
                unit[i].reshape(-1)[j] = 1.0
                found.append(along(f, p, tree.unflatten(treedef, unit), smooth))
            blocks.append((shape, found))
        out, out_tree = tree.flatten(f(p))

        def block(k: int, y: Any) -> Any:
            parts = [
                jnp.stack([tree.leaves(column)[k] for column in found], -1).reshape(y.shape + shape)
                if found
                else np.zeros(y.shape + shape)
                for shape, found in blocks
            ]
            return tree.unflatten(treedef, parts)

        return tree.unflatten(out_tree, [block(k, y) for k, y in enumerate(out)])

    return columns


def _scanned(f: Function) -> Function:
    def run(p: Any) -> Any:
        return lax.scan(lambda c, s: (tree.map(lambda x: x * s, c), f(c)), p, np.array([0.5, 2.5]))[1]

    return run


def _scanned_plainly(f: Function, smooth: bool) -> Function:
    def run(p: Any) -> Any:
        rows = [f(p), f(tree.map(lambda x: x * 0.5, p))]
        return tree.map(lambda *xs: jnp.stack(xs), *rows)

    return run


def _branch(f: Function) -> Function:
    def run(p: Any) -> Any:
        first = tree.leaves(p)[0]
        return lax.cond(jnp.sum(first) > -100.0, f, lambda p: tree.map(jnp.negative, f(p)), p)

    return run


def _with_rule(f: Function) -> Function:
    g = jax.custom_jvp(f)
    g.defjvp(lambda primals, tangents: jax.jvp(f, primals, tangents))
    return g


def _with_backward_rule(f: Function) -> Function:
    g = jax.custom_vjp(f)
    g.defvjp(lambda p: (f(p), p), lambda p, ct: jax.vjp(f, p)[1](ct))
    return g


def _mapped(f: Function) -> Function:
    return lambda p: jax.vmap(f)(tree.map(lambda x: jnp.stack([x * s for s in SCALES]), p))


def _mapped_plainly(f: Function, smooth: bool) -> Function:
    def run(p: Any) -> Any:
        rows = [f(tree.map(lambda x: x * s, p)) for s in SCALES]
        return tree.map(lambda *xs: jnp.stack(xs), *rows)

    return run


def _pulled(f: Function) -> Function:
    def run(p: Any) -> Any:
        out, pull = jax.vjp(f, p)
        return pull(tree.map(lambda d, y: jnp.asarray(d, y.dtype), direction(out), out))[0]

    return run


def _itself(f: Function, smooth: bool) -> Function:
    return f


def _gradient(f: Function, smooth: bool) -> Function:
    return jacobian(weighted(f), smooth)


def _both(f: Function, smooth: bool) -> Function:
    return lambda p: (f(p), along(f, p, direction(p), smooth))


def _tangent(f: Function, smooth: bool) -> Function:
    return lambda p: along(f, p, direction(p), smooth)


def composed(
    outer: Transformation, inner: Transformation
) -> tuple[Callable[[Function, bool], Function], ...]:
    """The plain forms to apply, inner first; many pairs have the same."""
    return tuple(plain for plain in (inner.plain, outer.plain) if plain is not _itself)


TRANSFORMATIONS = [
    Transformation("jit", jax.jit, _itself),
    Transformation("grad", lambda f: jax.grad(weighted(f)), _gradient, reverse=True),
    Transformation("jvp", lambda f: lambda p: jax.jvp(f, (p,), (direction(p),)), _both, forward=True),
    Transformation("vjp", _pulled, _gradient, reverse=True),
    Transformation(
        "linearize", lambda f: lambda p: jax.linearize(f, p)[1](direction(p)), _tangent, forward=True
    ),
    Transformation("vmap", _mapped, _mapped_plainly),
    Transformation("jacfwd", jax.jacfwd, jacobian, forward=True),
    Transformation("jacrev", jax.jacrev, jacobian, reverse=True),
    Transformation("scan", _scanned, _scanned_plainly),
    Transformation("cond", _branch, _itself),
    Transformation("custom_jvp", _with_rule, _itself),
    Transformation("custom_vjp", _with_backward_rule, _itself, reverse_only=True),
    Transformation("checkpoint", jax.checkpoint, _itself),
]
