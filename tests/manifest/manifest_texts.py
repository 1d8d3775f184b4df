"""Manifests for tests: what every one needs, around the few lines that a test is about."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from textwrap import dedent, indent
from typing import TYPE_CHECKING, Any

from pipeline.manifest import ManifestMistakes, parse_manifest
from pipeline.manifest.text import compose
from pipeline.manifest.values import Plain

if TYPE_CHECKING:
    from pipeline.manifest.tracks import Manifest, Track

HEAD = "version: 1\nname: game\ngateway: {model: maker/model, price_per_second: 0.0010}\n"
FIRST_TRACK_LINE = 5  # of what `tracks` is given


def whole(text: str) -> Manifest:
    """The manifest that `text` is."""
    return parse_manifest(dedent(text), Path("music/game.yaml"))


def tracks(entries: str, *, head: str = HEAD) -> tuple[Track, ...]:
    """The tracks of a manifest with these entries."""
    return whole(with_tracks(entries, head=head)).tracks


def with_tracks(entries: str, *, head: str = HEAD) -> str:
    return f"{head}tracks:\n{indent(dedent(entries), '  ')}\n"


def one(keys: str, *, head: str = HEAD) -> Track:
    """The one track of a manifest whose entry has these keys, in YAML's flow style, besides a prompt."""
    (track,) = tracks(f"menu: {{prompt: Calm piano, {keys}}}", head=head)
    return track


def mistakes(text: str) -> list[str]:
    """Every mistake of a whole manifest, as its line says it, without the file's name."""
    try:
        whole(text)
    except ManifestMistakes as found:
        return [line.removeprefix("music/game.yaml:") for line in str(found).splitlines()]
    return []


def track_mistakes(entries: str, *, head: str = HEAD) -> list[str]:
    return mistakes(with_tracks(entries, head=head))


def as_an_editor_reads(text: str) -> Any:
    """What a YAML 1.2 reader makes of `text`."""
    return _plain(compose(text, "m.yaml").root)


def _plain(value: Any) -> Any:
    if isinstance(value, Plain):
        number = value.value
        if isinstance(number, Decimal):
            return int(number) if number == int(number) else float(number)
        return number
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value
