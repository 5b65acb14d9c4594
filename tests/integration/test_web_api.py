"""What the labelling page is told, and what becomes of what it sends."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from pickem.project import rounds
from pickem.project.settings import VolumeSource
from pickem.project.store import Store
from pickem.project.uncertainty import write_uncertainties
from tests.fixtures.labelling_server import Client, contents, place, serving
from tests.fixtures.stand_ins import scene
from tests.fixtures.tiny_project import SHAPE, answer, make_tiny_project, selection, truth

SETTINGS = {"first_patches": 3, "per_round": 2, "margin": 16, "audit_patches": 4, "audit_every": 3}
QUEUED = 7  # first_patches and two more rounds' worth
PATCH = (32, 32)


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_project(tmp_path_factory.mktemp("untouched"), **SETTINGS).parent


@pytest.fixture
def project(untouched: Path, tmp_path: Path) -> Path:
    shutil.copytree(untouched, tmp_path, dirs_exist_ok=True)
    return tmp_path / "tiny.pickem"


@pytest.fixture
def page(project: Path) -> Iterator[Client]:
    with serving(project) as client:
        yield client


def test_the_project_is_described(page: Client) -> None:
    described = page.read("project")
    assert described["name"] == "tiny"
    assert [(c["index"], c["name"]) for c in described["classes"]] == [(1, "disc")]
    progress = described["progress"]
    assert (progress["labelled"], progress["queue"], progress["audit_total"]) == (0, QUEUED, 4)
    assert progress["network"] is None
    assert progress["quality"] is None


# which patch comes next ----------------------------------------------------------------------------------


def test_next_stays_the_same_until_it_is_submitted(page: Client) -> None:
    first = page.read("next")
    assert page.read("next") == first
    page.save(first, state="draft")
    again = page.read("next")
    assert again == first | {"revision": 1, "state": "draft", "seconds": 1.5}
    page.save(again)
    assert page.read("next")["id"] != first["id"]


def test_a_patch_that_was_begun_comes_first(page: Client) -> None:
    first = page.read("next")
    later = page.read(f"next?skip_ahead={first['id']}")
    page.save(later, state="draft")
    assert page.read("next")["id"] == later["id"]


def test_what_is_loaded_ahead_is_what_comes(page: Client) -> None:
    for _ in range(QUEUED):
        now = page.read("next")
        ahead = page.read(f"next?skip_ahead={now['id']}")
        assert ahead["id"] != now["id"]
        page.save(now)
        assert page.read("next")["id"] == ahead["id"]


def test_every_third_patch_is_a_control_patch(page: Client) -> None:
    kinds = []
    for _ in range(9):
        served = page.read("next")
        kinds.append(served["kind"])
        assert ("a control patch" in served["reason"]) == (served["kind"] == "audit")
        page.save(served)
    assert kinds == ["query", "query", "audit"] * 3


def test_a_skipped_control_patch_is_counted_and_comes_once_more(page: Client, project: Path) -> None:
    with Store(project / "project.sqlite") as store:
        first, *others = store.open_audit()
        for other in others:
            answer(store, other.id, np.zeros(PATCH, np.uint8), "submitted")
    skipped = page.ask("POST", f"/api/patches/{first.id}/skip").json()
    assert skipped["progress"]["audit_skipped"] == 1
    while (served := page.read("next"))["kind"] == "query":
        page.save(served)
    assert (served["id"], served["state"], served["revision"]) == (first.id, "open", 1)
    assert "once more" in served["reason"]
    assert page.ask("POST", f"/api/patches/{first.id}/lease").json()["held"]
    page.save(served)
    assert page.read("project")["progress"]["audit_skipped"] == 0


def test_a_control_patch_is_painted_blind(page: Client, project: Path) -> None:
    """Even where the database holds a proposal for one."""
    with Store(project / "project.sqlite") as store:
        audit, query = store.open_audit()[0], store.queue()[0].stored
        rounds.finish_round(store, rounds.begin_round(store).number, "round-0000.safetensors", 0.1, 1.0)
        proposal, unsure = truth(query.patch), np.arange(32 * 32, dtype=np.uint8).reshape(PATCH)
        both = query.patch, audit.patch
        store.replace_queue(selection([query.patch]), 0, dict.fromkeys(both, proposal))
        write_uncertainties(store, 0, dict.fromkeys(both, unsure))
    shown = page.read(f"patches/{query.id}")
    assert shown["proposed_by"] == 0
    assert np.array_equal(page.pixels(query.id, "proposal", PATCH), proposal)
    assert np.array_equal(page.pixels(query.id, "uncertainty?by=0", PATCH), unsure)
    blind = page.read(f"patches/{audit.id}")
    assert blind["proposed_by"] is None
    for what in ("proposal", "uncertainty", "uncertainty?by=0"):
        assert page.ask("GET", f"/api/patches/{audit.id}/{what}").status_code == 404


def test_a_mask_is_compared_with_the_proposal_that_the_page_showed(page: Client, project: Path) -> None:
    """Though another network has ranked the patch meanwhile."""
    with Store(project / "project.sqlite") as store:
        patch = store.queue()[0].stored.patch
        first, other = np.eye(32, dtype=np.uint8), np.ones((32, 32), np.uint8)
        for number, proposal in enumerate([first, other]):
            name = f"round-{number:04d}.safetensors"
            rounds.finish_round(store, rounds.begin_round(store).number, name, 0.1, 1.0)
            store.replace_queue(selection([patch]), number, {patch: proposal})
            if number == 0:
                shown = page.read("next")
    url = f"/api/patches/{shown['id']}/proposal"
    assert page.ask("GET", f"{url}?by={shown['proposed_by']}").content == first.tobytes()
    assert page.ask("GET", url).content == other.tobytes()
    assert page.ask("GET", f"{url}?by=2").status_code == 404
    question = {"revision": 0, "state": "submitted", "proposed_by": shown["proposed_by"]}
    saved = page.ask("PUT", f"/api/patches/{shown['id']}/mask", params=question, data=first.tobytes())
    turn = {"network": "network 1", "labelled": 0, "quality": None, "changed": 0, "proposals": 1}
    assert saved.json()["progress"]["course"] == [turn]


def test_a_patch_that_was_ranked_by_no_network_has_no_proposal(page: Client) -> None:
    number = page.read("next")["id"]
    for what in ("proposal", "uncertainty"):
        assert page.ask("GET", f"/api/patches/{number}/{what}").status_code == 404


def test_when_nothing_waits_the_answer_says_so(page: Client) -> None:
    reply = page.ask("GET", "/api/next")
    while reply.status_code == 200:
        page.save(reply.json())
        reply = page.ask("GET", "/api/next")
    assert reply.status_code == 404
    assert "No patch is waiting" in reply.json()["message"]
    assert page.read("project")["progress"]["labelled"] == QUEUED


# masks ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["draft", "submitted"])
def test_a_mask_comes_back_as_it_was_saved(page: Client, state: str) -> None:
    patch = page.read("next")
    path = f"/api/patches/{patch['id']}/mask"
    assert page.ask("GET", path).status_code == 204
    mask = np.random.default_rng(0).choice(np.array([0, 1, 255], np.uint8), PATCH)
    assert page.save(patch, mask, state)["revision"] == 1
    assert np.array_equal(page.pixels(patch["id"], "mask", PATCH), mask)
    assert page.ask("GET", path).headers["X-Revision"] == "1"
    assert page.read(f"patches/{patch['id']}")["state"] == state


def test_only_what_was_submitted_counts(page: Client) -> None:
    patch = page.read("next")
    assert page.save(patch, state="draft")["progress"]["labelled"] == 0
    progress = page.save(patch | {"revision": 1})["progress"]
    assert (progress["labelled"], progress["queue"], progress["submitted_today"]) == (1, QUEUED - 1, 1)


def test_a_submitted_mask_can_be_corrected(page: Client) -> None:
    patch = page.read("next")
    page.save(patch, np.zeros(PATCH, np.uint8))
    corrected = page.save(patch | {"revision": 1}, np.ones(PATCH, np.uint8))
    assert (corrected["revision"], corrected["progress"]["labelled"]) == (2, 1)
    assert page.pixels(patch["id"], "mask", PATCH).all()


def test_two_windows_cannot_overwrite_each_other(page: Client, project: Path) -> None:
    patch = page.read("next")
    page.save(patch, np.ones(PATCH, np.uint8))
    before = contents(project)
    for revision in (0, 2):
        question = {"revision": revision, "state": "submitted"}
        answer = page.ask("PUT", f"/api/patches/{patch['id']}/mask", params=question, data=bytes(32 * 32))
        assert answer.status_code == 409
        assert "another window" in answer.json()["message"]
    assert contents(project) == before


def test_what_unpainted_pixels_mean_is_remembered(page: Client) -> None:
    patch = page.read("next")
    assert patch["unpainted"] == "background"
    question = {"revision": 0, "state": "draft", "unpainted": "unlabelled"}
    page.ask("PUT", f"/api/patches/{patch['id']}/mask", params=question, data=bytes(32 * 32))
    assert page.read("next")["unpainted"] == "unlabelled"


def test_a_skipped_patch_is_not_served_again(page: Client) -> None:
    patch = page.read("next")
    answer = page.ask("POST", f"/api/patches/{patch['id']}/skip").json()
    assert (answer["progress"]["skipped"], answer["progress"]["labelled"]) == (1, 0)
    assert page.read("next")["id"] != patch["id"]
    assert page.read(f"patches/{patch['id']}")["state"] == "skipped"
    assert page.ask("GET", f"/api/patches/{patch['id']}/mask").status_code == 204


def test_the_history_begins_with_the_newest(page: Client) -> None:
    patches = []
    for state in ("submitted", "submitted", "draft"):
        patches.append(page.read("next"))
        page.save(patches[-1], np.ones(PATCH, np.uint8), state)
    page.ask("POST", f"/api/patches/{patches[0]['id']}/skip")
    entries = page.read("history")
    assert [entry["id"] for entry in entries] == [patches[i]["id"] for i in (0, 2, 1)]
    assert [entry["state"] for entry in entries] == ["skipped", "draft", "submitted"]
    assert [entry["foreground"] for entry in entries] == [0, 32 * 32, 32 * 32]
    assert [entry["kind"] for entry in entries] == ["query", "audit", "query"]
    assert all(datetime.fromisoformat(entry["updated"]).tzinfo for entry in entries)
    assert page.read("history?limit=1") == entries[:1]


# images --------------------------------------------------------------------------------------------------


def all_patches(page: Client, project: Path) -> list[dict[str, Any]]:
    with Store(project / "project.sqlite") as store:
        numbers = [stored.id for stored in (*store.patches("query"), *store.patches("audit"))]
    return [page.read(f"patches/{number}") for number in numbers]


def window(patch: dict[str, Any], volume: NDArray[np.generic], dz: int = 0) -> NDArray[np.generic]:
    """What the image of a patch must show of its volume, by the API's own numbers."""
    image = patch["image"]
    y, x = patch["y"] - image["top"], patch["x"] - image["left"]
    return volume[patch["z"] + dz, y : y + image["height"], x : x + image["width"]]


def test_the_image_shows_the_patch_where_it_says(page: Client, project: Path) -> None:
    volume, _ = scene(SHAPE, np.random.default_rng(0))
    cut = 0
    for patch in all_patches(page, project):
        image = patch["image"]
        size = (image["height"], image["width"])
        shown = page.pixels(patch["id"], "image", size)
        inside = shown[image["top"] : image["top"] + 32, image["left"] : image["left"] + 32]
        assert np.array_equal(inside, volume[place(patch).box.slices][0])
        assert np.array_equal(shown, window(patch, volume))
        assert all(32 + 16 <= side <= 32 + 2 * 16 for side in size)
        cut += size != (64, 64)
    assert cut  # some lie at the border of the volume


def test_every_section_around_can_be_seen_and_no_other(page: Client) -> None:
    volume, _ = scene(SHAPE, np.random.default_rng(0))
    patch = page.read("next")
    before, behind = patch["sections"]
    assert (patch["z"] + before, patch["z"] + behind) == (0, SHAPE[0] - 1)
    size = (patch["image"]["height"], patch["image"]["width"])
    for dz in range(before, behind + 1):
        answer = page.ask("GET", f"/api/patches/{patch['id']}/image", params={"dz": dz})
        assert np.array_equal(
            np.frombuffer(answer.content, np.uint8).reshape(size), window(patch, volume, dz)
        )
    for dz in (before - 1, behind + 1, 2**31, -(2**31)):
        assert page.ask("GET", f"/api/patches/{patch['id']}/image", params={"dz": dz}).status_code == 404


@pytest.mark.parametrize(
    ("dtype", "low", "high"),
    [(np.uint16, 30_000, 30_100), (np.uint16, 0, 65_535), (np.float32, -2e-3, 5e-3), (np.float32, -1e6, 1e6)],
)
def test_other_grey_values_are_shown_in_eight_bits(
    tmp_path: Path, dtype: type[np.generic], low: float, high: float
) -> None:
    grey, _ = scene(SHAPE, np.random.default_rng(0))
    share = (grey.astype(float) - grey.min()) / np.ptp(grey)
    volume = (low + (high - low) * share).astype(dtype)
    tifffile.imwrite(tmp_path / "grey.tif", volume, photometric="minisblack")
    sources = {"grey": VolumeSource(path="grey.tif")}
    with serving(make_tiny_project(tmp_path, **SETTINGS, volumes=sources)) as page:
        patch = page.read("next")
        truly = window(patch, volume)
        shown = page.pixels(patch["id"], "image", truly.shape)
    assert (shown.min(), shown.max()) == (0, 255)
    assert np.all(np.diff(shown.ravel()[np.argsort(truly, axis=None)].astype(int)) >= 0)  # nothing inverted
    assert len(np.unique(shown)) > 50


def test_one_grey_value_looks_the_same_in_all_sections_of_a_patch(tmp_path: Path) -> None:
    grey, _ = scene(SHAPE, np.random.default_rng(0))
    volume = (1000 * grey.astype(float) * np.linspace(1, 2, SHAPE[0])[:, None, None] / 255).astype(np.uint16)
    tifffile.imwrite(tmp_path / "grey.tif", volume, photometric="minisblack")
    sources = {"grey": VolumeSource(path="grey.tif")}
    with serving(make_tiny_project(tmp_path, **SETTINGS, volumes=sources)) as page:
        patch = page.read("next")
        sections = range(patch["sections"][0], patch["sections"][1] + 1)
        truly = np.concatenate([window(patch, volume, dz).ravel() for dz in sections])
        url = f"/api/patches/{patch['id']}/image"
        answers = [page.ask("GET", url, params={"dz": dz}).content for dz in sections]
    shown = np.frombuffer(b"".join(answers), np.uint8)
    assert np.all(np.diff(shown[np.lexsort((shown, truly))].astype(int)) >= 0)
    for value in np.unique(truly):
        assert len(np.unique(shown[truly == value])) == 1


def test_a_section_of_one_grey_value_is_shown(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "flat.tif", np.full(SHAPE, 1234, np.uint16), photometric="minisblack")
    sources = {"flat": VolumeSource(path="flat.tif")}
    with serving(make_tiny_project(tmp_path, **SETTINGS, volumes=sources)) as page:
        patch = page.read("next")
        shown = page.pixels(patch["id"], "image", (patch["image"]["height"], patch["image"]["width"]))
    assert len(np.unique(shown)) == 1


# events --------------------------------------------------------------------------------------------------


def test_the_stream_tells_how_things_stand_and_every_change(page: Client) -> None:
    with page.ask("GET", "/api/events", stream=True) as stream:
        assert stream.headers["Content-Type"].startswith("text/event-stream")
        lines = (line for line in stream.iter_lines(chunk_size=1) if line)
        kind, _, first = next(lines).partition(b": ")
        assert kind == b"data"
        assert json.loads(first) == page.read("project")["progress"]
        saved = page.save(page.read("next"))["progress"]
        news = (json.loads(line.partition(b": ")[2]) for line in lines)
        assert saved in news  # after one that says who is at work, perhaps
