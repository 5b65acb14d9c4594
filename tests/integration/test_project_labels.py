"""`pickem new --labels`: masks that exist already, for one volume or for several."""

from __future__ import annotations

import sqlite3
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import pytest
import tifffile

from pickem.project import store as store_module
from pickem.project.database import transaction
from pickem.project.importing import import_labels
from pickem.project.project import open_project
from pickem.volumes import open_volume
from tests.fixtures.stand_ins import scene
from tests.fixtures.tiny_project import SHAPE, make_tiny_project, write_tiny_volume
from tests.integration.command_line import Outcome, pickem_here

TRUE = scene(SHAPE, np.random.default_rng(0))[1].astype(np.uint8)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Where a project on two volumes is to be made; their masks lie beside them."""
    for name, mask in (("first", TRUE), ("second", TRUE[::-1])):
        write_tiny_volume(tmp_path / f"{name}.tif")
        tifffile.imwrite(tmp_path / f"{name}_masks.tif", mask, photometric="minisblack")
    return tmp_path / "two.pickem"


def new(project: Path, *labels: str) -> Outcome:
    volumes = [project.with_name(f"{name}.tif") for name in ("first", "second")]
    options = [part for text in labels for part in ("--labels", text)]
    return pickem_here("new", project, *volumes, "--class", "disc", "--patch", 32, "--audit", 4, *options)


def assert_taken_over(project: Path, **true: np.ndarray) -> None:
    with open_project(project) as opened:
        taken = opened.store.submitted("query")
        assert {stored.patch.volume for stored in taken} == set(true)
        for stored, mask in taken.items():
            np.testing.assert_array_equal(mask, true[stored.patch.volume][stored.patch.box.slices][0])


def test_labels_for_each_volume_in_their_order(project: Path) -> None:
    made = new(project, *(str(project.with_name(f"{name}_masks.tif")) for name in ("first", "second")))
    assert made.returncode == 0, made.stderr
    assert "patches of first." in made.stdout
    assert_taken_over(project, first=TRUE, second=TRUE[::-1])


def test_labels_for_one_of_two_by_its_name(project: Path) -> None:
    made = new(project, f"second={project.with_name('second_masks.tif')}")
    assert made.returncode == 0, made.stderr
    assert_taken_over(project, second=TRUE[::-1])


def test_the_labels_of_a_volume_are_written_at_once(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each transaction is flushed to the disk, and a volume has thousands of patches."""
    folder = make_tiny_project(tmp_path / "made", audit_patches=0)
    transactions: list[sqlite3.Connection] = []

    def counted(connection: sqlite3.Connection) -> AbstractContextManager[None]:
        transactions.append(connection)
        return transaction(connection)

    with open_project(folder) as opened:
        monkeypatch.setattr(store_module, "transaction", counted)
        labels = open_volume(project.with_name("first_masks.tif"))
        assert import_labels(opened, "discs", labels, "background") == 144
    assert len(transactions) == 1


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (["MASKS"], ["not clear", "NAME=PATH", "first or second"]),
        (["secnd=MASKS"], ["not clear", "did you mean second?"]),
        (["first=MASKS", "MASKS"], ["not clear"]),
        (["first=MASKS", "first=MASKS"], ["twice"]),
        (["first=nowhere.tif"], ["no such image", "nowhere.tif"]),
        (["second=SMALL"], ["shape of the volume second"]),
    ],
)
def test_labels_that_cannot_be_taken_over_are_refused(
    project: Path, labels: list[str], words: list[str]
) -> None:
    small = project.with_name("small.tif")
    tifffile.imwrite(small, TRUE[:, :64], photometric="minisblack")
    masks = str(project.with_name("first_masks.tif"))
    refused = new(project, *(text.replace("MASKS", masks).replace("SMALL", str(small)) for text in labels))
    assert refused.returncode == 2, refused.stdout
    assert all(word in refused.stderr for word in words), refused.stderr
    assert not project.exists()
