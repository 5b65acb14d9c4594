"""Copy what was tried on `dev` into docs/results/fewer-labels/search.md, so that no number is typed by hand.

python -m benchmarks.fewer_labels_search
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from statistics import mean
from typing import NamedTuple

from benchmarks.courses import Row, read_rows
from benchmarks.machine import RESULTS
from benchmarks.marked import fill, table
from pickem.benchmark.full_supervision import MATCHED

PAGE = RESULTS / "fewer-labels" / "search.md"
SIZES = ("20", "40", "60", "80", "100")
COARSER = ("half-", "quarter-", "first-look", "tens")  # candidates that have a table of their own
# … and so have these, beside `auto`:
PICKING = ("apart", "snapshots", "per-second", "flattened", "pool-200", "entropy", "cluster-margin")
PARTS = ("no-context", "no-averaging", "no-augmentation", "cross-entropy", "masked")
RECIPE = (*PARTS, "random", "random-balanced")
RARE = "rare"  # a fold, and how the names of what was run on it begin
LATER = (*PICKING, *RECIPE, RARE)
TO_SIXTY = ("20", "30", "40", "50", "60")
TO_EIGHTY = range(10, 90, 10)
COMPARED_WITH = ("tens-400", "tens-400-again")  # the same on CPUs of two makes
FIRST_STRATEGIES = "lucchi++-dev-full-resolution"  # a folder of docs/results


def main() -> None:
    """Rewrite the page's tables."""
    for name, text in tables().items():
        fill(PAGE, name, text)


def tables() -> dict[str, str]:
    """By their names on the page."""
    first = {"dev": _dev(), "strategies": _strategies(), "runs": _runs(), "half": _half()}
    later = {"fold full": _fold_full(), "picking": _beside_auto(PICKING), "recipe": _beside_auto(RECIPE)}
    return first | later | {"rare": _rare(), "errors": errors_of("dev", "swapped")}


def _dev() -> str:
    """Jaccard of each candidate on each part, with one view and with four."""
    rows = read_rows(RESULTS / "fewer-labels" / "dev.csv")
    keys = sorted({(r["dataset"], r["fold"], r["seed"], r["candidate"]) for r in rows})
    lines = []
    for key in keys:
        of_key = [r for r in rows if (r["dataset"], r["fold"], r["seed"], r["candidate"]) == key]
        cells = [_both([r for r in of_key if r["labelled_patches"] == size]) for size in SIZES]
        lines.append([*key, *cells])
    return table(["dataset", "fold", "seed", "candidate", *SIZES], lines)


def _both(rows: Sequence[Row]) -> str:
    by_views = {r["views"]: r["jaccard"] for r in rows}
    return " / ".join(by_views[views] for views in ("one", "turns") if views in by_views)


class Run(NamedTuple):
    """What one course of a candidate is known by."""

    dataset: str
    fold: str
    strategy: str
    seed: str
    candidate: str


def _courses() -> dict[Run, list[Row]]:
    """The rows of every run on a dev fold, those of the first search for a strategy among them, sorted."""
    rows = read_rows(RESULTS / "fewer-labels" / "runs.csv")
    rows += [_as_fold_run(row) for row in read_rows(RESULTS / FIRST_STRATEGIES / "results.csv")]
    courses: dict[Run, list[Row]] = defaultdict(list)
    for row in rows:
        courses[Run(*(row[name] for name in Run._fields))].append(row)
    return dict(sorted(courses.items()))


def _runs() -> str:
    """Whole runs on dev folds by candidate, a column a round; SIZES are those of patches of 128 pixels."""
    lines = []
    for run, found in _courses().items():
        if run.strategy not in ("random", "auto") or run.candidate.startswith((*COARSER, *LATER)):
            continue
        scores = [float(row["jaccard"]) for row in found]
        cells = [*(f"{score:.3f}" for score in scores), f"{mean(scores[1:]):.3f}"]
        last = found[-1]
        share, minutes = f"{float(last['foreground']):.0%}", f"{float(last['effort_s']) / 60:.0f}"
        best = [f"{float(last['best_threshold']):.2f}", last["best_threshold_jaccard"]]
        distinct = f"{int(last['labelled_pixels']) / 1e6:.2f}"
        by_odds = f"{_by_the_odds(found[0], last):.2f}"
        lines.append([*run, *cells, share, distinct, *best, by_odds, minutes])
    measured = ["mean but the first", "foreground", "distinct Mpx"]
    thresholds = ["best threshold", "Jaccard there", "by the odds"]
    return table([*Run._fields, *SIZES, *measured, *thresholds, "min"], lines)


def _half() -> str:
    """Whole runs at a coarser finest level, beside those at full resolution, with what training took."""
    runs = {
        _without_strategy(run): found
        for run, found in _courses().items()
        if run.strategy == "auto" and run.candidate.startswith((*COARSER, "full-resolution"))
    }
    compared = {about[:-1] for about in runs if about[-1].startswith(COARSER)}
    lines = [
        [*about, *_course_cells(found)] for about, found in sorted(runs.items()) if about[:-1] in compared
    ]
    head = ["dataset", "fold", "seed", "candidate", *SIZES]
    return table([*head, "mean but the first", "first network, s", "a later one, s"], lines)


def _without_strategy(run: Run) -> tuple[str, str, str, str]:
    return run.dataset, run.fold, run.seed, run.candidate


def _course_cells(run: Sequence[Row]) -> list[str]:
    """Jaccard by labels, its mean from 40 labels on, and the seconds of the first and the last training."""
    found = {row["labelled_patches"]: float(row["jaccard"]) for row in run}
    scores = [f"{found[size]:.3f}" if size in found else "" for size in SIZES]
    course = f"{mean(found[size] for size in SIZES[1:]):.3f}" if all(scores) else ""
    return [*scores, course, *(str(round(float(row["train_s"]))) for row in (run[0], run[-1]))]


def _beside_auto(candidates: Sequence[str]) -> str:
    """Candidates that differ from `auto` in one thing, ten labels at a time, beside `auto` itself."""
    runs = {
        _without_strategy(run): {row["labelled_patches"]: row for row in found}
        for run, found in _courses().items()
        if run.candidate in (*candidates, *COMPARED_WITH)
    }
    compared = {about[:-1] for about in runs if about[-1] in candidates}
    lines = [
        [*about, *_cells_to_sixty(found)]
        for about, found in sorted(runs.items())
        if about[:-1] in compared and found.keys() >= set(TO_SIXTY)
    ]
    head = ["dataset", "fold", "seed", "candidate", *TO_SIXTY]
    return table([*head, "mean but the first", "foreground", "distinct pixels", "min"], lines)


def _rare() -> str:
    """Where foreground is rare in the pool: Jaccard by labels, and what the last of them hold."""
    lines = []
    for run, found in _courses().items():
        if run.fold == RARE:
            last = found[-1]
            scores = [f"{float(row['jaccard']):.3f}" for row in found]
            measured = [f"{float(last['foreground']):.1%}", last["precision"], last["recall"]]
            about = [run.dataset, run.seed, run.candidate, run.strategy]
            lines.append([*about, *scores, *measured, f"{float(last['effort_s']) / 60:.0f}"])
    head = ["dataset", "seed", "candidate", "strategy", *map(str, TO_EIGHTY)]
    return table([*head, "foreground", "precision", "recall", "min"], lines)


def _cells_to_sixty(found: Mapping[str, Row]) -> list[str]:
    """Jaccard by labels and its mean from 30 labels on; what the last labels hold and a person's minutes."""
    scores = [float(found[size]["jaccard"]) for size in TO_SIXTY]
    last = found[TO_SIXTY[-1]]
    distinct = int(last["labelled_pixels"]) / (int(TO_SIXTY[-1]) * 128**2)
    shares = [f"{float(last['foreground']):.0%}", f"{distinct:.0%}"]
    minutes = f"{float(last['effort_s']) / 60:.0f}"
    return [*(f"{score:.3f}" for score in scores), f"{mean(scores[1:]):.3f}", *shares, minutes]


def errors_of(*folds: str) -> str:
    """What the wrong pixels are, and the Jaccard without those at contours or of whole objects."""
    lines = []
    rows = read_rows(RESULTS / "fewer-labels" / "errors.csv")
    for row in (row for row in rows if row["fold"] in folds):
        shares = [f"{float(row[name]):.0%}" for name in ("contour", "missed", "made_up", "inside")]
        about = [row[name] for name in ("dataset", "fold", "candidate", "seed", "labels", "views", "jaccard")]
        lines.append([*about, *shares, row["without_contour"], row["without_objects"]])
    head = ["dataset", "fold", "candidate", "seed", "labels", "views", "Jaccard", "at contours"]
    return table(
        [*head, "objects missed", "objects made up", "inside", "Jaccard but for contours", "but for objects"],
        lines,
    )


def _fold_full() -> str:
    """Training with all labels of a fold, as many steps as a run to 100 labels takes."""
    rows = [r for r in read_rows(RESULTS / "fewer-labels" / "runs.csv") if r["strategy"] == MATCHED]
    shown = ("dataset", "fold", "seed", "candidate", "jaccard", "precision", "recall", "train_s")
    return table(shown, sorted([row[name] for name in shown] for row in rows))


def _by_the_odds(first: Row, last: Row) -> float:
    """The threshold that would undo what picking did to the odds of foreground in the initial set."""
    before, after = (float(row["foreground"]) / (1 - float(row["foreground"])) for row in (first, last))
    return after / (after + before)


def _as_fold_run(row: Row) -> Row:
    strategy = "auto" if row["strategy"] == "uncertain-core-set" else row["strategy"]
    best = f"{float(row['best_threshold_jaccard']):.3f}"
    own = {"candidate": "full-resolution", "fold": "dev", "strategy": strategy}
    own |= {"foreground": row["foreground_share"]}
    return row | own | {"effort_s": row["effort_seconds"], "best_threshold_jaccard": best}


def _strategies() -> str:
    """Strategies with the recipe of `auto` on Lucchi++'s dev split, best last: means over the seeds."""
    by_run: dict[tuple[str, str], dict[str, Row]] = defaultdict(dict)
    for row in read_rows(RESULTS / FIRST_STRATEGIES / "results.csv"):
        by_run[row["strategy"], row["seed"]][row["labelled_patches"]] = row
    whole = {run: rows for run, rows in by_run.items() if set(SIZES) <= rows.keys()}
    lines = []
    for strategy in {strategy for strategy, _ in whole}:
        seeds = sorted(seed for name, seed in whole if name == strategy)
        runs = [whole[strategy, seed] for seed in seeds]
        scores = [f"{mean(float(run[size]['jaccard']) for run in runs):.3f}" for size in SIZES]
        courses = [_course(run) for run in runs]
        gains = [_course(whole[strategy, s]) - _course(whole["random", s]) for s in seeds]
        minutes = mean(float(run[SIZES[-1]]["effort_seconds"]) for run in runs) / 60
        against = " / ".join(f"{gain:+.3f}" for gain in gains) if strategy != "random" else ""
        lines.append([strategy, ", ".join(seeds), *scores, f"{mean(courses):.3f}", against, f"{minutes:.0f}"])
    lines.sort(key=lambda line: line[-3])
    return table(["strategy", "seeds", *SIZES, "mean from 40 on", "against random", "min for 100"], lines)


def _course(run: dict[str, Row]) -> float:
    """Mean Jaccard after the queries."""
    return mean(float(run[size]["jaccard"]) for size in SIZES[1:])


if __name__ == "__main__":
    main()
