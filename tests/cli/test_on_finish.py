"""`run --on-finish CMD`: somebody is told how a run ended, whichever way it did."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
from programs import MANIFEST
from quick_gateway import quick_gateway

if TYPE_CHECKING:
    from pathlib import Path

    from lives import Lives

    from pipeline.local_gateway.serving import LocalGatewayThread

KEY = {"AIGATEWAY_API_KEY": "sk-aig-secret"}
#: Keeps what it is given, and says something on both of its outputs.
HOOK = """\
import json, os, sys
told = {"words": sys.argv[1:], "stdin": sys.stdin.read(), "environment": dict(os.environ)}
with open("told.json", "w") as file:
    json.dump(told, file)
print("hook: said"); print("hook: complained", file=sys.stderr)
"""


@pytest.fixture
def hooked(folder: Path) -> Path:
    (folder / "hook.py").write_text(HOOK)
    return folder


def hook(*words: str) -> tuple[str, str]:
    return ("--on-finish", " ".join([f"'{sys.executable}' hook.py", *words]))


def told(folder: Path) -> dict[str, Any]:
    """What the hook was given; its document read."""
    heard = json.loads((folder / "told.json").read_text())
    return heard | {"document": json.loads(heard["stdin"])}


def test_it_gets_the_document_of_a_run(hooked: Path, gateway: LocalGatewayThread, lives: Lives) -> None:
    """The same that --json prints, word by word; what it says itself stands in nobody's document."""
    words = ("run", "demo.yaml", "--gateway", gateway.base_url, "--json")
    ended = lives.live(hooked, *words, *hook(), **KEY)
    assert ended.status == 0, ended.said
    assert told(hooked)["document"] == json.loads(ended.stdout)
    assert told(hooked)["document"]["totals"]["generated"] == 3
    assert {"hook: said", "hook: complained"} <= set(ended.stderr.splitlines())


def test_it_is_told_without_json_and_where_nothing_was_to_do(
    hooked: Path, gateway: LocalGatewayThread, lives: Lives
) -> None:
    """With --quiet nobody else hears of it."""
    words = ("run", "demo.yaml", "--gateway", gateway.base_url, "--quiet")
    assert lives.live(hooked, *words, **KEY).status == 0
    ended = lives.live(hooked, *words, *hook(), **KEY)
    assert (ended.status, ended.stdout) == (0, "")
    assert told(hooked)["document"]["totals"]["kept"] == 3


def test_it_never_gets_the_key_nor_the_webhooks_secret(hooked: Path, gateway: LocalGatewayThread, lives: Lives) -> None:
    """Whatever else is in the environment it gets."""
    words = ("run", "demo.yaml", "--gateway", gateway.base_url)
    lives.live(hooked, *words, *hook(), **KEY, AIGATEWAY_WEBHOOK_SECRET="whsec_secret", CHANNEL="music")
    assert "_secret" not in (hooked / "told.json").read_text().replace("-", "_")
    environment = told(hooked)["environment"]
    assert environment["CHANNEL"] == "music"
    assert not [name for name in environment if name.startswith("AIGATEWAY_")]


def test_its_words_are_taken_apart_and_no_shell_sees_them(
    hooked: Path, gateway: LocalGatewayThread, lives: Lives
) -> None:
    """Quotes hold together, and nothing is a command but the first word."""
    words = ("run", "demo.yaml", "--gateway", gateway.base_url)
    lives.live(hooked, *words, *hook("'two words'", "$HOME", "*", "; touch stray", "> stray"), **KEY)
    assert told(hooked)["words"] == ["two words", "$HOME", "*", ";", "touch", "stray", ">", "stray"]
    assert not (hooked / "stray").exists()


@pytest.mark.parametrize(
    ("words", "environment", "status"),
    [
        ((), {}, 4),
        (("--gateway", "aigateway"), {}, 4),
        (("--gateway", "GATEWAY"), {"AIGATEWAY_API_KEY": "wrong"}, 4),
        (("--gateway", "GATEWAY", "--budget", "0.001"), KEY, 3),
        (("--gateway", "local", "--state", "/proc/nowhere"), {}, 5),
    ],
    ids=["no gateway", "no key", "a wrong key", "over budget", "no folder"],
)
def test_it_is_told_of_every_end(
    hooked: Path, gateway: LocalGatewayThread, lives: Lives, *, words: tuple[str, ...], environment: Any, status: int
) -> None:
    """Also of one before anything began: the exit status and the sentence."""
    said = [gateway.base_url if word == "GATEWAY" else word for word in words]
    ended = lives.live(hooked, "run", "demo.yaml", *said, *hook(), **environment)
    assert ended.status == status, ended.said
    document = told(hooked)["document"]
    assert (document["ok"], document["exit"]) == (False, status)
    assert document["error"]


@pytest.mark.parametrize(
    ("manifest", "words"),
    [
        (MANIFEST, ("--only", "nobody")),
        (MANIFEST, ("--nonsense",)),
        (MANIFEST.replace("calm menu", "{calm"), ()),
    ],
    ids=["a pattern that fits nothing", "a word that is none", "a broken manifest"],
)
def test_it_is_not_told_where_there_was_no_run(
    hooked: Path, lives: Lives, manifest: str, words: tuple[str, ...]
) -> None:
    """Exit 2 is for whoever typed it."""
    (hooked / "demo.yaml").write_text(manifest)
    ended = lives.live(hooked, "run", "demo.yaml", "--gateway", "local", *words, *hook())
    assert (ended.status, (hooked / "told.json").exists()) == (2, False), ended.said


@pytest.mark.parametrize("command", ["", "  ", "'half a quote", "''"])
def test_a_command_that_is_none_is_refused_before_anything_begins(hooked: Path, lives: Lives, command: str) -> None:
    """Exit 2, and nothing made."""
    ended = lives.live(hooked, "run", "demo.yaml", "--gateway", "local", "--on-finish", command)
    assert (ended.status, "expected a command" in ended.stderr) == (2, True), ended.said
    assert not (hooked / "output").exists()


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("nowhere/notify --now", "--on-finish nowhere/notify: can't be started (no such file or directory)"),
        (f"'{sys.executable}' -c 'raise SystemExit(3)'", "ended with exit status 3"),
        (f"'{sys.executable}' -c 'import os; os.kill(os.getpid(), 9)'", "ended by signal 9"),
        ("./demo.yaml", "--on-finish ./demo.yaml: can't be started (permission denied)"),
    ],
    ids=["missing", "that fails", "that is killed", "that can't be run"],
)
def test_a_command_changes_nothing_about_the_runs_exit_status(
    hooked: Path, gateway: LocalGatewayThread, lives: Lives, command: str, said: str
) -> None:
    """That says what became of assets and money; what became of the command is one sentence."""
    words = ("run", "demo.yaml", "--gateway", gateway.base_url)
    ended = lives.live(hooked, *words, "--on-finish", command, **KEY)
    assert ended.status == 0
    assert said in ended.stderr
    assert "the run's own exit status stands" in ended.stderr


def test_one_that_reads_nothing_is_no_trouble(hooked: Path, gateway: LocalGatewayThread, lives: Lives) -> None:
    """The document is longer than a pipe may hold."""
    many = "".join(f"  t{number:090}: {{prompt: calm menu}}\n" for number in range(400))
    (hooked / "demo.yaml").write_text(MANIFEST.split("tracks:")[0] + "tracks:\n" + many)
    words = ("run", "demo.yaml", "--only", f"t{0:090}", "--json", "--gateway", gateway.base_url)
    ended = lives.live(hooked, *words, "--on-finish", "true", **KEY)
    assert (ended.status, "on-finish" in ended.stderr) == (0, False), ended.said
    assert len(ended.stdout) > 65_536


def test_the_folders_are_free_while_it_runs(hooked: Path, gateway: LocalGatewayThread, lives: Lives) -> None:
    """It may start the next run, and if it hangs it holds nobody up."""
    words = f"'{sys.executable}' -m pipeline run demo.yaml --gateway local={gateway.base_url}"
    ended = lives.live(hooked, "run", "demo.yaml", "--gateway", f"local={gateway.base_url}", "--on-finish", words)
    assert (ended.status, "3 kept" in ended.stderr, "on-finish" in ended.stderr) == (0, True, False), ended.said


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_run_tells_it_too(hooked: Path, lives: Lives, number: int, status: int) -> None:
    """What was left at the gateway is in the notices."""
    with quick_gateway(latency_s=30.0) as gateway:
        words = ("run", "demo.yaml", "--gateway", gateway.base_url, *hook())
        os.kill(lives.begin(hooked, *words, tells_at=("id", "after", 1), workers=False, **KEY), number)
        ended = lives.end()
    assert ended.status == status, ended.said
    document = told(hooked)["document"]
    assert (document["exit"], "still generating" in document["notices"][0]) == (status, True)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_a_command_that_hangs_and_no_second_document_is_printed(
    hooked: Path, gateway: LocalGatewayThread, lives: Lives, number: int, status: int
) -> None:
    """The run had ended before; what it came to is on standard output, once."""
    (hooked / "hang.py").write_text("import os, time; open('pid', 'w').write(str(os.getpid())); time.sleep(600)")
    words = ("run", "demo.yaml", "--gateway", f"local={gateway.base_url}", "--json", "--on-finish")
    hang = f"'{sys.executable}' hang.py"
    run = lives.begin(hooked, *words, hang, tells_at=("report", "after", 1), workers=False)
    pid = hooked / "pid"
    while not (pid.exists() and pid.read_text()):
        time.sleep(0.05)
    os.kill(run, number)
    ended = lives.end()
    assert ended.status == status, ended.said
    assert json.loads(ended.stdout)["exit"] == 0
    assert "the run had ended before" in ended.stderr
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)
