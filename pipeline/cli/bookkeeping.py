"""`pipeline ledger` and `pipeline ledger export`."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pipeline.bookkeeping import read_books
from pipeline.cli.terminal import out, out_document, out_whole, say
from pipeline.files import Folder, FolderError, reason
from pipeline.report.books import Books
from pipeline.report.books_csv import CSV_HEAD, books_csv
from pipeline.report.books_json import books_document
from pipeline.report.books_text import books_lines
from pipeline.workspace import LEDGER_NAME

if TYPE_CHECKING:
    from collections.abc import Sequence

STANDARD_OUTPUT: Final = "-"


def ledger(*, state: Path, manifests: Sequence[str], month: str | None, as_json: bool) -> None:
    """List takes and charges."""
    books = books_of(state).only(manifests, month)
    if as_json:
        out_document(books_document(books))
    else:
        out("\n".join(books_lines(books)))


def export(file: str, *, state: Path, manifests: Sequence[str], month: str | None, unbilled: bool) -> None:
    """Write the charges as CSV."""
    if file != STANDARD_OUTPUT:
        _check_place(Path(file), state)
    content = books_csv(books_of(state).only(manifests, month), unbilled=unbilled)
    if file == STANDARD_OUTPUT:
        out_whole(content)
    else:
        _write(Path(file), content)
        say(f"wrote {file}")


def books_of(state: Path) -> Books:
    """The books of a state folder; empty ones, and a sentence, where nothing was ever asked for with it."""
    books = read_books(state / LEDGER_NAME)
    if books is None:
        say(f"{state}: there is no ledger, so nothing was bought with this state folder (--state names another)")
    return books or Books()


def _check_place(file: Path, state: Path) -> None:
    """Raise FolderError where `file` stands for something that an export must not replace."""
    if Path(os.path.realpath(file)).is_relative_to(os.path.realpath(state)):
        raise FolderError(f"{file}: lies in the state folder, where what was paid for is kept; name another place")
    try:
        if not stat.S_ISREG(file.lstat().st_mode):
            raise FolderError(f"{file}: is no plain file; name another, or - for standard output")
        with file.open("rb") as there:
            begins = there.readline(len(CSV_HEAD))
    except FileNotFoundError:
        begins = b""
    except OSError as error:
        raise FolderError(f"{file}: {reason(error)}") from error
    if begins not in (b"", CSV_HEAD):
        raise FolderError(f"{file}: is there, and no earlier export; name another, or - for standard output")


def _write(file: Path, content: bytes) -> None:
    try:
        Folder(file.absolute().parent).write(file.name, content)
    except OSError as error:
        raise FolderError(f"{file}: {reason(error)}") from error
