"""The words that prompts are written in, and what each asks of the music. Words are regular expressions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

TEMPOS: Final[tuple[tuple[str, tuple[float, float]], ...]] = (  # the first that matches
    (r"very slow(ly)?|extremely slow|grave|larghissimo", (46, 56)),
    (r"very fast|extremely fast|prestissimo|frantic|breakneck", (176, 192)),
    (r"presto", (168, 184)),
    (r"vivace|vivacious", (152, 168)),
    (r"allegretto", (108, 120)),
    (r"allegro", (124, 144)),
    (r"moderato|mid[- ]?tempo|medium[- ]tempo|medium tempo|moderate tempo", (100, 112)),
    (r"andantino", (84, 96)),
    (r"andante|walking pace", (76, 90)),
    (r"adagio", (62, 74)),
    (r"larghetto", (60, 68)),
    (r"largo|lento|lentamente", (48, 60)),
    (r"slow|slowly|slower|slow[- ]paced|unhurried", (62, 76)),
    (r"fast|quick|rapid|fast[- ]paced|up[- ]?tempo|speedy", (140, 160)),
    (r"upbeat|lively", (116, 132)),
    (r"laid[- ]back|relaxed tempo", (76, 88)),
)

MODES: Final[tuple[tuple[str, str], ...]] = (
    (r"harmonic minor", "harmonic minor"),
    (r"phrygian dominant|arabic|arabian|middle[- ]eastern|egyptian|hijaz|klezmer|oriental", "phrygian dominant"),
    (r"natural minor|aeolian", "minor"),
    (r"mixolydian", "mixolydian"),
    (r"phrygian|flamenco", "phrygian"),
    (r"dorian", "dorian"),
    (r"lydian", "lydian"),
    (r"locrian", "locrian"),
    (r"ionian", "major"),
    (r"minor (?:key|mode|scale|tonality)|in minor", "minor"),
    (r"major (?:key|mode|scale|tonality)|in major", "major"),
)

METRES: Final[tuple[tuple[str, str], ...]] = (
    (r"(?P<written>(?:4/4|3/4|2/4|5/4|6/4|7/4|5/8|7/8|6/8|9/8|12/8))", ""),
    (r"waltz(?:es|ing)?|triple (?:time|metre|meter)|minuet|mazurka|in three", "3/4"),
    (r"jig|tarantella|barcarolle|sea shanty|compound (?:time|metre|meter)|in six", "6/8"),
    (r"in five", "5/4"),
    (r"in seven|odd (?:metre|meter|time)", "7/8"),
    (r"common time|four on the floor|duple", "4/4"),
    (r"polka", "2/4"),
)


@dataclass(frozen=True, slots=True)
class Mood:
    words: str
    energy: float
    valence: float
    tension: float


MOODS: Final[dict[str, Mood]] = {
    "calm": Mood(
        r"calm|peaceful|relax(?:ed|ing)|gentle|soft|serene|tranquil|sooth(?:e|ing)|chill(?:ed|out)?|mellow|quiet|cozy|"
        r"cosy|sleepy?|meditat(?:ive|ion)|delicate|warm|low[- ]intensity|intimate|safe",
        -0.3, 0.2, -0.2,
    ),
    "dark": Mood(
        r"dark|ominous|sinister|gloomy|evil|brooding|grim|bleak|haunt(?:ed|ing)|villain|dungeon|underworld|lich|gothic|"
        r"menacing|shadow(?:y|s)?",
        0.0, -0.6, 0.3,
    ),
    "epic": Mood(
        r"epic|grand|powerful|massive|battle|boss|war|anthemic|dragon|high[- ]intensity|climactic|legendary|"
        r"final fight|siege|apocalyp(?:se|tic)",
        0.4, -0.05, 0.15,
    ),
    "heroic": Mood(
        r"heroic|heroes?|majestic|triumphant|victor(?:y|ious)|glorious|fanfare|royal|coronation|superhero|win(?:ning)?|"
        r"level[- ]up|achievement|championship",
        0.25, 0.5, 0.0,
    ),
    "happy": Mood(
        r"happy|cheer(?:ful|y)|joy(?:ful|ous)?|upbeat|playful|fun|funny|sunny|uplifting|bouncy|quirky|cute|whimsical|"
        r"festive|celebrat(?:ion|ory)|jolly|merry|optimistic|feel[- ]good|silly|carefree",
        0.2, 0.7, -0.15,
    ),
    "sad": Mood(
        r"sad|melanchol(?:ic|y)|sorrow(?:ful)?|tragic|lonely|longing|mourn(?:ful|ing)|grief|bittersweet|tearful|"
        r"regret(?:ful)?|elegiac|lament|heartbroken|wistful|nostalgic",
        -0.25, -0.6, 0.0,
    ),
    "tense": Mood(
        r"tens(?:e|ion)|suspens(?:e|eful)|scary|horror|creepy|nervous|danger(?:ous)?|stealth|urgent|thriller|anxious|"
        r"unsettling|dread|panic|frightening|spooky|terrifying",
        0.1, -0.4, 0.6,
    ),
    "bright": Mood(
        r"bright|shiny|sparkl(?:e|ing|y)|fresh|spring|radiant|airy|light[- ]hearted|glittering|crisp|morning|summer",
        0.1, 0.5, -0.1,
    ),
    "mysterious": Mood(
        r"myster(?:y|ious)|enigmatic|eerie|magic(?:al)?|mystical|dream(?:y|like)|ethereal|wonder(?:ous)?|ancient|"
        r"otherworldly|enchanted|fairy|space|cosmic|underwater|strange",
        -0.1, -0.15, 0.25,
    ),
    "romantic": Mood(r"romantic|love|tender|emotional|heartfelt|sentimental|touching|lush", -0.1, 0.25, 0.0),
    "hopeful": Mood(r"hope(?:ful)?|inspir(?:ing|ational)|motivat(?:ing|ional)|soaring|adventur(?:e|ous)|exploration|"
                    r"journey|proud|noble", 0.1, 0.4, 0.0),
    "energetic": Mood(
        r"energetic|driving|action|chase|racing|aggressive|heavy|wild|hard|pumping|intense|furious|dynamic|punchy|"
        r"exciting|relentless|frenetic|party|dance",
        0.35, 0.05, 0.1,
    ),
}  # fmt: skip

# The first line's genres win over the second's ("lo-fi hip hop" is lo-fi); within a line the earlier mention wins.
SPECIAL_GENRES: Final[frozenset[str]] = frozenset({"lofi", "chiptune", "synthwave", "drum and bass", "metal"})
GENRES: Final[dict[str, str]] = {
    "lofi": r"lo[- ]?fi|study beats?|chillhop",
    "chiptune": r"chip[- ]?tune|8[- ]?bit|16[- ]?bit|nes|game ?boy|retro (?:video ?)?game|arcade|pixel",
    "synthwave": r"synth[- ]?wave|retro[- ]?wave|outrun|vapou?rwave|80s|eighties|cyberpunk|neon",
    "drum and bass": r"drum (?:and|&|n'?) bass|drum'?n'?bass|dnb|d&b|jungle|breakbeat",
    "metal": r"metal|djent|thrash|metalcore",
    "rock": r"rock|punk|grunge|surf|hard rock|post-rock|indie",
    "jazz": r"jazz(?:y)?|swing|bebop|big band|lounge|noir|smooth jazz|ragtime|dixieland",
    "latin": r"latin|bossa(?: ?nova)?|samba|salsa|rumba|mambo|cha[- ]cha|tango|tropical|calypso|mariachi",
    "reggae": r"reggae|ska|dub|dancehall|caribbean",
    "funk": r"funk(?:y)?|disco|soul|groovy|motown",
    "blues": r"blues(?:y)?",
    "ambient": r"ambient|drones?|meditation|new age|soundscape|atmospheric|atmosphere|spa|sleep music",
    "hiphop": r"hip[- ]?hop|trap|boom[- ]?bap|rap|drill|phonk",
    "electronic": r"electronic(?:a)?|edm|house|techno|trance|dance music|club|dubstep|electro|eurodance|rave|"
                  r"idm|future bass",
    "folk": r"folk|acoustic|country|celtic|irish|medieval|tavern|bluegrass|bard|pirate|shanty|western|renaissance|"
            r"viking|nordic|village|americana|fantasy town",
    "classical": r"classical|baroque|sonata|concerto|chamber|nocturne|etude|minuet|romantic era|string quartet|lullaby|"
                 r"waltz|ballet|music box",
    "pop": r"pop|jingle|corporate|advert(?:isement|ising)?|ad|commercial|radio|ident|logo|indie pop|ukulele|"
           r"podcast|vlog",
    "march": r"march(?:ing)?|military|parade|marching band",
    "orchestral": r"orchestra(?:l)?|cinematic|symphon(?:y|ic)|film score|soundtrack|trailer|movie|fanfare|"
                  r"overture|hollywood",
}  # fmt: skip

# Families in the order in which they are looked for; a longer name that contains a shorter one comes first.
FAMILIES: Final[dict[str, str]] = {
    "electric piano": r"electric pianos?|rhodes|wurlitzer|e-?piano|e\.?p\.? keys|electric keys",
    "toy piano": r"toy pianos?",
    "piano": r"pianos?|grand piano|keys",
    "harpsichord": r"harpsichords?|cembalo|clavichord",
    "organ": r"organs?|hammond|church organ",
    "accordion": r"accordions?|concertina|musette|bandoneon|squeezebox",
    "harmonica": r"harmonicas?|mouth organ",
    "bagpipe": r"bag ?pipes?|pipes and drums",
    "music box": r"music box(?:es)?",
    "celesta": r"celestas?|celeste",
    "glockenspiel": r"glockenspiels?|chimes?|sparkles?",
    "vibraphone": r"vibraphones?|vibes",
    "marimba": r"marimbas?|balafon",
    "xylophone": r"xylophones?",
    "kalimba": r"kalimbas?|mbira|thumb piano|hang drum|handpan",
    "steel drum": r"steel (?:drums?|pans?)",
    "bells": r"bells?|tubular bells|church bells|carillon|jingle bells",
    "pizzicato": r"pizzicatos?|pizz|plucked strings",
    "violin": r"violins?|viola",
    "fiddle": r"fiddles?|hurdy[- ]gurdy|nyckelharpa",
    "cello": r"cellos?|celli",
    "strings": r"strings?|string (?:section|quartet|orchestra|ensemble)|orchestra(?:l)?",
    "harp": r"harps?|lyre",
    "flute": r"flutes?|piccolo|ocarina|recorders?|pan ?pipes?|pan flute|shakuhachi|woodwinds?",
    "whistle": r"whistl(?:e|es|ing)|tin whistle|penny whistle",
    "clarinet": r"clarinets?|bassoons?",
    "oboe": r"oboes?|english horn|cor anglais|duduk|shawm",
    "sax": r"sax(?:es)?|saxophones?",
    "muted trumpet": r"muted trumpets?",
    "trumpet": r"trumpets?|bugle|cornet|mariachi",
    "horn": r"(?:french )?horns?",
    "brass": r"brass|trombones?|tubas?|fanfares?|big band",
    "choir": r"choirs?|choral|chorus(?:es)?|chant(?:ing|s)?|vocals?|voices?|gregorian|aahs?|oohs?",
    "power guitar": r"distort(?:ed|ion) guitars?|electric guitars?|overdriven guitars?|power chords?|heavy guitars?|"
                    r"guitar riffs?|shredding",
    "clean guitar": r"clean guitars?|jazz guitars?|funk guitars?|surf guitars?",
    "nylon guitar": r"nylon(?:[- ]string)? guitars?|spanish guitars?|classical guitars?|flamenco guitars?",
    "guitar": r"(?:acoustic )?guitars?",
    "ukulele": r"ukuleles?|ukelele|uke",
    "banjo": r"banjos?",
    "mandolin": r"mandolins?|bouzouki|balalaika",
    "lute": r"lutes?|oud",
    "koto": r"kotos?|shamisen|guzheng|pipa|erhu",
    "sitar": r"sitars?|tanpura",
    "sub bass": r"808s?|sub[- ]?bass|deep bass",
    "synth bass": r"synth(?:esi[sz]er)?[- ]bass(?:es|line)?|acid|reese",
    "upright bass": r"upright bass|double bass(?:es)?|walking bass|contrabass|acoustic bass",
    "slap bass": r"slap(?:ped)? bass",
    "bass": r"bass(?:es)?|bass ?line|bass guitar|electric bass",
    "pad": r"(?:synth |warm |soft )?pads?|synth strings",
    "arpeggio": r"arps?|arpeggi(?:o|os|ator|ated|ators)|sequencer",
    "synth": r"synth(?:s|esi[sz]ers?)?|analog(?:ue)?|moog|juno|saw(?: ?tooth)? lead|supersaws?",
    "chip": r"chip[- ]?tune|8[- ]?bit|square waves?|pulse waves?|nes|game ?boy",
    "taiko": r"taikos?|war drums?|tribal drums?|epic drums?|big drums?|toms|cinematic percussion|tribal",
    "timpani": r"timpani|kettle ?drums?",
    "snare": r"snares?|marching drums?|military drums?",
    "hands": r"hand percussion|congas?|bongos?|shakers?|tambourines?|cajon|djembe|maracas|hand drums?|"
             r"(?:light )?percussion",
    "claps": r"(?:hand ?)?claps?|clapping|finger snaps|snaps|stomps?",
    "drums": r"drums?|drum ?kit|kit|beats?|breakbeats?|drum machine|backbeat|four on the floor",
    "rain": r"rain(?:y|drops|fall)?|thunderstorm",
    "vinyl": r"vinyl|crackl(?:e|ing|es)|record noise|tape hiss|dusty",
    "wind": r"wind(?:s|y)?|blizzard|snowstorm",
    "sea": r"sea|ocean|waves|surf sounds|beach|seaside|harbou?r",
    "fire": r"fire(?:place)?|campfire|bonfire",
    "night": r"crickets?|night ambience|forest at night|cicadas?",
}  # fmt: skip

LOOP: Final = r"loop(?:s|ed|ing|able)?|seamless(?:ly)?|endless(?:ly)?"
SWUNG: Final = r"swing|swung|shuffle|shuffled|triplet feel"
ALONE: Final = r"solo|only|unaccompanied|a ?cappella|just"
DENIED: Final = r"(?:no|without(?: any)?|minus|sans|not|free of|except(?: the)?)"
