"""Lengths of time, as progress is told in them."""

from __future__ import annotations

SILENCE = 60  # seconds after which something at work says so where there is no terminal


def duration(seconds: float) -> str:
    """A length of time as people say it: "40 s", "12 min", "3 h 5 min"."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
