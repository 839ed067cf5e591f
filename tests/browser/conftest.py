"""Fixtures of the browser tests: `chromium`, `lab_server`, `page` and `lab`.

They are skipped, with the reason in the summary, where no Chromium is found or the front end is not built;
JAXLAB_REQUIRE_BROWSER=1 makes that a failure.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lab_page import LabPage
from lab_server import BUILT, LabServer, find_chromium, start
from playwright.sync_api import sync_playwright

HERE = Path(__file__).resolve().parent


def pytest_collection_modifyitems(items: list[Any]) -> None:
    """Mark every test of this folder."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)


def unavailable(reason: str) -> None:
    """Skip, or fail where the browser tests are required."""
    if os.environ.get("JAXLAB_REQUIRE_BROWSER", "") not in ("", "0"):
        pytest.fail(f"JAXLAB_REQUIRE_BROWSER is set, but {reason}", pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """A headless Chromium."""
    executable = find_chromium()
    if executable is None:
        unavailable("no Chromium was found (on Debian: apt install chromium; elsewhere: set JAXLAB_CHROMIUM)")
    with sync_playwright() as playwright:
        # A container has no user namespaces for the sandbox and little shared memory.
        arguments = ["--no-sandbox", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path=executable, args=arguments)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def lab_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabServer]:
    """A JupyterLab, which serves Notebook 7 too, with the front end of this checkout."""
    if not (BUILT / "jaxlab" / "package.json").is_file():
        unavailable("the front end is not built; run `make build` or `pip install -e .`")
    server = start(tmp_path_factory.mktemp("lab"))
    yield server
    server.stop()


@pytest.fixture
def page(chromium: Any, request: pytest.FixtureRequest) -> Iterator[Any]:
    """An empty page. An exception in the page fails the test, and a failed test leaves a picture."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    if request.node.stash.get(FAILED, False):
        out = HERE / "out"
        out.mkdir(exist_ok=True)
        page.screenshot(path=str(out / f"{request.node.name}.png"))
    context.close()
    ours = [error for error in errors if "jaxlab" in error.lower()]
    assert not ours, f"the page threw {ours}"


@pytest.fixture
def lab(page: Any, lab_server: LabServer) -> Iterator[LabPage]:
    """A page that opens notebooks in JupyterLab, with new kernels."""
    yield LabPage(page, lab_server)
    lab_server.end_kernels()


FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: Any) -> Any:
    """Remember a failed test, for its picture."""
    report = yield
    if report.when == "call" and report.failed:
        item.stash[FAILED] = True
    return report
