"""The trainer's process: learns as labels come, and says what it is doing, a JSON line at a time.

    python -m pickem.project.trainer PROJECT --device auto --threads 2

It ends when its standard input does, that is, when the server that started it is gone.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import cast, get_args

from pickem.errors import PickemError, TrainingError
from pickem.learning.round import Stage
from pickem.predictor import keep_freed_memory, use_threads
from pickem.predictor.settings import DeviceName
from pickem.project.label_images import Upkeep
from pickem.project.project import open_project
from pickem.project.round import Learning, due
from pickem.project.start import Annotator
from pickem.project.survey import try_again

POLL_SECONDS = 0.5
REPORT_SECONDS = 0.2
RESTING = "waiting for labels"
_NICER = 5  # the page goes first


class Reporter:
    """Prints progress as JSON lines {doing, done, total, seconds_left, passed_over, parts}, not more often
    than can be read."""

    def __init__(self) -> None:
        self._last = ("", 0, 0)  # stage, how much of it there is, and was done
        self._began = (0.0, 0)  # when it was first heard of, and how much was done by then
        self._said = 0.0
        self.passed_over: Sequence[str] = ()  # what cannot be read, for the person; said with every line
        self.parts = 0  # of rounds that were completed; said with every line

    def __call__(self, stage: Stage, done: int, total: int) -> None:
        """Report a step of a stage; the signature of `learning`'s progress."""
        now = time.monotonic()
        if (stage, total) != self._last[:2] or done <= self._last[2]:
            self._began, self._said = (now, done), 0.0
        self._last = (stage, total, done)
        if now - self._said < REPORT_SECONDS and done < total:
            return
        self._said = now
        began, before = self._began
        left = (now - began) / (done - before) * (total - done) if done > before else None
        self.say(stage, done, total, left)

    def say(self, doing: str, done: int = 0, total: int = 0, seconds_left: float | None = None) -> None:
        """Print one line."""
        line = {"doing": doing, "done": done, "total": total, "seconds_left": seconds_left}
        standing = {"passed_over": [*self.passed_over], "parts": self.parts}
        print(json.dumps(line | standing), flush=True)


def main(arguments: list[str] | None = None) -> None:
    """Work until standard input ends. Exit code 2 where the project cannot be used, with the reason."""
    parser = argparse.ArgumentParser()
    parser.add_argument("project", type=Path)
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--annotator", choices=get_args(Annotator), default="person")
    given = parser.parse_args(arguments)
    _end_with_parent()
    if hasattr(os, "nice"):
        os.nice(_NICER)
    use_threads(given.threads)
    keep_freed_memory()
    try:
        _work(given.project, cast(DeviceName, given.device), cast(Annotator, given.annotator))
    except PickemError as error:
        print(error, file=sys.stderr)
        sys.exit(2)


def _work(folder: Path, device: DeviceName, annotator: Annotator) -> None:
    report = Reporter()
    report.say("starting")
    with open_project(folder) as project:
        learning = Learning(project, project.predictor(device), report, annotator)
        report.passed_over = learning.unreadable.words
        try_again(project)
        labels = Upkeep(project)
        report.say(RESTING)
        last = None
        while True:
            part = due(project, annotator)
            if part in (None, "survey"):  # which may go on for hours
                labels.keep()
            if part is None:
                if last is not None:
                    report.say(RESTING)
                time.sleep(POLL_SECONDS)
            else:
                try:
                    learning.do(part)
                except TrainingError as error:
                    project.store.note("problem", str(error))
                    raise
                report.parts += 1
            last = part


def _end_with_parent() -> None:
    def wait() -> None:
        sys.stdin.buffer.read()
        os._exit(0)  # every stored part is whole; there is nothing to tidy up

    threading.Thread(target=wait, daemon=True).start()


if __name__ == "__main__":
    main()
