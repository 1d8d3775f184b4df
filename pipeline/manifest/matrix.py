"""A matrix and the combinations it stands for, by the rules of GitHub Actions."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from math import prod
from typing import TYPE_CHECKING, Final

from pipeline.manifest.mistakes import Fault, nearest, quoted
from pipeline.manifest.placeholders import is_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipeline.manifest.mistakes import KeyPath

MOST_TRACKS_OF_ONE_ENTRY: Final = 10_000
MOST_RULES: Final = 1_000

Combination = dict[str, str]


@dataclass(frozen=True, slots=True)
class Matrix:
    """Lists of values by key, and what to add to and leave out of their combinations."""

    axes: Mapping[str, tuple[str, ...]]
    include: tuple[Mapping[str, str], ...] = ()
    exclude: tuple[Mapping[str, str], ...] = ()

    @property
    def most_combinations(self) -> int:
        """How many there can be, known before any is made."""
        return (prod(len(values) for values in self.axes.values()) if self.axes else 0) + len(self.include)


def combinations(matrix: Matrix) -> list[Combination]:
    """Every combination of the axes but the excluded ones, with what is included.

    An include is added to each of the *original* combinations whose values it does not change; where there is none,
    it is a combination of its own. What an earlier include added may be overwritten, what the axes gave may not.
    """
    originals = [dict(zip(matrix.axes, values, strict=True)) for values in product(*matrix.axes.values())]
    kept = [one for one in originals if one and not any(rule.items() <= one.items() for rule in matrix.exclude)]
    extended = [dict(one) for one in kept]
    added: list[Combination] = []
    for rule in matrix.include:
        fixed = {key: value for key, value in rule.items() if key in matrix.axes}
        fitting = [place for place, one in enumerate(kept) if fixed.items() <= one.items()]
        for place in fitting:
            extended[place].update(rule)
        if not fitting:
            added.append(dict(rule))
    return extended + added


def matrix_faults(matrix: Matrix, at: KeyPath) -> list[Fault]:
    """What keeps `matrix`, which stands at `at`, from being expanded."""
    faults = [*_key_faults(matrix, at), *_axis_faults(matrix, at)]
    for place, rule in enumerate(matrix.exclude):
        faults += _exclude_faults(matrix, rule, (*at, "exclude", place))
    return faults or list(_size_faults(matrix, at))


def _size_faults(matrix: Matrix, at: KeyPath) -> Iterator[Fault]:
    if matrix.most_combinations > MOST_TRACKS_OF_ONE_ENTRY:
        what = f"stands for {matrix.most_combinations:,} tracks, expected at most {MOST_TRACKS_OF_ONE_ENTRY:,}"
        yield Fault(at, what)
    elif len(matrix.exclude) > MOST_RULES or (matrix.axes and len(matrix.include) > MOST_RULES):
        yield Fault(at, f"has more than {MOST_RULES:,} rules, expected fewer")
    elif not combinations(matrix):
        yield Fault(at, "leaves no combination, expected at least one, such as boss: [dragon, lich]")


def _key_faults(matrix: Matrix, at: KeyPath) -> Iterator[Fault]:
    keys = [((*at, key), key) for key in matrix.axes]
    for place, rule in enumerate(matrix.include):
        keys += [((*at, "include", place, key), key) for key in rule]
    for path, key in keys:
        if not is_key(key):
            what = f"{quoted(key)} can't be a placeholder, expected letters, digits, _ and -, beginning with a letter"
            yield Fault(path, what, at_key=True)


def _axis_faults(matrix: Matrix, at: KeyPath) -> Iterator[Fault]:
    for key, values in matrix.axes.items():
        if not values:
            yield Fault((*at, key), "is empty, expected at least one value")
        seen: set[str] = set()
        for place, value in enumerate(values):
            if value in seen:
                yield Fault((*at, key, place), f"{quoted(value)} stands there twice, expected each value once")
            seen.add(value)


def _exclude_faults(matrix: Matrix, rule: Mapping[str, str], at: KeyPath) -> Iterator[Fault]:
    """An exclude that can't fit leaves in what somebody meant to leave out, and it is paid for."""
    if not rule:
        yield Fault(at, "is empty and would exclude everything, expected keys and values")
    for key, value in rule.items():
        if key not in matrix.axes:
            yield Fault((*at, key), f"the matrix has no such key; {nearest(key, matrix.axes)}", at_key=True)
        elif value not in matrix.axes[key]:
            yield Fault((*at, key), f"no value of {key} is {quoted(value)}; {nearest(value, matrix.axes[key])}")
