"""What the browser's tests share: the samples, a watched page, a plain web server."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, ConsoleMessage, Page

ROOT: Final = Path(__file__).parents[2]
MANIFESTS: Final = ("game-score.yaml", "ad-jingles.yaml")
_WATCH: Final = """
window.violations = [];
document.addEventListener('securitypolicyviolation', event =>
  violations.push(`${event.violatedDirective} ${event.blockedURI}`));
"""


def pipeline(folder: Path, *words: str) -> None:
    """One command, in `folder`. Without a key: whatever the environment holds, nothing is bought here."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AIGATEWAY_")}
    ended = subprocess.run(
        [sys.executable, "-m", "pipeline", *words],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr[-2000:]


@contextmanager
def opened(browser: Browser, address: str, **options: Any) -> Iterator[Page]:
    """The page at `address`. Nothing may go wrong that a browser notices, and nothing be loaded from elsewhere."""
    context = browser.new_context(**({"viewport": {"width": 1440, "height": 900}} | options))
    context.add_init_script(_WATCH)
    page = context.new_page()
    page.set_default_timeout(15_000)
    trouble: list[str] = []
    page.on("pageerror", lambda error: trouble.append(f"error: {error}"))
    page.on("console", lambda message: trouble.append(f"console: {message.text}") if _is_error(message) else None)
    page.on("dialog", lambda dialog: trouble.append(f"dialog: {dialog.message}"))
    page.on(
        "request",
        lambda request: trouble.append(f"asked: {request.url}") if _is_elsewhere(request.url, address) else None,
    )
    page.goto(address)
    yield page
    if options.get("java_script_enabled", True):
        trouble += page.evaluate("window.violations")
    context.close()
    assert trouble == []


def _is_error(message: ConsoleMessage) -> bool:
    """Audio that is missing is no fault of the page, which says so itself."""
    return message.type == "error" and "ERR_FILE_NOT_FOUND" not in message.text


def _is_elsewhere(url: str, address: str) -> bool:
    start = address.rsplit("/", 1)[0]
    return not url.startswith((start, "blob:", "data:"))


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of `folder`, as any web server has it."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
