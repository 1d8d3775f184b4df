"""The command line as scripts use it: exit statuses, the JSON document, signals; the real program over real sockets."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from programs import MANIFEST, Served, clean_environment, pipeline

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "demo.yaml").write_text(MANIFEST)
    return tmp_path


@pytest.fixture
def served(folder: Path) -> Iterator[Served]:
    gateway = Served(folder, "--latency", "0.3", "--rpm", "0")
    yield gateway
    gateway.stop()


def test_a_new_users_first_minute(folder: Path) -> None:
    """init, run, run again, plan, check, report: each does what its help says."""
    assert pipeline(folder, "init", "mine.yaml").returncode == 0
    assert {"mine.yaml", "manifest.schema.json"} <= {path.name for path in folder.iterdir()}
    assert pipeline(folder, "init", "mine.yaml").returncode == 2  # never over something that is there
    first = pipeline(folder, "run", "mine.yaml", "--gateway", "local", "--json")
    assert first.returncode == 0, first.stderr
    document = json.loads(first.stdout)
    assert document["ok"]
    assert document["totals"]["generated"] == len(document["tracks"])
    assert document["totals"]["billed_usd"] == 0
    for track in document["tracks"]:
        for asset in track["assets"]:
            assert (folder / "output" / asset["path"]).is_file()
    assert pipeline(folder, "plan", "mine.yaml", "--gateway", "local", "--detailed-exitcode").returncode == 0
    again = pipeline(folder, "run", "mine.yaml", "--gateway", "local", "--json")
    assert json.loads(again.stdout)["totals"]["kept"] == len(document["tracks"])
    checked = pipeline(folder, "check", "mine.yaml")
    assert (checked.returncode, "all well" in checked.stdout) == (0, True), checked.stdout
    (folder / "output/cost-report.md").unlink()
    assert pipeline(folder, "report", "mine.yaml").returncode == 0
    assert (folder / "output/cost-report.md").is_file()


def test_a_plan_leaves_no_trace(folder: Path) -> None:
    """It sends nothing and writes nothing, and says what to do by its exit status."""
    made = pipeline(folder, "plan", "demo.yaml", "--gateway", "local", "--detailed-exitcode")
    assert made.returncode == 10
    assert "battle/lich" in made.stdout
    assert {path.name for path in folder.iterdir()} == {"demo.yaml"}


@pytest.mark.parametrize(
    ("words", "environment", "status", "said"),
    [
        (["run", "demo.yaml"], {}, 4, r"AIGATEWAY_API_KEY.*--gateway local"),
        (["run", "demo.yaml", "--gateway", "aigateway"], {}, 4, "set AIGATEWAY_API_KEY"),
        (["run", "nothing.yaml", "--gateway", "local"], {}, 2, "nothing.yaml"),
        (["run", "demo.yaml", "--gateway", "local", "--only", "nobody"], {}, 2, "nobody"),
        (["run", "demo.yaml", "--gateway", "ftp://x"], {"AIGATEWAY_API_KEY": "sk-aig-1"}, 2, "ftp://x"),
        (["run", "demo.yaml", "--gateway", "local", "--budget", "much"], {}, 2, "much"),
        (["run", "--gateway", "local"], {}, 2, "MANIFEST"),
        (["run", "demo.yaml", "--gateway", "local", "--output", "demo.yaml"], {}, 2, "demo.yaml"),
        (["run", "demo.yaml", "--gateway", "local", "--state", "/proc/nowhere"], {}, 5, "/proc/nowhere"),
        (["check", "demo.yaml"], {}, 1, "missing"),
        (["nonsense"], {}, 2, "nonsense"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_every_refusal_is_a_sentence_with_its_exit_status(
    folder: Path, words: list[str], environment: dict[str, str], status: int, said: str
) -> None:
    """No traceback, no guess, nothing made."""
    ended = pipeline(folder, *words, **environment)
    assert ended.returncode == status, ended.stderr
    assert re.search(said, ended.stderr + ended.stdout)
    assert "Traceback" not in ended.stderr
    assert not (folder / "output" / "assets.json").exists()


def test_every_mistake_in_every_manifest_is_told_at_once(folder: Path) -> None:
    """file:line:column, exit 2, nothing written."""
    (folder / "bad.yaml").write_text(
        MANIFEST.replace("prompt: calm menu", "promt: calm").replace("duration: 2", "duration: x")
    )
    (folder / "worse.yaml").write_text("version: 2\n")
    ended = pipeline(folder, "run", "bad.yaml", "worse.yaml", "--gateway", "local")
    assert ended.returncode == 2
    assert re.search(r"bad\.yaml:4:\d+: ", ended.stderr)
    assert re.search(r"bad\.yaml:6:\d+: .*promt", ended.stderr)
    assert re.search(r"worse\.yaml:1:\d+: ", ended.stderr)
    assert not (folder / ".pipeline").exists()


def test_over_a_real_socket_a_url_is_real_whatever_its_address(folder: Path, served: Served) -> None:
    """It is billed, and its assets are no placeholders."""
    ended = pipeline(folder, "run", "demo.yaml", "--gateway", served.url, "--json", AIGATEWAY_API_KEY="sk-aig-secret")
    assert ended.returncode == 0, ended.stderr
    document = json.loads(ended.stdout)
    assert document["totals"]["billed_usd"] == pytest.approx(0.006)
    rows = json.loads((folder / "output/assets.json").read_text())["assets"]
    assert [row["placeholder"] for row in rows] == [False] * 3
    everything = (
        ended.stdout
        + ended.stderr
        + "".join(path.read_bytes().decode("latin-1") for path in folder.rglob("*") if path.is_file())
    )
    assert "sk-aig-secret" not in everything


def test_a_served_gateway_is_local_where_it_is_said_so(folder: Path, served: Served) -> None:
    """Placeholders, at $0, by the form that `serve` prints."""
    ended = pipeline(folder, "run", "demo.yaml", "--gateway", f"local={served.url}", "--json")
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)["totals"]["billed_usd"] == 0


def test_a_wrong_key_exits_4(folder: Path, served: Served) -> None:
    """One sentence for all tracks, and nothing bought."""
    ended = pipeline(folder, "run", "demo.yaml", "--gateway", served.url, AIGATEWAY_API_KEY="wrong")
    assert ended.returncode == 4
    assert "key" in ended.stderr


def test_the_second_of_two_runs_is_told_who_holds_the_folders(folder: Path, tmp_path: Path) -> None:
    """Exit 5; with --wait it goes on when the first has ended."""
    (folder / ".pipeline").mkdir()
    program = (
        "import sys; from pathlib import Path; from pipeline.locks import held\n"
        "with held(Path('.pipeline')): print('held', flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", program], cwd=folder, env=clean_environment(), stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert holder.stdout.readline() == "held\n"
    ended = pipeline(folder, "run", "demo.yaml", "--gateway", "local")
    assert (ended.returncode, f"process {holder.pid}" in ended.stderr) == (5, True)
    waiting = subprocess.Popen(
        [sys.executable, "-m", "pipeline", "run", "demo.yaml", "--gateway", "local", "--wait"],
        cwd=folder, env=clean_environment(), stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert "waiting for it to end" in waiting.stderr.readline()
    holder.communicate("")
    waiting.communicate(timeout=100)
    assert waiting.returncode == 0


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_a_run_in_order(folder: Path, number: int, status: int) -> None:
    """The jobs go on at the gateway, and the next run collects them: nothing is bought twice."""
    gateway = Served(folder, "--latency", "3", "--rpm", "0")
    try:
        words = ["run", "demo.yaml", "--gateway", gateway.url, "--verbose"]
        run = subprocess.Popen(
            [sys.executable, "-m", "pipeline", *words], cwd=folder, stderr=subprocess.PIPE, text=True,
            env=clean_environment() | {"AIGATEWAY_API_KEY": "sk-aig-1"},
        )  # fmt: skip
        submitted = 0
        while submitted < 3:
            line = run.stderr.readline()
            assert line, "the run ended before it had submitted everything"
            submitted += "submitted as" in line
        run.send_signal(number)
        _, said = run.communicate(timeout=20)
        assert run.returncode == status, said
        ended = pipeline(folder, *words[:-1], "--json", AIGATEWAY_API_KEY="sk-aig-1")
        document = json.loads(ended.stdout)
        assert (ended.returncode, document["totals"]["billed_usd"]) == (0, pytest.approx(0.006)), ended.stderr
        assert document["totals"]["possible_duplicate_usd"] == 0
    finally:
        gateway.stop()


def test_without_a_terminal_there_is_one_plain_line_a_track(folder: Path) -> None:
    """A log keeps no bars and no colour."""
    ended = pipeline(folder, "run", "demo.yaml", "--gateway", "local")
    assert ended.returncode == 0
    assert "\x1b" not in ended.stderr
    assert len(re.findall(r"^\[\d/3\] ", ended.stderr, re.MULTILINE)) == 3


def test_help_starts_without_the_heavy_rooms() -> None:
    """`pipeline --help` needs neither numpy nor httpx nor pydantic."""
    program = (
        "import sys\nsys.argv = ['pipeline', '--help']\nfrom pipeline.__main__ import main\n"
        "try: main()\nexcept SystemExit: pass\n"
        "print([name for name in ('numpy', 'httpx', 'pydantic', 'starlette', 'yaml', 'pydub') if name in sys.modules])"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ended.stdout.splitlines()[-1] == "[]"
