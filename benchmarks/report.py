"""The report of 1,000 tracks: how long it takes to write, how large it is, and how soon a browser has it.

Written beside `json.dumps` and a write of as many bytes, in turns in one process; the median of seven turns counts. The
first turn of the page brings what it imports and compiles. In a browser (where Playwright and a Chromium are installed)
the page counts as usable when its search has found one track and its player has been asked to play it, from the moment
the address was opened; the median of five.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

import noop_library
from claims import Claim, exit_status

from pipeline.clock import SystemClock
from pipeline.manifest import load_manifest
from pipeline.reporting import PAGE_NAME, rewrite_reports
from pipeline.workspace import Workspace

_TRACKS = 1_000
_TURNS = 7
_VISITS = 5
_MOST_BYTES_A_TRACK = 8_192
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_USABLE = """
() => {
  const find = document.querySelector('#find');
  find.value = NAME;
  find.dispatchEvent(new Event('input'));
  const shown = [...document.querySelectorAll('.track:not([hidden])')];
  if (shown.length !== 1) throw new Error(`found ${shown.length}`);
  shown[0].querySelector('.play').click();
  return document.querySelector('#d-name').textContent === shown[0].dataset.name;
}
"""


def write_claims(folder: Path, tracks: int) -> list[Claim]:
    """How long all of the reports take, and how large the page is."""
    workspace = Workspace(folder / "output", folder / ".pipeline")
    manifest = load_manifest(folder / noop_library.MANIFEST)
    page = folder / "output" / PAGE_NAME
    reports, plain = [], []
    for turn in range(_TURNS):
        began = time.perf_counter()
        paths = rewrite_reports(workspace, [manifest], SystemClock().now() + turn)
        reports.append(time.perf_counter() - began)
        texts = [path.read_text(encoding="utf-8") for path in paths]
        began = time.perf_counter()
        (folder / "plain.json").write_text(json.dumps(texts), encoding="utf-8")
        plain.append(time.perf_counter() - began)
    size = page.stat().st_size
    report, bare = statistics.median(reports), statistics.median(plain)
    print(f"reports of {tracks:,} tracks: {report:.2f} s (the first time {reports[0]:.2f}); bare {bare:.3f} s")
    print(f"{PAGE_NAME}: {size / 1e6:.2f} MB, {size / tracks:,.0f} bytes a track\n")
    return [
        Claim("reports, seconds beyond twice json.dumps and a write of the same bytes", report - 2 * bare, 2.0),
        Claim("the first time, in the same way", reports[0] - 2 * bare, 2.0),
        Claim("bytes a track", size / tracks, _MOST_BYTES_A_TRACK),
    ]


def browser_claims(folder: Path, tracks: int) -> list[Claim]:
    """How soon the page is usable; nothing where there is no browser, and that is said."""
    binary = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, _BROWSERS)), None)
    try:
        from playwright.sync_api import sync_playwright  # noqa: PLC0415 - where it is installed
    except ImportError:
        print("not in a browser: Playwright is not installed (make test-browser installs it)\n")
        return []
    if binary is None:
        print(f"not in a browser: none of {', '.join(_BROWSERS)} is on PATH\n")
        return []
    name = next(track.name for track in load_manifest(folder / noop_library.MANIFEST).tracks[tracks // 2 :])
    usable = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=binary, args=["--no-sandbox"])
        for _ in range(_VISITS):
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            began = time.perf_counter()
            page.goto((folder / "output" / PAGE_NAME).absolute().as_uri(), wait_until="commit")
            page.wait_for_selector("html.js", state="attached")
            assert page.evaluate(_USABLE.replace("NAME", json.dumps(name)))
            page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
            usable.append(time.perf_counter() - began)
            page.close()
        browser.close()
    return [
        Claim(f"the page of {tracks:,} tracks is usable in a browser after seconds", statistics.median(usable), 2.0)
    ]


def main() -> int:
    tracks = int(sys.argv[1]) if len(sys.argv) > 1 else _TRACKS
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "library"
        noop_library.build(folder, tracks)
        return exit_status([*write_claims(folder, tracks), *browser_claims(folder, tracks)])


if __name__ == "__main__":
    sys.exit(main())
