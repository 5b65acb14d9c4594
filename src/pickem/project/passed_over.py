"""Audit patches that were skipped: each is served once more, after all others.

The hard ones are skipped more often, so an estimate without them is that of the easier ones. Skipped twice, a
patch is let be.
"""

from __future__ import annotations

from pickem.project.schema import LAST_ANSWER
from pickem.project.store import Store, StoredPatch


def passed_over(store: Store) -> list[StoredPatch]:
    """The audit patches whose last answer is their only skip, in the order of skipping."""
    rows = store.rows(
        f"SELECT p.id FROM patches p JOIN revisions r ON r.id = {LAST_ANSWER} "
        f"WHERE p.kind = 'audit' AND r.state = 'skipped' AND ({_SKIPS}) = 1 ORDER BY r.id"
    )
    return [store.patch(row["id"]) for row in rows]


def count_served_again(store: Store) -> int:
    """How many answers were given to audit patches that had been skipped before."""
    sql = (
        "SELECT count(*) FROM revisions r JOIN patches p ON p.id = r.patch AND p.kind = 'audit' "
        "WHERE r.state IN ('submitted', 'skipped') AND EXISTS "
        "(SELECT 1 FROM revisions s WHERE s.patch = r.patch AND s.state = 'skipped' AND s.id < r.id)"
    )
    return int(store.rows(sql)[0][0])


_SKIPS = "SELECT count(*) FROM revisions WHERE patch = p.id AND state = 'skipped'"
