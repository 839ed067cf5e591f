"""Exported functions: what they are, that they outlive their process, and that damaged ones are refused."""

from __future__ import annotations

import collections
import hashlib
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import jaxlab as jax
import jaxlab.numpy as jnp
from jaxlab import export, lax

V = np.arange(3.0, dtype=np.float32)


def model(p: Any, n: Any) -> Any:
    hidden = jax.jit(jnp.sin)(p["w"]) @ p["b"]
    total, steps = lax.scan(lambda c, x: (c + x, c * x), hidden.sum(), hidden)
    return {"y": hidden * n, "total": total, "steps": steps, "next": n + 1}


P = {"w": np.ones((2, 3), np.float32), "b": V}
EXPORTED = export.export(jax.jit(model))(P, 2)


def loss(call: Any, p: Any) -> Any:
    return call(p, 2)["y"].sum() + call(p, 2)["total"]


@pytest.mark.parametrize("exported", [EXPORTED, export.deserialize(EXPORTED.serialize(vjp_order=2))])
def test_it_is_the_function(exported: Any) -> None:
    same = np.testing.assert_allclose
    for call in (exported.call, jax.jit(exported.call)):
        for name, value in model(P, 2).items():
            same(call(P, 2)[name], value, rtol=1e-6)
        derivative = jax.grad(lambda p: loss(call, p))(P)
        for name, value in jax.grad(lambda p: loss(model, p))(P).items():
            same(derivative[name], value, rtol=1e-6)
    mapped = jax.vmap(exported.call, (None, 0))(P, np.arange(3))
    same(mapped["y"], np.stack([model(P, i)["y"] for i in range(3)]), rtol=1e-6)
    second = jax.grad(lambda x: jax.grad(lambda p: loss(exported.call, p))({**P, "w": x})["w"].sum())(P["w"])
    wanted = jax.grad(lambda x: jax.grad(lambda p: loss(model, p))({**P, "w": x})["w"].sum())(P["w"])
    same(second, wanted, rtol=1e-5)


def test_what_it_says() -> None:
    assert (
        repr(EXPORTED) == "Exported(model(f32[3], f32[2,3], i32[]) -> (i32[], f32[2], f32[], f32[2]) for cpu)"
    )
    assert EXPORTED.module_kept_var_idx == (0, 1, 2)
    assert EXPORTED.mlir_module().startswith("module @jit_model {\n  func.func public @main(")
    assert "loc(" not in EXPORTED.mlir_module()
    assert EXPORTED.mlir_module_serialized.startswith(b"ML\xefR")
    assert Path(__file__).name.encode() not in bytes(EXPORTED.serialize(vjp_order=1))
    assert EXPORTED.has_vjp() and not export.deserialize(EXPORTED.serialize()).has_vjp()
    assert str(EXPORTED.vjp()) == "Exported(fun_name=model_vjp, ...)"


def test_one_module_for_each_platform() -> None:
    exported = export.export(jax.jit(lambda x: jnp.cumsum(x)), platforms=("cpu", "cuda", "tpu"))(V)
    copy = export.deserialize(exported.serialize())
    assert copy.platforms == ("cpu", "cuda", "tpu")
    assert (
        copy.mlir_module(platform="tpu")
        == copy.mlir_module(platform="cuda")
        != copy.mlir_module(platform="cpu")
        == copy.mlir_module()
    )
    np.testing.assert_allclose(copy.call(V), np.cumsum(V))
    alone = export.export(jax.jit(lambda x: jnp.cumsum(x)), platforms=("tpu",))(V)
    assert len(exported.serialize()) < 3 * len(alone.serialize())


def test_constants_and_keys() -> None:
    table = jnp.arange(6.0).reshape(2, 3)
    f = jax.jit(lambda key, i: table[i] + jax.random.normal(key, (3,)))
    key = jax.random.key(3)
    copy = export.deserialize(export.export(f)(key, 1).serialize())
    np.testing.assert_allclose(copy.call(key, 1), f(key, 1))


def test_calls_in_one_program_share_the_module() -> None:
    text = jax.jit(lambda p: EXPORTED.call(p, 1)["y"] + EXPORTED.call(p, 2)["y"]).lower(P).as_text()
    assert text.count("func.func private @exported_model(") == 1
    assert text.count("call @exported_model(") == 2


def test_an_exported_function_of_exported_functions() -> None:
    outer = export.export(jax.jit(lambda p: EXPORTED.call(p, 3)["y"] * 2))(P)
    copy = export.deserialize(outer.serialize())
    np.testing.assert_allclose(copy.call(P), model(P, 3)["y"] * 2, rtol=1e-6)


Pair = collections.namedtuple("Pair", "a b")
export.register_namedtuple_serialization(Pair, serialized_name="test_export.Pair")


class Box:
    """A node with something beside its children."""

    def __init__(self, label: str, inside: Any) -> None:
        self.label, self.inside = label, inside


jax.tree_util.register_pytree_node(
    Box, lambda b: ((b.inside,), b.label), lambda label, inside: Box(label, *inside)
)
export.register_pytree_node_serialization(
    Box,
    serialized_name="test_export.Box",
    serialize_auxdata=lambda label: label.encode(),
    deserialize_auxdata=lambda data: bytes(data).decode(),
)


def test_structures() -> None:
    f = jax.jit(lambda t: Box("out", Pair({"x": t[0].inside, "z": None}, [t[1].a, (t[1].b,)])))
    argument = (Box("in", V), Pair(1, 2.0))
    exported = export.export(f)(argument)
    copy = export.deserialize(exported.serialize())
    assert (copy.in_tree, copy.out_tree) == (exported.in_tree, exported.out_tree)
    out = copy.call(argument)
    assert (out.label, type(out.inside), int(out.inside.b[0])) == ("out", Pair, 1)
    np.testing.assert_array_equal(out.inside.a["x"], V)


def test_another_process_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(EXPORTED.serialize(vjp_order=1))
    program = """
        import sys
        import numpy as np
        import jaxlab as jax
        exported = jax.export.deserialize(open(sys.argv[1], "rb").read())
        p = {"w": np.ones((2, 3), np.float32), "b": np.arange(3, dtype=np.float32)}
        out = jax.jit(exported.call)(p, 2)
        slope = jax.grad(lambda p: exported.call(p, 2)["y"].sum())(p)
        print(*np.asarray(out["y"]).tolist(), int(out["next"]), *np.asarray(slope["b"]).tolist())
        assert "jax" not in sys.modules
    """
    run = [sys.executable, "-c", textwrap.dedent(program), str(path)]
    printed = subprocess.run(run, capture_output=True, text=True, check=True).stdout
    slope = jax.grad(lambda p: model(p, 2)["y"].sum())(P)["b"]
    wanted = [*np.asarray(model(P, 2)["y"]).tolist(), 3, *np.asarray(slope).tolist()]
    np.testing.assert_allclose([float(x) for x in printed.split()], wanted, rtol=1e-6)


BLOB = bytes(EXPORTED.serialize(vjp_order=1))


@pytest.mark.parametrize("place", [10, 20, 50, len(BLOB) // 2, len(BLOB) - 1])
def test_damaged_bytes_are_refused(place: int) -> None:
    damaged = bytearray(BLOB)
    damaged[place] ^= 0x10
    with pytest.raises(ValueError, match=r"^deserialize: "):
        export.deserialize(damaged)


@pytest.mark.parametrize("length", [0, 7, 41, 100, len(BLOB) - 1])
def test_bytes_that_were_cut_are_refused(length: int) -> None:
    with pytest.raises(ValueError, match=r"^deserialize: "):
        export.deserialize(BLOB[:length])


def test_bytes_made_to_deceive_are_refused() -> None:
    body = (2).to_bytes(4, "little") + b"{}"
    with pytest.raises(ValueError, match="not the fields of an exported function"):
        export.deserialize(b"JLEXPORT" + (1).to_bytes(2, "little") + hashlib.sha256(body).digest() + body)


Unknown = collections.namedtuple("Unknown", "a")


@pytest.mark.parametrize(
    ("error", "call", "first_line"),
    [
        (ValueError, lambda: export.deserialize(b"abc"), "deserialize: 3 bytes were given that do not begin with JLEXPORT, but an exported function is needed; pass what Exported.serialize returned"),
        (ValueError, lambda: export.deserialize(b"JLEXPORT" + b"\x09\x00" + BLOB[10:]), "deserialize: format 9 was given, but this version of jaxlab reads format 1; export the function again"),
        (ValueError, lambda: export.deserialize(BLOB[:-1]), "deserialize: the bytes given are damaged, since they do not have the checksum that was written with them; export the function again"),
        (TypeError, lambda: export.deserialize("abc"), "deserialize: a value of type str was given, but bytes are needed; read the file in mode 'rb'"),
        (ValueError, lambda: export.export(jax.jit(lambda x: x), platforms=("abc",)), "export: platforms=('abc',) was given, but cpu, cuda, rocm, tpu are known; name some of these"),
        (ValueError, lambda: export.export(jax.jit(lambda x: x), platforms="cpu"), "export: platforms='cpu' was given, but a sequence of names is needed; write ('cpu',)"),
        (ValueError, lambda: EXPORTED.call(P, V), "model: args[1] is f32[3], but it was exported for i32[]; convert it, or export the function for these types"),
        (TypeError, lambda: EXPORTED.call(P, "a"), "model: args[1] is of type str, but it was exported for i32[]; pass an array"),
        (ValueError, lambda: EXPORTED.call({"w": V}, 2), "model: it was exported for arguments of structure PyTreeDef((({'b': *, 'w': *}, *), {})), but was called with PyTreeDef((({'w': *}, *), {})): args[0] was a dict with keys ['b', 'w'], and is a dict with keys ['w']; pass them as they were at the export"),
        (ValueError, lambda: export.export(jax.jit(lambda x: x + 1), platforms=("tpu",))(V).call(V), "<lambda>: it was exported for tpu, but is used on cpu; export it with platforms=('tpu', 'cpu')"),
        (ValueError, lambda: jax.grad(lambda p: export.deserialize(EXPORTED.serialize()).call(p, 2)["total"])(P), "model: its derivative was asked for, but was not kept; serialise it with vjp_order=1 or more"),
        (ValueError, lambda: export.export(jax.jit(lambda u: u.a))(Unknown(1)).serialize(), "serialize: a node of type Unknown is in the arguments or results, but how it is written is not known; call jaxlab.export.register_namedtuple_serialization(Unknown, serialized_name=...)"),
        (ValueError, lambda: export.register_namedtuple_serialization(Pair, serialized_name="p"), "register_pytree_node_serialization: Pair was given as 'p', but that type is registered already, as 'test_export.Pair' for Pair; register it once"),
        (ValueError, lambda: export.register_namedtuple_serialization(Unknown, serialized_name="test_export.Pair"), "register_pytree_node_serialization: Unknown was given as 'test_export.Pair', but that name is registered already, as 'test_export.Pair' for Pair; register it once"),
        (ValueError, lambda: export.register_namedtuple_serialization(Box, serialized_name="b"), "register_namedtuple_serialization: Box was given, but a class of named tuples is needed; use register_pytree_node_serialization for others"),
        (NotImplementedError, lambda: export.export(jax.jit(lambda x: jax.pure_callback(np.sin, x, x)))(V), "export: <lambda> calls functions of Python, but an exported function has none; leave out callbacks and debug.print"),
    ],
)  # fmt: skip
def test_first_lines(error: type[Exception], call: Any, first_line: str) -> None:
    with pytest.raises(error) as caught:
        call()
    assert type(caught.value) is error
    assert str(caught.value).splitlines()[0] == first_line


def test_custom_calls_without_guarantee_must_be_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "jaxlab.export.exporting.artifact.custom_call_targets", lambda module: ["f", "lapack_spotrf_ffi"]
    )
    f = jax.jit(lambda x: x)
    with pytest.raises(ValueError, match=r"^export: <lambda> calls f of the runtime, which may change"):
        export.export(f)(V)
    allowed = export.DisabledSafetyCheck.custom_call("f")
    exported = export.export(f, disabled_checks=[allowed])(V)
    assert export.deserialize(exported.serialize()).disabled_safety_checks == (allowed,)


def test_the_platform_need_not_be_checked() -> None:
    unchecked = [export.DisabledSafetyCheck.platform()]
    exported = export.export(jax.jit(lambda x: x + 1), platforms=("tpu",), disabled_checks=unchecked)(V)
    np.testing.assert_array_equal(exported.call(V), V + 1)
