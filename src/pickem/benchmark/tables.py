"""`results.csv` and `picks.csv`: what the journals hold, in rows. Derived, and rebuilt at any time."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Sequence
from pathlib import Path

from pickem.benchmark.configuration import Configuration
from pickem.benchmark.journal import EvaluationRecord, RunJournal
from pickem.benchmark.run import run_folder
from pickem.durable import write_durably

RESULTS, PICKS = "results.csv", "picks.csv"


def write_tables(directory: Path, configuration: Configuration) -> None:
    """Write both tables of a benchmark's folder from its journals, durably."""
    runs = [
        (strategy, seed, RunJournal(run_folder(directory, strategy, seed)))
        for strategy in configuration.strategies
        for seed in range(configuration.seeds)
    ]
    results = [
        _result_row(configuration, strategy, seed, number, record, journal)
        for strategy, seed, journal in runs
        for number, record in enumerate(journal.evaluations())
    ]
    picks = [
        row for strategy, seed, journal in runs for row in _pick_rows(configuration, strategy, seed, journal)
    ]
    _write_csv(directory / RESULTS, _result_columns(configuration), results)
    _write_csv(directory / PICKS, _PICK_COLUMNS, picks)


_PICK_COLUMNS = (
    *("dataset", "strategy", "seed", "round", "order"),
    *("volume", "z", "y", "x", "height", "width", "utility", "reason"),
)


def _result_columns(configuration: Configuration) -> Sequence[str]:
    return (
        *("dataset", "split", "profile", "strategy", "seed", "round"),
        *("labelled_patches", "labelled_pixels", "effort_seconds", "jaccard"),
        *(f"jaccard_{name}" for name in configuration.classes),
        *("precision", "recall", "train_s", "score_s", "evaluate_s", "foreground_share", "steps"),
        *("best_threshold", "best_threshold_jaccard", "correction_seconds"),
    )


def _result_row(
    configuration: Configuration,
    strategy: str,
    seed: int,
    number: int,
    record: EvaluationRecord,
    journal: RunJournal,
) -> Sequence[object]:
    picks = journal.picks(number)
    return (
        *(configuration.dataset, configuration.split, configuration.profile, strategy, seed, number),
        *(record.labelled_patches, record.labelled_pixels, _rounded(record.effort_seconds, 1)),
        *(_rounded(j, 6) for j in (record.jaccard, *record.jaccard_by_class)),
        *(_rounded(record.precision, 6), _rounded(record.recall, 6)),
        *(_rounded(record.train_seconds, 2), _rounded(picks.score_seconds if picks else None, 2)),
        _rounded(record.evaluate_seconds, 2),
        *(_rounded(record.foreground_share, 5), record.steps),
        *(_rounded(record.best_threshold, 3), _rounded(record.best_threshold_jaccard, 6)),
        _rounded(record.correction_seconds, 1),
    )


def _pick_rows(
    configuration: Configuration, strategy: str, seed: int, journal: RunJournal
) -> Iterable[Sequence[object]]:
    for number, record in enumerate(journal.all_picks()):
        for order, p in enumerate(record.picks):
            where = (p.volume, p.z, p.y, p.x, p.height, p.width)
            yield (
                configuration.dataset,
                strategy,
                seed,
                number,
                order,
                *where,
                _rounded(p.utility, 8),
                p.reason,
            )


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None or math.isnan(value) else round(value, digits)


def _write_csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    write_durably(path, text.getvalue().encode())
