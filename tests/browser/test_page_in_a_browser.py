"""The report in a browser: heard, sought, sorted, filtered, read, printed."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from browsing import ROOT, opened, served

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

WIDTHS = (1440, 1024, 390)
AXE = ROOT / "build/axe-core/package/axe.min.js"
LOOPED = "overworld/day"
NOTE_STARTS = """
() => {
  window.starts = [];
  const start = AudioBufferSourceNode.prototype.start;
  AudioBufferSourceNode.prototype.start = function (...all) {
    if (this.loop) window.starts.push([this.loopStart, this.loopEnd, this.buffer.duration]);
    return start.apply(this, all);
  };
}
"""
#: A picture of the whole page is taken without scrolling to what is only drawn when it is seen.
ALL_DRAWN = """() => {
  const sheet = document.styleSheets[0];
  sheet.insertRule('.track { content-visibility: visible !important }', sheet.cssRules.length);
}"""


def row(page: Page, name: str) -> str:
    return f".track[data-name='{name}']"


def seconds(page: Page, name: str) -> float:
    return float(page.get_attribute(f"{row(page, name)} .wave", "aria-valuenow") or 0)


def advances(page: Page, name: str, beyond: float) -> None:
    page.wait_for_function(
        "([row, beyond]) => Number(document.querySelector(row + ' .wave').getAttribute('aria-valuenow')) > beyond",
        arg=[row(page, name), beyond],
    )


def names(page: Page) -> list[str]:
    return page.eval_on_selector_all(".track:not([hidden])", "rows => rows.map(row => row.dataset.name)")


@pytest.mark.parametrize("ending", ["ogg", "mp3", "wav", "flac"])
def test_a_track_plays_and_its_time_advances(from_disk: Page, ending: str) -> None:
    """Each format, from disk, under the page's own policy."""
    name = from_disk.evaluate(
        """ending => {
          const link = document.querySelector(`.files a[href$='.${ending}']`), row = link.closest('.track');
          const button = row.querySelector('.play');
          button.dataset.src = link.getAttribute('href');
          delete button.dataset.loop;
          return row.dataset.name;
        }""",
        ending,
    )
    from_disk.click(f"{row(from_disk, name)} .play")
    advances(from_disk, name, 0.2)
    assert from_disk.text_content("#d-name") == name
    length = from_disk.inner_text(f"{row(from_disk, name)} .c-length").split()[0]
    assert from_disk.inner_text("#d-time").endswith(f" / {length}")
    from_disk.click("#d-play")
    assert from_disk.get_attribute(f"{row(from_disk, name)} .play", "aria-label") == f"Play {name}"


def test_the_waveform_seeks_where_it_is_clicked_and_by_keys(from_disk: Page) -> None:
    """Two thirds along its width is two thirds of its time; arrows are five seconds, Home is its beginning."""
    wave = from_disk.locator(f"{row(from_disk, 'credits')} .wave")
    box, whole = wave.bounding_box(), float(wave.get_attribute("aria-valuemax"))
    wave.click(position={"x": box["width"] * 2 / 3, "y": 10})
    advances(from_disk, "credits", whole * 2 / 3 - 0.2)
    assert seconds(from_disk, "credits") < whole * 2 / 3 + 3
    wave.focus()
    wave.press(" ")
    was = seconds(from_disk, "credits")
    wave.press("ArrowLeft")
    assert seconds(from_disk, "credits") == pytest.approx(was - 5, abs=0.5)
    wave.press("Home")
    assert seconds(from_disk, "credits") == pytest.approx(0, abs=0.5)


def test_space_plays_and_arrows_move(from_disk: Page) -> None:
    """From anywhere on the page: the first track, then the one below it."""
    from_disk.keyboard.press(" ")
    from_disk.wait_for_selector(".track.playing")
    first, second = names(from_disk)[:2]
    assert from_disk.text_content("#d-name") == first
    from_disk.keyboard.press("ArrowDown")
    assert from_disk.evaluate("document.activeElement.closest('.track').dataset.name") == second
    from_disk.keyboard.press("Enter")
    from_disk.wait_for_function("name => document.querySelector('#d-name').textContent === name", arg=second)
    from_disk.wait_for_selector(f"{row(from_disk, second)}.playing")


def seam_error(page: Page, name: str) -> float:
    """By how many seconds a loop is off the clock after its seam."""
    whole = float(page.get_attribute(row(page, name), "data-duration"))
    page.click(f"{row(page, name)} .play")
    advances(page, name, 0.3)
    measured = page.evaluate(
        """async ([row, whole]) => {
          const slider = document.querySelector(row + ' .wave');
          const at = () => parseFloat(getComputedStyle(slider).getPropertyValue('--at')) / 100 * whole;
          const frame = () => new Promise(done => requestAnimationFrame(done));
          const box = slider.getBoundingClientRect(), x = box.left + box.width * (whole - 1.5) / whole;
          slider.dispatchEvent(new MouseEvent('click', { bubbles: true, clientX: x, clientY: box.top + 5 }));
          await new Promise(done => setTimeout(done, 600));
          await frame();
          const before = [performance.now() / 1000, at()];
          await new Promise(done => setTimeout(done, 2000));
          await frame();
          const after = [performance.now() / 1000, at()];
          return [before, after];
        }""",
        [row(page, name), whole],
    )
    (began, start), (ended, end) = measured
    assert end < start, "it has not gone round"
    return abs((end + whole - start) - (ended - began))


def test_a_loop_goes_on_from_disk(from_disk: Page) -> None:
    """Two elements take turns: it is never off by as much as a beat."""
    assert seam_error(from_disk, LOOPED) < 0.15


def test_a_loop_from_a_server_is_exact(browser: Browser, made: Path) -> None:
    """It is played from memory, by the sample; what is left is how finely a browser tells the time."""
    with served(made / "output") as address, opened(browser, f"{address}/report.html") as page:
        assert seam_error(page, LOOPED) < 0.03


def test_a_loop_from_a_server_lies_between_its_own_samples(browser: Browser, made: Path) -> None:
    """What is played is the whole file as it was decoded, and its loop the one of the index."""
    index = json.loads((made / "output/assets.json").read_text(encoding="utf-8"))
    asset = next(asset for asset in index["assets"] if asset["path"] == "dungeon/crypt.wav")
    begin, end = (asset["loop"][point] / asset["sample_rate"] for point in ("start", "end"))
    with served(made / "output") as address, opened(browser, f"{address}/report.html") as page:
        page.evaluate(NOTE_STARTS)
        page.click(f"{row(page, 'dungeon/crypt')} .play")
        page.wait_for_function("() => window.starts.length === 1")
        (start,) = page.evaluate("window.starts")
    half_a_sample = 0.5 / asset["sample_rate"]
    assert start == pytest.approx([begin, end, asset["duration"]], abs=half_a_sample)


def test_every_head_sorts_both_ways_and_back(from_disk: Page) -> None:
    """What has no value is last either way; a third click is the manifests' order again."""
    before = names(from_disk)
    for key in ("name", "lufs", "peak", "duration", "takes", "cost", "status"):
        head = from_disk.locator(f"[data-sort='{key}']")
        values = f"rows => rows.map(row => row.dataset['{ {'status': 'rank'}.get(key, key) }'])"
        head.locator("button").click()
        found = from_disk.eval_on_selector_all(".track", values)
        ascending = found if key == "name" else list(map(float, found))
        assert ascending == sorted(ascending), key
        assert head.get_attribute("aria-sort") == "ascending"
        head.locator("button").click()
        found = from_disk.eval_on_selector_all(".track", values)
        descending = found if key == "name" else list(map(float, found))
        assert descending == sorted(descending, reverse=True), key
        head.locator("button").click()
        assert names(from_disk) == before


def test_what_is_searched_is_found_and_filters_narrow_it(from_disk: Page) -> None:
    """By name, prompt, lyric and tag; what fits nothing says so and offers all again."""
    whole = names(from_disk)
    for words, expected in (
        ("kraken", {"battle/kraken-high"}),
        ("ukulele 30s", {"spring-sale/spot-30s"}),
        ("prices disappear", None),
    ):
        from_disk.fill("#find", words)
        found = set(names(from_disk))
        assert found == expected if expected else 0 < len(found) < len(whole)
    from_disk.fill("#find", "")
    from_disk.select_option("#f-tag", "battle")
    assert all(name.startswith("battle/") for name in names(from_disk))
    assert from_disk.text_content("#shown") == f"{len(names(from_disk))} of {len(whole)} tracks"
    from_disk.select_option("#f-placeholder", "real")
    assert names(from_disk) == []
    from_disk.click("#reset")
    assert names(from_disk) == whole
    from_disk.select_option("#f-warning", "*")
    assert all(
        from_disk.eval_on_selector_all(".track:not([hidden])", "rows => rows.map(row => 'warnings' in row.dataset)")
    )


def test_without_its_audio_it_still_reads(browser: Browser, made: Path, tmp_path: Path) -> None:
    """As a mail has it: waveforms and numbers are there, and a track that is played says what is missing."""
    shutil.copy(made / "output/report.html", tmp_path)
    with opened(browser, (tmp_path / "report.html").as_uri()) as page:
        page.click(f"{row(page, 'menu/title')} .play")
        page.wait_for_function("() => document.querySelector('#d-note').textContent === 'audio not beside this file'")
        assert page.locator(".peak").count() == len(names(page))
        assert page.inner_text(f"{row(page, 'menu/title')} .c-lufs").startswith("−")  # noqa: RUF001 - a true minus


def test_without_a_script_it_still_reads(browser: Browser, made: Path) -> None:
    """Names, numbers, waveforms, and links to each file."""
    with opened(browser, (made / "output/report.html").as_uri(), java_script_enabled=False) as page:
        assert page.locator(".track").count() == 21
        assert page.locator(f"{row(page, 'menu/title')} .c-play .play").is_hidden()
        page.click(f"{row(page, 'menu/title')} summary")
        assert page.locator(f"{row(page, 'menu/title')} .files a").get_attribute("href") == "./menu/title.ogg"


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_is_wider_than_the_screen(browser: Browser, made: Path, width: int) -> None:
    """On a phone least of all, also with details open."""
    with opened(browser, (made / "output/report.html").as_uri(), viewport={"width": width, "height": 844}) as page:
        page.eval_on_selector_all(".track details", "all => all.forEach(one => one.open = true)")
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_link_leads_to_its_place_past_hundreds_of_tracks(from_disk: Page) -> None:
    """Though rows out of sight have no height of their own yet."""
    from_disk.eval_on_selector_all(
        ".track",
        "all => { for (let turn = 0; turn < 30; turn++) all.at(-1).after(...all.map(one => one.cloneNode(true))) }",
    )
    ends_at = from_disk.evaluate(
        """async () => {
          const top = () => document.querySelector('#money').getBoundingClientRect().top;
          document.querySelector("nav a[href='#money']").click();
          for (let last = NaN; top() !== last;) {
            last = top();
            await new Promise(done => setTimeout(done, 400));
          }
          return top();
        }"""
    )
    assert 0 <= ends_at < 200


def test_it_prints_its_tracks_and_follows_the_readers_colours(from_disk: Page) -> None:
    """No player and no filters on paper; dark where the reader has dark."""
    light = from_disk.evaluate("getComputedStyle(document.body).backgroundColor")
    from_disk.emulate_media(color_scheme="dark")
    assert from_disk.evaluate("getComputedStyle(document.body).backgroundColor") != light
    from_disk.emulate_media(media="print")
    assert from_disk.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert from_disk.locator(".filters").is_hidden()
    assert from_disk.locator(f"{row(from_disk, 'credits')} .wave").is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_axe_finds_no_serious_violation(browser: Browser, made: Path, scheme: str, width: int) -> None:
    """While a track plays, and with details open."""
    if not AXE.exists():
        pytest.skip("axe-core is missing: make test-browser fetches it by npm")
    options = {"color_scheme": scheme, "viewport": {"width": width, "height": 900}}
    with opened(browser, (made / "output/report.html").as_uri(), **options) as page:
        page.click(f"{row(page, 'menu/title')} summary")
        page.click(f"{row(page, 'menu/title')} .play")
        page.wait_for_selector(".track.playing")
        assert serious(page) == []


def serious(page: Page) -> list[str]:
    """What axe finds that is serious or critical."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")["violations"]
    return [
        f"{one['id']}: {one['help']}: {node['html'][:160]} {node['failureSummary'][:300]}"
        for one in found if one["impact"] in ("serious", "critical")
        for node in one["nodes"][:3]
    ]  # fmt: skip


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pictures_of_it_for_whoever_wants_to_look(browser: Browser, made: Path, width: int, scheme: str) -> None:
    """Into the folder that REPORT_SCREENSHOTS names."""
    folder = os.environ.get("REPORT_SCREENSHOTS")
    if not folder:
        pytest.skip("REPORT_SCREENSHOTS names no folder for pictures")
    options = {"color_scheme": scheme, "viewport": {"width": width, "height": 900}}
    with opened(browser, (made / "output/report.html").as_uri(), **options) as page:
        page.evaluate(ALL_DRAWN)
        path = Path(folder) / f"report-{width}-{scheme}.png"
        page.screenshot(path=path, full_page=True)
        assert path.stat().st_size > 0
