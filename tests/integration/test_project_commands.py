"""`pickem new`, `status`, `export` as a user runs them; bad input leaves nothing half-written."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import numpy as np
import pytest
import tifffile

from pickem.geometry import whole
from pickem.project.project import open_project
from pickem.project.round import Learning
from pickem.project.store import NewMask
from tests.contract.volume_writers import write_n5, write_precomputed
from tests.fixtures.ome_zarr_reading import valid_label_levels
from tests.fixtures.tiny_project import (
    SHAPE,
    answer,
    make_tiny_project,
    paint_audit,
    paint_queue,
    write_tiny_volume,
)
from tests.integration.command_line import pickem_here


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    return write_tiny_volume(tmp_path / "discs.tif")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Where `pickem new` is told to make a project."""
    return tmp_path / "mine.pickem"


def good(project: Path, volume: Path, *more: object) -> list[object]:
    return ["new", project, volume, "--class", "disc", "--patch", 32, "--audit", 4, *more]


def refused(command: list[object], *words: str) -> None:
    result = pickem_here(*command)
    assert result.returncode == 2, result.stdout + result.stderr
    assert "Traceback" not in result.stderr
    assert result.stderr.startswith("error: ") or "Usage:" in result.stderr
    for word in words:
        assert word in result.stderr, result.stderr


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


# what works -----------------------------------------------------------------------------------------------


def test_new_then_status(project: Path, volume: Path) -> None:
    given = ("--class", "ring", "--voxel-size", "45,4.6,4.6", "--audit-every", 3)
    made = pickem_here(*good(project, volume, *given))
    assert made.returncode == 0, made.stderr
    assert f"pickem label {project}" in made.stdout
    assert "12 sections of 128 × 96 pixels" in made.stdout
    with open_project(project) as opened:
        assert opened.settings.name == "mine"
        assert opened.settings.classes == ("disc", "ring")
        assert opened.settings.audit_every == 3
        assert opened.settings.volumes["discs"].path == "discs.tif", "relative, so that both can move"
        assert opened.images.volumes["discs"].voxel_size == (45, 4.6, 4.6)
        first = opened.store.queue()[0].stored.id
        answer(opened.store, first, None, "skipped")
        paint_queue(opened, 1)
        paint_audit(opened, 1)
        answer(opened.store, opened.store.open_audit()[0].id, None, "skipped")
    status = pickem_here("status", project)
    assert status.returncode == 0, status.stderr
    assert "1 patches labelled, 1 skipped" in status.stdout
    assert "control patches: 1 of 2 painted, 1 skipped: the estimate knows nothing of them" in status.stdout
    assert "network: none yet" in status.stdout
    assert "time spent: 0:00:06, 0:00:03 of it on control patches" in status.stdout  # four times 1.5 s
    assert "No advice yet: 0 of the 30 control patches" in status.stdout
    assert "created: project mine" in status.stdout


def test_chunked_volumes_with_masks_and_labels(project: Path, volume: Path, tmp_path: Path) -> None:
    """N5 by the dataset's path, and a precomputed segmentation as labels and as a mask; all of it moves."""
    voxels = tifffile.imread(volume)
    write_n5(tmp_path / "em.n5" / "volumes" / "raw", voxels, "gzip")
    write_precomputed(tmp_path / "painted", (voxels > voxels.mean()).astype(np.uint8), pack=gzip.compress)
    masks = ("--labels", tmp_path / "painted", "--where", tmp_path / "painted")
    made = pickem_here(*good(project, tmp_path / "em.n5" / "volumes" / "raw", *masks))
    assert made.returncode == 0, made.stderr
    assert "Took over the labels of" in made.stdout
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    for name in ("em.n5", "painted", "mine.pickem"):
        (tmp_path / name).rename(moved / name)
    with open_project(moved / "mine.pickem") as opened:
        assert opened.settings.volumes["raw"].path == "em.n5/volumes/raw"
        np.testing.assert_array_equal(opened.images.volumes["raw"].read(whole(SHAPE)), voxels)
        assert "raw" in opened.masks


def test_status_says_how_long_a_patch_takes_once_twenty_were_timed(tmp_path: Path) -> None:
    project = make_tiny_project(tmp_path, first_patches=24)
    with open_project(project) as opened:
        paint_queue(opened, 19)
        assert "a patch takes" not in pickem_here("status", project).stdout
        paint_queue(opened, 1)
    status = pickem_here("status", project)
    assert "a patch takes 1.5 s; the next 20 about 30 seconds\n" in status.stdout.replace(" you", "")
    assert "(fitted to 20 patches, breaks left out: " in status.stdout


def test_what_is_exported_lies_beside_the_project(tmp_path: Path) -> None:
    folder = make_tiny_project(tmp_path)
    with open_project(folder) as opened:
        paint_queue(opened, 4)
        paint_audit(opened, 4)
        hands = Learning(opened, opened.predictor("cpu"), lambda *_: None)
        hands.train()
        hands.measure()
        hands.rank()
        number = opened.store.queue()[0].stored.id
        everything = np.ones((32, 32), np.uint8)
        opened.store.save(number, NewMask(0, everything, "submitted", "background", 9.0, proposed_by=0))
    exported = pickem_here("export", folder, "everything", "--device", "cpu")
    assert exported.returncode == 0, exported.stderr
    wrote = {
        line.removeprefix("wrote ") for line in exported.stdout.splitlines() if line.startswith("wrote ")
    }
    assert wrote == {str(path) for path in (tmp_path / "tiny-export").iterdir()}
    assert {Path(path).name for path in wrote} == {
        *("discs-labels.tif", "discs-segmentation.tif"),
        *("tiny-model.safetensors", "tiny-model.json", "quality.csv"),
    }
    as_zarr = pickem_here("export", folder, "everything", "--format", "ome-zarr", "--device", "cpu")
    assert as_zarr.returncode == 0, as_zarr.stderr
    for name in ("discs-labels.ome.zarr", "discs-segmentation.ome.zarr"):
        assert f"wrote {tmp_path / 'tiny-export' / name}" in as_zarr.stdout.splitlines()
        assert valid_label_levels(tmp_path / "tiny-export" / name)[0].shape == SHAPE
    status = pickem_here("status", folder)
    assert "from 4 patches" in status.stdout
    assert re.search(r"network 1 +4 +0\.\d{3} +0\.\d{3} to \d\.\d{3} +4 ", status.stdout), status.stdout
    assert re.search(r" \d+ % of 1 patch$", status.stdout, re.MULTILINE), status.stdout


def test_export_to_a_folder_of_ones_choice(project: Path, volume: Path, tmp_path: Path) -> None:
    assert pickem_here(*good(project, volume)).returncode == 0
    exported = pickem_here("export", project, "labels", "--out", tmp_path / "a" / "b")
    assert exported.returncode == 0, exported.stderr
    labels = tifffile.imread(tmp_path / "a" / "b" / "discs-labels.tif")
    assert labels.shape == SHAPE
    assert (labels == 255).all()


# what does not --------------------------------------------------------------------------------------------


def test_an_existing_project(project: Path, volume: Path) -> None:
    assert pickem_here(*good(project, volume)).returncode == 0
    before = {path.name: path.read_bytes() for path in project.iterdir()}
    refused(good(project, volume), "there already", f"pickem label {project}")
    assert {path.name: path.read_bytes() for path in project.iterdir()} == before


def test_a_missing_volume(project: Path, tmp_path: Path) -> None:
    refused(good(project, tmp_path / "nowhere.tif"), "nowhere.tif")
    assert not names(tmp_path)


def test_one_of_two_volumes_missing(project: Path, volume: Path, tmp_path: Path) -> None:
    refused(good(project, volume, tmp_path / "nowhere.tif"), "nowhere.tif")
    assert names(tmp_path) == {"discs.tif"}


def test_a_file_that_is_no_volume(project: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.tif").write_text("my notes")
    refused(good(project, tmp_path / "notes.tif"), "notes.tif")
    assert names(tmp_path) == {"notes.tif"}


def test_a_volume_smaller_than_a_patch(project: Path, volume: Path, tmp_path: Path) -> None:
    refused(good(project, volume, "--patch", 128), "discs", "smaller than a patch", "128 × 96", "--patch")
    assert names(tmp_path) == {"discs.tif"}


def test_an_unknown_strategy(project: Path, volume: Path, tmp_path: Path) -> None:
    refused(good(project, volume, "--strategy", "entropi"), "entropi", "did you mean", "entropy")
    assert names(tmp_path) == {"discs.tif"}


def test_a_strategy_that_only_a_benchmark_can_offer(project: Path, volume: Path, tmp_path: Path) -> None:
    refused(good(project, volume, "--strategy", "random-foreground"), "labels", "another strategy")
    assert names(tmp_path) == {"discs.tif"}


@pytest.mark.parametrize(
    "size", ["5", "5,5", "5,5,5,5", "a,b,c", "0,5,5", "-1,5,5", "nan,5,5", "inf,5,5", ""]
)
def test_a_voxel_size_that_makes_no_sense(project: Path, volume: Path, size: str, tmp_path: Path) -> None:
    refused(good(project, volume, f"--voxel-size={size}"), "voxel size", "45,4.6,4.6")
    assert names(tmp_path) == {"discs.tif"}


def test_two_volumes_of_one_name(project: Path, volume: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = write_tiny_volume(tmp_path / "other" / "discs.tif")
    refused(good(project, volume, other), "Two volumes have the same name", "rename")
    assert not project.exists()


def test_two_classes_of_one_name(project: Path, volume: Path, tmp_path: Path) -> None:
    refused(good(project, volume, "--class", "disc"), "Two classes have the same name", "disc")
    ten = [word for number in range(9) for word in ("--class", f"class-{number}")]
    refused(good(project, volume, *ten), "no number keys", "10 classes")
    assert names(tmp_path) == {"discs.tif"}


@pytest.mark.parametrize("patch", [8, 100, 8192, "large"])
def test_a_patch_of_an_odd_size(project: Path, volume: Path, patch: object, tmp_path: Path) -> None:
    refused(["new", project, volume, "--class", "disc", "--patch", patch], "patch")
    assert names(tmp_path) == {"discs.tif"}


def test_a_patch_between_the_strides_of_the_network(project: Path, volume: Path) -> None:
    refused(good(project, volume, "--patch", 100), "patch = 100 is not a multiple of 16", "96 or 112")


@pytest.mark.parametrize("missing", [["--class", "disc"], []])
def test_without_a_volume_or_a_class(project: Path, missing: list[object], tmp_path: Path) -> None:
    refused(["new", project, *missing], "Usage:")
    assert not names(tmp_path)


def test_a_place_where_nothing_can_be_made(volume: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    refused(good(tmp_path / "file" / "mine.pickem", volume), "A file lies where a folder is needed")
    assert names(tmp_path) == {"discs.tif", "file"}


def test_a_working_resolution_without_a_voxel_size(project: Path, volume: Path, tmp_path: Path) -> None:
    refused(good(project, volume, "--resolution", 10), "voxel size", "--voxel-size")
    assert names(tmp_path) == {"discs.tif"}


def test_labels_of_another_shape(project: Path, volume: Path, tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "labels.tif", np.zeros((12, 64, 96), np.uint8))
    refused(good(project, volume, "--labels", tmp_path / "labels.tif"), "shape", "(12, 64, 96)")
    assert names(tmp_path) == {"discs.tif", "labels.tif"}


def test_labels_with_an_unknown_class(project: Path, volume: Path, tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "labels.tif", np.full(SHAPE, 4, np.uint8))
    refused(good(project, volume, "--labels", tmp_path / "labels.tif"), "no class", "4")
    assert names(tmp_path) == {"discs.tif", "labels.tif"}


def test_the_network_of_a_project_without_one(project: Path, volume: Path, tmp_path: Path) -> None:
    assert pickem_here(*good(project, volume)).returncode == 0
    refused(good(tmp_path / "next.pickem", volume, "--from", project), "no trained network")
    refused(good(tmp_path / "next.pickem", volume, "--class", "ring", "--from", project), "other classes")
    assert names(tmp_path) == {"discs.tif", "mine.pickem"}


@pytest.mark.parametrize("command", [["label", "--no-browser"], ["status"], ["export", "labels"]])
@pytest.mark.parametrize("kind", ["nowhere", "folder", "file"])
def test_what_is_no_project(command: list[str], kind: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("mine")
    name, *more = command
    refused([name, tmp_path / kind, *more], "no pickem project", "pickem new")
    assert names(tmp_path) == {"folder", "file"}
    assert not names(tmp_path / "folder")


@pytest.mark.parametrize("what", ["model", "segmentation"])
def test_export_of_a_network_before_there_is_one(
    what: str, project: Path, volume: Path, tmp_path: Path
) -> None:
    assert pickem_here(*good(project, volume)).returncode == 0
    refused(["export", project, what], "no trained network yet", f"pickem label {project}")
    assert names(tmp_path) == {"discs.tif", "mine.pickem"}


def test_export_of_something_unknown(project: Path, volume: Path) -> None:
    assert pickem_here(*good(project, volume)).returncode == 0
    refused(["export", project, "everythin"], "everythin", "labels")


def test_export_to_a_format_that_is_not_written(project: Path, volume: Path) -> None:
    assert pickem_here(*good(project, volume)).returncode == 0
    refused(["export", project, "labels", "--format", "png"], "png", "ome-zarr")


def test_settings_that_somebody_broke(project: Path, volume: Path) -> None:
    assert pickem_here(*good(project, volume)).returncode == 0
    text = (project / "project.toml").read_text()
    (project / "project.toml").write_text(text.replace("patch = 32", "patch = 33"))
    refused(["status", project], "project.toml", "patch", "multiple of 16")


def test_a_project_of_a_later_version(project: Path, volume: Path) -> None:
    assert pickem_here(*good(project, volume)).returncode == 0
    with open_project(project) as opened, opened.store.change() as connection:
        connection.execute("PRAGMA user_version = 99")
    refused(["status", project], "later version", "pip install --upgrade")
