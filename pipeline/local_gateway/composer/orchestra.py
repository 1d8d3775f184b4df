"""The players: what each can do, and who in a family takes which role. Facts only; how they sound is `instruments`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Player:
    low: int  # MIDI pitches within which it sounds as itself
    high: int
    level_db: float = 0.0  # so that all are heard alike
    pan: float = 0.0  # -1 left, 1 right
    send: float = 0.3  # into the room
    width: float = 0.0  # how far low notes stand left and high ones right
    held: bool = True  # sounds as long as it's held; else it rings and dies
    figures: tuple[str, ...] = ("held",)  # how it can play chords, the natural one first


KEYS: Final = (
    "block", "arpeggio", "alberti", "broken", "comp", "oompah", "rolled", "sparse", "stabs", "offbeat", "pulse",
    "skank", "picking",
)  # fmt: skip
FRETS: Final = (
    "strum", "picking", "arpeggio", "comp", "skank", "bossa", "stabs", "oompah", "rolled", "sparse", "block",
)  # fmt: skip
BOWS: Final = ("held", "block", "offbeat", "oompah", "stabs")
SYNTHS: Final = ("pulse", "arpeggio", "stabs", "offbeat", "held", "block", "comp", "sparse")
MALLETS: Final = ("arpeggio", "broken", "sparse", "pulse", "block", "ostinato", "comp")

PLAYERS: Final[dict[str, Player]] = {
    "violins": Player(55, 93, pan=-0.3, send=0.42, figures=("ostinato", *BOWS)),
    "strings": Player(43, 86, level_db=-1, send=0.45, figures=BOWS),
    "cellos": Player(33, 62, pan=0.3, send=0.38, figures=BOWS),
    "spiccato": Player(
        43, 86, pan=-0.15, send=0.4, figures=("ostinato", "pulse", "offbeat", "stabs", "broken", "arpeggio"),
    ),
    "violin": Player(57, 91, pan=-0.2, send=0.42),
    "fiddle": Player(57, 88, pan=-0.15, send=0.25),
    "cello": Player(40, 69, pan=0.25, send=0.4),
    "pizzicato": Player(
        43, 84, level_db=1, pan=0.15, send=0.4, width=0.3, held=False,
        figures=("arpeggio", "broken", "oompah", "ostinato", "offbeat", "pulse", "block"),
    ),
    "flute": Player(62, 93, pan=0.18, send=0.4),
    "whistle": Player(67, 91, level_db=-2, pan=0.1),
    "clarinet": Player(52, 84, pan=0.12, send=0.35),
    "oboe": Player(60, 84, level_db=-1, pan=0.05, send=0.38),
    "sax": Player(52, 79, pan=0.08),
    "trumpet": Player(57, 81, level_db=-1, pan=0.15, send=0.36),
    "muted trumpet": Player(57, 81, level_db=-1, pan=0.1, send=0.34),
    "horn": Player(45, 72, pan=-0.25, send=0.5),
    "tuba": Player(31, 53, pan=0.2),
    "harmonica": Player(60, 84, level_db=-1, pan=0.05, send=0.28),
    "accordion": Player(50, 84, level_db=-2, pan=-0.15, send=0.25, figures=("oompah", "held", "offbeat", "block")),
    "bagpipe": Player(62, 79, level_db=-3),
    "horns": Player(43, 72, pan=-0.3, send=0.5, figures=BOWS),
    "brass": Player(43, 77, level_db=-1, pan=0.25, send=0.4, figures=("stabs", "block", "held", "offbeat", "oompah")),
    "choir": Player(48, 79, level_db=-1, send=0.55),
    "oohs": Player(50, 79, level_db=-1, send=0.5),
    "warm pad": Player(40, 79, level_db=-1, send=0.4),
    "glass pad": Player(48, 84, level_db=-2, send=0.5),
    "synth pad": Player(43, 79, level_db=-1, send=0.38),
    "supersaw": Player(45, 84, level_db=-1, figures=("held", "stabs", "offbeat", "pulse", "block")),
    "organ": Player(36, 84, level_db=-2, pan=0.1, figures=("block", "held", "comp", "stabs", "offbeat", "skank")),
    "drone": Player(28, 55),
    "piano": Player(33, 96, level_db=1, send=0.28, width=0.45, held=False, figures=KEYS),
    "toy piano": Player(60, 91, pan=0.1, send=0.25, width=0.3, held=False, figures=KEYS),
    "electric piano": Player(40, 86, pan=-0.05, send=0.25, width=0.2, held=False, figures=KEYS),
    "glass keys": Player(48, 91, pan=0.1, send=0.4, width=0.3, held=False, figures=KEYS),
    "clavinet": Player(40, 79, pan=-0.25, send=0.15, held=False, figures=("stabs", "comp", "pulse")),
    "harpsichord": Player(41, 86, level_db=-2, send=0.25, width=0.25, held=False, figures=KEYS),
    "glockenspiel": Player(72, 100, level_db=-4, pan=0.3, send=0.35, width=0.2, held=False, figures=MALLETS),
    "celesta": Player(60, 98, level_db=-2, pan=0.25, send=0.35, width=0.2, held=False, figures=MALLETS),
    "music box": Player(65, 96, level_db=-2, width=0.3, held=False, figures=MALLETS),
    "bells": Player(60, 86, level_db=-3, pan=-0.2, send=0.5, held=False, figures=("sparse", "block")),
    "fm bells": Player(55, 88, level_db=-3, pan=0.2, send=0.45, held=False, figures=("sparse", "arpeggio")),
    "vibraphone": Player(53, 84, pan=0.2, width=0.2, held=False, figures=MALLETS),
    "marimba": Player(45, 88, level_db=2, pan=-0.2, send=0.25, width=0.3, held=False, figures=MALLETS),
    "xylophone": Player(65, 96, pan=-0.25, send=0.25, width=0.2, held=False, figures=MALLETS),
    "kalimba": Player(55, 86, level_db=1, pan=0.1, width=0.3, held=False, figures=MALLETS),
    "steel drum": Player(55, 84, pan=0.1, width=0.3, held=False, figures=MALLETS),
    "timpani": Player(36, 55, level_db=2, pan=0.1, send=0.45, held=False),
    "harp": Player(
        36, 96, level_db=1, pan=-0.25, send=0.4, width=0.35, held=False,
        figures=("arpeggio", "rolled", "broken", "sparse"),
    ),
    "guitar": Player(40, 81, level_db=1, pan=-0.25, send=0.2, width=0.1, held=False, figures=FRETS),
    "nylon guitar": Player(40, 81, level_db=1, pan=-0.2, send=0.25, width=0.1, held=False, figures=FRETS),
    "clean guitar": Player(40, 81, pan=-0.35, send=0.22, width=0.1, held=False, figures=FRETS),
    "muted guitar": Player(45, 79, level_db=2, pan=0.1, held=False, figures=FRETS),
    "ukulele": Player(60, 84, level_db=1, pan=-0.25, send=0.2, width=0.1, held=False, figures=FRETS),
    "banjo": Player(50, 84, pan=0.3, send=0.18, width=0.1, held=False, figures=("picking", "strum", "arpeggio")),
    "mandolin": Player(
        55, 88, pan=0.3, send=0.2, width=0.1, held=False, figures=("strum", "picking", "arpeggio", "offbeat"),
    ),
    "lute": Player(43, 81, level_db=1, pan=0.2, send=0.25, width=0.1, held=False, figures=FRETS),
    "koto": Player(
        50, 86, level_db=1, pan=0.2, width=0.2, held=False, figures=("arpeggio", "rolled", "sparse", "picking"),
    ),
    "sitar": Player(45, 79, pan=-0.2, held=False, figures=("picking", "arpeggio", "sparse")),
    "power guitar": Player(38, 57, level_db=1, send=0.12, held=False, figures=("chug",)),
    "lead guitar": Player(52, 84, level_db=-2, pan=0.12, held=False),
    "synth lead": Player(55, 88, level_db=-2, send=0.35),
    "soft lead": Player(55, 84, level_db=-1, pan=0.1, send=0.35),
    "synth pluck": Player(48, 91, send=0.35, width=0.3, held=False, figures=SYNTHS),
    "rave stab": Player(45, 84, level_db=-1, held=False, figures=("stabs", "offbeat", "pulse", "block")),
    "synth brass": Player(48, 79, level_db=-2, send=0.35, figures=("stabs", "held", "block")),
    "pulse lead": Player(57, 93, level_db=-4, pan=0.12, send=0.08),
    "pulse thin": Player(57, 96, level_db=-4, pan=0.45, send=0.06),
    "pulse arpeggio": Player(52, 76, level_db=-4, pan=-0.45, send=0.08, figures=("pulse", "held")),
    "electric bass": Player(28, 55, level_db=1, send=0.06, held=False),
    "upright bass": Player(28, 55, level_db=2, pan=0.05, send=0.1, held=False),
    "slap bass": Player(28, 55, send=0.06, held=False),
    "synth bass": Player(26, 52, level_db=-1, send=0.04),
    "reese bass": Player(26, 50, level_db=-1, send=0.05),
    "fm bass": Player(28, 52, level_db=-1, send=0.05),
    "sub bass": Player(24, 48, level_db=1, send=0.02),
    "triangle bass": Player(33, 57, send=0.02),
    "voice": Player(55, 77, level_db=1),
    "kit rock": Player(0, 127, send=0.14, held=False),
    "kit lofi": Player(0, 127, send=0.1, held=False),
    "kit machine": Player(0, 127, send=0.08, held=False),
    "kit eighties": Player(0, 127, send=0.2, held=False),
    "kit chip": Player(0, 127, send=0.03, held=False),
    "kit jazz": Player(0, 127, send=0.18, held=False),
    "kit orchestra": Player(0, 127, send=0.4, held=False),
    "kit hands": Player(0, 127, send=0.18, held=False),
    **dict.fromkeys(("rain", "vinyl", "wind", "sea", "fire", "night"), Player(0, 127, 0, 0.0, 0.0)),
}  # fmt: skip

# Who of a family plays what, by role; a role that is missing is one the family cannot fill.
FAMILIES: Final[dict[str, dict[str, str]]] = {
    "electric piano": {"chords": "electric piano", "lead": "electric piano"},
    "toy piano": {"lead": "toy piano", "chords": "toy piano"},
    "piano": {"chords": "piano", "lead": "piano", "bass": "piano"},
    "harpsichord": {"chords": "harpsichord", "lead": "harpsichord", "bass": "harpsichord"},
    "organ": {"pad": "organ", "chords": "organ", "lead": "organ", "bass": "organ"},
    "accordion": {"lead": "accordion", "chords": "accordion"},
    "harmonica": {"lead": "harmonica", "counter": "harmonica"},
    "bagpipe": {"lead": "bagpipe"},
    "music box": {"lead": "music box", "chords": "music box"},
    "celesta": {"lead": "celesta", "chords": "celesta", "counter": "celesta"},
    "glockenspiel": {"lead": "glockenspiel", "counter": "glockenspiel", "chords": "glockenspiel"},
    "vibraphone": {"lead": "vibraphone", "chords": "vibraphone", "counter": "vibraphone"},
    "marimba": {"chords": "marimba", "lead": "marimba"},
    "xylophone": {"lead": "xylophone", "chords": "xylophone"},
    "kalimba": {"lead": "kalimba", "chords": "kalimba"},
    "steel drum": {"lead": "steel drum", "chords": "steel drum"},
    "bells": {"counter": "bells", "lead": "bells", "chords": "bells"},
    "pizzicato": {"chords": "pizzicato", "lead": "pizzicato", "bass": "pizzicato"},
    "violin": {"lead": "violin", "counter": "violin"},
    "fiddle": {"lead": "fiddle", "counter": "fiddle"},
    "cello": {"lead": "cello", "counter": "cello", "bass": "cellos"},
    "strings": {"pad": "strings", "lead": "violins", "counter": "cellos", "chords": "spiccato", "bass": "cellos"},
    "harp": {"chords": "harp", "lead": "harp", "bass": "harp"},
    "flute": {"lead": "flute", "counter": "flute"},
    "whistle": {"lead": "whistle", "counter": "whistle"},
    "clarinet": {"lead": "clarinet", "counter": "clarinet"},
    "oboe": {"lead": "oboe", "counter": "oboe"},
    "sax": {"lead": "sax", "counter": "sax"},
    "muted trumpet": {"lead": "muted trumpet", "counter": "muted trumpet"},
    "trumpet": {"lead": "trumpet", "counter": "trumpet"},
    "horn": {"counter": "horn", "lead": "horn", "pad": "horns"},
    "brass": {"counter": "brass", "lead": "trumpet", "pad": "horns", "chords": "brass", "bass": "tuba"},
    "choir": {"pad": "choir", "counter": "oohs", "lead": "choir"},
    "power guitar": {"chords": "power guitar", "lead": "lead guitar"},
    "clean guitar": {"chords": "clean guitar", "lead": "clean guitar"},
    "nylon guitar": {"chords": "nylon guitar", "lead": "nylon guitar"},
    "guitar": {"chords": "guitar", "lead": "guitar"},
    "ukulele": {"chords": "ukulele", "lead": "ukulele"},
    "banjo": {"chords": "banjo", "lead": "banjo"},
    "mandolin": {"lead": "mandolin", "chords": "mandolin"},
    "lute": {"chords": "lute", "lead": "lute"},
    "koto": {"lead": "koto", "chords": "koto"},
    "sitar": {"lead": "sitar", "chords": "sitar"},
    "sub bass": {"bass": "sub bass"},
    "synth bass": {"bass": "synth bass"},
    "upright bass": {"bass": "upright bass"},
    "slap bass": {"bass": "slap bass"},
    "bass": {"bass": ""},  # the style's own
    "pad": {"pad": "synth pad"},
    "arpeggio": {"chords": "synth pluck"},
    "synth": {"lead": "synth lead", "pad": "synth pad", "chords": "synth pluck", "bass": "synth bass"},
    "chip": {"lead": "pulse lead", "chords": "pulse arpeggio", "bass": "triangle bass", "counter": "pulse thin"},
    "taiko": {"percussion": "taiko"},
    "timpani": {"percussion": "timpani"},
    "snare": {"percussion": "march"},
    "hands": {"percussion": "hands"},
    "claps": {"percussion": "claps"},
    "drums": {"drums": ""},
    "rain": {"texture": "rain"},
    "vinyl": {"texture": "vinyl"},
    "wind": {"texture": "wind"},
    "sea": {"texture": "sea"},
    "fire": {"texture": "fire"},
    "night": {"texture": "night"},
}
