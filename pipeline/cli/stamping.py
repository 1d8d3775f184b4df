"""What `run` and `plan` leave for the next of their kind: a stamp, where there was nothing left to do."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from pipeline.cli.at_once import stamp_key
from pipeline.cli.terminal import printable
from pipeline.noop.taking import Witness
from pipeline.noop.words import read
from pipeline.report.plan_text import plan_lines, summary_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from pipeline.workspace import Plan


def witness_of(manifests: Sequence[Path], output: Path, state: Path, before: Witness | None = None) -> Witness:
    """Whoever sees what this process's plan is made from. To be called before anything of it is read."""
    asked = read(sys.argv[1:])
    key = None if asked is None else stamp_key(asked, os.environ)
    return Witness(key, manifests, output, state, before)


def stamp_of(plan: Plan, witness: Witness, beside: Iterable[Path] = ()) -> None:
    """Leave a stamp of `plan` if it found nothing to do."""
    if plan.nothing_to_do:
        witness.stamp(plan, _texts(plan), beside)


def _texts(plan: Plan) -> tuple[str, str, str]:
    """What is printed where there is nothing to do: the plan, the plan in colour, and the end of a run."""
    from pipeline.entry import unchanged  # noqa: PLC0415 - brings the runner, which few plans need

    plain, coloured = (plan_lines(plan.manifests, plan.request.kind, colour=colour) for colour in (False, True))
    return _text(plain), _text(coloured), _text(printable(line) for line in summary_lines(unchanged(plan)))


def _text(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
