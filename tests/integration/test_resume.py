"""Killed at any moment and started again, a benchmark ends with the curve of one that was never disturbed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pickem.benchmark import Progress, benchmark, load_profile
from tests.fixtures.tiny_dataset import write_tiny_dataset
from tests.integration.command_line import REPOSITORY, pickem, pickem_here, rows, without_times

STRATEGIES = "entropy,random"


def arguments(folder: Path, out: Path, *more: object) -> list[object]:
    return [
        *("benchmark", folder / "tiny.toml", "--profile", folder / "profile.toml"),
        *("--strategies", STRATEGIES, "--out", out, *more),
    ]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_dataset(tmp_path_factory.mktemp("tiny") / "data").parent


@pytest.fixture(scope="module")
def undisturbed(folder: Path) -> Path:
    out = folder / "undisturbed"
    finished = pickem(*arguments(folder, out))
    assert finished.returncode == 0, finished.stderr
    return out


def assert_same(out: Path, undisturbed: Path) -> None:
    for table in ("results.csv", "picks.csv"):
        assert without_times(rows(out, table)) == without_times(rows(undisturbed, table))
    assert not list(out.rglob("*.partial"))


# One run makes about 40 renames: run.toml, two for each checkpoint, one for each record, view and table.
@pytest.mark.parametrize("point", ["before", "after"])
@pytest.mark.parametrize("number", [1, 2, 3, 5, 8, 13])
def test_killed_at_a_durable_write(
    point: str, number: int, folder: Path, undisturbed: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    killed = pickem(point, number, *arguments(folder, out), module="tests.integration.killing")
    assert killed.returncode == -signal.SIGKILL
    again = pickem_here(*arguments(folder, out))
    assert again.returncode == 0, again.stderr
    assert_same(out, undisturbed)


def test_started_again_a_finished_benchmark_trains_nothing(undisturbed: Path, folder: Path) -> None:
    before = rows(undisturbed)
    assert pickem_here(*arguments(folder, undisturbed)).returncode == 0
    assert rows(undisturbed) == before  # the times too


def test_several_processes_give_the_same_curves(folder: Path, undisturbed: Path, tmp_path: Path) -> None:
    finished = pickem(*arguments(folder, tmp_path / "out", "--jobs", 2))
    assert finished.returncode == 0, finished.stderr
    assert_same(tmp_path / "out", undisturbed)


def test_what_others_are_writing_in_the_same_folder_is_left_alone(folder: Path, tmp_path: Path) -> None:
    command = arguments(folder, tmp_path, "--rounds", 1)
    left = [tmp_path / "run.toml.0a1b2c3d.partial", tmp_path / "initial" / "seed-000" / "a.0a1b2c3d.partial"]
    others = [
        tmp_path / "exported.tif.partial",  # of an export that is half done
        tmp_path / "cells.pickem" / "checkpoints" / "round-0001.safetensors.0a1b2c3d.partial",
        tmp_path / "runs" / "of another program.partial",
    ]
    for path in (*left, *others):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / "vnc.partial").mkdir()  # of a download
    finished = pickem_here(*command)
    assert finished.returncode == 0, finished.stderr
    assert set(tmp_path.rglob("*.partial")) == {*others, tmp_path / "vnc.partial"}


def test_goes_on_from_the_journals_alone(folder: Path, undisturbed: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert pickem_here(*arguments(folder, out, "--rounds", 2)).returncode == 0
    for weights in out.rglob("weights*"):
        weights.unlink()  # as after a fresh clone of results whose weights were too large to keep
    again = pickem_here(*arguments(folder, out))
    assert again.returncode == 0, again.stderr
    assert_same(out, undisturbed)


def test_says_which_rounds_are_trained_once_more(folder: Path, tmp_path: Path) -> None:
    def rounds(number: int) -> list[Progress]:
        told: list[Progress] = []
        profile = load_profile(str(folder / "profile.toml"))
        benchmark(
            str(folder / "tiny.toml"),
            tmp_path,
            strategies=["entropy"],
            rounds=number,
            profile=profile,
            watch=told.append,
        )
        return [at for at in told if at.stage == "training"]

    assert not any(at.again for at in rounds(2))
    for weights in tmp_path.rglob("weights*"):
        weights.unlink()
    told = rounds(3)
    assert {at.round for at in told if at.again} == {0, 1}
    assert {at.round for at in told if not at.again} == {2}


def test_killed_between_the_two_files_of_weights_trained_again(
    folder: Path, undisturbed: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert pickem_here(*arguments(folder, out, "--rounds", 2)).returncode == 0
    for weights in out.rglob("weights*"):
        weights.unlink()
    killed = pickem(
        "after", "weights-001.safetensors", *arguments(folder, out), module="tests.integration.killing"
    )
    assert killed.returncode == -signal.SIGKILL
    assert not (out / "runs" / "entropy" / "seed-000" / "weights-001.json").exists()
    again = pickem_here(*arguments(folder, out))
    assert again.returncode == 0, again.stderr
    assert_same(out, undisturbed)


def test_weights_cut_short_are_trained_again(folder: Path, undisturbed: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert pickem_here(*arguments(folder, out, "--rounds", 2)).returncode == 0
    for weights in out.rglob("weights*.safetensors"):
        weights.write_bytes(weights.read_bytes()[:1000])
    again = pickem_here(*arguments(folder, out))
    assert again.returncode == 0, again.stderr
    assert_same(out, undisturbed)


def test_more_rounds_and_seeds_can_be_added(folder: Path, undisturbed: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert pickem_here(*arguments(folder, out, "--rounds", 1)).returncode == 0
    assert [row["labelled_patches"] for row in rows(out)] == ["4", "4"]
    assert pickem_here(*arguments(folder, out)).returncode == 0
    assert without_times(rows(out)) == without_times(rows(undisturbed))
    assert pickem_here(*arguments(folder, out, "--seeds", 2)).returncode == 0
    assert {row["seed"] for row in rows(out)} == {"0", "1"}
    seed_0 = [row for row in rows(out) if row["seed"] == "0"]
    assert without_times(seed_0) == without_times(rows(undisturbed))


def test_ctrl_c_says_how_to_go_on(folder: Path, undisturbed: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    process = _start(arguments(folder, out))
    _wait_for(out / "initial" / "seed-000" / "evaluation.json", process)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in stderr
    assert "continues" in stderr
    assert pickem_here(*arguments(folder, out)).returncode == 0
    assert_same(out, undisturbed)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks at processes under /proc")
def test_processes_end_with_their_parent(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    process = _start(arguments(folder, out, "--jobs", 2, "--seeds", 3))
    _wait_for(out / "initial" / "seed-000" / "evaluation.json", process)
    children = _children(process.pid)
    assert len(children) >= 2  # one for each job, and what multiprocessing starts for itself
    process.kill()
    process.communicate(timeout=60)
    deadline = time.monotonic() + 30
    while any(map(_is_running, children)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not list(filter(_is_running, children))


@pytest.mark.soak
def test_killed_at_random_moments_many_times(folder: Path, undisturbed: Path, tmp_path: Path) -> None:
    chance = random.Random(int(os.environ.get("PICKEM_SOAK_SEED", "0")))
    for attempt in range(int(os.environ.get("PICKEM_SOAK_REPEATS", "30"))):
        out = tmp_path / f"out-{attempt}"
        while True:
            process = _start(arguments(folder, out, "--jobs", chance.choice([1, 2])))
            try:
                process.communicate(timeout=chance.uniform(2, 12))
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
            if process.returncode == 0:
                break
        assert_same(out, undisturbed)


def _start(command: list[object]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "pickem.cli", *map(str, command)],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _wait_for(path: Path, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 120
    while not path.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    assert path.exists(), process.communicate()[1]


def _children(parent: int) -> list[int]:
    """Process numbers of the processes that `parent` has started and that are running."""
    numbers = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [number for number in numbers if (status := _status(number)) and status[1] == parent]


def _is_running(number: int) -> bool:
    return (status := _status(number)) is not None and status[0] != "Z"  # a zombie only waits to be counted


def _status(number: int) -> tuple[str, int] | None:
    """State and parent of a process; None where there is none of this number."""
    try:
        text = Path(f"/proc/{number}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    state, parent = text.rpartition(")")[2].split()[:2]
    return state, int(parent)
