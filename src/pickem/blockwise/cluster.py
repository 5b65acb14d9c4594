"""Where the work is done: processes started here, or the workers of a scheduler that is there already."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dask
import psutil
from distributed import Client, LocalCluster

from pickem.errors import ClusterError
from pickem.predictor.settings import DeviceName

TASKS_A_WORKER = 2  # one reads or writes while the other's network runs
PATIENCE = "20s"  # for a scheduler to answer
_SETTINGS = {
    "distributed.worker.profile.enabled": False,
    "distributed.scheduler.http.routes": [],  # nothing is served to browsers
    "distributed.worker.http.routes": [],
    # The C library keeps freed memory for threads other than the main one only where they share its arena;
    # without it, the system clears every page of the network's numbers anew, which doubles the time.
    "distributed.nanny.pre-spawn-environ.MALLOC_ARENA_MAX": 1,
    "distributed.admin.tick.limit": "1h",  # says nothing of threads that compute for long
}
_THREADS_A_WORKER = 4  # beyond that a network on the CPU gains little from more
_FOLDER = "pickem-workers-"  # followed by the process that made it
_GPUS = Path("/proc/driver/nvidia/gpus")


def usual_workers(device: DeviceName) -> int:
    """As many as there are GPUs to use, at most one here; without one, a worker for every four cores."""
    if device == "cuda" or (device == "auto" and _GPUS.exists()):
        return 1
    return max(1, cores() // _THREADS_A_WORKER)


def cores() -> int:
    """The processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def local_cluster(workers: int) -> Iterator[Client]:
    """Processes of this machine, with a nanny that replaces those that die. No port is open to others.

    Leaves nothing behind. Must be called where a new process can import the main module without harm. Raises
    ClusterError where they die before they are there.
    """
    _be_quiet()
    _sweep()
    with (
        tempfile.TemporaryDirectory(prefix=f"{_FOLDER}{os.getpid()}-", ignore_cleanup_errors=True) as folder,
        dask.config.set({**_SETTINGS, "temporary-directory": folder}),
        _started(workers, folder) as cluster,
        Client(cluster) as client,
    ):
        yield client


def _started(workers: int, folder: str) -> LocalCluster:
    try:
        return LocalCluster(
            n_workers=workers,
            threads_per_worker=TASKS_A_WORKER,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
            scheduler_kwargs={"dashboard": False},
            memory_limit=0,  # of Dask's own keeping, in which nothing lies
            local_directory=folder,
            silence_logs=logging.CRITICAL,
            preload="pickem.blockwise.uninterrupted",
        )
    except RuntimeError as error:
        raise ClusterError(
            "The processes that do the work could not be started.",
            got=error.__cause__ or error,
            expected=f"{workers} processes that stay alive; perhaps the memory was used up",
            todo="start the same command again, with --resume, and with fewer --workers",
        ) from error


@contextmanager
def existing_cluster(address: str) -> Iterator[Client]:
    """The workers of the scheduler at `address`, tcp://HOST:PORT. Raises ClusterError where none answers."""
    _be_quiet()
    with dask.config.set(_SETTINGS):
        try:
            client = Client(address, timeout=PATIENCE)
        except (OSError, ValueError) as error:
            raise ClusterError(
                "No scheduler answers.",
                got=f"{address}: {error}",
                expected="the address that `dask scheduler` prints: tcp://HOST:8786",
                todo="check the address, and that the scheduler can be reached from here",
            ) from error
        with client:
            yield client


def _sweep() -> None:
    """Delete the folders of workers whose process was killed before it could do so."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_FOLDER}*"):
        pid = folder.name.removeprefix(_FOLDER).partition("-")[0]
        if pid.isdigit() and not psutil.pid_exists(int(pid)):
            shutil.rmtree(folder, ignore_errors=True)


def _be_quiet() -> None:
    """What goes wrong comes back with the tasks; the log says it in other words."""
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
