"""How long a patch takes a project's people, from what their page recorded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from pickem.geometry import PatchId
from pickem.learning.effort import DEFAULT, Coefficients, annotation_seconds
from pickem.project import effort
from pickem.project.effort import FEWEST, UNKNOWN, Stopwatch
from pickem.project.store import NewMask, Store
from pickem.web.messages import PaceInfo
from pickem.web.standing import standing
from pickem.web.supervisor import Activity

QUICK = Coefficients(3.0, 1.0, 0.1)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "project.sqlite") as store:
        yield store


def masks(count: int) -> list[np.ndarray]:
    """Squares of several sizes, none to four a mask."""
    rng = np.random.default_rng(0)
    made = []
    for _ in range(count):
        mask = np.zeros((32, 32), np.uint8)
        for corner in ((1, 1), (1, 17), (17, 1), (17, 17))[: rng.integers(5)]:
            side = rng.integers(2, 14)
            mask[corner[0] : corner[0] + side, corner[1] : corner[1] + side] = 1
        made.append(mask)
    return made


def submit(store: Store, made: list[np.ndarray], coefficients: Coefficients, first: int = 0) -> None:
    """Answer a patch with each mask, in the time that the formula says; every sixth with a coffee."""
    for place, mask in enumerate(made, start=first):
        number = store.add(PatchId("v", place, 0, 0, 32, 32))
        seconds = annotation_seconds(mask, coefficients) + 300 * (place % 6 == 5)
        store.save(number, NewMask(0, mask, "submitted", "background", seconds))


def test_the_default_holds_until_enough_patches_have_a_time(store: Store) -> None:
    made = masks(FEWEST)
    submit(store, made[:-1], QUICK)
    untimed = store.add(PatchId("w", 0, 0, 0, 32, 32))  # imported, or skipped: nobody's time
    store.save(untimed, NewMask(0, made[0], "submitted", "background", 0.0))
    skipped = store.add(PatchId("w", 1, 0, 0, 32, 32))
    store.save(skipped, NewMask(0, None, "skipped", "background", 60.0))
    assert Stopwatch(store).pace() == UNKNOWN
    assert UNKNOWN.coefficients == DEFAULT
    assert standing(store, Activity("")).pace is None
    submit(store, made[-1:], QUICK, first=FEWEST - 1)
    pace = standing(store, Activity("")).pace
    assert isinstance(pace, PaceInfo)
    assert pace.patches == FEWEST
    assert (pace.patch, pace.object, pace.contour) == pytest.approx((3.0, 1.0, 0.1), abs=1e-3)
    each = np.mean([annotation_seconds(mask, QUICK) for mask in made])
    assert pace.seconds_each == pytest.approx(each, rel=1e-3)
    assert (pace.next_patches, pace.next_seconds) == (20, pytest.approx(20 * each, rel=1e-3))


def test_people_get_quicker_and_only_the_newest_patches_count(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(effort, "NEWEST", 40)
    made = masks(FEWEST)
    stopwatch = Stopwatch(store)
    submit(store, made, Coefficients(30.0, 10.0, 1.0))
    slow = stopwatch.pace().seconds_each
    submit(store, masks(40), QUICK, first=FEWEST)
    pace = stopwatch.pace()
    assert pace.patches == 40
    assert slow is not None
    assert pace.seconds_each is not None
    assert pace.seconds_each < slow / 5
    assert pace.coefficients.patch == pytest.approx(3.0, abs=1e-3)


def test_a_corrected_mask_counts_anew(store: Store) -> None:
    submit(store, masks(FEWEST), QUICK)
    stopwatch = Stopwatch(store)
    before = stopwatch.pace()
    assert before.seconds_each is not None
    for stored in store.patches("query"):
        mask = np.zeros((32, 32), np.uint8)
        store.save(stored.id, NewMask(1, mask, "submitted", "background", before.seconds_each + 100))
    after = stopwatch.pace()
    assert after.seconds_each == pytest.approx(before.seconds_each + 100)
