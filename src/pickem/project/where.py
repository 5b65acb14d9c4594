"""Where in a volume may be looked: a mask that a person gave, read under the patches that are asked about.

What is not 0 in the mask may be looked at, and a patch may be served where that holds for half of its pixels
or more. The mask lies on the volume's own grid, or on a coarser one that divides it evenly along each axis,
so one section may stand for all of them.

A random draw asks about patch after patch until it has enough. Where the mask allows next to nothing of a
huge volume, it ends after MOST_ASKED with what it has found.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pickem.errors import InvalidMaskError
from pickem.geometry import Box, PatchId, Shape3, random_patches, whole
from pickem.project.images import READ_WHOLE
from pickem.volumes import Volume, read_by_section
from pickem.volumes.hdf5 import split_location

LEAST_INSIDE = 0.5  # of a patch's pixels
MOST_ASKED = 20_000  # patches a draw
ASKED_AT_ONCE = 256  # patches, so that they can be asked about section by section


class Where:
    """A mask of a volume that has `shape` on disk and is seen with `factor` × `factor` pixels as one.

    Raises InvalidMaskError where the mask's grid does not divide the volume's.
    """

    def __init__(self, mask: Volume, shape: Shape3, factor: int = 1) -> None:
        if any(fine % coarse for fine, coarse in zip(shape, mask.shape, strict=True)):
            raise InvalidMaskError(
                "The mask does not have the shape of the volume.",
                got=f"{mask.source}: {mask.shape}",
                expected=f"{shape}, or a coarser grid that divides it evenly",
            )
        self._mask = read_by_section(mask)
        self._voxel = tuple(fine // coarse for fine, coarse in zip(shape, mask.shape, strict=True))
        self._factor = factor

    def allows(self, patch: PatchId) -> bool:
        """Whether half or more of a patch of the working grid may be looked at."""
        _, y_voxel, x_voxel = self._voxel
        z = patch.z // self._voxel[0]
        top, rows = self._under(patch.y, patch.height, y_voxel)
        left, columns = self._under(patch.x, patch.width, x_voxel)
        allowed = self._read(Box((z, top, left), (z + 1, top + len(rows), left + len(columns))))[0]
        return float(rows @ allowed @ columns) >= LEAST_INSIDE * float(rows.sum() * columns.sum())

    @cached_property
    def fingerprint(self) -> str:
        """Another one where the mask is another: of a small one, what it allows; of a large one, how long its
        files are and when they were written, and nothing at an address."""
        if whole(self._mask.shape).size <= READ_WHOLE:
            content = str(self._mask.shape).encode() + np.packbits(self._whole).tobytes()
        else:
            content = _last_written(self._mask.source).encode()
        return hashlib.sha256(content).hexdigest()

    def _under(self, start: int, length: int, voxel: int) -> tuple[int, NDArray[np.float64]]:
        """First row (or column) of the mask under some of the working grid, and how many pixels of the
        volume lie over each of them."""
        under = np.arange(start * self._factor, (start + length) * self._factor) // voxel
        return int(under[0]), np.bincount(under - under[0]).astype(np.float64)

    def _read(self, box: Box) -> NDArray[np.bool_]:
        if whole(self._mask.shape).size <= READ_WHOLE:
            return self._whole[box.slices]
        return _is_set(self._mask.read(box))

    @cached_property
    def _whole(self) -> NDArray[np.bool_]:
        return _is_set(self._mask.read(whole(self._mask.shape)))


Masks = Mapping[str, Where]  # by the name of the volume; a volume without one may be looked at everywhere


def inside(patches: Iterable[PatchId], masks: Masks) -> list[PatchId]:
    """Those of `patches` that the masks allow, in their order; a section of a mask is read once."""
    given = list(patches)
    if not masks:
        return given
    allowed = {p for p in sorted(given) if p.volume not in masks or masks[p.volume].allows(p)}
    return [patch for patch in given if patch in allowed]


def patches_anywhere(
    shapes: Mapping[str, Shape3], size: int, count: int, rng: np.random.Generator, masks: Masks
) -> list[PatchId]:
    """Up to `count` distinct patches at uniformly random positions that the masks allow, in random order."""
    regions = [(name, whole(shape)) for name, shape in shapes.items()]
    if not masks:
        return random_patches(regions, count, size, size, rng)
    found: dict[PatchId, None] = {}
    asked, batch = 0, max(count, ASKED_AT_ONCE)
    while count and len(found) < count and asked < MOST_ASKED:
        patches: Sequence[PatchId] = random_patches(regions, batch, size, size, rng)
        found |= dict.fromkeys(inside(patches, masks))
        asked += batch
        if len(patches) < batch:  # those were all
            break
    return list(found)[:count]


def _last_written(source: str) -> str:
    """How long the files of a mask are, and when each was written."""
    path, _ = split_location(Path(source))
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    found = [(file.relative_to(path), file.stat()) for file in files if file.is_file()]
    return str([(str(name), status.st_size, status.st_mtime_ns) for name, status in found])


def _is_set(mask: NDArray[np.generic]) -> NDArray[np.bool_]:
    numbers = np.nan_to_num(mask) if mask.dtype.kind == "f" else mask
    return np.asarray(numbers != 0)
