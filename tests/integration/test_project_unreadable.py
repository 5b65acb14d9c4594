"""A part of a volume that cannot be read: it is passed over and told once, and everything else goes on."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from pickem.errors import VolumeError
from pickem.geometry import PatchId
from pickem.project import survey
from pickem.project.candidates import Candidates
from pickem.project.feature_table import FeatureTable
from pickem.project.images import PatchImages
from pickem.project.project import Project, open_project
from pickem.project.round import Learning, Part, due
from pickem.project.settings import VolumeSource
from pickem.project.store import Store
from pickem.project.survey import try_again
from pickem.project.trainer import RESTING
from pickem.project.unreadable import Unreadable
from pickem.volumes import ArrayVolume, open_volume
from tests.contract.test_volume_addresses import serving
from tests.fixtures.labelling_server import LabelCommand, wait_until
from tests.fixtures.stand_ins import scene
from tests.fixtures.tiny_project import (
    PRETRAINED,
    SHAPE,
    chunk_of,
    damage_section,
    make_tiny_project,
    paint_audit,
    paint_queue,
    write_tiny_chunks,
)
from tests.integration.command_line import pickem_here

SIDE = 32  # of patches and of chunks
LOST = [(3, 64, 32), (3, 64, 64), (5, 0, 0), (11, 96, 64)]  # (z, y, x) of chunks
DISCS = VolumeSource(path="discs.zarr")


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(survey, "BLOCK", 48 * SIDE**2)


def chunk(volume: Path, z: int, y: int, x: int) -> Path:
    return chunk_of(volume, z, y, x, SIDE)


def work(project: Project) -> tuple[list[Part], Learning]:
    """What a trainer does for a person until nothing is due."""
    try_again(project)
    hands = Learning(project, project.predictor("cpu"), lambda *_: None, "person")
    done: list[Part] = []
    while (part := due(project, "person")) is not None and len(done) < 20:
        hands.do(part)
        done.append(part)
    return done, hands


def looked_at(project: Project) -> set[PatchId]:
    (folder,) = (project.folder / "pool").iterdir()
    found = list(FeatureTable(folder).features().patches)
    assert len(found) == len(set(found))
    return set(found) - {*project.store.answered()}


def every(project: Project) -> set[PatchId]:
    return {*project.candidates().draw(10**6, np.random.default_rng(0))} - {*project.store.answered()}


def notes(project: Project) -> list[str]:
    return [message for _, kind, message in project.store.events(50) if kind == "problem"]


def test_damaged_chunks_are_left_out_told_once_and_tried_by_the_next_trainer(tmp_path: Path) -> None:
    volume = write_tiny_chunks(tmp_path, SIDE)
    whole = tmp_path / "whole.zarr"
    shutil.copytree(volume, whole)
    folder = make_tiny_project(tmp_path, volumes={"discs": DISCS}, audit_patches=0)
    for place in LOST:
        chunk(volume, *place).write_bytes(b"damaged")
    lost = {PatchId("discs", *place, SIDE, SIDE) for place in LOST}
    with open_project(folder) as project:
        assert lost.isdisjoint(project.store.answered())
        paint_queue(project, 4)
        done, hands = work(project)
        assert done[:2] == ["train", "rank"]
        assert done[-1] == "rank"
        assert looked_at(project) == every(project) - lost
        (words,) = hands.unreadable.words
        assert "A part of the volume discs cannot be read" in words
        (note,) = notes(project)
        assert note.startswith(words)
        assert "discs.zarr" in note
        for place in LOST[1:]:
            shutil.copy(chunk(whole, *place), chunk(volume, *place))
        done, hands = work(project)
        assert done[0] == "survey"
        assert looked_at(project) == every(project) - {PatchId("discs", *LOST[0], SIDE, SIDE)}
        assert "section z = 3" in hands.unreadable.words[0]
        shutil.copy(chunk(whole, *LOST[0]), chunk(volume, *LOST[0]))
        assert work(project)[1].unreadable.words == []
        assert looked_at(project) == every(project)
        assert work(project)[0] == []


def test_the_page_and_status_say_so_while_the_trainer_works(tmp_path: Path) -> None:
    volume = write_tiny_chunks(tmp_path, SIDE)
    folder = make_tiny_project(tmp_path, volumes={"discs": DISCS}, audit_patches=0)
    chunk(volume, *LOST[0]).write_bytes(b"damaged")
    with open_project(folder) as project:
        paint_queue(project, 4)
    with LabelCommand(folder) as command:
        client = command.client()
        trainer = lambda: client.read("project")["progress"]["trainer"]  # noqa: E731
        (told,) = wait_until(lambda: trainer()["passed_over"], "it is found")
        wait_until(lambda: trainer()["doing"] == RESTING, "the whole volume is looked through")
        assert trainer()["passed_over"] == [told]
        assert trainer()["problem"] is None
    assert "A part of the volume discs cannot be read" in told
    assert told in pickem_here("status", folder).stdout


def test_labels_and_control_patches_that_cannot_be_read_any_more_are_left_out(tmp_path: Path) -> None:
    volume = write_tiny_chunks(tmp_path, SIDE)
    folder = make_tiny_project(tmp_path, volumes={"discs": DISCS}, recipe=PRETRAINED)
    with open_project(folder) as project:
        paint_queue(project, 5)
        paint_audit(project, 2)
        label = project.store.answered()[0]
        control = project.store.patches("audit")[0].patch
        for patch in (label, control):
            chunk(volume, patch.z, patch.y, patch.x).write_bytes(b"damaged")
        hands = Learning(project, project.predictor("cpu"), lambda *_: None)
        done = []
        while (part := due(project)) is not None and len(done) < 20:
            hands.do(part)
            done.append(part)
        assert done == ["pretrain", "train", "rank", "measure"]
        assert project.store.queue()[0].ranked_by == 0
        measured = {row["patch"] for row in project.store.rows("SELECT patch FROM audit_counts")}
        assert measured == {project.store.patches("audit")[1].id}
        assert len(notes(project)) == 1


def test_a_damaged_section_of_a_tiff_is_passed_over(tmp_path: Path) -> None:
    folder = make_tiny_project(tmp_path, audit_patches=0)
    damage_section(tmp_path / "discs.tif", 6)
    with open_project(folder) as project:
        assert 6 not in {queued.stored.patch.z for queued in project.store.queue()[:4]}
        paint_queue(project, 4)
        work(project)
        assert looked_at(project) == {patch for patch in every(project) if patch.z != 6}
        assert len(notes(project)) == 1


def test_a_volume_of_which_nothing_can_be_read_is_an_error(tmp_path: Path) -> None:
    volume = write_tiny_chunks(tmp_path, SIDE)
    folder = make_tiny_project(tmp_path, volumes={"discs": DISCS}, audit_patches=0)
    with open_project(folder) as project:
        paint_queue(project, 4)
        for path in volume.iterdir():
            path.write_bytes(b"damaged")
        with pytest.raises(VolumeError, match="cannot be read"):
            work(project)


def test_an_address_that_stops_answering_is_not_asked_for_every_patch(tmp_path: Path) -> None:
    volume = write_tiny_chunks(tmp_path, SIDE, "zarr3")
    grey = scene(SHAPE, np.random.default_rng(0))[0]
    patches = Candidates({"here": SHAPE, "away": SHAPE}, SIDE, [], 0).draw(10**6, np.random.default_rng(0))
    with serving(tmp_path, absent=503) as (address, asked), Store(tmp_path / "p.sqlite") as store:
        images = PatchImages({"here": ArrayVolume(grey), "away": open_volume(f"{address}/discs.zarr")})
        shutil.rmtree(volume / "c")
        asked.clear()
        unreadable = Unreadable(images, store)
        read = unreadable.without(patches, 0, lambda some: dict(zip(some, images.images(some), strict=True)))
        assert {*read} == {patch for patch in patches if patch.volume == "here"}
        assert len(set(asked)) == 1
        assert "volume away" in unreadable.words[0]
