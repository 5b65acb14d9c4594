"""A project whose network's probabilities are averaged over neighbouring sections, where those go on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from scipy.ndimage import convolve1d

from pickem.geometry import PatchId
from pickem.learning import confusion
from pickem.predictor import MeasuringSettings, NetworkPredictor, Phase
from pickem.project.patch_predictions import predict_patches
from pickem.project.project import Project, open_project
from pickem.project.round import Learning
from pickem.project.settings import VolumeSource
from tests.fixtures.sections import drifting, unrelated
from tests.fixtures.stand_ins import scene
from tests.fixtures.tiny_project import (
    RECIPE,
    SHAPE,
    answer,
    chunk_of,
    make_tiny_project,
    paint_audit,
    paint_queue,
    write_tiny_chunks,
)
from tests.integration.command_line import pickem_here

WEIGHTS = {0: [1], 1: [1 / 4, 1 / 2, 1 / 4]}
SIDE = 32  # pixels


def averaging(smoothing: int) -> dict[str, object]:
    """Settings of a tiny project that averages over so many sections to each side."""
    measuring = MeasuringSettings(passes=2, smoothing=smoothing)
    first = Phase(learning_rate=1e-2, steps=60)  # until it finds something
    return {"recipe": RECIPE.model_copy(update={"measuring": measuring, "first": first})}


def averaged(
    project: Project, predictor: NetworkPredictor, patch: PatchId, smoothing: int
) -> NDArray[np.float32]:
    """Probabilities (classes, h, w) of a patch, from its window in all sections; ends are repeated."""
    windows = [PatchId(patch.volume, z, patch.y, patch.x, SIDE, SIDE) for z in range(SHAPE[0])]
    alone = predictor.predict_proba(project.inputs.images(windows, predictor.context))
    means: NDArray[np.float32] = convolve1d(alone, WEIGHTS[smoothing], axis=0, mode="nearest")
    return means[patch.z]


def paint_dark(project: Project) -> None:
    """Submit as foreground what is dark on some patches: of noise, so that every section differs."""
    dark = scene(SHAPE, np.random.default_rng(0))[0] < 120
    for stored in [*(queued.stored for queued in project.store.queue()[:4]), *project.store.open_audit()[:3]]:
        answer(project.store, stored.id, dark[stored.patch.box.slices][0].astype(np.uint8), "submitted")


@pytest.mark.parametrize("smoothing", WEIGHTS)
def test_control_patches_and_proposals_are_averaged(tmp_path: Path, smoothing: int) -> None:
    with open_project(make_tiny_project(tmp_path, **averaging(smoothing))) as project:
        predictor, store = project.predictor("cpu"), project.store
        hands = Learning(project, predictor, lambda *_: None)
        paint_dark(project)
        hands.train()
        hands.rank()
        hands.measure()
        for z in (0, 1, 5, SHAPE[0] - 1):
            window = PatchId("discs", z, 40, 32, SIDE, SIDE)
            found = predict_patches(project, predictor, [window, window])
            np.testing.assert_allclose(found[1], averaged(project, predictor, window, smoothing), atol=1e-6)
        hits = {row["patch"]: row["hit"] for row in store.rows("SELECT * FROM audit_counts")}
        for stored, mask in store.submitted("audit").items():
            predicted = averaged(project, predictor, stored.patch, smoothing).argmax(axis=0)
            assert hits[stored.id] == pytest.approx(confusion(mask, predicted, 2)[1, 1], abs=1)  # near-ties
        changed = 0
        for queued in store.queue():
            patch, proposal = queued.stored.patch, store.proposal(queued.stored.id)
            assert np.sum(proposal != averaged(project, predictor, patch, smoothing).argmax(axis=0)) <= 1
            changed += np.sum(proposal != averaged(project, predictor, patch, 0).argmax(axis=0))
        assert (changed > 20) == (smoothing > 0)


@pytest.mark.parametrize("smoothing", [0, 1])
def test_a_neighbour_that_cannot_be_read_is_missed_only_where_it_counts(
    tmp_path: Path, smoothing: int
) -> None:
    """Labels beside it are learned from all the same."""
    settings = {"volumes": {"discs": VolumeSource(path="discs.zarr")}} | averaging(smoothing)
    volume = write_tiny_chunks(tmp_path, SIDE)
    with open_project(make_tiny_project(tmp_path, **settings)) as project:
        paint_audit(project, 4)
        paint_queue(project, 4)
        beside, *others = project.store.submitted("audit")
        lost = beside.patch.z + (1 if beside.patch.z == 0 else -1)
        chunk_of(volume, lost, beside.patch.y, beside.patch.x, SIDE).write_bytes(b"damaged")
        hands = Learning(project, project.predictor("cpu"), lambda *_: None)
        hands.train()
        hands.measure()
        measured = {row["patch"] for row in project.store.rows("SELECT patch FROM audit_counts")}
        assert measured >= {other.id for other in others if other.patch.z != beside.patch.z}
        assert (beside.id in measured) == (smoothing == 0)
        assert len(hands.unreadable.words) == smoothing


def new(folder: Path, *volumes: str) -> tuple[str, int]:
    """What `pickem new` says, and over how many sections its project averages to each side."""
    project = folder / "mine.pickem"
    paths = [folder / name for name in volumes]
    made = pickem_here("new", project, *paths, "--class", "axon", "--audit", 0)
    assert made.returncode == 0, made.stderr
    with open_project(project) as opened:
        return made.stdout, opened.settings.recipe.measuring.smoothing


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """A folder with images of every kind."""
    for name, sections in (("stack", drifting(6)), ("places", unrelated(6)), ("single", unrelated(1))):
        tifffile.imwrite(tmp_path / f"{name}.tif", sections, photometric="minisblack")
    return tmp_path


@pytest.mark.parametrize("volumes", [["stack.tif"], ["stack.tif", "single.tif"]])
def test_a_stack_is_averaged(images: Path, volumes: Sequence[str]) -> None:
    said, smoothing = new(images, *volumes)
    assert smoothing == 1
    assert "in common" not in said


@pytest.mark.parametrize("volumes", [["places.tif"], ["stack.tif", "places.tif"]])
def test_images_of_different_places_are_not_and_the_person_is_told(
    images: Path, volumes: Sequence[str]
) -> None:
    said, smoothing = new(images, *volumes)
    assert smoothing == 0
    assert "Neighbouring sections of places have little in common" in said


def test_a_single_image_has_nothing_to_be_averaged_with(images: Path) -> None:
    said, smoothing = new(images, "single.tif")
    assert smoothing == 0
    assert "in common" not in said
