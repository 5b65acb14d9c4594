"""Killed at any moment, pretraining goes on from what it has kept last.

    python -m tests.integration.test_pretraining_killed

forks trainers as `test_project_round_killed` does; what was learned is kept after each step. A crash is
(-1, "before" or "after", rename): a checkpoint takes two.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from pickem.predictor import PretrainingSettings, pretrained_steps
from pickem.project import start
from pickem.project.project import open_project
from pickem.project.round import Learning, due
from tests.fixtures.tiny_project import RECIPE, make_tiny_project, paint_queue
from tests.integration.killing import die_at
from tests.integration.test_project_round_killed import NEVER, Crash, Trainers, fork_trainers

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
STEPS = 5
LONG = RECIPE.model_copy(update={"pretraining": PretrainingSettings(steps=STEPS, batch_size=2)})
LOG = "steps.txt"  # beside the project: the steps that were taken, a line each


def pretrain(folder: Path, crash: Crash) -> None:
    """As a trainer does it. May die on the way."""
    start.KEEP_SECONDS = 0.0
    if crash != NEVER:
        die_at(crash[1], str(crash[2]))
    with open_project(folder) as project, (folder.parent / LOG).open("a", buffering=1) as log:

        def progress(stage: str, done: int, total: int) -> None:
            log.write(f"{done}\n")

        Learning(project, project.predictor("cpu"), progress).pretrain()


@pytest.fixture(scope="module")
def trainers() -> Iterator[Trainers]:
    made = Trainers("tests.integration.test_pretraining_killed")
    yield made
    made.close()


def steps_kept(folder: Path) -> int:
    with open_project(folder) as project:
        return pretrained_steps(start.start_path(project), LONG.network, LONG.pretraining)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("rename", range(1, 11))
def test_killed_while_it_keeps_what_was_learned(
    when: str, rename: int, trainers: Trainers, tmp_path: Path
) -> None:
    folder = make_tiny_project(tmp_path, recipe=LONG)
    assert trainers.run(folder, (-1, when, rename)) == -signal.SIGKILL
    kept = (rename - (when == "before")) // 2
    assert steps_kept(folder) == kept
    with open_project(folder) as project:
        assert due(project) == ("pretrain" if kept < STEPS else None)
    (tmp_path / LOG).unlink()
    if kept < STEPS:
        assert trainers.run(folder, NEVER) == 0
        assert (tmp_path / LOG).read_text().split() == [str(step) for step in range(kept + 1, STEPS + 1)]
        assert {path.name for path in (folder / "checkpoints").iterdir()} == {
            "pretrained.safetensors",
            "pretrained.json",
        }
    assert steps_kept(folder) == STEPS


def test_labels_that_wait_meanwhile_are_learned_from_what_was_kept(
    trainers: Trainers, tmp_path: Path
) -> None:
    weights = []
    for name, crash in (("killed", (-1, "after", 6)), ("without", None)):
        folder = make_tiny_project(tmp_path / name, recipe=LONG)
        if crash:
            assert trainers.run(folder, crash) == -signal.SIGKILL
        with open_project(folder) as project:
            paint_queue(project, 4)
            assert due(project, "person") == "train"
            Learning(project, project.predictor("cpu"), lambda *_: None, "person").train()
            weights.append((project.checkpoints / "round-0000.safetensors").read_bytes())
    assert weights[0] != weights[1]


if __name__ == "__main__":
    fork_trainers(pretrain)
