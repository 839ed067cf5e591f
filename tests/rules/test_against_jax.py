"""Elementwise operations against jax: the same equations, types and bits, also at awkward numbers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("jax")

pytestmark = pytest.mark.skipif(
    not version("jax").startswith("0.10."), reason="jaxprs have the text of jax 0.10; here is another jax"
)

PROGRAMS = Path(__file__).with_name("elementwise_programs.py")


def answers(library: str) -> dict[str, Any]:
    """What a library says, in a process of its own and at its usual level of optimization."""
    environment = {**os.environ, "XLA_FLAGS": "", "JAX_PLATFORMS": "cpu"}
    done = subprocess.run(
        [sys.executable, str(PROGRAMS), library], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def theirs() -> dict[str, Any]:
    return answers("jax")


@pytest.fixture(scope="module")
def ours() -> dict[str, Any]:
    return answers("jaxlab")


def test_same_equations(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    """Jaxprs, also of the jvp, the vjp and batched forms, are the same text."""
    different = []
    for name, forms in theirs["texts"].items():
        for form, text in forms.items():
            # A NumPy integer got into some of its parameters.
            if ours["texts"][name].get(form) != text.replace("np.int64(1)", "1"):
                different.append(f"{name}, {form}:\n{text}\n--\n{ours['texts'][name].get(form)}")
    assert not different, "\n\n".join(different)


def test_same_bits(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    """NaN, infinities, signed zeros, the largest integers: results have the same bits."""
    different = [name for name, bits in theirs["numbers"].items() if ours["numbers"][name] != bits]
    assert not different
