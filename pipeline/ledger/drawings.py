"""The ledger's sentences about drawings: what is shown of each finished file, kept when the file was made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.ledger.lookups import questions
from pipeline.ledger.records import Drawing

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

_COLUMNS: Final = "manifest, path, sha256, waveform, lufs, true_peak_dbtp, duration_s"


class Drawings:
    """The drawings of a ledger. One that is lost is made again from its file."""

    connection: sqlite3.Connection

    def keep_drawings(self, drawings: Iterable[Drawing]) -> None:
        """Keep these in the place of what was drawn of other files at their paths."""
        self.connection.executemany(
            f"INSERT OR REPLACE INTO drawings ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 - the columns are this file's own
            [(one.manifest, one.path, one.sha256, one.waveform, *one.figures) for one in drawings],
        )

    def drawings(self, hashes: Iterable[str]) -> dict[str, Drawing]:
        """By the SHA-256 of the file: what is known of it, wherever it lay when it was drawn."""
        found: dict[str, Drawing] = {}
        for marks, some in questions(hashes):
            rows = self.connection.execute(f"SELECT {_COLUMNS} FROM drawings WHERE sha256 IN ({marks})", some)  # noqa: S608 - marks
            found |= {row[2]: Drawing(*row) for row in rows}
        return found
