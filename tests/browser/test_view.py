"""The view of a record in a real JupyterLab: a saved notebook of someone else's, opened without a kernel."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lab_page import LabPage
from nbformat.v4 import new_code_cell, new_notebook, new_output
from playwright.sync_api import expect
from sample_records import chain, digits, failed, hostile

from jaxlab.inspection.bundle import MIME_TYPE, mime_bundle

FIXTURES = Path(__file__).parents[2] / "labextension" / "tests" / "fixtures"
LIT = {
    (entry["pane"], entry["line"]): entry["lines"]
    for entry in json.loads((FIXTURES / "digits.json").read_text())["lit"]
}
SOURCE, JAXPR, STABLEHLO, HLO = range(4)


def notebook(*bundles: dict[str, Any]) -> Any:
    """A notebook of one cell per output, for a kernel that nobody has."""
    cells = [
        new_code_cell(
            f"# cell {number}", execution_count=number, outputs=[new_output("display_data", bundle)]
        )
        for number, bundle in enumerate(bundles, start=1)
    ]
    spec = {"name": "none-such", "display_name": "None such", "language": "python"}
    return new_notebook(cells=cells, metadata={"kernelspec": spec})


@pytest.fixture
def show(lab: LabPage) -> Callable[..., Any]:
    """Opens a notebook of these outputs without a kernel; returns the first view."""

    def open_(*bundles: dict[str, Any]) -> Any:
        lab.page.set_viewport_size({"width": 1700, "height": 900})  # four panes beside the lab's files
        lab.open("record.ipynb", notebook(*bundles), kernel=False)
        lab.page.locator(".jp-Dialog button", has_text="No Kernel").click()
        return lab.page.locator(".jaxlab-Record").first

    return open_


def unfold(view: Any) -> Any:
    view.locator(".jl-line").click()
    view.locator(".jl-row").first.wait_for()
    return view


def pane(view: Any, place: int) -> Any:
    return view.locator(".jl-pane").nth(place)


def row(view: Any, place: int, line: int) -> Any:
    """A row's line number: rows themselves may be wider than what is seen of them."""
    return pane(view, place).locator(f'.jl-row[data-index="{line}"] .jl-number')


def check_lit(view: Any, place: int, line: int) -> None:
    """Exactly the lines that belong to this one are lit, of those that are in the page."""
    expect(row(view, place, line)).to_be_visible()
    for other in range(4):
        rows = pane(view, other).locator(".jl-row")
        drawn = set(rows.evaluate_all("rows => rows.map(row => Number(row.dataset.index))"))
        lit = (
            pane(view, other)
            .locator(".jl-lit")
            .evaluate_all("rows => rows.map(row => Number(row.dataset.index))")
        )
        assert sorted(lit) == [at for at in LIT[place, line][other] if at in drawn], f"pane {other}"


def test_a_strangers_notebook_without_a_kernel_shows_the_line_of_figures(show: Any) -> None:
    view = show(mime_bundle(digits()))
    expect(view.locator(".jl-line")).to_contain_text("jit(grad(cell)) · cpu:0 · traced 3.1 ms")
    expect(view.locator(".jl-line")).to_have_attribute("aria-expanded", "false")
    expect(view.locator(".jl-pane")).to_have_count(0)
    expect(view.page.locator(".jp-KernelName")).to_contain_text("No Kernel")


def test_unfolded_it_has_panes_and_tables(show: Any) -> None:
    view = unfold(show(mime_bundle(digits())))
    expect(view.locator(".jl-pane-title")).to_have_text(["Source", "jaxpr", "StableHLO", "Optimised HLO"])
    expect(view.locator("caption")).to_have_text(["Inputs", "Outputs", "Time", "Program", "Cost"])
    expect(pane(view, SOURCE)).to_contain_text("log_probs = logits")
    view.locator(".jl-line").click()
    expect(view.locator(".jl-pane").first).to_be_hidden()


@pytest.mark.parametrize(
    "place, line", [(SOURCE, 3), (SOURCE, 2), (SOURCE, 6), (JAXPR, 3), (STABLEHLO, 6), (HLO, 4)]
)
def test_pointing_at_a_line_lights_what_belongs_to_it(show: Any, place: int, line: int) -> None:
    view = unfold(show(mime_bundle(digits())))
    row(view, place, line).hover()
    check_lit(view, place, line)
    view.page.mouse.move(5, 5)
    expect(view.locator(".jl-lit")).to_have_count(0)


def test_pointing_never_scrolls_and_clicking_does(show: Any) -> None:
    view = unfold(show(mime_bundle(chain(2000))))
    top = "list => list.scrollTop"
    hlo = pane(view, HLO).locator(".jl-list")
    row(view, SOURCE, 15).hover()
    expect(pane(view, HLO).locator(".jl-lit-note")).to_have_text(re.compile("lit"))
    assert hlo.evaluate(top) == 0
    row(view, SOURCE, 15).click()
    expect(pane(view, HLO).locator(".jl-lit").first).to_be_in_viewport()
    assert hlo.evaluate(top) > 0
    assert pane(view, SOURCE).locator(".jl-list").evaluate(top) == 0
    view.page.mouse.move(5, 5)  # what was clicked stays lit
    expect(pane(view, HLO).locator(".jl-lit").first).to_be_in_viewport()


def test_the_sentence_says_what_became_of_a_line(show: Any) -> None:
    view = unfold(show(mime_bundle(digits())))
    row(view, SOURCE, 3).hover()
    expect(view.get_by_role("status")).to_have_text(
        "Cell In[3], line 3 · 6 equations → 7 operations → 8 instructions"
        " · fused with others, 1 optimised away"
    )
    row(view, JAXPR, 19).hover()
    expect(view.get_by_role("status")).to_contain_text("made by Cell In[3], line 6")
    expect(view.get_by_role("status")).to_contain_text("optimised away")


def test_by_keyboard_alone(show: Any) -> None:
    view = show(mime_bundle(digits()), mime_bundle(failed()))
    keyboard = view.page.keyboard
    view.locator(".jl-line").focus()
    keyboard.press("Enter")
    lists = view.get_by_role("listbox")
    expect(lists).to_have_count(4)
    lists.nth(SOURCE).focus()
    for _ in range(3):
        keyboard.press("ArrowDown")
    check_lit(view, SOURCE, 3)
    active = lists.nth(SOURCE).get_attribute("aria-activedescendant")
    expect(view.locator(f"#{active}")).to_contain_text("log_probs = logits")
    expect(view.locator(f"#{active}")).to_have_attribute("aria-selected", "true")
    keyboard.press("Escape")
    expect(view.locator(".jl-lit")).to_have_count(0)
    keyboard.press("End")
    keyboard.press("Home")
    keyboard.press("Enter")
    # From pane to pane by Tab (a pane's two buttons and the bar between lie on the way).
    for _ in range(8):
        keyboard.press("Tab")
        if lists.nth(JAXPR).evaluate("list => list === document.activeElement"):
            break
    keyboard.press("ArrowDown")
    expect(pane(view, JAXPR).locator(".jl-active")).to_have_count(1)
    # The notebook's own shortcuts are not reached: nothing is deleted, nothing else is selected.
    for key in "ddaj":
        keyboard.press(key)
    expect(view.page.locator(".jp-CodeCell")).to_have_count(2)
    expect(view.locator(".jl-active")).to_have_count(1)


def test_search_in_a_pane(show: Any) -> None:
    view = unfold(show(mime_bundle(chain(2000))))
    jaxpr = pane(view, JAXPR)
    jaxpr.get_by_role("listbox").focus()
    view.page.keyboard.press("Control+f")
    view.page.keyboard.type("tanh")
    expect(jaxpr.locator(".jl-search-note")).to_have_text("1 of 400")
    expect(jaxpr.locator(".jl-match").first).to_have_text("tanh")
    view.page.keyboard.press("Shift+Enter")
    expect(jaxpr.locator(".jl-search-note")).to_have_text("400 of 400")
    expect(jaxpr.locator(".jl-row", has_text="tanh").last).to_be_in_viewport()
    view.page.keyboard.press("Escape")
    expect(jaxpr.locator(".jl-match")).to_have_count(0)
    expect(jaxpr.get_by_role("listbox")).to_be_focused()


def test_selected_lines_are_copied_whole(show: Any) -> None:
    view = unfold(show(mime_bundle(digits())))
    source = pane(view, SOURCE).get_by_role("listbox")
    source.focus()
    source.evaluate("""list => list.addEventListener('copy', event => {
        window.copied = event.clipboardData.getData('text/plain'); })""")
    for key in ("ArrowDown", "ArrowDown", "Shift+ArrowDown", "Control+c"):
        view.page.keyboard.press(key)
    lines = digits().sources[0].text.split("\n")
    assert view.page.evaluate("window.copied") == "\n".join(lines[1:3])


def test_narrow_it_becomes_tabs(show: Any) -> None:
    view = unfold(show(mime_bundle(digits())))
    view.page.set_viewport_size({"width": 700, "height": 900})
    tabs = view.get_by_role("tab")
    expect(tabs).to_have_text(["Source", "jaxpr", "StableHLO", "Optimised HLO"])
    expect(view.locator(".jl-pane")).to_have_count(1)
    row(view, 0, 3).click()
    tabs.first.focus()
    view.page.keyboard.press("ArrowRight")
    expect(tabs.nth(1)).to_have_attribute("aria-selected", "true")
    expect(view.locator(".jl-pane-title")).to_have_text(["jaxpr"])
    expect(view.locator(".jl-lit").first).to_be_in_viewport()
    view.page.set_viewport_size({"width": 1700, "height": 900})
    expect(view.locator(".jl-pane")).to_have_count(4)


def test_colour_is_never_the_only_mark(show: Any) -> None:
    view = unfold(show(mime_bundle(digits())))
    expect(row(view, JAXPR, 7).locator("..").locator(".jl-mark")).to_have_text("3")
    row(view, SOURCE, 3).hover()
    glyphs = view.locator(".jl-lit .jl-glyph")
    assert all(glyphs.evaluate_all("nodes => nodes.map(node => node.textContent)"))
    view.get_by_role("button", name="Colours").click()
    tint = "row => getComputedStyle(row).backgroundColor"
    assert pane(view, JAXPR).locator(".jl-row").nth(2).evaluate(tint) == "rgba(0, 0, 0, 0)"


def test_a_partial_record_points_to_the_failing_line(show: Any) -> None:
    view = unfold(show(mime_bundle(failed())))
    expect(view.locator(".jl-tone-error")).to_contain_text("failed: picked[picked < 0]")
    expect(view.locator(".jl-row.jl-error")).to_contain_text("picked = jnp.sum")
    expect(pane(view, HLO)).to_contain_text("not reached: tracing stopped at an error")


def test_hostile_texts_do_nothing(show: Any) -> None:
    view = unfold(show(mime_bundle(hostile())))
    row(view, JAXPR, 0).click()
    assert view.page.evaluate("window.hacked") is None
    assert view.locator("img, script, a, pre, details").count() == 0
    assert view.locator("style").count() == 1
    assert not re.search("[\x1b\x07\u202e\u2066\u2069]", view.inner_text())
    assert "\u202e" not in view.evaluate("view => view.outerHTML")


def test_ten_thousand_equations_stay_quick(show: Any) -> None:
    view = unfold(show(mime_bundle(chain(10_000))))
    assert view.locator(".jl-row").count() < 250
    seconds = view.evaluate("""async view => {
        const rows = view.querySelectorAll('.jl-pane')[0].querySelectorAll('.jl-row');
        const list = view.querySelectorAll('.jl-list')[3];
        const frame = () => new Promise(requestAnimationFrame);
        const lit = [], scrolled = [];
        for (let i = 1; i < 20; i++) {
            const start = performance.now();
            rows[i].dispatchEvent(new PointerEvent('pointermove', { bubbles: true }));
            lit.push(performance.now() - start);
            await frame();
            const before = performance.now();
            list.scrollTop += 5000;
            await frame(); await frame();
            scrolled.push((performance.now() - before) / 2);
        }
        const middle = times => times.sort((a, b) => a - b)[times.length >> 1];
        return { lit: middle(lit), scrolled: middle(scrolled) };
    }""")
    assert seconds["lit"] < 16, seconds
    assert seconds["scrolled"] < 50, seconds


def test_the_theme_is_the_labs(show: Any, lab: LabPage) -> None:
    view = unfold(show(mime_bundle(digits())))
    colour = "node => getComputedStyle(node).color"
    lab.set_theme("JupyterLab Light")  # the lab remembers what a test before this one chose
    light = view.evaluate(colour)
    lab.set_theme("JupyterLab Dark")
    assert view.evaluate(colour) != light
    lab.set_theme("JupyterLab Light")


def test_without_the_extension_the_html_remains(show: Any, lab: LabPage) -> None:
    bundle = mime_bundle(digits())
    del bundle[MIME_TYPE]
    lab.open("plain.ipynb", notebook(bundle), kernel=False)
    lab.page.locator(".jp-Dialog button", has_text="No Kernel").click()
    output = lab.outputs(0)
    expect(output.locator("summary").first).to_contain_text("jit(grad(cell)) · cpu:0 · traced 3.1 ms")
    output.locator("summary").first.click()
    output.locator("summary", has_text="jaxpr").click()
    expect(output.locator("pre", has_text="reduce_max[axes=(1,)]")).to_be_visible()


def test_notebook_7_draws_it_too(page: Any, lab_server: Any) -> None:
    page.goto(lab_server.notebook_url(lab_server.write("seven.ipynb", notebook(mime_bundle(digits())))))
    page.locator(".jp-Dialog button", has_text="No Kernel").click(timeout=60_000)
    view = unfold(page.locator(".jaxlab-Record").first)
    row(view, SOURCE, 3).hover()
    expect(pane(view, JAXPR).locator(".jl-lit")).to_have_count(6)


def test_the_live_widget_is_the_same_view(lab: LabPage) -> None:
    source = (
        "import json, pathlib\n"
        "from jaxlab.inspection.record import Record\nfrom jaxlab.widgets import widget\n"
        f"record = json.loads(pathlib.Path({str(FIXTURES / 'digits.json')!r}).read_text())['record']\n"
        "live = widget(Record.from_json(record))\nlive"
    )
    lab.open("widget.ipynb", [source, "live.record = Record('another').to_json()"])
    lab.run(0)
    view = unfold(lab.page.locator(".jaxlab-Record").first)
    row(view, SOURCE, 3).hover()
    expect(pane(view, JAXPR).locator(".jl-lit")).to_have_count(6)
    lab.run(1)
    expect(lab.page.locator(".jl-line")).to_have_text("another")
