"""What a figure must show to be understood, looked up in the figure itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from pickem.benchmark.report.curves import Cost, learning_curves
from pickem.benchmark.report.learning_curve_figure import learning_curve_figure
from pickem.benchmark.report.results_table import read_results
from pickem.benchmark.report.segmentation_figure import choose_panels, segmentation_figure
from tests.fixtures.synthetic_runs import SyntheticRuns, write_runs

CLASSES = ("axon", "myelin")


def test_single_seeds_of_different_strategies_lie_beside_each_other(tmp_path: Path) -> None:
    names = ("random", "entropy", "bald")
    runs = SyntheticRuns(strategies=names, seeds=2, rounds=4, full=False, views=False)
    figure = learning_curve_figure(
        learning_curves(read_results(write_runs(tmp_path, runs))), {}, Cost.PATCHES
    )
    assert figure is not None
    drawn = [line for line in figure.axes[0].lines if line.get_linestyle() == "None"]
    places = [np.unique(np.asarray(line.get_xdata())) for line in drawn]
    assert len(places) == len(names)
    assert all(np.abs(place - [20, 40, 60, 80]).max() < 5 for place in places), "nearest to its own round"
    assert len(np.unique(places)) == 4 * len(names)


@pytest.mark.parametrize("classes", [CLASSES[:1], CLASSES])
def test_colours_of_the_legend_are_those_in_the_image(tmp_path: Path, classes: tuple[str, ...]) -> None:
    runs = SyntheticRuns(strategies=("random",), seeds=1, rounds=2, classes=classes)
    panels = choose_panels(write_runs(tmp_path, runs), ["random"], nm_per_pixel=None)
    assert panels is not None
    figure = segmentation_figure(panels, classes)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    pixels = np.asarray(canvas.buffer_rgba())[..., :3].astype(int)
    legend = figure.legends[0]
    above = pixels[: int(pixels.shape[0] - legend.get_window_extent().y1)]
    swatches = legend.get_patches()
    assert len(swatches) == len(classes) + (2 if len(classes) == 1 else 3)
    for swatch in swatches:
        colour = np.round(255 * np.array(swatch.get_facecolor()[:3]))
        assert swatch.get_alpha() is None
        alike = (np.abs(above - colour).max(axis=2) <= 10).sum()
        assert alike > 20, f"{swatch.get_label()} is not to be found in the image"
