"""How many sections a network should see at once: those beside its own too, where they lie close enough.

Three sections, that before and that behind as channels of the input, gain on isotropic volumes and nothing
where sections are ten pixels apart (docs/results/fewer-labels.md). In between nothing was measured.
"""

from __future__ import annotations

from pickem.volumes import VoxelSize

SEEN = 3  # where neighbours lie close
CLOSE = 3.0  # pixels; between the two spacings that were measured, 1 and 10 pixels, on a scale of ratios


def sections_to_see(voxel_size: VoxelSize | None) -> int:
    """For a voxel size (z, y, x) in nm as the network sees it; 1 where it is not known."""
    if voxel_size is None:
        return 1
    z, y, x = voxel_size
    return SEEN if z <= CLOSE * max(y, x) else 1
