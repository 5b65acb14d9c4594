"""Who is at work on which patch, so that no two annotators paint the same one.

    served ──► leased ──► submitted or skipped       the lease is gone
                │  ▲
                │  └── every sign of its annotator: a stroke, a movement of the hand, a reload
                └────► ten minutes without one, or the page closed: free for others

A lease says whom a patch is served to, and nothing else: what may be saved on it, the revisions say. Leases
are in the database, so that a server that starts again knows them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pickem.geometry import PatchId
from pickem.project.passed_over import passed_over
from pickem.project.store import Store

LASTS = timedelta(minutes=10)  # without a sign of its annotator
LEAVING = timedelta(seconds=20)  # after a page was closed; a page that is loaded again is back by then

Clock = Callable[[], datetime]  # the time now, UTC


def system_clock() -> datetime:
    """The time now."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Hold:
    """Whether an annotator may work on a patch; otherwise `by` is at work on it, or has answered it."""

    held: bool
    by: str


class Leases:
    """The leases of a project. `clock` says what time it is."""

    def __init__(self, store: Store, clock: Clock = system_clock) -> None:
        self._store = store
        self._clock = clock

    def held(self) -> dict[int, str]:
        """The annotator of every patch that is leased now, in the order in which they were first leased."""
        sql = f"SELECT patch, annotator FROM leases WHERE {_LIVE} ORDER BY id"
        return {row["patch"]: row["annotator"] for row in self._store.rows(sql, *self._now())}

    def keep(self, number: int, annotator: str) -> Hold:
        """Lease a patch to an annotator where it is free, and prolong all that they have.

        A patch that was submitted or skipped, and is neither served once more nor asked for again, is leased
        to nobody. Raises UnknownPatchError and StorageError.
        """
        with self._store.change():
            stored = self._store.patch(number)
            answer = self._store.rows(_LAST_ANSWER, number)
            if answer and stored not in passed_over(self._store):
                return Hold(held=False, by=answer[0]["annotator"])
            by = self.held().get(number, annotator)
            if by == annotator:
                self._prolong(number, annotator)
            return Hold(held=by == annotator, by=by)

    def release(self, annotator: str) -> None:
        """An annotator leaves: what they have is free in a moment."""
        with self._store.change() as connection:
            soon = _written(self._clock() + LEAVING)
            connection.execute(
                "UPDATE leases SET until = min(until, ?) WHERE annotator = ?", (soon, annotator)
            )

    def hand_over(self, annotator: str, to: str) -> None:
        """An annotator goes by another name from now on."""
        with self._store.change() as connection:
            connection.execute("UPDATE leases SET annotator = ? WHERE annotator = ?", (to, annotator))

    def _prolong(self, number: int, annotator: str) -> None:
        until = _written(self._clock() + LASTS)
        with self._store.change() as connection:
            connection.execute(f"DELETE FROM leases WHERE NOT ({_LIVE})", self._now())
            connection.execute("UPDATE leases SET until = ? WHERE annotator = ?", (until, annotator))
            connection.execute(
                "INSERT OR IGNORE INTO leases (patch, annotator, until) VALUES (?, ?, ?)",
                (number, annotator, until),
            )

    def _now(self) -> tuple[str, str]:
        """Between which times a lease that holds now ends; a later end was written by a wrong clock."""
        at = self._clock()
        return _written(at), _written(at + LASTS)


def at_work(store: Store, clock: Clock = system_clock) -> list[PatchId]:
    """The patches that somebody has a lease of, or has begun to paint and not answered."""
    numbers = {*Leases(store, clock).held(), *(stored.id for stored, _ in store.begun())}
    return [store.patch(number).patch for number in sorted(numbers)]


_LIVE = "until > ? AND until <= ?"
_LAST_ANSWER = (
    "SELECT annotator FROM revisions WHERE patch = ?1 AND state IN ('submitted', 'skipped') "
    "AND id > coalesce((SELECT after FROM asked WHERE patch = ?1), 0) ORDER BY id DESC LIMIT 1"
)


def _written(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds")
