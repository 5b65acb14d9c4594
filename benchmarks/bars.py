"""What `auto` reaches on the test splits beside what was aimed at.

    python -m benchmarks.bars

Fills the table `bars` of docs/results/fewer-labels.md.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from benchmarks.courses import Course, mean_course, read_courses, results_of
from benchmarks.machine import RESULTS
from benchmarks.marked import fill, table
from pickem.benchmark.full_supervision import FULL_SUPERVISION
from pickem.benchmark.report import wording
from pickem.benchmark.report.paper import paper_results
from pickem.benchmark.report.statistics import estimate, first_crossing

PAGE = RESULTS / "fewer-labels.md"
BALANCED = "auto-balanced"  # the recipe of `auto` with half of each batch from patches that show foreground
UNBALANCED = "auto-unbalanced"  # … and as it was at first, with batches drawn evenly
EPYC = "auto-epyc"  # a folder: `auto` on Lucchi++ again, on a CPU of the make of its random patches
LONGER = "auto-longer"  # a folder: all labels by the profile `auto`, four times as many steps


@dataclass(frozen=True)
class Bar:
    """A Jaccard to reach with so many labels: a number, or a share of the best that all labels give."""

    dataset: str
    labels: int
    jaccard: float | None = None
    share: float | None = None

    def target(self) -> float | None:
        """The Jaccard; None where it is not known yet."""
        if self.share is None:
            return self.jaccard
        reached = [
            fmean(scores)
            for profile, kind in itertools.product(("auto", LONGER, UNBALANCED, BALANCED), FULL_SUPERVISION)
            if (scores := _of_all_labels(f"{self.dataset}-{profile}", kind))
        ]
        return self.share * max(reached) if reached else None


# On VNC what the paper's random patches and its best strategy have with 500 labels, and its full supervision.
BARS = (
    *(Bar("vnc", labels, jaccard=0.740) for labels in (40, 20)),
    *(Bar("vnc", labels, jaccard=0.779) for labels in (80, 40)),
    *(Bar("vnc", labels, jaccard=0.816) for labels in (160, 80)),
    *(Bar("lucchi++", labels, share=0.95) for labels in (60, 40)),
    *(Bar("lucchi++", labels, share=0.98) for labels in (140, 80)),
)


def main() -> None:
    """Rewrite the table."""
    for name, text in tables().items():
        fill(PAGE, name, text)


def tables() -> dict[str, str]:
    """By their names on the page."""
    return {"bars": _bars()}


def _of_all_labels(folder: str, kind: str) -> list[float]:
    return [float(row["jaccard"]) for row in results_of(folder) if row["strategy"] == kind]


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
    of = f" ({bar.share:.0%} of all labels)" if bar.share else ""
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


if __name__ == "__main__":
    main()
