"""Does a dataset make sense? Read all of it and say what looks wrong, a line for each finding."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from pickem.acquisition import UNLABELLED
from pickem.datasets.dataset import Dataset
from pickem.errors import DatasetError, PickemError, VolumeError
from pickem.geometry import Box
from pickem.volumes import Volume

SectionProgress = Callable[[int, int], None]  # (sections read, sections in all)


@dataclass(frozen=True)
class Finding:
    """Something that looks wrong, and where."""

    volume: str
    message: str


@dataclass(frozen=True)
class Summary:
    """What a volume holds: its size, and the share of each foreground class among the labelled voxels."""

    volume: str
    shape: tuple[int, int, int]
    shares: tuple[float, ...]


@dataclass(frozen=True)
class Verification:
    """All that was seen; the dataset makes sense where there are no findings."""

    summaries: tuple[Summary, ...]
    findings: tuple[Finding, ...]


def verify(dataset: Dataset, progress: SectionProgress) -> Verification:
    """Read every section of every volume of `dataset`.

    Found: files that cannot be read, images and labels of different shapes, unknown label values, NaN, a
    class that never occurs, sections without foreground between sections that have it, splits that name
    what is not there.
    """
    total = sum(volume.image.shape[0] for volume in dataset.volumes.values())
    summaries, findings = [], list(_check_splits(dataset))
    done = 0
    for name, volume in dataset.volumes.items():
        if volume.image.shape != volume.labels.shape:
            shapes = f"image {volume.image.shape}, labels {volume.labels.shape}"
            findings.append(Finding(name, f"image and labels differ in shape: {shapes}"))
            done += volume.image.shape[0]
            continue
        counts = np.zeros((volume.image.shape[0], len(dataset.classes) + 1), dtype=np.int64)
        labels = dataset.class_labels(name)
        for z in range(volume.image.shape[0]):
            findings += (Finding(name, message) for message in _check_section(volume.image, z))
            try:
                counts[z] = _count(labels, z, len(dataset.classes))
            except (DatasetError, VolumeError) as error:
                findings.append(Finding(name, f"section {z}: {_line(error)}"))
            done += 1
            progress(done, total)
        findings += (Finding(name, message) for message in _check_counts(counts, dataset.classes))
        shares = counts[:, 1:].sum(axis=0) / max(int(counts.sum()), 1)
        summaries.append(Summary(name, volume.image.shape, tuple(float(share) for share in shares)))
    return Verification(tuple(summaries), tuple(findings))


def _check_splits(dataset: Dataset) -> Iterator[Finding]:
    for name in dataset.splits:
        try:
            dataset.split(name)
        except PickemError as error:
            yield Finding(f"split {name}", _line(error))


def _check_section(image: Volume, z: int) -> Iterator[str]:
    try:
        pixels = image.read(_section(image, z))
    except VolumeError as error:
        yield f"section {z}: {_line(error)}"
        return
    if pixels.dtype.kind == "f" and not np.isfinite(pixels).all():
        yield f"section {z}: the image holds NaN or infinity"
    elif pixels.min() == pixels.max():
        yield f"section {z}: the image has one value throughout ({pixels.min()})"


def _count(labels: Volume, z: int, classes: int) -> np.ndarray:
    found = labels.read(_section(labels, z))
    return np.bincount(found[found != UNLABELLED], minlength=classes + 1)


def _check_counts(counts: np.ndarray, classes: tuple[str, ...]) -> Iterator[str]:
    """What the voxel counts (sections, classes) say; column 0 is background."""
    for index, name in enumerate(classes, start=1):
        if not counts[:, index].any():
            yield f"no voxel is labelled as {name}"
    with_foreground = np.flatnonzero(counts[:, 1:].any(axis=1))
    if len(with_foreground):
        between = np.arange(with_foreground[0], with_foreground[-1])
        for z in np.setdiff1d(between, with_foreground):
            yield f"section {z} has no foreground, and sections before and after it have"


def _section(volume: Volume, z: int) -> Box:
    _, height, width = volume.shape
    return Box((z, 0, 0), (z + 1, height, width))


def _line(error: PickemError) -> str:
    return " ".join(error.message.split())
