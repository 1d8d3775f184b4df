"""A brief -> everything decided before the first note: style, key, metre, tempo, players."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pipeline.local_gateway.composer.casting import Cast, cast_for
from pipeline.local_gateway.composer.chance import Chance
from pipeline.local_gateway.composer.styles import STYLES, Style
from pipeline.local_gateway.composer.theory import METRES, Key, Metre

if TYPE_CHECKING:
    from pipeline.local_gateway.composer.brief import Brief

# The genre that an instrument suggests where none is named.
SUGGESTED: Final[dict[str, str]] = {
    **dict.fromkeys(
        ("strings", "violin", "cello", "harp", "brass", "horn", "choir", "taiko", "timpani", "oboe", "flute",
         "trumpet", "pizzicato", "clarinet"), "orchestral"),
    **dict.fromkeys(("piano", "harpsichord", "music box", "celesta", "organ"), "classical"),
    **dict.fromkeys(("synth", "pad", "arpeggio", "synth bass"), "synthwave"),
    **dict.fromkeys(("ukulele", "claps", "glockenspiel", "whistle", "toy piano", "xylophone"), "pop"),
    **dict.fromkeys(("guitar", "banjo", "fiddle", "accordion", "lute", "mandolin", "bagpipe", "hands"), "folk"),
    **dict.fromkeys(("sax", "upright bass", "muted trumpet", "vibraphone"), "jazz"),
    **dict.fromkeys(("steel drum", "marimba", "nylon guitar"), "latin"),
    **dict.fromkeys(("kalimba", "koto", "sitar", "bells", "wind", "sea", "night"), "ambient"),
    "power guitar": "rock", "drums": "rock", "chip": "chiptune", "vinyl": "lofi", "rain": "lofi",
    "electric piano": "lofi", "sub bass": "hiphop", "slap bass": "funk", "clean guitar": "funk", "harmonica": "blues",
    "snare": "march", "bass": "pop",
}  # fmt: skip
MOODS_SUGGEST: Final[dict[str, tuple[str, ...]]] = {
    "epic": ("orchestral",), "heroic": ("orchestral",), "tense": ("orchestral",), "dark": ("orchestral",),
    "mysterious": ("orchestral", "ambient"),
    "sad": ("classical", "orchestral"), "calm": ("ambient", "classical"), "romantic": ("classical", "orchestral"),
    "happy": ("pop", "folk"), "bright": ("pop",), "hopeful": ("orchestral", "pop"), "energetic": ("electronic", "rock"),
}  # fmt: skip
ANY_GENRE: Final = ("orchestral", "pop", "folk", "lofi", "synthwave", "classical", "electronic", "jazz")
MODES_BY_MOOD: Final[dict[str, tuple[tuple[str, float], ...]]] = {
    "dread": (("minor", 2), ("phrygian", 1.5), ("harmonic minor", 1)),
    "joy": (("major", 6), ("lydian", 0.7), ("mixolydian", 1)),
    "sorrow": (("minor", 6), ("dorian", 1), ("harmonic minor", 0.5)),
    "blues": (("mixolydian", 1),),
    "minor genres": (("minor", 5), ("dorian", 1.5), ("mixolydian", 1)),
    "wonder": (("minor", 4), ("dorian", 2), ("lydian", 1)),
    "open": (("major", 5), ("dorian", 1), ("minor", 1.5), ("mixolydian", 0.7)),
}
MINOR_GENRES: Final = frozenset({"synthwave", "metal", "rock", "drum and bass", "hiphop", "electronic"})
DREAD, UNEASY = 0.7, 0.6  # tension from which
FIERCE, STRONG = 0.8, 0.65  # energy from which
MOVED: Final = 0.3  # joy or sorrow from which
SLOWER_IN_THREES: Final = 0.75  # a beat of three parts goes slower than one of two
USUAL_METRE: Final = "4/4"
SWUNG: Final = 0.62
TONICS: Final = (0, 2, 4, 5, 7, 9, 10, 3)


@dataclass(frozen=True, slots=True)
class Sketch:
    take: str  # names this piece's choices: the request, and which variation of it
    genre: str
    style: Style
    key: Key
    metre: Metre
    tempo_bpm: float
    tempo_fixed: bool  # stated: not to be bent to make a loop come out even
    cast: Cast
    energy: float
    valence: float
    tension: float
    loop: bool
    swing: float

    @property
    def beat_s(self) -> float:
        return 60.0 / self.tempo_bpm

    @property
    def bar_s(self) -> float:
        return self.beat_s * self.metre.beats

    def chance(self, *names: object) -> Chance:
        return Chance(self.take, *names)


def sketch_of(brief: Brief, request: str, variation: int) -> Sketch:
    """What the piece will be. Tempo, key and style are the request's own; harmony, tune and players the variation's."""
    take = f"{request} take {variation}"
    genre = brief.genre or _genre(brief, Chance(request, "genre"))
    style = STYLES[_character(genre, brief)]
    mode = brief.mode or _mode(brief, genre, Chance(request, "mode"))
    tonic = brief.tonic if brief.tonic is not None else Chance(request, "tonic").pick(TONICS)
    metre = brief.metre or METRES[USUAL_METRE]
    return Sketch(
        take=take,
        genre=genre,
        style=style,
        key=Key(tonic, mode),
        metre=metre,
        tempo_bpm=brief.tempo_bpm or _tempo(brief, style, metre, Chance(request, "tempo")),
        tempo_fixed=brief.tempo_bpm is not None,
        cast=cast_for(brief, style, Chance(take, "cast")),
        energy=brief.energy,
        valence=brief.valence,
        tension=brief.tension,
        loop=brief.loop,
        swing=max(style.swing, SWUNG) if brief.swung else style.swing,
    )


def _character(genre: str, brief: Brief) -> str:
    """The style of a genre that suits how strong or uneasy the music shall be: an orchestra has three."""
    if genre != "orchestral":
        return genre
    if brief.tension >= UNEASY and brief.energy < FIERCE:
        return "suspense"
    return "epic" if brief.energy >= STRONG else genre


def _genre(brief: Brief, chance: Chance) -> str:
    votes = Counter(SUGGESTED[family] for family in brief.families if family in SUGGESTED)
    if votes:
        return votes.most_common(1)[0][0]
    moods = [genre for mood in brief.moods for genre in MOODS_SUGGEST[mood]]
    return chance.pick(moods or ANY_GENRE)


def _mode(brief: Brief, genre: str, chance: Chance) -> str:
    """A mode for the mood, or where there is none for the genre."""
    return chance.weighted(MODES_BY_MOOD[_shade(brief, genre)])


def _shade(brief: Brief, genre: str) -> str:
    if brief.tension > DREAD and brief.valence < 0:
        return "dread"
    if abs(brief.valence) >= MOVED:
        return "joy" if brief.valence > 0 else "sorrow"
    if genre == "blues":
        return "blues"
    if genre in MINOR_GENRES:
        return "minor genres"
    return "wonder" if {"epic", "mysterious"} & set(brief.moods) else "open"


def _tempo(brief: Brief, style: Style, metre: Metre, chance: Chance) -> float:
    """A whole number of beats a minute: within the word's range, else the style's, faster with more energy."""
    low, high = brief.tempo_range_bpm or style.tempo_bpm
    if brief.tempo_range_bpm is None:
        push = (brief.energy - 0.5) * 0.5
        low, high = low * (1 + 0.35 * push), high * (1 + 0.5 * push)
        if metre.compound:
            low, high = low * SLOWER_IN_THREES, high * SLOWER_IN_THREES
    return float(round(chance.between(low, high)))
