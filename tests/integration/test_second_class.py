"""While the labels show one class alone, patches are picked at random; once a second one comes, all is begun
anew: what a network of one class had learned is that there is nothing else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile

from pickem.project.project import Project, open_project
from pickem.project.settings import Recipe
from tests.fixtures.tiny_dataset import write_tiny_dataset
from tests.fixtures.tiny_project import (
    PRETRAINED,
    RECIPE,
    Said,
    answer,
    learn,
    learning,
    make_tiny_project,
    truth,
    write_tiny_volume,
)
from tests.integration.command_line import pickem_here, rows, without_times

FIRST, FOLLOWING = 12, 4  # steps, of the tiny dataset's profile
BY_LOT = "all labels so far show one class"


@pytest.fixture(scope="module")
def rare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset whose foreground lies at the upper edge of the training image, where no first patch is."""
    folder = tmp_path_factory.mktemp("rare") / "data"
    write_tiny_dataset(folder)
    labels = tifffile.imread(folder / "training_labels.tif")
    labels[56:] = 0
    tifffile.imwrite(folder / "training_labels.tif", labels)
    return folder


def benchmark(rare: Path, out: Path, strategy: str, rounds: int) -> list[dict[str, str]]:
    finished = pickem_here(
        *("benchmark", rare / "tiny.toml", "--profile", rare / "profile.toml", "--strategies", strategy),
        *("--rounds", rounds, "--out", out),
    )
    assert finished.returncode == 0, finished.stderr
    return rows(out)


@pytest.mark.parametrize("strategy", ["entropy", "random"])
def test_a_benchmark_starts_over_with_its_second_class(rare: Path, tmp_path: Path, strategy: str) -> None:
    found = benchmark(rare, tmp_path / "out", strategy, 6)
    shown = [float(row["foreground_share"]) > 0 for row in found]
    came = shown.index(True)
    assert came > 0
    assert [int(row["steps"]) for row in found] == [
        FIRST if number in (0, came) else FOLLOWING for number in range(6)
    ]
    reasons = [row["reason"] for row in rows(tmp_path / "out", "picks.csv")]
    if strategy == "entropy":
        assert all(BY_LOT in reason for reason in reasons[: 3 * came])
        assert not any(BY_LOT in reason for reason in reasons[3 * came :])


@pytest.mark.parametrize("stopped_after", [2, 4])
def test_a_stopped_benchmark_starts_over_as_one_that_was_not(
    rare: Path, tmp_path: Path, stopped_after: int
) -> None:
    undisturbed = benchmark(rare, tmp_path / "undisturbed", "entropy", 6)
    out = tmp_path / "out"
    benchmark(rare, out, "entropy", stopped_after)
    for weights in out.rglob("weights*"):
        weights.unlink()  # as after a fresh clone of results whose weights were too large to keep
    assert without_times(benchmark(rare, out, "entropy", 6)) == without_times(undisturbed)


def paint(project: Project, *, background_alone: bool) -> None:
    """Answer the queue with its truth, as far as a round needs it, or with background alone."""
    wanted = 3 if project.store.count("query", "submitted") else 4
    for queued in project.store.queue()[:wanted]:
        mask = truth(queued.stored.patch)
        answer(project.store, queued.stored.id, mask * (not background_alone), "submitted")


def reasons(project: Project) -> list[str]:
    return [queued.reason for queued in project.store.queue()]


def weights(project: Project, number: int) -> bytes:
    return (project.checkpoints / f"round-{number:04d}.safetensors").read_bytes()


@pytest.mark.parametrize("recipe", [RECIPE, PRETRAINED], ids=["from drawn weights", "pretrained"])
def test_a_project_starts_over_with_its_second_class(tmp_path: Path, recipe: Recipe) -> None:
    with open_project(make_tiny_project(tmp_path, recipe=recipe)) as project:
        paint(project, background_alone=True)
        learn(project)
        assert reasons(project)
        assert all(BY_LOT in reason for reason in reasons(project))
        paint(project, background_alone=True)
        learn(project)
        paint(project, background_alone=False)
        said: Said = []
        learn(project, said)
        assert {total for stage, _, total in said if stage == "training"} == {RECIPE.first.steps}
        assert not any(BY_LOT in reason for reason in reasons(project))
        trained = weights(project, 2)
        _forget_networks(project)
        learn(project)
        assert weights(project, 2) == trained, "nothing of the networks before it is in it"


def _forget_networks(project: Project) -> None:
    """As if there had been none: the last round is to be done again."""
    for path in project.checkpoints.glob("round-*"):
        path.unlink()
    with project.store.change() as connection:
        connection.execute("UPDATE rounds SET checkpoint = NULL WHERE number < 2")
        connection.execute("UPDATE rounds SET checkpoint = NULL, finished = NULL WHERE number = 2")


def test_a_project_that_starts_with_anothers_network_ranks_by_it_at_once(tmp_path: Path) -> None:
    """That network knows more classes than the labels show."""
    with open_project(make_tiny_project(tmp_path / "other")) as other:
        paint(other, background_alone=False)
        learn(other)
    volume = write_tiny_volume(tmp_path / "own.tif")
    fixed = ("--class", "disc", "--patch", 32, "--audit", 4, "--from", tmp_path / "other" / "tiny.pickem")
    made = pickem_here("new", tmp_path / "own.pickem", volume, *fixed)
    assert made.returncode == 0, made.stderr
    with open_project(tmp_path / "own.pickem") as own:
        for queued in own.store.queue()[: own.settings.first_patches]:
            answer(own.store, queued.stored.id, np.zeros((32, 32), np.uint8), "submitted")
        hands = learning(own)
        hands.train()
        hands.rank()
        assert reasons(own)
        assert not any(BY_LOT in reason for reason in reasons(own))
