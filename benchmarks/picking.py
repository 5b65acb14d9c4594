"""Experiments in which patches are picked by something else than the entropy of the newest network.

snapshots     the entropy of the mean of several networks, those of the last rounds, which cost no training
              (Huang et al. 2017) and one more pass over the pool each
per-second    the entropy for each second that a person would take to paint what the network predicts

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

from pickem.acquisition import Feature
from pickem.benchmark.experiment import Experiment
from pickem.learning import Purpose, stream
from pickem.learning.effort import annotation_seconds
from pickem.predictor import NetworkPredictor, Phase, UNet, resolve_backend
from pickem.predictor.protocol import FitReport, Images, Progress
from pickem.predictor.reduction import entropy, mean_over_pixels
from pickem.predictor.training_set import TrainingSet


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


PICKED_BY: Mapping[str, type[NetworkPredictor]] = MappingProxyType(
    {"snapshots": SnapshotPredictor, "per-second": PerSecondPredictor}
)


@dataclass(frozen=True)
class PickingExperiment(Experiment):
    """The experiment with another class of predictor, which starts from the same weights."""

    kind: type[NetworkPredictor]

    @classmethod
    def of(cls, experiment: Experiment, picked_by: str) -> PickingExperiment:
        """The same experiment, with what PICKED_BY names."""
        parts = {field.name: getattr(experiment, field.name) for field in fields(experiment)}
        return cls(**parts, kind=PICKED_BY[picked_by])

    def predictor(self, seed: int) -> NetworkPredictor:
        """See Experiment."""
        profile = self.profile
        draws = torch.Generator().manual_seed(int(stream(seed, Purpose.INITIAL_WEIGHTS).integers(2**63)))
        return self.kind(
            UNet(profile.network, len(self.classes) + 1, draws),
            len(self.classes) + 1,
            self.normalisation,
            resolve_backend(profile.device, profile.precision),
            profile.training,
            profile.measuring,
            description={"kind": "unet", **profile.network.model_dump()},
        )
