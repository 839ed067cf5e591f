"""Executables kept on disk, so that the second start of a notebook compiles nothing.

One file per program, named by its fingerprint, in a folder that only its owner may write to. Files appear by
rename, carry a checksum, and the least recently used go when the folder grows past its limit. Whatever is
wrong with the folder or a file, a lookup is at worst a miss, with one warning per process.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import struct
import threading
import time
import warnings
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from jaxlab.config import config
from jaxlab.runtime.fingerprint import FORMAT

# Format, key, locations, compile seconds, length of the body, checksum of all that and the body.
_HEADER = struct.Struct("<32s32s32sdQ32s")
_MAGIC = hashlib.sha256(FORMAT).digest()
_SUFFIX = ".xla"
_ABANDONED_AFTER = 3600.0
_RESCAN_EVERY = 64


@dataclass(frozen=True, slots=True)
class Entry:
    """A stored executable, the name of its source locations, and what compiling it had cost."""

    body: bytes
    locations: bytes
    compile_seconds: float
    path: str


class DiskCache:
    """A folder of executables.

    Args:
      directory: made with mode 0700 at first use.
      max_bytes: the limit on all files together; negative for none.
    """

    def __init__(self, directory: str, max_bytes: int) -> None:
        self.directory, self.max_bytes = directory, max_bytes
        self._total = 0
        self._writes_until_scan = 0

    def path(self, key: bytes) -> str:
        """The file of an entry."""
        return os.path.join(self.directory, key.hex() + _SUFFIX)

    def read(self, key: bytes) -> Entry | None:
        """The entry under ``key``, or None.

        Raises:
          ValueError: if the file is damaged.
          OSError: if it cannot be read.
        """
        path = self.path(key)
        try:
            with open(path, "rb") as file:
                data = file.read()
        except FileNotFoundError:
            return None
        if len(data) < _HEADER.size:
            raise ValueError(f"{path} is truncated")
        magic, stored_key, locations, seconds, length, checksum = _HEADER.unpack_from(data)
        if magic != _MAGIC or stored_key != key:
            raise ValueError(f"{path} is not an entry of this cache")
        body = data[_HEADER.size :]
        if len(body) != length:
            raise ValueError(f"{path} is truncated")
        if checksum != _checksum(data[: _HEADER.size - 32], body):
            raise ValueError(f"{path} is damaged: its checksum does not match")
        with contextlib.suppress(OSError):
            os.utime(path)  # eviction goes by the time of last use
        return Entry(body, locations, seconds, path)

    def write(self, key: bytes, body: bytes, locations: bytes, compile_seconds: float) -> None:
        """Store an entry, and make room if the folder is past its limit. OSError if that cannot be."""
        self.prepare()
        head = _HEADER.pack(_MAGIC, key, locations, compile_seconds, len(body), bytes(32))[:-32]
        temporary = os.path.join(self.directory, f"{os.urandom(8).hex()}.part")
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
        try:
            with open(handle, "wb") as file:
                file.write(head)
                file.write(_checksum(head, body))
                file.write(body)
            os.replace(temporary, self.path(key))
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise
        self._total += _HEADER.size + len(body)
        self._make_room()

    def prepare(self) -> None:
        """Make the folder. OSError if it cannot be written to, or somebody else can write to it."""
        os.makedirs(self.directory, mode=0o700, exist_ok=True)
        status = os.stat(self.directory)
        if hasattr(os, "getuid") and status.st_uid != os.getuid():
            raise PermissionError(f"{self.directory} belongs to another user")
        # Loading an executable runs its code: what others could have put there is not loaded.
        if os.name == "posix" and status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise PermissionError(f"{self.directory} can be written to by other users")

    def discard(self, key: bytes) -> None:
        """Remove an entry, if it is there."""
        with contextlib.suppress(OSError):
            os.unlink(self.path(key))

    def entries(self) -> list[tuple[float, int, str]]:
        """Time of last use, bytes and path of each entry, oldest first; abandoned parts are removed."""
        found = []
        try:
            listing = list(os.scandir(self.directory))
        except OSError:
            return []
        now = time.time()
        for item in listing:
            with contextlib.suppress(OSError):
                status = item.stat(follow_symlinks=False)
                if item.name.endswith(_SUFFIX):
                    found.append((status.st_mtime, status.st_size, item.path))
                elif item.name.endswith(".part") and now - status.st_mtime > _ABANDONED_AFTER:
                    os.unlink(item.path)
        return sorted(found)

    def clear(self) -> None:
        """Remove all entries."""
        for _, _, path in self.entries():
            with contextlib.suppress(OSError):
                os.unlink(path)
        self._total = 0

    def _make_room(self) -> None:
        if self.max_bytes < 0:
            return
        # Other processes write here too: the own count is corrected by a look at the folder now and then.
        if self._total <= self.max_bytes and self._writes_until_scan > 0:
            self._writes_until_scan -= 1
            return
        self._writes_until_scan = _RESCAN_EVERY
        entries = self.entries()
        self._total = sum(size for _, size, _ in entries)
        if self._total <= self.max_bytes:
            return
        for _, size, path in entries:
            if self._total <= 0.8 * self.max_bytes:  # a step below the limit, so that not every write evicts
                break
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
            self._total -= size


def _checksum(head: bytes, body: bytes) -> bytes:
    digest = hashlib.sha256(head)
    digest.update(body)
    return digest.digest()


class _Writer:
    """Runs jobs one after another in a thread that lives as long as there are any.

    The thread is no daemon, so the interpreter waits for it at exit: what was compiled is on disk by then.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._jobs: deque[Callable[[], None]] = deque()
        self._thread: threading.Thread | None = None

    def submit(self, job: Callable[[], None]) -> None:
        with self._lock:
            self._jobs.append(job)
            if self._thread is not None:
                return
            self._thread = threading.Thread(target=self._run, name="jaxlab disk cache")
            try:
                self._thread.start()
                return
            except RuntimeError:  # the interpreter is going down
                self._thread = None
        self._run()

    def _run(self) -> None:
        while True:
            with self._lock:
                if not self._jobs:
                    self._thread = None
                    return
                job = self._jobs.popleft()
            job()

    def flush(self) -> None:
        thread = self._thread
        if thread is not None:
            thread.join()


_writer = _Writer()
_caches: dict[tuple[str, int], DiskCache] = {}
_problems: list[str] = []
_warned = False

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_writer.__init__)  # type: ignore[misc]  # its thread stayed with the parent


def default_directory() -> str:
    """The folder unless the option ``disk_cache_dir`` names one: ``~/.cache/jaxlab/executables``."""
    root = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(root, "jaxlab", "executables")


def active() -> DiskCache | None:
    """The cache that the options ask for; None if it is off."""
    if not config.disk_cache_enabled:
        return None
    where = os.path.expanduser(config.disk_cache_dir or default_directory()), config.disk_cache_max_bytes
    cache = _caches.get(where)
    if cache is None:
        cache = _caches[where] = DiskCache(*where)
    return cache


def store_later(
    cache: DiskCache, key: bytes, serialize: Callable[[], bytes], locations: bytes, seconds: float
) -> None:
    """Serialize and write an executable in the background."""

    def job() -> None:
        try:
            body = serialize()
        except Exception:  # some programs cannot be serialized, a sort of integers among them
            return
        try:
            cache.write(key, body, locations, seconds)
        except Exception as error:  # a full disk: the next start compiles again
            _problems.append(f"{cache.directory} cannot be written to: {error}")

    _writer.submit(job)


def flush() -> None:
    """Wait until everything is written, and warn of what could not be."""
    _writer.flush()
    warn_of_problems()


def note_problem(text: str) -> None:
    """Keep a problem for `warn_of_problems`."""
    _problems.append(text)


def warn_of_problems() -> None:
    """Warn of the first problem noted in this process, and of no other."""
    global _warned
    if _problems and not _warned:
        _warned = True
        warnings.warn(
            f"the disk cache of programs cannot be used fully: {_problems[0]}; they are compiled instead",
            RuntimeWarning,
            stacklevel=2,
        )
    _problems.clear()
