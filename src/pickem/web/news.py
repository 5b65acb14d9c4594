"""Where the project stands, for every open page at once.

Each page hears it once a second. Made anew for each, it would be most of what a server of twenty pages does.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from pickem.web.messages import ProgressInfo

LASTS = 0.5  # seconds for which one answer serves all


class News:
    """What `ask` says. Safe to share between threads; nobody hears an older answer after a newer one."""

    def __init__(self, ask: Callable[[], ProgressInfo]) -> None:
        self._ask = ask
        self._lock = threading.RLock()
        self._heard: tuple[float, ProgressInfo] | None = None  # when, and what

    def now(self) -> ProgressInfo:
        """What it says now."""
        with self._lock:
            answer = self._ask()
            self._heard = (time.monotonic(), answer)
            return answer

    def latest(self) -> ProgressInfo:
        """What it said last, or now where that was too long ago."""
        with self._lock:
            if self._heard and time.monotonic() - self._heard[0] < LASTS:
                return self._heard[1]
            return self.now()
