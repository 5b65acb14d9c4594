"""The writer of OME-Zarr: what is written in any order is there, for others to read, and nothing else is."""

from __future__ import annotations

import pickle
import resource
import tempfile
from pathlib import Path

import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st

from pickem.errors import StorageError, VolumeExistsError, VolumeFormatError, VolumeNotFoundError
from pickem.geometry import Box, whole
from pickem.volumes import ImageSpec, LabelValue, create_image, open_image, open_volume
from tests.fixtures.ome_zarr_reading import valid_label_levels, valid_levels

SHAPE = (5, 21, 18)
UINT8 = np.dtype(np.uint8)
VALUES = (LabelValue(0, "background", (0, 0, 0, 0)), LabelValue(1, "axon", (230, 159, 0, 255)))


def spec(**changes: object) -> ImageSpec:
    """A small image with chunks and shards that do not fit its shape."""
    given = {
        "name": "small",
        "shape": SHAPE,
        "dtype": UINT8,
        "voxel_size": (8.0, 4.0, 4.0),
        "chunk": (2, 4, 4),
        "shard": (4, 8, 8),
        "levels": 3,
    }
    return ImageSpec(**(given | changes))  # type: ignore[arg-type]


def files(folder: Path) -> list[str]:
    """The shards that are there."""
    return sorted(
        str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file() and p.name != "zarr.json"
    )


def coarser(voxels: np.ndarray, step: tuple[int, ...], how: str) -> np.ndarray:
    """A level from the one below, voxel by voxel."""
    shape = tuple(-(-n // s) for n, s in zip(voxels.shape, step, strict=True))
    found = np.empty(shape, voxels.dtype)
    for index in np.ndindex(shape):
        cell = voxels[tuple(slice(i * s, (i + 1) * s) for i, s in zip(index, step, strict=True))]
        found[index] = np.bincount(cell.ravel()).argmax() if how == "mode" else np.rint(cell.mean())
    return found


BOXES = st.tuples(*[st.tuples(st.integers(0, n), st.integers(0, n)).map(sorted) for n in SHAPE]).map(
    lambda sides: Box(*zip(*sides, strict=True))  # type: ignore[arg-type]
)


@settings(max_examples=15)
@given(boxes=st.lists(BOXES, max_size=6), fill=st.sampled_from([0, 255]), labels=st.booleans())
def test_any_boxes_in_any_order_are_as_numpy_has_them(boxes: list[Box], fill: int, labels: bool) -> None:
    rng = np.random.default_rng(len(boxes))
    expected = np.full(SHAPE, fill, np.uint8)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.ome.zarr"
        image = create_image(path, spec(fill=fill, values=VALUES if labels else None))
        for box in boxes:
            voxels = rng.integers(0, 3 if labels else 256, box.shape, dtype=np.uint8)
            image.write(box, voxels)
            image.update_pyramid(box)
            expected[box.slices] = voxels
        levels = valid_label_levels(path) if labels else valid_levels(path)
        np.testing.assert_array_equal(levels[0], expected)
        np.testing.assert_array_equal(image.read(whole(SHAPE)), expected)
        how, steps = ("mode" if labels else "mean"), [(1, 2, 2), (2, 2, 2)]
        for finer, found, step in zip(levels[:-1], levels[1:], steps, strict=True):
            np.testing.assert_array_equal(found, coarser(finer, step, how))
        built = create_image(Path(folder) / "y.ome.zarr", spec(fill=fill, values=VALUES if labels else None))
        built.write(whole(SHAPE), expected)
        built.build_pyramid()
        for one, other in zip(levels, valid_levels(Path(folder) / "y.ome.zarr"), strict=True):
            np.testing.assert_array_equal(one, other)
        assert files(Path(folder) / "y.ome.zarr") == files(path), "fill values take no file"


def test_others_read_what_it_is(tmp_path: Path) -> None:
    origin = {"volume": "raw.tif", "checkpoint": "round-0003"}
    create_image(tmp_path / "x.ome.zarr", spec(values=VALUES, provenance=origin, fill=255))
    group = zarr.open_group(tmp_path / "x.ome.zarr", mode="r")
    attributes = group.attrs.asdict()
    assert origin.items() <= attributes["pickem"].items()
    assert attributes["ome"]["image-label"]["properties"][1] == {"label-value": 1, "class": "axon"}
    assert attributes["ome"]["image-label"]["colors"][1]["rgba"] == [230, 159, 0, 255]
    (multiscale,) = attributes["ome"]["multiscales"]
    assert {axis["unit"] for axis in multiscale["axes"]} == {"nanometer"}
    assert multiscale["datasets"][2]["coordinateTransformations"] == [
        {"type": "scale", "scale": [16.0, 16.0, 16.0]},
        {"type": "translation", "translation": [4.0, 6.0, 6.0]},
    ]
    finest = group["0"]
    assert isinstance(finest, zarr.Array)
    assert (finest.chunks, finest.shards, finest.fill_value) == ((2, 4, 4), (4, 8, 8), 255)
    assert open_volume(tmp_path / "x.ome.zarr").voxel_size == (8.0, 4.0, 4.0)


def test_without_a_voxel_size_there_is_no_unit(tmp_path: Path) -> None:
    create_image(tmp_path / "x.ome.zarr", spec(voxel_size=None))
    valid_levels(tmp_path / "x.ome.zarr")
    assert open_volume(tmp_path / "x.ome.zarr").voxel_size is None


@pytest.mark.parametrize("dtype", ["uint16", "int8", "uint64", "float16", "float32"])
def test_other_types(dtype: str, tmp_path: Path) -> None:
    voxels = np.random.default_rng(0).integers(0, 100, SHAPE).astype(dtype)
    image = create_image(tmp_path / "x.ome.zarr", spec(dtype=voxels.dtype))
    image.write(whole(SHAPE), voxels)
    image.build_pyramid()
    levels = valid_levels(tmp_path / "x.ome.zarr")
    np.testing.assert_array_equal(levels[0], voxels)
    assert levels[2].dtype == voxels.dtype


def test_a_huge_image_takes_the_space_of_what_was_written(tmp_path: Path) -> None:
    """134 Gvoxel; were its pyramid made of everything, the test would take hours."""
    image = create_image(tmp_path / "x.ome.zarr", ImageSpec("huge", (8_000, 4_096, 4_096), UINT8))
    corner = Box((7_999, 4_000, 4_000), (8_000, 4_096, 4_096))
    image.write(corner, np.full(corner.shape, 200, np.uint8))
    image.build_pyramid()
    assert len(files(tmp_path / "x.ome.zarr")) == len(image.levels) == 5
    assert image.read(Box((0, 0, 0), (1, 9, 9))).max() == 0


def test_a_pyramid_made_again_forgets_what_is_gone(tmp_path: Path) -> None:
    image = create_image(tmp_path / "x.ome.zarr", spec())
    for value in (9, 0):
        image.write(whole(SHAPE), np.full(SHAPE, value, np.uint8))
        image.build_pyramid()
        assert {int(level.max()) for level in valid_levels(tmp_path / "x.ome.zarr")} == {value}
    assert files(tmp_path) == []


def test_it_goes_on_in_another_process_and_later(tmp_path: Path) -> None:
    sent = pickle.loads(pickle.dumps(create_image(tmp_path / "x.ome.zarr", spec())))  # noqa: S301
    halves = Box((0, 0, 0), (5, 21, 9)), Box((0, 0, 9), SHAPE)
    for image, half in zip((sent, open_image(tmp_path / "x.ome.zarr")), halves, strict=True):
        image.write(half, np.full(half.shape, 7, np.uint8))
    assert (valid_levels(tmp_path / "x.ome.zarr")[0] == 7).all()


def test_shards_tile_every_level(tmp_path: Path) -> None:
    image = create_image(tmp_path / "x.ome.zarr", spec())
    for level, of in enumerate(image.levels):
        covered = np.zeros(of.shape, int)
        for box in image.shards(level=level):
            covered[box.slices] += 1
        assert (covered == 1).all()
    assert [box.start for box in image.shards(Box((3, 7, 8), (4, 9, 9)))] == [(0, 0, 8), (0, 8, 8)]
    assert list(image.shards(Box((2, 2, 2), (2, 3, 3)))) == []


def test_what_lies_there_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "x.ome.zarr").mkdir()
    with pytest.raises(VolumeExistsError, match="choose another name"):
        create_image(tmp_path / "x.ome.zarr", spec())
    assert files(tmp_path) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"dtype": np.dtype(bool)},
        {"shape": (0, 4, 4)},
        {"shard": (4, 6, 8)},
        {"shard": (1, 8, 8)},
        {"chunk": (0, 4, 4)},
    ],
    ids=str,
)
def test_images_that_cannot_be(changes: dict[str, object]) -> None:
    with pytest.raises(VolumeFormatError, match="cannot be written"):
        spec(**changes)


def test_voxels_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    image = create_image(tmp_path / "x.ome.zarr", spec())
    inside = Box((0, 0, 0), (1, 2, 2))
    for box, voxels in (
        (inside, np.zeros((1, 2, 2), np.uint16)),
        (inside, np.zeros((1, 1, 2), np.uint8)),
        (Box((4, 0, 0), (6, 1, 1)), np.zeros((2, 1, 1), np.uint8)),
    ):
        with pytest.raises(VolumeFormatError, match="expected"):
            image.write(box, voxels)
    with pytest.raises(VolumeFormatError, match=r"\(3, 6, 5\)"):
        image.read(Box((0, 0, 0), (4, 1, 1)), level=2)
    assert files(tmp_path) == []


def test_damage_is_told_and_not_read(tmp_path: Path) -> None:
    image = create_image(tmp_path / "x.ome.zarr", spec())
    image.write(whole(SHAPE), np.random.default_rng(0).integers(0, 256, SHAPE, dtype=np.uint8))
    shard = tmp_path / "x.ome.zarr" / "0" / "c" / "0" / "0" / "0"
    content = bytearray(shard.read_bytes())
    content[5] ^= 255
    shard.write_bytes(content)
    first = Box((0, 0, 0), (1, 1, 1))
    for touch in (lambda: image.read(first), lambda: image.write(first, np.zeros((1, 1, 1), np.uint8))):
        with pytest.raises(VolumeFormatError, match="cannot be read"):
            touch()
    image.write(Box((0, 0, 0), (4, 8, 8)), np.ones((4, 8, 8), np.uint8))  # a whole shard is not read
    assert image.read(first) == 1


def test_only_images_of_ones_own_are_gone_on_with(tmp_path: Path) -> None:
    with pytest.raises(VolumeNotFoundError):
        open_image(tmp_path / "nowhere.ome.zarr")
    zarr.create_group(tmp_path / "foreign.zarr", attributes={"ome": {"version": "0.5"}})
    with pytest.raises(VolumeFormatError, match="no image that pickem can go on writing"):
        open_image(tmp_path / "foreign.zarr")
    create_image(tmp_path / "x.ome.zarr", spec())
    (tmp_path / "x.ome.zarr" / "1" / "zarr.json").unlink()
    with pytest.raises(VolumeNotFoundError):
        open_image(tmp_path / "x.ome.zarr")


def test_the_systems_refusal_is_a_storage_error(tmp_path: Path) -> None:
    image = create_image(tmp_path / "x.ome.zarr", spec())
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
    try:
        with pytest.raises(StorageError, match="File too large"):
            image.write(whole(SHAPE), np.random.default_rng(0).integers(0, 256, SHAPE, dtype=np.uint8))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    (tmp_path / "file").write_text("mine")
    with pytest.raises(StorageError, match="A file lies where a folder is needed"):
        create_image(tmp_path / "file" / "x.ome.zarr", spec())
