"""The includes of docs/build-systems.md with the real make and ninja; and what a depfile and a stamp file are."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from lives import clean_environment
from programs import MANIFEST, command_of

from pipeline.picks.document import lock_text
from pipeline.picks.values import Lock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lives import Ended, Lives

    from pipeline.local_gateway.serving import LocalGatewayThread

DOCUMENT = Path(__file__).parents[2] / "docs/build-systems.md"
ASSETS = ("menu.wav", "battle/dragon.wav", "battle/lich.wav")


@pytest.fixture
def command(lives: Lives, tmp_path: Path) -> Iterator[str]:
    """What starts the program, at once."""
    with command_of(lives, tmp_path) as words:
        yield words


def fragments(language: str) -> list[str]:
    """The document's code in that language."""
    return re.findall(rf"```{language}\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)


class Build:
    """A game's build in `folder`: each asset is packed, and each pack counted."""

    def __init__(self, folder: Path, tool: str, url: str) -> None:
        self.folder = folder
        self.gateway = f"local={url}"
        self._command = [shutil.which(tool), *(["-r"] if tool == "make" else [])]

    def build(self) -> set[str]:
        """Which packs were built."""
        before = self._times()
        ended = subprocess.run(
            self._command, cwd=self.folder, env=clean_environment(), capture_output=True, text=True, check=False
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return {name for name, time_ns in self._times().items() if before.get(name) != time_ns}

    def _times(self) -> dict[str, int]:
        return {path.name: path.stat().st_mtime_ns for path in self.folder.glob("*.pack")}

    def change_the_manifest(self, before: str, after: str) -> None:
        path = self.folder / "demo.yaml"
        path.write_text(path.read_text().replace(before, after))


MAKEFILE = """\
all: menu.pack dragon.pack lich.pack
PIPELINE = {pipeline}
MUSIC_MANIFESTS = demo.yaml
MUSIC_GATEWAY = {gateway}
include music.mk
menu.pack: output/menu.wav
dragon.pack: output/battle/dragon.wav
lich.pack: output/battle/lich.wav
%.pack:
\tcp $< $@
"""


@pytest.mark.long
@pytest.mark.skipif(shutil.which("make") is None, reason="there is no make here")
@pytest.mark.parametrize("number", [0, 1], ids=["the pipeline decides", "make decides"])
def test_make_builds_again_only_what_changed(
    folder: Path, gateway: LocalGatewayThread, command: str, number: int
) -> None:
    """A comment builds nothing, another sound only its own pack, and an asset that was deleted comes back."""
    build = Build(folder, "make", gateway.base_url)
    (folder / "Makefile").write_text(MAKEFILE.format(pipeline=command, gateway=build.gateway))
    (folder / "music.mk").write_text(fragments("make")[number])
    assert build.build() == {"menu.pack", "dragon.pack", "lich.pack"}
    assert build.build() == set()
    build.change_the_manifest("tracks:", "# of the game\ntracks:")
    assert build.build() == set()
    build.change_the_manifest("{prompt: calm menu}", "{prompt: calm menu, loudness: mobile}")
    assert build.build() == {"menu.pack"}
    (folder / "output/battle/lich.wav").unlink()
    assert build.build() == {"lich.pack"}
    assert build.build() == set()


NINJA = """\
rule pack
  command = cp $in $out
{music}
build menu.pack: pack output/menu.wav{after}
build dragon.pack: pack output/battle/dragon.wav{after}
build lich.pack: pack output/battle/lich.wav{after}
"""


@pytest.mark.long
@pytest.mark.skipif(shutil.which("ninja") is None, reason="there is no ninja here")
@pytest.mark.parametrize("number", [0, 1], ids=["by a stamp", "by its assets"])
def test_ninja_builds_again_only_what_changed(
    folder: Path, gateway: LocalGatewayThread, lives: Lives, command: str, number: int
) -> None:
    """By its assets only what changed; by a stamp all of it, and only where the run had something to look at."""
    build = Build(folder, "ninja", gateway.base_url)
    music = fragments("ninja")[number].replace("pipeline run", f"{command} run")
    music = music.replace("--gateway local", f"--gateway {build.gateway}")
    music = re.sub(r"manifests/\S+(?: manifests/\S+)?", "demo.yaml", music)
    music = re.sub(
        r"^build output\S+ \S+:", "build " + " ".join(f"output/{a}" for a in ASSETS) + ":", music, flags=re.MULTILINE
    )
    every = {"menu.pack", "dragon.pack", "lich.pack"}
    if number == 0:  # what is no output has to be there before ninja can name it
        assert lives.live(folder, "run", "demo.yaml", "--gateway", build.gateway).status == 0
    (folder / "build.ninja").write_text(NINJA.format(music=music, after="" if number else " | music.stamp"))
    assert build.build() == every
    assert build.build() == set()
    build.change_the_manifest("tracks:", "# of the game\ntracks:")
    assert build.build() == (set() if number else every)
    build.change_the_manifest("{prompt: calm menu}", "{prompt: calm menu, loudness: mobile}")
    assert build.build() == ({"menu.pack"} if number else every)
    assert (folder / "menu.pack").read_bytes() == (folder / "output/menu.wav").read_bytes()
    assert build.build() == set()


def run(folder: Path, lives: Lives, gateway: LocalGatewayThread, *words: str) -> Ended:
    return lives.live(folder, "run", "demo.yaml", "--gateway", f"local={gateway.base_url}", *words)


def test_a_depfile_says_what_the_assets_depend_on(folder: Path, lives: Lives, gateway: LocalGatewayThread) -> None:
    """Manifest, lock file and recording, each a rule of its own too; it is left alone when it would be the same."""
    (folder / "demo.yaml").write_text(MANIFEST + "  theme: {file: my theme.wav}\n")
    (folder / "demo.lock.json").write_bytes(lock_text(Lock("demo")))
    assert run(folder, lives, gateway, "--only", "menu").status == 0
    shutil.copy(folder / "output/menu.wav", folder / "my theme.wav")
    assert run(folder, lives, gateway, "--depfile", "build/music.d").status == 0
    assets = " ".join(f"output/{asset}" for asset in (*ASSETS, "theme.wav"))
    needed = ("demo.yaml", "demo.lock.json", "my\\ theme.wav")
    text = f"{assets}: \\\n  " + " \\\n  ".join(needed) + "\n" + "".join(f"{path}:\n" for path in needed)
    depfile = folder / "build/music.d"
    assert depfile.read_text() == text
    os.utime(depfile, (1, 1))
    assert run(folder, lives, gateway, "--depfile", "build/music.d").status == 0
    assert depfile.stat().st_mtime == 1
    assert run(folder, lives, gateway, "--depfile", "build/music.d", "--stamp", "build/music.stamp").status == 0
    assert depfile.read_text() == text.replace(assets, "build/music.stamp")


def test_a_depfile_that_was_lost_is_written_again(folder: Path, lives: Lives, gateway: LocalGatewayThread) -> None:
    """Though there is nothing else to do."""
    for _ in range(3):
        assert run(folder, lives, gateway, "--depfile", "music.d").status == 0
    before = (folder / "music.d").read_bytes()
    for spoil in (Path.unlink, lambda path: path.write_text("")):
        spoil(folder / "music.d")
        assert run(folder, lives, gateway, "--depfile", "music.d").status == 0
        assert (folder / "music.d").read_bytes() == before


OWN = ("demo.yaml", "demo.lock.json", ".pipeline/ledger.sqlite3", "output/assets.json", "output/menu.wav",
       "output/cost-report.md", "output/../demo.yaml")  # fmt: skip


@pytest.mark.parametrize("option", ["--depfile", "--stamp"])
@pytest.mark.parametrize("name", OWN)
def test_what_a_run_has_for_itself_is_no_place_for_a_build_systems_files(
    folder: Path, lives: Lives, gateway: LocalGatewayThread, option: str, name: str
) -> None:
    """A mistyped name costs no manifest and no books: before anything is done, also where the file is still to come."""
    ended = run(folder, lives, gateway, option, name)
    assert (ended.status, "a run has that file for something else; name another" in ended.stderr) == (2, True)
    assert gateway.app.state.gateway.books.jobs == []
    assert (folder / "demo.yaml").read_text() == MANIFEST


def test_a_depfile_is_written_over_nothing_but_a_depfile(
    folder: Path, lives: Lives, gateway: LocalGatewayThread
) -> None:
    """Nor is it the stamp."""
    (folder / "Makefile").write_text(LOOKED_AT)
    for words, said in (
        (("--depfile", "Makefile"), "--depfile Makefile: it is there and no depfile"),
        (("--depfile", "same", "--stamp", "./same"), "--depfile same: it is the --stamp too"),
    ):
        ended = run(folder, lives, gateway, *words)
        assert (ended.status, said in ended.stderr) == (2, True), ended.said
    assert (folder / "Makefile").read_text() == LOOKED_AT
    assert gateway.app.state.gateway.books.jobs == []


def test_a_stamp_file_has_the_time_since_when_nothing_has_changed(
    folder: Path, lives: Lives, gateway: LocalGatewayThread
) -> None:
    """Touched by every run that went well, also where it had nothing to do; never by one that failed."""
    stamp = folder / "build/music.stamp"
    for _ in range(3):
        began = time.time()
        assert run(folder, lives, gateway, "--stamp", "build/music.stamp").status == 0
        assert began <= stamp.stat().st_mtime <= time.time()
    before = stamp.stat().st_mtime
    (folder / "output/menu.wav").unlink()
    (folder / "output/menu.wav").mkdir()
    assert run(folder, lives, gateway, "--stamp", "build/music.stamp").status == 1
    assert stamp.stat().st_mtime == before


@pytest.mark.parametrize("name", ["a%b.yaml", "a=b.yaml", "a*b.yaml", "a;b.yaml", "a'b.yaml", "~a.yaml", "a\tb.yaml"])
def test_a_path_that_make_and_ninja_read_differently_is_refused(
    folder: Path, lives: Lives, gateway: LocalGatewayThread, name: str
) -> None:
    """Before anything is bought, with a sentence."""
    (folder / "demo.yaml").rename(folder / name)
    words = ("run", name, "--gateway", f"local={gateway.base_url}", "--depfile", "music.d")
    ended = lives.live(folder, *words)
    assert ended.status == 2
    assert re.search(r"pipeline: |--depfile: make and ninja can't both read", ended.stderr)
    assert gateway.app.state.gateway.books.jobs == []
    assert not (folder / "music.d").exists()


ODD = ("a b.wav", "a#b.wav", "a$b.wav", "a:b.wav", "ä (1).wav", "a,b+c@d!{e}~f.wav")
LOOKED_AT = """\
all: found
-include music.d
found: ; touch found
"""


@pytest.mark.skipif(shutil.which("make") is None, reason="there is no make here")
@pytest.mark.parametrize("tool", ["make", "ninja"])
def test_odd_names_are_read_by_both(folder: Path, lives: Lives, gateway: LocalGatewayThread, tool: str) -> None:
    """Spaces, hashes, dollars and colons behind an escape, letters of any script: each is a dependency of its own."""
    if shutil.which(tool) is None:
        pytest.skip(f"there is no {tool} here")
    tracks = "".join(
        f"  t{number}: {{file: '{name.replace('{', '{{').replace('}', '}}')}'}}\n" for number, name in enumerate(ODD)
    )
    assert run(folder, lives, gateway, "--only", "menu").status == 0
    for name in ODD:
        shutil.copy(folder / "output/menu.wav", folder / name)
    (folder / "demo.yaml").write_text(MANIFEST.partition("tracks:")[0] + "tracks:\n" + tracks)
    assert run(folder, lives, gateway, "--depfile", "music.d", "--stamp", "found").status == 0
    (folder / "Makefile").write_text(LOOKED_AT)
    rule = (
        "rule again\n  command = touch found && cp music.d again.d\n  depfile = again.d\nbuild found: again demo.yaml\n"
    )
    (folder / "build.ninja").write_text(rule)
    command = ["make", "-r"] if tool == "make" else ["ninja"]

    def made() -> bool:
        before = (folder / "found").stat().st_mtime_ns
        subprocess.run(command, cwd=folder, capture_output=True, check=True)
        return (folder / "found").stat().st_mtime_ns != before

    made()
    for name in ("demo.yaml", *ODD):
        assert not made(), name
        os.utime(folder / name, (time.time() + 5,) * 2)
        assert made(), name
        os.utime(folder / name, (1, 1))
        made()
    (folder / ODD[0]).unlink()
    made()  # one that is gone is no reason to stop
