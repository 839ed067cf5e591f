"""The device in the status bar of a real JupyterLab."""

from __future__ import annotations

import re

import pytest
from lab_page import LabPage
from playwright.sync_api import expect

# Two devices, on a machine with one: XLA splits the CPU.
TWO_DEVICES = "import os; os.environ['JAXLAB_NUM_CPU_DEVICES'] = '2'\nimport jaxlab"
SELECTED = "from jaxlab.magics.device import label; print(label())"
MENU_ITEM = ".jaxlab-DeviceMenu .lm-Menu-item"


@pytest.fixture
def lab_with_devices(lab: LabPage) -> LabPage:
    """A notebook with jaxlab loaded and two devices."""
    lab.open("devices.ipynb", [TWO_DEVICES, SELECTED, "import os; os._exit(1)", "raise ValueError"])
    lab.run(0)
    expect(button(lab)).to_have_text("cpu:0")
    return lab


def button(lab: LabPage):
    """The button of the status bar."""
    return lab.page.locator(".jaxlab-DeviceStatus-button")


def test_nothing_is_shown_before_jaxlab_is_imported(lab: LabPage) -> None:
    lab.open("plain.ipynb", ["1 + 1", TWO_DEVICES])
    lab.run(0)
    expect(button(lab)).to_be_hidden()
    lab.run(1)
    expect(button(lab)).to_be_visible()
    # Asking leaves no trace in what the user sees of the kernel's history.
    expect(lab.cells.nth(1).locator(".jp-InputPrompt")).to_have_text("[2]:")


def test_a_device_is_chosen_with_the_mouse(lab_with_devices: LabPage) -> None:
    lab = lab_with_devices
    button(lab).click()
    items = lab.page.locator(MENU_ITEM)
    expect(items).to_have_text([re.compile("cpu:0"), re.compile("cpu:1")])
    expect(items.nth(0)).to_have_class(re.compile("lm-mod-toggled"))
    expect(button(lab)).to_have_attribute("aria-expanded", "true")
    box, anchor = lab.page.locator(".jaxlab-DeviceMenu").bounding_box(), button(lab).bounding_box()
    assert box["y"] + box["height"] <= anchor["y"] + 1, "the menu hides the button"
    items.nth(1).click()
    expect(button(lab)).to_have_text("cpu:1")
    expect(button(lab)).to_have_attribute("aria-expanded", "false")
    lab.run(1)
    expect(lab.outputs(1)).to_have_text(re.compile("cpu:1"))


def test_a_device_is_chosen_with_the_keyboard(lab_with_devices: LabPage) -> None:
    lab, keyboard = lab_with_devices, lab_with_devices.page.keyboard
    button(lab).focus()
    keyboard.press("Enter")
    expect(lab.page.locator(MENU_ITEM).first).to_be_visible()
    keyboard.press("Escape")
    expect(lab.page.locator(MENU_ITEM)).to_have_count(0)
    expect(button(lab)).to_be_focused()
    keyboard.press("Enter")
    expect(lab.page.locator(MENU_ITEM).first).to_be_visible()
    keyboard.press("ArrowDown")
    keyboard.press("Enter")
    expect(button(lab)).to_have_text("cpu:1")
    expect(button(lab)).to_be_focused()


def test_a_device_selected_in_a_cell_is_shown(lab: LabPage) -> None:
    select = "from jaxlab.magics.device import select_device; select_device('cpu:1');"
    lab.open("cell.ipynb", [TWO_DEVICES, f"{select}\nraise ValueError"])
    lab.run(0)
    expect(button(lab)).to_have_text("cpu:0")
    lab.run(1)
    expect(button(lab)).to_have_text("cpu:1")


def test_a_restart_forgets_and_an_import_brings_back(lab_with_devices: LabPage) -> None:
    lab = lab_with_devices
    lab.page.evaluate(
        "() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart().then(() => null)"
    )
    expect(button(lab)).to_be_hidden()
    lab.run(0)
    expect(button(lab)).to_have_text("cpu:0")


def test_a_kernel_that_died_is_forgotten(lab_with_devices: LabPage) -> None:
    lab = lab_with_devices
    lab.cells.nth(2).locator(".jp-InputPrompt").click()
    lab.page.keyboard.press("Control+Enter")
    expect(button(lab)).to_be_hidden(timeout=30_000)


def test_the_item_follows_the_notebook_in_front(lab_with_devices: LabPage) -> None:
    lab = lab_with_devices
    lab.command("docmanager:open", path=lab.server.write("other.ipynb", ["1 + 1"]))
    expect(button(lab)).to_be_hidden()
    lab.command("docmanager:open", path="devices.ipynb")
    expect(button(lab)).to_have_text("cpu:0")


def test_a_page_that_is_loaded_again_asks_the_running_kernel(lab_with_devices: LabPage) -> None:
    lab = lab_with_devices
    lab.page.reload()
    expect(button(lab)).to_have_text("cpu:0", timeout=60_000)


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_the_text_is_readable_in_every_theme(lab_with_devices: LabPage, theme: str) -> None:
    lab = lab_with_devices
    lab.set_theme(theme)
    contrast = button(lab).evaluate(
        """node => {
            const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
            const luminance = colour => {
                canvas.fillStyle = colour;
                canvas.fillRect(0, 0, 1, 1);
                const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map(v => {
                    const s = v / 255;
                    return s <= 0.04045 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4;
                });
                return 0.2126 * r + 0.7152 * g + 0.0722 * b;
            };
            const bar = getComputedStyle(node.closest('#jp-main-statusbar')).backgroundColor;
            const [a, b] = [luminance(getComputedStyle(node).color), luminance(bar)].sort((x, y) => y - x);
            return (a + 0.05) / (b + 0.05);
        }"""
    )
    assert contrast >= 4.5
