"""Programs as tutorials of JAX have them, on learning and computing; the tests run them with other import lines.

Each function without arguments whose name has no leading underscore is a program, and gives arrays.
"""

import itertools
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax, random
from jax.flatten_util import ravel_pytree
from jax.tree_util import tree_map


class _Params(NamedTuple):
    weight: jax.Array
    bias: jax.Array


def _init_mlp(sizes, seed=0):
    draw = np.random.default_rng(seed).normal
    return [
        _Params(
            jnp.asarray(draw(size=(m, n)) / np.sqrt(m), jnp.float32),
            jnp.zeros(n),
        )
        for m, n in itertools.pairwise(sizes)
    ]


def _mlp(params, x):
    *hidden, last = params
    for layer in hidden:
        x = jnp.tanh(x @ layer.weight + layer.bias)
    return x @ last.weight + last.bias


def training_loop():
    x = jnp.linspace(-1, 1, 16).reshape(-1, 1)
    y = jnp.sin(3 * x)

    def loss(params, x, y):
        return jnp.mean((_mlp(params, x) - y) ** 2)

    @partial(jax.jit, donate_argnums=0)
    def update(params, x, y):
        value, grads = jax.value_and_grad(loss)(params, x, y)
        return tree_map(lambda p, g: p - 0.1 * g, params, grads), value

    params, values = _init_mlp([1, 8, 8, 1]), []
    for _ in range(20):
        params, value = update(params, x, y)
        values.append(value)
    assert values[-1] < values[0]
    return params, jnp.stack(values)


def maml():
    def loss(w, task):
        return (jnp.tanh(w[0] * task) + w[1] - jnp.sin(task)) ** 2

    def adapted(w, task):
        return w - 0.1 * jax.grad(loss)(w, task)

    def meta_loss(w, tasks):
        return jnp.mean(jax.vmap(lambda task: loss(adapted(w, task), task))(tasks))

    w = jnp.array([0.5, -0.2])
    for _ in range(5):
        w -= 0.5 * jax.jit(jax.grad(meta_loss))(w, jnp.linspace(0.1, 1.0, 4))
    return w


def per_example_gradients():
    x, y = jnp.linspace(-1, 1, 6).reshape(3, 2), jnp.array([0.0, 1.0, 2.0])

    def loss(params, x, y):
        return (_mlp(params, x)[0] - y) ** 2

    each = jax.vmap(jax.grad(loss), in_axes=(None, 0, 0))(_init_mlp([2, 4, 1]), x, y)
    norms = jax.vmap(lambda g: jnp.linalg.norm(ravel_pytree(g)[0]))(each)
    clipped = tree_map(lambda g: jnp.einsum("b,b...->...", jnp.minimum(1.0, 1.0 / norms), g), each)
    return norms, clipped


def hessian_vector_products():
    def f(x):
        return jnp.sum(jnp.exp(jnp.sin(x)) * jnp.roll(x, 1) ** 2)

    x, v = jnp.arange(1.0, 5.0), jnp.array([1.0, -1.0, 0.5, 2.0])
    forward_over_reverse = jax.jvp(jax.grad(f), (x,), (v,))[1]
    reverse_over_reverse = jax.grad(lambda x: jnp.vdot(jax.grad(f)(x), v))(x)
    reverse_over_forward = jax.grad(lambda x: jax.jvp(f, (x,), (v,))[1])(x)
    _, hvp = jax.linearize(jax.grad(f), x)
    gauss_newton = jax.vjp(jnp.sin, x)[1](jax.jvp(jnp.sin, (x,), (v,))[1])
    dense = jax.hessian(f)(x) @ v
    return forward_over_reverse, reverse_over_reverse, reverse_over_forward, hvp(v), gauss_newton, dense


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _fixed_point(f, a, x0):
    def unfinished(carry):
        before, x = carry
        return jnp.abs(before - x) > 1e-6

    return lax.while_loop(unfinished, lambda carry: (carry[1], f(a, carry[1])), (x0, f(a, x0)))[1]


def _fixed_point_fwd(f, a, x0):
    x = _fixed_point(f, a, x0)
    return x, (a, x)


def _fixed_point_rev(f, res, ct):
    a, x = res
    _, vjp_a = jax.vjp(lambda a: f(a, x), a)

    def adjoint(packed, u):
        a, x, ct = packed
        return ct + jax.vjp(lambda x: f(a, x), x)[1](u)[0]

    (a_ct,) = vjp_a(_fixed_point(adjoint, (a, x, ct), ct))
    return a_ct, jnp.zeros_like(x)


_fixed_point.defvjp(_fixed_point_fwd, _fixed_point_rev)


def implicit_differentiation():
    def sqrt(a):
        return _fixed_point(lambda a, x: 0.5 * (x + a / x), a, a)

    a = jnp.array(2.0)
    return (
        sqrt(a),
        jax.grad(sqrt)(a),
        jax.jit(jax.grad(sqrt))(a),
        jax.vmap(jax.grad(sqrt))(jnp.arange(1.0, 4.0)),
    )


def implicit_layers_of_lax():
    def root(a):
        return lax.custom_root(
            lambda x: x**3 - a,
            a,
            lambda f, x: lax.fori_loop(0, 20, lambda _, x: x - f(x) / jax.grad(f)(x), x),
            lambda g, y: y / g(1.0),
        )

    matrix, adjugate = jnp.array([[3.0, 1.0], [1.0, 2.0]]), jnp.array([[2.0, -1.0], [-1.0, 3.0]])

    def solve(b):
        return lax.custom_linear_solve(lambda x: matrix @ x, b, lambda _, b: adjugate @ b / 5, symmetric=True)

    return jax.vmap(jax.value_and_grad(root))(jnp.array([1.0, 8.0])), jax.jacobian(solve)(jnp.ones(2))


def recurrent_network():
    draw = np.random.default_rng(1).normal
    w = {
        "h": jnp.asarray(draw(size=(3, 3)) / 3, jnp.float32),
        "x": jnp.asarray(draw(size=(3, 2)), jnp.float32),
    }
    xs = jnp.sin(jnp.arange(20.0)).reshape(10, 2)

    def run(w, xs):
        def step(h, x):
            h = jnp.tanh(w["h"] @ h + w["x"] @ x)
            return h, h.sum()

        return lax.scan(step, jnp.zeros(3), xs)

    def loss(w, xs):
        return jnp.mean(run(w, xs)[1] ** 2)

    batched = jax.vmap(run, in_axes=(None, 1), out_axes=(0, 1))
    return (
        run(w, xs),
        jax.jit(jax.grad(loss))(w, xs),
        batched(w, jnp.stack([xs, 2 * xs], 1)),
        jax.grad(lambda w: loss(tree_map(jax.checkpoint(jnp.sin), w), xs))(w),
    )


def neural_ode():
    def runge_kutta(f, y, ts):
        def step(y, pair):
            t, dt = pair
            k1 = f(t, y)
            k2 = f(t + dt / 2, y + dt / 2 * k1)
            k3 = f(t + dt / 2, y + dt / 2 * k2)
            k4 = f(t + dt, y + dt * k3)
            y = y + dt / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
            return y, y

        return lax.scan(jax.checkpoint(step), y, (ts[:-1], jnp.diff(ts)))[1]

    params = _init_mlp([3, 8, 2], seed=2)

    def solve(params, y0):
        return runge_kutta(lambda t, y: _mlp(params, jnp.append(y, t)), y0, jnp.linspace(0.0, 1.0, 9))

    y0s = jnp.array([[1.0, 0.0], [0.0, 1.0]])

    @jax.jit
    def loss(params):
        return jnp.mean(jax.vmap(partial(solve, params))(y0s)[:, -1] ** 2)

    return jax.vmap(solve, (None, 0))(params, y0s), jax.value_and_grad(loss)(params)


def gaussian_process():
    def kernel(scale, x, y):
        return jnp.exp(-0.5 * ((x - y) / scale) ** 2)

    def gram(scale, xs, ys):
        return jax.vmap(lambda x: jax.vmap(lambda y: kernel(scale, x, y))(ys))(xs)

    def conjugate_gradients(matvec, b):
        def step(_, state):
            x, r, p = state
            product = matvec(p)
            alpha = (r @ r) / (p @ product)
            rest = r - alpha * product
            return x + alpha * p, rest, rest + (rest @ rest) / (r @ r) * p

        return lax.fori_loop(0, 4, step, (jnp.zeros_like(b), b, b))[0]

    xs, new = jnp.array([-1.0, -0.3, 0.4, 1.2]), jnp.array([0.0, 0.7])
    ys = jnp.sin(xs)

    def mean(scale):
        cov = gram(scale, xs, xs) + 0.1 * jnp.eye(4)

        def solve(matvec, b):
            return conjugate_gradients(matvec, b)

        weights = lax.custom_linear_solve(lambda v: cov @ v, ys, solve, symmetric=True)
        return gram(scale, new, xs) @ weights

    return mean(0.8), jax.jacfwd(mean)(0.8), jax.jacrev(mean)(0.8)


def monte_carlo():
    def price(key, spot, strike=1.0, paths=64):
        noise = random.normal(key, (paths,))
        last = spot * jnp.exp(0.2 * noise - 0.02)
        return jnp.mean(jnp.maximum(last - strike, 0.0))

    keys = random.split(random.key(0), 5)
    values, deltas = jax.vmap(jax.value_and_grad(price, argnums=1), (0, None))(keys, 1.0)

    def walk(x, key):
        go, accept = random.split(key)
        new = x + random.normal(go)
        keep = jnp.log(random.uniform(accept)) < (x**2 - new**2) / 2
        return jnp.where(keep, new, x), keep

    chain, accepted = jax.jit(lambda key: lax.scan(walk, 0.0, random.split(key, 50)))(
        random.fold_in(random.key(7), 1)
    )
    legacy = random.uniform(random.PRNGKey(3), (2,))
    return values, deltas, chain, accepted.mean(), legacy
