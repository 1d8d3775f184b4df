"""Music for the local gateway: a prompt becomes a score, the score becomes sound.

The same request gives the same bytes on one machine. Importing this costs nothing: numpy is loaded when something
is composed.
"""

from __future__ import annotations

__all__ = ["compose"]


def compose(prompt: str, lyrics: str, duration_s: float, audio_format: str, variation: int) -> bytes:
    """The `variation`-th piece for this request, as a whole file: 44.1 kHz stereo.

    `audio_format` is `wav` (16-bit PCM) or `mp3` (192 kbit/s). `lyrics` empty: instrumental. The file decodes to
    exactly `round(duration_s * 44100)` frames. Raises `ValueError` for another format or a duration that is no length.
    """
    from pipeline.local_gateway.composer.rendering import render_file  # noqa: PLC0415 - numpy only once it is needed

    return render_file(prompt, lyrics, duration_s, audio_format, variation)
