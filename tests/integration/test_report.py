"""The report of whole folders of runs: complete, incomplete, damaged."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pickem.benchmark.report import Report, main_table, write_report
from pickem.benchmark.report.paper import comparable_paper_results
from pickem.benchmark.report.results_table import read_results
from pickem.benchmark.report.summary import summarise
from pickem.errors import JournalError, NoResultsError, StorageError, UnknownStrategyError
from tests.fixtures.synthetic_runs import STRATEGIES, SyntheticRuns, jaccards, write_runs
from tests.integration.command_line import pickem, pickem_here

FIGURES = ("figure-2", "figure-2-pixels", "figure-2-effort", "figure-3", "figure-4")
FEW = SyntheticRuns(strategies=("random", "entropy"), seeds=2, rounds=3)


@pytest.fixture(scope="module")
def five_seeds(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """Five seeds, one of them stopped early; nothing of it may be the paper's."""
    runs = SyntheticRuns(dataset="lucchi++", rounds=8, stopped={("k-means", 4): 3})
    return write_report(write_runs(tmp_path_factory.mktemp("five"), runs))


@pytest.fixture(scope="module")
def few_seeds(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """Two seeds of two strategies."""
    return write_report(write_runs(tmp_path_factory.mktemp("few"), FEW))


def text_of(report: Report) -> str:
    return report.page.read_text(encoding="utf-8")


def test_every_figure_is_there_as_png_and_svg(five_seeds: Report) -> None:
    assert {path.stem for path in five_seeds.figures} == set(FIGURES)
    for name in FIGURES:
        with Image.open(five_seeds.page.with_name(f"{name}.png")) as image:
            assert image.info["dpi"] == pytest.approx((300, 300), abs=0.1)
            assert np.ptp(np.asarray(image.convert("L"))) > 200, "something dark on something light"
        root = ET.parse(five_seeds.page.with_name(f"{name}.svg")).getroot()
        assert root.tag.endswith("svg")


def test_the_page_is_well_formed_whole_and_alone(five_seeds: Report) -> None:
    page = text_of(five_seeds)
    checker = _Tags()
    checker.feed(page)
    assert checker.open == [], "every element is closed"
    assert len(checker.ids) == len(set(checker.ids)), "figures inline must not share ids"
    assert [name for name in FIGURES if f'<figure id="{name}"' not in page] == []
    assert "<script" not in page
    assert re.findall(r'(?:src|href)="https?:', page) == []
    assert 'name="viewport"' in page


def test_references_in_inline_figures_lead_somewhere(five_seeds: Report) -> None:
    checker = _Tags()
    page = text_of(five_seeds)
    checker.feed(page)
    targets = {*re.findall(r"url\(#([^)]+)\)", page), *re.findall(r'href="#([^"]+)"', page)}
    assert targets
    assert targets <= set(checker.ids)


def test_the_same_folder_gives_the_same_bytes(tmp_path: Path) -> None:
    directory = write_runs(tmp_path / "runs", FEW)
    first = {path.name: path.read_bytes() for path in _written(write_report(directory))}
    again = {path.name: path.read_bytes() for path in _written(write_report(directory))}
    assert first == again


def test_nothing_else_is_left_in_the_folder(five_seeds: Report) -> None:
    assert set(five_seeds.page.parent.iterdir()) == set(_written(five_seeds))


def test_five_seeds_have_intervals_and_corrected_p_values(five_seeds: Report) -> None:
    page = text_of(five_seeds)
    assert "p (Holm)" in page
    assert " ± " in page
    assert "Bands: 95 % t intervals" in page
    comparison = five_seeds.summary.comparisons["random"]["entropy"]
    assert comparison.area.interval is not None
    assert comparison.area.interval.low > 0
    assert comparison.saving.factor > 1


def test_few_seeds_have_points_only_and_the_page_says_so(few_seeds: Report) -> None:
    page = text_of(few_seeds)
    assert "fewer than 5 seeds: points only, no intervals and no tests" in page
    assert "the symbols are single seeds" in page
    assert "p (Holm)" not in page
    assert " ± 0." not in page
    assert "t intervals, where" not in page


def test_a_seed_that_stopped_is_named_and_counted(five_seeds: Report) -> None:
    page = text_of(five_seeds)
    assert "k-means, seed 4: at 60 labels" in page
    assert five_seeds.summary.comparisons["random"]["k-means"].n == 4
    assert "(n = 4)" in page


def test_jaccard_at_fixed_counts_is_the_mean_over_seeds_and_blank_beyond(five_seeds: Report) -> None:
    runs = SyntheticRuns(rounds=8)
    expected = np.mean([jaccards(runs, "entropy", seed)[4] for seed in range(5)])
    entropy = next(line for line in five_seeds.summary.strategies if line.strategy == "entropy")
    values = dict(zip(five_seeds.summary.counts, entropy.jaccard, strict=True))
    at_100 = values[100]
    assert at_100 is not None
    assert at_100.mean == pytest.approx(expected, abs=1e-6)
    assert values[500] is None


def test_labels_that_are_never_enough_are_printed_as_censored(five_seeds: Report) -> None:
    needed = next(line for line in five_seeds.summary.strategies if line.strategy == "k-means").needed
    assert needed is not None
    assert needed.median is None
    assert "<td>&gt; 160</td>" in text_of(five_seeds)


@pytest.mark.parametrize(
    ("dataset", "split", "drawn"),
    [
        ("vnc", "test", True),
        ("epfl", "test", True),
        ("mira", "test", True),
        ("vnc", "dev", False),
        ("lucchi++", "test", False),
        ("demo", "test", False),
    ],
)
def test_the_papers_curves_only_where_they_measure_the_same(
    tmp_path: Path, dataset: str, split: str, drawn: bool
) -> None:
    runs = SyntheticRuns(dataset, split, ("random",), seeds=1, rounds=2, full=False, views=False)
    results = read_results(write_runs(tmp_path, runs))
    assert (comparable_paper_results(results.run) is not None) == drawn


def test_the_papers_curves_are_as_published(tmp_path: Path) -> None:
    paper = comparable_paper_results(read_results(write_runs(tmp_path, SyntheticRuns("epfl", rounds=2))).run)
    assert paper is not None
    assert paper.full_supervision == 0.857
    assert paper.curves["entropy"].at(120) == pytest.approx(0.813, abs=0.01)  # its Figure 3
    assert paper.curves["random"].at(30) is None


def test_the_page_says_whether_the_papers_curves_are_drawn(tmp_path: Path, five_seeds: Report) -> None:
    runs = SyntheticRuns("vnc", "test", ("random",), seeds=1, rounds=2, full=False, views=False)
    beside = text_of(write_report(write_runs(tmp_path, runs)))
    assert "The paper’s numbers" in beside
    assert "Thin dashed: the paper’s curves" in beside
    assert beside.count("one run each") == beside.count("apparently one run each"), "the paper does not say"
    assert "The paper’s own curves are not drawn" in text_of(five_seeds)
    assert "The paper’s numbers" not in text_of(five_seeds)


def test_the_paper_can_be_left_out(tmp_path: Path) -> None:
    runs = SyntheticRuns("vnc", "test", ("random",), seeds=1, rounds=2, full=False, views=False)
    assert "The paper’s numbers" not in text_of(write_report(write_runs(tmp_path, runs), paper=False))


def test_several_classes_have_a_table_of_their_own(tmp_path: Path) -> None:
    runs = SyntheticRuns(
        strategies=("random", "entropy"),
        seeds=1,
        rounds=6,
        initial=5,
        per_round=5,
        classes=("axon", "myelin"),
    )
    report = write_report(write_runs(tmp_path, runs))
    page = text_of(report)
    assert "Jaccard of each class" in page
    assert "myelin" in page
    assert report.summary.counts == (5, 20, 30), "a short run is shown at its own counts"
    assert "The same crop after 30 labelled patches" in page


@pytest.mark.parametrize(
    "runs",
    [
        SyntheticRuns(strategies=("entropy",), seeds=1, rounds=1, full=False, views=False),
        SyntheticRuns(strategies=("random",), seeds=1, rounds=2, full=True, views=False),
        SyntheticRuns(strategies=(), seeds=1, full=True),
        SyntheticRuns(
            strategies=("random", "bald"), seeds=2, rounds=4, stopped={("bald", 0): 1, ("bald", 1): 1}
        ),
    ],
    ids=["one evaluation", "no views", "full supervision alone", "one strategy only begun"],
)
def test_whatever_is_there_is_reported(tmp_path: Path, runs: SyntheticRuns) -> None:
    report = write_report(write_runs(tmp_path, runs))
    assert report.page.is_file()


def test_figure_3_shows_the_strategies_asked_for(tmp_path: Path) -> None:
    directory = write_runs(tmp_path, SyntheticRuns(seeds=1, rounds=7, stopped={("entropy", 0): 4}))
    page = text_of(write_report(directory, ["entropy", "random-foreground"]))
    assert "The same crop after 80 labelled patches, seed 0. (The largest number up to 120" in page
    with pytest.raises(UnknownStrategyError, match="did you mean entropy"):
        write_report(directory, ["entropi"])


def test_figure_4_shows_another_strategy_where_least_confidence_was_not_run(few_seeds: Report) -> None:
    assert "queries of entropy, seed 0" in text_of(few_seeds)


def test_images_have_a_scale_bar_where_the_size_of_a_pixel_is_known(
    tmp_path: Path, five_seeds: Report
) -> None:
    assert text_of(five_seeds).count("Scale bar: 100 nm.") == 2, "96 pixels of 4.6 nm, in Figures 3 and 4"
    runs = SyntheticRuns(strategies=("random",), seeds=1, rounds=2, full=False, voxel_size=None)
    without = text_of(write_report(write_runs(tmp_path, runs)))
    assert without.count("No scale bar: run.toml does not say how large a pixel is.") == 2


def test_figures_that_cannot_be_drawn_are_named(tmp_path: Path, five_seeds: Report) -> None:
    runs = SyntheticRuns(strategies=("random",), seeds=1, rounds=2, full=False)
    directory = write_runs(tmp_path, runs)
    views = directory / "runs/random/seed-000/views"
    (views / "picks-1.npz").unlink()
    without_picks = text_of(write_report(directory))
    assert "Figure 4 is not drawn" in without_picks
    assert "Figure 3 is not drawn" not in without_picks
    for path in views.iterdir():
        path.unlink()
    assert "Figure 3 is not drawn" in text_of(write_report(directory))
    assert "is not drawn" not in text_of(five_seeds)


def test_names_are_escaped(tmp_path: Path) -> None:
    runs = SyntheticRuns(dataset="<b>mine</b>", strategies=("random",), seeds=1, rounds=2, views=False)
    page = text_of(write_report(write_runs(tmp_path, runs)))
    assert "<b>" not in page
    assert "&lt;b&gt;mine" in page


def test_an_empty_folder_has_nothing_to_report(tmp_path: Path) -> None:
    with pytest.raises(NoResultsError, match="run one first: pickem benchmark"):
        write_report(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(NoResultsError, match="no such folder"):
        write_report(tmp_path / "absent")
    assert not (tmp_path / "absent").exists()


def test_a_file_is_not_a_folder(tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    path.write_text("strategy\n", encoding="utf-8")
    with pytest.raises(StorageError, match="this is a file"):
        write_report(path)


def test_a_table_without_rows_has_nothing_to_report(tmp_path: Path) -> None:
    write_runs(tmp_path, FEW)
    table = tmp_path / "results.csv"
    table.write_text(table.read_text().splitlines()[0] + "\n", encoding="utf-8")
    with pytest.raises(NoResultsError, match="no finished round"):
        write_report(tmp_path)


def _cut_last_row(text: str) -> str:
    return text[: text.rindex(",synthetic,") + 12]


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda text: text.replace("jaccard,", "jacquard,", 1), "no column jaccard"),
        (lambda text: text.replace(",0.5", ",none", 1), "line 2: column"),
        (lambda text: text.replace(",0.5", ",7.5", 1), "not a number from 0 to 1"),
        (lambda text: text + text.splitlines()[1] + "\n", "two rows for random, seed 0, round 0"),
        (_cut_last_row, "column"),
        (lambda _: "\x00\x01", "no column"),
    ],
    ids=["column", "word", "range", "twice", "cut", "binary"],
)
def test_a_damaged_table_is_refused_with_its_line(tmp_path: Path, damage, said: str) -> None:
    write_runs(tmp_path, SyntheticRuns(strategies=("random",), seeds=1, rounds=2, full=False, views=False))
    table = tmp_path / "results.csv"
    table.write_text(damage(table.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(JournalError, match=re.escape(said)) as caught:
        write_report(tmp_path)
    assert str(table) in str(caught.value)
    assert not (tmp_path / "report").exists()


@pytest.mark.parametrize("content", [None, "dataset = ", 'split = "test"'], ids=["absent", "broken", "empty"])
def test_a_damaged_description_is_refused(tmp_path: Path, content: str | None) -> None:
    path = write_runs(tmp_path, FEW) / "run.toml"
    path.unlink()
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(JournalError, match=r"run\.toml"):
        write_report(tmp_path)


def _flip(data: bytes) -> bytes:
    return data[:200] + bytes(byte ^ 0xFF for byte in data[200:260]) + data[260:]


@pytest.mark.parametrize(
    "damage", [lambda _: b"", lambda data: data[:300], _flip], ids=["empty", "cut", "flipped"]
)
def test_a_damaged_image_is_refused_and_named(tmp_path: Path, damage) -> None:
    path = write_runs(tmp_path, FEW) / "runs/random/seed-000/views/evaluation-0060.npz"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(JournalError, match=r"evaluation-0060\.npz"):
        write_report(tmp_path)


def test_a_single_array_is_not_a_view(tmp_path: Path) -> None:
    path = write_runs(tmp_path, FEW) / "runs/entropy/seed-000/views/picks-1.npz"
    with path.open("wb") as file:
        np.save(file, np.zeros((4, 4)))
    with pytest.raises(JournalError, match="a single array"):
        write_report(tmp_path)


def test_a_pickle_is_never_opened(tmp_path: Path) -> None:
    path = write_runs(tmp_path, FEW) / "runs/random/seed-000/views/evaluation-0060.npz"
    objects = np.array([object()], dtype=object)
    np.savez(path, image=objects, truth=objects, prediction=objects, jaccard=np.float64(0.5))
    with pytest.raises(JournalError, match="allow_pickle"):
        write_report(tmp_path)


def test_a_report_folder_that_is_a_file_is_a_storage_error(tmp_path: Path) -> None:
    write_runs(tmp_path, FEW)
    (tmp_path / "report").write_text("mine", encoding="utf-8")
    with pytest.raises(StorageError, match="file lies where a folder"):
        write_report(tmp_path)
    assert (tmp_path / "report").read_text(encoding="utf-8") == "mine"


def test_command_line_prints_the_table_and_where_the_page_is(tmp_path: Path) -> None:
    write_runs(tmp_path, FEW)
    done = pickem("report", tmp_path, "--strategies", "random,entropy", "--no-paper")
    assert done.returncode == 0, done.stderr
    assert f"report: {tmp_path / 'report' / 'report.html'}" in done.stdout
    assert "entropy" in done.stdout
    assert (tmp_path / "report" / "report.html").is_file()


@pytest.mark.parametrize(("columns", "seeds"), [(80, 2), (80, 5), (40, 2)])
def test_command_line_prints_every_number_whole_in_a_narrow_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, columns: int, seeds: int
) -> None:
    runs = SyntheticRuns(strategies=tuple(STRATEGIES), seeds=seeds, rounds=6, views=False)
    directory = write_runs(tmp_path / "runs", runs)
    monkeypatch.setenv("COLUMNS", str(columns))
    done = pickem_here("report", directory)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.partition("report: ")[0].splitlines()
    assert max(map(len, lines)) <= columns
    content = main_table(summarise(read_results(directory)))
    assert "at 500" not in content.head, "nobody has come there"
    for row in content.rows:
        printed = " ".join(line.removeprefix(row.name) for line in lines if line.split()[:1] == [row.name])
        assert printed.split() == " ".join(row.cells).split()


def test_command_line_turns_an_empty_folder_into_a_message(tmp_path: Path) -> None:
    done = pickem("report", tmp_path)
    assert done.returncode == 2
    assert "There are no results to report." in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def _written(report: Report) -> list[Path]:
    return [report.page, *report.figures]


class _Tags(HTMLParser):
    """Collects ids and the elements that are still open."""

    VOID = frozenset({"meta", "link", "br", "img"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.ids += [value for name, value in attrs if name == "id" and value]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.ids += [value for name, value in attrs if name == "id" and value]

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag
