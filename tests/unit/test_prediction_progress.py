"""What `pickem predict` says on the way: rate, time left, what was done before."""

from __future__ import annotations

import io
from collections.abc import Iterator

from rich.console import Console

from pickem.blockwise.prediction import At
from pickem.cli.prediction_progress import INTERVAL, PredictionProgress

MVOXEL = 1_000_000


def said(clock: Iterator[float], *reports: At) -> list[str]:
    text = io.StringIO()
    with PredictionProgress(Console(file=text, width=200), clock.__next__) as progress:
        for at in reports:
            progress.update(at)
    return text.getvalue().splitlines()


def test_the_rate_counts_what_was_done_since_the_start() -> None:
    begun = At("segmenting", 40 * MVOXEL, 100 * MVOXEL, 40 * MVOXEL)
    later = At("segmenting", 60 * MVOXEL, 100 * MVOXEL, 40 * MVOXEL)
    assert said(iter([0.0, 10.0]), begun, later) == [
        "40.0 of 100.0 Mvoxel were done before",
        "segmenting: 60.0 of 100.0 Mvoxel, 2.00 Mvoxel/s, 20 s left",
    ]


def test_a_line_now_and_then_and_at_the_end() -> None:
    clock = iter([0.0, 1.0, 2.0, 3.0, 3.0 + INTERVAL, 4.0 + INTERVAL])
    reports = [At("segmenting", done * MVOXEL, 5 * MVOXEL) for done in range(6)]
    lines = said(clock, *reports)
    assert [line.split()[1] for line in lines] == ["1.0", "4.0", "5.0"]
    assert lines[-1].endswith("0 s left")


def test_stages_have_rates_of_their_own() -> None:
    clock = iter([0.0, 10.0, 100.0, 101.0])
    reports = [At(stage, done * MVOXEL, MVOXEL) for stage in ("segmenting", "pyramid") for done in (0, 1)]  # type: ignore[arg-type]
    assert said(clock, *reports)[-1].startswith("pyramid: 1.0 of 1.0 Mvoxel, 1.00 Mvoxel/s")
