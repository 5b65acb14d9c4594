"""Live progress of work on a volume in blocks: a bar a stage, with Mvoxel/s and the time left."""

from __future__ import annotations

import time
from collections.abc import Callable

from rich.console import Console
from rich.progress import TaskID, TextColumn

from pickem.cli.bars import Bars
from pickem.cli.duration import SILENCE, duration

MEGA = 1e6


class VoxelProgress(Bars):
    """Shows on a terminal a bar for each stage; on anything else, prints a line when a stage ends and one a
    minute until then.

    clock: seconds since any moment.
    """

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(console, TextColumn("{task.fields[rate]}"), clock)
        self.share = 0.0  # of the present stage, 0 to 1
        self._stage = ""
        self._bar = TaskID(0)
        self._began = self._said = 0.0
        self._known = 0  # voxels done before the stage began: in an earlier run

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Show that a stage has done so many voxels; the first call of a stage begins it."""
        now = self._clock()
        self.share = done / total if total else 1.0
        if stage != self._stage:
            self._begin(stage, done, total, now)
            if not total or done < total:
                return
        rate = (done - self._known) / max(now - self._began, 1e-9)
        words = f"{rate / MEGA:,.2f} Mvoxel/s" if done > self._known else "done before"
        left = f"{duration((total - done) / rate)} left" if rate else ""
        self._progress.update(self._bar, completed=done, rate=words, left=left if done < total else "")
        if self._console.is_terminal:
            return
        if done == total:
            self._print(f"{stage}: {total / MEGA:,.1f} Mvoxel, {words}, {duration(now - self._began)}")
        elif now - self._said >= SILENCE:
            self._said = now
            self._print(f"{stage}: {done / MEGA:,.1f} of {total / MEGA:,.1f} Mvoxel, {words}, {left}")

    def _begin(self, stage: str, done: int, total: int, now: float) -> None:
        self._stage, self._known, self._began, self._said = stage, done, now, now
        self._bar = self._progress.add_task(stage, total=total, completed=done, rate="", left="")
        if done:
            self._print(f"{stage}: {done / total:.0%} is there already")
