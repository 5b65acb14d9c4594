"""Any strategy, without look-alikes: no two picks that show nearly the same, whatever the strategy thinks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pickem.acquisition import Feature, PoolFeatures, Selection, Strategy
from pickem.errors import SelectionError
from pickem.geometry import PatchId
from pickem.strategies.checks import at_most
from pickem.strategies.nearness import Neighbours


def _broken(got: str) -> SelectionError:
    return SelectionError(
        "The strategy does not pick as it has to.", got=got, expected="distinct patches of the pool"
    )


class WithoutLookAlikes:
    """The picks of another strategy, none near another one, a labelled patch, or a patch of `taken`.

    Near means that they show nearly the same (`pickem.strategies.nearness`). Of several picks near each other
    the first one stays; everything near it leaves the pool, and the strategy is asked again, as if what it
    has picked were labelled. Where nothing is left but what is near, it picks among that.

    taken: never picked. Patches that were answered already, or that somebody is at work on.
    """

    def __init__(self, strategy: Strategy, taken: Sequence[PatchId] = ()) -> None:
        self._strategy = strategy
        self._taken = tuple(taken)

    @property
    def needs(self) -> frozenset[Feature]:
        """What the other strategy needs."""
        return self._strategy.needs

    def select(
        self, pool: PoolFeatures, labelled: PoolFeatures, k: int, rng: np.random.Generator
    ) -> Selection:
        """See `pickem.acquisition.Strategy`. Fewer than `k` where the others are taken."""
        k = at_most(k, pool)
        neighbours = Neighbours(pool.patches)
        there = np.ones(len(pool), np.bool_)  # may be picked at all
        apart = np.ones(len(pool), np.bool_)  # … and is near nothing that is labelled, taken or picked
        for patch in self._taken:
            there[neighbours.same_as(patch)] = False
        for patch in (*labelled.patches, *self._taken):
            apart[neighbours.of(patch)] = False
        picks, rows = Selection((), (), ()), np.zeros(0, np.intp)
        while len(picks) < k and there.any():
            free = apart & there
            found = self._ask(pool, free if free.any() else there, labelled, rows, k - len(picks), rng)
            stay = []
            if not len(found):
                raise _broken("no patch, of many that are left")
            for position, patch in enumerate(found.patches):
                same = neighbours.same_as(patch)
                if len(same) != 1 or not there[same[0]]:
                    raise _broken(f"{patch}, which was not offered, or was picked already")
                (row,) = same
                if apart[row] or not free.any():
                    stay.append(position)
                    rows = np.append(rows, row)
                    apart[neighbours.of(patch)] = there[row] = False
            picks = picks.followed_by(found.take(stay))
        return picks

    def _ask(
        self,
        pool: PoolFeatures,
        free: NDArray[np.bool_],
        labelled: PoolFeatures,
        picked: NDArray[np.intp],
        k: int,
        rng: np.random.Generator,
    ) -> Selection:
        """What the strategy picks of the rows that are free. Copies of large columns end with the call."""
        left = pool if free.all() else pool.take(np.flatnonzero(free))
        return self._strategy.select(left, labelled.followed_by(pool.take(picked)), k, rng)
