"""Time and memory of 20 picks: ours, scikit-activeml's, and scikit-learn used directly.

    python -m benchmarks.selection

Each measurement is a fresh process of the peers' environment, on one thread; the rules take turns, so that a
slow spell of the machine meets all of them. The peak memory is that of the whole process: interpreter,
libraries, embeddings, patch names and all. Writes docs/results/selection-speed.md.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import asdict, dataclass
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.machine import RESULTS, described_machine, run_among_peers

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pickem.acquisition import Strategy

PICKS = 20
LABELLED = 200
DIMENSIONS = 256
REPEATS = 3
CLUSTERS = 50  # embeddings of real pools are lumpy; k-means needs lumps to converge as it does on them
LIMIT_S, LIMIT_MIB = 60, 2048  # core-set on a million patches

SIZES = (2_000, 20_000)
SIDE_BY_SIDE = {
    "core-set": ("core-set", "scikit-activeml CoreSet"),
    "k-means": ("k-means", "scikit-learn KMeans + nearest", "scikit-activeml TypiClust"),
}
MILLION = 1_000_000
ALONE = [("core-set", "float32"), ("core-set", "float16"), ("k-means", "float32"), ("k-means", "float16")]


@dataclass(frozen=True)
class Case:
    """One rule on one pool."""

    rule: str
    size: int  # patches in the pool
    dtype: str = "float32"


@dataclass(frozen=True)
class Measured:
    """What one process found."""

    seconds: float
    peak_mib: float
    picks: tuple[int, ...]  # positions in the pool, sorted


def main() -> None:
    """Measure everything, print the tables and write the page."""
    compared = [Case(rule, n) for rules in SIDE_BY_SIDE.values() for n in SIZES for rule in rules]
    alone = [Case(rule, MILLION, dtype) for rule, dtype in ALONE]
    found: dict[Case, list[Measured]] = defaultdict(list)
    for case in [*compared * REPEATS, *alone]:
        found[case].append(measure_in_own_process(case))
        print(f"{case.rule}, {case.size:,} × {DIMENSIONS} {case.dtype}: {found[case][-1].seconds:.3f} s")
    machine = run_among_peers("benchmarks.selection", "--machine").strip()
    page = described(found, machine)
    print(page)
    (RESULTS / "selection-speed.md").write_text(page, encoding="utf-8")


def measure_in_own_process(case: Case) -> Measured:
    """Measure in a process that has done nothing else."""
    answer = json.loads(run_among_peers("benchmarks.selection", json.dumps(asdict(case))))
    return Measured(answer["seconds"], answer["peak_mib"], tuple(answer["picks"]))


def described(found: dict[Case, list[Measured]], machine: str) -> str:
    """The page of results."""
    rows = []
    for ours, *peers in SIDE_BY_SIDE.values():
        for size in SIZES:
            base = seconds(found[Case(ours, size)])
            for rule in (ours, *peers):
                results = found[Case(rule, size)]
                name = f"**pickem {rule}**" if rule == ours else rule
                rows.append(
                    f"| {name} | {size:,} | {seconds(results):.3f} | {seconds(results) / base:.1f} × "
                    f"| {peak(results):.0f} |"
                )
    million = []
    for rule, dtype in ALONE:
        results = found[Case(rule, MILLION, dtype)]
        million.append(f"| pickem {rule} | {dtype} | {seconds(results):.1f} | {peak(results):.0f} |")
    slowest = max(seconds(found[Case("core-set", MILLION, d)]) for d in ("float32", "float16"))
    largest = max(peak(found[Case("core-set", MILLION, d)]) for d in ("float32", "float16"))
    kept = "kept" if slowest <= LIMIT_S and largest <= LIMIT_MIB else "NOT KEPT"
    agreement = "; ".join(
        f"{ours} and {peer}: {shared(found, ours, peer)}" for ours, peer, *_ in SIDE_BY_SIDE.values()
    )
    return f"""# Speed and memory of selection

`python -m benchmarks.selection`, one thread. {machine}.

{PICKS} picks from embeddings with {DIMENSIONS} dimensions ({CLUSTERS} Gaussian lumps), {LABELLED} patches
labelled. Every measurement is a process of its own, in turns; medians of {REPEATS}. The peak is of the whole
process, libraries included; the machine may have had other work, so ratios say more than seconds.

## Side by side

| rule | pool | seconds | against ours | peak MiB |
|---|---|---|---|---|
{chr(10).join(rows)}

Picks in common: {agreement}.

scikit-activeml has no plain k-means strategy. Its nearest is TypiClust, which does more: {PICKS} + {LABELLED}
clusters, and the most typical patch of each that holds no label. The like-for-like peer is scikit-learn's
KMeans (one start, the same seed) with the patch nearest each centre.

## A million patches

| rule | embeddings | seconds | peak MiB |
|---|---|---|---|
{chr(10).join(million)}

Limit for core-set: {LIMIT_S} s and {LIMIT_MIB} MiB: {kept}. One measurement each.
"""


def shared(found: dict[Case, list[Measured]], ours: str, peer: str) -> str:
    """How many of the picks two rules share, a number per size of the pool."""
    counts = [len({*found[Case(ours, n)][0].picks} & {*found[Case(peer, n)][0].picks}) for n in SIZES]
    return " and ".join(f"{count} of {PICKS}" for count in counts)


def seconds(results: list[Measured]) -> float:
    """Median time."""
    return median(result.seconds for result in results)


def peak(results: list[Measured]) -> float:
    """Median peak memory, MiB."""
    return median(result.peak_mib for result in results)


def measure(case: Case) -> Measured:
    """Build the pool, warm the rule up on a small one, and time it once."""
    rules: dict[str, Callable[[NDArray[np.floating], NDArray[np.floating]], Callable[[], list[int]]]] = {
        "core-set": ours("core-set"),
        "k-means": ours("k-means"),
        "scikit-activeml CoreSet": activeml("CoreSet"),
        "scikit-activeml TypiClust": activeml("TypiClust"),
        "scikit-learn KMeans + nearest": k_means_directly,
    }
    prepare = rules[case.rule]
    prepare(embeddings(300, "float32", seed=2), embeddings(LABELLED, "float32", seed=3))()
    pick = prepare(embeddings(case.size, case.dtype, seed=0), embeddings(LABELLED, case.dtype, seed=1))
    started = time.perf_counter()
    picks = pick()
    elapsed = time.perf_counter() - started
    to_mib = 1 / 2**20 if sys.platform == "darwin" else 1 / 2**10
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * to_mib
    return Measured(elapsed, peak_mib, tuple(sorted(picks)))


def embeddings(count: int, dtype: str, seed: int) -> NDArray[np.floating]:
    """(count, DIMENSIONS) points in lumps, made block by block so that making them sets no peak."""
    import numpy as np

    centres = np.random.default_rng(99).standard_normal((CLUSTERS, DIMENSIONS), dtype=np.float32)
    rng = np.random.default_rng(seed)
    points = np.empty((count, DIMENSIONS), dtype=dtype)
    for start in range(0, count, 10_000):
        block = points[start : start + 10_000]
        noise = rng.standard_normal(block.shape, dtype=np.float32)
        block[:] = centres[rng.integers(CLUSTERS, size=len(block))] + noise
    return points


def ours(name: str) -> Callable[[NDArray[np.floating], NDArray[np.floating]], Callable[[], list[int]]]:
    """A strategy of pickem by its name."""
    import numpy as np

    from pickem.acquisition import Feature, PoolFeatures
    from pickem.geometry import PatchId
    from pickem.strategies import strategy

    rule: Strategy = strategy(name)

    def prepare(pool: NDArray[np.floating], labelled: NDArray[np.floating]) -> Callable[[], list[int]]:
        def features(points: NDArray[np.floating], plane: int) -> PoolFeatures:
            patches = [PatchId("volume", plane, 0, i, 128, 128) for i in range(len(points))]
            return PoolFeatures(patches, {Feature.EMBEDDING: points})

        unlabelled, known = features(pool, 0), features(labelled, 1)
        return lambda: [
            patch.x for patch in rule.select(unlabelled, known, PICKS, np.random.default_rng(0)).patches
        ]

    return prepare


def activeml(name: str) -> Callable[[NDArray[np.floating], NDArray[np.floating]], Callable[[], list[int]]]:
    """A query strategy of scikit-activeml by its class's name."""

    def prepare(pool: NDArray[np.floating], labelled: NDArray[np.floating]) -> Callable[[], list[int]]:
        import numpy as np
        import skactiveml.pool

        points = np.concatenate([pool, labelled])
        labels = np.concatenate([np.full(len(pool), np.nan), np.zeros(len(labelled))])
        rule = getattr(skactiveml.pool, name)(random_state=0)
        return lambda: [int(i) for i in rule.query(points, labels, batch_size=PICKS)]

    return prepare


def k_means_directly(pool: NDArray[np.floating], labelled: NDArray[np.floating]) -> Callable[[], list[int]]:
    """What a user would write with scikit-learn alone, with the seed that pickem's k-means hands on."""
    del labelled
    import numpy as np
    from sklearn.cluster import KMeans
    from sklearn.metrics import pairwise_distances_argmin

    seed = int(np.random.default_rng(0).integers(2**31))

    def pick() -> list[int]:
        centres = KMeans(PICKS, n_init=1, random_state=seed).fit(pool).cluster_centers_
        return [int(i) for i in pairwise_distances_argmin(centres, pool)]

    return pick


if __name__ == "__main__":
    if len(sys.argv) == 1:
        main()
    elif sys.argv[1] == "--machine":
        print(described_machine())
    else:
        print(json.dumps(asdict(measure(Case(**json.loads(sys.argv[1]))))))
