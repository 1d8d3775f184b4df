"""Matrices and placeholders: one entry, many tracks."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from manifest_texts import one, track_mistakes, tracks

from pipeline.manifest import expansion
from pipeline.manifest.matrix import Matrix, combinations

SETTINGS = settings(max_examples=60, deadline=None, database=None)


def test_a_matrix_fills_name_prompt_lyrics_and_tags() -> None:
    """In the order of its lists; values are spelled as they are, and doubled braces are braces."""
    made = tracks("""
        battle/{boss}-{v}:
          matrix: {boss: [dragon, lich], v: [1.10, true]}
          prompt: "{boss} battle {{loud}} {v} {boss}"
          lyrics: "{v}! {{}}"
          tags: ["{boss}", act-1, "{boss}"]
    """)
    assert [(track.name, track.prompt, track.lyrics, track.tags) for track in made] == [
        (f"battle/{boss}-{v}", f"{boss} battle {{loud}} {v} {boss}", f"{v}! {{}}", (boss, "act-1"))
        for boss in ("dragon", "lich")
        for v in ("1.10", "true")
    ]
    assert {str(track.place) for track in made} == {"music/game.yaml:6:3"}


def test_a_value_is_not_looked_through_for_placeholders() -> None:
    """What a matrix puts in stays as it is."""
    (track,) = tracks("a: {prompt: 'x {y}', matrix: {y: ['{z} {{']}}")
    assert track.prompt == "x {z} {{"


def test_braces_in_a_track_without_a_matrix_are_doubled_too() -> None:
    """One rule for every prompt, so that a matrix can be added later."""
    assert one("lyrics: 'la {{la}}'").lyrics == "la {la}"


GITHUB = Matrix(
    axes={"fruit": ("apple", "pear"), "animal": ("cat", "dog")},
    include=(
        {"color": "green"},
        {"color": "pink", "animal": "cat"},
        {"fruit": "apple", "shape": "circle"},
        {"fruit": "banana"},
        {"fruit": "banana", "animal": "cat"},
    ),
)


def test_include_is_as_in_github_actions() -> None:
    """The example of GitHub's own documentation."""
    assert combinations(GITHUB) == [
        {"fruit": "apple", "animal": "cat", "color": "pink", "shape": "circle"},
        {"fruit": "apple", "animal": "dog", "color": "green", "shape": "circle"},
        {"fruit": "pear", "animal": "cat", "color": "pink"},
        {"fruit": "pear", "animal": "dog", "color": "green"},
        {"fruit": "banana"},
        {"fruit": "banana", "animal": "cat"},
    ]


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        pytest.param("{boss: [a, b], mood: [c, d], exclude: [{boss: a, mood: d}]}", ["a-c", "b-c", "b-d"], id="exact"),
        pytest.param("{boss: [a, b], mood: [c, d], exclude: [{boss: a}]}", ["b-c", "b-d"], id="partial exclude"),
        pytest.param(
            "{boss: [a], mood: [c, d], exclude: [{mood: d}], include: [{boss: a, mood: d}]}",
            ["a-c", "a-d"],
            id="include comes after exclude",
        ),
        pytest.param("{boss: [a], mood: [c], include: [{boss: z, mood: y}]}", ["a-c", "z-y"], id="include adds"),
        pytest.param("{include: [{boss: a, mood: b}, {boss: c, mood: d}]}", ["a-b", "c-d"], id="include only"),
        pytest.param("{boss: [a, b], include: [{mood: c}]}", ["a-c", "b-c"], id="include extends all"),
        pytest.param(
            "{boss: [a, b], mood: [c], exclude: [{boss: a}, {boss: b}], include: [{boss: e, mood: f}]}",
            ["e-f"],
            id="all excluded, one included",
        ),
    ],
)
def test_include_and_exclude(matrix: str, expected: list[str]) -> None:
    """Exclude first, with partial matches; then include, which extends or adds."""
    made = tracks(f"'{{boss}}-{{mood}}': {{prompt: x, matrix: {matrix}}}")
    assert [track.name for track in made] == expected


@pytest.mark.parametrize(
    ("name", "keys", "expected"),
    [
        pytest.param(
            "a-{boss}",
            "prompt: x",
            [
                (
                    "5:3: tracks.a-{boss}: {boss} has no value, expected a matrix with it, or {{ and }} for"
                    " braces themselves"
                )
            ],
            id="no matrix",
        ),
        pytest.param(
            "a-{bos}",
            "prompt: '{boss}', matrix: {boss: [x]}",
            [("5:3: tracks.a-{bos}: {bos} has no value in the matrix; did you mean 'boss'?")],
            id="misspelled in the name",
        ),
        pytest.param(
            "a",
            "prompt: 'x {bos}', lyrics: '{}', matrix: {boss: [x]}",
            [
                "5:15: tracks.a.prompt: {bos} has no value in the matrix; did you mean 'boss'?",
                "5:34: tracks.a.lyrics: {} has no value in the matrix; expected one of boss",
            ],
            id="in texts",
        ),
        pytest.param(
            "a-{boss}",
            "prompt: 'x {mood}', matrix: {boss: [x], include: [{boss: y, mood: z}]}",
            [("5:22: tracks.a-{boss}.prompt: {mood} has no value where boss: x, expected one in every combination")],
            id="in some combinations only",
        ),
        pytest.param(
            "a",
            "prompt: 'x }'",
            [
                (
                    "5:15: tracks.a.prompt: a brace stands alone, expected {key} for a placeholder, or {{ and }}"
                    " for braces themselves"
                )
            ],
            id="stray brace",
        ),
        pytest.param(
            "a",
            "prompt: x, tags: ['{q}']",
            [
                (
                    "5:25: tracks.a.tags[0]: {q} has no value, expected a matrix with it, or {{ and }} for braces"
                    " themselves"
                )
            ],
            id="in a tag",
        ),
        pytest.param(
            "a",
            "prompt: '{m} ', matrix: {m: ['']}",
            [("5:15: tracks.a.prompt: is blank for 'a', expected text that says what to hear")],
            id="blank once filled",
        ),
        pytest.param(
            "a",
            "prompt: '" + "{m}" * 101 + "', matrix: {m: ['" + "x" * 100 + "']}",
            ["5:15: tracks.a.prompt: has 10,100 characters for 'a', expected at most 10,000"],
            id="too long once filled",
        ),
        pytest.param(
            "a-{boss}",
            "prompt: x, matrix: {boss: [x, y], mood: [a, b, c]}",
            [("5:3: tracks.a-{boss}: 3 combinations would be called 'a-x', expected {mood} in the name too")],
            id="key not in the name",
        ),
        pytest.param(
            "a-{boss}",
            "prompt: x, matrix: {boss: [x], include: [{boss: y}, {boss: y}]}",
            [
                (
                    "5:3: tracks.a-{boss}: 2 combinations would be called 'a-y', expected combinations that"
                    " differ in a key of the name"
                )
            ],
            id="included twice",
        ),
        pytest.param(
            "'{boss}'",
            "prompt: x, matrix: {boss: ['x:y', ok, '.z']}",
            [
                "5:3: tracks.{boss}: '.z' begins or ends with a space or a dot, expected neither",
                "5:3: tracks.{boss}: found ':' in 'x:y', expected letters, digits, space and _ - . + ( )",
            ],
            id="values that no name may have",
        ),
        pytest.param(
            "a{b}",
            "prompt: x, matrix: {b: [c/d]}",
            [("5:34: tracks.a{b}.matrix.b[0]: found '/' in 'c/d', expected a word or a number without it")],
            id="value with a slash",
        ),
        pytest.param(
            "a{b}",
            "prompt: x, matrix: {b: [~]}",
            [("5:34: tracks.a{b}.matrix.b[0]: found nothing, expected a word or a number")],
            id="value null",
        ),
        pytest.param(
            "a{b}",
            "prompt: x, matrix: {b: {c: 1}}",
            [("5:33: tracks.a{b}.matrix.b: found a mapping, expected a list")],
            id="not a list",
        ),
        pytest.param(
            "a{b}",
            "prompt: x, matrix: {b: []}",
            [("5:33: tracks.a{b}.matrix.b: is empty, expected at least one value")],
            id="empty list",
        ),
        pytest.param(
            "a{b}",
            "prompt: x, matrix: {b: [c, d, c]}",
            [("5:40: tracks.a{b}.matrix.b[2]: 'c' stands there twice, expected each value once")],
            id="value twice",
        ),
        pytest.param(
            "a{b}",
            "prompt: x, matrix: {b: [c], exclude: [{b: c}]}",
            [("5:29: tracks.a{b}.matrix: leaves no combination, expected at least one, such as boss: [dragon, lich]")],
            id="all excluded",
        ),
        pytest.param(
            "a{b}",
            "prompt: x, matrix: {b: [low, high], exclude: [{b: hihg}, {c: low}, {}]}",
            [
                "5:60: tracks.a{b}.matrix.exclude[0].b: no value of b is 'hihg'; did you mean 'high'?",
                "5:68: tracks.a{b}.matrix.exclude[1].c: the matrix has no such key; expected one of b",
                (
                    "5:77: tracks.a{b}.matrix.exclude[2]: is empty and would exclude everything, expected keys"
                    " and values"
                ),
            ],
            id="excludes that fit nothing",
        ),
        pytest.param(
            "a{b}",
            "prompt: x, matrix: {b: [c], include: d}",
            [("5:47: tracks.a{b}.matrix.include: found 'd', expected a list")],
            id="include not a list",
        ),
        pytest.param(
            "a{b}",
            "prompt: x, matrix: {b: [c], include: [d]}",
            [("5:48: tracks.a{b}.matrix.include[0]: found 'd', expected a mapping")],
            id="include not of mappings",
        ),
        pytest.param(
            "a",
            "prompt: x, matrix: {b c: [d]}",
            [
                (
                    "5:27: tracks.a.matrix.b c: 'b c' can't be a placeholder, expected letters, digits, _ and -,"
                    " beginning with a letter"
                )
            ],
            id="key that no placeholder can be",
        ),
    ],
)
def test_what_is_wrong_with_a_matrix_or_a_placeholder(name: str, keys: str, expected: list[str]) -> None:
    """It is said before anything is expanded, at the text or the rule that has to change."""
    assert sorted(track_mistakes(f"{name}: {{{keys}}}")) == sorted(expected)


def test_a_matrix_is_bounded_before_it_is_expanded() -> None:
    """Ten lists of ten values would be ten thousand million tracks."""
    axes = ", ".join(f"k{n}: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]" for n in range(10))
    (line,) = track_mistakes(f"a: {{prompt: x, matrix: {{{axes}}}}}")
    assert line.endswith("tracks.a.matrix: stands for 10,000,000,000 tracks, expected at most 10,000")


def test_all_tracks_together_are_bounded() -> None:
    """Also where no single entry is too large."""
    axes = ", ".join(f"k{n}: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]" for n in range(4))
    entries = "\n".join(f"a{n}-{{k0}}{{k1}}{{k2}}{{k3}}: {{prompt: x, matrix: {{{axes}}}}}" for n in range(11))
    assert track_mistakes(entries) == ["5:3: tracks: are 110,000 tracks, expected at most 100,000"]


def test_what_prompts_expand_to_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few long templates, multiplied, would fill the memory."""
    monkeypatch.setattr(expansion, "MOST_TEXT", expansion.MOST_TEXT // 10)
    axes = ", ".join(f"k{n}: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]" for n in range(3))
    entry = f"'{{k0}}{{k1}}{{k2}}': {{prompt: '{{k0}} {'x' * 9000}', matrix: {{{axes}}}}}"
    (line,) = track_mistakes(entry)
    assert line.endswith("expand to more than 5,000,000 characters of prompts and lyrics, expected fewer")


AXES = st.dictionaries(
    st.sampled_from(["a", "b", "c"]),
    st.lists(st.sampled_from("uvwxyz"), min_size=1, max_size=4, unique=True),
    min_size=1,
)
RULES = st.lists(
    st.dictionaries(st.sampled_from(["a", "b", "c", "d"]), st.sampled_from("uvwxyz"), min_size=1), max_size=4
)


@SETTINGS
@given(AXES, RULES, RULES)
def test_a_matrix_keeps_githubs_promises(axes, include, exclude) -> None:
    """Nothing excluded is left of the originals, no original value changes, and no include is lost."""
    matrix = Matrix({key: tuple(values) for key, values in axes.items()}, tuple(include), tuple(exclude))
    made = combinations(matrix)
    assert len(made) <= matrix.most_combinations
    bare = combinations(Matrix(matrix.axes, (), matrix.exclude))
    assert not any(rule.items() <= one.items() for one in bare for rule in exclude)
    assert all(original.items() <= one.items() for original, one in zip(bare, made, strict=False))
    for rule in include:
        kept = {key: value for key, value in rule.items() if key in matrix.axes}
        assert any(kept.items() <= one.items() for one in made)


@SETTINGS
@given(AXES)
def test_a_matrix_without_rules_makes_each_combination_once(axes) -> None:
    """As many tracks as the product of the lists' lengths, all with names of their own."""
    name = "-".join(f"{{{key}}}" for key in axes)
    lists = ", ".join(f"{key}: [{', '.join(values)}]" for key, values in axes.items())
    made = tracks(f"'{name}': {{prompt: x, matrix: {{{lists}}}}}")
    expected = 1
    for values in axes.values():
        expected *= len(values)
    assert len({track.name for track in made}) == expected
