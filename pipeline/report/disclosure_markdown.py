"""`disclosure.md`: what was generated and by what, for whoever has to answer for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.report.disclosure import tracks_of
from pipeline.report.markdown import escaped, table
from pipeline.report.steam_survey import AS_OF, PROMISE, SURVEY, survey_answer
from pipeline.report.text import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipeline.report.disclosure import DisclosedAsset, Disclosure

_ASKED: Final = (
    "asks whether the game, its store page, its community items or its marketing hold content that generative AI has "
    "made, before release (pre-generated) or while the game runs (live-generated), and how. Much of the answer stands "
    "on the store page. This draft knows these files and nothing else."
)
_UNKNOWN: Final = "not known"
_NONE: Final = "\N{EN DASH}"
_KINDS: Final = {
    "generated": "generated",
    "placeholder": "**placeholder: not to be shipped**",
    "recording": "recording",
}
_STATES: Final = {
    "delivered": (),
    "changed": ("**changed since it was delivered**",),
    "missing": ("**missing on disk**",),
}
_PICKED: Final = {
    "person": "a person",
    "program": "the program: the first that its gates let through",
    None: _UNKNOWN,
}


def disclosure_markdown(found: Disclosure) -> bytes:
    """The disclosure for people. What matters most comes first."""
    parts = [
        ["# Where the audio files come from", "", *_head(found)],
        _models(found),
        _survey(found),
        _assets(found),
        [f"Written {_minute(found.generated_at)} UTC, from the index{_sources(found)}. What they lack is not known."],
    ]
    return "\n".join(line for part in parts if part for line in [*part, ""]).encode()


def _sources(found: Disclosure) -> str:
    return ", the lock files and the ledger" if found.has_ledger else " and the lock files; there is no ledger"


# --- sums -----------------------------------------------------------------------------------------------------------


def _head(found: Disclosure) -> Iterator[str]:
    names = ", ".join(map(escaped, found.manifests))
    yield f"**{counted(len(found.assets), 'file')} of {names}: {_counts(found)}.**"
    placeholders = len(found.of_kind("placeholder"))
    if placeholders:
        yield ""
        files = counted(placeholders, "file is a placeholder", "files are placeholders")
        yield (
            f"> **NOT TO BE SHIPPED: {files}**, composed by rules by the local gateway. A run with the real gateway "
            "replaces them."
        )
    notes = list(_notes(found))
    if notes:
        yield ""
        yield from (f"- {note}" for note in notes)


def _counts(found: Disclosure) -> str:
    generated = found.of_kind("generated")
    words = [f"{len(generated):,} generated ({counted(len(tracks_of(generated)), 'track')})" if generated else ""]
    words += [
        counted(number, one)
        for number, one in (
            (len(found.of_kind("placeholder")), "placeholder"),
            (len(found.of_kind("recording")), "recording"),
        )
        if number
    ]
    return ", ".join(filter(None, words)) or "nothing is delivered yet"


def _notes(found: Disclosure) -> Iterator[str]:
    if found.of_kind("generated"):
        picked = (
            (found.picked("person"), "a person"),
            (found.picked("program"), "the program"),
            (found.picked(None), ""),
        )
        told = [
            f"{number:,} by {who}" if who else f"{number:,} nobody knows by whom" for number, who in picked if number
        ]
        yield f"Generated tracks, picked: {', '.join(told)}."
    if found.unmarked:
        files = counted(len(found.unmarked), "generated file does", "generated files do")
        yield f"{files} not say in the tags that it was generated: of an older version, or with `mark: none`."
    if found.with_c2pa:
        files = counted(len(found.with_c2pa), "source")
        yield f"C2PA manifests: {files} of files had one, not verified here; delivered files carry none."
    yield from (
        f"{counted(len(paths), 'track')} without a file: {escaped(_some([track for _, track in paths]))}."
        for paths in (found.not_made,)
        if paths
    )
    for name, number in found.others:
        yield f"Not given: manifest {escaped(name)}. Nothing is said of its {counted(number, 'file')} here."
    if found.unreadable_rows:
        yield f"{counted(found.unreadable_rows, 'row')} of the index can't be read."


def _some(names: Sequence[str], most: int = 10) -> str:
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest:,} more" if rest > 0 else "")


def _models(found: Disclosure) -> list[str]:
    if not found.models:
        return []
    heads = ("Model", "Provider", "Gateway", "Files", "Tracks", "Generated (UTC)")
    rows = (
        (
            _known(use.model),
            _known(use.provider),
            ", ".join(map(escaped, use.gateways)) or _UNKNOWN,
            f"{use.files:,}",
            f"{use.tracks:,}",
            _span(use.first, use.last),
        )
        for use in found.models
    )
    return ["## Models", "", *table(heads, rows, right=(3, 4))]


def _span(first: str | None, last: str | None) -> str:
    days = [escaped(moment[:10]) for moment in (first, last) if moment]
    return " to ".join(dict.fromkeys(days)) or _UNKNOWN


# --- the survey -----------------------------------------------------------------------------------------------------


def _survey(found: Disclosure) -> list[str]:
    answer = survey_answer(found)
    lines = [
        "## Steam's content survey: a draft",
        "",
        f"[The survey]({SURVEY}) (as of {AS_OF}) {_ASKED}",
    ]
    if answer.before:
        lines += ["", "**Not to be sent yet:**", "", *(f"- {escaped(one)}" for one in answer.before)]
    lines += ["", f"**Pre-generated: {_yes_or_no(answer.pre_generated)}**"]
    for paragraph in answer.draft:
        lines += ["", f"> {escaped(paragraph)}"] if lines[-1][:1] != ">" else [">", f"> {escaped(paragraph)}"]
    return [*lines, "", PROMISE]


def _yes_or_no(answer: bool | None) -> str:  # noqa: FBT001 - of three answers
    return {True: "yes", False: "no", None: "that can't be said yet"}[answer]


# --- file by file ---------------------------------------------------------------------------------------------------


def _assets(found: Disclosure) -> list[str]:
    if not found.assets:
        return []
    heads = (
        "File",
        "Origin",
        "Model",
        "Came (UTC)",
        "Job",
        "Take",
        "Picked by",
        "Finishing",
        "Says so",
        "Source's own marks",
    )
    return ["## Files", "", *table(heads, map(_cells, found.assets))]


def _cells(asset: DisclosedAsset) -> tuple[str, ...]:
    is_generated = asset.kind != "recording"
    finishing = _UNKNOWN if asset.finishing is None else escaped(", ".join(asset.finishing))
    return (
        escaped(asset.path),
        ", ".join((_KINDS[asset.kind], *_STATES[asset.state], *(("no track's any more",) if asset.is_orphan else ()))),
        _known(asset.model) if is_generated else _NONE,
        _UNKNOWN if is_generated and not asset.date else _minute(asset.date or "") or _NONE,
        _known(asset.job_id) if is_generated else _NONE,
        f"{escaped(asset.take or '')} of {asset.takes:,}" if is_generated and asset.takes else _NONE,
        _picked(asset) if is_generated else _NONE,
        finishing,
        _mark(asset),
        _source_marks(asset),
    )


def _picked(asset: DisclosedAsset) -> str:
    return _PICKED[asset.picked_by] + (f", {_minute(asset.picked_at)}" if asset.picked_at else "")


def _mark(asset: DisclosedAsset) -> str:
    if asset.mark is not None:
        term = escaped(asset.mark.rpartition("/")[2])
        return term if asset.state == "delivered" else f"{term}, when it was delivered"
    return _NONE if asset.kind == "recording" else "no"


def _source_marks(asset: DisclosedAsset) -> str:
    marks = asset.source_marks
    if marks is None:
        return _UNKNOWN
    told = ["C2PA manifest"] if marks.c2pa else []
    if marks.digital_source_type is not None:
        term = escaped(marks.digital_source_type.rpartition("/")[2])
        told.append(f"**{term}**" if asset.says_it_was_generated else term)
    told += [f"tags: {escaped(_some(sorted(marks.tags), 5))}"] if marks.tags else []
    return "; ".join(told) or "none"


def _known(word: str | None) -> str:
    return _UNKNOWN if word is None else escaped(word)


def _minute(date: str) -> str:
    return escaped(date[:16].replace("T", " "))
