"""The frame of every live display: on a terminal bars, with the time that has passed and is left."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, TextColumn, TimeElapsedColumn


class Bars:
    """A line for each task: what, its bar, `middle`, time passed, and the task's field `left`.

    On anything but a terminal no bars are drawn, and what is printed are lines.

    clock: seconds since any moment.
    """

    def __init__(self, console: Console, middle: ProgressColumn, clock: Callable[[], float]) -> None:
        self._console = console
        self._clock = clock
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            middle,
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}"),
            console=console,
            disable=not console.is_terminal,
        )

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def _print(self, text: str) -> None:
        self._console.print(text, highlight=False, soft_wrap=True)
