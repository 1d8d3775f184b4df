"""Names that may stand, names that collide, and names that a pattern picks."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from manifest_texts import HEAD, track_mistakes, tracks, whole

from pipeline.manifest import ManifestMistakes, check_together, matches, parse_manifest
from pipeline.manifest.names import name_fault, part_fault


@pytest.mark.parametrize(
    "name",
    [
        "menu",
        "a/b/c/d/e/f/g/h",
        "Act 1 (night)+rain_2.0-x",
        "día/Ωmega/音楽",
        "हिन्दी",
        "9",
        "_x",
        "-x",
        "(x)",
        "x" * 100,
        "/".join(["x" * 49] * 4),
        "console",
        "com",
        "com10",
        "lpt",
        "nulls/auxiliary",
        "menu.con",
    ],
)
def test_names_that_may_stand(name: str) -> None:
    """Letters and digits of any script, space and _ - . + ( )."""
    assert name_fault(name) is None


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("", "a part of the name is empty, expected letters or digits"),
        ("a//b", "a part of the name is empty, expected letters or digits (in 'a//b')"),
        ("/a", "a part of the name is empty, expected letters or digits (in '/a')"),
        ("a/", "a part of the name is empty, expected letters or digits (in 'a/')"),
        ("..", "'..' begins or ends with a space or a dot, expected neither"),
        ("../up", "'..' begins or ends with a space or a dot, expected neither (in '../up')"),
        ("a/.", "'.' begins or ends with a space or a dot, expected neither (in 'a/.')"),
        (".hidden", "'.hidden' begins or ends with a space or a dot, expected neither"),
        ("end.", "'end.' begins or ends with a space or a dot, expected neither"),
        (" a", "' a' begins or ends with a space or a dot, expected neither"),
        ("a /b", "'a ' begins or ends with a space or a dot, expected neither (in 'a /b')"),
        ("a\\b", r"found '\' in 'a\b', expected letters, digits, space and _ - . + ( )"),
        ("a:b", "found ':' in 'a:b', expected letters, digits, space and _ - . + ( )"),
        ("a*", "found '*' in 'a*', expected letters, digits, space and _ - . + ( )"),
        ("a\tb", "found '\\t' in 'a\\tb', expected letters, digits, space and _ - . + ( )"),
        ("a\u202eb", "found '\\u202e' in 'a\\u202eb', expected letters, digits, space and _ - . + ( )"),
        ("½", "found '½' in '½', expected letters, digits, space and _ - . + ( )"),
        ("\u0301a", "'\u0301a' begins with a mark that belongs on a letter, expected a letter first"),
        ("CON", "'CON' is a name that Windows keeps for itself, expected another"),
        ("nul.low", "'nul.low' is a name that Windows keeps for itself, expected another"),
        ("a/Com1", "'Com1' is a name that Windows keeps for itself, expected another (in 'a/Com1')"),
        ("lpt9.tar.gz", "'lpt9.tar.gz' is a name that Windows keeps for itself, expected another"),
        ("aux .x", "'aux .x' is a name that Windows keeps for itself, expected another"),
        ("a/b/c/d/e/f/g/h/i", "'a/b/c/d/e/f/g/h/i' has 9 parts, expected at most 8"),
        ("x" * 101, f"'{'x' * 60}...' has 101 bytes, expected at most 100"),
        ("ä" * 51, f"'{'ä' * 60}".replace("ä" * 60, "ä" * 51) + "' has 102 bytes, expected at most 100"),
        ("/".join(["x" * 50] * 4), f"'{'/'.join(['x' * 50] * 4)[:60]}...' has 203 bytes, expected at most 200"),
    ],
)
def test_names_that_may_not(name: str, fault: str) -> None:
    """What escapes the folder, what some disk can't hold, and what nobody could type."""
    assert name_fault(name) == fault


@settings(max_examples=300, deadline=None, database=None)
@given(st.text(max_size=12))
def test_a_part_without_fault_is_safe_on_every_disk(part: str) -> None:
    """Whatever the text: no separator, no control character, no other form of the same name."""
    part = unicodedata.normalize("NFC", part)
    if part_fault(part) is None:
        assert not set(part) & set('/\\:*?"<>|\0')
        assert part.isprintable()
        assert part == unicodedata.normalize("NFC", part).strip(" .")


def test_a_suffix_makes_no_name_that_may_not_stand() -> None:
    """What counts is the file's name in the end."""
    assert track_mistakes(
        "co: {prompt: x, outputs: [{suffix: n}]}\nb: {prompt: x, outputs: [{suffix: " + "ä" * 21 + "}]}"
    ) == [
        "5:3: tracks.co: 'con' is a name that Windows keeps for itself, expected another suffix",
        f"6:37: tracks.b.outputs[0].suffix: '{'ä' * 21}' has 42 bytes, expected at most 40",
    ]


def test_names_are_kept_in_nfc() -> None:
    """A name typed in decomposed form is the same name; so are the manifest's, a group's and a suffix."""
    keys = "prompt: x, loudness: {group: u\u0308}, outputs: [{suffix: u\u0308}]"
    manifest = whole(HEAD.replace("game", "spiel-u\u0308") + f"tracks: {{u\u0308ber: {{{keys}}}}}")
    (track,) = manifest.tracks
    assert (manifest.name, track.manifest, track.name) == ("spiel-ü", "spiel-ü", "über")
    assert (track.asset_paths, track.finishing.loudness.group) == (("überü.ogg",), "ü")


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        pytest.param(
            "Menu: {prompt: x}\nmenu: {prompt: x, outputs: [wav, ogg]}",
            [
                (
                    "6:3: tracks.menu: 'menu.ogg' is taken, as 'Menu.ogg' (which 'Menu' at music/game.yaml:5:3"
                    " makes), expected a name of its own"
                )
            ],
            id="case",
        ),
        pytest.param(
            "u\u0308: {prompt: x}\nÜ: {prompt: x}",
            [
                (
                    "6:3: tracks.Ü: 'Ü.ogg' is taken, as 'ü.ogg' (which 'ü' at music/game.yaml:5:3 makes),"
                    " expected a name of its own"
                )
            ],
            id="case after NFC",
        ),
        pytest.param(
            "a{n}: {prompt: x, matrix: {n: [1, 2]}}\na2: {prompt: x}",
            [
                (
                    "6:3: tracks.a2: 'a2.ogg' is taken (which 'a2' at music/game.yaml:5:3 makes), expected a name"
                    " of its own"
                )
            ],
            id="an expanded name",
        ),
        pytest.param(
            "a: {prompt: x, outputs: [{suffix: -b}]}\na-b: {prompt: x}",
            [
                (
                    "6:3: tracks.a-b: 'a-b.ogg' is taken (which 'a' at music/game.yaml:5:3 makes), expected a"
                    " name of its own"
                )
            ],
            id="a suffix",
        ),
        pytest.param(
            "a: {prompt: x, outputs: [wav, ogg]}\nA: {prompt: x, outputs: [wav, ogg]}",
            [
                (
                    "6:3: tracks.A: 'A.wav' is taken, as 'a.wav' (which 'a' at music/game.yaml:5:3 makes),"
                    " expected a name of its own"
                )
            ],
            id="two files of two tracks, said once",
        ),
        pytest.param(
            "a: {prompt: x, outputs: [{format: mp3}, {format: mp3, bitrate: 128}]}",
            ["5:3: tracks.a: 'a.mp3' would be written twice, expected a suffix on one of the outputs"],
            id="two outputs of one track",
        ),
        pytest.param(
            "a: {prompt: x, loop: {intro: split}}\na.intro: {prompt: x}",
            [
                (
                    "6:3: tracks.a.intro: 'a.intro.ogg' is taken (which 'a' at music/game.yaml:5:3 makes),"
                    " expected a name of its own"
                )
            ],
            id="the intro of a split loop",
        ),
        pytest.param(
            "a: {prompt: x}\nA.OGG/b: {prompt: x}",
            [
                (
                    "6:3: tracks.A.OGG/b: 'A.OGG/b.ogg' needs a folder where 'a.ogg' (which 'a' at"
                    " music/game.yaml:5:3 makes) is a file, expected another name"
                )
            ],
            id="another's file as folder",
        ),
        pytest.param(
            "a.ogg/b: {prompt: x}\na: {prompt: x}",
            [
                (
                    "5:3: tracks.a.ogg/b: 'a.ogg/b.ogg' needs a folder where 'a.ogg' (which 'a' at"
                    " music/game.yaml:6:3 makes) is a file, expected another name"
                )
            ],
            id="the other way round",
        ),
        pytest.param(
            "Assets.json/a: {prompt: x}",
            [
                (
                    "5:3: tracks.Assets.json/a: 'Assets.json/a.ogg' needs a folder where 'assets.json' (which the"
                    " program itself writes) is a file, expected another name"
                )
            ],
            id="the index as folder",
        ),
    ],
)
def test_two_assets_never_share_a_path(entries: str, expected: list[str]) -> None:
    """Not even on a disk that takes no notice of case; both places are named."""
    assert track_mistakes(entries) == expected


def test_names_that_only_look_alike_live_together() -> None:
    """Same last part, same start, same folder, other format."""
    made = tracks("""
        a: {prompt: x}
        b/a: {prompt: x}
        a/b: {prompt: x}
        a-b: {prompt: x, outputs: [{format: mp3}, {format: mp3, bitrate: 128, suffix: -low}]}
        loop: {prompt: x, loop: {intro: keep}}
        loop.intro: {prompt: x}
    """)
    assert made[3].asset_paths == ("a-b.mp3", "a-b-low.mp3")


def given_together(*texts: str) -> list[str]:
    manifests = [parse_manifest(text, Path(f"m{number}.yaml")) for number, text in enumerate(texts, 1)]
    try:
        check_together(manifests)
    except ManifestMistakes as found:
        return str(found).splitlines()
    return []


OTHER = HEAD.replace("game", "other")


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        pytest.param(OTHER + "tracks: {b: {prompt: x}}", [], id="nothing shared"),
        pytest.param(
            HEAD + "tracks: {b: {prompt: x}}",
            ["m2.yaml:1:1: name: 'game' is the name of m1.yaml too, expected a name of its own"],
            id="one name",
        ),
        pytest.param(
            OTHER + "tracks: {A: {prompt: x}}",
            [
                (
                    "m2.yaml:4:10: tracks.A: 'A.ogg' is taken, as 'a.ogg' (which 'a' at m1.yaml:4:10 makes),"
                    " expected a name of its own"
                )
            ],
            id="one asset",
        ),
        pytest.param(
            OTHER + "tracks: {a.ogg/b: {prompt: x}}",
            [
                (
                    "m2.yaml:4:10: tracks.a.ogg/b: 'a.ogg/b.ogg' needs a folder where 'a.ogg' (which 'a' at"
                    " m1.yaml:4:10 makes) is a file, expected another name"
                )
            ],
            id="one's file, another's folder",
        ),
    ],
)
def test_manifests_that_share_an_output_folder(second: str, expected: list[str]) -> None:
    """Each has a name of its own and claims paths of its own."""
    assert given_together(HEAD + "tracks: {a: {prompt: x}}", second) == expected


def test_one_manifest_alone_is_always_together() -> None:
    """And none at all."""
    assert given_together(HEAD + "tracks: {a: {prompt: x}}") == given_together() == []


@pytest.mark.parametrize(
    ("pattern", "fitting", "other"),
    [
        pytest.param("menu", ["menu"], ["menus", "a/menu", "Menu", ""], id="a name"),
        pytest.param("*", ["menu", "a.b"], ["a/b"], id="within a part"),
        pytest.param("battle/*", ["battle/dragon"], ["battle", "battle/a/b", "xbattle/a"], id="one folder"),
        pytest.param("**", ["a", "a/b/c"], [], id="everything"),
        pytest.param("battle/**", ["battle/a", "battle/a/b"], ["battle", "battles/a"], id="all below"),
        pytest.param("**/low", ["low", "a/low", "a/b/low"], ["slow", "a/slow", "low/a"], id="in any folder"),
        pytest.param("a/**/z", ["a/z", "a/b/z", "a/b/c/z"], ["az", "a/bz"], id="any folders between"),
        pytest.param("b**z", ["bz", "b/c/z", "bxz"], ["az"], id="two stars within a part go across too"),
        pytest.param("take-?", ["take-1"], ["take-", "take-12", "take-/"], id="one character"),
        pytest.param("take-[1-3a]", ["take-2", "take-a"], ["take-4", "take--"], id="a set"),
        pytest.param("take-[!1-3]", ["take-4"], ["take-2", "take-/"], id="not in a set"),
        pytest.param("[]x]", ["]", "x"], ["[", "y"], id="a bracket in a set"),
        pytest.param("a[b", ["a[b"], ["ab"], id="an open bracket"),
        pytest.param("a[z-a]", ["a[z-a]"], ["az"], id="a range that is none"),
        pytest.param("[^a]", ["^", "a"], ["b"], id="a caret is one of the set"),
        pytest.param("act.1 (night)+", ["act.1 (night)+"], ["actx1 (night)+"], id="no other character is special"),
        pytest.param("u\u0308*", ["über"], ["uber"], id="in NFC"),
    ],
)
def test_patterns(pattern: str, fitting: list[str], other: list[str]) -> None:
    """`*`, `?` and sets stay within a part, `**` goes across; case counts."""
    assert [name for name in fitting if not matches(pattern, name)] == []
    assert [name for name in other if matches(pattern, name)] == []


@settings(max_examples=200, deadline=None, database=None)
@given(st.text("ab/*?[]!-^\\.", max_size=10), st.text("ab/.-", max_size=8))
def test_any_pattern_is_a_pattern(pattern: str, name: str) -> None:
    """None is refused, and a name without special characters fits itself."""
    assert matches(pattern, name) in (True, False)
    assert matches(name, name)


def test_the_order_of_tracks_is_the_files() -> None:
    """Entries as they stand, each matrix in its place."""
    made = tracks("z: {prompt: x}\nm{n}: {prompt: x, matrix: {n: [2, 1]}}\na: {prompt: x}")
    assert [replace(track).name for track in made] == ["z", "m2", "m1", "a"]
