"""What picking saves on the test splits: labels, pixels and a person's seconds, `auto` against a baseline.

    python -m benchmarks.savings

Fills the tables `savings` and `seconds` of docs/results/fewer-labels.md.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from benchmarks.bars import PAGE, UNBALANCED
from benchmarks.courses import Course, reaching, read_courses
from benchmarks.marked import fill, table
from pickem.benchmark.report import wording
from pickem.benchmark.report.comparison import Saving
from pickem.benchmark.report.statistics import estimate, first_crossing, normalised_area

DATASETS = ("vnc", "lucchi++")
PROFILES = ("auto", UNBALANCED)
BASELINES = ("random", "random-foreground")
UP_TO = (100, 200)  # labels
FIRST_COMPARED = 20  # labels; with ten, all strategies of a seed have the same network
PIXELS, PAINTING, CORRECTING = "labelled_pixels", "effort_seconds", "correction_seconds"
MINUTES = (5, 10, 15, 20, 25)
ABOUT = ("dataset", "profile", "against")  # the columns that name a comparison

Comparison = tuple[str, str, str]  # dataset, profile, baseline
Pair = tuple[Course, Course]  # `auto` and the baseline, of one seed
Amounts = Sequence[tuple[float, float]]  # what they need, seed by seed


def main() -> None:
    """Rewrite the tables."""
    for name, text in tables().items():
        fill(PAGE, name, text)


def tables() -> dict[str, str]:
    """By their names on the page."""
    return {"savings": _savings(), "seconds": _seconds()}


def _compared() -> Iterator[tuple[Comparison, int, list[Pair]]]:
    """What is compared, up to so many labels, and the seeds of which both were evaluated with so many."""
    for dataset, profile, baseline in itertools.product(DATASETS, PROFILES, BASELINES):
        for last in UP_TO:
            ours, theirs = (
                reaching(read_courses(f"{dataset}-{profile}", strategy), last)
                for strategy in ("auto", baseline)
            )
            if both := sorted(ours.keys() & theirs.keys()):
                yield (dataset, profile, baseline), last, [(ours[seed], theirs[seed]) for seed in both]


def _savings() -> str:
    lines = [_saving(*compared) for compared in _compared()]
    head = [*ABOUT, "up to", "seeds", "mean Jaccard", "labels", "each seed", "distinct pixels"]
    return table([*head, "painting", "correcting", "pixels, first crossing", "pixels, of all"], lines)


def _saving(compared: Comparison, last: int, pairs: Sequence[Pair]) -> list[str]:
    """How many times less `auto` needs for what the baseline has with `last` labels, seed by seed."""
    gains = estimate([_area(course, last) - _area(base, last) for course, base in pairs])
    rising = [_needed_rising(pair, last) for pair in pairs]
    crossing = [(mine.needed(its.jaccard[last]), its.needed(its.jaccard[last])) for mine, its in pairs]
    of_all = [(mine, float(last)) for mine, _ in crossing]
    each = ", ".join(f"{its / min(mine, last):.2f}" for mine, its in rising)
    about = [*compared, str(last), str(len(pairs)), wording.difference(gains)]
    counted = [
        _saved(pairs, rising, last, column) for column in ("labelled_patches", PIXELS, PAINTING, CORRECTING)
    ]
    other = [_saved(pairs, needed, last, PIXELS) for needed in (crossing, of_all)]
    return [*about, counted[0], each, *counted[1:], *other]


def _needed_rising(pair: Pair, last: int) -> tuple[float, float]:
    """Labels with which the rising courses of both first have what the baseline's ends with."""
    mine, its = (course.rising(last) for course in pair)
    target = its[last]
    return (
        first_crossing(list(mine), list(mine.values()), target),
        first_crossing(list(its), list(its.values()), target),
    )


def _saved(pairs: Sequence[Pair], needed: Amounts, last: int, column: str) -> str:
    """The ratio of what so many labels came to; a seed of ours that never gets there counts with `last`."""
    never = sum(mine > last for mine, _ in needed)
    logs = estimate(
        [
            math.log(base.spent(column, its) / course.spent(column, min(mine, last)))
            for (course, base), (mine, its) in zip(pairs, needed, strict=True)
        ]
    )
    return wording.saving(Saving(replace(logs, interval=None, p=None) if never else logs, never))


def _area(course: Course, last: int) -> float:
    """Mean Jaccard from FIRST_COMPARED to `last` labels."""
    return normalised_area(list(course.rows), list(course.jaccard.values()), FIRST_COMPARED, last)


def _seconds() -> str:
    """How far `auto` is ahead once a person has spent as long on both, within the seeds that both have."""
    lines = []
    longest = {compared: (last, pairs) for compared, last, pairs in _compared()}
    for compared, (last, pairs) in longest.items():
        for name, column in (("painting", PAINTING), ("correcting", CORRECTING)):
            whole = estimate([_gain_over_time(pair, column, last) for pair in pairs])
            at = [_gains_at(pairs, column, last, 60 * minutes) for minutes in MINUTES]
            lines.append([*compared, name, str(len(pairs)), wording.difference(whole), *at])
    return table([*ABOUT, "by", "seeds", "mean", *(f"{m} min" for m in MINUTES)], lines)


def _shared_range(pair: Pair, column: str, last: int) -> tuple[float, float]:
    """Seconds from where both have FIRST_COMPARED labels to where the first of them has `last`."""
    return (
        max(course.spent(column, FIRST_COMPARED) for course in pair),
        min(course.spent(column, last) for course in pair),
    )


def _gain_over_time(pair: Pair, column: str, last: int) -> float:
    start, stop = _shared_range(pair, column, last)
    mine, its = (normalised_area(c.column(column), list(c.jaccard.values()), start, stop) for c in pair)
    return mine - its


def _gains_at(pairs: Sequence[Pair], column: str, last: int, seconds: float) -> str:
    """Empty where some seed's courses do not both reach there."""
    ranges = [_shared_range(pair, column, last) for pair in pairs]
    if not all(start <= seconds <= stop for start, stop in ranges):
        return ""
    return wording.difference(
        estimate([mine.after(column, seconds) - its.after(column, seconds) for mine, its in pairs])
    )


if __name__ == "__main__":
    main()
