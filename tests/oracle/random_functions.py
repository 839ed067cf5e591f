"""Random statements that hold functions: control flow, calls, and transformations inside the program."""

from __future__ import annotations

from collections.abc import Callable

from random_statements import Statements, Value


class Body(Statements):
    """Writes the lines of functions, one in another."""

    def nested(self) -> list[Callable[[list[Value], int], list[str]]]:
        loops = [self.fori] if self.reverse or self.both else [self.fori, self.while_loop]
        return [
            *loops,
            self.cond,
            self.switch,
            self.scan,
            self.jitted,
            self.checkpointed,
            self.mapped,
            self.vmapped,
            self.differentiated,
            self.linearised,
            self.associative,
            self.solve,
            self.reference,
            self.static,
        ]

    def function(
        self, scope: list[Value], depth: int, parameters: list[Value], shape: tuple[int, ...], size: int = 2
    ) -> list[str]:
        """The indented body of a function whose result has a given shape; it may close over all in scope."""
        inner = [*scope, *parameters]
        lines: list[str] = []
        for _ in range(self.draw.randint(0, size)):
            lines += self.statement(inner, depth + 1)
        made = [v.name for v in inner[len(scope) :] if v.kind == "f" and v.shape == shape]
        rest = [v for v in inner[len(scope) + len(parameters) :] if v.kind in "fi"][-3:]
        also = "".join(f" + 0.1 * jnp.sum({v.name})" for v in rest)  # or it would be dead code
        result = made[-1] if made else self.some(inner, "f", shape)
        return [*("    " + line for line in lines), f"    return {result} * 1.0{also}"]

    def local(
        self,
        scope: list[Value],
        depth: int,
        shape: tuple[int, ...],
        *kinds: tuple[tuple[int, ...], str],
        wrap: str = "",
    ) -> tuple[str, list[str]]:
        name = self.fresh("f")
        parameters = [Value(self.fresh("a"), s, k) for s, k in kinds]
        head = [wrap] if wrap else []
        return name, [
            *head,
            f"def {name}({', '.join(p.name for p in parameters)}):",
            *self.function(scope, depth, parameters, shape),
        ]

    def cond(self, scope: list[Value], depth: int) -> list[str]:
        shape = self.shape_of(scope)
        x, p = self.some(scope, "f", shape), self.some(scope, "f", ())
        f, first = self.local(scope, depth, shape, (shape, "f"))
        g, second = self.local(scope, depth, shape, (shape, "f"))
        same = f"lambda a: jnp.broadcast_to(jnp.asarray({g}(a), jnp.result_type({f}(a))), jnp.shape({f}(a)))"
        return [*first, *second, *self.define(scope, shape, f"lax.cond({p} > 0, {f}, {same}, {x})")]

    def switch(self, scope: list[Value], depth: int) -> list[str]:
        shape = self.shape_of(scope)
        x, i = self.some(scope, "f", shape), self.some(scope, "i", ())
        f, lines = self.local(scope, depth, shape, (shape, "f"))
        return [
            *lines,
            *self.define(
                scope,
                shape,
                f"lax.switch({i}, [lambda a: jnp.asarray({f}(a)), lambda a: (a * 2).astype(jnp.result_type({f}(a))), lambda a: jnp.zeros_like({f}(a))], {x})",
            ),
        ]

    def scan(self, scope: list[Value], depth: int) -> list[str]:
        shape = self.shape_of(scope)
        init, xs = self.some(scope, "f", shape), self.some(scope, "f", (3,))
        f, lines = self.local(scope, depth, shape, (shape, "f"), ((), "f"))
        out, draw = self.fresh("s"), self.draw
        options = draw.choice(["", ", reverse=True", ", unroll=2", ", unroll=True"])
        form = draw.choice(
            [
                f"lax.scan(lambda c, y: (jnp.asarray({f}(c, y), jnp.result_type(c)), c), jnp.asarray({init}) * 1.0, {xs}{options})",
                f"lax.scan(lambda c, y: ((c[0] + 1, jnp.asarray({f}(c[1], y), jnp.result_type(c[1]))), (c[0], c[1])), (0, jnp.asarray({init}) * 1.0), {xs}{options})",
                f"lax.scan(lambda c, y: (jnp.asarray({f}(c, 0.5), jnp.result_type(c)), None), jnp.asarray({init}) * 1.0, None, length=2)",
                f"lax.scan(lambda c, y: (c, {f}(c, y['y']) * y['k'][0]), jnp.asarray({init}) * 1.0, {{'y': {xs}, 'k': K}})",
            ]
        )
        final = f"tree.leaves({out}[0])[-1]"
        stacked = (
            f" + jnp.sum(tree.leaves({out}[1])[-1], 0) * 0.3"
            if draw.random() < 0.6 and "None)" not in form and "None, l" not in form
            else ""
        )
        return [*lines, f"{out} = {form}", *self.define(scope, shape, final + stacked)]

    def fori(self, scope: list[Value], depth: int) -> list[str]:
        shape = self.shape_of(scope)
        x = self.some(scope, "f", shape)
        f, lines = self.local(scope, depth, shape, ((), "i"), (shape, "f"))
        return [
            *lines,
            *self.define(
                scope,
                shape,
                f"lax.fori_loop(0, 2, lambda i, c: jnp.asarray({f}(i, c), jnp.result_type(c)), jnp.asarray({x}) * 1.0)",
            ),
        ]

    def while_loop(self, scope: list[Value], depth: int) -> list[str]:
        shape = self.shape_of(scope)
        x, limit = self.some(scope, "f", shape), self.some(scope, "f", ())
        f, lines = self.local(scope, depth, shape, (shape, "f"))
        test = self.draw.choice(["c[0] < 2", f"(c[0] < 3) & (jnp.sum(c[1]) < 2 + {limit})"])
        return [
            *lines,
            *self.define(
                scope,
                shape,
                f"lax.while_loop(lambda c: {test}, lambda c: (c[0] + 1, jnp.asarray({f}(c[1]), jnp.result_type(c[1]))), (0, jnp.asarray({x}) * 1.0))[1]",
            ),
        ]

    def jitted(self, scope: list[Value], depth: int) -> list[str]:
        shape = self.shape_of(scope)
        x, i = self.some(scope, "f", shape), self.some(scope, "i", ())
        f, lines = self.local(
            scope,
            depth,
            shape,
            (shape, "f"),
            ((), "i"),
            wrap=self.draw.choice(
                [
                    "@jax.jit",
                    "@jax.jit",
                    "@functools.partial(jax.jit, inline=True)",
                    "@functools.partial(jax.jit, keep_unused=True)",
                    "@jax.named_call",
                ]
            ),
        )
        return [*lines, *self.define(scope, shape, f"{f}({x}, {i})")]

    def static(self, scope: list[Value], depth: int) -> list[str]:
        shape = self.shape_of(scope)
        return self.define(
            scope,
            shape,
            self.draw.choice(["static_jit({0}, 2)", "static_jit({0}, n=1, mode='b')"]).format(
                self.some(scope, "f", shape)
            ),
        )

    def checkpointed(self, scope: list[Value], depth: int) -> list[str]:
        shape = self.shape_of(scope)
        x = self.some(scope, "f", shape)
        wrap = self.draw.choice(
            [
                "@jax.checkpoint",
                "@jax.remat",
                "@functools.partial(jax.checkpoint, policy=POLICIES.dots_saveable)",
                "@functools.partial(jax.checkpoint, policy=POLICIES.everything_saveable)",
                "@functools.partial(jax.checkpoint, policy=POLICIES.nothing_saveable, prevent_cse=False)",
                "@functools.partial(jax.checkpoint, policy=POLICIES.save_only_these_names('kept'))",
            ]
        )
        f, lines = self.local(scope, depth, shape, (shape, "f"), wrap=wrap)
        return [
            *lines,
            *self.define(scope, shape, f"{f}(ad_checkpoint.checkpoint_name(jnp.asarray({x}), 'kept'))"),
        ]

    def mapped(self, scope: list[Value], depth: int) -> list[str]:
        xs = self.some(scope, "f", (3,))
        f, lines = self.local(scope, depth, (), ((), "f"))
        return [
            *lines,
            *self.define(scope, (3,), f"lax.map({f}, {xs}{self.draw.choice(['', ', batch_size=2'])})"),
        ]

    def vmapped(self, scope: list[Value], depth: int) -> list[str]:
        f, lines = self.local(scope, depth, (3,), ((3,), "f"), ((), "f"))
        x, v, y = self.some(scope, "f", (3, 3)), self.some(scope, "f", (3,)), self.some(scope, "f", ())
        form = self.draw.choice(
            [
                f"jax.vmap({f})({x}, {v})",
                f"jax.vmap({f}, (1, None), 1)({x}, {y})",
                f"jax.vmap({f}, (None, 0))({v}, {v})",
                f"jax.vmap({f}, (0, None), axis_name='j')({x}, {y})",
                f"jax.vmap(lambda a, b: {f}(a - lax.pmean(a, 'j'), b), axis_name='j')({x}, {v})",
            ]
        )
        return [*lines, *self.define(scope, (3, 3), form)]

    def differentiated(self, scope: list[Value], depth: int) -> list[str]:
        shape = self.shape_of(scope)
        x = self.some(scope, "f", shape)
        kept, self.reverse = self.reverse, True
        f, lines = self.local(scope, depth, shape, (shape, "f"))
        self.reverse = kept
        form = self.draw.choice(
            [
                f"jax.grad(lambda a: jnp.sum({f}(a)))({x})",
                f"jax.value_and_grad(lambda a: (jnp.sum({f}(a)), a), has_aux=True)({x})[1]",
                f"jax.vjp({f}, {x})[1](jnp.ones_like({f}({x})))[0]",
            ]
        )
        return [*lines, *self.define(scope, shape, form)]

    def linearised(self, scope: list[Value], depth: int) -> list[str]:
        shape = self.shape_of(scope)
        x = self.some(scope, "f", shape)
        f, lines = self.local(scope, depth, shape, (shape, "f"))
        text = "\n".join(lines)
        if any(name in text for name in ("own_vjp", "static_vjp", "own_gradient")):
            return [*lines, *self.define(scope, shape, f"{f}({x})")]
        form = self.draw.choice(
            [
                f"jax.jvp({f}, ({x},), (tangent({x}),))[1]",
                f"jax.linearize({f}, {x})[1](tangent({x}))",
                f"jax.jacfwd(lambda a: jnp.sum({f}(a)))({x})",
            ]
        )
        return [*lines, *self.define(scope, shape, form)]

    def associative(self, scope: list[Value], depth: int) -> list[str]:
        x = self.some(scope, "f", (3,))
        return self.define(
            scope,
            (3,),
            self.draw.choice(
                [
                    "lax.associative_scan(jnp.multiply, {0})",
                    "lax.associative_scan(lambda a, b: (a[0] * b[0], a[1] * b[0] + b[1]), ({0}, jnp.cos({0})), reverse=True)[1]",
                ]
            ).format(x),
        )

    def solve(self, scope: list[Value], depth: int) -> list[str]:
        b, d = self.some(scope, "f", (3,)), self.some(scope, "f", (3,))
        name = self.fresh("d")
        return [
            f"{name} = 2 + jnp.square({d})",
            *self.define(
                scope,
                (3,),
                f"lax.custom_linear_solve(lambda u: {name} * u, jnp.asarray({b}, {name}.dtype), lambda mv, u: u / {name}, lambda mv, u: u / {name})",
            ),
        ]

    def reference(self, scope: list[Value], depth: int) -> list[str]:
        v, x = self.some(scope, "f", (3,)), self.some(scope, "f", ())
        name, loop = self.fresh("r"), self.fresh("loop")
        lines = [
            f"{name} = jax.new_ref(jnp.asarray({v}) * 1.0 + 0 * jnp.asarray({x}))",
            f"{name}[1] = jnp.asarray({x} * 0.5, {name}.dtype)",
        ]
        if self.draw.random() < 0.6:
            lines += [
                f"def {loop}(i, _):",
                f"    {name}[...] = jnp.sin({name}[...]) * 0.9",
                "    return _",
                f"lax.fori_loop(0, 2, {loop}, None)",
            ]
        return [*lines, *self.define(scope, (3,), f"{name}[...]")]
