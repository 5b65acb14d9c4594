"""The pictures of docs/results/fewer-labels.md: the courses on the test splits, by labels and by minutes.

python -m benchmarks.fewer_labels_figure
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.bars import BALANCED, LONGER
from benchmarks.courses import Course, read_courses, results_of
from benchmarks.machine import RESULTS
from benchmarks.savings import CORRECTING, FIRST_COMPARED, PAINTING
from pickem.benchmark.full_supervision import FULL_SUPERVISION
from pickem.benchmark.report.paper import paper_results
from pickem.benchmark.report.statistics import FEWEST_FOR_INTERVAL, t_interval

BY_LABELS, BY_MINUTES = RESULTS / "fewer-labels.png", RESULTS / "fewer-labels-minutes.png"
TICKS = (20, 40, 80, 160, 320, 500)
OURS = (
    ("auto", "auto", "#d55e00", "picked, auto"),
    ("auto", "random", "#0072b2", "random, auto"),
    ("auto", "random-foreground", "#009e73", "half with foreground, auto"),
    ("by-twenties", "auto", "#e69f00", "picked, by twenties"),
    ("full-resolution", "auto", "#999999", "picked, full resolution"),
)
ALL_LABELS = {  # folders, as far as they lie behind a dataset's name; on VNC `auto` balances by itself
    "vnc": (("auto", "-.", "all labels, balanced"), (LONGER, ":", "all labels, balanced")),
    "lucchi++": (("auto", ":", "all labels"), (BALANCED, "-.", "all labels, balanced")),
}
PAPERS = (
    ("entropy", "#d55e00", "paper: entropy"),
    ("least-confidence", "#cc79a7", "paper: least confidence"),
    ("random", "#0072b2", "paper: random"),
)


COMPARED = (
    ("auto", "auto", "#d55e00", "picked"),
    ("auto", "random", "#0072b2", "random"),
    ("auto", "random-foreground", "#009e73", "half with foreground"),
)
EFFORTS = ((PAINTING, "-", "painting"), (CORRECTING, ":", "correcting"))


def main() -> None:
    """Draw both datasets, twice."""
    _by_labels()
    _by_minutes()


def _by_labels() -> None:
    figure = Figure(figsize=(9.5, 4.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    _draw_ours(left, "vnc")
    _draw_papers(left)
    _draw_ours(right, "lucchi++")
    left.set(title="VNC", ylim=(0.25, 0.86), xlim=(18, 540))
    right.set(title="Lucchi++", ylim=(0.75, 0.92), xlim=(18, 220))
    for axes in (left, right):
        axes.set(xlabel="labelled patches", xscale="log")
        axes.set_xticks([tick for tick in TICKS if tick <= axes.get_xlim()[1]])
        axes.set_xticklabels([str(tick) for tick in TICKS if tick <= axes.get_xlim()[1]])
        axes.minorticks_off()
        _finish(axes)
    left.set_ylabel("Jaccard index (foreground)")
    figure.savefig(BY_LABELS, dpi=120)


def _by_minutes() -> None:
    figure = Figure(figsize=(9.5, 4.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    for axes, dataset in ((left, "vnc"), (right, "lucchi++")):
        for profile, strategy, colour, name in COMPARED:
            for column, style, doing in EFFORTS:
                courses = list(read_courses(f"{dataset}-{profile}", strategy).values())
                if courses:
                    label = f"{name}, {doing} (n = {len(courses)})"
                    _draw_by_minutes(axes, courses, column, color=colour, ls=style, label=label)
        axes.set_xlabel("a person's minutes")
        _bare(axes)
    handles, labels = left.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, fontsize=8, frameon=False)
    left.set(title="VNC", ylim=(0.6, 0.84), ylabel="Jaccard index (foreground)")
    right.set(title="Lucchi++", ylim=(0.75, 0.9))
    figure.savefig(BY_MINUTES, dpi=120)


def _draw_by_minutes(
    axes: Axes, courses: Sequence[Course], column: str, color: str, ls: str, label: str
) -> None:
    """The mean from where all have FIRST_COMPARED labels to where the first of them ends.

    With its interval where the line is solid; more bands than two cannot be told apart.
    """
    start = max(course.spent(column, FIRST_COMPARED) for course in courses)
    seconds = np.linspace(start, min(course.column(column)[-1] for course in courses), 100)
    values = np.array([[course.after(column, spent) for spent in seconds] for course in courses])
    axes.plot(seconds / 60, values.mean(axis=0), color=color, ls=ls, label=label, lw=2)
    if ls == "-" and len(courses) >= FEWEST_FOR_INTERVAL:
        ends = [t_interval(list(at)) for at in values.T]
        axes.fill_between(seconds / 60, [e.low for e in ends], [e.high for e in ends], color=color, alpha=0.1)


def _bare(axes: Axes) -> None:
    axes.grid(axis="y", alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)


def _finish(axes: Axes) -> None:
    _bare(axes)
    axes.legend(frameon=False, fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=2)


def _draw_ours(axes: Axes, dataset: str) -> None:
    """Means over the seeds as far as all have come, with 95 % intervals from five seeds on."""
    for profile, strategy, colour, name in OURS:
        courses = list(read_courses(f"{dataset}-{profile}", strategy).values())
        if len(courses) < 2:
            continue
        known = [size for size in courses[0].jaccard if all(size in course.jaccard for course in courses)]
        sizes = [size for size in known if size >= TICKS[0]]
        values = np.array([[course.jaccard[size] for size in sizes] for course in courses])
        axes.plot(sizes, values.mean(axis=0), color=colour, label=f"{name} (n = {len(courses)})", lw=2)
        if len(courses) >= FEWEST_FOR_INTERVAL:
            ends = [t_interval(list(column)) for column in values.T]
            axes.fill_between(sizes, [e.low for e in ends], [e.high for e in ends], color=colour, alpha=0.15)
    for folder, style, name in ALL_LABELS[dataset]:
        for row in results_of(f"{dataset}-{folder}"):
            if row["strategy"] in FULL_SUPERVISION:
                label = f"{name}, {int(row['steps']):,} steps"
                axes.axhline(float(row["jaccard"]), color="black", ls=style, lw=1, label=label)


def _draw_papers(axes: Axes) -> None:
    paper = paper_results("vnc")
    for strategy, colour, name in PAPERS:
        curve = paper.curves[strategy]
        axes.plot(curve.labelled, curve.jaccard, color=colour, ls="--", lw=1, label=name)
    axes.axhline(paper.full_supervision, color="grey", ls="--", lw=1, label="paper: all labels")


if __name__ == "__main__":
    main()
