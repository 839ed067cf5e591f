"""Looking into programs while they run, under the names of ``jax.debug``."""

from jaxlab.control.breakpoint import breakpoint as breakpoint
from jaxlab.control.debug_callback import debug_callback as callback
from jaxlab.control.debug_callback import debug_log as log
from jaxlab.control.debug_callback import debug_print as print

__all__ = ["breakpoint", "callback", "log", "print"]
