"""Random programs, each made from a seed alone: a body of many kinds of operations under a stack of transformations.

A program is Python text that leaves its result in ``out`` (see ``program`` in `jax_process`). Values keep to
three shapes, so that both libraries compile an operation once for many programs; functions are bounded and
smooth almost everywhere, so that values can be compared.

What the generator leaves out, and why:

* results that an operation never touched are arrays here, and what they were given as in jax, so every result
  is made an array before it is compared;
* tangents have the weak type of their primals: functions of ``jax.numpy`` are jitted in jax, and a jitted
  function takes tangents of the types of its arguments, where here the tangent that was given goes on;
* ``.at[].apply``: jax cannot differentiate it;
* ``vmap`` of a ``cond`` on a mapped predicate that writes to references: jax refuses it, and here it works;
* rules of derivatives that close over what is traced: jax refuses some that work here;
* NumPy's arrays indexed by what is traced: that is between NumPy and the tracer.
"""

from __future__ import annotations

import random
import sys

from random_functions import Body
from random_statements import Value

PRELUDE = """
tree = jax.tree
POLICIES = jax.checkpoint_policies
K = np.array([[0.3, -0.5, 0.2], [0.1, 0.7, -0.4], [-0.6, 0.25, 0.45]], np.float32)
V = np.array([0.4, -0.9, 0.65], np.float32)
def inexact(x): return jnp.issubdtype(jnp.asarray(x).dtype if not hasattr(x, "dtype") else x.dtype, np.inexact)
def real(x): return jnp.real(x) if jnp.iscomplexobj(x) else x
def total(out):
    return sum(jnp.sum(real(x) * (0.7 + 0.2 * i)) for i, x in enumerate(tree.leaves(out)) if inexact(x))
def tangent(x, s=0.3):
    if not inexact(x): return np.zeros(np.shape(x), jax.dtypes.float0)
    return x * 0 + s
def shown(x): return ("float0", x.shape) if getattr(x, "dtype", None) == jax.dtypes.float0 else jnp.asarray(x)
def scaled(p, s): return tree.map(lambda x: x * s if inexact(x) else x, p)
def stacked(p, axes):
    leaves, treedef = tree.flatten(p)
    rows = [x if a is None else jnp.stack([x, x * 0.5 if inexact(x) else x + 1], a % (np.ndim(x) + 1)) for x, a in zip(leaves, axes)]
    return tree.unflatten(treedef, rows)
def axes_of(p, axes):
    leaves, treedef = tree.flatten(p)
    return tree.unflatten(treedef, [a if a is None else a % (np.ndim(x) + 1) for x, a in zip(leaves, axes)])
def first(p): return jnp.sum(real(jnp.asarray(tree.leaves(p)[0])))
@jax.custom_jvp
def own_jvp(x, y): return x * jnp.sin(y)
own_jvp.defjvps(lambda t, out, x, y: t * jnp.sin(y), lambda t, out, x, y: t * x * jnp.cos(y) * 2)
@jax.custom_jvp
def whole_jvp(d): return {"s": jnp.sin(d["a"]), "n": jnp.sum(d["b"])}
@whole_jvp.defjvp
def whole_jvp_rule(primals, tangents):
    (d,), (t,) = primals, tangents
    out = whole_jvp(d)
    return out, {"s": t["a"] * jnp.cos(d["a"]), "n": jnp.sum(t["b"]) * 3}
@jax.custom_vjp
def own_vjp(x, y): return x * jnp.tanh(y)
own_vjp.defvjp(lambda x, y: (own_vjp(x, y), (x, y)), lambda r, ct: (ct * jnp.tanh(r[1]), 2 * ct * r[0]))
@functools.partial(jax.custom_vjp, nondiff_argnums=(1,))
def static_vjp(x, n): return x * n
static_vjp.defvjp(lambda x, n: (x * n, None), lambda n, r, ct: (jnp.sin(ct) * n,))
@jax.custom_gradient
def own_gradient(x): return jnp.sin(x), lambda ct: ct * 0.5
@functools.partial(jax.jit, static_argnames=("n", "mode"))
def static_jit(x, n, mode="a"):
    for i in range(n): x = jnp.sin(x) * (i + 1) if mode == "a" else jnp.cos(x)
    return x
def zero_tangents(out): return tree.map(lambda t: jnp.zeros(t.shape, np.int32) if getattr(t, "dtype", None) == jax.dtypes.float0 else t, out)
def floats(p): return [x for x in tree.leaves(p) if inexact(x) and not jnp.iscomplexobj(x)]
def merged(p, q):
    leaves, treedef = tree.flatten(p)
    q = iter(q)
    return tree.unflatten(treedef, [next(q) if inexact(x) and not jnp.iscomplexobj(x) else x for x in leaves])
def evaluated(f, p):
    closed, shape = jax.make_jaxpr(f, return_shape=True)(p)
    return tree.unflatten(tree.structure(shape), extend_core.jaxpr_as_fun(closed)(*tree.leaves(p)))
"""

POINTS: list[tuple[str, list[tuple[str, tuple[int, ...], str]]]] = [
    ("V * 1.3", [("p", (3,), "f")]),
    ("{'a': V, 'm': K}", [("p['a']", (3,), "f"), ("p['m']", (3, 3), "f")]),
    ("(np.float32(0.7), [V, None])", [("p[0]", (), "f"), ("p[1][0]", (3,), "f")]),
    ("{'x': 0.6, 'n': np.int32(2), 'v': V}", [("p['x']", (), "f"), ("p['n']", (), "i"), ("p['v']", (3,), "f")]),
    ("[K, (), {'n': np.int32(1)}]", [("p[0]", (3, 3), "f"), ("p[2]['n']", (), "i")]),
    ("0.45", [("p", (), "f")]),
]  # fmt: skip


class Stack:
    """Wraps a function of one pytree ``p`` in transformations, each again a function of ``p``."""

    def __init__(self, draw: random.Random, leaves: int, integers: bool) -> None:
        self.draw = draw
        self.leaves = leaves
        self.integers = integers

    def axes(self) -> str:
        axes = [self.draw.choice([0, 0, -1, None]) for _ in range(self.leaves)]
        if all(a is None for a in axes):
            axes[0] = 0
        return repr(axes)

    def wrap(self, kind: str, f: str) -> str:
        """The new function, as a lambda."""
        allow = ", allow_int=True" if self.integers else ""
        shown = "zero_tangents(" if self.integers else "("
        match kind:
            case "jit":
                return f"jax.jit({f})"
            case "grad":
                return f"lambda p: {shown}jax.grad(lambda p: total({f}(p)){allow})(p))"
            case "value_and_grad":
                return f"lambda p: {shown}jax.value_and_grad(lambda p: (total({f}(p)), {f}(p)), has_aux=True{allow})(p))"
            case "jvp":
                return f"lambda p: {shown}jax.jvp({f}, (p,), (tree.map(tangent, p),)))"
            case "linearize":
                return f"lambda p: (lambda y, lin: {shown}(y, lin(tree.map(tangent, p)))))(*jax.linearize({f}, p))"
            case "vjp":
                return (
                    f"lambda p: (lambda y, pull: {shown}(y, pull(tree.map(tangent, y)))))(*jax.vjp({f}, p))"
                )
            case "vmap":
                axes, out = self.axes(), self.draw.choice([0, 0, -1])
                return f"lambda p: jax.vmap({f}, (axes_of(p, {axes}),), {out}, axis_name='i')(stacked(p, {axes}))"
            case "jacfwd":
                return f"lambda p: jax.jacfwd(lambda q: floats({f}(merged(p, q))))(floats(p))"
            case "jacrev":
                return f"lambda p: jax.jacrev(lambda q: floats({f}(merged(p, q))))(floats(p))"
            case "hessian":
                return f"lambda p: jax.hessian(lambda q: total({f}(merged(p, q))))(floats(p))"
            case "checkpoint":
                return self.draw.choice(
                    [f"jax.checkpoint({f})", f"jax.checkpoint({f}, policy=POLICIES.dots_saveable)"]
                )
            case "scan":
                return f"lambda p: lax.scan(lambda c, s: (c, {f}(scaled(c, s))), tree.map(jnp.asarray, p), np.array([1.0, 0.5], np.float32))[1]"
            case "cond":
                return (
                    f"lambda p: lax.cond(first(p) > -50, {f}, lambda p: tree.map(jnp.zeros_like, {f}(p)), p)"
                )
            case "make_jaxpr":
                return f"lambda p: evaluated({f}, p)"
            case "eval_shape":
                return f"lambda p: tree.map(lambda s: jnp.zeros(s.shape, s.dtype), jax.eval_shape({f}, p))"
            case "vjp in jit":
                return f"lambda p: (lambda y, pull: {shown}jax.jit(lambda g, ct: g(ct))(pull, tree.map(tangent, y))))(*jax.vjp({f}, p))"
        raise KeyError(kind)


KINDS = [
    "jit",
    "jit",
    "grad",
    "value_and_grad",
    "jvp",
    "linearize",
    "vjp",
    "vmap",
    "vmap",
    "jacfwd",
    "jacrev",
    "hessian",
    "checkpoint",
    "scan",
    "cond",
    "make_jaxpr",
    "eval_shape",
    "vjp in jit",
]
REVERSE = {"grad", "value_and_grad", "vjp", "jacrev", "hessian", "vjp in jit"}
FORWARD = {"jvp", "jacfwd", "hessian"}


def program(seed: int) -> str:
    """The text of the program that belongs to a seed."""
    draw = random.Random(seed)
    point, leaves = draw.choice(POINTS)
    kinds = [draw.choice(KINDS) for _ in range(draw.choice([1, 2, 2, 3, 3, 4]))]
    # More than two jacobians of jacobians tell nothing more, and cost most of the time.
    while sum(kind in ("jacfwd", "jacrev", "hessian") for kind in kinds) > 1:
        kinds.remove(next(kind for kind in kinds if kind in ("jacfwd", "jacrev", "hessian")))
    reverse = bool(REVERSE & set(kinds))
    forward = (
        bool(FORWARD & set(kinds)) or len(REVERSE & set(kinds)) > 1 or sum(k in REVERSE for k in kinds) > 1
    )
    named = bool(kinds) and kinds[0] == "vmap"
    body = Body(draw, reverse, forward, named)
    scope = [Value(*leaf) for leaf in leaves]
    lines: list[str] = []
    start = len(scope)
    while body.budget > 0:
        body.budget -= 1
        lines += body.statement(scope, 0)
    rest = [v.name for v in scope[start:] if v.kind in "fc"]
    lines.append(f"rest = 0.1 * total([{', '.join(rest)}])")
    scope.append(Value("rest", (), "f"))
    own = [v.name for v in scope[start:] if v.kind in "fc"][-3:] or [scope[0].name]
    extra = [v.name for v in scope if v.kind == "i" and v.name.startswith("v")][-1:]
    results = draw.choice(
        [
            own[-1],
            f"({', '.join(own)},)",
            f"{{'y': {own[-1]}, 'aux': [{', '.join([*own[:1], *extra])}], 'none': None}}",
        ]
    )
    stack = Stack(draw, len(leaves), any(kind == "i" for _, _, kind in leaves))
    text = [PRELUDE, "def f0(p):", *("    " + line for line in lines), f"    return {results}"]
    for i, kind in enumerate(kinds):
        text.append(f"f_{i + 1} = {stack.wrap(kind, 'f0' if i == 0 else f'f_{i}')}  # {kind}")
    text.append(f"p = {point}")
    text.append(f"out = tree.map(shown, {f'jax.jit(f_{len(kinds)})' if seed % 3 else f'f_{len(kinds)}'}(p))")
    return "\n".join(text) + "\n"


if __name__ == "__main__":
    print(program(int(sys.argv[1])))
