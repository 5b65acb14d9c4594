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
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pickem.acquisition import PoolFeatures
from pickem.geometry import PatchId
from pickem.learning import Purpose, stream
from pickem.project.candidates import Candidates
from pickem.project.feature_table import About, FeatureTable, Filled, read_filled, row_bytes
from pickem.project.project import Project
from pickem.project.rounds import Round

BLOCK = 64  # candidates: a few seconds on two cores, for which new labels may have to wait
MOST_BYTES = 2**29  # of features, so that any strategy can work on them within 2 GiB


def is_surveyed(project: Project) -> bool:
    """Whether networks look at more than the candidates that are drawn: not those of a benchmark's pool, and
    not for a strategy that asks for nothing."""
    settings = project.settings
    return settings.candidates == "tiling" and settings.survey > 0 and bool(project.strategy.needs)


def is_begun(project: Project, at: Round) -> bool:
    """Whether the network of a round has looked at those that were drawn."""
    return read_filled(_folder(project, at)) is not None


def is_outgrown(project: Project, at: Round) -> bool:
    """Whether so much was looked at since the queue was ranked that it is worth ranking it again."""
    filled = read_filled(_folder(project, at)) or Filled()
    new = filled.rows - filled.ranked
    return new > 0 and (new >= filled.ranked or filled.complete)


def is_complete(project: Project, at: Round) -> bool:
    """Whether the network of a round has looked at all of the volume, or at as much as it is to."""
    filled = read_filled(_folder(project, at))
    return filled is not None and filled.complete


class Survey:
    """How far the network of a round has looked through the volumes of a project, and what it has found."""

    def __init__(self, project: Project, at: Round) -> None:
        self._project = project
        self.round = at.number
        self._folder = _folder(project, at)
        self._about: About = {
            "round": at.number,
            "finished": str(at.finished),  # a database that was put back may count rounds once more
            "features": [str(feature) for feature in sorted(project.strategy.needs)],
            "volumes": {name: list(shape) for name, shape in project.shapes.items()},
            "patch": project.settings.patch,
            "survey": project.settings.survey,
        }
        self.table = FeatureTable.open(self._folder, self._about)

    def begin(self, drawn: PoolFeatures) -> FeatureTable:
        """Start with the candidates that were drawn. What earlier networks have found is deleted.

        Raises StorageError.
        """
        self.forget()
        most = min(self._project.settings.survey, MOST_BYTES // row_bytes(drawn), len(self._candidates))
        volumes = list(self._project.shapes)
        self.table = FeatureTable.create(self._folder, self._about, volumes, drawn, most)
        return self.table

    def forget(self) -> None:
        """Delete what this and earlier networks have found."""
        shutil.rmtree(self._folder.parent, ignore_errors=True)
        self.table = None

    def next_patches(self) -> list[PatchId]:
        """The candidates of the next block, less those that were drawn."""
        assert self.table is not None
        start = self.table.filled.looked_at
        block = self._numbers[start : start + BLOCK].tolist()
        return [patch for patch in self._candidates.allowed(block) if patch not in self._drawn]

    def add(self, features: PoolFeatures) -> Filled:
        """Keep the features of `next_patches`; how far it has come then. Raises StorageError."""
        assert self.table is not None
        filled = self.table.filled
        self.table.append(features, min(filled.looked_at + BLOCK, filled.to_look_at))
        return self.table.filled

    @cached_property
    def _candidates(self) -> Candidates:
        return self._project.candidates()

    @cached_property
    def _numbers(self) -> NDArray[np.int64]:
        """Of the candidates to look at, in the order of the blocks: the same whenever it is asked for."""
        assert self.table is not None
        (rng,) = stream(self._project.settings.seed, Purpose.POOL, self.round + 1).spawn(1)
        return self._candidates.numbers_by_section(self.table.filled.to_look_at, rng)

    @cached_property
    def _drawn(self) -> frozenset[PatchId]:
        assert self.table is not None
        return frozenset(self.table.features().patches[: self.table.filled.drawn])


def _folder(project: Project, at: Round) -> Path:
    return project.folder / "pool" / f"round-{at.number:04d}"
