"""What every image format promises, whichever library wrote the file: one suite over all of them.

The voxels are a crop of the embedded demo, in six sections. Each writer stores them in one format and says
what it stored; the files come from tifffile and Pillow, never from the code that reads them here.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from pickem.datasets import open_dataset
from pickem.errors import PickemError, VolumeFormatError, VolumeNotFoundError
from pickem.geometry import Box, whole
from pickem.volumes import ArrayVolume, Volume, open_volume

SHAPE = (6, 23, 31)

Stored = tuple[Volume, NDArray[np.generic]]


def _voxels() -> NDArray[np.uint8]:
    """Six neighbouring windows of one real image, none like another."""
    image = open_dataset("demo").volumes["rat3-data9"].image
    z, height, width = SHAPE
    windows = [Box((0, 40 * i, 50 * i), (1, 40 * i + height, 50 * i + width)) for i in range(z)]
    return np.concatenate([image.read(window) for window in windows])


def _tiff_stack(folder: Path) -> Stored:
    voxels = _voxels()
    tifffile.imwrite(folder / "stack.tif", voxels, photometric="minisblack")
    return open_volume(folder / "stack.tif"), voxels


def _compressed_tiff_stack(folder: Path) -> Stored:
    voxels = _voxels().astype(np.uint16) * 257
    tifffile.imwrite(folder / "lzw.tiff", voxels, photometric="minisblack", compression="lzw", predictor=True)
    return open_volume(folder / "lzw.tiff"), voxels


def _big_tiff(folder: Path) -> Stored:
    voxels = _voxels().astype(np.float32) / 255
    tifffile.imwrite(folder / "big.tif", voxels, bigtiff=True, tile=(16, 16), photometric="minisblack")
    return open_volume(folder / "big.tif"), voxels


def _big_endian_tiff(folder: Path) -> Stored:
    voxels = _voxels().astype(np.int16) - 128
    tifffile.imwrite(folder / "motorola.tif", voxels, byteorder=">", photometric="minisblack")
    return open_volume(folder / "motorola.tif"), voxels


def _imagej_stack(folder: Path) -> Stored:
    voxels = _voxels().astype(np.uint16) * 100
    tifffile.imwrite(folder / "imagej.tif", voxels, imagej=True, metadata={"axes": "ZYX"})
    return open_volume(folder / "imagej.tif"), voxels


def _pillow_multipage(folder: Path) -> Stored:
    voxels = _voxels()
    first, *others = (Image.fromarray(section) for section in voxels)
    first.save(folder / "pages.tif", save_all=True, append_images=others)
    return open_volume(folder / "pages.tif"), voxels


def _tiff_folder(folder: Path) -> Stored:
    voxels = _voxels()
    for z, section in enumerate(voxels, start=7):  # 7 … 12: text order would put 10 before 7
        tifffile.imwrite(folder / f"section{z}.tif", section)
    return open_volume(folder), voxels


def _png_folder(folder: Path) -> Stored:
    voxels = _voxels()
    for z, section in enumerate(voxels, start=7):
        Image.fromarray(section).save(folder / f"{z}.png")
    (folder / "notes.txt").write_text("other files do not matter")
    return open_volume(folder), voxels


def _png_folder_16_bits(folder: Path) -> Stored:
    voxels = _voxels().astype(np.uint16) * 257
    for z, section in enumerate(voxels):
        Image.fromarray(section).save(folder / f"{z:02}.PNG")
    return open_volume(folder), voxels


def _array(folder: Path) -> Stored:
    voxels = _voxels().astype(np.float64)
    return ArrayVolume(voxels), voxels


WRITERS: dict[str, Callable[[Path], Stored]] = {
    "tiff stack": _tiff_stack,
    "compressed tiff": _compressed_tiff_stack,
    "BigTIFF, tiled": _big_tiff,
    "big-endian tiff": _big_endian_tiff,
    "ImageJ stack": _imagej_stack,
    "Pillow's pages": _pillow_multipage,
    "folder of tiff": _tiff_folder,
    "folder of png": _png_folder,
    "folder of 16-bit png": _png_folder_16_bits,
    "array": _array,
}


@pytest.fixture(scope="module", params=WRITERS.values(), ids=WRITERS)
def stored(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Stored:
    """A volume in one of the formats, and the voxels that were written."""
    return request.param(tmp_path_factory.mktemp("volume"))


def test_shape_and_type_are_those_written(stored: Stored) -> None:
    volume, voxels = stored
    assert volume.shape == SHAPE
    assert volume.dtype == voxels.dtype
    assert volume.dtype.isnative


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


@pytest.mark.parametrize("given_size", [None, (50.0, 4.0, 4.0)])
def test_a_given_voxel_size_wins(tmp_path: Path, given_size: tuple[float, float, float] | None) -> None:
    _png_folder(tmp_path)
    assert open_volume(tmp_path, given_size).voxel_size == given_size


def test_imagej_says_its_voxel_size(tmp_path: Path) -> None:
    path = tmp_path / "imagej.tif"
    tifffile.imwrite(
        path,
        _voxels(),
        imagej=True,
        resolution=(1 / 0.004, 1 / 0.008),  # pixels per µm, x then y
        metadata={"axes": "ZYX", "unit": "um", "spacing": 0.05},
    )
    assert open_volume(path).voxel_size == pytest.approx((50.0, 8.0, 4.0), rel=1e-4)
    assert open_volume(path, (1.0, 2.0, 3.0)).voxel_size == (1.0, 2.0, 3.0)


@pytest.mark.parametrize("ending", ["tif", "png"])
def test_one_image_is_a_volume_of_one_section(tmp_path: Path, ending: str) -> None:
    image = _voxels()[0]
    Image.fromarray(image).save(tmp_path / f"one.{ending}")
    volume = open_volume(tmp_path / f"one.{ending}")
    assert volume.shape == (1, *SHAPE[1:])
    np.testing.assert_array_equal(volume.read(whole(volume.shape))[0], image)


@pytest.mark.parametrize("ending", ["tif", "png"])
def test_a_1_bit_mask_keeps_its_foreground_above_0(tmp_path: Path, ending: str) -> None:
    masks = _voxels() > 120
    for z, mask in enumerate(masks):
        Image.fromarray(mask).convert("1", dither=Image.Dither.NONE).save(tmp_path / f"{z}.{ending}")
    volume = open_volume(tmp_path)
    np.testing.assert_array_equal(volume.read(whole(SHAPE)) > 0, masks)


def test_1_bit_and_8_bit_masks_mix_in_one_folder(tmp_path: Path) -> None:
    """As in the VNC data, where 3 of 20 masks are 1-bit."""
    masks = _voxels() > 120
    for z, mask in enumerate(masks):
        image = Image.fromarray(mask).convert("1" if z % 2 else "L")
        image.save(tmp_path / f"{z}.png")
    volume = open_volume(tmp_path)
    np.testing.assert_array_equal(volume.read(whole(SHAPE)) > 0, masks)


def _truncated(path: Path, share: float) -> Path:
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    return path


def _truncated_tiff(folder: Path) -> Path:
    _tiff_stack(folder)
    return _truncated(folder / "stack.tif", 0.5)


def _truncated_imagej(folder: Path) -> Path:
    _imagej_stack(folder)
    return _truncated(folder / "imagej.tif", 0.5)


def _truncated_png(folder: Path) -> Path:
    Image.fromarray(_voxels()[0]).save(folder / "one.png")
    return _truncated(folder / "one.png", 0.5)


def _truncated_section(folder: Path) -> Path:
    _png_folder(folder)
    _truncated(folder / "9.png", 0.5)
    return folder


def _empty_tiff(folder: Path) -> Path:
    (folder / "empty.tif").touch()
    return folder / "empty.tif"


def _empty_png(folder: Path) -> Path:
    (folder / "empty.png").touch()
    return folder / "empty.png"


def _text_as_png(folder: Path) -> Path:
    (folder / "text.png").write_text("<html>404, page not found, and some more</html>")
    return folder / "text.png"


def _text_as_tiff(folder: Path) -> Path:
    (folder / "text.tif").write_text("<html>404, page not found</html>")
    return folder / "text.tif"


def _colour_tiff(folder: Path) -> Path:
    tifffile.imwrite(folder / "rgb.tif", np.zeros((23, 31, 3), np.uint8), photometric="rgb")
    return folder / "rgb.tif"


def _colour_png(folder: Path) -> Path:
    Image.new("RGB", (31, 23)).save(folder / "rgb.png")
    return folder / "rgb.png"


def _palette_png(folder: Path) -> Path:
    Image.new("P", (31, 23)).save(folder / "palette.png")
    return folder / "palette.png"


def _channels(folder: Path) -> Path:
    tifffile.imwrite(
        folder / "channels.tif", np.zeros((2, 6, 23, 31), np.uint8), imagej=True, metadata={"axes": "TZYX"}
    )
    return folder / "channels.tif"


def _complex_voxels(folder: Path) -> Path:
    tifffile.imwrite(folder / "complex.tif", np.zeros((4, 5), np.complex64))
    return folder / "complex.tif"


def _mixed_shapes(folder: Path) -> Path:
    _png_folder(folder)
    Image.new("L", (31, 24)).save(folder / "13.png")
    return folder


def _mixed_types(folder: Path) -> Path:
    _tiff_folder(folder)
    tifffile.imwrite(folder / "section13.tif", np.zeros(SHAPE[1:], np.uint16))
    return folder


def _mixed_formats(folder: Path) -> Path:
    _tiff_folder(folder)
    Image.new("L", (31, 23)).save(folder / "section13.png")
    return folder


def _stack_among_sections(folder: Path) -> Path:
    _tiff_folder(folder)
    tifffile.imwrite(folder / "section13.tif", _voxels(), photometric="minisblack")
    return folder


def _unknown_ending(folder: Path) -> Path:
    (folder / "image.docx").write_bytes(b"PK")
    return folder / "image.docx"


UNUSABLE: dict[str, Callable[[Path], Path]] = {
    "truncated tiff": _truncated_tiff,
    "truncated ImageJ stack": _truncated_imagej,
    "truncated png": _truncated_png,
    "truncated section": _truncated_section,
    "empty tiff": _empty_tiff,
    "empty png": _empty_png,
    "text as tiff": _text_as_tiff,
    "text as png": _text_as_png,
    "colour tiff": _colour_tiff,
    "colour png": _colour_png,
    "palette png": _palette_png,
    "time points": _channels,
    "complex voxels": _complex_voxels,
    "sections of two shapes": _mixed_shapes,
    "sections of two types": _mixed_types,
    "sections in two formats": _mixed_formats,
    "a stack among sections": _stack_among_sections,
    "unknown ending": _unknown_ending,
}


@pytest.mark.parametrize("write", UNUSABLE.values(), ids=UNUSABLE)
def test_what_is_no_grey_volume_is_refused_by_name(tmp_path: Path, write: Callable[[Path], Path]) -> None:
    """At opening where the header tells, else when the damaged part is read."""
    path = write(tmp_path)

    def read_all() -> None:
        volume = open_volume(path)
        volume.read(whole(volume.shape))

    with pytest.raises(VolumeFormatError) as caught:
        read_all()
    message = str(caught.value)
    assert "got:" in message
    assert path.name in message


@pytest.mark.parametrize("name", ["none.tif", "none.png", "none"])
def test_a_missing_image_is_not_found(tmp_path: Path, name: str) -> None:
    with pytest.raises(VolumeNotFoundError, match=name):
        open_volume(tmp_path / name)


def test_a_folder_without_sections_is_not_found(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no image here")
    with pytest.raises(VolumeNotFoundError, match="holds no section"):
        open_volume(tmp_path)


def test_damage_in_one_section_leaves_the_others_readable(tmp_path: Path) -> None:
    _truncated_section(tmp_path)  # 9.png, the third
    volume = open_volume(tmp_path)
    np.testing.assert_array_equal(volume.read(Box((0, 0, 0), (2, 23, 31))), _voxels()[:2])
    with pytest.raises(VolumeFormatError, match=r"9\.png"):
        volume.read(Box((2, 0, 0), (3, 23, 31)))


@pytest.mark.parametrize("array", [np.zeros(5), np.zeros((1, 2, 3, 4)), np.zeros((2, 3), np.int64)])
def test_an_array_of_other_axes_or_type_is_refused(array: NDArray[np.generic]) -> None:
    with pytest.raises(PickemError) as caught:
        ArrayVolume(array)
    assert isinstance(caught.value, VolumeFormatError)
