"""A JupyterLab of its own for the tests: own folders, a free port, the front end of this checkout."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_notebook

ROOT = Path(__file__).resolve().parents[2]
BUILT = ROOT / "labextension" / "dist"
SECONDS_TO_START = 60.0

# No question, no news and no network: what a test sees is the notebook alone.
LAB_OPTIONS = {
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
    "@jupyterlab/docmanager-extension:plugin": {"autosave": False},
}


@dataclass(frozen=True, slots=True)
class LabServer:
    """A running server."""

    url: str
    token: str
    folder: Path
    process: subprocess.Popen[bytes]
    log: Path

    def write(self, name: str, cells: list[str] | Any) -> str:
        """Put a notebook into the server's folder, of these sources or as it is; returns its name."""
        notebook = cells
        if isinstance(cells, list):
            notebook = new_notebook(cells=[new_code_cell(source) for source in cells])
            notebook.metadata["kernelspec"] = {
                "name": "python3",
                "display_name": "Python 3",
                "language": "python",
            }
        nbformat.write(notebook, self.folder / name)
        return name

    def lab_url(self, notebook: str) -> str:
        """The address of a notebook in JupyterLab, in a workspace that no other page has."""
        return f"{self.url}lab/workspaces/{secrets.token_hex(4)}/tree/{notebook}?token={self.token}"

    def notebook_url(self, notebook: str) -> str:
        """The address of a notebook in Notebook 7."""
        return f"{self.url}notebooks/{notebook}?token={self.token}"

    def end_kernels(self) -> None:
        """End every kernel, so that a notebook of the same name starts anew in the next test."""
        for session in json.loads(self._ask("api/sessions")):
            self._ask(f"api/sessions/{session['id']}", "DELETE")

    def _ask(self, path: str, method: str = "GET") -> bytes:
        headers = {"Authorization": f"token {self.token}"}
        request = urllib.request.Request(f"{self.url}{path}", headers=headers, method=method)
        with urllib.request.urlopen(request, timeout=20) as answer:
            content: bytes = answer.read()
        return content

    def stop(self) -> None:
        """End the server and its kernels."""
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def start(folder: Path) -> LabServer:
    """Start a server that keeps everything it writes in ``folder``, and wait until it answers."""
    work, settings, log = folder / "notebooks", folder / "settings", folder / "server.log"
    for path in (work, settings):
        path.mkdir(parents=True)
    for name, values in LAB_OPTIONS.items():
        package, _, plugin = name.rpartition(":")
        target = settings / package / f"{plugin}.jupyterlab-settings"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(json.dumps(values))
    token = secrets.token_hex(16)
    environment = {
        **os.environ,
        "HOME": str(folder),
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_DATA_DIR": str(folder / "data"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(settings),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
        "IPYTHONDIR": str(folder / "ipython"),
        "JAXLAB_DISK_CACHE_DIR": str(folder / "cache"),
    }
    # Notebook 7 serves JupyterLab too, so that one server does for both.
    command = [
        sys.executable, "-m", "notebook", "--no-browser", "--allow-root", "--ip=127.0.0.1", "--port=0",
        f"--IdentityProvider.token={token}", f"--ServerApp.root_dir={work}", "--ServerApp.open_browser=False",
        "--LanguageServerManager.autodetect=False",
        # The tests give commands by their ids; the front end is this checkout's and not the installed one.
        "--LabApp.expose_app_in_browser=True", "--JupyterNotebookApp.expose_app_in_browser=True",
        f"--LabApp.extra_labextensions_path={BUILT}",
        f"--JupyterNotebookApp.extra_labextensions_path={BUILT}",
    ]  # fmt: skip
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=work, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    url = wait_for(process, folder / "runtime", log)
    return LabServer(url, token, work, process, log)


def wait_for(process: subprocess.Popen[bytes], runtime: Path, log: Path) -> str:
    """The address of a server that has just been started, once it answers."""
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline and process.poll() is None:
        for path in runtime.glob("jpserver-*.json"):
            try:
                url: str = json.loads(path.read_text())["url"]
                with urllib.request.urlopen(f"{url}api", timeout=5):
                    return url
            except (OSError, urllib.error.URLError, ValueError, KeyError):
                continue
        time.sleep(0.1)
    process.kill()
    raise RuntimeError(f"JupyterLab did not start:\n{log.read_text()[-4000:]}")


def find_chromium() -> str | None:
    """The Chromium to test with: $JAXLAB_CHROMIUM, else one of the PATH, else none."""
    named = os.environ.get("JAXLAB_CHROMIUM")
    if named:
        return named
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return next((path for name in names if (path := shutil.which(name))), None)
