"""One library's side of the benchmarks: measures the rows it is asked for, one burst at a time.

Run as ``python -m benchmarks.worker jax``; reads ``row repeats`` lines, answers each with one JSON number
(seconds).
"""

from __future__ import annotations

import importlib
import json
import sys
from typing import Any

from benchmarks import gradients as gradients  # registers its rows
from benchmarks.rows import ROWS


class Library:
    """The names that rows use, from jax or from jaxlab."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.jx: Any = importlib.import_module(name)
        self.np: Any = importlib.import_module(f"{name}.numpy")
        self.lax: Any = importlib.import_module(f"{name}.lax")
        self.random: Any = importlib.import_module(f"{name}.random")
        self.nn: Any = importlib.import_module(f"{name}.nn")


def main() -> None:
    """Serve measurements until the input ends."""
    library = Library(sys.argv[1])
    bursts: dict[str, Any] = {}
    for line in sys.stdin:
        row, repeats = line.split()
        if row not in bursts:
            bursts[row] = ROWS[row].prepare(library)
        print(json.dumps(bursts[row](int(repeats))), flush=True)


if __name__ == "__main__":
    main()
