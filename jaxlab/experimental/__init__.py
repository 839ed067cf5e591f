"""What JAX offers under ``jax.experimental``; each part is loaded when it is first named."""

from typing import TYPE_CHECKING as _TYPE_CHECKING

from jaxlab import lazy as _lazy

if _TYPE_CHECKING:
    from jaxlab.control.callback import io_callback as io_callback
    from jaxlab.experimental import checkify as checkify
    from jaxlab.experimental import jet as jet
else:
    __getattr__, __dir__ = _lazy.names(
        __name__,
        {
            "jaxlab.control.callback": "io_callback",
            "jaxlab.experimental.checkify": "=",
            "jaxlab.experimental.jet": "=",
        },
    )
