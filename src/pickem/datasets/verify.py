"""Does a dataset make sense? Read all of it and say what looks wrong, a line for each finding."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pickem.acquisition import UNLABELLED
from pickem.datasets.dataset import ClassLabels, Dataset, some
from pickem.errors import DatasetInvalidError, PickemError, VolumeError
from pickem.geometry import Box, Shape3
from pickem.volumes import Volume

SectionProgress = Callable[[int, int], None]  # (sections read, sections in all)


@dataclass(frozen=True)
class Finding:
    """Something that looks wrong, or is worth knowing, and where."""

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
    """All that was seen; the dataset makes sense where there are no findings.

    notes: what is right and yet not what was published, so that numbers from it compare with care.
    """

    summaries: tuple[Summary, ...]
    findings: tuple[Finding, ...]
    notes: tuple[Finding, ...]


def verify(dataset: Dataset, progress: SectionProgress) -> Verification:
    """Read every section of every volume of `dataset`.

    Found: files that cannot be read, image and labels of different shapes, another shape than the published
    one, unknown label values, NaN, images with one value throughout, a class that never occurs, sections
    without foreground between sections that have it, splits that name what is not there. Noted: every n-th
    section of what was published.
    """
    total = sum(volume.image.shape[0] for volume in dataset.volumes.values())
    summaries, findings, notes = [], list(_check_splits(dataset)), []
    done = 0

    def section_read() -> None:
        nonlocal done
        done += 1
        progress(done, total)

    for name, volume in dataset.volumes.items():
        published = dataset.shapes.get(name, volume.image.shape)
        if volume.image.shape != volume.labels.shape:
            shapes = f"image {volume.image.shape}, labels {volume.labels.shape}"
            findings.append(Finding(name, f"image and labels differ in shape: {shapes}"))
            done += volume.image.shape[0]
            continue
        if _is_thinned(volume.image.shape, published):
            notes.append(Finding(name, _thinned(volume.image.shape, published)))
        elif volume.image.shape != published:
            message = f"{_size(volume.image.shape)} voxels; published are {_size(published)}"
            findings.append(Finding(name, message))
        seen = _read(volume.image, volume.labels, dataset.class_labels(name), dataset.classes, section_read)
        findings += (Finding(name, message) for message in seen.messages())
        summaries.append(Summary(name, volume.image.shape, seen.shares()))
    return Verification(tuple(summaries), tuple(findings), tuple(notes))


def _check_splits(dataset: Dataset) -> Iterator[Finding]:
    for name in dataset.splits:
        try:
            dataset.split(name)
        except DatasetInvalidError:
            continue  # shapes that differ: a finding about the volume
        except PickemError as error:
            yield Finding(f"split {name}", _line(error))


def _is_thinned(shape: Shape3, published: Shape3) -> bool:
    """Whether it may be every n-th of the published sections."""
    return shape[1:] == published[1:] and shape[0] < published[0] and published[0] % shape[0] == 0


def _thinned(shape: Shape3, published: Shape3) -> str:
    return (
        f"{shape[0]} of the {published[0]} published sections, one in {published[0] // shape[0]}. "
        "Say so with results: a score on some sections is not one on all"
    )


@dataclass
class _Seen:
    """What the sections of one volume hold. counts: (sections, classes), column 0 = background."""

    classes: tuple[str, ...]
    known_values: str
    counts: NDArray[np.int64]
    is_counted: NDArray[np.bool_]
    of_sections: list[str] = field(default_factory=list)
    unknown: dict[int | float, None] = field(default_factory=dict)
    with_unknown: list[int] = field(default_factory=list)

    def messages(self) -> Iterator[str]:
        yield from self.of_sections
        if self.with_unknown:
            yield (
                f"sections {some(self.with_unknown)} ({len(self.with_unknown)} in all) hold label values "
                f"that are no class: {some(sorted(self.unknown))}. Known: {self.known_values}"
            )
        for index, name in enumerate(self.classes, start=1):
            if self.is_counted.all() and not self.counts[:, index].any():
                yield f"no voxel is labelled as {name}"
        with_foreground = np.flatnonzero(self.counts[:, 1:].any(axis=1))
        if len(with_foreground):
            between = np.arange(with_foreground[0], with_foreground[-1])
            for z in np.setdiff1d(between[self.is_counted[between]], with_foreground):
                yield f"section {z} has no foreground, and sections before and after it have"

    def shares(self) -> tuple[float, ...]:
        shares = self.counts[:, 1:].sum(axis=0) / max(int(self.counts.sum()), 1)
        return tuple(float(share) for share in shares)


def _read(
    image: Volume,
    stored: Volume,
    labels: ClassLabels,
    classes: Sequence[str],
    section_read: Callable[[], None],
) -> _Seen:
    sections = image.shape[0]
    counts = np.zeros((sections, len(classes) + 1), dtype=np.int64)
    seen = _Seen(tuple(classes), labels.known_values, counts, np.zeros(sections, dtype=np.bool_))
    for z in range(sections):
        seen.of_sections += _check_section(image, z)
        try:
            found = labels.read(_section(labels, z))
        except DatasetInvalidError:
            values = labels.unknown_values(stored.read(_section(stored, z)))
            seen.unknown |= dict.fromkeys(values)
            seen.with_unknown.append(z)
        except VolumeError as error:
            seen.of_sections.append(f"section {z}: {_line(error)}")
        else:
            counts[z] = np.bincount(found[found != UNLABELLED], minlength=len(classes) + 1)
            seen.is_counted[z] = True
        section_read()
    return seen


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


def _section(volume: Volume, z: int) -> Box:
    _, height, width = volume.shape
    return Box((z, 0, 0), (z + 1, height, width))


def _size(shape: Shape3) -> str:
    return " × ".join(map(str, shape))


def _line(error: PickemError) -> str:
    return " ".join(error.message.split())
