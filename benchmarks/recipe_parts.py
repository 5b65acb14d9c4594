"""What a part of the recipe brings: networks on 20, 40, … random patches of a dev split, one setting changed.

    python -m benchmarks.recipe_parts without-context lucchi++ --seed 0 --set training.context=0
    python -m benchmarks.recipe_parts auto vnc --fold swapped --sizes 20,60,100

Starts from the `auto` profile; `--set` changes one of its settings. Patches are the first of the seed's pool,
so all candidates of a seed see the same. After each size named, the evaluated part is predicted once and as
the mean of its quarter turns; a row for each goes into docs/results/fewer-labels/dev.csv.

`--fold swapped`: see benchmarks/folds.py.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import json
import time
from pathlib import Path

import numpy as np

from benchmarks.candidates import append, candidate_of, changed, parser
from benchmarks.machine import RESULTS
from pickem.acquisition import UNLABELLED
from pickem.benchmark.experiment import Experiment
from pickem.benchmark.start import start_pretrained
from pickem.learning import Evaluation, Purpose, Regions, evaluate, stream
from pickem.learning.surroundings import labels_with_context
from pickem.predictor import ArrayTrainingSet, NetworkPredictor

TARGET = RESULTS / "fewer-labels" / "dev.csv"
COLUMNS = (
    *("candidate", "profile", "changes", "dataset", "fold", "seed", "labelled_patches", "views"),
    *("jaccard", "precision", "recall", "best_threshold", "best_threshold_jaccard", "train_s"),
)


def main() -> None:
    """Train and evaluate one candidate with one seed."""
    options = _options()
    candidate = candidate_of(options)
    profile, experiment = candidate.profile, candidate.load()
    for part, regions in (("trained on", experiment.train), ("evaluated", experiment.evaluation)):
        print(f"foreground {part}: {_foreground(regions):.1%}", flush=True)
    sizes = {int(size) for size in options.sizes.split(",")}
    pool = experiment.pool(candidate.seed)
    predictor = experiment.predictor(candidate.seed)
    start_pretrained(predictor, experiment, candidate.scratch, candidate.seed, lambda *_: None)
    seconds = 0.0
    for number in itertools.takewhile(lambda n: profile.labelled(n) <= max(sizes), range(len(pool))):
        patches = pool[: profile.labelled(number)]
        started = time.perf_counter()
        predictor.fit(
            ArrayTrainingSet(
                experiment.train.images(patches, predictor.context),
                labels_with_context(experiment.train.labels(patches), predictor.context),
            ),
            profile.following if number else profile.first,
            stream(candidate.seed, Purpose.TRAIN, number),
            lambda *_: None,
        )
        seconds += time.perf_counter() - started
        if len(patches) not in sizes:
            continue
        for views in ("one", "turns"):
            scores = _scores(experiment, predictor, views, candidate.scratch)
            recipe = (candidate.name, profile.name, json.dumps(candidate.changes))
            about = (*recipe, candidate.dataset, candidate.fold)
            row = [*about, candidate.seed, len(patches), views, *_columns(scores), round(seconds)]
            append(TARGET, COLUMNS, [row])
            print(*row, flush=True)


def _foreground(regions: Regions) -> float:
    """The share of the labelled voxels."""
    labels = np.concatenate([region.labels.ravel() for region in regions.loaded])
    known = labels[labels != UNLABELLED]
    return float(np.count_nonzero(known) / known.size)


def _scores(experiment: Experiment, predictor: NetworkPredictor, views: str, scratch: Path) -> Evaluation:
    """Scores of the same weights with other views."""
    weights = scratch / "weights.safetensors"
    predictor.save(weights)
    profile = changed(experiment.profile, {"measuring.views": views})
    other = dataclasses.replace(experiment, profile=profile).predictor(0)
    other.load_weights(weights)
    return evaluate(other, experiment.evaluation.loaded, lambda *_: None)


def _columns(scores: Evaluation) -> list[str]:
    best = scores.best_threshold
    values = (scores.jaccard, scores.precision, scores.recall)
    found = (best.threshold, best.jaccard) if best else (np.nan, np.nan)
    return [f"{value:.3f}" for value in (*values, *found)]


def _options() -> argparse.Namespace:
    made = parser(__doc__, scratch="where weights lie for a moment")
    made.add_argument("--sizes", default="20,60,100")
    return made.parse_args()


if __name__ == "__main__":
    main()
