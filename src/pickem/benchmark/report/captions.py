"""What the page says in sentences: under its figures, in its warnings, and of how its numbers are made."""

from __future__ import annotations

from pickem.benchmark.report.paper import DATASETS_OF_THE_PAPER, PaperResults
from pickem.benchmark.report.picks_figure import PickPanels
from pickem.benchmark.report.scale_bar import ScaleBar
from pickem.benchmark.report.segmentation_figure import LABELS, SegmentationPanels
from pickem.benchmark.report.statistics import FEWEST_FOR_INTERVAL
from pickem.benchmark.report.summary import Summary

_MOST_UNFINISHED = 12  # runs named; those of a queue that has just begun would fill the screen


def lead(summary: Summary) -> str:
    """What was run."""
    run = summary.results.run
    seeds = {len(group) for group in summary.curves.values()}
    counted = f"{min(seeds)}" if len(seeds) == 1 else f"{min(seeds)} to {max(seeds)}" if seeds else "no"
    parts = [
        f"Active learning benchmark: {_count(len(summary.curves), 'strategy', 'strategies')}, "
        f"{counted} {'seed' if counted == '1' else 'seeds'} each.",
        f"Foreground: {', '.join(summary.results.classes)}." if summary.results.classes else "",
        f"Profile: {run.profile}." if run.profile else "",
        f"Annotation: {run.annotation}." if run.annotation else "",
    ]
    return " ".join(part for part in parts if part)


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def warnings(summary: Summary) -> list[str]:
    """What a reader has to know before any number."""
    said = []
    if summary.has_points_only:
        which = "All" if summary.most_seeds < FEWEST_FOR_INTERVAL else "Some"
        said.append(
            f"{which} strategies have fewer than {FEWEST_FOR_INTERVAL} seeds: points only, no intervals and "
            "no tests for them. A difference between them may be chance."
        )
    if summary.unfinished:
        shown = summary.unfinished[:_MOST_UNFINISHED]
        more = len(summary.unfinished) - len(shown)
        said.append(f"Not finished: {'; '.join(shown)}{f'; and {more} more' if more else ''}.")
    return said


def learning_curves(summary: Summary, paper: PaperResults | None) -> str:
    """Caption of Figure 2: only what is to be seen in this one."""
    parts = ["Jaccard index on the evaluated split against labelled patches, mean over n seeds."]
    if summary.most_seeds >= FEWEST_FOR_INTERVAL:
        parts.append(f"Bands: 95 % t intervals, where there are {FEWEST_FOR_INTERVAL} seeds or more.")
    if summary.has_points_only and summary.most_seeds > 1:
        parts.append(
            f"Where there are fewer than {FEWEST_FOR_INTERVAL}, the symbols are single seeds, moved a little "
            "sideways to be told apart, and the faint line is their mean."
        )
    if any(len({curve.last for curve in group}) > 1 for group in summary.curves.values()):
        parts.append("Light parts of a line: not all seeds have come this far.")
    if paper:
        parts.append(
            "Thin dashed: the paper’s curves of the strategies run here, apparently one run each (it does "
            "not say), as far as they lie in the range drawn."
        )
    return " ".join(parts)


def paper_comparable(summary: Summary, paper: PaperResults | None) -> str:
    """Why the paper's curves are in Figure 2, or why not."""
    run = summary.results.run
    if paper:
        return "Dataset, annotation and split are the paper’s, so its curves are drawn beside ours."
    return (
        "The paper’s own curves are not drawn: they were measured on the test split of "
        f"{', '.join(DATASETS_OF_THE_PAPER)} with the original annotation. "
        f"This is {run.dataset}, {run.split or 'unnamed'} split."
    )


def segmentations(panels: SegmentationPanels) -> str:
    """Caption of Figure 3."""
    parts = [f"The same crop after {panels.labelled} labelled patches, seed {panels.seed}."]
    if panels.labelled < LABELS:
        parts.append(f"(The largest number up to {LABELS} that all of them have reached.)")
    parts.append("In brackets the Jaccard of that network on the whole split, not on the crop.")
    if panels.full is not None:
        parts.append(f"Full supervision: {panels.full[0]}.")
    if panels.left_out:
        parts.append(f"Without images so far: {', '.join(panels.left_out)}.")
    parts.append(_length_of(panels.scale_bar))
    return " ".join(parts)


def picks(panels: PickPanels) -> str:
    """Caption of Figure 4."""
    return (
        f"The first pick of each of the first queries of {panels.strategy}, seed {panels.seed}, as the "
        "network of that moment saw it: the image, the predicted probability of foreground, and the "
        "confidence, which is the probability of the likeliest class (eq. 2 of the paper); dark is unsure. "
        f"{_length_of(panels.scale_bar)}"
    )


def missing_images(panels: SegmentationPanels | None, picks: PickPanels | None) -> str:
    """Why Figure 3 or 4 is not there; nothing where both are."""
    reasons = []
    if panels is None:
        reasons.append(
            f"Figure 3 is not drawn: there is no image of a segmentation after {LABELS} labels or fewer, or "
            "none that the strategies to be shown share."
        )
    if picks is None:
        reasons.append("Figure 4 is not drawn: there is no image of a pick.")
    if reasons:
        reasons.append(
            "A benchmark keeps such images in runs/STRATEGY/seed-NNN/views/ as it runs, those of picks from "
            "the second round on; a copy of its folder may have been made without them."
        )
    return " ".join(reasons)


def _length_of(bar: ScaleBar | None) -> str:
    if bar is None:
        return "No scale bar: run.toml does not say how large a pixel is."
    return f"Scale bar: {bar.label}."


def by_pixels() -> str:
    """Caption of Figure 2 against pixels."""
    return "Against distinct labelled pixels: where patches overlap, a pixel counts once."


def by_effort() -> str:
    """Caption of Figure 2 against effort."""
    return (
        "Against the estimated time of a person, from the objects and the contour length in each patch: an "
        "estimate by formula, not a recording of people."
    )


def methods(summary: Summary) -> list[str]:
    """How each number is made, a sentence or two each."""
    within = summary.within
    span = f"{within.start} to {within.stop} labelled patches" if within else "the labels common to all"
    classes = len(summary.results.classes)
    mean = f", the mean of the {classes} foreground classes" if classes > 1 else ""
    return [
        f"Jaccard: intersection over union of the foreground over all evaluated voxels at once{mean}.",
        "AUC: the area under the learning curve by the trapezoidal rule divided by the length of the range, "
        f"{span}, so it is the mean Jaccard over that range. Only seeds that span the range count.",
        "Labels to random’s end: the median over seeds of the number of labelled patches at which the curve "
        "first reaches what random, in the same seed, has at the end of the range; straight lines between "
        "rounds. “(k of n)”: only k of n seeds reach it within the range.",
        "Label saving: the labels that the baseline needs to reach its own final Jaccard divided by the "
        "labels that the strategy needs, both by first crossing, so that a lucky round helps both alike; the "
        "geometric mean over seeds.",
        "A seed in which the strategy never gets there counts with the end of the range, which flatters the "
        "strategy. The saving is then printed as an upper bound (<) without interval, and its test counts as "
        "failed. Such seeds are never left out: that would flatter more.",
        "Intervals are 95 % t intervals over seeds; where two strategies are compared, of the differences "
        f"within seeds. They and the tests need {FEWEST_FOR_INTERVAL} seeds. p-values are of paired t tests, "
        "Holm-corrected over all strategies compared with one baseline in one measure. Bold: p < 0.05.",
        "The paper: Roels & Saeys (2019), Cost-efficient segmentation of electron microscopy images using "
        "active learning, arXiv:1911.05548.",
    ]
