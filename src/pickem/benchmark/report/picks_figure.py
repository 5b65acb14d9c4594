"""Figure 4: the first patch of each of the first four queries, as the network of that moment saw it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from numpy.typing import NDArray

from pickem.benchmark.report.scale_bar import ScaleBar, draw_scale_bar, scale_bar
from pickem.benchmark.report.stored_views import PickView, ViewFolder, read_pick_view
from pickem.benchmark.report.style import new_figure

QUERIES = 4  # paper, Figure 4
PREFERRED = ("least-confidence", "auto", "entropy", "margin", "bald-entropy", "bald")
WIDTH_MM = 100.0
_BAR_WIDTH = 0.08  # of a panel
_MARGINS_MM = 15.0  # labels on the left, colour bars on the right


@dataclass(frozen=True)
class PickPanels:
    """What Figure 4 shows: one strategy and one seed."""

    strategy: str
    seed: int
    by_query: dict[int, PickView]  # query, from 1
    nm_per_pixel: float | None

    @property
    def scale_bar(self) -> ScaleBar | None:
        """Of the first image; None where the size of a pixel is not known."""
        width = next(iter(self.by_query.values())).image.shape[1]
        return scale_bar(width, self.nm_per_pixel) if self.nm_per_pixel else None


def choose_picks(directory: Path, strategies: Sequence[str], nm_per_pixel: float | None) -> PickPanels | None:
    """The first picks of `least-confidence` (the paper's choice), else of the next strategy that looks at
    uncertainty, else of any; of the lowest seed with most of them. None where no strategy has any.

    Raises JournalError where a view is damaged.
    """
    preferred = [name for name in PREFERRED if name in strategies]
    for name in (*preferred, *(name for name in strategies if name not in preferred)):
        folder = ViewFolder(directory, name)
        seeds = [seed for seed in folder.seeds if folder.picks(seed)]
        if seeds:
            seed = max(seeds, key=lambda one: (len(folder.picks(one)), -one))
            paths = list(folder.picks(seed).items())[:QUERIES]
            views = {query: read_pick_view(path) for query, path in paths}
            return PickPanels(name, seed, views, nm_per_pixel)
    return None


def picks_figure(panels: PickPanels, classes: int) -> Figure:
    """Columns are queries; rows are the image, the predicted foreground and the confidence, max_c p.

    classes: foreground classes; the confidence cannot fall below 1 / (classes + 1).
    """
    views = panels.by_query
    first = next(iter(views.values()))
    height, width = first.image.shape
    side = (WIDTH_MM - _MARGINS_MM) / QUERIES
    figure = new_figure(side * len(views) + _MARGINS_MM, 3 * side * height / width + 5)
    grid = figure.subplots(3, len(views) + 1, squeeze=False, width_ratios=[*([1.0] * len(views)), _BAR_WIDTH])
    for column, (query, view) in enumerate(views.items()):
        grid[0, column].set_title(f"query {query}", pad=3)
        _show(grid[0, column], view.image, "gray", 0, 255)
        probability = _show(grid[1, column], view.foreground, "magma", 0, 1)
        confidence = _show(grid[2, column], view.confidence, "cividis", 1 / (classes + 1), 1)
    if panels.scale_bar:
        draw_scale_bar(grid[0, 0], panels.scale_bar, thickness=height / 40)
    for axes, label in zip(grid[:, 0], ("image", "p(foreground)", "confidence"), strict=True):
        axes.set_ylabel(label)
    grid[0, -1].set_axis_off()
    for axes, drawn in ((grid[1, -1], probability), (grid[2, -1], confidence)):
        ticks = [float(value) for value in np.linspace(*drawn.get_clim(), 3)]
        figure.colorbar(drawn, cax=axes, ticks=ticks, format="%.2f").outline.set_visible(False)
    return figure


def _show(axes: Axes, image: NDArray[np.generic], colours: str, low: float, high: float) -> AxesImage:
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    return axes.imshow(image, cmap=colours, vmin=low, vmax=high, interpolation="none")
