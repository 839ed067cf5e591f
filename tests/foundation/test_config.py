"""Options: names, validation, scopes, listeners and the environment."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import threading

import pytest

from jaxlab.config import UNSET, config

module = importlib.import_module("jaxlab.config")  # the package may export its object under the same name


@pytest.mark.parametrize("name", ["enable_x64", "jax_enable_x64"])
def test_update_under_both_names(name: str) -> None:
    try:
        config.update(name, True)
        assert config.enable_x64 is config.x64 is config.jax_enable_x64 is config.read("x64_enabled") is True
    finally:
        config.update(name, False)
    assert config.snapshot().enable_x64 is False


@pytest.mark.parametrize(
    "call, error, text",
    [
        (lambda: config.update("jax_enable_x65", 1), AttributeError, "did you mean 'enable_x64'"),
        (lambda: config.update("enable_x64", "yes"), ValueError, "given, but enable_x64 is True or False"),
        (lambda: module.default_matmul_precision("f12"), ValueError, "is one of None, 'default', 'high'"),
        (lambda: module.default_device(3), ValueError, "default_device=3"),
        (lambda: module.default_matmul_precision(), TypeError, "write default_matmul_precision"),
        (lambda: setattr(config, "enable_x64", True), AttributeError, "config.update"),
        (lambda: config.update("disk_cache_max_bytes", "big"), ValueError, "is an integer"),
    ],
)  # fmt: skip
def test_errors(call, error, text) -> None:
    with pytest.raises(error, match=text):
        call()


def test_scopes_nest_and_belong_to_their_thread() -> None:
    seen = []
    with module.debug_nans(True):
        with module.debug_nans(False):
            assert not config.debug_nans
        assert config.debug_nans and module.debug_nans.value
        thread = threading.Thread(target=lambda: seen.append(config.debug_nans))
        thread.start()
        thread.join()
    assert seen == [False] and not config.debug_nans

    @module.disable_jit()
    def inside() -> bool:
        return config.disable_jit

    assert (inside(), inside(), config.disable_jit) == (True, True, False)


def test_listeners_hear_both_kinds() -> None:
    heard = []
    config.on_change("jax_log_compiles", lambda value, local: heard.append((value, local)))
    config.update("log_compiles", True)
    with module.log_compiles(False):
        pass
    config.update("log_compiles", False)
    assert heard == [(True, False), (False, True), (UNSET, True), (False, False)]


def test_trace_key_follows_what_tracing_depends_on() -> None:
    before = config.trace_key()
    with module.log_compiles():
        assert config.trace_key() == before
    with module.enable_x64():
        inside = config.trace_key()
        with module.debug_nans():
            assert config.trace_key() not in (before, inside)
        assert config.trace_key() == inside != before
        config.update("debug_infs", True)
        assert config.trace_key() != inside
    assert config.trace_key() != before
    config.update("debug_infs", False)
    assert config.trace_key() == before


def test_environment() -> None:
    code = (
        "from jaxlab.config import config as c; "
        "print(c.enable_x64, c.disk_cache_max_bytes, c.default_matmul_precision)"
    )
    given = {
        "JAXLAB_ENABLE_X64": "on",
        "JAXLAB_DISK_CACHE_MAX_BYTES": "12",
        "JAXLAB_DEFAULT_MATMUL_PRECISION": "none",
    }
    out = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **given}, capture_output=True, text=True
    )
    assert out.stdout.split() == ["True", "12", "None"], out.stderr
    with pytest.raises(
        ValueError, match="environment variable JAXLAB_ENABLE_X64='maybe' was given, but enable_x64 is True"
    ):
        module._from_environment("enable_x64", "maybe")
