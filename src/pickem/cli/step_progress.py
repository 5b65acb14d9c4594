"""Live progress of something that is done in steps of equal length: a bar, with the time left."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from pickem.cli.duration import SILENCE, duration


class StepProgress:
    """Shows a bar on a terminal; on anything else, prints a line a minute.

    clock: seconds since any moment.
    """

    def __init__(self, console: Console, doing: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._doing = doing
        self._clock = clock
        self._began: tuple[int, float] | None = None  # steps done when first heard of, and when that was
        self._said = clock()
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}"),
            console=console,
            disable=not console.is_terminal,
        )
        self._bar = self._progress.add_task(doing, total=None, left="")

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def __call__(self, done: int, total: int) -> None:
        """Show that so many steps are done."""
        now = self._clock()
        self._began = self._began or (done, now)
        steps, seconds = done - self._began[0], now - self._began[1]
        left = f"{duration(seconds / steps * (total - done))} left" if steps else "? left"
        self._progress.update(self._bar, completed=done, total=total, left=left)
        if not self._console.is_terminal and now - self._said >= SILENCE:
            self._said = now
            self._console.print(f"{self._doing}: {done} of {total} steps, {left}", highlight=False)
