"""What a predictor trains on, and the order in which batches are drawn from it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from pickem.acquisition import UNLABELLED
from pickem.errors import ConfigError

Balance = Literal["none", "foreground", "at-least-half"]


class TrainingSet(Protocol):
    """Patches with labels. `len` is the number of patches."""

    def __len__(self) -> int: ...

    @property
    def has_foreground(self) -> NDArray[np.bool_]:
        """(n,): whether any pixel of the patch is labelled as foreground."""

    def gather(self, indices: NDArray[np.intp]) -> tuple[NDArray[np.generic], NDArray[np.uint8]]:
        """Images (b, h, w) of any real type, and labels (b, h, w): class index, UNLABELLED = not labelled."""


@dataclass(frozen=True)
class ArrayTrainingSet:
    """A TrainingSet in memory: `images` (n, [channels,] h, w) of any real type, `labels` (n, h, w) uint8.

    Raises ConfigError where the two do not agree or hold nothing.
    """

    images: NDArray[np.generic]
    labels: NDArray[np.uint8]

    def __post_init__(self) -> None:
        shape = (*self.images.shape[:1], *self.images.shape[-2:])
        if shape != self.labels.shape or self.images.ndim not in (3, 4) or not len(self.images):
            raise ConfigError(
                "Images and labels to train on do not belong together.",
                got=f"images {self.images.shape}, labels {self.labels.shape}",
                expected="one shape (patches, height, width) for both, at least one patch",
            )

    def __len__(self) -> int:
        return len(self.images)

    @property
    def has_foreground(self) -> NDArray[np.bool_]:
        """(n,): whether any pixel of the patch is labelled as foreground."""
        found: NDArray[np.bool_] = ((self.labels > 0) & (self.labels != UNLABELLED)).any(axis=(1, 2))
        return found

    def gather(self, indices: NDArray[np.intp]) -> tuple[NDArray[np.generic], NDArray[np.uint8]]:
        """See TrainingSet."""
        return self.images[indices], self.labels[indices]


def batches(
    patches: TrainingSet, batch_size: int, balance: Balance, rng: np.random.Generator
) -> Iterator[NDArray[np.intp]]:
    """Index arrays of `batch_size` patches, without end.

    Patches come in shuffled passes, each patch once a pass. With balance "foreground", half of every batch
    (rounded up) comes from passes over the patches with foreground and the rest from passes over those
    without; where one kind is missing, all from the other. With "at-least-half", so where fewer than half of
    the patches show foreground, and otherwise as with "none".
    """
    everything = np.arange(len(patches))
    with_foreground = patches.has_foreground
    groups = [everything[with_foreground], everything[~with_foreground]]
    sizes = [-(-batch_size // 2), batch_size // 2]
    enough = balance == "at-least-half" and len(groups[0]) >= len(groups[1])
    if balance == "none" or enough or not all(len(group) for group in groups):
        groups, sizes = [everything], [batch_size]
    yield from _together([_passes(group, rng) for group in groups], sizes)


def steps_per_epoch(patches: TrainingSet, batch_size: int) -> int:
    """Batches in one pass over the training set, the last one filled up from the next pass."""
    return -(-len(patches) // batch_size)


def _together(streams: list[Iterator[int]], sizes: list[int]) -> Iterator[NDArray[np.intp]]:
    while True:
        yield np.array([next(s) for s, n in zip(streams, sizes, strict=True) for _ in range(n)], np.intp)


def _passes(indices: NDArray[np.intp], rng: np.random.Generator) -> Iterator[int]:
    while True:
        yield from (int(i) for i in rng.permutation(indices))
