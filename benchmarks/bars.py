"""What `auto` reaches on the test splits beside what was aimed at, and what its picking saves.

    python -m benchmarks.bars

Fills the tables `bars` and `savings` of docs/results/fewer-labels.md.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from benchmarks.courses import Course, mean_course, reaching, read_courses, results_of
from benchmarks.machine import RESULTS
from benchmarks.marked import fill, table
from pickem.benchmark.full_supervision import CONVERGED
from pickem.benchmark.report import wording
from pickem.benchmark.report.comparison import Saving
from pickem.benchmark.report.paper import paper_results
from pickem.benchmark.report.statistics import estimate, first_crossing, normalised_area

PAGE = RESULTS / "fewer-labels.md"
BASELINES = ("random", "random-foreground")
UP_TO = (100, 200)  # labels
FIRST_COMPARED = 20  # labels; with ten, all strategies of a seed have the same network
PIXELS, PAINTING, CORRECTING = "labelled_pixels", "effort_seconds", "correction_seconds"


@dataclass(frozen=True)
class Bar:
    """A Jaccard to reach with so many labels: a number, or a share of converged full supervision."""

    dataset: str
    labels: int
    jaccard: float | None = None
    share: float | None = None

    def target(self) -> float | None:
        """The Jaccard; None where it is not known yet."""
        if self.share is None:
            return self.jaccard
        rows = [row for row in results_of(f"{self.dataset}-auto") if row["strategy"] == CONVERGED]
        converged = [float(row["jaccard"]) for row in rows]
        return self.share * fmean(converged) if converged else None


# On VNC what the paper's random patches and its best strategy have with 500 labels, and its full supervision.
BARS = (
    *(Bar("vnc", labels, jaccard=0.740) for labels in (40, 20)),
    *(Bar("vnc", labels, jaccard=0.779) for labels in (80, 40)),
    *(Bar("vnc", labels, jaccard=0.816) for labels in (160, 80)),
    *(Bar("lucchi++", labels, share=0.95) for labels in (60, 40)),
    *(Bar("lucchi++", labels, share=0.98) for labels in (140, 80)),
)


def main() -> None:
    """Rewrite the tables."""
    fill(PAGE, "bars", _bars())
    fill(PAGE, "savings", _savings())


def _bars() -> str:
    lines = [
        _bar(bar, target, list(courses.values()))
        for bar in BARS
        if (courses := read_courses(f"{bar.dataset}-auto", "auto")) and (target := bar.target()) is not None
    ]
    ours = ["Jaccard there", "mean gets there with", "each seed with"]
    return table(
        ["dataset", "Jaccard", "with at most", *ours, "the paper's best with", "its random with"], lines
    )


def _bar(bar: Bar, target: float, courses: Sequence[Course]) -> list[str]:
    reached = estimate([course.jaccard[bar.labels] for course in courses])
    mean = mean_course(courses)
    first = _labels(first_crossing(list(mean), list(mean.values()), target), max(mean))
    each = [_labels(course.needed(target), max(course.rows)) for course in courses]
    of = f" ({bar.share:.0%} of converged full supervision)" if bar.share else ""
    about = [bar.dataset, f"{target:.3f}{of}", str(bar.labels), wording.jaccard(reached, len(courses))]
    return [*about, first, ", ".join(each), *(_papers(target) if bar.share is None else ["", ""])]


def _papers(target: float) -> tuple[str, str]:
    """Labels with which the best of the paper's strategies, and its random ones, first get there on VNC."""
    curves = paper_results("vnc").curves
    needed = {name: first_crossing(curve.labelled, curve.jaccard, target) for name, curve in curves.items()}
    last = max(int(curve.labelled[-1]) for curve in curves.values())
    return _labels(min(needed.values()), last), _labels(needed["random"], last)


def _labels(needed: float, last: int) -> str:
    return f"{needed:.0f}" if math.isfinite(needed) else f"> {last}"


def _savings() -> str:
    head = ["dataset", "against", "up to", "seeds", "mean Jaccard", "labels saved", "each seed"]
    lines = [
        _saving(dataset, baseline, last, pairs)
        for dataset in ("vnc", "lucchi++")
        for baseline in BASELINES
        for last, pairs in _pairs(f"{dataset}-auto", baseline)
    ]
    saved = ["distinct pixels saved", "painting saved", "correcting saved"]
    return table([*head, *saved, "labels of all", "distinct pixels of all"], lines)


def _pairs(folder: str, baseline: str) -> Iterator[tuple[int, list[tuple[Course, Course]]]]:
    """The seeds of which both strategies were evaluated with so many labels, for as many as are asked."""
    for last in UP_TO:
        ours = reaching(read_courses(folder, "auto"), last)
        theirs = reaching(read_courses(folder, baseline), last)
        if pairs := [(ours[seed], theirs[seed]) for seed in sorted(ours.keys() & theirs.keys())]:
            yield last, pairs


def _saving(dataset: str, baseline: str, last: int, pairs: Sequence[tuple[Course, Course]]) -> list[str]:
    """How many times less `auto` needs for what the baseline has with `last` labels, seed by seed.

    Both count from their first crossing, as in `pickem report`; in the last two columns the baseline counts
    with all of its `last` labels.
    """
    gains = estimate([_area(course, last) - _area(base, last) for course, base in pairs])
    needed = [(course.needed(base.jaccard[last]), base.needed(base.jaccard[last])) for course, base in pairs]
    never = sum(mine > last for mine, _ in needed)
    met = [(min(mine, last), its) for mine, its in needed]

    def saved(amounts: Sequence[tuple[float, float]]) -> str:
        """`amounts`: ours and theirs, a pair a seed."""
        logs = estimate([math.log(its / mine) for mine, its in amounts])
        known = replace(logs, interval=None, p=None) if never else logs
        return wording.saving(Saving(known, never))

    def spent(column: str, labels: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
        return [
            (course.spent(column, mine), base.spent(column, its))
            for (course, base), (mine, its) in zip(pairs, labels, strict=True)
        ]

    each = ", ".join(f"{its / mine:.2f}" for mine, its in met)
    about = [dataset, baseline, str(last), str(len(pairs)), wording.difference(gains), saved(met), each]
    of_all = [(mine, float(last)) for mine, _ in met]
    seconds_and_pixels = (saved(spent(column, met)) for column in (PIXELS, PAINTING, CORRECTING))
    return [*about, *seconds_and_pixels, saved(of_all), saved(spent(PIXELS, of_all))]


def _area(course: Course, last: int) -> float:
    """Mean Jaccard from FIRST_COMPARED to `last` labels."""
    return normalised_area(list(course.rows), list(course.jaccard.values()), FIRST_COMPARED, last)


if __name__ == "__main__":
    main()
