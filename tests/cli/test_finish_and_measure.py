"""`finish` and `measure` as scripts use them: the real program on real files, without a gateway or a ledger.

With its worker processes where formats are read, where a signal comes and where it is told what is loaded; the rest
with lives that finish inline.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile
from programs import clean_environment, pipeline

if TYPE_CHECKING:
    from pathlib import Path

    from lives import Lives

RATE = 22_050
MANIFEST = """\
version: 1
name: demo
gateway: {model: sony-ai/mmaudio-v2-text-to-audio, price_per_second: 0.0010, poll_interval: 0.2}
defaults: {duration: 2, loudness: mobile, mark: none}
tracks:
  menu/title: {prompt: calm menu, fade_out: 0.5, outputs: [ogg, {format: mp3, bitrate: 128, suffix: -low}]}
  theme: {file: theme.wav, outputs: [ogg, flac]}
"""


def save(path: Path, seconds: float = 1.0, level: float = 0.1) -> None:
    """A chord that fades out, in the format that the name says."""
    time = np.arange(round(seconds * RATE)) / RATE
    chord = sum(np.sin(2 * np.pi * hertz * time) for hertz in (220, 277, 330)) * np.exp(-4 * time / seconds)
    soundfile.write(path, (level * chord).astype(np.float32), RATE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save(tmp_path / "theme.wav")
    return tmp_path


def visible(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_every_format_is_read_and_measured_as_it_was_finished(folder: Path) -> None:
    """Wav, flac, ogg, mp3 and aiff in; a table within 80 columns out, and figures that measure confirms."""
    inputs = ["a.wav", "b.flac", "c.ogg", "d.mp3", "e.aiff"]
    for name in inputs:
        save(folder / name)
    ended = pipeline(folder, "finish", *inputs, "--target", "-20", "--format", "ogg", "--format", "flac", "--json")
    assert ended.returncode == 0, ended.stderr
    files = json.loads(ended.stdout)["files"]
    assets = [asset for file in files for asset in file["assets"]]
    assert [asset["path"] for asset in assets] == [f"{name[0]}.{kind}" for name in inputs for kind in ("ogg", "flac")]
    assert set(visible(folder / "finished")) == {asset["path"] for asset in assets}
    measured = pipeline(folder / "finished", "measure", *(asset["path"] for asset in assets), "--json")
    for asset, figures in zip(assets, json.loads(measured.stdout)["files"], strict=True):
        for key in ("lufs", "true_peak_dbtp", "duration", "sample_rate", "channels", "format"):
            assert asset[key] == figures[key], key
        assert asset["lufs"] == pytest.approx(-20, abs=0.2)
    assert "[5/5]" in ended.stderr


def test_a_table_for_people_and_the_same_bytes_every_time(folder: Path, lives: Lives) -> None:
    """A result that is there is replaced whole; a file that is given never is; quiet means quiet."""
    words = ["finish", "theme.wav", "--format", "ogg", "--format", "mp3:bitrate=64,suffix=-low", "-q"]
    before = (folder / "theme.wav").read_bytes()
    first = lives.live(folder, *words)
    made = {name: (folder / "finished" / name).read_bytes() for name in ("theme.ogg", "theme-low.mp3")}
    (folder / "finished/theme.ogg").write_bytes(b"half")
    again = lives.live(folder, *words)
    assert (first.status, first.stderr, again.status) == (0, "", 0)
    assert {name: (folder / "finished" / name).read_bytes() for name in made} == made
    assert (folder / "theme.wav").read_bytes() == before
    assert visible(folder / "finished") == set(made)
    assert max(map(len, first.stdout.splitlines())) <= 80
    assert "theme-low.mp3" in first.stdout


def test_a_track_is_finished_as_a_run_delivers_it(folder: Path, lives: Lives) -> None:
    """Byte for byte but for a mark: a generated track from its source by its manifest, a recording by options alone."""
    (folder / "demo.yaml").write_text(MANIFEST)
    ran = lives.live(folder, "run", "demo.yaml", "--gateway", "local")
    assert ran.status == 0, ran.stderr
    (source,) = (path for path in (folder / ".pipeline/sources").rglob("*.wav"))
    copy = folder / "copy.wav"
    copy.write_bytes(source.read_bytes())
    ended = lives.live(folder, "finish", "copy.wav", "--track", "menu/title", "demo.yaml")
    assert ended.status == 0, ended.stderr
    for ours, theirs in (("copy.ogg", "menu/title.ogg"), ("copy-low.mp3", "menu/title-low.mp3")):
        assert (folder / "finished" / ours).read_bytes() == (folder / "output" / theirs).read_bytes()
    ended = lives.live(folder, "finish", "theme.wav", "--preset", "mobile", "--format", "ogg", "--format", "flac")
    assert ended.status == 0, ended.stderr
    for name in ("theme.ogg", "theme.flac"):
        assert (folder / "finished" / name).read_bytes() == (folder / "output" / name).read_bytes()


def test_together_files_keep_their_differences(folder: Path, lives: Lives) -> None:
    """One gain for all that can be finished; what can't is named by the others, which are levelled without it."""
    save(folder / "loud.wav", level=0.2)
    save(folder / "soft.wav", level=0.05)
    (folder / "broken.wav").write_bytes((folder / "loud.wav").read_bytes()[:5_000])
    words = ["loud.wav", "broken.wav", "soft.wav", "--together", "--target", "-24", "--format", "wav", "--json"]
    ended = lives.live(folder, "finish", *words)
    loud, broken, soft = json.loads(ended.stdout)["files"]
    assert (ended.status, broken["status"], broken["assets"]) == (1, "failed", [])
    gains = {file["assets"][0]["gain_db"] for file in (loud, soft)}
    assert len(gains) == 1
    measured = [file["assets"][0]["lufs"] for file in (loud, soft)]
    assert measured[0] - measured[1] == pytest.approx(20 * np.log10(4), abs=0.1)
    assert measured[0] > -24 > measured[1]
    (warning,) = soft["assets"][0]["warnings"]
    assert warning == {"code": "group_incomplete", "message": "levelled without broken.wav"}


def test_short_files_together_say_that_their_peaks_level_them(folder: Path, lives: Lives) -> None:
    """Both of them: neither has a loudness."""
    save(folder / "high.wav", seconds=0.3, level=0.2)
    save(folder / "low.wav", seconds=0.3, level=0.1)
    ended = lives.live(folder, "finish", "high.wav", "low.wav", "--together", "--format", "wav", "--json")
    assets = [file["assets"][0] for file in json.loads(ended.stdout)["files"]]
    assert [asset["true_peak_dbtp"] for asset in assets] == pytest.approx([-6, -12], abs=0.1)
    assert [[warning["code"] for warning in asset["warnings"]] for asset in assets] == [["levelled_by_peak"]] * 2


def test_one_bad_file_fails_alone(folder: Path, lives: Lives) -> None:
    """Broken, missing, a folder, a pipe, silent, a name in no encoding: one line each, exit 1; the others are there."""
    (folder / "broken.wav").write_bytes((folder / "theme.wav").read_bytes()[:5_000])
    save(folder / "silent.wav", level=0.0)
    os.mkfifo(folder / "pipe.wav")
    (folder / "folder.wav").mkdir()
    (folder / "\udcff.wav").write_bytes((folder / "theme.wav").read_bytes())
    bad = ["broken.wav", "gone.wav", "folder.wav", "pipe.wav", "\udcff.wav"]
    measured = lives.live(folder, "measure", "theme.wav", "silent.wav", *bad)
    assert measured.status == 1
    assert [line.split(":")[0] for line in measured.stdout.splitlines() if line.startswith("!")] == [
        f"! {name}" for name in (*bad[:-1], "\N{REPLACEMENT CHARACTER}.wav")
    ]
    ended = lives.live(folder, "finish", "theme.wav", "silent.wav", *bad, "--json", "-q")
    document = json.loads(ended.stdout)
    assert (ended.status, document["ok"], document["exit"]) == (1, False, 1)
    errors = {file["file"]: file["error"] for file in document["files"]}
    assert errors.pop("theme.wav") is None
    assert errors["silent.wav"].startswith("silent: ")
    assert errors["gone.wav"] == "it can't be read: no such file or directory"
    assert all(errors.values())
    assert visible(folder / "finished") == {"theme.ogg"}
    assert errors["\udcff.wav"] == "its path is not UTF-8: rename it"
    assert len(ended.stderr.splitlines()) == 6
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["finish", "theme.wav", "--target", "x"], 2, "--target: found 'x'"),
        (["finish", "theme.wav", "--output", ".", "--format", "wav"], 2, "name another --output"),
        (["finish", "theme.wav", "--track", "menu", "gone.yaml"], 2, "gone.yaml:1:1: "),
        (["finish", "theme.wav", "--output", "/proc/nowhere"], 5, "/proc/nowhere"),
        (["finish"], 2, "FILE"),
        (["measure"], 2, "FILE"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_can_be_said_beforehand_is(folder: Path, lives: Lives, words: list[str], status: int, said: str) -> None:
    """Exit 2 for words, 5 for the folder, and nothing is made."""
    ended = lives.live(folder, *words)
    assert (ended.status, said in ended.stderr) == (status, True), ended.stderr
    assert "Traceback" not in ended.stderr
    assert visible(folder) == {"theme.wav"}


def test_a_folder_that_fails_on_the_way_ends_it(folder: Path, lives: Lives) -> None:
    """A folder stands where a result belongs: exit 5, with what was made before and what to do."""
    (folder / "finished/theme.ogg").mkdir(parents=True)
    ended = lives.live(folder, "finish", "theme.wav", "--json")
    document = json.loads(ended.stdout)
    assert (ended.status, document["exit"], document["files"][0]["status"]) == (5, 5, "unfinished")
    assert "move away what stands there" in document["error"]
    assert [path.name for path in (folder / "finished").iterdir()] == ["theme.ogg"]


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_leaves_whole_files_only(folder: Path, number: int, status: int) -> None:
    """What was finished stands and is told; what was not leaves no trace."""
    names = [f"{place}.wav" for place in range(40)]
    for name in names:
        save(folder / name)
    running = subprocess.Popen(
        [sys.executable, "-m", "pipeline", "finish", *names, "--json"], cwd=folder, env=clean_environment(),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert running.stderr.readline().startswith("[1/40]")
    running.send_signal(number)
    written, _ = running.communicate(timeout=100)
    document = json.loads(written)
    assert (running.returncode, document["exit"]) == (status, status)
    assert visible(folder / "finished") == {asset["path"] for file in document["files"] for asset in file["assets"]}
    assert [path.name for path in (folder / "finished").iterdir() if path.name.startswith(".")] == []
    assert document["totals"]["unfinished"] > 0


@pytest.mark.parametrize(
    ("words", "unneeded"),
    [
        ("measure theme.wav", "httpx sqlite3 pydantic yaml starlette pydub pipeline.ledger pipeline.gateway numpy"),
        ("finish theme.wav", "httpx sqlite3 yaml starlette pydub pipeline.ledger pipeline.gateway numpy"),
        ("finish --help", "httpx sqlite3 pydantic yaml starlette pydub anyio numpy"),
    ],
)
def test_a_command_loads_what_it_needs(folder: Path, words: str, unneeded: str) -> None:
    """No network and no ledger; the samples stay in the workers."""
    script = folder / "program.py"
    script.write_text(
        "import sys\n"
        "def main():\n"
        f"    sys.argv = ['pipeline', *{words.split()!r}]\n"
        "    from pipeline.__main__ import main as command\n"
        "    try: command()\n"
        "    except SystemExit as end: print(end.code)\n"
        f"    print([name for name in {unneeded.split()!r} if name in sys.modules])\n"
        "if __name__ == '__main__': main()\n"  # a worker imports this file, and must not begin all over again
    )
    ended = subprocess.run(
        [sys.executable, str(script)], cwd=folder, env=clean_environment(), capture_output=True, text=True, check=True
    )
    assert ended.stdout.splitlines()[-2:] == ["0", "[]"]
