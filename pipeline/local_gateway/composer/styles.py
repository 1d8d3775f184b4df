"""What each genre brings of its own: its usual tempo, players, figures, drums and room."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True)
class Style:
    """A genre's habits. Where a role has several players, the piece picks one; where it has none, nobody plays it."""

    tempo_bpm: tuple[float, float]
    lead: tuple[str, ...]
    chords: tuple[str, ...]
    bass: tuple[str, ...]
    pad: tuple[str, ...] = ()
    counter: tuple[str, ...] = ()
    kit: str = ""
    grooves: tuple[str, ...] = ()
    figures: tuple[str, ...] = ()  # how chords are broken up, where the player can
    bass_figures: tuple[str, ...] = ("held",)
    richness: int = 3  # tones in a chord
    swing: float = 0.5  # where the off-beat falls within a beat
    looseness_s: float = 0.007  # standard deviation of a player's timing
    room: str = "hall"
    colour: str = "clear"  # the master's tone
    density: float = 0.5  # of the melody's notes
    ducking: float = 0.0  # how far pads sink under the kick
    textures: tuple[str, ...] = ()
    harmony: str = ""  # a family of progressions of its own
    metres: tuple[str, ...] = field(default=("4/4",))


STYLES: Final[dict[str, Style]] = {
    "orchestral": Style(
        (84, 112), ("violins", "flute", "oboe", "horn"), ("harp", "pizzicato", "spiccato"), ("cellos",),
        ("strings",), ("horns", "cello", "oboe"), "kit orchestra", ("orchestra",),
        ("arpeggio", "ostinato", "broken"), ("held", "root fifth"), room="hall", density=0.45, looseness_s=0.01,
    ),
    "epic": Style(
        (112, 142), ("horns", "violins", "trumpet"), ("spiccato",), ("cellos",), ("strings", "choir"),
        ("brass", "choir"), "kit orchestra", ("orchestra",), ("ostinato",), ("eighths",), room="hall", density=0.4,
        looseness_s=0.008,
    ),
    "suspense": Style(
        (76, 104), ("cello", "celesta", "violin"), ("pizzicato", "spiccato"), ("cellos",), ("strings",),
        ("oohs", "clarinet"), "kit orchestra", ("orchestra",), ("ostinato", "sparse", "pulse"), ("held", "eighths"),
        room="cathedral", density=0.3, looseness_s=0.012,
    ),
    "lofi": Style(
        (72, 88), ("electric piano", "vibraphone", "muted guitar", "soft lead"), ("electric piano", "nylon guitar"),
        ("upright bass", "sub bass"), ("warm pad",), ("vibraphone", "flute"), "kit lofi", ("lofi", "lofi lazy"),
        ("comp", "block"), ("syncopated",), 5, 0.59, 0.009, "room", "dusty", 0.35, 0.25, ("vinyl",), "jazz",
    ),
    "chiptune": Style(
        (124, 156), ("pulse lead", "pulse thin"), ("pulse arpeggio",), ("triangle bass",), (), ("pulse thin",),
        "kit chip", ("chip", "four"), ("pulse", "held"), ("octaves", "eighths"), looseness_s=0.0, room="dry",
        colour="clear", density=0.75,
    ),
    "rock": Style(
        (112, 146), ("lead guitar",), ("power guitar", "power guitar", "clean guitar"), ("electric bass",), (), ("organ",),
        "kit rock", ("rock", "rock drive"), ("chug", "strum"), ("eighths",), room="room", colour="warm", density=0.5,
    ),
    "metal": Style(
        (140, 176), ("lead guitar",), ("power guitar",), ("electric bass",), (), ("choir",), "kit rock",
        ("metal", "rock drive"), ("chug",), ("eighths",), room="room", colour="clear", density=0.6, looseness_s=0.004,
    ),
    "jazz": Style(
        (116, 168), ("sax", "muted trumpet", "vibraphone", "piano"), ("piano", "clean guitar"), ("upright bass",), (),
        ("muted trumpet", "vibraphone"), "kit jazz", ("swing",), ("comp",), ("walking",), 4, 0.64, 0.009, "room",
        "warm", 0.6, harmony="jazz",
    ),
    "latin": Style(
        (108, 134), ("flute", "trumpet", "nylon guitar"), ("nylon guitar", "piano"), ("upright bass",), (),
        ("vibraphone", "trumpet"), "kit hands", ("bossa", "latin"), ("bossa", "comp"), ("bossa",), 4,
        looseness_s=0.008, room="room", colour="warm", density=0.5, harmony="jazz",
    ),
    "reggae": Style(
        (72, 88), ("harmonica", "organ", "sax"), ("clean guitar", "organ"), ("electric bass",), ("organ",),
        ("trumpet",), "kit rock", ("one drop",), ("skank",), ("syncopated",), swing=0.55, room="plate", colour="warm",
        density=0.4,
    ),
    "funk": Style(
        (100, 118), ("clavinet", "sax", "synth lead"), ("clean guitar", "clavinet", "electric piano"),
        ("slap bass", "electric bass"), (), ("brass",), "kit rock", ("funk", "disco"), ("stabs", "comp"),
        ("funk", "octaves"), 4, 0.52, 0.005, "room", "clear", 0.55,
    ),
    "blues": Style(
        (84, 116), ("harmonica", "lead guitar", "piano"), ("piano", "guitar", "organ"), ("electric bass",), (),
        ("organ",), "kit rock", ("shuffle",), ("comp", "block"), ("walking",), 4, 0.65, 0.009, "room", "warm", 0.45,
        harmony="blues",
    ),
    "ambient": Style(
        (62, 78), ("bells", "piano", "flute"), ("harp", "glass keys", "piano"), ("drone",), ("glass pad", "warm pad"),
        ("oohs",), "", (), ("sparse", "arpeggio"), ("held",), 5, looseness_s=0.018, room="cathedral", colour="soft",
        density=0.15, harmony="ambient",
    ),
    "synthwave": Style(
        (92, 114), ("synth lead",), ("synth pluck",), ("synth bass",), ("synth pad",), ("fm bells", "synth brass"),
        "kit eighties", ("eighties",), ("pulse",), ("eighths", "octaves"), looseness_s=0.001, room="plate",
        colour="wide", density=0.45, ducking=0.35,
    ),
    "electronic": Style(
        (122, 132), ("synth lead", "glass keys"), ("rave stab", "synth pluck"), ("synth bass", "fm bass"),
        ("supersaw", "synth pad"), ("synth pluck",), "kit machine", ("house", "four"), ("offbeat", "pulse", "stabs"),
        ("offbeat", "octaves"), looseness_s=0.0, room="plate", colour="wide", density=0.5, ducking=0.6,
    ),
    "drum and bass": Style(
        (170, 176), ("synth lead", "fm bells"), ("glass keys", "rave stab"), ("reese bass", "sub bass"),
        ("synth pad",), ("oohs",), "kit machine", ("breakbeat",), ("sparse", "stabs"), ("held", "syncopated"), 4,
        looseness_s=0.001, room="plate", colour="wide", density=0.25, ducking=0.3,
    ),
    "hiphop": Style(
        (78, 94), ("bells", "synth pluck", "piano"), ("electric piano", "piano", "glass keys"), ("sub bass",),
        ("warm pad",), ("flute",), "kit machine", ("boom bap", "trap"), ("block", "comp"), ("syncopated",), 4,
        0.54, 0.006, "room", "warm", 0.35, 0.2,
    ),
    "folk": Style(
        (92, 120), ("fiddle", "whistle", "guitar", "flute"), ("guitar", "mandolin", "lute"), ("upright bass",), (),
        ("accordion", "cello"), "kit hands", ("folk", "stomp"), ("strum", "picking"), ("root fifth",),
        looseness_s=0.009, room="room", colour="warm", density=0.55, harmony="folk",
    ),
    "classical": Style(
        (92, 126), ("piano", "violin", "flute"), ("piano", "pizzicato"), ("cellos",), ("strings",), ("cello", "oboe"),
        "", (), ("alberti", "arpeggio", "broken"), ("held", "root fifth"), looseness_s=0.012, room="hall", density=0.55,
    ),
    "pop": Style(
        (108, 126), ("glockenspiel", "whistle", "piano"), ("ukulele", "guitar", "piano"), ("electric bass",),
        ("strings", "synth pad"), ("glockenspiel", "oohs"), "kit rock", ("pop", "four"), ("strum", "block"),
        ("syncopated", "eighths"), room="room", colour="clear", density=0.5,
    ),
    "march": Style(
        (108, 120), ("trumpet", "flute", "clarinet"), ("brass", "horns"), ("tuba",), (), ("horn", "clarinet"),
        "kit orchestra", ("march",), ("offbeat", "oompah"), ("root fifth",), room="hall", density=0.5,
        metres=("4/4", "2/4"),
    ),
}  # fmt: skip
