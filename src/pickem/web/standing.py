"""Where a project stands, put together for the page and for `pickem status`."""

from __future__ import annotations

from datetime import UTC, datetime

from pickem.project import rounds
from pickem.project.annotators import labelled_by
from pickem.project.course import Turn, turns
from pickem.project.effort import Pace, Stopwatch, seconds_spent
from pickem.project.leases import Leases
from pickem.project.quality import Quality, advice, gain
from pickem.project.store import Store
from pickem.web.messages import (
    AnnotatorInfo,
    NetworkInfo,
    PaceInfo,
    ProgressInfo,
    QualityInfo,
    TrainerInfo,
    TurnInfo,
)
from pickem.web.supervisor import Activity

NEXT = 20  # patches for which it is said how long they take


def standing(
    store: Store, activity: Activity, leases: Leases | None = None, stopwatch: Stopwatch | None = None
) -> ProgressInfo:
    """Labels, queue, network, quality, annotators and their pace in a project now.

    `leases` and `stopwatch`: those of a server, whose clock counts and who asks again and again.
    """
    latest = rounds.latest_round(store)
    course = turns(store)
    now = next((turn.quality for turn in reversed(course) if turn.quality), None)
    audit_seconds = seconds_spent(store, "audit")
    return ProgressInfo(
        labelled=store.count("query", "submitted"),
        submitted_today=store.submitted_since(datetime.now(UTC).replace(hour=0, minute=0, second=0)),
        skipped=store.count("query", "skipped"),
        queue=len(store.queue()),
        audit_done=store.count("audit", "submitted"),
        audit_total=len(store.patches("audit")),
        audit_skipped=store.count("audit", "skipped"),
        seconds=seconds_spent(store, "query") + audit_seconds,
        audit_seconds=audit_seconds,
        pace=_pace((stopwatch or Stopwatch(store)).pace()),
        network=NetworkInfo(
            name=_name(latest.number),
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
            passed_over=[*activity.passed_over],
        ),
        quality=_quality(now),
        course=[_turn(turn) for turn in course],
        advice=advice(now, gain(store)),
        annotators=_annotators(store, leases or Leases(store)),
    )


def _annotators(store: Store, leases: Leases) -> list[AnnotatorInfo]:
    labelled = {name: patches for name, patches in labelled_by(store).items() if name}
    at_work = set(leases.held().values())
    names = [*labelled, *sorted(at_work - labelled.keys())]
    return [AnnotatorInfo(name=n, labelled=labelled.get(n, 0), at_work=n in at_work) for n in names]


def _pace(pace: Pace) -> PaceInfo | None:
    if pace.seconds_each is None:
        return None
    by = pace.coefficients
    return PaceInfo(
        seconds_each=pace.seconds_each,
        next_patches=NEXT,
        next_seconds=NEXT * pace.seconds_each,
        patches=pace.patches,
        patch=by.patch,
        object=by.object,
        contour=by.contour,
    )


def _turn(turn: Turn) -> TurnInfo:
    corrections = turn.corrections
    return TurnInfo(
        network=_name(turn.round),
        labelled=turn.labelled,
        quality=_quality(turn.quality),
        changed=corrections.share if corrections else None,
        proposals=corrections.patches if corrections else 0,
    )


def _quality(quality: Quality | None) -> QualityInfo | None:
    if quality is None:
        return None
    return QualityInfo(jaccard=quality.jaccard, low=quality.low, high=quality.high, patches=quality.patches)


def _name(number: int) -> str:
    """Networks are counted from 1 for people."""
    return f"network {number + 1}"
