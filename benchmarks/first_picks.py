"""Do the first patches that a project serves, chosen by texture, teach a network more than random ones?

    python -m benchmarks.first_picks --dataset vnc --split dev --profile fast --seeds 3 --draws 20

For each seed, 1,000 candidates are drawn from the training part, as a project draws them; 20 of them are
picked by texture, and the first 20 serve as random ones. What either holds of foreground is counted for
--draws draws; of the first --seeds of them a network is trained on either, from the same weights, and
evaluated. Training takes as long as the profile's first phase; --steps shortens it.

Writes a table of docs/results/labelling.md.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.marked import write_table
from pickem.acquisition import UNLABELLED
from pickem.benchmark import load_profile
from pickem.benchmark.experiment import Experiment, load_experiment
from pickem.datasets import open_dataset
from pickem.geometry import PatchId
from pickem.learning import Purpose, evaluate, stream
from pickem.learning.surroundings import labels_with_context
from pickem.predictor import ArrayTrainingSet, use_threads
from pickem.project.candidates import first_picks
from pickem.project.project import FIRST_CANDIDATES


def main() -> None:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--dataset", default="vnc")
    parser.add_argument("--split", choices=("test", "dev"), default="dev")
    parser.add_argument("--profile", default="fast")
    parser.add_argument("--patches", type=int, default=20)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--draws", type=int, default=20)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--data-dir", type=Path)
    given = parser.parse_args()
    experiment = load_experiment(
        open_dataset(given.dataset, given.data_dir), given.split, load_profile(given.profile)
    )
    use_threads(experiment.profile.threads)
    draws = [picks(experiment, seed, given.patches) for seed in range(max(given.draws, given.seeds))]
    rows = [holdings(experiment, draws)]
    for seed in range(given.seeds):
        scores = [jaccard(experiment, seed, chosen, given.steps) for chosen in draws[seed]]
        rows.append([f"Jaccard, seed {seed}", *(f"{score:.3f}" for score in scores)])
        print(rows[-1], flush=True)
    command = "python -m benchmarks.first_picks " + " ".join(sys.argv[1:])
    write_table("first picks", command.strip(), ["", "by texture", "at random"], rows)


def picks(experiment: Experiment, seed: int, count: int) -> tuple[Sequence[PatchId], Sequence[PatchId]]:
    """Patches picked by texture, and as many at random, of the same candidates."""
    candidates = experiment.pool(seed)[:FIRST_CANDIDATES]
    images = experiment.train.images(candidates)
    by_texture = first_picks(candidates, images, count, stream(seed, Purpose.SELECT))
    return by_texture.patches, candidates[:count]


def holdings(
    experiment: Experiment, draws: Sequence[tuple[Sequence[PatchId], Sequence[PatchId]]]
) -> list[str]:
    """A row: the share of foreground in either kind of picks, mean and standard error over the draws."""
    cells = [f"foreground in the patches, mean of {len(draws)} draws"]
    for kind in zip(*draws, strict=True):
        shares = []
        for chosen in kind:
            labels = experiment.train.labels(chosen)
            known = labels != UNLABELLED
            shares.append(float((labels[known] > 0).mean()))
        error = np.std(shares, ddof=1) / len(shares) ** 0.5 if len(shares) > 1 else 0.0
        cells.append(f"{np.mean(shares):.2%} ± {error:.2%}")
    return cells


def jaccard(experiment: Experiment, seed: int, chosen: Sequence[PatchId], steps: int | None) -> float:
    """That of a network trained on these patches, over all of the evaluated part."""
    predictor = experiment.predictor(seed)
    patches = ArrayTrainingSet(
        experiment.train.images(chosen, predictor.context),
        labels_with_context(experiment.train.labels(chosen), predictor.context),
    )
    first = experiment.profile.first
    phase = first.model_copy(update={"steps": steps, "epochs": None}) if steps else first
    predictor.fit(patches, phase, stream(seed, Purpose.TRAIN), lambda *_: None)
    return evaluate(predictor, experiment.evaluation.loaded, lambda *_: None).jaccard


if __name__ == "__main__":
    main()
