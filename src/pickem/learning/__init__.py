"""The loop of the paper's Figure 1: pool, oracle, rounds, evaluation, effort."""

from __future__ import annotations

from pickem.learning.correcting import correction_seconds
from pickem.learning.effort import annotation_seconds
from pickem.learning.evaluation import Evaluation, confusion
from pickem.learning.oracle import Oracle, Person, SimulatedOracle
from pickem.learning.pool import Label, Pool, distinct_pixels
from pickem.learning.regions import LoadedRegion, Regions
from pickem.learning.round import ActiveLearner, evaluate
from pickem.learning.streams import Purpose, stream

__all__ = [
    "ActiveLearner",
    "Evaluation",
    "Label",
    "LoadedRegion",
    "Oracle",
    "Person",
    "Pool",
    "Purpose",
    "Regions",
    "SimulatedOracle",
    "annotation_seconds",
    "confusion",
    "correction_seconds",
    "distinct_pixels",
    "evaluate",
    "stream",
]
