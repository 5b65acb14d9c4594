"""Killed on its way through the volume, a trainer goes on with the block it was in, and ends as undisturbed.

    python -m tests.integration.test_project_survey_killed

forks trainers as `test_project_round_killed` does. A crash is (0, "before" or "after", rename): every block
ends in one rename, and so does every ranking.
"""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pickem.geometry import PatchId
from pickem.project import survey
from pickem.project.feature_table import FeatureTable
from pickem.project.project import Project, open_project
from pickem.project.round import Learning, due
from tests.fixtures.tiny_project import make_tiny_project, paint_queue
from tests.integration.killing import die_at
from tests.integration.test_project_round_killed import NEVER, Crash, Trainers, fork_trainers

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
BLOCK = 16
LOG = "looked-at.txt"  # beside the project: the patches that were measured, a line each


def look_through(folder: Path, crash: Crash) -> None:
    """Do what is due for a person until nothing is. May die on the way."""
    survey.BLOCK = BLOCK * 32**2
    with open_project(folder) as project:
        learning = Learning(project, project.predictor("cpu"), lambda *_: None, "person")
        if crash[1] in ("before", "after"):
            die_at(crash[1], str(crash[2]))
        while part := due(project, "person"):
            if part == "survey":
                with logged(project):
                    learning.do(part)
            else:
                learning.do(part)


@contextmanager
def logged(project: Project) -> Iterator[None]:
    """Writes down which patches are measured, before they are."""
    read, log = project.inputs.images, project.folder.parent / LOG

    def images(patches: Sequence[PatchId], context: int = 0) -> NDArray[np.float32]:
        with log.open("a") as file:
            file.writelines(f"{patch}\n" for patch in patches)
        return read(patches, context)

    project.inputs.images = images  # type: ignore[method-assign]
    yield
    project.inputs.images = read  # type: ignore[method-assign]


def what_counts(folder: Path) -> tuple[object, ...]:
    """The queue and all that was found."""
    with open_project(folder) as project:
        queue = [(queued.stored.patch, queued.utility) for queued in project.store.queue()]
        found = FeatureTable(folder / "pool" / "round-0000").features()
        return queue, list(found.patches), *(column.tolist() for column in found.columns.values())


@pytest.fixture(scope="module")
def trainers() -> Iterator[Trainers]:
    made = Trainers("tests.integration.test_project_survey_killed")
    yield made
    made.close()


@pytest.fixture(scope="module")
def ranked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a project whose first network has ranked what was drawn."""
    folder = make_tiny_project(tmp_path_factory.mktemp("ranked"))
    with open_project(folder) as project:
        paint_queue(project, 4)
        learning = Learning(project, project.predictor("cpu"), lambda *_: None)
        learning.train()
        learning.rank()
    return folder.parent


@pytest.fixture(scope="module")
def undisturbed(
    trainers: Trainers, ranked: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[tuple[object, ...], list[str]]:
    folder = tmp_path_factory.mktemp("undisturbed") / "copy"
    shutil.copytree(ranked, folder)
    assert trainers.run(folder / "tiny.pickem", NEVER) == 0
    measured = (folder / LOG).read_text().splitlines()
    assert len(measured) == len(set(measured)) > 60
    return what_counts(folder / "tiny.pickem"), measured


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("rename", [1, 2, 4, 7])
def test_killed_on_the_way_through_the_volume(
    when: str,
    rename: int,
    trainers: Trainers,
    ranked: Path,
    undisturbed: tuple[tuple[object, ...], list[str]],
    tmp_path: Path,
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(ranked, folder)
    project = folder / "tiny.pickem"
    assert trainers.run(project, (0, when, rename)) == -signal.SIGKILL
    log = folder / LOG
    before = log.read_text().splitlines()
    log.unlink()
    finished = FeatureTable(project / "pool" / "round-0000").filled
    assert trainers.run(project, NEVER) == 0
    expected, measured = undisturbed
    after = log.read_text().splitlines()
    kept = finished.rows - finished.drawn
    assert before[:kept] + after == measured, "what was finished is not done again, and nothing is left out"
    assert len(before) - kept < BLOCK + 1
    assert what_counts(project) == expected


if __name__ == "__main__":
    fork_trainers(look_through)
