"""What recipes are searched on: the dev split of a dataset, or its training half cut the other way round.

    dev       as `pickem benchmark --split dev`
    swapped   the upper 5/16 of the training half are evaluated, the lower 9/16 are trained on

VNC's dev split proper holds 6.3 % foreground where it trains and 1.2 % where it evaluates, so that a good
network seems bad there; swapped, 2.9 % and 5.5 %.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Literal, get_args

from pickem.benchmark.experiment import Experiment, fit_normalisation
from pickem.benchmark.profile import Profile
from pickem.datasets import LabelledRegion, open_dataset
from pickem.geometry import Box
from pickem.learning import Regions

Fold = Literal["dev", "swapped"]
FOLDS: tuple[Fold, ...] = get_args(Fold)


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
    return Experiment(tuple(opened.classes), profile, regions, Regions(evaluated, sections), normalisation)


def _part(region: LabelledRegion, box: Box) -> LabelledRegion:
    return dataclasses.replace(region, region=box)
