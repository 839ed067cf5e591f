"""The errors of tracing, under JAX's names; each class says what happened and what to write instead.

A traced function is run once on tracers, which know the shape and dtype of a value but not its numbers. Most
of these errors are raised where Python asked for the numbers. (`JaxRuntimeError`, the compiler's and
device's own error, is made by jaxlib and found in `jaxlab.errors` once the runtime is loaded.)
"""

from __future__ import annotations

from typing import Any


def describe(value: Any) -> str:
    """A value in a few words for an error: a tracer's own description, else its type and what it holds."""
    own = getattr(value, "describe", None)
    if callable(own):
        return str(own())
    if isinstance(value, str):
        return value
    aval = getattr(value, "aval", None)
    return f"a value of type {aval}" if aval is not None else f"a {type(value).__name__}"


class JAXTypeError(TypeError):
    """A value of the wrong kind for what was done with it: the base of most errors here, and a TypeError."""


class JAXIndexError(IndexError):
    """An index of the wrong kind; an IndexError."""


class ConcretizationTypeError(JAXTypeError):
    """Python needed the number behind a traced value, as `int(x)`, `float(x)`, `x.item()` or a shape does.

        @jit
        def f(x, n):
            return x * float(n)          # the number n is not known while f is traced

    Keep the value an array (`x * n`, `n.astype("float32")`), or have it known at tracing:

        f = jit(f, static_argnames="n")
    """

    def __init__(
        self, tracer: Any, context: str = "", remedy: str = "", why: str = "which is not known while tracing"
    ) -> None:
        where = context or "a conversion to a Python number"
        keep = remedy or "keep it an array (x.astype(...))"
        super().__init__(
            f"{where}: {describe(tracer)} was given, but a concrete value is needed, {why}; {keep}, or "
            "make the argument it comes from static (static_argnames)"
        )


class TracerBoolConversionError(ConcretizationTypeError):
    """Python asked whether a traced value is true: in `if`, `while`, `and`, `or`, `not`, `assert` or
    `bool(x)`.

        @jit
        def f(x):
            if x > 0:                    # the branch cannot be chosen while f is traced
                return x
            return -x

    Choose among values, or among functions, inside the program:

        return jnp.where(x > 0, x, -x)
        return lax.cond(x > 0, lambda x: x, lambda x: -x, x)

    `lax.while_loop` does the same for loops, `&`, `|` and `~` for `and`, `or` and `not`. An argument that
    only chooses a variant of the program can be static instead: `jit(f, static_argnames="flag")`.
    """

    def __init__(self, tracer: Any) -> None:
        JAXTypeError.__init__(
            self,
            f"bool: {describe(tracer)} was given, but Python's if, while, and, or, not need a value known "
            "while tracing; "
            "write jnp.where or lax.cond for a branch, lax.while_loop for a loop, &, | and ~ for logic",
        )


class TracerIntegerConversionError(JAXTypeError):
    """Python needed a traced value as an integer: to index a list or NumPy array, in `range(n)`, in a shape.

        table = np.arange(10)

        @jit
        def f(i):
            return table[i]              # NumPy needs the number i

    Index a jaxlab array, which looks the value up inside the program, or make the argument static:

        return jnp.asarray(table)[i]
        f = jit(f, static_argnames="i")

    For `range(n)` write `lax.fori_loop`.
    """

    def __init__(self, tracer: Any) -> None:
        super().__init__(
            f"__index__: {describe(tracer)} was given, but a Python integer is needed, which is not known "
            "while tracing; "
            "index a jnp array instead of a list or NumPy array, write lax.fori_loop for range, or make the "
            "argument static"
        )


class TracerArrayConversionError(JAXTypeError):
    """NumPy was given a traced value, whose numbers it cannot see.

        @jit
        def f(x):
            return np.sin(x)             # NumPy wants the numbers at once

    Write the function of `jaxlab.numpy`, or hand the numbers over when the program runs:

        return jnp.sin(x)
        return jaxlab.pure_callback(np.sin, x, x)
    """

    def __init__(self, tracer: Any) -> None:
        super().__init__(
            f"numpy.asarray: {describe(tracer)} was given, but NumPy needs the numbers, which are not known "
            "while tracing; "
            "write the function of jaxlab.numpy (jnp.sin for np.sin), index jnp.asarray(table) instead of a NumPy "
            "array, or use jaxlab.pure_callback"
        )


class NonConcreteBooleanIndexError(JAXIndexError):
    """An array was indexed with a traced mask, so that the size of the result would depend on its numbers.

        @jit
        def f(x):
            return x[x > 0].sum()        # how long is x[x > 0]?

    Keep the shape and choose values, or say how many there are at most:

        return jnp.where(x > 0, x, 0).sum()
        return x[jnp.nonzero(x > 0, size=3, fill_value=0)]
    """

    def __init__(self, tracer: Any) -> None:
        super().__init__(
            f"indexing: {describe(tracer)} was given as a mask, but the size of the result must be known "
            "while tracing; "
            "write jnp.where(mask, x, fill), or jnp.nonzero(mask, size=n)"
        )


class UnexpectedTracerError(JAXTypeError):
    """A traced value was used after the function it belongs to had been traced: it leaked.

        seen = []

        @jit
        def f(x):
            seen.append(x + 1)           # x + 1 stands for a value only while f is traced
            return x

        f(1.0); seen[0] + 1              # here it stands for nothing

    Return the value instead of storing it (`has_aux` helps with `grad`), or print it with
    `jaxlab.debug.print`. `jaxlab.checking_leaks()` reports the leak where it happens.
    """

    def __init__(self, msg: Any) -> None:
        if not isinstance(msg, str):
            msg = (
                f"tracing: {describe(msg)} was used, but its function is no longer being traced; "
                "return it from that function instead of storing it (jaxlab.checking_leaks() shows where)"
            )
        super().__init__(msg)


class KeyReuseError(JAXTypeError):
    """A random key was used twice, which gives the same numbers twice. Raised if `debug_key_reuse` is on.

        a = random.normal(key)
        b = random.normal(key)           # a and b are equal

    Split the key, and use each part once:

        key_a, key_b = random.split(key)
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)


class InconclusiveDimensionOperation(Exception):
    """A question about a symbolic dimension has no answer for all its values, such as `n + 1 == m`."""


class JaxprTypeError(TypeError):
    """A jaxpr is not well typed: an equation's outputs are not what its primitive gives for its inputs."""


__all__ = [
    "ConcretizationTypeError",
    "InconclusiveDimensionOperation",
    "JAXIndexError",
    "JAXTypeError",
    "JaxprTypeError",
    "KeyReuseError",
    "NonConcreteBooleanIndexError",
    "TracerArrayConversionError",
    "TracerBoolConversionError",
    "TracerIntegerConversionError",
    "UnexpectedTracerError",
]
