"""How good the network is, honestly: from audit patches alone, which nothing was ever trained on.

The interval is a cluster bootstrap over sections: audit patches of one section share its staining and its
objects, so sections are drawn with replacement, not patches (Field & Welsh 2007). Where all lie in one
section, as in a 2-D image, patches are drawn, and the interval speaks of that section alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pickem.project.rounds import AuditCounts, audit_counts
from pickem.project.store import Store

LEAST_PATCHES = 30  # below this no advice is given
RESAMPLES = 2000


@dataclass(frozen=True)
class Quality:
    """Estimated Jaccard, mean over the foreground classes, with its 95 % interval, from `patches` patches."""

    jaccard: float
    low: float
    high: float
    patches: int


@dataclass(frozen=True)
class Measured:
    """Quality of the network of a round, which had learned from `labelled` patches."""

    round: int
    labelled: int
    quality: Quality


def estimate(counts: Mapping[int, Sequence[AuditCounts]], seed: int = 0) -> Quality | None:
    """Quality from the counts by class; None where no audit patch holds or is predicted any foreground."""
    tables = [_by_cluster(of_class) for of_class in counts.values()]
    if not tables:
        return None
    point = float(_jaccard(np.stack([table.sum(axis=0) for table in tables])))
    if np.isnan(point):
        return None
    patches = len(next(iter(counts.values())))
    clusters = len(tables[0])
    if clusters == 1:
        return Quality(point, 0.0, 1.0, patches)  # a single patch says nothing of any other
    drawn = np.random.default_rng(seed).integers(0, clusters, (RESAMPLES, clusters))
    resampled = np.stack([table[drawn].sum(axis=1) for table in tables], axis=1)  # (resamples, classes, 3)
    low, high = np.nanpercentile(_jaccard(resampled), [2.5, 97.5])
    return Quality(point, float(low), float(high), patches)


def write_quality(store: Store, number: int) -> None:
    """Estimate the quality of a round's network from its stored audit counts, and store that too."""
    quality = estimate(audit_counts(store, number))
    with store.change() as connection:
        connection.execute("DELETE FROM quality WHERE round = ?", (number,))
        if quality:
            row = (number, quality.jaccard, quality.low, quality.high, quality.patches)
            connection.execute("INSERT INTO quality VALUES (?, ?, ?, ?, ?)", row)


def course(store: Store) -> list[Measured]:
    """The quality of every network that was measured, oldest first."""
    rows = store.rows(
        "SELECT r.number, r.labelled, q.jaccard, q.low, q.high, q.patches FROM quality q "
        "JOIN rounds r ON r.number = q.round ORDER BY r.number"
    )
    return [Measured(number, labelled, Quality(*values)) for number, labelled, *values in rows]


def advice(course: Sequence[Quality], labelled: Sequence[int]) -> str:
    """What to do, in plain words, from the quality and the number of labels of successive networks.

    The gain is that of the last quarter of the labels; its uncertainty is that of a difference of two
    independent estimates. They share audit patches, so this errs on the careful side.
    """
    if not course or course[-1].patches < LEAST_PATCHES:
        done = course[-1].patches if course else 0
        return f"No advice yet: {done} of the {LEAST_PATCHES} control patches that it takes are painted."
    now = course[-1]
    before = max((i for i, n in enumerate(labelled) if n <= 0.75 * labelled[-1]), default=0)
    if before == len(course) - 1:
        return f"Jaccard about {now.jaccard:.2f}. Go on: how much more labels gain is not known yet."
    then = course[before]
    gain = now.jaccard - then.jaccard
    doubt = float(np.hypot(now.high - now.low, then.high - then.low)) / 2
    patches = labelled[-1] - labelled[before]
    words = f"The last {patches} patches gained {gain:+.2f} ± {doubt:.2f}"
    if gain < 0.01:
        return f"{words}: good enough, unless rare shapes matter to you."
    return f"{words}: going on is worth it."


def _by_cluster(counts: Sequence[AuditCounts]) -> NDArray[np.int64]:
    """(clusters, 3) sums of hit, truth, predicted: over each section, or of each patch of the only one."""
    rows = np.array([(c.hit, c.truth, c.predicted) for c in counts], np.int64)
    numbers = {section: i for i, section in enumerate(dict.fromkeys(c.section for c in counts))}
    if len(numbers) == 1:
        return rows
    table = np.zeros((len(numbers), 3), np.int64)
    np.add.at(table, [numbers[c.section] for c in counts], rows)
    return table


def _jaccard(sums: NDArray[np.int64]) -> NDArray[np.float64]:
    """Mean over the classes (…, classes, 3) of intersection over union; NaN where no class is there."""
    hit, truth, predicted = np.moveaxis(sums, -1, 0)
    union = truth + predicted - hit
    ratio = np.divide(hit, union, out=np.zeros(hit.shape), where=union > 0)
    there = (union > 0).sum(axis=-1)
    mean: NDArray[np.float64] = np.divide(
        ratio.sum(axis=-1), there, out=np.full(there.shape, np.nan), where=there > 0
    )
    return mean
