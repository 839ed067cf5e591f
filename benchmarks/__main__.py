"""``make bench``: one table of jaxlab over jax.

Rows inside a warm process are measured by two workers, one a library, in alternating bursts; the ratio is the
median over rounds of the ratio of neighbouring bursts, and the spread given beside it is from the 10th to the
90th percentile. Rows of whole processes start both libraries in turn. Both use the same jaxlib; for the start
with a warm disk cache jax is given its own persistent cache, which is off by default.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks import gradients as gradients  # registers its rows
from benchmarks.rows import ROWS

ROOT = Path(__file__).resolve().parent.parent
LIBRARIES = ("jaxlab", "jax")
FIRST_JIT = (
    "import time; start = time.perf_counter(); import {lib}; import {lib}.numpy as jnp; "
    "f = {lib}.jit(lambda x, y: jnp.tanh(x @ y) + x.sum(0)); "
    "f(jnp.ones((8, 8)), jnp.ones((8, 8))).block_until_ready(); print(time.perf_counter() - start)"
)
IMPORT = (
    "import time; start = time.perf_counter(); import {lib}, {lib}.numpy; print(time.perf_counter() - start)"
)
PEAK = (
    "import resource; from benchmarks.worker import Library; from benchmarks.rows import digits\n"
    "lib = Library('{lib}'); step, (params, x, y) = digits(lib); f = lib.jx.jit(step)\n"
    "for _ in range(20): params, loss = f(params, x, y)\n"
    "lib.jx.block_until_ready(params); print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)"
)


def environment(library: str, cache: str | None) -> dict[str, str]:
    """The environment of a process; each library with its own disk cache, or none."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("JAX_", "JAXLAB_", "XLA_"))}
    env["PYTHONPATH"] = str(ROOT)
    env.pop("PYTHONDONTWRITEBYTECODE", None)  # neither library is compiled from its source at every start
    if library == "jaxlab":
        env["XDG_CACHE_HOME"] = cache or ""
        if cache is None:
            env["JAXLAB_DISK_CACHE_ENABLED"] = "0"
    elif cache is not None:
        env |= {
            "JAX_COMPILATION_CACHE_DIR": cache,
            "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
            "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
        }
    return env


def run_once(library: str, code: str, cache: str | None) -> float:
    """The number that a process prints."""
    done = subprocess.run(
        [sys.executable, "-c", code.format(lib=library)],
        env=environment(library, cache),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout.split()[-1])


def of_processes(code: str, rounds: int, cache: str) -> dict[str, list[float]]:
    """Times of whole processes, the libraries in turn; ``cache`` is "none", "empty" or "warm"."""
    times: dict[str, list[float]] = {library: [] for library in LIBRARIES}
    with tempfile.TemporaryDirectory() as folder:
        for i in range(rounds + (cache == "warm")):
            for library in LIBRARIES:
                number = i if cache == "empty" else ""
                where = None if cache == "none" else f"{folder}/{library}{number}"
                seconds = run_once(library, code, where)
                if cache != "warm" or i > 0:
                    times[library].append(seconds)
    return times


class Worker:
    """A process that measures rows for one library."""

    def __init__(self, library: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker", library],
            env=environment(library, None),
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def measure(self, row: str, repeats: int) -> float:
        """One burst of a row, in seconds."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(f"{row} {repeats}\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(f"the worker died while it measured {row}")
        return float(json.loads(answer))


def of_rows(names: list[str], rounds: int) -> dict[str, dict[str, list[float]]]:
    """Times of rows in warm processes, in alternating bursts."""
    workers = {library: Worker(library) for library in LIBRARIES}
    times: dict[str, dict[str, list[float]]] = {}
    for name in names:
        times[name] = {library: [] for library in LIBRARIES}
        for i in range(rounds + 1):
            order = LIBRARIES if i % 2 else LIBRARIES[::-1]
            for library in order:
                seconds = workers[library].measure(name, ROWS[name].repeats)
                if i:  # the first burst warms up
                    times[name][library].append(seconds)
    for worker in workers.values():
        worker.process.kill()
    return times


def shown(value: float, is_bytes: bool = False) -> str:
    """A figure with its unit."""
    if is_bytes:
        return f"{value / 2**20:.0f} MiB"
    for factor, unit in ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")):
        if value >= factor:
            return f"{value / factor:.3g} {unit}"
    return f"{value * 1e9:.3g} ns"


def line(title: str, reach: float | None, times: dict[str, list[float]], is_bytes: bool = False) -> str:
    """A row of the table."""
    ratios = sorted(a / b for a, b in zip(times["jaxlab"], times["jax"], strict=True))
    low, high = ratios[len(ratios) // 10], ratios[-1 - len(ratios) // 10]
    ratio = statistics.median(ratios)
    mine, theirs = (shown(statistics.median(times[library]), is_bytes) for library in LIBRARIES)
    verdict = "" if reach is None else f"{reach}" + ("" if ratio <= reach else " (missed)")
    return f"| {title} | {mine} | {theirs} | {ratio:.2f} | {low:.2f}-{high:.2f} | {verdict} |"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("rows", nargs="*", help="only these rows")
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    rounds: int = options.rounds
    first = "first jit result in a new process"
    peak = "peak memory of a process that trains on digits"
    processes: dict[str, Callable[[], str]] = {
        "import": lambda: line("import", 0.35, of_processes(IMPORT, rounds, "none")),
        "first_jit_empty": lambda: line(
            f"{first}, empty disk cache", None, of_processes(FIRST_JIT, rounds, "empty")
        ),
        "first_jit_warm": lambda: line(
            f"{first}, warm disk cache", 0.4, of_processes(FIRST_JIT, rounds, "warm")
        ),
        "peak_memory": lambda: line(peak, None, of_processes(PEAK, max(3, rounds // 3), "none"), True),
    }
    chosen = options.rows or [*processes, *ROWS]
    unknown = set(chosen) - set(processes) - set(ROWS)
    if unknown:
        parser.error(f"unknown rows {', '.join(sorted(unknown))}; there are {', '.join([*processes, *ROWS])}")
    start = time.time()
    machine = platform.processor() or platform.machine()
    print(f"{machine}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(f"{rounds} interleaved rounds; ratio is jaxlab / jax, with its 10th to 90th percentile\n")
    print("| what | jaxlab | jax | ratio | spread | at most |\n|---|---|---|---|---|---|")
    for name in chosen:
        if name in processes:
            print(processes[name](), flush=True)
    names = [name for name in chosen if name in ROWS]
    if names:
        for name, times in of_rows(names, rounds).items():
            print(line(ROWS[name].title, ROWS[name].reach, times, ROWS[name].is_bytes), flush=True)
    print(f"\nmeasured in {time.time() - start:.0f} s")


if __name__ == "__main__":
    main()
