"""Reading grey values of patches from a project's volumes, with or without their surroundings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from pickem.geometry import Box, PatchId, whole
from pickem.learning.surroundings import read_with_context
from pickem.volumes import Volume

READ_WHOLE = 2**26  # voxels; volumes up to this size are not sampled
SAMPLE_SECTIONS = 8
SAMPLE_SIDE = 512  # pixels


class PatchImages:
    """The volumes of a project, by name."""

    def __init__(self, volumes: Mapping[str, Volume]) -> None:
        self.volumes = dict(volumes)

    def images(self, patches: Sequence[PatchId], context: int = 0) -> NDArray[np.generic]:
        """As `grey_values`. Values that are not numbers become 0."""
        return _finite(self.grey_values(patches, context))

    def grey_values(
        self, patches: Sequence[PatchId], context: int = 0, sections: int = 1
    ) -> NDArray[np.generic]:
        """Grey values (n, h + 2 context, w + 2 context) of patches of one size; volumes end in mirrors.

        Of several `sections`, an odd number with the patch's own in the middle: (n, sections, …, …).
        """
        homes = [self.volumes[patch.volume] for patch in patches]
        return np.stack(
            [
                read_with_context(home.read, patch, context, whole(home.shape), sections)
                for patch, home in zip(patches, homes, strict=True)
            ]
        )

    def surroundings(self, patch: PatchId, margin: int, dz: int) -> tuple[NDArray[np.generic], Box]:
        """Grey values (h, w) of a patch with up to `margin` pixels around it, `dz` sections further on, and
        the box they fill. The box is cut at the volume's border."""
        volume = self.volumes[patch.volume]
        box = patch.box.grow((0, margin, margin), whole(volume.shape))
        box = Box((patch.z + dz, *box.start[1:]), (patch.z + dz + 1, *box.stop[1:]))
        return _finite(volume.read(box)[0]), box

    def sections_around(self, patch: PatchId) -> tuple[int, int]:
        """How many sections lie before and behind a patch: (−before, behind)."""
        return -patch.z, self.volumes[patch.volume].shape[0] - 1 - patch.z

    def samples(self) -> list[NDArray[np.generic]]:
        """Enough of each volume to know its grey values: all of a small one, windows of a large one."""
        return [_finite(sample) for volume in self.volumes.values() for sample in _windows(volume)]


def _windows(volume: Volume) -> list[NDArray[np.generic]]:
    sections, height, width = volume.shape
    if sections * height * width <= READ_WHOLE:
        return [volume.read(whole(volume.shape))]
    top, left = max(0, (height - SAMPLE_SIDE) // 2), max(0, (width - SAMPLE_SIDE) // 2)
    planes = np.unique(np.linspace(0, sections - 1, SAMPLE_SECTIONS).round().astype(int))
    return [
        volume.read(
            Box((z, top, left), (z + 1, min(height, top + SAMPLE_SIDE), min(width, left + SAMPLE_SIDE)))
        )
        for z in planes.tolist()
    ]


def _finite(image: NDArray[np.generic]) -> NDArray[np.generic]:
    return np.nan_to_num(image, nan=0.0, posinf=0.0, neginf=0.0) if image.dtype.kind == "f" else image
