"""What the loop asks of a predictor. `NetworkPredictor` is ours; anything with these methods will do."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pickem.acquisition import Feature
from pickem.predictor.settings import Phase
from pickem.predictor.training_set import TrainingSet

# Grey values of any real type, not normalised: (n, h + 2 context, w + 2 context), patches with the
# predictor's context around them; (n, channels, …, …) for a network of several channels. What is said of
# them, (n, h, w), is said of the patches alone.
Images = NDArray[np.generic]
Probabilities = NDArray[np.float32]  # (n, classes, h, w), class 0 = background, summing to 1 over classes
Progress = Callable[[int, int], None]  # (steps done, steps in all)


class ImagePool(Protocol):
    """Images, some of which are asked for at a time: an array (n, h, w), or what reads as one."""

    def __len__(self) -> int: ...

    def __getitem__(self, indices: NDArray[np.intp], /) -> NDArray[np.generic]:
        """Images (b, h, w)."""


@dataclass(frozen=True)
class FitReport:
    """What a fit did: optimiser steps taken, and the mean loss over the last tenth of them."""

    steps: int
    final_loss: float


class Predictor(Protocol):
    """A trainable segmentation of 2-D images into `classes` classes."""

    @property
    def classes(self) -> int:
        """Number of classes, background included."""

    @property
    def context(self) -> int:
        """Pixels on each side of a patch that the predictor wants to see beside it."""

    def fit(
        self, patches: TrainingSet, phase: Phase, rng: np.random.Generator, progress: Progress
    ) -> FitReport:
        """Train on from the present weights. Images come with their context, whose labels are 255."""

    def predict_proba(self, images: Images) -> Probabilities:
        """Class probabilities of every pixel."""

    def mc_probabilities(self, images: Images, rng: np.random.Generator) -> NDArray[np.float32]:
        """Monte-Carlo-dropout probabilities (paper, eq. 3): (passes, n, classes, h, w), dropout on,
        batch-norm statistics frozen."""

    def embed(self, images: Images) -> NDArray[np.float32]:
        """One vector a patch: (n, d)."""

    def measure(
        self, images: Images, needs: Collection[Feature], rng: np.random.Generator
    ) -> dict[Feature, NDArray[np.float32]]:
        """The features named by `needs`, a row per image; nothing the size of an image is returned."""

    def predict_plane(self, plane: NDArray[np.generic]) -> Probabilities:
        """Class probabilities (classes, h, w) of one whole plane ([channels,] h, w), however large."""

    def predict_sections(
        self, plane: Callable[[int], NDArray[np.generic]], sections: Sequence[int], depth: int
    ) -> Iterator[Probabilities]:
        """Class probabilities (classes, h, w) of ascending sections of a stack of `depth`, of which `plane`
        gives what the predictor sees. They may be averaged over neighbouring sections."""

    def save(self, path: Path) -> None:
        """Write a checkpoint that `load_weights` reads."""

    def load_weights(self, path: Path) -> None:
        """Continue from the weights of a checkpoint of the same kind of predictor."""

    def start_over(self) -> None:
        """Go back to the weights it was made with."""

    def start_from(self, path: Path) -> None:
        """Begin with weights that were learned elsewhere: by pretraining, or on another volume."""
