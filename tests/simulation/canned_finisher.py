"""A finisher whose files prove themselves: what they were made of, and that they are whole."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

import anyio

from pipeline.audio.measurement import Measurement
from pipeline.audio.remeasuring import Remeasured
from pipeline.audio.tasks import AudioError, FinishedFile, FinishTask, GatingBlocks, SourceFacts
from pipeline.audio.waveform import Waveform

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mortality import Mortal

    from pipeline.audio.tasks import Target

_HEAD: Final = 44  # a WAV's
_BYTES_A_SECOND: Final = 8000 * 2
_FINISHING_S: Final = 0.4
_HASH: Final = 64
_WAVEFORM: Final = Waveform(b"\x80", b"\x40")


class CannedFinisher:
    """Takes its time on the event loop's clock. `mortal`: whose worker it is."""

    def __init__(self, mortal: Mortal) -> None:
        self._mortal = mortal

    async def inspect(self, path: str) -> SourceFacts:
        content = Path(path).read_bytes()
        declared = int.from_bytes(content[4:8], "little") + 8 if content[:4] == b"RIFF" else -1
        if declared != len(content):
            raise AudioError(f"not whole: {len(content)} bytes of {declared}")
        frames = (len(content) - _HEAD) // 2
        await anyio.sleep(_FINISHING_S / 4)
        return SourceFacts(frames / 8000, frames, 8000, 1)

    async def finish(self, task: FinishTask) -> tuple[FinishedFile, ...]:
        await anyio.sleep(_FINISHING_S)
        self._mortal.stay_alive()
        source = hashlib.sha256(Path(task.source).read_bytes()).hexdigest()
        return tuple(_finished(source, target) for target in task.targets)

    async def compare(self, one: str, other: str) -> float | None:
        """No two canned pieces are twins."""
        await anyio.sleep(_FINISHING_S / 4)
        self._mortal.stay_alive()
        assert Path(one).is_file()
        assert Path(other).is_file()
        return None

    async def gating_blocks(self, task: FinishTask) -> GatingBlocks:
        """The source's own hash: another source brings something else."""
        await anyio.sleep(_FINISHING_S / 4)
        self._mortal.stay_alive()
        return GatingBlocks(hashlib.sha256(Path(task.source).read_bytes()).digest(), None)

    async def common_gain_db(self, members: Sequence[GatingBlocks], target_lufs: float) -> float:
        """A figure that any other set of members would change."""
        await anyio.sleep(_FINISHING_S / 4)
        self._mortal.stay_alive()
        every = b"".join(sorted(member.powers for member in members))
        return target_lufs + int.from_bytes(hashlib.sha256(every).digest()[:2], "little") / 1000

    async def remeasure(self, path: str, loop: tuple[int, int] | None) -> Remeasured:
        await anyio.sleep(_FINISHING_S / 4)
        self._mortal.stay_alive()
        assert source_of(Path(path).read_bytes()) is not None
        return Remeasured(Measurement(1.0, 8000, 8000, 1, -16.0, None, None, None, -1.0), "wav", waveform=_WAVEFORM)


def _finished(source_sha256: str, target: Target) -> FinishedFile:
    content = source_sha256.encode() + target.output.extension.encode()
    content += hashlib.sha256(content).hexdigest().encode()
    with Path(target.path).open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    sha256 = hashlib.sha256(content).hexdigest()
    figures = (1.0, 8000, 1, -16.0, None, None, -1.0)
    return FinishedFile(target.path, target.output.format, len(content), sha256, *figures, waveform=_WAVEFORM)


def source_of(asset: bytes) -> str | None:
    """The hash of the source that an asset was made of; None where it is not whole."""
    body, proof = asset[:-_HASH], asset[-_HASH:]
    if len(asset) <= 2 * _HASH or hashlib.sha256(body).hexdigest().encode() != proof:
        return None
    return body[:_HASH].decode()
