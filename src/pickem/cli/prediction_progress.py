"""Live progress of work on a whole volume: Mvoxel/s and the time left."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from pickem.cli.duration import duration

if TYPE_CHECKING:
    from pickem.blockwise.prediction import At

INTERVAL = 30  # seconds between lines where there is no terminal


class PredictionProgress:
    """Shows on a terminal what `predict` reports; on anything else, prints a line now and then.

    clock: seconds since any moment.
    """

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._clock = clock
        self._began: dict[str, tuple[float, int]] = {}  # when, and with how much done, a stage began
        self._said: float | None = None
        self._last: At | None = None
        self._bars: dict[str, TaskID] = {}
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[doing]}"),
            TimeElapsedColumn(),
            console=console,
            disable=not console.is_terminal,
        )

    @property
    def share(self) -> float:
        """How much of the present stage is done, 0 to 1."""
        return self._last.done / self._last.total if self._last and self._last.total else 0.0

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def update(self, at: At) -> None:
        """Show where the prediction stands."""
        now = self._clock()
        began, before = self._began.setdefault(at.stage, (now, at.done))
        self._last = at
        text = f"{at.done / 1e6:.1f} of {at.total / 1e6:.1f} Mvoxel"
        seconds, done = now - began, at.done - before
        if done and seconds > 0:
            rate = done / seconds
            text += f", {rate / 1e6:.2f} Mvoxel/s, {duration((at.total - at.done) / rate)} left"
        if at.stage not in self._bars:
            self._bars[at.stage] = self._progress.add_task(at.stage, total=at.total, doing="")
            if at.resumed:
                self._print(f"{at.resumed / 1e6:.1f} of {at.total / 1e6:.1f} Mvoxel were done before")
        self._progress.update(self._bars[at.stage], completed=at.done, total=at.total, doing=text)
        is_news = self._said is None or now - self._said >= INTERVAL or at.done == at.total
        if is_news and not self._console.is_terminal and done:
            self._said = now
            self._print(f"{at.stage}: {text}")

    def _print(self, text: str) -> None:
        self._console.print(text, highlight=False, soft_wrap=True)
