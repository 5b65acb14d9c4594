"""What a labelled dataset is: volumes with labels, and splits that name parts of them."""

from __future__ import annotations

import itertools
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pickem.acquisition import UNLABELLED
from pickem.errors import ConfigError, DatasetInvalidError
from pickem.geometry import Box, Shape3
from pickem.volumes import Volume, VoxelSize


@dataclass(frozen=True)
class LabelledRegion:
    """A part of a volume with its labels.

    volume: the name that `PatchId.volume` uses.
    labels: uint8 class indices, 0 = background, 255 = not labelled; of the image's shape.
    region: the part that may be used, in voxels of the whole volume.
    """

    volume: str
    image: Volume
    labels: Volume
    region: Box


@dataclass(frozen=True)
class Split:
    """Regions to train on and regions to evaluate on; they never overlap."""

    name: str
    train: tuple[LabelledRegion, ...]
    evaluate: tuple[LabelledRegion, ...]


@dataclass(frozen=True)
class Part:
    """A part of a named volume; None = all of that axis. Voxels, half-open."""

    volume: str
    z: tuple[int, int] | None = None
    y: tuple[int, int] | None = None
    x: tuple[int, int] | None = None

    def box(self, shape: Shape3) -> Box:
        """The part as a box of a volume of this shape."""
        ranges = [given or (0, size) for given, size in zip((self.z, self.y, self.x), shape, strict=True)]
        (z0, z1), (y0, y1), (x0, x1) = ranges
        return Box((z0, y0, x0), (z1, y1, x1))


@dataclass(frozen=True)
class SplitParts:
    """A split by the names of volumes."""

    train: tuple[Part, ...]
    evaluate: tuple[Part, ...]


@dataclass(frozen=True)
class LabelledVolume:
    """An image and its labels as they are stored, before class indices."""

    image: Volume
    labels: Volume


@dataclass(frozen=True)
class Dataset:
    """A labelled dataset, opened: no voxel has been read.

    classes: names of the foreground classes, in the order of their indices from 1.
    label_values: for each class in that order, the values in the label files that mean it; None for a mask
        with one class, where everything above 0 is foreground.
    unlabelled: the value in the label files that means "not labelled".
    address: what it is opened by where that is not its name: the path of its TOML file.
    shapes: for volumes of a published dataset, the shape that was published.
    """

    name: str
    title: str
    classes: tuple[str, ...]
    volumes: Mapping[str, LabelledVolume]
    splits: Mapping[str, SplitParts]
    annotation: str | None = None
    voxel_size: VoxelSize | None = None
    licence: str = "not stated"
    citation: str = "not stated"
    label_values: Sequence[tuple[int, ...]] | None = None
    unlabelled: int | None = None
    notes: tuple[str, ...] = field(default=())
    address: str | None = None
    shapes: Mapping[str, Shape3] = field(default_factory=dict)

    @property
    def verify_command(self) -> str:
        """What to type to have this dataset checked."""
        return f"pickem data verify {shlex.quote(self.address or self.name)}"

    def split(self, name: str) -> Split:
        """The regions of a split.

        Raises ConfigError where the dataset has no such split or it names unknown volumes or parts outside
        them or parts on both sides, and DatasetInvalidError where an image and its labels differ in shape.
        """
        parts = self.splits.get(name)
        if parts is None:
            raise ConfigError(
                f"The dataset {self.name} has no {name} split.",
                got=f"splits {', '.join(self.splits)}",
                todo=f"add [split.{name}] to its TOML file" if self.splits else None,
            )
        train = tuple(self._region(part) for part in parts.train)
        evaluate = tuple(self._region(part) for part in parts.evaluate)
        self._check_apart(name, train, evaluate)
        return Split(name, train, evaluate)

    def _check_apart(
        self, split: str, train: tuple[LabelledRegion, ...], evaluate: tuple[LabelledRegion, ...]
    ) -> None:
        for a, b in itertools.product(train, evaluate):
            shared = a.region.intersection(b.region)
            if a.volume == b.volume and shared.size:
                raise ConfigError(
                    f"The {split} split of {self.name} evaluates on what it trains on.",
                    got=f"voxels from {shared.start} to {shared.stop} of {a.volume} on both sides",
                    expected="parts that do not overlap",
                    todo=f"correct [split.{split}] in its TOML file",
                )

    def _region(self, part: Part) -> LabelledRegion:
        volume = self.volumes.get(part.volume)
        if volume is None:
            raise ConfigError(
                f"A split of {self.name} names a volume that the dataset does not have.",
                got=part.volume,
                expected=", ".join(self.volumes),
            )
        if volume.image.shape != volume.labels.shape:
            raise DatasetInvalidError(
                f"Image and labels of {part.volume} in {self.name} differ in shape.",
                got=f"image {volume.image.shape}, labels {volume.labels.shape}",
                expected="the same shape (z, y, x)",
                todo=self.verify_command,
            )
        box = part.box(volume.image.shape)
        if box.size == 0 or not Box((0, 0, 0), volume.image.shape).contains(box):
            raise ConfigError(
                f"A split of {self.name} names a part that {part.volume} does not have.",
                got=f"voxels from {box.start} to {box.stop}",
                expected=f"a part of (0, 0, 0) to {volume.image.shape}",
            )
        return LabelledRegion(part.volume, volume.image, self.class_labels(part.volume), box)

    def class_labels(self, volume: str) -> ClassLabels:
        """The labels of a volume as class indices."""
        return ClassLabels(self.volumes[volume].labels, self.classes, self.label_values, self.unlabelled)


class ClassLabels:
    """Stored labels seen as class indices (uint8); a Volume, read lazily.

    Reading raises DatasetInvalidError for a value that is no class, background (0) or unlabelled.
    """

    dtype: np.dtype[Any] = np.dtype(np.uint8)

    def __init__(
        self,
        stored: Volume,
        classes: Sequence[str],
        label_values: Sequence[tuple[int, ...]] | None,
        unlabelled: int | None,
    ) -> None:
        self._stored = stored
        self._classes = classes
        self._label_values = label_values
        self._unlabelled = unlabelled

    @property
    def shape(self) -> Shape3:
        """Voxels along (z, y, x)."""
        return self._stored.shape

    @property
    def voxel_size(self) -> VoxelSize | None:
        """nm along (z, y, x), where it is known."""
        return self._stored.voxel_size

    @property
    def source(self) -> str:
        """Where the labels come from."""
        return self._stored.source

    def read(self, box: Box) -> NDArray[np.uint8]:
        """See Volume."""
        stored = self._stored.read(box)
        if self._label_values is None:  # above 0, never above 127: 1-bit masks are read as 0 and 1
            return (stored > 0).astype(np.uint8)
        unknown = self.unknown_values(stored)
        if unknown:
            raise DatasetInvalidError(
                f"The labels of {self.source} hold values that are no class.",
                got=f"values {some(unknown)}",
                expected=self.known_values,
                todo="name these values in the dataset's `classes`, or correct the labels",
            )
        labels = np.zeros(stored.shape, dtype=np.uint8)
        for index, values in enumerate(self._label_values, start=1):
            labels[np.isin(stored, values)] = index
        if self._unlabelled is not None:
            labels[stored == self._unlabelled] = UNLABELLED
        return labels

    def unknown_values(self, stored: NDArray[Any]) -> list[int | float]:
        """Values among these stored labels that mean nothing, ascending."""
        if self._label_values is None:
            return []
        known = [0, *(value for values in self._label_values for value in values)]
        if self._unlabelled is not None:
            known.append(self._unlabelled)
        unknown: list[int | float] = np.unique(stored[~np.isin(stored, known)]).tolist()
        return unknown

    @property
    def known_values(self) -> str:
        """The values that mean something, and what: "0 = background, 1 = axon, 255 = unlabelled"."""
        if self._label_values is None:
            return "0 = background, above 0 = foreground"
        classes = [
            f"{'/'.join(map(str, values))} = {name}"
            for name, values in zip(self._classes, self._label_values, strict=True)
        ]
        unlabelled = [] if self._unlabelled is None else [f"{self._unlabelled} = unlabelled"]
        return ", ".join(["0 = background", *classes, *unlabelled])


def some(values: Sequence[object]) -> str:
    """The first eight values, with commas between."""
    return ", ".join(map(str, values[:8])) + (", …" if len(values) > 8 else "")
