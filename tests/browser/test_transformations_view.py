"""Cells of transformed programs in JupyterLab: links through loops and rules, prints, errors, records, saving."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import nbformat
import pytest
from lab_page import LabPage
from lab_server import LabServer
from playwright.sync_api import expect

CELLS = {
    "setup": """%load_ext jaxlab
import jaxlab, jaxlab.numpy as jnp
from jaxlab import lax
x = jnp.linspace(0., 1., 8); W = jnp.eye(8) * .5
count = jaxlab.new_ref(jnp.zeros(()))
@jaxlab.custom_vjp
def squash(a):
    return jnp.sin(a)
def forward(a):
    return jnp.sin(a), a
def backward(a, g):
    return (jnp.clip(jnp.cos(a) * g, -.5, .5),)
squash.defvjp(forward, backward)""",
    "scan": """%%jit
%%grad W --value
def body(h, i):
    h = jnp.tanh(h @ W)
    jaxlab.debug.print("step {}", i, ordered=True)
    return h, None
h, _ = lax.scan(body, x, jnp.arange(3))
count[...] += 1
jnp.sum(squash(h) ** 2)""",
    "hessian": """%%jit
%%hessian x
jnp.sum(jnp.sin(x))""",
    "print": """%%jit
jaxlab.debug.print("first {}", x[1])
x[0]""",
    "error": """%%jit
early = x * 2
c, ys = lax.scan(lambda c, a: (jnp.append(c, a), a), x, x)""",
    "rule": """def backward(a, g):
    return jnp.clip(g, -.5, .5)
squash.defvjp(forward, backward)""",
    "broken rule": """%%grad x
jnp.sum(squash(x))""",
}
SOURCE, JAXPR, STABLEHLO, HLO = range(4)


@pytest.fixture(scope="module")
def ran(chromium: Any, lab_server: LabServer) -> Iterator[LabPage]:
    """A notebook whose cells have run, one after the other."""
    page = chromium.new_context(viewport={"width": 1700, "height": 1000}).new_page()
    lab = LabPage(page, lab_server)
    lab.open("transformations.ipynb", list(CELLS.values()))
    for number in range(len(CELLS)):
        lab.run(number)
    yield lab
    page.context.close()
    lab_server.end_kernels()


def outputs(ran: LabPage, cell: str) -> Any:
    """What a cell has shown, without the place of the progress of a long compilation, which is empty."""
    return ran.outputs(list(CELLS).index(cell)).filter(has_text=re.compile(r"\S"))


def lit_by(ran: LabPage, cell: str, text: str) -> list[str]:
    """What is lit in each pane while the pointer is on the line of the source that has this text."""
    view = ran.cells.nth(list(CELLS).index(cell)).locator(".jaxlab-Record")
    if view.locator(".jl-line").get_attribute("aria-expanded") == "false":
        view.locator(".jl-line").click()
    panes = view.locator(".jl-pane")
    row = panes.nth(SOURCE).locator(".jl-row", has_text=text)
    row.locator(".jl-number").click()
    expect(panes.nth(SOURCE).locator(".jl-lit")).to_contain_text(text)
    for pane in (JAXPR, STABLEHLO):  # XLA may have left nothing of the line
        expect(panes.nth(pane).locator(".jl-lit").first).to_be_attached()
    found = [panes.nth(i).locator(".jl-lit .jl-text").all_inner_texts() for i in range(4)]
    return ["\n".join(lines) for lines in found]


def test_the_body_of_a_loop_lights_up_there_and_on_the_way_back(ran: LabPage) -> None:
    lit = lit_by(ran, "scan", "h = jnp.tanh(h @ W)")
    assert re.search(r"= tanh .*\n.*= sub 1\.0", lit[JAXPR]), lit[JAXPR]
    assert "stablehlo.tanh" in lit[STABLEHLO] and "stablehlo.dot_general" in lit[STABLEHLO]
    assert lit[HLO]


def test_a_backward_rule_of_another_cell_lights_up(ran: LabPage) -> None:
    lit = lit_by(ran, "scan", "jnp.clip(jnp.cos(a) * g")
    assert ran.cells.nth(1).locator(".jl-row", has_text="%load_ext jaxlab").count() == 1, "magics as written"
    assert re.search("= (cos|max) ", lit[JAXPR]) and re.search(r"stablehlo\.(cosine|max)", lit[STABLEHLO])
    assert lit[HLO]


def test_a_reference_is_read_and_written_in_the_jaxpr(ran: LabPage) -> None:
    assert re.search(r"\[\.\.\.\] <- ", lit_by(ran, "scan", "count[...] += 1")[JAXPR])


def test_prints_stand_in_their_cell_in_order_before_the_value(ran: LabPage) -> None:
    found = outputs(ran, "scan")
    expect(found).to_have_count(3)
    expect(found.nth(0)).to_have_text("step 0\nstep 1\nstep 2\n")
    expect(found.nth(1)).to_contain_text("Array(")
    expect(found.nth(2)).to_contain_text("jit(grad(cell)) · cpu:0 · traced")
    ran.run(list(CELLS).index("print"))
    again = outputs(ran, "print")
    expect(again.nth(2)).to_contain_text("reused, traced at In[4]")
    assert re.fullmatch(r"first 0\.14\d+\s*", again.nth(0).inner_text())


def test_the_record_of_a_hessian(ran: LabPage) -> None:
    found = outputs(ran, "hessian")
    expect(found.nth(0)).to_contain_text("Array([[")
    expect(found.nth(1)).to_contain_text("jit(hessian(cell)) · cpu:0 · traced")


def test_an_error_is_one_sentence_at_its_line_and_changes_nothing(ran: LabPage) -> None:
    text = outputs(ran, "error").inner_text()
    assert text.startswith("Cell In[5], line 3\n")
    assert len(re.findall("^Cell|^File", text, re.M)) == 1
    assert text.splitlines()[-1].startswith(
        "TypeError: scan: the body must return a carry of the types of the initial one, but carry is f32[8]"
    )


def test_an_error_of_a_backward_rule_points_at_the_call(ran: LabPage) -> None:
    text = outputs(ran, "broken rule").inner_text()
    assert text.startswith("Cell In[7], line 2\n")
    assert "the backward rule of squash, returned structure" in text


def test_saved_and_opened_without_a_kernel_it_is_all_there(ran: LabPage, page: Any) -> None:
    ran.command("docmanager:save")
    notebook = nbformat.read(ran.server.folder / "transformations.ipynb", nbformat.NO_CONVERT)
    del notebook.metadata["language_info"]  # a kernel of that language would be started
    notebook.metadata["kernelspec"] = {"name": "none-such", "display_name": "None such", "language": "python"}
    page.set_viewport_size({"width": 1700, "height": 1000})
    page.goto(ran.server.lab_url(ran.server.write("opened.ipynb", notebook)))
    page.locator(".jp-Dialog button", has_text="No Kernel").click(timeout=60_000)
    opened = LabPage(page, ran.server)
    found = outputs(opened, "scan")
    expect(found.nth(0)).to_contain_text("step 2")
    expect(found.nth(2)).to_contain_text("jit(grad(cell)) · cpu:0")
    assert "tanh" in lit_by(opened, "scan", "h = jnp.tanh(h @ W)")[JAXPR]
