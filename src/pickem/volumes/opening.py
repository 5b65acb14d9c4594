"""One door for every format: a path in, a Volume out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pickem.errors import VolumeFormatError, VolumeNotFoundError
from pickem.volumes.png import read_png
from pickem.volumes.sections import PNG_ENDINGS, SectionFolder
from pickem.volumes.tiff import TIFF_ENDINGS, open_tiff
from pickem.volumes.volume import ArrayVolume, Volume, VoxelSize

Opener = Callable[[Path, VoxelSize | None], Volume]


def _open_png(path: Path, voxel_size: VoxelSize | None) -> Volume:
    return ArrayVolume(read_png(path), voxel_size, str(path))


OPENERS: dict[str, Opener] = dict.fromkeys(TIFF_ENDINGS, open_tiff) | dict.fromkeys(PNG_ENDINGS, _open_png)


def open_volume(path: Path | str, voxel_size: VoxelSize | None = None) -> Volume:
    """Open a TIFF file or stack, a PNG image, or a folder with a TIFF or PNG file for each section.

    Reads headers and no voxels (a single PNG excepted, whose voxels cannot be had in part), so it is safe to
    call on a volume of any size. `voxel_size` (nm, axes z, y, x) overrides what the file says.

    Raises VolumeNotFoundError where nothing lies at `path` and VolumeFormatError for what is no grey volume.
    """
    path = Path(path)
    if path.is_dir():
        return SectionFolder(path, voxel_size)
    if not path.exists():
        raise VolumeNotFoundError("There is no such image.", got=path, todo="check the path")
    opener = OPENERS.get(path.suffix.lower())
    if opener is None:
        raise VolumeFormatError(
            "This is no image format that pickem reads.",
            got=path,
            expected=f"a file ending in {', '.join(OPENERS)}, or a folder of such files",
        )
    return opener(path, voxel_size)
