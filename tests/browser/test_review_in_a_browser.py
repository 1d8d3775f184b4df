"""`pipeline review` in a browser: takes in step, and a pick that changes the asset and the lock."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from browsing import MANIFESTS, opened
from test_page_in_a_browser import AXE, row, serious

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

TRACK = "overworld/day"


@contextmanager
def reviewing(folder: Path) -> Iterator[str]:
    """The address of a review of `folder`, which ends in order."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AIGATEWAY_")}
    command = [sys.executable, "-u", "-m", "pipeline", "review", *MANIFESTS, "--gateway", "local", "--no-open"]
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as review:
        try:
            yield review.stdout.readline().strip()
        finally:
            review.send_signal(signal.SIGINT)
            assert review.wait(30) == 0, review.stderr.read()


@pytest.fixture
def samples(made: Path, tmp_path: Path) -> Path:
    """What the run has left, for this test alone."""
    return shutil.copytree(made, tmp_path / "samples")


@pytest.fixture
def panel(browser: Browser, samples: Path) -> Iterator[Page]:
    """The takes of a track side by side."""
    with reviewing(samples) as address, opened(browser, address) as page:
        page.click(f"{row(page, TRACK)} .compare")
        page.wait_for_selector(".panel .take .hear:not([disabled])")
        yield page


def heard(page: Page) -> str:
    return page.locator(".take.on .hear").evaluate("button => button.firstChild.textContent")


def test_space_hears_the_other_take_at_the_same_moment(panel: Page) -> None:
    """Both play in step; only which one is heard changes, and the time goes on."""
    panel.keyboard.press("p")
    panel.wait_for_function("() => Number(document.querySelector('.transport input').value) > 0.3")
    before, at = heard(panel), float(panel.input_value(".transport input"))
    panel.locator(".panel").press(" ")
    assert heard(panel) != before
    assert at - 0.05 <= float(panel.input_value(".transport input")) < at + 3
    panel.keyboard.press("1")
    assert heard(panel) == "1"


def test_a_pick_changes_the_asset_and_the_lock(panel: Page, samples: Path) -> None:
    """And the row in the page, which plays the new one."""
    asset, lock = samples / "output" / f"{TRACK}.ogg", samples / "game-score.lock.json"
    before, known = asset.read_bytes(), lock.read_text() if lock.exists() else ""
    panel.click(".take:nth-child(2) .pick")
    panel.wait_for_function("() => document.querySelector('.sentence').textContent.includes('take 2 is the pick')")
    assert asset.read_bytes() != before
    assert lock.read_text() != known
    panel.wait_for_function("() => document.querySelector('.take:nth-child(2) .pick').textContent === 'The pick'")
    panel.keyboard.press("Escape")
    panel.click(f"{row(panel, TRACK)} summary")
    assert panel.locator(f"{row(panel, TRACK)} .takes tbody tr:has(.s-pick)").inner_text().startswith("2")


def test_stars_and_notes_are_kept(panel: Page) -> None:
    """They are there when the panel is opened again."""
    panel.click(".take:nth-child(2) .star")
    panel.wait_for_selector(".take:nth-child(2) .star[aria-pressed='true']")
    panel.fill(".take:nth-child(1) .note", "too busy <b>")
    panel.press(".take:nth-child(1) .note", "Tab")
    panel.wait_for_function(
        "() => document.querySelector('.sentence').textContent.length > 0 && !document.querySelector('.panel.busy')"
    )
    panel.keyboard.press("Escape")
    panel.click(f"{row(panel, TRACK)} .compare")
    panel.wait_for_selector(".take:nth-child(2) .star[aria-pressed='true']")
    assert panel.input_value(".take:nth-child(1) .note") == "too busy <b>"


def test_blind_hides_which_is_which(panel: Page) -> None:
    """Letters in place of numbers; no costs, no dates, no waveforms, no notes."""
    panel.check("#blind")
    assert panel.locator(".take .hear").evaluate_all("all => all.map(one => one.firstChild.textContent)") == ["A", "B"]
    assert panel.locator(".take .facts").all_inner_texts() == ["", ""]
    assert panel.locator(".take svg, .take .note, .take .star").count() == 0


def test_another_take_shows_its_price_first_and_then_comes(panel: Page) -> None:
    """One more than there were, and it can be heard."""
    panel.click(".reroll button")
    panel.wait_for_selector(".reroll .wide")
    assert "take 3" in panel.inner_text(".sentence")
    panel.click(".reroll .wide")
    panel.wait_for_selector(".take:nth-child(3) .hear:not([disabled])", timeout=60_000)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_violation_in_the_panel(browser: Browser, samples: Path, scheme: str) -> None:
    """As in the page."""
    if not AXE.exists():
        pytest.skip("axe-core is missing: make test-browser fetches it by npm")
    with reviewing(samples) as address, opened(browser, address, color_scheme=scheme) as page:
        page.click(f"{row(page, TRACK)} .compare")
        page.wait_for_selector(".panel .take .hear:not([disabled])")
        assert serious(page) == []
        if folder := os.environ.get("REPORT_SCREENSHOTS"):
            page.screenshot(path=Path(folder) / f"review-{scheme}.png")
