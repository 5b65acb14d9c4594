"""Copy the runs on the test splits into docs/results/fewer-labels.md, so that no number is typed by hand.

python -m benchmarks.fewer_labels_tables
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import fmean, median

from benchmarks.bars import BALANCED, EPYC, LONGER, PAGE, UNBALANCED
from benchmarks.courses import Course, Row, mean_course, reaching, read_courses, read_rows, results_of
from benchmarks.fewer_labels_search import errors_of
from benchmarks.machine import RESULTS
from benchmarks.marked import fill, table
from pickem.benchmark.full_supervision import FULL_SUPERVISION, Budget
from pickem.benchmark.journal import read_record
from pickem.benchmark.profile import load_profile
from pickem.benchmark.report import wording
from pickem.benchmark.report.paper import paper_results
from pickem.benchmark.report.statistics import estimate
from pickem.geometry import PatchId
from pickem.strategies.nearness import Neighbours

DATASETS = ("vnc", "lucchi++")
AUTO = load_profile("auto")
FORERUNNERS = ("fast", "full-resolution", "three-sections", "by-twenties", "by-tens", UNBALANCED)
PROFILES = (*FORERUNNERS, "auto", EPYC, BALANCED)
TWO_CORES = "auto-two-cores"  # `auto` once more, with both cores of a machine
STRATEGIES = ("random", "random-foreground", "entropy", "auto")
SIZES = (20, 40, 60, 80, 100, 120, 140, 160, 200)
Run = tuple[str, str]  # profile, strategy
STEPS: tuple[tuple[str, Run, Run], ...] = (
    ("context, four views, 250 steps for 100", ("fast", "random"), ("full-resolution", "random")),
    ("picking", ("full-resolution", "random"), ("full-resolution", "auto")),
    ("half the resolution, twice the maps and steps", ("full-resolution", "auto"), ("by-twenties", "auto")),
    ("ten at a time, 400 steps for each ten, averaging", ("by-twenties", "auto"), ("auto", "auto")),
    ("the whole recipe, from `fast` on", ("fast", "random"), ("auto", "random")),
    ("the whole recipe, from `full-resolution` on", ("full-resolution", "random"), ("auto", "random")),
    ("picking", ("auto", "random"), ("auto", "auto")),
    ("picking", ("auto", "random-foreground"), ("auto", "auto")),
    ("picking, in batches drawn evenly", (UNBALANCED, "random"), (UNBALANCED, "auto")),
    ("balanced batches, random patches", (UNBALANCED, "random"), ("auto", "random")),
    (
        "balanced batches, half with foreground",
        (UNBALANCED, "random-foreground"),
        ("auto", "random-foreground"),
    ),
    ("balanced batches, picked patches", (UNBALANCED, "auto"), ("auto", "auto")),
    ("nothing but the machine", ("auto", "auto"), (EPYC, "auto")),
    ("picking, on one make of CPU", ("auto", "random"), (EPYC, "auto")),
)
COMPARED: tuple[Run, ...] = (
    ("auto", "random"),
    (UNBALANCED, "random"),
    ("auto", "random-foreground"),
    ("auto", "auto"),
)
COMPARED_AT = (40, 100, 160, 200)  # labels
SETTLED = 60  # labels; jumps between rounds are counted from here on


def main() -> None:
    """Rewrite the page's tables."""
    for name, text in tables().items():
        fill(PAGE, name, text)


def tables() -> dict[str, str]:
    """By their names on the page."""
    runs = {"seeds": _seeds(), "parts": _parts(), "jumps": _jumps(), "picks": _picks(), "cost": _cost()}
    limits = {"search": _search(), "full supervision": _full_supervision(), "errors": errors_of("test")}
    return runs | limits | {"demo": _demo()}


def _seeds() -> str:
    """Means over the seeds, by the recipe of `auto` each seed, too."""
    lines = []
    for dataset, profile, strategy in itertools.product(DATASETS, PROFILES, STRATEGIES):
        courses = read_courses(f"{dataset}-{profile}", strategy)
        about = [dataset, profile, strategy]
        if profile in (UNBALANCED, "auto", EPYC, BALANCED) or len(courses) == 1:
            lines += [[*about, str(seed), *_cells(course)] for seed, course in courses.items()]
        if len(courses) > 1:
            lines.append([*about, f"mean of {len(courses)}", *_means(list(courses.values()))])
    return table(["dataset", "profile", "strategy", "seed", *map(str, SIZES)], lines)


def _cells(course: Course) -> list[str]:
    return [f"{course.jaccard[size]:.3f}" if size in course.rows else "" for size in SIZES]


def _means(courses: Sequence[Course]) -> list[str]:
    """Only over all of the seeds: those that have come further are not a sample of them."""
    return [
        f"**{wording.jaccard(estimate([course.jaccard[size] for course in courses]), len(courses))}**"
        if size in mean_course(courses)
        else ""
        for size in SIZES
    ]


def _parts() -> str:
    """What a step of the recipe, or the picking, adds: differences within the seeds that both have."""
    lines = []
    for dataset, (part, before, after) in itertools.product(DATASETS, STEPS):
        old, new = (read_courses(f"{dataset}-{run[0]}", run[1]) for run in (before, after))
        cells = [_difference(old, new, size) for size in COMPARED_AT]
        if any(cells):
            lines.append([dataset, part, *(" / ".join(run) for run in (before, after)), *cells])
    return table(["dataset", "what", "from (profile / strategy)", "to", *map(str, COMPARED_AT)], lines)


def _difference(old: Mapping[int, Course], new: Mapping[int, Course], size: int) -> str:
    """With so many labels, over the seeds that both have."""
    old, new = reaching(old, size), reaching(new, size)
    both = sorted(old.keys() & new.keys())
    if not both:
        return ""
    found = estimate([new[seed].jaccard[size] - old[seed].jaccard[size] for seed in both])
    return f"{wording.difference(found)} (n = {len(both)})"


def _jumps() -> str:
    """How far the Jaccard jumps from one evaluation to the next, once it has settled."""
    lines = []
    for dataset, (profile, strategy), step in itertools.product(DATASETS, COMPARED, (10, 20)):
        courses = read_courses(f"{dataset}-{profile}", strategy).values()
        jumps = [jump for course in courses for jump in _steps(course.jaccard, step)]
        if jumps:
            about = [dataset, f"`{profile}`, {strategy}", str(step), str(len(courses))]
            lines.append([*about, *_sizes_of(jumps)])
    for strategy, curve in paper_results("vnc").curves.items():
        if strategy in STRATEGIES:
            jumps = _steps(dict(zip(curve.labelled.tolist(), curve.jaccard.tolist(), strict=True)), 20)
            lines.append(["vnc", f"the paper, {strategy}", "20", "1", *_sizes_of(jumps)])
    return table(
        ["dataset", "course", "labels a step", "runs", "mean jump", "within 0.01", "largest fall"], lines
    )


def _steps(course: Mapping[int, float], step: int) -> list[float]:
    sizes = sorted(labels for labels in course if labels >= SETTLED and labels % step == 0)
    settled = [course[labels] for labels in sizes]
    return [after - before for before, after in itertools.pairwise(settled)]


def _sizes_of(jumps: Sequence[float]) -> tuple[str, str, str]:
    small = sum(abs(jump) <= 0.01 for jump in jumps) / len(jumps)
    return f"{fmean(map(abs, jumps)):.3f}", f"{small:.0%}", f"{max(0.0, -min(jumps)):.3f}"


def _picks() -> str:
    """What is picked, what the threshold of 0.5 loses, and a person's time: means over the seeds."""
    lines = []
    for dataset, (profile, strategy) in itertools.product(DATASETS, COMPARED):
        folder = f"{dataset}-{profile}"
        courses = read_courses(folder, strategy)
        for size in (40, 100, 200):
            rows = [course.rows[size] for course in reaching(courses, size).values()]
            if rows:
                alike = _look_alikes(folder, strategy, size)
                lines.append([dataset, profile, strategy, str(size), str(len(rows)), *_about(rows), alike])
    head = ["dataset", "profile", "strategy", "labels", "seeds", "foreground", "precision", "recall"]
    spent = ["painting, min", "correcting, min", "distinct pixels", "look-alikes"]
    return table([*head, "0.5 loses (most)", *spent], lines)


def _about(rows: Sequence[Row]) -> list[str]:
    def mean(name: str) -> float:
        return fmean(float(row[name]) for row in rows)

    lost = [float(row["best_threshold_jaccard"]) - float(row["jaccard"]) for row in rows]
    minutes = [f"{mean(name) / 60:.0f}" for name in ("effort_seconds", "correction_seconds")]
    size = int(rows[0]["labelled_patches"]) * AUTO.patch**2
    scores = [f"{mean('foreground_share'):.1%}", f"{mean('precision'):.3f}", f"{mean('recall'):.3f}"]
    return [
        *scores,
        f"{fmean(lost):.3f} ({max(lost):.3f})",
        *minutes,
        f"{mean('labelled_pixels') / size:.0%}",
    ]


def _look_alikes(folder: str, strategy: str, labels: int) -> str:
    """Share of the picks that have another one of the same round near them (`pickem.strategies.nearness`)."""
    batches: dict[tuple[str, str], list[PatchId]] = {}
    for row in read_rows(RESULTS / folder / "picks.csv"):
        if row["strategy"] == strategy and AUTO.labelled(int(row["round"]) + 1) <= labels:
            place = (int(row[name]) for name in ("z", "y", "x", "height", "width"))
            batches.setdefault((row["seed"], row["round"]), []).append(PatchId(row["volume"], *place))
    counts: Counter[bool] = Counter()
    for batch in batches.values():
        near = Neighbours(batch)
        counts.update(len(near.of(patch)) > 1 for patch in batch)
    return f"{counts[True] / counts.total():.0%}"


def _full_supervision() -> str:
    lines = []
    for dataset, folder in itertools.product(DATASETS, (*PROFILES, LONGER)):
        for row in results_of(f"{dataset}-{folder}"):
            if row["strategy"] in FULL_SUPERVISION:
                scores = [f"{float(row[name]):.3f}" for name in ("jaccard", "precision", "recall")]
                profile = "auto" if folder == LONGER else folder
                lines.append([dataset, profile, row["strategy"], row["seed"], row["steps"], *scores])
    return table(["dataset", "profile", "labels", "seed", "steps", "Jaccard", "precision", "recall"], lines)


def _search() -> str:
    """Jaccard on `dev` of a network that learns from all labels, by its steps."""
    lines = []
    for dataset, profile in itertools.product(DATASETS, ("auto", UNBALANCED)):
        path = RESULTS / f"{dataset}-{profile}" / "initial" / "converged-steps.json"
        if budget := read_record(path, Budget):
            tried = zip(budget.steps, budget.jaccard, strict=True)
            lines += [[dataset, profile, f"{steps:,}", f"{jaccard:.3f}"] for steps, jaccard in tried]
    return table(["dataset", "profile", "steps", "Jaccard on dev"], lines)


def _demo() -> str:
    """Two classes that cover most of the image: the embedded images of the demo."""
    lines = []
    for strategy in STRATEGIES:
        for seed, course in read_courses("demo-auto", strategy).items():
            scores = [f"{jaccard:.3f}" for jaccard in course.jaccard.values()]
            last = course.rows[max(course.rows)]
            of_classes = [f"{float(last[f'jaccard_{name}']):.3f}" for name in ("axon", "myelin")]
            minutes = f"{float(last['effort_seconds']) / 60:.0f}"
            about = [strategy, str(seed), *scores, *of_classes]
            lines.append([*about, f"{float(last['foreground_share']):.0%}", minutes])
    sizes = [*map(str, range(10, 60, 10))]
    head = ["strategy", "seed", *sizes, "axon", "myelin", "foreground", "painting, min"]
    return table(head, lines)


def _cost() -> str:
    """Seconds for each part of a run, medians over all seeds and rounds, and minutes for all."""
    lines = []
    for dataset, profile in itertools.product(DATASETS, (*FORERUNNERS[1:], "auto", TWO_CORES)):
        rows = results_of(f"{dataset}-{profile}")
        for strategy in ("random", "auto"):
            own = [row for row in rows if row["strategy"] == strategy]
            first = [float(row["train_s"]) for row in own if row["round"] == "0"]
            later = [float(row["train_s"]) for row in own if row["round"] != "0"]
            scored = [float(row["score_s"]) for row in own if row["score_s"]]
            evaluated = [float(row["evaluate_s"]) for row in own]
            if later:
                parts = [median(values) for values in (first, later, scored, evaluated)]
                least, next_one = sorted({int(row["labelled_patches"]) for row in own})[:2]
                whole = sum(parts) + (200 - least) / (next_one - least) * sum(parts[1:])
                lines.append([dataset, profile, strategy, *(f"{s:.0f}" for s in parts), f"{whole / 60:.0f}"])
    head = ["dataset", "profile", "strategy", "first network, s", "a later one, s", "picking, s"]
    return table([*head, "evaluating, s", "to 200 labels, min"], lines)


if __name__ == "__main__":
    main()
