"""How much of a person's time a project took, as their page measured it."""

from __future__ import annotations

from pickem.project.store import Kind, Store


def seconds_spent(store: Store, kind: Kind) -> float:
    """Seconds on the patches of this kind that were submitted or skipped."""
    sql = (
        "SELECT coalesce(sum(r.seconds), 0) FROM patches p JOIN revisions r ON r.id = "
        "(SELECT max(id) FROM revisions WHERE patch = p.id AND state IN ('submitted', 'skipped')) "
        "WHERE p.kind = ?"
    )
    return float(store.rows(sql, kind)[0][0])
