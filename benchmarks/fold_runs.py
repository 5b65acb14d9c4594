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
import json
import sys
import time

from benchmarks.candidates import Candidate, append, candidate_of, parser
from benchmarks.machine import RESULTS
from benchmarks.picking import PICKED_BY, PickingExperiment
from pickem.benchmark.full_supervision import MATCHED, run_full_supervision
from pickem.benchmark.journal import EvaluationRecord, RunJournal
from pickem.benchmark.run import Progress, run_folder, run_strategy

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
    candidate = candidate_of(options)
    experiment = candidate.load()
    if options.picked_by:
        experiment = PickingExperiment.of(experiment, options.picked_by)
    changes = candidate.changes | ({"--picked-by": options.picked_by} if options.picked_by else {})
    recipe = (candidate.name, candidate.profile.name, json.dumps(changes))
    about = (*recipe, candidate.dataset, candidate.fold, candidate.seed)
    for strategy in options.strategies.split(","):
        _refuse_to_go_on_without_memory(candidate, strategy, options)
        where = (candidate.folder, strategy, candidate.seed, options.rounds, _tell)
        if strategy == MATCHED:
            run_full_supervision(experiment, candidate.load, *where)
        else:
            run_strategy(experiment, *where)
        journal = RunJournal(run_folder(candidate.folder, strategy, candidate.seed))
        records = [record for n in range(options.rounds) if (record := journal.evaluation(n))]
        append(TARGET, COLUMNS, [(*about, strategy, *_columns(record)) for record in records])


def _refuse_to_go_on_without_memory(candidate: Candidate, strategy: str, options: argparse.Namespace) -> None:
    """Snapshots are kept in memory alone: of a run that was stopped, those of its first rounds are lost."""
    folder = run_folder(candidate.folder, strategy, candidate.seed)
    done = sum(RunJournal(folder).evaluation(n) is not None for n in range(options.rounds))
    if options.picked_by == "snapshots" and 0 < done < options.rounds:
        sys.exit(
            f"{folder} was stopped after {done} rounds, and its snapshots are lost: delete it to start over"
        )


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


def _options() -> argparse.Namespace:
    made = parser(__doc__, scratch="where the journals lie")
    made.add_argument("--strategies", default="random,auto")
    made.add_argument("--rounds", type=int, default=5)
    made.add_argument("--picked-by", choices=PICKED_BY, help="see benchmarks/picking.py")
    return made.parse_args()


if __name__ == "__main__":
    main()
