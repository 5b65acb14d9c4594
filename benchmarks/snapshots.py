"""An experiment whose patches are picked by the entropy of several networks' mean: those of the last rounds.

Snapshots cost no training (Huang et al. 2017); each costs one more pass over the pool. What is predicted,
evaluated and embedded is of the newest network alone, so that nothing but the picking differs.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pickem.acquisition import Feature
from pickem.benchmark.experiment import Experiment
from pickem.learning import Purpose, stream
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


@dataclass(frozen=True)
class SnapshotExperiment(Experiment):
    """The experiment, with a SnapshotPredictor that starts from the same weights."""

    def predictor(self, seed: int) -> NetworkPredictor:
        """See Experiment."""
        profile = self.profile
        draws = torch.Generator().manual_seed(int(stream(seed, Purpose.INITIAL_WEIGHTS).integers(2**63)))
        return SnapshotPredictor(
            UNet(profile.network, len(self.classes) + 1, draws),
            len(self.classes) + 1,
            self.normalisation,
            resolve_backend(profile.device, profile.precision),
            profile.training,
            profile.measuring,
            description={"kind": "unet", **profile.network.model_dump()},
        )
