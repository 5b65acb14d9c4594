"""The grey values of a volume at a glance, from a block in its middle."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pickem.geometry import Box, Shape3
from pickem.volumes.volume import Volume

_BLOCK: Shape3 = (8, 512, 512)  # at most; a few megabytes, read in a second from an address too
_SHARES = (0.0, 0.01, 0.5, 0.99, 1.0)


@dataclass(frozen=True)
class GreyValues:
    """Grey values in `box`: the least, that below which 1 % lie, the median, 99 %, the greatest."""

    box: Box
    quantiles: tuple[float, float, float, float, float] | None  # None where no voxel is a finite number
    not_finite: int  # voxels that are NaN or infinite; not counted in the quantiles


def sample_grey_values(volume: Volume) -> GreyValues:
    """Read a block in the middle of `volume`. Raises what `volume.read` raises."""
    box = _middle(volume.shape)
    voxels = volume.read(box).ravel()
    finite = voxels[np.isfinite(voxels)]
    if not finite.size:
        return GreyValues(box, None, voxels.size)
    finite.sort()
    least, low, median, high, greatest = (float(finite[round(s * (finite.size - 1))]) for s in _SHARES)
    return GreyValues(box, (least, low, median, high, greatest), voxels.size - finite.size)


def _middle(shape: Shape3) -> Box:
    (z0, z1), (y0, y1), (x0, x1) = (
        ((n - min(n, most)) // 2, (n + min(n, most)) // 2) for n, most in zip(shape, _BLOCK, strict=True)
    )
    return Box((z0, y0, x0), (z1, y1, x1))
