"""What a project knows: patches, masks, the queue. A method a question, a transaction a change."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray

from pickem.acquisition import UNLABELLED, Selection
from pickem.errors import RevisionConflictError, UnknownPatchError
from pickem.geometry import PatchId
from pickem.project.corrections import Corrections, compare_with_proposal
from pickem.project.database import connect, storage_errors, transaction
from pickem.project.masks import pack, unpack
from pickem.project.schema import LAST_ANSWER
from pickem.project.settings import Unpainted
from pickem.project.waiting import ASKED, WAITING, WHY

Kind = Literal["query", "audit"]
State = Literal["draft", "submitted", "skipped"]
SUPERSEDED = 3  # rounds that a proposal outlives a newer one of its patch: a page may still show it


@dataclass(frozen=True)
class StoredPatch:
    """A patch that was queued or reserved. `id` is its number in the project, for ever."""

    id: int
    patch: PatchId
    kind: Kind


@dataclass(frozen=True)
class Queued:
    """A patch of the queue, with why it is there. `ranked_by`: the round whose network ranked it."""

    stored: StoredPatch
    utility: float
    reason: str
    ranked_by: int | None


@dataclass(frozen=True)
class Revision:
    """One saved state of a patch. `mask` (h, w) uint8, 255 = not labelled; None for a skipped patch."""

    patch: int
    revision: int
    state: State
    mask: NDArray[np.uint8] | None
    foreground: int  # pixels
    unpainted: Unpainted
    seconds: float  # a person's time on this patch so far
    at: datetime
    annotator: str  # "" = saved before names were kept


@dataclass(frozen=True)
class NewMask:
    """What a person sends to be saved on top of revision `base` (0 = there was none).

    `proposed_by`: the round whose network's proposal they saw; None = they saw none.
    """

    base: int
    mask: NDArray[np.uint8] | None
    state: State
    unpainted: Unpainted
    seconds: float
    proposed_by: int | None = None
    annotator: str = ""


class Store:
    """The project's database; safe to share between the threads of one process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection = connect(path)
        self._lock = threading.RLock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; the store cannot be used afterwards."""
        self._connection.close()

    # patches and queue ------------------------------------------------------------------------------------

    def reserve_audit(self, patches: Iterable[PatchId]) -> None:
        """Add audit patches, in the order in which they are to be served."""
        with self.change():
            for patch in patches:
                self._patch_number(patch, "audit")

    def add(self, patch: PatchId) -> int:
        """The number of a patch that may be labelled, given to it now where it has none yet."""
        with self.change():
            return self._patch_number(patch, "query")

    def replace_queue(
        self,
        selection: Selection,
        ranked_by: int | None,
        proposals: Mapping[PatchId, NDArray[np.uint8]] | None = None,
    ) -> None:
        """Serve these patches from now on, best first, instead of those queued before.

        `proposals`: what the network of round `ranked_by` would paint on them, (h, w) class indices. Those
        that a mask was painted on are kept for ever, and of each patch the newest.
        """
        with self.change():
            self._connection.execute("DELETE FROM queue")
            for patch, mask in (proposals or {}).items():
                number = self._patch_number(patch, "query")
                self._connection.execute(
                    "INSERT OR IGNORE INTO proposals (patch, round, mask) VALUES (?, ?, ?)",
                    (number, ranked_by, pack(mask)),
                )
            self._connection.execute(_DROP_SUPERSEDED, (ranked_by, SUPERSEDED))
            rows = zip(selection.patches, selection.utilities, selection.reasons, strict=True)
            for position, (patch, utility, reason) in enumerate(rows):
                number = self._patch_number(patch, "query")
                self._connection.execute(
                    "INSERT INTO queue VALUES (?, ?, ?, ?, ?)", (position, number, utility, reason, ranked_by)
                )

    def queue(self) -> list[Queued]:
        """The patches that wait for a label, best first; those asked for by hand come before the others."""
        rows = self.rows(WAITING)
        return [Queued(_stored(row), row["utility"], row["reason"], row["ranked_by"]) for row in rows]

    def asked(self) -> list[PatchId]:
        """The patches that were asked for by hand and are not answered since, the last one first."""
        return [_stored(row).patch for row in self.rows(ASKED)]

    def open_audit(self) -> list[StoredPatch]:
        """The audit patches that nobody has submitted or skipped yet, in the order in which to serve them."""
        where = f"p.kind = 'audit' AND NOT EXISTS ({_DONE})"
        return [_stored(row) for row in self.rows(f"SELECT p.* FROM patches p WHERE {where} ORDER BY p.id")]

    def patches(self, kind: Kind) -> list[StoredPatch]:
        """Every patch of this kind that was ever queued or reserved."""
        return [_stored(row) for row in self.rows("SELECT * FROM patches WHERE kind = ? ORDER BY id", kind)]

    def patch(self, number: int) -> StoredPatch:
        """Raises UnknownPatchError."""
        rows = self.rows("SELECT * FROM patches WHERE id = ?", number)
        if not rows:
            raise UnknownPatchError("This project has no such patch.", got=number)
        return _stored(rows[0])

    def queued(self, number: int) -> Queued | None:
        """Why a patch is in the queue; None where it is not in it (any more)."""
        rows = self.rows(WHY, number)
        return Queued(_stored(rows[0]), *tuple(rows[0])[-3:]) if rows else None

    def proposed_by(self, number: int) -> int | None:
        """The round whose proposal belongs to this patch: the one it was submitted with, else the newest."""
        sql = (
            "SELECT coalesce((SELECT round FROM corrections WHERE patch = ?1), "
            "(SELECT max(round) FROM proposals WHERE patch = ?1))"
        )
        found: int | None = self.rows(sql, number)[0][0]
        return found

    def proposal(self, number: int, by: int | None = None) -> NDArray[np.uint8] | None:
        """What the network of a round would paint on this patch: of round `by`, else that of `proposed_by`.

        (h, w) class indices; None where there is no such proposal.
        """
        patch = self.patch(number).patch
        sql = "SELECT mask FROM proposals WHERE patch = ? AND round = ?"
        rows = self.rows(sql, number, self.proposed_by(number) if by is None else by)
        return unpack(rows[0]["mask"], patch.height, patch.width) if rows else None

    def corrections(self) -> dict[int, Corrections]:
        """How much of the proposals had to be changed, by the round whose network made them."""
        rows = self.rows(
            "SELECT c.round, count(*), sum(c.changed), sum(c.foreground) FROM corrections c "
            f"JOIN patches p ON p.id = c.patch JOIN revisions r ON r.id = {LAST_ANSWER} "
            "WHERE r.state = 'submitted' GROUP BY c.round ORDER BY c.round"
        )
        return {number: Corrections(*sums) for number, *sums in rows}

    def queue_length(self) -> int:
        """Patches that were in the queue when it was ranked."""
        return int(self.rows("SELECT count(*) FROM queue")[0][0])

    # masks ------------------------------------------------------------------------------------------------

    def save(self, number: int, new: NewMask) -> int:
        """Save a mask as the newest revision of a patch and return the revision's number.

        On the disk when this returns. Drafts before it are dropped; submitted masks are kept for ever. A
        patch submitted for the first time with a proposal stays compared with that one. An answer ends the
        patch's lease.
        Raises UnknownPatchError, RevisionConflictError where `new.base` is not the newest revision, and
        StorageError.
        """
        with self.change():
            stored = self.patch(number)
            newest, ranked_by = self._newest_revision(number)
            if new.base != newest:
                raise RevisionConflictError(
                    f"This patch was saved meanwhile {self._whence(number, new.annotator)}.",
                    got=new.base,
                    expected=newest,
                )
            if new.state != "draft":
                self._connection.execute("DELETE FROM leases WHERE patch = ?", (number,))
            self._connection.execute("DELETE FROM revisions WHERE patch = ? AND state = 'draft'", (number,))
            if new.state == "submitted" and new.mask is not None and stored.kind == "query":
                compare_with_proposal(self, number, new.mask, new.proposed_by)
            queued = self.queued(number)
            if queued:  # else it has left the queue since somebody began it, as newer networks rank it anew
                ranked_by = queued.ranked_by
            self._connection.execute(
                "INSERT INTO revisions (patch, revision, state, mask, foreground, unpainted, seconds, "
                "ranked_by, at, annotator) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    number,
                    newest + 1,
                    new.state,
                    None if new.mask is None else pack(new.mask),
                    0 if new.mask is None else int(((new.mask > 0) & (new.mask != UNLABELLED)).sum()),
                    new.unpainted,
                    new.seconds,
                    ranked_by,
                    now(),
                    new.annotator,
                ),
            )
        return newest + 1

    def newest(self, number: int) -> Revision | None:
        """The newest revision of a patch; None where nothing was saved yet."""
        stored = self.patch(number)
        rows = self.rows("SELECT * FROM revisions WHERE patch = ? ORDER BY revision DESC LIMIT 1", number)
        return _revision(rows[0], stored.patch) if rows else None

    def submitted(self, kind: Kind, after: int = 0) -> dict[StoredPatch, NDArray[np.uint8]]:
        """The newest submitted mask of every patch of this kind, in the order of first submission.

        `after`: only those whose newest one has a greater row number in the table of revisions.
        """
        rows = self.rows(
            f"SELECT p.*, r.mask FROM patches p JOIN revisions r ON r.id = {LAST_ANSWER} "
            "WHERE p.kind = ? AND r.state = 'submitted' AND r.id > ? "
            "ORDER BY (SELECT min(id) FROM revisions WHERE patch = p.id AND state = 'submitted')",
            kind,
            after,
        )
        found = [(_stored(row), row["mask"]) for row in rows]
        return {stored: unpack(mask, stored.patch.height, stored.patch.width) for stored, mask in found}

    def answered(self) -> list[PatchId]:
        """The patches that somebody has submitted or skipped."""
        return [_stored(row).patch for row in self.rows(f"SELECT p.* FROM patches p WHERE EXISTS ({_DONE})")]

    def count_answered(self) -> int:
        """How many patches somebody has submitted or skipped."""
        sql = "SELECT count(DISTINCT patch) FROM revisions WHERE state IN ('submitted', 'skipped')"
        return int(self.rows(sql)[0][0])

    def begun(self) -> list[tuple[StoredPatch, str]]:
        """The patches that somebody drew on and nobody has submitted or skipped, with the annotator's name,
        drawn on last first."""
        rows = self.rows(
            "SELECT p.*, d.annotator FROM patches p JOIN revisions d ON d.patch = p.id "
            f"WHERE d.state = 'draft' AND NOT EXISTS ({_DONE}) ORDER BY d.id DESC"
        )
        return [(_stored(row), row["annotator"]) for row in rows]

    def history(self, limit: int) -> list[tuple[StoredPatch, Revision]]:
        """The patches worked on last, newest first; their masks are left out."""
        rows = self.rows(
            "SELECT p.*, r.patch, r.revision, r.state, NULL AS mask, r.foreground, r.unpainted, r.seconds, "
            "r.at, r.annotator FROM revisions r JOIN patches p ON p.id = r.patch "
            "WHERE r.revision = (SELECT max(revision) FROM revisions WHERE patch = p.id) "
            "ORDER BY r.id DESC LIMIT ?",
            limit,
        )
        return [(_stored(row), _revision(row, _stored(row).patch)) for row in rows]

    def count(self, kind: Kind, state: Literal["submitted", "skipped"]) -> int:
        """Patches of this kind whose last answer is this."""
        sql = (
            f"SELECT count(*) FROM patches p JOIN revisions r ON r.id = {LAST_ANSWER} "
            "WHERE p.kind = ? AND r.state = ?"
        )
        return int(self.rows(sql, kind, state)[0][0])

    def submitted_since(self, when: datetime) -> int:
        """Patches of either kind submitted since then."""
        sql = "SELECT count(DISTINCT patch) FROM revisions WHERE state = 'submitted' AND at >= ?"
        return int(self.rows(sql, when.isoformat(timespec="milliseconds"))[0][0])

    # events -----------------------------------------------------------------------------------------------

    def note(self, kind: str, message: str) -> None:
        """Write down that something happened."""
        with self.change():
            self._connection.execute(
                "INSERT INTO events (at, kind, message) VALUES (?, ?, ?)", (now(), kind, message)
            )

    def events(self, limit: int) -> list[tuple[str, str, str]]:
        """The last events (time, kind, message), newest first."""
        rows = self.rows("SELECT at, kind, message FROM events ORDER BY id DESC LIMIT ?", limit)
        return [tuple(row) for row in rows]

    # for the other tables' modules ------------------------------------------------------------------------

    @contextmanager
    def change(self) -> Iterator[sqlite3.Connection]:
        """One transaction, durable when it ends. Inside another one, part of that."""
        with self._lock, storage_errors(self._path):
            if self._connection.in_transaction:
                yield self._connection
                return
            with transaction(self._connection):
                yield self._connection

    def rows(self, sql: str, *values: object) -> Sequence[sqlite3.Row]:
        """The rows of a query."""
        with self._lock, storage_errors(self._path):
            return self._connection.execute(sql, values).fetchall()

    def _whence(self, number: int, annotator: str) -> str:
        """Where the newest revision came from, as `annotator` is told."""
        newest = self.newest(number)
        by = newest.annotator if newest else ""
        return f"by {by}" if by not in ("", annotator) else "from another window"

    def _newest_revision(self, number: int) -> tuple[int, int | None]:
        """The number of the newest revision, 0 = there is none, and the round whose network ranked it."""
        sql = "SELECT revision, ranked_by FROM revisions WHERE patch = ? ORDER BY revision DESC LIMIT 1"
        rows = self.rows(sql, number)
        return (rows[0]["revision"], rows[0]["ranked_by"]) if rows else (0, None)

    def _patch_number(self, patch: PatchId, kind: Kind) -> int:
        place = (patch.volume, patch.z, patch.y, patch.x, patch.height, patch.width)
        self._connection.execute(
            "INSERT OR IGNORE INTO patches (volume, z, y, x, height, width, kind) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            (*place, kind),
        )
        where = "volume = ? AND z = ? AND y = ? AND x = ? AND height = ? AND width = ?"
        return int(self.rows(f"SELECT id FROM patches WHERE {where}", *place)[0][0])


_DONE = "SELECT 1 FROM revisions r WHERE r.patch = p.id AND r.state IN ('submitted', 'skipped')"
_DROP_SUPERSEDED = (
    "DELETE FROM proposals AS o WHERE round < ? - ? "
    "AND EXISTS (SELECT 1 FROM proposals n WHERE n.patch = o.patch AND n.round > o.round) "
    "AND NOT EXISTS (SELECT 1 FROM corrections c WHERE c.patch = o.patch AND c.round = o.round)"
)


def now() -> str:
    """The time as the database keeps it: ISO 8601, UTC."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _stored(row: sqlite3.Row) -> StoredPatch:
    patch = PatchId(row["volume"], row["z"], row["y"], row["x"], row["height"], row["width"])
    return StoredPatch(row["id"], patch, row["kind"])


def _revision(row: sqlite3.Row, patch: PatchId) -> Revision:
    mask = None if row["mask"] is None else unpack(row["mask"], patch.height, patch.width)
    return Revision(
        row["patch"],
        row["revision"],
        row["state"],
        mask,
        row["foreground"],
        row["unpainted"],
        row["seconds"],
        datetime.fromisoformat(row["at"]),
        row["annotator"],
    )
