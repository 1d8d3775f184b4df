"""A real browser over the report of a real run: `make test-browser` installs what it needs."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Final

import pytest
from browsing import MANIFESTS, ROOT, opened, pipeline

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

_BINARIES: Final = ("chromium", "chromium-browser", "google-chrome")
_ARGUMENTS: Final = ("--no-sandbox", "--disable-background-networking", "--disable-component-update")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless Chromium, for all tests."""
    if "BROWSER_TESTS" not in os.environ:
        pytest.skip("make test-browser runs it")
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="Playwright is missing: make test-browser installs it"
    )
    binary = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, _BINARIES)), None)
    if binary is None:
        pytest.skip(f"no browser: CHROMIUM names none, and none of {', '.join(_BINARIES)} is on PATH")
    with playwright.sync_playwright() as running:
        started = running.chromium.launch(executable_path=binary, args=list(_ARGUMENTS))
        yield started
        started.close()


@pytest.fixture(scope="session")
def made(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both sample manifests and all that a local run of them leaves."""
    assert browser.is_connected()  # first: where there is none, nothing has to be made
    folder = tmp_path_factory.mktemp("samples")
    for name in MANIFESTS:
        shutil.copy(ROOT / "manifests" / name, folder)
    pipeline(folder, "run", *MANIFESTS, "--gateway", "local", "--quiet")
    return folder


@pytest.fixture
def from_disk(browser: Browser, made: Path) -> Iterator[Page]:
    """The report as a double click opens it."""
    with opened(browser, (made / "output/report.html").as_uri()) as page:
        yield page
