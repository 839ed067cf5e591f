"""Errors of jit, its stages, structs and device_put: the exact first line of each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import jaxlab as jax
import jaxlab.numpy as jnp
from jaxlab.runtime.native import J, JaxRuntimeError

V = np.arange(3.0, dtype=np.float32)
SHARDING = jnp.ones(1).sharding
DEVICE = jax.devices()[0]


def add(x: Any, y: Any) -> Any:
    return x + y


def gone() -> Any:
    x = jnp.ones(3)
    x.delete()
    return x


def donated() -> Any:
    f = jax.jit(add, donate_argnums=0)
    x = jnp.ones(3)
    f(x, 1.0)
    return lambda: f(x, 1.0)


def generated(x: Any) -> Any:
    yield x


async def awaited(x: Any) -> Any:
    return x


class TwoDevices(J.Sharding):  # type: ignore[misc]
    """A sharding over two devices, of which this machine need not have one."""

    device_set = frozenset({DEVICE, None})


ERRORS: list[tuple[type[Exception], Callable[[], Any], str]] = [
    (TypeError, lambda: jax.jit(1), "jit: expected a function, but got a value of type int; pass the function, not its result"),
    (TypeError, lambda: jax.jit(None), "jit: expected a function, but got a value of type NoneType; pass the function, not its result"),
    (TypeError, lambda: jax.jit(generated), "jit: generated is a generator function, but a function is needed that returns arrays; collect what it yields in a list"),
    (TypeError, lambda: jax.jit(awaited), "jit: awaited is an asynchronous function, but a function is needed that returns arrays; collect what it yields in a list"),
    (ValueError, lambda: jax.jit(add, static_argnums=2), "jit: static_argnums names argument 2, but add takes 2 positional arguments; count them from 0"),
    (ValueError, lambda: jax.jit(add, donate_argnums=-3), "jit: donate_argnums names argument -3, but add takes 2 positional arguments; count them from 0"),
    (ValueError, lambda: jax.jit(add, static_argnames="z"), "jit: static_argnames names 'z', but that is no argument of add that can be passed by name; its arguments are x, y"),
    (ValueError, lambda: jax.jit(lambda x, /: x, donate_argnames="x"), "jit: donate_argnames names 'x', but that is no argument of <lambda> that can be passed by name; its arguments are none"),
    (TypeError, lambda: jax.jit(add, static_argnums="y"), "jit: static_argnums='y' was given, but an integer or a sequence of integers is needed; for names write static_argnames"),
    (TypeError, lambda: jax.jit(add, static_argnames=1), "jit: static_argnames=1 was given, but a name or a sequence of names is needed; for positions write static_argnums"),
    (ValueError, lambda: jax.jit(add, static_argnums=1, donate_argnames="y"), "jit: the argument y of add is both static and donated, but a static argument has no buffer to give away; leave it out of one of the two"),
    (ValueError, lambda: jax.jit(lambda x, /: x, static_argnums=0, donate_argnums=0), "jit: the argument 0 of <lambda> is both static and donated, but a static argument has no buffer to give away; leave it out of one of the two"),
    (ValueError, lambda: jax.jit(add, device=DEVICE, backend="cpu"), f"jit: device={DEVICE!r} and backend='cpu' were given, but one of them is enough; leave the other out"),
    (ValueError, lambda: jax.jit(add, device=DEVICE, in_shardings=SHARDING), "jit: device and shardings were given, but shardings say where to run; leave device out"),
    (TypeError, lambda: jax.jit(add, in_shardings=3), "jit: in_shardings holds 3 of type int, but shardings or None are needed; write x.sharding, or SingleDeviceSharding(device)"),
    (NotImplementedError, lambda: jax.jit(add, out_shardings=TwoDevices()), "jit: out_shardings names 2 devices, but a program runs on one device so far; give a sharding of one device"),
    (NotImplementedError, lambda: jax.jit(add, in_shardings=SHARDING.with_memory_kind("pinned_host")), "jit: in_shardings names memory of kind 'pinned_host', but programs take and give arrays in 'device'; move them with device_put"),
    (ValueError, lambda: jax.jit(add, in_shardings=(SHARDING,))(V, V), "jit: in_shardings has a tuple of 1 at the root, but the full tree has a tuple of 2 there; give one leaf for the whole subtree, or a subtree of the same structure"),
    (ValueError, lambda: jax.jit(add, in_shardings=(SHARDING, None))(V, y=V), "jit: in_shardings were given for add, but it was called with the keyword argument y, which has no place in them; pass it by position"),
    (ValueError, lambda: jax.jit(lambda x: jax.jit(add, compiler_options={"a": 1})(x, x))(V), "jit: compiler_options={'a': 1} were given for add, which was called in another jitted function and is compiled as a part of that; give them to the outermost jit"),
    (ValueError, lambda: jax.jit(add, static_argnums=1)(V, [1]), "add: the static argument 1 is of type list, which is not hashable, but static arguments are part of the cache key; pass a tuple or another hashable value"),
    (ValueError, lambda: jax.jit(add, static_argnames="y")(V, y={}), "add: the static argument 'y' is of type dict, which is not hashable, but static arguments are part of the cache key; pass a tuple or another hashable value"),
    (ValueError, lambda: jax.jit(add, static_argnums=1).trace(V, [1]), "add: the static argument 1 is of type list, which is not hashable, but static arguments are part of the cache key; pass a tuple or another hashable value"),
    (TypeError, lambda: jax.jit(add)({"a": "b"}, 1), "add: the argument x['a'] is of type str, but a traced function takes arrays, numbers and pytrees of those; pass it as a static argument (static_argnames) or convert it"),
    (TypeError, lambda: jax.jit(lambda x: {"y": object()})(1), "<lambda>: the result['y'] is of type object, but a traced function returns arrays, numbers and pytrees of those; return the rest by another way"),
    (TypeError, lambda: jax.jit(add)(jax.ShapeDtypeStruct((3,), "float32"), V), "add: the argument x is a ShapeDtypeStruct of f32[3], but a call needs a value; pass an array, or write .trace, .lower or .eval_shape"),
    (RuntimeError, lambda: jax.jit(add)(V, gone()), "add: the argument y of type f32[3] was given, but its buffer was deleted or donated to a computation; use the result of that computation, or a copy made before it"),
    (RuntimeError, donated(), "add: the argument x of type f32[3] was given, but its buffer was deleted or donated to a computation; use the result of that computation, or a copy made before it"),
    (JaxRuntimeError, lambda: (lambda x: jax.jit(add, donate_argnums=1)(x, x))(jnp.ones(3)), "add: the arguments x and y are one array of type f32[3], but a buffer that is donated can be used once in a call; pass a copy as one of them"),
    (ValueError, lambda: jax.jit(add).lower(V, V).as_text("mhlo"), "as_text: the dialect 'mhlo' was given, but there are 'stablehlo' and 'hlo'; write one of those"),
    (ValueError, lambda: jax.jit(add).lower(V, V).compiler_ir("mhlo"), "compiler_ir: the dialect 'mhlo' was given, but there are 'stablehlo' and 'hlo'; write one of those"),
    (ValueError, lambda: jax.jit(add).trace(V, V).lower(lowering_platforms=("cpu", "tpu")), "lower: lowering_platforms=('cpu', 'tpu') was given, but a module is for one platform; lower for each, or use jaxlab.export.export(f, platforms=...)"),
    (TypeError, lambda: jax.jit(add).trace(V, V)(V), "add: traced for arguments of structure PyTreeDef(((*, *), {})), but got PyTreeDef(((*,), {})); call the jitted function itself for others"),
    (JaxRuntimeError, lambda: jax.jit(add).lower(V, V).compile({"none": 1}), "INVALID_ARGUMENT: No such compile option: 'none'"),
    (TypeError, lambda: jax.ShapeDtypeStruct(3, "float32"), "ShapeDtypeStruct: the shape 3 was given, but a sequence of integers is needed; write (n,) for a vector of n elements"),
    (ValueError, lambda: jax.ShapeDtypeStruct((3,), None), "ShapeDtypeStruct: dtype=None was given, but a dtype is needed; write one, as in ShapeDtypeStruct((2, 3), 'float32')"),
    (ValueError, lambda: jax.ShapeDtypeStruct((3,), "float32", sharding=3), "ShapeDtypeStruct: sharding=3 of type int was given, but a sharding is needed; pass that of an array, x.sharding"),
    (TypeError, lambda: jax.ShapeDtypeStruct((3,), "float32").update(size=3), "ShapeDtypeStruct.update: size was given, but it has no such field; its fields are dtype, is_ref, shape, sharding, weak_type"),
    (ValueError, lambda: jax.device_put(1.0, 3), "device_put: 3 of type int was given as a place, but a device, a sharding, None or a pytree of these is needed; write jaxlab.devices()[0]"),
    (TypeError, lambda: jax.device_put({"a": "b"}), "device_put: x['a'] of type str was given, but an array or a number is needed; leave it out"),
    (ValueError, lambda: jax.device_put(1.0, donate=True, may_alias=True), "device_put: donate=True and may_alias=True were given, but a buffer that is given away is not shared; leave one of them out"),
    (ValueError, lambda: jax.device_put([1, 2], (DEVICE,)), "device_put: device has a tuple of 1 at the root, but the full tree has a list of 2 there; give one leaf for the whole subtree, or a subtree of the same structure"),
    (ValueError, lambda: jax.grad(lambda x: jax.device_put(x, donate=True))(1.0), "device_put: donate=True was given for a value that is differentiated in reverse mode, but its cotangent has no buffer to give back; leave donate out"),
    (NotImplementedError, lambda: jax.device_put(1.0, TwoDevices()), "device_put: a sharding over 2 devices was given, but arrays lie on one device so far; give one of its devices"),
    (TypeError, lambda: jax.named_call(1), "named_call: a value of type int was given, but a function is needed; name a part of a function with named_scope"),
]  # fmt: skip


@pytest.mark.parametrize(("error", "call", "first_line"), ERRORS, ids=[str(i) for i in range(len(ERRORS))])
def test_first_line(error: type[Exception], call: Callable[[], Any], first_line: str) -> None:
    with pytest.raises(error) as caught:
        call()
    assert type(caught.value) is error
    assert str(caught.value).splitlines()[0] == first_line
    assert float(jax.jit(jnp.sin)(0.0)) == 0.0  # everything works as before


def test_a_tracer_that_is_static_is_told_as_what_it_is() -> None:
    told = r"^add: the static argument 1 is a traced f32\[3\], but static arguments are part of the cache key, and"
    with pytest.raises(ValueError, match=told):
        jax.jit(lambda x: jax.jit(add, static_argnums=1)(1.0, x))(V)
    with pytest.raises(ValueError, match=told):
        jax.jit(lambda x: jax.jit(add, static_argnums=1).trace(1.0, x).jaxpr)(V)
