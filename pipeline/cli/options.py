"""Options and arguments that several commands share, and the values that they take."""

from __future__ import annotations

import os
import re
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from pipeline.files import FolderError

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.shell_completion import CompletionItem

    from pipeline.planning.shards import Shard

MANIFEST = click.Path(path_type=Path)
FILE = click.Path(path_type=Path, dir_okay=False)
_MOST_DOLLARS: Final = Decimal(1_000_000)
_A_MONTH: Final = re.compile(r"[1-9]\d{3}-(0[1-9]|1[0-2])", re.ASCII)
F = TypeVar("F", bound="Callable[..., Any]")


class FolderPath(click.Path):
    """A folder, which need not be there yet. A file in its place is trouble with a folder, and no wrong usage."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        path = Path(os.fsdecode(super().convert(value, param, ctx)))
        if os.path.exists(path) and not os.path.isdir(path):  # noqa: PTH110, PTH112 - pathlib's raise without permission
            option = "" if param is None else f" with {param.opts[0]}"
            raise FolderError(f"{path}: is a file and no folder; move it away, or name another folder{option}")
        return path


FOLDER = FolderPath(readable=False)  # whether it can be read is told by whoever reads it


class Dollars(click.ParamType[Decimal]):
    """An amount such as 2.50."""

    name = "usd"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:
        try:
            amount = Decimal(str(value).removeprefix("$"))
        except InvalidOperation:
            amount = Decimal(-1)
        if not (amount.is_finite() and 0 <= amount <= _MOST_DOLLARS):
            self.fail(f"{value!r} is not an amount in dollars; expected one like 2.50", param, ctx)
        return amount


class Month(click.ParamType[str]):
    """A month such as 2026-09."""

    name = "month"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not _A_MONTH.fullmatch(str(value)):
            self.fail(f"{value!r} is no month; expected one like 2026-09", param, ctx)
        return str(value)


class ShardWord(click.ParamType["Shard"]):
    """One of several shards, such as 2/8."""

    name = "shard"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Shard:
        from pipeline.planning.shards import NoShard, shard_from  # noqa: PLC0415 - most commands need none

        try:
            return shard_from(str(value))
        except NoShard as mistake:
            self.fail(str(mistake), param, ctx)


class FarmWord(click.ParamType[str]):
    """The address of a farm's scheduler."""

    name = "farm"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from pipeline.farm.addresses import FarmMistake, check_address  # noqa: PLC0415 - most commands need none

        try:
            return check_address(str(value))
        except FarmMistake as mistake:
            self.fail(str(mistake), param, ctx)


def manifests_for_a_shell(context: click.Context, parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """The manifests that a word which was begun may mean."""
    from pipeline.cli.completing import complete_manifests  # noqa: PLC0415 - only where somebody presses tab

    return complete_manifests(context, parameter, begun)


def tracks_for_a_shell(context: click.Context, parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """The tracks that a word which was begun may mean."""
    from pipeline.cli.completing import complete_tracks  # noqa: PLC0415 - as above

    return complete_tracks(context, parameter, begun)


def with_manifests(command: F) -> F:
    return click.argument("manifests", nargs=-1, required=True, type=MANIFEST, metavar="MANIFEST...",
                          shell_complete=manifests_for_a_shell)(command)  # fmt: skip


def with_files(command: F) -> F:
    return click.argument("files", nargs=-1, required=True, type=MANIFEST, metavar="FILE...")(command)


def with_json(command: F) -> F:
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON document on standard output.")(command)


def with_log(command: F) -> F:
    return click.option("--log-file", type=MANIFEST, metavar="FILE",
                        help="Append a JSON object a line to FILE for each thing that happens.")(command)  # fmt: skip


def with_state(command: F) -> F:
    return click.option("--state", type=FOLDER, default=Path(".pipeline"), show_default=True, metavar="DIR",
                        help="Ledger, sources, and takes that are not the pick.")(command)  # fmt: skip


def with_folders(command: F) -> F:
    for option in (
        with_state,
        click.option("--output", type=FOLDER, default=Path("output"), show_default=True, metavar="DIR",
                     help="Where assets, index and reports land."),
    ):  # fmt: skip
        command = option(command)
    return command


def with_books(command: F) -> F:
    """What part of the books is meant."""
    for option in (
        click.option("--month", type=Month(), metavar="YYYY-MM",
                     help="Only what was billed in this month (UTC), and what was asked for in it and is not billed."),
        click.option("--manifest", "manifests", multiple=True, metavar="NAME",
                     help="Only takes of the manifest of this name (its `name`, not its file)."),
    ):  # fmt: skip
        command = option(command)
    return with_state(command)


def with_buying(command: F) -> F:
    """Of whom, and for how much at most."""
    for option in (
        click.option("--budget", type=Dollars(), metavar="USD", help="Instead of the manifest's; caps several."),
        click.option("--gateway", metavar="WORD", help="local, local=URL, aigateway, or a URL."),
    ):
        command = option(command)
    return command


def with_store(command: F) -> F:
    """The store that a team shares."""
    for option in (
        click.option("--store-read-only", is_flag=True, help="Take from the store what it has, and put nothing there."),
        click.option("--store", metavar="URL",
                     help="A team's store, for the manifest's: s3://, gs:// or az://bucket/prefix, or a folder."),
    ):  # fmt: skip
        command = option(command)
    return command


def with_planning(command: F) -> F:
    """What `plan` and `run` share."""
    for option in (
        click.option("--regenerate", multiple=True, metavar="GLOB", help="Pay again, on purpose, for these tracks."),
        click.option("--shard", type=ShardWord(), metavar="N/OF",
                     help="Only this part of the tracks, and of the budget: 2/8 is the second of eight."),
        click.option("--only", multiple=True, metavar="GLOB", shell_complete=tracks_for_a_shell,
                     help="Only these tracks: * within a part of a name, ** across parts."),
    ):  # fmt: skip
        command = option(command)
    return with_manifests(with_folders(with_buying(with_store(with_json(command)))))


def with_track(command: F) -> F:
    """One track, and the manifest that it is of."""
    for option in (
        click.option("--manifest", type=MANIFEST, metavar="FILE", shell_complete=manifests_for_a_shell,
                     help="The manifest. [default: the one here or in manifests/ that has such a track]"),
        click.argument("track", metavar="TRACK", shell_complete=tracks_for_a_shell),
    ):  # fmt: skip
        command = option(command)
    return with_folders(command)
