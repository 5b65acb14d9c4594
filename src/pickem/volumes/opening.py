"""One door for every format: a path or an address in, a Volume out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pickem.errors import VolumeFormatError, VolumeNotFoundError
from pickem.volumes.hdf5 import HDF5_ENDINGS, Hdf5Volume, split_location
from pickem.volumes.mrc import MRC_ENDINGS, MrcVolume
from pickem.volumes.numpy_file import NUMPY_ENDINGS, NumpyVolume
from pickem.volumes.ome_zarr import ZarrVolume, is_zarr_folder
from pickem.volumes.png import read_png
from pickem.volumes.sections import PNG_ENDINGS, SectionFolder
from pickem.volumes.tiff import TIFF_ENDINGS, open_tiff
from pickem.volumes.volume import ArrayVolume, Volume, VoxelSize, missing
from pickem.volumes.zarr_storage import is_url


@dataclass(frozen=True)
class Format:
    """A format by the name that people know it by, with its opener."""

    name: str
    open: Callable[[str, VoxelSize | None], Volume]
    endings: tuple[str, ...] = ()  # of file names, in lower case


def _open_png(path: Path, voxel_size: VoxelSize | None) -> Volume:
    return ArrayVolume(read_png(path), voxel_size, str(path))


def _file(name: str, endings: tuple[str, ...], opener: Callable[[Path, VoxelSize | None], Volume]) -> Format:
    return Format(name, lambda location, voxel_size: opener(Path(location), voxel_size), endings)


ZARR = Format("Zarr", ZarrVolume)
SECTIONS = _file("folder of sections", (), SectionFolder)
FILES = (
    _file("TIFF", TIFF_ENDINGS, open_tiff),
    _file("PNG", PNG_ENDINGS, _open_png),
    _file("HDF5", HDF5_ENDINGS, Hdf5Volume),
    _file("MRC", MRC_ENDINGS, MrcVolume),
    _file("NumPy", NUMPY_ENDINGS, NumpyVolume),
)


def open_volume(location: Path | str, voxel_size: VoxelSize | None = None) -> Volume:
    """Open a volume in any format; docs/how-to/volumes.md lists them.

    `location` is a path, `file.h5:/dataset`, or the address of a Zarr array (http, https, s3, gs). Reads
    headers and no voxels (a single PNG excepted, whose voxels cannot be had in part), so it is safe to call
    on a volume of any size. `voxel_size` (nm, axes z, y, x) overrides what the file says.

    Raises VolumeNotFoundError where nothing lies or answers at `location`, and VolumeFormatError for what is
    no grey volume.
    """
    try:
        return recognise(location).open(str(location), voxel_size)
    except PermissionError as error:
        raise VolumeNotFoundError(
            "The image may not be read.", got=error, todo="ask for permission to read it"
        ) from error


def recognise(location: Path | str) -> Format:
    """The format of what lies at `location`, by its name and, for folders, by what is in it. Raises as
    `open_volume` does."""
    if is_url(str(location)):
        return _recognise_url(str(location))
    path, _ = split_location(Path(location))
    if path.is_dir():
        return ZARR if path.suffix.lower() == ".zarr" or is_zarr_folder(path) else SECTIONS
    if not path.exists():
        raise missing(path)
    found = _by_ending(path.name)
    if found is None:
        raise VolumeFormatError(
            "This is no image format that pickem reads.",
            got=path,
            expected=f"a file ending in {', '.join(ending for file in FILES for ending in file.endings)}; "
            "a folder of TIFF or PNG files, or a Zarr folder",
        )
    return found


def _recognise_url(url: str) -> Format:
    if _by_ending(url) is not None:
        raise VolumeFormatError(
            "Only Zarr can be read from an address, in parts as they are needed.",
            got=url,
            expected="the address of a Zarr group or array",
            todo="download the file, and give its path",
        )
    return ZARR


def _by_ending(name: str) -> Format | None:
    return next((file for file in FILES if name.lower().endswith(file.endings)), None)
