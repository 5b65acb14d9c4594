"""How long a patch takes, for `pickem status`."""

from __future__ import annotations

from pickem.web.messages import ProgressInfo


def pace_lines(now: ProgressInfo) -> list[str]:
    """Two lines: the pace and the formula behind it; none where too few patches are submitted to say."""
    pace = now.pace
    if pace is None:
        return []
    whom = "" if len(now.annotators) > 1 else " you"
    return [
        f"a patch takes{whom} {_seconds(pace.seconds_each)}; "
        f"the next {pace.next_patches} about {_minutes(pace.next_seconds)}",
        f"  (fitted to {pace.patches} patches, breaks left out: {pace.patch:.1f} s a patch, "
        f"{pace.object:.1f} s an object, {pace.contour:.3f} s a pixel of contour)",
    ]


def _seconds(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"


def _minutes(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} seconds"
    return f"{seconds / 60:.0f} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} hours"
