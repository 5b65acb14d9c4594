"""`pickem data verify` and `list`: what they find, what they say, how they end."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile

from tests.fixtures.stand_ins import scene, write_stand_in, write_volume
from tests.integration.command_line import pickem, pickem_here

DESCRIPTION = """
name = "own"
classes = { mitochondrion = 255 }
[volumes.training]
image = "training.tif"
labels = "training_groundtruth.tif"
[volumes.testing]
image = "testing.tif"
labels = "testing_groundtruth.tif"
[split.test]
train = ["training"]
evaluate = ["testing"]
[split.dev]
train = [{ volume = "testing", z = [0, 2] }]
evaluate = [{ volume = "testing", z = [3, 6] }]
"""
NAMES = ("training", "training_groundtruth", "testing", "testing_groundtruth")


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """Two small stacks, one's own: six sections, a mitochondrion in each."""
    folder = tmp_path / "own"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for name in NAMES:
        stack = rng.integers(0, 255, (6, 40, 40), np.uint8)
        if name.endswith("groundtruth"):
            stack[:] = 0
            stack[:, 10:20, 10:20] = 255
        tifffile.imwrite(folder / f"{name}.tif", stack, photometric="minisblack")
    (folder / "own.toml").write_text(DESCRIPTION)
    return tmp_path


def change(data_dir: Path, name: str, stack: np.ndarray) -> None:
    tifffile.imwrite(data_dir / "own" / f"{name}.tif", stack, photometric="minisblack")


def read(data_dir: Path, name: str) -> np.ndarray:
    return tifffile.imread(data_dir / "own" / f"{name}.tif")


def test_a_good_dataset_makes_sense(data_dir: Path) -> None:
    result = pickem_here("data", "verify", data_dir / "own" / "own.toml")
    assert result.returncode == 0, result.stdout
    assert result.stdout.startswith("training: 6 × 40 × 40, mitochondrion 6.2%\n")
    assert "makes sense" in result.stdout


def test_an_empty_section_between_others_is_reported(data_dir: Path) -> None:
    labels = read(data_dir, "training_groundtruth")
    labels[3] = 0
    change(data_dir, "training_groundtruth", labels)
    result = pickem_here("data", "verify", data_dir / "own" / "own.toml")
    assert result.returncode == 2
    assert "section 3 has no foreground, and sections before and after it have" in result.stdout


def test_empty_sections_at_the_ends_are_none_of_its_business(data_dir: Path) -> None:
    labels = read(data_dir, "training_groundtruth")
    labels[[0, 5]] = 0
    change(data_dir, "training_groundtruth", labels)
    assert pickem_here("data", "verify", data_dir / "own" / "own.toml").returncode == 0


def test_shapes_that_differ_are_reported(data_dir: Path) -> None:
    change(data_dir, "testing_groundtruth", read(data_dir, "testing_groundtruth")[:, :-1])
    result = pickem_here("data", "verify", data_dir / "own" / "own.toml")
    assert result.returncode == 2
    assert result.stdout.count("image (6, 40, 40), labels (6, 39, 40)") == 1
    assert "differ in shape." not in result.stdout  # as the splits would say it again
    assert "pickem data verify" not in result.stdout


def test_nan_and_no_foreground_are_reported(data_dir: Path) -> None:
    image = read(data_dir, "testing").astype(np.float32)
    image[2, 0, 0] = np.nan
    change(data_dir, "testing", image)
    change(data_dir, "testing_groundtruth", np.zeros((6, 40, 40), np.uint8))
    result = pickem_here("data", "verify", data_dir / "own" / "own.toml")
    assert result.returncode == 2
    assert "section 2: the image holds NaN" in result.stdout
    assert "no voxel is labelled as mitochondrion" in result.stdout


def test_unknown_label_values_are_reported_once_a_volume(data_dir: Path) -> None:
    labels = read(data_dir, "training_groundtruth")
    change(data_dir, "training_groundtruth", np.where(labels > 0, 77, labels).astype(np.uint8))
    labels = read(data_dir, "testing_groundtruth")
    labels[[2, 4], 0, 0] = 3, 2
    change(data_dir, "testing_groundtruth", labels)
    result = pickem_here("data", "verify", data_dir / "own" / "own.toml")
    assert result.returncode == 2
    known = "Known: 0 = background, 255 = mitochondrion"
    assert [line for line in result.stdout.splitlines() if "×" not in line] == [
        "training: sections 0, 1, 2, 3, 4, 5 (6 in all) hold label values that are no class: 77. " + known,
        "testing: sections 2, 4 (2 in all) hold label values that are no class: 2, 3. " + known,
    ]


def test_a_published_dataset_of_another_shape_is_reported(tmp_path: Path) -> None:
    write_stand_in(tmp_path, "epfl", 0)
    result = pickem_here("data", "verify", "epfl", "--data-dir", tmp_path)
    assert result.returncode == 2
    assert "testing: 33 × 64 × 48 voxels; published are 165 × 768 × 1024" in result.stdout


def test_one_section_in_so_many_is_noted_and_makes_sense(tmp_path: Path) -> None:
    """As in a copy of Lucchi++ that has every third section of its testing stack."""
    image, mask = scene((5, 1024, 1024), np.random.default_rng(0))
    write_volume(tmp_path / "vnc" / "raw", image, ending=".tif")
    write_volume(tmp_path / "vnc" / "mitochondria", mask, ending=".png")
    result = pickem_here("data", "verify", "vnc", "--data-dir", tmp_path)
    assert result.returncode == 0, result.stdout
    assert "vnc: note: 5 of the 20 published sections, one in 4" in result.stdout
    assert "vnc makes sense" in result.stdout


def test_a_broken_file_is_reported_without_the_words_of_its_reader(data_dir: Path) -> None:
    path = data_dir / "own" / "training.tif"
    path.write_bytes(path.read_bytes()[:-4000])
    result = pickem("data", "verify", data_dir / "own" / "own.toml")
    assert result.returncode == 2
    assert result.stderr.startswith("error: ")
    assert "<tifffile" not in result.stderr


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
    assert "SHA-256" not in result.stdout  # there is no file whose hash could be known
