"""How a function is called on many blocks: one after the other, or by several processes.

Whatever runs blocks elsewhere need only be a `Mapper`. The function is one of a module, or a `partial` of it,
and what it is given can be pickled; blocks are done in any order, and again without harm.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager

from pickem.errors import WorkerError

Mapper = Callable[[Callable[[int], int], Sequence[int]], Iterator[int]]
"""Calls a function on every number and yields what it returns, in the order in which it comes."""


def one_by_one(function: Callable[[int], int], numbers: Sequence[int]) -> Iterator[int]:
    """A Mapper in this process."""
    yield from map(function, numbers)


@contextmanager
def processes(count: int) -> Iterator[Mapper]:
    """A Mapper over `count` processes of this machine, which end with the block, or when this process does.

    It raises WorkerError where one of them dies, and what the function raises.
    """
    if count == 1:
        yield one_by_one
        return
    # Not forked: tensorstore's threads would be missing.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(count, context, initializer=_end_with_parent)
    try:
        yield lambda function, numbers: _spread(pool, function, numbers)
    finally:
        pool.shutdown(cancel_futures=True)


def _spread(
    pool: ProcessPoolExecutor, function: Callable[[int], int], numbers: Sequence[int]
) -> Iterator[int]:
    futures = [pool.submit(function, number) for number in numbers]
    try:
        for future in as_completed(futures):
            yield future.result()
    except BrokenProcessPool as error:
        raise WorkerError(
            "A process that worked on blocks was killed, maybe because the memory was used up.",
            todo="go on with --resume, and with fewer --workers or a smaller --block",
        ) from error
    finally:
        for future in futures:
            future.cancel()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None  # in a worker

    def wait() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
