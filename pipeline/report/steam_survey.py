"""A draft for the AI section of Steam's content survey: plain paragraphs, each true of the files at hand.

By Valve's documentation of the survey, as of January 2026: what generative AI has made and players see or hear is
declared, as pre-generated or as live-generated, in the developer's own words; much of that stands on the store page.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pipeline.report.disclosure import tracks_of
from pipeline.report.text import counted, one_line

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from pipeline.report.disclosure import DisclosedAsset, Disclosure

SURVEY: Final = "https://partner.steamgames.com/doc/gettingstarted/contentsurvey"
AS_OF: Final = "2026-01"
#: What no program can answer for.
PROMISE: Final = (
    "By the Steam Distribution Agreement you promise Valve that the game has no illegal or infringing content, and is "
    "what its marketing says. Nothing here checks that: not what the models were trained on, and not whether their "
    "music is too much like somebody else's. Read the models' terms, and listen. Music on the store page, in trailers "
    "or in community items is part of the answer too, and so is everything else in the game that AI has made."
)
#: What finishing can have done, by how its words begin.
_TREATMENTS: Final = {
    "silence trimmed": "trimmed",
    "cut to loop": "cut to loop",
    "faded": "faded",
    "levelled": "levelled",
    "encoded": "encoded",
}


@dataclass(frozen=True, slots=True)
class SurveyAnswer:
    """`pre_generated`: do the files hold such content; None: that can't be said yet. `draft`: what to answer.

    `before`: what has to be seen to before it is sent.
    """

    pre_generated: bool | None
    draft: tuple[str, ...] = ()
    before: tuple[str, ...] = ()

    @property
    def is_ready(self) -> bool:
        """Is there an answer, and nothing to be seen to first?"""
        return self.pre_generated is not None and not self.before


def survey_answer(found: Disclosure) -> SurveyAnswer:
    """The answer as far as these files go."""
    generated, recordings = found.of_kind("generated"), found.of_kind("recording")
    before = tuple(_to_see_to(found))
    if generated:
        return SurveyAnswer(pre_generated=True, draft=tuple(_draft(found, generated)), before=before)
    if not recordings or any(asset.says_it_was_generated for asset in recordings):
        return SurveyAnswer(pre_generated=None, before=before)
    text = (
        f"No music of this project was generated with AI: {counted(len(recordings), 'audio file')}, made of recordings."
    )
    return SurveyAnswer(pre_generated=False, draft=(text,), before=before)


def _draft(found: Disclosure, generated: Collection[DisclosedAsset]) -> Iterator[str]:
    yield " ".join(_what(found, generated))
    yield " ".join(_how(found, generated))
    yield "These files ship with the game as they are; none of them is generated while it runs."


def _what(found: Disclosure, generated: Collection[DisclosedAsset]) -> Iterator[str]:
    files, tracks = counted(len(generated), "audio file"), counted(len(tracks_of(generated)), "track")
    yield (
        f"The game contains pre-generated music: {files} ({tracks}), generated with AI during development, from text "
        f"prompts, by {_models(found)}{_when(found)}."
    )
    sung = tracks_of(one for one in generated if one.is_sung)
    if sung:
        refined = tracks_of(one for one in generated if one.words_refined)
        changed = f", which was allowed to change those of {len(refined):,}" if refined else ""
        has = counted(len(sung), "track is", "tracks are")
        yield f"Of these, {has} sung, to words that were given to the model{changed}."
    recordings = len(found.of_kind("recording"))
    if recordings:
        yield f"{counted(recordings, 'further audio file is', 'further audio files are')} made of recordings."


def _models(found: Disclosure) -> str:
    names = [
        "a model that is not recorded"
        if use.model is None
        else f"the model {one_line(use.model)}" + ("" if use.provider is None else f" of {one_line(use.provider)}")
        for use in found.models
    ]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _when(found: Disclosure) -> str:
    firsts = [use.first[:10] for use in found.models if use.first]
    lasts = [use.last[:10] for use in found.models if use.last]
    if not firsts or not lasts:
        return ""
    first, last = one_line(min(firsts)), one_line(max(lasts))
    return f", on {first}" if first == last else f", between {first} and {last}"


def _how(found: Disclosure, generated: Collection[DisclosedAsset]) -> Iterator[str]:
    """Who picked what is heard, what was done to it, and whether it says what it is."""
    by_person, by_program, unknown = (found.picked(by) for by in ("person", "program", None))
    if by_person:
        yield f"For {counted(by_person, 'track')} a person chose the version that is used."
    if by_program:
        yield f"For {counted(by_program, 'track')} software took the first version that passed its automatic checks."
    if unknown:
        yield f"For {counted(unknown, 'track')} it is not recorded who chose the version that is used."
    yield f"Software then finished the files by the project's settings{_treatments(generated)}."
    stepped = sum(bool(one.steps) for one in generated)
    if stepped:
        yield f"{counted(stepped, 'file')} of them went through processing of the project's own, too."
    changed = sum(one.state == "changed" for one in generated)
    if changed:
        yield f"{counted(changed, 'file was', 'files were')} changed after that by other means."
    marked = sum(one.mark is not None and one.state == "delivered" for one in generated)
    if marked:
        which = "The files say" if marked == len(generated) else f"Of the files, {marked:,} say"
        yield f"{which} in their metadata that they were generated (IPTC digital source type)."


def _treatments(generated: Collection[DisclosedAsset]) -> str:
    words = [word for one in generated for word in one.finishing or ()]
    done = [name for start, name in _TREATMENTS.items() if any(word.startswith(start) for word in words)]
    return f" ({', '.join(done)})" if done else ""


def _to_see_to(found: Disclosure) -> Iterator[str]:
    """What keeps the draft from being the answer."""
    placeholders = len(found.of_kind("placeholder"))
    if placeholders:
        yield (
            f"{counted(placeholders, 'file is a placeholder', 'files are placeholders')}, not to be shipped: have the "
            "real gateway generate them, and write this again. The draft leaves them out."
        )
    if found.not_made:
        yield f"{counted(len(found.not_made), 'track has', 'tracks have')} no file yet. The draft leaves them out."
    doubtful = sum(asset.says_it_was_generated for asset in found.assets)
    if doubtful:
        yield (
            f"{counted(doubtful, 'file is', 'files are')} made of recordings whose own metadata says that a model "
            "generated them. Where that is so, they belong into the answer."
        )
    orphans = sum(asset.is_orphan for asset in found.assets)
    if orphans:
        yield (
            f"{counted(orphans, 'file belongs', 'files belong')} to no track any more and would ship with the rest: "
            "pipeline prune removes them. The draft counts them."
        )
    missing = len(found.in_state("missing"))
    if missing:
        yield f"{counted(missing, 'file is', 'files are')} in the index and not on disk. The draft counts them."
    if found.others:
        files = counted(sum(number for _, number in found.others), "file")
        yield f"{files} of manifests that were not given lie beside these. The draft does not know of them."
    if found.unreadable_rows:
        yield f"{counted(found.unreadable_rows, 'row')} of the index can't be read. A run writes them again."
