"""A gateway that outlives the lives, and two folders that are filled once and begun with again and again."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

import anyio
from virtual_time import virtual_backend

from pipeline.clock import EventLoopClock
from pipeline.gateway_choice import GatewayChoice
from pipeline.local_gateway.app import create_app
from pipeline.local_gateway.composition import CannedComposer
from pipeline.local_gateway.options import GatewayOptions

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

HEAD: Final = """\
version: 1
name: attic
gateway: {model: sony-ai/mmaudio-v2-text-to-audio, price_per_second: 0.001}
defaults: {duration: 1, outputs: [wav, ogg]}
tracks:
"""
GATEWAY: Final = GatewayChoice("real", "http://127.0.0.1", "sk-aig-attic")


class Furnished:
    """What a run has filled is kept beside, for whoever has to begin with it again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = EventLoopClock()
        options = GatewayOptions(latency_s=1.0, rpm=None, media_base_url="http://127.0.0.1:81")
        self.app = create_app(options, clock=self.clock, composer=CannedComposer(), state=None)

    @property
    def work(self) -> Path:
        """Where the manifest, its lock and both folders lie."""
        return self.folder / "work"

    def keep(self) -> None:
        shutil.copytree(self.work, self.folder / "kept")

    def begin_again(self) -> None:
        shutil.rmtree(self.work)
        shutil.copytree(self.folder / "kept", self.work)


def told(tell: Callable[[Path], Awaitable[int]]) -> int:
    """What `tell` comes to, in virtual time and in a folder of its own."""
    backend, options = virtual_backend("asyncio")
    with TemporaryDirectory() as folder:
        return anyio.run(partial(tell, Path(folder)), backend=backend, backend_options=dict(options))
