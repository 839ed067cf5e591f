"""Where equations are said to come from, under the names of ``jax.extend.source_info_util``.

A library whose functions are not what its users want to see in error messages, jaxprs and the inspector hides them:

>>> import os
>>> register_exclusion(os.path.join("the", "folder", "of", "a", "library"))
"""

from jaxlab.core.source import register_exclusion as register_exclusion

__all__ = ["register_exclusion"]
