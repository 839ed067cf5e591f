"""What jaxlab logs, where an option asks for it: loggers ``jaxlab.compile``, ``jaxlab.cache``, ``jaxlab.transfer``.

A file of its own, because Python's `logging` is loaded with it, which a session without such options never needs.
"""

from __future__ import annotations

import logging
from typing import Any


def warn(logger: str, message: str, *args: Any) -> None:
    """Log a warning; without any set-up of `logging` it appears on stderr, and in a notebook under the cell."""
    logging.getLogger(f"jaxlab.{logger}").warning(message, *args)
