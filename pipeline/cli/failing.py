"""Every failure that a person can act on ends the process with one sentence and the documented exit status."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from pipeline.report.text import harmless
from pipeline.runner.results import EXIT_FOLDER, EXIT_KEY, EXIT_USAGE

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def exit_with_a_sentence() -> Iterator[None]:
    """Say what went wrong on standard error, and exit as the command line promises."""
    try:
        yield
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(EXIT_USAGE)
    except (click.Abort, KeyboardInterrupt):
        _say("interrupted")
        sys.exit(128 + signal.SIGINT)
    except BrokenPipeError:
        # Whoever read the output has gone (`| head`): nothing is wrong, and nobody is there to be told.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception as error:
        status = exit_status_of(error)
        if status is None:
            raise
        _say(str(error))
        sys.exit(status)


def exit_status_of(error: Exception) -> int | None:
    """The exit status of an error that a person can act on; None for a defect of this program."""
    from pipeline.files import FolderError  # noqa: PLC0415 - only where something failed
    from pipeline.gateway_choice import NoGateway  # noqa: PLC0415
    from pipeline.ledger.store import LedgerError  # noqa: PLC0415
    from pipeline.locks import FolderBusy  # noqa: PLC0415
    from pipeline.manifest import ManifestMistakes  # noqa: PLC0415
    from pipeline.workspace import NothingMatches  # noqa: PLC0415

    match error:
        case ManifestMistakes() | NothingMatches():
            return EXIT_USAGE
        case NoGateway():
            return EXIT_KEY if error.key else EXIT_USAGE
        case FolderBusy() | FolderError() | LedgerError():
            return EXIT_FOLDER
        case OSError():
            return EXIT_FOLDER
        case _:
            return None


def _say(sentence: str) -> None:
    click.echo(f"pipeline: {printable(sentence)}", err=True)


def printable(text: str) -> str:
    """`text` without control characters, which come from outside and must not reach a terminal; lines are kept."""
    return "".join(char if char == "\n" else harmless(char) for char in text)
