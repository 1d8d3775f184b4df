"""`ledger`, `ledger export` and `reconcile` as people use them: the real command line over real sockets."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from lives import clean_environment
from programs import MANIFEST
from quick_gateway import quick_gateway

from pipeline.ledger.schema import VERSION
from pipeline.ledger.store import connect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lives import Lives

    from pipeline.local_gateway.serving import LocalGatewayThread

KEY = {"AIGATEWAY_API_KEY": "sk-aig-x"}
SPENT = Decimal("0.006")


@pytest.fixture(scope="module")
def gateway() -> Iterator[LocalGatewayThread]:
    """The one that everything here was bought from, and that nothing is bought from any more."""
    with quick_gateway() as running:
        yield running


@pytest.fixture(scope="module")
def bought(tmp_path_factory: pytest.TempPathFactory, gateway: LocalGatewayThread, lives: Lives) -> Path:
    """A folder whose manifest was bought, as if for real, and whose owner only looks at the books from now on."""
    folder = tmp_path_factory.mktemp("bought")
    (folder / "demo.yaml").write_text(MANIFEST)
    ended = lives.live(folder, "run", "demo.yaml", "--gateway", gateway.base_url, "--quiet", **KEY)
    assert ended.status == 0, ended.stderr
    return folder


def trace(folder: Path) -> dict[str, bytes]:
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def exported(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def month_of(bought: Path, lives: Lives) -> str:
    """When it was bought."""
    return exported(lives.live(bought, "ledger", "export").stdout)[0]["date"][:7]


def test_ledger_export_report_and_gateway_agree_to_the_cent(
    bought: Path, gateway: LocalGatewayThread, lives: Lives
) -> None:
    """Four ways to ask what was spent, one answer; and none of them changes anything or needs a key but the last."""
    before = trace(bought)
    listing = lives.live(bought, "ledger")
    assert (listing.status, listing.stderr) == (0, "")
    assert "3 takes: billed $0.0060, of which computed $0.0000; reserved $0.0000;" in listing.stdout
    assert max(map(len, listing.stdout.splitlines())) <= 80
    document = json.loads(lives.live(bought, "ledger", "--json").stdout)
    lines = exported(lives.live(bought, "ledger", "export").stdout)
    compared = lives.live(
        bought, "reconcile", "--gateway", gateway.base_url, "--month", month_of(bought, lives), "--json", **KEY
    )
    report = json.loads((bought / "output/cost-report.json").read_text())
    assert compared.status == 0, compared.stdout
    assert json.loads(compared.stdout)["totals"]["gateway_usd"] == float(SPENT)
    assert json.loads(compared.stdout)["totals"]["ledger_usd"] == float(SPENT)
    assert sum(Decimal(line["billed_usd"]) for line in lines) == SPENT
    assert document["totals"]["billed_usd"] == report["to_date"]["billed_usd"] == float(SPENT)
    assert [line["job_id"] for line in lines] == [
        next(take["job_id"] for take in document["takes"] if take["job"] == charge["job"])
        for charge in document["charges"]
    ]
    assert trace(bought) == before
    assert "sk-aig-x" not in listing.stdout + compared.stdout + json.dumps(document)


def test_books_that_differ_exit_1_and_say_where(
    bought: Path, gateway: LocalGatewayThread, tmp_path: Path, lives: Lives
) -> None:
    """Here the ledger is lost: all that the gateway counts is missing in it."""
    compared = lives.live(
        tmp_path, "reconcile", "--gateway", gateway.base_url, "--month", month_of(bought, lives), **KEY
    )
    assert compared.status == 1
    assert "there is no ledger" in compared.stderr
    assert re.search(r"demo/menu +- +\$0\.0020 +\+\$0\.0020", compared.stdout)
    assert "differ: 3 of 3 tags" in compared.stdout


def test_filters_are_by_manifest_and_month(bought: Path, lives: Lives) -> None:
    """In the listing as in the export."""
    for words in (["--manifest", "adverts"], ["--month", "2001-01"]):
        assert lives.live(bought, "ledger", *words).stdout == "No takes.\n"
        assert exported(lives.live(bought, "ledger", "export", *words).stdout) == []
    assert len(exported(lives.live(bought, "ledger", "export", "--manifest", "demo").stdout)) == 3


def test_nothing_bought_is_no_failure(tmp_path: Path, lives: Lives) -> None:
    """It is said, and a script gets an empty listing."""
    listing = lives.live(tmp_path, "ledger", "--json")
    assert (listing.status, json.loads(listing.stdout)["takes"]) == (0, [])
    assert "there is no ledger" in listing.stderr
    assert lives.live(tmp_path, "ledger", "export", "books.csv").status == 0
    assert exported((tmp_path / "books.csv").read_text()) == []
    assert [path.name for path in tmp_path.iterdir()] == ["books.csv"]


def test_a_report_without_a_ledger_says_so(bought: Path, tmp_path: Path, lives: Lives) -> None:
    """A fresh clone knows what its assets are, and not what they cost."""
    shutil.copytree(bought / "output", tmp_path / "output")
    shutil.copy(bought / "demo.yaml", tmp_path)
    ended = lives.live(tmp_path, "report", "demo.yaml")
    assert (ended.status, "there is no ledger" in ended.stderr) == (0, True)
    assert "There is no ledger" in (tmp_path / "output/cost-report.md").read_text()


class TestALedgerThatSomebodyHasEdited:
    @staticmethod
    def edited(bought: Path, folder: Path, statement: str) -> Path:
        shutil.copytree(bought, folder, dirs_exist_ok=True)
        with closing(sqlite3.connect(folder / ".pipeline/ledger.sqlite3")) as connection, connection:
            connection.executescript(statement)
        return folder

    @pytest.mark.parametrize("moment", ["3e14", "-3e14", "9e999"])
    def test_absurd_times_are_told_as_the_nearest_there_is(
        self, bought: Path, tmp_path: Path, lives: Lives, moment: str
    ) -> None:
        """The amounts count all the same; there is no year 9,999,999."""
        columns = ("charges SET charged_at", "jobs SET intended_at", "runs SET opened_at", "sources SET stored_at")
        self.edited(bought, tmp_path, ";".join(f"UPDATE {column} = {moment}" for column in columns))
        told = (["ledger"], ["ledger", "--json"], ["ledger", "export"], ["report", "demo.yaml"])
        for words in (*told, ["history", "menu"], ["prune", "demo.yaml"], ["plan", "demo.yaml", "--gateway", "local"]):
            ended = lives.live(tmp_path, *words)
            assert ended.status == 0, ended.stderr
        assert f"{'1000-01-01' if moment[0] == '-' else '9999-12-31'}" in lives.live(tmp_path, "ledger").stdout

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE charges SET amount_microusd = amount_microusd + 1 WHERE charge = 1",
            "UPDATE jobs SET cost_microusd = NULL WHERE job = 1",
            "UPDATE charges SET basis = 'computed' WHERE charge = 1",
            "INSERT INTO charges SELECT 99, job, charged_at, amount_microusd, basis FROM charges WHERE charge = 1",
            "DELETE FROM charges WHERE charge = 1",
        ],
    )
    def test_charges_that_are_not_those_of_the_jobs_are_believed_by_nobody(
        self, bought: Path, tmp_path: Path, lives: Lives, statement: str
    ) -> None:
        """Neither by who reads the books, nor by who buys on their word."""
        folder = self.edited(bought, tmp_path, statement)
        buying = ["--gateway", "http://127.0.0.1:1", "--regenerate", "**"]
        for words in (
            ["ledger"],
            ["report", "demo.yaml"],
            ["run", "demo.yaml", *buying],
        ):
            ended = lives.live(folder, *words, **KEY)
            assert (ended.status, "the ledger is damaged" in ended.stderr) == (5, True), ended.stderr


class TestExportToAFile:
    def test_it_takes_the_place_of_last_months(self, bought: Path, tmp_path: Path, lives: Lives) -> None:
        """Whole, as it would be on standard output."""
        target = tmp_path / "books.csv"
        assert lives.live(bought, "ledger", "export", str(target)).status == 0
        ended = lives.live(bought, "ledger", "export", str(target), "--all")
        assert (ended.status, ended.stdout) == (0, ""), ended.stderr
        assert target.read_text() == lives.live(bought, "ledger", "export", "-", "--all").stdout
        assert [path.name for path in tmp_path.iterdir()] == ["books.csv"]

    def test_a_file_that_is_no_export_is_not_replaced(self, bought: Path, lives: Lives) -> None:
        """A slip of the keyboard costs no manifest, and no index."""
        before = trace(bought)
        for name in ("demo.yaml", "output/assets.json"):
            ended = lives.live(bought, "ledger", "export", name)
            assert (ended.status, "no earlier export" in ended.stderr) == (5, True)
        assert trace(bought) == before

    def test_a_link_is_not_followed(self, bought: Path, tmp_path: Path, lives: Lives) -> None:
        """What it leads to stays as it is."""
        (tmp_path / "precious").write_text("precious")
        (tmp_path / "books.csv").symlink_to(tmp_path / "precious")
        ended = lives.live(bought, "ledger", "export", str(tmp_path / "books.csv"))
        assert (ended.status, "no plain file" in ended.stderr) == (5, True)
        assert (tmp_path / "precious").read_text() == "precious"

    def test_the_ledger_is_not_overwritten_by_its_own_export(self, bought: Path, lives: Lives) -> None:
        """Nor anything else in the state folder."""
        before = trace(bought)
        ended = lives.live(bought, "ledger", "export", ".pipeline/ledger.sqlite3")
        assert (ended.status, "state folder" in ended.stderr) == (5, True)
        assert trace(bought) == before


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["ledger", "--month", "2026-13"], 2, "is no month; expected one like 2026-09"),
        (["ledger", "--json", "export"], 2, "options of `export` stand behind it"),
        (["ledger", "nonsense"], 2, "nonsense"),
        (["reconcile"], 4, "set AIGATEWAY_API_KEY"),
        (["reconcile", "--gateway", "local"], 2, "local=URL"),
        (["reconcile", "--gateway", "local=http://127.0.0.1:1"], 1, "127.0.0.1:1: no connection.*nothing was compared"),
        (["reconcile", "--gateway", "local=http://a b"], 2, "is no gateway's address"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_every_refusal_is_a_sentence(tmp_path: Path, words: list[str], status: int, said: str, lives: Lives) -> None:
    """With its exit status, and nothing made."""
    ended = lives.live(tmp_path, *words)
    assert (ended.status, "Traceback" in ended.stderr) == (status, False), ended.stderr
    assert re.search(said, ended.stderr)
    assert list(tmp_path.iterdir()) == []


def test_a_key_that_the_gateway_refuses_exits_4(tmp_path: Path, gateway: LocalGatewayThread, lives: Lives) -> None:
    """As in a run."""
    ended = lives.live(tmp_path, "reconcile", "--gateway", gateway.base_url, AIGATEWAY_API_KEY="wrong")
    assert (ended.status, "AIGATEWAY_API_KEY" in ended.stderr) == (4, True)


@pytest.mark.parametrize(
    "command", [["ledger"], ["ledger", "export"], ["reconcile", "--gateway", "http://127.0.0.1:1"]]
)
def test_a_ledger_that_can_not_be_read_exits_5(bought: Path, tmp_path: Path, command: list[str], lives: Lives) -> None:
    """With the sentence that every command has for it."""
    shutil.copytree(bought / ".pipeline", tmp_path / ".pipeline")
    connection = connect(tmp_path / ".pipeline/ledger.sqlite3")
    connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    connection.close()
    ended = lives.live(tmp_path, *command, **KEY)
    assert (ended.status, "newer version of this program" in ended.stderr) == (5, True)


@pytest.mark.parametrize(
    "words", [["ledger", "export"], ["ledger", "--json"], ["plan", "demo.yaml", "--gateway", "local", "--json"]]
)
def test_half_a_document_does_not_end_well(bought: Path, words: list[str]) -> None:
    """On a full disk, say: a script that goes on with half of it would never know."""
    if not Path("/dev/full").exists():
        pytest.skip("needs a device that is always full")
    with Path("/dev/full").open("wb") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "pipeline", *words],
            cwd=bought, env=clean_environment(), stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert (ended.returncode, "Traceback" in ended.stderr) == (5, False), ended.stderr
    assert "No space left" in ended.stderr
