"""Several annotators at one server: who is served what, who painted what, and twenty of them at once."""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pickem.project.leases import LASTS, LEAVING
from pickem.project.store import Store
from pickem.web.server import LOCAL
from tests.fixtures.labelling_server import Client, serving
from tests.fixtures.tiny_project import make_tiny_project
from tests.integration.command_line import pickem_here

ANNOTATORS = 20
SETTINGS = {"first_patches": 40, "per_round": 10, "audit_patches": 12, "audit_every": 4}


class Hands:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 25, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_project(tmp_path_factory.mktemp("untouched"), **SETTINGS).parent


@pytest.fixture
def project(untouched: Path, tmp_path: Path) -> Path:
    shutil.copytree(untouched, tmp_path, dirs_exist_ok=True)
    return tmp_path / "tiny.pickem"


@pytest.fixture
def clock() -> Hands:
    return Hands()


@pytest.fixture
def page(project: Path, clock: Hands) -> Iterator[Client]:
    with serving(project, clock=clock) as client:
        yield client


def test_twenty_at_once_answer_every_patch_once(project: Path) -> None:
    names = [f"annotator {number}" for number in range(ANNOTATORS)]
    with Store(project / "project.sqlite") as store:
        controls = store.open_audit()
        waiting = {stored.id for stored in (*(queued.stored for queued in store.queue()), *controls)}
    with serving(project) as page, ThreadPoolExecutor(ANNOTATORS) as threads:
        done = list(threads.map(lambda name: work(page.named(name), random.Random(name)), names))
        progress = page.read("project")["progress"]
        history = page.read("history?limit=1000")
    answered = [number for numbers in done for number in numbers]
    assert sorted(answered) == sorted(waiting)
    assert progress["queue"] == 0
    assert progress["audit_done"] == len(controls) > 0
    labelled = {by["name"]: by["labelled"] for by in progress["annotators"]}
    assert labelled == {name: len(numbers) for name, numbers in zip(names, done, strict=True) if numbers}
    painted = {entry["id"]: entry["annotator"] for entry in history}
    assert painted == {n: name for name, numbers in zip(names, done, strict=True) for n in numbers}
    with Store(project / "project.sqlite") as store:
        answers = store.rows("SELECT count(*) FROM revisions WHERE state = 'submitted'")[0][0]
    assert answers == len(waiting) > 3 * ANNOTATORS


def work(page: Client, chance: random.Random) -> list[int]:
    """What one annotator's page does until nothing is left; returns the patches that were submitted."""
    done = []
    while True:
        answer = page.ask("GET", "/api/next")
        if answer.status_code == 404:
            if not any(by["at_work"] for by in page.read("project")["progress"]["annotators"]):
                return done
            time.sleep(0.02)  # somebody may leave theirs
            continue
        patch: dict[str, Any] = answer.json()
        page.ask("POST", f"/api/patches/{patch['id']}/lease")
        ahead = page.ask("GET", "/api/next", params={"skip_ahead": patch["id"]})
        if chance.random() < 0.3:
            page.save(patch, state="draft")  # `save` wants it to be accepted, here and below
            patch["revision"] += 1
        page.save(patch)
        done.append(patch["id"])
        if ahead.status_code == 404:
            page.ask("POST", "/api/leave")


def test_a_lease_outlives_the_server(project: Path, clock: Hands) -> None:
    with serving(project, clock=clock) as page:
        ana, ben = page.named("Ana").read("next"), page.named("Ben").read("next")
    assert ana["id"] != ben["id"]
    with serving(project, clock=clock) as page:
        assert page.named("Ben").read("next")["id"] == ben["id"]
        assert page.named("Cem").read("next")["id"] not in (ana["id"], ben["id"])
        clock.at += LASTS
        assert page.named("Dora").read("next")["id"] == ana["id"]


def test_a_stroke_prolongs_a_lease(page: Client, clock: Hands) -> None:
    ana, ben = page.named("Ana"), page.named("Ben")
    patch = ana.read("next")
    for revision in range(3):
        clock.at += LASTS - timedelta(seconds=1)
        ana.save(patch | {"revision": revision}, state="draft")
    assert ben.read("next")["id"] != patch["id"]


def test_a_patch_says_who_is_at_work_on_it(page: Client, clock: Hands) -> None:
    ana, ben = page.named("Ana"), page.named("Ben")
    patch = ana.read("next")
    assert patch["held_by"] is None
    assert ben.read(f"patches/{patch['id']}")["held_by"] == "Ana"
    lease = f"/api/patches/{patch['id']}/lease"
    assert ben.ask("POST", lease).json() == {"held": False, "by": "Ana"}
    assert ana.ask("POST", "/api/leave").status_code == 204
    clock.at += LEAVING
    assert ben.ask("POST", lease).json() == {"held": True, "by": "Ben"}
    assert ana.read(f"patches/{patch['id']}")["held_by"] == "Ben"


def test_who_was_away_for_long_loses_no_stroke_of_anybody(page: Client, clock: Hands) -> None:
    """Ana comes back to a patch that Ben has gone on with: what is saved first counts, the other is told."""
    ana, ben = page.named("Ana"), page.named("Ben")
    patch = ana.read("next")
    clock.at += LASTS
    assert ben.read("next")["id"] == patch["id"]
    ben.save(patch)
    question = {"revision": 0, "state": "submitted"}
    refused = ana.ask("PUT", f"/api/patches/{patch['id']}/mask", params=question, data=bytes(32 * 32))
    assert refused.status_code == 409
    assert "by Ben" in refused.json()["message"]
    assert page.read("history")[0]["annotator"] == "Ben"


def test_a_name_can_be_changed_while_painting(page: Client) -> None:
    patch = page.read("next")
    page.save(patch, state="draft")
    renamed = page.ask("POST", "/api/rename", params={"to": " María  José "})
    assert renamed.status_code == 204
    assert page.read("next")["id"] != patch["id"]
    maria = page.named("María José")
    assert maria.read("next")["id"] == patch["id"]
    maria.save(patch | {"revision": 1})
    assert maria.read("history")[0]["annotator"] == "María José"


@pytest.mark.parametrize("name", ["", " ", "x" * 41, "a\u0000b", "\u202eana", "x" * 5000])
def test_a_name_that_cannot_be_shown_is_refused(page: Client, name: str) -> None:
    assert page.named(name).ask("GET", "/api/next").status_code == 422
    assert page.ask("POST", "/api/rename", params={"to": name}).status_code == 422


@pytest.mark.parametrize(
    ("host", "shared"), [("127.0.0.1", False), ("::1", False), ("0.0.0.0", True), ("lab", True)]
)
def test_everybody_is_asked_where_other_machines_can_come_in(project: Path, host: str, shared: bool) -> None:
    with serving(project, hosts=LOCAL | {host}) as page:
        assert page.read("project")["shared"] is shared


def test_status_says_who_labelled_how_many_where_there_are_several(page: Client, project: Path) -> None:
    for name in ("Ana", "Ana"):
        page.named(name).paint(1)
    assert "labelled by" not in pickem_here("status", project).stdout
    page.named("Ben").paint(1)
    assert "labelled by: Ana 2, Ben 1\n" in pickem_here("status", project).stdout
