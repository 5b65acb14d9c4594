"""Which patch a person works on next."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from pickem.geometry import PatchId
from pickem.project.passed_over import passed_over
from pickem.project.serving import next_patch
from pickem.project.store import Store, StoredPatch
from tests.fixtures.tiny_project import answer, selection

MASK = np.ones((2, 2), np.uint8)
QUERIES = [PatchId("v", 0, 0, x, 2, 2) for x in range(0, 16, 2)]
AUDIT = [PatchId("v", 9, 0, x, 2, 2) for x in (0, 2)]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "project.sqlite") as opened:
        opened.reserve_audit(AUDIT)
        opened.replace_queue(selection(QUERIES), None)
        yield opened


def following(store: Store, skip_ahead: int | None = None) -> StoredPatch:
    found = next_patch(store, 3, skip_ahead)
    assert found is not None
    return found


def test_every_third_patch_is_of_the_audit_until_that_is_used_up(store: Store) -> None:
    served = []
    while (stored := next_patch(store, audit_every=3)) is not None:
        served.append(stored)
        answer(store, stored.id, MASK, "submitted")
    kinds = "".join(stored.kind[0] for stored in served)
    assert kinds == "qqaqqaqqqq"
    assert [stored.patch for stored in served if stored.kind == "query"] == QUERIES
    assert [stored.patch for stored in served if stored.kind == "audit"] == AUDIT


def test_a_skipped_control_patch_comes_once_more_after_the_others(store: Store) -> None:
    first, second = store.open_audit()
    answer(store, first.id, None, "skipped")
    served = []
    while (stored := next_patch(store, audit_every=3)) is not None:
        served.append(stored)
        answer(
            store,
            stored.id,
            MASK if stored.kind == "query" else None,
            "submitted" if stored.kind == "query" else "skipped",
        )
    assert [stored for stored in served if stored.kind == "audit"] == [second, first, second]
    assert "".join(stored.kind[0] for stored in served) == "qaqqaqqaqqq", "and as rarely as ever"


def test_one_that_was_skipped_and_painted_then_is_done(store: Store) -> None:
    first, second = store.open_audit()
    answer(store, second.id, MASK, "submitted")
    answer(store, first.id, None, "skipped")
    assert passed_over(store) == [first]
    assert following(store) == first, "it is its turn, and leased"
    answer(store, first.id, MASK, "draft")
    assert following(store) == first, "begun"
    answer(store, first.id, MASK, "submitted")
    assert passed_over(store) == []
    assert following(store).kind == "query"


def test_a_patch_that_was_begun_comes_first(store: Store) -> None:
    begun = store.queue()[4].stored
    answer(store, begun.id, MASK, "draft")
    assert following(store) == begun
    answer(store, begun.id, None, "skipped")
    assert following(store).patch == QUERIES[0]


def test_asking_again_gives_the_same_patch(store: Store) -> None:
    assert following(store) == following(store)


def test_the_one_after_it_can_be_had_ahead(store: Store) -> None:
    """What the page loads while a person paints is what it is served after the answer."""
    for _ in range(len(QUERIES) + len(AUDIT) - 1):
        now = following(store)
        ahead = following(store, skip_ahead=now.id)
        answer(store, now.id, MASK, "submitted")
        assert following(store) == ahead


def test_while_the_queue_is_empty_the_audit_is_served(store: Store) -> None:
    store.replace_queue(selection([]), None)
    assert following(store).patch == AUDIT[0]
    ahead = following(store, skip_ahead=following(store).id)
    assert ahead.patch == AUDIT[1]
    for _ in AUDIT:
        answer(store, following(store).id, MASK, "submitted")
    assert next_patch(store, audit_every=3) is None
