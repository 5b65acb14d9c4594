"""`pickem data verify` and `list`: what they find, what they say, how they end."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile

from tests.integration.command_line import pickem_here

NAMES = ("training", "training_groundtruth", "testing", "testing_groundtruth")


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """A stand-in for EPFL: six sections, a mitochondrion in each."""
    folder = tmp_path / "epfl"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for name in NAMES:
        stack = rng.integers(0, 255, (6, 40, 40), np.uint8)
        if name.endswith("groundtruth"):
            stack[:] = 0
            stack[:, 10:20, 10:20] = 255
        tifffile.imwrite(folder / f"{name}.tif", stack, photometric="minisblack")
    return tmp_path


def change(data_dir: Path, name: str, stack: np.ndarray) -> None:
    tifffile.imwrite(data_dir / "epfl" / f"{name}.tif", stack, photometric="minisblack")


def read(data_dir: Path, name: str) -> np.ndarray:
    return tifffile.imread(data_dir / "epfl" / f"{name}.tif")


def test_a_good_dataset_makes_sense(data_dir: Path) -> None:
    result = pickem_here("data", "verify", "epfl", "--data-dir", data_dir)
    assert result.returncode == 0, result.stdout
    assert "training: 6 × 40 × 40, mitochondrion 6.2%" in result.stdout
    assert "makes sense" in result.stdout


def test_an_empty_section_between_others_is_reported(data_dir: Path) -> None:
    labels = read(data_dir, "training_groundtruth")
    labels[3] = 0
    change(data_dir, "training_groundtruth", labels)
    result = pickem_here("data", "verify", "epfl", "--data-dir", data_dir)
    assert result.returncode == 2
    assert "section 3 has no foreground, and sections before and after it have" in result.stdout


def test_empty_sections_at_the_ends_are_none_of_its_business(data_dir: Path) -> None:
    labels = read(data_dir, "training_groundtruth")
    labels[[0, 5]] = 0
    change(data_dir, "training_groundtruth", labels)
    assert pickem_here("data", "verify", "epfl", "--data-dir", data_dir).returncode == 0


def test_shapes_that_differ_are_reported(data_dir: Path) -> None:
    change(data_dir, "testing_groundtruth", read(data_dir, "testing_groundtruth")[:, :-1])
    result = pickem_here("data", "verify", "epfl", "--data-dir", data_dir)
    assert result.returncode == 2
    assert "image (6, 40, 40), labels (6, 39, 40)" in result.stdout


def test_nan_and_no_foreground_are_reported(data_dir: Path) -> None:
    image = read(data_dir, "testing").astype(np.float32)
    image[2, 0, 0] = np.nan
    change(data_dir, "testing", image)
    change(data_dir, "testing_groundtruth", np.zeros((6, 40, 40), np.uint8))
    result = pickem_here("data", "verify", "epfl", "--data-dir", data_dir)
    assert result.returncode == 2
    assert "section 2: the image holds NaN" in result.stdout
    assert "no voxel is labelled as mitochondrion" in result.stdout


def test_unknown_label_values_are_reported(tiny_dataset: Path) -> None:
    path = tiny_dataset.parent / "training_labels.tif"
    labels = tifffile.imread(path)
    labels[0, 0] = 77
    tifffile.imwrite(path, labels)
    result = pickem_here("data", "verify", tiny_dataset)
    assert result.returncode == 2
    assert "77" in result.stdout
    assert "Traceback" not in result.stderr


def test_a_dataset_that_is_not_here(tmp_path: Path) -> None:
    result = pickem_here("data", "verify", "vnc", "--data-dir", tmp_path)
    assert result.returncode == 2
    assert "pickem data fetch vnc" in result.stderr


def test_the_list_says_what_is_here(data_dir: Path) -> None:
    result = pickem_here("data", "list", "--data-dir", data_dir)
    assert result.returncode == 0
    for name in ("demo", "vnc", "epfl", "lucchi++", "mira"):
        assert name in result.stdout


def test_terms_are_shown_before_a_download_and_can_be_declined(tmp_path: Path) -> None:
    result = pickem_here("data", "fetch", "vnc", "--data-dir", tmp_path)  # no answer on standard input
    assert result.returncode == 2
    assert "--yes" in result.stderr
    assert "CC BY-NC-SA 3.0" in result.stdout
    assert "figshare" in result.stdout
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_fetched_says_how_to_get_it(tmp_path: Path) -> None:
    result = pickem_here("data", "fetch", "mira", "--data-dir", tmp_path)
    assert result.returncode == 2
    assert "into the folder `images`" in result.stderr
