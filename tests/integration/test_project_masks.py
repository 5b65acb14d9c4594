"""`pickem new --where`: only what the masks allow is ever served, now and after each round."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from pickem.errors import VolumeMovedError
from pickem.geometry import PatchId
from pickem.project.project import Project, open_project
from pickem.project.round import Learning
from pickem.project.settings import VolumeSource
from tests.fixtures.tiny_project import SHAPE, make_tiny_project, paint_queue, write_tiny_volume
from tests.integration.command_line import Outcome, pickem_here

LEFT = np.zeros(SHAPE, np.uint8)
LEFT[:, :, :48] = 1  # half of each section; the sections are 128 × 96


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Where `pickem new` is told to make a project."""
    write_tiny_volume(tmp_path / "discs.tif")
    return tmp_path / "mine.pickem"


def new(project: Path, *more: object) -> Outcome:
    volume = project.with_name("discs.tif")
    return pickem_here(
        *("new", project, volume, "--class", "disc", "--patch", 16, "--audit", 5, "--voxel-size", "45,5,5"),
        *more,
    )


def refused(outcome: Outcome, *words: str) -> None:
    assert outcome.returncode == 2, outcome.stdout
    assert outcome.stderr.startswith("error: ")
    for word in words:
        assert word in outcome.stderr, outcome.stderr


def write(path: Path, mask: NDArray[np.generic]) -> Path:
    tifffile.imwrite(path, mask, photometric="minisblack")
    return path


def served(project: Project) -> list[PatchId]:
    """Every patch that a person may be shown."""
    queue = [queued.stored.patch for queued in project.store.queue()]
    return [*queue, *(stored.patch for stored in project.store.open_audit())]


@pytest.mark.parametrize(
    ("mask", "more", "last", "share"),
    [
        (LEFT, [], 40, "50%"),
        (LEFT[:1, ::32, ::16], [], 40, "50%"),
        (LEFT.astype(bool), ["--resolution", 10], 16, "67%"),
    ],
    ids=["the volume's grid", "coarser, one section for all", "at a working resolution"],
)
def test_what_is_served_lies_inside(
    project: Path, mask: NDArray[np.generic], more: list[object], last: int, share: str
) -> None:
    """`last`: the x of the last patch of 16 × 16 that is half inside."""
    made = new(project, "--where", write(project.with_name("left.tif"), mask), *more)
    assert made.returncode == 0, made.stderr
    assert f"The masks allow about {share} of the patches." in made.stdout
    with open_project(project) as opened:
        patches = served(opened)
        assert opened.store.open_audit()
        assert len(patches) >= 25
        assert max(patch.x for patch in patches) <= last
        assert opened.settings.volumes["discs"].where == "left.tif", "relative, so that it can move along"


def test_what_comes_after_a_round_lies_inside_too(tmp_path: Path) -> None:
    tmp_path.joinpath("here").mkdir()
    write(tmp_path / "here" / "left.tif", LEFT)
    volumes = {"discs": VolumeSource(path="discs.tif", where="left.tif")}
    make_tiny_project(tmp_path / "here", volumes=volumes, patch=16)
    (tmp_path / "here").rename(tmp_path / "there")
    with open_project(tmp_path / "there" / "tiny.pickem") as project:
        first = set(served(project))
        paint_queue(project, 4)
        hands = Learning(project, project.predictor("cpu"), lambda *_: None)
        hands.train()
        hands.rank()
        assert set(served(project)) - first, "another draw"
        assert max(patch.x for patch in served(project)) <= 40


def test_a_fixed_pool_lies_inside_too(tmp_path: Path) -> None:
    write(tmp_path / "left.tif", LEFT)
    volumes = {"discs": VolumeSource(path="discs.tif", where="left.tif")}
    folder = make_tiny_project(tmp_path, volumes=volumes, patch=16, candidates="random", audit_patches=0)
    with open_project(folder) as project:
        pool = project.draw(1, np.random.default_rng(0))
        assert len(pool) == project.settings.pool
        assert max(patch.x for patch in pool) <= 40


def test_a_volume_of_two_may_go_without_a_mask(project: Path, tmp_path: Path) -> None:
    other = write_tiny_volume(tmp_path / "other.tif")
    left = write(tmp_path / "left.tif", LEFT)
    refused(new(project, other, "--where", left), "as many masks as volumes", "--where everywhere")
    made = new(project, other, "--where", left, "--where", "everywhere")
    assert made.returncode == 0, made.stderr
    assert "about 75% of the patches" in made.stdout
    with open_project(project) as opened:
        patches = served(opened)
        assert max(patch.x for patch in patches if patch.volume == "discs") <= 40
        assert max(patch.x for patch in patches if patch.volume == "other") > 40


@pytest.mark.parametrize(
    ("mask", "words"),
    [
        (np.ones((12, 128, 95), np.uint8), ["(12, 128, 95)", "(12, 128, 96)", "divides it evenly"]),
        (np.zeros(SHAPE, np.uint8), ["mask of the volume discs", "no patch", "inside out"]),
        (LEFT * (np.arange(12) == 3)[:, None, None].astype(np.uint8), ["leave too few patches", "20"]),
    ],
    ids=["of another shape", "that allows nothing", "that leaves too little"],
)
def test_a_mask_is_refused(project: Path, mask: NDArray[np.uint8], words: list[str]) -> None:
    refused(new(project, "--where", write(project.with_name("mask.tif"), mask)), *words)
    assert not project.exists()
    assert {path.name for path in project.parent.iterdir()} == {"discs.tif", "mask.tif"}


def test_a_mask_that_is_nowhere_is_refused(project: Path) -> None:
    refused(new(project, "--where", project.with_name("nowhere.tif")), "no such image", "nowhere.tif")
    assert not project.exists()


def test_a_mask_that_went_is_missed_and_found_again(project: Path, tmp_path: Path) -> None:
    mask = write(tmp_path / "left.tif", LEFT)
    assert new(project, "--where", mask).returncode == 0
    moved, other = mask.rename(tmp_path / "moved.tif"), write(tmp_path / "odd.tif", LEFT[:, :, :50])
    with pytest.raises(VolumeMovedError, match="The mask of the volume discs"):
        open_project(project)
    refused(pickem_here("status", project), f"pickem move {project} discs --where PATH")
    refused(pickem_here("move", project, "discs", "--where", other), "does not have the shape")
    assert pickem_here("move", project, "discs", "--where", moved).returncode == 0
    assert pickem_here("status", project).returncode == 0


def test_a_mask_cannot_be_added_later(project: Path, tmp_path: Path) -> None:
    """The control patches were drawn without it."""
    assert new(project).returncode == 0
    mask = write(tmp_path / "left.tif", LEFT)
    refused(pickem_here("move", project, "discs", "--where", mask), "has no mask", "--where")
