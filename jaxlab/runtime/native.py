"""jaxlib's private modules, and the state that its C++ dispatch reads.

The other files of `runtime` take `J` (the extension module) and `xc` (its thin Python front) from here.
Importing this installs the three hooks without which jaxlib's own `jit` refuses to run, and mirrors
`jaxlab.config` into them.

Every `Config` made with ``include_in_jit_key=True`` is a part of the key of every C++ fast path in the
process: a fast path found under one set of values is not found under another.
"""

from __future__ import annotations

import operator
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from jaxlab import errors, lazy
from jaxlab.config import TRACED_NAMES, UNSET, Config, config

# Read once, when jaxlib is loaded. What it would log of a failed launch arrives as an exception anyway.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from jaxlib import _jax
from jaxlib import version as _version

J: Any = _jax

# The thin Python front is needed from the first client on; it brings `logging` and the HLO module with it.
if TYPE_CHECKING:
    from jaxlib import xla_client as xc
else:
    xc = lazy.module("jaxlib.xla_client")

__all__ = [
    "JAXLIB_VERSION",
    "J",
    "JaxRuntimeError",
    "array_result_handler",
    "set_tracing",
    "surface_version",
    "switches",
    "tracing",
    "xc",
]

#: jaxlib's release.
JAXLIB_VERSION: str = _version.__version__


def surface_version() -> int:
    """The number that counts changes of jaxlib's private surface: 467 for 0.10.2, 505 for 0.12.0.1."""
    return int(xc._version)


JaxRuntimeError: type[RuntimeError] = J.JaxRuntimeError
vars(errors)["JaxRuntimeError"] = JaxRuntimeError  # where JAX has it, too; the errors stand below jaxlib


def _jit_key(name: str, default: Any) -> Any:
    return J.config.Config(f"jaxlab_{name}", default, include_in_jit_key=True)


# While a Python trace is current the fast path must miss, so that operations on concrete arrays are seen by
# the trace.
tracing = _jit_key("tracing", False)

#: ``set_tracing(flag)``: whether a Python trace is current in this thread (0.07 us, a bound C++ method).
set_tracing: Callable[[bool], None] = tracing.set_local


class _Switches:
    """The hooks that jaxlib reads for all of the process: ours, until an imported `jax` brings its own."""

    def __init__(self) -> None:
        self.enable_x64 = J.config.Config(
            "jaxlab_enable_x64", config.enable_x64, include_in_jit_key=True, include_in_trace_context=True
        )
        self.disable_jit = J.config.Config("jaxlab_disable_jit", config.disable_jit)
        self.post_hook = J.config.Config("jaxlab_post_hook", None)

    def install(self) -> None:
        """Make these objects the ones that jaxlib reads."""
        J.jax_jit.set_enable_x64_state(self.enable_x64)
        J.jax_jit.set_disable_jit_state(self.disable_jit)
        J.jax_jit.set_post_hook_state(self.post_hook)

    def mirror(self, name: str) -> Callable[[Any, bool], None]:
        """A listener that gives the new value of an option to whatever object holds it now."""

        def listen(value: Any, local: bool) -> None:
            state = getattr(self, name)
            if not local:
                state.set_global(value)
            else:
                state.set_local(J.config.unset if value is UNSET else value)

        return listen


switches = _Switches()

# All other options that a traced program depends on enter the key as two numbers, for the global values and
# for the thread's own. Numbers, because jaxlib hashes what is in the key at every call.
_TRACED = tuple(name for name in TRACED_NAMES if name not in ("enable_x64", "disable_jit"))
_read_all = operator.attrgetter(*_TRACED)
_numbers: dict[Any, int] = {_read_all(Config): 0}
_global_options = _jit_key("global_options", 0)
_local_options = _jit_key("local_options", 0)


def _mirror_traced(value: Any, local: bool) -> None:
    if local:
        own = tuple((name, config.__dict__[name]) for name in _TRACED if name in config.__dict__)
        _local_options.set_local(_numbers.setdefault(own, len(_numbers)) if own else J.config.unset)
    else:
        _global_options.set_global(_numbers.setdefault(_read_all(Config), len(_numbers)))


if "jax" not in sys.modules:  # its own are in place then; see `coexistence`
    switches.install()
for _name in ("enable_x64", "disable_jit"):
    config.on_change(_name, switches.mirror(_name))
for _name in _TRACED:
    config.on_change(_name, _mirror_traced)

_GUARDED = ("host_to_device", "device_to_device", "device_to_host")

#: Part of the key of every fast path: while transfers are to be logged, each call must pass through Python,
#: because what jaxlib itself would log is switched off with the rest of its log (see the top of this file).
logging_transfers = _jit_key("logging_transfers", False)


def _mirror_guard(direction: str) -> Callable[[Any, bool], None]:
    """A listener that gives the level of a transfer guard to jaxlib, which refuses what it forbids."""
    levels = J.guard_lib.TransferGuardLevel.__members__

    def listen(value: Any, local: bool) -> None:
        states = J.guard_lib
        state = states.thread_local_state() if local else states.global_state()
        refuses = isinstance(value, str) and value.startswith("disallow")
        # A local "log" must hide a global "disallow", so it is the level that lets everything through.
        level = None if value in (None, UNSET) else levels[value.upper() if refuses else "ALLOW"]
        setattr(state, direction, level)
        logs = any(str(getattr(config, f"transfer_guard_{way}")).startswith("log") for way in _GUARDED)
        if local:
            logging_transfers.set_local(logs)
        else:
            logging_transfers.set_global(logs)

    return listen


def _mirror_collection_guard(value: Any, local: bool) -> None:
    levels = J.guard_lib.GarbageCollectionGuardLevel.__members__
    state = J.guard_lib.thread_local_state() if local else J.guard_lib.global_state()
    state.garbage_collect_array = None if value in (None, UNSET) else levels[value.upper()]


for _direction in _GUARDED:
    config.on_change(f"transfer_guard_{_direction}", _mirror_guard(_direction))
    _level = config.read(f"transfer_guard_{_direction}") or config.transfer_guard
    if _level is not None:
        config.update(f"transfer_guard_{_direction}", _level)
config.on_change("array_garbage_collection_guard", _mirror_collection_guard)
if config.array_garbage_collection_guard is not None:
    _mirror_collection_guard(config.array_garbage_collection_guard, False)

# Since 0.11 results are never checked by a method that only `jax` attaches, and the parameter that said so is
# gone.
_HANDLER_TAKES_SKIP_CHECKS = "_skip_checks" in str(J.array_result_handler.__nb_signature__)


def array_result_handler(aval: Any, sharding: Any, committed: bool) -> Any:
    """What turns one raw result of an execution into an array of type ``aval`` on ``sharding``."""
    if _HANDLER_TAKES_SKIP_CHECKS:
        return J.array_result_handler(aval, sharding, committed, True)
    return J.array_result_handler(aval, sharding, committed)
