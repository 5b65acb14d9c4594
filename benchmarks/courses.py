"""The courses of a benchmark's runs, from its results.csv."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.machine import RESULTS
from pickem.benchmark.report.statistics import first_crossing

Row = dict[str, str]


@dataclass(frozen=True)
class Course:
    """One run: Jaccard and distinct labelled pixels by labelled patches."""

    jaccard: Mapping[int, float]
    pixels: Mapping[int, int]

    def needed(self, target: float) -> float:
        """Labels with which it first gets to `target`; infinite where it does not."""
        return first_crossing(list(self.jaccard), list(self.jaccard.values()), target)

    def pixels_at(self, labels: float) -> float:
        """Distinct pixels of so many labels."""
        return float(np.interp(labels, list(self.pixels), list(self.pixels.values())))


def read_courses(folder: str, strategy: str) -> dict[int, Course]:
    """The runs of a strategy in a folder of docs/results, by seed, in order."""
    rows = [row for row in results_of(folder) if row["strategy"] == strategy]
    found = {}
    for seed in sorted({int(row["seed"]) for row in rows}):
        own = sorted((r for r in rows if int(r["seed"]) == seed), key=lambda r: int(r["labelled_patches"]))
        jaccard = {int(row["labelled_patches"]): float(row["jaccard"]) for row in own}
        pixels = {int(row["labelled_patches"]): int(row["labelled_pixels"]) for row in own}
        found[seed] = Course(jaccard, pixels)
    return found


def results_of(folder: str) -> list[Row]:
    """The evaluations in a folder of docs/results; none where it has not been run."""
    path = RESULTS / folder / "results.csv"
    return read_rows(path) if path.exists() else []


def read_rows(path: Path) -> list[Row]:
    """The rows of a CSV file, by the names of its columns."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
