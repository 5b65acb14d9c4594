"""Learning from images without labels: the averaged network labels them where it is sure.

    unlabelled image ──► moving average of the weights ──► the class where it is probable enough, else 255
                    └──► changed at random, with that label ──► the network, beside the labelled patches

Pseudo-labels above a confidence, from the network's moving average, against strongly changed images:
FixMatch (Sohn et al. 2020) with the teacher of Tarvainen & Valpola 2017.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pickem.acquisition import UNLABELLED
from pickem.predictor.backend import Backend
from pickem.predictor.normalisation import Normaliser
from pickem.predictor.settings import TrainingSettings
from pickem.predictor.training_set import ImagePool


class PseudoLabels:
    """Unlabelled images in batches, labelled by a teacher.

    `images`: (n, h, w) grey values with the settings' context around them.
    """

    def __init__(
        self,
        images: ImagePool,
        normalisation: Normaliser,
        settings: TrainingSettings,
        backend: Backend,
        rng: np.random.Generator,
    ) -> None:
        self._images, self._normalisation, self._settings = images, normalisation, settings
        self._backend, self._rng = backend, rng

    def batch(self, teacher: nn.Module) -> tuple[Tensor, Tensor]:
        """Images (b, 1, h, w) and what the teacher says of them: uint8 (b, h, w), UNLABELLED = not sure."""
        images = torch.from_numpy(self._normalisation.apply(self._images[self._draw()]))
        teacher.eval()
        with torch.inference_mode(), self._backend.arithmetic():
            probability = teacher(self._backend.place(images)).float().softmax(dim=1)
        sure, labels = probability.max(dim=1)
        labels = torch.where(sure >= self._settings.confidence, labels, UNLABELLED).to(torch.uint8)
        return images, _only_inside(labels, self._settings.context).cpu()

    def _draw(self) -> NDArray[np.intp]:
        return self._rng.integers(0, len(self._images), self._settings.unlabelled)


def _only_inside(labels: Tensor, context: int) -> Tensor:
    """What a network says of its context is worth nothing: it has never been taught there."""
    if not context:
        return labels
    inside = torch.full_like(labels, UNLABELLED)
    window = (..., slice(context, -context), slice(context, -context))
    inside[window] = labels[window]
    return inside
