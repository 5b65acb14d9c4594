"""Experiments in which patches are picked in a way that no strategy of the catalogue knows.

snapshots     the entropy of the mean of several networks, those of the last rounds, which cost no training
              (Huang et al. 2017) and one more pass over the pool each
per-second    the entropy for each second that a person would take to paint what the network predicts
shortlist-5   by the strategy `auto`, from the most uncertain 5 % of the pool instead of 15 %
shortlist-50  … and from half of it

What is predicted, evaluated and embedded is as ever, so that nothing but the picking differs.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pickem.acquisition import Feature, Strategy
from pickem.benchmark.experiment import Experiment
from pickem.learning import Purpose, stream
from pickem.learning.effort import annotation_seconds
from pickem.predictor import NetworkPredictor, Phase, UNet, resolve_backend
from pickem.predictor.protocol import FitReport, Images, Progress
from pickem.predictor.reduction import entropy, mean_over_pixels
from pickem.predictor.training_set import TrainingSet
from pickem.strategies.uncertain_core_set import SHORTLIST, UncertainCoreSet


class SnapshotPredictor(NetworkPredictor):
    """Its entropy is that of the mean over its weights after each of the last `kept` fits."""

    kept = 3
    _snapshots: deque[dict[str, Tensor]]

    def fit(
        self, patches: TrainingSet, phase: Phase, rng: np.random.Generator, progress: Progress
    ) -> FitReport:
        """See Predictor."""
        report = super().fit(patches, phase, rng, progress)
        if not hasattr(self, "_snapshots"):
            self._snapshots = deque(maxlen=self.kept)
        self._snapshots.append({name: value.clone() for name, value in self._module.state_dict().items()})
        return report

    def measure(
        self, images: Images, needs: Collection[Feature], rng: np.random.Generator
    ) -> dict[Feature, NDArray[np.float32]]:
        """See Predictor."""
        columns = super().measure(images, needs, rng)
        if Feature.ENTROPY in columns:
            columns[Feature.ENTROPY] = self._entropy_of_mean(images)
        return columns

    def _entropy_of_mean(self, images: Images) -> NDArray[np.float32]:
        placed, probabilities = self._place(images), []
        for weights in self._snapshots:  # the newest last, so that it is in place again behind the loop
            self._module.load_state_dict(weights)
            with torch.inference_mode(), self.backend.arithmetic():
                probabilities.append(self._probabilities(self.network.prefix(placed), None))
        mean = torch.stack(probabilities).mean(dim=0)
        values: NDArray[np.float32] = mean_over_pixels(self._without_context(entropy(mean))).numpy()
        return values


class PerSecondPredictor(NetworkPredictor):
    """Its entropy is divided by the seconds to paint its own prediction, by the formula of `effort.py`."""

    def measure(
        self, images: Images, needs: Collection[Feature], rng: np.random.Generator
    ) -> dict[Feature, NDArray[np.float32]]:
        """See Predictor."""
        columns = super().measure(images, needs, rng)
        if Feature.ENTROPY in columns:
            with torch.inference_mode(), self.backend.arithmetic():
                probabilities = self._probabilities(self.network.prefix(self._place(images)), None)
            predicted = self._without_context(probabilities.argmax(dim=1)).numpy().astype(np.uint8)
            columns[Feature.ENTROPY] /= np.array([annotation_seconds(mask) for mask in predicted], np.float32)
        return columns


@dataclass(frozen=True)
class Picking:
    """A way to pick: which class of predictor measures the pool, and which share of it `auto` picks from."""

    kind: type[NetworkPredictor] = NetworkPredictor
    shortlist: float = SHORTLIST


PICKED_BY: Mapping[str, Picking] = MappingProxyType(
    {
        "snapshots": Picking(SnapshotPredictor),
        "per-second": Picking(PerSecondPredictor),
        "shortlist-5": Picking(shortlist=0.05),
        "shortlist-50": Picking(shortlist=0.5),
    }
)


@dataclass(frozen=True)
class PickingExperiment(Experiment):
    """The experiment with another way to pick; its predictor starts from the same weights."""

    picking: Picking

    @classmethod
    def of(cls, experiment: Experiment, picked_by: str) -> PickingExperiment:
        """The same experiment, with what PICKED_BY names."""
        parts = {field.name: getattr(experiment, field.name) for field in fields(experiment)}
        return cls(**parts, picking=PICKED_BY[picked_by])

    def predictor(self, seed: int) -> NetworkPredictor:
        """See Experiment."""
        profile = self.profile
        draws = torch.Generator().manual_seed(int(stream(seed, Purpose.INITIAL_WEIGHTS).integers(2**63)))
        return self.picking.kind(
            UNet(profile.network, len(self.classes) + 1, draws),
            len(self.classes) + 1,
            self.normalisation,
            resolve_backend(profile.device, profile.precision),
            profile.training,
            profile.measuring,
            description={"kind": "unet", **profile.network.model_dump()},
        )

    def strategy(self, name: str) -> Strategy:
        """See Experiment."""
        return UncertainCoreSet(self.picking.shortlist) if name == "auto" else super().strategy(name)
