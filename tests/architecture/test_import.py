"""What importing the package brings with it, seen from a process of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

LOADED = "import sys; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
LOAD_EXTENSION = (
    "from IPython.core.interactiveshell import InteractiveShell\n"
    "shell = InteractiveShell.instance()\n"
    "shell.run_line_magic('load_ext', 'jaxlab')\n"
    "assert 'jit' in shell.magics_manager.magics['cell']\n"
)


def loaded_after(code: str) -> set[str]:
    """The top-level packages that are loaded after running ``code`` in a new Python."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{LOADED}"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize("code", ["import jaxlab", "import jaxlab.numpy, jaxlab.lax", LOAD_EXTENSION])
def test_neither_jax_nor_scipy_is_loaded(code: str) -> None:
    assert not loaded_after(code) & {"jax", "scipy"}


def test_the_package_alone_loads_nothing_of_jupyter() -> None:
    assert not loaded_after("import jaxlab") & {"IPython", "ipywidgets", "anywidget", "graphviz"}


def test_importing_makes_no_client() -> None:
    """Devices are looked for at the first use, so that an import costs no memory of an accelerator."""
    code = (
        "import jaxlab; from jaxlab.runtime import backend; import threading; print(threading.active_count())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["1"]
