"""The seeds of `auto` on the test splits, and how far they are from what was aimed at.

    python -m benchmarks.bars

Fills three tables of docs/results/fewer-labels.md: the course of every seed with the mean over the seeds; for
each bar the Jaccard with as many labels as it allows and the labels with which the mean first gets there; and
full supervision.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import fmean

from benchmarks.fewer_labels_tables import PAGE, read_rows
from benchmarks.machine import RESULTS
from benchmarks.marked import fill, table
from pickem.benchmark.full_supervision import FULL_SUPERVISION
from pickem.benchmark.report import wording
from pickem.benchmark.report.statistics import estimate, first_crossing

FOLDERS = ("vnc-auto", "lucchi++-auto")
STRATEGIES = ("random", "random-foreground", "auto")
SIZES = (20, 40, 60, 80, 100, 120, 140, 160, 200)
# Folder, Jaccard, labels: what the paper needs 160 to 500 labels for, or never reaches.
BARS = (("vnc-auto", 0.740, 40), ("vnc-auto", 0.779, 80), ("vnc-auto", 0.816, 160))
Course = Mapping[int, float]  # labelled patches → Jaccard


def main() -> None:
    """Rewrite the tables."""
    fill(PAGE, "seeds", _seeds())
    fill(PAGE, "bars", _bars())
    fill(PAGE, "full supervision", _full_supervision())


def _seeds() -> str:
    lines = []
    for folder in FOLDERS:
        for strategy in STRATEGIES:
            courses = _courses(folder, strategy)
            about = [folder.removesuffix("-auto"), strategy]
            lines += [[*about, str(seed), *_cells(course)] for seed, course in courses.items()]
            if len(courses) > 1:
                lines.append([*about, f"mean of {len(courses)}", *_means(list(courses.values()))])
    return table(["dataset", "strategy", "seed", *map(str, SIZES)], lines)


def _cells(course: Course) -> list[str]:
    return [f"{course[size]:.3f}" if size in course else "" for size in SIZES]


def _means(courses: Sequence[Course]) -> list[str]:
    """Only over all of the seeds: those that have come further are not a sample of them."""
    return [
        f"**{wording.jaccard(estimate([course[size] for course in courses]), len(courses))}**"
        if all(size in course for course in courses)
        else ""
        for size in SIZES
    ]


def _bars() -> str:
    lines = []
    for folder, jaccard, labels in BARS:
        courses = list(_courses(folder, "auto").values())
        there = [course[labels] for course in courses if labels in course]
        known = [size for size in SIZES if all(size in course for course in courses)]
        mean = [fmean(course[size] for course in courses) for size in known]
        needed = first_crossing(known, mean, jaccard)
        reached = wording.jaccard(estimate(there), len(there)) if there else ""
        first = f"{needed:.0f}" if math.isfinite(needed) else f"more than {known[-1]}"
        about = [folder.removesuffix("-auto"), f"{jaccard:.3f}", str(labels)]
        lines.append([*about, reached, str(len(there)), first])
    return table(
        ["dataset", "Jaccard", "with at most", "Jaccard there", "seeds", "mean gets there with"], lines
    )


def _full_supervision() -> str:
    lines = []
    for folder in FOLDERS:
        for row in read_rows(RESULTS / folder / "results.csv"):
            if row["strategy"] in FULL_SUPERVISION:
                scores = [f"{float(row[name]):.3f}" for name in ("jaccard", "precision", "recall")]
                about = [folder.removesuffix("-auto"), row["strategy"], row["seed"], row["steps"]]
                lines.append([*about, *scores])
    return table(["dataset", "labels", "seed", "steps", "Jaccard", "precision", "recall"], lines)


def _courses(folder: str, strategy: str) -> dict[int, Course]:
    """By seed, in order."""
    courses: dict[int, dict[int, float]] = {}
    for row in read_rows(RESULTS / folder / "results.csv"):
        if row["strategy"] == strategy:
            course = courses.setdefault(int(row["seed"]), {})
            course[int(row["labelled_patches"])] = float(row["jaccard"])
    return dict(sorted(courses.items()))


if __name__ == "__main__":
    main()
