"""Timing several tasks so that their ratios hold on a machine whose speed drifts."""

from __future__ import annotations

import time
from collections.abc import Callable


def in_turns(repeats: int, *tasks: Callable[[], None]) -> list[list[float]]:
    """Seconds of each task, turn by turn, so that a slow spell of the machine meets all of them.

    A first turn, not counted, warms up.
    """
    times: list[list[float]] = [[] for _ in tasks]
    for repeat in range(repeats + 1):
        for task, seconds in zip(tasks, times, strict=True):
            started = time.perf_counter()
            task()
            if repeat:
                seconds.append(time.perf_counter() - started)
    return times
