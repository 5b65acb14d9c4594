"""Figure 3: one crop as networks with few labels segment it, their errors, and full supervision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray

from pickem.acquisition import UNLABELLED
from pickem.benchmark.report.results_table import FULL_SUPERVISION
from pickem.benchmark.report.scale_bar import ScaleBar, draw_scale_bar, scale_bar
from pickem.benchmark.report.stored_views import (
    EvaluationView,
    ViewFolder,
    read_evaluation_view,
)
from pickem.benchmark.report.style import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    SKY_BLUE,
    VERMILLION,
    YELLOW,
    new_figure,
)

LABELS = 120  # patches (paper, Figure 3)
PREFERRED = ("random", "k-means", "entropy", "auto")  # the paper's choice
WIDTH_MM, COLUMNS = 100.0, 3  # at most so many side by side
_LEGEND_COLUMNS = 3
_CLASS_COLOURS = (SKY_BLUE, GREEN, BLUE, ORANGE)
_FALSE_NEGATIVE, _FALSE_POSITIVE, _CONFUSED = PURPLE, VERMILLION, YELLOW
_RIGHT_OPACITY, _ERROR_OPACITY = 0.4, 0.85  # errors are what is to be seen


@dataclass(frozen=True)
class SegmentationPanels:
    """What Figure 3 shows: one seed, one number of labels, all strategies the same."""

    labelled: int
    seed: int
    by_strategy: dict[str, EvaluationView]
    full: tuple[str, EvaluationView] | None  # name and view
    left_out: tuple[str, ...]  # strategies asked for that have no such view
    nm_per_pixel: float | None

    @property
    def scale_bar(self) -> ScaleBar | None:
        """Of the raw image; None where the size of a pixel is not known."""
        width = next(iter(self.by_strategy.values())).image.shape[1]
        return scale_bar(width, self.nm_per_pixel) if self.nm_per_pixel else None


def default_strategies(available: Sequence[str]) -> tuple[str, ...]:
    """The paper's choice where it was run, filled up to three with what was."""
    chosen = [name for name in PREFERRED if name in available]
    chosen += [name for name in available if name not in chosen]
    return tuple(chosen[:3])


def choose_panels(
    directory: Path, strategies: Sequence[str], nm_per_pixel: float | None
) -> SegmentationPanels | None:
    """The views at LABELS labels, else at the largest smaller number that all strategies share.

    All from the same seed, the lowest that has them. Strategies without any view up to LABELS are left out.
    None where no strategy has one. Raises JournalError where a view is damaged.
    """
    folders = {name: ViewFolder(directory, name) for name in strategies}
    counts = {
        name: {(n, -seed) for seed in folder.seeds for n in folder.evaluations(seed) if n <= LABELS}
        for name, folder in folders.items()
    }
    shown = {name: found for name, found in counts.items() if found}
    if not shown:
        return None
    common = set.intersection(*shown.values())
    if not common:
        return None
    labelled, minus_seed = max(common)
    seed = -minus_seed
    views = {name: read_evaluation_view(folders[name].evaluations(seed)[labelled]) for name in shown}
    left_out = tuple(name for name in strategies if name not in shown)
    return SegmentationPanels(labelled, seed, views, _full_view(directory, seed), left_out, nm_per_pixel)


def segmentation_figure(panels: SegmentationPanels, classes: Sequence[str]) -> Figure:
    """Raw image, ground truth, each strategy, full supervision; Jaccard of the whole split in brackets."""
    first = next(iter(panels.by_strategy.values()))
    predictions = list(panels.by_strategy.items())
    if panels.full is not None:
        predictions.append(("full supervision", panels.full[1]))
    count = 2 + len(predictions)
    rows = -(-count // COLUMNS)
    columns = -(-count // rows)  # four panels stand as two and two
    height, width = first.image.shape
    panel_mm = WIDTH_MM / columns
    handles = _legend(first, classes)
    legend_rows = -(-len(handles) // _LEGEND_COLUMNS)
    figure = new_figure(WIDTH_MM, rows * (panel_mm * height / width + 2.5) + 4 * legend_rows + 2)
    grid = [figure.add_subplot(rows, columns, i + 1) for i in range(count)]
    _show(grid[0], first.image, "image")
    if panels.scale_bar:
        draw_scale_bar(grid[0], panels.scale_bar, thickness=height / 60)
    _show(grid[1], first.image, "ground truth")
    _overlay(grid[1], _truth_colours(first.truth, len(classes)))
    for axes, (name, view) in zip(grid[2:], predictions, strict=True):
        _show(axes, view.image, f"{name} ({view.jaccard:.3f})")
        _overlay(axes, _prediction_colours(view, len(classes)))
    figure.legend(
        handles=handles, loc="outside lower center", ncols=min(len(handles), _LEGEND_COLUMNS), handlelength=1
    )
    return figure


def _full_view(directory: Path, seed: int) -> tuple[str, EvaluationView] | None:
    for name in FULL_SUPERVISION:
        folder = ViewFolder(directory, name)
        for candidate in sorted(folder.seeds, key=lambda other: (other != seed, other)):
            if (path := folder.full(candidate)) is not None:
                return name, read_evaluation_view(path)
    return None


def _show(axes: Axes, image: NDArray[np.uint8], title: str) -> None:
    axes.imshow(image, cmap="gray", vmin=0, vmax=255, interpolation="none")
    axes.set_title(title, pad=2)
    axes.set_axis_off()


def _overlay(axes: Axes, colours: NDArray[np.uint8]) -> None:
    axes.imshow(colours, interpolation="none")


def _truth_colours(truth: NDArray[np.uint8], classes: int) -> NDArray[np.uint8]:
    """(h, w, 4) uint8 RGBA: each foreground class in its colour, unlabelled pixels in grey."""
    return _paint(truth.shape, [*_class_layers(truth, classes), (truth == UNLABELLED, GREY, _ERROR_OPACITY)])


def _prediction_colours(view: EvaluationView, classes: int) -> NDArray[np.uint8]:
    """(h, w, 4) uint8 RGBA: what is right in the colour of its class; over it the false negatives, the false
    positives, and where one class was taken for another."""
    truth, predicted = view.truth, view.prediction
    known = truth != UNLABELLED
    errors = [
        (known & (truth > 0) & (predicted == 0), _FALSE_NEGATIVE, _ERROR_OPACITY),
        (known & (truth == 0) & (predicted > 0), _FALSE_POSITIVE, _ERROR_OPACITY),
        (known & (truth > 0) & (predicted > 0) & (truth != predicted), _CONFUSED, _ERROR_OPACITY),
    ]
    return _paint(truth.shape, [*_class_layers(np.where(known, predicted, 0), classes), *errors])


Layer = tuple[NDArray[np.bool_], str, float]  # where, colour, opacity


def _class_layers(labels: NDArray[np.uint8], classes: int) -> list[Layer]:
    return [(labels == c + 1, _class_colour(c), _RIGHT_OPACITY) for c in range(classes)]


def _class_colour(index: int) -> str:
    return _CLASS_COLOURS[index % len(_CLASS_COLOURS)]


def _paint(shape: tuple[int, ...], layers: Sequence[Layer]) -> NDArray[np.uint8]:
    """The layers over each other; a later one hides those before it."""
    colours = np.zeros((*shape, 4), dtype=np.uint8)
    for where, colour, opacity in layers:
        colours[where] = (*bytes.fromhex(colour[1:]), round(255 * opacity))
    return colours


def _legend(view: EvaluationView, classes: Sequence[str]) -> list[Patch]:
    right = [(name, _class_colour(c), _RIGHT_OPACITY, view.truth == c + 1) for c, name in enumerate(classes)]
    foreground = (view.truth > 0) & (view.truth != UNLABELLED)
    errors = [
        ("false negative", _FALSE_NEGATIVE, foreground),
        ("false positive", _FALSE_POSITIVE, ~foreground),
    ]
    if len(classes) > 1:
        errors.append(("wrong class", _CONFUSED, foreground))
    wrong = [(name, colour, _ERROR_OPACITY, where) for name, colour, where in errors]
    return [
        Patch(facecolor=_as_painted(view.image, *layer), edgecolor="none", label=name)
        for name, *layer in (*right, *wrong)
    ]


def _as_painted(image: NDArray[np.uint8], colour: str, opacity: float, where: NDArray[np.bool_]) -> str:
    """#rrggbb: how a layer looks on tissue of the typical grey of where it is painted."""
    grey = float(np.median(image[where] if where.any() else image))
    channels = [opacity * channel + (1 - opacity) * grey for channel in bytes.fromhex(colour[1:])]
    return "#" + bytes(map(round, channels)).hex()
