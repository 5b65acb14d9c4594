"""The page's loop is the benchmark's: a simulated annotator at the real server repeats a benchmark's run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from rich.console import Console

from pickem.benchmark import load_profile
from pickem.cli.simulation import simulation
from pickem.errors import InvalidMaskError
from pickem.geometry import PatchId
from pickem.predictor.checkpoints import read_checkpoint
from pickem.project.project import create_project, open_project
from pickem.project.rounds import latest_round
from pickem.project.settings import ProjectSettings, Recipe, VolumeSource
from pickem.volumes import open_volume
from tests.fixtures.labelling_server import TOKEN, serving
from tests.fixtures.stand_ins import scene
from tests.fixtures.tiny_dataset import PROFILE, write_tiny_dataset
from tests.fixtures.tiny_project import SHAPE, make_tiny_project
from tests.integration.command_line import pickem, rows

ROUNDS = 3


@pytest.fixture(scope="module", params=["percentiles", "deviation"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny dataset, a project on its training image, and a benchmark of it."""
    folder = tmp_path_factory.mktemp("simulation") / "data"
    dataset = write_tiny_dataset(folder)
    (folder / "profile.toml").write_text(f'normalisation = "{request.param}"\n{PROFILE}')
    profile = load_profile(str(folder / "profile.toml"))
    settings = ProjectSettings(
        name="tiny",
        classes=("axon", "myelin"),
        volumes={"first": VolumeSource(path="training.tif")},
        patch=profile.patch,
        margin=16,
        strategy="entropy",
        candidates="random",
        first_patches=profile.initial,
        per_round=profile.per_round,
        pool=profile.pool,
        audit_patches=0,
        recipe=Recipe(
            normalisation=profile.normalisation,
            network=profile.network,
            pretraining=profile.pretraining,
            training=profile.training,
            first=profile.first,
            following=profile.following,
            measuring=profile.measuring,
            precision=profile.precision,
        ),
    )
    create_project(folder / "tiny.pickem", settings)
    done = pickem(
        *("benchmark", dataset, "--strategies", "entropy", "--seeds", 1, "--rounds", ROUNDS),
        *("--profile", folder / "profile.toml", "--out", folder / "out"),
    )
    assert done.returncode == 0, done.stderr
    return folder


def test_a_simulated_annotator_repeats_the_benchmark(folder: Path) -> None:
    profile = load_profile(str(folder / "profile.toml"))
    labelled = profile.labelled(ROUNDS - 1)
    done = pickem(
        *("label", folder / "tiny.pickem", "--no-browser", "--port", 0, "--threads", 1),
        *("--simulate", folder / "training_labels.tif", "--patches", labelled),
    )
    assert done.returncode == 0, done.stderr
    assert f"{labelled} patches" in done.stdout

    picks = [(int(row["z"]), int(row["y"]), int(row["x"])) for row in rows(folder / "out", "picks.csv")]
    with open_project(folder / "tiny.pickem") as project:
        painted = [stored.patch for stored in project.store.submitted("query")]
        assert [(p.z, p.y, p.x) for p in painted[profile.initial :]] == picks
        last = latest_round(project.store)
        assert last is not None
        assert last.number == ROUNDS - 1
        ours, _ = read_checkpoint(project.checkpoints / str(last.checkpoint))
    (weights,) = (folder / "out" / "runs" / "entropy" / "seed-000").glob(f"*{ROUNDS - 1:03d}.safetensors")
    theirs, _ = read_checkpoint(weights)
    assert all(bool((ours[name] == theirs[name]).all()) for name in theirs)


def simulated(folder: Path, truth: NDArray[np.uint8], **changes: object) -> dict[PatchId, NDArray[np.uint8]]:
    """What a simulated annotator with this ground truth paints on two patches of a tiny project."""
    project = make_tiny_project(folder, audit_patches=0, **changes)
    tifffile.imwrite(folder / "truth.tif", truth, photometric="minisblack")
    paint = simulation(project, open_volume(folder / "truth.tif"), 2, Console(quiet=True))
    with serving(project) as page:
        paint(page.address, TOKEN)
    with open_project(project) as opened:
        return {stored.patch: mask for stored, mask in opened.store.submitted("query").items()}


def test_the_ground_truth_lies_on_the_grid_of_the_file(tmp_path: Path) -> None:
    truth = scene(SHAPE, np.random.default_rng(0))[1].astype(np.uint8)
    painted = simulated(tmp_path, truth, volumes={"discs": VolumeSource(path="discs.tif", factor=2)})
    assert len(painted) == 2
    for patch, mask in painted.items():
        np.testing.assert_array_equal(mask, truth[:, 1::2, 1::2][patch.box.slices][0])


def test_a_ground_truth_with_values_that_are_no_class_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidMaskError, match="values that are no class"):
        simulated(tmp_path, np.full(SHAPE, 7, np.uint8))
