"""The first line of each error of callbacks and checks, word for word."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import jaxlab
import jaxlab.numpy as jnp
from jaxlab import lax
from jaxlab.experimental import checkify, io_callback
from jaxlab.runtime.native import JaxRuntimeError

V = np.arange(3.0, dtype=np.float32)
ONE = np.float32(1)


def head(x: Any) -> Any:
    return x[:2]


def pure(f: Callable[..., Any], like: Any = V, x: Any = V, **options: Any) -> Any:
    """A call of ``f`` from a compiled program."""
    return jaxlab.jit(lambda x: jaxlab.pure_callback(f, like, x, **options))(x)


ERRORS: list[tuple[str, type[BaseException], Callable[[], Any], str]] = [
    (
        "shape",
        JaxRuntimeError,
        lambda: pure(head),
        "pure_callback of head: result 0 is float32[2], but float32[3] is needed; return that, or change "
        "result_shape_dtypes",
    ),
    (
        "dtype",
        JaxRuntimeError,
        lambda: io_callback(np.int32, V, V),
        "io_callback of int32: result 0 is int32[3], but float32[3] is needed; return that, or change "
        "result_shape_dtypes",
    ),
    (
        "arity",
        JaxRuntimeError,
        lambda: pure(np.modf),
        "pure_callback of modf: 2 results were returned, but 1 are needed; return as many arrays as "
        "result_shape_dtypes has",
    ),
    (
        "no function",
        TypeError,
        lambda: jaxlab.pure_callback(V, V, V),
        "pure_callback: the callback is a ndarray, but a function is needed; pass the function, not its result",
    ),
    (
        "no function to debug",
        TypeError,
        lambda: jaxlab.debug.callback(3, V),
        "debug.callback: the callback is a int, but a function is needed; pass the function, not its result",
    ),
    (
        "vmap_method",
        ValueError,
        lambda: jaxlab.pure_callback(head, V, V, vmap_method="all"),
        "pure_callback: vmap_method is 'all', but it must be one of 'sequential', 'sequential_unrolled', "
        "'expand_dims', 'broadcast_all', 'legacy_vectorized', None; write 'sequential' for one call a slice",
    ),
    (
        "no vmap_method",
        NotImplementedError,
        lambda: jaxlab.vmap(lambda x: jaxlab.pure_callback(head, x, x))(V),
        "pure_callback of head: vmap_method is None, but vmap has to know how to call the function on many "
        "slices; write vmap_method='sequential' for one call a slice, or 'expand_dims' or 'broadcast_all' if "
        "it works on stacks",
    ),
    (
        "result types",
        AttributeError,
        lambda: jaxlab.pure_callback(head, (3,), V),
        "pure_callback: result_shape_dtypes has the leaf 3, a int, but every leaf must have shape and dtype; "
        "write jaxlab.ShapeDtypeStruct(shape, dtype)",
    ),
    (
        "64 bits",
        ValueError,
        lambda: io_callback(head, np.zeros(3), V),
        "io_callback: result_shape_dtypes has the dtype float64, but 64-bit types need enable_x64; write "
        "float32, or set jaxlab.config.update('enable_x64', True)",
    ),
    (
        "argument",
        TypeError,
        lambda: jaxlab.pure_callback(head, V, {"a": "text"}),
        "pure_callback: the argument at [0]['a'] is a str, but arrays, numbers and pytrees of those are "
        "needed; bind the rest to the function (functools.partial)",
    ),
    (
        "jvp",
        ValueError,
        lambda: jaxlab.grad(lambda x: jaxlab.pure_callback(np.sin, x, x))(1.0),
        "pure_callback of sin: a call of a Python function was given to be differentiated, but its derivative "
        "is not known; give it a rule with jaxlab.custom_jvp",
    ),
    (
        "jvp of io",
        ValueError,
        lambda: jaxlab.grad(lambda x: io_callback(np.sin, x, x))(1.0),
        "io_callback of sin: a call of a Python function was given to be differentiated, but its derivative "
        "is not known; cut the dependence with lax.stop_gradient, or give it a rule with jaxlab.custom_jvp",
    ),
    (
        "ordered vmap",
        ValueError,
        lambda: jaxlab.vmap(lambda x: io_callback(np.sin, x, x, ordered=True))(V),
        "io_callback of sin: ordered is True, but the slices of vmap have no order; write ordered=False, or map "
        "with lax.map",
    ),
    (
        "io in a mapped branch",
        NotImplementedError,
        lambda: jaxlab.vmap(lambda x: lax.cond(x > 0, lambda: io_callback(np.sin, x, x), lambda: x))(V),
        "cond: a function that calls io_callback was given, with a condition that vmap maps, but then it would "
        "be called for every slice, asked for or not; map with lax.map instead of vmap",
    ),
    (
        "no field",
        ValueError,
        lambda: jaxlab.debug.print("x", V, y=1),
        "debug.print: argument 0 and the argument y was given, but the format has no field for it; write {} or "
        "{name} in a plain text (an f-string has no fields left)",
    ),
    (
        "no text",
        TypeError,
        lambda: jaxlab.debug.print(V),
        "debug.print: the format is a ndarray, but a text is needed; write debug.print('{}', x)",
    ),
    (
        "options",
        TypeError,
        lambda: jaxlab.debug.callback(ordered=True, x=1),
        "debug.callback: x was given among the options, but they are ordered and partitioned; pass the rest to "
        "the function that this returns",
    ),
    (
        "backend",
        ValueError,
        lambda: jaxlab.debug.breakpoint(backend="web"),
        "debug.breakpoint: backend is 'web', but 'cli' is the only one there is",
    ),
    (
        "token and ordered",
        ValueError,
        lambda: jaxlab.debug.breakpoint(token=V, ordered=True),
        "debug.breakpoint: ordered and token were given, but either says when to stop; give one of them",
    ),
    (
        "check, predicate",
        TypeError,
        lambda: checkify.check(jnp.array(V), "no"),
        "check: the predicate is f32[3], but a boolean scalar is needed; compare, or reduce with jnp.all",
    ),
    (
        "debug_check, predicate",
        TypeError,
        lambda: checkify.debug_check(None, "no"),
        "debug_check: the predicate is a NoneType, but a boolean scalar is needed; compare, or reduce with "
        "jnp.all",
    ),
    (
        "check, value",
        TypeError,
        lambda: checkify.check(True, "{x}", x="text"),
        "check: a value to show is 'text', a str, but arrays and pytrees of arrays are needed; put the rest in "
        "the text",
    ),
    (
        "check_error",
        TypeError,
        lambda: checkify.check_error(3),
        "check_error: the argument is a int, but an Error is needed; pass the first result of a function made "
        "by checkify",
    ),
    (
        "checkify",
        TypeError,
        lambda: checkify.checkify(3),
        "checkify: expected a function, but got a int; pass the function, not its result",
    ),
    (
        "check in jit",
        ValueError,
        lambda: jaxlab.jit(lambda x: checkify.check(x > 0, "no"))(1.0),
        "check: the check at HERE was given to be compiled, but a compiled program cannot raise; compile "
        "jit(checkify(f)), which returns the error, or write debug_check, which is left out",
    ),
    (
        "check at once",
        checkify.JaxRuntimeError,
        lambda: checkify.check(jnp.array(False), "{}: no", V),
        "[0. 1. 2.]: no (check failed at HERE)",
    ),
    (
        "mapped while",
        ValueError,
        lambda: checkify.checkify(
            jaxlab.vmap(lambda n: lax.while_loop(lambda c: c < n, lambda c: c + 1, 0.0))
        )(V),
        "checkify: a while_loop with a condition that vmap maps was given, but each of its slices needs an error "
        "of its own; write vmap(checkify(f)) instead of checkify(vmap(f))",
    ),
]


@pytest.mark.parametrize(("kind", "make", "text"), [e[1:] for e in ERRORS], ids=[e[0] for e in ERRORS])
def test_first_line(kind: type[BaseException], make: Callable[[], Any], text: str) -> None:
    with pytest.raises(kind) as caught:
        make()
    assert type(caught.value) is kind
    first = str(caught.value).partition("\n")[0]
    assert (
        re.sub(r"\S*test_callbacks_errors\.py:\d+ \(<lambda>(\.<locals>\.<lambda>)?\)", "HERE", first) == text
    )
