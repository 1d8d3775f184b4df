"""docs/ci.md tried as far as it can be here: its workflow, job by job, with a folder in the place of the store."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from programs import MANIFEST, command_of

from pipeline.manifest import load_manifest
from pipeline.planning.shards import Shard

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lives import Lives

    from pipeline.local_gateway.serving import LocalGatewayThread

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/ci.md").read_text(encoding="utf-8")
KEY = "sk-aig-1"
MANIFESTS = ("game-score", "ad-jingles")
SHARDS = range(1, 9)


def block(mark: str) -> dict[Any, Any]:
    """The page's YAML that has `mark` in it."""
    (found,) = (text for text in re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL) if mark in text)
    return yaml.safe_load(found)


@pytest.fixture
def project(tmp_path: Path, lives: Lives) -> Iterator[Path]:
    """A checkout of a game's repository, on a machine where the program is installed."""
    folder = tmp_path / "game"
    (folder / "manifests").mkdir(parents=True)
    for name in MANIFESTS:
        text = MANIFEST.replace("name: demo", f"name: {name}")
        for track in ("menu", "battle/"):
            text = text.replace(f"  {track}", f"  {name}/{track}", 1)
        text = text.replace("calm menu", f"calm menu of {name}")
        (folder / f"manifests/{name}.yaml").write_text(text)
    (tmp_path / "bin").mkdir()
    with command_of(lives, tmp_path) as command:
        program = tmp_path / "bin/pipeline"
        program.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
        program.chmod(0o755)
        yield folder


class Workflow:
    """The page's workflow, of which a runner carries out one job after the other."""

    def __init__(self, project: Path, gateway: str) -> None:
        self.project = project
        self.gateway = gateway
        self.document = block("jobs:")
        self.shards = self.document["jobs"]["shards"]
        self.library = self.document["jobs"]["library"]
        self.summary = project.parent / "summary.md"

    def job(self, job: dict[str, Any], folder: Path, **matrix: int) -> int:
        """The exit status of a job: of the first of its steps that fails. What is somebody else's is left out."""
        for step in job["steps"]:
            if "run" not in step or step["name"] == "Install":
                continue
            words = step["run"].replace("--gateway aigateway", f"--gateway {self.gateway}")
            for name, value in matrix.items():
                words = words.replace(f"${{{{ matrix.{name} }}}}", str(value))
            assert "${{" not in words
            secrets = {name: KEY for name, value in step.get("env", {}).items() if "secrets." in value}
            ended = subprocess.run(
                ["bash", "-e", "-c", words], cwd=folder, env=self._environment() | secrets, capture_output=True,
                text=True, timeout=100, check=False,
            )  # fmt: skip
            if ended.returncode:
                return ended.returncode
        return 0

    def all_shards(self, folder: Path | None = None) -> list[int]:
        """Every job of the matrix, of which none keeps another from its end."""
        assert self.shards["strategy"]["fail-fast"] is False
        numbers = self.shards["strategy"]["matrix"]["shard"]
        return [self.job(self.shards, folder or self.project, shard=number) for number in numbers]

    def _environment(self) -> dict[str, str]:
        return {
            "HOME": str(self.project),
            "PATH": f"{self.project.parent}/bin:/usr/bin:/bin",
            "GITHUB_STEP_SUMMARY": str(self.summary),
            "GITHUB_ACTIONS": "true",
        }


@pytest.fixture
def workflow(project: Path, gateway: LocalGatewayThread) -> Workflow:
    """At a gateway that charges."""
    return Workflow(project, gateway.base_url)


def assets(folder: Path) -> list[str]:
    path = folder / "output/assets.json"
    return [row["path"] for row in json.loads(path.read_text())["assets"]] if path.exists() else []


def every_asset() -> list[str]:
    return sorted(f"{name}/{track}.wav" for name in MANIFESTS for track in ("menu", "battle/dragon", "battle/lich"))


def test_the_workflow_is_one(workflow: Workflow) -> None:
    """What a runner looks for is there: eight shards that do not end each other, then one job for all of it."""
    document = workflow.document
    assert set(document[True]) == {"push", "workflow_dispatch"}  # YAML 1.1 reads `on` so
    assert document["permissions"] == {"contents": "read", "id-token": "write"}
    assert document["concurrency"] == {"group": "music", "cancel-in-progress": False}
    assert workflow.shards["strategy"] == {"fail-fast": False, "matrix": {"shard": list(SHARDS)}}
    assert (workflow.library["needs"], workflow.library["if"]) == ("shards", "${{ !cancelled() }}")
    kept = workflow.library["steps"][-1]
    assert (kept["if"], kept["with"]["path"].split()) == ("${{ !cancelled() }}", ["output/", "manifests/*.lock.json"])
    for job in (workflow.shards, workflow.library):
        steps = job["steps"]
        assert all(("run" in step) != ("uses" in step) for step in steps)
        assert [step["run"] for step in steps if step.get("name") == "Install"] == [
            "python -m pip install 'music-asset-pipeline[store]'"
        ]
        told = [step["name"] for step in steps if "secrets." in str(step)]
        assert told == [step["name"] for step in steps if "pipeline run" in step.get("run", "")]
        assert not any("actions/cache" in step.get("uses", "") for step in steps)


def test_the_manifest_names_the_store_and_the_budget_of_all_shards() -> None:
    """In the long form, which says that nothing is bought without it."""
    head = block("store:")
    assert head["store"] == {"url": "s3://game-music/library", "required": True}
    assert float(head["budget"]) > 0


@pytest.mark.long
def test_machines_of_their_own_make_each_their_part(project: Path, gateway: LocalGatewayThread) -> None:
    """Without a store: eight checkouts, of which each asset is made in just one. Some may have nothing to do."""
    workflow = Workflow(project, f"local={gateway.base_url}")
    made: list[str] = []
    for number in SHARDS:
        machine = project.parent / f"machine{number}"
        shutil.copytree(project, machine)
        assert workflow.job(workflow.shards, machine, shard=number) == 0
        made += assets(machine)
    assert sorted(made) == every_asset()
    assert len(gateway.app.state.gateway.books.jobs) == 4  # the bosses' pieces are one purchase of both manifests


@pytest.mark.long
def test_the_last_job_finds_all_of_it_and_buys_nothing(workflow: Workflow, gateway: LocalGatewayThread) -> None:
    """With a folder that all machines know in the place of the store: index, reports, locks and summary are there."""
    assert workflow.all_shards() == [0] * 8
    jobs = len(gateway.app.state.gateway.books.jobs)
    assert workflow.job(workflow.library, workflow.project) == 0
    assert len(gateway.app.state.gateway.books.jobs) == jobs == 4
    assert sorted(assets(workflow.project)) == every_asset()
    assert {path.name for path in (workflow.project / "output").glob("cost-report.*")} == {
        "cost-report.json", "cost-report.csv", "cost-report.md"
    }  # fmt: skip
    assert {path.name for path in (workflow.project / "manifests").glob("*.lock.json")} == {
        f"{name}.lock.json" for name in MANIFESTS
    }
    assert "Billed $0.00" in workflow.summary.read_text()


def test_the_last_job_makes_what_a_shard_has_left(workflow: Workflow, gateway: LocalGatewayThread) -> None:
    """A share that is too small ends its shard with exit 3 and no other; the whole budget is enough for the rest."""
    for name in MANIFESTS:
        path = workflow.project / f"manifests/{name}.yaml"
        path.write_text(path.read_text().replace(f"name: {name}", f"name: {name}\nbudget: 0.006", 1))
    tracks = [t for name in MANIFESTS for t in load_manifest(workflow.project / f"manifests/{name}.yaml").tracks]
    expected = [3 if any(Shard(number, 8).has(track) for track in tracks) else 0 for number in SHARDS]
    assert workflow.all_shards() == expected
    assert {0, 3} == set(expected)
    assert gateway.app.state.gateway.books.jobs == []
    assert workflow.job(workflow.library, workflow.project) == 0
    assert sorted(assets(workflow.project)) == every_asset()
