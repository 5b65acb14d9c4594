"""What every image format promises, whichever library wrote the file: one suite over all of them.

The voxels are a crop of the embedded demo, in six sections; the files come from other people's libraries
(volume_writers.py), never from the code that reads them here.
"""

from __future__ import annotations

from collections.abc import Callable
from multiprocessing.reduction import ForkingPickler
from pathlib import Path

import h5py
import mrcfile
import numpy as np
import pytest
import tifffile
import zarr
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from pickem.errors import PickemError, VolumeFormatError
from pickem.geometry import Box, whole
from pickem.volumes import ArrayVolume, Volume, open_volume
from tests.contract.volume_writers import SHAPE, WRITERS, Written, real_voxels, write_n5, write_ome_zarr

Stored = tuple[Volume, NDArray[np.generic]]


@pytest.fixture(scope="module", params=WRITERS.values(), ids=WRITERS)
def written(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Written:
    """A volume in one of the formats."""
    return request.param(tmp_path_factory.mktemp("volume"))


@pytest.fixture(scope="module", params=[*WRITERS, "array"])
def stored(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Stored:
    """A volume as it opens, and the voxels that were written."""
    if request.param == "array":
        voxels = real_voxels().astype(np.float64)
        return ArrayVolume(voxels), voxels
    written = WRITERS[request.param](tmp_path_factory.mktemp("volume"))
    return open_volume(written.location), written.voxels


def test_shape_and_type_are_those_written(stored: Stored) -> None:
    volume, voxels = stored
    assert volume.shape == SHAPE
    assert volume.dtype == voxels.dtype
    assert volume.dtype.isnative


def test_a_path_may_lead_up_and_down_again(written: Written) -> None:
    root, first, *more = Path(written.location).parts
    volume = open_volume(Path(root, first, "..", first, *more))
    np.testing.assert_array_equal(volume.read(whole(SHAPE)), written.voxels)


def test_all_voxels_come_back(stored: Stored) -> None:
    volume, voxels = stored
    read = volume.read(whole(SHAPE))
    assert read.dtype == voxels.dtype
    np.testing.assert_array_equal(read, voxels)


@given(data=st.data())
def test_a_box_is_the_same_part_of_the_voxels(stored: Stored, data: st.DataObject) -> None:
    volume, voxels = stored
    edges = [sorted(data.draw(st.tuples(st.integers(0, n), st.integers(0, n)))) for n in SHAPE]
    (z0, z1), (y0, y1), (x0, x1) = edges
    box = Box((z0, y0, x0), (z1, y1, x1))
    read = volume.read(box)
    assert read.shape == box.shape
    assert read.dtype == voxels.dtype
    np.testing.assert_array_equal(read, voxels[box.slices])


@given(axis=st.integers(0, 2), beyond=st.integers(1, 100), below=st.booleans())
def test_a_box_that_leaves_the_volume_is_refused(stored: Stored, axis: int, beyond: int, below: bool) -> None:
    volume, _ = stored
    start, stop = [0, 0, 0], list(SHAPE)
    if below:
        start[axis] = -beyond
    else:
        stop[axis] += beyond
    outside = Box((start[0], start[1], start[2]), (stop[0], stop[1], stop[2]))
    with pytest.raises(VolumeFormatError, match="does not have"):
        volume.read(outside)


def test_a_message_can_name_the_source(stored: Stored) -> None:
    volume, _ = stored
    assert volume.source


def test_the_file_says_the_voxel_size_where_it_can(written: Written) -> None:
    found = open_volume(written.location).voxel_size
    assert found == (None if written.voxel_size is None else pytest.approx(written.voxel_size, rel=1e-4))


def test_a_given_voxel_size_wins(written: Written) -> None:
    assert open_volume(written.location, (1.0, 2.0, 3.0)).voxel_size == (1.0, 2.0, 3.0)


def test_a_volume_can_be_sent_to_another_process(stored: Stored) -> None:
    volume, voxels = stored
    arrived = ForkingPickler.loads(ForkingPickler.dumps(volume))
    np.testing.assert_array_equal(arrived.read(whole(SHAPE)), voxels)


def _hdf5_section(path: Path, section: NDArray[np.uint8]) -> None:
    with h5py.File(path, "w") as file:
        file.create_dataset("section", data=section).attrs["element_size_um"] = [0.008, 0.004]


def _ome_zarr_section(path: Path, section: NDArray[np.uint8]) -> None:
    write_ome_zarr(path, section[None], "cyx", zarr_format=2)


SECTION_WRITERS: dict[str, Callable[[Path, NDArray[np.uint8]], object]] = {
    "one.tif": lambda path, section: Image.fromarray(section).save(path),
    "one.png": lambda path, section: Image.fromarray(section).save(path),
    "one.npy": np.save,
    "one.h5": _hdf5_section,
    "one.mrc": lambda path, section: mrcfile.new(path, section.astype(np.uint16)).close(),
    "one.zarr": lambda path, section: zarr.create_array(path, data=section),
    "one.ome.zarr": _ome_zarr_section,
    "one.n5": lambda path, section: write_n5(
        path, section, "gzip", pixelResolution={"unit": "nm", "dimensions": [4, 8]}
    ),
}


@pytest.mark.parametrize("name", SECTION_WRITERS)
def test_one_image_is_a_volume_of_one_section(tmp_path: Path, name: str) -> None:
    image = real_voxels()[0]
    SECTION_WRITERS[name](tmp_path / name, image)
    volume = open_volume(tmp_path / name)
    assert volume.shape == (1, *SHAPE[1:])
    np.testing.assert_array_equal(volume.read(whole(volume.shape))[0], image)
    box = Box((0, 3, 5), (1, 11, 30))
    np.testing.assert_array_equal(volume.read(box)[0], image[3:11, 5:30])


@pytest.mark.parametrize("name", ["one.h5", "one.ome.zarr", "one.n5"])
def test_the_height_of_a_pixel_stands_for_the_thickness_of_a_lone_section(tmp_path: Path, name: str) -> None:
    SECTION_WRITERS[name](tmp_path / name, real_voxels()[0])
    assert open_volume(tmp_path / name).voxel_size == pytest.approx((8.0, 8.0, 4.0))


@pytest.mark.parametrize("unit", [None, "pixel", "parsec"])
def test_a_size_without_a_known_unit_is_none(tmp_path: Path, unit: str | None) -> None:
    write_ome_zarr(tmp_path / "a.zarr", real_voxels(), "zyx", zarr_format=3, unit=unit)
    assert open_volume(tmp_path / "a.zarr").voxel_size is None


@pytest.mark.parametrize(
    "said",
    [
        {"resolution": [4, 8, 50]},
        {"resolution": [4, 8, 50], "units": ["pixel"] * 3},
        {"pixelResolution": {"unit": "nm", "dimensions": [4, 8, 0]}},
        {"pixelResolution": {"unit": "nm", "dimensions": ["4", "8", "50"]}},
        {"pixelResolution": [4, 8, 50]},
    ],
)
def test_an_n5_size_that_is_none(tmp_path: Path, said: dict[str, object]) -> None:
    write_n5(tmp_path / "a.n5", real_voxels(), "raw", **said)
    assert open_volume(tmp_path / "a.n5").voxel_size is None


def test_a_zarr_folder_is_known_by_what_is_in_it(tmp_path: Path) -> None:
    zarr.create_array(tmp_path / "any name", data=real_voxels(), zarr_format=2)
    np.testing.assert_array_equal(open_volume(tmp_path / "any name").read(whole(SHAPE)), real_voxels())


def test_sections_may_lie_in_a_folder_with_a_dot(tmp_path: Path) -> None:
    (tmp_path / "2024.h5").mkdir()
    tifffile.imwrite(tmp_path / "2024.h5" / "0.tif", real_voxels()[0])
    assert open_volume(tmp_path / "2024.h5").shape == (1, *SHAPE[1:])


def test_sections_may_lie_beside_notes_and_under_a_folder_named_n5(tmp_path: Path) -> None:
    folder = tmp_path / "old.n5" / "sections"
    folder.mkdir(parents=True)
    tifffile.imwrite(folder / "0.tif", real_voxels()[0])
    (folder / "info").write_text("aligned twice")
    assert open_volume(folder).shape == (1, *SHAPE[1:])


@pytest.mark.parametrize("ending", ["tif", "png"])
def test_a_1_bit_mask_keeps_its_foreground_above_0(tmp_path: Path, ending: str) -> None:
    masks = real_voxels() > 120
    for z, mask in enumerate(masks):
        Image.fromarray(mask).convert("1", dither=Image.Dither.NONE).save(tmp_path / f"{z}.{ending}")
    volume = open_volume(tmp_path)
    np.testing.assert_array_equal(volume.read(whole(SHAPE)) > 0, masks)


def test_1_bit_and_8_bit_masks_mix_in_one_folder(tmp_path: Path) -> None:
    """As in the VNC data, where 3 of 20 masks are 1-bit."""
    masks = real_voxels() > 120
    for z, mask in enumerate(masks):
        image = Image.fromarray(mask).convert("1" if z % 2 else "L")
        image.save(tmp_path / f"{z}.png")
    volume = open_volume(tmp_path)
    np.testing.assert_array_equal(volume.read(whole(SHAPE)) > 0, masks)


@pytest.mark.parametrize("array", [np.zeros(5), np.zeros((1, 2, 3, 4)), np.zeros((2, 3), np.int64)])
def test_an_array_of_other_axes_or_type_is_refused(array: NDArray[np.generic]) -> None:
    with pytest.raises(PickemError) as caught:
        ArrayVolume(array)
    assert isinstance(caught.value, VolumeFormatError)


@pytest.mark.parametrize("name", ["precomputed, gzip", "precomputed, gzip copied"])
def test_other_files_beside_gzipped_chunks_do_not_hide_them(tmp_path: Path, name: str) -> None:
    """Else every chunk would be looked for under a name that it does not have, and read as 0."""
    written = WRITERS[name](tmp_path)
    for folder in {chunk.parent for chunk in Path(written.location).rglob("*_*_*")}:
        (folder / ".DS_Store").write_bytes(b"Bud1")
        (folder / "0-notes.txt").write_text("whatever")
    np.testing.assert_array_equal(open_volume(written.location).read(whole(SHAPE)), written.voxels)
