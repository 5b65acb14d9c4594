"""Several runs of one benchmark at a time, each in a process of its own.

What runs share is made by one of them, and the others wait until it is there: the first network of a seed,
its pretrained weights, the number of steps of full-converged.
The processes end when the one that started them does, however it ends.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from pickem.benchmark.full_supervision import CONVERGED, FULL_SUPERVISION
from pickem.benchmark.run import Progress, Watch
from pickem.benchmark.tasks import Plan, Task, Worker
from pickem.errors import PickemError, RunError

_Shared = int | str  # the number of a seed: what its runs start from; CONVERGED: its number of steps


@dataclass(frozen=True)
class _Finished:
    """The task is done; `error` is what ended it early."""

    task: Task
    error: PickemError | None = None


def run_in_processes(plan: Plan, tasks: Sequence[Task], jobs: int, watch: Watch) -> None:
    """Do all tasks, `jobs` at a time, and call `watch` in this process.

    Raises the first error that a task raises, and RunError where a process is killed from outside; the
    other processes are then ended. Everything done so far is in the journals.
    """
    context = multiprocessing.get_context("spawn")
    queue = _Queue.of(tasks, plan)
    hands = [_Hand.start(context, plan) for _ in range(min(jobs, len(tasks)))]
    try:
        while queue.waiting or any(hand.task for hand in hands):
            for hand in hands:
                if hand.task is None and (task := queue.take()):
                    hand.give(task)
            for connection in wait([hand.connection for hand in hands if hand.task]):
                hand = next(hand for hand in hands if hand.connection is connection)
                _handle(hand, queue, watch)
    finally:
        for hand in hands:
            hand.process.kill()
            hand.process.join()
            hand.connection.close()


@dataclass
class _Queue:
    """Tasks not yet begun, and how far what they share has come."""

    waiting: list[Task]
    pretrains: bool  # full supervision then shares with its seed's other runs
    making: set[_Shared] = field(default_factory=set)
    made: set[_Shared] = field(default_factory=set)

    @classmethod
    def of(cls, tasks: Sequence[Task], plan: Plan) -> _Queue:
        """A seed's full supervision comes last: as its first run, it keeps the others waiting to its end."""
        ordered = sorted(tasks, key=lambda task: (task.seed, task.strategy in FULL_SUPERVISION))
        return cls(ordered, plan.profile.pretraining.task != "none")

    def take(self) -> Task | None:
        """The first task that needs nothing that another is just making."""
        for task in self.waiting:
            missing = self._shared(task) - self.made
            if not missing & self.making:
                self.waiting.remove(task)
                self.making |= missing
                return task
        return None

    def heard(self, progress: Progress) -> None:
        """A run has come so far. What full supervision says of its seed is not of the first network."""
        if progress.stage is None and progress.round == 0 and progress.strategy not in FULL_SUPERVISION:
            self.made.add(progress.seed)

    def finished(self, task: Task) -> None:
        """The task is done; a first network, which full supervision does not make, is left to the next."""
        self.making -= self._shared(task)
        if task.strategy == CONVERGED:
            self.made.add(CONVERGED)

    def _shared(self, task: Task) -> set[_Shared]:
        """What the task makes unless it is there."""
        shared: set[_Shared] = set()
        if self.pretrains or task.strategy not in FULL_SUPERVISION:
            shared.add(task.seed)
        if task.strategy == CONVERGED:
            shared.add(CONVERGED)
        return shared


@dataclass
class _Hand:
    """A process that does one task after another."""

    process: BaseProcess
    connection: Connection
    task: Task | None = None

    @classmethod
    def start(cls, context: multiprocessing.context.SpawnContext, plan: Plan) -> _Hand:
        here, there = context.Pipe()
        process = context.Process(target=_serve, args=(plan, there), daemon=True)
        process.start()
        there.close()
        return cls(process, here)

    def give(self, task: Task) -> None:
        self.task = task
        with self._death_told():
            self.connection.send(task)

    def hear(self) -> Progress | _Finished:
        """What the process says next."""
        with self._death_told():
            message: Progress | _Finished = self.connection.recv()
        return message

    @contextmanager
    def _death_told(self) -> Iterator[None]:
        """Raise RunError where the process has died; which of the errors tells of it depends on when."""
        try:
            yield
        except (EOFError, ConnectionError):
            self.process.join()  # the connection breaks a moment before there is an exit code
            raise RunError(
                "A process of the benchmark ended without a word.",
                got=f"exit code {self.process.exitcode} in {self.task}",
                todo="look whether the machine ran out of memory; start the same command again to go on",
            ) from None


def _handle(hand: _Hand, queue: _Queue, watch: Watch) -> None:
    message = hand.hear()
    if isinstance(message, _Finished):
        if message.error is not None:
            raise message.error
        hand.task = None
        queue.finished(message.task)
        return
    queue.heard(message)
    watch(message)


def _serve(plan: Plan, connection: Connection) -> None:
    """The life of a process: load the data once, then do what is asked."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends its processes
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        worker = Worker.start(plan)
    except PickemError as error:
        connection.send(_Finished(connection.recv(), error))
        return
    while True:
        task: Task = connection.recv()
        try:
            worker.do(task, connection.send)
        except PickemError as error:
            connection.send(_Finished(task, error))
        else:
            connection.send(_Finished(task))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None  # this runs in a child
    parent.join()
    os._exit(1)
