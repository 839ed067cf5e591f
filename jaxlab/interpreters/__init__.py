"""The interpretations of a program: evaluation, staging, differentiation, batching, lowering. One a file.

`ad`, `batching` and `mlir` have the names of the modules of ``jax.interpreters`` that give rules to primitives.
"""

from typing import TYPE_CHECKING as _TYPE_CHECKING

from jaxlab import lazy as _lazy

if _TYPE_CHECKING:
    from jaxlab.interpreters import ad as ad
    from jaxlab.interpreters import batching as batching
    from jaxlab.interpreters import mlir as mlir
    from jaxlab.interpreters import partial_eval as partial_eval
else:
    __getattr__, __dir__ = _lazy.names(
        __name__,
        {
            "jaxlab.interpreters.ad": "=",
            "jaxlab.interpreters.batching": "=",
            "jaxlab.interpreters.mlir": "=",
            "jaxlab.interpreters.partial_eval": "=",
        },
    )
