"""Audio as it arrives: piece by piece, checked, and never waited for without end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

from pipeline.gateway.audio_checks import BEGINNING
from pipeline.gateway.exchanges import TRANSPORT_ERRORS, lost_by

if TYPE_CHECKING:
    from pipeline.gateway.audio_checks import AudioCheck
    from pipeline.gateway.exchanges import Body


class AudioStream:
    """The body of a response that ought to be audio."""

    def __init__(self, body: Body, check: AudioCheck, *, stall_s: float, total_s: float) -> None:
        """`stall_s`: the longest wait for a piece; `total_s`: for all of them, from now on."""
        self._body = body
        self._check = check
        self._stall_s = stall_s
        self._total_s = total_s
        self._until = anyio.current_time() + total_s
        self._is_begun = False

    async def read(self) -> bytes:
        """The next piece; none at the end. Raises DownloadFailed."""
        if self._is_begun:
            piece = await self._piece()
        else:
            self._is_begun = True
            piece = await self._beginning()
            self._check.begin(piece[:BEGINNING])
        if piece:
            self._check.count(piece)
        else:
            self._check.end()
        return piece

    async def _beginning(self) -> bytes:
        beginning = b""
        while len(beginning) < BEGINNING and (piece := await self._piece()):
            beginning += piece
        return beginning

    async def _piece(self) -> bytes:
        left_s = self._until - anyio.current_time()
        with anyio.move_on_after(min(self._stall_s, left_s)):
            try:
                return await self._body.read()
            except TRANSPORT_ERRORS as error:
                reason = f"it broke off: {lost_by(error).reason}"
            raise self._check.truncated(reason, code="broken_off")
        reason = f"nothing came for {self._stall_s:g} s"
        if left_s < self._stall_s:
            reason = f"it took over {self._total_s:g} s"
        raise self._check.truncated(reason, code="stalled")
