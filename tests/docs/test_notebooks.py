"""The notebooks run from the first cell to the last in a kernel of their own, and show what they speak of."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"

SHOWN = {
    "transformations.ipynb": [
        "jit(vmap(hessian(cell)))",
        "pullback vjp_theta",
        "step 5   loss    1.21",
        "invalid value (nan) encountered at Cell In[",
        "the slope at 100.0 is 1.0",
    ],
}


@pytest.mark.parametrize("name", SHOWN)
def test_notebook(name: str, tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, str(NOTEBOOKS / "run_demo.py"), str(NOTEBOOKS / name), "--out", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert ran.returncode == 0, ran.stderr
    page = (tmp_path / name).with_suffix(".html").read_text(encoding="utf-8")
    for text in SHOWN[name]:
        assert text in page or text in ran.stdout, text
