"""docs/nightly.md tried as far as it can be here: its units, its cron line, its workflow, and whom it tells."""

from __future__ import annotations

import getpass
import http.server
import json
import re
import shlex
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from programs import MANIFEST, command_of
from quick_gateway import quick_gateway

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lives import Lives

    from pipeline.local_gateway.serving import LocalGatewayThread

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/nightly.md").read_text(encoding="utf-8")
KEY = "sk-aig-1"
MANIFESTS = ("game-score", "ad-jingles")


def block(language: str, mark: str = "") -> str:
    """The page's code block of this language that has `mark` in it."""
    found = [text for kind, text in re.findall(r"^```(\w*)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
             if kind == language and mark in text]  # fmt: skip
    assert len(found) == 1, (language, mark)
    return found[0]


@pytest.fixture
def gateway() -> Iterator[LocalGatewayThread]:
    with quick_gateway() as running:
        yield running


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A game's folder, as the page has it: manifests, a virtual environment, and a program that is told."""
    folder = tmp_path / "game"
    (folder / "manifests").mkdir(parents=True)
    for name in MANIFESTS:
        text = MANIFEST.replace("name: demo", f"name: {name}")
        for track in ("menu", "battle/"):
            text = text.replace(f"  {track}", f"  {name}/{track}", 1)
        (folder / f"manifests/{name}.yaml").write_text(text)
    (folder / "notify").mkdir()
    # It keeps what it is told; the page's own is tried below.
    hook = folder / "notify/tell-the-channel"
    hook.write_text(f"#!{sys.executable}\nimport sys\nopen('told.json', 'w').write(sys.stdin.read())\n")
    hook.chmod(0o755)
    (folder / ".venv/bin").mkdir(parents=True)
    python = folder / ".venv/bin/python"  # that of these tests, and this checkout
    python.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    (tmp_path / "music-nightly.env").write_text(f"AIGATEWAY_API_KEY={KEY}\nCHANNEL_URL=http://127.0.0.1:9/\n")
    return folder


@pytest.fixture
def at_once(project: Path, lives: Lives) -> Iterator[Path]:
    """The project where `python -m pipeline` starts a life: the service's night is a real process."""
    with command_of(lives, project.parent) as command:
        (project / ".venv/bin/python").write_text(f'#!/bin/sh\nshift 2\nexec {command} "$@"\n')
        yield project


def here(text: str, project: Path, gateway: LocalGatewayThread) -> str:
    """`text` with the page's places in the place of which these are."""
    text = text.replace("/srv/game", str(project)).replace(
        "/etc/music-nightly.env", f"{project.parent}/music-nightly.env"
    )
    return text.replace("--gateway aigateway", f"--gateway {gateway.base_url}")


def assets(project: Path) -> set[str]:
    index = json.loads((project / "output/assets.json").read_text())
    return {row["path"] for row in index["assets"]}


def every_asset() -> set[str]:
    """Of both manifests, which ask for the same three pieces: they are bought once."""
    return {f"{name}/{track}.wav" for name in MANIFESTS for track in ("menu", "battle/dragon", "battle/lich")}


def bare(project: Path) -> dict[str, str]:
    """What cron gives, and no more."""
    return {"HOME": str(project), "LOGNAME": "music", "SHELL": "/bin/sh", "PATH": "/usr/bin:/bin"}


# --- systemd --------------------------------------------------------------------------------------------------------


def units(project: Path, gateway: LocalGatewayThread) -> dict[str, str]:
    """Each unit by its name, as the page says where it lies."""
    texts = [block("ini", "[Service]"), block("ini", "[Timer]")]
    names = [re.search(r"^# /etc/systemd/system/(\S+)$", text, re.MULTILINE)[1] for text in texts]
    mine = [here(text, project, gateway).replace("User=music", f"User={getpass.getuser()}") for text in texts]
    return dict(zip(names, mine, strict=True))


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd here")
def test_systemd_finds_no_fault_with_the_units(project: Path, gateway: LocalGatewayThread) -> None:
    """No unknown key, no word that it can't read, and the time is one."""
    for name, text in units(project, gateway).items():
        (project / name).write_text(text)
    verified = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *(f"./{name}" for name in units(project, gateway))],
        cwd=project, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (verified.returncode, verified.stdout + verified.stderr) == (0, "")
    calendar = re.search(r"^OnCalendar=(.*)$", block("ini", "[Timer]"), re.MULTILINE)[1]
    subprocess.run(["systemd-analyze", "calendar", calendar], capture_output=True, check=True)


def test_the_service_runs_the_night(project: Path, gateway: LocalGatewayThread) -> None:
    """The words of ExecStart, in its folder, with what is in its environment file."""
    service = units(project, gateway)["music-nightly.service"].replace("\\\n", " ")
    words = shlex.split(re.search(r"^ExecStart=(.*)$", service, re.MULTILINE)[1])
    named = re.search(r"^EnvironmentFile=(.*)$", service, re.MULTILINE)[1]
    environment = dict(line.split("=", 1) for line in Path(named).read_text().splitlines())
    ended = subprocess.run(
        words, cwd=project, env=bare(project) | environment, capture_output=True, text=True, timeout=100, check=False
    )
    assert (ended.returncode, ended.stdout + ended.stderr) == (0, "")
    assert assets(project) == every_asset()
    assert json.loads((project / "told.json").read_text())["totals"]["generated"] == 6


# --- cron -----------------------------------------------------------------------------------------------------------


def test_the_cron_line_runs_the_night_and_says_only_what_failed(at_once: Path, gateway: LocalGatewayThread) -> None:
    """By sh, with no more in its environment than cron gives; a per cent sign would end the command."""
    (line,) = [line for line in block("", "* * *").splitlines() if line]
    *times, command = line.split(" ", 5)
    assert (times, "%" in line) == (["30", "2", "*", "*", "*"], False)

    def night() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["/bin/sh", "-c", here(command, at_once, gateway)],
            cwd="/", env=bare(at_once), capture_output=True, text=True, timeout=100, check=False,
        )  # fmt: skip

    ended = night()
    assert (ended.returncode, ended.stdout + ended.stderr) == (0, "")
    assert assets(at_once) == every_asset()
    submits = len(gateway.app.state.gateway.books.jobs)
    (at_once.parent / "music-nightly.env").write_text("AIGATEWAY_API_KEY=wrong\n")
    assert (night().returncode, len(gateway.app.state.gateway.books.jobs)) == (0, submits)  # nothing was to do
    with (at_once / "manifests/game-score.yaml").open("a") as manifest:
        manifest.write("  more: {prompt: more}\n")
    ended = night()
    assert (ended.returncode, "key" in ended.stderr) == (4, True)
    assert json.loads((at_once / "told.json").read_text())["exit"] == 4


# --- GitHub Actions -------------------------------------------------------------------------------------------------


class Workflow:
    """The page's workflow, carried out step by step as a runner does."""

    def __init__(self, project: Path, gateway: LocalGatewayThread) -> None:
        self.project = project
        self.gateway = gateway
        self.document: dict[Any, Any] = yaml.safe_load(block("yaml", "jobs:"))
        self.steps = self.document["jobs"]["music"]["steps"]
        self.summary = project.parent / "summary.md"
        self.environment = bare(project) | {
            "PATH": f"{project}/.venv/bin:/usr/bin:/bin", "GITHUB_STEP_SUMMARY": str(self.summary),
        }  # fmt: skip

    def night(self) -> dict[str, int]:
        """The exit status of each step that was run, by its name: after one that failed only those that always are."""
        statuses: dict[str, int] = {}
        for step in self.steps:
            is_always = step.get("if") == "always()"
            if "run" not in step or step["name"] == "Install" or (any(statuses.values()) and not is_always):
                continue
            secrets = {name: KEY for name, value in step.get("env", {}).items() if "secrets." in value}
            ended = subprocess.run(
                ["bash", "-e", "-c", here(step["run"], self.project, self.gateway)],
                cwd=self.project, env=self.environment | secrets, capture_output=True, text=True, timeout=100,
                check=False,
            )  # fmt: skip
            statuses[step["name"]] = ended.returncode
        return statuses


@pytest.fixture
def workflow(at_once: Path, gateway: LocalGatewayThread) -> Workflow:
    """In a clone of a repository, to which it may push."""
    workflow = Workflow(at_once, gateway)
    (at_once / ".gitignore").write_text("output/*\n.pipeline/\n.venv/\n")
    origin = at_once.parent / "origin.git"
    for words in (
        ["init", "--quiet", "--bare", str(origin)],
        ["init", "--quiet"],
        ["add", "."],
        ["-c", "user.name=x", "-c", "user.email=x@example.org", "commit", "--quiet", "-m", "A game"],
        ["remote", "add", "origin", str(origin)],
        ["push", "--quiet", "--set-upstream", "origin", "HEAD"],
    ):
        git(at_once, *words)
    return workflow


def git(project: Path, *words: str) -> str:
    ended = subprocess.run(["git", *words], cwd=project, env=bare(project), capture_output=True, text=True, check=True)
    return ended.stdout


MAKE, COMMIT, SAY = "Make what is missing", "Commit what there is, however it ended", "Say what it cost"


def test_the_workflow_is_one(workflow: Workflow) -> None:
    """What a runner looks for is there, and what has to happen however a night ended always does."""
    document = workflow.document
    assert set(document[True]) == {"schedule", "workflow_dispatch"}  # YAML 1.1 reads `on` so
    assert document["concurrency"]["cancel-in-progress"] is False
    assert all(("run" in step) != ("uses" in step) for step in workflow.steps)
    after = workflow.steps[[step.get("name") for step in workflow.steps].index(MAKE) + 1 :]
    assert [step["if"] for step in after] == ["always()"] * 3
    cached = [step["with"] for step in workflow.steps if "actions/cache/" in step.get("uses", "")]
    assert [one["path"] for one in cached] == [".pipeline", ".pipeline"]
    assert cached[0]["key"] == cached[1]["key"]


def test_the_workflow_makes_commits_and_says_what_it_cost(workflow: Workflow) -> None:
    """Assets, index, reports and locks; the night after has nothing to do and commits nothing."""
    assert workflow.night() == {MAKE: 0, COMMIT: 0, SAY: 0}
    committed = set(git(workflow.project, "ls-files", "output", "manifests").split())
    assert {f"output/{path}" for path in every_asset()} <= committed
    assert {"output/assets.json", "output/cost-report.md", "manifests/game-score.lock.json"} <= committed
    assert not any(".pipeline" in path for path in committed)
    assert "Billed $0.0060" in workflow.summary.read_text()
    head = git(workflow.project, "rev-parse", "HEAD")
    assert git(workflow.project, "ls-remote", "origin", "HEAD").split()[0] == head.strip()
    assert workflow.night() == {MAKE: 0, COMMIT: 0, SAY: 0}
    assert git(workflow.project, "rev-parse", "HEAD") == head


@pytest.mark.long
def test_a_night_whose_cache_is_gone_buys_nothing(workflow: Workflow) -> None:
    """What is committed proves it: in a fresh clone, as a runner has it."""
    workflow.night()
    jobs = len(workflow.gateway.app.state.gateway.books.jobs)
    shutil.rmtree(workflow.project / ".pipeline")
    shutil.rmtree(workflow.project / "output")
    git(workflow.project, "checkout", "--quiet", "--", "output")
    assert workflow.night() == {MAKE: 0, COMMIT: 0, SAY: 0}
    assert len(workflow.gateway.app.state.gateway.books.jobs) == jobs == 3


@pytest.mark.long
def test_a_night_that_failed_commits_what_it_has(workflow: Workflow) -> None:
    """The job fails, and nothing that was paid for is left behind."""
    manifest = workflow.project / "manifests/ad-jingles.yaml"
    manifest.write_text(manifest.read_text() + "  broken: {prompt: silence, file: nowhere.wav}\n")
    assert workflow.night()[MAKE] == 2
    manifest.write_text(manifest.read_text().rpartition("  broken")[0])
    (workflow.project / "output").mkdir(exist_ok=True)
    (workflow.project / "output/ad-jingles").mkdir(exist_ok=True)
    (workflow.project / "output/ad-jingles/menu.wav").write_text("somebody's own")
    assert workflow.night() == {MAKE: 1, COMMIT: 0, SAY: 0}
    committed = set(git(workflow.project, "ls-files", "output").split())
    assert {f"output/{path}" for path in every_asset() - {"ad-jingles/menu.wav"}} <= committed


# --- the program that is told ---------------------------------------------------------------------------------------


class Channel:
    """Hears what is posted to it."""

    def __init__(self) -> None:
        heard = self.heard = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"])))["text"])
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.mark.long
def test_the_channel_hears_of_nights_that_cost_or_failed(at_once: Path, gateway: LocalGatewayThread) -> None:
    """Told by the run itself: bought, nothing to do, over budget, and without a key."""
    channel = Channel()
    (at_once / "notify/tell-the-channel").write_text(f"#!{sys.executable}\n{block('python', 'CHANNEL_URL')}")

    def night(*words: str, **environment: str) -> None:
        subprocess.run(
            [at_once / ".venv/bin/python", "-m", "pipeline", "run", "manifests/game-score.yaml", "--quiet",
             "--on-finish", "notify/tell-the-channel", *words],
            cwd=at_once, env=bare(at_once) | {"CHANNEL_URL": channel.url} | environment, check=False, timeout=100,
            capture_output=True,
        )  # fmt: skip

    paid = ("--gateway", gateway.base_url)
    try:
        night(*paid, AIGATEWAY_API_KEY=KEY)
        night(*paid, AIGATEWAY_API_KEY=KEY)
        night(*paid, "--regenerate", "**", "--budget", "0.001", AIGATEWAY_API_KEY=KEY)
        night()
    finally:
        channel.close()
    bought, dear, keyless = channel.heard
    assert bought == "music: exit 0, 3 generated, $0.01 billed"
    assert dear.startswith("music: exit 3, ")
    assert "budget" in dear
    assert keyless.startswith("music: exit 4, 0 generated, $0.00 billed\n")
    assert "AIGATEWAY_API_KEY" in keyless
