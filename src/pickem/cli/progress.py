"""Live progress of a benchmark: a line per run at work, a line for the whole, with the time left."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from rich.console import Console
from rich.progress import TaskID, TextColumn

from pickem.benchmark import Progress as RunProgress
from pickem.benchmark import Prospect
from pickem.cli.bars import Bars
from pickem.cli.duration import SILENCE, duration


class BenchmarkProgress(Bars):
    """Shows on a terminal what `benchmark` reports; on anything else, prints a line per finished round, and
    one a minute for each run at work.

    clock: seconds since any moment.
    """

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(console, TextColumn("{task.fields[doing]}"), clock)
        self._evaluations = 0
        self._to_compute = 0
        self._evaluated = 0
        self._started = clock()
        self._bars: dict[_Run, TaskID] = {}
        self._stages: dict[_Run, _Stage] = {}  # of the runs at work
        self._since: dict[_Run, float] = {}  # when the round began that each run is at
        self._computed = 0  # rounds, without those replayed from a journal …
        self._seconds = 0.0  # … and what they took
        self._at_once = 1  # runs at work
        self._said: dict[_Run, float] = {}
        self._whole = self._progress.add_task("all rounds", total=None, doing="", left="")

    def begin(self, prospect: Prospect) -> None:
        """Say what is about to be done; the first thing to be called."""
        self._evaluations = prospect.evaluations
        self._to_compute = prospect.evaluations - prospect.journalled
        self._started = self._clock()
        self._progress.update(self._whole, total=prospect.evaluations)
        self._print(
            f"data loaded: {prospect.pool} patches in the pool; runs: {prospect.runs}, "
            f"rounds in all: {prospect.evaluations}"
        )
        if prospect.apart:
            self._print("Neighbouring sections have little in common: each is segmented on its own.")

    def update(self, at: RunProgress) -> None:
        """Show where a run stands."""
        run = (at.strategy, at.seed)
        if at.stage is None:
            self._round_done(run, at)
            return
        now = self._clock()
        self._since.setdefault(run, now if self._since else self._started)
        if at.again:  # which says nothing about the rounds to come
            self._since[run] = now
        stage = self._stages.get(run)
        if stage is None or (stage.round, stage.name) != (at.round, at.stage):
            stage = self._stages[run] = _Stage(at.round, at.stage, at.done, now)
        self._at_once = len(self._stages)
        if run not in self._bars:
            self._bars[run] = self._progress.add_task(_title(at), total=at.total, doing="", left="")
        again = " once more" if at.again else ""
        doing = f"round {at.round}{again}, {at.stage} {at.done}/{at.total}{_score(at)}"
        self._progress.update(self._bars[run], total=at.total, completed=at.done, doing=doing)
        if now - self._said.setdefault(run, now) >= SILENCE:
            self._line(run, f"{_title(at)}  {doing}, {stage.left(at, now)} left of this")

    def _round_done(self, run: _Run, at: RunProgress) -> None:
        now = self._clock()
        self._evaluated += 1
        if self._stages.pop(run, None) is not None:  # else replayed, which says nothing about the speed
            self._computed += 1
            self._seconds += now - self._since[run]
            self._since[run] = now
        if run in self._bars:
            self._progress.update(self._bars[run], doing=f"round {at.round} done{_score(at)}")
        self._progress.update(
            self._whole,
            completed=self._evaluated,
            doing=f"{self._evaluated}/{self._evaluations}",
            left=f"{self._time_left()} left",
        )
        self._line(run, f"{_title(at)}  round {at.round}{_score(at)}")

    def _line(self, run: _Run, text: str) -> None:
        """Where no bars are drawn, print the text with the state of the whole."""
        self._said[run] = self._clock()
        if not self._console.is_terminal:
            self._print(
                f"{text}  ({self._evaluated} of {self._evaluations} rounds, {self._time_left()} left)"
            )

    def _time_left(self) -> str:
        if not self._computed:
            return "?" if self._evaluated < self._evaluations else "0 s"
        remaining = max(self._to_compute - self._computed, 0)  # full supervision may be done anew
        return duration(self._seconds / self._computed * remaining / self._at_once)


_Run = tuple[str, int]  # strategy and seed


@dataclass(frozen=True)
class _Stage:
    """A stage of a run's round, as it was when first heard of."""

    round: int
    name: str
    done: int
    began: float

    def left(self, at: RunProgress, now: float) -> str:
        if at.done == self.done:
            return "?"
        return duration((now - self.began) / (at.done - self.done) * (at.total - at.done))


def _title(at: RunProgress) -> str:
    return f"{at.strategy} seed {at.seed}"


def _score(at: RunProgress) -> str:
    return "" if at.jaccard is None else f", Jaccard {at.jaccard:.3f}"
