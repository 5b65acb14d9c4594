"""What a project's networks see is measured once, by `pickem new`, and stays."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import tifffile

from pickem.predictor import Normalisation
from pickem.project.project import create_project, open_project
from pickem.project.round import Learning
from pickem.project.settings import ProjectSettings, VolumeSource
from tests.fixtures.tiny_project import RECIPE, make_tiny_project, paint_queue, write_tiny_volume


def two_microscopes(folder: Path) -> Path:
    """A project on two volumes, one of them 16 bits wide and twenty times as bright."""
    image = tifffile.imread(write_tiny_volume(folder / "dim.tif"))
    tifffile.imwrite(folder / "bright.tif", image.astype(np.uint16) * 20 + 5, photometric="minisblack")
    settings = ProjectSettings(
        name="two",
        classes=("disc",),
        volumes={name: VolumeSource(path=f"{name}.tif") for name in ("dim", "bright")},
        patch=32,
        first_patches=4,
        per_round=3,
        pool=30,
        audit_patches=0,
        recipe=RECIPE,
    )
    create_project(folder / "two.pickem", settings)
    return folder / "two.pickem"


def test_volumes_of_several_microscopes_look_alike_to_the_network(tmp_path: Path) -> None:
    with open_project(two_microscopes(tmp_path)) as project:
        dim, bright = (project.inputs.plane(name, 3) for name in ("dim", "bright"))
        np.testing.assert_allclose(dim, bright, atol=1e-4)
        assert abs(float(dim.mean())) < 0.5
        patches = [queued.stored.patch for queued in project.store.queue()]
        for patch, image in zip(patches, project.inputs.images(patches), strict=True):
            _, rows, columns = patch.box.slices
            np.testing.assert_array_equal(image, project.inputs.plane(patch.volume, patch.z)[rows, columns])


def test_what_was_measured_is_kept_and_goes_with_the_network(tmp_path: Path) -> None:
    folder = two_microscopes(tmp_path)
    with open_project(folder) as project:
        measured = project.inputs.normalisation
    image = tifffile.imread(tmp_path / "dim.tif")
    tifffile.imwrite(tmp_path / "dim.tif", image // 2, photometric="minisblack")  # what nobody should do
    with open_project(folder) as project:
        assert project.inputs.normalisation == measured
        paint_queue(project, 4)
        Learning(project, project.predictor("cpu"), lambda *_: None).train()
        said = json.loads((project.checkpoints / "round-0000.json").read_text())["normalisation"]
        assert said == measured.description()
        assert set(said["volumes"]) == {"dim", "bright"}


def forget(folder: Path) -> None:
    """Make a project as it was before normalisations were kept."""
    with open_project(folder) as project, project.store.change() as connection:
        connection.execute("DELETE FROM normalisation")


def test_an_earlier_project_without_a_network_is_measured_when_it_is_opened(tmp_path: Path) -> None:
    folder = make_tiny_project(tmp_path)
    with open_project(folder) as project:
        measured = project.inputs.normalisation
    forget(folder)
    with open_project(folder) as project:
        assert project.inputs.normalisation == measured
        assert len(project.store.rows("SELECT * FROM normalisation")) == 1


def test_an_earlier_project_goes_on_with_what_its_network_was_trained_on(tmp_path: Path) -> None:
    folder = make_tiny_project(tmp_path)
    with open_project(folder) as project:
        paint_queue(project, 4)
        Learning(project, project.predictor("cpu"), lambda *_: None).train()
        header = project.checkpoints / "round-0000.json"
    before = Normalisation(mean=101.5, deviation=33.25)
    header.write_text(
        json.dumps(json.loads(header.read_text()) | {"normalisation": {"mean": 101.5, "deviation": 33.25}})
    )
    forget(folder)
    with open_project(folder) as project:
        assert project.inputs.normalisation.volumes == {"discs": before}
        predictor = project.predictor("cpu")
        predictor.load_weights(project.checkpoints / "round-0000.safetensors")
        paint_queue(project, 3)
        Learning(project, predictor, lambda *_: None).train()
        assert (project.checkpoints / "round-0001.json").exists()
