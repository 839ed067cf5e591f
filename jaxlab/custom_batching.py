"""Functions that say themselves how they are mapped.

>>> from jaxlab.custom_batching import sequential_vmap
>>> jaxlab.vmap(sequential_vmap(lambda x: 2 * x))(jnp.arange(3))
Array([0, 2, 4], dtype=int32)
"""

from jaxlab.transforms.custom_vmap import custom_vmap as custom_vmap
from jaxlab.transforms.custom_vmap import sequential_vmap as sequential_vmap
