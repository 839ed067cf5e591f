"""The fixtures of `notebook`, found from this folder."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from notebook import notebook, shell

__all__ = ["notebook", "shell"]
