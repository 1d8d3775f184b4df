"""What each genre brings of its own: its usual tempo, players, figures, drums and room."""

from __future__ import annotations

from dataclasses import dataclass
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
    pumping: float = 0.0  # how far chords sink under the beat
    textures: tuple[str, ...] = ()
    harmony: str = ""  # a family of progressions of its own


STYLES: Final[dict[str, Style]] = {
    "orchestral": Style(
        tempo_bpm=(84, 112), lead=("violins", "flute", "oboe", "horn"), chords=("harp", "pizzicato", "spiccato"),
        bass=("cellos",), pad=("strings",), counter=("horns", "cello", "oboe"), kit="kit orchestra",
        grooves=("orchestra",), figures=("arpeggio", "ostinato", "broken"), bass_figures=("held", "root fifth"),
        density=0.45, looseness_s=0.01,
    ),
    "epic": Style(
        tempo_bpm=(112, 142), lead=("horns", "violins", "trumpet"), chords=("spiccato",), bass=("cellos",),
        pad=("strings", "choir"), counter=("brass", "choir"), kit="kit orchestra", grooves=("orchestra",),
        figures=("ostinato",), bass_figures=("eighths",), density=0.4, looseness_s=0.008,
    ),
    "suspense": Style(
        tempo_bpm=(76, 104), lead=("cello", "celesta", "violin"), chords=("pizzicato", "spiccato"), bass=("cellos",),
        pad=("strings",), counter=("oohs", "clarinet"), kit="kit orchestra", grooves=("orchestra",),
        figures=("ostinato", "sparse", "pulse"), bass_figures=("held", "eighths"), room="cathedral", density=0.3,
        looseness_s=0.012,
    ),
    "lofi": Style(
        tempo_bpm=(72, 88), lead=("electric piano", "vibraphone", "muted guitar", "soft lead"),
        chords=("electric piano", "nylon guitar"), bass=("upright bass", "sub bass"), pad=("warm pad",),
        counter=("vibraphone", "flute"), kit="kit lofi", grooves=("lofi", "lofi lazy"), figures=("comp", "block"),
        bass_figures=("syncopated",), richness=5, swing=0.59, looseness_s=0.009, room="room", colour="dusty",
        density=0.35, pumping=0.25, textures=("vinyl",), harmony="jazz",
    ),
    "chiptune": Style(
        tempo_bpm=(124, 156), lead=("pulse lead", "pulse thin"), chords=("pulse arpeggio",), bass=("triangle bass",),
        counter=("pulse thin",), kit="kit chip", grooves=("chip", "four"), figures=("pulse", "held"),
        bass_figures=("octaves", "eighths"), looseness_s=0.0, room="dry", density=0.75,
    ),
    "rock": Style(
        tempo_bpm=(112, 146), lead=("lead guitar",), chords=("power guitar", "power guitar", "clean guitar"),
        bass=("electric bass",), counter=("organ",), kit="kit rock", grooves=("rock", "rock drive"),
        figures=("chug", "strum"), bass_figures=("eighths",), room="room", colour="warm",
    ),
    "metal": Style(
        tempo_bpm=(140, 176), lead=("lead guitar",), chords=("power guitar",), bass=("electric bass",),
        counter=("choir",), kit="kit rock", grooves=("metal", "rock drive"), figures=("chug",),
        bass_figures=("eighths",), room="room", density=0.6, looseness_s=0.004,
    ),
    "jazz": Style(
        tempo_bpm=(116, 168), lead=("sax", "muted trumpet", "vibraphone", "piano"), chords=("piano", "clean guitar"),
        bass=("upright bass",), counter=("muted trumpet", "vibraphone"), kit="kit jazz", grooves=("swing",),
        figures=("comp",), bass_figures=("walking",), richness=4, swing=0.64, looseness_s=0.009, room="room",
        colour="warm", density=0.6, harmony="jazz",
    ),
    "latin": Style(
        tempo_bpm=(108, 134), lead=("flute", "trumpet", "nylon guitar"), chords=("nylon guitar", "piano"),
        bass=("upright bass",), counter=("vibraphone", "trumpet"), kit="kit hands", grooves=("bossa", "latin"),
        figures=("bossa", "comp"), bass_figures=("bossa",), richness=4, looseness_s=0.008, room="room",
        colour="warm", harmony="jazz",
    ),
    "reggae": Style(
        tempo_bpm=(72, 88), lead=("harmonica", "organ", "sax"), chords=("clean guitar", "organ"),
        bass=("electric bass",), pad=("organ",), counter=("trumpet",), kit="kit rock", grooves=("one drop",),
        figures=("skank",), bass_figures=("syncopated",), swing=0.55, room="plate", colour="warm", density=0.4,
    ),
    "funk": Style(
        tempo_bpm=(100, 118), lead=("clavinet", "sax", "synth lead"),
        chords=("clean guitar", "clavinet", "electric piano"), bass=("slap bass", "electric bass"),
        counter=("brass",), kit="kit rock", grooves=("funk", "disco"), figures=("stabs", "comp"),
        bass_figures=("funk", "octaves"), richness=4, swing=0.52, looseness_s=0.005, room="room", density=0.55,
    ),
    "blues": Style(
        tempo_bpm=(84, 116), lead=("harmonica", "lead guitar", "piano"), chords=("piano", "guitar", "organ"),
        bass=("electric bass",), counter=("organ",), kit="kit rock", grooves=("shuffle",), figures=("comp", "block"),
        bass_figures=("walking",), richness=4, swing=0.65, looseness_s=0.009, room="room", colour="warm",
        density=0.45, harmony="blues",
    ),
    "ambient": Style(
        tempo_bpm=(62, 78), lead=("bells", "piano", "flute"), chords=("harp", "glass keys", "piano"),
        bass=("drone",), pad=("glass pad", "warm pad"), counter=("oohs",), figures=("sparse", "arpeggio"),
        richness=5, looseness_s=0.018, room="cathedral", colour="soft", density=0.15, harmony="ambient",
    ),
    "synthwave": Style(
        tempo_bpm=(92, 114), lead=("synth lead",), chords=("synth pluck",), bass=("synth bass",), pad=("synth pad",),
        counter=("fm bells", "synth brass"), kit="kit eighties", grooves=("eighties",), figures=("pulse",),
        bass_figures=("eighths", "octaves"), looseness_s=0.001, room="plate", colour="wide", density=0.45,
        pumping=0.35,
    ),
    "electronic": Style(
        tempo_bpm=(122, 132), lead=("synth lead", "glass keys"), chords=("rave stab", "synth pluck"),
        bass=("synth bass", "fm bass"), pad=("supersaw", "synth pad"), counter=("synth pluck",), kit="kit machine",
        grooves=("house", "four"), figures=("offbeat", "pulse", "stabs"), bass_figures=("offbeat", "octaves"),
        looseness_s=0.0, room="plate", colour="wide", pumping=0.6,
    ),
    "drum and bass": Style(
        tempo_bpm=(170, 176), lead=("synth lead", "fm bells"), chords=("glass keys", "rave stab"),
        bass=("reese bass", "sub bass"), pad=("synth pad",), counter=("oohs",), kit="kit machine",
        grooves=("breakbeat",), figures=("sparse", "stabs"), bass_figures=("held", "syncopated"), richness=4,
        looseness_s=0.001, room="plate", colour="wide", density=0.25, pumping=0.3,
    ),
    "hiphop": Style(
        tempo_bpm=(78, 94), lead=("bells", "synth pluck", "piano"), chords=("electric piano", "piano", "glass keys"),
        bass=("sub bass",), pad=("warm pad",), counter=("flute",), kit="kit machine", grooves=("boom bap", "trap"),
        figures=("block", "comp"), bass_figures=("syncopated",), richness=4, swing=0.54, looseness_s=0.006,
        room="room", colour="warm", density=0.35, pumping=0.2,
    ),
    "folk": Style(
        tempo_bpm=(92, 120), lead=("fiddle", "whistle", "guitar", "flute"), chords=("guitar", "mandolin", "lute"),
        bass=("upright bass",), counter=("accordion", "cello"), kit="kit hands", grooves=("folk", "stomp"),
        figures=("strum", "picking"), bass_figures=("root fifth",), looseness_s=0.009, room="room", colour="warm",
        density=0.55, harmony="folk",
    ),
    "classical": Style(
        tempo_bpm=(92, 126), lead=("piano", "violin", "flute"), chords=("piano", "pizzicato"), bass=("cellos",),
        pad=("strings",), counter=("cello", "oboe"), figures=("alberti", "arpeggio", "broken"),
        bass_figures=("held", "root fifth"), looseness_s=0.012, density=0.55,
    ),
    "pop": Style(
        tempo_bpm=(108, 126), lead=("glockenspiel", "whistle", "piano"), chords=("ukulele", "guitar", "piano"),
        bass=("electric bass",), pad=("strings", "synth pad"), counter=("glockenspiel", "oohs"), kit="kit rock",
        grooves=("pop", "four"), figures=("strum", "block"), bass_figures=("syncopated", "eighths"), room="room",
    ),
    "march": Style(
        tempo_bpm=(108, 120), lead=("trumpet", "flute", "clarinet"), chords=("brass", "horns"), bass=("tuba",),
        counter=("horn", "clarinet"), kit="kit orchestra", grooves=("march",), figures=("offbeat", "oompah"),
        bass_figures=("root fifth",),
    ),
}  # fmt: skip
