"""A prompt in words -> a brief. Pure: it finds what is said, and invents nothing."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

from pipeline.local_gateway.composer import vocabulary
from pipeline.local_gateway.composer.brief import Brief
from pipeline.local_gateway.composer.theory import METRES, Metre

LONGEST_READ: Final = 4000  # characters: what comes after is not about the music
SLOWEST_BPM, FASTEST_BPM = 30.0, 260.0

LETTERS: Final[dict[str, int]] = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11}
KEY_MODES: Final[dict[str, str]] = {
    "major": "major", "maj": "major", "minor": "minor", "min": "minor", "m": "minor", "dorian": "dorian",
    "phrygian": "phrygian", "lydian": "lydian", "mixolydian": "mixolydian", "aeolian": "minor", "locrian": "locrian",
    "ionian": "major", "harmonic minor": "harmonic minor", "natural minor": "minor", "pentatonic": "major",
    "phrygian dominant": "phrygian dominant", "minor pentatonic": "minor", "major pentatonic": "major",
}  # fmt: skip

ACCIDENTAL: Final = r"(?P<accidental>\s?(?:#|♯|b|♭)(?![a-z])|[- ]?sharp|[- ]?flat)?"
SCALE_WORDS: Final = "|".join(sorted((word for word in KEY_MODES if word != "m"), key=len, reverse=True))
KEY: Final = re.compile(rf"\b(?P<letter>[A-Ga-g]){ACCIDENTAL}(?:[- ]?(?P<mode>{SCALE_WORDS})\b|(?P<short>m)\b)")
BARE_KEY: Final = re.compile(rf"\b(?:[Kk]ey of|[Kk]ey:|in)\s+(?P<letter>[A-G]){ACCIDENTAL}(?=\W|$)")
BPM: Final = re.compile(
    r"(?<!\d)(?P<low>\d{2,3}(?:\.\d+)?)(?:\s*(?:-|to)\s*(?P<high>\d{2,3}(?:\.\d+)?))?"
    r"\s*-?\s*(?:bpm|beats (?:per|a) minute)\b"
    r"|\b(?:bpm|tempo)\s*(?:of|at|[:=])?\s*(?P<after>\d{2,3}(?:\.\d+)?)\b"
)


def read(prompt: str) -> Brief:
    """What `prompt` asks for. Never fails: a prompt without a known word is an open brief."""
    text = unicodedata.normalize("NFKC", prompt[:LONGEST_READ]).replace("\N{MUSIC SHARP SIGN}", "#")
    low = re.sub(r"[\u2010-\u2015]", "-", text).lower()
    tonic, mode = _key(text)
    moods = _moods(low)
    families, barred = _families(low)
    return Brief(
        tempo_bpm=_bpm(low),
        tempo_range_bpm=_tempo_word(low),
        tonic=tonic,
        mode=mode or next((mode for words, mode in vocabulary.MODES if _found(words, low)), None),
        metre=_metre(low),
        genre=_genre(low),
        moods=moods,
        families=families,
        barred=barred,
        energy=_summed(moods, "energy", 0.5, 0.0),
        valence=_summed(moods, "valence", 0.0, -1.0),
        tension=_summed(moods, "tension", 0.2, 0.0),
        loop=_found(vocabulary.LOOP, low) and not _denied(low, vocabulary.LOOP),
        alone=_found(vocabulary.ALONE, low),
        swung=_found(vocabulary.SWUNG, low),
    )


@lru_cache(maxsize=512)
def _pattern(words: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![a-z0-9])(?:{words})(?![a-z0-9])")


def _found(words: str, text: str) -> bool:
    return _pattern(words).search(text) is not None


def _denied(text: str, words: str) -> bool:
    return re.search(rf"(?:\bno|\bnot|\bnon|n't)[- ](?:a )?(?:{words})", text) is not None


def _bpm(text: str) -> float | None:
    stated = BPM.search(text)
    if stated is None:
        return None
    first = float(stated["low"] or stated["after"])
    last = float(stated["high"]) if stated["high"] else first
    return min(FASTEST_BPM, max(SLOWEST_BPM, (first + last) / 2))


def _tempo_word(text: str) -> tuple[float, float] | None:
    return next((between for words, between in vocabulary.TEMPOS if _found(words, text)), None)


def _key(text: str) -> tuple[int | None, str | None]:
    """Tonic and mode, if a key is named. `a minor key` names none: there the `a` is an article."""
    for named in KEY.finditer(text):
        letter = named["letter"]
        if letter.islower() and not _is_key_letter(text, named):
            continue
        return _pitch_class(letter, named["accidental"]), KEY_MODES[(named["mode"] or named["short"]).lower()]
    bare = BARE_KEY.search(text)
    return (_pitch_class(bare["letter"], bare["accidental"]), None) if bare else (None, None)


def _is_key_letter(text: str, named: re.Match[str]) -> bool:
    """Whether a small letter before a mode's name is a note's name."""
    after = text[named.end() : named.end() + 9].strip().lower()
    if named["letter"] == "a" and not named["accidental"] and after.startswith(("key", "mode", "scale", "tonality")):
        return False
    return bool(named["mode"]) and (
        named["letter"] != "a" or text[: named.start()].rstrip().lower().endswith(("in", "of"))
    )


def _pitch_class(letter: str, accidental: str | None) -> int:
    sign = (accidental or "").strip(" -")
    return (LETTERS[letter.lower()] + (sign in {"#", "♯", "sharp"}) - (sign in {"b", "♭", "flat"})) % 12


def _metre(text: str) -> Metre | None:
    for words, name in vocabulary.METRES:
        found = _pattern(words).search(text)
        if found:
            return METRES[name or found["written"]]
    return None


def _genre(text: str) -> str | None:
    found = {name: _pattern(words).search(text) for name, words in vocabulary.GENRES.items()}
    mentioned = [
        (name not in vocabulary.SPECIAL_GENRES, match.start(), -len(match[0]), name)
        for name, match in found.items()
        if match
    ]
    return min(mentioned)[3] if mentioned else None


def _moods(text: str) -> tuple[str, ...]:
    return tuple(name for name, mood in vocabulary.MOODS.items() if _found(mood.words, text))


def _summed(moods: tuple[str, ...], trait: str, start: float, least: float) -> float:
    total = start + sum(float(getattr(vocabulary.MOODS[mood], trait)) for mood in moods)
    return min(1.0, max(least, total))


def _families(text: str) -> tuple[tuple[str, ...], frozenset[str]]:
    """The instruments it names, in order of mention, and those it says not to use."""
    wanted: dict[str, int] = {}
    barred: set[str] = set()
    left = text
    for family, words in vocabulary.FAMILIES.items():
        for mention in _pattern(words).finditer(left):
            if _is_denied(text, mention.start()):
                barred.add(family)
            else:
                wanted.setdefault(family, mention.start())
        left = _pattern(words).sub(lambda mention: "\0" * len(mention[0]), left)
    return tuple(sorted(wanted, key=lambda family: wanted[family])), frozenset(barred - set(wanted))


def _is_denied(text: str, start: int) -> bool:
    """Whether `no` or `without` stands before this mention, alone or at the head of a short list."""
    before = text[max(0, start - 40) : start]
    listed = r"(?!only|just|but|with)[a-z-]+(?:,\s*|\s+or\s+|\s+and\s+|\s+)"
    return re.search(rf"\b{vocabulary.DENIED}\s+(?:{listed}){{0,2}}$", before) is not None
