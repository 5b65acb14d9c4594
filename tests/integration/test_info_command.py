"""`pickem info`: what is printed of an image, and what of things that are none."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
import tifffile

from tests.contract.volume_writers import WRITERS, real_voxels
from tests.integration.command_line import pickem, pickem_here


def said(*arguments: object) -> dict[str, str]:
    """What `pickem info` prints, by the word before the colon."""
    result = pickem_here("info", *arguments)
    assert result.returncode == 0, result.stderr
    parts = (line.partition(":") for line in result.stdout.splitlines())
    return {name: text.strip() for name, _, text in parts}


FORMATS = {
    "tiff stack": "TIFF",
    "folder of png": "folder of sections",
    "npy": "NumPy",
    "HDF5": "HDF5",
    "MRC": "MRC",
    "OME-Zarr 0.4": "Zarr",
    "OME-Zarr 0.5": "Zarr",
    "N5": "N5",
    "N5, several levels": "N5",
    "precomputed": "neuroglancer precomputed",
    "precomputed, gzip": "neuroglancer precomputed",
}


@pytest.mark.parametrize("name", FORMATS)
def test_every_format(tmp_path: Path, name: str) -> None:
    written = WRITERS[name](tmp_path)
    lines = said(written.location)
    assert lines["format"] == FORMATS[name]
    assert lines["shape"] == "6 × 23 × 31 (z, y, x)"
    assert lines["type"] == str(written.voxels.dtype)
    assert lines["sections"] == "6"
    assert lines["size"].startswith("4,278 voxels")
    known = "50 × 8 × 4 nm (z, y, x)" if written.voxel_size else "unknown: give --voxel-size"
    assert lines["voxel size"] == known


def test_the_voxel_size_can_be_given(tmp_path: Path) -> None:
    written = WRITERS["HDF5"](tmp_path)
    assert said(written.location, "--voxel-size", "45,4.6,4.6")["voxel size"] == "45 × 4.6 × 4.6 nm (z, y, x)"


def test_grey_values_are_those_of_the_image(tmp_path: Path) -> None:
    image = np.zeros((20, 600, 600), np.uint16)
    image[6:14, 44:556, 44:556] = np.arange(8 * 512 * 512).reshape(8, 512, 512) % 1001 + 7  # the middle
    np.save(tmp_path / "a.npy", image)
    lines = said(tmp_path / "a.npy")
    assert lines["grey values"] == (
        "min 7, 1 % 17, median 507, 99 % 997, max 1007, in the middle 8 × 512 × 512 voxels"
    )
    assert lines["size"] == "7,200,000 voxels, 14.4 MB in memory"


def test_voxels_that_are_no_numbers_are_counted(tmp_path: Path) -> None:
    image = np.full((4, 5), 0.5, np.float32)
    image[0, 0], image[1, 1] = np.nan, np.inf
    tifffile.imwrite(tmp_path / "a.tif", image)
    assert "median 0.5, 99 % 0.5, max 0.5, besides 2 NaN" in said(tmp_path / "a.tif")["grey values"]
    tifffile.imwrite(tmp_path / "b.tif", image * np.nan)
    assert said(tmp_path / "b.tif")["grey values"].startswith("none is a finite number")


def test_masks_have_grey_values_too(tmp_path: Path) -> None:
    np.save(tmp_path / "mask.npy", real_voxels() > 120)
    assert "min 0" in said(tmp_path / "mask.npy")["grey values"]
    assert "max 1" in said(tmp_path / "mask.npy")["grey values"]


def refused(*arguments: object) -> str:
    result = pickem_here("info", *arguments)
    assert result.returncode == 2, result.stdout + result.stderr
    assert result.stderr.startswith("error: ")
    assert result.stdout == ""
    return result.stderr


def test_what_is_not_there(tmp_path: Path) -> None:
    assert "none.tif" in refused(tmp_path / "none.tif")
    assert "none.h5" in refused(f"{tmp_path}/none.h5:/raw")
    assert "holds no section" in refused(tmp_path)


def test_what_is_no_image(tmp_path: Path) -> None:
    for name in ("a.tif", "a.png", "a.h5", "a.mrc", "a.npy", "a.docx"):
        (tmp_path / name).write_text("<html>404</html>")
        assert name in refused(tmp_path / name)


def test_damage_that_shows_only_when_voxels_are_read(tmp_path: Path) -> None:
    written = WRITERS["Zarr 2"](tmp_path)
    for chunk in Path(written.location).glob("*.*.*"):
        chunk.write_bytes(b"torn")
    assert "plain.zarr" in refused(written.location)


def test_which_dataset(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["raw"] = real_voxels()
        file["other"] = real_voxels()
    assert "name it: " in refused(tmp_path / "a.h5")
    assert said(f"{tmp_path}/a.h5:/other")["volume"].endswith("a.h5:/other")


@pytest.mark.parametrize("size", ["4", "4,4", "4,4,-1", "z,y,x", "4,4,nan"])
def test_a_voxel_size_that_is_none(tmp_path: Path, size: str) -> None:
    written = WRITERS["npy"](tmp_path)
    assert size in refused(written.location, "--voxel-size", size)


def test_an_address_where_nobody_answers() -> None:
    """In a process of its own: libraries that write to the terminal by themselves would show."""
    result = pickem("info", "http://127.0.0.1:9/a.zarr")
    assert result.returncode == 2
    assert result.stderr.startswith("error: The image cannot be reached.")
    assert "Traceback" not in result.stderr
