"""Run a notebook without a screen: figures for each transformed cell, and a page to look at.

    python notebooks/run_demo.py                            the quickstart
    python notebooks/run_demo.py other.ipynb --out folder   another notebook

The notebook runs in a real kernel, of the Python that runs this script. The page needs no network, no kernel
and no extension: pictures are embedded and the outputs are their plain HTML. Exits with 1 where a cell fails,
with its traceback on stderr and the page written up to that cell.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbconvert import HTMLExporter

HERE = Path(__file__).resolve().parent
RECORD = "application/vnd.jaxlab.record.v1+json"


class ThisPython(AsyncKernelManager):
    """Starts kernels of the running interpreter, whatever kernels are installed for the user."""

    @property
    def kernel_spec(self) -> KernelSpec:
        """A kernel spec that no file has to hold."""
        argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}", "--log-level=ERROR"]
        return KernelSpec(argv=argv, display_name="Python 3", language="python")


class Progress(NotebookClient):
    """Runs a notebook and prints the figures of a cell as soon as it has run."""

    async def async_execute_cell(self, cell: Any, cell_index: int, *args: Any, **kwargs: Any) -> Any:
        """Run one cell, then print the line of figures of each record that it showed."""
        try:
            return await super().async_execute_cell(cell, cell_index, *args, **kwargs)
        finally:
            for line in figures(cell):
                print(f"In[{cell.get('execution_count') or '*'}]  {line}", flush=True)


def figures(cell: Any) -> Iterator[str]:
    """The lines of figures among a cell's outputs: the text form of each record."""
    for output in cell.get("outputs", []):
        data = output.get("data", {})
        if RECORD in data:
            yield data.get("text/plain", "").strip().splitlines()[0]


def run(path: Path, out: Path, timeout: float) -> tuple[Path, CellExecutionError | None]:
    """Execute a notebook and write its HTML into ``out``; returns the page and the error of a failed cell."""
    notebook = nbformat.read(path, as_version=4)
    client = Progress(
        notebook,
        kernel_manager_class=ThisPython,
        kernel_name="python3",
        timeout=timeout,
        resources={"metadata": {"path": str(path.parent)}},
    )
    failure = None
    try:
        client.execute()
    except CellExecutionError as error:
        failure = error
    page, _ = HTMLExporter(embed_images=True, mathjax_url="", require_js_url="").from_notebook_node(
        notebook, resources={"metadata": {"name": path.stem}}
    )
    out.mkdir(parents=True, exist_ok=True)
    target = out / f"{path.stem}.html"
    target.write_text(page, encoding="utf-8")
    return target, failure


def main(arguments: list[str] | None = None) -> int:
    """Read the command line, run, and say where the page is."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("notebook", nargs="?", type=Path, default=HERE / "quickstart.ipynb")
    parser.add_argument("--out", type=Path, default=HERE / "out", help="the folder of the HTML page")
    parser.add_argument("--timeout", type=float, default=600.0, help="seconds that one cell may take")
    options = parser.parse_args(arguments)
    if not options.notebook.is_file():
        parser.error(f"{options.notebook}: there is no such notebook")
    begin = time.perf_counter()
    page, failure = run(options.notebook.resolve(), options.out.resolve(), options.timeout)
    print(f"{options.notebook.name} ran in {time.perf_counter() - begin:.1f} s; open {page}")
    if failure is not None:
        print(failure, file=sys.stderr)
    return int(failure is not None)


if __name__ == "__main__":
    raise SystemExit(main())
