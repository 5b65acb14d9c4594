"""How the `fast` recipe was looked for, on VNC's dev split: one candidate per call, rows appended to a CSV.

    python -m benchmarks.recipe_search lr1 '{"lr": 1e-3, "lr_following": 1e-3, "first": 600, "following": 50}'

A candidate trains on 20 random patches, then four times on 20 random patches more, and is evaluated on dev
after each. One seed, one thread: enough to see large differences, and no more.
"""

from __future__ import annotations

import csv
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from pickem.datasets import open_dataset
from pickem.geometry import random_patches
from pickem.learning import Regions, evaluate
from pickem.predictor import (
    ArrayTrainingSet,
    AugmentationSettings,
    MeasuringSettings,
    Normalisation,
    Phase,
    TrainingSettings,
    UNetSettings,
    resolve_backend,
    unet_predictor,
    use_threads,
)

TARGET = Path(__file__).parents[1] / "docs" / "results" / "recipe-search.csv"
COLUMNS = ("candidate", "labelled_patches", "jaccard", "precision", "recall", "loss", "seconds")


@dataclass(frozen=True)
class Candidate:
    """What was varied; the defaults are the first guess."""

    batch: int = 8
    first: int = 300  # optimiser steps
    following: int = 60
    lr: float = 2e-3
    lr_following: float = 1e-3
    dropout: float = 0.2
    place: Literal["bottleneck", "decoder", "everywhere"] = "decoder"
    seed: int = 0
    rounds: int = 5
    feature_maps: int = 16
    averaging: float = 0.0
    schedule: Literal["constant", "one-cycle"] = "one-cycle"
    weight_decay: float = 0.0
    balance: Literal["none", "foreground"] = "foreground"


def main(name: str, changes: str = "{}") -> None:
    """Train and evaluate one candidate."""
    candidate = Candidate(**json.loads(changes))
    use_threads(1)
    split = open_dataset("vnc").split("dev")
    train, evaluation = Regions(split.train), Regions(split.evaluate)
    boxes = [(region.volume, region.box) for region in train.loaded]
    pool = random_patches(boxes, 2000, 128, 128, np.random.default_rng(candidate.seed))
    predictor = unet_predictor(
        UNetSettings(
            feature_maps=candidate.feature_maps, dropout=candidate.dropout, dropout_place=candidate.place
        ),
        2,
        Normalisation.of(region.images for region in train.loaded),
        resolve_backend("cpu", "fp32"),
        TrainingSettings(
            loss="dice-cross-entropy",
            batch_size=candidate.batch,
            balance=candidate.balance,
            averaging=candidate.averaging,
            weight_decay=candidate.weight_decay,
            augmentation=AugmentationSettings(
                zoom=(0.75, 1.3), rotation=10, shear=0.05, contrast=0.2, brightness=0.2, noise=0.1
            ),
        ),
        MeasuringSettings(passes=5),
        np.random.default_rng(candidate.seed + 1),
    )
    first = Phase(learning_rate=candidate.lr, steps=candidate.first, schedule=candidate.schedule)
    following = Phase(
        learning_rate=candidate.lr_following, steps=candidate.following, schedule=candidate.schedule
    )
    seconds = 0.0
    for number in range(candidate.rounds):
        labelled = pool[: 20 * (number + 1)]
        started = time.perf_counter()
        report = predictor.fit(
            ArrayTrainingSet(train.images(labelled), train.labels(labelled)),
            following if number else first,
            np.random.default_rng(100 * candidate.seed + number),
            lambda *_: None,
        )
        seconds += time.perf_counter() - started
        scores = evaluate(predictor, evaluation.loaded, lambda *_: None)
        row = (
            name,
            len(labelled),
            scores.jaccard,
            scores.precision,
            scores.recall,
            report.final_loss,
            seconds,
        )
        append([f"{value:.3f}" if isinstance(value, float) else value for value in row])


def append(row: list[object]) -> None:
    """Add a row to the table, and its heading where it is new."""
    new = not TARGET.exists()
    with TARGET.open("a", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([COLUMNS, row] if new else [row])
    print(*row, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
