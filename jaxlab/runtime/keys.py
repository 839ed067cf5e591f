"""`KeyArray`: an array of random keys, over the array of their words.

jaxlib's arrays have dtypes of NumPy's alone, and its dispatch knows an array by the dtype and shape of the
buffer: an array of words that only claimed to be one of keys would be taken for words. So keys are a class of
their own, which the dispatch sees as a node around its words (`tree.dispatch_registry`), while everything
else sees a leaf.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any, ClassVar, NoReturn

import numpy as np

from jaxlab import dtypes, tree
from jaxlab.core.aval import ShapedArray, aval_makers

WORD = np.dtype(np.uint32)


class KeyArray:
    """Random keys of one algorithm, in an array of any shape; `jaxlab.numpy` attaches operators and methods.

    Attributes:
      aval: shape, and the keys' dtype.
      words: the array of their uint32 words, with the axes of one key's words last.
      consumed: which of them were used, where `debug_key_reuse` watches; None where it was not on.
    """

    __slots__ = ("__weakref__", "aval", "consumed", "words")
    __array_priority__ = 100
    __hash__: ClassVar[None]  # type: ignore[assignment]

    def __init__(self, aval: ShapedArray, words: Any) -> None:
        self.aval = aval
        self.words = words
        self.consumed: Any = None

    shape = property(operator.attrgetter("aval.shape"), doc="The lengths of the axes.")
    dtype = property(operator.attrgetter("aval.dtype"), doc="The dtype of keys of this algorithm.")
    ndim = property(operator.attrgetter("aval.ndim"), doc="The number of axes.")
    size = property(operator.attrgetter("aval.size"), doc="The number of keys.")
    nbytes = property(operator.attrgetter("words.nbytes"), doc="The size of all words together, in bytes.")
    itemsize = property(operator.attrgetter("aval.dtype.itemsize"), doc="The size of one key, in bytes.")
    sharding = property(operator.attrgetter("words.sharding"), doc="How the words lie on their devices.")
    committed = property(
        operator.attrgetter("words.committed"), doc="Whether the keys insist on their device."
    )
    device = property(operator.attrgetter("words.device"), doc="The device the words lie on.")
    weak_type = False

    # What `runtime` asks of any array.
    _sharding = property(operator.attrgetter("words._sharding"))
    _committed = property(operator.attrgetter("words._committed"))

    def devices(self) -> Any:
        """The set of devices the words lie on."""
        return self.words.devices()

    def is_deleted(self) -> bool:
        """Whether the words were deleted, or donated to a computation."""
        return bool(self.words.is_deleted())

    def delete(self) -> None:
        """Free the words."""
        self.words.delete()

    def block_until_ready(self) -> KeyArray:
        """Wait until the words are there; returns the keys."""
        self.words.block_until_ready()
        return self

    def __len__(self) -> int:
        return len(self.aval)

    def __bool__(self) -> NoReturn:
        raise TypeError("key array cannot be converted to boolean; compare two of them with ==")

    def __array__(self, dtype: Any = None, copy: Any = None) -> NoReturn:
        raise TypeError(
            f"an array of keys, {self.aval.str_short()}, cannot be converted to a NumPy array; take its "
            f"words with "
            "jaxlab.random.key_data"
        )

    def __repr__(self) -> str:
        return f"Array({self.aval.shape}, dtype={self.aval.dtype.name}) overlaying:\n{self.words}"

    def __reduce__(self) -> tuple[Any, ...]:
        return KeyArray, (self.aval, self.words)


KeyArray.__hash__ = None
aval_makers[KeyArray] = operator.attrgetter("aval")


def physical(aval: ShapedArray) -> ShapedArray:
    """The type of the buffer that holds an array: words for keys."""
    if isinstance(aval.dtype, dtypes.KeyType):
        return ShapedArray(aval.shape + aval.dtype.key_shape, WORD)
    return aval


def holds_keys(avals: Sequence[ShapedArray]) -> bool:
    """Whether there are keys among values of these types."""
    return any(isinstance(aval.dtype, dtypes.KeyType) for aval in avals)


def wrap(arrays: Sequence[Any], avals: Sequence[ShapedArray]) -> list[Any]:
    """Keys made of words where the types say so."""
    return [
        KeyArray(aval, x) if isinstance(aval.dtype, dtypes.KeyType) else x
        for x, aval in zip(arrays, avals, strict=True)
    ]


def unwrap(arrays: Sequence[Any]) -> list[Any]:
    """The words of keys among arrays."""
    return [x.words if type(x) is KeyArray else x for x in arrays]


def dispatch_tree(out_tree: Any, avals: Sequence[ShapedArray]) -> Any:
    """The structure by which jaxlib's dispatch builds a result: keys around their words."""
    if not holds_keys(avals):
        return out_tree
    return tree.dispatch_registry.flatten(tree.unflatten(out_tree, wrap([0] * len(avals), avals)), None)[1]


def _children(keys: KeyArray) -> tuple[tuple[Any], Any]:
    return (keys.words,), keys.aval.dtype


def _of_children(dtype: Any, children: Sequence[Any]) -> KeyArray:
    (words,) = children
    shape = words.shape[: len(words.shape) - len(dtype.key_shape)] if hasattr(words, "shape") else ()
    return KeyArray(ShapedArray(shape, dtype), words)


tree.dispatch_registry.register_node(KeyArray, _children, _of_children)
