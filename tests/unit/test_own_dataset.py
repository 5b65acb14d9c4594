"""A dataset of one's own: what its TOML file may say, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile

from pickem.datasets import Dataset, open_dataset
from pickem.errors import (
    ConfigError,
    DatasetInvalidError,
    DatasetNotFoundError,
    PickemError,
    VolumeNotFoundError,
)
from pickem.geometry import Box, whole

SHAPE = (4, 20, 30)
DESCRIPTION = """
name = "cells"
classes = { nucleus = 3, granule = [5, 6] }
unlabelled = 9
voxel_size = [50, 4, 4]

[volumes.one]
image = "image.tif"
labels = "labels.tif"

[split.test]
train = [{ volume = "one", y = [0, 10] }]
evaluate = [{ volume = "one", y = [10, 20] }]
"""


def _labels() -> np.ndarray:
    return np.random.default_rng(0).choice(np.array([0, 3, 5, 6, 9], np.uint8), SHAPE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with an image and its labels, of the values that DESCRIPTION names."""
    tifffile.imwrite(
        tmp_path / "image.tif", np.arange(2400, dtype=np.uint16).reshape(SHAPE), photometric="minisblack"
    )
    tifffile.imwrite(tmp_path / "labels.tif", _labels(), photometric="minisblack")
    return tmp_path


def _open(folder: Path, description: str = DESCRIPTION) -> Dataset:
    path = folder / "cells.toml"
    path.write_text(description, encoding="utf-8")
    return open_dataset(str(path))


def _changed(old: str, new: str) -> str:
    assert old in DESCRIPTION
    return DESCRIPTION.replace(old, new)


def test_stored_values_become_class_indices(folder: Path) -> None:
    dataset = _open(folder)
    assert dataset.classes == ("nucleus", "granule")
    indices = np.zeros(10, np.uint8)
    indices[[3, 5, 6, 9]] = 1, 2, 2, 255
    np.testing.assert_array_equal(dataset.class_labels("one").read(whole(SHAPE)), indices[_labels()])


def test_the_split_is_the_one_described(folder: Path) -> None:
    split = _open(folder).split("test")
    assert [region.region for region in split.train] == [Box((0, 0, 0), (4, 10, 30))]
    assert [region.region for region in split.evaluate] == [Box((0, 10, 0), (4, 20, 30))]


def test_the_voxel_size_reaches_the_volumes(folder: Path) -> None:
    dataset = _open(folder)
    assert dataset.voxel_size == (50.0, 4.0, 4.0)
    assert dataset.volumes["one"].image.voxel_size == (50.0, 4.0, 4.0)


def test_paths_are_relative_to_the_file(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    assert _open(folder).volumes["one"].image.shape == SHAPE


def test_opening_reads_no_voxels(folder: Path) -> None:
    """A label value that is no class is found when its voxels are read, not before."""
    dataset = _open(folder, _changed("granule = [5, 6]", "granule = 5"))
    region = dataset.split("test").train[0]
    with pytest.raises(DatasetInvalidError, match="values 6") as caught:
        region.labels.read(region.region)
    assert "0 = background, 3 = nucleus, 5 = granule" in str(caught.value)
    assert "9 = unlabelled" in str(caught.value)


NONSENSE = {
    "no TOML": ("name = ", "not valid TOML"),
    "an unknown key": (_changed("voxel_size", "voxelsize"), "voxelsize"),
    "no name": (_changed('name = "cells"', ""), "name"),
    "no volumes": ('name = "x"\nclasses = { a = 1 }\n[volumes]\n[split]', "volumes"),
    "no split": (DESCRIPTION[: DESCRIPTION.index("[split.test]")], "split"),
    "no classes": (_changed("{ nucleus = 3, granule = [5, 6] }", "{}"), "classes"),
    "a class that is text": (_changed("nucleus = 3", 'nucleus = "3a"'), "nucleus"),
    "a voxel size of two axes": (_changed("[50, 4, 4]", "[4, 4]"), "voxel_size"),
    "a split that trains on nothing": (_changed('[{ volume = "one", y = [0, 10] }]', "[]"), "train"),
    "a part of one end": (_changed("y = [0, 10]", "y = [0]"), "y"),
}


@pytest.mark.parametrize(("description", "named"), NONSENSE.values(), ids=NONSENSE)
def test_a_description_that_makes_no_sense_is_refused(folder: Path, description: str, named: str) -> None:
    with pytest.raises(ConfigError, match=named) as caught:
        _open(folder, description)
    assert "cells.toml" in str(caught.value)


WRONG_PARTS = {
    "an unknown volume": _changed('train = [{ volume = "one", y = [0, 10] }]', 'train = ["two"]'),
    "a part beyond the volume": _changed("y = [10, 20]", "y = [10, 21]"),
    "a part below 0": _changed("y = [0, 10]", "y = [-5, 10]"),
    "an empty part": _changed("y = [0, 10]", "y = [5, 5]"),
}


@pytest.mark.parametrize("description", WRONG_PARTS.values(), ids=WRONG_PARTS)
def test_a_split_of_what_is_not_there_is_refused(folder: Path, description: str) -> None:
    with pytest.raises(ConfigError, match="A split of cells names") as caught:
        _open(folder, description).split("test")
    assert caught.value.expected


def test_a_split_that_evaluates_on_what_it_trains_on_is_refused(folder: Path) -> None:
    with pytest.raises(ConfigError, match="evaluates on what it trains on") as caught:
        _open(folder, _changed("y = [10, 20]", "y = [9, 20]")).split("test")
    assert "(0, 9, 0) to (4, 10, 30)" in str(caught.value)


def test_an_undescribed_split_says_what_to_add(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"add \[split\.dev\]"):
        _open(folder).split("dev")


def test_labels_of_another_shape_are_refused(folder: Path) -> None:
    tifffile.imwrite(folder / "labels.tif", _labels()[:3], photometric="minisblack")
    with pytest.raises(DatasetInvalidError, match="differ in shape") as caught:
        _open(folder).split("test")
    assert "(3, 20, 30)" in str(caught.value)
    assert caught.value.todo == f"pickem data verify {folder / 'cells.toml'}"


@pytest.mark.parametrize("missing", ["image.tif", "labels.tif"])
def test_a_missing_file_is_named(folder: Path, missing: str) -> None:
    (folder / missing).unlink()
    with pytest.raises(VolumeNotFoundError, match=missing):
        _open(folder)


def test_a_missing_description_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetNotFoundError, match=r"none\.toml"):
        open_dataset(str(tmp_path / "none.toml"))


def test_a_description_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(PickemError, match="not valid TOML"):
        open_dataset(str(tmp_path / "binary.toml"))
