"""Where lives are lived, and what the gateway's books say about them."""

from __future__ import annotations

import csv
import json
import signal
from collections import Counter
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

from pipeline.files import sha256_of
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.store import connect_to_read

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from lives import At, Ended, Lives

    from pipeline.jobs import Job, State
    from pipeline.local_gateway.jobs import Job as GatewayJob
    from pipeline.local_gateway.serving import LocalGatewayThread

TRACKS: Final = ("menu", "battle")
#: What a take is reserved and charged for, in micro-dollars: a second of music.
PRICE: Final = 1000
_MANIFEST: Final = """\
version: 1
name: {name}
gateway: {{model: sony-ai/mmaudio-v2-text-to-audio, price_per_second: 0.0010, poll_interval: 0.1}}
defaults: {{duration: 1, outputs: [wav]}}
tracks:
  {name}/menu: {{prompt: calm menu of {name} in {place}}}
  {name}/battle: {{prompt: fierce battle of {name} in {place}}}
"""
_INDEX: Final = "assets.json"
_REPORTS: Final = ("cost-report.json", "cost-report.csv", "cost-report.md", "report.html")
_KEY: Final = "sk-aig-1"


class Place:
    """A folder that runs work in, against one gateway. What other places asked of that gateway does not count here."""

    def __init__(
        self,
        folder: Path,
        gateway: LocalGatewayThread,
        lives: Lives,
        *names: str,
        earlier: Sequence[GatewayJob] = (),
    ) -> None:
        """`names`: of the manifests that are written there. `earlier`: the jobs that made what stands there already."""
        self.folder = folder
        self.gateway = gateway
        self.lives = lives
        self._earlier = earlier
        self._books = gateway.app.state.gateway.books
        self._jobs_before, self._submits_before = len(self._books.jobs), self._submits_in_all
        for name in names:
            (folder / f"{name}.yaml").write_text(_MANIFEST.format(name=name, place=folder.name))

    # --- lives ------------------------------------------------------------------------------------------------------

    def words(self, *words: str) -> tuple[str, ...]:
        return ("run", *words, "--gateway", self.gateway.base_url)

    def live(self, *words: str, at: At | None = None, workers: bool = False) -> Ended:
        """`pipeline run WORDS`, to its end."""
        return self.lives.live(self.folder, *self.words(*words), at=at, workers=workers, AIGATEWAY_API_KEY=_KEY)

    def say(self, *words: str, at: At | None = None) -> Ended:
        """`pipeline WORDS` without a gateway, to its end."""
        return self.lives.live(self.folder, *words, at=at)

    def reroll(self, track: str, at: At | None = None) -> Ended:
        """`pipeline reroll TRACK`."""
        words = ("reroll", track, "--gateway", self.gateway.base_url)
        return self.lives.live(self.folder, *words, at=at, AIGATEWAY_API_KEY=_KEY)

    def begin(self, *words: str, tells_at: At) -> int:
        """Start `pipeline run WORDS` with worker processes, and come back when it is at `tells_at`: its process."""
        return self.lives.begin(self.folder, *self.words(*words), tells_at=tells_at, AIGATEWAY_API_KEY=_KEY)

    def killed(self, *words: str, at: At, workers: bool = False) -> None:
        """`pipeline run WORDS`, until SIGKILL ends it; what it leaves is whole."""
        ended = self.live(*words, at=at, workers=workers)
        assert ended.status == -signal.SIGKILL, (at, ended)
        self.assert_whole()

    def run(self, *words: str, workers: bool = False) -> None:
        """`pipeline run WORDS`, and all is well."""
        ended = self.live(*words, workers=workers)
        assert ended.status == 0, ended.said

    def lose_ledger(self) -> None:
        for path in self.folder.glob(".pipeline/ledger.sqlite3*"):
            path.unlink()

    # --- what stands ------------------------------------------------------------------------------------------------

    @property
    def output(self) -> Path:
        return self.folder / "output"

    @property
    def files(self) -> dict[str, bytes]:
        """What has its final name in the output folder."""
        files = (path for path in self.output.rglob("*") if path.is_file() and not path.name.startswith("."))
        return {path.relative_to(self.output).as_posix(): path.read_bytes() for path in files}

    @property
    def assets(self) -> dict[str, bytes]:
        return {path: content for path, content in self.files.items() if path not in (_INDEX, *_REPORTS)}

    @property
    def index(self) -> dict[str, dict[str, Any]]:
        """path -> row."""
        path = self.output / _INDEX
        rows = json.loads(path.read_text())["assets"] if path.exists() else []
        return {row["path"]: row for row in rows}

    @property
    def possible_duplicates(self) -> int:
        """What the cost report says may have been paid twice, in micro-dollars."""
        return self._micro("possible_duplicate_usd")

    @property
    def billed(self) -> int:
        """What the cost report says was charged, in micro-dollars."""
        return self._micro("billed_usd")

    def _micro(self, amount: str) -> int:
        report = json.loads((self.output / "cost-report.json").read_text())
        return round(report["to_date"][amount] * 1_000_000)

    @property
    def proven(self) -> set[str]:
        """The assets that stand as the index says."""
        return {path for path, row in self.index.items() if self._has(path, row["sha256"])}

    def _has(self, path: str, sha256: str) -> bool:
        return (self.output / path).exists() and sha256_of(self.output / path) == sha256

    def _ledger(self, read: Any) -> list[Any]:
        connection = connect_to_read(self.folder / ".pipeline/ledger.sqlite3")
        if connection is None:
            return []
        with closing(connection):
            return read(Ledger(connection))

    def assert_whole(self) -> None:
        """Whatever has its final name is what some row says it is, or can be read to its end."""
        rows = [*self.index.values(), *self._ledger(Ledger.asset_rows)]
        known = {(row["path"], row["sha256"]) for row in rows}
        for path, content in self.files.items():
            match path:
                case "assets.json" | "cost-report.json":
                    json.loads(content)
                case "cost-report.csv":
                    assert len({len(row) for row in csv.reader(content.decode().splitlines())}) == 1
                case "cost-report.md":
                    assert content.endswith(b"\n")
                case "report.html":
                    assert content.endswith(b"</html>\n")
                case _:
                    assert (path, sha256_of(self.output / path)) in known
        for source in self.folder.glob(".pipeline/sources/??/*"):
            assert sha256_of(source) == source.stem

    def assert_complete(self, *names: str) -> None:
        """Every asset of these manifests stands as the index says, and the reports with them."""
        assert self.proven == set(self.assets) == {f"{name}/{track}.wav" for name in names for track in TRACKS}
        assert self.files.keys() >= {_INDEX, *_REPORTS}
        for name in names:
            self.assert_locked(name)
        self.assert_whole()

    def assert_locked(self, name: str) -> None:
        """The lock pins what stands: every take that came home, and the hash of every asset."""
        lock = json.loads((self.folder / f"{name}.lock.json").read_text())["tracks"]
        assert lock.keys() == {f"{name}/{track}" for track in TRACKS}
        pinned = {path: asset["sha256"] for track in lock.values() for path, asset in track["assets"].items()}
        assert pinned == {path: row["sha256"] for path, row in self.index.items() if row["manifest"] == name}
        takes = [take for track in lock.values() for one in track["purchases"].values() for take in one["takes"]]
        sources = {job.source for job in self._ledger_jobs if job.intent.manifest == name and job.source}
        assert sources <= {take["source"] for take in takes}

    @property
    def lock(self) -> dict[str, Any]:
        """What the lock of `demo` says, by track; nothing where there is none."""
        path = self.folder / "demo.lock.json"
        return json.loads(path.read_text())["tracks"] if path.exists() else {}

    def cost_of_a_plan(self, *words: str) -> int:
        """What a plan says that a run would cost, in micro-dollars."""
        words = ("plan", *words, "--gateway", self.gateway.base_url, "--json")
        ended = self.lives.live(self.folder, *words, AIGATEWAY_API_KEY=_KEY)
        return round(json.loads(ended.stdout)["totals"]["estimated_usd"] * 1_000_000)

    def assert_settled(self, *words: str) -> None:
        """A further run submits nothing and rewrites nothing."""
        before = self._stamps, self.submits
        self.run(*words)
        assert (self._stamps, self.submits) == before

    @property
    def _stamps(self) -> dict[Path, tuple[int, int]]:
        found = [*self.output.rglob("[!.]*"), *self.folder.glob(".pipeline/sources/??/*")]
        return {path: (path.stat().st_mtime_ns, path.stat().st_ino) for path in found if path.is_file()}

    # --- the gateway's books ----------------------------------------------------------------------------------------

    @property
    def _submits_in_all(self) -> int:
        return sum(times for (endpoint, _), times in self._books.requests.items() if endpoint == "submit")

    @property
    def submits(self) -> int:
        """How often the gateway was asked for a job."""
        return len(self._earlier) + self._submits_in_all - self._submits_before

    @property
    def jobs(self) -> list[GatewayJob]:
        """The jobs that the gateway made."""
        return [*self._earlier, *self._books.jobs[self._jobs_before :]]

    @property
    def bought(self) -> Counter[str]:
        """How many jobs there are of each track."""
        return Counter(job.tag for job in self.jobs)

    @property
    def _ledger_jobs(self) -> list[Job]:
        return self._ledger(Ledger.all_jobs)

    @property
    def unknown_and_known_jobs(self) -> tuple[list[GatewayJob], list[GatewayJob]]:
        """The gateway's jobs that the ledger does not know, and those that it does."""
        keys = {job.intent.idempotency_key for job in self._ledger_jobs}
        return (
            [job for job in self.jobs if job.idempotency_key not in keys],
            [job for job in self.jobs if job.idempotency_key in keys],
        )

    @property
    def states(self) -> dict[str, State]:
        """Where the ledger says that the job of each track stands."""
        return {job.intent.track: job.state for job in self._ledger_jobs}

    @property
    def sendings(self) -> int:
        """How often the ledger says that a POST left, or was about to."""
        return sum(job.sends for job in self._ledger_jobs)

    @property
    def unproven_sendings(self) -> dict[str, int]:
        """How many sendings of each track may have made a job besides the one that is known, by the ledger."""
        return {job.intent.cost_tag: job.unproven_sends for job in self._ledger_jobs}

    def assert_bought(self, bought: Mapping[str, int]) -> None:
        """The gateway made so many jobs of each track, and the report has every cent of them."""
        assert self.bought == bought
        assert len({job.idempotency_key for job in self.jobs}) == len(self.jobs)
        assert self.billed == sum(job.charged_microusd for job in self.jobs)

    def assert_books(self, bought: Mapping[str, int]) -> None:
        """`assert_bought`, and what is told as possible duplicates is what nobody can know.

        A POST that was about to leave and one that left are the same to the next start: an intent whose POST the
        gateway never saw is a possible duplicate for good, and no other is.
        """
        self.assert_bought(bought)
        assert self.possible_duplicates == PRICE * (self.sendings - self.submits)


def once(*names: str) -> dict[str, int]:
    """Every track of these manifests bought once."""
    return {f"{name}/{name}/{track}": 1 for name in names for track in TRACKS}
