"""Programs of control flow whose jaxprs are compared with jax's: each as it is, and derived in every way."""

from __future__ import annotations

# Each is a function of arrays of the given shapes; it returns one array.
FUNCTIONS: dict[str, tuple[str, str]] = {
    "cond": ("lambda x: lax.cond(x[0] > 0, jnp.sin, jnp.cos, x)", "3"),
    "cond of one residual": ("lambda x: lax.cond(x[0] > 0, jnp.sin, lambda x: x * 2, x)", "3"),
    "cond of closures": ("lambda x, y: lax.cond(x[0] > 0, lambda: x * y, lambda: x - y)", "3 3"),
    "cond of constants": ("lambda x: lax.cond(x[0] > 0, lambda x: x * 2, lambda x: x + 1, x)", "3"),
    "cond that forwards": ("lambda x: lax.cond(x[0] > 0, lambda x: x, lambda x: -x, x)", "3"),
    "cond of a constant": ("lambda x: lax.cond(True, jnp.sin, jnp.cos, x)", "3"),
    "cond of pairs": (
        "lambda x, y: lax.cond(x[0] > 0, lambda a, b: (a * b, b), lambda a, b: (b, a), x, y)[0]",
        "3 3",
    ),
    "switch": ("lambda x: lax.switch(x[0].astype(int), [jnp.sin, jnp.cos, jnp.exp], x)", "3"),
    "switch of a known index": ("lambda x: lax.switch(1, [jnp.sin, jnp.cos, jnp.exp], x)", "3"),
    "cond in cond": (
        "lambda x: lax.cond(x[0] > 0, lambda x: lax.cond(x[1] > 0, jnp.sin, jnp.cos, x), jnp.exp, x)",
        "3",
    ),
    "scan": ("lambda c, xs: lax.scan(lambda c, x: (c * x, c), c, xs)[1]", "3 4,3"),
    "scan's carry": ("lambda c, xs: lax.scan(lambda c, x: (jnp.sin(c) * x, None), c, xs)[0]", "3 4,3"),
    "scan with a constant": (
        "lambda w, xs: lax.scan(lambda c, x: (jnp.tanh(w * c + x), c), w, xs)[1]",
        "3 4,3",
    ),
    "recurrent network": (
        "lambda w, xs: lax.scan(lambda h, x: (jnp.tanh(w @ h + x), h), jnp.zeros(3), xs)[1]",
        "3,3 4,3",
    ),
    "scan reversed": ("lambda c, xs: lax.scan(lambda c, x: (c * x, c), c, xs, reverse=True)[1]", "3 4,3"),
    "scan unrolled": ("lambda c, xs: lax.scan(lambda c, x: (c * x, c), c, xs, unroll=2)[1]", "3 4,3"),
    "scan of length": (
        "lambda c: lax.scan(lambda c, _: (jnp.sin(c), c * 2), c, None, length=3)[1]",
        "3",
    ),
    "scan with a counter": (
        "lambda c, xs: lax.scan(lambda c, x: ((c[0] + 1, c[1] * x), c[1]), (0, c), xs)[1]",
        "3 4,3",
    ),
    "scan with integers": (
        "lambda c, xs: lax.scan(lambda c, x: (c * x[1] + x[0], c), c, (jnp.arange(4), xs))[1]",
        "3 4,3",
    ),
    "scan of invariants": (
        "lambda w, xs: lax.scan(lambda c, x: (c * jnp.exp(w) + x, c), w, xs)[0]",
        "3 4,3",
    ),
    "scan that passes on": ("lambda c, xs: lax.scan(lambda c, x: (c, x * c), c, xs)[1]", "3 4,3"),
    "scan of two carries": (
        "lambda c, xs: lax.scan(lambda c, x: ((c[1], jnp.sin(c[0]) * x), c[0]), (c, c), xs)[1]",
        "3 4,3",
    ),
    "scan in scan": (
        "lambda c, xs: lax.scan(lambda c, x: (lax.scan(lambda d, y: (jnp.sin(d) * y, d), c, x)[0], c),"
        " c[0], xs)[1]",
        "3 4,3",
    ),
    "cond in scan": (
        "lambda c, xs: lax.scan(lambda c, x: (lax.cond(x[0] > 0, jnp.sin, jnp.cos, c) * x, c), c, xs)[1]",
        "3 4,3",
    ),
    "scan in cond": (
        "lambda c, xs: lax.cond(c[0] > 0, lambda c: lax.scan(lambda c, x: (c * x, None), c, xs)[0],"
        " lambda c: c, c)",
        "3 4,3",
    ),
    "jit in scan": ("lambda c, xs: lax.scan(jax.jit(lambda c, x: (jnp.sin(c) * x, c)), c, xs)[1]", "3 4,3"),
    "scan in jit": ("jax.jit(lambda c, xs: lax.scan(lambda c, x: (c * x, c), c, xs)[1])", "3 4,3"),
    "fori_loop": ("lambda x: lax.fori_loop(0, 3, lambda i, c: jnp.sin(c) * i, x)", "3"),
    "fori_loop of a constant": ("lambda x: lax.fori_loop(0, 3, lambda i, c: c * x, x)", "3"),
    "map": ("lambda xs: lax.map(lambda x: jnp.sin(x) * 2, xs)", "4,3"),
    "map of a constant": ("lambda w, xs: lax.map(lambda x: jnp.sin(x) * w, xs)", "3 4,3"),
    "map in batches": ("lambda xs: lax.map(lambda x: jnp.sin(x) * 2, xs, batch_size=2)", "4,3"),
    "map with a rest": ("lambda xs: lax.map(lambda x: jnp.sin(x) * 2, xs, batch_size=3)", "4,3"),
    "map in one batch": ("lambda xs: lax.map(lambda x: jnp.sin(x) * 2, xs, batch_size=9)", "4,3"),
    "associative_scan": ("lambda xs: lax.associative_scan(jnp.multiply, xs)", "4,3"),
    "associative_scan of 7": ("lambda xs: lax.associative_scan(jnp.add, xs)", "7"),
    "associative_scan reversed": ("lambda xs: lax.associative_scan(jnp.add, xs, reverse=True)", "5"),
    "associative_scan along 1": ("lambda xs: lax.associative_scan(jnp.maximum, xs, axis=-1)", "2,6"),
    "platform_dependent": (
        "lambda x: lax.platform_dependent(x, cpu=jnp.sin, tpu=jnp.cos, default=jnp.exp)",
        "3",
    ),
    "platform_dependent without default": (
        "lambda x: lax.platform_dependent(x, cpu=jnp.sin, cuda=jnp.cos)",
        "3",
    ),
}
FORWARD: dict[str, tuple[str, str]] = {
    "while_loop": ("lambda x: lax.while_loop(lambda c: c[0] < 9, lambda c: c * 2, x)", "3"),
    "while_loop with constants": (
        "lambda x, y: lax.while_loop(lambda c: c[0] < y[0], lambda c: c * y + 1, x)",
        "3 3",
    ),
    "while_loop of a pair": (
        "lambda x: lax.while_loop(lambda c: c[0] < 3, lambda c: (c[0] + 1, jnp.sin(c[1])), (0, x))[1]",
        "3",
    ),
    "while_loop of a traced length": (
        "lambda x, y: lax.fori_loop(0, y[0].astype(int), lambda i, c: jnp.sin(c) * i, x)",
        "3 3",
    ),
    "while_loop in scan": (
        "lambda c, xs: lax.scan(lambda c, x: (lax.while_loop(lambda d: d[0] < 3, lambda d: d * 2, c) * x,"
        " c), c, xs)[1]",
        "3 4,3",
    ),
    "scan in while_loop": (
        "lambda c, xs: lax.while_loop(lambda c: c[0] < 9,"
        " lambda c: lax.scan(lambda c, x: (c * x, None), c, xs)[0], c)",
        "3 4,3",
    ),
}

FORMS = {
    "plain": "jaxpr({f}, {args})",
    "jit": "jaxpr(jax.jit({f}), {args})",
    "jvp": "jaxpr(lambda *a: jax.jvp({f}, a, a), {args})",
    "linearize": "jaxpr(lambda *a: jax.linearize({f}, *a)[1](*a), {args})",
    "vjp": "jaxpr(lambda *a: jax.vjp({f}, *a)[1](({f})(*a)), {args})",
    "grad": "jaxpr(jax.grad(lambda *a: ({f})(*a).sum()), {args})",
    "vmap": "jaxpr(jax.vmap({f}), {stacked})",
    "vmap of one": "jaxpr(jax.vmap({f}, (0, *[None] * {others})), {one})",
    "vmap of grad": "jaxpr(jax.vmap(jax.grad(lambda *a: ({f})(*a).sum())), {stacked})",
}
_BACKWARD = ("vjp", "grad", "vmap of grad", "linearize")


def _program(form: str, function: str, shapes: str) -> str:
    lists = [shape.split(",") for shape in shapes.split()]
    stacked = [f"f32(2, {', '.join(shape)})" for shape in lists]
    args = [f"f32({', '.join(shape)})" for shape in lists]
    return FORMS[form].format(
        f=function,
        args=", ".join(args),
        stacked=", ".join(stacked),
        others=len(args) - 1,
        one=", ".join([stacked[0], *args[1:]]),
    )


PROGRAMS = {
    f"{name}, {form}": _program(form, function, shapes)
    for functions in (FUNCTIONS, FORWARD)
    for name, (function, shapes) in functions.items()
    for form in FORMS
    if not (form == "vmap of one" and " " not in shapes)
    if not (functions is FORWARD and form in _BACKWARD)
}
