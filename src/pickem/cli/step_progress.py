"""Live progress of something that is done in steps of equal length: a bar, with the time left."""

from __future__ import annotations

import time
from collections.abc import Callable

from rich.console import Console
from rich.progress import MofNCompleteColumn

from pickem.cli.bars import Bars
from pickem.cli.duration import SILENCE, duration


class StepProgress(Bars):
    """Shows a bar on a terminal; on anything else, prints a line a minute.

    clock: seconds since any moment.
    """

    def __init__(self, console: Console, doing: str, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(console, MofNCompleteColumn(), clock)
        self._doing = doing
        self._began: tuple[int, float] | None = None  # steps done when first heard of, and when that was
        self._said = clock()
        self._bar = self._progress.add_task(doing, total=None, left="")

    def __call__(self, done: int, total: int) -> None:
        """Show that so many steps are done."""
        now = self._clock()
        self._began = self._began or (done, now)
        steps, seconds = done - self._began[0], now - self._began[1]
        left = f"{duration(seconds / steps * (total - done))} left" if steps else "? left"
        self._progress.update(self._bar, completed=done, total=total, left=left)
        if not self._console.is_terminal and now - self._said >= SILENCE:
            self._said = now
            self._print(f"{self._doing}: {done} of {total} steps, {left}")
