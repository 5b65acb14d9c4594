"""How figures look, with one colour and one marker per strategy in all of them, and how they become files.

The colours are those of Okabe & Ito (2008), "Color universal design", which people with any common form of
colour blindness can tell apart; the markers carry the same information once more.
"""

from __future__ import annotations

import io
import re
import zlib
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import matplotlib
from matplotlib.figure import Figure

BLACK, GREY = "#000000", "#8c8c8c"
ORANGE, SKY_BLUE, GREEN, YELLOW = "#e69f00", "#56b4e9", "#009e73", "#f0e442"
DARK_YELLOW = "#a39600"  # for thin lines, which cannot be seen in yellow on white
BLUE, VERMILLION, PURPLE = "#0072b2", "#d55e00", "#cc79a7"
PALETTE = (BLUE, ORANGE, GREEN, VERMILLION, SKY_BLUE, PURPLE, YELLOW)  # for objects side by side

INCH_PER_MM = 1 / 25.4
_POINTS_PER_INCH = 72
_REM_PER_MM = 0.375  # makes the 7 pt of figures a little smaller than the text of the page around them
DPI = 300
_SETTINGS: dict[Any, Any] = {
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same figure on every machine
    "font.size": 7,
    "axes.labelsize": 7,
    "axes.titlesize": 7,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.labelsize": 6.5,
    "ytick.labelsize": 6.5,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "legend.fontsize": 6.5,
    "legend.frameon": False,
    "svg.fonttype": "path",  # glyphs travel with the figure: no font of the reader's can break the layout
    "svg.hashsalt": "pickem",  # ids that are the same in every run
}


@dataclass(frozen=True, slots=True)
class LineStyle:
    """How the curve of a strategy is drawn."""

    colour: str
    marker: str
    filled: bool = True


_STYLES = MappingProxyType(
    {
        "auto": LineStyle(VERMILLION, "*"),
        "random": LineStyle(BLACK, "o"),
        "random-foreground": LineStyle(GREY, "o", filled=False),
        "entropy": LineStyle(VERMILLION, "s"),
        "least-confidence": LineStyle(ORANGE, "D"),
        "margin": LineStyle(DARK_YELLOW, "v"),
        "bald-entropy": LineStyle(BLUE, "^"),
        "bald": LineStyle(SKY_BLUE, "^", filled=False),
        "k-means": LineStyle(GREEN, "X"),
        "core-set": LineStyle(PURPLE, "P"),
    }
)
_OTHERS = tuple(
    LineStyle(colour, marker, filled=False)
    for marker in ("p", "h", "<", ">")
    for colour in (VERMILLION, BLUE, GREEN, PURPLE, ORANGE, SKY_BLUE)
)


def style_of(strategy: str) -> LineStyle:
    """The style of a strategy: fixed for those of pickem, and for any other by its name alone."""
    return _STYLES.get(strategy) or _OTHERS[zlib.crc32(strategy.encode()) % len(_OTHERS)]


@dataclass(frozen=True)
class RenderedFigure:
    """A figure as files: `svg` is a whole document, `png` has 300 dots per inch."""

    name: str
    svg: bytes
    png: bytes


def new_figure(width_mm: float, height_mm: float) -> Figure:
    """An empty figure of this size in print."""
    return Figure(figsize=(width_mm * INCH_PER_MM, height_mm * INCH_PER_MM), layout="constrained")


def settings() -> AbstractContextManager[None]:
    """A context in which figures are built and rendered in this style."""
    return matplotlib.rc_context(_SETTINGS)


def render(name: str, figure: Figure) -> RenderedFigure:
    """The files of a figure, the same bytes whenever the figure is the same. Call it within `settings()`."""
    svg, png = io.BytesIO(), io.BytesIO()
    figure.savefig(svg, format="svg", metadata={"Date": None, "Creator": "pickem"})
    figure.set_layout_engine("none")  # the PNG keeps the places that the SVG has
    figure.savefig(png, format="png", dpi=DPI, metadata={"Software": "pickem"})
    return RenderedFigure(name, svg.getvalue(), png.getvalue())


def inline_svg(figure: RenderedFigure, label: str) -> str:
    """The <svg> element for a page: as wide as there is room, but no wider than its lettering is readable, so
    that the lettering of all figures has one size. Ids are unique to the figure, `label` is read out.
    """
    text = figure.svg.decode()
    element = re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)
    element = re.sub(r' id="image[0-9a-f]+"', "", element)  # hashes of the content: equal for equal images
    element = re.sub(r'\bid="', f'id="{figure.name}-', element)
    element = element.replace("url(#", f"url(#{figure.name}-").replace('href="#', f'href="#{figure.name}-')
    opening, rest = element.split(">", 1)
    millimetres = float(re.findall(r'\swidth="([\d.]+)pt"', opening)[0]) / _POINTS_PER_INCH / INCH_PER_MM
    opening = re.sub(r'\s(width|height)="[^"]*"', "", opening)
    width = f"max-width:{millimetres * _REM_PER_MM:.2f}rem"
    return f'{opening} style="{width}" role="img" aria-label="{label}">{rest}'
