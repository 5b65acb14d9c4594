"""Killed between or inside train, measure and rank, a project ends as one that was never disturbed.

    python -m tests.integration.test_project_round_killed

forks, for every line `PROJECT ROUND EVENT NUMBER` of its input, a trainer that kills itself at that point of
two rounds. (Forked, as importing takes longer than everything else.)
"""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import pytest

from pickem.learning.round import Stage
from pickem.predictor import use_threads
from pickem.project import rounds
from pickem.project.project import Project, open_project
from pickem.project.round import Learning, Part, due
from tests.fixtures.tiny_project import PRETRAINED, make_tiny_project, paint_audit, paint_queue
from tests.integration.command_line import REPOSITORY
from tests.integration.killing import die_at

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")

FIRST, MORE = 4, 3  # labels before the first and the second round
NEVER = (9, "never", 0)
Crash = tuple[int, str, int]  # (round, or −1 before there is one; event; which of these events)


def annotate_and_learn(folder: Path, crash: Crash) -> None:
    """Two rounds, each with its labels; begun again, goes on with what is missing. May die on the way."""
    with open_project(folder) as project:

        def die_if(event: str, number: int) -> None:
            if (_round(project), event, number) == crash:
                os.kill(os.getpid(), signal.SIGKILL)

        calls: Counter[tuple[int, Stage]] = Counter()

        def progress(stage: Stage, done: int, total: int) -> None:
            calls[_round(project), stage] += 1
            die_if(stage, calls[_round(project), stage])

        learning = Learning(project, project.predictor("cpu"), progress)
        while True:
            part = due(project)
            missing = FIRST + MORE - project.store.count("query", "submitted")
            if part is not None:
                if part == "train" and crash[1] in ("before", "after") and _next_round(project) == crash[0]:
                    die_at(crash[1], str(crash[2]))
                learning.do(part)
                die_if(f"{part} is done", 0)
            elif missing:
                paint_queue(project, missing)
            else:
                return


def _round(project: Project) -> int:
    """The round that is being worked on."""
    return _next_round(project) - (not rounds.is_under_way(project.store))


def _next_round(project: Project) -> int:
    latest = rounds.latest_round(project.store)
    return latest.number + 1 if latest else 0


def fork_trainers(work: Callable[[Path, Crash], None]) -> None:
    """What the process does that the tests start; `work` is what a trainer does."""
    use_threads(1)
    importlib.import_module("torch._dynamo")  # what every process would otherwise do at its first fit
    for line in sys.stdin:
        folder, number, event, count = line.rstrip("\n").split("\t")
        child = os.fork()
        if child == 0:
            work(Path(folder), (int(number), event, int(count)))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


class Trainers:
    """Trainers that die where they are told to. `module`: what forks them."""

    def __init__(self, module: str) -> None:
        command = [sys.executable, "-m", module]
        self._process = subprocess.Popen(
            command,
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, folder: Path, crash: Crash) -> int:
        """Exit code of a trainer: 0, or −9 where it was killed."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\t".join(map(str, (folder, *crash))) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def close(self) -> None:
        os.killpg(self._process.pid, signal.SIGKILL)  # with a trainer that hangs, should there be one
        self._process.communicate()


@pytest.fixture(scope="module")
def trainers() -> Iterator[Trainers]:
    made = Trainers("tests.integration.test_project_round_killed")
    yield made
    made.close()


@pytest.fixture(scope="module")
def undisturbed(trainers: Trainers, tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    folder = new_project(tmp_path_factory.mktemp("undisturbed"))
    assert trainers.run(folder, NEVER) == 0
    result = what_counts(folder)
    assert result["queue"]
    assert len(cast("list[object]", result["rounds"])) == 2
    return result


def new_project(parent: Path) -> Path:
    folder = make_tiny_project(parent, recipe=PRETRAINED)
    with open_project(folder) as project:
        paint_queue(project, FIRST)
        paint_audit(project, 2)
    return folder


def what_counts(folder: Path) -> dict[str, object]:
    """Everything that two rounds leave behind, save for the times."""
    with open_project(folder) as project:
        store = project.store
        queries = {
            "queue": "SELECT * FROM queue",
            "proposals": "SELECT * FROM proposals ORDER BY patch",
            "rounds": "SELECT number, last_revision, labelled, checkpoint, loss FROM rounds",
            "audit": "SELECT * FROM audit_counts",
            "labels": "SELECT patch, revision, state, mask, ranked_by FROM revisions",
        }
        tables: dict[str, object] = {
            name: [tuple(row) for row in store.rows(sql)] for name, sql in queries.items()
        }
        return tables | {path.name: path.read_bytes() for path in project.checkpoints.iterdir()}


PARTS: list[tuple[Crash, Part | None]] = [
    *(((-1, "pretraining", step), "pretrain") for step in (1, 2)),
    ((-1, "pretrain is done", 0), "train"),
    *(((number, "training", step), "train") for number, step in [(0, 1), (0, 6), (1, 1), (1, 3)]),
    *(((number, when, 1), "train") for number in (0, 1) for when in ("before", "after")),
    *(((number, when, 2), "train") for number in (0, 1) for when in ("before", "after")),
    *(((number, "train is done", 0), "rank") for number in (0, 1)),
    *(((number, "scoring", batch), "rank") for number, batch in [(0, 1), (1, 2)]),
    *(((number, "rank is done", 0), "measure") for number in (0, 1)),
    *(((number, "evaluating", done), "measure") for number, done in [(0, 1), (1, 2)]),
    *(((number, "measure is done", 0), None) for number in (0, 1)),
]


@pytest.mark.parametrize(("crash", "left"), PARTS, ids=str)
def test_killed_in_a_round(
    crash: Crash, left: Part | None, trainers: Trainers, undisturbed: dict[str, object], tmp_path: Path
) -> None:
    folder = new_project(tmp_path)
    assert trainers.run(folder, crash) == -signal.SIGKILL
    with open_project(folder) as project:
        assert due(project) == left
    assert trainers.run(folder, NEVER) == 0
    assert what_counts(folder) == undisturbed


if __name__ == "__main__":
    fork_trainers(annotate_and_learn)
