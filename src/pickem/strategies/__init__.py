"""Features in, picks out: the rules that choose which patches to label next. No torch, no I/O."""

from __future__ import annotations

from pickem.strategies.catalogue import Listing, catalogue, selecting, strategy
from pickem.strategies.checks import at_most
from pickem.strategies.core_set import CoreSet
from pickem.strategies.k_means import KMeansSampling
from pickem.strategies.random import Random, RandomForeground
from pickem.strategies.uncertainty import Ranking

__all__ = [
    "CoreSet",
    "KMeansSampling",
    "Listing",
    "Random",
    "RandomForeground",
    "Ranking",
    "at_most",
    "catalogue",
    "selecting",
    "strategy",
]
