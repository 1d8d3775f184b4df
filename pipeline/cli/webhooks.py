"""`run --webhook-url URL --webhook-listen HOST:PORT`: what they are checked for before anything is done."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import click

from pipeline.cli.terminal import say
from pipeline.loopback import is_loopback

if TYPE_CHECKING:
    from pipeline.gateway_choice import GatewayChoice
    from pipeline.webhooks.receiver import Webhooks

_SECRET: Final = "AIGATEWAY_WEBHOOK_SECRET"  # noqa: S105 - where it stands, and not what it is


def webhooks_of(url: str | None, listen: str | None, gateway: GatewayChoice) -> Webhooks | None:
    """What was asked for; None where nothing was, or where the gateway tells nobody at such an address, which is said.

    Raises UsageError where a part is missing, and NoWebhooks where one can't be used.
    """
    if url is None and listen is None:
        return None
    if listen is None:
        raise click.UsageError("--webhook-url needs --webhook-listen HOST:PORT: where its webhooks arrive here")
    if url is None:
        raise click.UsageError("--webhook-listen needs --webhook-url URL: the address that leads there")
    from pipeline.webhooks.addresses import NoWebhooks, is_on_this_machine, without_query  # noqa: PLC0415 - only then
    from pipeline.webhooks.receiver import Webhooks  # noqa: PLC0415

    webhooks = Webhooks(url, os.environ.get(_SECRET, ""), listen)
    if gateway.kind == "local" and not is_on_this_machine(url):
        say(
            f"pipeline: the local gateway tells webhooks on this machine only, and nobody at {without_query(url)}: "
            "jobs are polled for, and nothing is listened for"
        )
        return None
    if is_on_this_machine(url) and not is_loopback(urlsplit(gateway.origin).hostname or "localhost"):
        raise NoWebhooks(
            f"{without_query(url)} is this machine alone, which {gateway.origin} can't reach: name the https:// "
            "address of a tunnel or reverse proxy that leads to --webhook-listen"
        )
    return webhooks
