"""The connected components of a block: what touches, voxel to voxel, and is of one class.

With holes to be filled, those of the background too, in the connectivity that is dual to that of the objects:
what is connected along diagonals on one side of a surface must not be on the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import cc3d
import numpy as np
from numpy.typing import NDArray

from pickem.acquisition import UNLABELLED
from pickem.errors import VolumeFormatError
from pickem.geometry import Box, Shape3
from pickem.volumes import Volume

Connectivity = Literal[6, 18, 26]  # voxels are connected by faces; by edges too; by corners too
Holes = Literal["keep", "fill"]
MOST_CLASSES = 64  # an image with more values is taken for grey values, or for objects
BACKGROUND = 0

_DUAL: dict[Connectivity, Connectivity] = {6: 26, 18: 6, 26: 6}


@dataclass(frozen=True)
class Components:
    """`labels` (z, y, x) uint32: 1 … `count`, each a component; 0 = of no interest.

    `classes` (count + 1,): the class of each, 0 for components of the background.
    `open` (count + 1,): of the background, and the unlabelled is among it, so that it is no hole.
    """

    labels: NDArray[np.uint32]
    classes: NDArray[np.uint16]
    open: NDArray[np.bool_]

    @property
    def count(self) -> int:
        """How many components there are."""
        return len(self.classes) - 1


def read_classes(volume: Volume, box: Box) -> NDArray[Any]:
    """The values of a label image in a box, as unsigned integers.

    Raises VolumeFormatError for negative values, and as reading does.
    """
    voxels = volume.read(box)
    if voxels.dtype.kind == "b":
        return voxels.astype(np.uint8)
    if voxels.dtype.kind == "i":
        if voxels.min() < 0:
            raise VolumeFormatError(
                f"{volume.source} is not a label image.",
                got=f"the value {voxels.min()} in {_placed(box)}",
                expected="0 for background, 1 and more for classes",
            )
        return voxels.view(f"u{voxels.dtype.itemsize}")
    return voxels


def check_label_image(volume: Volume) -> None:
    """Raise VolumeFormatError for an image whose type cannot be that of a label image."""
    if volume.dtype.kind == "f":
        raise VolumeFormatError(
            f"{volume.source} is not a label image.",
            got=f"{volume.dtype}: grey values or probabilities",
            expected="whole numbers: 0 for background, 1 and more for classes",
            todo="give the segmentation; of probabilities, cut them at 0.5 first",
        )


def label_block(
    voxels: NDArray[Any], connectivity: Connectivity, holes: Holes, place: str = "the image"
) -> Components:
    """The components of a label image (z, y, x) of unsigned integers; in uint8, 255 is not labelled.

    The same voxels always give the same labels. `place` is named in the VolumeFormatError that is raised for
    more than MOST_CLASSES values.
    """
    voxels = np.ascontiguousarray(voxels)
    unlabelled = voxels == UNLABELLED if voxels.dtype == np.uint8 else None
    if unlabelled is not None and unlabelled.any():
        voxels = np.where(unlabelled, np.uint8(BACKGROUND), voxels)
    else:
        unlabelled = None
    labels, count = _connected(voxels, connectivity)
    classes = _class_of_each(labels, voxels, count)
    _check_classes(classes, place)
    if holes == "keep":
        return Components(labels, classes, np.zeros(count + 1, np.bool_))
    background = voxels == BACKGROUND
    gaps, found = _connected(background.view(np.uint8), _DUAL[connectivity])
    np.add(gaps, np.uint32(count), out=labels, where=background)
    opened = np.zeros(count + found + 1, np.bool_)
    if unlabelled is not None:
        opened[labels[unlabelled]] = True
    return Components(labels, np.append(classes, np.zeros(found, np.uint16)), opened)


def touching(labels: NDArray[np.uint32], box: Box, shape: Shape3, count: int) -> NDArray[np.bool_]:
    """(count + 1,): which components touch the border of a volume of this shape; `labels` fill `box`.

    An axis along which the volume has a single voxel has no border.
    """
    found = np.zeros(count + 1, np.bool_)
    for axis, (start, stop, length) in enumerate(zip(box.start, box.stop, shape, strict=True)):
        ends = [0] * (start == 0) + [-1] * (stop == length)
        for end in ends if length > 1 else ():
            found[labels.take(end, axis=axis)] = True
    return found


def _connected(voxels: NDArray[Any], connectivity: Connectivity) -> tuple[NDArray[np.uint32], int]:
    """Labels and their number. `voxels` are contiguous, and not of type bool: cc3d 4.1.1 reads other voxels
    of views, and refuses some arrays of bool, where an axis has length 1."""
    labels, count = cc3d.connected_components(
        voxels, connectivity=connectivity, out_dtype=np.uint32, return_N=True
    )
    return labels.astype(np.uint32, copy=False), count


def _class_of_each(labels: NDArray[np.uint32], voxels: NDArray[Any], count: int) -> NDArray[np.uint16]:
    classes = np.zeros(count + 1, np.uint16)
    for section, values in zip(labels, voxels, strict=True):
        first = np.empty(section.shape, np.bool_)  # of a run along x; a component has one at least
        first[:, 0] = True
        np.not_equal(section[:, 1:], section[:, :-1], out=first[:, 1:])
        classes[section[first]] = values[first]
    return classes


def _check_classes(classes: NDArray[np.uint16], place: str) -> None:
    values = np.unique(classes)
    if len(values) > MOST_CLASSES + 1:
        raise VolumeFormatError(
            f"{place} is not a label image of classes.",
            got=f"{len(values)} values, from {values[0]} to {values[-1]}: grey values, or objects already",
            expected=f"at most {MOST_CLASSES} classes; 0 for background",
            todo="give the segmentation, not the image itself",
        )


def _placed(box: Box) -> str:
    return f"the voxels from {box.start} to {box.stop}"
