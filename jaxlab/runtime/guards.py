"""Transfers that are to be seen: explicit ones are announced to jaxlib's guard, and those to be logged are logged.

jaxlib's C++ refuses what `config.transfer_guard_*` forbids. A transfer is explicit if the program asks for it
by name (`device_put`, `device_get`), and implicit if it happens on the way to something else.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from jaxlab import lazy
from jaxlab.config import config
from jaxlab.runtime.native import J

if TYPE_CHECKING:
    from jaxlab import logs
else:
    logs = lazy.module("jaxlab.logs")


class _Announced(threading.local):
    explicit: bool = False


_announced = _Announced()


@contextlib.contextmanager
def explicit() -> Iterator[None]:
    """Context manager: transfers inside are asked for by name."""
    state, outer = J.guard_lib.thread_local_state(), _announced.explicit
    before = state.explicit_device_put, state.explicit_device_get
    _announced.explicit = state.explicit_device_put = state.explicit_device_get = True
    try:
        yield
    finally:
        _announced.explicit = outer
        state.explicit_device_put, state.explicit_device_get = before


@contextlib.contextmanager
def staying() -> Iterator[None]:
    """Context manager: what jaxlib takes for a transfer between devices inside leaves the value where it is."""
    state = J.guard_lib.thread_local_state()
    before, state.device_to_device = state.device_to_device, J.guard_lib.TransferGuardLevel.ALLOW
    try:
        yield
    finally:
        state.device_to_device = before


def log(direction: str, aval: Any, target: Any) -> None:
    """Log a transfer if its direction is watched; ``direction`` is ``host_to_device`` or one of its kin."""
    level = getattr(config, f"transfer_guard_{direction}")
    if level == "log_explicit" or (level == "log" and not _announced.explicit):
        kind = "explicit" if _announced.explicit else "implicit"
        logs.warn(
            "transfer",
            "%s transfer, %s: %s to %s",
            kind,
            direction.replace("_", " "),
            aval.str_short(),
            target,
        )
