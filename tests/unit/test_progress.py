"""What a benchmark says while it runs."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import pytest
from rich.console import Console

from pickem.benchmark import Progress, Prospect
from pickem.cli.duration import duration
from pickem.cli.progress import BenchmarkProgress


def shown(*events: Progress, terminal: bool, seconds: int = 1) -> str:
    """What is on the screen after these events, each `seconds` after the one before."""
    console = Console(file=io.StringIO(), force_terminal=terminal, width=120)
    time = 0
    with BenchmarkProgress(console, clock=lambda: time) as progress:
        progress.begin(Prospect(pool=2000, runs=1, evaluations=2))
        for event in events:
            time += seconds
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


def test_it_says_so_where_sections_are_not_averaged_as_the_profile_would_have_it() -> None:
    console = Console(file=io.StringIO(), width=120)
    with BenchmarkProgress(console) as progress:
        progress.begin(Prospect(pool=2000, runs=1, evaluations=2, apart=True))
    said = console.file.getvalue()  # type: ignore[attr-defined]
    assert "Neighbouring sections have little in common" in said


def test_anything_else_gets_a_line_at_the_start_and_a_line_per_round() -> None:
    start, done = shown(TRAINING, DONE, terminal=False).splitlines()
    assert start == "data loaded: 2000 patches in the pool; runs: 1, rounds in all: 2"
    assert done == "entropy seed 3  round 1, Jaccard 0.625  (1 of 2 rounds, 2 s left)"


def test_anything_else_gets_a_line_a_minute_with_stage_and_time_left() -> None:
    steps = [replace(TRAINING, done=done) for done in range(7, 16)]
    _, *lines = shown(*steps, DONE, terminal=False, seconds=20).splitlines()
    at = "entropy seed 3  round 1"
    assert lines == [
        f"{at}, training 10/40, Jaccard 0.500, 10 min left of this  (0 of 2 rounds, ? left)",
        f"{at}, training 13/40, Jaccard 0.500, 9 min left of this  (0 of 2 rounds, ? left)",
        f"{at}, Jaccard 0.625  (1 of 2 rounds, 3 min left)",
    ]


def test_rounds_from_the_journal_say_nothing_about_the_speed() -> None:
    assert "? left" in shown(DONE, terminal=False)


def test_the_time_left_leaves_out_what_the_journals_still_hold() -> None:
    console = Console(file=io.StringIO(), width=120)
    time = 0
    with BenchmarkProgress(console, clock=lambda: time) as progress:
        progress.begin(Prospect(pool=2000, runs=2, evaluations=20, journalled=10))
        time += 60
        progress.update(TRAINING)
        progress.update(DONE)
    assert "(1 of 20 rounds, 9 min left)" in console.file.getvalue()  # type: ignore[attr-defined]


def test_the_time_left_leaves_out_rounds_that_are_trained_once_more_as_their_weights_are_lost() -> None:
    console = Console(file=io.StringIO(), width=120)
    time = 0
    with BenchmarkProgress(console, clock=lambda: time) as progress:
        progress.begin(Prospect(pool=2000, runs=1, evaluations=20, journalled=10))
        for number in range(10):
            progress.update(replace(TRAINING, round=number, again=True))
            time += 60
        progress.update(replace(TRAINING, round=10, again=True))
        for done in (7, 40):
            progress.update(replace(TRAINING, round=11, done=done))
            time += 10
        progress.update(replace(DONE, round=11))
    said = console.file.getvalue()  # type: ignore[attr-defined]
    assert "round 3 once more, training 7/40" in said
    assert "(1 of 20 rounds, 3 min left)" in said


def test_the_time_left_counts_the_runs_that_are_at_work_at_once() -> None:
    console = Console(file=io.StringIO(), width=120)
    time = 0
    with BenchmarkProgress(console, clock=lambda: time) as progress:
        progress.begin(Prospect(pool=2000, runs=2, evaluations=20))
        for seed in (3, 4):
            progress.update(replace(TRAINING, seed=seed))
        time += 600
        for seed in (3, 4):
            progress.update(replace(DONE, seed=seed))
    assert "(2 of 20 rounds, 1 h 30 min left)" in console.file.getvalue()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "0 s"), (59.4, "59 s"), (90, "2 min"), (3600, "1 h 0 min"), (11100, "3 h 5 min")],
)
def test_durations_are_in_words(seconds: float, words: str) -> None:
    assert duration(seconds) == words
