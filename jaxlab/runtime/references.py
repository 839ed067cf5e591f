"""`Ref`: a mutable array. It holds an immutable one, and knows whether anybody else does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from jaxlab.core.aval import aval_makers
from jaxlab.core.refs import AbstractRef, is_ref
from jaxlab.core.trace import Tracer
from jaxlab.runtime.array import Array, put
from jaxlab.runtime.keys import KeyArray
from jaxlab.runtime.transfer import deleted_error


class _RefType(type):
    """Traced references are references too, though their class is that of all traced values."""

    def __instancecheck__(cls, x: Any) -> bool:
        return type(x) is cls or (isinstance(x, Tracer) and is_ref(x.aval))


class Ref(metaclass=_RefType):
    """A mutable array, made by `new_ref` and read and written by indexing.

    Compiled functions change it in place: the memory of the array in it is handed to the program, unless
    somebody else has been given that array.

    Attributes:
      aval: the type.

    >>> ref = jaxlab.new_ref(jnp.zeros(3))
    >>> ref[1] = 5.0
    >>> ref
    Ref([0., 5., 0.], dtype=float32)
    """

    __slots__ = ("__weakref__", "_array", "_shared", "aval")
    aval: AbstractRef

    def __init__(self, aval: AbstractRef, array: Any, *, shared: bool = True) -> None:
        self.aval = aval
        self._array = array
        self._shared = shared

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the array."""
        return self.aval.shape

    @property
    def dtype(self) -> Any:
        """The dtype of the array."""
        return self.aval.dtype

    @property
    def ndim(self) -> int:
        """The number of its axes."""
        return len(self.aval.shape)

    @property
    def size(self) -> int:
        """The number of its elements."""
        return self.aval.size

    @property
    def sharding(self) -> Any:
        """How the array lies on its devices."""
        return self._array.sharding

    @property
    def committed(self) -> bool:
        """Whether the array insists on its device."""
        return bool(self._array.committed)

    def devices(self) -> set[Any]:
        """The set of devices the array lies on."""
        found: set[Any] = self._array.devices()
        return found

    def unsafe_buffer_pointer(self) -> int:
        """The address of the array on its device; programs that change the reference in place keep it."""
        return int(self._array.unsafe_buffer_pointer())

    def block_until_ready(self) -> Ref:
        """Wait until what was written is there; returns the reference."""
        self._array.block_until_ready()
        return self

    def value(self) -> Any:
        """The array, which from now on is somebody else's too: the next write leaves it as it is."""
        self._shared = True
        return self._array

    def peek(self) -> Any:
        """The array, for programs that read it and give it to nobody."""
        return self._array

    def lend(self) -> Any:
        """The array, for a program that takes its memory; a copy where others hold it."""
        if self._shared:
            array = self._array
            if array.is_deleted():
                raise deleted_error(array)
            self._array = copied(array)
            self._shared = False
        return self._array

    def replace(self, array: Any) -> None:
        """Put in the array that a program made of the old one."""
        self._array = array
        self._shared = False

    def exchange(self, value: Any) -> Any:
        """Put in a value of somebody's, and return the array that was there."""
        old = self._array
        self._array = put(value, self.aval.inner_aval)
        self._shared = type(value) in (Array, KeyArray)
        return old

    def put_back(self, array: Any) -> None:
        """Put in an array that `value` gave, as if nothing had been written since."""
        self._array = array
        self._shared = True

    def __len__(self) -> int:
        return len(self.aval)

    def __repr__(self) -> str:
        return repr(self._array).replace("Array(", "Ref(", 1)


def new(init: Any, aval: AbstractRef) -> Ref:
    """A reference whose first value is that of an array, a NumPy array or a number."""
    if type(init) in (Array, KeyArray):
        return Ref(aval, init)
    return Ref(aval, put(init, aval.inner_aval), shared=False)


def lend(
    inputs: Sequence[Any], donated: Sequence[bool], kept: Sequence[bool], *, may_fail: bool
) -> list[Any]:
    """The arrays for a program in place of references; it takes the memory of those that are donated and kept.

    A program that may fail half way takes that of copies, so that its references are then as they were.
    """
    values = []
    for x, takes, keeps in zip(inputs, donated or (False,) * len(kept), kept, strict=True):
        if type(x) is not Ref:
            values.append(x)
        elif not (takes and keeps):
            values.append(x.peek())
        else:
            values.append(copied(x.peek()) if may_fail else x.lend())
    return values


class Saved:
    """The values of references among some values, to be put back."""

    __slots__ = ("values",)

    def __init__(self, leaves: Iterable[Any]) -> None:
        self.values = [(x, x.value()) for x in leaves if type(x) is Ref]

    def restore(self) -> None:
        """Let the references have these values again."""
        for ref, value in self.values:
            ref.put_back(value)


def copied(array: Any) -> Any:
    """The same value in memory of its own."""
    return KeyArray(array.aval, array.words.__copy__()) if type(array) is KeyArray else array.__copy__()


def values(args: Iterable[Any]) -> list[Any]:
    """The arguments, with the arrays in place of the references."""
    return [x.peek() if type(x) is Ref else x for x in args]


aval_makers[Ref] = lambda ref: ref.aval
