"""What the pages of results are counted with: rising courses, savings, kinds of errors, rows that are new."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import courses, savings
from benchmarks.candidates import append
from benchmarks.courses import Course
from benchmarks.error_anatomy import errors, measures

JACCARDS = st.lists(st.floats(0, 1), min_size=1, max_size=20)


def _course(jaccards: list[float]) -> Course:
    return Course({10 * (i + 1): {"jaccard": repr(jaccard)} for i, jaccard in enumerate(jaccards)})


@given(JACCARDS)
def test_a_rising_course_never_falls_and_has_the_mean_of_the_course(jaccards: list[float]) -> None:
    rising = list(_course(jaccards).rising(10 * len(jaccards)).values())
    assert np.all(np.diff(rising) >= 0)
    assert np.isclose(np.mean(rising), np.mean(jaccards), atol=1e-6)


@given(JACCARDS.map(sorted))
def test_a_course_that_rises_is_its_own_rising_course(jaccards: list[float]) -> None:
    assert np.allclose(list(_course(jaccards).rising(10 * len(jaccards)).values()), jaccards, atol=1e-6)


def test_one_lucky_round_does_not_decide_when_a_score_was_reached() -> None:
    lucky = _course([0.5, 0.9, 0.5, 0.6, 0.7, 0.8])
    assert lucky.needed(0.7) < 20
    rising = lucky.rising(60)
    assert max(labels for labels, jaccard in rising.items() if jaccard < 0.7) == 40


def _write_results(folder: Path, labels_for_auto: int) -> None:
    """Five seeds of two strategies on straight courses, `auto` as high with fewer labels."""
    (folder / "vnc-auto-unbalanced").mkdir()
    names = ["strategy", "seed", "labelled_patches", "jaccard"]
    names += [savings.PIXELS, savings.PAINTING, savings.CORRECTING]
    with (folder / "vnc-auto-unbalanced" / "results.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(names)
        for seed in range(5):
            for labels in range(10, 110, 10):
                for strategy, needed in (("auto", labels_for_auto), ("random", 100)):
                    spent = [labels * 100, labels * 6, labels * 3]
                    writer.writerow([strategy, seed, labels, 0.8 * min(labels / needed, 1), *spent])


def test_half_the_labels_are_a_saving_of_two_in_every_measure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _write_results(tmp_path, labels_for_auto=50)
    monkeypatch.setattr(courses, "RESULTS", tmp_path)
    line = savings.tables()["savings"].splitlines()[-1]
    assert line.count("2.00× [2.00, 2.00]") == 6
    assert "+0.2" in line


def test_a_baseline_against_its_like_saves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _write_results(tmp_path, labels_for_auto=100)
    monkeypatch.setattr(courses, "RESULTS", tmp_path)
    tables = savings.tables()
    assert tables["savings"].splitlines()[-1].count("1.00× [1.00, 1.00]") == 6
    assert "+0.000 [+0.000, +0.000]" in tables["seconds"].splitlines()[-1]


def test_wrong_pixels_are_told_apart() -> None:
    truth, predicted = np.zeros((2, 60, 60), dtype=bool)
    truth[5:35, 5:35] = predicted[5:35, 5:35] = True  # found, …
    predicted[5, 5:35] = False  # … but for a row at its contour, …
    predicted[20, 20] = False  # … and a pixel inside
    truth[50:54, 50:54] = True  # missed
    predicted[50:52, 5:7] = True  # made up
    counts = errors(truth, predicted)
    kinds = ("contour", "inside", "missed", "made up", "contour, missed")
    assert [counts[kind] for kind in kinds] == [30, 1, 16, 4, 30]
    jaccard, *shares, without_contour, without_objects = measures(counts)
    assert jaccard == (900 - 31) / (900 + 16 + 4)
    assert sum(shares) == pytest.approx(1)
    assert without_contour == (900 - 1) / 920
    assert without_objects == (900 - 31 + 16) / 916


def test_a_row_that_took_another_time_is_not_another_row(tmp_path: Path) -> None:
    path, columns = tmp_path / "rows.csv", ("candidate", "seed", "train_s")
    append(path, columns, [("a", 0, 12)])
    append(path, columns, [("a", 0, 13), ("a", 1, 12)])
    assert path.read_text().splitlines() == ["candidate,seed,train_s", "a,0,12", "a,1,12"]
