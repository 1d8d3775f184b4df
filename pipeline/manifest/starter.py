"""The manifest that `pipeline init` writes: small, commented, and ready to run."""

from __future__ import annotations

from typing import Final

from pipeline.manifest.names import normal, part_fault, without_strange_characters

_FALLBACK_NAME: Final = "my-music"

_TEXT: Final = """\
# yaml-language-server: $schema=manifest.schema.json
#
# A manifest: the music a project needs, by name. With the line above, editors complete and explain every key.
#
#   pipeline plan FILE                        what a run would do and cost; sends nothing
#   pipeline run FILE --gateway local         placeholder music, free, no key needed
#   pipeline run FILE --gateway aigateway     the real thing; needs AIGATEWAY_API_KEY, and is paid for

version: 1
name: NAME               # names this manifest's rows in output/assets.json, its runs and its cost tags

gateway:
  model: sony-ai/mmaudio-v2-text-to-audio
  price_per_second: 0.0010      # USD, of `model`
  # prices: {other/model: 0.0020}         # of models that single tracks name
  # concurrency: 8                        # jobs in flight

budget: 0.10                    # USD: what a run may commit itself to; a plan that costs more sends nothing

defaults:                       # what a track leaves out comes from here
  duration: 15                  # seconds; each is paid for
  loudness: game                # -16 LUFS; also mobile, console, podcast, streaming, advert-eu, advert-us ...
  outputs: [ogg]                # also wav, flac, mp3; m4a and opus where ffmpeg is installed
  # mark: none                  # files then don't say in their tags that they were generated (IPTC), and by which model

tracks:
  menu:                         # a name is the file's path in the output folder: output/menu.ogg
    prompt: Calm piano theme with soft strings, hopeful, 80 bpm

  explore/forest:
    prompt: Gentle exploration music, harp and woodwinds, airy, 90 bpm
    duration: 20
    loop: true                  # cut so that the end runs into the start without a seam

  # One entry, a track for each combination: battle/dragon.ogg, battle/lich.ogg. Text that begins with { needs quotes.
  battle/{boss}:
    matrix: {boss: [dragon, lich]}
    prompt: "{boss} boss battle, taiko drums and low brass, driving, 140 bpm"

  stinger/victory:
    prompt: Short triumphant brass fanfare with a clear ending
    duration: 6
    takes: 2                    # two versions; the first becomes the asset, the other is kept beside
    fade_out: 0.5

  # A song has lyrics; without them a track is instrumental. A jingle usually has a loudness of its own.
  # jingle/spring-sale:
  #   prompt: Bright ukulele ad jingle, female voice
  #   lyrics: Spring is here, prices disappear
  #   loudness: advert-eu
  #   outputs: [{format: mp3, bitrate: 192}, wav]

  # A person's recording takes the place: never generated, still finished and listed in the index.
  # title/theme:
  #   file: recordings/theme.wav
"""


def starter_manifest(name: str) -> str:
    """A commented manifest that runs as it is, called `name` as far as that may be a manifest's name."""
    return _TEXT.replace("NAME", f'"{_usable(name)}"', 1)


def _usable(name: str) -> str:
    usable = without_strange_characters(normal(name)).strip(" .-")[:40].rstrip(" .")
    return _FALLBACK_NAME if part_fault(usable) else usable
