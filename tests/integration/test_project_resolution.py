"""`pickem new` at a terminal asks once at which resolution to work, with a picture to look at."""

from __future__ import annotations

from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile

from pickem.project.project import open_project
from tests.integration.command_line import Outcome, pickem_at_terminal, pickem_here

QUESTION = "Work at how many nm a pixel?"


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    path = tmp_path / "cells.tif"
    image = np.random.default_rng(0).integers(0, 255, (4, 150, 140), np.uint8)
    tifffile.imwrite(path, image, photometric="minisblack")
    return path


def new(volume: Path, *more: object) -> list[object]:
    return [
        *("new", volume.with_name("mine.pickem"), volume, "--class", "cell", "--patch", 16, "--audit", 0),
        *more,
    ]


def factor(volume: Path) -> int:
    with open_project(volume.with_name("mine.pickem")) as opened:
        return opened.settings.volumes["cells"].factor


def asked(outcome: Outcome, offered: str, default: str) -> None:
    assert outcome.returncode == 0, outcome.stdout
    assert f"at {offered} nm a pixel" in outcome.stdout
    assert f"{QUESTION} [{default}]" in outcome.stdout


@pytest.mark.parametrize(
    ("size", "offered", "default", "expected"),
    [
        ("40,2.5,2.5", "2.5, 5, 10 and 20", "5", 2),
        ("50,4.6,4.6", "4.6, 9.2 and 18.4", "4.6", 1),
        ("50,1,1", "1 and 5", "5", 5),
        ("50,20,20", "20, 40 and 80", "20", 1),
    ],
)
def test_enter_takes_what_is_usual(
    volume: Path, size: str, offered: str, default: str, expected: int
) -> None:
    """Nearest to 5 nm, as far as a patch still fits in: 150 × 140 pixels of 1 nm hold none of 10 nm."""
    outcome = pickem_at_terminal(*new(volume, "--voxel-size", size), typed=[""])
    asked(outcome, offered, default)
    assert outcome.stdout.count(QUESTION) == 1
    assert factor(volume) == expected


def test_another_number_may_be_typed(volume: Path) -> None:
    outcome = pickem_at_terminal(
        *new(volume, "--voxel-size", "40,2.5,2.5"), typed=["coarse", "nan", "1000", "8"]
    )
    asked(outcome, "2.5, 5, 10 and 20", "5")
    assert outcome.stdout.count("a number is expected") == 2
    assert "smaller than a patch" in outcome.stdout
    assert factor(volume) == 3, "the nearest whole multiple of 2.5 nm"


def test_the_picture_is_kept_in_the_project(volume: Path) -> None:
    mask = volume.with_name("mask.tif")
    tifffile.imwrite(mask, np.eye(150, 140, dtype=np.uint8)[None] + 1, photometric="minisblack")
    outcome = pickem_at_terminal(*new(volume, "--voxel-size", "50,5,5", "--where", mask), typed=[""])
    asked(outcome, "5, 10 and 20", "5")
    assert "is drawn in" in outcome.stdout
    picture = volume.with_name("mine.pickem") / "resolutions.png"
    image = imagecodecs.png_decode(picture.read_bytes())
    assert min(image.shape[:2]) > 500
    assert image[..., :3].std() > 30, "not an empty page"
    assert {path.name for path in volume.parent.iterdir()} == {"cells.tif", "mask.tif", "mine.pickem"}


def test_whoever_leaves_at_the_question_leaves_nothing(volume: Path) -> None:
    outcome = pickem_at_terminal(*new(volume, "--voxel-size", "50,5,5"), typed=[])
    assert outcome.returncode == 1
    assert QUESTION in outcome.stdout
    assert {path.name for path in volume.parent.iterdir()} == {"cells.tif"}


@pytest.mark.parametrize(
    "more",
    [
        [],
        ["--voxel-size", "50,5,5", "--resolution", "10"],
        ["--voxel-size", "50,5,7"],
        ["--voxel-size", "50,5,5", "--patch", "128"],
    ],
    ids=["unknown voxel size", "resolution given", "pixels not square", "only one fits"],
)
def test_nothing_is_asked_where_there_is_nothing_to_choose(volume: Path, more: list[str]) -> None:
    outcome = pickem_at_terminal(*new(volume, *more), typed=[])
    assert outcome.returncode == 0, outcome.stdout
    assert QUESTION not in outcome.stdout
    assert not (volume.with_name("mine.pickem") / "resolutions.png").exists()


def test_nothing_is_asked_without_a_terminal(volume: Path) -> None:
    outcome = pickem_here(*new(volume, "--voxel-size", "40,2.5,2.5"))
    assert outcome.returncode == 0, outcome.stderr
    assert QUESTION not in outcome.stdout + outcome.stderr
    assert factor(volume) == 1


def test_a_project_that_is_there_is_told_before_anything_is_asked(volume: Path) -> None:
    assert pickem_here(*new(volume, "--voxel-size", "50,5,5")).returncode == 0
    outcome = pickem_at_terminal(*new(volume, "--voxel-size", "50,5,5"), typed=[""])
    assert outcome.returncode == 2
    assert "Something is there already." in outcome.stdout
    assert QUESTION not in outcome.stdout
