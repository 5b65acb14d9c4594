"""The course of a project as a small table for the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from pickem.web.messages import TurnInfo

SHOWN = 10  # networks; all of them are in `pickem export PROJECT curve`
HEAD = ("", "labels", "Jaccard", "95 % interval", "control patches", "proposals changed")


def course_lines(course: Sequence[TurnInfo]) -> list[str]:
    """Lines of a table of the last networks, oldest first; none where nothing is known of any."""
    if not course:
        return []
    rows = [HEAD, *(_cells(turn) for turn in course[-SHOWN:])]
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    return ["", *(line.rstrip() for line in lines), ""]


def _cells(turn: TurnInfo) -> tuple[str, ...]:
    q = turn.quality
    measured = (f"{q.jaccard:.3f}", f"{q.low:.3f} to {q.high:.3f}", str(q.patches)) if q else ("",) * 3
    patches = "1 patch" if turn.proposals == 1 else f"{turn.proposals} patches"
    changed = "" if turn.changed is None else f"{100 * turn.changed:.0f} % of {patches}"
    return (turn.network, str(turn.labelled), *measured, changed)
