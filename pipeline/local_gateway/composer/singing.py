"""Lyrics -> syllables -> a rhythm to sing them on. Vowels and the consonant before them; no attempt at words."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pipeline.local_gateway.composer.motif import Rhythm
    from pipeline.local_gateway.composer.theory import Metre

MOST_READ: Final = 3000  # characters of lyrics: more than anybody sings in ten minutes
MOST_IN_LINE: Final = 14  # syllables before a singer must breathe
SILENCING: Final = 4  # letters: an e at the end of so long a word is mute
FASTEST_S: Final = 0.16  # nobody sings syllables shorter than this
VOWELS: Final = "aeiouy"
SPELLINGS: Final[tuple[tuple[str, str], ...]] = (  # how a vowel is written -> how it's sung; the first that matches
    (r"igh|ie$|ye$|uy|[iy][^aeiouy]e", "ai"),
    (r"ai|ay|ei|ey|a[^aeiouyw]e", "ei"),
    (r"ou|ow", "au"),
    (r"oi|oy", "oi"),
    (r"oa|o[^aeiouyw]e|o$", "ou"),
    (r"oo|ue|ew|u[^aeiouyw]e|ui", "u"),
    (r"ee|ea|e[^aeiouyw]e|[^aeiou]y$|ie", "i"),
    (r"a|au|aw", "a"),
    (r"e", "e"),
    (r"i|y", "i"),
    (r"o", "o"),
    (r"u", "a"),
)
ONSETS: Final[tuple[tuple[str, str], ...]] = (
    (r"(?:sh|ch|j|zh)", "sh"), (r"(?:s|z|c(?=[eiy]))", "s"), (r"(?:f|v|th|ph|h|wh)", "f"), (r"(?:t|d)", "t"),
    (r"(?:k|c|g|q|x)", "k"), (r"p", "p"), (r"b", "b"), (r"(?:m|n)", "m"), (r"(?:l|r|w|y)", "l"),
)  # fmt: skip
SECTION_MARK: Final = re.compile(r"\[[^\]]*\]|\([^)]*\)")


@dataclass(frozen=True, slots=True)
class Syllable:
    onset: str  # the consonant's kind, or none
    vowel: str

    @property
    def colour(self) -> str:
        return f"{self.onset}-{self.vowel}"


def lines_of(lyrics: str) -> tuple[tuple[Syllable, ...], ...]:
    """The lyrics as lines of syllables: a line of text is one breath, a very long one several.

    `[Verse]` and `(softly)` are said to the singer, not sung. Text in scripts without Latin vowels is hummed, a
    syllable for each word or two characters.
    """
    text = SECTION_MARK.sub(" ", lyrics[:MOST_READ])
    found: list[tuple[Syllable, ...]] = []
    for line in re.split(r"[\n\r.;:!?\u3002\uff01\uff1f]+|,\s+(?=\w+\s+\w+\s+\w)", text):
        syllables = [
            syllable for word in re.findall(r"[^\W\d_]+(?:'[^\W\d_]+)?", line) for syllable in syllables_of(word)
        ]
        found += [tuple(syllables[at : at + MOST_IN_LINE]) for at in range(0, len(syllables), MOST_IN_LINE)]
    return tuple(found)


def syllables_of(word: str) -> tuple[Syllable, ...]:
    """A word's syllables, by its spelling."""
    plain = unicodedata.normalize("NFKD", word.lower())
    letters = "".join(letter for letter in plain if "a" <= letter <= "z")
    if not letters:
        return tuple(Syllable("m", "u") for _ in range(max(1, len(word) // 2)))
    silent = len(letters) >= SILENCING and letters.endswith("e") and letters[-2] not in VOWELS + "l"
    spoken = letters[:-1] if silent else letters
    parts = re.findall(r"[^aeiouy]*(?:[aeiou]+y?|y)(?:[^aeiouy]+$)?", spoken) or [letters]
    if silent:
        parts[-1] += "e"
    return tuple(Syllable(_onset(part), _vowel(part)) for part in parts)


def _onset(part: str) -> str:
    return next((kind for spelt, kind in ONSETS if re.match(spelt, part)), "")


def _vowel(part: str) -> str:
    return next((vowel for spelt, vowel in SPELLINGS if re.search(spelt, part)), "u")


def rhythm_for(count: int, beats: float, metre: Metre, beat_s: float) -> Rhythm:
    """Where `count` syllables fall within `beats`: on the coarsest grid that holds them, then a breath."""
    breath = min(1.0, beats * 0.15)
    for part in (1.0, 1 / metre.division, 0.5 / metre.division, 0.25 / metre.division):
        places = [place for place in _grid(metre, beats, part) if place < beats - breath - part * 0.99]
        if len(places) >= count or part * beat_s < FASTEST_S:
            break
    sung = places[: max(1, count)]
    ends = [*sung[1:], min(beats - breath, sung[-1] + 3.0)]
    return tuple((start, max(0.1, end - start)) for start, end in zip(sung, ends, strict=True))


def _grid(metre: Metre, beats: float, part: float) -> list[float]:
    bars = -(-beats // metre.beats)
    places = metre.places(part)
    return [
        bar * metre.beats + place for bar in range(int(bars)) for place in places if bar * metre.beats + place < beats
    ]
