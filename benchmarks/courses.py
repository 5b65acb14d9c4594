"""The courses of a benchmark's runs, from its results.csv."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import numpy as np
from scipy.optimize import isotonic_regression

from benchmarks.machine import RESULTS
from pickem.benchmark.report.statistics import first_crossing

Row = dict[str, str]
DIGITS = 6  # of a Jaccard in results.csv


@dataclass(frozen=True)
class Course:
    """One run: a row for each evaluation, by labelled patches, fewest first."""

    rows: Mapping[int, Row]

    @property
    def jaccard(self) -> Mapping[int, float]:
        """Jaccard at 0.5 by labelled patches."""
        return {labels: float(row["jaccard"]) for labels, row in self.rows.items()}

    def needed(self, target: float) -> float:
        """Labels with which it first gets to `target`; infinite where it does not."""
        return first_crossing(list(self.rows), list(self.jaccard.values()), target)

    def rising(self, until: int) -> dict[int, float]:
        """The course as far as `until` labels that never falls and is nearest to it in squares.

        Isotonic regression (Barlow et al. 1972): a round that came out high or low by luck is shared with
        its neighbours, so that when a score is first reached no longer hangs on a single round.
        """
        sizes = [labels for labels in self.rows if labels <= until]
        fitted = isotonic_regression([self.jaccard[labels] for labels in sizes]).x
        return {labels: round(float(value), DIGITS) for labels, value in zip(sizes, fitted, strict=True)}

    def column(self, name: str) -> list[float]:
        """A column of its rows, in their order."""
        return [float(row[name]) for row in self.rows.values()]

    def spent(self, column: str, labels: float) -> float:
        """What so many labels came to, in pixels or seconds, say; on straight lines between rounds."""
        return float(np.interp(labels, list(self.rows), self.column(column)))

    def after(self, column: str, spent: float) -> float:
        """Jaccard once so much was spent, on straight lines between rounds."""
        return float(np.interp(spent, self.column(column), list(self.jaccard.values())))


def read_courses(folder: str, strategy: str) -> dict[int, Course]:
    """The runs of a strategy in a folder of docs/results, by seed, in order."""
    rows = [row for row in results_of(folder) if row["strategy"] == strategy]
    found = {}
    for seed in sorted({int(row["seed"]) for row in rows}):
        own = sorted((r for r in rows if int(r["seed"]) == seed), key=lambda r: int(r["labelled_patches"]))
        found[seed] = Course({int(row["labelled_patches"]): row for row in own})
    return found


def reaching(courses: Mapping[int, Course], labels: int) -> dict[int, Course]:
    """Those that were evaluated with so many labels."""
    return {seed: course for seed, course in courses.items() if labels in course.rows}


def mean_course(courses: Sequence[Course]) -> dict[int, float]:
    """Mean Jaccard wherever all of the courses were evaluated."""
    common = [labels for labels in courses[0].rows if all(labels in course.rows for course in courses)]
    return {labels: fmean(course.jaccard[labels] for course in courses) for labels in common}


def results_of(folder: str) -> list[Row]:
    """The evaluations in a folder of docs/results; none where it has not been run."""
    path = RESULTS / folder / "results.csv"
    return read_rows(path) if path.exists() else []


def read_rows(path: Path) -> list[Row]:
    """The rows of a CSV file, by the names of its columns."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
