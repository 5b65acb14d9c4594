"""What recipes are searched on: the dev split of a dataset, or its training half cut the other way round.

    dev       as `pickem benchmark --split dev`
    swapped   the upper 5/16 of the training half are evaluated, the lower 9/16 are trained on
    rare      as dev, of whose pool patches with foreground are left out until it holds RARE of it

VNC's dev split proper holds 6.3 % foreground where it trains and 1.2 % where it evaluates, so that a good
network seems bad there; swapped, 2.9 % and 5.5 %; rare, 1 % in the pool and 1.2 % where it evaluates.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from pickem.benchmark.experiment import Experiment, fit_normalisation
from pickem.benchmark.profile import Profile
from pickem.datasets import LabelledRegion, open_dataset
from pickem.geometry import Box, PatchId, random_patches
from pickem.learning import Purpose, Regions, stream

Fold = Literal["dev", "swapped", "rare"]
FOLDS: tuple[Fold, ...] = get_args(Fold)
RARE = 0.01  # of the pool's pixels
DRAWN = 4  # candidates for each patch of a thinned pool


def load_fold(dataset: str, fold: Fold, profile: Profile, data_dir: Path | None = None) -> Experiment:
    """A fold of a dataset's training half, in memory."""
    opened = open_dataset(dataset, data_dir)
    parts = opened.split("dev")
    train, evaluated = parts.train, parts.evaluate
    if fold == "swapped":
        (half,) = opened.split("test").train
        (z0, y0, x0), (z1, y1, x1) = half.region.start, half.region.stop
        train = (_part(half, Box((z0, y0 + (y1 - y0) * 7 // 16, x0), (z1, y1, x1))),)
        evaluated = (_part(half, Box((z0, y0, x0), (z1, y0 + (y1 - y0) * 5 // 16, x1))),)
    sections = profile.network.channels
    regions = Regions(train, sections)
    normalisation = fit_normalisation(regions, profile.normalisation)
    kind = RareExperiment if fold == "rare" else Experiment
    return kind(tuple(opened.classes), profile, regions, Regions(evaluated, sections), normalisation)


@dataclasses.dataclass(frozen=True)
class RareExperiment(Experiment):
    """Foreground is rare among its candidates; what surrounds them is as it is in the volume."""

    def pool(self, seed: int) -> list[PatchId]:
        """See Experiment."""
        rng = stream(seed, Purpose.POOL)
        regions = [(region.volume, region.box) for region in self.train.loaded]
        size = self.profile.patch
        drawn = random_patches(regions, DRAWN * self.profile.pool, size, size, rng)
        shares = np.array([(self.train.labels([patch]) > 0).mean() for patch in drawn])
        kept = thinned(shares, RARE, rng)
        return [drawn[i] for i in kept[: self.profile.pool]]


def thinned(shares: NDArray[np.float64], target: float, rng: np.random.Generator) -> NDArray[np.intp]:
    """Indices, in order, of patches of which `target` of the pixels are foreground; all without any stay.

    shares: (n,) foreground of each patch, 0 to 1. Each patch that has some is kept with the same probability.
    """
    some = shares > 0
    mean_of_some = shares[some].mean() if some.any() else 0.0
    if mean_of_some <= target:
        return np.arange(len(shares))
    odds = target / (mean_of_some - target)  # of a patch with foreground to one without
    probability = min(1.0, odds * np.count_nonzero(~some) / np.count_nonzero(some))
    return np.flatnonzero(~some | (rng.random(len(shares)) < probability))


def _part(region: LabelledRegion, box: Box) -> LabelledRegion:
    return dataclasses.replace(region, region=box)
