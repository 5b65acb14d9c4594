"""How numbers are written in the report: one place, so that page and terminal agree."""

from __future__ import annotations

import math

from pickem.benchmark.report.comparison import LabelsNeeded, Saving
from pickem.benchmark.report.statistics import Estimate, Interval

NOTHING = ""  # a number that is not there


def jaccard(value: Estimate | None, seeds: int) -> str:
    """0.742 ± 0.011, the half width of the 95 % interval; 0.742 without an interval.

    With the number of seeds behind it where that is less than `seeds`, those of the strategy.
    """
    if value is None:
        return NOTHING
    margin = f" ± {value.interval.half_width:.3f}" if value.interval else ""
    count = f" (n = {value.n})" if value.n < seeds else ""
    return f"{value.mean:.3f}{margin}{count}"


def difference(value: Estimate) -> str:
    """+0.012 [+0.004, +0.020]."""
    ends = f" [{_signed(value.interval.low)}, {_signed(value.interval.high)}]" if value.interval else ""
    return f"{_signed(value.mean)}{ends}"


def labels(needed: LabelsNeeded | None) -> str:
    """137; > 200 where it is not reached; with the number of seeds that reach it where only some do."""
    if needed is None:
        return NOTHING
    number = f"> {needed.limit}" if needed.median is None else f"{needed.median:.0f}"
    return number if needed.reached in (0, needed.n) else f"{number} ({needed.reached} of {needed.n})"


def saving(value: Saving) -> str:
    """2.1× [1.4, 3.2]; < 0.9× where it is only known that it is below."""
    factor = f"{value.factor:.2f}×"
    if value.censored:
        return f"< {factor} ({value.censored} of {value.log.n} never)"
    ratio = _exponential(value.log.interval)
    return f"{factor} [{ratio.low:.2f}, {ratio.high:.2f}]" if ratio else factor


def p_value(p: float | None) -> str:
    """0.031; < 0.001 below that."""
    if p is None:
        return NOTHING
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def _signed(value: float) -> str:
    return f"{value:+.3f}".replace("-", "−")


def _exponential(interval: Interval | None) -> Interval | None:
    return Interval(math.exp(interval.low), math.exp(interval.high)) if interval else None
