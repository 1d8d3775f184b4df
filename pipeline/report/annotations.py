"""What went wrong, as workflow commands that GitHub shows beside the lines of a manifest. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from pipeline.report.text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from pipeline.manifest.tracks import Place
    from pipeline.runner.results import RunResult

#: GitHub shows so many of each kind for a step, and drops the rest.
_MOST: Final = 10
_UNTOUCHED: Final = frozenset({"kept", "skipped"})


@dataclass(frozen=True, slots=True)
class Annotation:
    """One thing to show, at the place of a manifest that it is about, where there is one."""

    kind: Literal["error", "warning"]
    title: str
    message: str
    place: Place | None = None


def run_annotations(result: RunResult, notices: Iterable[str]) -> Iterator[Annotation]:
    """What there is to show of a run: what stopped it, each failed track, and what there is to know of the others.

    `notices`: what was said while it went on.
    """
    if result.stop is not None:
        yield Annotation("error", "the run stopped", result.stop.message)
    told: set[str] = set()
    for track in result.tracks:
        name, place = track.plan.track.name, track.plan.track.place
        if track.status == "failed":
            yield Annotation("error", f"{name} failed", track.error or "no reason is known", place)
        if track.status in _UNTOUCHED:
            continue
        warnings = {str(one["message"]): str(one["code"]) for row in track.rows for one in row.warnings}
        for message, code in warnings.items():
            told.add(f"{name}: {message}")
            yield Annotation("warning", f"{name}: {code}", message, place)
    for take in (take for manifest in result.manifests for take in manifest.strays if take.error):
        name = "a job of an earlier plan" if take.job is None else take.job.intent.track
        yield Annotation("error", f"{name} failed", str(take.error))
    for notice in dict.fromkeys([*notices, *result.notices]):
        if notice not in told:
            yield Annotation("warning", "pipeline", notice)


def command_lines(annotations: Iterable[Annotation], path_of: Callable[[str], str]) -> Iterator[str]:
    """Workflow commands: of each kind as many as are shown, of which the last counts those that are left out.

    `path_of`: a manifest's path as GitHub knows it, from that on the command line.
    """
    given = list(annotations)
    for kind in ("error", "warning"):
        own = [one for one in given if one.kind == kind]
        shown = own if len(own) <= _MOST else own[: _MOST - 1]
        yield from (_command(one, path_of) for one in shown)
        if len(own) > len(shown):
            left_out = f"and {len(own) - len(shown):,} more, in the step's log and summary"
            yield f"::{kind} title=pipeline::{left_out}"


def _command(one: Annotation, path_of: Callable[[str], str]) -> str:
    properties = {"title": one.title}
    if one.place is not None:
        properties |= {"file": path_of(one.place.file), "line": str(one.place.line), "col": str(one.place.column)}
    listed = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{one.kind} {listed}::{_data(one.message)}"


def _data(text: str) -> str:
    lines = (one_line(line) for line in text.split("\n"))
    return "\n".join(lines).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def harmless_to_actions(text: str) -> str:
    """`text` that GitHub's runner takes for no workflow command: it reads every line for them, whoever wrote it."""
    text = text.replace("##[", "## [")
    if "::" not in text:
        return text
    return "\n".join(f"> {line}" if line.lstrip().startswith("::") else line for line in text.split("\n"))


def summary_part(report: str, room: int) -> str:
    """As much of a Markdown report as fits into `room` bytes, by whole lines; a sentence says where it was cut."""
    content = report.encode()
    if len(content) <= room:
        return report
    cut = "\n\n*Cut here: GitHub takes no more than 1 MiB. The whole of it is cost-report.md.*\n"
    kept = content[: max(0, room - len(cut.encode()))].decode(errors="ignore")
    kept = kept[: kept.rfind("\n") + 1]
    return f"{kept.rstrip()}{cut}" if kept else ""
