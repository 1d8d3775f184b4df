"""Is what comes in the audio that was announced: its kind, its size, its end? Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.gateway.errors import NotAudio, TooLarge, Truncated
from pipeline.gateway.excerpts import excerpt

if TYPE_CHECKING:
    from pipeline.gateway.headers import Headers

#: So many bytes tell a web page from audio.
BEGINNING: Final = 16
_AUDIO_BEGINS: Final = (b"RIFF", b"RF64", b"ID3", b"OggS", b"fLaC", b"\xff")
_COMPRESSED: Final = frozenset({"gzip", "x-gzip", "deflate", "compress", "br", "zstd"})


class AudioCheck:
    """Follows one download: told of its headers, its beginning, each piece, and its end, it raises DownloadFailed."""

    def __init__(self, place: str, headers: Headers, limit_bytes: int) -> None:
        """`place`: where it comes from, for messages. Raises NotAudio and TooLarge for what the headers show."""
        self._place = place
        self._limit_bytes = limit_bytes
        self._content_type = headers.get("content-type", "").partition(";")[0].strip().lower()
        self._announced = _length(headers.get("content-length"))
        self._received = 0
        encoding = headers.get("content-encoding", "").strip().lower()
        if encoding in _COMPRESSED:
            raise NotAudio(
                f"{place} sent the audio compressed ({encoding}), which was not asked for", code="compressed_audio"
            )
        self._check_size(self._announced or 0)

    def begin(self, beginning: bytes) -> None:
        """`beginning`: the first BEGINNING bytes, fewer only where there are no more. Raises NotAudio."""
        if not beginning:
            raise NotAudio(f"{self._place} gave an empty file instead of audio", code="empty_audio")
        if _is_a_page(self._content_type, beginning):
            said = excerpt(beginning.decode("utf-8", "replace")) or self._content_type
            raise NotAudio(f'{self._place} gave text instead of audio, beginning "{said}"', code="not_audio")

    def count(self, piece: bytes) -> None:
        """One more piece came. Raises TooLarge."""
        self._received += len(piece)
        self._check_size(self._received)

    def end(self) -> None:
        """No more comes. Raises Truncated."""
        if self._announced is not None and self._received != self._announced:
            raise self.truncated("the lengths differ", code="wrong_length")

    def truncated(self, why: str, *, code: str) -> Truncated:
        """The error for audio that is not whole."""
        announced = "" if self._announced is None else f" of {self._announced:,}"
        return Truncated(f"{self._place} sent {self._received:,}{announced} bytes of audio ({why})", code=code)

    def _check_size(self, size: int) -> None:
        if size > self._limit_bytes:
            raise TooLarge(
                f"{self._place} sends more than {self._limit_bytes:,} bytes, which no take of this length can have",
                code="too_large",
            )


def _length(value: str | None) -> int | None:
    return int(value) if value is not None and value.isascii() and value.isdigit() and len(value) < 20 else None  # noqa: PLR2004 - more digits than any file's size


def _is_a_page(content_type: str, beginning: bytes) -> bool:
    """A web page, JSON or words: whatever it is called where it begins so, and where it is called so."""
    if beginning.startswith(_AUDIO_BEGINS):
        return False
    is_called_text = content_type.startswith("text/") or content_type.endswith(("json", "xml"))
    return is_called_text or beginning.lstrip()[:1] in (b"<", b"{", b"[")
