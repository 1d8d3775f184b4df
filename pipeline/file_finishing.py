"""Any audio files, finished as a track's source is: no gateway, no manifest, no ledger.

What they become is decided before the first is touched; each then succeeds or fails by itself.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.audio.tasks import FinishTask, Target, joint_warnings
from pipeline.audio.tasks import Warning as AssetWarning
from pipeline.file_measuring import FAILS_ALONE, why
from pipeline.files import FolderError, identity, plain_size, reason, remedy
from pipeline.fingerprints import serial_seed
from pipeline.manifest.names import folded, names_of
from pipeline.report.text import harmless

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from pipeline.audio.tasks import Examination, FinishedFile, GatingBlocks
    from pipeline.files import FileIdentity, Folder
    from pipeline.manifest.tracks import Track
    from pipeline.workers import WorkerFinisher


class NoPlace(Exception):
    """Results that can't be told apart, or would replace what they are made of. One line for each."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How files are finished: as `track`'s source is.

    `title`: what their tags say; None: each file's own name. `together`: they get one gain, from their joint loudness,
    and so keep their differences; what can't be finished is left out.
    """

    track: Track
    title: str | None = None
    together: bool = False


@dataclass(frozen=True, slots=True)
class Order:
    """A file to finish, and the name of its results below the folder, with `/`, without suffix and extension."""

    source: Path
    name: str


@dataclass(frozen=True, slots=True)
class FileResult:
    """What became of one file. The assets' paths are those below the folder. Without assets and error: nothing yet."""

    source: Path
    before: Examination | None = None
    assets: tuple[FinishedFile, ...] = ()
    error: str | None = None


# --- what becomes what ----------------------------------------------------------------------------------------------


def orders_for(sources: Iterable[Path], track: Track, folder: Folder, *, keep_folders: bool) -> tuple[Order, ...]:
    """What each file becomes: its name, behind its folder where `keep_folders`. A file given twice is one.

    Raises NoPlace, naming every result that two files would become, or that would replace one of the files.
    """
    orders = tuple(Order(source, _name(source, keep_folders=keep_folders)) for source in dict.fromkeys(sources))
    given = {one: order.source for order in orders for one in _identity(order.source)}
    claims: dict[str, Order] = {}
    faults = []
    for order in orders:
        for path in replace(track, name=order.name).asset_paths:
            first = claims.setdefault(folded(path), order)
            replaced = next((given[one] for one in _identity(folder.path(path)) if one in given), None)
            if first is not order:
                what = f"{first.source} and {order.source} would both become {folder.path(path)}"
                faults.append(f"{what}: finish them into different folders, or use --keep-folders")
            elif replaced is not None:
                what = f"{order.source} would become {folder.path(path)}, and replace {replaced}"
                faults.append(f"{what}: name another --output")
    if faults:
        raise NoPlace("\n".join(faults))
    return orders


def _name(source: Path, *, keep_folders: bool) -> str:
    if not keep_folders:
        return source.stem
    relative = os.path.relpath(source.parent)
    if relative.split(os.sep, 1)[0] == os.pardir:
        raise NoPlace(f"{source} is not below the working folder, and --keep-folders keeps folders from there on")
    return (Path(relative) / source.stem).as_posix()


def _identity(path: Path) -> tuple[FileIdentity, ...]:
    """What stands at `path`, if anything does."""
    try:
        return (identity(path),)
    except OSError:
        return ()


# --- finishing ------------------------------------------------------------------------------------------------------


async def finish_all(
    orders: Sequence[Order],
    recipe: Recipe,
    folder: Folder,
    workers: WorkerFinisher,
    observe: Callable[[FileResult], None],
) -> None:
    """Finish every file into `folder` and tell each result to `observe`.

    Raises a group of FolderErrors where the folder can't be written; what was finished before then stands.
    """
    with _workplace(folder) as work:
        finisher = _Finisher(recipe, folder, work, workers)
        await workers.warm_up()
        level = await _joint_level(finisher, orders, observe) if recipe.together else Level()

        async def finish(numbered: tuple[int, Order]) -> None:
            if numbered[1] not in level.without:
                observe(await finisher.finish(*numbered, level))

        await workers.each(enumerate(orders), finish)


@dataclass(frozen=True, slots=True)
class Level:
    """The gain of files that are levelled together, and which of them bring nothing to it, since they failed.

    `how`: what to say of where it comes from.
    """

    gain_db: float | None = None
    without: tuple[Order, ...] = ()
    how: tuple[AssetWarning, ...] = ()

    @property
    def warnings(self) -> tuple[AssetWarning, ...]:
        names = names_of([order.source.name for order in self.without])
        return (*((AssetWarning("group_incomplete", f"levelled without {names}"),) if names else ()), *self.how)


async def _joint_level(finisher: _Finisher, orders: Sequence[Order], observe: Callable[[FileResult], None]) -> Level:
    """What all files come to that can be finished. The others are told to `observe` here."""
    brought: dict[int, GatingBlocks] = {}
    without: list[Order] = []

    async def hear(numbered: tuple[int, Order]) -> None:
        number, order = numbered
        try:
            brought[number] = await finisher.gating_blocks(number, order)
        except FAILS_ALONE as error:
            without.append(order)
            observe(FileResult(order.source, error=why(error)))

    await finisher.workers.each(enumerate(orders), hear)
    target = finisher.recipe.track.finishing.loudness.target_lufs
    if not brought or target is None:
        return Level(without=tuple(without))
    blocks = [brought[number] for number in sorted(brought)]
    gain_db = await finisher.workers.common_gain_db(blocks, target)
    return Level(gain_db, tuple(sorted(without, key=orders.index)), joint_warnings(blocks))


@contextmanager
def _workplace(folder: Folder) -> Iterator[Path]:
    """A hidden folder beside the results, so that a whole file gets its place by a mere renaming; gone afterwards."""
    folder.make()
    with _as_folder_trouble(folder):
        place = tempfile.TemporaryDirectory(prefix=".unfinished-", dir=folder.root, ignore_cleanup_errors=True)
    with place as work:
        yield Path(work).absolute()


@dataclass(frozen=True, slots=True)
class _Finisher:
    recipe: Recipe
    folder: Folder
    work: Path
    workers: WorkerFinisher

    async def gating_blocks(self, number: int, order: Order) -> GatingBlocks:
        """What one file brings to the joint loudness of all. Raises what FAILS_ALONE names."""
        plain_size(order.source)
        return await self.workers.gating_blocks(self._task(number, order))

    async def finish(self, number: int, order: Order, level: Level) -> FileResult:
        """Finish one file. Raises FolderError."""
        source, before = str(order.source.absolute()), None
        try:
            plain_size(order.source)
            before = await self.workers.examine(source)
            task = self._task(number, order, await self.workers.sha256(source), level.gain_db)
            assets = await self._made(order, task)
        except FAILS_ALONE as error:
            return FileResult(order.source, before, error=why(error))
        assets = tuple(replace(asset, warnings=(*asset.warnings, *level.warnings)) for asset in assets)
        return FileResult(order.source, before, assets)

    def _task(self, number: int, order: Order, sha256: str = "", gain_db: float | None = None) -> FinishTask:
        track = self.recipe.track
        title = self.recipe.title or "".join(map(harmless, order.source.stem))
        return FinishTask(
            source=str(order.source.absolute()),
            finishing=track.finishing,
            targets=self._targets(number),
            serial_seed=serial_seed(track, sha256),
            metadata=(("TITLE", title),),
            asked_s=track.asked_s,
            gain_db=gain_db,
        )

    def _targets(self, number: int) -> tuple[Target, ...]:
        """Temporary files, by the numbers of their input and output: whatever that is called, their names are short."""
        track = replace(self.recipe.track, name=str(self.work / str(number)))
        targets = []
        for place, output in enumerate(track.outputs):
            unnamed = replace(output, suffix=f"-{place}")
            intro = unnamed.intro_path(track.name) if track.finishing.splits_intro else None
            targets.append(Target(output, unnamed.path(track.name), intro))
        return tuple(targets)

    async def _made(self, order: Order, task: FinishTask) -> tuple[FinishedFile, ...]:
        """Every file of the task, in its place. Raises FolderError, and OSError where the source can't be read."""
        try:
            finished = await self.workers.finish(task)
        except OSError as error:
            if error.filename == task.source:
                raise
            raise _trouble(self.folder, error) from error
        with _as_folder_trouble(self.folder):
            return tuple(self._placed(order, task.targets, finished))

    def _placed(
        self, order: Order, targets: Sequence[Target], finished: Sequence[FinishedFile]
    ) -> Iterator[FinishedFile]:
        for target, file in zip(targets, finished, strict=True):
            yield self._at(target.output.path(order.name), file)
            if file.intro is not None:
                yield self._at(target.output.intro_path(order.name), file.intro)

    def _at(self, path: str, file: FinishedFile) -> FinishedFile:
        self.folder.bring(Path(file.path), path)
        return replace(file, path=path, intro=None)


@contextmanager
def _as_folder_trouble(folder: Folder) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _trouble(folder, error) from error


def _trouble(folder: Folder, error: OSError) -> FolderError:
    return FolderError(f"{folder.root}: {reason(error)}; {remedy(error)}, and finish again what is missing")
