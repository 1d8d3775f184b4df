"""`pipeline history` as people read it: every generation of a track, and which was its pick when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.money import Basis, dollars
from pipeline.report.terminal import column_width, paragraph
from pipeline.report.text import counted, one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipeline.history import Generation, History
    from pipeline.picks.values import Pick

_WIDTH: Final = 100
_NOTHING: Final = "-"
_HEAD: Final = ("take", "came (UTC)", "cost", "length", "source")
_RIGHT: Final = frozenset({"cost", "length"})
_BY: Final = {"run": "the first that its gates let through", "pick": "chosen", "rollback": "gone back to"}
_LONGEST_PROMPT: Final = 60


def history_lines(history: History) -> list[str]:
    """A line for each generation, `*` before the pick, below it what its gates and people found; then the picks."""
    pick = history.pick
    what = "placeholder" if history.kind == "local" else "take"
    said = f"take {pick} is the pick" if pick is not None else "nothing is the pick"
    heading = f"{history.track.name} of {history.manifest.name}: {counted(len(history.current), what)}, {said}"
    lines = paragraph(heading, width=_WIDTH)
    if history.generations:
        lines += ["", *_table(history.generations)]
    if history.picks:
        lines += ["", "picks", *(_pick(number, one, history) for number, one in enumerate(history.picks, 1))]
    if history.beside:
        lines += ["", "to be heard beside the pick", *(f"  {one_line(str(path))}" for path in history.beside)]
    return lines


def _table(generations: Sequence[Generation]) -> Iterator[str]:
    rows = [_figures(one) for one in generations]
    widths = [column_width(column) for column in zip(_HEAD, *rows, strict=True)]
    yield _laid_out(" ", _HEAD, widths)
    asked = next((one.fingerprint for one in generations if one.is_current), None)
    for one, row in zip(generations, rows, strict=True):
        if one.fingerprint != asked:
            asked = one.fingerprint
            yield from paragraph(f"asked for before: {_prompt(one)}", width=_WIDTH, first_indent="  ")
        yield _laid_out("*" if one.is_pick else " ", row, widths) + ("  starred" if one.starred else "")
        for word, text in (("not fit", one.unfit), ("note", one.note)):
            if text:
                yield from paragraph(f"{word}: {text}", width=_WIDTH, indent=" " * 8, first_indent=" " * 6)


def _laid_out(sign: str, row: Sequence[str], widths: Sequence[int]) -> str:
    cells = (
        f"{word:>{width}}" if head in _RIGHT else f"{word:<{width}}"
        for head, word, width in zip(_HEAD, row, widths, strict=True)
    )
    return f"{sign} {'  '.join(cells)}".rstrip()


def _figures(one: Generation) -> tuple[str, ...]:
    return (
        str(one.version),
        _NOTHING if one.date is None else _minute(one.date),
        _cost(one),
        _NOTHING if one.seconds is None else f"{round(one.seconds, 1):g} s",
        "kept" if one.kept else "gone" if one.date is not None else one.status,
    )


def _cost(one: Generation) -> str:
    if one.placeholder:
        return "free"
    if one.cost_microusd is None:
        return _NOTHING
    told = "" if one.cost_basis in (None, Basis.USAGE) else f" ({one_line(str(one.cost_basis))})"
    return f"{dollars(one.cost_microusd)}{told}"


def _prompt(one: Generation) -> str:
    prompt = one_line(one.prompt or "another prompt")
    return prompt if len(prompt) <= _LONGEST_PROMPT else f"{prompt[:_LONGEST_PROMPT]}..."


def _pick(number: int, pick: Pick, history: History) -> str:
    other = "" if pick.fingerprint == history.fingerprint else ", of what was asked for before"
    when = _minute(pick.at) if pick.at else "at some time"
    return f"  {number:>2}  {when}  take {pick.version}, {_BY[pick.by]}{other}"


def _minute(date: str) -> str:
    return one_line(date[:16].replace("T", " "))
