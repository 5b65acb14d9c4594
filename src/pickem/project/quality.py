"""How good the network is, honestly: from audit patches alone, which nothing was ever trained on.

The interval is a cluster bootstrap over sections: audit patches of one section share its staining and its
objects, so sections are drawn with replacement, not patches (Field & Welsh 2007).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pickem.project.rounds import AuditCounts

LEAST_PATCHES = 30  # below this no advice is given
RESAMPLES = 2000


@dataclass(frozen=True)
class Quality:
    """Estimated Jaccard, mean over the foreground classes, with its 95 % interval, from `patches` patches."""

    jaccard: float
    low: float
    high: float
    patches: int


def estimate(counts: Mapping[int, Sequence[AuditCounts]], seed: int = 0) -> Quality | None:
    """Quality from the counts by class; None where no audit patch holds or is predicted any foreground."""
    tables = [_by_section(of_class) for of_class in counts.values()]
    if not tables:
        return None
    point = _jaccard(np.stack([table.sum(axis=0) for table in tables]))
    if np.isnan(point):
        return None
    sections = len(tables[0])
    drawn = np.random.default_rng(seed).integers(0, sections, (RESAMPLES, sections))
    resampled = np.stack([table[drawn].sum(axis=1) for table in tables], axis=1)  # (resamples, classes, 3)
    values = np.array([_jaccard(sums) for sums in resampled])
    low, high = np.nanpercentile(values, [2.5, 97.5])
    return Quality(float(point), float(low), float(high), len(next(iter(counts.values()))))


def advice(course: Sequence[Quality], labelled: Sequence[int]) -> str:
    """What to do, in plain words, from the quality and the number of labels of successive networks.

    The gain is that of the last quarter of the labels; its uncertainty is that of a difference of two
    estimates on the same audit patches, taken as independent, which errs on the careful side.
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


def _by_section(counts: Sequence[AuditCounts]) -> NDArray[np.int64]:
    """(sections, 3) sums of hit, truth, predicted."""
    sections: dict[tuple[str, int], NDArray[np.int64]] = {}
    for c in counts:
        row = np.array([c.hit, c.truth, c.predicted])
        sections[c.section] = sections.get(c.section, np.zeros(3, np.int64)) + row
    return np.stack(list(sections.values()))


def _jaccard(sums: NDArray[np.int64]) -> float:
    """Mean over the classes (classes, 3) of intersection over union; NaN where no class is there."""
    hit, truth, predicted = sums.T
    union = truth + predicted - hit
    there = union > 0
    return float((hit[there] / union[there]).mean()) if there.any() else float("nan")
