"""Opening reads no voxels and a read touches its box alone; what changed since is an error, never zeros.

The huge volumes are files with holes: more voxels than fit in any memory, on a few kilobytes of disk.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import h5py
import mrcfile
import numpy as np
import pytest
import zarr

from pickem.errors import VolumeFormatError, VolumeNotFoundError
from pickem.geometry import Box
from pickem.volumes import open_volume
from tests.contract.volume_writers import WRITERS

HUGE = (8_000, 4_096, 4_096)  # 134 GB of bytes
CORNER = Box((7_999, 4_090, 4_080), HUGE)
MARK = np.arange(CORNER.size, dtype=np.uint8).reshape(CORNER.shape) % 100 + 1


def _npy(folder: Path) -> Path:
    array = np.lib.format.open_memmap(folder / "huge.npy", mode="w+", dtype=np.uint8, shape=HUGE)
    array[CORNER.slices] = MARK
    return folder / "huge.npy"


def _mrc(folder: Path) -> Path:
    with mrcfile.new_mmap(folder / "huge.mrc", HUGE, mrc_mode=0) as file:
        file.data[CORNER.slices] = MARK
    return folder / "huge.mrc"


def _hdf5(folder: Path) -> Path:
    with h5py.File(folder / "huge.h5", "w") as file:
        file.create_dataset("raw", shape=HUGE, dtype=np.uint8, chunks=(1, 64, 64))[CORNER.slices] = MARK
    return folder / "huge.h5"


def _zarr(zarr_format: int) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        array = zarr.create_array(
            folder / "huge.zarr", shape=HUGE, chunks=(64, 64, 64), dtype=np.uint8, zarr_format=zarr_format
        )
        array[CORNER.slices] = MARK
        return folder / "huge.zarr"

    return write


@pytest.mark.parametrize(
    "write", [_npy, _mrc, _hdf5, _zarr(2), _zarr(3)], ids=["npy", "MRC", "HDF5", "Zarr 2", "Zarr 3"]
)
def test_a_volume_larger_than_memory_opens_and_gives_a_box(
    tmp_path: Path, write: Callable[[Path], Path]
) -> None:
    volume = open_volume(write(tmp_path))
    assert volume.shape == HUGE
    np.testing.assert_array_equal(volume.read(CORNER), MARK)
    middle = Box((4_000, 2_000, 2_000), (4_002, 2_064, 2_064))
    assert not volume.read(middle).any()  # never written: zeros in every format


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_damage_in_one_chunk_leaves_the_others_readable(tmp_path: Path, zarr_format: int) -> None:
    path = tmp_path / "a.zarr"
    voxels = np.arange(8 * 8 * 8, dtype=np.uint16).reshape(8, 8, 8)
    zarr.create_array(path, data=voxels, chunks=(4, 8, 8), zarr_format=zarr_format)
    volume = open_volume(path)
    chunk = path / ("1.0.0" if zarr_format == 2 else "c/1/0/0")
    chunk.write_bytes(chunk.read_bytes()[:10])
    np.testing.assert_array_equal(volume.read(Box((0, 0, 0), (4, 8, 8))), voxels[:4])
    with pytest.raises(VolumeFormatError, match=r"a\.zarr"):
        volume.read(Box((3, 0, 0), (5, 8, 8)))


FILES = ["tiff stack", "ImageJ stack", "folder of png", "npy", "HDF5", "MRC"]
FOLDERS = [
    *("Zarr 2", "Zarr 3, sharded", "OME-Zarr 0.4", "OME-Zarr 0.5"),
    *("N5", "N5, several levels", "precomputed", "precomputed, gzip"),
]
BOX = Box((1, 2, 3), (4, 20, 30))


@pytest.mark.parametrize("name", FILES + FOLDERS)
def test_a_volume_that_vanished_after_opening_is_not_found(tmp_path: Path, name: str) -> None:
    written = WRITERS[name](tmp_path)
    volume = open_volume(written.location)
    volume.read(BOX)
    shutil.rmtree(tmp_path)
    with pytest.raises(VolumeNotFoundError):
        volume.read(BOX)


@pytest.mark.parametrize("name", ["N5", "precomputed", "precomputed, gzip", "precomputed, gzip copied"])
def test_a_chunk_that_was_never_written_is_zero(tmp_path: Path, name: str) -> None:
    """Neither format has a fill value, nor need empty chunks be there."""
    written = WRITERS[name](tmp_path)
    chunks = [path for path in sorted(Path(written.location).rglob("*")) if path.is_file()]
    chunk = next(path for path in chunks if path.name.split(".")[0] in ("1", "21-36_7-23_11-15"))
    chunk.unlink()
    read = open_volume(written.location).read(Box((0, 0, 0), written.voxels.shape))
    absent = read != written.voxels
    assert absent.any()
    assert not read[absent].any()


@pytest.mark.parametrize("name", ["tiff stack", "ImageJ stack", "npy", "HDF5", "MRC"])
def test_a_file_cut_short_after_opening_is_damaged(tmp_path: Path, name: str) -> None:
    written = WRITERS[name](tmp_path)
    volume = open_volume(written.location)
    path = Path(written.location)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(VolumeFormatError, match=path.stem):
        volume.read(Box((0, 0, 0), volume.shape))
