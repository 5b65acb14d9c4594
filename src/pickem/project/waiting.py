"""Which patches wait to be labelled, as SQL: those asked for by hand, the last one first, then the ranked.

A patch that was asked for waits until it is submitted or skipped after that, also where it was before.
"""

from __future__ import annotations

BY_HAND = "asked for by hand"

_ASKED = (
    f"SELECT a.patch, 0.0 AS utility, '{BY_HAND}' AS reason, NULL AS ranked_by, -a.id AS position "
    "FROM asked a WHERE NOT EXISTS (SELECT 1 FROM revisions r WHERE r.patch = a.patch "
    "AND r.state IN ('submitted', 'skipped') AND r.id > a.after)"
)
_QUEUED = "SELECT patch, utility, reason, ranked_by, position FROM queue"
_DONE = "SELECT 1 FROM revisions r WHERE r.patch = q.patch AND r.state IN ('submitted', 'skipped')"

WHY = (
    "SELECT p.*, w.utility, w.reason, w.ranked_by FROM "
    f"({_ASKED} UNION ALL {_QUEUED}) w JOIN patches p ON p.id = w.patch "
    "WHERE p.id = ? ORDER BY w.position LIMIT 1"
)
WAITING = (
    "SELECT p.*, w.utility, w.reason, w.ranked_by FROM "
    f"({_ASKED} UNION ALL SELECT * FROM ({_QUEUED}) q WHERE NOT EXISTS ({_DONE}) "
    f"AND q.patch NOT IN (SELECT patch FROM ({_ASKED}))) w "
    "JOIN patches p ON p.id = w.patch ORDER BY w.position"
)
ASKED = f"SELECT p.* FROM ({_ASKED}) w JOIN patches p ON p.id = w.patch ORDER BY w.position"
