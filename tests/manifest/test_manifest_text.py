"""YAML 1.2 text -> plain values with their places, within bounds, and syntax errors in words that help."""

from __future__ import annotations

from decimal import Decimal
from textwrap import dedent

import pytest
import yaml
from manifest_texts import HEAD, mistakes, track_mistakes, tracks, whole

from pipeline.manifest import ManifestMistakes, text
from pipeline.manifest.text import compose
from pipeline.manifest.values import Mapping, Plain


@pytest.fixture(params=["libyaml", "python"])
def _either_loader(request, monkeypatch) -> None:
    """The C loader, and the one that takes its place where there is none."""
    monkeypatch.setattr(text, "LOADER", yaml.CSafeLoader if request.param == "libyaml" else yaml.SafeLoader)


def value_of(scalar: str) -> object:
    root = compose(f"key: {scalar}", "m.yaml").root
    assert isinstance(root, Mapping)
    return root["key"]


@pytest.mark.usefixtures("_either_loader")
@pytest.mark.parametrize(
    ("scalar", "value"),
    [
        ("true", True),
        ("True", True),
        ("FALSE", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("0", Decimal(0)),
        ("-12", Decimal(-12)),
        ("+3", Decimal(3)),
        ("1.10", Decimal("1.10")),
        (".5", Decimal("0.5")),
        ("5.", Decimal(5)),
        ("1e3", Decimal(1000)),
        ("-1.5E-2", Decimal("-0.015")),
    ],
)
def test_what_yaml_1_2_reads_as_no_text(scalar: str, value: object) -> None:
    """True and false, null and decimal numbers; each remembers how it was spelled."""
    assert value_of(scalar) == Plain(scalar, value)


@pytest.mark.usefixtures("_either_loader")
@pytest.mark.parametrize(
    "scalar",
    [
        "on",
        "off",
        "yes",
        "No",
        "y",
        "010",
        "0x1F",
        "0o17",
        "0b1",
        "1:30",
        "1_000",
        "2024-01-02",
        ".inf",
        ".nan",
        "tRue",
        "+",
        ".",
        "e3",
        "1e",
        "1" * 60,
        "1e9999",
        "'1'",
        '"true"',
        "!!str 12",
        "! 12",
    ],
)
def test_everything_else_is_text(scalar: str) -> None:
    """What YAML 1.1 made of it counts for nothing; quotes and `!!str` make text of anything."""
    assert value_of(scalar) == scalar.removeprefix("!!str ").removeprefix("! ").strip("'\"")


@pytest.mark.usefixtures("_either_loader")
def test_keys_are_names_however_they_look() -> None:
    """`on`, `1.10` and `null` are keys as they are spelled."""
    root = compose("{on: a, 1.10: b, null: c, 2049: d}", "m.yaml").root
    assert list(root) == ["on", "1.10", "null", "2049"]


@pytest.mark.usefixtures("_either_loader")
def test_places_are_lines_and_columns_from_one() -> None:
    """Of keys and of values, in characters, also through lists, anchors and merges."""
    document = compose("ä: {b: [x, ö, z]}\nbase: &base\n  k: v\nuse:\n  <<: *base\n  own: 1\n", "m.yaml")
    places = {
        "item": document.value_place(("ä", "b", 1)),
        "key": document.key_place(("ä", "b")),
        "merged": document.value_place(("use", "k")),
        "own": document.key_place(("use", "own")),
        "missing key": document.key_place(("use", "other")),
        "beyond": document.value_place(("ä", "b", 7, "c")),
    }
    assert {name: str(place) for name, place in places.items()} == {
        "item": "m.yaml:1:12",
        "key": "m.yaml:1:5",
        "merged": "m.yaml:3:6",
        "own": "m.yaml:6:3",
        "missing key": "m.yaml:5:3",
        "beyond": "m.yaml:1:8",
    }


@pytest.mark.usefixtures("_either_loader")
def test_anchors_and_merges_share_what_is_said_once() -> None:
    """Own keys win over merged ones, and of several merged mappings the first."""
    made = tracks("""
        one: &one {prompt: One, duration: 5, takes: 2}
        two: &two {prompt: Two, duration: 6}
        three: {<<: [*two, *one], prompt: Three}
        four: {<<: *one}
    """)
    assert [(track.prompt, track.duration_s, track.takes) for track in made] == [
        ("One", 5, 2), ("Two", 6, 1), ("Three", 6, 2), ("One", 5, 2),
    ]  # fmt: skip


@pytest.mark.usefixtures("_either_loader")
@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        pytest.param(
            "a: {prompt: x}\na: {prompt: y}",
            ["6:3: tracks.a: given a second time, expected it once (it also stands in line 5)"],
            id="twice",
        ),
        pytest.param(
            "a: {prompt: x, prompt: y}\nb: {prompt: x, takes: 1, takes: 2}",
            [
                "5:18: tracks.a.prompt: given a second time, expected it once (it also stands in line 5)",
                "6:28: tracks.b.takes: given a second time, expected it once (it also stands in line 6)",
            ],
            id="twice in two places",
        ),
        pytest.param(
            "a: {prompt: !shout x}",
            ["5:15: tracks.a.prompt: the tag '!shout' is not known here, expected plain YAML"],
            id="own tag",
        ),
        pytest.param(
            "a: {prompt: !!python/name:os.system x}",
            [
                (
                    "5:15: tracks.a.prompt: the tag 'tag:yaml.org,2002:python/name:os.system' is not known here,"
                    " expected plain YAML"
                )
            ],
            id="python's tag",
        ),
        pytest.param(
            "a: {prompt: x, <<: 3}",
            ["5:22: tracks.a: << takes a mapping or a list of mappings, expected an alias such as *base"],
            id="merge of a number",
        ),
        pytest.param(
            "? [a, b]\n: {prompt: x}\nc: {prompt: x}",
            ["5:5: tracks: a list can't be a key, expected text"],
            id="list as key",
        ),
        pytest.param(
            "{boss}:\n  prompt: x",
            [('5:3: tracks: a name that begins with { is a mapping in YAML, expected it in quotes: "{boss}..."')],
            id="placeholder as key",
        ),
    ],
)
def test_mistakes_that_reading_goes_on_after(entries: str, expected: list[str]) -> None:
    """Each is said at its place, together with all others."""
    assert track_mistakes(entries) == expected


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        pytest.param(
            "a:\n  prompt: {boss} boss battle",
            "6:13: tracks.a: a value that begins with { is a mapping in YAML, expected text (put it in quotes)",
            id="placeholder first",
        ),
        pytest.param(
            "a: {prompt: {boss} boss battle}",
            "5:15: tracks.a: a value that begins with { is a mapping in YAML, expected text (put it in quotes)",
            id="placeholder first, in a flow mapping",
        ),
        pytest.param(
            "a:\n  prompt: {boss}",
            '6:13: tracks.a.prompt: found a mapping, as { begins one in YAML (put it in quotes: "{boss}"),'
            " expected text that says what to hear",
            id="placeholder alone",
        ),
        pytest.param(
            "{boss}-low:\n  prompt: x",
            "5:3: tracks: a value that begins with { is a mapping in YAML, expected text (put it in quotes)",
            id="placeholder in a name",
        ),
        pytest.param(
            "a:\n  prompt: [intense] drums",
            "6:13: tracks.a: a value that begins with [ is a list in YAML, expected text (put it in quotes)",
            id="bracket first",
        ),
        pytest.param(
            'a:\n  prompt: "Boss" theme',
            "6:13: tracks.a: text follows a closing quote, expected the whole value inside of the quotes",
            id="text after quotes",
        ),
        pytest.param(
            "a:\n  prompt: Theme: calm",
            "6:13: tracks.a: text with a `: ` inside is a mapping in YAML, expected text (put it in quotes)",
            id="colon",
        ),
        pytest.param("a:\n\tprompt: x", "6:3: tracks.a: a tab can't indent in YAML, expected spaces", id="tab"),
        pytest.param(
            "a:\n  prompt: @home",
            "6:13: tracks.a.prompt: text can't begin with @ in YAML, expected it in quotes",
            id="at sign",
        ),
        pytest.param(
            "a:\n  prompt: 'x",
            "6:13: tracks.a.prompt: the quote that opens here is never closed, expected the closing one",
            id="open quote",
        ),
        pytest.param(
            'a:\n  prompt: "\\q"',
            "6:14: tracks.a.prompt: YAML has no such escape, expected \\\\ for a backslash, or single quotes",
            id="escape",
        ),
        pytest.param(
            "a:\n  prompt: **loud** x",
            "6:14: tracks.a.prompt: * and & begin an alias or an anchor in YAML, expected text (put it in quotes)",
            id="asterisks",
        ),
        pytest.param(
            "a:\n  prompt: *loud",
            "6:13: tracks.a.prompt: the alias *loud repeats nothing, expected &loud before it; if it is text, put"
            " it in quotes",
            id="unknown alias",
        ),
        pytest.param(
            "a: &a\n  prompt: *a",
            "6:13: tracks.a.prompt: *a stands inside of what it repeats, expected it outside",
            id="alias inside of itself",
        ),
        pytest.param(
            "a:\n  prompt: x\n duration: 3",
            "7:4: tracks: YAML can't read on from here (did not find expected key), expected `key: value` lines,"
            " evenly indented",
            id="uneven",
        ),
        pytest.param("a: {prompt: x}\n---\nb: 1", None, id="second document"),
        pytest.param('a:\n  prompt: "\\ud800"', None, id="lone surrogate"),
    ],
)
def test_what_yaml_refuses_is_said_alone_and_in_plain_words(entries: str, expected: str | None) -> None:
    """One mistake, at the place that has to change."""
    found = track_mistakes(entries)
    assert len(found) == 1
    assert expected is None or found == [expected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", "1:1: manifest: is empty, expected a mapping with version, name and tracks", id="empty"),
        pytest.param(
            "# nothing\n", "1:1: manifest: is empty, expected a mapping with version, name and tracks", id="comments"
        ),
        pytest.param(
            "just text", "1:1: manifest: found 'just text', expected a mapping with version, name and tracks", id="text"
        ),
        pytest.param(
            "- a\n- b", "1:1: manifest: found a list, expected a mapping with version, name and tracks", id="list"
        ),
        pytest.param(
            "version: 1\n---\nversion: 1\n",
            "2:1: manifest: a second document begins here, expected one document in a manifest",
            id="two documents",
        ),
        pytest.param(
            "name: a\x07b", "1:8: manifest: the character U+0007 is not allowed in YAML, expected text", id="bell"
        ),
        pytest.param(
            "name: \ud800",
            "1:7: manifest: the character U+D800 is not allowed in YAML, expected text",
            id="lone surrogate",
        ),
    ],
)
def test_what_is_no_manifest_at_all(text: str, expected: str) -> None:
    """One sentence with the first place."""
    assert mistakes(text) == [expected]


def test_a_byte_order_mark_in_front_is_no_part_of_the_text() -> None:
    """Windows editors write one."""
    assert whole("\ufeff" + HEAD + "tracks: {a: {prompt: x}}").tracks[0].name == "a"


@pytest.mark.usefixtures("_either_loader")
@pytest.mark.parametrize(
    "opening",
    [
        pytest.param("[" * 200_000, id="brackets"),
        pytest.param("{a: " * 200_000, id="braces"),
        pytest.param("\n".join("  " * depth + "a:" for depth in range(300)), id="indentation"),
        pytest.param("- " * 10_000 + "x", id="dashes"),
    ],
)
def test_nesting_is_bounded(opening: str) -> None:
    """PyYAML's own composer would end the process here."""
    with pytest.raises(ManifestMistakes, match="nested more than 100 deep"):
        compose(opening, "m.yaml")


@pytest.mark.usefixtures("_either_loader")
@pytest.mark.parametrize(
    "bomb",
    [
        pytest.param(
            "\n".join(
                ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
                + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
            ),
            id="billion laughs",
        ),
        pytest.param("a: &a [" + "x, " * 1000 + "x]\nb: [" + "*a, " * 200 + "*a]", id="many of one"),
        pytest.param(
            "a: &a {"
            + ", ".join(f"k{n}: 1" for n in range(1000))
            + "}\nb:\n"
            + "".join(f"  c{n}: {{<<: *a}}\n" for n in range(100)),
            id="merges",
        ),
    ],
)
def test_what_aliases_expand_to_is_bounded(bomb: str) -> None:
    """100,000 values, counted before they are made."""
    with pytest.raises(ManifestMistakes, match="aliases expand to more than 100,000 values"):
        compose(bomb, "m.yaml")


def test_many_values_without_aliases_are_no_bomb() -> None:
    """The bound is on what aliases repeat, not on what somebody wrote."""
    root = compose("a: [" + "x, " * 150_000 + "x]", "m.yaml").root
    assert isinstance(root, Mapping)
    assert len(root["a"]) == 150_001


def test_the_parsed_text_may_use_block_scalars_and_comments() -> None:
    """Prompts and lyrics of several lines keep their lines, without the space around them."""
    text = dedent("""
        song:  # a comment
          prompt: >
            Bright ukulele,
            hand claps
          lyrics: |

            Spring is here,
              prices disappear

    """)
    (track,) = tracks(text)
    assert (track.prompt, track.lyrics) == ("Bright ukulele, hand claps", "Spring is here,\n  prices disappear")
