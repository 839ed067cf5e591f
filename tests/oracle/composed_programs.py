"""Programs in which several parts of the language meet: each leaves what it computes in ``out``.

They are run by `jaxlab` and by jax, in both widths (`test_composed_programs.py`).
"""

from __future__ import annotations

PROGRAMS: dict[str, str] = {
    "gradient through a jitted mapped while loop that closes over the outer argument": """
def loss(w):
    @jax.jit
    def f(x):
        g = lambda x: lax.while_loop(lambda c: c[0] < 3, lambda c: (c[0] + 1, c[1] * w), (0, x))[1]
        return jax.vmap(lambda x: jax.jvp(g, (x,), (w,))[1])(x).sum()
    return f(jnp.arange(1.0, 3.0) * w)
out = jax.jvp(loss, (1.5,), (1.0,)), jax.jit(jax.jacfwd(loss))(1.5)
""",
    "reverse mode through a while loop": """
out = jax.grad(lambda w: lax.while_loop(lambda c: c[0] < 3, lambda c: (c[0] + 1, c[1] * w), (0, w))[1])(2.0)
""",
    "reverse mode of a while loop whose carry has no tangent": """
def f(x):
    n = lax.while_loop(lambda c: c[0] < 3, lambda c: (c[0] + 1, c[1] * 2), (0, 1))[1]
    return jnp.sin(x) * n
out = jax.grad(f)(2.0), jax.vmap(jax.grad(f))(f32(3)), jax.hessian(f)(1.0)
""",
    "vmap of grad of scan with only constants batched": """
def f(w, x):
    return lax.scan(lambda c, y: (jnp.sin(c * w) + y, c), 0.5, x)[0]
xs = f32(3)
out = jax.vmap(jax.grad(f), (0, None))(f32(2), xs), jax.vmap(jax.grad(f, 1), (0, None))(f32(2), xs)
""",
    "vmap of grad of scan with only the sequence batched": """
def f(w, x):
    return lax.scan(lambda c, y: (jnp.sin(c * w) + y, c), 0.5, x)[0]
out = jax.jit(jax.vmap(jax.value_and_grad(f, (0, 1)), (None, 1)))(1.5, f32(3, 2))
""",
    "jvp of a custom_vjp function in jit": """
@jax.custom_vjp
def f(x): return jnp.sin(x)
f.defvjp(lambda x: (f(x), x), lambda r, ct: (ct * 7 * r,))
out = jax.jvp(jax.jit(f), (1.0,), (1.0,))
""",
    "gradient and second gradient of a custom_vjp function in jit in vmap": """
@jax.custom_vjp
def f(x): return jnp.sin(x)
f.defvjp(lambda x: (jnp.sin(x), x), lambda r, ct: (ct * 7 * r,))
g = jax.grad(jax.jit(f))
out = g(1.0), jax.grad(g)(1.0), jax.vmap(g)(f32(3)), jax.jacrev(jax.vmap(g))(f32(3)), jax.jit(jax.vmap(jax.grad(g)))(f32(2))
""",
    "linearize of jit of cond with integer operands": """
f = jax.jit(lambda x, n: lax.cond(n > 0, lambda x, n: x * n, lambda x, n: x - n, x, n))
y, lin = jax.linearize(f, 2.0, 3)
out = y, lin(1.0, np.zeros((), jax.dtypes.float0))
""",
    "cond with integer results under linearize": """
f = jax.jit(lambda x, n: lax.cond(n > 0, lambda x, n: (x * n, n), lambda x, n: (x - n, n + 1), x, n))
y, lin = jax.linearize(lambda x: f(x, 3), 2.0)
out = y, [str(t.dtype) for t in jax.tree.leaves(lin(1.0))]
""",
    "out_axes of pytrees with None": """
f = lambda x, y: {"a": x * y, "b": (y, None), "c": [x, jnp.sin(x)]}
out = jax.vmap(f, in_axes=(0, None), out_axes={"a": -1, "b": (None, None), "c": 0})(f32(3, 2), f32(2))
""",
    "out_axes None of a mapped result": """
out = jax.vmap(lambda x: x, out_axes=None)(f32(3))
""",
    "empty arrays": """
x = np.zeros((0, 3), np.float32)
out = (jax.grad(lambda x: jnp.sin(x).sum())(x), jax.vmap(jnp.sum)(x), jax.jacfwd(lambda x: x * 2)(x),
       jax.jacrev(lambda x: x.sum(0))(x), lax.scan(lambda c, y: (c + y.sum(), y), 0.0, x),
       jax.grad(lambda x: lax.scan(lambda c, y: (c * y.sum(), y), 1.0, x)[0])(x), lax.map(lambda r: r * 2, x),
       jax.vmap(lambda r: lax.cond(r.sum() > 0, jnp.sin, jnp.cos, r))(x), jax.hessian(lambda x: (x ** 3).sum())(x))
""",
    "empty sequence in vmap": """
out = jax.vmap(lambda x: lax.scan(lambda c, y: (c + y, c), x, np.zeros((0,), np.float32)))(f32(2))
""",
    "vmap over an axis of size 0": """
out = jax.vmap(lambda x: lax.while_loop(lambda c: c < 3, lambda c: c + 1, x))(np.zeros((0,), np.float32))
""",
    "float0 of integer arguments": """
g = jax.grad(lambda x, n: x * n, argnums=(0, 1), allow_int=True)(2.0, 3)
out = g[0], str(g[1].dtype), g[1].shape
""",
    "jvp with integer arguments": """
t = np.zeros((2,), jax.dtypes.float0)
y, dy = jax.jvp(lambda x, n: (x * n, n), (f32(2), i32(2)), (f32(2), t))
out = y, dy[0], str(dy[1].dtype)
""",
    "jvp in jit with integer results": """
y, dy = jax.jvp(jax.jit(lambda x: (x * 2, x.astype(int), jnp.argmax(x))), (f32(2),), (f32(2),))
out = y, dy[0], [str(t.dtype) for t in dy]
""",
    "vjp with integer results": """
y, pull = jax.vjp(jax.jit(lambda x: (x * 2, x.astype(jnp.int32))), f32(2))
out = y, pull((f32(2), np.zeros((2,), jax.dtypes.float0)))
""",
    "vjp of mapped function with integer results": """
y, pull = jax.vjp(jax.vmap(lambda x: (x * 2, x.astype(jnp.int32))), f32(2))
out = y, pull((f32(2), np.zeros((2,), jax.dtypes.float0)))
""",
    "integer carry of scan under grad": """
def f(x):
    def body(c, y):
        n, v, b = c
        return (n + 1, v * y + n, ~b), (n, v)
    (n, v, b), (ns, vs) = lax.scan(body, (0, x[0], True), x)
    return v * n + (vs * ns).sum() + b
out = jax.grad(f)(f32(3)), jax.jit(jax.hessian(f))(f32(3)), jax.vmap(jax.grad(f))(f32(2, 3)), jax.jvp(f, (f32(3),), (f32(3),))
""",
    "integer carry of scan with allow_int": """
def f(x, n):
    (n, v), ys = lax.scan(lambda c, y: ((c[0] + 1, c[1] * y * c[0]), c), (n, 1.0), x)
    return v
g = jax.grad(f, argnums=(0, 1), allow_int=True)(f32(3), 2)
out = g[0], str(g[1].dtype)
""",
    "auxiliary results with tracers": """
def f(x):
    return (x ** 2).sum(), {"a": jnp.sin(x), "b": x.astype(int), "c": None}
out = jax.jit(jax.value_and_grad(f, has_aux=True))(f32(2)), jax.vmap(jax.grad(f, has_aux=True))(f32(3, 2)), jax.jacfwd(lambda x: f(x), has_aux=True)(f32(2)), jax.jacrev(f, has_aux=True)(f32(2)), jax.hessian(f, has_aux=True)(f32(2))
""",
    "auxiliary results differentiated again": """
def f(x):
    y, aux = jax.grad(lambda x: ((x ** 3).sum(), x * 2), has_aux=True)(x)
    return (y * aux).sum()
out = jax.grad(f)(f32(2)), jax.jacfwd(jax.grad(f))(f32(2)), jax.jvp(jax.jit(f), (f32(2),), (f32(2),))
""",
    "auxiliary results that are not arrays": """
out = jax.grad(lambda x: (x * 2, "text"), has_aux=True)(1.0)
""",
    "auxiliary results that are not arrays, in vjp": """
y, pull, aux = jax.vjp(lambda x: (x * 2, {"a": "text", "b": jnp.sin(x)}), 1.0, has_aux=True)
out = y, pull(1.0), aux
""",
    "nested linearize": """
def f(x):
    y, lin = jax.linearize(jnp.sin, x)
    return lin(x) * y
y, lin = jax.linearize(f, 0.5)
out = y, lin(1.0), jax.grad(f)(0.5), jax.vmap(f)(f32(3)), jax.jit(jax.grad(jax.grad(f)))(0.5)
""",
    "linearized function applied in jit, vmap and grad": """
y, lin = jax.linearize(lambda x: jnp.sin(x) * x, f32(3))
out = jax.jit(lin)(f32(3)), jax.vmap(lin)(f32(2, 3)), jax.grad(lambda t: (lin(t) ** 2).sum())(f32(3)), jax.jvp(lin, (f32(3),), (f32(3),)), jax.linear_transpose(lin, f32(3))(f32(3))
""",
    "a vjp function as a pytree through scan": """
y, pull = jax.vjp(lambda x: jnp.sin(x) * x, f32(3))
leaves = jax.tree.leaves(pull)
def body(c, _):
    return c, c(f32(3))[0]
out = lax.scan(body, pull, None, length=2)[1], jax.jit(lambda p, ct: p(ct))(pull, f32(3))
""",
    "a vjp function out of vmap": """
pulls = jax.vmap(lambda x: jax.vjp(lambda x: jnp.sin(x) * x, x)[1])(f32(3))
out = jax.vmap(lambda p, ct: p(ct))(pulls, f32(3))
""",
    "a vjp function out of jit": """
y, pull = jax.jit(lambda x: jax.vjp(lambda x: jnp.sin(x) * x, x))(f32(3))
out = y, pull(f32(3))
""",
    "a linearized function out of jit": """
y, lin = jax.jit(lambda x: jax.linearize(lambda x: jnp.sin(x) * x, x))(f32(3))
out = y, lin(f32(3))
""",
    "perturbation confusion": """
d = lambda f: lambda x: jax.jvp(f, (x,), (1.0,))[1]
g = jax.grad
out = (d(lambda x: x * d(lambda y: x + y)(1.0))(1.0), g(lambda x: x * g(lambda y: x * y)(2.0))(3.0),
       d(lambda x: x * g(lambda x: x * x)(x))(3.0), g(lambda x: d(lambda x: jnp.sin(x) * x)(x) * x)(1.0),
       g(lambda x: x * g(lambda y: x + y)(1.0))(1.0), d(lambda x: g(lambda y: d(lambda z: x * y * z)(y))(x))(2.0),
       jax.jit(g(lambda x: jax.jit(d(lambda y: x * y * y))(x)))(3.0))
""",
    "perturbation confusion in a mapped jacobian": """
f = lambda x: jax.jacfwd(lambda y: jax.jacrev(lambda z: z * y * x)(y))(x).sum()
out = jax.grad(f)(f32(2)), jax.vmap(jax.grad(f))(f32(2, 2)), jax.jacfwd(f)(f32(2))
""",
    "checkpoint under vmap under grad under scan": """
f = jax.checkpoint(lambda x: jnp.sin(jnp.sin(x)) * x)
def loss(x):
    return lax.scan(lambda c, y: (c + jax.vmap(f)(c * y), jax.grad(lambda z: jax.vmap(f)(z).sum())(y)), x[0], x)
out = jax.grad(lambda x: sum(jnp.sum(z) for z in loss(x)))(f32(3, 2)), jax.jit(jax.jacfwd(lambda x: loss(x)[0]))(f32(3, 2))
""",
    "checkpoint with a policy around scan": """
f = jax.checkpoint(lambda x: lax.scan(lambda c, y: (jnp.sin(c @ y), c), x[0], x)[0], policy=jax.checkpoint_policies.dots_saveable)
out = jax.grad(lambda x: f(x).sum())(f32(2, 3, 3)), jax.vmap(jax.grad(lambda x: f(x).sum()))(f32(2, 2, 3, 3)), jax.hessian(lambda x: f(x).sum())(f32(1, 2, 2))
""",
    "grad of the identity": """
out = jax.grad(lambda x: x)(1.0), jax.grad(lambda x: x)(np.float32(1)), jax.vjp(lambda x: x, f32(2))[1](jnp.asarray(f32(2))), jax.jacfwd(lambda x: x)(1.0), jax.jacrev(lambda x: x)(np.float32(1)), jax.hessian(lambda x: x)(1.0), jax.jvp(lambda x: x, (1.0,), (1.0,)), jax.jit(jax.grad(lambda x: x))(1.0)
""",
    "grad of a constant": """
out = jax.grad(lambda x: 1.0)(1.0), jax.grad(lambda x: jnp.float32(1))(f32(2)), jax.jacfwd(lambda x: f32(2))(f32(3)), jax.jacrev(lambda x: f32(2))(f32(3)), jax.jvp(lambda x: 1.0, (1.0,), (1.0,)), jax.vmap(lambda x: 1.0)(f32(2)), jax.vmap(jax.grad(lambda x: 1.0))(f32(2))
""",
    "leaves that are not arrays": """
out = jax.jit(lambda x: x)("text")
""",
    "leaves that are not arrays in grad": """
out = jax.grad(lambda d: d["x"] * 2)({"x": 1.0, "s": "text"})
""",
    "leaves that are not arrays in vmap": """
out = jax.vmap(lambda d: d["x"])({"x": f32(3), "s": "text"})
""",
    "leaves that are not arrays in scan": """
out = lax.scan(lambda c, x: (c, x), "text", f32(3))
""",
    "results that are not arrays in jit": """
out = jax.jit(lambda x: (x, "text"))(1.0)
""",
    "results that are not arrays in vmap": """
out = jax.vmap(lambda x: (x, "text"))(f32(3))
""",
    "results that are not arrays in jvp": """
out = jax.jvp(lambda x: (x, "text"), (1.0,), (1.0,))
""",
    "results that are not arrays in linearize": """
out = jax.linearize(lambda x: (x, "text"), 1.0)[0]
""",
    "results that are not arrays in vjp": """
out = jax.vjp(lambda x: (x, "text"), 1.0)[0]
""",
    "weak types": """
f = lambda x: x * 2
one = jnp.ones(())
out = (jax.jit(f)(1.0), jax.grad(f)(1.0), jax.vmap(f)(f32(2)), jax.jvp(f, (1.0,), (1.0,)), jax.vjp(f, 1.0)[0], jax.vjp(f, 1.0)[1](1.0), jax.vjp(f, 1.0)[1](one),
       jax.linearize(f, 1.0)[1](1.0), jax.linearize(f, 1.0)[1](one), jax.jacfwd(f)(1.0), jax.jacrev(f)(1.0), jax.hessian(jnp.sin)(1.0), jax.checkpoint(f)(1.0), jax.jit(jax.grad(f))(1.0), jax.grad(jax.jit(f))(1.0),
       lax.cond(True, f, f, 1.0), lax.scan(lambda c, _: (c * 2, c), 1.0, None, length=2), lax.while_loop(lambda c: c < 3, f, 1.0), lax.fori_loop(0, 2, lambda i, c: c * 2, 1.0), lax.map(f, f32(2)), jax.grad(lambda x: lax.cond(True, f, f, x))(1.0),
       jax.grad(lambda x: lax.scan(lambda c, _: (c * x, c), x, None, length=2)[0])(1.0), jax.vmap(lambda x, y: y * 2, (0, None))(f32(2), 1.0), jax.vmap(lambda x, y: y * 2, (0, None), None)(f32(2), 1.0))
""",
    "weak types of carries": """
out = lax.scan(lambda c, x: (c + x, c), 0.0, f32(3)), lax.scan(lambda c, x: (c + 1, c), 0, f32(3)), lax.while_loop(lambda c: c[0] < 3, lambda c: (c[0] + 1, c[1] * np.float32(2)), (0, 1.0)), lax.fori_loop(0, 3, lambda i, c: c + i, 0), lax.fori_loop(0, 3, lambda i, c: c + f32(), 0.0)
""",
    "weak types of branches": """
one, two = jnp.ones(()), jnp.zeros((), int)
out = lax.cond(True, lambda: 1.0, lambda: one), lax.cond(True, lambda: one, lambda: 1.0), lax.switch(1, [lambda: 1, lambda: two]), lax.switch(1, [lambda: two, lambda: 1]), jax.jit(lambda p: lax.cond(p, lambda: 1.0, lambda: one))(True), jax.jit(lambda p: lax.cond(p, lambda: one, lambda: 1.0))(True)
""",
    "jvp of a while loop with constants": """
def f(x, w):
    return lax.while_loop(lambda c: (c * w) < 10, lambda c: c * w + 1, x)
out = jax.jvp(f, (1.0, 2.0), (1.0, 1.0)), jax.jvp(lambda w: f(1.0, w), (2.0,), (1.0,)), jax.vmap(lambda x, w: jax.jvp(f, (x, w), (x, w)))(jnp.arange(1.0, 3.0), jnp.arange(2.0, 4.0)), jax.linearize(f, 1.0, 2.0)[1](1.0, 1.0), jax.jacfwd(jax.jacfwd(f, 1), 1)(1.0, 2.0)
""",
    "while loop with a batched predicate that closes over a tracer": """
def g(w):
    return jax.vmap(lambda x: lax.while_loop(lambda c: c[0].sum() < w, lambda c: (c[0] * 2, c[1] + 1), (x, 0)))(abs(f32(3, 2)) + 1)
out = g(10.0), jax.jit(g)(10.0), jax.vmap(g)(f32(2) + 10), jax.jvp(lambda w: g(w)[0], (10.0,), (1.0,))
""",
    "refs under grad and vmap": """
def f(x):
    r = jax.new_ref(x * 0)
    def body(i, _):
        r[...] = r[...] * 0.5 + jnp.sin(x) * i
    lax.fori_loop(0, 3, body, None)
    return r[...].sum()
out = jax.grad(f)(f32(3)), jax.vmap(f)(f32(2, 3)), jax.jit(jax.vmap(jax.grad(f)))(f32(2, 3)), jax.jvp(f, (f32(3),), (f32(3),)), jax.hessian(f)(f32(2))
""",
    "refs in scan in cond": """
def f(x):
    r = jax.new_ref(x)
    def body(c, y):
        lax.cond(y > 0, lambda: r.__setitem__(0, y * c), lambda: None)
        return c * y, r[0]
    ys = lax.scan(body, 1.0, x)[1]
    return (r[...] * ys).sum()
out = f(f32(3)), jax.jit(f)(f32(3)), jax.jvp(f, (f32(3),), (f32(3),))
""",
    "named axes under grad outside and inside": """
def f(x):
    return (x - lax.pmean(x, "i")) ** 2 * lax.psum(x, "i")
g = lambda x: jax.vmap(f, axis_name="i")(x).sum()
out = jax.grad(g)(f32(3)), jax.vmap(jax.grad(f), axis_name="i")(f32(3)), jax.vmap(jax.vmap(lambda x: jax.grad(f)(x), axis_name="i"), axis_name="j")(f32(2, 3)), jax.hessian(g)(f32(3)), jax.vmap(lambda x: jax.jvp(f, (x,), (x,)), axis_name="i")(f32(3)), jax.vmap(jax.linearize(jax.vmap(f, axis_name="i"), f32(3))[1])(f32(2, 3))
""",
    "named axes in scan in jit in checkpoint": """
@jax.jit
@jax.checkpoint
def f(x):
    return lax.scan(lambda c, y: (c * lax.psum(y, "i"), lax.axis_index("i") * c), 1.0, x)
out = jax.vmap(f, axis_name="i")(f32(3, 2)), jax.grad(lambda x: jax.vmap(f, axis_name="i")(x)[0].sum())(f32(3, 2)), jax.vmap(jax.vmap(f, axis_name="j"), axis_name="i")(f32(2, 2, 3))
""",
    "collective in cond with a batched predicate": """
out = jax.vmap(lambda x: lax.cond(x > 0, lambda x: lax.psum(x, "i"), lambda x: x, x), axis_name="i")(f32(3))
""",
    "static arguments under grad and vmap": """
@functools.partial(jax.jit, static_argnums=(1,), static_argnames=("mode",))
def f(x, n, *, mode="a"):
    for _ in range(n): x = jnp.sin(x) if mode == "a" else jnp.cos(x)
    return x
out = jax.grad(f)(1.0, 2), jax.grad(f)(1.0, 3, mode="b"), jax.vmap(lambda x: jax.grad(f)(x, 2))(f32(3)), jax.vmap(lambda x: f(x, 2, mode="b"))(f32(3)), jax.hessian(lambda x: f(x, 2))(1.0)
""",
    "nondiff_argnums with custom_vjp in scan": """
@functools.partial(jax.custom_vjp, nondiff_argnums=(0, 2))
def app(f, x, n): return f(x) * n
app.defvjp(lambda f, x, n: (f(x) * n, x), lambda f, n, r, ct: (ct * 10 * n * r,))
g = lambda x: lax.scan(lambda c, y: (app(jnp.sin, c, 2) + y, c), x, f32(3))[0]
out = g(1.0), jax.grad(g)(1.0), jax.vmap(jax.grad(g))(f32(2)), jax.jit(jax.grad(g))(1.0), jax.grad(jax.grad(g))(1.0)
""",
    "custom_jvp that closes over a tracer": """
def outer(w):
    @jax.custom_jvp
    def f(x): return x * w
    f.defjvp(lambda p, t: (f(*p), t[0] * w * 3))
    return jax.grad(f)(2.0) + f(w)
out = outer(2.0), jax.jvp(outer, (2.0,), (1.0,)), jax.vmap(outer)(f32(2)), jax.jit(outer)(2.0)
""",
    "custom_jvp that closes over a tracer, gradient": """
def outer(w):
    @jax.custom_jvp
    def f(x): return x * w
    f.defjvp(lambda p, t: (f(*p), t[0] * w * 3))
    return jax.grad(f)(2.0) + f(w)
out = jax.grad(outer)(2.0)
""",
    "custom_vjp that closes over a tracer": """
def outer(w):
    @jax.custom_vjp
    def f(x): return x * w
    f.defvjp(lambda x: (x * w, w), lambda r, ct: (ct * r * 3,))
    return jax.grad(f)(2.0) + f(2.0)
out = outer(2.0), jax.vmap(outer)(f32(2)), jax.jit(outer)(2.0)
""",
    "custom_vjp that closes over a tracer that is differentiated": """
def outer(w):
    @jax.custom_vjp
    def f(x): return x * w
    f.defvjp(lambda x: (x * w, w), lambda r, ct: (ct * r * 3,))
    return f(2.0)
out = jax.grad(outer)(2.0)
""",
    "custom_vjp with integer and None arguments": """
@jax.custom_vjp
def f(x, n, z): return x["a"] * n
f.defvjp(lambda x, n, z: (f(x, n, z), (x, n)), lambda r, ct: ({"a": ct * r[1] * 2}, None, None))
out = jax.grad(lambda x: f(x, 3, None))({"a": 2.0}), jax.vmap(jax.grad(lambda x, n: f(x, n, None)), (0, 0))({"a": f32(2)}, i32(2)), jax.jit(jax.grad(lambda x: f(x, 3, None)))({"a": 2.0})
""",
    "solve under everything": """
def f(d, b):
    solve = lambda mv, b: b / (2 + d * d)
    return lax.custom_linear_solve(lambda x: (2 + d * d) * x, b, solve, solve, symmetric=True)
g = lambda d, b: jnp.sin(f(d, b)).sum()
out = f(f32(3), f32(3)), jax.grad(g, (0, 1))(f32(3), f32(3)), jax.vmap(jax.grad(g), (0, None))(f32(2, 3), f32(3)), jax.hessian(g)(f32(2), f32(2)), jax.jit(jax.vmap(f, (None, 0)))(f32(3), f32(2, 3)), jax.jvp(jax.checkpoint(f), (f32(3), f32(3)), (f32(3), f32(3)))
""",
    "associative_scan under everything": """
f = lambda x: lax.associative_scan(lambda a, b: (a[0] * b[0], a[1] * b[0] + b[1]), (x, jnp.cos(x)))[1]
out = f(f32(5)), jax.jacfwd(f)(f32(4)), jax.jacrev(f)(f32(4)), jax.vmap(f)(f32(2, 3)), jax.jit(jax.hessian(lambda x: f(x).sum()))(f32(3)), jax.vmap(f, 1, 1)(f32(3, 2))
""",
    "map with a batch size under grad": """
f = lambda x: lax.map(lambda r: jnp.sin(r) * r.sum(), x, batch_size=2)
out = f(f32(5, 2)), jax.grad(lambda x: f(x).sum())(f32(5, 2)), jax.vmap(f)(f32(2, 3, 2)), jax.jvp(f, (f32(3, 2),), (f32(3, 2),))
""",
    "complex in scan in grad": """
def f(x):
    z = lax.scan(lambda c, y: (c * jnp.exp(1j * y), c), lax.complex(x[0], x[1]), x)
    return (z[0].real * jnp.abs(z[1]).sum())
out = jax.grad(f)(f32(3)), jax.hessian(f)(f32(3)), jax.vmap(jax.grad(f))(f32(2, 3)), jax.jit(jax.grad(f))(f32(3)), jax.jvp(f, (f32(3),), (f32(3),))
""",
    "holomorphic derivatives": """
f = lambda z: jnp.sin(z) * z
out = jax.grad(f, holomorphic=True)(1 + 2j), jax.jacfwd(f, holomorphic=True)(c64(2)), jax.jacrev(f, holomorphic=True)(c64(2)), jax.vmap(jax.grad(f, holomorphic=True))(c64(3)), jax.grad(lambda z: jnp.abs(f(z)))(1 + 2j), jax.vmap(jax.grad(lambda z: f(z).real))(c64(3))
""",
    "eval_shape of gradients": """
f = lambda p: (p["a"] ** 2).sum() * p["b"]
s = jax.eval_shape(jax.value_and_grad(f), {"a": f32(2, 3), "b": 1.0})
out = str(s)
""",
    "a jaxpr evaluated under grad and vmap": """
closed = jax.make_jaxpr(lambda x: (jnp.sin(x) * x, lax.cond(x > 0, jnp.sin, jnp.cos, x)))(1.0)
f = extend_core.jaxpr_as_fun(closed)
out = f(2.0), jax.grad(lambda x: sum(f(x)))(2.0), jax.vmap(f)(jnp.arange(3.0)), jax.jit(f)(1.0)
""",
    "vmap of cond with a batched predicate and closed-over values": """
def f(x, w):
    return lax.cond(x > 0, lambda: w * x, lambda: jnp.sin(w))
out = jax.vmap(f, (0, None))(f32(3), f32(2)), jax.vmap(jax.grad(lambda x, w: f(x, w).sum(), (0, 1)), (0, None))(f32(3), f32(2)), jax.grad(lambda w: jax.vmap(f, (0, None))(f32(3), w).sum())(f32(2)), jax.jacfwd(lambda w: jax.vmap(f, (0, None))(f32(3), w))(f32(2))
""",
    "switch with a batched index under grad": """
def f(i, x):
    return lax.switch(i, [jnp.sin, lambda x: x * 2, lambda x: lax.stop_gradient(x) * x], x)
out = jax.vmap(jax.grad(f, 1))(i32(4), f32(4)), jax.jit(jax.vmap(f, (0, None)))(i32(4), 1.5), jax.vmap(f, (None, 0))(1, f32(3)), jax.vmap(jax.hessian(f, 1))(i32(4), f32(4))
""",
    "named tuples, None and empty containers through everything": """
import collections
P = collections.namedtuple("P", "a b c d")
f = lambda p: P(p.a * 2, None, {}, (p.d[0].sum(), []))
p = P(f32(2), None, {}, [f32(2, 2)])
loss = lambda p: f(p).a.sum() * f(p).d[0]
out = tuple(f(p)), tuple(jax.jit(f)(p)), tuple(jax.grad(loss)(p)), tuple(jax.vmap(f)(p)), tuple(jax.jvp(f, (p,), (p,))[1]), tuple(lax.scan(lambda c, x: (c, f(c)), p, None, length=2)[1]), tuple(jax.checkpoint(f)(p)), jax.tree.map(lambda x: x, tuple(jax.hessian(loss)(p).a))
""",
    "callbacks under vmap and jit": """
cb = lambda x: jax.pure_callback(lambda v: np.sin(v), jax.ShapeDtypeStruct(x.shape, x.dtype), x, vmap_method="sequential")
out = cb(f32(3)), jax.jit(jax.vmap(cb))(f32(2, 3)), lax.scan(lambda c, x: (cb(c) + x, c), f32(), f32(3)), jax.vmap(lambda x: lax.cond(x > 0, cb, lambda x: x, x))(f32(3))
""",
    "gradient of a callback": """
out = jax.grad(lambda x: jax.pure_callback(lambda v: np.sin(v), jax.ShapeDtypeStruct(x.shape, x.dtype), x))(np.float32(1))
""",
    "callback on a value without tangent under grad": """
def f(x):
    y = jax.pure_callback(lambda v: np.sin(v), jax.ShapeDtypeStruct((), np.float32), lax.stop_gradient(x), vmap_method="sequential")
    return x * y
out = jax.grad(f)(np.float32(1)), jax.jit(jax.hessian(f))(np.float32(1)), jax.vmap(jax.grad(f))(f32(2))
""",
    "stop_gradient through scan and jit": """
f = lambda x: lax.scan(lambda c, y: (lax.stop_gradient(c) * y + c, c), x[0], x)[0]
out = jax.grad(f)(f32(3)), jax.jit(jax.jacfwd(jax.grad(f)))(f32(3)), jax.grad(jax.jit(lambda x: lax.stop_gradient({"a": x})["a"] * x))(2.0)
""",
    "unused arguments": """
out = jax.grad(jax.jit(lambda x, y: x * 2), (0, 1))(1.0, 2.0), jax.vmap(jax.grad(lambda x, y: y, (0, 1)))(f32(2), f32(2)), jax.jacrev(lambda x, y: y * 2, (0, 1))(f32(2), f32(3)), jax.grad(lambda x: lax.cond(True, lambda x: 1.0, lambda x: 2.0, x))(1.0), jax.grad(lambda x: lax.scan(lambda c, y: (c, None), 1.0, x)[0])(f32(3))
""",
    "the same argument twice": """
x = jnp.asarray(f32(3))
y, pull = jax.vjp(lambda a, b: a * b * b, x, x)
out = pull(x), jax.jit(lambda a, b: a * b)(x, x), jax.jvp(lambda a, b: a * b, (x, x), (x, x)), jax.tree.leaves(jax.tree.map(lambda p: p + 1, pull)) and 1
""",
    "a leaf of the vjp function changed": """
x = jnp.asarray(f32(3))
y, pull = jax.vjp(lambda a: jnp.sin(a) * a, x)
out = jax.tree.map(lambda p: p * 2, pull)(x)
""",
    "jit of vjp of vmap of jit": """
f = jax.jit(lambda x, w: jnp.tanh(w @ x))
def g(x, w, ct):
    y, pull = jax.vjp(jax.vmap(f, (1, None), 1), x, w)
    return y, pull(ct)
out = jax.jit(g)(f32(3, 2), f32(2, 3), f32(2, 2)), g(f32(3, 2), f32(2, 3), f32(2, 2)), jax.jacfwd(lambda w: g(f32(3, 2), w, f32(2, 2))[1][1])(f32(2, 3))
""",
    "grad with respect to a number under jit with a dtype of 16 bits": """
out = jax.grad(lambda x: (x * bf16(3)).sum())(1.0), jax.vjp(lambda x: x * f16(3), 2.0)[1](f16(3)), jax.grad(lambda x: (x * f16(3)).astype(jnp.float32).sum())(f16(3)), jax.jvp(lambda x: x * bf16(2), (1.0,), (1.0,))
""",
    "cotangents of another weak type": """
y, pull = jax.vjp(lambda x: jnp.sin(x), 1.0)
one = jnp.ones(())
out = pull(1.0), pull(one), jax.vjp(lambda x: x, 1.0)[1](one), jax.vjp(jnp.sin, one)[1](2.0), jax.jvp(lambda x: x, (1.0,), (one,))
""",
    "donated and closed-over values": """
c = jnp.asarray(f32(3))
f = jax.jit(lambda x: x + c, donate_argnums=0)
out = f(jnp.asarray(f32(3))), jax.vmap(f)(f32(2, 3)), jax.grad(lambda x: f(x).sum())(f32(3))
""",
    "custom_vmap under grad, jit and scan": """
from_axis = jax.custom_batching.custom_vmap(lambda x: jnp.sin(x))
@from_axis.def_vmap
def rule(size, batched, x): return jnp.cos(x) * size, batched[0]
out = jax.vmap(from_axis)(f32(3)), jax.jvp(jax.vmap(from_axis), (f32(3),), (f32(3),)), jax.vmap(jax.jit(from_axis))(f32(3)), jax.vmap(lambda x: lax.scan(lambda c, _: (from_axis(c), c), x, None, length=2))(f32(2))
""",
    "random keys through everything": """
k = random.key(0)
f = lambda k, x: (random.normal(k, (2,)) * x).sum()
ks = random.split(k, 3)
out = jax.grad(f, 1)(k, 2.0), jax.vmap(f, (0, None))(ks, 1.0), jax.vmap(jax.grad(f, 1))(ks, f32(3)), lax.scan(lambda c, k: (c * f(k, c), random.fold_in(k, 1)), 1.0, ks)[0], lax.cond(True, lambda k: random.split(k), lambda k: random.split(random.fold_in(k, 1)), k).shape, jax.jit(jax.vmap(lambda k: lax.while_loop(lambda c: random.uniform(c[0]) < 0.5, lambda c: (random.split(c[0])[0], c[1] + 1), (k, 0))[1]))(ks)
""",
    "gradient with respect to keys": """
out = jax.grad(lambda k, x: random.normal(k) * x, 1)(random.key(0), 1.0), str(jax.grad(lambda k, x: random.normal(k) * x, (0, 1), allow_int=True)(random.key(0), 1.0)[0])
""",
    "vmap with spmd names and axis_size": """
out = jax.vmap(lambda: lax.axis_index("i"), axis_size=3, axis_name="i")(), jax.vmap(lambda x: x, axis_size=2, in_axes=None)(1.0), jax.vmap(lambda x: lax.axis_index("i") + x, axis_size=2, in_axes=None, axis_name="i")(1.0)
""",
    "a jitted function called with other ranks under other transformations": """
f = jax.jit(lambda x: (x * x).sum())
out = f(1.0), f(f32(2)), jax.grad(f)(f32(2)), jax.vmap(f)(f32(2, 2)), jax.vmap(jax.grad(f))(f32(2, 2)), jax.grad(lambda x: jax.vmap(f)(x).sum())(f32(2, 2)), jax.jacfwd(jax.grad(f))(f32(2)), jax.checkpoint(f)(f32(2)), jax.linearize(f, f32(2))[1](f32(2))
""",
    "float0 in and out of compiled programs": """
f = lambda n: jax.grad(lambda n: (n * 2.0).sum(), allow_int=True)(n)
kind = lambda out: jax.tree.map(lambda x: (str(x.dtype), x.shape), out)
z = np.zeros((2,), jax.dtypes.float0)
n = np.int32([1, 2])
out = [kind(x) for x in (jax.jit(f)(3), jax.vmap(f)(n), jax.jit(jax.vmap(f))(n), lax.cond(True, f, f, 3), lax.scan(lambda c, x: (c, f(n)), 0.0, f32(3))[1], jax.checkpoint(f)(3), jax.eval_shape(f, 3))]
out += [kind(jax.jit(lambda z, x: (z, x))(z, f32(2))), jax.jit(lambda n, z: jax.jvp(lambda n: n * 2.0, (n,), (z,)))(n, z), jax.jit(jax.linearize(lambda n, x: n * x, 2, 3.0)[1])(np.zeros((), jax.dtypes.float0), 1.0)]
""",
    "constants of booleans in an inner function": """
def f(mask):
    return jax.jit(lambda x: jax.jit(lambda x: jnp.where(mask, x, 0))(x))(1.0)
out = [f(np.resize([True, False, True, True, False], n)) for n in (1, 2, 3, 5, 8, 9, 17)], f(np.ones((2, 1), bool)), f(np.zeros((3, 3), bool)), f(np.zeros((0, 2), bool))
""",
    "functions with rules that close over what vmap maps": """
def with_rules(w):
    @jax.custom_vjp
    def f(x): return x * w
    f.defvjp(lambda x: (x * w, w), lambda r, ct: (ct * r * 3,))
    @jax.custom_jvp
    def g(x): return x * w
    g.defjvp(lambda p, t: (p[0] * w, t[0] * w * 3))
    return f, g
out = [
    [jax.vmap(lambda w: call(with_rules(w)[i], w))(f32(3)) for call in (lambda f, w: f(2.0), lambda f, w: f(w), lambda f, w: jax.grad(f)(2.0), lambda f, w: jax.jit(f)(w), lambda f, w: jax.vmap(f)(jnp.arange(2.0)))]
    for i in (0, 1)
]
""",
    "random keys stacked by scan": """
keys = random.split(random.key(0), 3)
out = [random.key_data(k) for k in lax.scan(lambda c, k: (random.fold_in(c, 1), (random.fold_in(k, 1), c)), keys[0], keys)[1]]
""",
    "where the greatest and the least element is, and how many are not zero": """
x = f32(2, 3)
out = jnp.argmax(x), jnp.argmin(x, 1), jax.jit(jnp.argmax)(x), x.argmax() + jnp.count_nonzero(x)
""",
}
