"""The learning curves of the paper itself, and when they may be drawn beside ours.

Roels & Saeys (2019), "Cost-efficient segmentation of electron microscopy images using active learning",
arXiv:1911.05548, Figure 2; read off the published plots, ± 0.005. Points below the plotted range are absent.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from pickem.benchmark.report.results_table import RunDescription

# The images of `lucchi++` are EPFL's, its annotation is another one: a Jaccard on it is another number.
DATASETS_OF_THE_PAPER = ("epfl", "mira", "vnc")


@dataclass(frozen=True)
class PaperCurve:
    """One curve of the paper's Figure 2."""

    strategy: str
    labelled: NDArray[np.int64]  # (n,) patches, increasing
    jaccard: NDArray[np.float64]  # (n,)

    def at(self, labelled: int) -> float | None:
        """Jaccard at this number of patches; None where the curve has no point."""
        found = self.jaccard[self.labelled == labelled]
        return float(found[0]) if len(found) else None


@dataclass(frozen=True)
class PaperResults:
    """The paper's curves on one dataset."""

    dataset: str
    curves: Mapping[str, PaperCurve]  # by strategy
    full_supervision: float


def comparable_paper_results(run: RunDescription) -> PaperResults | None:
    """The paper's results where it measured the same thing: dataset, annotation and test split; else None."""
    if run.dataset not in DATASETS_OF_THE_PAPER or run.split != "test" or "++" in run.annotation:
        return None
    return paper_results(run.dataset)


def paper_results(dataset: str) -> PaperResults:
    """The paper's curves on one of DATASETS_OF_THE_PAPER."""
    text = (resources.files("pickem.benchmark") / "paper_figure2.csv").read_text(encoding="utf-8")
    rows = [row for row in csv.DictReader(text.splitlines()) if row["dataset"] == dataset]
    points: dict[str, list[tuple[int, float]]] = {}
    for row in rows:
        if row["samples"]:
            points.setdefault(row["strategy"], []).append((int(row["samples"]), float(row["jaccard"])))
    full = next(float(row["jaccard"]) for row in rows if row["strategy"] == "full-supervision")
    curves = {name: _curve(name, sorted(pairs)) for name, pairs in points.items()}
    return PaperResults(dataset, MappingProxyType(curves), full)


def _curve(strategy: str, points: list[tuple[int, float]]) -> PaperCurve:
    labelled, jaccard = zip(*points, strict=True)
    return PaperCurve(strategy, np.array(labelled), np.array(jaccard))
