import os
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pytest

from jaxlab.config import config
from jaxlab.runtime import compiler, diskcache, execution, fingerprint
from jaxlab.runtime.array import put
from jaxlab.runtime.native import JaxRuntimeError
from tests.runtime.programs import F4, add_module, compiled


def run_add(program, device):
    x = put(np.ones(4, np.float32))
    return execution.execute(program.executable, [x, x], [F4], device)[0].tolist()


def stored(folder):
    diskcache.flush()
    return sorted(folder.glob("*.xla"))


def test_the_second_compilation_comes_from_disk(device, cache_folder):
    first = compiled(add_module(), device)
    assert (first.source, first.reason) == ("compiled", "it was not compiled before")
    (path,) = stored(cache_folder)
    assert path.stem == first.fingerprint
    assert (path.stat().st_mode & 0o777, cache_folder.stat().st_mode & 0o777) == (0o600, 0o700)
    second = compiled(add_module(), device)
    assert (second.source, second.reason, second.fingerprint) == ("disk", "", first.fingerprint)
    assert second.saved_seconds == first.seconds and 0 < second.disk_bytes < path.stat().st_size
    assert second.exact_locations
    assert run_add(second, device) == [2, 2, 2, 2]


def test_a_program_that_only_moved_is_the_same_but_its_lines_are_not(device, cache_folder):
    compiled(add_module(line=1), device)
    stored(cache_folder)
    moved = compiled(add_module(line=2), device)
    assert moved.source == "disk" and not moved.exact_locations


def test_the_module_keeps_its_locations(device):
    module = add_module(line=41)
    compiled(module, device)
    assert '"here":41:1' in module.operation.get_asm(enable_debug_info=True)


def test_what_else_decides_the_name(device, monkeypatch):
    def name(module=None, flags=None):
        return fingerprint.of_program(
            module or add_module(), compiler.compile_options((device,), flags), (device,)
        )

    original = name()
    assert name() == original
    assert name(add_module(name="other")) != original
    assert name(flags={"xla_cpu_enable_fast_math": True}) != original
    monkeypatch.setattr(fingerprint, "_host", lambda: b"another processor")
    assert name() != original


@pytest.mark.parametrize("damage", ["empty", "truncated", "short", "bit", "longer", "foreign", "renamed"])
def test_a_damaged_entry_is_a_miss_and_one_warning(device, cache_folder, damage):
    compiled(add_module(), device)
    (path,) = stored(cache_folder)
    data = bytearray(path.read_bytes())
    if damage == "bit":
        data[len(data) // 2] ^= 1
    if damage == "renamed":
        compiled(add_module(name="other"), device)
        data = next(p for p in stored(cache_folder) if p != path).read_bytes()
    made = {
        "empty": b"",
        "truncated": data[:1000],
        "short": data[:50],
        "longer": data + b"x",
        "foreign": b"#!" * 999,
    }
    path.write_bytes(made.get(damage, data))
    with pytest.warns(RuntimeWarning, match=str(path)) as caught:
        program = compiled(add_module(), device)
    assert len(caught) == 1
    assert program.source == "compiled" and str(path) in program.reason
    assert run_add(program, device) == [2, 2, 2, 2]
    stored(cache_folder)
    assert compiled(add_module(), device).source == "disk", "the damaged entry was replaced"
    path.write_bytes(b"")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert compiled(add_module(), device).source == "compiled"


def test_an_entry_that_xla_refuses_is_a_miss(device, cache_folder):
    first = compiled(add_module(), device)
    stored(cache_folder)
    diskcache.active().write(bytes.fromhex(first.fingerprint), b"no executable", bytes(32), 0.0)
    with pytest.warns(RuntimeWarning, match="could not be loaded"):
        assert compiled(add_module(), device).source == "compiled"


def test_a_folder_that_cannot_be_made(device, tmp_path):
    (tmp_path / "file").write_text("")
    config.update("disk_cache_dir", str(tmp_path / "file" / "cache"))
    with pytest.warns(RuntimeWarning, match=str(tmp_path / "file")) as caught:
        program = compiled(add_module(), device)
        diskcache.flush()
    assert len(caught) == 1 and "Not a directory" in program.reason


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="a rule of POSIX")
def test_a_folder_that_others_can_write_to_is_not_trusted(device, cache_folder):
    cache_folder.mkdir(mode=0o700)
    cache_folder.chmod(0o777)
    with pytest.warns(RuntimeWarning, match="by other users"):
        assert compiled(add_module(), device).source == "compiled"
    diskcache._writer.flush()
    assert not list(cache_folder.iterdir())


def test_a_full_disk(device, cache_folder, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    compiled(add_module(), device)
    with pytest.warns(RuntimeWarning, match="No space left on device"):
        diskcache.flush()
    assert not list(cache_folder.iterdir()), "the temporary file is gone, too"


def test_the_least_recently_used_goes(tmp_path):
    cache = diskcache.DiskCache(str(tmp_path / "cache"), 10_000)
    keys = [bytes([i]) * 32 for i in range(5)]
    for age, key in enumerate(keys[:4]):
        cache.write(key, b"x" * 2000, bytes(32), 1.0)
        os.utime(cache.path(key), (1000 + age, 1000 + age))
    assert cache.read(keys[0]).body == b"x" * 2000  # used now, so it stays
    cache.write(keys[4], b"x" * 2000, bytes(32), 1.0)
    here = [key for key in keys if os.path.exists(cache.path(key))]
    assert keys[0] in here and keys[4] in here and keys[1] not in here
    assert sum(size for _, size, _ in cache.entries()) <= 8_000
    cache.clear()
    assert not cache.entries()


def test_no_cache_when_it_is_off_or_of_no_use(device, cache_folder, tmp_path):
    config.update("disk_cache_enabled", False)
    try:
        assert compiled(add_module(), device).reason == "the disk cache is off"
    finally:
        config.update("disk_cache_enabled", True)
    dump = compiled(add_module(), device, options={"xla_dump_to": str(tmp_path / "dump")})
    assert dump.reason == "it is compiled for its dumps" and list((tmp_path / "dump").iterdir())
    assert not cache_folder.exists()


COMPILE_FOUR = """
from tests.runtime.programs import add_module, compiled
from jaxlab.runtime import backend
device = backend.client("cpu").local_devices()[0]
print(*(compiled(add_module(name=f"n{i}"), device).source for i in range(4)))
"""


def test_what_was_compiled_is_on_disk_when_the_process_has_ended(run_python):
    assert run_python(COMPILE_FOUR).stdout.split() == ["compiled"] * 4
    assert run_python(COMPILE_FOUR).stdout.split() == ["disk"] * 4


def test_two_processes_at_once(tmp_path, run_python):
    import concurrent.futures

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        runs = list(pool.map(run_python, [COMPILE_FOUR] * 2))
    assert all(run.returncode == 0 and not run.stderr for run in runs)
    assert run_python(COMPILE_FOUR).stdout.split() == ["disk"] * 4
    assert {path.suffix for path in (tmp_path / "executables").iterdir()} == {".xla"}


def test_an_interrupt_is_answered_at_once_and_the_exit_is_clean(run_python):
    start = time.perf_counter()
    done = run_python("""
import os, signal, threading, time
from tests.runtime.programs import add_module, chain, compiled
from jaxlab.runtime import backend, compiler
device = backend.client("cpu").local_devices()[0]
module = chain(1200)
phases, abandoned = [], []
compiler.on_phase(lambda *event: phases.append(event))
compiler.on_abandoned.append(lambda: abandoned.append(1))
sent = []
def interrupt():
    sent.append(time.perf_counter())
    os.kill(os.getpid(), signal.SIGINT)
threading.Timer(0.3, interrupt).start()
try:
    compiled(module, device)
except KeyboardInterrupt:
    assert time.perf_counter() - sent[0] < 0.5
    assert phases == [("program", "compile", "start"), ("program", "compile", "interrupted")]
    assert abandoned == [1]
    assert compiled(add_module(), device).source == "compiled"
    print("fine")
""")
    assert done.stdout == "fine\n" and time.perf_counter() - start < 60


def test_phases_are_told(device, cache_folder):
    events = []
    remove = compiler.on_phase(lambda *event: events.append(event))
    compiled(add_module(), device)
    stored(cache_folder)
    compiled(add_module(), device)
    with pytest.raises(KeyError), compiler.phase("f", "trace"):
        raise KeyError
    remove()
    compiled(add_module(name="silent"), device)
    assert events == [
        ("program", "compile", "start"),
        ("program", "compile", "end"),
        ("program", "load", "start"),
        ("program", "load", "end"),
        ("f", "trace", "start"),
        ("f", "trace", "error"),
    ]


def test_errors_of_the_compiler(device):
    with pytest.raises(JaxRuntimeError, match="no_such_flag"):
        compiled(add_module(), device, options={"no_such_flag": True})
    with pytest.raises(ValueError, match=r"^compile: no device"):
        compiled(add_module(), None)


def test_a_folder_for_all_users(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert diskcache.default_directory() == str(tmp_path / "jaxlab" / "executables")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert diskcache.default_directory() == str(Path.home() / ".cache" / "jaxlab" / "executables")
    assert sys.modules["jaxlab.runtime.diskcache"] is diskcache
