"""The command line as scripts use it: exit statuses, the JSON document, signals; the real program over real sockets.

Its first run, signals and waiting are proven with processes as a person starts them; the rest with lives that finish
audio inline.
"""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from lives import clean_environment
from programs import MANIFEST, Served, pipeline
from quick_gateway import quick_gateway

if TYPE_CHECKING:
    from pathlib import Path

    from lives import Lives

    from pipeline.local_gateway.serving import LocalGatewayThread


def test_a_new_users_first_minute(folder: Path, lives: Lives) -> None:
    """init, run, run again, plan, check, report: each does what its help says."""
    assert pipeline(folder, "init", "mine.yaml").returncode == 0
    assert {"mine.yaml", "manifest.schema.json"} <= {path.name for path in folder.iterdir()}
    assert lives.live(folder, "init", "mine.yaml").status == 2  # never over something that is there
    shorten(folder / "mine.yaml")
    first = pipeline(folder, "run", "mine.yaml", "--gateway", "local", "--json")
    assert first.returncode == 0, first.stderr
    document = json.loads(first.stdout)
    assert document["ok"]
    assert document["totals"]["generated"] == len(document["tracks"])
    assert document["totals"]["billed_usd"] == 0
    for track in document["tracks"]:
        for asset in track["assets"]:
            assert (folder / "output" / asset["path"]).is_file()
    assert lives.live(folder, "plan", "mine.yaml", "--gateway", "local", "--detailed-exitcode").status == 0
    again = lives.live(folder, "run", "mine.yaml", "--gateway", "local", "--json")
    assert json.loads(again.stdout)["totals"]["kept"] == len(document["tracks"])
    checked = lives.live(folder, "check", "mine.yaml")
    assert (checked.status, "all well" in checked.stdout) == (0, True), checked.stdout
    (folder / "output/cost-report.md").unlink()
    assert lives.live(folder, "report", "mine.yaml").status == 0
    assert (folder / "output/cost-report.md").is_file()


def shorten(manifest: Path) -> None:
    """Shorter pieces, which are composed and finished as the long ones are."""
    text, changed = re.subn(r"duration: (15|20)\b", "duration: 4", manifest.read_text())
    assert changed == 2
    manifest.write_text(text)


def test_a_plan_leaves_no_trace(folder: Path, lives: Lives) -> None:
    """It sends nothing and writes nothing, and says what to do by its exit status."""
    made = lives.live(folder, "plan", "demo.yaml", "--gateway", "local", "--detailed-exitcode")
    assert made.status == 10
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
        (["run", "demo.yaml", "--gateway", "local", "--output", "demo.yaml"], {}, 5, "demo.yaml: is a file"),
        (["plan", "demo.yaml", "--gateway", "local", "--state", "demo.yaml"], {}, 5, "another folder with --state"),
        (["ledger", "--state", "demo.yaml"], {}, 5, "demo.yaml: is a file"),
        (["run", "demo.yaml", "--gateway", "local", "--state", "/proc/nowhere"], {}, 5, "/proc/nowhere"),
        (["check", "demo.yaml"], {}, 1, "missing"),
        (["nonsense"], {}, 2, "nonsense"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_every_refusal_is_a_sentence_with_its_exit_status(
    folder: Path, lives: Lives, *, words: list[str], environment: dict[str, str], status: int, said: str
) -> None:
    """No traceback, no guess, nothing made."""
    ended = lives.live(folder, *words, **environment)
    assert ended.status == status, ended.stderr
    assert re.search(said, ended.said)
    assert "Traceback" not in ended.stderr
    assert not (folder / "output" / "assets.json").exists()


def test_every_mistake_in_every_manifest_is_told_at_once(folder: Path, lives: Lives) -> None:
    """file:line:column, exit 2, nothing written."""
    (folder / "bad.yaml").write_text(
        MANIFEST.replace("prompt: calm menu", "promt: calm").replace("duration: 2", "duration: x")
    )
    (folder / "worse.yaml").write_text("version: 2\n")
    ended = lives.live(folder, "run", "bad.yaml", "worse.yaml", "--gateway", "local")
    assert ended.status == 2
    assert re.search(r"bad\.yaml:4:\d+: ", ended.stderr)
    assert re.search(r"bad\.yaml:6:\d+: .*promt", ended.stderr)
    assert re.search(r"worse\.yaml:1:\d+: ", ended.stderr)
    assert not (folder / ".pipeline").exists()


def test_over_a_real_socket_a_url_is_real_whatever_its_address(
    folder: Path, gateway: LocalGatewayThread, lives: Lives
) -> None:
    """It is billed, and its assets are no placeholders."""
    words = ("run", "demo.yaml", "--gateway", gateway.base_url, "--json")
    ended = lives.live(folder, *words, AIGATEWAY_API_KEY="sk-aig-secret")
    assert ended.status == 0, ended.stderr
    document = json.loads(ended.stdout)
    assert document["totals"]["billed_usd"] == pytest.approx(0.006)
    rows = json.loads((folder / "output/assets.json").read_text())["assets"]
    assert [row["placeholder"] for row in rows] == [False] * 3
    everything = ended.said + "".join(
        path.read_bytes().decode("latin-1") for path in folder.rglob("*") if path.is_file()
    )
    assert "sk-aig-secret" not in everything


def test_a_served_gateway_is_local_where_it_is_said_so(folder: Path, lives: Lives) -> None:
    """Placeholders, at $0, by the form that `serve` prints."""
    served = Served(folder, "--latency", "0.1", "--rpm", "0")
    try:
        ended = lives.live(folder, "run", "demo.yaml", "--only", "menu", "--gateway", f"local={served.url}", "--json")
    finally:
        served.stop()
    assert ended.status == 0, ended.stderr
    assert json.loads(ended.stdout)["totals"]["billed_usd"] == 0


def test_a_wrong_key_exits_4(folder: Path, gateway: LocalGatewayThread, lives: Lives) -> None:
    """One sentence for all tracks, and nothing bought."""
    ended = lives.live(folder, "run", "demo.yaml", "--gateway", gateway.base_url, AIGATEWAY_API_KEY="wrong")
    assert ended.status == 4
    assert "key" in ended.stderr
    assert gateway.app.state.gateway.books.jobs == []


def test_the_second_of_two_runs_is_told_who_holds_the_folders(
    folder: Path, gateway: LocalGatewayThread, lives: Lives
) -> None:
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
    words = ("run", "demo.yaml", "--gateway", f"local={gateway.base_url}")
    ended = lives.live(folder, *words)
    assert (ended.status, f"process {holder.pid}" in ended.stderr) == (5, True)
    waiting = subprocess.Popen(
        [sys.executable, "-m", "pipeline", *words, "--wait"], cwd=folder, env=clean_environment(),
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert "waiting for it to end" in waiting.stderr.readline()
    holder.communicate("")
    waiting.communicate(timeout=100)
    assert waiting.returncode == 0


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_a_run_in_order(folder: Path, lives: Lives, number: int, status: int) -> None:
    """The jobs go on at the gateway, and the next run collects them: nothing is bought twice."""
    key = {"AIGATEWAY_API_KEY": "sk-aig-1"}
    with quick_gateway(latency_s=2.0) as gateway:
        words = ["run", "demo.yaml", "--gateway", gateway.base_url]
        run = subprocess.Popen(
            [sys.executable, "-m", "pipeline", *words, "--verbose"], cwd=folder, stderr=subprocess.PIPE, text=True,
            env=clean_environment() | key,
        )  # fmt: skip
        submitted = 0
        while submitted < 3:
            line = run.stderr.readline()
            assert line, "the run ended before it had submitted everything"
            submitted += "submitted as" in line
        run.send_signal(number)
        _, said = run.communicate(timeout=20)
        assert run.returncode == status, said
        ended = lives.live(folder, *words, "--json", **key)
        document = json.loads(ended.stdout)
        assert (ended.status, document["totals"]["billed_usd"]) == (0, pytest.approx(0.006)), ended.stderr
        assert document["totals"]["possible_duplicate_usd"] == 0
        assert len(gateway.app.state.gateway.books.jobs) == 3


def test_without_a_terminal_there_is_one_plain_line_a_track(
    folder: Path, gateway: LocalGatewayThread, lives: Lives
) -> None:
    """A log keeps no bars and no colour."""
    ended = lives.live(folder, "run", "demo.yaml", "--gateway", f"local={gateway.base_url}")
    assert ended.status == 0
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


def test_with_no_command_the_usage_is_told_once(folder: Path, lives: Lives) -> None:
    """With all the commands, and as wrong usage."""
    ended = lives.live(folder)
    assert (ended.status, ended.stdout, ended.stderr.count("Usage:")) == (2, "", 1)
    assert "reconcile" in ended.stderr


_PRINTS_MUCH = """
import sys
from pipeline.cli.failing import exit_with_a_sentence
from pipeline.cli.terminal import out_document
sys.argv = ["pipeline", "--json"]
with exit_with_a_sentence():
    out_document({"much": "x" * SIZE})
    raise KeyboardInterrupt
"""


@pytest.mark.parametrize("size", [10, 5_000_000], ids=["when it was printed", "while it was printed"])
def test_an_interrupt_never_makes_a_second_document(size: int) -> None:
    """One whole document, or one that is cut off; and no exit status that says all well."""
    program = _PRINTS_MUCH.replace("SIZE", str(size))
    with subprocess.Popen(
        [sys.executable, "-c", program], env=clean_environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        begun = process.stdout.read(8)
        if size > 1_000_000:  # more than any pipe holds: it is waiting for us
            process.send_signal(signal.SIGINT)
        printed, said = process.communicate()
    assert (process.returncode, said.decode()) == (130, "pipeline: interrupted\n")
    printed = begun + printed
    assert printed.count(b"{") == 1
    assert len(printed) < size or printed == json.dumps({"much": "x" * size}, indent=1).encode() + b"\n"
