"""The page is written: one HTML file with its style and script inside, which loads nothing but the audio beside it.

Everything from outside is escaped by Jinja2, and a content security policy lets nothing run or be drawn but the style
and script of this room, by their hashes.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from pipeline.report.page.charts import bars_of, nights_of
from pipeline.report.page.heading import heading_of
from pipeline.report.page.lanes import lanes_of
from pipeline.report.page.timeline import PHASES, timeline_of
from pipeline.report.page.tracks import STATUSES, track_views
from pipeline.report.page.words import FILTERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pipeline.report.failures import Failure
    from pipeline.report.page.inputs import PageInput
    from pipeline.report.page.tracks import TrackView

_ROOM: Final = Path(__file__).parent
_SCRIPTS: Final = ("voices.js", "player.js", "table.js")
_REVIEW_SCRIPTS: Final = ("takes_in_step.js", "review.js")


def page_html(given: PageInput) -> bytes:
    """The whole page. Equal input gives equal bytes."""
    return b"".join(page_pieces(given))


def page_pieces(given: PageInput) -> Iterator[bytes]:
    """The page piece by piece: as a whole it takes 20 kB a track while it is made."""
    tracks = _tracks(given)
    timeline = timeline_of(given)
    style, script = _style(), _script(review=given.review)
    pieces = (
        _environment()
        .get_template("page.html.j2")
        .generate(
            policy=_policy(style, script),
            style=Markup(style),  # noqa: S704 - this room's own text
            script=Markup(script),  # noqa: S704 - as above
            heading=heading_of(given, tracks, timeline.seconds),
            report=given.report,
            tracks=tracks,
            several=len({track.manifest for track in tracks}) > 1,
            failures=_with_rows(given.report.failures, tracks),
            tags=_sorted_words(tag for track in tracks for tag in track.tags),
            warnings=_sorted_words(code for track in tracks for code, _ in track.warnings),
            statuses=[status for status in STATUSES if any(track.status == status for track in tracks)],
            by_tag=bars_of(given.report.by_tag, "no tag") if _has_tags(given) else (),
            by_model=bars_of(given.report.by_model, "not known"),
            nights=nights_of(given.costs.jobs),
            timeline=timeline,
            lanes=lanes_of(timeline),
            phases=PHASES,
            review=given.review,
        )
    )
    return (piece.encode() for piece in pieces)


def row_html(given: PageInput, manifest: str, name: str) -> str | None:
    """One row of the table, as the page has it; None where there is no such track."""
    tracks = _tracks(given)
    several = len({track.manifest for track in tracks}) > 1
    found = next((track for track in tracks if (track.manifest, track.name) == (manifest, name)), None)
    return None if found is None else _row(found, several=several, review=given.review)


def _tracks(given: PageInput) -> tuple[TrackView, ...]:
    """The tracks of a page. A review has those of its own manifests: it neither serves nor changes any others."""
    tracks = track_views(given)
    return tuple(track for track in tracks if track.manifest in given.costs.manifests) if given.review else tracks


def _with_rows(failures: Iterable[Failure], tracks: Iterable[TrackView]) -> list[tuple[Failure, str | None]]:
    """Each failure, and the row of its track where it has one."""
    rows = {(track.manifest, track.name): track.id for track in tracks}
    return [(failure, rows.get((failure.manifest, failure.track))) for failure in failures]


def _row(track: TrackView, *, several: bool, review: bool) -> str:
    template: Any = _environment().get_template("track.html.j2").module
    return str(template.row(track, several, review))


@cache
def _environment() -> Environment:
    environment = Environment(
        autoescape=True,
        loader=FileSystemLoader(_ROOM / "templates"),
        trim_blocks=True,
        keep_trailing_newline=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        auto_reload=False,
    )
    environment.filters |= FILTERS
    return environment


def warm() -> None:
    """Read and compile what every page is made of, so that the first one takes no longer than the others."""
    for name in ("page.html.j2", "track.html.j2", "charts.html.j2"):
        _environment().get_template(name)


@cache
def _style() -> str:
    return _read("page.css")


@cache
def _script(*, review: bool) -> str:
    names = _SCRIPTS + (_REVIEW_SCRIPTS if review else ())
    return "(() => {\n'use strict';\n" + "".join(map(_read, names)) + "})();\n"


def _read(name: str) -> str:
    return (_ROOM / "templates" / name).read_text(encoding="utf-8")


def _policy(style: str, script: str) -> str:
    """What the browser may do with the page: its own style and script, and audio beside it or of a chosen folder."""
    return (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "media-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _sorted_words(words: Iterable[str]) -> list[str]:
    return sorted(set(words), key=lambda word: (word.casefold(), word))


def _has_tags(given: PageInput) -> bool:
    return any(group.word is not None for group in given.report.by_tag)
