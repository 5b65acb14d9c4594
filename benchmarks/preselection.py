"""What is lost by choosing among some candidates drawn at random, and how long looking at all of them takes.

    python -m benchmarks.preselection lucchi++ --steps 400 --draws 20

Trains a network by the `auto` recipe on the first 20 patches of a seed, measures every candidate of the
tiling of the training volume, and lets `entropy`, without look-alikes, pick 20: among all, and among 500,
2,000 and 4,000 drawn at random, --draws times each. The mean entropy of the picks is what the strategy is
after; the share of foreground in them says what kind of patches those are. Writes a table of
docs/results/volumes.md.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.machine import RESULTS, described_machine
from benchmarks.marked import fill, table
from pickem.acquisition import UNLABELLED, Feature, PoolFeatures
from pickem.benchmark import load_profile
from pickem.benchmark.experiment import Experiment, load_experiment
from pickem.datasets import open_dataset
from pickem.geometry import PatchId, tile_patches
from pickem.learning import Purpose, stream
from pickem.learning.surroundings import labels_with_context
from pickem.predictor import ArrayTrainingSet, NetworkPredictor, score, use_threads
from pickem.strategies import strategy
from pickem.strategies.look_alikes import WithoutLookAlikes

PICKS = 20
SIZES = (500, 2000, 4000)
MILLION = 10**6


def main() -> None:
    """Measure and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("dataset")
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--draws", type=int, default=20)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    use_threads(given.threads)
    experiment = load_experiment(open_dataset(given.dataset, given.data_dir), "test", load_profile("auto"))
    initial = experiment.pool(given.seed)[:PICKS]
    predictor = trained(experiment, initial, given.seed, given.steps)
    started = time.perf_counter()
    features = measured(experiment, predictor)
    rate = len(features) / (time.perf_counter() - started)
    rows = [row(experiment, features, initial, size, given.draws) for size in (*SIZES, len(features))]
    rows.append(["(20 at random)", "", foreground_at_random(experiment, features, given.draws)])
    head = ["20 picks among", "mean entropy (nats)", "share of foreground"]
    command = f"python -m benchmarks.preselection {given.dataset} --steps {given.steps} --draws {given.draws}"
    text = f"`{command}`, {given.threads} thread. {described_machine()}.\n\n{table(head, rows)}\n\n"
    text += (
        f"One network, trained on {PICKS} patches. {rate:.0f} candidates a second were measured: 2,000 take "
        f"{2000 / rate:.0f} s, a million {MILLION / rate / 3600:.0f} hours."
    )
    print(text)
    fill(RESULTS / "volumes.md", "preselection", text)


def trained(experiment: Experiment, patches: Sequence[PatchId], seed: int, steps: int) -> NetworkPredictor:
    """A network that has learned from these patches."""
    predictor = experiment.predictor(seed)
    known = ArrayTrainingSet(
        experiment.train.images(patches, predictor.context),
        labels_with_context(experiment.train.labels(patches), predictor.context),
    )
    phase = experiment.profile.first.model_copy(update={"steps": steps, "epochs": None})
    predictor.fit(known, phase, stream(seed, Purpose.TRAIN), lambda *_: None)
    return predictor


def measured(experiment: Experiment, predictor: NetworkPredictor) -> PoolFeatures:
    """The entropy of every candidate of the tiling."""
    size = experiment.profile.patch
    regions = experiment.train.loaded
    tiles = [p for region in regions for p in tile_patches(region.volume, region.box, size, size, size)]
    needs, rng = {Feature.ENTROPY}, np.random.default_rng(0)
    return score(predictor, tiles, experiment.train.images, needs, rng, lambda *_: None)


def row(
    experiment: Experiment, features: PoolFeatures, initial: Sequence[PatchId], size: int, draws: int
) -> list[str]:
    """Mean and deviation over the draws; there is one draw of all."""
    whole = size == len(features)
    entropies, shares = [], []
    nothing = PoolFeatures([], {Feature.ENTROPY: np.zeros(0, np.float32)})
    rule = WithoutLookAlikes(strategy("entropy"), initial)
    for draw in range(1 if whole else draws):
        rng = np.random.default_rng(draw)
        drawn = features.take(np.sort(rng.permutation(len(features))[:size]))
        picks = rule.select(drawn, nothing, PICKS, rng)
        entropies.append(float(np.mean(picks.utilities)))
        shares.append(foreground(experiment, picks.patches))
    name = f"all {size:,}" if whole else f"{size:,}"
    return [name, spread(entropies, "{:.3f}"), spread(shares, "{:.1%}")]


def foreground_at_random(experiment: Experiment, features: PoolFeatures, draws: int) -> str:
    """Of as many patches that nobody chose."""
    shares = []
    for draw in range(draws):
        drawn = np.random.default_rng(draw).permutation(len(features))[:PICKS]
        shares.append(foreground(experiment, [features.patches[i] for i in drawn]))
    return spread(shares, "{:.1%}")


def foreground(experiment: Experiment, patches: Sequence[PatchId]) -> float:
    """Share of foreground in the labels of some patches."""
    labels = experiment.train.labels(patches)
    return float((labels[labels != UNLABELLED] > 0).mean())


def spread(values: Sequence[float], form: str) -> str:
    """Mean, and the standard deviation where there are several."""
    mean = form.format(np.mean(values))
    return mean if len(values) == 1 else f"{mean} ± {form.format(np.std(values, ddof=1))}"


if __name__ == "__main__":
    main()
