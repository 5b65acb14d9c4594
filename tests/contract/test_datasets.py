"""What every dataset promises, from wherever it comes and in whichever layout it is found."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pickem.acquisition import UNLABELLED
from pickem.datasets import Dataset, LabelledRegion, data_folder, open_dataset, sources
from pickem.datasets.layouts import LAYOUTS
from pickem.errors import ConfigError, DatasetNotFoundError, UnknownDatasetError
from pickem.geometry import Box, whole
from tests.fixtures.stand_ins import SHAPE, scene, write_stand_in
from tests.fixtures.tiny_dataset import write_tiny_dataset

WHERE = [(name, layout) for name, layouts in LAYOUTS.items() for layout in range(len(layouts))]


def _title(where: str | tuple[str, int]) -> str:
    return where if isinstance(where, str) else f"{where[0]}-{where[1]}"


@pytest.fixture(scope="module", params=["demo", "own", *WHERE], ids=_title)
def dataset(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """A dataset: embedded, one's own, or a stand-in of a public one in one of its layouts."""
    if request.param == "demo":
        return open_dataset("demo")
    folder = tmp_path_factory.mktemp("data")
    if request.param == "own":
        return open_dataset(str(write_tiny_dataset(folder / "own")))
    name, layout = request.param
    write_stand_in(folder, name, layout)
    return open_dataset(name, folder)


def _overlap(a: LabelledRegion, b: LabelledRegion) -> int:
    return a.region.intersection(b.region).size if a.volume == b.volume else 0


def test_every_public_dataset_has_a_layout_and_terms() -> None:
    assert set(sources()) == set(LAYOUTS)
    for source in sources().values():
        assert source.licence
        assert source.citation
        assert source.home.startswith("http")
        assert source.files or source.by_hand


def test_it_has_names_classes_and_terms(dataset: Dataset) -> None:
    assert dataset.name
    assert dataset.title
    assert dataset.classes
    assert len(set(dataset.classes)) == len(dataset.classes)
    assert dataset.licence
    assert dataset.citation


@pytest.mark.parametrize("name", ["test", "dev"])
def test_no_voxel_trains_and_evaluates(dataset: Dataset, name: str) -> None:
    split = dataset.split(name)
    assert split.train
    assert split.evaluate
    assert all(_overlap(a, b) == 0 for a, b in product(split.train, split.evaluate))


def test_dev_stays_out_of_what_is_tested(dataset: Dataset) -> None:
    test, dev = dataset.split("test"), dataset.split("dev")
    for region in (*dev.train, *dev.evaluate):
        inside = [part.region.contains(region.region) for part in test.train if part.volume == region.volume]
        assert any(inside)
        assert all(_overlap(region, tested) == 0 for tested in test.evaluate)


def test_dev_leaves_a_gap_within_a_volume(dataset: Dataset) -> None:
    """Neighbouring pixels and sections show the same mitochondrion, so they must not be on both sides."""
    dev = dataset.split("dev")
    for a, b in product(dev.train, dev.evaluate):
        if a.volume == b.volume:
            assert _overlap(_grown(a, 1), b) == 0


def _grown(region: LabelledRegion, by: int) -> LabelledRegion:
    grown = region.region.grow((by, by, by), whole(region.image.shape))
    return LabelledRegion(region.volume, region.image, region.labels, grown)


@pytest.mark.parametrize("name", ["test", "dev"])
def test_labels_are_class_indices_of_the_shape_of_the_image(dataset: Dataset, name: str) -> None:
    allowed = {*range(len(dataset.classes) + 1), UNLABELLED}
    for region in _regions(dataset, name):
        assert region.labels.shape == region.image.shape
        assert whole(region.image.shape).contains(region.region)
        labels = region.labels.read(region.region)
        assert labels.dtype == np.uint8
        assert labels.shape == region.region.shape
        assert {int(value) for value in np.unique(labels)} <= allowed


@pytest.mark.parametrize("name", ["test", "dev"])
def test_every_class_occurs_on_both_sides(dataset: Dataset, name: str) -> None:
    split = dataset.split(name)
    for side in (split.train, split.evaluate):
        seen = {int(value) for region in side for value in np.unique(region.labels.read(region.region))}
        assert seen >= set(range(len(dataset.classes) + 1))


def _regions(dataset: Dataset, name: str) -> Iterator[LabelledRegion]:
    split = dataset.split(name)
    yield from split.train
    yield from split.evaluate


@pytest.mark.parametrize(("name", "layout"), WHERE)
def test_no_section_of_a_stand_in_loses_its_foreground(tmp_path: Path, name: str, layout: int) -> None:
    """One mask in three of a PNG folder is 1-bit, the others are 8-bit."""
    write_stand_in(tmp_path, name, layout)
    dataset = open_dataset(name, tmp_path)
    _, mask = scene(SHAPE, np.random.default_rng(0))
    for volume in dataset.volumes:
        labels = dataset.class_labels(volume).read(whole(SHAPE))
        np.testing.assert_array_equal(labels == 1, mask)


def test_a_mask_of_0_and_1_is_not_emptied(tmp_path: Path) -> None:
    """Foreground is what is above 0; many readers return a 1-bit mask as 0 and 1."""
    write_stand_in(tmp_path, "vnc", 0)
    _, mask = scene(SHAPE, np.random.default_rng(0))
    for z, section in enumerate(mask):
        Image.fromarray(section.astype(np.uint8)).save(tmp_path / f"vnc/stack1/mitochondria/{z:02}.png")
    labels = open_dataset("vnc", tmp_path).class_labels("vnc").read(whole(SHAPE))
    np.testing.assert_array_equal(labels == 1, mask)


@pytest.mark.parametrize("name", sources())
def test_a_dataset_that_is_not_here_says_how_to_get_it(tmp_path: Path, name: str) -> None:
    expected = sources()[name].by_hand or f"pickem data fetch {name}"
    with pytest.raises(DatasetNotFoundError) as caught:
        open_dataset(name, tmp_path)
    assert str(tmp_path / name) in str(caught.value)
    assert expected in str(caught.value.todo)


def test_half_a_dataset_is_not_found(tmp_path: Path) -> None:
    folder = write_stand_in(tmp_path, "epfl", 0)
    (folder / "testing_groundtruth.tif").unlink()
    with pytest.raises(DatasetNotFoundError, match="nothing complete"):
        open_dataset("epfl", tmp_path)


def test_the_nearest_name_is_offered() -> None:
    with pytest.raises(UnknownDatasetError, match="did you mean lucchi"):
        open_dataset("luchi++")


def test_a_split_that_a_dataset_does_not_have_is_named() -> None:
    with pytest.raises(ConfigError, match="no validation split"):
        open_dataset("demo").split("validation")


def test_the_environment_says_where_data_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PICKEM_DATA", str(tmp_path))
    assert data_folder(None) == tmp_path
    assert data_folder(tmp_path / "given") == tmp_path / "given"


def test_every_section_of_vnc_has_its_foreground(tmp_path: Path) -> None:
    """Of every real section 4 to 7 % is foreground, of those with 1-bit masks (01, 07, 18) too.

    Where the real data is not at hand, a stand-in of known foreground takes its place.
    """
    if (data_folder(None) / "vnc").is_dir():
        data_dir, expected = data_folder(None), range(4, 8)
    else:
        write_stand_in(tmp_path, "vnc", 0)
        data_dir, expected = tmp_path, range(4, 6)
    labels = open_dataset("vnc", data_dir).class_labels("vnc")
    sections, height, width = labels.shape
    for z in range(sections):
        mask = labels.read(Box((z, 0, 0), (z + 1, height, width)))
        assert round(100 * float((mask == 1).mean())) in expected, f"section {z}"
