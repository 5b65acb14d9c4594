"""How much of a person's time a project took, as their page measured it, and how long a patch takes them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pickem.learning.calibration import calibrate
from pickem.learning.effort import DEFAULT, Coefficients, contour_length, count_objects
from pickem.project.masks import unpack
from pickem.project.schema import LAST_ANSWER
from pickem.project.store import Kind, Store

FEWEST = 20  # submitted patches with a time, before it is said how long one takes
NEWEST = 200  # of them that count: people get quicker


def seconds_spent(store: Store, kind: Kind) -> float:
    """Seconds on the patches of this kind that were submitted or skipped."""
    sql = (
        "SELECT coalesce(sum(r.seconds), 0) FROM patches p "
        f"JOIN revisions r ON r.id = {LAST_ANSWER} WHERE p.kind = ?"
    )
    return float(store.rows(sql, kind)[0][0])


@dataclass(frozen=True)
class Pace:
    """How long a patch takes in this project, breaks left out.

    `patches`: how many times it was learned from; 0 = too few, so `coefficients` are the default ones and
    `seconds_each` is not known.
    """

    patches: int
    coefficients: Coefficients
    seconds_each: float | None


UNKNOWN = Pace(0, DEFAULT, None)


class Stopwatch:
    """The pace of a project's annotators, from the times and masks in its database; nothing is stored.

    Counts each mask once, as answers never change. Control patches and patches with a proposal are among
    them, as they are among those to come. Not safe to share between threads.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._counted: dict[int, tuple[int, float]] = {}  # objects and contour, by row of the revisions
        self._known: tuple[tuple[int, ...], Pace] = ((), UNKNOWN)

    def pace(self) -> Pace:
        """The pace now."""
        times = {row["id"]: row["seconds"] for row in self._store.rows(_TIMED, NEWEST)}
        if len(times) < FEWEST:
            return UNKNOWN
        if self._known[0] != tuple(times):
            objects, contours = zip(*(self._count(number) for number in times), strict=True)
            fitted = calibrate(objects, contours, list(times.values()))
            each = fitted.seconds(float(np.mean(objects)), float(np.mean(contours)))
            self._known = (tuple(times), Pace(len(times), fitted, each))
        return self._known[1]

    def _count(self, number: int) -> tuple[int, float]:
        if number not in self._counted:
            row = self._store.rows(_MASK, number)[0]
            mask = unpack(row["mask"], row["height"], row["width"])
            self._counted[number] = count_objects(mask), contour_length(mask)
        return self._counted[number]


_TIMED = (
    f"SELECT r.id, r.seconds FROM patches p JOIN revisions r ON r.id = {LAST_ANSWER} "
    "WHERE r.state = 'submitted' AND r.seconds > 0 ORDER BY r.id DESC LIMIT ?"
)
_MASK = "SELECT r.mask, p.height, p.width FROM revisions r JOIN patches p ON p.id = r.patch WHERE r.id = ?"
