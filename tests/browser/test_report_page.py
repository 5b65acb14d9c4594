"""The report's page in a real browser, at the width of a phone and of a screen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from pickem.benchmark.report import write_report
from tests.fixtures.synthetic_runs import SyntheticRuns, write_runs

PHONE, SCREEN = 390, 1280  # pixels


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with all it can hold: five seeds, the paper's curves, two classes, an unfinished run."""
    runs = SyntheticRuns(dataset="vnc", rounds=8, classes=("axon", "myelin"), stopped={("k-means", 4): 3})
    return write_report(write_runs(tmp_path_factory.mktemp("report"), runs)).page


@pytest.fixture(params=[PHONE, SCREEN])
def page(browser: Browser, report: Path, request: pytest.FixtureRequest) -> Iterator[Page]:
    """The report, opened."""
    context = browser.new_context(viewport={"width": request.param, "height": 844})
    page = context.new_page()
    page.goto(report.as_uri())
    yield page
    context.close()


def test_the_page_never_scrolls_sideways(page: Page) -> None:
    width = page.evaluate("window.innerWidth")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    inside = page.evaluate(
        """[...document.querySelectorAll('body *')]
           .filter(e => !e.closest('.scroll table') && !e.closest('svg'))
           .map(e => e.getBoundingClientRect().right)"""
    )
    assert max(inside) <= width + 0.5


def test_every_figure_is_drawn_and_fits(page: Page) -> None:
    figures = page.locator("figure svg")
    assert figures.count() == 5
    width = page.evaluate("window.innerWidth")
    for i in range(5):
        box = figures.nth(i).bounding_box()
        assert box is not None
        assert box["width"] > 0.7 * min(width, 560)
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        assert 0.3 < box["height"] / box["width"] < 2


def test_lettering_has_one_size_and_is_no_larger_than_text(browser: Browser, tmp_path: Path) -> None:
    """A benchmark of two rounds has one query: a Figure 4 that is a third as wide as the others."""
    runs = SyntheticRuns(strategies=("random", "entropy"), seeds=2, rounds=2)
    context = browser.new_context(viewport={"width": SCREEN, "height": 844})
    page = context.new_page()
    page.goto(write_report(write_runs(tmp_path, runs)).page.as_uri())
    pixels_per_point = page.evaluate(
        """[...document.querySelectorAll('figure svg')]
           .map(svg => svg.getBoundingClientRect().width / svg.viewBox.baseVal.width)"""
    )
    context.close()
    assert len(pixels_per_point) == 5
    assert 7 * min(pixels_per_point) >= 12
    assert 7 * max(pixels_per_point) <= 16, "figures are lettered in 7 points"


def test_a_wide_table_can_be_scrolled_to_its_end_with_the_names_in_sight(page: Page) -> None:
    table = page.locator(".scroll").first
    table.evaluate("element => element.scrollLeft = element.scrollWidth")
    width = page.evaluate("window.innerWidth")
    last = table.locator("thead th").last.bounding_box()
    name = table.locator("tbody th").first.bounding_box()
    assert last is not None
    assert name is not None
    assert last["x"] + last["width"] <= width
    assert name["x"] >= 0


def test_text_is_dark_on_light_and_large_enough(page: Page) -> None:
    size, ink, paper = page.evaluate(
        """(() => { const s = getComputedStyle(document.body);
                    return [parseFloat(s.fontSize), s.color, s.backgroundColor]; })()"""
    )
    assert size >= 16
    assert _brightness(ink) < 64
    assert _brightness(paper) > 240


def test_it_asks_for_nothing_and_complains_of_nothing(browser: Browser, report: Path) -> None:
    context = browser.new_context(viewport={"width": PHONE, "height": 844})
    page = context.new_page()
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(report.as_uri(), wait_until="networkidle")
    context.close()
    assert [url for url in asked if not url.startswith("data:")] == [report.as_uri()]
    assert complaints == []


def test_it_is_whole_without_javascript(browser: Browser, report: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(report.as_uri())
    assert page.locator("h1").inner_text() == "vnc, test split"
    assert page.locator("table").count() == 5
    assert page.locator("figure svg").count() == 5
    context.close()


def _brightness(colour: str) -> float:
    """Mean of the channels of a computed "rgb(r, g, b)"."""
    channels = [float(part) for part in colour[colour.index("(") + 1 : -1].split(",")[:3]]
    return sum(channels) / 3
