"""Loaded by workers that are started here: Ctrl-C is for the process that started them, which ends them."""

from __future__ import annotations

import signal


def dask_setup(_worker: object) -> None:
    """Called by Dask when a worker starts."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
