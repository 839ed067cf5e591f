"""All options of jaxlab: one frozen dataclass of them, and `config`, which holds their values.

A value is global, or belongs to one thread while a `with` block lasts:

    >>> from jaxlab.config import config, enable_x64
    >>> with enable_x64(True):
    ...     config.enable_x64
    True
    >>> config.update("jax_numpy_dtype_promotion", "strict")     # for all threads; JAX's names do, too
    >>> config.update("numpy_dtype_promotion", "standard")

At import each option reads its environment variable: `JAXLAB_ENABLE_X64=1`, `JAXLAB_DISK_CACHE_DIR=/tmp/x`.
Pure Python: the runtime hears of changes through `config.on_change` and mirrors what jaxlib's C++ must know.
"""

from __future__ import annotations

import contextlib
import dataclasses
import difflib
import itertools
import operator
import os
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

PLATFORMS = {"cpu", "gpu", "cuda", "rocm", "tpu"}
"""The names of platforms; plug-ins add theirs."""

UNSET: Any = type("Unset", (), {"__repr__": lambda self: "UNSET"})()
"""Given to listeners as the local value of a thread when its last `with` block has ended."""

_GUARDS = (None, "allow", "log", "disallow", "log_explicit", "disallow_explicit")
_ALGORITHMS = (
    "ANY_F8_ANY_F8_F32", "ANY_F8_ANY_F8_F32_FAST_ACCUM", "ANY_F8_ANY_F8_ANY", "ANY_F8_ANY_F8_ANY_FAST_ACCUM",
    "F16_F16_F16", "F16_F16_F32", "BF16_BF16_BF16", "BF16_BF16_F32", "BF16_BF16_F32_X3", "BF16_BF16_F32_X6",
    "BF16_BF16_F32_X9", "TF32_TF32_F32", "TF32_TF32_F32_X3", "F32_F32_F32", "F64_F64_F64",
)  # fmt: skip
_PRECISIONS = (None, "default", "high", "highest", "bfloat16", "tensorfloat32", "float32", *_ALGORITHMS)


def _option(default: Any, about: str, choices: tuple[Any, ...] = (), *, traced: bool = False) -> Any:
    """A field of `Options`; `traced` if a function traced under another value is another program."""
    return dataclasses.field(default=default, metadata={"about": about, "choices": choices, "traced": traced})


@dataclasses.dataclass(frozen=True, slots=True, eq=False)  # to compare them would cost 0.5 ms of an import
class Options:
    """The options, their defaults and what each does (`Options.about(name)`)."""

    enable_x64: bool = _option(
        False, "64-bit dtypes exist; otherwise they are narrowed to 32 bits", traced=True
    )
    numpy_dtype_promotion: str = _option(
        "standard",
        "how operands of two dtypes meet; strict allows Python scalars alone",
        ("standard", "strict"),
        traced=True,
    )
    numpy_rank_promotion: str = _option(
        "allow",
        "whether operands of two ranks broadcast without a word",
        ("allow", "warn", "raise"),
        traced=True,
    )
    default_matmul_precision: str | None = _option(
        None, "precision of contractions that name none", _PRECISIONS, traced=True
    )
    default_prng_impl: str = _option(
        "threefry2x32",
        "algorithm behind new random keys; keys are made for threefry2x32 alone so far",
        ("threefry2x32", "rbg", "unsafe_rbg"),
        traced=True,
    )
    threefry_partitionable: bool = _option(
        True, "random bits do not depend on the sharding; the bits that do are not there", traced=True
    )
    debug_key_reuse: bool = _option(False, "using a random key twice is an error", traced=True)
    legacy_prng_key: str = _option("allow", "raw uint32 random keys", ("allow", "warn", "error"), traced=True)
    disable_jit: bool = _option(False, "jit runs its function in Python, op by op", traced=True)
    debug_nans: bool = _option(False, "a NaN in a result is an error", traced=True)
    debug_infs: bool = _option(False, "an infinity in a result is an error", traced=True)
    enable_checks: bool = _option(False, "each jaxpr made is type-checked", traced=True)
    check_tracer_leaks: bool = _option(False, "a tracer that outlives its function is an error", traced=True)
    no_tracing: bool = _option(False, "tracing a jitted function anew is an error")
    no_execution: bool = _option(False, "running a compiled program is an error", traced=True)
    default_device: Any = _option(None, "a device, or the name of a platform, for new arrays", traced=True)  # noqa: RUF009
    platforms: str | None = _option(None, "platforms to try, in order: 'cuda,cpu'")
    num_cpu_devices: int = _option(-1, "how many devices the CPU is split into; -1 leaves it to XLA_FLAGS")
    log_compiles: bool = _option(False, "each compilation is logged as a warning")
    explain_cache_misses: bool = _option(False, "each cache miss is logged with its reason")
    transfer_guard: str | None = _option(
        None, "what happens at a transfer; sets all three directions", _GUARDS
    )
    transfer_guard_host_to_device: str | None = _option(
        None, "what happens at a transfer from the host to a device", _GUARDS
    )
    transfer_guard_device_to_device: str | None = _option(
        None, "what happens at a transfer between devices", _GUARDS
    )
    transfer_guard_device_to_host: str | None = _option(
        None, "what happens at a transfer from a device to the host", _GUARDS
    )
    disk_cache_enabled: bool = _option(True, "compiled programs are kept on disk")
    disk_cache_dir: str | None = _option(None, "where; None is the user's cache folder")
    disk_cache_max_bytes: int = _option(
        2 * 1024**3, "size at which the least recently used programs go; -1 is no limit"
    )
    array_garbage_collection_guard: str | None = _option(
        None, "what happens when an array is freed by the garbage collector", (None, "allow", "log", "fatal")
    )
    random_seed_offset: int = _option(0, "added to every seed a key is made from", traced=True)
    softmax_custom_jvp: bool = _option(
        False, "the derivative of softmax is computed from its result", traced=True
    )
    traceback_filtering: str = _option(
        "auto",
        "what becomes of jaxlab's own frames in a traceback",
        ("auto", "off", "tracebackhide", "remove_frames", "quiet_remove_frames"),
    )
    record_runs: bool = _option(True, "cells keep a record of every stage for the inspector")

    @staticmethod
    def about(name: str) -> str:
        """One sentence on an option."""
        return str(_FIELDS[canonical_name(name)].metadata["about"])


_FIELDS = {field.name: field for field in dataclasses.fields(Options)}
_OTHER_NAMES = {
    "x64": "enable_x64",
    "x64_enabled": "enable_x64",
    "enable_compilation_cache": "disk_cache_enabled",
    "compilation_cache_dir": "disk_cache_dir",
    "compilation_cache_max_size": "disk_cache_max_bytes",
    "platform_name": "platforms",
}


def canonical_name(name: str) -> str:
    """The name of an option in `Options`, given that or JAX's; AttributeError if there is none."""
    own = name.removeprefix("jax_")
    own = _OTHER_NAMES.get(own, own)
    if own in _FIELDS:
        return own
    near = difflib.get_close_matches(own, _FIELDS, n=1)
    hint = f"did you mean {near[0]!r}?" if near else "jaxlab.config.Options lists all of them"
    raise AttributeError(f"config: {name!r} was given, but there is no such option; {hint}")


def _kind(name: str) -> str:
    return str(_FIELDS[name].type)


def validate(name: str, value: Any, *, given: str = "") -> Any:
    """`value` as the option keeps it; ValueError in one sentence if it cannot be that option's value."""
    choices, kind = _FIELDS[name].metadata["choices"], _kind(name)
    if choices:
        if value in choices:
            return value
        needed = "one of " + ", ".join(map(repr, choices))
    elif kind == "bool":
        if value in (True, False):
            return bool(value)
        needed = "True or False"
    elif kind == "int":
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        needed = "an integer"
    elif name == "default_device":
        if isinstance(value, str) and value.partition(":")[0].lower() in PLATFORMS:
            return value
        if value is None or hasattr(value, "platform"):
            return value
        needed = "None, a device such as jaxlab.devices()[0], or the name of a platform"
    else:
        if value is None or isinstance(value, str):
            return value
        if isinstance(value, os.PathLike):
            return os.fspath(value)
        needed = "a string or None"
    raise ValueError(f"config: {given or f'{name}={value!r}'} was given, but {name} is {needed}")


_WORDS = {
    "1": True,
    "true": True,
    "yes": True,
    "on": True,
    "0": False,
    "false": False,
    "no": False,
    "off": False,
    "": False,
}


def _from_environment(name: str, text: str) -> Any:
    """The value an environment variable gives an option; ValueError names the variable."""
    given = f"the environment variable JAXLAB_{name.upper()}={text!r}"
    kind, value = _kind(name), text
    if kind == "bool":
        return validate(name, _WORDS.get(text.strip().lower(), text), given=given)
    if kind == "int":
        with contextlib.suppress(ValueError):
            return int(text)
    if text.strip().lower() == "none" and None in (_FIELDS[name].metadata["choices"] or (None,)):
        return None
    return validate(name, value, given=given)


Listener = Callable[[Any, bool], None]

if TYPE_CHECKING:
    _Values = Options
else:
    # An attribute of a thread-local object is looked up in the thread's own dict, then on the class: the
    # class holds the global values, and reading an option is one attribute access in C (0.07-0.1 us), with
    # no Python code of ours.
    _Values = threading.local


class Config(_Values):
    """The options' values as attributes: the thread's own inside a `with` block, else the global ones."""

    _kept_key: tuple[Any, tuple[Any, ...]] = (None, ())
    user_contexts: tuple[tuple[Any, Any], ...] = ()
    """The user contexts in force, and their values; see `make_user_context`."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self, canonical_name(name))

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(
            f"config: {name} was assigned, but options are set by config.update({name!r}, {value!r})"
        )

    def update(self, name: str, val: Any) -> None:
        """Set an option for all threads, under JAX's name or ours.

        AttributeError if there is no such option, ValueError if it cannot have that value. Inside a `with`
        block of the same option the block's value stays in force until it ends.
        """
        name = canonical_name(name)
        value = validate(name, val)
        for part in _PARTS.get(name, ()):
            self.update(part, value)
        setattr(Config, name, value)
        global _epoch
        _epoch = object()  # what any thread kept as its trace key is void
        _tell(name, value, local=False)

    def read(self, name: str) -> Any:
        """The global value of an option, whatever this thread's own value is."""
        return getattr(Config, canonical_name(name))

    def snapshot(self) -> Options:
        """All values in force in this thread, frozen."""
        return Options(**{name: getattr(self, name) for name in _FIELDS})

    def trace_key(self) -> tuple[Any, ...]:
        """The options that a traced program depends on, as a tuple for cache keys; kept between changes."""
        epoch, key = self._kept_key
        if epoch is _epoch:
            return key
        key = _traced(self)
        self.__dict__["_kept_key"] = (_epoch, key)
        return key

    def on_change(self, name: str, listener: Listener) -> None:
        """Call `listener(value, local)` whenever an option is set, from the thread that sets it.

        `local` is false for a new global value. It is true when the calling thread enters or leaves a `with`
        block; `value` is then its value from now on, or `UNSET` where it falls back to the global one.
        """
        _listeners.setdefault(name if name in TRACED_NAMES else canonical_name(name), []).append(listener)


def changed_options(before: tuple[Any, ...], now: tuple[Any, ...]) -> list[str]:
    """In words, what differs between two keys of `Config.trace_key`: ``enable_x64: False → True``."""
    return [
        f"option {name}: {old!r} → {new!r}"
        for name, old, new in zip(TRACED_NAMES, before, now, strict=True)
        if old != new
    ]


def _tell(name: str, value: Any, *, local: bool) -> None:
    for listener in _listeners.get(name, ()):
        listener(value, local)


def _set_local(name: str, value: Any) -> Any:
    """Set this thread's own value of an option (`UNSET` removes it); returns the one before."""
    own = config.__dict__
    before = own.get(name, UNSET)
    own.pop("_kept_key", None)
    if value is UNSET:
        own.pop(name, None)
    else:
        own[name] = value
    _tell(name, value, local=True)
    return before


# Options that are set together with another; the last one set decides, as in JAX.
_PARTS = {
    "transfer_guard": tuple(
        f"transfer_guard_{way}" for way in ("host_to_device", "device_to_device", "device_to_host")
    )
}
_epoch = object()
_listeners: dict[str, list[Listener]] = {}
TRACED_NAMES = (*(name for name, field in _FIELDS.items() if field.metadata["traced"]), "user_contexts")
"""Of these a traced program depends on the values."""
_traced = operator.attrgetter(*TRACED_NAMES)

for _name, _field in _FIELDS.items():
    _text = os.environ.get(f"JAXLAB_{_name.upper()}")
    setattr(Config, _name, _field.default if _text is None else _from_environment(_name, _text))

config = Config()


class Setting:
    """A function that sets one option for the calling thread while a `with` block lasts, or while a function
    runs.

    `disable_jit()` is `disable_jit(True)`; options that are not flags need their value.

        >>> with default_matmul_precision("float32"):
        ...     config.default_matmul_precision
        'float32'
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.__doc__ = f"Context manager: {Options.about(name)}."

    @property
    def value(self) -> Any:
        """The value in force."""
        return getattr(config, self.name)

    def __call__(self, new_val: Any = UNSET) -> contextlib.AbstractContextManager[None]:
        """The context manager (and decorator) that sets the option to `new_val`."""
        if new_val is UNSET:
            if _kind(self.name) != "bool":
                raise TypeError(
                    f"{self.name}: no value was given, but it is not a flag; write {self.name}(value)"
                )
            new_val = True
        return _override(self.name, validate(self.name, new_val))

    def __repr__(self) -> str:
        return f"<{self.name} = {self.value!r}>"


@contextlib.contextmanager
def _override(name: str, value: Any) -> Iterator[None]:
    before = [(each, _set_local(each, value)) for each in (name, *_PARTS.get(name, ()))]
    try:
        yield
    finally:
        for each, old in before:
            _set_local(each, old)


class UserContext:
    """A value of one's own that what is traced depends on; `make_user_context` makes it.

    Attributes:
      value: the value in force in this thread.
    """

    _numbers = itertools.count()

    def __init__(self, default: Any) -> None:
        self._default = default
        self._number = next(self._numbers)

    @property
    def value(self) -> Any:
        """The value in force in this thread."""
        return dict(config.user_contexts).get(self, self._default)

    @contextlib.contextmanager
    def __call__(self, new_value: Any) -> Iterator[None]:
        """The context manager (and decorator) that sets the value.

        Raises:
          TypeError: if the value is not hashable.
        """
        try:
            hash(new_value)
        except TypeError:
            raise TypeError(
                f"user context: a value of type {type(new_value).__name__} was given, but it must be hashable, because "
                "programs are kept by it; give a tuple, a string or a number"
            ) from None
        others = [pair for pair in config.user_contexts if pair[0] is not self]
        in_force = sorted([*others, (self, new_value)], key=lambda pair: pair[0]._number)
        before = _set_local("user_contexts", tuple(in_force))
        try:
            yield
        finally:
            _set_local("user_contexts", before)

    def __repr__(self) -> str:
        return f"<user context {self._number}: {self.value!r}>"


def make_user_context(default_value: Any = None) -> UserContext:
    """A value of one's own that functions look at while they are traced, so that each value has its own programs.

    Args:
      default_value: its value where none is set.

    Returns:
      What makes context managers: ``with context(value): ...``. Its ``value`` is the one in force.

    >>> layout = make_user_context("rows")
    >>> @jit
    ... def total(x):
    ...     return x.sum(1 if layout.value == "rows" else 0)
    >>> total(jnp.ones((2, 3)))
    Array([3., 3.], dtype=float32)
    >>> with layout("columns"):
    ...     total(jnp.ones((2, 3)))
    Array([2., 2., 2.], dtype=float32)
    """
    return UserContext(default_value)


def checking_leaks() -> contextlib.AbstractContextManager[None]:
    """Context manager: a tracer that outlives its function is an error."""
    return check_tracer_leaks(True)


def disable_jit(disable: bool = True) -> contextlib.AbstractContextManager[None]:
    """Context manager: `jit` runs its function in Python, operation by operation, so that a debugger can stop in it.

    >>> with disable_jit():
    ...     jit(lambda x: 2 * x if x > 0 else x)(3.0)
    6.0
    """
    return _override("disable_jit", validate("disable_jit", disable))


enable_x64 = Setting("enable_x64")
numpy_dtype_promotion = Setting("numpy_dtype_promotion")
numpy_rank_promotion = Setting("numpy_rank_promotion")
default_matmul_precision = Setting("default_matmul_precision")
default_prng_impl = Setting("default_prng_impl")
threefry_partitionable = Setting("threefry_partitionable")
debug_key_reuse = Setting("debug_key_reuse")
legacy_prng_key = Setting("legacy_prng_key")
debug_nans = Setting("debug_nans")
debug_infs = Setting("debug_infs")
enable_checks = Setting("enable_checks")
check_tracer_leaks = Setting("check_tracer_leaks")
no_tracing = Setting("no_tracing")
no_execution = Setting("no_execution")
array_garbage_collection_guard = Setting("array_garbage_collection_guard")
random_seed_offset = Setting("random_seed_offset")
softmax_custom_jvp = Setting("softmax_custom_jvp")
default_device = Setting("default_device")
log_compiles = Setting("log_compiles")
explain_cache_misses = Setting("explain_cache_misses")
transfer_guard = Setting("transfer_guard")
transfer_guard_host_to_device = Setting("transfer_guard_host_to_device")
transfer_guard_device_to_device = Setting("transfer_guard_device_to_device")
transfer_guard_device_to_host = Setting("transfer_guard_device_to_host")
record_runs = Setting("record_runs")
