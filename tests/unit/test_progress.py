"""What a benchmark says while it runs."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from pickem.benchmark import Progress
from pickem.cli.progress import BenchmarkProgress, duration


def shown(*events: Progress, terminal: bool, evaluations: int = 2) -> str:
    console = Console(file=io.StringIO(), force_terminal=terminal, width=120)
    with BenchmarkProgress(console, evaluations) as progress:
        for event in events:
            progress.update(event)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text)


TRAINING = Progress("entropy", 3, 1, "training", 7, 40, 0.5)
DONE = Progress("entropy", 3, 1, None, 1, 1, 0.625)


def test_a_terminal_shows_run_round_stage_score_and_time_left() -> None:
    assert "round 1, training 7/40, Jaccard 0.500" in shown(TRAINING, terminal=True)
    text = shown(TRAINING, DONE, terminal=True)
    for part in ("entropy seed 3", "round 1 done, Jaccard 0.625", "1/2", "left"):
        assert part in text


def test_anything_else_gets_a_line_per_round() -> None:
    lines = shown(TRAINING, DONE, terminal=False).splitlines()
    assert len(lines) == 1
    assert re.fullmatch(r"entropy seed 3  round 1, Jaccard 0\.625  \(1 of 2 rounds, .+ left\)", lines[0])


def test_rounds_from_the_journal_say_nothing_about_the_speed() -> None:
    assert "? left" in shown(DONE, terminal=False)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "0 s"), (59.4, "59 s"), (90, "2 min"), (3600, "1 h 0 min"), (11100, "3 h 5 min")],
)
def test_durations_are_in_words(seconds: float, words: str) -> None:
    assert duration(seconds) == words
