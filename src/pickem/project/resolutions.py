"""Which working resolutions a new project can choose from, and a picture of what a patch shows at each.

The same places at every resolution, one below the other: the coarser the pixels, the more a patch shows.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pickem.durable import write_durably
from pickem.errors import ConfigError
from pickem.geometry import PatchId
from pickem.project.candidates import Candidates
from pickem.project.images import PatchImages
from pickem.project.where import Where
from pickem.volumes import Rescaled, Volume, rescale_factor

USUAL = 5.0  # nm a pixel; the published networks for mitochondria and synapses see 4.6 and 5
PLACES = 4
INCH = 1.9  # width of a place in the picture
DPI = 150


@dataclass(frozen=True)
class Offer:
    """Resolutions to choose from, nm a pixel, finest first: the volumes' own, then coarser ones."""

    resolutions: tuple[float, ...]
    usual: float  # the one nearest to USUAL


def offer(volumes: Mapping[str, Volume], patch: int) -> Offer | None:
    """What there is to choose from, by volume; None where there is no choice.

    That is where a voxel size is not known, the pixels are not square, or a patch of `patch` × `patch` pixels
    fits in at the finest resolution alone.
    """
    try:
        usual = max(rescale_factor(volume.voxel_size, USUAL) for volume in volumes.values())
        own = min(volume.voxel_size[1] for volume in volumes.values() if volume.voxel_size)
    except ConfigError:
        return None
    sizes = [own * factor for factor in sorted({1, usual, 2 * usual, 4 * usual})]
    fitting = [float(f"{nm:.4g}") for nm in sizes if fits(volumes, nm, patch)]
    if len(fitting) < 2:
        return None
    return Offer(tuple(fitting), min(fitting, key=lambda nm: abs(np.log(nm / max(own, USUAL)))))


def fits(volumes: Mapping[str, Volume], resolution: float, patch: int) -> bool:
    """Whether a patch fits into every volume at a resolution, nm a pixel."""
    coarse = [Rescaled(v, rescale_factor(v.voxel_size, resolution)) for v in volumes.values()]
    return all(min(volume.shape[1:]) >= patch for volume in coarse)


def write_resolutions(
    path: Path,
    volumes: Mapping[str, Volume],
    masks: Mapping[str, Volume],
    resolutions: tuple[float, ...],
    patch: int,
    rng: np.random.Generator,
) -> None:
    """A PNG at `path` of a few places inside the masks at each of the resolutions, the coarsest last."""
    coarsest = {n: Rescaled(v, rescale_factor(v.voxel_size, resolutions[-1])) for n, v in volumes.items()}
    where = {n: Where(mask, volumes[n].shape, coarsest[n].factor) for n, mask in masks.items()}
    shapes = {name: volume.shape for name, volume in coarsest.items()}
    places = Candidates(shapes, patch, [], 0, where).draw(PLACES, rng)
    rows = []
    for nm in resolutions:
        seen = {n: Rescaled(v, rescale_factor(v.voxel_size, nm)) for n, v in volumes.items()}
        windows = [_window(place, coarsest[place.volume], seen[place.volume]) for place in places]
        rows.append(PatchImages(seen).images(windows).astype(np.float32))
    write_durably(path, _drawn(rows, [_title(nm, patch) for nm in resolutions]))


def _window(place: PatchId, coarse: Rescaled, fine: Rescaled) -> PatchId:
    """A patch of the same size in the middle of `place`, seen on a finer grid."""
    ratio, size = coarse.factor / fine.factor, place.height
    y, x = (round((start + size / 2) * ratio - size / 2) for start in (place.y, place.x))
    return PatchId(place.volume, place.z, y, x, size, size)


def _title(nm: float, patch: int) -> str:
    nm_wide = nm * patch
    width = f"{nm_wide / 1000:.2g} µm" if nm_wide >= 1000 else f"{nm_wide:.0f} nm"
    return f"{nm:g} nm a pixel: a patch is {width} wide"


def _drawn(rows: list[NDArray[np.float32]], titles: list[str]) -> bytes:
    """A PNG of a row of images (n, h, w) below each title, grey values scaled for each column."""
    from matplotlib.figure import Figure  # here, as few commands draw and it takes long to load

    columns = len(rows[0])
    figure = Figure(figsize=(INCH * columns, (INCH + 0.3) * len(rows)), layout="constrained")
    ranges = [np.percentile([row[column] for row in rows], [0.5, 99.5]) for column in range(columns)]
    parts = figure.subfigures(len(rows), 1, squeeze=False)[:, 0]
    for part, images, title in zip(parts, rows, titles, strict=True):
        part.suptitle(title, fontsize=9)
        axes = part.subplots(1, columns, squeeze=False)[0]
        for axis, image, (low, high) in zip(axes, images, ranges, strict=True):
            axis.imshow(image, cmap="gray", vmin=low, vmax=high, interpolation="nearest")
            axis.set_axis_off()
    png = io.BytesIO()
    figure.savefig(png, format="png", dpi=DPI)
    return png.getvalue()
