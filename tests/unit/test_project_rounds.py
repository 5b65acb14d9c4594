"""The trainer's side of the database: which labels a round learns from, and what was measured."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from pickem.geometry import PatchId
from pickem.project import rounds
from pickem.project.rounds import AuditCounts
from pickem.project.store import Store
from tests.fixtures.tiny_project import answer, selection

A, B, C = (PatchId("v", 0, 0, x, 2, 2) for x in (0, 2, 4))
AUDIT = [PatchId("v", 3, 0, 0, 2, 2), PatchId("w", 3, 0, 0, 2, 2)]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Patches A, B, C have the numbers 1, 2, 3; those of the audit 4 and 5."""
    with Store(tmp_path / "project.sqlite") as opened:
        opened.replace_queue(selection([A, B, C]), None)
        opened.reserve_audit(AUDIT)
        yield opened


def submit(store: Store, number: int, value: int = 1) -> None:
    answer(store, number, np.full((2, 2), value, np.uint8), "submitted")


def finish(store: Store) -> int:
    number = rounds.begin_round(store).number
    rounds.finish_round(store, number, f"round-{number}", loss=0.5, seconds=2.0)
    return number


def values(store: Store, at: rounds.Round) -> dict[PatchId, tuple[int, int]]:
    """Of each label its value and the round that learned from it first."""
    return {
        patch: (int(mask[0, 0]), learned) for patch, (mask, learned) in rounds.labels_of(store, at).items()
    }


def test_a_round_learns_from_what_was_submitted_when_it_began(store: Store) -> None:
    submit(store, 2)
    answer(store, 1, np.zeros((2, 2), np.uint8), "draft")
    submit(store, 4)
    at = rounds.begin_round(store)
    submit(store, 1)
    submit(store, 2, value=0)
    assert values(store, at) == {B: (1, 0)}
    assert (at.number, at.labelled, at.checkpoint, at.finished, at.ranked) == (0, 1, None, None, False)


def test_a_round_that_was_not_finished_is_begun_again_with_the_same_labels(store: Store) -> None:
    assert not rounds.is_under_way(store)
    submit(store, 1)
    at = rounds.begin_round(store)
    submit(store, 2)
    assert rounds.is_under_way(store)
    assert rounds.latest_round(store) is None
    assert rounds.begin_round(store) == at
    assert values(store, at) == {A: (1, 0)}


def test_a_finished_round_names_its_checkpoint_and_the_next_has_the_next_number(store: Store) -> None:
    submit(store, 1)
    assert finish(store) == 0
    latest = rounds.latest_round(store)
    assert latest is not None
    assert latest.checkpoint == "round-0"
    assert latest.finished is not None
    assert not rounds.is_under_way(store)
    assert finish(store) == 1


def test_a_label_keeps_the_round_that_learned_from_it_first(store: Store) -> None:
    submit(store, 1)
    finish(store)
    submit(store, 2)
    at = rounds.begin_round(store)
    assert values(store, at) == {A: (1, 0), B: (1, 1)}


def test_a_corrected_label_is_a_label_of_the_round_that_learns_the_correction(store: Store) -> None:
    submit(store, 1)
    finish(store)
    submit(store, 1, value=0)
    assert values(store, rounds.begin_round(store)) == {A: (0, 1)}


def test_labels_come_in_the_order_of_first_submission(store: Store) -> None:
    for number in (3, 1, 2, 3):
        submit(store, number)
    assert list(rounds.labels_of(store, rounds.begin_round(store))) == [C, A, B]


def test_a_label_that_was_taken_back_is_none(store: Store) -> None:
    submit(store, 1)
    submit(store, 2)
    answer(store, 1, None, "skipped")
    assert rounds.waiting_labels(store) == 1
    at = rounds.begin_round(store)
    assert values(store, at) == {B: (1, 0)}
    assert at.labelled == 1


def test_labels_wait_until_a_round_begins(store: Store) -> None:
    assert rounds.waiting_labels(store) == 0
    submit(store, 1)
    submit(store, 1)
    submit(store, 2)
    submit(store, 4)
    answer(store, 3, np.zeros((2, 2), np.uint8), "draft")
    assert rounds.waiting_labels(store) == 2, "each patch once, without the audit and drafts"
    rounds.begin_round(store)
    assert rounds.waiting_labels(store) == 0
    submit(store, 1)
    assert rounds.waiting_labels(store) == 1, "a correction waits as well"


def test_the_queue_of_a_round_is_ranked_once(store: Store) -> None:
    submit(store, 1)
    rounds.mark_ranked(store, finish(store))
    latest = rounds.latest_round(store)
    assert latest is not None
    assert latest.ranked
    finish(store)
    latest = rounds.latest_round(store)
    assert latest is not None
    assert not latest.ranked


def test_audit_counts_come_back_by_class_with_their_sections(store: Store) -> None:
    number = finish(store)
    counts = {5: np.array([[1, 2, 3], [4, 5, 6]]), 4: np.array([[7, 8, 9], [0, 0, 0]])}
    paint_audit(store)
    rounds.write_audit(store, number, counts, audited=2)
    assert rounds.audit_counts(store, number) == {
        1: [AuditCounts(("v", 3), 7, 8, 9), AuditCounts(("w", 3), 1, 2, 3)],
        2: [AuditCounts(("v", 3), 0, 0, 0), AuditCounts(("w", 3), 4, 5, 6)],
    }
    assert rounds.audit_counts(store, number + 1) == {}


def test_counts_of_a_mask_that_was_taken_back_are_gone(store: Store) -> None:
    number = finish(store)
    paint_audit(store)
    one, two = np.array([[1, 1, 1]]), np.array([[2, 2, 2]])
    rounds.write_audit(store, number, {4: one, 5: one}, audited=2)
    answer(store, 5, None, "skipped")
    rounds.write_audit(store, number, {4: two}, audited=3)
    assert rounds.audit_counts(store, number) == {1: [AuditCounts(("v", 3), 2, 2, 2)]}


def test_networks_that_do_not_know_the_newest_audit_masks_are_to_be_measured(store: Store) -> None:
    finish(store)
    finish(store)
    rounds.begin_round(store)
    assert rounds.to_measure(store) == []
    submit(store, 1)
    answer(store, 4, np.ones((2, 2), np.uint8), "draft")
    assert rounds.to_measure(store) == [], "neither a label nor a draft counts"
    submit(store, 4)
    assert [at.number for at in rounds.to_measure(store)] == [1, 0]
    rounds.write_audit(store, 1, {4: np.array([[1, 1, 1]])}, rounds.last_audit_revision(store))
    assert [at.number for at in rounds.to_measure(store)] == [0]
    submit(store, 4, value=0)
    assert [at.number for at in rounds.to_measure(store)] == [1, 0], "the mask was corrected"


def test_two_networks_are_compared_on_the_masks_that_both_know(store: Store) -> None:
    paint_audit(store)
    first, second = finish(store), finish(store)
    old, new = np.array([[1, 2, 3]]), np.array([[2, 2, 3]])
    rounds.write_audit(store, first, {4: old, 5: old}, rounds.last_audit_revision(store))
    submit(store, 4, value=0)
    rounds.write_audit(store, second, {4: new, 5: new}, rounds.last_audit_revision(store))
    then, now = rounds.paired_audit_counts(store, first, second)
    assert then == {1: [AuditCounts(("w", 3), 1, 2, 3)]}, "the other was corrected after it was measured"
    assert now == {1: [AuditCounts(("w", 3), 2, 2, 3)]}


def paint_audit(store: Store) -> None:
    for number in (4, 5):
        submit(store, number)
