"""`pipeline review`."""

from __future__ import annotations

import os
import signal
import sys
import threading
import webbrowser
from functools import partial
from typing import TYPE_CHECKING, Final

from pipeline.cli.interrupting import served
from pipeline.cli.terminal import out, say
from pipeline.cli.words import load_manifests
from pipeline.clock import SystemClock
from pipeline.gateway_choice import GatewayChoice, NoGateway, choose_gateway
from pipeline.listening import is_every_address, reached_at
from pipeline.loopback import is_loopback
from pipeline.money import budget_from_usd
from pipeline.review.app import ReviewApp
from pipeline.review.hands import Hands, Purse
from pipeline.review.library import Library
from pipeline.review.page import ReportPage
from pipeline.review.security import Names, new_token
from pipeline.review.serving import ReviewServer, listen
from pipeline.store_choice import StoreAccess
from pipeline.workers import WorkerFinisher
from pipeline.workspace import Workspace

if TYPE_CHECKING:
    import socket
    from decimal import Decimal
    from pathlib import Path

    from pipeline.runner.results import Stop

_CTRL_C: Final = 128 + signal.SIGINT


def review(
    manifests: tuple[Path, ...],
    *,
    output: Path,
    state: Path,
    gateway: str | None,
    budget: Decimal | None,
    host: str,
    port: int,
    no_open: bool,
) -> None:
    """Serve the page until a signal ends it."""
    load_manifests(manifests)
    Workspace(output, state)  # both raise for what would be in the way of every request
    most = None if budget is None else budget_from_usd(budget)
    purse = Purse(_gateway(gateway), most, StoreAccess.by(os.environ))
    listening = listen(host, port)
    port, token = listening.getsockname()[1], new_token()
    hands = Hands(SystemClock(), WorkerFinisher())
    page = ReportPage(hands.clock)
    app = ReviewApp(Library(manifests, output, state), page, hands, purse, names=Names.of(host, port), token=token)
    server = ReviewServer(app)
    warning = _warning(host)
    if warning is not None:
        say(f"pipeline: warning: {warning}")
    address = f"{reached_at(host, port)}/{token}/"
    out(address)
    say("the review is served there until Ctrl-C")
    if not no_open:
        _open(address)
    sys.exit(_until_a_signal(server, app, listening))


def _until_a_signal(server: ReviewServer, app: ReviewApp, listening: socket.socket) -> int:
    """Serve; the exit status. Ctrl-C is how it is meant to end, unless it cuts something short."""
    was_cut_short = False

    def end(stop: Stop) -> bool:
        nonlocal was_cut_short
        was_cut_short = app.interrupt(stop)
        server.should_exit = True
        return was_cut_short

    stop = served(partial(server.serve, [listening]), end)
    if was_cut_short:
        say("pipeline: what was on its way was cut short; the next `pipeline run` brings it to its end")
    return 0 if stop is None or (stop.exit == _CTRL_C and not was_cut_short) else stop.exit


def _gateway(word: str | None) -> GatewayChoice | NoGateway:
    """Of whom re-rolls are bought. Whoever names nobody may do the rest without a key, and is told when they buy."""
    try:
        return choose_gateway(word, os.environ)
    except NoGateway as nobody:
        if word is not None or not nobody.key:
            raise
        return nobody


def _warning(host: str) -> str | None:
    """What whoever lets other machines in should know."""
    if is_loopback(host):
        return None
    if is_every_address(host):
        return (
            "it listens on every address of this machine, and answers under its loopback names only: name the address "
            "that others are to use, such as --host 192.168.1.5"
        )
    return f"{host} can be reached from other machines, unencrypted, and whoever has the address may choose and buy"


def _open(address: str) -> None:
    """Show the page in a browser, where somebody sits at a screen: one that runs in the terminal would take it over."""
    has_screen = sys.platform in ("win32", "darwin") or any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY")))
    if sys.stdout is not None and sys.stdout.isatty() and has_screen:
        threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
