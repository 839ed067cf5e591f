"""What a person does in JupyterLab, as one call each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lab_server import LabServer

SECONDS_FOR_A_KERNEL = 60.0


class LabPage:
    """A page of the browser with a notebook in JupyterLab."""

    def __init__(self, page: Any, server: LabServer) -> None:
        self.page = page
        self.server = server

    def open(self, name: str, cells: list[str] | Any, *, kernel: bool = True) -> None:
        """Write a notebook (see `LabServer.write`), open it, and wait for its kernel."""
        self.page.goto(self.server.lab_url(self.server.write(name, cells)))
        self.page.locator(".jp-Notebook .jp-Cell").first.wait_for(timeout=60_000)
        if kernel:
            self.wait_until_idle()

    def wait_until_idle(self) -> None:
        """Wait until the kernel of the notebook in front is connected and has nothing to do."""
        # The light of the notebook says idle before there is a connection, so the session is asked.
        self.page.evaluate(
            """async () => {
                const { context, sessionContext } = window.jupyterapp.shell.currentWidget;
                await context.ready;
                await sessionContext.ready;
                await sessionContext.session.kernel.info;
            }"""
        )
        self.page.wait_for_function(
            """() => {
                const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session?.kernel;
                return kernel?.connectionStatus === 'connected' && kernel.status === 'idle';
            }""",
            timeout=SECONDS_FOR_A_KERNEL * 1000,
        )

    def run(self, cell: int) -> None:
        """Run one cell of the notebook in front and wait for its end."""
        self.cells.nth(cell).locator(".jp-InputPrompt").click()
        self.command("notebook:run-cell")
        self.wait_until_ran(cell)

    def wait_until_ran(self, cell: int) -> None:
        """Wait until a cell has its number."""
        self.page.wait_for_function(
            r"""index => {
                const shown = [...document.querySelectorAll('.jp-Notebook')].find(e => e.offsetParent);
                const prompt = shown?.querySelectorAll('.jp-CodeCell .jp-InputPrompt')[index];
                return /\[\d+\]/.test(prompt?.textContent ?? '');
            }""",
            arg=cell,
            timeout=SECONDS_FOR_A_KERNEL * 1000,
        )
        self.wait_until_idle()

    def command(self, command: str, **arguments: Any) -> Any:
        """Execute a command of the lab by its id, to its end."""
        return self.page.evaluate(
            "async ([id, args]) => void (await window.jupyterapp.commands.execute(id, args))",
            [command, arguments],
        )

    def set_theme(self, name: str) -> None:
        """Change the theme, such as to `JupyterLab Dark`."""
        self.command("apputils:change-theme", theme=name)
        self.page.wait_for_selector(f'body[data-jp-theme-name="{name}"]', state="attached")

    @property
    def cells(self) -> Any:
        """The code cells of the notebook in front."""
        return self.page.locator(".jp-NotebookPanel:visible .jp-CodeCell")

    def outputs(self, cell: int) -> Any:
        """The output area of a code cell."""
        return self.cells.nth(cell).locator(".jp-OutputArea-output")

    def screenshot(self, path: Path) -> None:
        """Write what is seen as PNG."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=str(path))
