"""Every failure that a person can act on ends the process with one sentence and the documented exit status."""

from __future__ import annotations

import signal
import sys
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli.terminal import DOCUMENT_BEGUN, in_actions, out_document, say
from pipeline.files import FolderError, trouble
from pipeline.report.document import ended_early
from pipeline.runner.results import EXIT_FOLDER, EXIT_KEY, EXIT_TRACKS, EXIT_USAGE

if TYPE_CHECKING:
    from collections.abc import Iterator


class Terminated(BaseException):
    """SIGTERM, while nothing else listens for it."""


def hear_sigterm() -> None:
    """Let SIGTERM raise Terminated from now on: an event loop that has ended leaves it to the system."""
    signal.signal(signal.SIGTERM, _terminate)


def _terminate(*_: object) -> None:
    raise Terminated


@dataclass(frozen=True, slots=True)
class Ending:
    """How a command ended that did not come to its own end: what is said, and what scripts are told."""

    status: int
    sentence: str
    told: str

    @property
    def document(self) -> dict[str, Any]:
        return ended_early(self.status, self.sentence)

    def tell(self, error: BaseException) -> None:
        """Say why, also as the document that `--json` promises, and beside a manifest's lines on GitHub."""
        say(self.told)
        if in_actions():
            from pipeline.cli.github import annotate_failure  # noqa: PLC0415 - only there

            annotate_failure(error, self.sentence)
        if "--json" in sys.argv and not DOCUMENT_BEGUN.is_set():
            with suppress(OSError):  # as on a full disk: the exit status says it all the same
                out_document(self.document)


@contextmanager
def exit_with_a_sentence() -> Iterator[None]:
    """Say what went wrong on standard error, and exit as the command line promises."""
    DOCUMENT_BEGUN.clear()
    try:
        hear_sigterm()
        yield
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except BaseException as error:
        ending = ending_of(error)
        if ending is None:
            raise
        ending.tell(error)
        sys.exit(ending.status)


def ending_of(error: BaseException) -> Ending | None:
    """What `error` ends a command with; None for a defect of this program, and for what is no error."""
    match error:
        case Terminated():
            return _ending(128 + signal.SIGTERM, "terminated")
        case click.Abort() | KeyboardInterrupt():
            return _ending(128 + signal.SIGINT, "interrupted")
        case click.exceptions.NoArgsIsHelpError():
            return Ending(EXIT_USAGE, "no command was given", error.format_message())  # its help, which has the usage
        case click.ClickException():
            return Ending(EXIT_USAGE, error.format_message(), _usage(error))
    cause = _known_cause(error)
    if cause is None:
        return None
    status, sentence = cause
    # Mistakes begin with file:line:column, which editors and build logs look for: nothing is put before them.
    return Ending(status, sentence, sentence) if status == EXIT_USAGE else _ending(status, sentence)


def _ending(status: int, sentence: str) -> Ending:
    return Ending(status, sentence, f"pipeline: {sentence}")


def _usage(error: click.ClickException) -> str:
    context = error.ctx if isinstance(error, click.UsageError) else None
    usage = "" if context is None else f"{context.get_usage()}\n"
    return f"{usage}pipeline: {error.format_message()}"


def _known_cause(error: BaseException) -> tuple[int, str] | None:
    """The exit status and the sentence of what went wrong, also where a task group has wrapped it."""
    if isinstance(error, BaseExceptionGroup):
        causes = [cause for cause in map(_known_cause, error.exceptions) if cause is not None]
        return causes[0] if len(causes) == len(error.exceptions) else None
    status = exit_status_of(error) if isinstance(error, Exception) else None
    return None if status is None else (status, _sentence(error))


def _sentence(error: BaseException) -> str:
    if isinstance(error, OSError) and error.filename is not None:
        return trouble(error)
    return str(error)


def exit_status_of(error: Exception) -> int | None:
    """The exit status of an error that a person can act on; None for a defect of this program."""
    from pipeline.build_systems import Unwritable  # noqa: PLC0415 - only where something failed
    from pipeline.choosing import CantBeChosen, NoSuchTake  # noqa: PLC0415
    from pipeline.farm.addresses import FarmMistake, NoFarm  # noqa: PLC0415
    from pipeline.gateway.errors import GatewayError, KeyRefused  # noqa: PLC0415
    from pipeline.gateway_choice import NoGateway  # noqa: PLC0415
    from pipeline.ledger.store import LedgerError  # noqa: PLC0415
    from pipeline.local_gateway.faults.fields import FaultMistake  # noqa: PLC0415
    from pipeline.locks import FolderBusy  # noqa: PLC0415
    from pipeline.manifest import ManifestMistakes  # noqa: PLC0415
    from pipeline.picks.document import LockMistake  # noqa: PLC0415
    from pipeline.plan_request import NothingMatches  # noqa: PLC0415
    from pipeline.store_choice import NoStore, StoreMistake  # noqa: PLC0415
    from pipeline.webhooks.addresses import NoWebhooks  # noqa: PLC0415

    match error:
        case NoGateway(key=True) | KeyRefused():
            return EXIT_KEY
        case ManifestMistakes() | LockMistake() | NothingMatches() | NoSuchTake() | FaultMistake():
            return EXIT_USAGE
        case NoGateway() | NoWebhooks() | Unwritable() | StoreMistake() | FarmMistake():
            return EXIT_USAGE
        case GatewayError() | CantBeChosen():
            return EXIT_TRACKS
        case FolderBusy() | FolderError() | LedgerError() | NoStore() | NoFarm() | OSError():
            return EXIT_FOLDER
        case _:
            return None
