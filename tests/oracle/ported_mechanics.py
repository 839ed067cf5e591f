"""Programs as tutorials of JAX have them, on how it works; the tests run them with other import lines.

As in `ported_models`, each function whose name has no leading underscore is a program.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import api_util, lax
from jax.experimental import checkify
from jax.extend import linear_util
from jax.extend.core import Literal, Primitive
from jax.interpreters import ad, batching, mlir, partial_eval
from jax.tree_util import register_pytree_node_class, tree_map
from jax.typing import ArrayLike


def static_and_donated_arguments():
    @partial(jax.jit, static_argnames=("power", "reverse"))
    def poly(x, power, *, reverse=False):
        terms = [x**i for i in range(power)]
        return jnp.stack(terms[::-1] if reverse else terms)

    add = jax.jit(lambda total, x: total + x, donate_argnums=0)
    total = jnp.zeros(3)
    for _ in range(3):
        before, total = total, add(total, jnp.ones(3))
    return poly(2.0, 3), poly(2.0, power=3, reverse=True), total, np.array(before.is_deleted())


def ahead_of_time():
    def f(x, y):
        return {"sum": x + y, "product": x * y}

    traced = jax.jit(f).trace(jax.ShapeDtypeStruct((2,), jnp.float32), jnp.ones(2))
    lowered = traced.lower()
    compiled = lowered.compile()
    assert "stablehlo.multiply" in lowered.as_text()
    assert tree_map(lambda a: a.shape, lowered.out_info) == {"product": (2,), "sum": (2,)}
    shapes = jax.eval_shape(f, jnp.ones(2), 1)
    return compiled(jnp.arange(2.0), jnp.ones(2)), [s.shape for s in shapes.values()], len(traced.jaxpr.eqns)


def printing_in_a_loop():
    seen = []

    @jax.jit
    def f(xs):
        def step(c, x):
            jax.debug.callback(lambda c, x: seen.append((int(c), int(x))), c, x, ordered=True)
            jax.debug.print("c={} x={x:d}", c, x=x, ordered=True)
            return c + x, c

        return lax.scan(step, 0, xs)

    out = f(jnp.arange(4))
    jax.effects_barrier()
    host = jax.pure_callback(lambda x: np.cumsum(x), jax.ShapeDtypeStruct((4,), jnp.int32), jnp.arange(4))
    return out, seen, host


def functional_checks():
    def f(x, i):
        checkify.check(i < 3, "i must be small, but is {i}", i=i)
        return jnp.log(x)[i]

    checked = checkify.checkify(jax.jit(f), errors=checkify.user_checks | checkify.nan_checks)
    fine, out = checked(jnp.ones(4), 1)
    told = [checked(x, i)[0].get() for x, i in ((jnp.ones(4), 3), (-jnp.ones(4), 1))]
    mapped, _ = jax.vmap(checked, in_axes=(None, 0))(jnp.ones(4), jnp.arange(5))
    try:
        mapped.throw()
    except ValueError as error:
        told.append("i must be small" in str(error))
    return fine.get(), out, told[0].partition(" (")[0], "log" in told[1], told[2]


def collectives_over_a_mapped_axis():
    def normalize(x):
        centred = x - lax.pmean(x, "batch")
        return centred / jnp.sqrt(lax.pmean(centred**2, "batch") + 1e-5)

    def layer(x):
        rank = lax.axis_index("batch")
        neighbour = lax.ppermute(x, "batch", [(i, (i + 1) % 4) for i in range(4)])
        return normalize(x) + rank, neighbour, lax.all_gather(x, "batch").sum(0), lax.psum(1, "batch")

    x = jnp.arange(12.0).reshape(4, 3) ** 2
    mapped = jax.vmap(layer, axis_name="batch", out_axes=(0, 0, 0, None))
    replicas = jax.vmap(jax.grad(lambda x: lax.psum(jnp.sin(x).sum(), "batch")), axis_name="batch")
    return (
        mapped(x),
        replicas(x),
        jax.jit(jax.vmap(jax.grad(lambda x: (normalize(x) ** 3)[0]), axis_name="batch"))(x),
    )


def interpreter_of_jaxprs():
    inverses = {"exp": jnp.log, "tanh": jnp.arctanh, "sin": jnp.arcsin, "neg": jnp.negative}

    def inverse(fun):
        def wrapped(*args):
            closed = jax.make_jaxpr(fun)(*args)
            return invert(closed.jaxpr, closed.literals, *args)[0]

        def invert(jaxpr, consts, *args):
            env = dict(zip(jaxpr.outvars, args)) | dict(zip(jaxpr.constvars, consts))

            def read(v):
                return v.val if type(v) is Literal else env[v]

            for eqn in jaxpr.eqns[::-1]:
                env[eqn.invars[0]] = inverses[eqn.primitive.name](*map(read, eqn.outvars))
            return [read(v) for v in jaxpr.invars]

        return wrapped

    def f(x):
        return jnp.exp(jnp.tanh(-x))

    g = inverse(f)
    named = jax.core.eval_jaxpr(jax.make_jaxpr(f)(1.0).jaxpr, [], 0.5)
    return g(f(0.5)), jax.jit(jax.vmap(jax.grad(g)))((jnp.arange(5) + 1.0) / 2.5), named


def primitive_given_its_rules_one_by_one():
    multiply_add_p = Primitive("multiply_add")

    def multiply_add(x: ArrayLike, y: ArrayLike, z: ArrayLike) -> jax.Array:
        return multiply_add_p.bind(x, y, z)

    multiply_add_p.def_impl(lambda x, y, z: jnp.asarray(np.asarray(x) * np.asarray(y) + np.asarray(z)))
    multiply_add_p.def_abstract_eval(lambda x, y, z: jax.core.ShapedArray(x.shape, x.dtype))
    mlir.register_lowering(multiply_add_p, mlir.lower_fun(lambda x, y, z: x * y + z, multiple_results=False))

    def jvp(primals, tangents):
        (x, y, z), (xt, yt, zt) = primals, map(ad.instantiate_zeros, tangents)
        return multiply_add(x, y, z), multiply_add(xt, y, multiply_add(x, yt, zt))

    def transpose(ct, x, y, z):
        z_ct = ct if ad.is_undefined_primal(z) else None
        if not ad.is_undefined_primal(x):
            y_ct = multiply_add(x, ct, jnp.zeros_like(x)) if ad.is_undefined_primal(y) else None
            return None, y_ct, z_ct
        return multiply_add(ct, y, jnp.zeros_like(y)), None, z_ct

    def batch(args, dims):
        size = next(x.shape[d] for x, d in zip(args, dims) if d is not None)
        return multiply_add(*(batching.bdim_at_front(x, d, size) for x, d in zip(args, dims))), 0

    ad.primitive_jvps[multiply_add_p] = jvp
    ad.primitive_transposes[multiply_add_p] = transpose
    batching.primitive_batchers[multiply_add_p] = batch

    def square_add(a, b):
        return multiply_add(a, a, b)

    two, ten = np.array([2.0, 3.0], np.float32), np.array([10.0, 20.0], np.float32)
    return (
        square_add(np.float32(2), np.float32(10)),
        jax.jit(square_add)(2.0, 10.0),
        jax.jvp(square_add, (np.float32(2), np.float32(10)), (np.float32(1), np.float32(1))),
        jax.grad(square_add)(np.float32(2), np.float32(10)),
        jax.jit(jax.grad(square_add))(np.float32(2), np.float32(10)),
        jax.vmap(square_add)(two, ten),
        jax.vmap(jax.grad(square_add))(two, ten),
        str(jax.make_jaxpr(square_add)(two, ten)),
    )


def linear_and_bilinear_primitives():
    def new(name, impl):
        primitive = Primitive(name)
        primitive.def_impl(impl)
        primitive.def_abstract_eval(lambda x, *_, **__: jax.core.ShapedArray(x.shape, x.dtype))
        mlir.register_lowering(primitive, mlir.lower_fun(impl, multiple_results=False))
        return primitive

    flip_p = new("flip", lambda x, *, axis: jnp.flip(x, axis))
    ad.deflinear2(flip_p, lambda ct, x, *, axis: [flip_p.bind(ct, axis=axis)])
    batching.primitive_batchers[flip_p] = lambda args, dims, *, axis: (
        flip_p.bind(batching.bdim_at_front(args[0], dims[0], 1), axis=axis + 1),
        0,
    )
    times_p = new("times", lambda x, y: x * y)
    ad.defbilinear(times_p, lambda ct, x, y: times_p.bind(ct, y), lambda ct, x, y: times_p.bind(x, ct))

    def batch_times(args, dims):
        size = next(x.shape[d] for x, d in zip(args, dims) if d is not None)
        return times_p.bind(*(batching.bdim_at_front(x, d, size) for x, d in zip(args, dims))), 0

    batching.primitive_batchers[times_p] = batch_times
    wave_p = new("wave", jnp.sin)
    ad.defjvp(wave_p, lambda t, x: times_p.bind(t, jnp.cos(x)))
    batching.defvectorized(wave_p)
    named_p = new("named", lambda x: x)
    batching.axis_primitive_batchers[named_p] = lambda size, name, _, args, dims: (args[0] * size, dims[0])

    def f(x):
        return flip_p.bind(times_p.bind(wave_p.bind(x), x), axis=0) @ jnp.arange(1.0, 4.0)

    x, xs = jnp.array([0.1, 0.5, 2.0]), jnp.arange(6.0).reshape(2, 3)
    return (
        jax.grad(f)(x),
        jax.hessian(f)(x),
        jax.jit(jax.vmap(jax.grad(f)))(xs),
        jax.vmap(lambda x: named_p.bind(x), axis_name="i")(xs),
        ad.primitive_jvps[lax.neg_p]((1.0,), (2.0,)),
        flip_p in ad.primitive_transposes,
        wave_p in ad.primitive_transposes,
    )


def references():
    @jax.jit
    def running_sums(xs):
        total = jax.new_ref(jnp.zeros(()))
        sums = jax.new_ref(jnp.zeros_like(xs))

        def body(i, _):
            total[...] += xs[i]
            sums[i] = total[...]

        lax.fori_loop(0, len(xs), body, None)
        return jax.freeze(sums)

    xs = jnp.arange(1.0, 6.0)
    counter = jax.new_ref(0)

    @jax.jit
    def count(x):
        counter[...] += 1
        return x * 2

    count(1.0), count(2.0)
    return running_sums(xs), jax.grad(lambda xs: running_sums(jnp.sin(xs))[3])(xs), counter[...]


@register_pytree_node_class
class _Interval:
    def __init__(self, low, high):
        self.low, self.high = low, high

    def tree_flatten(self):
        return (self.low, self.high), None

    @classmethod
    def tree_unflatten(cls, _, children):
        return cls(*children)

    def __mul__(self, other):
        ends = jnp.stack([a * b for a in (self.low, self.high) for b in (other.low, other.high)])
        return _Interval(ends.min(0), ends.max(0))


def own_pytrees():
    def make(x):
        return _Interval(x - 1.0, x + 1.0)

    @jax.jit
    def f(a, b):
        return a * b

    out = f(make(jnp.arange(3.0)), make(jnp.array([-1.0, 0.0, 5.0])))
    width = jax.grad(lambda a: (a * a).high - (a * a).low)(make(2.0))
    mapped = jax.vmap(lambda a: (a * a).high, in_axes=(_Interval(0, None),))(_Interval(jnp.arange(3.0), 2.0))
    swept = lax.scan(lambda c, x: (c * make(x), c.low), make(0.5), jnp.arange(3.0))
    paths = [jax.tree_util.keystr(path) for path, _ in jax.tree_util.tree_leaves_with_path({"a": [1, (2,)]})]
    return out.low, out.high, width.low, width.high, mapped, swept[0].high, swept[1], paths


def straight_through_and_clipping():
    @jax.custom_jvp
    def hard(x):
        return jnp.where(x > 0, 1.0, 0.0)

    @hard.defjvp
    def hard_jvp(primals, tangents):
        (x,), (t,) = primals, tangents
        return hard(x), t * nn_sigmoid(x) * (1 - nn_sigmoid(x))

    def nn_sigmoid(x):
        return 1 / (1 + jnp.exp(-x))

    @partial(jax.custom_vjp, nondiff_argnums=(0,))
    def clip_gradient(bounds, x):
        return x

    clip_gradient.defvjp(lambda bounds, x: (x, None), lambda bounds, _, ct: (jnp.clip(ct, *bounds),))

    def zero_above(x):
        return x + lax.stop_gradient(jnp.round(x) - x)

    xs = jnp.array([-2.0, 0.3, 1.7])
    return (
        jax.vmap(jax.grad(hard))(xs),
        jax.grad(lambda x: jnp.sum(clip_gradient((-1.0, 1.0), x) ** 3))(xs),
        jax.grad(lambda x: jnp.sum(zero_above(x) ** 2))(xs),
        jax.grad(lambda x: jnp.sum(jnp.where(x > 0, jnp.sqrt(jnp.where(x > 0, x, 1.0)), 0.0)))(xs),
    )


def game_of_life_and_fractals():
    def escape(c):
        def body(state):
            z, n = state
            return z * z + c, n + 1

        return lax.while_loop(lambda state: (jnp.abs(state[0]) < 2) & (state[1] < 30), body, (0j, 0))[1]

    grid = jnp.linspace(-2, 1, 8)[None, :] + 1j * jnp.linspace(-1, 1, 5)[:, None]
    board = jnp.zeros((6, 6), jnp.int32).at[1, 2].set(1).at[2, 3].set(1).at[3, 1:4].set(1)

    def life(board, _):
        shifts = [(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1) if (i, j) != (0, 0)]
        count = sum(jnp.roll(board, shift, (0, 1)) for shift in shifts)
        return ((count == 3) | ((board == 1) & (count == 2))).astype(board.dtype), board.sum()

    return jax.jit(jax.vmap(jax.vmap(escape)))(grid), lax.scan(life, board, length=8)


def transformations_of_a_library():
    @linear_util.transformation_with_aux2
    def counting(f, store, *args):
        out = f(*args)
        store.store(len(out))
        return [2 * x for x in out]

    def fun(p, q):
        return {"sin": jnp.sin(p["x"]), "product": p["x"] * q}

    args = ({"x": 2.0}, 3.0)
    leaves, in_tree = jax.tree_util.tree_flatten(args)
    info = api_util.debug_info("library", fun, args, {})
    flat, out_tree = api_util.flatten_fun_nokwargs(linear_util.wrap_init(fun, debug_info=info), in_tree)
    counted, count = counting(flat)
    out = counted.call_wrapped(*leaves)
    result = jax.tree_util.tree_unflatten(out_tree(), out)

    again, later_tree = api_util.flatten_fun_nokwargs(linear_util.wrap_init(fun, debug_info=info), in_tree)
    known = partial_eval.PartialVal.known(jnp.array([0.5, 1.0]))
    unknown = partial_eval.PartialVal.unknown(jax.core.ShapedArray((), jnp.float32))
    jaxpr, results, consts = partial_eval.trace_to_jaxpr_nounits(again, [known, unknown])
    kept = [r.get_known() for r in results if r.is_known()]
    smaller, used = partial_eval.dce_jaxpr(jax.make_jaxpr(fun)(*args).jaxpr, [False, True])
    return result, count(), kept, len(jaxpr.eqns), list(consts), str(later_tree()), str(smaller), used


def states_of_tracing():
    from jax.extend import core as extended

    outside = extended.get_opaque_trace_state()
    seen = []

    def f(x):
        seen.append(extended.get_opaque_trace_state() == outside)
        seen.append(isinstance(x, jax.core.Tracer))
        seen.append(isinstance(x, jnp.ndarray) and isinstance(x, jax.Array))
        seen.append(extended.unsafe_get_axis_names_DO_NOT_USE())
        return x

    jax.jit(f)(1.0)
    jax.vmap(f, axis_name="i")(jnp.ones(2))
    jax.grad(f)(1.0)
    arrays = [isinstance(x, jnp.ndarray) for x in (jnp.ones(2), np.ones(2), 1.0, jax.random.key(0))]
    likes = [isinstance(x, ArrayLike) for x in (jnp.ones(2), np.ones(2), 1.0, [1.0])]
    return (
        seen,
        arrays,
        likes,
        extended.get_opaque_trace_state() == outside,
        str(jax.typeof(np.ones((2, 3)))),
        jax.__version_info__ >= (0, 4),
    )


def events_of_a_library():
    from jax import monitoring

    heard = []
    listeners = [lambda *what, kind=kind, **more: heard.append((kind, *what, more)) for kind in "abcd"]
    monitoring.register_event_listener(listeners[0])
    monitoring.register_event_duration_secs_listener(listeners[1])
    monitoring.register_scalar_listener(listeners[2])
    monitoring.register_event_time_span_listener(listeners[3])
    monitoring.record_event("/library/saved", step=3)
    monitoring.record_event_duration_secs("/library/took", 0.5)
    monitoring.record_scalar("/library/loss", 2.0, step=3)
    monitoring.record_event_time_span("/library/ran", 1.0, 2.0)
    monitoring.unregister_event_listener(listeners[0])
    monitoring.unregister_event_duration_listener(listeners[1])
    monitoring.unregister_scalar_listener(listeners[2])
    monitoring.unregister_event_time_span_listener(listeners[3])
    monitoring.record_event("/library/saved", step=4)
    return [told for told in heard if str(told[1]).startswith("/library")]


def zero_tangents_of_trees():
    from jax.custom_derivatives import zero_from_primal

    @jax.custom_jvp
    def f(x):
        return jnp.sin(x), {"count": jnp.int32(3), "pair": (x, 2 * x)}

    @partial(f.defjvp, symbolic_zeros=True)
    def f_jvp(primals, tangents):
        out, more = f(*primals)
        return (out, more), (jnp.cos(primals[0]) * tangents[0], zero_from_primal(more, symbolic_zeros=True))

    return jax.grad(lambda x: f(x)[0] + f(x)[1]["pair"][1])(1.0), zero_from_primal((1.0, jnp.ones(2)))
