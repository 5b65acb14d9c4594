"""A scheduler and two workers as processes of their own, in folders of their own; one is killed midway."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

import numpy as np
import pytest

from tests.fixtures.prediction import files
from tests.fixtures.tiny_project import make_trained_project
from tests.integration.command_line import REPOSITORY, Outcome, pickem_here

OPTIONS = ("--precision", "fp32")
BLOCKS = 12


@contextmanager
def dask(folder: Path, role: str, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    """`dask scheduler` or `dask worker`, at work in a folder of its own."""
    folder.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-m", f"distributed.cli.dask_{role}", *options],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY / "src"), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@contextmanager
def scheduler(folder: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A scheduler, by its address."""
    found = folder.with_name(f"{folder.name}.json")
    options = ("--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(found))
    with dask(folder, "scheduler", *options) as process:
        limit = time.monotonic() + 100
        while not found.exists() or not found.read_text().endswith("}"):
            assert time.monotonic() < limit, "the scheduler does not start"
            time.sleep(0.05)
        yield json.loads(found.read_text())["address"], process


def worker(folder: Path, address: str) -> AbstractContextManager[subprocess.Popen[bytes]]:
    """A worker as docs/how-to/cluster.md starts it."""
    local = ("--no-nanny", "--no-dashboard", "--host", "127.0.0.1")
    return dask(folder, "worker", address, "--nthreads", "2", *local)


def when_begun(out: Path, act: Callable[[], None]) -> threading.Thread:
    """Calls `act` as soon as the first block is there."""

    def watch() -> None:
        while not any(path.name.isdigit() for path in out.glob("0/c/*/*/*")):
            time.sleep(0.02)
        act()

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    return thread


def predict(project: Path, out: Path, address: str, *more: str) -> Outcome:
    volume = project.parent / "v.npy"
    return pickem_here("predict", project, volume, "--out", out, "--scheduler", address, *OPTIONS, *more)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project, and another volume, v.npy, beside it."""
    folder = tmp_path_factory.mktemp("shared")
    np.save(folder / "v.npy", np.random.default_rng(0).integers(0, 255, (8 * BLOCKS, 200, 240), np.uint8))
    return make_trained_project(folder)


def test_workers_and_schedulers_may_die(project: Path, tmp_path: Path) -> None:
    whole, halved, cut = (tmp_path / f"{name}.ome.zarr" for name in ("whole", "halved", "cut"))
    with ExitStack() as running:
        address, process = running.enter_context(scheduler(tmp_path / "s"))
        workers = [running.enter_context(worker(tmp_path / name, address)) for name in ("a", "b")]

        done = predict(project, whole, address)
        assert done.returncode == 0, done.stderr

        thread = when_begun(halved, lambda: workers[0].send_signal(signal.SIGKILL))
        done = predict(project, halved, address)
        thread.join()
        assert done.returncode == 0, done.stderr
        assert workers[0].poll() is not None, "killed midway"
        assert files(halved) == files(whole)

        thread = when_begun(cut, lambda: process.send_signal(signal.SIGKILL))
        lost = predict(project, cut, address)
        thread.join()
        assert lost.returncode == 2
        assert "connection to the scheduler was lost" in lost.stderr
        assert "--resume" in lost.stderr

    with ExitStack() as running:
        address, _ = running.enter_context(scheduler(tmp_path / "s2"))
        running.enter_context(worker(tmp_path / "c", address))
        done = predict(project, cut, address, "--resume")
        assert done.returncode == 0, done.stderr
        assert "is there already" in done.stdout
        assert files(cut) == files(whole)


def test_an_address_at_which_nobody_answers(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pickem.blockwise.cluster.PATIENCE", "1s")
    lost = predict(project, tmp_path / "seg.ome.zarr", "tcp://127.0.0.1:9")
    assert lost.returncode == 2
    assert "No scheduler answers" in lost.stderr
    assert not (tmp_path / "seg.ome.zarr").exists()
