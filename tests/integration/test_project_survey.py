"""The newest network looks at all of the volume while nobody waits for it, and the queue gets better."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from pickem.geometry import PatchId
from pickem.project import survey, where
from pickem.project.feature_table import FeatureTable
from pickem.project.leases import at_work
from pickem.project.project import Project, open_project
from pickem.project.round import Learning, Part, due
from pickem.project.serving import next_patch
from pickem.project.settings import VolumeSource, read_settings, write_settings
from pickem.strategies.nearness import Neighbours
from tests.fixtures.tiny_project import SHAPE, answer, make_tiny_project, paint_audit, paint_queue

BLOCK = 32  # of 144 candidates


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(survey, "BLOCK", BLOCK * 32**2)


def learn(project: Project, until: Part | None = None, most: int = 20) -> list[Part]:
    """Do what is due for a person until nothing is, or `until` was done; returns what was done."""
    hands = Learning(project, project.predictor("cpu"), lambda *_: None, "person")
    done: list[Part] = []
    while (part := due(project, "person")) is not None:
        hands.do(part)
        done.append(part)
        if part == until:
            break
        assert len(done) <= most, done
    return done


def table(project: Project) -> FeatureTable:
    (folder,) = (project.folder / "pool").iterdir()
    return FeatureTable(folder)


def queue(project: Project) -> list[PatchId]:
    return [queued.stored.patch for queued in project.store.queue()]


def no_two_are_near(patches: list[PatchId]) -> bool:
    neighbours = Neighbours(patches)
    return all(len(neighbours.of(patch)) == 1 for patch in patches)


def test_all_candidates_are_looked_at_and_the_queue_is_ranked_again_by_twice_as_many(tmp_path: Path) -> None:
    with open_project(make_tiny_project(tmp_path)) as project:
        paint_queue(project, 4)
        paint_audit(project, 2)
        assert learn(project, until="measure") == ["train", "rank", "measure"]
        first = table(project).features()
        assert len(first) == project.settings.pool
        assert set(queue(project)) <= set(first.patches)
        # 30 drawn, with most of 32 more, of 64, of 96, of 128, of 144
        assert learn(project) == ["survey", "survey", "rank", "survey", "survey", "survey", "rank"]
        found = table(project).features()
        every = project.candidates().draw(10**6, np.random.default_rng(0))
        assert len(found) == len(set(found.patches))
        assert set(found.patches) | set(project.store.answered()) >= set(every)
        assert set(found.patches) <= set(every)
        best = max(queued.utility for queued in project.store.queue())
        free = Neighbours(found.patches)
        near = {int(row) for patch in project.store.answered() for row in free.of(patch)}
        entropy = next(iter(found.columns.values()))
        assert best == pytest.approx(max(e for row, e in enumerate(entropy.tolist()) if row not in near))
        assert due(project, "person") is None


def test_nobody_who_is_simulated_depends_on_how_far_it_came(tmp_path: Path) -> None:
    with open_project(make_tiny_project(tmp_path)) as project:
        paint_queue(project, 4)
        learn(project, until="rank")
        assert due(project, "person") == "survey"
        assert due(project, "simulated") is None


@pytest.mark.parametrize(
    "changes", [{"survey": 0}, {"candidates": "random"}, {"strategy": "random"}], ids=str
)
def test_there_is_nothing_to_look_for(tmp_path: Path, changes: dict[str, object]) -> None:
    with open_project(make_tiny_project(tmp_path, **changes)) as project:
        paint_queue(project, 4)
        assert learn(project) == ["train", "rank"]
        assert not (project.folder / "pool").exists()


def test_of_more_candidates_than_are_wanted_so_many_are_looked_at(tmp_path: Path) -> None:
    with open_project(make_tiny_project(tmp_path, survey=50, audit_patches=0)) as project:
        paint_queue(project, 4)
        assert learn(project) == ["train", "rank", "survey", "survey", "rank"]
        assert 50 <= len(table(project).features()) <= 50 + project.settings.pool


def test_new_labels_end_the_survey_and_the_next_network_begins_its_own(tmp_path: Path) -> None:
    with open_project(make_tiny_project(tmp_path)) as project:
        paint_queue(project, 4)
        learn(project, until="survey")
        paint_queue(project, 3)
        assert learn(project, until="survey") == ["train", "rank", "survey"]
        assert [path.name for path in (project.folder / "pool").iterdir()] == ["round-0001"]
        assert table(project).filled.looked_at == BLOCK


@pytest.mark.parametrize("strategy", ["entropy", "bald", "core-set", "k-means", "cluster-margin"])
def test_nothing_in_the_queue_is_near_another_or_near_what_was_answered(
    tmp_path: Path, strategy: str
) -> None:
    with open_project(make_tiny_project(tmp_path, strategy=strategy, audit_patches=0)) as project:
        assert no_two_are_near(queue(project)), "the first patches, spread over the volume"
        paint_queue(project, 4)
        learn(project)
        skipped = project.store.queue()[0].stored
        answer(project.store, skipped.id, None, "skipped")
        Learning(project, project.predictor("cpu"), lambda *_: None).do("rank")
        assert len(queue(project)) == 9
        answered = project.store.answered()
        assert no_two_are_near(queue(project))
        around = Neighbours(queue(project))
        assert not any(len(around.of(patch)) for patch in answered)


def test_what_somebody_is_painting_stays_where_it_is_when_the_same_network_ranks_again(
    tmp_path: Path,
) -> None:
    with open_project(make_tiny_project(tmp_path)) as project:
        paint_queue(project, 4)
        learn(project, until="rank")
        before = project.store.queue()
        served = next_patch(project.store, audit_every=1000)
        assert served == before[0].stored
        begun = before[3].stored
        answer(project.store, begun.id, np.zeros((32, 32), np.uint8), "draft")
        assert learn(project).count("rank") == 2
        after = project.store.queue()
        assert [queued.stored for queued in after[:2]] == [served, begun]
        assert after[0].reason == before[0].reason
        assert project.store.proposal(served.id) is not None
        assert set(at_work(project.store)) == {served.patch, begun.patch}
        assert len(after) == 2 + 9
        assert no_two_are_near([served.patch, *queue(project)[2:]])


def test_a_queue_that_is_skipped_through_is_filled_by_looking_further(tmp_path: Path) -> None:
    """Also for who is simulated: eleven of the twelve that were drawn are gone."""
    with open_project(make_tiny_project(tmp_path, pool=12, audit_patches=0)) as project:
        paint_queue(project, 4)
        hands = Learning(project, project.predictor("cpu"), lambda *_: None)
        for part in ("train", "rank"):
            hands.do(part)  # type: ignore[arg-type]
        for queued in project.store.queue():
            answer(project.store, queued.stored.id, None, "skipped")
        assert due(project) == "rank"
        hands.do("rank")
        assert len(queue(project)) == 9
        assert due(project) is None


def test_many_answers_do_not_make_a_new_network_look_at_more_before_it_ranks(tmp_path: Path) -> None:
    with open_project(make_tiny_project(tmp_path, pool=20, audit_patches=0)) as project:
        paint_queue(project, 4)
        learn(project)
        for _ in range(2):
            for queued in project.store.queue():
                answer(project.store, queued.stored.id, None, "skipped")
            learn(project)
        paint_queue(project, 3)
        assert learn(project, until="rank") == ["train", "rank"]
        assert len(project.store.answered()) > 20
        assert table(project).filled.looked_at == 0


@pytest.mark.parametrize("kind", ["small", "large"])
def test_a_mask_that_was_edited_is_looked_through_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """In its place, so that project.toml says the same; seen when the project is opened again."""
    if kind == "large":
        monkeypatch.setattr(where, "READ_WHOLE", 0)
    mask = np.zeros(SHAPE, np.uint8)
    mask[:, :64] = 1
    np.save(tmp_path / "where.npy", mask)
    source = VolumeSource(path="discs.tif", where="where.npy")
    folder = make_tiny_project(tmp_path, volumes={"discs": source}, audit_patches=0)
    with open_project(folder) as project:
        paint_queue(project, 4)
        learn(project)
        assert {patch.y for patch in table(project).features().patches} == {0, 32}
    with open_project(folder) as project:
        assert due(project, "person") is None
    np.save(tmp_path / "where.npy", mask[:, ::-1])
    with open_project(folder) as project:
        assert learn(project)[:2] == ["rank", "survey"]
        assert {patch.y for patch in table(project).features().patches} == {64, 96}
        assert {patch.y for patch in queue(project)} <= {64, 96}


@pytest.mark.parametrize("gone", ["folder", "strategy", "file"])
def test_what_is_gone_or_was_found_for_another_strategy_is_looked_for_again(
    tmp_path: Path, gone: str
) -> None:
    folder = make_tiny_project(tmp_path)
    with open_project(folder) as project:
        paint_queue(project, 4)
        learn(project, until="survey")
        if gone == "folder":
            shutil.rmtree(project.folder / "pool")
        elif gone == "file":
            (project.folder / "pool" / "round-0000" / "entropy.npy").unlink()
        else:
            changed = read_settings(folder / "project.toml").model_copy(update={"strategy": "margin"})
            write_settings(folder / "project.toml", changed)
    with open_project(folder) as project:
        done = learn(project)
        assert done[:2] == (["survey", "rank"] if gone == "file" else ["rank", "survey"])
        word = "margin" if gone == "strategy" else "entropy"
        assert all(word in queued.reason for queued in project.store.queue())
        assert list(table(project).features().columns) == [word]
        assert due(project, "person") is None
