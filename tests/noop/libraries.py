"""A finished library, and the two ways to ask what is left to do in it: at once, and the long way."""

from __future__ import annotations

import contextlib
import io
import math
import os
import shutil
import struct
import sys
import time
import wave
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final
from unittest import mock

import anyio
import httpx

from pipeline.__main__ import main
from pipeline.cli import at_once
from pipeline.clock import SystemClock
from pipeline.entry import make_plan, run
from pipeline.gateway_choice import GatewayChoice
from pipeline.ledger.writing import InlineWriter
from pipeline.local_gateway.app import create_app
from pipeline.local_gateway.composition import CannedComposer
from pipeline.local_gateway.options import GatewayOptions
from pipeline.manifest import load_manifest
from pipeline.runner.finisher import InlineFinisher

if TYPE_CHECKING:
    from collections.abc import Sequence

BASE_URL: Final = "http://127.0.0.1:8"
KEY: Final = "sk-aig-test"
WORDS: Final = {"local": ("demo.yaml", "--gateway", "local"), "real": ("demo.yaml", "--gateway", BASE_URL)}

MANIFEST: Final = """\
version: 1
name: demo
gateway: {model: sony-ai/mmaudio-v2-text-to-audio, price_per_second: 0.0010, poll_interval: 0.1}
defaults: {duration: 2, outputs: [wav], gates: {twin: off}}
tracks:
  menu: {prompt: calm menu, takes: 2}
  battle/dragon: {prompt: dragon battle, loudness: {group: battle}}
  battle/lich: {prompt: lich battle, loudness: {group: battle}, outputs: [ogg, wav]}
  theme: {file: theme.wav}
"""


#: A track of the same purchase as another, and gone since: its asset is an orphan.
_GONE: Final = "  old: {prompt: calm menu, takes: 2}\n"


def make(folder: Path, kind: str, *, has_orphan: bool) -> None:
    """Everything that `MANIFEST` asks for, made by a run."""
    _tone(folder / "theme.wav")
    (folder / "demo.yaml").write_text(MANIFEST + (_GONE if has_orphan else ""))
    anyio.run(_run, folder, kind)
    (folder / "demo.yaml").write_text(MANIFEST)


async def _run(folder: Path, kind: str) -> None:
    options = GatewayOptions(latency_s=0.0, rpm=None, min_poll_interval_s=0.0, media_base_url="http://127.0.0.1:9")
    app = create_app(options, clock=SystemClock(), composer=CannedComposer(), state=None)
    plan = make_plan(
        load_manifest(folder / "demo.yaml"),
        output=folder / "output",
        state=folder / ".pipeline",
        gateway=GatewayChoice("real", BASE_URL, KEY) if kind == "real" else "local",
    )
    result = await run(plan, transport=httpx.ASGITransport(app), finisher=InlineFinisher(), ledger=InlineWriter)
    assert result.exit == 0, result


def _tone(path: Path) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(b"".join(struct.pack("<h", round(8000 * math.sin(n / 5))) for n in range(8000)))


_JUDGED: Final = "judging"  # as long a name as the library's, so that lines break where they do there


@dataclass(frozen=True)
class Said:
    """What a command line came to."""

    status: int
    stdout: str
    stderr: str


@dataclass
class Library:
    """A folder with a finished library, and where it is asked from."""

    folder: Path
    kind: str
    environment: dict[str, str]

    @property
    def words(self) -> tuple[str, ...]:
        return WORDS[self.kind]

    @property
    def stamps(self) -> Path:
        return self.folder / ".pipeline/stamps"

    def at_once(self, *words: str) -> Said | None:
        """What is answered at once; None where nothing is."""
        with self._inside(self.folder, words) as said:
            is_answered = at_once.answered(words)
        return said(0) if is_answered else None

    def at_length(self, *words: str, folder: Path | None = None) -> Said:
        """The long way: what the program says that has looked at everything anew. It leaves its stamp."""
        with (
            self._inside(folder or self.folder, words) as said,
            mock.patch.object(at_once, "answered", return_value=False),
        ):
            try:
                main()
            except SystemExit as ended:
                status = ended.code
        return said(int(status or 0))

    def judged(self, *words: str) -> Said:
        """The long way in a copy of the library that knows nothing of stamps."""
        copy = self.folder.with_name(_JUDGED)
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(self.folder, copy, symlinks=True)
        shutil.rmtree(copy / ".pipeline/stamps", ignore_errors=True)
        said = self.at_length(*words, folder=copy)
        stdout, stderr = (text.replace(str(copy), str(self.folder)) for text in (said.stdout, said.stderr))
        return Said(said.status, stdout, stderr)

    @contextlib.contextmanager
    def _inside(self, folder: Path, words: Sequence[str]):
        streams = {"stdout": io.TextIOWrapper(io.BytesIO(), "utf-8"), "stderr": io.TextIOWrapper(io.BytesIO(), "utf-8")}
        before = Path.cwd()
        os.chdir(folder)
        try:
            with (
                mock.patch.dict(os.environ, self.environment),
                mock.patch.object(sys, "argv", ["pipeline", *words]),
                mock.patch.multiple(sys, **streams),
            ):
                yield lambda status: Said(status, *(_text(stream) for stream in streams.values()))
        finally:
            os.chdir(before)


def _text(stream: io.TextIOWrapper) -> str:
    stream.flush()
    return stream.buffer.getvalue().decode()


def let_a_moment_pass() -> None:
    """Until the file system's clock has ticked: what is written after this shows another time than what was before."""
    time.sleep(0.01)
