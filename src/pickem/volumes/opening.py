"""One door for every format: a path or an address in, a Volume out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pickem.errors import VolumeFormatError, VolumeNotFoundError
from pickem.volumes.chunk_storage import format_before, has_file, is_url
from pickem.volumes.hdf5 import HDF5_ENDINGS, Hdf5Volume, split_location
from pickem.volumes.mrc import MRC_ENDINGS, MrcVolume
from pickem.volumes.n5 import N5_FILES, open_n5
from pickem.volumes.numpy_file import NUMPY_ENDINGS, NumpyVolume
from pickem.volumes.ome_zarr import ZARR_FILES, is_zarr_folder, open_zarr
from pickem.volumes.png import read_png
from pickem.volumes.precomputed import INFO, is_precomputed_folder, open_precomputed
from pickem.volumes.sections import PNG_ENDINGS, SectionFolder
from pickem.volumes.tiff import TIFF_ENDINGS, open_tiff
from pickem.volumes.volume import ArrayVolume, Volume, VoxelSize, missing


@dataclass(frozen=True)
class Format:
    """A format by the name that people know it by, with its opener."""

    name: str
    open: Callable[[str, VoxelSize | None], Volume]
    endings: tuple[str, ...] = ()  # of the names of its files or folders, in lower case


def _open_png(path: Path, voxel_size: VoxelSize | None) -> Volume:
    return ArrayVolume(read_png(path), voxel_size, str(path))


def _file(name: str, endings: tuple[str, ...], opener: Callable[[Path, VoxelSize | None], Volume]) -> Format:
    return Format(name, lambda location, voxel_size: opener(Path(location), voxel_size), endings)


ZARR = Format("Zarr", open_zarr, (".zarr",))
N5 = Format("N5", open_n5, (".n5",))
PRECOMPUTED = Format("neuroglancer precomputed", open_precomputed)
BEFORE_ADDRESSES = {"zarr": ZARR, "n5": N5, "precomputed": PRECOMPUTED}
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

    `location` is a path, `file.h5:/dataset`, or the address of an image in chunks, Zarr, N5 or
    precomputed (http, https, s3, gs). Reads
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
    if "://" in str(location):
        raise VolumeNotFoundError(
            "This is no address that pickem reads.",
            got=location,
            expected="https://, http://, s3:// or gs://, also after zarr://, n5:// or precomputed://",
            todo="give the path, where it is a file or a folder",
        )
    path, _ = split_location(Path(location))
    if path.is_dir():
        return _recognise_folder(path)
    if not path.exists():
        raise missing(path)
    found = _by_ending(path.name)
    if found is None:
        raise VolumeFormatError(
            "This is no image format that pickem reads.",
            got=path,
            expected=f"a file ending in {', '.join(ending for file in FILES for ending in file.endings)}; "
            "a folder of TIFF or PNG files, or a Zarr, N5 or precomputed folder",
        )
    return found


def _recognise_folder(path: Path) -> Format:
    """By its name, by what is in it, and last by the folders that it is in: groups of N5 may hold no file."""
    named = _named([path.name])
    if named is not None:
        return named
    if is_zarr_folder(path):
        return ZARR
    if any((path / name).exists() for name in N5_FILES):
        return N5
    if is_precomputed_folder(path):
        return PRECOMPUTED
    within = _named(path.absolute().parent.parts)
    return SECTIONS if within is None or any(entry.is_file() for entry in path.iterdir()) else within


def _recognise_url(url: str) -> Format:
    """By the format before the address, by the name, and last by the files that answer."""
    before = format_before(url)
    if before is not None:
        return BEFORE_ADDRESSES[before]
    if _by_ending(url) is not None:
        raise VolumeFormatError(
            "Only Zarr, N5 and precomputed images can be read from an address, in parts as they are needed.",
            got=url,
            expected="the address of a Zarr group or array, an N5 dataset, or a precomputed image",
            todo="download the file, and give its path",
        )
    found = _named(url.rstrip("/").split("/")) or _answering(url)
    if found is None:
        raise VolumeNotFoundError(
            "There is no image in chunks at this address.",
            got=url,
            expected=f"one of {', '.join((*ZARR_FILES, INFO, *N5_FILES))} under it",
            todo="check the address, and the permission to read it",
        )
    return found


def _answering(url: str) -> Format | None:
    for form, names in ((ZARR, ZARR_FILES), (PRECOMPUTED, (INFO,)), (N5, N5_FILES)):
        if any(has_file(url, name) for name in names):
            return form
    return None


def _named(parts: Sequence[str]) -> Format | None:
    """The format of the folder that is named last among these, of those with an ending."""
    for part in reversed(parts):
        for form in (ZARR, N5):
            if part.lower().endswith(form.endings):
                return form
    return None


def _by_ending(name: str) -> Format | None:
    return next((file for file in FILES if name.lower().endswith(file.endings)), None)
