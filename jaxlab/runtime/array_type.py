"""The public type of arrays, for annotations and ``isinstance``: concrete arrays and traced ones."""

from __future__ import annotations

from typing import Any

from jaxlab.core.aval import ShapedArray
from jaxlab.core.refs import is_ref
from jaxlab.core.trace import Tracer
from jaxlab.runtime.keys import KeyArray
from jaxlab.runtime.transfer import Array as ConcreteArray


class _ArrayType(type):
    def __instancecheck__(cls, instance: Any) -> bool:
        if type(instance) is ConcreteArray:
            return type(instance.aval) is ShapedArray  # arrays of an imported jax are of the same class
        if type(instance) is KeyArray:
            return True
        return isinstance(instance, Tracer) and not is_ref(instance.aval)

    def __subclasscheck__(cls, subclass: type) -> bool:
        return subclass in (cls, ConcreteArray, KeyArray) or issubclass(subclass, Tracer)


class Array(metaclass=_ArrayType):
    """An array of jaxlab: a value on a device, or, while a function is traced, what stands for one.

    It cannot be made by calling it: use `jaxlab.numpy.array` or `jaxlab.device_put`.

    >>> isinstance(jnp.ones(3), jaxlab.Array), isinstance(jaxlab.random.key(0), jaxlab.Array)
    (True, True)
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        raise TypeError("Array: arrays are not made by calling their type; use jaxlab.numpy.array")
