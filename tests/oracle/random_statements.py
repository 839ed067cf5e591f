"""Random statements of one line each, as text: what they compute is small, bounded and smooth almost everywhere."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

SHAPES = ((), (3,), (3, 3))


@dataclass(frozen=True)
class Value:
    """A name in scope, the shape and kind (``f c i b``) of what it stands for."""

    name: str
    shape: tuple[int, ...]
    kind: str


class Statements:
    """Writes the lines of functions."""

    def __init__(self, draw: random.Random, reverse: bool, forward: bool, named: bool) -> None:
        self.draw = draw
        # Backward rules of users have no forward mode, and while loops no reverse mode.
        self.reverse = reverse and not forward
        self.both = reverse and forward
        self.named = named  # whether an axis "i" is bound
        self.count = 0
        self.budget = draw.choice([2, 3, 4, 5, 8])

    def fresh(self, prefix: str = "v") -> str:
        self.count += 1
        return f"{prefix}{self.count}"

    def some(self, scope: list[Value], kind: str = "f", shape: tuple[int, ...] | None = None) -> str:
        """An expression of this kind and shape, from what is in scope."""
        draw = self.draw
        fits = [v for v in scope if v.kind == kind and (shape is None or v.shape == shape)]
        if fits and draw.random() < 0.9:
            return draw.choice(fits[-6:]).name
        if kind == "f":
            wanted = draw.choice(SHAPES) if shape is None else shape
            others = [v for v in scope if v.kind == "f" and len(v.shape) > len(wanted)]
            if others and draw.random() < 0.8:
                v = draw.choice(others)
                return f"{v.name}{'[0, 1]' if len(v.shape) - len(wanted) == 2 else '[1]' if len(v.shape) == 1 else '[2]'}"
            return {(): "0.8", (3,): "V", (3, 3): "K"}[wanted]
        if kind == "i":
            return draw.choice(["2", "np.int32(1)", "jnp.int32(0)"])
        raise KeyError(kind)

    def shape_of(self, scope: list[Value]) -> tuple[int, ...]:
        shapes = [v.shape for v in scope if v.kind == "f"]
        return self.draw.choice(shapes) if shapes else ()

    def statement(self, scope: list[Value], depth: int) -> list[str]:
        """Lines that define one more name; the scope grows."""
        draw = self.draw
        simple: list[Callable[..., list[str]]] = [
            self.unary,
            self.unary,
            self.binary,
            self.binary,
            self.reduction,
            self.product,
            self.index,
            self.update,
            self.integers,
            self.complexes,
            self.custom,
            self.shapes,
            self.weak,
            self.choice,
        ]
        if self.named:
            simple += [self.collective, self.collective]
        if depth < 2 and draw.random() < 0.4:
            return draw.choice(self.nested())(scope, depth)
        return draw.choice(simple)(scope)

    def nested(self) -> list[Callable[[list[Value], int], list[str]]]:
        """The kinds of statements that hold functions."""
        raise NotImplementedError

    def define(self, scope: list[Value], shape: tuple[int, ...], text: str, kind: str = "f") -> list[str]:
        name = self.fresh()
        scope.append(Value(name, shape, kind))
        return [f"{name} = {text}"]

    def unary(self, scope: list[Value]) -> list[str]:
        shape = self.shape_of(scope)
        x = self.some(scope, "f", shape)
        forms = [
            "jnp.sin({0})",
            "jnp.cos({0})",
            "jnp.tanh({0})",
            "nn.sigmoid({0})",
            "nn.relu({0}) * 0.5",
            "jnp.exp(-{0} * {0})",
            "jnp.log1p({0} ** 2)",
            "jnp.sqrt(1 + {0} ** 2)",
            "jnp.abs({0})",
            "-{0}",
            "lax.rsqrt(2 + {0} * {0})",
            "jnp.arctan({0})",
            "lax.stop_gradient({0}) * 0.5",
            "nn.gelu({0})",
            "nn.softplus({0})",
            "jnp.square(jnp.sin({0}))",
            "jnp.sinc({0})",
            "lax.erf({0})",
            "jnp.floor({0}) * 0.25 + {0}",
            "lax.integer_pow(jnp.sin({0}), 3)",
            "jnp.clip({0}, -0.7, 0.7)",
            "jnp.nan_to_num({0})",
            "lax.reduce_precision({0}, 8, 23)",
            "lax.optimization_barrier({0})",
        ]
        return self.define(scope, shape, draw_form(self.draw, forms, x))

    def binary(self, scope: list[Value]) -> list[str]:
        shape = self.shape_of(scope)
        x, y = self.some(scope, "f", shape), self.some(scope, "f", self.draw.choice([shape, ()]))
        forms = [
            "{0} + {1}",
            "{0} - {1}",
            "{0} * jnp.sin({1})",
            "{0} / (1 + {1} * {1})",
            "jnp.maximum({0}, {1})",
            "jnp.minimum({0}, {1})",
            "jnp.where({0} > {1}, {0}, jnp.sin({1}))",
            "jnp.arctan2({0}, 1.5 + {1} * {1})",
            "jnp.power(1.2 + {0} * {0}, jnp.tanh({1}))",
            "jnp.hypot({0}, 1 + jnp.abs({1}))",
            "jnp.logaddexp({0}, {1})",
            "({0} > {1}) * {0}",
            "jnp.mod({0}, 1.5) + {1}",
        ]
        return self.define(scope, shape, draw_form(self.draw, forms, x, y))

    def weak(self, scope: list[Value]) -> list[str]:
        shape = self.shape_of(scope)
        x = self.some(scope, "f", shape)
        forms = [
            "2 * {0}",
            "{0} + 1.5",
            "{0} ** 2",
            "{0} ** 3 * 0.1",
            "jnp.full_like({0}, 0.3) * {0}",
            "jnp.multiply(1.5, {0})",
            "{0} / 3",
        ]
        return self.define(scope, shape, draw_form(self.draw, forms, x))

    def reduction(self, scope: list[Value]) -> list[str]:
        vector, matrix = self.some(scope, "f", (3,)), self.some(scope, "f", (3, 3))
        forms: list[tuple[tuple[int, ...], str]] = [
            ((), "jnp.sum({0})"), ((), "jnp.mean({1})"), ((), "{0}.max()"), ((), "jnp.prod(jnp.cos({0}))"), ((3,), "{1}.sum(0)"),
            ((3,), "jnp.max({1}, axis=1)"), ((3,), "jnp.cumsum({0}) * 0.5"), ((), "jnp.var({0})"), ((), "nn.logsumexp({0})"),
            ((3,), "nn.softmax({0})"), ((3,), "nn.log_softmax({1})[1]"), ((3,), "jnp.sort({0})"), ((3, 3), "jnp.cumsum({1}, axis=1) * 0.5"),
            ((3,), "lax.cummax({0})"), ((), "jnp.linalg.norm({0} + 2)"), ((), "jnp.trace({1})"), ((3,), "jnp.diag({1})"),
            ((3,), "jnp.mean({1}, axis=0, where=K > 0)"), ((3,), "lax.cumprod(jnp.sin({0}))"), ((), "jnp.median({0})"),
            ((), "lax.reduce({0}, np.zeros((), {0}.dtype), lax.add, (0,))"),
        ]  # fmt: skip
        shape, form = self.draw.choice(forms)
        return self.define(scope, shape, form.format(vector, matrix))

    def product(self, scope: list[Value]) -> list[str]:
        vector, matrix, other = (
            self.some(scope, "f", (3,)),
            self.some(scope, "f", (3, 3)),
            self.some(scope, "f", (3, 3)),
        )
        forms: list[tuple[tuple[int, ...], str]] = [
            ((3,), "{1} @ {0} * 0.4"), ((3, 3), "{1} @ {2} * 0.4"), ((), "jnp.dot({0}, V)"), ((3, 3), "jnp.outer({0}, V)"),
            ((3,), "jnp.einsum('ij,ij->i', {1}, {2})"), ((3,), "{0} @ K"), ((), "jnp.vdot({1}, {2}) * 0.2"),
            ((3, 3), "jnp.tensordot({1}, K, 1) * 0.4"), ((3,), "jnp.convolve({0}, V, mode='same')"),
            ((3,), "lax.dot_general({1}, {0}, (((0,), (0,)), ((), ())))"), ((3, 3), "jnp.kron({0}, V)[:9].reshape(3, 3)"),
        ]  # fmt: skip
        shape, form = self.draw.choice(forms)
        return self.define(scope, shape, form.format(vector, matrix, other))

    def index(self, scope: list[Value]) -> list[str]:
        vector, matrix = [f"jnp.asarray({self.some(scope, 'f', s)})" for s in ((3,), (3, 3))]
        i = self.some(scope, "i", ())
        forms: list[tuple[tuple[int, ...], str]] = [
            ((), "{0}[0]"), ((3,), "{0}[::-1]"), ((3,), "{1}[{2} % 3]"), ((), "{0}[{2} % 3]"), ((3,), "{0}[jnp.array([2, 0, 0])]"),
            ((3,), "{1}[:, 1]"), ((3, 3), "{1}.T"), ((3,), "jnp.take({0}, jnp.array([1, 1, 2]))"), ((3,), "jnp.roll({0}, 1)"),
            ((3,), "jnp.concatenate([{0}, {0}])[1:4]"), ((3, 3), "jnp.stack([{0}, V, {0}])"),
            ((), "lax.dynamic_index_in_dim({0}, {2} % 3, keepdims=False)"), ((3,), "lax.dynamic_slice({1}, ({2} % 3, 0), (1, 3))[0]"),
            ((3,), "{1}[jnp.array([0, 1, 2]), jnp.array([1, 2, 0])]"), ((3,), "jnp.pad({0}, 1)[:3]"), ((3, 3), "jnp.flip({1}, 0)"),
            ((3,), "jnp.take_along_axis({0}, jnp.argsort({0}), 0)"), ((3, 3), "jnp.tril({1})"), ((3,), "{0}[jnp.argmax({0})] * {0}"),
        ]  # fmt: skip
        shape, form = self.draw.choice(forms)
        return self.define(scope, shape, form.format(vector, matrix, i))

    def update(self, scope: list[Value]) -> list[str]:
        vector, matrix, x = (
            self.some(scope, "f", (3,)),
            self.some(scope, "f", (3, 3)),
            self.some(scope, "f", ()),
        )
        i = self.some(scope, "i", ())
        forms: list[tuple[tuple[int, ...], str]] = [
            ((3,), "jnp.asarray({0}).at[0].set({2})"), ((3,), "jnp.asarray({0}).at[jnp.array([1, 1, 2])].add({2})"),
            ((3, 3), "jnp.asarray({1}).at[{3} % 3].multiply({2})"), ((3, 3), "jnp.asarray({1}).at[1].set({0})"),
            ((3,), "jnp.asarray({0}).at[{3} % 3].set({2})"), ((3,), "jnp.asarray({0}).at[1].max({2})"), ((3,), "jnp.asarray({0}).at[::2].add({2})"),
            ((3, 3), "lax.dynamic_update_slice(jnp.asarray({1}), jnp.asarray({0}, {1}.dtype)[None], ({3} % 3, 0))"),
        ]  # fmt: skip
        shape, form = self.draw.choice(forms)
        return self.define(scope, shape, form.format(vector, matrix, x, i))

    def integers(self, scope: list[Value]) -> list[str]:
        x, v, i = self.some(scope, "f", ()), self.some(scope, "f", (3,)), self.some(scope, "i", ())
        draw = self.draw
        if draw.random() < 0.6:
            forms = [
                "jnp.floor({0} * 2).astype(jnp.int32)", "{1} * 2 + 1", "({1} ^ 3) & 5", "jnp.sum({2} > 0, dtype=jnp.int32)", "jnp.abs({1}) // 2",
                "jnp.where({0} > 0, {1}, 1)", "jnp.argmax({2}).astype(jnp.int32)", "lax.convert_element_type({0}, np.int32)", "jnp.maximum({1}, 1)",
            ]  # fmt: skip
            return self.define(scope, (), draw.choice(forms).format(x, i, v), "i")
        return self.define(
            scope,
            (),
            draw.choice(["{0} * {1} * 0.3", "{0} + ({1} > 1)", "jnp.arange(3)[{1} % 3] * {0}"]).format(x, i),
        )

    def complexes(self, scope: list[Value]) -> list[str]:
        known = [v for v in scope if v.kind == "c"]
        draw = self.draw
        if not known or draw.random() < 0.4:
            shape = self.shape_of(scope)
            x, y = self.some(scope, "f", shape), self.some(scope, "f", shape)
            forms = [
                "lax.complex(jnp.asarray({0}, {0}.dtype if hasattr({0}, 'dtype') else None) * 1.0, jnp.asarray({0} * 0.5))",
                "jnp.exp(1j * {0})",
                "{0} + 1j * {1}",
                "(1 + 2j) * {0}",
            ]
            return self.define(scope, shape, draw.choice(forms).format(x, y), "c")
        z = draw.choice(known)
        if draw.random() < 0.4:
            forms = [
                "jnp.sin({0} * 0.5)",
                "{0} * jnp.conj({0}) * 0.5",
                "{0} / (3 + {0})",
                "jnp.tanh({0} * 0.3)",
                "{0} ** 2 * 0.5",
                "jnp.where({0}.real > 0, {0}, 1j * {0})",
            ]
            return self.define(scope, z.shape, draw.choice(forms).format(z.name), "c")
        forms = [
            "{0}.real",
            "jnp.imag({0})",
            "jnp.abs({0} + 2)",
            "jnp.angle({0} + 3)",
            "jnp.real({0} * jnp.conj({0}))",
        ]
        return self.define(scope, z.shape, draw.choice(forms).format(z.name))

    def custom(self, scope: list[Value]) -> list[str]:
        shape = self.shape_of(scope)
        x, y, v = self.some(scope, "f", shape), self.some(scope, "f", shape), self.some(scope, "f", (3,))
        forms = [
            "own_jvp({0}, {1})",
            "whole_jvp(dict(a={0}, b={2}))['s']",
            "whole_jvp(dict(a={0}, b={2}))['n'] + {0}",
        ]
        if self.reverse:
            forms += ["own_vjp({0}, {1})", "static_vjp({0}, 2)", "own_gradient({0})"]
        return self.define(scope, shape, self.draw.choice(forms).format(x, y, v))

    def shapes(self, scope: list[Value]) -> list[str]:
        x, v, m = self.some(scope, "f", ()), self.some(scope, "f", (3,)), self.some(scope, "f", (3, 3))
        forms: list[tuple[tuple[int, ...], str]] = [
            ((3,), "jnp.broadcast_to({0}, (3,))"), ((3, 3), "{1}[:, None] * {1}"), ((3,), "{2}.reshape(-1)[::3]"), ((3,), "jnp.squeeze(jnp.expand_dims({1}, 0), 0)"),
            ((3, 3), "jnp.tile({1}, (3, 1))"), ((3,), "jnp.repeat({0}, 3)"), ((3, 3), "jnp.swapaxes({2}, 0, 1)"), ((3,), "jnp.linspace(0.0, {0}, 3)"),
            ((3,), "jnp.split({2}, 3)[1][0]"), ((), "jnp.zeros((0, 3)).sum() + {0}"), ((3,), "jnp.asarray({1})[:0].sum() + {1}"), ((3,), "jnp.asarray({1}, jnp.float16).astype({1}.dtype)"),
        ]  # fmt: skip
        shape, form = self.draw.choice(forms)
        return self.define(scope, shape, form.format(x, v, m))

    def choice(self, scope: list[Value]) -> list[str]:
        shape = self.shape_of(scope)
        x, y = self.some(scope, "f", shape), self.some(scope, "f", shape)
        forms = [
            "lax.select({0} > 0, {0} * 1.0, jnp.broadcast_to(jnp.asarray({1}, {0}.dtype), {0}.shape))",
            "jnp.select([{0} > 0.5, {0} < -0.5], [{0}, {1}], 0.1)",
            "lax.clamp(-1.0, {0} * 1.0, 1.0)",
        ]
        return self.define(
            scope, shape, self.draw.choice(forms).format(x if not x[0].isdigit() else "jnp.float32(0.8)", y)
        )

    def collective(self, scope: list[Value]) -> list[str]:
        shape = self.shape_of(scope)
        x = self.some(scope, "f", shape)
        forms = [
            "lax.psum({0}, 'i') * 0.5", "lax.pmean({0}, 'i')", "{0} - lax.pmean({0}, 'i')", "lax.all_gather({0}, 'i').sum(0) * 0.5", "lax.axis_index('i') * {0} * 0.5",
            "lax.ppermute({0}, 'i', [(0, 1), (1, 0)])", "lax.pmax(lax.stop_gradient({0}), 'i') + {0}",
        ]  # fmt: skip
        return self.define(scope, shape, self.draw.choice(forms).format(x))


def draw_form(draw: random.Random, forms: list[str], *args: str) -> str:
    return draw.choice(forms).format(*[f"({a})" if a[0].isdigit() else a for a in args])
