"""Segment a volume in a process that kills itself (SIGKILL) at a chosen point.

    python -m tests.integration.killing_prediction CHECKPOINT VOLUME OUT EVENT NUMBER

EVENT and NUMBER: the NUMBER-th report of a stage, or "before" or "after" the NUMBER-th rename.
"""

from __future__ import annotations

import itertools
import os
import signal
import sys
from pathlib import Path

from pickem.blockwise.prediction import At
from tests.fixtures.prediction import layout, order, predict_here, workers_here
from tests.integration.killing import die_at

CUT = layout((2, 64, 64), (1, 1, 1), (1, 2, 2))  # four shards in a block


def segment(checkpoint: Path, volume: Path, out: Path, event: str, number: int) -> None:
    """What the process does that the tests kill."""
    if event in ("before", "after"):
        die_at(event, str(number))
    reports = itertools.count(1)

    def progress(at: At) -> None:
        if at.stage == event and next(reports) == number:
            os.kill(os.getpid(), signal.SIGKILL)

    with workers_here() as client:
        predict_here(client, order(checkpoint, volume, out, layout=CUT, probabilities=("axon",)), progress)


if __name__ == "__main__":
    segment(*map(Path, sys.argv[1:4]), sys.argv[4], int(sys.argv[5]))
