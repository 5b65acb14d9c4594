"""Labelled datasets: the paper's three, the embedded demo, and one's own."""

from __future__ import annotations

from pickem.datasets.catalogue import data_folder, find_source, open_dataset
from pickem.datasets.dataset import Dataset, LabelledRegion, Split
from pickem.datasets.sources import Source, sources

__all__ = [
    "Dataset",
    "LabelledRegion",
    "Source",
    "Split",
    "data_folder",
    "find_source",
    "open_dataset",
    "sources",
]
