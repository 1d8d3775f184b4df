"""Every failure that a person can act on ends the process with one sentence and the documented exit status."""

from __future__ import annotations

import json
import signal
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from pipeline.cli.terminal import out, say
from pipeline.files import FolderError, trouble
from pipeline.report.document import ended_early
from pipeline.runner.results import EXIT_FOLDER, EXIT_KEY, EXIT_TRACKS, EXIT_USAGE

if TYPE_CHECKING:
    from collections.abc import Iterator


class Terminated(BaseException):
    """SIGTERM, while nothing else listens for it."""


def _terminate(*_: object) -> None:
    raise Terminated


@contextmanager
def exit_with_a_sentence() -> Iterator[None]:
    """Say what went wrong on standard error, and exit as the command line promises."""
    try:
        signal.signal(signal.SIGTERM, _terminate)
        yield
    except Terminated:
        _end(128 + signal.SIGTERM, "terminated")
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.ClickException as error:
        _end(EXIT_USAGE, error.format_message(), told=_usage(error))
    except (click.Abort, KeyboardInterrupt):
        _end(128 + signal.SIGINT, "interrupted")
    except Exception as error:
        cause = _known_cause(error)
        if cause is None:
            raise
        status, sentence = cause
        # Mistakes begin with file:line:column, which editors and build logs look for: nothing is put before them.
        _end(status, sentence, told=sentence if status == EXIT_USAGE else f"pipeline: {sentence}")


def _usage(error: click.ClickException) -> str:
    context = error.ctx if isinstance(error, click.UsageError) else None
    usage = "" if context is None else f"{context.get_usage()}\n"
    return f"{usage}pipeline: {error.format_message()}"


def _end(status: int, sentence: str, told: str | None = None) -> None:
    """Say why, also as the document that `--json` promises, and end the process."""
    say(told or f"pipeline: {sentence}")
    if "--json" in sys.argv:
        out(json.dumps(ended_early(status, sentence), indent=1, ensure_ascii=False))
    sys.exit(status)


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
    from pipeline.choosing import CantBeChosen, NoSuchTake  # noqa: PLC0415 - only where something failed
    from pipeline.gateway.errors import GatewayError, KeyRefused  # noqa: PLC0415
    from pipeline.gateway_choice import NoGateway  # noqa: PLC0415
    from pipeline.ledger.store import LedgerError  # noqa: PLC0415
    from pipeline.local_gateway.faults.fields import FaultMistake  # noqa: PLC0415
    from pipeline.locks import FolderBusy  # noqa: PLC0415
    from pipeline.manifest import ManifestMistakes  # noqa: PLC0415
    from pipeline.picks.document import LockMistake  # noqa: PLC0415
    from pipeline.workspace import NothingMatches  # noqa: PLC0415

    match error:
        case NoGateway(key=True) | KeyRefused():
            return EXIT_KEY
        case ManifestMistakes() | LockMistake() | NothingMatches() | NoSuchTake() | FaultMistake() | NoGateway():
            return EXIT_USAGE
        case GatewayError() | CantBeChosen():
            return EXIT_TRACKS
        case FolderBusy() | FolderError() | LedgerError() | OSError():
            return EXIT_FOLDER
        case _:
            return None
