"""The trainer's side of the database: the labels of each round, its network, and how good that is."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from pickem.geometry import PatchId
from pickem.project.masks import unpack
from pickem.project.schema import LAST_ANSWER
from pickem.project.store import Store, now

Labels = dict[PatchId, tuple[NDArray[np.uint8], int]]  # mask (h, w), and the round that learned from it first


@dataclass(frozen=True)
class Round:
    """A round of training. Its labels are the newest submitted masks up to `last_revision`."""

    number: int
    last_revision: int
    labelled: int
    checkpoint: str | None  # file name; None while the round is under way, and where it was lost
    finished: datetime | None
    ranked: bool  # whether the queue was ranked by its network
    audited: int  # its network is measured on the newest audit masks up to this revision; 0 = on none


@dataclass(frozen=True)
class AuditCounts:
    """Pixels of an audit patch in one class: predicted rightly, in the truth, and predicted."""

    section: tuple[str, int]  # (volume, z): audit patches of one section are not independent
    hit: int
    truth: int
    predicted: int


Counts = dict[int, list[AuditCounts]]  # by class, one per audit patch


def begin_round(store: Store) -> Round:
    """Fix which labels the next round learns from; a round that was begun and not finished is begun again.

    So a trainer that was killed does the same round anew, with the same labels.
    """
    with store.change() as connection:
        unfinished = store.rows("SELECT * FROM rounds WHERE finished IS NULL")
        if unfinished:
            return _round(unfinished[0])
        number = int(store.rows("SELECT coalesce(max(number) + 1, 0) FROM rounds")[0][0])
        last = int(store.rows("SELECT coalesce(max(id), 0) FROM revisions")[0][0])
        connection.execute(
            "INSERT INTO rounds (number, begun, last_revision, labelled) VALUES (?, ?, ?, ?)",
            (number, now(), last, store.count("query", "submitted")),
        )
        return _round(store.rows("SELECT * FROM rounds WHERE number = ?", number)[0])


def finish_round(store: Store, number: int, checkpoint: str, loss: float, seconds: float) -> None:
    """Write down the network that a round has trained."""
    with store.change() as connection:
        connection.execute(
            "UPDATE rounds SET finished = ?, checkpoint = ?, loss = ?, seconds = ? WHERE number = ?",
            (now(), checkpoint, loss, seconds, number),
        )


def mark_ranked(store: Store, number: int) -> None:
    """Write down that the queue was ranked by the network of a round."""
    with store.change() as connection:
        connection.execute("UPDATE rounds SET ranked = ? WHERE number = ?", (now(), number))


def latest_round(store: Store) -> Round | None:
    """The last finished round."""
    rows = store.rows("SELECT * FROM rounds WHERE finished IS NOT NULL ORDER BY number DESC LIMIT 1")
    return _round(rows[0]) if rows else None


def with_networks(store: Store) -> list[Round]:
    """The finished rounds whose networks were not given up, newest first."""
    rows = store.rows("SELECT * FROM rounds WHERE checkpoint IS NOT NULL ORDER BY number DESC")
    return [_round(row) for row in rows]


def give_up(store: Store, number: int, why: str) -> None:
    """Write down, and tell the person, that the network of a round cannot be used any more."""
    with store.change() as connection:
        connection.execute("UPDATE rounds SET checkpoint = NULL WHERE number = ?", (number,))
        store.note("problem", why)


def is_under_way(store: Store) -> bool:
    """Whether a round was begun and not finished."""
    return bool(store.rows("SELECT 1 FROM rounds WHERE finished IS NULL"))


def labels_of(store: Store, at: Round) -> Labels:
    """What a round learns from: mask (h, w) of each patch, and the round that learned from it first."""
    rows = store.rows(
        "SELECT p.*, r.mask, (SELECT min(number) FROM rounds WHERE last_revision >= f.last) AS learned "
        "FROM patches p "
        "JOIN (SELECT patch, min(id) AS first, max(id) AS last FROM revisions "
        "      WHERE state IN ('submitted', 'skipped') AND id <= ? GROUP BY patch) f ON f.patch = p.id "
        "JOIN revisions r ON r.id = f.last "
        "WHERE p.kind = 'query' AND r.state = 'submitted' ORDER BY f.first",
        at.last_revision,
    )
    return {
        PatchId(row["volume"], row["z"], row["y"], row["x"], row["height"], row["width"]): (
            unpack(row["mask"], row["height"], row["width"]),
            row["learned"],
        )
        for row in rows
    }


def waiting_labels(store: Store) -> int:
    """Patches submitted, or submitted again, since the last round began, and not skipped after that."""
    rows = store.rows(
        f"SELECT count(*) FROM patches p JOIN revisions r ON r.id = {LAST_ANSWER} "
        "WHERE p.kind = 'query' AND r.state = 'submitted' "
        "AND r.id > (SELECT coalesce(max(last_revision), 0) FROM rounds)"
    )
    return int(rows[0][0])


def last_audit_revision(store: Store) -> int:
    """Up to which revision there are answers to audit patches; 0 = there are none."""
    return int(store.rows(f"SELECT coalesce(({_LAST_AUDIT}), 0)")[0][0])


def to_measure(store: Store) -> list[Round]:
    """The rounds with networks that do not know the newest audit masks, newest first."""
    rows = store.rows(
        f"SELECT * FROM rounds WHERE checkpoint IS NOT NULL AND audited < ({_LAST_AUDIT}) "
        "ORDER BY number DESC"
    )
    return [_round(row) for row in rows]


def write_audit(store: Store, number: int, counts: Mapping[int, NDArray[np.int64]], audited: int) -> None:
    """Store what the network of a round got right: (classes, 3) = hit, truth, predicted, by patch number.

    Foreground classes alone, class 1 first. Counts of other patches stay, save for those whose mask was
    taken back. `audited`: up to which revision the network now knows all audit masks.
    """
    with store.change() as connection:
        connection.execute("UPDATE rounds SET audited = ? WHERE number = ?", (audited, number))
        connection.execute(
            f"DELETE FROM audit_counts WHERE round = ? AND patch NOT IN ({_PAINTED})", (number,)
        )
        for patch, table in counts.items():
            for index, (hit, truth, predicted) in enumerate(table.tolist(), start=1):
                connection.execute(
                    "REPLACE INTO audit_counts VALUES (?, ?, ?, ?, ?, ?)",
                    (number, patch, index, hit, truth, predicted),
                )


def audit_counts(store: Store, number: int) -> Counts:
    """The counts of a round's network, one per audit patch, by class."""
    rows = store.rows(
        "SELECT c.*, p.volume, p.z FROM audit_counts c JOIN patches p ON p.id = c.patch "
        "WHERE c.round = ? ORDER BY c.class, c.patch",
        number,
    )
    found: Counts = {}
    for row in rows:
        counts = AuditCounts((row["volume"], row["z"]), row["hit"], row["truth"], row["predicted"])
        found.setdefault(row["class"], []).append(counts)
    return found


def paired_audit_counts(store: Store, then: int, now: int) -> tuple[Counts, Counts]:
    """The counts of two rounds' networks on the same masks of the same audit patches, in the same order.

    Patches whose mask was changed since either of the two was measured are left out.
    """
    rows = store.rows(
        "SELECT c.class, p.volume, p.z, t.hit, t.truth, t.predicted, c.hit, c.truth, c.predicted "
        "FROM audit_counts c JOIN audit_counts t ON t.patch = c.patch AND t.class = c.class "
        "JOIN patches p ON p.id = c.patch "
        f"WHERE t.round = ? AND c.round = ? AND {LAST_ANSWER} <= "
        "(SELECT min(audited) FROM rounds WHERE number IN (t.round, c.round)) ORDER BY c.class, c.patch",
        then,
        now,
    )
    before: Counts = {}
    after: Counts = {}
    for index, volume, z, *numbers in rows:
        before.setdefault(index, []).append(AuditCounts((volume, z), *numbers[:3]))
        after.setdefault(index, []).append(AuditCounts((volume, z), *numbers[3:]))
    return before, after


_LAST_AUDIT = (
    "SELECT max(r.id) FROM revisions r JOIN patches p ON p.id = r.patch "
    "WHERE p.kind = 'audit' AND r.state IN ('submitted', 'skipped')"
)
_PAINTED = f"SELECT p.id FROM patches p JOIN revisions r ON r.id = {LAST_ANSWER} WHERE r.state = 'submitted'"


def _round(row: sqlite3.Row) -> Round:
    return Round(
        row["number"],
        row["last_revision"],
        row["labelled"],
        row["checkpoint"],
        datetime.fromisoformat(row["finished"]) if row["finished"] else None,
        row["ranked"] is not None,
        row["audited"],
    )
