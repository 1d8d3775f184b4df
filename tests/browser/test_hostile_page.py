"""Whatever comes from outside stays text: in the page, in its addresses, under its policy."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from browsing import opened, pipeline

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser

MARKUP = "<img src=x onerror=alert(1)>\"'><script>alert(2)</script>{{7*7}}"
MANIFEST = """\
version: 1
name: hostile
gateway: {model: sony-ai/mmaudio-v2-text-to-audio, price_per_second: 0.0010, poll_interval: 0.1}
defaults: {duration: 2, outputs: [ogg]}
tracks:
  one (a+b) .c:
    prompt: MARKUP
    lyrics: MARKUP
    tags: [MARKUP, "</style>", a-tag-with-very-many-words-which-somebody-found-useful-once-upon-a-time]
  two: {prompt: calm}
"""


@pytest.fixture(scope="module")
def hostile(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of a manifest full of markup, then an index and a ledger that somebody has edited."""
    assert browser.is_connected()
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "hostile.yaml").write_text(
        MANIFEST.replace(": MARKUP", f": {json.dumps(_in_braces(MARKUP))}").replace(
            "[MARKUP", f"[{json.dumps(_in_braces(MARKUP))}"
        )
    )
    pipeline(folder, "run", "hostile.yaml", "--gateway", "local", "--quiet")
    index = json.loads((folder / "output/assets.json").read_text())
    for number, row in enumerate(list(index["assets"])):
        row["warnings"] = [{"code": MARKUP, "message": MARKUP}]
        copy = {**row, "manifest": f"x{MARKUP}", "name": f"{MARKUP}{number}"}
        index["assets"] += [
            copy | {"path": path} for path in ("javascript:alert(3)", "../../etc/passwd.ogg", f"a/{MARKUP}#?.ogg")
        ]
    (folder / "output/assets.json").write_text(json.dumps(index))
    with closing(sqlite3.connect(folder / ".pipeline/ledger.sqlite3")) as ledger, ledger:
        ledger.execute("UPDATE jobs SET state = 'failed', error = ? WHERE track = 'two'", (MARKUP,))
        ledger.execute("UPDATE jobs SET job_id = ?", (MARKUP,))
    pipeline(folder, "report", "hostile.yaml")
    return folder


def _in_braces(text: str) -> str:
    """As a prompt has it, where a brace stands for itself when it is doubled."""
    return text.replace("{", "{{").replace("}", "}}")


def test_markup_from_outside_stays_text(browser: Browser, hostile: Path) -> None:
    """A prompt, a lyric, a tag, a name, a warning, a gateway's error, a job id: shown as it was written."""
    with opened(browser, (hostile / "output/report.html").as_uri()) as page:
        assert page.locator("img, iframe, object, embed, .track script").count() == 0
        assert page.evaluate("document.scripts.length") == 1
        page.eval_on_selector_all("details", "all => all.forEach(one => one.open = true)")
        for place in (".prompt", ".lyrics", ".tag", ".warnings li", ".failures li", ".takes code", ".track .manifest"):
            assert any(MARKUP in text for text in page.locator(place).all_text_contents()), place
        page.fill("#find", "onerror=alert(1)")
        page.select_option("#f-tag", MARKUP)
        assert page.locator(".track:not([hidden])").count() == 1


def test_long_words_are_not_wider_than_the_screen(browser: Browser, hostile: Path) -> None:
    """Neither in a row nor in a filter."""
    phone = {"width": 390, "height": 844}
    with opened(browser, (hostile / "output/report.html").as_uri(), viewport=phone) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= phone["width"]


def test_no_address_leads_out_of_the_folder(browser: Browser, hostile: Path) -> None:
    """Each is relative and beside the page; a path that leads elsewhere has none."""
    with opened(browser, (hostile / "output/report.html").as_uri()) as page:
        links = page.eval_on_selector_all(
            ".files a, [data-src]", "all => all.map(one => one.href || new URL(one.dataset.src, location).href)"
        )
        beside = (hostile / "output").as_uri() + "/"
        assert links
        assert all(link.startswith(beside) for link in links)
        assert not any("passwd" in link for link in links)


def test_what_got_in_all_the_same_would_not_run(browser: Browser, hostile: Path) -> None:
    """The policy stops handlers, scripts, styles, pictures, frames and requests that are not this page's own."""
    context = browser.new_context()
    page = context.new_page()
    page.goto((hostile / "output/report.html").as_uri())
    stopped = page.evaluate(
        """async () => {
          const seen = [];
          document.addEventListener('securitypolicyviolation', event => seen.push(event.effectiveDirective));
          const box = document.createElement('div');
          box.innerHTML = '<img src="https://example.invalid/x.png" onerror="window.ran = true">'
            + '<p style="color:red">x</p><svg onload="window.ran = true"></svg>'
            + '<audio src="https://example.invalid/x.mp3"></audio>';
          document.body.append(box);
          const script = document.createElement('script');
          script.textContent = 'window.ran = true';
          document.body.append(script);
          const link = document.createElement('a');
          link.href = 'javascript:window.ran = true';
          document.body.append(link);
          link.click();
          setTimeout('window.ran = true');
          fetch('https://example.invalid/?words').catch(() => {});
          const frame = document.createElement('iframe');
          frame.src = 'https://example.invalid/';
          document.body.append(frame);
          await new Promise(done => setTimeout(done, 500));
          return [window.ran ?? false, [...new Set(seen)].sort()];
        }"""
    )
    context.close()
    ran, directives = stopped
    assert ran is False
    assert set(directives) >= {"img-src", "media-src", "frame-src", "connect-src", "style-src-attr"}
    assert set(directives) >= {"script-src", "script-src-elem", "script-src-attr"}
