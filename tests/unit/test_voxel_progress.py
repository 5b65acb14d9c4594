"""What is said on the way through a volume: rate, time left, what was done before."""

from __future__ import annotations

import io
from collections.abc import Iterator

from rich.console import Console

from pickem.cli.duration import SILENCE
from pickem.cli.voxel_progress import VoxelProgress

MVOXEL = 1_000_000


def said(clock: Iterator[float], *reports: tuple[str, int, int]) -> list[str]:
    text = io.StringIO()
    with VoxelProgress(Console(file=text, width=200), clock.__next__) as progress:
        for stage, done, total in reports:
            progress(stage, done * MVOXEL, total * MVOXEL)
    return text.getvalue().splitlines()


def test_the_rate_counts_what_was_done_since_the_start() -> None:
    reports = [("segmenting", 40, 100), ("segmenting", 60, 100), ("segmenting", 100, 100)]
    assert said(iter([0.0, 100.0, 300.0]), *reports) == [
        "segmenting: 40% is there already",
        "segmenting: 60.0 of 100.0 Mvoxel, 0.20 Mvoxel/s, 3 min left",
        "segmenting: 100.0 Mvoxel, 0.20 Mvoxel/s, 5 min",
    ]


def test_a_line_now_and_then_and_at_the_end() -> None:
    clock = iter([0.0, 1.0, 2.0, SILENCE + 1.0, SILENCE + 2.0])
    lines = said(clock, *(("segmenting", done, 4) for done in range(5)))
    assert [line.split()[1] for line in lines] == ["3.0", "4.0"]


def test_stages_have_rates_of_their_own() -> None:
    reports = [(stage, done, 1) for stage in ("segmenting", "pyramid") for done in (0, 1)]
    assert said(iter([0.0, 10.0, 100.0, 101.0]), *reports) == [
        "segmenting: 1.0 Mvoxel, 0.10 Mvoxel/s, 10 s",
        "pyramid: 1.0 Mvoxel, 1.00 Mvoxel/s, 1 s",
    ]


def test_how_much_of_a_stage_is_done_can_be_asked() -> None:
    with VoxelProgress(Console(file=io.StringIO())) as progress:
        progress("segmenting", 0, 4)
        progress("segmenting", 3, 4)
        assert progress.share == 0.75
