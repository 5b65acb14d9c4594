"""The grey values and labels of a dataset's regions, in memory, by volume name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pickem.datasets import LabelledRegion
from pickem.errors import VolumeFormatError
from pickem.geometry import Box, PatchId
from pickem.learning.surroundings import read_with_context


class ImageSource(Protocol):
    """Where the grey values of patches come from: memory, or a volume on disk."""

    def images(self, patches: Sequence[PatchId], context: int = 0) -> NDArray[np.generic]:
        """Grey values (n, h + 2 context, w + 2 context) of patches of one size with what surrounds them.

        For a network of several channels (n, channels, …, …): sections around that of the patch.
        """


@dataclass(frozen=True)
class LoadedRegion:
    """A region read into memory: `images` and `labels` have the shape of `box` (z, y, x).

    sections: an odd number; so many does a network see at once, the one it segments in the middle.
    """

    volume: str
    box: Box
    images: NDArray[np.generic]
    labels: NDArray[np.uint8]
    sections: int = 1

    @classmethod
    def read(cls, region: LabelledRegion, sections: int = 1) -> LoadedRegion:
        """Read all voxels of the region. Raises VolumeFormatError for grey values that are not finite, or all
        the same."""
        images = region.image.read(region.region)
        if images.dtype.kind == "f" and not np.isfinite(images).all():
            raise VolumeFormatError(
                "The image holds values that are not finite numbers.",
                got=f"NaN or infinity in {region.image.source}",
                expected="finite grey values",
                todo="replace them, for example by the mean of their surroundings",
            )
        if images.min() == images.max():
            raise VolumeFormatError(
                "The image has one value throughout: there is nothing to see in it.",
                got=f"{images.min()} everywhere in {_place(region)}",
                expected="an image",
                todo="look at the file; an export or a conversion may have gone wrong",
            )
        labels = np.asarray(region.labels.read(region.region), dtype=np.uint8)
        return cls(region.volume, region.region, images, labels, sections)

    def seen(self, patch: PatchId, context: int = 0) -> NDArray[np.generic]:
        """What a network sees of a patch: see `read_with_context`; it never looks beyond the region."""
        return read_with_context(self.read_images, patch, context, self.box, self.sections)

    def plane(self, section: int) -> NDArray[np.generic]:
        """What a network sees of a whole section, counted from the region's first."""
        (z, y, x), (_, height, width) = self.box.start, self.box.shape
        return self.seen(PatchId(self.volume, z + section, y, x, height, width))

    def read_images(self, box: Box) -> NDArray[np.generic]:
        """Grey values of a box inside the region's."""
        return self.images[box.relative_to(self.box.start).slices]

    def read_labels(self, box: Box) -> NDArray[np.uint8]:
        """Labels of a box inside the region's."""
        return self.labels[box.relative_to(self.box.start).slices]


def _place(region: LabelledRegion) -> str:
    start, stop = region.region.start, region.region.stop
    return f"voxels {start} to {stop} of {region.image.source}"


class Regions:
    """Several loaded regions; a patch is looked up in the region of its volume that contains it.

    sections: see LoadedRegion.
    """

    def __init__(self, regions: Iterable[LabelledRegion], sections: int = 1) -> None:
        self.loaded = tuple(LoadedRegion.read(region, sections) for region in regions)

    def images(self, patches: Sequence[PatchId], context: int = 0) -> NDArray[np.generic]:
        """See ImageSource; regions end in mirrors."""
        return np.stack([self._find(patch).seen(patch, context) for patch in patches])

    def windows(self, patches: Sequence[PatchId]) -> NDArray[np.generic]:
        """Grey values (n, h, w) of patches of one size, without anything around them."""
        return np.stack([self._find(patch).read_images(patch.box)[0] for patch in patches])

    def labels(self, patches: Sequence[PatchId]) -> NDArray[np.uint8]:
        """True class indices (n, h, w) of patches of one size, 255 = not labelled."""
        homes = map(self._find, patches)
        return np.stack([home.read_labels(patch.box)[0] for patch, home in zip(patches, homes, strict=True)])

    def _find(self, patch: PatchId) -> LoadedRegion:
        return next(r for r in self.loaded if r.volume == patch.volume and r.box.contains(patch.box))
