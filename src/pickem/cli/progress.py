"""Live progress of a benchmark: a line per run at work, a line for the whole, with the time left."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from pickem.benchmark import Progress as RunProgress


class BenchmarkProgress:
    """Shows on a terminal what `benchmark` reports; on anything else, prints a line per finished round.

    `evaluations` is the number of rounds over all runs.
    """

    def __init__(self, console: Console, evaluations: int) -> None:
        self._console = console
        self._evaluations = evaluations
        self._evaluated = 0
        self._bars: dict[tuple[str, int], TaskID] = {}
        self._replayed = 0
        self._started = time.monotonic()
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[doing]}"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}"),
            console=console,
            disable=not console.is_terminal,
        )
        self._whole = self._progress.add_task("all rounds", total=evaluations, doing="", left="")
        self._worked_on: set[tuple[str, int]] = set()

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def update(self, at: RunProgress) -> None:
        """Show where a run stands."""
        run = (at.strategy, at.seed)
        if at.stage is None:
            self._round_done(run, at)
            return
        self._worked_on.add(run)
        if run not in self._bars:
            self._bars[run] = self._progress.add_task(_title(at), total=at.total, doing="", left="")
        doing = f"round {at.round}, {at.stage} {at.done}/{at.total}{_score(at)}"
        self._progress.update(self._bars[run], total=at.total, completed=at.done, doing=doing)

    def _round_done(self, run: tuple[str, int], at: RunProgress) -> None:
        self._evaluated += 1
        if run not in self._worked_on:  # replayed from the journal, which says nothing about the speed
            self._replayed += 1
        self._worked_on.discard(run)
        if run in self._bars:
            self._progress.update(self._bars[run], doing=f"round {at.round} done{_score(at)}")
        left = self._time_left()
        self._progress.update(
            self._whole,
            completed=self._evaluated,
            doing=f"{self._evaluated}/{self._evaluations}",
            left=f"{left} left",
        )
        if not self._console.is_terminal:
            self._console.print(
                f"{_title(at)}  round {at.round}{_score(at)}  "
                f"({self._evaluated} of {self._evaluations} rounds, {left} left)",
                highlight=False,
                soft_wrap=True,
            )

    def _time_left(self) -> str:
        computed = self._evaluated - self._replayed
        remaining = self._evaluations - self._evaluated
        if not computed:
            return "0 s" if not remaining else "?"
        return duration((time.monotonic() - self._started) / computed * remaining)


def duration(seconds: float) -> str:
    """A length of time as people say it: "40 s", "12 min", "3 h 5 min"."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def _title(at: RunProgress) -> str:
    return f"{at.strategy} seed {at.seed}"


def _score(at: RunProgress) -> str:
    return "" if at.jaccard is None else f", Jaccard {at.jaccard:.3f}"
