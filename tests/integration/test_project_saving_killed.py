"""Killed at any moment while somebody paints: every mask that was acknowledged is there on reopening.

    python -m tests.integration.test_project_saving_killed project.sqlite

saves masks for ever and prints a line for each, after `save` has returned. The tests kill that process.

    python -m tests.integration.test_project_saving_killed project.sqlite STATEMENT

saves one mask and kills itself just before the first SQL statement that begins so, or else after the save.
"""

from __future__ import annotations

import itertools
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from pickem.geometry import PatchId
from pickem.project.store import State, Store
from tests.fixtures.tiny_project import answer, selection
from tests.integration.command_line import REPOSITORY

PATCHES = [PatchId("v", z, 0, 0, 64, 64) for z in range(4)]
STATES: tuple[State, ...] = ("draft", "draft", "submitted")


@dataclass(frozen=True)
class Saved:
    """A mask that the child said was saved."""

    patch: int
    revision: int
    state: str
    content: int


def mask_of(content: int) -> np.ndarray:
    """A mask that looks like no other; noise, so that it takes many bytes."""
    return np.random.default_rng(content).integers(0, 3, (64, 64), dtype=np.uint8)


def save_for_ever(path: Path) -> None:
    """What the process does that the tests kill."""
    with Store(path) as store:
        numbers = [stored.id for stored in store.patches("query")]
        first = store.rows("SELECT coalesce(max(id), 0) FROM revisions")[0][0] + 1
        for content in itertools.count(first):
            number, state = numbers[content % len(numbers)], STATES[content % len(STATES)]
            revision = answer(store, number, mask_of(content), state)
            # at once: print writes each part alone where Python does not buffer
            sys.stdout.write(f"{number} {revision} {state} {content}\n")
            sys.stdout.flush()


def save_and_die(path: Path, point: str) -> None:
    """What the process does that dies at a point of its own."""

    def die_at(statement: str) -> None:
        if statement.startswith(point):
            os.kill(os.getpid(), signal.SIGKILL)

    with Store(path) as store:
        (stored,) = store.patches("query")
        with store.change() as connection:
            pass
        connection.set_trace_callback(die_at)
        answer(store, stored.id, mask_of(2), "submitted")
        os.kill(os.getpid(), signal.SIGKILL)


def killed_after(seconds: float, path: Path) -> list[Saved]:
    """Let a process save masks, kill it so long after the first, and return what it acknowledged."""
    command = [sys.executable, "-m", "tests.integration.test_project_saving_killed", str(path)]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline()]
        time.sleep(seconds)
        process.kill()
        lines += process.stdout
    assert process.returncode == -signal.SIGKILL  # and did not end by itself, with an error
    fields = [line.split() for line in lines]
    return [Saved(int(n), int(r), state, int(content)) for n, r, state, content in fields]


def assert_kept(path: Path, acknowledged: list[Saved], kills: int) -> None:
    """Every submitted mask is there, of the drafts the newest; at most one a kill that nobody heard of."""
    with Store(path) as store:
        assert [tuple(row) for row in store.rows("PRAGMA integrity_check")] == [("ok",)]
        rows = store.rows("SELECT patch, revision FROM revisions WHERE state = 'submitted'")
        kept = {tuple(row) for row in rows}
        assert {(s.patch, s.revision) for s in acknowledged if s.state == "submitted"} <= kept
        unheard_of = 0
        for number, saved in {s.patch: s for s in acknowledged}.items():
            newest = store.newest(number)
            assert newest is not None
            unheard_of += newest.revision - saved.revision
            if newest.revision == saved.revision:
                assert newest.state == saved.state
                assert newest.mask is not None
                np.testing.assert_array_equal(newest.mask, mask_of(saved.content))
        assert 0 <= unheard_of <= kills


def kill_many_times(path: Path, times: int, chance: random.Random) -> None:
    with Store(path) as store:
        store.replace_queue(selection(PATCHES), None)
    acknowledged: list[Saved] = []
    for kills in range(1, times + 1):
        acknowledged += killed_after(chance.uniform(0, 0.3), path)
        assert_kept(path, acknowledged, kills)
    assert len(acknowledged) >= times


def test_killed_while_saving(tmp_path: Path) -> None:
    kill_many_times(tmp_path / "project.sqlite", 5, random.Random(0))


@pytest.mark.soak
def test_killed_while_saving_many_times(tmp_path: Path) -> None:
    times = int(os.environ.get("PICKEM_SOAK_REPEATS", "100"))
    chance = random.Random(int(os.environ.get("PICKEM_SOAK_SEED", "0")))
    kill_many_times(tmp_path / "project.sqlite", times, chance)


@pytest.mark.parametrize("point", ["BEGIN", "DELETE", "INSERT", "COMMIT", "after all"])
def test_killed_inside_a_save(point: str, tmp_path: Path) -> None:
    path = tmp_path / "project.sqlite"
    with Store(path) as store:
        store.replace_queue(selection(PATCHES[:1]), None)
        (stored,) = store.patches("query")
        assert answer(store, stored.id, mask_of(1), "draft") == 1
    command = [sys.executable, "-m", "tests.integration.test_project_saving_killed", str(path), point]
    assert subprocess.run(command, cwd=REPOSITORY, check=False).returncode == -signal.SIGKILL
    revision, state, content = (2, "submitted", 2) if point == "after all" else (1, "draft", 1)
    with Store(path) as store:
        newest = store.newest(stored.id)
        assert newest is not None
        assert newest.mask is not None
        assert (newest.revision, newest.state) == (revision, state)
        np.testing.assert_array_equal(newest.mask, mask_of(content))
        assert answer(store, stored.id, mask_of(3), "submitted") == revision + 1


if __name__ == "__main__":
    if len(sys.argv) == 2:
        save_for_ever(Path(sys.argv[1]))
    else:
        save_and_die(Path(sys.argv[1]), sys.argv[2])
