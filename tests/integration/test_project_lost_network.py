"""A network whose files are damaged or gone: given up, and another one trained from the labels."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pickem.errors import CheckpointError
from pickem.learning.round import Stage
from pickem.project import rounds
from pickem.project.export import export_model, export_segmentation
from pickem.project.importing import network_of
from pickem.project.project import Project, open_project
from pickem.project.round import Learning, due
from tests.fixtures.tiny_project import (
    PRETRAINED,
    Said,
    answer,
    learn,
    learning,
    make_tiny_project,
    make_trained_project,
    paint_audit,
    paint_queue,
)


def skip_queue(project: Project) -> None:
    for queued in project.store.queue():
        answer(project.store, queued.stored.id, None, "skipped")


def problems(project: Project) -> list[str]:
    return [message for _, kind, message in project.store.events(20) if kind == "problem"]


def lose(project: Project, number: int, how: str) -> None:
    """Delete a network, leave its description alone, or damage its weights."""
    weights = project.checkpoints / f"round-{number:04d}.safetensors"
    if how == "damaged":
        weights.write_bytes(b"damaged")
        return
    weights.unlink()
    if how == "gone":
        weights.with_suffix(".json").unlink()


@pytest.mark.parametrize("how", ["gone", "without weights", "damaged"])
@pytest.mark.parametrize("work", ["nothing", "rank", "train"])
def test_a_lost_newest_network_is_trained_anew_from_the_one_before(
    tmp_path: Path, how: str, work: str
) -> None:
    with open_project(make_tiny_project(tmp_path)) as project:
        for labels in (4, 3):
            paint_queue(project, labels)
            learn(project)
        if work == "rank":
            skip_queue(project)
        if work == "train":
            paint_queue(project, 3)
        lose(project, 1, how)
        if (how, work) == ("damaged", "nothing"):
            paint_audit(project, 1)  # so that it is looked at
        said: Said = []
        assert learn(project, said).count("train") == 1
        assert ("training", 3, 3) in said, "on from the network before"
        latest = rounds.latest_round(project.store)
        assert latest is not None
        assert (latest.number, latest.ranked) == (2, True)
        assert latest.labelled == (10 if work == "train" else 7)
        assert len(problems(project)) == 1
        assert "The newest network is given up" in problems(project)[0]
        assert not (project.checkpoints / "round-0001.safetensors").exists()


def test_without_any_network_left_learning_begins_at_the_start(tmp_path: Path) -> None:
    """As when a project is copied without its checkpoints; a trainer that is killed then tells it no more."""
    with open_project(make_tiny_project(tmp_path, recipe=PRETRAINED)) as project:
        learning(project).do("pretrain")
        for labels in (4, 3):
            paint_queue(project, labels)
            learn(project)
        for number in (0, 1):
            lose(project, number, "gone")

        def killed(stage: Stage, done: int, total: int) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            Learning(project, project.predictor("cpu"), killed).do("train")
        said: Said = []
        learning(project, said).do("train")
        assert said[-1] == ("training", 6, 6), "the first phase"
        assert [message.splitlines()[0] for message in problems(project)] == [
            "The newest network is given up. A file of the checkpoint is missing."
        ]
        assert learn(project) == ["rank"]


def test_of_a_project_copied_without_checkpoints_another_start_is_done_without(tmp_path: Path) -> None:
    with open_project(make_tiny_project(tmp_path, start="start.safetensors")) as project:
        paint_queue(project, 4)
        assert learn(project) == ["train", "rank"]
        assert "without the other project's network" in problems(project)[0]


def test_a_lost_network_without_labels_is_as_none(tmp_path: Path) -> None:
    with open_project(make_tiny_project(tmp_path)) as project:
        paint_queue(project, 4)
        learn(project)
        for stored in project.store.submitted("query"):
            answer(project.store, stored.id, None, "skipped")
        lose(project, 0, "gone")
        assert due(project) is None
        skip_queue(project)
        assert learn(project) == ["pick"]
        paint_queue(project, 4)
        assert learn(project) == ["train", "rank"]


def test_a_network_that_project_toml_has_changed_since_is_kept(tmp_path: Path) -> None:
    folder = make_tiny_project(tmp_path)
    with open_project(folder) as project:
        paint_queue(project, 4)
        learn(project)
        paint_queue(project, 3)
    settings = folder / "project.toml"
    settings.write_text(settings.read_text().replace("feature_maps = 4", "feature_maps = 6"))
    with open_project(folder) as project:
        with pytest.raises(CheckpointError, match="feature_maps = 4"):
            learning(project).do("train")
        assert (project.checkpoints / "round-0000.safetensors").exists()


@pytest.mark.parametrize("lost", ["round-0000.safetensors", "round-0000.json"])
def test_of_a_lost_network_it_is_said_how_the_project_gets_another(tmp_path: Path, lost: str) -> None:
    with open_project(make_trained_project(tmp_path)) as project:
        (project.checkpoints / lost).unlink()
        for use in (
            lambda: next(export_model(project, tmp_path / "out")),
            lambda: next(export_segmentation(project, tmp_path / "out", lambda *_: None)),
        ):
            with pytest.raises(CheckpointError, match=f"pickem label {re.escape(str(project.folder))}"):
                use()
        with pytest.raises(CheckpointError, match="missing"):
            network_of(project.folder, ["disc"])
    assert not (tmp_path / "out").exists()
