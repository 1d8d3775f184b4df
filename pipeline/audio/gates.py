"""Gates: what generators do wrong, found by measuring, and what follows from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pipeline.audio.tasks import AudioError
from pipeline.audio.tasks import Warning as AssetWarning

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pipeline.audio.measurement import Measurement
    from pipeline.audio.settings import GateAction

DEFAULT_ACTIONS: Final[dict[str, GateAction]] = {
    "silent": "fail",
    "length": "fail",
    "ending": "warn",
    "gap": "warn",
    "clipping": "warn",
    "mono": "warn",
    "dc": "warn",
    "twin": "warn",
}

_SILENCE_LUFS: Final = -60.0
_SHORTEST_LOUDNESS_S: Final = 0.4  # below it there is no loudness, and the peak decides


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that a gate has found: its name and a sentence. What is mild never fails a track."""

    gate: str
    message: str
    is_mild: bool = False


def judge(findings: Iterable[Finding], gates: Sequence[tuple[str, GateAction]]) -> tuple[AssetWarning, ...]:
    """The warnings that `findings` come to. Raises AudioError at the first whose gate fails the track.

    `gates`: the actions that differ from DEFAULT_ACTIONS.
    """
    warnings = []
    for finding in findings:
        action = action_of(finding.gate, gates)
        if action == "fail" and not finding.is_mild:
            raise AudioError(f"{finding.gate}: {finding.message}")
        if action != "off":
            warnings.append(AssetWarning(finding.gate, finding.message))
    return tuple(warnings)


def action_of(gate: str, gates: Sequence[tuple[str, GateAction]]) -> GateAction:
    """What follows from what `gate` finds; `gates`: as above."""
    return dict(gates).get(gate, DEFAULT_ACTIONS[gate])


def find_silence(measured: Measurement) -> list[Finding]:
    """Does nothing in it reach -60 LUFS, over any 400 ms?"""
    if not is_silent(measured):
        return []
    return [Finding("silent", f"nothing in it is above {_SILENCE_LUFS:g} LUFS")]


def is_silent(measured: Measurement) -> bool:
    """Is it nowhere above -60 LUFS, or where it is too short for a loudness, above -60 dBTP?"""
    is_short = measured.duration_s < _SHORTEST_LOUDNESS_S
    highest = measured.true_peak_dbtp if is_short else measured.max_momentary_lufs
    return highest is None or highest < _SILENCE_LUFS
