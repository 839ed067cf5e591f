"""From a StableHLO module to an executable: out of the disk cache, or from XLA's compiler."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from jaxlab import lazy
from jaxlab.runtime.native import JaxRuntimeError, xc

if TYPE_CHECKING:
    from jaxlab.runtime import diskcache, fingerprint
else:  # OpenSSL and MLIR: 5 ms of an import
    diskcache = lazy.module("jaxlab.runtime.diskcache")
    fingerprint = lazy.module("jaxlab.runtime.fingerprint")

Listener = Callable[[str, str, str], None]


@dataclass(frozen=True, slots=True)
class Compiled:
    """An executable, and how it came about.

    Attributes:
      executable: jaxlib's LoadedExecutable.
      seconds: what getting it took now; 0.02 and more to compile, 0.001 from disk.
      source: ``"compiled"`` or ``"disk"``.
      reason: why it did not come from disk; empty if it did.
      disk_bytes: the size of its entry on disk; 0 where it has none yet.
      saved_seconds: what compiling it had taken when it was stored; 0.0 unless it came from disk.
      exact_locations: whether the source lines in its HLO are those of this module. After an edit that only
        moved lines the program is the same and is taken from disk, but its HLO still names the lines of old.
      fingerprint: the name of the program, in hexadecimal; empty where it has none (with callbacks, or no
        cache).
    """

    executable: Any
    seconds: float
    source: str
    reason: str = ""
    disk_bytes: int = 0
    saved_seconds: float = 0.0
    exact_locations: bool = True
    fingerprint: str = ""


_listeners: list[Listener] = []

# Called when a compilation was left behind by an interrupt. It goes on in its thread and may still read the
# MLIR context of its module, so whoever shares contexts between modules must take a new one.
on_abandoned: list[Callable[[], None]] = []


def on_phase(listener: Listener) -> Callable[[], None]:
    """Call ``listener(name, phase, event)`` when a phase of a program begins and ends; returns what removes
    it again.

    ``phase`` is "trace", "lower", "compile" or "load"; ``event`` is "start", then "end", "error" or
    "interrupted". It
    is called on the thread that does the work, which is busy until the end: to show a running clock, use
      another.
    """
    _listeners.append(listener)
    return lambda: _listeners.remove(listener) if listener in _listeners else None


@contextlib.contextmanager
def _told(name: str, phase: str) -> Iterator[None]:
    _tell(name, phase, "start")
    try:
        yield
    except KeyboardInterrupt:
        _tell(name, phase, "interrupted")
        raise
    except BaseException:
        _tell(name, phase, "error")
        raise
    _tell(name, phase, "end")


def _tell(name: str, phase: str, event: str) -> None:
    for listener in _listeners:
        listener(name, phase, event)


_nobody_listens = contextlib.nullcontext()


def phase(name: str, phase: str) -> contextlib.AbstractContextManager[None]:
    """Context manager: tell the listeners of `on_phase` when ``phase`` of ``name`` starts and ends."""
    return _told(name, phase) if _listeners else _nobody_listens


def compile_options(devices: Sequence[Any], flags: dict[str, Any] | None = None) -> Any:
    """XLA's options for a program on these devices: one partition on each, divided by Shardy.

    Args:
      devices: one device, or those of a mesh in its order.
      flags: XLA flags for this program alone, such as ``{"xla_cpu_enable_fast_math": True}``.
    """
    options = xc.CompileOptions()
    count = len(devices)
    build = options.executable_build_options
    options.num_replicas = build.num_replicas = 1
    options.num_partitions = build.num_partitions = count
    build.device_assignment = options.device_assignment = xc.DeviceAssignment.create(
        np.array([[device.id for device in devices]], np.int32)
    )
    if count > 1:
        build.use_spmd_partitioning = True
        build.use_shardy_partitioner = True
    if flags:
        options.env_option_overrides = list(flags.items())
    return options


def compile(
    module: Any,
    *,
    name: str,
    device: Any = None,
    devices: Sequence[Any] = (),
    callbacks: Sequence[Callable[..., Any]] = (),
    options: dict[str, Any] | None = None,
) -> Compiled:
    """Compile a module for a device, or take its executable from the disk cache.

    A KeyboardInterrupt is answered at once; the compiler cannot be stopped and goes on in the background.

    Args:
      module: an ``ir.Module`` of StableHLO; it is not changed.
      name: what to call the program in progress reports.
      device: where it runs; or ``devices``, those of a mesh in its order.
      callbacks: Python functions that custom calls of the module refer to by position. Such programs are
        never stored.
      options: XLA flags for this program alone, ``{"xla_dump_to": folder}``.

    Raises:
      JaxRuntimeError: if the compiler refuses the module.
      ValueError: if no device was given.
    """
    targets = tuple(devices) or ((device,) if device is not None else ())
    if not targets:
        raise ValueError("compile: no device was given, but one is needed; pass device=jaxlab.devices()[0]")
    settings = compile_options(targets, options)
    cache = diskcache.active()
    start = time.perf_counter()
    if callbacks:
        key, reason = b"", "it calls Python functions"
    elif cache is None:
        key, reason = b"", "the disk cache is off"
    elif options and any("dump" in flag for flag in options):
        key, reason = b"", "it is compiled for its dumps"
    else:
        key, reason = fingerprint.of_program(module, settings, targets), ""
    locations = b""
    if key and cache is not None:
        locations = fingerprint.of_locations(module)
        found, reason = _load(cache, key, name, targets, settings)
        if found is not None:
            executable, entry = found
            return Compiled(
                executable,
                time.perf_counter() - start,
                "disk",
                disk_bytes=len(entry.body),
                saved_seconds=entry.compile_seconds,
                exact_locations=entry.locations == locations,
                fingerprint=key.hex(),
            )
    with phase(name, "compile"):
        executable = _compile(module, targets, settings, callbacks, name)
    seconds = time.perf_counter() - start
    if key and cache is not None:
        diskcache.store_later(cache, key, executable.serialize, locations, seconds)
    diskcache.warn_of_problems()
    return Compiled(executable, seconds, "compiled", reason, fingerprint=key.hex())


def _load(
    cache: diskcache.DiskCache, key: bytes, name: str, devices: tuple[Any, ...], options: Any
) -> tuple[tuple[Any, diskcache.Entry] | None, str]:
    """The executable stored under ``key``, or why there is none."""
    try:
        cache.prepare()
        entry = cache.read(key)
        if entry is None:
            return None, "it was not compiled before"
        with phase(name, "load"):
            client = devices[0].client
            return (client.deserialize_executable(entry.body, xc.DeviceList(devices), options), entry), ""
    except OSError as error:
        reason = f"{cache.directory} cannot be used: {error.strerror or error}"
    except ValueError as error:
        reason = str(error)
        cache.discard(key)
    except JaxRuntimeError as error:
        reason = f"{cache.path(key)} could not be loaded: {str(error).splitlines()[0]}"
        cache.discard(key)
    diskcache.note_problem(reason)
    return None, reason


def _compile(
    module: Any, devices: tuple[Any, ...], options: Any, callbacks: Sequence[Callable[..., Any]], name: str
) -> Any:
    client = devices[0].client

    def work() -> Any:
        extra = (list(callbacks),) if callbacks else ()
        return client.compile_and_load(module, xc.DeviceList(devices), options, *extra)

    if threading.current_thread() is not threading.main_thread():
        return work()
    return _interruptible(work, name)


def _interruptible(work: Callable[[], Any], name: str) -> Any:
    """The result of ``work``, done in another thread so that this one can be interrupted.

    Called on the main thread, jaxlib's compiler can be left by an interrupt as well, but its own threads go
    on behind Python's back, and a process that exits meanwhile crashes. The interpreter waits for this
    thread, which is no daemon.
    """
    outcome: list[Any] = []
    error: list[BaseException] = []
    done = threading.Lock()
    done.acquire()

    def run() -> None:
        try:
            outcome.append(work())
        except BaseException as raised:
            error.append(raised)
        finally:
            done.release()

    try:
        thread = threading.Thread(target=run, name=f"jaxlab compiles {name}")
        thread.start()
    except RuntimeError:  # the interpreter is going down: nothing to interrupt
        return work()
    try:
        done.acquire()
    except KeyboardInterrupt:
        for listener in on_abandoned:
            listener()
        raise
    if error:
        raise error[0]
    return outcome[0]
