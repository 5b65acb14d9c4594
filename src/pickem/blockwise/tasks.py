"""Handing out blocks to workers, a few at a time, and trying again what failed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from distributed import Client, Future, KilledWorker, as_completed

from pickem.errors import CheckpointError, ClusterError, PickemError, StorageError
from pickem.geometry import Box

Answer = TypeVar("Answer")

ATTEMPTS = 3
AHEAD = 2  # tasks for each thread of a worker, so that none waits for the next
HOPELESS = 4  # blocks that have failed before any has succeeded


@dataclass(frozen=True)
class Failure:
    """A block that could not be done in ATTEMPTS attempts, and why."""

    box: Box
    error: BaseException


def each_done(
    client: Client, task: Callable[..., None], arguments: Sequence[Any], boxes: Sequence[Box]
) -> Iterator[Box | Failure]:
    """Run `task(*arguments, box)` for every box on the workers; yields each as it is done or given up.

    Stops where going on makes no sense: raises StorageError and CheckpointError of a worker, the error of the
    first blocks where not one could be done, and ClusterError where the scheduler has gone.
    """
    waiting = list(reversed([(box, 1) for box in boxes]))
    running: dict[object, tuple[Box, int]] = {}
    completed = as_completed(loop=client.loop, raise_errors=False)
    succeeded = failed = 0

    def hand_out() -> None:
        with _connected():
            room = AHEAD * max(1, sum(client.nthreads().values()))
        while waiting and len(running) < room:
            box, attempt = waiting.pop()
            future = client.submit(task, *arguments, box, pure=False, retries=0)
            running[future.key] = (box, attempt)
            completed.add(future)

    hand_out()
    while running:
        future = next(completed)
        box, attempt = running.pop(future.key)
        error = _error_of(future)
        if error is None:
            succeeded += 1
            yield box
        elif isinstance(error, StorageError | CheckpointError):
            raise error
        elif attempt < ATTEMPTS and not isinstance(error, KilledWorker):  # whom Dask has tried several times
            waiting.append((box, attempt + 1))
        else:
            failed += 1
            if failed == HOPELESS and not succeeded:
                raise _told(error)
            yield Failure(box, error)
        hand_out()


def answer(client: Client, task: Callable[..., Answer], *arguments: object) -> Answer:
    """What one worker answers; waits for the first worker to come. Raises what it raises, and
    ClusterError."""
    future = client.submit(task, *arguments, pure=False)
    error = _error_of(future)
    if error is not None:
        raise _told(error)
    found: Answer = future.result()
    return found


def _told(error: BaseException) -> PickemError:
    """The error of a worker, as one that says what to do."""
    if isinstance(error, PickemError):
        return error
    return ClusterError(
        "The workers cannot do this work.",
        got=reason(error),
        expected="the same pickem as here, in the environment of every worker, and memory for it",
        todo="look into the log of the workers",
    )


def reason(error: BaseException) -> str:
    """Why a block could not be done, in a line."""
    if isinstance(error, KilledWorker):
        return "the worker died each time it was at it; perhaps there was not enough memory"
    if isinstance(error, PickemError):
        return error.what if error.got is None else f"{error.what} ({error.got})"
    return f"{type(error).__name__}: {error}".splitlines()[0]


def _error_of(future: Future[Any]) -> BaseException | None:
    """Why a task that has ended has failed, None where it has not. Raises ClusterError."""
    with _connected():
        failed: BaseException | None = future.exception()
    return failed


@contextmanager
def _connected() -> Iterator[None]:
    """Turn what a client raises that has lost its scheduler into ClusterError."""
    try:
        yield
    except (CancelledError, OSError) as error:
        raise ClusterError(
            "The connection to the scheduler was lost.",
            got=error,
            todo="see whether the scheduler still runs; then start the same command again, with --resume",
        ) from error
