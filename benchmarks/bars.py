"""The seeds of `auto` on the test splits, and how far they are from what was aimed at.

    python -m benchmarks.bars

Fills tables of docs/results/fewer-labels.md: the course of every seed with the mean over the seeds; for each
bar the Jaccard with as many labels as it allows and the labels with which the mean first gets there; what
picking saves; what each part of the recipe brings; and full supervision.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean

from benchmarks.courses import Course, read_courses, results_of
from benchmarks.fewer_labels_tables import PAGE
from benchmarks.marked import fill, table
from pickem.benchmark.full_supervision import CONVERGED, FULL_SUPERVISION
from pickem.benchmark.report import wording
from pickem.benchmark.report.comparison import Saving
from pickem.benchmark.report.statistics import estimate, first_crossing

PROFILES = ("full-resolution", "by-twenties", "by-tens", "auto")
FOLDERS = tuple(f"{dataset}-{profile}" for dataset in ("vnc", "lucchi++") for profile in PROFILES)
STRATEGIES = ("random", "random-foreground", "auto")
PARTS = (  # profile, strategy: each with one thing more than the one before
    ("fast", "random"),
    ("full-resolution", "random"),
    ("full-resolution", "auto"),
    ("by-twenties", "auto"),
    ("by-tens", "auto"),
    ("auto", "auto"),
)
SIZES = (20, 40, 60, 80, 100, 120, 140, 160, 200)


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


# Those with a number: what the paper needs 160 to 500 labels for, or never reaches.
BARS = (
    Bar("vnc", 40, jaccard=0.740),
    Bar("vnc", 80, jaccard=0.779),
    Bar("vnc", 160, jaccard=0.816),
    Bar("lucchi++", 60, share=0.95),
    Bar("lucchi++", 140, share=0.98),
)


def main() -> None:
    """Rewrite the tables."""
    fill(PAGE, "seeds", _seeds())
    fill(PAGE, "bars", _bars())
    fill(PAGE, "savings", _savings())
    fill(PAGE, "parts", _parts())
    fill(PAGE, "full supervision", _full_supervision())


def _seeds() -> str:
    lines = []
    for folder in FOLDERS:
        for strategy in STRATEGIES:
            courses = read_courses(folder, strategy)
            about = [*_named(folder), strategy]
            lines += [[*about, str(seed), *_cells(course)] for seed, course in courses.items()]
            if len(courses) > 1:
                lines.append([*about, f"mean of {len(courses)}", *_means(list(courses.values()))])
    return table(["dataset", "profile", "strategy", "seed", *map(str, SIZES)], lines)


def _named(folder: str) -> tuple[str, str]:
    dataset, _, profile = folder.partition("-")
    return dataset, profile


def _cells(course: Course) -> list[str]:
    return [f"{course.jaccard[size]:.3f}" if size in course.jaccard else "" for size in SIZES]


def _means(courses: Sequence[Course]) -> list[str]:
    """Only over all of the seeds: those that have come further are not a sample of them."""
    return [
        f"**{wording.jaccard(estimate([course.jaccard[size] for course in courses]), len(courses))}**"
        if all(size in course.jaccard for course in courses)
        else ""
        for size in SIZES
    ]


def _bars() -> str:
    lines = []
    for bar in BARS:
        for profile in PROFILES:
            courses = list(read_courses(f"{bar.dataset}-{profile}", "auto").values())
            target = bar.target()
            if courses and target is not None:
                lines.append(_bar(bar, target, profile, courses))
    head = ["dataset", "Jaccard", "with at most", "profile", "Jaccard there", "seeds", "mean gets there with"]
    return table(head, lines)


def _bar(bar: Bar, target: float, profile: str, courses: Sequence[Course]) -> list[str]:
    there = [course.jaccard[bar.labels] for course in courses if bar.labels in course.jaccard]
    known = [size for size in SIZES if all(size in course.jaccard for course in courses)]
    mean = [fmean(course.jaccard[size] for course in courses) for size in known]
    needed = first_crossing(known, mean, target) if known else math.inf
    reached = wording.jaccard(estimate(there), len(there)) if there else ""
    first = f"{needed:.0f}" if math.isfinite(needed) else f"more than {max(known, default=0)}"
    of = f" ({bar.share:.0%} of converged full supervision)" if bar.share else ""
    about = [bar.dataset, f"{target:.3f}{of}", str(bar.labels), profile]
    return [*about, reached, str(len(there)), first]


def _savings() -> str:
    head = ["dataset", "profile", "against", "seeds", "up to", "labels saved", "distinct pixels saved"]
    lines = [line for folder in FOLDERS for base in STRATEGIES[:-1] for line in _saving(folder, base)]
    return table(head, lines)


def _saving(folder: str, baseline: str) -> Iterator[list[str]]:
    """What `auto` saves to get to what the baseline has with the most labels that all common seeds reach."""
    ours, theirs = read_courses(folder, "auto"), read_courses(folder, baseline)
    pairs = [(ours[seed], theirs[seed]) for seed in ours.keys() & theirs.keys()]
    if pairs:
        last = min(max(course.jaccard) for pair in pairs for course in pair)
        yield [*_named(folder), baseline, str(len(pairs)), str(last), *_factors(pairs, last)]


def _factors(pairs: Sequence[tuple[Course, Course]], last: int) -> tuple[str, str]:
    """In labels and in distinct pixels; both count from their first crossing, as `pickem report` does."""
    labels, pixels, never = [], [], 0
    for course, base in pairs:
        target = base.jaccard[last]
        mine, its = course.needed(target), min(base.needed(target), last)
        never += mine > last
        mine = min(mine, last)
        labels.append(math.log(its / mine))
        pixels.append(math.log(base.pixels_at(its) / course.pixels_at(mine)))
    first, second = (wording.saving(Saving(estimate(logs), never)) for logs in (labels, pixels))
    return first, second


def _parts() -> str:
    """The recipe and the picking taken apart, each row with one thing more, over the seeds that all have."""
    lines = []
    for dataset in ("vnc", "lucchi++"):
        found = {part: read_courses(f"{dataset}-{part[0]}", part[1]) for part in PARTS}
        run = {part: courses for part, courses in found.items() if courses}
        seeds = sorted(set.intersection(*(set(courses) for courses in run.values())))
        for part, courses in run.items():
            scores = [_mean_at(size, [courses[seed] for seed in seeds]) for size in (40, 100)]
            lines.append([dataset, ", ".join(map(str, seeds)), *part, *scores])
    return table(["dataset", "seeds", "profile", "strategy", "40", "100"], lines)


def _mean_at(size: int, courses: Sequence[Course]) -> str:
    values = [course.jaccard[size] for course in courses if size in course.jaccard]
    return f"{fmean(values):.3f}" if values and len(values) == len(courses) else ""


def _full_supervision() -> str:
    lines = []
    for folder in FOLDERS:
        for row in results_of(folder):
            if row["strategy"] in FULL_SUPERVISION:
                scores = [f"{float(row[name]):.3f}" for name in ("jaccard", "precision", "recall")]
                about = [*_named(folder), row["strategy"], row["seed"], row["steps"]]
                lines.append([*about, *scores])
    return table(["dataset", "profile", "labels", "seed", "steps", "Jaccard", "precision", "recall"], lines)


if __name__ == "__main__":
    main()
