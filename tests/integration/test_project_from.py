"""`pickem new --from`: an earlier network is taken where it has learned at about the same resolution."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pickem.predictor import Phase
from pickem.project.project import open_project
from pickem.project.round import Learning
from pickem.project.settings import VolumeSource
from tests.fixtures.tiny_project import RECIPE, make_tiny_project, paint_queue, write_tiny_volume
from tests.integration.command_line import Outcome, pickem_here

QUICK = RECIPE.model_copy(update={"first": Phase(learning_rate=1e-3, steps=1)})
EARLIER = VolumeSource(path="discs.tif", voxel_size=(30.0, 4.0, 4.0), factor=2)


@pytest.fixture(scope="module")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that has learned at 8 nm a pixel."""
    folder = make_tiny_project(
        tmp_path_factory.mktemp("earlier"), recipe=QUICK, volumes={"discs": EARLIER}, audit_patches=0
    )
    with open_project(folder) as project:
        paint_queue(project, 4)
        Learning(project, project.predictor("cpu"), lambda *_: None).train()
    return folder


def new(folder: Path, earlier: Path, *options: object) -> Outcome:
    volume = write_tiny_volume(folder / "new.tif")
    fixed = ("--class", "disc", "--patch", 32, "--audit", 4, "--from", earlier)
    return pickem_here("new", folder / "new.pickem", volume, *fixed, *options)


def test_a_checkpoint_says_at_which_resolution_it_learned(earlier: Path) -> None:
    header = json.loads((earlier / "checkpoints" / "round-0000.json").read_text())
    assert header["voxel_sizes"] == {"discs": [30, 8, 8]}


@pytest.mark.parametrize("options", [["9,9,9"], ["30,4,4", "--resolution", 8], ["30,6,6"]])
def test_at_about_the_same_resolution_it_is_taken(
    tmp_path: Path, earlier: Path, options: list[object]
) -> None:
    made = new(tmp_path, earlier, "--voxel-size", *options)
    assert made.returncode == 0, made.stderr
    assert "not known" not in made.stdout


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["30,2,2"], ["2 nm a pixel in new", "about 8 nm", "--resolution 8"]),
        (["30,16,16"], ["16 nm a pixel in new", "about 8 nm", "without --from"]),
    ],
    ids=["finer", "coarser"],
)
def test_at_another_one_it_is_refused(
    tmp_path: Path, earlier: Path, options: list[object], words: list[str]
) -> None:
    made = new(tmp_path, earlier, "--voxel-size", *options)
    assert made.returncode == 2
    assert all(word in made.stderr for word in words), made.stderr
    assert not (tmp_path / "new.pickem").exists()


def test_patches_fit_the_earlier_network(tmp_path: Path, earlier: Path) -> None:
    made = new(tmp_path, earlier, "--patch", 34)
    assert made.returncode == 2
    assert "patch = 34 is not a multiple of 4" in made.stderr
    assert "32 or 36" in made.stderr
    assert not (tmp_path / "new.pickem").exists()


def test_where_it_is_not_known_that_is_said(tmp_path: Path, earlier: Path) -> None:
    made = new(tmp_path, earlier)
    assert made.returncode == 0, made.stderr
    assert "resolution is not known" in made.stdout
