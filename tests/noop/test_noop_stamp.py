"""A stamp's file: believed only if it is just what was written, and never a way to somewhere else."""

from __future__ import annotations

import os
import random
from binascii import crc32
from pathlib import Path
from typing import Any

import pytest

from pipeline.noop import stamp
from pipeline.noop.stamp import FOLDER, Seen, Stamp, hashed, is_young, key_of, load, save, status_of, statuses_of

KEY = key_of(["a", "b"])


def a_stamp(**changes: Any) -> Stamp:
    given = {
        "key": KEY,
        "taken_ns": 10**18,
        "until_ns": 0,
        "needs_key": True,
        "folders": ["1", "2"],
        "absent": ["/a/ledger.sqlite3-wal"],
        "present": ["/a/cost-report.md"],
        "listed": ["/a\t.lock.json\tb.lock.json"],
        "writable": [],
        "sure": Seen(["/a/ä.ogg", "/a/\udcff.ogg"], ["1 2 3 4", "5 6 7 8"], ["aa", "bb"]),
        "young": Seen([], [], []),
        "texts": ["run\n\n", "plan\n", "\x1b[2mplan\x1b[0m\n"],
    }
    return Stamp(**(given | changes))


def values(one: Stamp) -> dict[str, Any]:
    """All that a stamp holds."""
    plain = {name: getattr(one, name) for name in one.__slots__ if name not in ("sure", "young")}
    seen = {name: (it.paths, it.stats, it.hashes) for name, it in (("sure", one.sure), ("young", one.young))}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in plain.items()} | seen


def content_of(folder: Path) -> bytes:
    return (folder / FOLDER / KEY).read_bytes()


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    """With names that are no text, empty lines and empty lists; nothing else is left in the folder."""
    save(a_stamp(), str(tmp_path))
    assert values(load(str(tmp_path), KEY)) == values(a_stamp())
    assert [path.name for path in (tmp_path / FOLDER).iterdir()] == [KEY]
    save(a_stamp(until_ns=5), str(tmp_path))
    assert load(str(tmp_path), KEY).until_ns == 5


@pytest.mark.parametrize("path", ["/a/b\nc", "/a/b\fc"])
def test_a_path_that_would_break_a_line_is_not_written_down(tmp_path: Path, path: str) -> None:
    """There is no stamp of such a thing."""
    with pytest.raises(ValueError, match="line break"):
        save(a_stamp(sure=Seen([path], ["1 2 3 4"], ["aa"])), str(tmp_path))
    assert load(str(tmp_path), KEY) is None


def test_what_is_not_just_what_was_written_is_not_believed(tmp_path: Path) -> None:
    """Cut off anywhere, or with any byte another."""
    save(a_stamp(), str(tmp_path))
    whole = content_of(tmp_path)
    path = tmp_path / FOLDER / KEY
    for end in range(len(whole)):
        path.write_bytes(whole[:end])
        assert load(str(tmp_path), KEY) is None
    chance = random.Random(3)
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ (1 << chance.randrange(8))]) + whole[place + 1 :])
        assert load(str(tmp_path), KEY) is None
    path.write_bytes(whole + b"\n")
    assert load(str(tmp_path), KEY) is None


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"\xff" + b"\f" * 14, b"k\nx\n0\n0" + b"\f" * 14, b"k\n1\n1" + b"\f" * 14),
        *(KEY.encode() + b"\n1\n1\n1" + b"\f" * number for number in (0, 13, 15)),
        KEY.encode() + b"\n1\n1\n1" + b"\f" * 5 + b"/a/path" + b"\f" * 9,
        KEY.encode() + b"\n1\n1\n1" + b"\f" * 8 + b"/a/path" + b"\f" * 6,
    ],
)
def test_nonsense_with_a_right_checksum_is_no_stamp(tmp_path: Path, body: bytes) -> None:
    """Too few sections, or too many, no numbers, lists that are not in step."""
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / KEY).write_bytes(stamp._first_line(crc32(body)) + body)
    assert load(str(tmp_path), KEY) is None
    just = KEY.encode() + b"\n1\n1\n1" + b"\f" * 14
    (tmp_path / FOLDER / KEY).write_bytes(stamp._first_line(crc32(just)) + just)
    assert load(str(tmp_path), KEY) is not None


def test_a_stamp_of_something_else_is_not_believed(tmp_path: Path) -> None:
    """Whatever its file is called."""
    save(a_stamp(), str(tmp_path))
    other = key_of(["other"])
    (tmp_path / FOLDER / KEY).rename(tmp_path / FOLDER / other)
    assert load(str(tmp_path), other) is None


@pytest.mark.parametrize("what", ["link", "folder", "pipe", "nothing"])
def test_what_is_no_plain_file_is_no_stamp(tmp_path: Path, what: str) -> None:
    """No link is followed, and nothing is waited for."""
    save(a_stamp(), str(tmp_path))
    path = tmp_path / FOLDER / KEY
    path.rename(tmp_path / "elsewhere")
    make = {"link": lambda: path.symlink_to(tmp_path / "elsewhere"), "folder": path.mkdir}
    make |= {"pipe": lambda: os.mkfifo(path), "nothing": lambda: None}
    make[what]()
    assert load(str(tmp_path), KEY) is None


def test_nothing_is_read_or_written_behind_a_link(tmp_path: Path) -> None:
    """The folder of stamps is one, and not a way to another."""
    (tmp_path / "elsewhere" / FOLDER).mkdir(parents=True)
    save(a_stamp(), str(tmp_path / "elsewhere"))
    (tmp_path / FOLDER).symlink_to(tmp_path / "elsewhere" / FOLDER)
    assert load(str(tmp_path), KEY) is None
    with pytest.raises(OSError, match=r"directory|symbolic"):
        save(a_stamp(), str(tmp_path))


def test_a_link_under_the_stamps_name_is_replaced_and_not_written_through(tmp_path: Path) -> None:
    """What it leads to stays."""
    (tmp_path / "mine").write_text("mine")
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / KEY).symlink_to(tmp_path / "mine")
    save(a_stamp(), str(tmp_path))
    assert (tmp_path / "mine").read_text() == "mine"
    assert load(str(tmp_path), KEY) is not None


@pytest.mark.parametrize(
    ("modified", "changed", "young"),
    [(7, 7, False), (8, 7, False), (9, 7, True), (7, 9, True), (99, 7, True)],
    ids=["long ago", "two seconds", "written just now", "renamed just now", "in the future"],
)
def test_a_file_is_young_within_two_seconds_of_being_looked_at(*, modified: int, changed: int, young: bool) -> None:
    """Its times of change could stand still over another change."""
    assert is_young(f"1 {modified}000000000 {changed}000000000 4", 10_000_000_000) is young


def test_many_files_are_asked_as_one_is(tmp_path: Path) -> None:
    """Whoever takes a stamp and whoever looks at it again see the same."""
    for name in "abc":
        (tmp_path / name).write_text(name)
    paths = [str(tmp_path / name) for name in "abc"]
    assert statuses_of(paths) == [status_of(Path(path).stat()) for path in paths]


def test_only_plain_files_of_some_length_are_hashed(tmp_path: Path) -> None:
    """A link, a folder or a pipe is no asset; a long file is for the long way."""
    (tmp_path / "a").write_bytes(b"abc")
    assert hashed(str(tmp_path / "a"), 3)[1].startswith("ba7816bf")
    (tmp_path / "link").symlink_to("a")
    os.mkfifo(tmp_path / "pipe")
    for name, most in (("a", 2), ("link", 9), ("pipe", 9), (".", 9), ("nothing", 9)):
        with pytest.raises(OSError):  # noqa: PT011 - the system's own words
            hashed(str(tmp_path / name), most)
