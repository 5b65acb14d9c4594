"""How good the network is, honestly: from audit patches alone, which nothing was ever trained on.

The interval is a cluster bootstrap over sections: audit patches of one section share its staining and its
objects, so sections are drawn with replacement, not patches (Field & Welsh 2007). Where all lie in one
section, as in a 2-D image, patches are drawn, and the interval speaks of that section alone.

What the last labels gained is a paired difference: two networks on the same masks of the same audit patches,
and in each resample the same sections for both. What is hard in a section is hard for both, and cancels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pickem.project.rounds import AuditCounts, audit_counts, paired_audit_counts
from pickem.project.store import Store

LEAST_PATCHES = 30  # below this no advice is given
EARLIER = 0.75  # of the labels: the network that the newest is compared with had learned from so many
LITTLE = 0.03  # of Jaccard: labels that gain at most so much are not worth their time
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


@dataclass(frozen=True)
class Gain:
    """What the last `labels` labels added to the Jaccard, with its 95 % interval."""

    labels: int
    gain: float
    low: float
    high: float


def estimate(counts: Mapping[int, Sequence[AuditCounts]], seed: int = 0) -> Quality | None:
    """Quality from the counts by class; None where no audit patch holds or is predicted any foreground."""
    jaccards = _resampled(counts, seed)
    if jaccards is None:
        return None
    point, resamples = jaccards
    patches = _patches(counts)
    if not len(resamples):
        return Quality(point, 0.0, 1.0, patches)  # a single patch says nothing of any other
    low, high = np.nanpercentile(resamples, [2.5, 97.5])
    return Quality(point, float(low), float(high), patches)


def paired_gain(
    then: Mapping[int, Sequence[AuditCounts]], now: Mapping[int, Sequence[AuditCounts]], seed: int = 0
) -> tuple[float, float, float] | None:
    """How much larger the Jaccard of `now` is than that of `then`, with the 95 % interval.

    Both are counts on the same patches in the same order. None from fewer than LEAST_PATCHES patches, or
    where either has no Jaccard.
    """
    if _patches(now) < LEAST_PATCHES:
        return None
    before, after = _resampled(then, seed), _resampled(now, seed)
    if before is None or after is None:
        return None
    low, high = np.nanpercentile(after[1] - before[1], [2.5, 97.5])
    return after[0] - before[0], float(low), float(high)


def write_quality(store: Store, number: int) -> None:
    """Estimate the quality of a round's network from its stored audit counts, and store that too, with what
    the newest network has gained."""
    quality = estimate(audit_counts(store, number))
    with store.change() as connection:
        connection.execute("DELETE FROM quality WHERE round = ?", (number,))
        if quality:
            row = (number, quality.jaccard, quality.low, quality.high, quality.patches)
            connection.execute("INSERT INTO quality VALUES (?, ?, ?, ?, ?)", row)
        _write_gain(store)


def course(store: Store) -> list[Measured]:
    """The quality of every network that was measured, oldest first."""
    rows = store.rows(
        "SELECT r.number, r.labelled, q.jaccard, q.low, q.high, q.patches FROM quality q "
        "JOIN rounds r ON r.number = q.round ORDER BY r.number"
    )
    return [Measured(number, labelled, Quality(*values)) for number, labelled, *values in rows]


def gain(store: Store) -> Gain | None:
    """What the last labels gained; None where that is not known (yet)."""
    rows = store.rows(
        "SELECT now.labelled - then_.labelled, g.gain, g.low, g.high FROM gains g "
        "JOIN rounds now ON now.number = g.round JOIN rounds then_ ON then_.number = g.since"
    )
    return Gain(*rows[0]) if rows else None


def advice(newest: Quality | None, gain: Gain | None) -> str:
    """What to do, in plain words. Nothing is advised from fewer than LEAST_PATCHES patches."""
    if newest is None or newest.patches < LEAST_PATCHES:
        done = newest.patches if newest else 0
        return f"No advice yet: {done} of the {LEAST_PATCHES} control patches that it takes are painted."
    if gain is None:
        return f"Jaccard about {newest.jaccard:.2f}. Go on: how much more labels gain is not known yet."
    doubt = (gain.high - gain.low) / 2
    words = f"The last {gain.labels} patches gained {gain.gain:+.2f} ± {doubt:.2f}"
    if gain.high < 0:
        return f"{words}: the network got worse. Were the last patches painted like those before?"
    if round(gain.high, 2) <= LITTLE:
        return f"{words}: good enough, unless rare shapes matter to you."
    if gain.low > 0:
        return f"{words}: going on is worth it."
    return f"{words}: too uncertain to say whether going on is worth it."


def _write_gain(store: Store) -> None:
    """Compare the newest network that was measured with the one of three quarters of its labels.

    Where too few patches are common to the two, as the older one's weights are gone, with one before that.
    """
    measured = course(store)
    now = measured[-1] if measured else None
    with store.change() as connection:
        connection.execute("DELETE FROM gains")
        if now is None or now.quality.patches < LEAST_PATCHES:
            return
        earlier = [m for m in measured if m.labelled <= EARLIER * now.labelled] or measured[:1]
        for then in reversed(earlier):
            found = paired_gain(*paired_audit_counts(store, then.round, now.round))
            if found and then.labelled < now.labelled:
                row = (now.round, then.round, *found)
                connection.execute("INSERT INTO gains VALUES (?, ?, ?, ?, ?)", row)
                return


def _resampled(
    counts: Mapping[int, Sequence[AuditCounts]], seed: int
) -> tuple[float, NDArray[np.float64]] | None:
    """The Jaccard, and (RESAMPLES,) of it with sections drawn anew, none where there is one patch.

    The same seed draws the same sections. None where no patch holds or is predicted any foreground.
    """
    tables = [_by_cluster(of_class) for of_class in counts.values()]
    point = float(_jaccard(np.stack([table.sum(axis=0) for table in tables]))) if tables else np.nan
    if np.isnan(point):
        return None
    clusters = len(tables[0])
    if clusters == 1:
        return point, np.empty(0)
    drawn = np.random.default_rng(seed).integers(0, clusters, (RESAMPLES, clusters))
    resampled = np.stack([table[drawn].sum(axis=1) for table in tables], axis=1)  # (resamples, classes, 3)
    return point, _jaccard(resampled)


def _patches(counts: Mapping[int, Sequence[AuditCounts]]) -> int:
    return len(next(iter(counts.values()), ()))


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
