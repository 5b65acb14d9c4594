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
import csv
import dataclasses
import json
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.folds import FOLDS, load_fold
from benchmarks.machine import RESULTS
from pickem.acquisition import UNLABELLED
from pickem.benchmark.experiment import Experiment
from pickem.benchmark.profile import Profile, change_profile, load_profile
from pickem.benchmark.start import start_pretrained
from pickem.learning import Evaluation, Purpose, Regions, evaluate, stream
from pickem.learning.surroundings import labels_with_context
from pickem.predictor import ArrayTrainingSet, NetworkPredictor, use_threads

TARGET = RESULTS / "fewer-labels" / "dev.csv"
COLUMNS = (
    *("candidate", "changes", "dataset", "fold", "seed", "labelled_patches", "views", "jaccard", "precision"),
    *("recall", "best_threshold", "best_threshold_jaccard", "train_s"),
)
PER_ROUND = 20  # patches


def main() -> None:
    """Train and evaluate one candidate with one seed."""
    options = _options()
    use_threads(options.threads)
    changes = dict(pair.split("=", 1) for pair in options.set)
    profile = changed(load_profile("auto"), changes)
    experiment = load_fold(options.dataset, options.fold, profile)
    for part, regions in (("trained on", experiment.train), ("evaluated", experiment.evaluation)):
        print(f"foreground {part}: {_foreground(regions):.1%}", flush=True)
    sizes = {int(size) for size in options.sizes.split(",")}
    pool = experiment.pool(options.seed)
    predictor = experiment.predictor(options.seed)
    start_pretrained(predictor, experiment, Path(options.scratch), options.seed, lambda *_: None)
    seconds = 0.0
    for number in range(max(sizes) // PER_ROUND):
        patches = pool[: PER_ROUND * (number + 1)]
        started = time.perf_counter()
        predictor.fit(
            ArrayTrainingSet(
                experiment.train.images(patches, predictor.context),
                labels_with_context(experiment.train.labels(patches), predictor.context),
            ),
            profile.following if number else profile.first,
            stream(options.seed, Purpose.TRAIN, number),
            lambda *_: None,
        )
        seconds += time.perf_counter() - started
        if len(patches) not in sizes:
            continue
        for views in ("one", "turns"):
            scores = _scores(experiment, predictor, views, Path(options.scratch))
            about = (options.name, json.dumps(changes), options.dataset, options.fold, options.seed)
            _append([*about, len(patches), views, *_columns(scores), round(seconds)])


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


def changed(profile: Profile, changes: dict[str, str]) -> Profile:
    """The profile with settings replaced: "training.context" → "32", values as JSON or plain text."""
    settings: dict[str, Any] = profile.model_dump()
    for path, value in changes.items():
        *sections, name = path.split(".")
        place = settings
        for section in sections:
            place = place[section]
        try:
            place[name] = json.loads(value)
        except json.JSONDecodeError:
            place[name] = value
    return change_profile(profile, **settings)


def _columns(scores: Evaluation) -> list[str]:
    best = scores.best_threshold
    values = (scores.jaccard, scores.precision, scores.recall)
    found = (best.threshold, best.jaccard) if best else (np.nan, np.nan)
    return [f"{value:.3f}" for value in (*values, *found)]


def _append(row: list[object]) -> None:
    TARGET.parent.mkdir(exist_ok=True)
    new = not TARGET.exists()
    with TARGET.open("a", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([COLUMNS, row] if new else [row])
    print(*row, flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("name")
    parser.add_argument("dataset")
    parser.add_argument("--fold", choices=FOLDS, default="dev")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--sizes", default="20,60,100")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--set", action="append", default=[], metavar="SETTING=VALUE")
    parser.add_argument("--scratch", default="out", help="where weights lie for a moment")
    return parser.parse_args()


if __name__ == "__main__":
    main()
