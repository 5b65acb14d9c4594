"""The pool is the whole volume: the newest network looks at all its candidates, while nobody waits for it.

    some drawn at random ──► measured ──► ranked       at once: an annotator waits for a queue
      the next block     ──► measured ──► ranked       whenever nothing else is due, section after section in
            ▲                     │                    random order; ranked again when twice as many are
            └─────────────────────┘                    measured as at the last time, and at the end

NAME.pickem/pool/round-0003/     the features of what was looked at (`feature_table`), of the newest network

Killed at any moment, it goes on with the block it was in. The folder may be deleted: it is begun again.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pickem.acquisition import PoolFeatures
from pickem.errors import VolumeError
from pickem.geometry import PatchId
from pickem.learning import Purpose, stream
from pickem.learning.round import StageProgress
from pickem.predictor import Predictor, score
from pickem.project import rounds
from pickem.project.candidates import Candidates
from pickem.project.feature_table import About, FeatureTable, read_filled, row_bytes
from pickem.project.project import Project
from pickem.project.rounds import Round
from pickem.project.unreadable import Unreadable

BLOCK = 2**20  # pixels, 64 candidates: a few seconds on two cores, for which new labels may have to wait
Step = Literal["rank", "look further"]
MOST_BYTES = 2**29  # of features, so that any strategy can work on them within 2 GiB


def is_surveyed(project: Project) -> bool:
    """Whether networks look at more than the candidates that are drawn: not those of a benchmark's pool, and
    not for a strategy that asks for nothing."""
    settings = project.settings
    return settings.candidates == "tiling" and settings.survey > 0 and bool(project.strategy.needs)


def next_step(project: Project, at: Round) -> Step | None:
    """What the network of a round has to do next; None = it has looked at all that it is to, or is not to.

    "rank": nothing is measured yet, or so much since the queue was ranked that it is worth ranking it again.
    """
    if not is_surveyed(project):
        return None
    filled = read_filled(_folder(project, at), _about(project, at))
    if filled is None:
        return "rank"
    new = filled.rows - filled.ranked
    if new > 0 and (new >= filled.ranked or filled.complete):
        return "rank"
    return None if filled.complete else "look further"


def try_again(project: Project) -> None:
    """Let the newest network look once more at what could not be read. Raises StorageError."""
    latest = rounds.latest_round(project.store)
    if latest and is_surveyed(project):
        table = FeatureTable.open(_folder(project, latest), _about(project, latest))
        if table:
            table.try_again()


class Survey:
    """What the network of a round, which `predictor` holds, finds on its way through the volumes.

    What cannot be read is `unreadable`, and left out until `try_again`.
    """

    def __init__(
        self,
        project: Project,
        predictor: Predictor,
        at: Round,
        progress: StageProgress,
        unreadable: Unreadable,
    ) -> None:
        self._project = project
        self._unreadable = unreadable
        self._predictor = predictor
        self._progress = progress
        self.round = at.number
        self._folder = _folder(project, at)
        self._about = _about(project, at)
        self._table = FeatureTable.open(self._folder, self._about) if is_surveyed(project) else None

    def drawn(self) -> list[PatchId]:
        """The candidates that are looked at first, none of them answered."""
        settings = self._project.settings
        rng = stream(settings.seed, Purpose.POOL, self.round + 1)
        return self._project.draw(settings.pool, rng, set(self._project.store.answered()))

    def measured(self, k: int, taken: Collection[PatchId]) -> PoolFeatures:
        """The features of those that are drawn, and of all that was looked at besides; where fewer than `k`
        of them are not `taken`, of more. Raises StorageError, and VolumeError where nothing can be read."""
        if self._table is None:
            drawn = self._score(self.drawn(), partial(self._progress, "scoring"))
            self._forget()
            if not is_surveyed(self._project):
                return drawn
            self._table = self._begin(drawn)
        while not self._table.filled.complete and not _are_left(self._table, k, taken):
            self.look_further()
        return self._table.features()

    def look_further(self) -> None:
        """Measure the next block of candidates. Raises StorageError.

        What was found by others, for another strategy, say, is deleted instead, so that ranking is due.
        """
        if self._table is None:
            self._forget()
            return
        seen = self._table.filled
        most = max(1, BLOCK // self._project.settings.patch**2)
        start, stop = block = seen.block(most)
        numbers = self._numbers[start:stop].tolist()
        patches = [patch for patch in self._candidates.allowed(numbers) if patch not in self._first]
        found = self._readable(patches)
        lost = {self._candidates.number(patch) for patch in {*patches} - {*found.patches}}
        self._table.append(found, block, (i for i, n in enumerate(numbers, start) if n in lost))
        self._progress("looking through the volume", self._table.filled.looked_at, seen.to_look_at)

    def mark_ranked(self) -> None:
        """The queue was ranked from all that is measured now. Raises StorageError."""
        if self._table:
            self._table.mark_ranked()

    def _begin(self, drawn: PoolFeatures) -> FeatureTable:
        """A table with the candidates that were drawn."""
        most = min(self._project.settings.survey, MOST_BYTES // row_bytes(drawn), len(self._candidates))
        if not len(drawn):  # nothing is left to be labelled, and the width of the columns is not known
            most = 0
        return FeatureTable.create(self._folder, self._about, list(self._project.shapes), drawn, most)

    def _forget(self) -> None:
        """Delete what this and earlier networks have found."""
        shutil.rmtree(self._folder.parent, ignore_errors=True)

    def _readable(self, patches: Sequence[PatchId]) -> PoolFeatures:
        """The features of those of a block's patches that can be read, be it none."""
        try:
            return self._score(patches, _untold)
        except VolumeError:
            return self._score([], _untold)

    def _score(self, patches: Sequence[PatchId], told: Callable[[int, int], None]) -> PoolFeatures:
        """What the strategy needs to know of some patches, less those that cannot be read.

        Raises VolumeError where none can be read.
        """
        settings, needs = self._project.settings, self._project.strategy.needs

        def measured(some: Sequence[PatchId]) -> PoolFeatures:
            rng = stream(settings.seed, Purpose.SCORE, self.round)
            return score(self._predictor, some, self._project.inputs.images, needs, rng, told)

        return self._unreadable.without(patches, self._predictor.context, measured)

    @cached_property
    def _candidates(self) -> Candidates:
        return self._project.candidates()

    @cached_property
    def _numbers(self) -> NDArray[np.int64]:
        """Of the candidates to look at, in the order of the blocks: the same whenever it is asked for."""
        assert self._table is not None
        (rng,) = stream(self._project.settings.seed, Purpose.POOL, self.round + 1).spawn(1)
        return self._candidates.numbers_by_section(self._table.filled.to_look_at, rng)

    @cached_property
    def _first(self) -> frozenset[PatchId]:
        """Those that were drawn, and are measured already."""
        assert self._table is not None
        return frozenset(self._table.features().patches[: self._table.filled.drawn])


def _about(project: Project, at: Round) -> About:
    """What the features of a round's network depend on, and which patches may be among them."""
    about: About = {
        "round": at.number,
        "finished": str(at.finished),  # a database that was put back may count rounds once more
        "shapes": {name: list(shape) for name, shape in project.shapes.items()},
        "settings": project.settings.model_dump(mode="json"),
    }
    if project.masks:  # not asked of others, whose tables are those of a pickem that did not know this
        about["masks"] = {name: where.fingerprint for name, where in project.masks.items()}
    return about


def _are_left(table: FeatureTable, k: int, taken: Collection[PatchId]) -> bool:
    """Whether `k` of the patches in a table are not taken. Counts them only where it is not plain."""
    if table.filled.rows >= k + len(taken):
        return True
    return sum(patch not in taken for patch in table.features().patches) >= k


def _untold(done: int, total: int) -> None:
    """Progress that nobody is told of: a block is over in a moment."""


def _folder(project: Project, at: Round) -> Path:
    return project.folder / "pool" / f"round-{at.number:04d}"
