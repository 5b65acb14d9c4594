"""Killed anywhere while labels.ome.zarr is drawn: the next time it comes out as if nothing had happened.

    python -m tests.integration.test_label_images_killed PROJECT EVENT NUMBER

draws, and kills itself when the NUMBER-th part is "drawn", or "before" or "after" the NUMBER-th rename.
"""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pickem.geometry import PatchId
from pickem.project.label_images import FOLDER, refresh
from pickem.project.project import Project, open_project
from tests.fixtures.ome_zarr_reading import valid_group_of_labels
from tests.fixtures.tiny_project import answer, make_tiny_project
from tests.integration.command_line import REPOSITORY
from tests.integration.killing import die_at

# Renames while drawing anew: the image's metadata, the image, the group's metadata, the folder. While drawing
# what is new: the group's metadata.
ANEW = [("drawn", 1), ("before", 3), ("before", 4), ("after", 4)]
MORE = [("drawn", 1), ("before", 1)]


def draw(folder: Path, event: str, number: int) -> None:
    """What the process does that the tests kill."""
    if event != "drawn":
        die_at(event, str(number))
    parts = itertools.count(1)

    def progress(*_: int) -> None:
        if next(parts) == number and event == "drawn":
            os.kill(os.getpid(), signal.SIGKILL)

    with open_project(folder) as project:
        refresh(project, progress)


def killed(folder: Path, event: str, number: int) -> None:
    command = [sys.executable, "-m", "tests.integration.test_label_images_killed", folder, event, str(number)]
    assert subprocess.run(command, cwd=REPOSITORY, check=False).returncode == -signal.SIGKILL


def paint(project: Project, value: int) -> None:
    """Two patches in two shards: a volume of 12 sections has one, so their volume has 40."""
    for z in (0, 39):
        number = project.store.add(PatchId("deep", z, 8, 8, 32, 32))
        answer(project.store, number, np.full((32, 32), value, np.uint8), "submitted")


@pytest.fixture(scope="module")
def unpainted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("deep")
    np.save(folder / "deep.npy", np.random.default_rng(0).integers(0, 255, (40, 48, 48), np.uint8))
    return make_tiny_project(folder, volumes={"deep": {"path": "deep.npy"}}, audit_patches=0)


def comes_out_right(project: Project) -> None:
    refresh(project)
    (found,) = valid_group_of_labels(project.folder / FOLDER)["deep"]
    expected = np.full((40, 48, 48), 255)
    for stored, mask in project.store.submitted("query").items():
        expected[stored.patch.box.slices] = mask
    np.testing.assert_array_equal(found, expected)
    assert {path.name for path in project.folder.iterdir() if "labels" in path.name} == {
        FOLDER,
        "labels.lock",
    }


@pytest.mark.parametrize(("event", "number"), ANEW)
def test_killed_while_drawing_anew(unpainted: Path, tmp_path: Path, event: str, number: int) -> None:
    shutil.copytree(unpainted.parent, tmp_path / "copy")
    with open_project(tmp_path / "copy" / "tiny.pickem") as project:
        paint(project, 1)
        killed(project.folder, event, number)
        comes_out_right(project)


@pytest.mark.parametrize(("event", "number"), MORE)
def test_killed_while_drawing_what_is_new(unpainted: Path, tmp_path: Path, event: str, number: int) -> None:
    shutil.copytree(unpainted.parent, tmp_path / "copy")
    with open_project(tmp_path / "copy" / "tiny.pickem") as project:
        paint(project, 1)
        refresh(project)
        paint(project, 0)
        killed(project.folder, event, number)
        comes_out_right(project)


if __name__ == "__main__":
    draw(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
