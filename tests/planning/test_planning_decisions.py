"""What a plan decides, by tables: rows of the index and jobs of the ledger in, actions out."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.audio.settings import Finishing, Loudness, Output
from pipeline.fingerprints import finishing_fingerprint, finishing_record, paid_fingerprint, recording_fingerprint
from pipeline.jobs import Intent, Job, Kind, PurchaseKey, State
from pipeline.manifest.tracks import GatewaySettings, Manifest, Place, Track
from pipeline.output import AssetRow, Provenance
from pipeline.picks.values import Lock, LockedTrack, takes_named
from pipeline.planning.decisions import plan_manifest
from pipeline.planning.meant import Meant
from pipeline.planning.plans import Action, Facts, ManifestPlan, Step, Wishes, estimate_of, estimates

if TYPE_CHECKING:
    from pipeline.planning.shards import Shard

NOW = 1_000_000_000.0
DAY = 24 * 3600.0
PRICE = 30_000  # micro-dollars a take of 30 s


def track(name: str = "menu", **changes: Any) -> Track:
    values = {
        "manifest": "game",
        "name": name,
        "place": Place("game.yaml", 1, 1),
        "finishing": Finishing(),
        "outputs": (Output(),),
        "prompt": f"music for {name}",
        "model": "maker/model",
        "price_usd_per_s": Decimal("0.0010"),
    }
    return Track(**(values | changes))


def manifest(*tracks: Track, **settings: Any) -> Manifest:
    return Manifest(Path("game.yaml"), "game", GatewaySettings(**settings), None, tracks)


@dataclass
class World:
    """A ledger and an output folder, as facts."""

    kind: Kind = "real"
    jobs: dict[str, list[Job]] = field(default_factory=dict)
    held: set[str] = field(default_factory=set)
    rows: dict[tuple[str, str], AssetRow] = field(default_factory=dict)
    intact: set[tuple[str, str]] = field(default_factory=set)
    grants: dict[str, dict[tuple[str, int], int]] = field(default_factory=dict)
    outstanding: list[Job] = field(default_factory=list)
    recordings: dict[Path, str] = field(default_factory=dict)
    obstacles: dict[tuple[str, str], str] = field(default_factory=dict)
    locks: dict[str, LockedTrack] = field(default_factory=dict)  # by track

    def job(
        self, of: Track, state: State, *, take: int = 1, regeneration: int = 0, held: bool = True, **more: Any
    ) -> Job:
        kind = more.pop("kind", self.kind)
        key = PurchaseKey(paid_fingerprint(of, kind), take, regeneration)
        row = sum(len(jobs) for jobs in self.jobs.values()) + 1
        intent = Intent(
            key, "game", of.name, kind, more.pop("origin", ""), of.model, 30.0, PRICE, b"{}", "t", f"key-{row}", "r"
        )
        values = {"intended_at": NOW - 60, "ended_at": NOW - 30, "job_id": "job"} | more
        job = Job(row, 1, intent, state, sent_at=NOW, sends=1, unproven_sends=0, source=f"source-{row}", **values)
        self.jobs.setdefault(key.fingerprint, []).append(job)
        if held and state is State.COLLECTED:
            self.held.add(f"source-{row}")
        if state in (State.ACCEPTED, State.COMPLETED):
            self.outstanding.append(job)
        return job

    def asset(self, of: Track, *, intact: bool = True, kind: Kind | None = None, **provenance: Any) -> None:
        """Its files as a finished run leaves them."""
        kind = kind or self.kind
        unfit = provenance.pop("unfit", ())
        for output in of.outputs:
            path = output.path(of.name)
            paid = recording_fingerprint("abc") if of.file else paid_fingerprint(of, kind)
            self.rows["game", path] = AssetRow(
                manifest="game", name=of.name, path=path, format="ogg", size=1, sha256="s", duration=30.0,
                sample_rate=44_100, channels=2, lufs=-16.0, max_short_term_lufs=-14.0, loudness_range=3.0,
                true_peak_dbtp=-1.0, loop=None, warnings=(), placeholder=kind == "local", paid_fingerprint=paid,
                finishing_fingerprint=finishing_fingerprint(of, output),
                provenance=_provenance(of, **provenance), settings=finishing_record(of, output),
                unfit=unfit,
            )  # fmt: skip
            if intact:
                self.intact.add(("game", path))

    def plan(
        self,
        *tracks: Track,
        only: str = "",
        shard: Shard | None = None,
        again: str = "",
        refreshes: bool = False,
        **settings: Any,
    ) -> ManifestPlan:
        facts = Facts(
            kind=self.kind, now=NOW, jobs=self.jobs, outstanding=self.outstanding, held=frozenset(self.held),
            rows=self.rows, intact=frozenset(self.intact), grants=self.grants, recordings=self.recordings,
            obstacles=self.obstacles, locks={"game": Lock("game", self.locks)},
            named=takes_named([Lock("game", self.locks)]),
        )  # fmt: skip
        regenerate = frozenset(paid_fingerprint(one, self.kind) for one in tracks if one.name == again)
        wishes = Wishes(Meant(only.__eq__ if only else None, shard), regenerate, refreshes=refreshes)
        return plan_manifest(manifest(*tracks, **settings), facts, wishes)


def _provenance(of: Track, **provenance: Any) -> Provenance:
    if of.file is not None:
        return Provenance("file", **provenance)
    asked = {"model": of.model, "prompt": of.prompt, "duration": of.duration_s, "takes": of.takes}
    return Provenance("generated", **(asked | provenance))


def steps(plan: ManifestPlan, number: int = 0) -> list[Step]:
    return [take.step for take in plan.tracks[number].takes]


def test_a_new_track_is_generated_at_its_price() -> None:
    """Nothing is known: one take is bought, at seconds asked x price."""
    plan = World().plan(track())
    assert (plan.tracks[0].action, plan.estimate_microusd) == (Action.GENERATE, PRICE)


def test_at_the_local_gateway_everything_is_free() -> None:
    """The same plan costs nothing there, and says what it would cost elsewhere."""
    plan = World(kind="local").plan(track(takes=2))
    assert (plan.estimate_microusd, plan.tracks[0].list_price_microusd) == (0, 2 * PRICE)


def test_what_the_output_folder_proves_is_kept_without_a_ledger() -> None:
    """A fresh clone buys nothing: the file has its recorded hash, and its paid fingerprint is the plan's."""
    world = World()
    world.asset(track(takes=2))
    plan = world.plan(track(takes=2))
    assert plan.nothing_to_do
    assert steps(plan) == [Step.PROVEN, Step.PROVEN]


def test_a_take_that_came_home_and_was_not_finished_is_finished() -> None:
    """A run was stopped in between: no row knows of the second take, and its gates have not seen it."""
    world = World()
    world.job(track(takes=2), State.COLLECTED)
    world.job(track(takes=2), State.COLLECTED, take=2)
    world.asset(track(takes=2), takes=1)
    (plan,) = world.plan(track(takes=2)).tracks
    assert (plan.action, plan.why, [asset.keep for asset in plan.assets]) == (Action.FINISH, "take 2 is new", [True])


def test_a_larger_takes_buys_only_what_is_more() -> None:
    """`takes: 2` to `3` without a ledger generates one."""
    world = World()
    world.asset(track(takes=2))
    plan = world.plan(track(takes=3))
    assert steps(plan) == [Step.PROVEN, Step.PROVEN, Step.BUY]
    assert plan.estimate_microusd == PRICE


def test_a_change_of_finishing_is_free_while_the_source_is_here() -> None:
    """Louder costs no cent."""
    world = World()
    world.job(track(), State.COLLECTED)
    world.asset(track())
    plan = world.plan(track(finishing=Finishing(loudness=Loudness("mobile", -18.0))))
    assert (plan.tracks[0].action, plan.estimate_microusd) == (Action.FINISH, 0)


def test_a_change_of_finishing_without_its_source_waits_for_a_word() -> None:
    """Paid for, but gone: the plan says what generating again would cost, and does not."""
    world = World()
    world.asset(track())
    plan = world.plan(track(finishing=Finishing(loudness=Loudness("mobile", -18.0))))
    assert plan.tracks[0].action is Action.BLOCKED
    assert "source missing: generating again costs $0.0300" in plan.tracks[0].why
    assert plan.estimate_microusd == 0


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        (track(), track(finishing=Finishing(fade_out_s=2.0)), "fade_out 0 -> 2 s"),
        (track(), track(outputs=(Output(), Output("wav"))), "outputs: wav is new"),
        (track(outputs=(Output(), Output("mp3"))),
         track(outputs=(Output(), Output("mp3", bitrate=128)), finishing=Finishing(fade_out_s=2.0)),
         "fade_out 0 -> 2 s, outputs: mp3 192 -> 128 kbit/s"),
    ],
    ids=["finishing", "an output", "both, of which one is said once"],
)  # fmt: skip
def test_a_plan_says_what_is_finished_again_and_why(before: Track, after: Track, why: str) -> None:
    """Each change once, however many files it is about."""
    world = World()
    world.job(before, State.COLLECTED)
    world.asset(before)
    (plan,) = world.plan(after).tracks
    assert (plan.action, plan.why) == (Action.FINISH, why)


def test_an_asset_of_a_version_without_records_is_finished_again_all_the_same() -> None:
    """Only what has changed is not known."""
    world = World()
    world.job(track(), State.COLLECTED)
    world.asset(track())
    world.rows = {at: replace(row, settings=None) for at, row in world.rows.items()}
    (plan,) = world.plan(track(finishing=Finishing(fade_out_s=2.0))).tracks
    assert (plan.action, plan.why) == (Action.FINISH, "finishing changed")


@pytest.mark.parametrize(
    ("after", "again", "why"),
    [
        (track(prompt="wild", duration_s=60.0), "", "prompt changed, duration 30 -> 60 s"),
        (track(takes=2), "", "takes 1 -> 2"),
        (track(), "menu", "--regenerate"),
        (track("another"), "", "new"),
    ],
    ids=["another piece", "one more take", "on purpose", "a new track"],
)
def test_a_plan_says_why_something_is_bought(after: Track, again: str, why: str) -> None:
    """In the words of what has changed since the last time."""
    world = World()
    world.job(track(), State.COLLECTED)
    world.asset(track())
    (plan,) = world.plan(after, again=again).tracks
    assert (plan.action, plan.why) == (Action.GENERATE, why)


def test_what_an_older_row_does_not_tell_is_not_guessed() -> None:
    """It names prompt, lyrics and model; the rest was not recorded then."""
    world = World()
    world.asset(track(), duration=None)
    assert world.plan(track(duration_s=60.0)).tracks[0].why == "what is asked for changed"


def test_a_missing_file_is_finished_again_from_its_source() -> None:
    """An asset that was deleted or edited by hand comes back, free."""
    world = World()
    world.job(track(), State.COLLECTED)
    world.asset(track(), intact=False)
    assert world.plan(track()).tracks[0].action is Action.FINISH


def test_one_more_output_is_finished_from_the_source() -> None:
    """What stands is kept; what is new is made."""
    world = World()
    world.job(track(), State.COLLECTED)
    world.asset(track())
    plan = world.plan(track(outputs=(Output(), Output("wav"))))
    assert plan.tracks[0].action is Action.FINISH
    assert [asset.keep for asset in plan.tracks[0].assets] == [True, False]


@pytest.mark.parametrize(
    "change", [{"prompt": "other"}, {"duration_s": 31.0}, {"lyrics": "la"}, {"source_format": "mp3"}]
)
def test_what_is_paid_for_changes_the_purchase(change: dict[str, Any]) -> None:
    """Another prompt is another piece: it is bought."""
    world = World()
    world.job(track(), State.COLLECTED)
    world.asset(track())
    assert steps(world.plan(track(**change))) == [Step.BUY]


@pytest.mark.parametrize(
    ("state", "step"),
    [
        (State.INTENDED, Step.RESEND),
        (State.UNKNOWN, Step.RESEND),
        (State.REFUSED, Step.BUY),
        (State.ACCEPTED, Step.COLLECT),
        (State.COMPLETED, Step.COLLECT),
        (State.COLLECTED, Step.HAVE),
        (State.FAILED, Step.BUY),
        (State.CANCELLED, Step.BUY),
        (State.EXPIRED, Step.BLOCKED),
    ],
)
def test_every_state_of_a_job_has_its_step(state: State, step: Step) -> None:
    """What has an id is never submitted again; what surely was not made is bought; what is gone waits for a word."""
    world = World()
    world.job(track(), state)
    assert steps(world.plan(track())) == [step]


def test_an_unknown_job_is_not_asked_again_after_a_day() -> None:
    """The gateway forgets keys after 24 h: from then on only `--regenerate` decides."""
    world = World()
    world.job(track(), State.UNKNOWN, intended_at=NOW - DAY - 1)
    plan = world.plan(track())
    assert (steps(plan), plan.tracks[0].action) == ([Step.BLOCKED], Action.BLOCKED)
    assert steps(world.plan(track(), again="menu")) == [Step.BUY]


def test_unknown_jobs_are_left_alone_where_the_manifest_says_so() -> None:
    """`resend_unknown: false` leaves every unknown so."""
    world = World()
    world.job(track(), State.UNKNOWN)
    assert steps(world.plan(track(), resend_unknown=False)) == [Step.BLOCKED]


@pytest.mark.parametrize(("age", "step"), [(6 * DAY, Step.COLLECT), (8 * DAY, Step.BLOCKED)])
def test_a_lost_source_is_fetched_again_while_the_gateway_has_it(age: float, step: Step) -> None:
    """Seven days: after that it was paid for and is gone."""
    world = World()
    world.job(track(), State.COLLECTED, held=False, ended_at=NOW - age)
    assert steps(world.plan(track())) == [step]


def test_a_lost_source_that_nothing_needs_is_not_fetched() -> None:
    """The asset stands: nothing is done."""
    world = World()
    world.job(track(), State.COLLECTED, held=False)
    world.asset(track())
    assert world.plan(track()).nothing_to_do


@pytest.mark.parametrize("state", [State.ACCEPTED, State.COMPLETED])
def test_what_has_an_id_is_asked_about_whatever_its_age(state: State) -> None:
    """Only the gateway knows whether it still has it."""
    world = World()
    world.job(track(), state, accepted_at=NOW - 60 * DAY, ended_at=NOW - 60 * DAY)
    assert steps(world.plan(track(), on_expired="regenerate")) == [Step.COLLECT]


class TestExpired:
    """A job that the gateway no longer has."""

    @pytest.mark.parametrize(
        ("kind", "on_expired", "collected_at", "does"),
        [
            ("real", "hold", None, (Step.BLOCKED, 0, "before it was fetched, at $0.0300: generating again costs")),
            ("real", "regenerate", None, (Step.BUY, PRICE, "expired at the gateway before it was fetched, at $0.0300")),
            ("real", "hold", NOW - 40, (Step.BLOCKED, 0, "source missing: generating again costs $0.0300")),
            ("real", "regenerate", NOW - 40, (Step.BLOCKED, 0, "source missing: generating again costs $0.0300")),
            ("local", "hold", None, (Step.BUY, 0, "its source is gone")),
            ("local", "regenerate", None, (Step.BUY, 0, "its source is gone")),
        ],
    )
    def test_it_is_bought_again_only_where_the_manifest_says_so_and_it_was_never_here(
        self, kind: Kind, on_expired: str, collected_at: float | None, does: tuple[Step, int, str]
    ) -> None:
        """What was here and was lost waits for `--regenerate`; a placeholder costs nothing."""
        world = World(kind=kind)
        world.job(track(), State.EXPIRED, collected_at=collected_at)
        (take,) = world.plan(track(), on_expired=on_expired).tracks[0].takes
        step, estimate, why = does
        assert (take.step, take.estimate_microusd) == (step, estimate)
        assert why in take.why

    @pytest.mark.parametrize("intact", [True, False], ids=["kept", "to be finished again"])
    def test_a_pick_that_the_output_folder_proves_is_not_bought_again(self, *, intact: bool) -> None:
        """Somebody's run had it, whatever this ledger says of its own job."""
        world = World()
        world.job(track(), State.EXPIRED)
        world.asset(track(), intact=intact)
        plan = world.plan(track(), on_expired="regenerate")
        assert (steps(plan), plan.estimate_microusd) == ([Step.PROVEN if intact else Step.BLOCKED], 0)
        assert intact or "source missing" in plan.tracks[0].why

    @pytest.mark.parametrize(("on_expired", "step"), [("hold", Step.PROVEN), ("regenerate", Step.BUY)])
    def test_a_take_beside_the_pick_that_never_came_is_bought_again(self, on_expired: str, step: Step) -> None:
        """The row counts it, but the ledger knows that it was never here."""
        world = World()
        world.job(track(takes=2), State.EXPIRED)
        world.job(track(takes=2), State.COLLECTED, take=2)
        world.asset(track(takes=2), take=2)
        assert steps(world.plan(track(takes=2), on_expired=on_expired)) == [step, Step.HAVE]


class TestRegenerate:
    """Paying again, on purpose, once."""

    def test_it_asks_for_the_next_regeneration(self) -> None:
        """Beside the same paid fingerprint: the number goes up."""
        world = World()
        world.job(track(), State.COLLECTED)
        world.asset(track())
        plan = world.plan(track(), again="menu")
        assert [take.key.regeneration for take in plan.tracks[0].takes] == [1]
        assert plan.estimate_microusd == PRICE

    def test_the_same_words_are_not_granted_twice_in_one_run(self) -> None:
        """A run that was killed and repeated with the same words buys each take once."""
        world = World()
        world.job(track(), State.COLLECTED)
        world.job(track(), State.ACCEPTED, regeneration=1)
        fingerprint = paid_fingerprint(track(), "real")
        world.grants = {"game": {(fingerprint, 1): 1}}
        assert steps(world.plan(track(), again="menu")) == [Step.COLLECT]

    def test_what_was_granted_goes_on_without_the_words(self) -> None:
        """An open run carries its grants to their end."""
        world = World()
        world.job(track(), State.COLLECTED)
        world.asset(track())
        world.grants = {"game": {(paid_fingerprint(track(), "real"), 1): 1}}
        assert steps(world.plan(track())) == [Step.BUY]

    def test_a_failed_one_leaves_the_last_good_asset(self) -> None:
        """In a later run, without the words, the asset stands and nothing is bought."""
        world = World()
        world.job(track(), State.COLLECTED)
        world.job(track(), State.FAILED, regeneration=1)
        world.asset(track())
        assert world.plan(track()).nothing_to_do

    def test_a_done_one_is_kept(self) -> None:
        """The index names the regeneration that stands."""
        world = World()
        world.job(track(), State.COLLECTED)
        world.job(track(), State.COLLECTED, regeneration=1)
        world.asset(track(), regeneration=1)
        assert world.plan(track()).nothing_to_do

    def test_without_a_ledger_it_goes_on_from_the_index(self) -> None:
        """A fresh clone knows which regeneration it has."""
        world = World()
        world.asset(track(), regeneration=2)
        assert world.plan(track()).nothing_to_do
        assert world.plan(track(), again="menu").tracks[0].takes[0].key.regeneration == 3


class TestPlaceholders:
    """Free, and never mistaken for the real thing."""

    def test_a_real_run_replaces_them(self) -> None:
        """The paid fingerprint says which gateway made it."""
        world = World()
        world.asset(track(), kind="local")
        assert steps(world.plan(track())) == [Step.BUY]

    @pytest.mark.parametrize("changed", [track(), track(prompt="other"), track(finishing=Finishing(fade_in_s=1.0))])
    def test_a_local_run_keeps_a_real_asset_whatever_changed(self, changed: Track) -> None:
        """It fills only the gaps."""
        world = World(kind="local")
        world.asset(track(), kind="real")
        assert world.plan(changed).tracks[0].action is Action.KEEP

    def test_a_local_run_finishes_a_real_asset_again_from_its_source(self) -> None:
        """The source is real, so what comes of it is."""
        world = World(kind="local")
        world.asset(track(), kind="real")
        world.job(track(), State.COLLECTED, kind="real")
        plan = world.plan(track(finishing=Finishing(fade_in_s=1.0))).tracks[0]
        assert (plan.action, plan.placeholder) == (Action.FINISH, False)

    def test_a_local_run_puts_no_placeholder_where_a_real_asset_was_lost(self) -> None:
        """What was paid for is asked back, not papered over."""
        world = World(kind="local")
        world.asset(track(), kind="real", intact=False)
        assert world.plan(track()).tracks[0].action is Action.BLOCKED


def test_two_tracks_with_one_paid_fingerprint_are_one_purchase() -> None:
    """Finished twice, paid once."""
    plan = World().plan(track("menu"), track("credits", prompt="music for menu"))
    assert [one.action for one in plan.tracks] == [Action.GENERATE, Action.GENERATE]
    assert plan.estimate_microusd == PRICE


def test_a_recording_is_finished_and_never_bought() -> None:
    """A person's file takes the place of a purchase, until its content changes."""
    recorded = track(file=Path("theme.wav"), prompt=None)
    world = World(recordings={Path("theme.wav"): "abc"})
    assert world.plan(recorded).tracks[0].action is Action.FINISH
    world.asset(recorded)
    assert world.plan(recorded).nothing_to_do
    world.recordings = {Path("theme.wav"): "def"}
    assert world.plan(recorded).tracks[0].action is Action.FINISH


def test_a_row_whose_track_is_gone_is_an_orphan_but_not_under_only() -> None:
    """Only the given manifests' rows, and only when the whole manifest is looked at."""
    world = World()
    world.asset(track("old"))
    world.asset(track())
    assert [row.name for row in world.plan(track()).orphans] == ["old"]
    assert world.plan(track(), only="menu").orphans == ()


def test_tracks_outside_of_only_are_skipped() -> None:
    """They are not touched, and nothing is bought for them."""
    plan = World().plan(track("menu"), track("battle"), only="menu")
    assert [one.action for one in plan.tracks] == [Action.GENERATE, Action.SKIP]


def test_a_job_that_no_track_asks_for_any_more_is_still_collected() -> None:
    """The prompt changed while it was generated: it is paid for, so it is brought home."""
    world = World()
    old = world.job(track(prompt="before"), State.ACCEPTED)
    assert [job.row for job in world.plan(track()).strays] == [old.row]


def test_the_jobs_of_another_local_gateway_are_not_waited_for() -> None:
    """It is another process's, perhaps long gone; what it owes is free."""
    world = World(kind="local")
    world.job(track(), State.ACCEPTED, origin="http://127.0.0.1:9")
    plan = world.plan(track())
    assert (steps(plan), plan.strays) == ([Step.BUY], ())


def test_an_asset_that_cant_be_made_holds_back_its_track_unless_it_stands() -> None:
    """Nothing is bought for what could not be finished; what is there already needs no making."""
    world = World(obstacles={("game", "menu.ogg"): "in the way"})
    plan = world.plan(track())
    assert (plan.tracks[0].action, plan.tracks[0].why, plan.estimate_microusd) == (Action.BLOCKED, "in the way", 0)
    world.asset(track())
    assert world.plan(track()).nothing_to_do


def test_a_blocked_take_holds_back_the_track_but_not_what_is_paid_for() -> None:
    """Nothing is bought for it until somebody decides."""
    world = World()
    world.job(track(takes=2), State.EXPIRED)
    world.job(track(takes=2), State.ACCEPTED, take=2)
    plan = world.plan(replace(track(), takes=3))
    assert plan.tracks[0].action is Action.BLOCKED
    assert steps(plan) == [Step.BLOCKED, Step.COLLECT, Step.BUY]
    assert plan.estimate_microusd == 0


def test_a_purchase_of_two_manifests_is_the_first_ones() -> None:
    """It is counted once in the sum, and on the books of the manifest that stands first."""
    first, second = World().plan(track()), World().plan(track("credits", prompt="music for menu"))
    assert [sum(own.values()) for _, own in estimates([first, second])] == [PRICE, 0]
    assert estimate_of([first, second]) == PRICE
