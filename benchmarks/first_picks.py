"""Which first patches teach a network most, before there is any to ask?

    python -m benchmarks.first_picks vnc --fold swapped --seeds 3
    python -m benchmarks.first_picks                # fill the page from what was measured

For each seed, 1,000 candidates are drawn from the training part of a fold, as a project draws them. 20 of
them are taken
- at random,
- spread evenly over the sections, as a project does (which passes over look-alikes besides),
- by texture, nearest to the centres of 20 clusters of descriptors: what projects did before.
A network is trained on each, from the same weights, for as long as a project's first one, and evaluated. Each
is a row of docs/results/first-picks.csv; what stands there already is not done again.
"""

from __future__ import annotations

import argparse
import csv
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import mean

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, gaussian_gradient_magnitude
from scipy.stats.qmc import Halton

from benchmarks.folds import FOLDS, load_fold
from benchmarks.machine import RESULTS
from benchmarks.marked import LABELLING, fill, table
from pickem.acquisition import UNLABELLED, Feature, PoolFeatures
from pickem.benchmark import load_profile
from pickem.benchmark.experiment import Experiment
from pickem.benchmark.profile import change_profile
from pickem.geometry import PatchId
from pickem.learning import Purpose, evaluate, stream
from pickem.learning.surroundings import labels_with_context
from pickem.predictor import ArrayTrainingSet, Phase, use_threads
from pickem.project.project import FIRST_CANDIDATES
from pickem.strategies import strategy

ROWS = RESULTS / "first-picks.csv"
COLUMNS = ("dataset", "fold", "seed", "rule", "foreground", "jaccard")
RULES = ("at random", "spread evenly", "by texture")
PROFILE = str(
    Path(__file__).parent / "profiles" / "full-resolution.toml"
)  # the rows that are there were made with these, …
PATCHES, PHASE = 20, Phase(learning_rate=1e-3, steps=400)  # … and others would not compare
SPARSE = 4  # one pixel in so many along either side is enough to know the range of the grey values


def main() -> None:
    """Measure what is missing and fill the page."""
    given = _options()
    if given.dataset:
        use_threads(given.threads)
        profile = change_profile(load_profile(PROFILE), precision=given.precision)
        experiment = load_fold(given.dataset, given.fold, profile, given.data_dir)
        there = {(row["dataset"], row["fold"], row["seed"], row["rule"]) for row in _rows()}
        for seed in range(given.seeds):
            for rule, chosen in _picks(experiment, seed).items():
                about = (given.dataset, given.fold, str(seed), rule)
                if about not in there:
                    jaccard = _jaccard(experiment, seed, chosen)
                    _append([*about, f"{_foreground(experiment, chosen):.4f}", f"{jaccard:.3f}"])
    fill(LABELLING, "first picks", _table(_rows()))


def _rows() -> list[dict[str, str]]:
    if not ROWS.exists():
        return []
    with ROWS.open(newline="") as file:
        return list(csv.DictReader(file))


def _append(row: Sequence[str]) -> None:
    new = not ROWS.exists()
    with ROWS.open("a", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([COLUMNS, row] if new else [row])
    print(*row, flush=True)


def _table(rows: Sequence[Mapping[str, str]]) -> str:
    """A line for each seed, and one for the means of each fold: Jaccard, and in brackets the foreground."""
    scores: dict[tuple[str, str], dict[str, dict[str, tuple[float, float]]]] = defaultdict(dict)
    for row in rows:
        by_rule = scores[row["dataset"], row["fold"]].setdefault(row["seed"], {})
        by_rule[row["rule"]] = float(row["jaccard"]), float(row["foreground"])
    lines = []
    for (dataset, fold), seeds in scores.items():
        whole = {seed: found for seed, found in seeds.items() if len(found) == len(RULES)}
        for seed, found in whole.items():
            lines.append([f"{dataset}, {fold}, seed {seed}", *(_cell(*found[rule]) for rule in RULES)])
        means = [_cell(*map(mean, zip(*(f[rule] for f in whole.values()), strict=True))) for rule in RULES]
        lines.append([f"**{dataset}, {fold}, mean**", *means])
    return table(["", *RULES], lines)


def _cell(jaccard: float, foreground: float) -> str:
    return f"{jaccard:.3f} ({foreground:.1%})"


def _picks(experiment: Experiment, seed: int) -> dict[str, Sequence[PatchId]]:
    candidates = experiment.pool(seed)[:FIRST_CANDIDATES]
    places = Halton(1, rng=stream(seed, Purpose.SELECT)).random(len(candidates))[:, 0].argsort().argsort()
    in_order = sorted(candidates)
    images = experiment.train.images(candidates)
    pool = PoolFeatures(candidates, {Feature.EMBEDDING: _textures(images)})
    nothing = PoolFeatures([], {Feature.EMBEDDING: np.zeros((0, pool.column(Feature.EMBEDDING).shape[1]))})
    by_texture = strategy("k-means").select(pool, nothing, PATCHES, stream(seed, Purpose.SELECT)).patches
    spread = [in_order[place] for place in places[:PATCHES]]
    return dict(zip(RULES, (candidates[:PATCHES], spread, by_texture), strict=True))


def _textures(images: NDArray[np.generic]) -> NDArray[np.float32]:
    """(n, 9) descriptors, standardised over the patches: brightness, contrast, and at three scales the mean
    and spread of the gradient, and the share of fine structure."""
    rows = []
    for image in _scaled(images):
        row = [float(image.mean())]
        for sigma in (1.0, 2.0, 4.0):
            edges = gaussian_gradient_magnitude(image, sigma)
            row += [float(edges.mean()), float(edges.std())]
        row += [float(image.std()), float((image - gaussian_filter(image, 2.0)).std())]
        rows.append(row)
    table = np.array(rows, np.float32)
    spread = table.std(axis=0)
    standardised: NDArray[np.float32] = (table - table.mean(axis=0)) / np.where(spread > 0, spread, 1)
    return standardised


def _scaled(images: NDArray[np.generic]) -> Iterator[NDArray[np.float32]]:
    """Each of the images (n, h, w) on one scale, where nearly all grey values lie between 0 and 1.

    So that float32 holds whatever values a volume has. Single values far outside are cut off at −1 and 2.
    """
    sample = images[:, ::SPARSE, ::SPARSE].astype(np.float64)
    low, high = np.percentile(sample, [1, 99])
    if low == high:
        low, high = sample.min(), sample.max()
    spread = high / 2 - low / 2 or 1.0  # halves, as the difference of two huge values would overflow
    for image in images:
        scaled = (image.astype(np.float64) / 2 - low / 2) / spread
        yield scaled.clip(-1, 2).astype(np.float32)


def _foreground(experiment: Experiment, chosen: Sequence[PatchId]) -> float:
    labels = experiment.train.labels(chosen)
    return float((labels[labels != UNLABELLED] > 0).mean())


def _jaccard(experiment: Experiment, seed: int, chosen: Sequence[PatchId]) -> float:
    """That of a network trained on these patches, over all of the evaluated part."""
    predictor = experiment.predictor(seed)
    patches = ArrayTrainingSet(
        experiment.train.images(chosen, predictor.context),
        labels_with_context(experiment.train.labels(chosen), predictor.context),
    )
    predictor.fit(patches, PHASE, stream(seed, Purpose.TRAIN), lambda *_: None)
    return evaluate(predictor, experiment.evaluation.loaded, lambda *_: None).jaccard


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("dataset", nargs="?")
    parser.add_argument("--fold", choices=FOLDS, default="dev")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="bf16")
    parser.add_argument("--data-dir", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
