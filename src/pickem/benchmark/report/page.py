"""The page of the report: one HTML file that needs nothing else, no script, no network.

It says first what may be wrong with what follows: too few seeds, runs that are not finished.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from importlib import resources
from typing import Any

from pickem.benchmark.report import captions, markup
from pickem.benchmark.report.comparison import BASELINES
from pickem.benchmark.report.paper import PaperResults
from pickem.benchmark.report.picks_figure import PickPanels
from pickem.benchmark.report.segmentation_figure import SegmentationPanels
from pickem.benchmark.report.style import RenderedFigure
from pickem.benchmark.report.summary import Summary
from pickem.benchmark.report.tables import (
    class_table,
    comparison_table,
    main_table,
    paper_table,
    verdict,
)


def page(
    summary: Summary,
    figures: Mapping[str, RenderedFigure],
    paper: PaperResults | None,
    panels: SegmentationPanels | None,
    picks: PickPanels | None,
) -> str:
    """The whole document. Figures are found by the names of their files; absent ones are left out."""
    run = summary.results.run
    title = f"{run.dataset}, {run.split} split" if run.split else run.dataset
    curves = captions.learning_curves(summary, paper)
    sections = [
        markup.section(
            "Learning curves",
            markup.figure(figures.get("figure-2"), "Figure 2", curves),
            markup.paragraph(captions.paper_comparable(summary, paper), "note"),
        ),
        markup.section("Results", markup.table(main_table(summary)), markup.table(class_table(summary))),
        markup.section("Against the baselines", *_comparisons(summary)),
        markup.section("The same, by what labels cost", _cost_figures(figures)),
        markup.section("Segmentations", *_segmentations(figures, panels, picks)),
        markup.section("The paper’s numbers", markup.table(paper_table(summary, paper))) if paper else "",
        markup.section(
            "How the numbers are made", markup.bullets(captions.methods(summary)), _settings(run.tables)
        ),
    ]
    style = (resources.files("pickem.benchmark.report") / "page.css").read_text(encoding="utf-8")
    body = "\n".join(part for part in (*_opening(summary, title), *sections) if part)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<link rel="icon" href="data:,">\n'
        f"<title>pickem: {escape(title)}</title>\n<style>\n{style}</style>\n</head>\n"
        f"<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


def _opening(summary: Summary, title: str) -> list[str]:
    verdicts = [said for name in BASELINES if (said := verdict(summary, name)) is not None]
    return [
        f"<h1>{escape(title)}</h1>",
        markup.paragraph(captions.lead(summary), "lead"),
        markup.notice(captions.warnings(summary)),
        *(markup.paragraph(said) for said in verdicts),
    ]


def _comparisons(summary: Summary) -> list[str]:
    tables = [comparison_table(summary, name) for name in BASELINES]
    if not any(tables):
        return [
            markup.paragraph("There is nothing to compare yet: no baseline has run beside another strategy.")
        ]
    missing = [name for name in BASELINES if name not in summary.curves]
    note = f"Not run: {', '.join(missing)}. A gain over random alone is weaker evidence." if missing else ""
    return [*map(markup.table, tables), markup.paragraph(note, "note") if note else ""]


def _cost_figures(figures: Mapping[str, RenderedFigure]) -> str:
    pixels = markup.figure(figures.get("figure-2-pixels"), "Figure 2, by pixels", captions.by_pixels())
    effort = markup.figure(figures.get("figure-2-effort"), "Figure 2, by effort", captions.by_effort())
    return f'<div class="pair">\n{pixels}\n{effort}\n</div>' if pixels or effort else ""


def _segmentations(
    figures: Mapping[str, RenderedFigure], panels: SegmentationPanels | None, picks: PickPanels | None
) -> list[str]:
    """Figures 3 and 4, or why they are not there."""
    missing = captions.missing_images(panels, picks)
    third, fourth = figures.get("figure-3"), figures.get("figure-4")
    return [
        markup.figure(third, "Figure 3", captions.segmentations(panels)) if panels else "",
        markup.figure(fourth, "Figure 4", captions.picks(picks)) if picks else "",
        markup.paragraph(missing, "note") if missing else "",
    ]


def _settings(tables: Mapping[str, Mapping[str, Any]]) -> str:
    flat = {f"{name}.{key}": value for name, table in tables.items() for key, value in _flat(table).items()}
    return markup.folded("Settings and machines", markup.definitions(flat)) if flat else ""


def _flat(table: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in table.items():
        if isinstance(value, Mapping):
            found |= {f"{key}.{inner}": nested for inner, nested in _flat(value).items()}
        else:
            found[key] = value
    return found
