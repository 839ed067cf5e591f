"""Mutable arrays: `new_ref` makes a reference, indexing reads and writes it, under every transformation.

>>> ref = new_ref(jnp.zeros(2))
>>> @jit
... def count(ref):
...     ref[0] += 1.0
>>> count(ref); count(ref)
>>> ref
Ref([2., 0.], dtype=float32)
"""

from jaxlab.core.refs import AbstractRef as AbstractRef
from jaxlab.interpreters import discharge as _discharge  # noqa: F401  (applies programs to references)
from jaxlab.primitives.mutable_arrays import addupdate as addupdate
from jaxlab.primitives.mutable_arrays import empty_ref as empty_ref
from jaxlab.primitives.mutable_arrays import free_ref as free_ref
from jaxlab.primitives.mutable_arrays import freeze as freeze
from jaxlab.primitives.mutable_arrays import get as get
from jaxlab.primitives.mutable_arrays import new_ref as new_ref
from jaxlab.primitives.mutable_arrays import set as set
from jaxlab.primitives.mutable_arrays import swap as swap
from jaxlab.runtime.references import Ref as Ref

__all__ = [
    "AbstractRef",
    "Ref",
    "addupdate",
    "empty_ref",
    "free_ref",
    "freeze",
    "get",
    "new_ref",
    "set",
    "swap",
]
