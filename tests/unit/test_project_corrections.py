"""How much of a proposal had to be changed, and which proposal a mask is compared with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from pickem.geometry import PatchId
from pickem.project import rounds
from pickem.project.corrections import Corrections, correction
from pickem.project.store import SUPERSEDED, NewMask, Store
from tests.fixtures.tiny_project import answer, selection

A, B, C = (PatchId("v", 0, 0, x, 2, 2) for x in (0, 2, 4))
AUDIT = PatchId("v", 5, 0, 0, 2, 2)
MASKS = arrays(np.uint8, (4, 4), elements=st.sampled_from([0, 1, 2, 255]))
PROPOSALS = arrays(np.uint8, (4, 4), elements=st.integers(0, 2))


def mask(*values: int) -> NDArray[np.uint8]:
    return np.array(values, np.uint8).reshape(2, 2)


@pytest.mark.parametrize(
    ("proposed", "painted", "share"),
    [
        (mask(1, 1, 0, 0), mask(1, 1, 0, 0), 0),
        (mask(1, 1, 0, 0), mask(0, 0, 1, 1), 1),
        (mask(1, 1, 0, 0), mask(1, 0, 1, 0), 2 / 3),
        (mask(1, 1, 0, 0), mask(0, 0, 0, 0), 1),
        (mask(0, 0, 0, 0), mask(0, 0, 0, 0), None),
        (mask(1, 2, 0, 0), mask(2, 2, 0, 0), 1 / 2),  # from one class to another
        (mask(1, 1, 1, 0), mask(1, 255, 255, 0), 0),  # not labelled: not judged
        (mask(1, 1, 0, 0), mask(255, 255, 0, 0), None),
    ],
)
def test_the_share_that_was_changed(
    proposed: NDArray[np.uint8], painted: NDArray[np.uint8], share: float | None
) -> None:
    assert correction(proposed, painted).share == share


@given(PROPOSALS, MASKS)
def test_with_one_class_it_is_one_minus_intersection_over_union(
    proposed: NDArray[np.uint8], painted: NDArray[np.uint8]
) -> None:
    known = painted != 255
    one, other = proposed[known] > 0, painted[known] > 0
    found = correction((proposed > 0).astype(np.uint8), np.where(known, painted > 0, 255).astype(np.uint8))
    union = (one | other).sum()
    assert found.share == (None if not union else pytest.approx(1 - (one & other).sum() / union))
    of_classes = correction(proposed, painted).share
    assert of_classes is None or 0 <= of_classes <= 1


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Patches A, B and C, with a proposal of all ones by the network of round 0 for A and B."""
    with Store(tmp_path / "project.sqlite") as opened:
        opened.reserve_audit([AUDIT])
        rank(opened, {A: mask(1, 1, 1, 1), B: mask(1, 1, 1, 1)})
        yield opened


def rank(store: Store, proposals: dict[PatchId, NDArray[np.uint8]]) -> None:
    """A new round whose network ranks A, B and C, with these proposals."""
    number = rounds.begin_round(store).number
    rounds.finish_round(store, number, f"round-{number:04d}.safetensors", loss=0.5, seconds=2.0)
    store.replace_queue(selection([A, B, C]), number, proposals)


def submit(store: Store, patch: PatchId, painted: NDArray[np.uint8], proposed_by: int | None) -> None:
    number = next(s.id for kind in ("query", "audit") for s in store.patches(kind) if s.patch == patch)
    newest = store.newest(number)
    base = newest.revision if newest else 0
    store.save(number, NewMask(base, painted, "submitted", "background", 1.0, proposed_by))


def number_of(store: Store, patch: PatchId) -> int:
    return next(stored.id for stored in store.patches("query") if stored.patch == patch)


def test_the_pixels_of_a_round_are_summed(store: Store) -> None:
    submit(store, A, mask(1, 1, 1, 0), 0)
    submit(store, B, mask(0, 0, 0, 0), 0)
    assert store.corrections() == {0: Corrections(2, changed=5, foreground=8)}


def test_only_a_proposal_that_was_shown_counts(store: Store) -> None:
    submit(store, A, mask(1, 0, 0, 0), None)
    submit(store, C, mask(1, 0, 0, 0), 0)
    submit(store, AUDIT, mask(1, 0, 0, 0), 0)
    assert store.corrections() == {}
    submit(store, A, mask(1, 0, 0, 0), 0)
    assert store.corrections() == {}, "it was submitted before, without"


def test_a_mask_stays_compared_with_the_proposal_it_was_painted_on(store: Store) -> None:
    """Another one that comes meanwhile changes nothing, nor does a later look at the patch."""
    rank(store, {A: mask(0, 0, 0, 0)})
    assert store.proposed_by(number_of(store, A)) == 1
    submit(store, A, mask(1, 1, 0, 0), 0)
    assert store.corrections() == {0: Corrections(1, changed=2, foreground=4)}
    assert store.proposed_by(number_of(store, A)) == 0, "and with it alone it is shown again"
    submit(store, A, mask(1, 1, 1, 0), 1)
    assert store.corrections() == {0: Corrections(1, changed=1, foreground=4)}


def test_a_patch_that_was_skipped_after_all_does_not_count(store: Store) -> None:
    submit(store, A, mask(1, 1, 1, 1), 0)
    answer(store, number_of(store, A), None, "skipped")
    assert store.corrections() == {}
    submit(store, A, mask(1, 1, 0, 0), 0)
    assert store.corrections() == {0: Corrections(1, changed=2, foreground=4)}


def test_a_proposal_outlives_a_newer_one_while_a_page_may_show_it_and_for_ever_once_painted_on(
    store: Store,
) -> None:
    submit(store, A, mask(1, 1, 0, 0), 0)
    for _ in range(SUPERSEDED):
        rank(store, {A: mask(0, 0, 0, 0), B: mask(0, 0, 0, 0)})
    assert store.proposal(number_of(store, B), by=0) is not None
    rank(store, {A: mask(0, 0, 0, 0), B: mask(0, 0, 0, 0)})
    assert store.proposal(number_of(store, B), by=0) is None
    assert store.proposal(number_of(store, A), by=0) is not None
    submit(store, B, mask(1, 1, 0, 0), 0)
    assert list(store.corrections()) == [0], "of A alone: what B was painted on is not known any more"
    assert store.corrections()[0].patches == 1
