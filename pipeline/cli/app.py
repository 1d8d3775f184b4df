"""The commands' names, options and help; what each does is imported when it is called."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from pipeline.cli.failing import exit_with_a_sentence
from pipeline.cli.finishing_options import finishing_options
from pipeline.cli.options import (
    FILE,
    FOLDER,
    MANIFEST,
    FarmWord,
    Month,
    tracks_for_a_shell,
    with_books,
    with_buying,
    with_files,
    with_folders,
    with_json,
    with_log,
    with_manifests,
    with_planning,
    with_state,
    with_store,
    with_track,
)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="music-asset-pipeline")
def cli() -> None:
    """Turn a manifest of named tracks into finished music files and a cost report.

    Exit status: 0 all well; 1 some tracks or files failed, or check or reconcile found something; 2 bad manifest or
    usage; 3 money; 4 the key; 5 the state or output folder, a store that is required, or a farm; 130 interrupted,
    143 terminated.
    """


@cli.command()
@click.argument("file", type=MANIFEST, default=Path("tracks.yaml"), required=False)
def init(file: Path) -> None:
    """Write a commented manifest to start from, and manifest.schema.json beside it."""
    from pipeline.cli.small import init as command

    command(file)


@cli.command()
@with_planning
@click.option("--detailed-exitcode", is_flag=True, help="Exit 0 with nothing to do, 10 with something to do.")
def plan(**options: Any) -> None:
    """Say what a run would do and cost. Sends nothing."""
    from pipeline.cli.planning import plan as command

    command(**options)


@cli.command()
@with_planning
@click.option("--concurrency", type=click.IntRange(1, 10_000), metavar="N", help="Jobs in flight, over all manifests.")
@click.option(
    "--requests-per-minute",
    type=click.IntRange(1, 1_000_000),
    metavar="N",
    help="Instead of the manifest's, or of a shard's part of it.",
)
@click.option("--new-run", is_flag=True, help="Close an open run first, and start afresh.")
@click.option("--cancel-on-interrupt", is_flag=True, help="On Ctrl-C, cancel what is queued at the gateway (10 s).")
@click.option("--depfile", type=FILE, metavar="FILE",
              help="For make and ninja: write what the assets, or the --stamp, depend on.")  # fmt: skip
@click.option("--stamp", type=FILE, metavar="FILE", help="For make: touch FILE when all went well.")
@click.option("--wait", is_flag=True, help="Wait for another run that holds the folders.")
@click.option(
    "--on-finish",
    metavar="CMD",
    help="Run CMD (no shell) however the run ended, with the --json document on its standard input.",
)
@click.option("--webhook-url", metavar="URL", help="Have the gateway POST there when a job has ended.")
@click.option(
    "--webhook-listen",
    metavar="HOST:PORT",
    help="Where that arrives on this machine. Its secret: AIGATEWAY_WEBHOOK_SECRET.",
)
@click.option(
    "--finish-on",
    type=FarmWord(),
    metavar="URL",
    help="Finish on the workers of the Dask scheduler at tcp://HOST:PORT; the rest is done here.",
)
@with_log
@click.option("-q", "--quiet", is_flag=True, help="Say only what failed.")
@click.option("-v", "--verbose", is_flag=True, help="Explain every wait.")
def run(**options: Any) -> None:  # fmt: skip
    """Generate, download and finish what the manifests ask for."""
    from pipeline.cli.running import run as command

    command(**options)


@cli.command()
@with_track
@click.argument("take", metavar="N")
@with_json
@click.option("-q", "--quiet", is_flag=True, help="Say only what failed.")
def pick(**options: Any) -> None:
    """Make take N the pick of TRACK, and finish it from its kept source: free, and no gateway is asked.

    N is a take's number in `pipeline history`, and means its newest generation; 2.1 is what regenerated take 2 first,
    2.0 what it was before. Nothing but another pick, a rollback, --regenerate or a refresh replaces it.

    Exit status: 0 it is the pick; 1 it can't be, and nothing was changed; 2 there is no such track or take.
    """
    from pipeline.cli.picking import pick as command

    command(**options)


@cli.command()
@with_track
@with_buying
@with_store
@with_json
@click.option("--cancel-on-interrupt", is_flag=True, help="On Ctrl-C, cancel what is queued at the gateway (10 s).")
@click.option("--wait", is_flag=True, help="Wait for another run that holds the folders.")
@with_log
@click.option("-q", "--quiet", is_flag=True, help="Say only what failed.")
def reroll(**options: Any) -> None:
    """Buy one more take of TRACK, within the budget: beside those there are, none of which it replaces.

    It says what it costs first. The pick stays the pick, unless no other take is fit to be it. After a kill the same
    words go on with it, and buy nothing twice. Exit status: as `run`.
    """
    from pipeline.cli.rerolling import reroll as command

    command(**options)


@cli.command()
@with_track
@click.argument("number", metavar="[N]", required=False)
@with_json
@click.option("-q", "--quiet", is_flag=True, help="Say only what failed.")
def rollback(**options: Any) -> None:
    """Go back to the pick of TRACK before this one, or to pick number N of `pipeline history`: free.

    Again, it goes back further. It also undoes a --regenerate or a refresh that came out worse.

    Exit status: as `pick`.
    """
    from pipeline.cli.picking import rollback as command

    command(**options)


@cli.command()
@with_track
@with_json
def history(**options: Any) -> None:
    """List every generation of TRACK: when, at what cost, what its gates found, is its source kept; and its picks."""
    from pipeline.cli.picking import history as command

    command(**options)


@cli.command()
@with_manifests
@with_folders
@click.option("--only", multiple=True, metavar="GLOB", help="Only these tracks.", shell_complete=tracks_for_a_shell)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document on standard output.")
def check(**options: Any) -> None:
    """Is every asset there, whole, and what manifest and index say, measured again? Uses no network."""
    from pipeline.cli.checking import check as command

    command(**options)


@cli.command()
@with_files
@click.option(
    "--output",
    type=FOLDER,
    default=Path("finished"),
    show_default=True,
    metavar="DIR",
    help="Where the results land: FILE's name with the format's extension.",
)
@click.option("--keep-folders", is_flag=True, help="Results keep their files' folders, from the working folder on.")
@click.option("--together", is_flag=True, help="One gain for all FILEs, as for an album: quiet ones stay quieter.")
@finishing_options
@with_json
@click.option("-q", "--quiet", is_flag=True, help="No line for each file on the way.")
def finish(**options: Any) -> None:  # fmt: skip
    """Finish any audio files as a track's source is: wav, flac, ogg, mp3, aiff. Needs no manifest, and no network.

    Every option is a track's key and takes the same values. A result that is there is replaced, a FILE never is.

    Exit status: 0 all well; 1 some files failed; 2 usage; 5 the output folder; 130 interrupted, 143 terminated.
    """
    from pipeline.cli.finishing import finish as command

    command(**options)


@cli.command()
@with_files
@click.option("--gates", is_flag=True, help="Say what the gates find, too. It fails nothing.")
@with_json
def measure(**options: Any) -> None:
    """Measure any audio files: loudness, peaks, loop points. Changes nothing, and needs no manifest and no network.

    Exit status: 0 all were measured; 1 some could not be.
    """
    from pipeline.cli.measuring import measure as command

    command(**options)


@cli.command()
@with_manifests
@with_folders
@click.option(
    "--disclosure",
    is_flag=True,
    help="Instead, write disclosure.md and disclosure.json: what is generated, by which model, who picked it.",
)
def report(*, disclosure: bool, **options: Any) -> None:
    """Write the reports again from the ledger and the index.

    With --disclosure: where every file comes from, and a draft for the AI section of Steam's content survey.
    """
    from pipeline.cli.small import disclose
    from pipeline.cli.small import report as command

    (disclose if disclosure else command)(**options)


@cli.command()
@with_manifests
@with_folders
@with_buying
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="The port. [default: any free one]")
@click.option("--no-open", is_flag=True, help="Open no browser.")
def review(**options: Any) -> None:
    """Serve the report's page, to hear takes side by side, pick, star, note, and re-roll: until Ctrl-C.

    Its address is printed, and has a new secret in it each time. Picks, stars and notes are free and need no key; a
    re-roll shows its price first. A pick is what `pick` does, a re-roll what `reroll` does.

    Exit status: 0 ended by Ctrl-C; 130 that cut a re-roll short, with which the next run goes on.
    """
    from pipeline.cli.reviewing import review as command

    command(**options)


@cli.command()
@with_manifests
@with_folders
@click.option("--yes", is_flag=True, help="Remove what is listed.")
@click.option("--now", is_flag=True, help="Also what was paid for within the last 30 days. It still needs --yes.")
@click.option("--wait", is_flag=True, help="Wait for another run that holds the folders.")
@with_json
def prune(**options: Any) -> None:
    """List orphans, and sources that no manifest, index or lock names; remove them with --yes.

    Only what is just what its row says, with what Godot and Unity keep beside it (.import, .uid, .meta).
    """
    from pipeline.cli.pruning import prune as command

    command(**options)


@cli.group(invoke_without_command=True)
@with_books
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document on standard output.")
@click.pass_context
def ledger(context: click.Context, /, **options: Any) -> None:
    """List what was asked for and what it cost, from the ledger. Reads only: no network, no key."""
    if context.invoked_subcommand is None:
        from pipeline.cli.bookkeeping import ledger as command

        command(**options)
    elif any(context.get_parameter_source(name) is not ParameterSource.DEFAULT for name in options):
        raise click.UsageError(f"options of `{context.invoked_subcommand}` stand behind it", context)


@ledger.command()
@click.argument("file", default="-", type=click.Path(dir_okay=False, allow_dash=True))
@with_books
@click.option(
    "--all",
    "unbilled",
    is_flag=True,
    help="Also what is reserved, and what may have been charged twice: in a column of its own.",
)
def export(**options: Any) -> None:
    """Write the charges as CSV for bookkeeping: to FILE, or standard output.

    One line a charge: the column billed_usd sums up to what the reports say.
    """
    from pipeline.cli.bookkeeping import export as command

    command(**options)


@cli.command()
@with_state
@click.option("--month", type=Month(), metavar="YYYY-MM", help="The month to compare, in UTC. [default: this one]")
@click.option(
    "--gateway",
    default="aigateway",
    show_default=True,
    metavar="WORD",
    help="The gateway to ask: aigateway, a URL, or local=URL.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document on standard output.")
def reconcile(**options: Any) -> None:
    """Compare the ledger's charges of a month with what the gateway says was spent, by cost tag.

    Exit status: 0 where all agree; 1 where they differ, or the gateway does not say; 4 the key; 5 the ledger.
    """
    from pipeline.cli.reconciling import reconcile as command

    command(**options)


@cli.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8787, show_default=True, help="The API's port.")
@click.option("--media-port", type=click.IntRange(0, 65535), help="The media origin's port. [default: the API's + 1]")
@click.option("--latency", type=click.FloatRange(0), default=2.0, show_default=True, help="A job's mean time, seconds.")
@click.option("--sigma", type=click.FloatRange(0, 3), default=0.25, show_default=True, help="Its spread (lognormal).")
@click.option("--rpm", type=click.IntRange(0), default=600, show_default=True, help="Requests a minute; 0: no limit.")
@click.option("--faults", type=click.Path(path_type=Path, dir_okay=False, exists=True), help="Faults to make, YAML.")
@click.option("--state", type=FOLDER, help="Keep jobs here, so that they survive a restart.")
@click.option("--no-idempotency", is_flag=True, help="Do not honour Idempotency-Key.")
def serve(**options: Any) -> None:
    """Run the local gateway: the music API on loopback, free, for developing against it."""
    from pipeline.cli.serving import serve as command

    command(**options)


@cli.command()
def schema() -> None:
    """Print the manifest's JSON Schema, for editors."""
    from pipeline.cli.terminal import out_whole
    from pipeline.manifest import schema_text

    out_whole(schema_text().encode())


def main() -> None:
    """Run the command line and end the process with its exit status."""
    with exit_with_a_sentence():
        sys.exit(cli(standalone_mode=False))
