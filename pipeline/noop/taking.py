"""A stamp is taken: of a plan that was made the long way and found nothing to do, if nothing has moved meanwhile.

Everything that `Workspace.plan` reads is in the stamp, or can't turn nothing to do into something to do. Of the latter
kind, and so not in it:

- an encoder or a place for an asset that is missing later: what stands is kept all the same. Where one is missing
  already, no stamp is taken: its coming back may free what it held back.
- a source that goes: an asset that stands needs none, and its group is then pinned to the gain that it has. A source
  that was gone and comes back may let its group be levelled anew, or a local run finish a real asset: so what is lost
  is in the stamp, as what must not be there.
- the clock: what a source is at the gateway for a while longer only counts where that source is gone, see above. What
  does hang on the clock says so by `Plan.good_until`.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pipeline
from pipeline.ledger.store import log_of
from pipeline.locks import HOLDER_NAME, LOCK_NAME
from pipeline.noop.hashes import Hashes, Sighting
from pipeline.noop.stamp import FOLDER, Seen, Stamp, is_young, listing, load, save, status_of
from pipeline.noop.standing import lines_of
from pipeline.output import INDEX_NAME
from pipeline.picks.lockfile import SUFFIX, lock_path, manifest_of
from pipeline.workspace import LEDGER_NAME, Workspace

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pipeline.workspace import Plan

_MOST_STAMPS: Final = 16
_ABANDONED_S: Final = 60.0


class Moved(Exception):
    """Something is not what it was when it was looked at: there is nothing to take a stamp of."""


class Witness:
    """Looks at what a plan is made of before it is made, vouches for files that have not changed, and takes its stamp.

    `key`: what the stamp stands for; None: none is taken, and none is looked into. `before`: an earlier witness of the
    same process, whose hashes are believed too.
    """

    def __init__(
        self, key: str | None, manifests: Sequence[Path], output: Path, state: Path, before: Witness | None = None
    ) -> None:
        self.taken_ns = time.time_ns()
        self._key = key
        self._output, self._state = os.path.abspath(output), os.path.abspath(state)
        self.manifests = [os.path.abspath(path) for path in manifests]
        self.last = None if key is None else load(self._state, key)
        self.hashes = Hashes(self._known(before))
        self._absent: list[str] = []
        if key is not None:
            self._look(self._inputs())

    def _known(self, before: Witness | None) -> dict[str, Sighting]:
        """What is known of files: to the last stamp, of these words or of others, and to an earlier witness."""
        folder = os.path.join(self._state, FOLDER)
        stamp = self.last
        if stamp is None and self._key is not None:
            others = (load(self._state, name) for name in _newest_first(folder))
            stamp = next((other for other in others if other is not None), None)
        known: dict[str, Sighting] = {}
        if stamp is not None and _is_folder(self._output, stamp.folders[0]):
            sure = stamp.sure
            paths = (path if path[0] == "/" else f"{self._output}/{path}" for path in sure.paths)
            known = dict(zip(paths, map(Sighting, sure.stats, sure.hashes), strict=True))
        if before is not None:
            known |= {path: one for path, one in before.hashes.seen.items() if not _is_young(one, before.taken_ns)}
        return known

    def saw_the_same(self, earlier: Witness) -> bool:
        """Are the manifests what they were to an earlier witness?"""
        mine, others = self.hashes.seen, earlier.hashes.seen
        return all(
            path in mine and path in others and mine[path].sha256 == others[path].sha256 for path in self.manifests
        )

    def stamp(self, plan: Plan, texts: Sequence[str], beside: Iterable[Path] = ()) -> bool:
        """Take the stamp of `plan`. False where there is nothing to take, or it can't be kept; that is no fault.

        `texts`: what is printed for it (see Stamp). `beside`: files of a build system that have to stand as they are.
        """
        if self._key is None or not _is_settled(plan) or not os.path.isdir(self._state):
            return False
        try:
            self._look([*_program(), *map(os.path.abspath, beside), *self._unproven(plan)])
            self._check_standing()
            save(self._taken(self._key, plan, texts), self._state)
        except (Moved, OSError, ValueError):
            return False
        _tidy(os.path.join(self._state, FOLDER))
        return True

    def _inputs(self) -> Iterator[str]:
        """The files that a plan is made from, but for assets and recordings: those are looked at as they are read."""
        yield from self.manifests
        yield from map(_lock_of, self.manifests)
        yield os.path.join(self._output, INDEX_NAME)
        yield os.path.join(self._state, LEDGER_NAME)

    def _unproven(self, plan: Plan) -> Iterator[str]:
        """Files that only count by being there: orphans, which may be a renamed track's, and what a lock may prove."""
        facts = plan.facts
        if facts is None:
            return
        tracks = [track for part in plan.manifests for track in part.tracks]
        claimed = {(track.track.manifest, path) for track in tracks for path in track.track.asset_paths}
        orphans = [at for at in facts.rows if at[0] in plan.request.names and at not in claimed]
        for _, path in (*orphans, *(claimed - facts.intact)):
            yield os.path.join(self._output, path)

    def _locks_beside(self) -> Iterator[tuple[str, list[str]]]:
        """Where a manifest has no lock: the locks in its folder, and their manifests.

        One that lost its manifest may be this one's, whose file was renamed. Raises Moved where there is such a one.
        """
        for manifest in self.manifests:
            lock = _lock_of(manifest)
            if lock in self._absent:
                line = listing(os.path.dirname(lock), SUFFIX)
                folder, _, *names = line.split("\t")
                beside = [manifest_of(Path(folder, name)) for name in names]
                if None in beside:
                    raise Moved(lock)
                yield line, list(map(str, beside))

    def _look(self, paths: Iterable[str]) -> None:
        for path in paths:
            try:
                self.hashes.sha256(path)
            except (FileNotFoundError, NotADirectoryError):
                self._absent.append(path)
            except OSError:
                self._key = None  # whatever it is, it is not plain

    def _check_standing(self) -> None:
        """Is everything still what it was before the plan was made? Raises Moved."""
        for path, seen in self.hashes.seen.items():
            if int(seen.status.split(" ")[2]) > self.taken_ns:
                raise Moved(path)
        again = Hashes()
        for path in self._inputs():
            if path in self._absent:
                if os.path.lexists(path):
                    raise Moved(path)
            elif self.hashes.seen[path].status != status_of(os.stat(path)) or (
                _is_young(self.hashes.seen[path], self.taken_ns) and again.sha256(path) != self.hashes.seen[path].sha256
            ):
                raise Moved(path)

    def _taken(self, key: str, plan: Plan, texts: Sequence[str]) -> Stamp:
        from pipeline.reporting import report_paths  # noqa: PLC0415 - only where a stamp is taken

        workspace = Workspace(Path(self._output), Path(self._state))
        sure, young = Seen([], [], []), Seen([], [], [])
        assets = f"{self._output}/"
        for path, seen in self.hashes.seen.items():
            known = young if is_young(seen.status, self.taken_ns) else sure
            known.add(path.removeprefix(assets), seen.status, seen.sha256)
        locks = list(self._locks_beside())
        lost = [] if plan.facts is None else [str(workspace.sources.path(*source)) for source in plan.facts.lost]
        held = [os.path.join(folder, HOLDER_NAME) for folder in (self._state, self._output)]
        return Stamp(
            key=key,
            taken_ns=self.taken_ns,
            until_ns=0 if plan.good_until is None else int(plan.good_until * 1e9),
            needs_key=plan.request.kind == "real",
            folders=[str(os.stat(folder).st_ino) for folder in (self._output, self._state)],
            absent=[*self._absent, *lost, *held, str(log_of(workspace.ledger_path))],
            present=[*map(str, report_paths(workspace)), *(path for _, paths in locks for path in paths)],
            listed=[line for line, _ in locks],
            writable=[os.path.join(folder, LOCK_NAME) for folder in (self._state, self._output)],
            sure=sure,
            young=young,
            texts=texts,
            standing="\n".join(lines_of(plan)),
        )


def _lock_of(manifest: str) -> str:
    return str(lock_path(Path(manifest)))


def _is_settled(plan: Plan) -> bool:
    """Is there nothing to do, for no reason that may go away?"""
    request = plan.request
    asks_otherwise = request.regenerate or request.new_run or request.steps or request.free or request.choices
    return plan.nothing_to_do and not asks_otherwise and plan.facts is not None and not plan.facts.obstacles


def _is_folder(path: str, inode: str) -> bool:
    """Is it the folder that a stamp is about?"""
    try:
        return str(os.stat(path).st_ino) == inode
    except OSError:
        return False


def _is_young(seen: Sighting, taken_ns: int) -> bool:
    return is_young(seen.status, taken_ns)


def _program() -> Iterator[str]:
    """This program's own files: a newer one may plan otherwise, also where it has the same version."""
    for folder, _, names in os.walk(os.path.dirname(pipeline.__file__)):
        yield from (os.path.join(folder, name) for name in names if name.endswith(".py"))


def _newest_first(folder: str) -> list[str]:
    with suppress(OSError), os.scandir(folder) as entries:
        aged = [(entry.stat(follow_symlinks=False).st_mtime, entry.name) for entry in entries]
        return [name for _, name in sorted(aged, reverse=True)]
    return []


def _tidy(folder: str) -> None:
    """Remove the oldest stamps beyond a few, and what a killed start left half written."""
    names = _newest_first(folder)
    old = [name for name in names if not name.startswith(".")][_MOST_STAMPS:]
    for name in names:
        path = os.path.join(folder, name)
        with suppress(OSError):
            if name in old or (name.startswith(".") and os.lstat(path).st_mtime < time.time() - _ABANDONED_S):
                os.unlink(path)
