"""Drum patterns as they're written down: sixteen places in a bar of four beats.

`X` an accent, `x` a stroke, `o` a soft one, `.` nothing.
"""

from __future__ import annotations

from typing import Final

STROKES: Final[dict[str, float]] = {"X": 0.95, "x": 0.75, "o": 0.45, ",": 0.28}

GROOVES: Final[dict[str, dict[str, str]]] = {
    "rock": {"kick": "X.....x.X.....x.", "snare": "....X.......X...", "hat": "x.o.x.o.x.o.x.o."},
    "rock drive": {"kick": "X...x...X.x.x...", "snare": "....X.......X...", "hat": "X.x.X.x.X.x.X.x."},
    "metal": {"kick": "XxxxX.xxX.xxXxxx", "snare": "....X.......X...", "ride": "X...X...X...X..."},
    "pop": {
        "kick": "X.....x.x.......", "snare": "....X.......X...", "hat": "x.o.x.o.x.o.x.o.", "clap": "....o.......o...",
    },
    "four": {"kick": "X...X...X...X...", "snare": "....x.......x...", "hat": "..x...x...x...x."},
    "house": {
        "kick": "X...X...X...X...", "clap": "....X.......X...", "open": "..x...x...x...x.", "hat": "o.,.o.,.o.,.o.,o",
    },
    "lofi": {
        "kick": "X......xX.......", "snare": "....x.......x...", "ghost": ".......o......,.", "hat": "x.o.x.o.x.o.x.oo",
    },
    "lofi lazy": {"kick": "X.....x...x.....", "snare": "....x.......x..,", "hat": "x.o.x.,.x.o.x.o."},
    "boom bap": {
        "kick": "X..x....x.x.....", "snare": "....X.......X...", "ghost": ".........o.....o", "hat": "x.x.x.x.x.x.x.x.",
    },
    "trap": {
        "kick": "X.....x...x.....", "clap": "........X.......", "hat": "x.x.x.xxx.x.xoxo", "open": "..............o.",
    },
    "eighties": {"kick": "X.......X.x.....", "snare": "....X.......X...", "hat": "x.o.x.o.x.o.x.o."},
    "breakbeat": {
        "kick": "X.........x.....", "snare": "....X.......X...", "ghost": ".......o.o.....o", "hat": "x.x.x.x.x.x.x.x.",
    },
    "chip": {"kick": "X.....x.X.......", "snare": "....X.......X..o", "hat": "x.x.x.x.x.x.x.x."},
    "swing": {
        "ride": "X...X.o.X...X.o.", "pedal": "....x.......x...", "kick": "o...o...o...o...",
        "ghost": "......,.......o.",
    },
    "shuffle": {"kick": "X.....o.x.....o.", "snare": "....X.......X...", "ride": "x.o.x.o.x.o.x.o."},
    "bossa": {"rim": "x.....x.....x...", "kick": "X.....o.X.....o.", "shaker": "X.o.X.o.X.o.X.o."},
    "latin": {
        "conga": "..x...x...x.xx..", "cowbell": "x...x...x...x...", "shaker": "xoooxoooxoooxooo",
        "kick": "x.......x.......",
    },
    "one drop": {"kick": "........X.......", "rim": "........X.......", "hat": "x.o.x.o.x.o.x.oo"},
    "funk": {"kick": "X.x.......x..x..", "snare": "....X..o.o..X..o", "hat": "xoxoxoxoxoxoxoxo"},
    "disco": {
        "kick": "X...X...X...X...", "snare": "....X.......X...", "open": "..x...x...x...x.", "hat": "x...x...x...x...",
    },
    "folk": {"cajon": "X.....o.x.o.....", "slap": "....x.......x...", "shaker": "x.o.x.o.x.o.x.o."},
    "stomp": {"stomp": "X.......X.......", "clap": "....X.......X...", "tambourine": "..o...o...o...o."},
    "march": {"snare": "X..ox.o.X..ox.oo", "kick": "X.......x......."},
    "orchestra": {"kick": "X...............", "snare": "............o.oo"},
    "taiko": {"taiko": "X.....x.X..x..x.", "low": "....x.......x...", "ka": "..o...o...o...o."},
    "hands": {"conga": "x..o..x...x.x...", "shaker": "x.o.x.o.x.o.x.o."},
    "claps": {"clap": "....X.......X...", "snap": "............o..."},
}  # fmt: skip

FILLS: Final[tuple[dict[str, str], ...]] = (  # the last two beats of a phrase
    {"high": "xxx.....", "mid": "...xx...", "low": ".....xxX"},
    {"snare": "x.xxx.xX"},
    {"snare": "xx......", "high": "..xx....", "mid": "....xx..", "low": "......xX"},
    {"snare": "X..X..X.", "kick": ".x..x..x"},
)
FILL_KITS: Final[dict[str, tuple[int, ...]]] = {  # which fills suit which kit
    "kit rock": (0, 1, 2, 3), "kit machine": (1, 3), "kit eighties": (0, 2), "kit chip": (1, 2, 3), "kit lofi": (3,),
    "kit jazz": (1, 3), "kit orchestra": (0, 2), "kit hands": (),
}  # fmt: skip
LIGHT: Final = frozenset(
    {"hat", "ride", "shaker", "rim", "pedal", "tambourine", "brush", "snap"}
)  # what an intro may have
