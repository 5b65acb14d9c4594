"""Several runs of one benchmark at a time, each in a process of its own.

Runs of one seed share their first network, so a seed's other runs wait until its first run has trained it.
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

from pickem.benchmark.full_supervision import FULL_SUPERVISION
from pickem.benchmark.run import Progress, Watch
from pickem.benchmark.tasks import Plan, Task, Worker
from pickem.errors import PickemError, RunError


@dataclass(frozen=True)
class _Finished:
    """The task is done; `error` is what ended it early."""

    error: PickemError | None = None


def run_in_processes(plan: Plan, tasks: Sequence[Task], jobs: int, watch: Watch) -> None:
    """Do all tasks, `jobs` at a time, and call `watch` in this process.

    Raises the first error that a task raises, and RunError where a process is killed from outside; the
    other processes are then ended. Everything done so far is in the journals.
    """
    context = multiprocessing.get_context("spawn")
    queue = _Queue(list(tasks))
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
    """Tasks not yet begun; those of a seed wait for the seed's first network."""

    waiting: list[Task]
    begun_seeds: set[int] = field(default_factory=set)
    ready_seeds: set[int] = field(default_factory=set)

    def take(self) -> Task | None:
        for task in self.waiting:
            alone = task.strategy in FULL_SUPERVISION
            if alone or task.seed in self.ready_seeds or task.seed not in self.begun_seeds:
                self.waiting.remove(task)
                if not alone:
                    self.begun_seeds.add(task.seed)
                return task
        return None


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
        hand.task = None
        if message.error is not None:
            raise message.error
        return
    if message.stage is None and message.round == 0:
        queue.ready_seeds.add(message.seed)
    watch(message)


def _serve(plan: Plan, connection: Connection) -> None:
    """The life of a process: load the data once, then do what is asked."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends its processes
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        worker = Worker.start(plan)
    except PickemError as error:
        connection.recv()
        connection.send(_Finished(error))
        return
    while True:
        task: Task = connection.recv()
        try:
            worker.do(task, connection.send)
        except PickemError as error:
            connection.send(_Finished(error))
        else:
            connection.send(_Finished())


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None  # this runs in a child
    parent.join()
    os._exit(1)
