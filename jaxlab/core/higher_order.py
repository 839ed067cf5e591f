"""Primitives that hold programs: calls, branches and loops."""

from __future__ import annotations

from typing import Any

from jaxlab.core.effects import NO_EFFECTS, Effects
from jaxlab.core.jaxpr import subjaxprs
from jaxlab.core.primitive import Primitive


class HigherOrder(Primitive):
    """An operation with programs among its parameters: it does what they do, and hands named axes on to them."""

    multiple_results = True
    axis_aware = True

    def effects(self, params: dict[str, Any]) -> Effects:
        effects = NO_EFFECTS
        for jaxpr in subjaxprs(params):
            effects |= jaxpr.effects
        return effects
