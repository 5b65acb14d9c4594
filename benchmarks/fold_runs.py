"""Whole runs on a dev fold with settings of a profile changed: what a part brings to what is picked.

    python -m benchmarks.fold_runs quarters vnc --fold swapped --strategies random,auto --seed 0 --rounds 5 \\
        --set patch=64 --set initial=80 --set per_round=80 --set pool=4000 --set training.batch_size=16

As `pickem benchmark`, except that the folds of benchmarks/folds.py are there to run on. Journals lie
under --scratch and are continued; a row for each evaluation goes into docs/results/fewer-labels/runs.csv.
`--profile` is `auto` where nothing is said; benchmarks/profiles/full-resolution.toml is what it was before.
`full-matched` among the strategies trains on all labels, as many steps as --rounds rounds take.
"""

from __future__ import annotations

import argparse
import csv
import json
import time
from dataclasses import fields
from functools import partial
from pathlib import Path

from benchmarks.folds import FOLDS, load_fold
from benchmarks.machine import RESULTS
from benchmarks.recipe_parts import changed
from benchmarks.snapshots import SnapshotExperiment
from pickem.benchmark.full_supervision import MATCHED, run_full_supervision
from pickem.benchmark.journal import EvaluationRecord, RunJournal
from pickem.benchmark.profile import load_profile
from pickem.benchmark.run import Progress, run_folder, run_strategy
from pickem.predictor import use_threads

TARGET = RESULTS / "fewer-labels" / "runs.csv"
COLUMNS = (
    *("candidate", "profile", "changes", "dataset", "fold", "seed", "strategy"),
    *("labelled_patches", "labelled_pixels"),
    *("effort_s", "foreground", "jaccard", "precision", "recall", "best_threshold", "best_threshold_jaccard"),
    "train_s",
)


def main() -> None:
    """Run one candidate with one seed, a strategy at a time."""
    options = _options()
    use_threads(options.threads)
    changes = dict(pair.split("=", 1) for pair in options.set)
    profile = changed(load_profile(options.profile), {"precision": "bf16", **changes})
    experiment = load_fold(options.dataset, options.fold, profile)
    if options.snapshots:
        parts = {field.name: getattr(experiment, field.name) for field in fields(experiment)}
        experiment = SnapshotExperiment(**parts)
    folder = Path(options.scratch) / f"{options.name}-{options.dataset}-{options.fold}"
    recipe = (options.name, profile.name, json.dumps(changes))
    about = (*recipe, options.dataset, options.fold, options.seed)
    for strategy in options.strategies.split(","):
        if strategy == MATCHED:
            load = partial(load_fold, options.dataset, options.fold, profile)
            run_full_supervision(experiment, load, folder, strategy, options.seed, options.rounds, _tell)
        else:
            run_strategy(experiment, folder, strategy, options.seed, options.rounds, _tell)
        journal = RunJournal(run_folder(folder, strategy, options.seed))
        records = [record for n in range(options.rounds) if (record := journal.evaluation(n))]
        _append([(*about, strategy, *_columns(record)) for record in records])


def _tell(progress: Progress) -> None:
    if progress.stage is None:
        now = time.strftime("%H:%M:%S")
        print(now, progress.strategy, progress.seed, progress.round, progress.jaccard, flush=True)


def _columns(record: EvaluationRecord) -> tuple[object, ...]:
    scores = (record.foreground_share, record.jaccard, record.precision, record.recall)
    best = (record.best_threshold, record.best_threshold_jaccard)
    measured = tuple("" if value is None else f"{value:.3f}" for value in (*scores, *best))
    spent = (record.labelled_patches, record.labelled_pixels, round(record.effort_seconds or 0))
    return (*spent, *measured, round(record.train_seconds))


def _append(rows: list[tuple[object, ...]]) -> None:
    """Add rows that are not there yet: a run that was continued had some of them before."""
    known = set(TARGET.read_text(encoding="utf-8").splitlines()) if TARGET.exists() else set()
    with TARGET.open("a", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        for row in rows if known else [COLUMNS, *rows]:
            if ",".join(map(str, row)) not in known:
                writer.writerow(row)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("name")
    parser.add_argument("dataset")
    parser.add_argument("--profile", default="auto")
    parser.add_argument("--fold", choices=FOLDS, default="dev")
    parser.add_argument("--strategies", default="random,auto")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--set", action="append", default=[], metavar="SETTING=VALUE")
    parser.add_argument("--snapshots", action="store_true", help="see benchmarks/snapshots.py")
    parser.add_argument("--scratch", default="out", help="where the journals lie")
    return parser.parse_args()


if __name__ == "__main__":
    main()
