"""`--shard` and `--requests-per-minute`: what is taken, what is refused, and what is said."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from programs import MANIFEST

from pipeline.manifest import load_manifest
from pipeline.planning.shards import Shard

if TYPE_CHECKING:
    from pathlib import Path

    from lives import Lives

    from pipeline.local_gateway.serving import LocalGatewayThread

KEY = {"AIGATEWAY_API_KEY": "sk-aig-1"}
SHARDS = ("1/3", "2/3", "3/3")


def inside(folder: Path, shard: str) -> set[str]:
    """The tracks of the folder's manifest that are in a shard."""
    number, of = map(int, shard.split("/"))
    return {track.name for track in load_manifest(folder / "demo.yaml").tracks if Shard(number, of).has(track)}


@pytest.mark.parametrize("command", ["plan", "run"])
@pytest.mark.parametrize("word", ["0/8", "9/8", "2", "a/b", "1/0", "1/10001", ""])
def test_a_word_that_is_no_shard_is_one_sentence(folder: Path, lives: Lives, command: str, word: str) -> None:
    """Exit 2, and nothing is made."""
    ended = lives.live(folder, command, "demo.yaml", "--gateway", "local", "--shard", word)
    assert (ended.status, ended.stdout) == (2, "")
    (usage, said) = ended.stderr.splitlines()
    assert (usage.startswith("Usage: "), said.startswith("pipeline: ")) == (True, True)
    assert f"{word!r} is no shard; expected one like 2/8 (the second of 8), of 10,000 at most" in said
    assert {path.name for path in folder.iterdir()} == {"demo.yaml"}


@pytest.mark.parametrize("word", ["0", "1000001", "-1", "many", "1.5"])
def test_requests_a_minute_are_a_whole_number_within_reason(folder: Path, lives: Lives, word: str) -> None:
    """As in a manifest."""
    ended = lives.live(folder, "run", "demo.yaml", "--gateway", "local", "--requests-per-minute", word)
    assert (ended.status, "--requests-per-minute" in ended.stderr) == (2, True)


def test_a_plan_says_how_much_is_in_the_shard(folder: Path, lives: Lives) -> None:
    """First of all; what is in the others is counted, and what `--only` leaves out besides."""
    words = ("plan", "demo.yaml", "--gateway", "local")
    for shard in SHARDS:
        own = inside(folder, shard)
        lines = lives.live(folder, *words, "--shard", shard).stdout.splitlines()
        assert lines[0] == f"shard {shard[0]} of 3: {len(own)} of 3 tracks"
        assert {re.match(r"  \+ (\S+)", line)[1] for line in lines if line.startswith("  +")} == own
        assert f"{3 - len(own)} in other shards" in lines[-1]
    (shard,) = (shard for shard in SHARDS if "menu" in inside(folder, shard))
    last = lives.live(folder, *words, "--shard", shard, "--only", "battle/*").stdout.splitlines()[-1]
    assert f"{3 - len(inside(folder, shard))} in other shards" in last
    assert "1 outside --only" in lives.live(folder, *words, "--shard", "1/1", "--only", "battle/*").stdout
    assert "shard" not in lives.live(folder, *words).stdout


def test_three_shards_make_all_of_it(folder: Path, gateway: LocalGatewayThread, lives: Lives) -> None:
    """In folders of their own, of which one may stay empty; the documents say which shard it was, and skip the rest."""
    made: list[str] = []
    for shard in SHARDS:
        words = ("demo.yaml", "--gateway", f"local={gateway.base_url}", "--output", f"out{shard[0]}")
        words += ("--state", f"state{shard[0]}", "--shard", shard, "--json")
        planned = json.loads(lives.live(folder, "plan", *words).stdout)
        ended = lives.live(folder, "run", *words, "--requests-per-minute", "100000")
        document = json.loads(ended.stdout)
        assert (ended.status, document["shard"], planned["shard"]) == (0, shard, shard)
        statuses = {track["name"]: track["status"] for track in document["tracks"]}
        assert {name for name, status in statuses.items() if status == "generated"} == inside(folder, shard)
        assert document["totals"]["skipped"] == 3 - len(inside(folder, shard))
        made += [asset["path"] for track in document["tracks"] for asset in track["assets"]]
    assert sorted(made) == ["battle/dragon.wav", "battle/lich.wav", "menu.wav"]
    assert len(gateway.app.state.gateway.books.jobs) == 3
    words = ("demo.yaml", "--gateway", f"local={gateway.base_url}", "--json")
    assert json.loads(lives.live(folder, "plan", *words).stdout)["shard"] is None


def test_the_manifests_budget_is_shared_by_the_shards(folder: Path, gateway: LocalGatewayThread, lives: Lives) -> None:
    """A shard that costs more than its share ends with exit 3 and both figures; `--budget` is the shard's own."""
    (folder / "demo.yaml").write_text(MANIFEST.replace("name: demo", "name: demo\nbudget: 0.003"))
    (shard,) = (shard for shard in SHARDS if "menu" in inside(folder, shard))
    words = ("demo.yaml", "--gateway", gateway.base_url, "--shard", shard)
    for command in ("plan", "run"):
        ended = lives.live(folder, command, *words, **KEY)
        assert ended.status == 3
        said = " ".join(ended.stderr.split())
        assert "over the budget of $0.0010 (the manifest's $0.0030, shared by 3 shards)" in said
    assert lives.live(folder, "run", *words, "--budget", "0.006", **KEY).status == 0
