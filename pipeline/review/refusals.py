"""What is answered where something can't be done: a status, and one sentence that says why."""

from __future__ import annotations

from typing import Any

from pipeline.choosing import CantBeChosen, NoSuchTake
from pipeline.files import FolderError, trouble
from pipeline.gateway_choice import NoGateway
from pipeline.ledger.store import LedgerError
from pipeline.locks import FolderBusy
from pipeline.manifest import ManifestMistakes
from pipeline.marking import NoNote
from pipeline.picks.document import LockMistake

#: What a person can do something about, as on the command line.
_SENTENCES = (CantBeChosen, NoSuchTake, NoNote, FolderError, LedgerError, LockMistake, ManifestMistakes)


class Refusal(Exception):
    """A request that is not answered as it was meant. Its text is one sentence."""

    status = 409

    def __init__(self, sentence: str, /, **more: Any) -> None:
        super().__init__(sentence)
        self.more = more


class BadRequest(Refusal):
    """It does not say what it should."""

    status = 400


class Forbidden(Refusal):
    """It comes from somewhere else than the page."""

    status = 403


class NotThere(Refusal):
    """There is no such thing, or none that is shown."""

    status = 404


class TooMuch(Refusal):
    """It says more than anybody has to say."""

    status = 413


class NoJson(Refusal):
    """It says it in another form than JSON."""

    status = 415


def sentence_of(error: Exception) -> str | None:
    """Why something could not be done, where a person can act on it; None for a defect of this program."""
    if isinstance(error, FolderBusy):
        return "something else is working in these folders, a run or another review: try again when it has ended"
    if isinstance(error, (*_SENTENCES, NoGateway)):
        return str(error)
    if isinstance(error, ExceptionGroup):  # a task group's
        found = [sentence_of(one) for one in error.exceptions]
        return "; ".join(dict.fromkeys(map(str, found))) if all(found) else None
    if isinstance(error, OSError):
        return trouble(error) if error.filename is not None else str(error)
    return None


def refusal_for(error: Exception) -> Refusal | None:
    """What `error` is answered with; None for a defect of this program."""
    if isinstance(error, Refusal):
        return error
    sentence = sentence_of(error)
    return None if sentence is None else Refusal(sentence)
