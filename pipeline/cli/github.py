"""In GitHub Actions: annotations for what went wrong, and the cost report in the step's summary."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pipeline.cli.terminal import in_actions, put, say
from pipeline.files import reason
from pipeline.manifest import ManifestMistakes
from pipeline.report.annotations import Annotation, command_lines, run_annotations, summary_part
from pipeline.runner.events import Notice

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.runner.events import Event
    from pipeline.runner.results import RunResult

_MOST_BYTES: Final = 1 << 20


class Notices:
    """Remembers what a run says while it goes on."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def observe(self, event: Event) -> None:
        """Keep a notice."""
        if isinstance(event, Notice):
            self.texts.append(event.text)


def tell_github(result: RunResult, notices: Iterable[str], report: Path) -> None:
    """Annotate what went wrong with a run, and append its report to the step's summary. Nothing elsewhere."""
    if not in_actions():
        return
    annotate(run_annotations(result, notices))
    summary = os.environ.get("GITHUB_STEP_SUMMARY")
    began = any(manifest.run is not None for manifest in result.manifests)  # else the report is an older one's
    if summary and began and report.exists():
        _summarize(report, Path(summary))


def annotate_failure(error: BaseException, sentence: str) -> None:
    """Annotate why a command did not come to its own end: each mistake of a manifest at its place."""
    if not in_actions():
        return
    if isinstance(error, ManifestMistakes):
        annotate(Annotation("error", one.path or "manifest", one.message, one.place) for one in error.mistakes)
    else:
        annotate([Annotation("error", "pipeline", sentence)])


def annotate(annotations: Iterable[Annotation]) -> None:
    """On standard error, which the runner reads as it does standard output: that may be a document."""
    if in_actions():
        for line in command_lines(annotations, _in_the_repository):
            put(sys.stderr, f"{line}\n")


def _in_the_repository(path: str) -> str:
    """A path as GitHub knows it, wherever in the repository the command was started."""
    workspace = os.environ.get("GITHUB_WORKSPACE")
    absolute = Path(path).absolute()
    if workspace and absolute.is_relative_to(workspace):
        return absolute.relative_to(workspace).as_posix()
    return path


def _summarize(report: Path, summary: Path) -> None:
    """What can't be written is said, and is no failure of the run."""
    try:
        room = _MOST_BYTES - (summary.stat().st_size if summary.exists() else 0)
        with summary.open("a", encoding="utf-8") as file:
            file.write(summary_part(report.read_text(encoding="utf-8"), room))
    except (OSError, UnicodeDecodeError) as error:
        why = reason(error) if isinstance(error, OSError) else "it can't be read"
        say(f"note: GITHUB_STEP_SUMMARY has no cost report: {why}")
