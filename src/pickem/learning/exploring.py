"""What is picked while the labels show one class alone, and a network has nothing to be uncertain about."""

from __future__ import annotations

from pickem.acquisition import Feature, Strategy
from pickem.strategies import Random

NEEDS_NO_NETWORK = frozenset({Feature.ORACLE_FOREGROUND})


def exploring(strategy: Strategy, classes: int) -> Strategy:
    """The strategy, or random picks where it asks a network that was shown fewer than two `classes`.

    Such a network says the same everywhere, and what it is least sure of is chance.
    """
    if classes > 1 or strategy.needs <= NEEDS_NO_NETWORK:
        return strategy
    return Random("drawn at random: all labels so far show one class, and the network knows no other")
