"""Marks: what a delivered file says of where its sound comes from, and what a source said before it was finished.

No numpy here: the runner, the index and the reports read these.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Where IPTC's terms for the origin of media stand (cv.iptc.org/newscodes/digitalsourcetype).
SCHEME: Final = "http://cv.iptc.org/newscodes/digitalsourcetype/"
#: Made by a model that was trained on sampled content.
TRAINED: Final = f"{SCHEME}trainedAlgorithmicMedia"
#: Made by rules alone, as the local gateway's placeholders are.
ALGORITHMIC: Final = f"{SCHEME}algorithmicMedia"

# Fields of tags, by IPTC's names for the first two (digitalSourceType; AI System Used, Photo Metadata 2025.1).
SOURCE_TYPE: Final = "DIGITALSOURCETYPE"
SYSTEM: Final = "AISYSTEMUSED"
JOB: Final = "JOBID"
_SPELLED: Final = {SOURCE_TYPE: "digitalSourceType", SYSTEM: "AISystemUsed", JOB: "jobId"}
_COMMENT: Final = "COMMENT"

MOST_TAGS: Final = 20
LONGEST_NAME: Final = 60
LONGEST_TEXT: Final = 200
_LEFT_OUT: Final = "..."


@dataclass(frozen=True, slots=True)
class Mark:
    """That a sound was generated: IPTC's word for how, by which model (None: by rules), and the gateway's job."""

    digital_source_type: str
    model: str | None = None
    job_id: str | None = None

    @property
    def fields(self) -> tuple[tuple[str, str], ...]:
        """As a file's tags have it: (NAME, value)."""
        values = ((SOURCE_TYPE, self.digital_source_type), (SYSTEM, self.model), (JOB, self.job_id))
        return tuple((name, value) for name, value in values if value)


def mark_of(model: str, job_id: str | None, *, placeholder: bool) -> Mark:
    """The mark of what was generated. The model that a placeholder stands in for had no part in it.

    A job id that is an address is public without its query only, in which a key might stand.
    """
    job = None if job_id is None else plain(job_id.partition("?")[0], LONGEST_TEXT)
    return Mark(ALGORITHMIC, None, job) if placeholder else Mark(TRAINED, plain(model, LONGEST_TEXT), job)


def with_comment(metadata: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """`metadata` with its mark told in the comment too, for formats that have no field for it."""
    told = [f"{_SPELLED[name]}: {value}" for name, value in metadata if name in _SPELLED]
    if not told:
        return tuple(metadata)
    said = [value for name, value in metadata if name == _COMMENT]
    rest = [(name, value) for name, value in metadata if name != _COMMENT]
    return (*rest, (_COMMENT, "; ".join([*said, *told])))


@dataclass(frozen=True, slots=True)
class SourceMarks:
    """What a source said of itself before it was finished, which carries none of it over.

    `c2pa`: it had a C2PA manifest (Content Credentials), which is not verified here. `digital_source_type`: IPTC's, the
    first that is named anywhere in its tags or its manifest. `tags`: its text tags by the names that they have in it.
    """

    c2pa: bool = False
    digital_source_type: str | None = None
    tags: dict[str, str] = field(default_factory=dict)


def bounded_tags(tags: Sequence[tuple[str, str]]) -> dict[str, str]:
    """The first of `tags`, the first of each name, on one line each and short, however they come."""
    found: dict[str, str] = {}
    for name, value in tags:
        shown, text = plain(name, LONGEST_NAME), plain(value, LONGEST_TEXT)
        if shown and text and len(found) < MOST_TAGS:
            found.setdefault(shown, text)
    return found


def plain(text: str, longest: int) -> str:
    """`text` from a stranger's file: control characters as escapes, cut to `longest`."""
    cut = text[: longest + 1].strip()
    line = cut if cut.isprintable() else "".join(map(_escaped, cut))
    return line if len(line) <= longest else line[: longest - len(_LEFT_OUT)] + _LEFT_OUT


def _escaped(char: str) -> str:
    return char if char.isprintable() else char.encode("unicode_escape").decode()


def read_source_marks(document: Any) -> SourceMarks | None:
    """What a row of the index has of its source's marks; None where that is nothing of the kind.

    The index is a file that anybody may have edited.
    """
    if not isinstance(document, dict):
        return None
    c2pa, tags = document.get("c2pa"), document.get("tags")
    digital_source_type = document.get("digital_source_type")
    if not isinstance(c2pa, bool) or not isinstance(tags, dict) or not isinstance(digital_source_type, str | None):
        return None
    if not all(isinstance(text, str) for pair in tags.items() for text in pair):
        return None
    return SourceMarks(c2pa, digital_source_type, tags)
