"""The page's loop is the benchmark's: a simulated annotator at the real server repeats a benchmark's run."""

from __future__ import annotations

from pathlib import Path

import pytest

from pickem.benchmark import load_profile
from pickem.predictor.checkpoints import read_checkpoint
from pickem.project.project import create_project, open_project
from pickem.project.rounds import latest_round
from pickem.project.settings import ProjectSettings, Recipe, VolumeSource
from tests.fixtures.tiny_dataset import write_tiny_dataset
from tests.integration.command_line import pickem, rows

ROUNDS = 3


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny dataset, a project on its training image, and a benchmark of it."""
    folder = tmp_path_factory.mktemp("simulation") / "data"
    dataset = write_tiny_dataset(folder)
    profile = load_profile(str(folder / "profile.toml"))
    settings = ProjectSettings(
        name="tiny",
        classes=("axon", "myelin"),
        volumes={"first": VolumeSource(path="training.tif")},
        patch=profile.patch,
        margin=16,
        candidates="random",
        first_patches=profile.initial,
        per_round=profile.per_round,
        pool=profile.pool,
        audit_patches=0,
        recipe=Recipe(
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
