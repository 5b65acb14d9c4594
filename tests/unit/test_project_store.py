"""What a project's database remembers: patches, masks, the queue, the audit, events."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from pickem.errors import RevisionConflictError, UnknownPatchError
from pickem.geometry import PatchId
from pickem.project import rounds
from pickem.project.store import SUPERSEDED, NewMask, State, Store, StoredPatch
from pickem.project.uncertainty import stored_uncertainty, write_uncertainties
from tests.fixtures.tiny_project import answer, selection

A, B, C, D = (PatchId("v", 0, 0, x, 2, 3) for x in range(0, 12, 3))
AUDIT = [PatchId("v", 5, 0, x, 2, 3) for x in (3, 0)]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "project.sqlite") as opened:
        opened.reserve_audit(AUDIT)
        opened.replace_queue(selection([A, B, C]), None)
        yield opened


def number_of(store: Store, patch: PatchId) -> int:
    return next(s.id for kind in ("query", "audit") for s in store.patches(kind) if s.patch == patch)


def painted(value: int) -> np.ndarray:
    return np.full((2, 3), value, np.uint8)


def waiting(store: Store) -> list[PatchId]:
    return [queued.stored.patch for queued in store.queue()]


def finished_round(store: Store) -> int:
    number = rounds.begin_round(store).number
    rounds.finish_round(store, number, "round.safetensors", loss=0.5, seconds=1.0)
    return number


def interrupted(store: Store, change: Callable[[], object]) -> None:
    """Make a change as part of one that ends half-way."""
    with store.change():
        change()
        raise KeyboardInterrupt


def test_the_newest_revision_is_what_was_saved(store: Store) -> None:
    mask = np.array([[0, 1, 2], [255, 0, 1]], np.uint8)
    number = number_of(store, A)
    assert store.newest(number) is None
    assert store.save(number, NewMask(0, mask, "draft", "unlabelled", seconds=3.5)) == 1
    newest = store.newest(number)
    assert newest is not None
    assert (newest.patch, newest.revision, newest.state) == (number, 1, "draft")
    assert (newest.foreground, newest.unpainted, newest.seconds) == (3, "unlabelled", 3.5)
    assert newest.mask is not None
    np.testing.assert_array_equal(newest.mask, mask)
    assert timedelta(0) <= datetime.now(UTC) - newest.at < timedelta(minutes=1)


def test_a_draft_never_replaces_a_submitted_mask(store: Store) -> None:
    number = number_of(store, A)
    answer(store, number, painted(1), "submitted")
    answer(store, number, painted(0), "draft")
    assert store.submitted("query")[StoredPatch(number, A, "query")].all()
    newest = store.newest(number)
    assert newest is not None
    assert newest.state == "draft"
    answer(store, number, painted(0), "submitted")
    assert not store.submitted("query")[StoredPatch(number, A, "query")].any()


def test_drafts_do_not_pile_up_and_answers_are_kept(store: Store) -> None:
    number = number_of(store, A)
    for state in ("draft", "draft", "submitted", "draft", "submitted", "draft", "draft"):
        answer(store, number, painted(1), state)
    kept = store.rows("SELECT revision, state FROM revisions WHERE patch = ? ORDER BY revision", number)
    assert [tuple(row) for row in kept] == [(3, "submitted"), (5, "submitted"), (7, "draft")]


def test_a_skipped_patch_is_answered_and_not_labelled(store: Store) -> None:
    number = number_of(store, A)
    answer(store, number, painted(1), "submitted")
    answer(store, number, None, "skipped")
    assert store.submitted("query") == {}
    assert store.answered() == [A]
    assert store.count("query", "skipped") == 1
    assert store.count("query", "submitted") == 0
    newest = store.newest(number)
    assert newest is not None
    assert newest.mask is None


def test_submitted_masks_come_in_the_order_of_first_submission(store: Store) -> None:
    for patch in (B, A, B):
        answer(store, number_of(store, patch), painted(1), "submitted")
    assert [stored.patch for stored in store.submitted("query")] == [B, A]


@pytest.mark.parametrize("base", [0, 2, -1])
def test_a_mask_on_top_of_another_revision_is_refused(store: Store, base: int) -> None:
    number = number_of(store, A)
    answer(store, number, painted(1), "draft")
    with pytest.raises(RevisionConflictError) as raised:
        store.save(number, NewMask(base, painted(0), "submitted", "background", 1.0))
    assert (raised.value.got, raised.value.expected) == (base, 1)
    assert store.submitted("query") == {}
    newest = store.newest(number)
    assert newest is not None
    assert newest.state == "draft", "the mask that was there is untouched"


@pytest.mark.parametrize(("by", "whence"), [("Ana", "another window"), ("Ben", "by Ana"), ("", "by Ana")])
def test_a_refusal_names_who_was_quicker(store: Store, by: str, whence: str) -> None:
    number = number_of(store, A)
    store.save(number, NewMask(0, painted(1), "draft", "background", 1.0, annotator="Ana"))
    with pytest.raises(RevisionConflictError, match=whence):
        store.save(number, NewMask(0, painted(0), "draft", "background", 1.0, annotator=by))


def test_an_unknown_patch_is_refused(store: Store) -> None:
    for ask in (store.patch, store.newest, store.proposal):
        with pytest.raises(UnknownPatchError, match="no such patch"):
            ask(99)
    with pytest.raises(UnknownPatchError):
        store.save(99, NewMask(0, painted(1), "draft", "background", 1.0))
    assert store.history(10) == []


def test_the_queue_is_served_in_order_and_says_why(store: Store) -> None:
    assert waiting(store) == [A, B, C]
    first = store.queue()[0]
    assert (first.utility, first.reason, first.ranked_by) == (3.0, "pick 0", None)
    assert store.queued(first.stored.id) == first


@pytest.mark.parametrize("state", get_args(State))
def test_an_answer_takes_a_patch_off_the_queue_and_a_draft_does_not(store: Store, state: State) -> None:
    answer(store, number_of(store, B), None if state == "skipped" else painted(1), state)
    assert waiting(store) == ([A, B, C] if state == "draft" else [A, C])
    assert store.queue_length() == 3


def test_a_new_queue_replaces_the_old_one_and_patches_keep_their_numbers(store: Store) -> None:
    before = {stored.patch: stored.id for stored in store.patches("query")}
    store.replace_queue(selection([D, B]), None)
    after = {stored.patch: stored.id for stored in store.patches("query")}
    assert waiting(store) == [D, B]
    assert {patch: after[patch] for patch in before} == before
    assert store.queued(before[A]) is None


def test_proposals_belong_to_the_patches_they_were_drawn_for(store: Store) -> None:
    number = finished_round(store)
    store.replace_queue(selection([A, B]), number, {A: painted(1)})
    proposal = store.proposal(number_of(store, A))
    assert proposal is not None
    np.testing.assert_array_equal(proposal, painted(1))
    assert store.proposal(number_of(store, B)) is None
    store.replace_queue(selection([A]), finished_round(store), {A: painted(0)})
    newer = store.proposal(number_of(store, A))
    assert newer is not None
    np.testing.assert_array_equal(newer, painted(0))


def test_uncertainties_belong_to_a_round_and_are_forgotten_a_few_rounds_later(store: Store) -> None:
    number = finished_round(store)
    levels = np.arange(painted(0).size, dtype=np.uint8).reshape(painted(0).shape)
    store.replace_queue(selection([A, B]), number, {A: painted(1), B: painted(1)})
    write_uncertainties(store, number, {A: levels})
    a, b = number_of(store, A), number_of(store, B)
    for _ in range(SUPERSEDED + 1):
        kept = stored_uncertainty(store, a)
        assert kept is not None
        np.testing.assert_array_equal(kept, levels)
        assert stored_uncertainty(store, b) is None
        later = finished_round(store)
        assert stored_uncertainty(store, a, later) is None
        write_uncertainties(store, later, {})
    assert stored_uncertainty(store, a) is None
    assert store.proposal(a) is not None


def test_a_queue_that_is_not_stored_whole_leaves_the_old_one(store: Store) -> None:
    with pytest.raises(KeyboardInterrupt):
        interrupted(store, lambda: store.replace_queue(selection([D]), None))
    assert waiting(store) == [A, B, C]
    assert D not in [stored.patch for stored in store.patches("query")]


def test_a_label_records_which_network_ranked_it(store: Store) -> None:
    number = finished_round(store)
    store.replace_queue(selection([A]), number)
    answer(store, number_of(store, A), painted(1), "submitted")
    answer(store, number_of(store, B), painted(1), "submitted")
    ranked_by = store.rows("SELECT patch, ranked_by FROM revisions ORDER BY id")
    assert [tuple(row) for row in ranked_by] == [(number_of(store, A), number), (number_of(store, B), None)]


@pytest.mark.parametrize("state", ["submitted", "skipped"])
def test_so_does_that_of_a_patch_that_was_begun_before_another_network_ranked(
    store: Store, state: State
) -> None:
    """What somebody is painting is left out of the next queue."""
    first = finished_round(store)
    store.replace_queue(selection([A]), first)
    number = number_of(store, A)
    answer(store, number, painted(1), "draft")
    store.replace_queue(selection([C]), finished_round(store))
    answer(store, number, painted(1), "draft")
    answer(store, number, painted(1) if state == "submitted" else None, state)
    answer(store, number, painted(0), "submitted")
    ranked_by = store.rows("SELECT ranked_by FROM revisions WHERE patch = ?", number)
    assert [row["ranked_by"] for row in ranked_by] == [first, first], "a correction as well"


def test_the_audit_is_served_in_its_own_order_apart_from_the_queue(store: Store) -> None:
    assert [stored.patch for stored in store.open_audit()] == AUDIT
    assert all(stored.kind == "audit" for stored in store.open_audit())
    answer(store, number_of(store, AUDIT[0]), painted(1), "submitted")
    assert [stored.patch for stored in store.open_audit()] == AUDIT[1:]
    assert [stored.patch for stored in store.submitted("audit")] == AUDIT[:1]
    assert store.submitted("query") == {}
    assert waiting(store) == [A, B, C]


def test_the_patch_begun_last_is_the_one_to_go_on_with(store: Store) -> None:
    assert store.begun() == []
    for patch, by in ((A, "Ana"), (B, "")):
        mask = NewMask(0, painted(1), "draft", "background", 1.0, annotator=by)
        store.save(number_of(store, patch), mask)
    assert [(stored.patch, by) for stored, by in store.begun()] == [(B, ""), (A, "Ana")]
    answer(store, number_of(store, B), painted(1), "submitted")
    assert [stored.patch for stored, _ in store.begun()] == [A]


def test_history_is_newest_first_and_names_a_patch_once(store: Store) -> None:
    for patch, state in ((A, "draft"), (B, "submitted"), (C, "submitted"), (A, "submitted")):
        answer(store, number_of(store, patch), painted(1), state)
    history = store.history(10)
    assert [stored.patch for stored, _ in history] == [A, C, B]
    assert [revision.revision for _, revision in history] == [2, 1, 1]
    assert all(revision.mask is None for _, revision in history)
    assert [stored.patch for stored, _ in store.history(1)] == [A]


def test_submitted_since_counts_patches_of_both_kinds(store: Store) -> None:
    before = datetime.now(UTC) - timedelta(minutes=1)
    for patch in (A, A, AUDIT[0]):
        answer(store, number_of(store, patch), painted(1), "submitted")
    answer(store, number_of(store, B), painted(1), "draft")
    assert store.submitted_since(before) == 2
    assert store.submitted_since(datetime.now(UTC) + timedelta(minutes=1)) == 0


def test_events_are_newest_first(store: Store) -> None:
    store.note("created", "one")
    store.note("problem", "two")
    assert [event[1:] for event in store.events(5)] == [("problem", "two"), ("created", "one")]
    assert len(store.events(1)) == 1


def test_a_change_inside_a_change_is_part_of_it(store: Store) -> None:
    with pytest.raises(KeyboardInterrupt):
        interrupted(store, lambda: store.note("inner", "must not survive"))
    assert store.events(5) == []


def test_a_patch_that_somebody_added_can_be_labelled(store: Store) -> None:
    number = store.add(D)
    assert store.add(D) == number
    assert store.patch(number) == StoredPatch(number, D, "query")
    assert D not in waiting(store)
