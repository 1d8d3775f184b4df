"""`run --on-finish CMD`: somebody is told how a run ended, whichever way it did.

CMD gets the `--json` document on its standard input, and the environment without the key and without the webhooks'
secret. It is started without a shell, when the folders are free again, and has all the time that it wants. What becomes
of it changes nothing about the run's exit status, which says what became of the assets and of the money.
"""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, NoReturn

import click

from pipeline.cli.failing import Terminated, hear_sigterm
from pipeline.cli.terminal import say
from pipeline.files import reason

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_SECRETS: Final = frozenset({"AIGATEWAY_API_KEY", "AIGATEWAY_WEBHOOK_SECRET"})
_STANDARD_ERROR: Final = 2
_ENDS_WITHIN_S: Final = 2.0  # of being told to


def command_of(text: str | None) -> list[str]:
    """The words of CMD, as a shell would take them apart; none where there is none. Raises UsageError."""
    if text is None:
        return []
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise click.UsageError(f"--on-finish {text!r}: {str(error).lower()}; expected a command") from error
    if not words or not words[0]:
        raise click.UsageError(f"--on-finish {text!r}: expected a command")
    return words


def tell_on_finish(command: Sequence[str], document: Mapping[str, Any]) -> None:
    """Run `command` to its end. A signal meanwhile ends both."""
    try:
        hear_sigterm()
        status = _run(command, json.dumps(document, indent=1).encode() + b"\n")
    except (OSError, ValueError) as error:
        why = reason(error) if isinstance(error, OSError) else str(error)
        _complain(command, f"can't be started ({why})")
    except KeyboardInterrupt:
        _give_up(command, signal.SIGINT, "interrupted")
    except Terminated:
        _give_up(command, signal.SIGTERM, "terminated")
    else:
        if status < 0:
            _complain(command, f"ended by signal {-status}")
        elif status:
            _complain(command, f"ended with exit status {status}")


def _run(command: Sequence[str], given: bytes) -> int:
    environment = {name: value for name, value in os.environ.items() if name not in _SECRETS}
    # Its output would stand in the middle of what a script reads from ours.
    process = subprocess.Popen(  # noqa: S603 - what the user said, word by word, and no shell
        list(command), stdin=subprocess.PIPE, stdout=_STANDARD_ERROR, env=environment
    )
    try:
        process.communicate(given)
    except BaseException:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(_ENDS_WITHIN_S)
        process.kill()
        process.wait()
        raise
    return process.returncode


def _complain(command: Sequence[str], what: str) -> None:
    say(f"--on-finish {command[0]}: {what}; the run's own exit status stands")


def _give_up(command: Sequence[str], number: int, word: str) -> NoReturn:
    say(f"--on-finish {command[0]}: {word}; the run had ended before")
    sys.exit(128 + number)
