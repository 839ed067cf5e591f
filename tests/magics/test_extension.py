"""Loading, unloading, help, completion."""

from __future__ import annotations

import builtins
import subprocess
import sys

import pytest

from jaxlab.magics.completion import candidates
from jaxlab.magics.extension import load_ipython_extension, unload_ipython_extension

NAMES = {"params": {}, "x": 1.0, "_hidden": 2, "loss": len, "sys": sys}

COMPLETIONS = [
    ("%%jit --de", ["--device"]),
    ("%%jit --", ["--device", "--donate", "--static", "--traced"]),
    ("%%grad pa", ["params"]),
    ("%%vjp pa", ["params"]),
    ("%%linearize --", ["--of"]),
    ("%%checkpoint --", ["--policy"]),
    ("%hessian --", ["--argnum"]),
    ("%%vmap ", ["params", "x"]),
    ("%%jit --device ", ["cpu:0"]),
    ("%device c", ["cpu:0"]),
    ("%hlo --st", ["--stable"]),
    ("%hlo pa", []),
    ("%%time --", []),
    ("x + --de", []),
]


@pytest.mark.parametrize(("line", "expected"), COMPLETIONS)
def test_candidates(line, expected):
    found = candidates(line, NAMES)
    assert [c for c in found if not c.startswith("cpu:") or c == "cpu:0"] == expected


@pytest.mark.parametrize(("text", "expected"), [("%%jit --de", "--device"), ("%%grad par", "params")])
def test_the_completer_uses_them(notebook, text, expected):
    notebook.good("params = {}")
    _, found = notebook.shell.Completer.complete(line_buffer=text, cursor_pos=len(text))
    assert expected in found


@pytest.mark.parametrize(
    "magic",
    [
        "%%jit",
        "%jit",
        "%%grad",
        "%%vmap",
        "%hlo",
        "%lab",
        "%%bench",
        "%%vjp",
        "%%checkpoint",
        "%%linearize",
        "%%hessian",
        "%vjp",
    ],
)
def test_help(notebook, monkeypatch, magic):
    shown = []
    monkeypatch.setattr("IPython.core.page.page", lambda text, *_: shown.append(str(text)))
    notebook.good(f"{magic}?")
    assert magic.strip("%") in shown[0]
    assert "--" in shown[0] or "name" in shown[0]


def listeners(shell):
    events = shell.events.callbacks
    return len(events["pre_run_cell"]), len(events["post_run_cell"]), len(shell.Completer.custom_matchers)


def test_reload_leaves_no_duplicates(notebook):
    shell, before = notebook.shell, listeners(notebook.shell)
    load_ipython_extension(shell)
    assert listeners(shell) == before
    unload_ipython_extension(shell)
    assert listeners(shell) == tuple(n - 1 for n in before)
    assert "jit" not in shell.magics_manager.magics["cell"]
    assert "caches" not in shell.magics_manager.magics["line"]
    assert "time" in shell.magics_manager.magics["cell"]
    unload_ipython_extension(shell)
    load_ipython_extension(shell)
    assert listeners(shell) == before
    notebook.good("x = 1.0")
    notebook.good("%%jit\nx + 1")


def test_the_value_is_the_cells_output(notebook, monkeypatch):
    # IPython leaves `_` alone where something has put a `_` into builtins, as gettext does.
    monkeypatch.delattr(builtins, "_", raising=False)
    notebook.good("x = jnp.ones(2)")
    ran = notebook.good("%%jit\nx + 1")
    assert notebook.ns["_"] is ran.value
    assert notebook.ns["Out"][ran.number] is ran.value
    assert notebook.good("%%jit\nx + 2;").value is None


def test_loading_is_quick_and_brings_no_jax():
    program = (
        "import sys, time\nfrom IPython.core.interactiveshell import InteractiveShell\n"
        "shell = InteractiveShell.instance()\nstart = time.perf_counter()\n"
        "shell.run_line_magic('load_ext', 'jaxlab')\nprint(time.perf_counter() - start)\n"
        "print([n for n in ('jax', 'scipy') if n in sys.modules])"
    )
    seconds, loaded = subprocess.check_output([sys.executable, "-c", program], text=True).split("\n")[:2]
    assert loaded == "[]"
    assert float(seconds) < 2.0  # 0.5 s on an idle machine; a loaded one takes longer
