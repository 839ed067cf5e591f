"""Programs with references are shown as they were written, and linked to the values that they became."""

from __future__ import annotations

from typing import Any

import jaxlab as jax
import jaxlab.numpy as jnp
from jaxlab import lax
from jaxlab.inspection.build import ProgramView


def program(count: Any, row: Any, x: Any) -> Any:
    count[...] += 1

    def body(i: Any, carry: Any) -> Any:
        row[i] = x[i] * 2
        return carry

    lax.fori_loop(0, 4, body, 0.0)
    return row[1] + count[...]


def test_reads_and_writes_lead_to_their_lines_and_to_what_they_became() -> None:
    arguments = jax.new_ref(jnp.zeros(())), jax.new_ref(jnp.zeros(4)), jnp.ones(4)
    traced = jax.jit(program).trace(*arguments)
    lowered = traced.lower()
    lowered.compile()
    view = ProgramView(traced.jaxpr, lowered.program)
    jaxpr, stablehlo = view.stages[:2]
    text = [line for source in view.sources for line in source.text.split("\n")]
    between = view.links[0].pairs
    became: dict[tuple[str, str], set[str]] = {}
    for place, item in enumerate(jaxpr.items):
        assert item.frames, f"{item.name} comes from no line"
        line = text[item.frames[0].line - view.sources[item.frames[0].source].first_line].strip()
        targets = {
            stablehlo.items[j.after].name for j in between if j.before == place and j.after is not None
        }
        became.setdefault((line, item.name), set()).update(targets)
    assert became["count[...] += 1", "add"] >= {"stablehlo.add"}
    assert became["count[...] += 1", "swap"] == set()  # the value has become a result
    assert "stablehlo.dynamic_update_slice" in became["row[i] = x[i] * 2", "swap"]
    assert "stablehlo.multiply" in became["row[i] = x[i] * 2", "mul"]
    assert "stablehlo.slice" in became["return row[1] + count[...]", "get"]
