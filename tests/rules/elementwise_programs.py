"""Elementwise operations as text and numbers, by jax or by jaxlab: ``python elementwise_programs.py jax``
prints JSON.

Run in a process for each of the two, so that neither sees the other.
"""

from __future__ import annotations

import importlib
import json
import sys
import warnings
from typing import Any

import numpy as np


def words(text: str) -> list[str]:
    """The names in a text."""
    return text.split()


REAL = words(
    "neg sign abs square sqrt rsqrt cbrt exp exp2 log log1p expm1 sin cos tan asin acos atan sinh cosh "
    "tanh asinh acosh atanh logistic erf erfc erf_inv lgamma digamma floor ceil round is_finite "
    "stop_gradient reciprocal"
)
COMPLEX = words(
    "neg sign abs square sqrt rsqrt exp exp2 log log1p expm1 sin cos tan asin acos atan sinh cosh tanh "
    "asinh acosh atanh logistic real imag conj stop_gradient reciprocal"
)
BINARY = words("add sub mul div rem max min pow atan2 nextafter complex eq ne lt le gt ge polygamma zeta")
COMPLEX_BINARY = words("add sub mul div max min pow atan2 eq ne")
SMOOTH = words("add sub mul div rem max min pow atan2")
INTEGER = words("neg sign abs square bitwise_not population_count clz stop_gradient")
INTEGER_BINARY = words(
    "add sub mul div rem max min eq ne lt le gt ge bitwise_and bitwise_or bitwise_xor shift_left "
    "shift_right_logical shift_right_arithmetic"
)

F = np.array([0.5, 0.25, 0.75], np.float32)
G = np.array([1.5, 0.25, 0.5], np.float32)
C = np.array([0.5 + 1j, 0.25 - 0.5j, 0.75j], np.complex64)
I = np.array([1, -2, 3], np.int32)
J = np.array([2, 0, -1], np.int32)
AWKWARD = np.array([np.nan, np.inf, -np.inf, -0.0, 0.0, 1.0, -1.0, 2.5, -0.5, 1e-40, 3e38, 1e-10], np.float32)
MIN, MAX = np.iinfo(np.int32).min, np.iinfo(np.int32).max
EDGES = np.array([0, 1, -1, MIN, MAX, 31, 32, 7], np.int32)
UNSIGNED = np.array([0, 1, 255, 128, 7, 8], np.uint8)


def programs(lax: Any) -> list[tuple[str, Any, tuple[Any, ...], bool]]:
    """Name, function, arguments, and whether it is differentiated."""
    table: list[tuple[str, Any, tuple[Any, ...], bool]] = []
    for names, args, differentiated in (
        (REAL, (F,), True),
        (COMPLEX, (C,), True),
        (BINARY, (F, G), True),
        (COMPLEX_BINARY, (C, C[::-1].copy()), True),
        (INTEGER, (I,), False),
        (INTEGER_BINARY, (I, J), False),
    ):
        for name in names:
            smooth = differentiated and name not in ("nextafter", "polygamma", "zeta")
            table.append((f"{name} {args[0].dtype}", getattr(lax, name), args, smooth))
    powers = (0, 1, 2, 3, 5, -1, -2)
    table += [(f"integer_pow {y}", lambda x, y=y: lax.integer_pow(x, y), (F,), True) for y in powers]
    half = np.float32(0.5)
    even = lax.RoundingMethod.TO_NEAREST_EVEN
    more: list[tuple[str, Any, tuple[Any, ...]]] = [
        ("round even", lambda x: lax.round(x, even), (F,)),
        ("pow literal", lambda x: lax.pow(x, 3), (F,)),
        ("pow integers", lambda x: lax.pow(x, I), (F,)),
        ("pow float literal", lambda x: lax.pow(x, 2.0), (F,)),
        ("pow base literal", lambda x: lax.pow(2.0, x), (F,)),
        ("conj real", lax.conj, (F,)),
        ("select_n", lambda x, y: lax.select_n(lax.gt(x, y), x, y), (F, G)),
        ("select", lambda x: lax.select(lax.gt(x, half), x, x), (F,)),
        ("clamp", lax.clamp, (F, G, F)),
        ("clamp scalars", lambda x: lax.clamp(0.25, x, 0.5), (F,)),
        ("convert bfloat16", lambda x: lax.convert_element_type(x, "bfloat16"), (F,)),
        ("convert int", lambda x: lax.convert_element_type(x, np.int32), (F,)),
        ("convert same", lambda x: lax.convert_element_type(x, np.float32), (F,)),
        ("convert complex", lambda x: lax.convert_element_type(x, np.complex64), (F,)),
        ("convert bool", lambda x: lax.convert_element_type(x, bool), (F,)),
        ("convert literal", lambda x: lax.mul(x, lax.convert_element_type(2, np.float32)), (F,)),
        ("bitcast", lambda x: lax.bitcast_convert_type(x, np.int32), (F,)),
        ("bitcast narrow", lambda x: lax.bitcast_convert_type(x, np.int16), (F,)),
        ("reduce_precision", lambda x: lax.reduce_precision(x, 5, 3), (F,)),
        ("mul literal", lambda x: lax.mul(x, 2.0), (F,)),
        ("literal minus", lambda x: lax.sub(1.0, x), (F,)),
        ("mul scalar", lax.mul, (F, half)),
        ("div scalar", lax.div, (half, F)),
        ("add scalar", lax.add, (F, half)),
        ("max scalar", lax.max, (F, half)),
        ("max literal", lambda x: lax.max(x, 0.25), (F,)),
        ("weak", lambda x: lax.sin(x), (2.0,)),
        ("weak pair", lambda x, y: lax.mul(x, y), (2.0, 3.0)),
    ]
    table += [(name, function, args, True) for name, function, args in more]
    return table


def texts(lib: Any) -> dict[str, dict[str, str]]:
    """The jaxprs of each program and of its jvp, gradient and batched forms."""
    out: dict[str, dict[str, str]] = {}
    for name, function, args, differentiated in programs(lib.lax):
        row = out[name] = {}
        row["jaxpr"] = str(lib.make_jaxpr(function)(*args))
        result = lib.eval_shape(function, *args)
        row["type"] = f"{result.dtype}{result.shape} {result.weak_type}"
        if differentiated:
            count = len(args)

            def pushed(*xs: Any, function: Any = function, count: int = count) -> Any:
                return lib.jvp(function, xs[:count], xs[count:])

            def pulled(*xs: Any, function: Any = function, count: int = count) -> Any:
                _out, back = lib.vjp(function, *xs[:count])
                return back(xs[count])

            if str(result.dtype).startswith(("float", "complex", "bfloat")):
                row["jvp"] = str(lib.make_jaxpr(pushed)(*args, *args))
                if not result.weak_type:
                    row["vjp"] = str(lib.make_jaxpr(pulled)(*args, result))
        if all(isinstance(x, np.ndarray) and x.ndim for x in args):
            stacked = [np.stack([x, x, x, x]) for x in args]
            row["vmap"] = str(lib.make_jaxpr(lib.vmap(function))(*stacked))
            row["vmap 1"] = str(lib.make_jaxpr(lib.vmap(function, in_axes=1))(*[x.T.copy() for x in stacked]))
            if len(args) > 1:
                row["vmap mixed"] = str(
                    lib.make_jaxpr(lib.vmap(function, in_axes=(0, 1, None)[: len(args)]))(
                        stacked[0], stacked[1].T.copy(), *args[2:]
                    )
                )
                row["vmap first"] = str(
                    lib.make_jaxpr(lib.vmap(function, in_axes=(0, *(None,) * (len(args) - 1))))(
                        stacked[0], *args[1:]
                    )
                )
                row["vmap second"] = str(
                    lib.make_jaxpr(lib.vmap(function, in_axes=(None, 1, None)[: len(args)]))(
                        args[0], stacked[1].T.copy(), *args[2:]
                    )
                )
    return out


def numbers(lib: Any) -> dict[str, list[Any]]:
    """The bits of results at awkward arguments, and of derivatives there."""
    lax = lib.lax
    out: dict[str, list[Any]] = {}

    def note(name: str, x: Any) -> None:
        array = np.asarray(x)
        out[name] = [str(array.dtype), list(array.shape), array.astype(array.dtype).tobytes().hex()]

    pairs = [np.ascontiguousarray(x.reshape(-1)) for x in np.meshgrid(AWKWARD, AWKWARD)]
    edges = [np.ascontiguousarray(x.reshape(-1)) for x in np.meshgrid(EDGES, EDGES)]
    unsigned = [np.ascontiguousarray(x.reshape(-1)) for x in np.meshgrid(UNSIGNED, UNSIGNED)]
    z = (pairs[0] + np.complex64(1j) * pairs[1]).astype(np.complex64)
    for name in REAL:
        function = getattr(lax, name)
        note(f"{name} f32", function(AWKWARD))
        note(
            f"{name} bf16",
            lax.convert_element_type(function(lax.convert_element_type(AWKWARD, "bfloat16")), np.float32),
        )
        if name not in ("is_finite",):
            note(f"{name} derivative", lib.jvp(function, (AWKWARD,), (np.ones_like(AWKWARD),))[1])
    for name in COMPLEX:
        note(f"{name} c64", getattr(lax, name)(z))
    for name in BINARY:
        if name not in ("polygamma", "zeta"):
            function = getattr(lax, name)
            note(f"{name} f32", function(*pairs))
        if name in SMOOTH:
            ones, zeros = np.ones_like(pairs[0]), np.zeros_like(pairs[0])
            note(f"{name} derivative 0", lib.jvp(function, tuple(pairs), (ones, zeros))[1])
            note(f"{name} derivative 1", lib.jvp(function, tuple(pairs), (zeros, ones))[1])
    for name in INTEGER_BINARY:
        note(f"{name} i32", getattr(lax, name)(*edges))
        note(f"{name} u8", getattr(lax, name)(*unsigned))
    for name in INTEGER:
        note(f"{name} i32", getattr(lax, name)(EDGES))
        if name != "abs":
            note(f"{name} u8", getattr(lax, name)(UNSIGNED))
    for name in COMPLEX_BINARY:
        note(f"{name} c64", getattr(lax, name)(z, z[::-1].copy()))
    for dtype in ("int8", "uint8", "int32", "uint32", "bool", "bfloat16", "float16", "complex64"):
        out[f"convert {dtype}"] = [
            np.asarray(lax.convert_element_type(lax.convert_element_type(AWKWARD, dtype), np.complex64))
            .tobytes()
            .hex()
        ]
    return out


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    library = importlib.import_module(sys.argv[1])
    if sys.argv[1] == "jaxlab":
        importlib.import_module("jaxlab.core.printing")
    print(json.dumps({"texts": texts(library), "numbers": numbers(library)}))
