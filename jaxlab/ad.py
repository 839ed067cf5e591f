"""Marks for `VJP.with_refs`, which says for each argument where its cotangent goes.

>>> y, f_vjp = vjp(lambda x, w: (x * w).sum(), jnp.arange(3.0), jnp.ones(3))
>>> total = jaxlab.new_ref(jnp.zeros(3))
>>> f_vjp.with_refs(jaxlab.ad.DontWant(), total)(1.0)
(DidntWant(), GradRef())
>>> total
Ref([0., 1., 2.], dtype=float32)
"""

from jaxlab.transforms.gradient_refs import DidntWant as DidntWant
from jaxlab.transforms.gradient_refs import DontWant as DontWant
from jaxlab.transforms.gradient_refs import GradRef as GradRef
from jaxlab.transforms.gradient_refs import GradValue as GradValue

__all__ = ["DidntWant", "DontWant", "GradRef", "GradValue"]
