"""What was done to a source, in words for people who do not know the program."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.fingerprints import recorded_settings
from pipeline.report.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipeline.audio.settings import Finishing, Loop, Loudness, Output
    from pipeline.output import AssetRow

_INTROS: Final = {"drop": "", "keep": ", its intro kept", "split": ", its intro in a file of its own"}


def finishing_words(row: AssetRow) -> tuple[str, ...] | None:
    """Everything that was done, in order. None where the row does not say: it is of an older version, or was edited."""
    settings = recorded_settings(row.settings, row.finishing_fingerprint)
    if settings is None:
        return None
    try:
        return tuple(_done(*settings, row))
    except (TypeError, ValueError, AttributeError):
        return None


def own_steps(row: AssetRow) -> tuple[str, ...]:
    """The names of the project's own steps that were run over it."""
    settings = recorded_settings(row.settings, row.finishing_fingerprint)
    return () if settings is None else tuple(one_line(str(step)) for step in settings[2])


def _done(finishing: Finishing, output: Output, steps: Sequence[str], row: AssetRow) -> Iterator[str]:
    if finishing.channels is not None:
        yield "in mono" if finishing.channels == 1 else "in stereo"
    if finishing.sample_rate is not None:
        yield f"at {finishing.sample_rate:,} Hz"
    if finishing.trim is not None:
        yield "silence trimmed off both ends"
    if finishing.loop is not None:
        yield _looped(finishing.loop)
    if finishing.fade_in_s:
        yield f"faded in over {finishing.fade_in_s:g} s"
    if finishing.fade_out_s:
        yield f"faded out over {finishing.fade_out_s:g} s"
    if steps:
        yield f"changed by the project's own steps ({', '.join(own_steps(row))})"
    yield _levelled(finishing.loudness)
    if row.limited_db:
        yield f"peaks limited by up to {row.limited_db:.1f} dB"
    yield f"encoded as {output.format}"


def _looped(loop: Loop) -> str:
    return f"cut to loop without a seam{_INTROS[loop.intro]}"


def _levelled(loudness: Loudness) -> str:
    if loudness.target_lufs is None:
        return "loudness left as it was"
    together = "" if loudness.group is None else f" together with group {one_line(loudness.group)}"
    return f"levelled to {loudness.target_lufs:g} LUFS{together}"
