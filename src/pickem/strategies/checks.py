"""What every strategy checks before it picks."""

from __future__ import annotations

from pickem.acquisition import PoolFeatures
from pickem.errors import SelectionError


def at_most(k: int, pool: PoolFeatures) -> int:
    """`k`, or the size of the pool where that is smaller. Raises SelectionError for k < 1."""
    if k < 1:
        raise SelectionError(
            "A strategy was asked for fewer than one patch.", got=f"k = {k}", expected="k ≥ 1"
        )
    return min(k, len(pool))
