"""A project whose network sees neighbouring sections: everything that a person does with it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from pickem.geometry import PatchId
from pickem.predictor import NetworkPredictor, Phase
from pickem.project import survey
from pickem.project.export import export_segmentation
from pickem.project.feature_table import FeatureTable
from pickem.project.project import Project, open_project
from pickem.project.round import Learning, Part, due
from pickem.project.settings import Recipe, VolumeSource
from pickem.project.store import NewMask
from tests.fixtures.ome_zarr_reading import valid_label_levels
from tests.fixtures.prediction import workers_here
from tests.fixtures.stand_ins import scene
from tests.fixtures.tiny_project import (
    PRETRAINED,
    RECIPE,
    SHAPE,
    damage_section,
    make_tiny_project,
    paint_audit,
    paint_queue,
)
from tests.integration.command_line import pickem_here

COARSE = VolumeSource(path="discs.tif", voxel_size=(10, 5, 5), factor=2)


def seeing(sections: int, recipe: Recipe = RECIPE) -> Recipe:
    """The recipe with a network that sees so many sections at once, and pixels around its patches."""
    network = recipe.network.model_copy(update={"channels": sections})
    training = recipe.training.model_copy(update={"context": 8})
    first = Phase(learning_rate=1e-2, steps=60)  # until it finds something
    return recipe.model_copy(update={"network": network, "training": training, "first": first})


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(survey, "BLOCK", 80 * 32**2)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A scheduler whose workers are threads of this process."""
    with workers_here("tcp") as client:
        yield str(client.scheduler_info()["address"])


def learn(project: Project) -> list[Part]:
    """Do what is due for a person until nothing is; returns what was done."""
    hands, done = Learning(project, project.predictor("cpu"), lambda *_: None, "person"), list[Part]()
    while (part := due(project, "person")) is not None:
        hands.do(part)
        done.append(part)
        assert len(done) <= 15, done
    return done


def newest(project: Project) -> NetworkPredictor:
    predictor = project.predictor("cpu")
    predictor.load_weights(max(project.checkpoints.glob("round-*.safetensors")))
    return predictor


@pytest.mark.parametrize("sections", [3, 5])
def test_pretrained_trained_ranked_measured_and_surveyed(tmp_path: Path, sections: int) -> None:
    """And what it proposes is what the network says of the patch between its neighbours."""
    with open_project(make_tiny_project(tmp_path, recipe=seeing(sections, PRETRAINED))) as project:
        paint_audit(project, 2)
        assert learn(project) == ["pretrain"]
        paint_queue(project, 4)
        done = learn(project)
        assert done[:3] == ["train", "rank", "measure"]
        assert done[-2:] == ["survey", "rank"]
        (folder,) = (project.folder / "pool").iterdir()
        assert FeatureTable(folder).filled.complete
        shown = project.store.queue()[0].stored
        predictor = newest(project)
        seen = project.inputs.images([shown.patch], predictor.context)
        assert seen.shape == (1, sections, 48, 48)
        proposal = project.store.proposal(shown.id)
        np.testing.assert_array_equal(proposal, predictor.predict_proba(seen)[0].argmax(axis=0))
        said = json.loads((project.checkpoints / "round-0000.json").read_text())
        assert said["network"]["channels"] == sections
        paint_queue(project, 3)
        assert learn(project)[:2] == ["train", "rank"]


def test_what_it_sees_are_the_sections_before_and_behind(tmp_path: Path) -> None:
    with open_project(make_tiny_project(tmp_path, recipe=seeing(3))) as project:
        (alone,) = project.inputs.normalisation.volumes.values()
        voxels = alone.apply(scene(SHAPE, np.random.default_rng(0))[0])[:, 0]
        for z, expected in ((0, (1, 0, 1)), (5, (4, 5, 6)), (11, (10, 11, 10))):
            patch = PatchId("discs", z, 32, 40, 32, 32)
            (seen,) = project.inputs.images([patch])
            np.testing.assert_array_equal(seen, voxels[list(expected), 32:64, 40:72])
            np.testing.assert_array_equal(project.inputs.plane("discs", z), voxels[list(expected)])


@pytest.mark.parametrize("source", [VolumeSource(path="discs.tif"), COARSE], ids=["own", "coarse"])
def test_predicted_in_blocks_it_is_what_is_exported(
    tmp_path: Path, address: str, source: VolumeSource
) -> None:
    folder = make_tiny_project(tmp_path, recipe=seeing(3), volumes={"discs": source}, audit_patches=0)
    with open_project(folder) as project:
        paint_some(project)
        Learning(project, project.predictor("cpu"), lambda *_: None).train()
        (path,) = export_segmentation(project, tmp_path / "out", lambda *_: None, "cpu")
    out = tmp_path / "seg.ome.zarr"
    done = pickem_here("predict", folder, "--out", out, "--scheduler", address, "--device", "cpu")
    assert done.returncode == 0, done.stderr
    exported = tifffile.imread(path)
    assert exported.shape == SHAPE
    assert np.mean(valid_label_levels(out)[0] != exported) <= 1e-3  # near-ties
    assert np.unique(exported).tolist() == [0, 1]


def submit(project: Project, number: int, mask: NDArray[np.uint8]) -> None:
    project.store.save(number, NewMask(0, mask, "submitted", "background", seconds=1.5))


def paint_some(project: Project) -> None:
    """Submit masks of what is dark, on whatever grid the project works."""
    dark = scene(SHAPE, np.random.default_rng(0))[0] < 120
    factor = project.settings.volumes["discs"].factor
    for queued in project.store.queue()[:4]:
        patch = queued.stored.patch
        mask = dark[patch.z, ::factor, ::factor][patch.box.slices[1:]].astype(np.uint8)
        submit(project, queued.stored.id, mask)


@pytest.mark.parametrize("depth", [1, 2])
@pytest.mark.parametrize("sections", [3, 5])
def test_volumes_of_fewer_sections_than_it_sees(
    tmp_path: Path, address: str, depth: int, sections: int
) -> None:
    grey, _ = scene((depth, 128, 128), np.random.default_rng(0))
    tifffile.imwrite(tmp_path / "thin.tif", grey if depth > 1 else grey[0], photometric="minisblack")
    thin = {"discs": VolumeSource(path="thin.tif")}
    folder = make_tiny_project(tmp_path, recipe=seeing(sections), volumes=thin, audit_patches=0)
    with open_project(folder) as project:
        assert project.inputs.plane("discs", 0).shape == (sections, 128, 128)
        for queued in project.store.queue()[:4]:
            mask = np.zeros((32, 32), np.uint8)
            mask[8:20, 8:20] = 1
            submit(project, queued.stored.id, mask)
        assert learn(project)[:2] == ["train", "rank"]
        (path,) = export_segmentation(project, tmp_path / "out", lambda *_: None, "cpu")
    out = tmp_path / "seg.ome.zarr"
    done = pickem_here("predict", folder, "--out", out, "--scheduler", address, "--device", "cpu")
    assert done.returncode == 0, done.stderr
    exported = tifffile.imread(path).reshape(grey.shape)
    assert np.mean(valid_label_levels(out)[0].reshape(grey.shape) != exported) <= 1e-3


def test_a_patch_beside_a_section_that_cannot_be_read_is_passed_over(tmp_path: Path) -> None:
    folder = make_tiny_project(tmp_path, recipe=seeing(3), audit_patches=0)
    with open_project(folder) as project:
        paint_queue(project, 4)
    damage_section(tmp_path / "discs.tif", 6)
    with open_project(folder) as project:
        learn(project)
        (table,) = (project.folder / "pool").iterdir()
        seen = {patch.z for patch in FeatureTable(table).features().patches}
    assert seen == {*range(12)} - {5, 6, 7}


def test_an_even_number_of_sections_is_refused(tmp_path: Path) -> None:
    folder = make_tiny_project(tmp_path)
    text = (folder / "project.toml").read_text()
    (folder / "project.toml").write_text(text.replace("channels = 1", "channels = 2"))
    done = pickem_here("status", folder)
    assert done.returncode == 2
    assert "recipe.network.channels" in done.stderr
    assert "2 sections" in done.stderr


def test_a_network_that_sees_another_number_is_no_start(tmp_path: Path) -> None:
    folder = make_tiny_project(tmp_path, audit_patches=0)
    with open_project(folder) as project:
        paint_queue(project, 4)
        Learning(project, project.predictor("cpu"), lambda *_: None).train()
    text = (folder / "project.toml").read_text()
    (folder / "project.toml").write_text(text.replace("channels = 1", "channels = 3"))
    done = pickem_here("export", folder, "segmentation", "--out", tmp_path / "out", "--device", "cpu")
    assert done.returncode == 2
    assert "channels (sections seen at once) = 1" in done.stderr
    assert "[recipe.network]" in done.stderr


@pytest.mark.parametrize(("spacing", "warned"), [("10,10,10", False), ("60,10,10", True)])
def test_sections_that_lie_further_apart_than_those_it_knows_are_told(
    tmp_path: Path, address: str, spacing: str, warned: bool
) -> None:
    folder = make_tiny_project(tmp_path, recipe=seeing(3), volumes={"discs": COARSE}, audit_patches=0)
    with open_project(folder) as project:
        paint_some(project)
        Learning(project, project.predictor("cpu"), lambda *_: None).train()
    other = tmp_path / "other.tif"
    tifffile.imwrite(other, scene((2, 64, 64), np.random.default_rng(1))[0], photometric="minisblack")
    options = ("--voxel-size", spacing, "--out", tmp_path / "seg.ome.zarr", "--scheduler", address)
    done = pickem_here("predict", folder, other, *options, "--device", "cpu")
    assert done.returncode == 0, done.stderr
    assert ("60 nm apart" in done.stdout) is warned
