"""What all runs of a benchmark share: data in memory, pool and initial set of each seed, new predictors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from pickem.acquisition import UNLABELLED, Strategy
from pickem.benchmark.profile import Profile
from pickem.datasets import Dataset, LabelledRegion
from pickem.errors import ConfigError, DatasetInvalidError
from pickem.geometry import PatchId, random_patches, tile_patches
from pickem.learning import Purpose, Regions, SimulatedOracle, stream
from pickem.predictor import NetworkPredictor, Normalisation, resolve_backend, unet_predictor
from pickem.predictor.settings import NormalisationKind
from pickem.strategies import strategy
from pickem.volumes import ArrayVolume, discontinuous, sample_blocks

SplitName = Literal["test", "dev"]


@dataclass(frozen=True)
class Experiment:
    """A dataset's split, loaded, and a profile.

    train, evaluation: regions in memory; nothing of `evaluation` is ever seen in training.
    normalisation: fitted on `train` alone.
    profile: as it was asked for, but without averaging over neighbouring sections where those of an evaluated
    region have little in common.
    """

    classes: tuple[str, ...]  # foreground classes
    profile: Profile
    train: Regions
    evaluation: Regions
    normalisation: Normalisation

    @property
    def oracle(self) -> SimulatedOracle:
        """The ground truth of the training regions."""
        return SimulatedOracle(self.train)

    def pool(self, seed: int) -> list[PatchId]:
        """The pool of a seed in random order; its first `profile.initial` patches are the initial set."""
        regions = [(region.volume, region.box) for region in self.train.loaded]
        size = self.profile.patch
        return random_patches(regions, self.profile.pool, size, size, stream(seed, Purpose.POOL))

    def everything(self) -> list[PatchId]:
        """Patches that cover the whole training volume, half overlapping, for full supervision."""
        size = self.profile.patch
        return [
            patch
            for region in self.train.loaded
            for patch in tile_patches(region.volume, region.box, size, size, stride=size // 2)
        ]

    def predictor(self, seed: int) -> NetworkPredictor:
        """A new predictor with the first weights of the seed."""
        return unet_predictor(
            self.profile.network,
            len(self.classes) + 1,
            self.normalisation,
            resolve_backend(self.profile.device, self.profile.precision),
            self.profile.training,
            self.profile.measuring,
            stream(seed, Purpose.INITIAL_WEIGHTS),
        )

    def strategy(self, name: str) -> Strategy:
        """A new strategy by its name, as `pickem.strategies.strategy`."""
        return strategy(name)


def load_experiment(dataset: Dataset, split: SplitName, profile: Profile) -> Experiment:
    """Read the split's regions into memory and check that a benchmark on them can mean something.

    Raises ConfigError for regions smaller than a patch and DatasetInvalidError for a class that occurs in
    no label of either part.
    """
    parts = dataset.split(split)
    _check_size(parts.train, profile.patch)
    sections = profile.network.channels
    train, evaluation = Regions(parts.train, sections), Regions(parts.evaluate, sections)
    for part, regions in (("training", train), ("evaluated", evaluation)):
        _check_classes(dataset, part, regions)
    normalisation = fit_normalisation(train, profile.normalisation)
    stacks = {f"{region.volume} at {region.box}": ArrayVolume(region.images) for region in evaluation.loaded}
    if discontinuous(stacks):
        profile = profile.model_copy(update={"measuring": profile.measuring.without_smoothing()})
    return Experiment(tuple(dataset.classes), profile, train, evaluation, normalisation)


def fit_normalisation(train: Regions, kind: NormalisationKind) -> Normalisation:
    """What the grey values of the training regions say, by either rule; a project's volumes by the same."""
    images = [region.images for region in train.loaded]
    if kind == "deviation":
        return Normalisation.of(images)
    return Normalisation.robust(block for image in images for block in sample_blocks(ArrayVolume(image)))


def check_pool(experiment: Experiment, rounds: int) -> None:
    """Raise ConfigError where a seed's pool cannot feed this many rounds."""
    needed = experiment.profile.labelled(rounds - 1)
    found = len(experiment.pool(seed=0))
    if needed > found:
        raise ConfigError(
            "The pool is too small for so many rounds.",
            got=f"{found} patches in the pool",
            expected=f"at least {needed}: {experiment.profile.initial} at first and "
            f"{experiment.profile.per_round} in each of {rounds - 1} queries",
            todo="ask for fewer --rounds, or for a larger `pool` in the profile",
        )


def _check_size(regions: Sequence[LabelledRegion], patch: int) -> None:
    for region in regions:
        _, height, width = region.region.shape
        if height < patch or width < patch:
            raise ConfigError(
                f"A training region of {region.volume} is smaller than a patch.",
                got=f"{height} × {width} pixels",
                expected=f"at least {patch} × {patch} pixels",
                todo="choose a profile with a smaller `patch`",
            )


def _check_classes(dataset: Dataset, part: str, regions: Regions) -> None:
    present = set().union(*(np.unique(region.labels).tolist() for region in regions.loaded))
    missing = [name for index, name in enumerate(dataset.classes, start=1) if index not in present]
    if missing:
        raise DatasetInvalidError(
            f"The {part} part of {dataset.name} has no label of {', '.join(missing)}.",
            got=f"label values {sorted(int(v) for v in present - {UNLABELLED})}",
            expected="every class in both parts of the split",
            todo=dataset.verify_command,
        )
