"""The build backend of the package: hatchling, with a node of its own where the machine has none.

PEP 517 asks a backend which packages a build needs. The answer depends on the machine: nothing more where the
front end is already built (as in an sdist) or where a node is on the PATH, else node from its PyPI wheel.
"""

from __future__ import annotations

from typing import Any

import front_end
from hatchling.build import build_editable, build_sdist, build_wheel
from hatchling.build import get_requires_for_build_editable as hatchling_requires_for_editable
from hatchling.build import get_requires_for_build_sdist as hatchling_requires_for_sdist
from hatchling.build import get_requires_for_build_wheel as hatchling_requires_for_wheel

__all__ = [
    "build_editable",
    "build_sdist",
    "build_wheel",
    "get_requires_for_build_editable",
    "get_requires_for_build_sdist",
    "get_requires_for_build_wheel",
]


def get_requires_for_build_editable(config_settings: dict[str, Any] | None = None) -> list[str]:
    """What an editable install needs beyond ``build-system.requires``."""
    return [*hatchling_requires_for_editable(config_settings), *front_end.requirements()]


def get_requires_for_build_sdist(config_settings: dict[str, Any] | None = None) -> list[str]:
    """What an sdist needs beyond ``build-system.requires``."""
    return [*hatchling_requires_for_sdist(config_settings), *front_end.requirements()]


def get_requires_for_build_wheel(config_settings: dict[str, Any] | None = None) -> list[str]:
    """What a wheel needs beyond ``build-system.requires``."""
    return [*hatchling_requires_for_wheel(config_settings), *front_end.requirements()]
