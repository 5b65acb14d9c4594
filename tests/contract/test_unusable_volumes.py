"""Whatever is no grey volume is refused, by name and with what to do; nothing is read as zeros by mistake."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from pickem.errors import VolumeFormatError, VolumeNotFoundError
from pickem.geometry import Box, whole
from pickem.volumes import open_volume
from tests.contract.volume_writers import (
    SHAPE,
    imagej_stack,
    png_folder,
    real_voxels,
    tiff_folder,
    tiff_stack,
)


def _truncated(path: Path, share: float) -> Path:
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    return path


def _truncated_tiff(folder: Path) -> Path:
    tiff_stack(folder)
    return _truncated(folder / "stack.tif", 0.5)


def _truncated_imagej(folder: Path) -> Path:
    imagej_stack(folder)
    return _truncated(folder / "imagej.tif", 0.5)


def _truncated_png(folder: Path) -> Path:
    Image.fromarray(real_voxels()[0]).save(folder / "one.png")
    return _truncated(folder / "one.png", 0.5)


def _truncated_section(folder: Path) -> Path:
    png_folder(folder)
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
    png_folder(folder)
    Image.new("L", (31, 24)).save(folder / "13.png")
    return folder


def _mixed_types(folder: Path) -> Path:
    tiff_folder(folder)
    tifffile.imwrite(folder / "section13.tif", np.zeros(SHAPE[1:], np.uint16))
    return folder


def _mixed_formats(folder: Path) -> Path:
    tiff_folder(folder)
    Image.new("L", (31, 23)).save(folder / "section13.png")
    return folder


def _stack_among_sections(folder: Path) -> Path:
    tiff_folder(folder)
    tifffile.imwrite(folder / "section13.tif", real_voxels(), photometric="minisblack")
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


def test_an_image_that_may_not_be_read(tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir()
    png_folder(locked)
    locked.chmod(0)
    with _without_rights(), pytest.raises(VolumeNotFoundError, match="may not be read"):
        open_volume(locked)


@contextmanager
def _without_rights() -> Iterator[None]:
    """The superuser, who may read everything, is nobody for a while."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)


def test_a_folder_without_sections_is_not_found(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no image here")
    with pytest.raises(VolumeNotFoundError, match="holds no section"):
        open_volume(tmp_path)


def test_damage_in_one_section_leaves_the_others_readable(tmp_path: Path) -> None:
    _truncated_section(tmp_path)  # 9.png, the third
    volume = open_volume(tmp_path)
    np.testing.assert_array_equal(volume.read(Box((0, 0, 0), (2, 23, 31))), real_voxels()[:2])
    with pytest.raises(VolumeFormatError, match=r"9\.png"):
        volume.read(Box((2, 0, 0), (3, 23, 31)))
