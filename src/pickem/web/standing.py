"""Where a project stands, put together for the page and for `pickem status`."""

from __future__ import annotations

from datetime import UTC, datetime

from pickem.project import rounds
from pickem.project.quality import advice, course
from pickem.project.store import Store
from pickem.web.messages import NetworkInfo, ProgressInfo, QualityInfo, TrainerInfo
from pickem.web.supervisor import Activity


def standing(store: Store, activity: Activity) -> ProgressInfo:
    """Labels, queue, network and quality of a project now."""
    latest = rounds.latest_round(store)
    measured = course(store)
    now = measured[-1].quality if measured else None
    return ProgressInfo(
        labelled=store.count("query", "submitted"),
        submitted_today=store.submitted_since(datetime.now(UTC).replace(hour=0, minute=0, second=0)),
        skipped=store.count("query", "skipped"),
        queue=len(store.queue()),
        audit_done=store.count("audit", "submitted"),
        audit_total=len(store.patches("audit")),
        network=NetworkInfo(
            name=f"network {latest.number + 1}",
            labelled=latest.labelled,
            trained_at=latest.finished.isoformat() if latest.finished else "",
            ranked=latest.ranked,
        )
        if latest
        else None,
        trainer=TrainerInfo(
            doing=activity.doing,
            done=activity.done,
            total=activity.total,
            seconds_left=activity.seconds_left,
            problem=activity.problem,
        ),
        quality=QualityInfo(jaccard=now.jaccard, low=now.low, high=now.high, patches=now.patches)
        if now
        else None,
        advice=advice([m.quality for m in measured], [m.labelled for m in measured]),
    )
