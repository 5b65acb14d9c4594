"""`pickem queue`: a place that somebody has seen becomes the next patch, at the page and in the database."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import tifffile

from pickem.project.project import open_project
from pickem.project.round import Learning
from pickem.project.settings import VolumeSource
from tests.fixtures.labelling_server import Client, serving
from tests.fixtures.stand_ins import scene
from tests.fixtures.tiny_project import SHAPE, answer, make_tiny_project, paint_queue, selection, truth
from tests.integration.command_line import Outcome, pickem_at_terminal, pickem_here

SIZE = (45.0, 5.0, 5.0)
BY_HAND = "asked for by hand"


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_project(tmp_path_factory.mktemp("untouched")).parent


@pytest.fixture
def project(untouched: Path, tmp_path: Path) -> Path:
    shutil.copytree(untouched, tmp_path, dirs_exist_ok=True)
    return tmp_path / "tiny.pickem"


def free_places(project: Path) -> list[tuple[int, int, int]]:
    """Middles of patches that are neither queued nor near a control patch."""
    with open_project(project) as opened:
        queued = {entry.stored.patch for entry in opened.store.queue()}
        candidates = opened.candidates()
        patches = [
            candidates.covering("discs", z, y, x) for z in range(12) for y in (16, 48) for x in (16, 48)
        ]
        free = [patch for patch in patches if candidates.allows(patch) and patch not in queued]
    return [(patch.z, patch.y + 16, patch.x + 16) for patch in free]


def add(project: Path, at: tuple[float, ...], *more: object) -> Outcome:
    return pickem_here("queue", "add", project, "--at", ",".join(map(str, at)), *more)


def refused(outcome: Outcome, *words: str) -> None:
    assert outcome.returncode == 2, outcome.stdout
    assert "Traceback" not in outcome.stderr
    for word in words:
        assert word in outcome.stderr, outcome.stderr


def test_what_is_asked_for_is_served_next_while_the_page_is_open(project: Path) -> None:
    first, second = free_places(project)[:2]
    with serving(project) as page:
        at_work = page.read("next")
        waiting = page.read("project")["progress"]["queue"]
        for place in (first, second):
            outcome = add(project, place)
            assert outcome.returncode == 0, outcome.stderr
            assert "is next" in outcome.stdout
        assert page.read("project")["progress"]["queue"] == waiting + 2
        assert page.read("next") == at_work, "nobody is interrupted"
        page.save(at_work)
        for z, y, x in (second, first):
            served = page.read("next")
            assert served["reason"] == BY_HAND
            assert (served["z"], served["y"] + 16, served["x"] + 16) == (z, y, x)
            page.save(served)
        assert page.read("next")["reason"] != BY_HAND


def test_it_stays_on_top_when_the_queue_is_ranked_anew(project: Path) -> None:
    place = free_places(project)[0]
    with open_project(project) as opened:
        paint_queue(opened, 4)
    assert add(project, place).returncode == 0
    with open_project(project) as opened:
        (asked,) = opened.store.asked()
        learning = Learning(opened, opened.predictor("cpu"), lambda *_: None)
        learning.do("train")
        learning.do("rank")
        top, *others = opened.store.queue()
        assert (top.stored.patch, top.reason) == (asked, BY_HAND)
        assert asked not in [queued.stored.patch for queued in others]
        assert opened.store.proposed_by(top.stored.id) == 0, "the network draws a proposal for it, too"
        opened.store.replace_queue(selection([asked]), 0)
        assert [queued.reason for queued in opened.store.queue()] == [BY_HAND], "once, not twice"
    listed = pickem_here("queue", "list", project)
    assert listed.returncode == 0
    assert BY_HAND in listed.stdout.splitlines()[1]
    assert "1 waiting" in listed.stdout


@pytest.mark.parametrize("state", ["submitted", "skipped"])
def test_what_is_labelled_already_can_be_opened_again(project: Path, state: str) -> None:
    place = free_places(project)[0]
    add(project, place)
    with open_project(project) as opened:
        number = opened.store.queue()[0].stored.id
        mask = truth(opened.store.patch(number).patch)
        answer(opened.store, number, mask if state == "submitted" else None, state)  # type: ignore[arg-type]
    refused(add(project, place), state, "--reopen")
    with serving(project) as page:
        assert page.read("next")["id"] != number
        page.ask("POST", "/api/leave")
        assert add(project, place, "--reopen").returncode == 0
        ann = page.named("Ann")
        served = ann.read("next")
        assert (served["id"], served["reason"], served["state"]) == (number, BY_HAND, state)
        assert ann.ask("POST", f"/api/patches/{number}/lease").json() == {"held": True, "by": "Ann"}
        assert page.named("Bob").read("next")["id"] != number
        ann.save(served)
        assert ann.ask("POST", f"/api/patches/{number}/lease").json()["held"] is False
        assert ann.read("next")["id"] != number
    with open_project(project) as opened:
        assert opened.store.asked() == []


def test_a_person_at_the_terminal_is_asked_whether_to_open_it_again(project: Path) -> None:
    with open_project(project) as opened:
        patch = opened.store.queue()[0].stored.patch
        paint_queue(opened, 1)
    command = ("queue", "add", project, "--at", f"{patch.z},{patch.y},{patch.x}")
    assert pickem_at_terminal(*command, typed=["n"]).returncode == 2
    outcome = pickem_at_terminal(*command, typed=["y"])
    assert outcome.returncode == 0, outcome.stdout
    assert "Open it again" in outcome.stdout
    with open_project(project) as opened:
        assert opened.store.queue()[0].stored.patch == patch


def test_places_are_those_of_the_volume_on_disk(tmp_path: Path) -> None:
    source = VolumeSource(path="discs.tif", voxel_size=SIZE, factor=2)
    project = make_tiny_project(
        tmp_path, volumes={"discs": source}, patch=16, first_patches=2, per_round=1, audit_patches=1
    )
    for at, unit in (((11, 127, 95), "voxels"), ((11 * 45, 127 * 5, 95 * 5 - 2), "nm")):
        assert add(project, at, "--in", unit).returncode == 0
    with open_project(project) as opened:
        (patch,) = opened.store.asked()
    assert (patch.z, patch.y, patch.x) == (11, 48, 32)


def test_places_that_cannot_be_labelled_are_refused_with_the_reason(project: Path) -> None:
    with open_project(project) as opened:
        control = opened.store.open_audit()[0].patch
        before = opened.store.queue()
    refused(add(project, (control.z, control.y + 16, control.x + 16)), "control patch")
    refused(add(project, (12, 0, 0)), "outside", "12, 128, 96")
    refused(add(project, (-1, 0, 0)), "outside")
    refused(add(project, (0, 0)), "not understood")
    refused(add(project, (float("nan"), 0, 0)), "not understood")
    refused(add(project, (0, 0, 0), "--in", "nm"), "voxel size")
    refused(add(project, (0, 0, 0), "--volume", "disks"), "discs")
    refused(add(project.with_name("nothing.pickem"), (0, 0, 0)), "no pickem project")
    with open_project(project) as opened:
        assert opened.store.queue() == before


def test_masks_and_several_volumes(tmp_path: Path) -> None:
    mask = np.zeros(SHAPE, np.uint8)
    mask[:, :, :64] = 1
    tifffile.imwrite(tmp_path / "left.tif", mask, photometric="minisblack")
    other = scene(SHAPE, np.random.default_rng(1))[0]
    tifffile.imwrite(tmp_path / "other.tif", other, photometric="minisblack")
    volumes = {
        "discs": VolumeSource(path="discs.tif", where="left.tif"),
        "other": VolumeSource(path="other.tif"),
    }
    project = make_tiny_project(tmp_path, volumes=volumes, audit_patches=0)
    refused(add(project, (3, 10, 90)), "several volumes", "other")
    refused(add(project, (3, 10, 90), "--volume", "discs"), "mask")
    assert add(project, (3, 10, 90), "--volume", "other").returncode == 0


def test_who_is_at_work_on_it_is_said(project: Path) -> None:
    with serving(project) as page:
        client: Client = page.named("Ann")
        served = client.read("next")
        outcome = add(project, (served["z"], served["y"], served["x"]))
    assert "Ann is at work on it" in outcome.stdout
