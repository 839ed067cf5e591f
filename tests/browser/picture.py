"""Make the pictures of the README: the inspector of a gradient cell in a real JupyterLab.

    python tests/browser/picture.py

writes docs/inspector.png and docs/inspector-dark.png.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from lab_page import LabPage
from lab_server import ROOT, find_chromium, start
from playwright.sync_api import sync_playwright

SETUP = """%load_ext jaxlab
import jaxlab, jaxlab.numpy as jnp
from jaxlab import random

key_w, key_x, key_y = random.split(random.key(0), 3)
W, b = random.normal(key_w, (64, 10)), jnp.zeros(10)
x, y = random.normal(key_x, (512, 64)), random.normal(key_y, (512, 10))"""
GRADIENT = """%%jit
%%grad W b --value
h = jnp.tanh(x @ W + b)
loss = jnp.mean((h - y) ** 2)
loss"""
HELD = 2  # the line of `h`, counted from 0
WIDTH, HEIGHT = 1500, 790


def main() -> None:
    """Run the cell, unfold its inspector, hold a line, and take the pictures in both themes."""
    target = ROOT / "docs"
    target.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        server = start(Path(folder))
        try:
            browser = playwright.chromium.launch(
                executable_path=find_chromium(), args=["--no-sandbox", "--disable-dev-shm-usage"]
            )
            page = browser.new_context(viewport={"width": WIDTH, "height": HEIGHT}).new_page()
            lab = LabPage(page, server)
            lab.open("inspector.ipynb", [SETUP, GRADIENT])
            page.keyboard.press("Control+b")
            lab.run(0)
            lab.run(1)
            page.locator(".jl-line").click()
            source = page.locator(".jl-pane").first
            source.locator(f'.jl-row[data-index="{HELD}"] .jl-number').click()
            page.mouse.move(WIDTH // 2, 5)
            lab.cells.nth(1).locator(".jp-InputArea").evaluate("node => node.scrollIntoView()")
            for theme, name in (("JupyterLab Light", "inspector"), ("JupyterLab Dark", "inspector-dark")):
                lab.set_theme(theme)
                page.wait_for_timeout(1000)  # the editor's colours follow the theme a little later
                lab.screenshot(target / f"{name}.png")
            browser.close()
        finally:
            server.stop()


if __name__ == "__main__":
    main()
