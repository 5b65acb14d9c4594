"""Make the report of a folder of runs: read, compute, draw, write."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pickem.benchmark.report.curves import Cost
from pickem.benchmark.report.learning_curve_figure import learning_curve_figure
from pickem.benchmark.report.page import page
from pickem.benchmark.report.paper import PaperResults, comparable_paper_results
from pickem.benchmark.report.picks_figure import PickPanels, choose_picks, picks_figure
from pickem.benchmark.report.results_table import read_results
from pickem.benchmark.report.segmentation_figure import (
    SegmentationPanels,
    choose_panels,
    default_strategies,
    segmentation_figure,
)
from pickem.benchmark.report.style import RenderedFigure, render, settings
from pickem.benchmark.report.summary import Summary, summarise
from pickem.durable import write_durably
from pickem.errors import UnknownStrategyError, nearest_names


@dataclass(frozen=True)
class Report:
    """A report that was written, and the numbers in it."""

    page: Path
    figures: tuple[Path, ...]  # PNG and SVG
    summary: Summary


def write_report(directory: Path, strategies: Sequence[str] = (), *, paper: bool = True) -> Report:
    """Write `DIR/report/`: report.html, and each figure as PNG and SVG. Every file is replaced atomically.

    directory: the folder of a benchmark, finished or not.
    strategies: those shown in Figure 3; without any, the paper's choice as far as it was run.
    paper: draw the paper's own curves where they are comparable.

    Raises NoResultsError, JournalError and StorageError as `read_results` and the views do, and
    UnknownStrategyError for a strategy that was not run.
    """
    summary = summarise(read_results(directory))
    shown = _checked(strategies, summary) or default_strategies(list(summary.curves))
    published = comparable_paper_results(summary.results.run) if paper else None
    nm_per_pixel = summary.results.run.nm_per_pixel
    panels = choose_panels(directory, shown, nm_per_pixel)
    picks = choose_picks(directory, list(summary.curves), nm_per_pixel)
    with settings():
        figures = list(_figures(summary, published, panels, picks))
    folder = directory / "report"
    files = []
    for figure in figures:
        for suffix, data in (("svg", figure.svg), ("png", figure.png)):
            files.append(folder / f"{figure.name}.{suffix}")
            write_durably(files[-1], data)
    html = page(summary, {figure.name: figure for figure in figures}, published, panels, picks)
    write_durably(folder / "report.html", html.encode())
    return Report(folder / "report.html", tuple(files), summary)


def _figures(
    summary: Summary,
    paper: PaperResults | None,
    panels: SegmentationPanels | None,
    picks: PickPanels | None,
) -> Iterator[RenderedFigure]:
    classes = summary.results.classes
    named = {"figure-2": Cost.PATCHES, "figure-2-pixels": Cost.PIXELS, "figure-2-effort": Cost.EFFORT}
    for name, cost in named.items():
        figure = learning_curve_figure(summary.curves, summary.results.full_supervision, cost, paper)
        if figure is not None:
            yield render(name, figure)
    if panels is not None:
        yield render("figure-3", segmentation_figure(panels, classes))
    if picks is not None:
        yield render("figure-4", picks_figure(picks, len(classes)))


def _checked(strategies: Sequence[str], summary: Summary) -> tuple[str, ...]:
    for name in strategies:
        if name not in summary.curves:
            raise UnknownStrategyError(
                "The figure cannot show a strategy that was not run.",
                got=name,
                expected=f"one of {', '.join(summary.curves)}",
                todo=nearest_names(name, summary.curves),
            )
    return tuple(dict.fromkeys(strategies))
