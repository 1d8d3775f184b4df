"""A track's finishing keys as options: what each says, and where that stands in a manifest.

No rule about a value is written here: the manifest's own models read them (manifest.recording_track).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pipeline.manifest.recordings import Words
    from pipeline.manifest.tracks import Track

_GATES: Final = ("silent", "ending", "gap", "clipping", "mono", "dc")
#: Gates of a manifest that find nothing in files of one's own.
_IDLE_GATES: Final = {"twin": "a file has no other takes to be compared with", "length": "nobody asked for a length"}

F = TypeVar("F", bound="Callable[..., Any]")


@dataclass(frozen=True, slots=True)
class KeyOption:
    """An option that gives one key of a track, as a manifest spells it."""

    name: str
    path: tuple[str, ...]
    metavar: str
    help: str

    @property
    def parameter(self) -> str:
        """What click calls its value."""
        return self.name.removeprefix("--").replace("-", "_")


_KEYS: Final = (
    KeyOption("--trim-threshold", ("trim", "threshold"), "DBFS", "What lies below is cut; trims. [-60]"),
    KeyOption("--keep-head", ("trim", "keep_head"), "SECONDS", "Quiet to keep before the first sound; trims. [0.005]"),
    KeyOption("--keep-tail", ("trim", "keep_tail"), "SECONDS", "Quiet to keep after the last sound; trims. [0.1]"),
    KeyOption("--loop-min", ("loop", "min"), "SECONDS", "The shortest loop to accept; loops. [40 % of the file]"),
    KeyOption("--loop-crossfade", ("loop", "crossfade"), "SECONDS", "Of the end into the start; loops. [as needed]"),
    KeyOption("--loop-intro", ("loop", "intro"), "WORD", "drop, keep or split what comes before it; loops. [drop]"),
    KeyOption("--fade-in", ("fade_in",), "SECONDS", "Of the start. Not on a loop."),
    KeyOption("--fade-out", ("fade_out",), "SECONDS", "Of the end. Not on a loop."),
    KeyOption("--preset", ("loudness", "preset"), "NAME",
              "game, mobile, console, broadcast-eu, advert-eu, broadcast-us, advert-us, podcast, streaming; none: "
              "measured, not changed. [game]"),
    KeyOption("--target", ("loudness", "target"), "LUFS", "Integrated loudness, instead of the preset's."),
    KeyOption("--true-peak", ("loudness", "true_peak"), "DBTP", "Ceiling of the true peak, instead of the preset's."),
    KeyOption("--max-short-term", ("loudness", "max_short_term"), "LUFS", "Highest short-term loudness (3 s)."),
    KeyOption("--tolerance", ("loudness", "tolerance"), "LU", "How far from the target is still right."),
    KeyOption("--limit", ("loudness", "limit"), "DB", "The most to take off peaks; 0: linear gain only. [3]"),
    KeyOption("--sample-rate", ("sample_rate",), "HZ", "[the file's]"),
    KeyOption("--channels", ("channels",), "N", "1 or 2. [the file's]"),
)  # fmt: skip


def finishing_options(command: F) -> F:
    """Every finishing key, and a manifest's track instead of them."""
    for option in reversed((
        click.option("--trim", is_flag=True, help="Cut silence at both ends."),
        click.option("--loop", is_flag=True, help="Make it loop without a seam."),
        *(click.option(key.name, metavar=key.metavar, help=key.help) for key in _KEYS),
        click.option("--format", "formats", multiple=True, metavar="FORMAT[:KEY=VALUE,...]",
                     help="A file to make of each, again and again: ogg:quality=6, mp3:bitrate=128,suffix=-low, "
                          "wav:bits=24, flac, m4a, opus. [ogg]"),
        click.option("--gate", "gates", multiple=True, metavar="NAME=ACTION",
                     help=f"What to do about a fault ({', '.join(_GATES)}): off, warn or fail."),
        click.option("--track", nargs=2, type=(str, Path), metavar="NAME MANIFEST",
                     help="Finish as this manifest's track is, instead of by options."),
    )):  # fmt: skip
        command = option(command)
    return command


def track_for(options: Mapping[str, Any]) -> Track:
    """What the options, or the manifest's track that they name, say about finishing.

    Raises click.UsageError, naming the options at fault, and ManifestMistakes where the manifest is.
    """
    keys, said = _keys(options)
    if options["track"] is None:
        return _by_options(keys, said, _gate_mistakes(options["gates"]))
    if said:
        names = ", ".join(dict.fromkeys(option.split(" ")[0] for option in said.values()))
        raise click.UsageError(f"--track takes every setting from the manifest, expected it without {names}")
    return _of_manifest(*options["track"])


def _keys(options: Mapping[str, Any]) -> tuple[dict[str, Words], dict[str, str]]:
    """The track's keys as a manifest would have them, and by each path the option that says it."""
    keys: dict[str, Any] = {}
    said: dict[str, str] = {}
    for switch in ("trim", "loop"):
        if options[switch]:
            keys[switch], said[switch] = "true", f"--{switch}"
    for option in _KEYS:
        value = options[option.parameter]
        if value is not None:
            *sections, key = option.path
            holder = keys
            for section in sections:
                holder = _mapping(holder, section)
            holder[key], said[".".join(option.path)] = value, option.name
    for number, word in enumerate(options["formats"]):
        keys.setdefault("outputs", []).append(_parts(word))
        said[f"outputs[{number}]"] = f"--format {word}"
    for word in options["gates"]:
        gate, _, action = word.partition("=")
        _mapping(keys, "gates")[gate], said[f"gates.{gate}"] = action, f"--gate {word}"
    return keys, said


def _mapping(holder: dict[str, Any], section: str) -> dict[str, Any]:
    """The section's mapping, in place of a mere `true`."""
    if not isinstance(holder.get(section), dict):
        holder[section] = {}
    inner: dict[str, Any] = holder[section]
    return inner


def _parts(word: str) -> dict[str, Words]:
    """`mp3:bitrate=128,suffix=-low` as the mapping that a manifest has for it."""
    audio_format, _, rest = word.partition(":")
    pairs = [part.partition("=") for part in rest.split(",")] if rest else []
    return {"format": audio_format, **{key.strip(): value for key, _, value in pairs}}


def _gate_mistakes(words: Iterable[str]) -> list[str]:
    """A line for each gate that would have no effect, or two."""
    lines = []
    actions: dict[str, str] = {}
    for word in words:
        gate, _, action = word.partition("=")
        first = actions.setdefault(gate, action)
        if gate in _IDLE_GATES:
            lines.append(
                f"--gate {word}: finds nothing here ({_IDLE_GATES[gate]}), expected one of {', '.join(_GATES)}"
            )
        elif action != first:
            lines.append(f"--gate {word}: contradicts --gate {gate}={first}, expected one of the two")
    return lines


def _by_options(keys: dict[str, Words], said: Mapping[str, str], lines: list[str]) -> Track:
    """`lines`: the mistakes that are known already."""
    from pipeline.manifest import ManifestMistakes, recording_track  # noqa: PLC0415 - `--help` needs none of it

    try:
        track = recording_track(keys)
    except ManifestMistakes as found:
        lines = [*(f"{_option(mistake.path, said)}: {mistake.message}" for mistake in found.mistakes), *lines]
    if lines:
        raise click.UsageError("\n".join(lines))
    return track


def _option(path: str, said: Mapping[str, str]) -> str:
    """The option that says what stands at `path`: the nearest around it, or one within it."""
    near = [at for at in said if path and (path.startswith(at) or at.startswith(path))]
    # What is about all of the options together is two files of one name.
    return said[max(near, key=len)] if near else "--format"


def _of_manifest(name: str, path: Path) -> Track:
    from pipeline.manifest import load_manifest  # noqa: PLC0415 - as above
    from pipeline.manifest.mistakes import nearest, quoted  # noqa: PLC0415
    from pipeline.manifest.names import normal  # noqa: PLC0415

    tracks = {track.name: track for track in load_manifest(path).tracks}
    track = tracks.get(normal(name))
    if track is None:
        raise click.UsageError(f"--track: {path} has no track {quoted(name)}; {nearest(name, tracks)}")
    return track
