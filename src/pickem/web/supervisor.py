"""Keeps the trainer's process running beside the server, and knows what it is doing.

The trainer may crash; labelling goes on. It is started again after a pause that doubles with each crash until
it has completed something, and goes on from its last checkpoint.
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from pickem.errors import StorageError

log = logging.getLogger(__name__)

FIRST_PAUSE = 1.0  # seconds
LONGEST_PAUSE = 60.0
ERROR_LINES = 20  # of the trainer's last words


@dataclass(frozen=True)
class Activity:
    """What the trainer is doing: steps done of steps in all, and the time left, where they are known.

    passed_over: what it cannot read, in words.
    parts: how many parts of rounds it has completed.
    """

    doing: str
    done: int = 0
    total: int = 0
    seconds_left: float | None = None
    passed_over: Sequence[str] = ()
    parts: int = 0
    problem: str | None = None  # why it last ended, until it works again


class Supervisor:
    """Runs `python -m pickem.project.trainer` until `stop`.

    Parameters
    ----------
    options: further arguments of the trainer.
    note: called with what happened when the trainer has crashed.
    """

    def __init__(self, project: Path, options: Sequence[str], note: Callable[[str], None]) -> None:
        self._command = [sys.executable, "-m", "pickem.project.trainer", str(project), *options]
        self._note = note
        self._activity = Activity("starting")
        self._process: subprocess.Popen[str] | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._keep_running, daemon=True)

    @property
    def activity(self) -> Activity:
        """What the trainer is doing now."""
        return self._activity

    @property
    def pid(self) -> int | None:
        """Process number of the trainer, while one runs."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def start(self) -> None:
        """Start the trainer in the background."""
        self._thread.start()

    def stop(self) -> None:
        """End the trainer. What it has stored is whole at any moment."""
        self._stopping.set()
        if self._process:
            self._process.kill()
        if self._thread.is_alive():
            self._thread.join()

    def _keep_running(self) -> None:
        pause = FIRST_PAUSE
        while not self._stopping.is_set():
            worked, words = self._run_once()
            if self._stopping.is_set():
                return
            pause = FIRST_PAUSE if worked else min(2 * pause, LONGEST_PAUSE)
            self._activity = Activity(f"starting again in {pause:.0f} s", problem=words)
            # What ended the trainer, a full disk, say, may keep it from the notes.
            with suppress(StorageError):
                self._note(f"The trainer ended: {words}")
            self._stopping.wait(pause)

    def _run_once(self) -> tuple[bool, str]:
        """Run the trainer to its end: whether it got anywhere, and its last words.

        That is, whether it has completed a part of a round, or ran for longer than the longest pause.
        """
        problem, began, parts = self._activity.problem, time.monotonic(), 0
        pipe = subprocess.PIPE
        try:
            self._process = subprocess.Popen(self._command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)
        except OSError as error:  # no memory for another process, say
            return False, f"it cannot be started: {error}"
        with self._process as process:
            assert process.stdout
            assert process.stderr
            words: list[str] = []
            listener = threading.Thread(target=lambda: words.extend(process.stderr or ()), daemon=True)
            listener.start()
            lines = 0
            for line in process.stdout:
                said = _understood(line)
                if said is None:
                    log.warning("the trainer: %s", line.rstrip())
                    continue
                self._activity = replace(said, problem=problem if lines < 3 else None)
                lines, parts = lines + 1, said.parts
            listener.join()
        worked = parts > 0 or time.monotonic() - began > LONGEST_PAUSE
        return worked, "".join(words[-ERROR_LINES:]).strip() or f"exit code {process.returncode}"


def _understood(line: str) -> Activity | None:
    """What the trainer says it does; None for what a library printed, say."""
    try:
        return Activity(**json.loads(line))
    except (ValueError, TypeError):
        return None
