"""What may happen to a library between two commands: everything that decides what is left to do, and what does not."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from pipeline.picks.document import lock_text
from pipeline.picks.values import Lock

if TYPE_CHECKING:
    from pathlib import Path

    from libraries import Library

Change = Callable[["Library"], None]

#: Every file that a plan is decided from.
FILES: Final = {
    "manifest": "demo.yaml",
    "recording": "theme.wav",
    "index": "output/assets.json",
    "ledger": ".pipeline/ledger.sqlite3",
    "lock": "demo.lock.json",  # where the real thing was bought
    **{name: f"output/{name}" for name in ("menu.wav", "battle/dragon.wav", "battle/lich.ogg", "theme.wav", "old.wav")},
}


def _touch(path: Path) -> None:
    os.utime(path)


def _delete(path: Path) -> None:
    path.unlink()


def _truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def _flipped(path: Path) -> bytes:
    """Its content with one byte changed, so that it is as long as before."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    return bytes(content)


def _edit(path: Path) -> None:
    path.write_bytes(_flipped(path))


def _edit_unseen(path: Path) -> None:
    """As an editor that gives the file its old times back."""
    before = path.stat()
    _edit(path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def _replace_unseen(path: Path) -> None:
    """Another file of the same size and time of change takes its place."""
    before = path.stat()
    other = path.with_name(f"{path.name}.other")
    other.write_bytes(_flipped(path))
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(path)


def _replace_by_a_copy(path: Path) -> None:
    """Another file with the same content, as a version control system leaves it."""
    other = path.with_name(f"{path.name}.other")
    shutil.copyfile(path, other)
    other.replace(path)


def _replace_by_a_link(path: Path) -> None:
    other = path.with_name(f"{path.name}.other")
    path.rename(other)
    path.symlink_to(other.name)


def _replace_by_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


_OF_A_FILE: Final[dict[str, Callable[[Path], None]]] = {
    "touched": _touch,
    "deleted": _delete,
    "truncated": _truncate,
    "edited": _edit,
    "edited, its time put back": _edit_unseen,
    "replaced by as long a one of the same time": _replace_unseen,
    "replaced by a copy": _replace_by_a_copy,
    "replaced by a link to it": _replace_by_a_link,
    "replaced by a folder": _replace_by_a_folder,
}


def _in_manifest(before: str, after: str) -> Change:
    def change(library: Library) -> None:
        path = library.folder / "demo.yaml"
        path.write_text(path.read_text().replace(before, after))

    return change


def _in_ledger(*statements: str) -> Change:
    def change(library: Library) -> None:
        connection = sqlite3.connect(library.folder / ".pipeline/ledger.sqlite3")
        for statement in statements:
            connection.execute(statement)
        connection.commit()
        connection.close()

    return change


def _open_run(library: Library) -> None:
    _in_ledger(f"INSERT INTO runs (manifest, kind, opened_at) VALUES ('demo', '{library.kind}', 1.0)")(library)


def _leave_a_lock_behind(library: Library) -> None:
    """As if the manifest's file had had another name."""
    (library.folder / "old.lock.json").write_bytes(lock_text(Lock("demo")))


def _add_another_manifest(library: Library) -> None:
    (library.folder / "other.yaml").write_text("version: 1\nname: other\n")
    (library.folder / "other.lock.json").write_bytes(lock_text(Lock("other")))


def _write_to_the_log_only(library: Library) -> None:
    """As a process that was killed in the midst of it leaves the ledger: its last words stand in the log."""
    ledger = library.folder / ".pipeline/ledger.sqlite3"
    writer = sqlite3.connect(ledger)
    writer.execute(f"INSERT INTO runs (manifest, kind, opened_at) VALUES ('demo', '{library.kind}', 1.0)")
    writer.commit()
    log = ledger.with_name(f"{ledger.name}-wal")
    copies = {path: path.read_bytes() for path in (ledger, log) if path.exists()}
    writer.close()
    for path, content in copies.items():
        path.write_bytes(content)


def _at(relative: str, act: Callable[[Path], object]) -> Change:
    def change(library: Library) -> None:
        act(library.folder / relative)

    return change


def _in_environment(name: str, value: str) -> Change:
    return lambda library: library.environment.update({name: value})


def _swap_in_another_output(library: Library) -> None:
    """The same files in another folder of that name."""
    output = library.folder / "output"
    shutil.copytree(output, library.folder / "other")
    output.rename(library.folder / "before")
    (library.folder / "other").rename(output)


def _lead_outside(library: Library) -> None:
    """A folder of the output folder becomes a link that leads out of it, to the same files."""
    folder = library.folder / "output/battle"
    folder.rename(library.folder / "elsewhere")
    folder.symlink_to(library.folder / "elsewhere")


#: Every change, by its name.
CHANGES: Final[dict[str, Change]] = {
    **{f"{name} {how}": _at(path, act) for name, path in FILES.items() for how, act in _OF_A_FILE.items()},
    "nothing": lambda _: None,
    "a comment in the manifest": _in_manifest("tracks:", "# all of it\ntracks:"),
    "another prompt": _in_manifest("calm menu", "wild menu"),
    "another loudness": _in_manifest("outputs: [wav]", "outputs: [wav], loudness: mobile"),
    "another name": _in_manifest("name: demo", "name: other"),
    "a track less": _in_manifest("  theme: {file: theme.wav}\n", ""),
    "a track more": _in_manifest("  theme:", "  more: {prompt: more}\n  theme:"),
    "a mistake in the manifest": _in_manifest("takes: 2", "takes: two"),
    "an open run": _open_run,
    "an open run in the ledger's log": _write_to_the_log_only,
    "a job that is still out": _in_ledger("UPDATE jobs SET state = 'accepted'"),
    "a forgotten purchase": _in_ledger("DELETE FROM charges", "DELETE FROM asks", "DELETE FROM jobs"),
    "a lock file": _at("demo.lock.json", lambda path: path.write_text('{"version": 1}')),
    "a lock that was left behind": _leave_a_lock_behind,
    "another manifest and its lock": _add_another_manifest,
    "somebody holds the state folder": _at(".pipeline/.pipeline.lock-holder", lambda path: path.write_text("{}")),
    "somebody holds the output folder": _at("output/.pipeline.lock-holder", lambda path: path.write_text("{}")),
    "a lost report": _at("output/cost-report.md", lambda path: path.unlink()),
    "a file of somebody else's": _at("output/battle/more.wav", lambda path: path.write_bytes(b"mine")),
    "no sources": _at(".pipeline/sources", shutil.rmtree),
    "no state": _at(".pipeline", shutil.rmtree),
    "another output folder": _swap_in_another_output,
    "a link out of the output folder": _lead_outside,
    "no key": _in_environment("AIGATEWAY_API_KEY", ""),
    "another key": _in_environment("AIGATEWAY_API_KEY", "sk-aig-other"),
    "another address": _in_environment("AIGATEWAY_BASE_URL", "https://api.example.com"),
    "no colour": _in_environment("NO_COLOR", "1"),
}
